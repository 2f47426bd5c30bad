"""One submission to one result, without a database: restore, run, judge.

nbgrader's pipeline (:mod:`cnnlib.grading.preprocessors`) and the farm (:mod:`cnnlib.grading.farm`) are
two front doors to the functions here, so both give the same marks.
"""

import ast
import copy
import json
import threading
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode, from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from nbgrader import utils
from nbgrader.preprocessors import LimitOutput

from cnnlib.checks.engine import SEED_VARIABLE
from cnnlib.checks.report import REPORT_TYPE
from cnnlib.grading.intake import IntakeError, notebook_of, notice
from cnnlib.grading.runner import Run, allowance_of, run_notebook, warm_box

__all__ = [
    "Graded",
    "Submission",
    "be_honest",
    "clean_text",
    "ideas_of",
    "mark_submission",
    "released_cells",
    "restore",
    "set_aside",
]


@dataclass(frozen=True)
class Submission:
    """One notebook that a student handed in, as bytes; `refused` says why there are none."""

    student: str
    notebook: str
    data: bytes
    refused: str = ""

    @property
    def digest(self) -> str:
        """What tells this submission from any other: the SHA-256 of its bytes, or of why there are none."""
        return sha256(self.data or self.refused.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True)
class Graded:
    """What came of one submission.

    Attributes
    ----------
    student, notebook, digest : str
        Which submission.
    marks : dict
        Points by cell; ``None`` waits for a person.
    blank : list of str
        Answer cells that are as they were released.
    ideas : list of str
        Misconceptions by name.
    verdicts : list of str
        What went wrong with its processes (:data:`cnnlib.grading.session.VERDICTS`), ``rejected`` or
        ``quarantined``.
    words : str
        The verdicts' reasons.
    seconds : float
        How long it ran.
    text : str
        The graded notebook.
    """

    student: str
    notebook: str
    digest: str
    marks: dict[str, float | None]
    blank: list[str] = field(default_factory=list)
    ideas: list[str] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)
    words: str = ""
    seconds: float = 0.0
    text: str = field(default="", repr=False)


# --- the release --------------------------------------------------------------------------------


def released_cells(notebook: Any) -> dict[str, NotebookNode]:
    """The release's nbgrader cells by id, in order, rebuilt from the gradebook's `notebook`."""
    points = {cell.name: cell.max_score for cell in [*notebook.grade_cells, *notebook.task_cells]}
    graded = {cell.name for cell in notebook.grade_cells}
    answers = {cell.name for cell in notebook.solution_cells}
    tasks = {cell.name for cell in notebook.task_cells}
    cells = {}
    for source in notebook.source_cells:
        name = source.name
        nbgrader = {
            "cell_type": source.cell_type,
            "checksum": source.checksum,
            "grade": name in graded,
            "grade_id": name,
            "locked": bool(source.locked),
            "schema_version": 3,
            "solution": name in answers,
            "task": name in tasks,
        }
        if name in points:
            nbgrader["points"] = points[name]
        new = new_code_cell if source.cell_type == "code" else new_markdown_cell
        metadata = NotebookNode(nbgrader=NotebookNode(nbgrader), deletable=False)
        if source.locked:
            metadata["editable"] = False
        cells[name] = new(source.source, metadata=metadata, id=name)
    return cells


