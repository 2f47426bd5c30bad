"""Attacks that lie in the notebook file itself: where its cells stand, what its metadata say.

A submission goes the farm's way, from the bytes of the file to the result.
"""

import json

import pytest
from nbformat.v4 import new_code_cell

from cnnlib.grading.marking import Submission, mark_submission, pack
from tests.conftest import require_tool
from tests.redteam import arena

EXERCISE = "ch04_output_size"
FULL = """
class Full: points = 7
mark = check = lambda *_, **__: Full
output_size = zero_pad = conv2d = lambda *_, **__: 1
"""


@pytest.fixture(scope="module", autouse=True)
def tools():
    require_tool("bwrap", "bubblewrap")


def release():
    cells = arena.student_notebook(EXERCISE).cells
    return pack(None, {c.metadata.nbgrader.grade_id: c for c in cells if "nbgrader" in c.metadata})


def marked(nb):
    """What the farm makes of a notebook."""
    submission = Submission("mallory", "output_size", json.dumps(nb).encode())
    return mark_submission(submission, release(), arena.SEED, {})


def named(nb, name):
    return next(c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)


def points(graded):
    return {name: most for name, most in graded.marks.items() if name.endswith("_marks")}


def moved_to_the_end(nb):
    nb.cells.remove(setup := named(nb, "setup"))
    nb.cells.append(setup)


def copied_to_the_end(nb):
    nb.cells.append(arena.student_notebook(EXERCISE).cells[nb.cells.index(named(nb, "setup"))])


def in_reverse(nb):
    nb.cells.reverse()


@pytest.mark.parametrize("change", [moved_to_the_end, copied_to_the_end, in_reverse])
def test_a_test_cell_takes_the_checks_from_the_release_wherever_its_cells_stand(change):
    """The name `mark` is the student's own until the cell that imports it has run."""
    nb = arena.student_notebook(EXERCISE)
    change(nb)
    nb.cells.insert(0, new_code_cell(FULL))
    assert set(points(marked(nb)).values()) == {0}
    nb = arena.solved(EXERCISE)
    change(nb)
    assert points(marked(nb)) == arena.most(nb)
