"""Submissions per second beside plain nbgrader, on the same notebooks and cores: ``make bench-grading``.

The peer is ``nbgrader autograde`` as it comes: its own execution, no setting of ours. Both get the same submissions,
right and wrong ones in turn, in a folder of their own. Plain nbgrader grades a few of them, the farm more, as its
start would count too much otherwise; both rates have the start in them. Then the time of a call across, and by how
much a time-out oversteps its limit.
"""

import argparse
import contextlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))


from cnnlib.checks.calls import TimeIsOver  # noqa: E402
from cnnlib.grading import samples  # noqa: E402
from cnnlib.grading.notebooks import source_notebook  # noqa: E402
from cnnlib.grading.sandbox import Sandbox  # noqa: E402
from cnnlib.grading.session import Session  # noqa: E402

OURS = "from pathlib import Path\nfrom cnnlib.grading.settings import configure\nconfigure(get_config(), Path(r'{}'))\n"
PLAIN = "c = get_config()\nc.CourseDirectory.root = r'{0}'\nc.CourseDirectory.db_url = r'sqlite:///{0}/gradebook.db'\nc.ClearMarkScheme.enforce_metadata = False\n"


def run(folder: Path, *command: str) -> float:
    """Seconds that a command takes in `folder`."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, capture_output=True, text=True,
        env={"PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(folder)},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(
            f"{' '.join(command)} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        )
    return time.perf_counter() - start


def course(folder: Path, assignment: str, config: str, number: int, *, right: bool = False) -> Path:
    """A released assignment with `number` submissions, of all kinds in turn or right ones only."""
    folder.mkdir()
    (folder / "nbgrader_config.py").write_text(config.format(folder))
    name = samples.notebook_of(ROOT / "solutions", assignment)
    source = folder / "source" / assignment / f"{name}.ipynb"
    source.parent.mkdir(parents=True)
    nbformat.write(source_notebook(ROOT / "solutions" / assignment / f"{name}.py"), source)
    run(folder, "-m", "nbgrader", "generate_assignment", assignment)
    released = nbformat.read(folder / "release" / assignment / f"{name}.ipynb", 4)
    kinds = [
        answers
        for student, answers in samples.sample_class(ROOT / "solutions", assignment).items()
        if "loop" not in student  # a time-out would be the same wait for both
        and (not right or "full" in student)
    ]
    for i in range(number):
        notebook = samples.submission(released, kinds[i % len(kinds)])
        notebook.metadata["note"] = str(i)  # no two are the same
        place = folder / "submitted" / f"student{i:05}" / assignment / f"{name}.ipynb"
        place.parent.mkdir(parents=True)
        nbformat.write(notebook, place)
    return folder


def compare(
    work: Path, assignment: str, few: int, many: int, workers: int, *, right: bool
) -> float:
    plain = run(
        course(work / "plain", assignment, PLAIN, few, right=right),
        *("-m", "nbgrader", "autograde", assignment),
    )
    farm = run(
        course(work / "farm", assignment, OURS, many, right=right),
        *("-m", "cnnlib.grading", "autograde", assignment, "--workers", str(workers)),
    )
    ratio = (many / farm) / (few / plain)
    print(
        f"{assignment:<26} plain {few} in {plain:.0f} s, {few / plain:.2f}/s   "
        f"farm {many} in {farm:.0f} s, {many / farm:.2f}/s   ratio {ratio:.1f}",
        flush=True,
    )
    for name in ("plain", "farm"):
        shutil.rmtree(work / name)
    return ratio


def crossing() -> None:
    """Milliseconds of a call with a small array, and how far time-outs overstep."""
    import numpy as np

    with Sandbox() as box, Session(box, call_seconds=1.0, cell_seconds=1.0) as session:
        session.run("def f(x, k=1):\n    return x * k\ndef g():\n    while True: pass")
        f, x = session.get("f"), np.ones((3, 4))
        calls = []
        for _ in range(4000):
            start = time.perf_counter()
            f(x, k=3)
            calls.append(time.perf_counter() - start)
        half, tenth = statistics.median(calls), statistics.quantiles(calls, n=10)[0]
        print(
            f"a call with 12 numbers: {1000 * half:.3f} ms (median of {len(calls)}; a tenth take under {1000 * tenth:.3f})",
            flush=True,
        )
        for name, wait in (
            ("a call", lambda: session.get("g")()),
            ("a cell", lambda: session.run("g()")),
        ):
            start = time.perf_counter()
            with contextlib.suppress(TimeIsOver):
                wait()
            print(
                f"{name} that never ends: {time.perf_counter() - start - 1.0:.3f} s past its limit of 1 s"
            )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--few", type=int, default=16, help="submissions for plain nbgrader")
    parser.add_argument("--many", type=int, default=400, help="submissions for the farm")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--right", action="store_true", help="right answers only: the most to do")
    options = parser.parse_args()
    crossing()
    with tempfile.TemporaryDirectory() as work:
        for name, few in (
            ("ch04_output_size", options.few),
            ("ch12_beyond_the_pattern", max(4, options.few // 2)),
        ):
            compare(Path(work), name, few, options.many, options.workers, right=options.right)
    return 0


if __name__ == "__main__":
    sys.exit(main())