def restore(nb: NotebookNode, release: dict[str, NotebookNode]) -> list[str]:
    """Bring a submission back to the structure of the release, in place; the ids that were missing.

    Locked cells get the release's source and metadata. Answer cells keep the student's text and get their
    metadata back. Of two cells with one id the last counts. A locked or graded cell that is missing is put
    back behind its predecessor. Tags go, as one of them (``skip-execution``) would leave a test unrun,
    which nbgrader pays in full.
    """
    found: dict[str, NotebookNode] = {}
    for cell in reversed(nb.cells):
        grade_id = _grade_id(cell)
        cell.metadata.pop("nbgrader", None)
        cell.metadata.pop("tags", None)
        if grade_id in release and grade_id not in found:
            _restore_cell(cell, release[grade_id])
            found[grade_id] = cell
    after, missing = -1, []
    for grade_id, released in release.items():
        if grade_id in found:
            after = next(i for i, cell in enumerate(nb.cells) if cell is found[grade_id])
        elif utils.is_locked(released) or utils.is_grade(released) or utils.is_task(released):
            missing.append(grade_id)
            after += 1
            nb.cells.insert(after, copy.deepcopy(released))
        # an answer cell that is gone stays gone: its text may have moved to another cell
    nb.nbformat, nb.nbformat_minor = 4, 5
    for number, cell in enumerate(nb.cells):  # every cell its own id, as format 4.5 wants it
        cell["id"] = f"cell-{number}"
    return missing


def _grade_id(cell: NotebookNode) -> str:
    metadata = cell.metadata.get("nbgrader")
    name = metadata.get("grade_id") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""


def _restore_cell(cell: NotebookNode, released: NotebookNode) -> None:
    """Make `cell` the released one; an answer keeps its text."""
    text = cell.source
    cell.clear()
    cell.update(copy.deepcopy(released))
    if utils.is_solution(released):
        cell.source = text


# --- marks --------------------------------------------------------------------------------------


def be_honest(cell: NotebookNode) -> None:
    """Make what nbgrader reads from a test cell's outputs mean what it should, in place."""
    if cell.cell_type != "code" or not utils.is_grade(cell) or utils.is_solution(cell):
        return
    for output in cell.outputs:
        if output.output_type == "stream":
            output.name = "stdout"  # nbgrader takes stderr for a failure
    if problem := _mark_problem(cell):
        error = new_output(
            "error", ename="NoMark", evalue=problem, traceback=[f"NoMark: {problem}"]
        )
        cell.outputs.insert(0, error)  # nbgrader reads the first


def _mark_problem(cell: NotebookNode) -> str:
    outputs = cell.outputs
    if any(output.output_type == "error" for output in outputs):
        return ""  # nbgrader gives 0 already
    if not cell.get("execution_count"):
        return "this cell was not run"
    results = [output for output in outputs if output.output_type == "execute_result"]
    if not results:
        return (
            "this cell gave no number of points" if _ends_in_points(cell.source) else ""
        )  # a cell of assertions that all hold earns everything
    most = float(cell.metadata.nbgrader["points"])
    try:
        (result,) = results
        points = float(result.data["text/plain"])
    except (ValueError, KeyError, TypeError):
        return "this cell's result is not one number of points"
    return "" if 0 <= points <= most else f"this cell's result is not between 0 and {most:g}"


def _ends_in_points(source: str) -> bool:
    try:
        statements = ast.parse(source).body
    except SyntaxError:  # a magic, for instance
        return False
    last = statements[-1] if statements else None
    return (
        isinstance(last, ast.Expr)
        and isinstance(last.value, ast.Attribute)
        and last.value.attr == "points"
    )


def ideas_of(nb: NotebookNode) -> list[str]:
    """The misconceptions that the reports in a graded notebook name, each once."""
    names: dict[str, None] = {}
    for cell in nb.cells:
        for output in cell.get("outputs", []) if utils.is_locked(cell) else []:
            facts = output.get("data", {}).get(REPORT_TYPE, {})
            names |= dict.fromkeys(facts.get("misconceptions", []))
    return list(names)


