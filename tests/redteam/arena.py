"""Where the attacks are fought: an attack beside wrong answers in every exercise, and what must hold after.

``attacks/*.txt`` holds the attacks, each under a line ``# %% name``, or ``# %% name -> verdict`` where it
breaks something that the grader has to name. (They are no ``.py`` files, so that nothing imports one.) An
attack stands beside the first wrong answer; where it defines ``at_call``, every wrong answer calls that.
"""

import contextlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbformat.notebooknode import NotebookNode
from nbgrader.utils import determine_grade

from cnnlib.checks.calls import call
from cnnlib.checks.engine import Task
from cnnlib.grading import samples
from cnnlib.grading.editions import course_files
from cnnlib.grading.feedback import CleanFeedback
from cnnlib.grading.preprocessors import HonestMarks
from cnnlib.grading.runner import Run, allowance_of, exercise_of, is_test, run_notebook
from cnnlib.grading.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
SEED = "canary-seed-58c1f0e2d7"
LIMITS = {"cell_seconds": 1.5, "call_seconds": 1.0, "total_seconds": 6.0}
"""For attacks; so that a test of a time-out takes no longer than it must."""
_WITHHELD = {"reference", "pytorch", "checks"}

_PREAMBLE = """
import json, struct, sys
def at_call(*_, **__):
    return "wrong"
def conversation():
    frame = sys._getframe()
    while frame.f_code.co_name != "serve": frame = frame.f_back
    return frame.f_locals["channel"], frame.f_locals["nonce"]
def raw(channel, header, content=b""):
    channel.sendall(struct.pack(">IQ", len(header), len(content)) + header + content)
def frame(channel, message, sizes=()):
    raw(channel, json.dumps({**message, "sizes": sizes}).encode())
def swallow():
    import wire
    real = wire.send
    def once(*_): wire.send = real
    wire.send = once
def forge(tree, content=b""):
    channel, nonce = conversation()
    message = {"nonce": nonce, "value": tree, "sizes": [len(content)] if content else []}
    raw(channel, json.dumps(message).encode(), content)
    swallow()
"""


@dataclass(frozen=True)
class Attack:
    """One attack: its class, its name, the verdict that the grader has to give, and its source."""

    kind: str
    name: str
    verdict: str
    source: str

    def __str__(self) -> str:
        return f"{self.kind}-{self.name}"


