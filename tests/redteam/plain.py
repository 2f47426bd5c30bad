"""The same attacks on nbgrader as it comes: what each of them gets there. Writes ``book/records/plain_nbgrader.json``.

``python -m tests.redteam.plain [NAME ...]``, or ``make redteam-plain``. Each attack stands beside the wrong answers to
one exercise, whose tests are in the notebook as nbgrader has them; another student has been graded before. nbgrader
runs as it does for an instructor, but all of it, tests and attack together, is shut into a container of the whole
system, read-only but for the course, so that an attack may do its worst to nbgrader and nothing to this machine.
"""

import argparse
import hashlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import version
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook
from tqdm.auto import tqdm

from cnnlib.grading.notebooks import write_source_notebooks
from tests.redteam import arena

RECORD = arena.ROOT / "book" / "records" / "plain_nbgrader.json"
EXERCISE, NOTEBOOK = "ch04_output_size", "output_size"
STUDENT, OTHER = "mallory", "other"
COURSE = Path("/tmp/course")
"""Where the course lies in the container."""
LEFT_OUT = ("fork_bomb", "thread_bomb", "memory_in_files")
"""No limit of the container would end these before the machine did."""
OUTCOMES = {
    "marks": "earned marks",
    "secrets": "showed a secret in the graded notebook",
    "damage": "changed another's marks or files",
    "script": "put a script on the feedback page",
    "feedback": "kept the feedback page from being made",
    "broke": "ended nbgrader's run with an error",
    "endless": "was still running after two minutes",
}
SECONDS = 120
_CONFIG = f"""
c = get_config()
c.CourseDirectory.root = {str(COURSE)!r}
c.CourseDirectory.db_url = "sqlite:///{COURSE}/gradebook.db"
c.ClearMarkScheme.enforce_metadata = False
c.ExecutePreprocessor.timeout = 8
"""


def _nbgrader(course: Path, *arguments: str) -> int | None:
    """nbgrader's exit status with `course` in its place; ``None`` if it did not come to an end."""
    binds = [sys.prefix, sys.base_prefix, str(arena.ROOT)]
    container = [
        "bwrap",
        "--unshare-all",
        "--die-with-parent",
        "--new-session",
        "--cap-drop",
        "ALL",
    ]
    container += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    for folder in ("/dev/shm", "/tmp", "/run", "/var/tmp"):
        container += ["--size", str(512 << 20), "--tmpfs", folder]
    for path in binds:
        container += ["--ro-bind", path, path]
    container += ["--bind", str(course), str(COURSE), "--chdir", str(COURSE)]
    environment = {
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(arena.ROOT),
        "CNNLIB_GRADING_SEED": arena.SEED,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    try:
        return subprocess.run(
            [*container, sys.executable, "-m", "nbgrader", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30)),
        ).returncode
    except subprocess.TimeoutExpired:
        return None


def _hand_in(course: Path, student: str, nb: nbformat.NotebookNode) -> None:
    path = course / "submitted" / student / EXERCISE / f"{NOTEBOOK}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(nb, path)


def _marks(course: Path, student: str) -> float | None:
    try:
        with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
            return gradebook.find_submission(EXERCISE, student).score
    except Exception:  # none were written, or the gradebook is no more
        return None


