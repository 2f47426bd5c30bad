"""The same attacks on nbgrader as it comes: how many of them earn marks or stop it there.

``python -m tests.redteam.plain``, or ``make redteam-plain``. Each attack stands beside the wrong answers to one
exercise, whose tests are in the notebook as nbgrader has them. Left out are attacks that would harm the
machine: nothing but nbgrader stands between them and it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook

from cnnlib.grading.notebooks import write_source_notebooks
from tests.redteam import arena

EXERCISE, NOTEBOOK, STUDENT = "ch04_output_size", "output_size", "mallory"
CHOSEN = """
    patched_report patched_parts patched_exercise ast_transformer input_transformer displayhook
    run_code_does_nothing run_cell_does_nothing patched_formatter shadowed_mark fake_module traced
    patched_builtins stops_the_person import_the_reference call_the_task out_of_the_frame read_by_name
    the_seed other_submissions gradebook cell_never_ends exits fake_report
""".split()  # noqa: SIM905
_CONFIG = """
c = get_config()
c.CourseDirectory.root = {root!r}
c.CourseDirectory.db_url = "sqlite:///{root}/gradebook.db"
c.ClearMarkScheme.enforce_metadata = False
c.ExecutePreprocessor.timeout = 20
"""


def _nbgrader(course: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(arena.ROOT), "CNNLIB_GRADING_SEED": arena.SEED}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def _outcome(course: Path, attack: arena.Attack | None) -> tuple[float, bool, bool]:
    """Marks, whether nbgrader was stopped, and whether something secret is in the graded notebook."""
    path = course / "submitted" / STUDENT / EXERCISE / f"{NOTEBOOK}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(arena.attacked(EXERCISE, attack, course), path)
    shutil.rmtree(course / "autograded", ignore_errors=True)
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        gradebook.update_or_create_student(STUDENT)
        for submission in gradebook.student_submissions(STUDENT):
            gradebook.remove_submission(submission.assignment.name, STUDENT)
    done = _nbgrader(course, "autograde", EXERCISE, "--student", STUDENT, "--force")
    found = list((course / "autograded").rglob("*.ipynb"))
    leaked = any(arena.leaks(nbformat.read(one, 4)) for one in found)
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        try:
            marks = gradebook.find_submission(EXERCISE, STUDENT).score
        except Exception:  # there is none: the run broke off
            marks = 0.0
    return marks, done.returncode != 0, leaked


def main() -> int:
    """Print a line for each attack, and the sums."""
    with tempfile.TemporaryDirectory() as name:
        course = Path(name).resolve()
        (course / "nbgrader_config.py").write_text(_CONFIG.format(root=str(course)))
        write_source_notebooks(arena.ROOT / "solutions", course / "source")
        done = _nbgrader(course, "generate_assignment", EXERCISE)
        if done.returncode:
            print(done.stderr[-2000:])
            return 1
        for path, text in (
            ("grading_seed", arena.SEED),
            ("submitted/other/x/x.txt", "canary-other"),
        ):
            (course / path).parent.mkdir(parents=True, exist_ok=True)
            (course / path).write_text(text)
        honest, _, _ = _outcome(course, None)
        print(f"{'the honest wrong answers':28} {honest:g} marks")
        earned = stopped = leaking = 0
        for chosen in CHOSEN:
            start = time.perf_counter()
            marks, broke, leaked = _outcome(course, arena.ATTACKS[chosen])
            earned, stopped, leaking = earned + (marks > honest), stopped + broke, leaking + leaked
            words = [f"{marks:g} marks", *["stopped it"] * broke, *["took secrets along"] * leaked]
            seconds = time.perf_counter() - start
            print(f"{chosen:28} {', '.join(words)} ({seconds:.0f} s)", flush=True)
    print(
        f"of {len(CHOSEN)} attacks {earned} earned marks, {stopped} stopped nbgrader, {leaking} took secrets along"
    )
    return 0 if earned else 1


if __name__ == "__main__":
    sys.exit(main())
