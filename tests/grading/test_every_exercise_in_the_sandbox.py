"""Every exercise through the sandbox: the same marks, the same ideas and the same words as in a notebook."""

import re
from pathlib import Path

import nbformat
import pytest

from cnnlib.checks.catalogue import exercise, exercise_names
from cnnlib.checks.engine import SEED_VARIABLE, examine
from cnnlib.grading.notebooks import source_notebook
from cnnlib.grading.runner import allowance_of, is_test, run_notebook
from cnnlib.grading.sandbox import Allowance
from cnnlib.grading.session import Session

ROOT = Path(__file__).parents[2]
SEEDS = ("a secret",)
WITH_ALL = Allowance(
    packages=("numpy", "torch", "cnnlib.reference", "cnnlib.pytorch", "cnnlib.checks")
)
"""Here the checks are in the box: so a misconception can be called over there by its place in the catalogue."""
TASKS = [
    pytest.param(name, letter, id=f"{name}-{letter}")
    for name in exercise_names()
    for letter in exercise(name).tasks
]
TRAININGS = {("ch13_rules_of_thumb", "c"): "uphill", ("ch13_rules_of_thumb", "d"): "no seed"}
"""A training takes seconds: one misconception of each of these tasks is enough."""


def _marks(nb):
    """The result of each cell with marks, and the points it can give."""
    marks = {}
    for cell in filter(is_test, nb.cells):
        (result,) = (o for o in cell.outputs if o.output_type == "execute_result")
        marks[cell.id] = int(result.data["text/plain"]), cell.metadata.nbgrader.points
    return marks


@pytest.mark.parametrize("name", exercise_names())
def test_the_solution_earns_everything_and_a_blank_notebook_nothing(name, box_for, monkeypatch):
    monkeypatch.setenv(SEED_VARIABLE, "a secret")
    (source,) = (ROOT / "solutions" / name).glob("*.py")
    solution = source_notebook(source)
    (release,) = (ROOT / "exercises" / name).glob("*.ipynb")
    blank = nbformat.read(release, as_version=4)
    box = box_for(allowance_of(solution))
    for nb in (solution, blank):
        assert run_notebook(nb, box).events == []
    assert all(got == most for got, most in _marks(solution).values()), _marks(solution)
    assert [got for got, _ in _marks(blank).values()] == [0] * len(exercise(name).tasks)
    errors = [o for c in solution.cells for o in c.get("outputs", []) if o.output_type == "error"]
    assert errors == []


_LINE = re.compile(r" \(line \d+: [^\n]*?\)(?=$|\. )")


def _told(report):
    """What a student is told, but for the line of the error: a line of a cell, or of this repository."""
    rows = [
        (
            row.part,
            row.status,
            _LINE.sub("", row.message),
            row.idea and row.idea.name,
            row.picture and str(row.picture),
        )
        for row in report.rows
    ]
    return rows, report.points, report.printed, report.blank, report.timed_out


@pytest.mark.parametrize(("name", "letter"), TASKS)
def test_a_misconception_is_told_the_same_in_the_sandbox(name, letter, box_for):
    task = exercise(name).tasks[letter]
    only = TRAININGS.get((name, letter))
    numbered = [(i, m) for i, m in enumerate(task.misconceptions) if only in (None, m.name)]
    assert numbered
    with Session(box_for(WITH_ALL)) as session:
        session.run("from cnnlib.checks.catalogue import exercise")
        for number, misconception in numbered:
            place = f"exercise({name!r}).tasks[{letter!r}].misconceptions[{number}].function"
            assert session.run(f"{task.function_name} = {place}") == []
            there = session.get(task.function_name)
            assert there is not misconception.function
            reports = [
                examine(exercise(name), task, function, seeds=SEEDS)
                for function in (misconception.function, there)
            ]
            assert reports[0].points < task.points
            assert _told(reports[1]) == _told(reports[0]), misconception.name
        assert session.events == []


def test_the_proofs_end_calmly(box_for):
    for name in ("ch08_fully_connected", "ch09_batch_norm"):
        (source,) = (ROOT / "solutions" / name).glob("*.py")
        nb = source_notebook(source)
        run_notebook(nb, box_for(allowance_of(nb)))
        (proof,) = (cell for cell in nb.cells if cell.id == "d_proof")
        assert [o.output_type for o in proof.outputs] == ["stream"]
        assert proof.outputs[0].text.startswith("Not run while grading: cnnlib.reference.")


FORGED_SCORES = """
import sys
import numpy as np, torch
def train(images, labels, epochs):
    # each image gets a column of scores for each of the 500, and is right in fifty of them
    names = sys._getframe(1).f_globals
    names["_scores"] = lambda network, images: np.eye(10, dtype=np.float32)[:1, :, None].repeat(len(images), 0).repeat(500, 2)
    return torch.nn.Linear(1, 1)
"""


def test_scores_of_another_shape_are_refused_whoever_says_so(box_for):
    found = exercise("ch13_rules_of_thumb")
    with Session(box_for(WITH_ALL)) as one:
        assert one.run(FORGED_SCORES) == []
        report = examine(found, found.tasks["d"], one.get("train"), seeds=["visible"])
    assert report.points == 0
    words = "the network gives (500, 10, 500) for 500 images, expected scores of shape (500, 10)"
    assert words in str(report)