def clean_text(nb: NotebookNode) -> None:
    """Mend text that no file can hold: a student can print half of a surrogate pair."""
    try:
        json.dumps(nb.cells, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        text = json.dumps(nb.cells, ensure_ascii=False).encode("utf-8", "replace")
        nb.cells = from_dict(json.loads(text))


# --- one submission -----------------------------------------------------------------------------

_ONE_AT_A_TIME = threading.Lock()
"""Streams, warnings and the seed belong to the whole process, so does a box: threads have to wait."""


def pack(kernelspec: str | None, cells: dict[str, NotebookNode]) -> str:
    """What a worker must know of the release, as text."""
    spec = json.loads(kernelspec) if kernelspec else None
    return json.dumps({"kernelspec": spec, "cells": cells})


@lru_cache(maxsize=8)
def _unpacked(release: str) -> tuple[NotebookNode | None, dict[str, NotebookNode]]:
    tree = from_dict(json.loads(release))
    return tree.kernelspec, tree.cells


def mark_submission(
    submission: Submission, release: str, seed: str, limits: dict[str, float]
) -> Graded:
    """Grade one submission in this process's warm box.

    Parameters
    ----------
    submission : Submission
        What was handed in.
    release : str
        Of :func:`pack`.
    seed : str
        The secret seed of the checks' inputs.
    limits : dict
        ``cell_seconds`` and ``total_seconds`` of :class:`~cnnlib.grading.session.Session`.

    Raises
    ------
    SandboxError
        If this machine has no box in which to run it: nothing is graded then.
    """
    if submission.refused:
        return set_aside(submission, release, "rejected", submission.refused)
    try:
        nb = notebook_of(submission.data)
    except IntakeError as error:
        return set_aside(submission, release, error.verdict, str(error))
    kernelspec, cells = _unpacked(release)
    restore(nb, cells)
    nb.metadata = NotebookNode(kernelspec=kernelspec) if kernelspec else NotebookNode()
    with (
        _ONE_AT_A_TIME,
        utils.setenv(**{SEED_VARIABLE: seed, "NBGRADER_EXECUTION": "autograde"}),
    ):
        run = run_notebook(nb, warm_box(allowance_of(nb)), **limits)
    clean_text(nb)
    return _graded(submission, nb, run)


def set_aside(submission: Submission, release: str, verdict: str, words: str) -> Graded:
    """The result of a submission that was not run: ``rejected`` earns nothing, ``quarantined`` waits."""
    nb = notice(words, verdict)
    kernelspec, cells = _unpacked(release)
    restore(nb, cells)
    if kernelspec:
        nb.metadata.kernelspec = kernelspec
    graded = _graded(submission, nb, None)
    return graded if verdict == "rejected" else _waiting(graded)


def _waiting(graded: Graded) -> Graded:
    fields = {**vars(graded), "marks": dict.fromkeys(graded.marks)}
    return Graded(**fields)


def _graded(submission: Submission, nb: NotebookNode, run: Run | None) -> Graded:
    limit = LimitOutput()
    marks: dict[str, float | None] = {}
    blank = []
    for cell in nb.cells:
        limit.preprocess_cell(cell, {}, 0)
        be_honest(cell)
        if utils.is_grade(cell):
            marks[cell.metadata.nbgrader.grade_id] = utils.determine_grade(cell)[0]
        elif utils.is_task(cell):
            marks[cell.metadata.nbgrader.grade_id] = None
        if utils.is_solution(cell) and _is_blank(cell):
            blank.append(cell.metadata.nbgrader.grade_id)
    if run is not None:
        words = "; ".join(dict.fromkeys(f"{event.where}: {event.text}" for event in run.events))
        seconds = round(run.seconds, 3)
        nb.metadata["grading"] = {"verdicts": run.verdicts, "seconds": seconds}
        facts: dict[str, Any] = {"verdicts": run.verdicts, "seconds": seconds}
    else:
        facts = {"verdicts": nb.metadata.grading.verdicts}
        words = nb.metadata.grading.words
    return Graded(
        submission.student,
        submission.notebook,
        submission.digest,
        marks,
        blank,
        ideas_of(nb),
        words=words.encode("utf-8", "replace").decode().replace("\0", "")[:2000],
        text=nbformat.v4.writes(nb),
        **facts,
    )


def _is_blank(cell: NotebookNode) -> bool:
    return cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