def _belongings(course: Path) -> dict[str, str]:
    """Everything in the course that is none of the attacker's, but the gradebook's file."""
    return {
        str(path.relative_to(course)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in course.rglob("*")
        if path.is_file() and STUDENT not in path.parts and path.name != "gradebook.db"
    }


def _make_course(folder: Path) -> None:
    folder.mkdir()
    (folder / "nbgrader_config.py").write_text(_CONFIG)
    (folder / "grading_seed").write_text(arena.SEED)
    write_source_notebooks(arena.ROOT / "solutions", folder / "source")
    _hand_in(folder, OTHER, arena.solved(EXERCISE))
    (folder / "submitted" / OTHER / "note.txt").write_text("canary-other")
    for arguments in (("generate_assignment", EXERCISE), ("autograde", EXERCISE, "--create")):
        if _nbgrader(folder, *arguments) != 0:
            raise SystemExit(f"nbgrader {' '.join(arguments)} failed without any attack")


def _attack(template: Path, attack: arena.Attack | None) -> tuple[float, list[str]]:
    """The marks that nbgrader gives for the wrong answers with `attack` beside them, and what else came of it."""
    course = template.with_name(attack.name if attack else "honest")
    shutil.copytree(template, course)
    _hand_in(course, STUDENT, arena.attacked(EXERCISE, attack, COURSE))
    before, others = _belongings(course), _marks(course, OTHER)
    status = _nbgrader(course, "autograde", EXERCISE, "--student", STUDENT, "--create")
    marks, outcomes = _marks(course, STUDENT), []
    if marks:
        outcomes.append("marks")
    graded = course / "autograded" / STUDENT / EXERCISE / f"{NOTEBOOK}.ipynb"
    leaks = arena.leaks(nbformat.read(graded, 4)) if graded.is_file() else []
    if any(not leak.startswith("canary-package") for leak in leaks):  # no secret without a box
        outcomes.append("secrets")
    if _belongings(course) != before or _marks(course, OTHER) != others:
        outcomes.append("damage")
    if status is None:
        outcomes.append("endless")
    elif status != 0 or marks is None:
        outcomes.append("broke")
    elif attack and attack.kind == "outputs":
        if _nbgrader(course, "generate_feedback", EXERCISE, "--student", STUDENT) != 0:
            outcomes.append("feedback")
        pages = [path.read_text("utf-8") for path in (course / "feedback").rglob("*.html")]
        if any(
            re.search(r"<script>alert\(|<[^>]* (on\w+=|href=.)(javascript:)?alert", page)
            for page in pages
        ):
            outcomes.append("script")
    shutil.rmtree(course)
    return marks or 0.0, outcomes


def chosen() -> list[arena.Attack]:
    """All attacks but those that would take the machine along."""
    return [attack for attack in arena.ATTACKS.values() if attack.name not in LEFT_OUT]


def main() -> int:
    """Print a line for each attack and the sums; with all attacks, write the record."""
    parser = argparse.ArgumentParser(
        description="run the red team's attacks through plain nbgrader"
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="attacks (default: all)")
    names = parser.parse_args().names
    if unknown := set(names) - set(arena.ATTACKS):
        parser.error(f"no attack is named {', '.join(sorted(unknown))}: see tests/redteam/attacks")
    attacks = [arena.ATTACKS[name] for name in names] or chosen()
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(os.cpu_count()) as pool:
        template = Path(name).resolve() / "template"
        _make_course(template)
        honest = _attack(template, None)
        if honest != (0.0, []):
            raise SystemExit(f"the wrong answers alone should earn nothing, but gave {honest}")
        found = {}
        results = pool.map(partial(_attack, template), attacks)
        for attack, (marks, outcomes) in zip(
            attacks, tqdm(results, total=len(attacks), unit="attack"), strict=True
        ):
            found[attack.name] = {"kind": attack.kind, "marks": marks, "outcomes": outcomes}
            words = ", ".join(OUTCOMES[one] for one in outcomes) or "gained nothing"
            tqdm.write(f"{attack.name:28} {marks:g} marks: {words}")
    print(f"of {len(found)} attacks")
    for outcome, words in OUTCOMES.items():
        print(f"{sum(outcome in one['outcomes'] for one in found.values()):4} {words}")
    if not names:
        record = {
            "command": "python -m tests.redteam.plain",
            "exercise": EXERCISE,
            "nbgrader": version("nbgrader"),
            "python": sys.version.split()[0],
            "outcomes": OUTCOMES,
            "left_out": LEFT_OUT,
            "attacks": found,
        }
        RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        print(f"written to {RECORD.relative_to(arena.ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
