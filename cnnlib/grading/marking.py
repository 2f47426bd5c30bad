"""One submission to one result, without a database: restore, run, judge.

nbgrader's pipeline (:mod:`cnnlib.grading.preprocessors`) and the farm (:mod:`cnnlib.grading.farm`) are
two front doors to the functions here, so both give the same marks.
"""

import json
import threading
from dataclasses import dataclass, field
from functools import cache, lru_cache
from hashlib import sha256
from typing import Any

from nbformat.notebooknode import NotebookNode, from_dict
from nbgrader import utils
from nbgrader.preprocessors import LimitOutput

from cnnlib.checks.engine import SEED_VARIABLE
from cnnlib.grading.intake import IntakeError, notebook_of, notice
from cnnlib.grading.restored import be_honest, clean_text, ideas_of, restore
from cnnlib.grading.runner import Run, allowance_of, run_notebook, warm_box

__all__ = [
    "Graded",
    "Submission",
    "mark_submission",
    "pack",
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
        run = run_notebook(nb, warm_box(allowance_of(nb)), **limits)  # type: ignore[arg-type]
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
    marks: dict[str, float | None] = {}
    blank = []
    for cell in nb.cells:
        _limit().preprocess_cell(cell, {}, 0)
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
        text=json.dumps(nb, ensure_ascii=False, sort_keys=True),
        **facts,
    )


def _is_blank(cell: NotebookNode) -> bool:
    return cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)


@cache
def _limit() -> LimitOutput:
    return LimitOutput()