def _read() -> Iterator[Attack]:
    for path in sorted((Path(__file__).parent / "attacks").glob("*.txt")):
        for text in re.split(r"^# %% ", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
            head, _, source = text.partition("\n")
            name, _, verdict = head.partition(" -> ")
            yield Attack(path.stem, name, verdict, source)


ATTACKS = {attack.name: attack for attack in _read()}
EXERCISES = tuple(sorted(path.name for path in (ROOT / "exercises").glob("ch*")))
SLOW = ("ch12_beyond_the_pattern", "ch13_rules_of_thumb")
"""With PyTorch, and trainings: a few attacks of each class will do in everyday tests."""
NOTHING_CROSSES = ("ch12_beyond_the_pattern",)
"""The answers are modules, which stay in the box: one that is too large to cross is just no module."""


# --- notebooks ----------------------------------------------------------------------------------


@cache
def _student_text(exercise: str) -> str:
    (path,) = (ROOT / "exercises" / exercise).glob("*.ipynb")
    return path.read_text(encoding="utf-8")


def student_notebook(exercise: str) -> NotebookNode:
    """The notebook that students get."""
    return nbformat.reads(_student_text(exercise), 4)


@cache
def _full_answers(exercise: str) -> dict[str, str]:
    return dict(samples.sample_class(ROOT / "solutions", exercise)["ada_full_marks"])


def solved(exercise: str) -> NotebookNode:
    """An honest submission that earns everything."""
    return samples.submission(student_notebook(exercise), _full_answers(exercise))


def attacked(exercise: str, attack: Attack | None, course: Path) -> NotebookNode:
    """Wrong answers with an attack beside them; with ``None`` the honest wrong answers alone."""
    nb = student_notebook(exercise)
    tasks = exercise_of(nb).tasks
    places = f"COURSE, REPOSITORY, STARTED = {str(course)!r}, {str(ROOT)!r}, {time.time()!r}\n"
    before, after = places + _PREAMBLE, attack.source if attack else ""
    for cell in nb.cells:
        facts = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and facts.get("solution") and facts["grade_id"][0] in tasks:
            wrong = _wrong(tasks[facts["grade_id"][0]].function_name)
            cell.source = before + wrong + after
            before = after = ""
    return nb


def _wrong(name: str) -> str:
    if name[:1].islower():
        return f"def {name}(*positional, **keyword): return at_call(*positional, **keyword)\n"
    return (
        f"class {name}:\n"
        "    def __init__(self, *positional, **keyword):\n"
        "        at_call(*positional, **keyword)\n"
        "        raise RuntimeError('wrong')\n"
    )


# --- grading, and what a student sees of it -----------------------------------------------------


def graded(nb: NotebookNode, box: Sandbox, **limits: float) -> tuple[dict[str, float], Run]:
    """Run `nb` in place; the marks as nbgrader reads them."""
    run = run_notebook(nb, box, **limits)
    marks = {}
    for cell in nb.cells:
        if is_test(cell):
            HonestMarks().preprocess_cell(cell, {}, 0)
            marks[cell.metadata.nbgrader.grade_id] = determine_grade(cell)[0]
    nbformat.validate(nb)
    nbformat.writes(nb).encode()  # a notebook that no file can hold would cost the whole class
    return marks, run


@contextlib.contextmanager
def short_calls(seconds: float = 0.7) -> Iterator[None]:
    """A call of a check may take so long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            Task, "call", lambda task, f, case: call(f, case, drive=task.drive, seconds=seconds)
        )
        yield


def most(nb: NotebookNode) -> dict[str, float]:
    """The maximum of every cell that is marked by itself."""
    return {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points
        for cell in nb.cells
        if is_test(cell)
    }


def seen_by_the_student(nb: NotebookNode) -> str:
    """All outputs, as they stand in the graded notebook and in the feedback."""
    texts = []
    for notebook in (nb, CleanFeedback().preprocess(nbformat.from_dict(nb), {})[0]):
        for cell in notebook.cells:
            for output in cell.get("outputs", []):
                texts += list(_texts(output))
    return "\n".join(texts)


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for one in node.values():
            yield from _texts(one)
    elif isinstance(node, list):
        for one in node:
            yield from _texts(one)


@cache
def _secret_lines(packages: tuple[str, ...]) -> frozenset[str]:
    """Lines that stand only in what students do not get, where `packages` are allowed."""
    rooms = [ROOT / "cnnlib" / name for name in sorted(_WITHHELD)]
    paths = [path for room in (*rooms, ROOT / "solutions") for path in room.rglob("*.py")]
    lines = {line.strip() for path in paths for line in path.read_text("utf-8").splitlines()}
    shown = [path for path, _ in course_files(packages)]
    edition = [
        path for place in shown for path in ([place] if place.is_file() else place.rglob("*.py"))
    ]
    given = {line.strip() for path in edition for line in path.read_text("utf-8").splitlines()}
    given |= {
        line.strip()
        for exercise in EXERCISES
        for cell in student_notebook(exercise).cells
        for line in cell.source.splitlines()
    }
    return frozenset(line for line in lines - given if len(line) > 40)


def leaks(nb: NotebookNode) -> list[str]:
    """What the outputs hold that no student may see."""
    text, packages = seen_by_the_student(nb), allowance_of(nb).packages
    found = set(re.findall(r"canary-[\w.-]*\w", text))
    found -= {
        f"canary-package-{part}" for name in packages for part in (name, name.rpartition(".")[0])
    }
    lines = {line.strip() for line in text.splitlines()}
    return sorted(found) + sorted(lines & _secret_lines(packages))


class _Page(HTMLParser):
    """Collects what a browser would run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag in ("script", "iframe", "object", "embed", "svg", "link", "meta", "base", "form"):
            self.found.append(tag)
        for name, value in attrs:
            scheme = re.sub(r"[\x00-\x20]", "", value or "").lower()
            if name.startswith("on") or scheme.startswith(
                ("javascript:", "vbscript:", "data:text")
            ):
                self.found.append(f"{tag} {name}={value}")


def runs_in_a_browser(nb: NotebookNode) -> list[str]:
    """Scripts and the like in outputs that a page shows as they are."""
    page = _Page()
    for cell in nb.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            for mime, text in data.items():
                if mime == "text/html":
                    page.feed(text)
                elif mime.startswith("image/") and not re.fullmatch(r"[\w+/=\s]*", text):
                    page.found.append(f"{mime} that is no base64")
                elif mime not in (
                    "text/plain",
                    "text/markdown",
                    "application/vnd.cnnlib.report+json",
                ):
                    page.found += [] if mime.startswith("image/") else [mime]
            if output.get("metadata"):
                page.found.append(f"metadata {json.dumps(output.metadata)}")
    return page.found
