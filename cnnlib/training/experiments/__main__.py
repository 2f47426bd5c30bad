"""The experiments from a shell: ``python -m cnnlib.training.experiments list|run|show``."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from cnnlib.data.files import write_whole
from cnnlib.errors import CnnlibError
from cnnlib.training.experiments import EXPERIMENTS, SEEDS, SIZES
from cnnlib.training.experiments.analysis import table, verdict
from cnnlib.training.experiments.plan import Experiment
from cnnlib.training.experiments.records import Record, default_folder, load_records, record_path
from cnnlib.training.experiments.runner import one_run, run_by_name
from cnnlib.training.progress import bar

EXIT = (
    "Exit code 0: all is well. 1: something is missing or wrong. 2: the command was not understood."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):  # a console that cannot show × gets ? in its place
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        return options.command(options)
    except CnnlibError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from here.", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cnnlib.training.experiments",
        description="Run the course's experiments on Fashion-MNIST and say what their records mean.",
        epilog=EXIT,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    listing = commands.add_parser("list", help="what experiments there are", epilog=EXIT)
    listing.set_defaults(command=_list)
    run = commands.add_parser(
        "run",
        help="make the records that are missing",
        description="Make the records that are missing, one file for each arm and seed. A run that was killed "
        "goes on from its last epoch when the same command is given again.",
        epilog=EXIT,
    )
    run.set_defaults(command=_run)
    show = commands.add_parser("show", help="question, means with intervals, verdicts", epilog=EXIT)
    show.set_defaults(command=_show)
    show.add_argument("--write", action="store_true", help="write them into NAME-SIZE.json as well")
    for one in (run, show):
        one.add_argument(
            "name", choices=[*EXPERIMENTS, "all"], metavar="NAME", help="of `list`, or all"
        )
        one.add_argument(
            "--size", choices=SIZES, default="small", help="small (default), full, or slice"
        )
        one.add_argument(
            "--seeds", type=int, nargs="+", default=list(SEEDS), help="1 2 3 4 5 if not given"
        )
        one.add_argument("--records", type=Path, default=default_folder(), metavar="FOLDER")
    run.add_argument("--jobs", type=int, default=1, help="runs at a time, each on one thread")
    run.add_argument(
        "--work", type=Path, default=Path("_build/experiments"), help="for runs under way"
    )
    return parser


def _chosen(name: str) -> list[Experiment]:
    return list(EXPERIMENTS.values()) if name == "all" else [EXPERIMENTS[name]]


def _list(options: argparse.Namespace) -> int:
    for experiment in EXPERIMENTS.values():
        runs = len(experiment.arms) * len(SEEDS)
        print(
            f"{experiment.name:<18}{', '.join(experiment.claims):<14}{runs:>4} runs  {experiment.title}"
        )
    return 0


def _run(options: argparse.Namespace) -> int:
    tasks = [
        (experiment.name, arm, seed, options.size, options.records, options.work)
        for experiment in _chosen(options.name)
        for seed in options.seeds  # all arms of a seed come before the next seed
        for arm in experiment.arms
    ]
    # A record that is there is read here: no process is needed for it, and it must fit its settings.
    left = []
    for name, arm, seed, size, records, work in tasks:
        if record_path(records, size, name, arm, seed).exists():
            one_run(EXPERIMENTS[name], arm, seed, size, records, work)
        else:
            left.append((name, arm, seed, size, records, work))
    failed = 0
    # One thread a run: the result must not depend on how many cores there are.
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    with (
        bar(len(tasks), len(tasks) - len(left), unit="run") as shown,
        ProcessPoolExecutor(options.jobs, get_context("spawn")) as pool,
    ):
        waiting = {pool.submit(run_by_name, *task): task for task in left}
        for done in as_completed(waiting):
            name, arm, seed, *_ = waiting[done]
            try:
                record = done.result()
            except CnnlibError as error:
                failed += 1
                print(f"{name} {arm} seed {seed}: {error}", file=sys.stderr)
            except BrokenProcessPool:
                print(
                    "A process was ended from outside, for want of memory perhaps. The same command goes on "
                    "from here; with fewer --jobs it needs less.",
                    file=sys.stderr,
                )
                return 1
            else:
                seconds = record["about"]["seconds"]
                shown.set_postfix(
                    {"last": f"{name} {arm} seed {seed}", "seconds": f"{seconds:.0f}"}
                )
            shown.update()
    return int(failed > 0)


def _show(options: argparse.Namespace) -> int:
    for experiment in _chosen(options.name):
        records = load_records(
            experiment, size=options.size, seeds=tuple(options.seeds), folder=options.records
        )
        rows = table(experiment, records)
        verdicts = [verdict(experiment, claim, records) for claim in experiment.claims]
        print(f"{experiment.title}\n\n{experiment.question}\n{experiment.analysis}\n")
        print(_as_text(rows))
        for found in verdicts:
            print(f"\n{found['id']}: {found['verdict']}")
            print("\n".join(f"  {line}" for line in found["numbers"]))
        print()
        if options.write:
            path = options.records / f"{experiment.name}-{options.size}.json"
            _write(path, experiment, options, rows, verdicts, records)
            print(f"Wrote {path}.\n")
    return 0


def _as_text(rows: list[dict[str, Any]]) -> str:
    """The table, with half the width of each interval behind ±."""
    names = [n for n in rows[0] if n not in ("arm", "seeds")]
    cells = [["arm", *(name.replace("_", " ") for name in names)]]
    for row in rows:
        line = [row["arm"]]
        for name in names:
            value = row[name]
            if value is None or isinstance(value, int):
                line.append("–" if value is None else f"{value:,}")
            else:
                line.append(f"{value.mean:.4f} ± {value.high - value.mean:.4f}")
        cells.append(line)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def _write(
    path: Path,
    experiment: Experiment,
    options: argparse.Namespace,
    rows: list[dict[str, Any]],
    verdicts: list[dict[str, Any]],
    records: dict[str, dict[int, Record]],
) -> None:
    """The summary that the ledger points to."""
    seconds = sum(
        record["about"]["seconds"] for runs in records.values() for record in runs.values()
    )
    command = f"python -m cnnlib.training.experiments run {experiment.name} --size {options.size}"
    if tuple(options.seeds) != SEEDS:
        command += f" --seeds {' '.join(map(str, options.seeds))}"
    summary = {
        "experiment": experiment.name,
        "question": experiment.question,
        "analysis": experiment.analysis,
        "command": command,
        "runs": sum(map(len, records.values())),
        "seconds": round(seconds),
        "verdicts": verdicts,
        "arms": [
            {k: v._asdict() if hasattr(v, "_asdict") else v for k, v in row.items()} for row in rows
        ],
    }
    text = json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_whole(path, lambda part: part.write_bytes(text.encode()))


if __name__ == "__main__":
    sys.exit(main())
