"""How many small faults in a solution do the graders notice? ``make mutants``

Every solution is changed in one place at a time (a + becomes a −, a < becomes a <=, an argument goes
missing), by mutmut's own operators. A grader that gives such a mutant full marks has missed it. The
survivors that are no fault at all are explained in ``tests/checks/survivors.yml``.

python -m tools.mutants               all exercises
python -m tools.mutants ch05 ch09     some of them
"""

import difflib
import io
import os
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import yaml
from mutmut.mutation.file_mutation import create_mutations, deep_replace

from cnnlib.checks.catalogue import exercise, exercise_names
from cnnlib.checks.engine import examine
from cnnlib.grading.notebooks import source_notebook

ROOT = Path(__file__).parents[1]
SURVIVORS = ROOT / "tests/checks/survivors.yml"
AIM = 0.95
SEEDS = ["visible", "mutants"]
SECONDS = 4.0  # a mutant whose loop never ends need not be waited for longer
MEMORY = 12 * 2**30


@dataclass(frozen=True)
class Mutant:
    """One change of one line of a solution."""

    exercise: str
    task: str
    was: str
    becomes: str
    code: str

    @property
    def place(self) -> tuple[str, str, str, str]:
        return self.exercise, self.task, self.was, self.becomes


def cells_of(name: str) -> dict[str, str]:
    """The code cells of a solution that a check needs, by grade_id, in their order."""
    (path,) = (ROOT / "solutions" / name).glob("*.py")
    return {
        cell.id: cell.source
        for cell in source_notebook(path).cells
        if cell.cell_type == "code" and cell.id.split("_")[-1] in ("setup", "given", "solution")
    }


def without_comments(code: str) -> str:
    """The nbgrader marks are comments; a mutant of one would say nothing."""
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    kept = [t for t in tokens if t.type != tokenize.COMMENT]
    text = tokenize.untokenize((t.type, t.string, t.start, t.end, t.line) for t in kept)
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip()) + "\n"


def mutants_of(name: str, letter: str, code: str) -> Iterator[Mutant]:
    code = without_comments(code)
    module, mutations, *_ = create_mutations(f"{name}_{letter}.py", code)
    for mutation in mutations:
        changed = deep_replace(module, mutation.original_node, mutation.mutated_node).code
        lines = list(difflib.unified_diff(code.splitlines(), changed.splitlines(), n=0))[3:]
        was = " / ".join(line[1:].strip() for line in lines if line.startswith("-"))
        becomes = " / ".join(line[1:].strip() for line in lines if line.startswith("+"))
        if was != becomes:
            yield Mutant(name, letter, was, becomes, changed)


def outcome(mutant: Mutant) -> str:
    """What the grader says of a mutant: ``"missed"`` (it earns everything), ``"late"`` or ``"noticed"``."""
    task = exercise(mutant.exercise).tasks[mutant.task]
    task = replace(task, seconds=min(task.seconds, SECONDS))
    space: dict[str, object] = {}
    try:
        with redirect_stdout(io.StringIO()):
            for name, source in cells_of(mutant.exercise).items():
                exec(mutant.code if name == f"{mutant.task}_solution" else source, space)
    except Exception:
        return "noticed"
    function = space[task.function_name]
    report = examine(exercise(mutant.exercise), task, function, seeds=SEEDS)
    if report.points == task.points:
        return "missed"
    return "late" if report.timed_out else "noticed"


def hunt(name: str) -> tuple[Counter, list[Mutant]]:
    """All mutants of one exercise: how many, how many only time stopped, and which survive."""
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    counts: Counter = Counter()
    survivors = []
    cells = cells_of(name)
    for letter in exercise(name).tasks:
        code = cells[f"{letter}_solution"]
        if outcome(Mutant(name, letter, "", "", code)) != "missed":
            raise RuntimeError(
                f"{name} ({letter}): the solution itself does not earn everything within {SECONDS} s a call: "
                "mend it, or measure on a machine that is less busy"
            )
        for mutant in mutants_of(name, letter, code):
            found = outcome(mutant)
            counts["every"] += 1
            counts["late"] += found == "late"
            if found == "missed":
                survivors.append(mutant)
    return counts, survivors


def explained() -> dict[tuple[str, str, str, str], str]:
    if not SURVIVORS.exists():
        return {}
    rows = yaml.safe_load(SURVIVORS.read_text(encoding="utf-8")) or []
    return {(r["exercise"], r["task"], r["was"], r["becomes"]): r["why"] for r in rows}


def line(name: str, row: Counter) -> str:
    """One line of the table."""
    noticed = row["every"] - row["survive"]
    return (
        f"{name:<28}{row['every']:>10}{noticed:>10}{row['late']:>10}{noticed / row['every']:>10.1%}"
        f"{row['known']:>10}{row['survive'] - row['known']:>10}"
    )


def main(wanted: list[str]) -> int:
    names = [n for n in exercise_names() if not wanted or n.startswith(tuple(wanted))]
    if not names:
        print(f"no exercise begins with {' or '.join(wanted)}: there are {exercise_names()}")
        return 2
    results = {}
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        waiting = {pool.submit(hunt, name): name for name in names}
        for done in as_completed(waiting):
            results[waiting[done]] = done.result()
            print(f"{len(results)} of {len(names)}: {waiting[done]}", file=sys.stderr, flush=True)

    reasons = explained()
    columns = ("mutants", "noticed", "by time", "share", "explained", "missed")
    print(f"{'exercise':<28}" + "".join(f"{column:>10}" for column in columns))
    total: Counter = Counter()
    for name in names:
        counts, survivors = results[name]
        known = sum(mutant.place in reasons for mutant in survivors)
        row = Counter(counts, survive=len(survivors), known=known)
        total += row
        print(line(name, row))
    print(line("together", total))
    for name in names:
        for mutant in results[name][1]:
            why = reasons.get(mutant.place)
            print(f"\n{name} ({mutant.task})  {'explained' if why else 'MISSED'}")
            print(f"  - {mutant.was}\n  + {mutant.becomes}")
            if why:
                print(f"  {why}")
    share = 1 - total["survive"] / total["every"]
    return int(share < AIM or total["survive"] > total["known"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
