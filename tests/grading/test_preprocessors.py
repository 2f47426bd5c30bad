"""HonestMarks, cell by cell: what nbgrader would pay by accident; and what a log is spared."""

import warnings
from contextlib import nullcontext
from unittest.mock import MagicMock

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook, new_output
from nbgrader.utils import determine_grade
from sqlalchemy.exc import SAWarning
from traitlets.config import Config

from cnnlib.grading.feedback import CleanFeedback
from cnnlib.grading.intake import notice
from cnnlib.grading.preprocessors import HonestMarks, RestoreCells
from cnnlib.grading.settings import configure


def _cell(source, outputs, *, ran=True):
    nbgrader = {"grade": True, "solution": False, "locked": True, "grade_id": "x", "points": 5}
    return new_code_cell(
        source, outputs=outputs, metadata={"nbgrader": nbgrader}, execution_count=1 if ran else None
    )


def _result(text):
    return new_output("execute_result", data={"text/plain": text}, execution_count=1)


def _points(cell):
    cell, _ = HonestMarks().preprocess_cell(nbformat.from_dict(cell), {}, 0)
    return determine_grade(cell)[0]


@pytest.mark.parametrize(("text", "points"), [("0", 0), ("2.5", 2.5), ("5", 5), ("5.0", 5)])
def test_a_number_in_range_is_the_mark(text, points):
    assert _points(_cell("mark(f).points", [_result(text)])) == points


@pytest.mark.parametrize(
    "text", ["-1", "5.01", "nan", "inf", "'5'", "np.float64(5.0)", "None", "[5]"]
)
def test_what_is_no_number_in_range_earns_nothing(text):
    cell = _cell("mark(f).points", [_result(text)])
    assert _points(cell) == 0


def test_nbgrader_alone_would_pay_for_a_negative_number():
    """The reason for the step; if nbgrader mends this one day, the step can go."""
    assert determine_grade(_cell("mark(f).points", [_result("-1")]))[0] == 5


def test_a_cell_of_marks_without_a_number_earns_nothing():
    assert _points(_cell("report = mark(f)\nreport.points", [])) == 0


def test_two_results_earn_nothing():
    assert _points(_cell("mark(f).points", [_result("5"), _result("5")])) == 0


def test_a_cell_that_never_ran_earns_nothing():
    assert _points(_cell("assert f(1) == 2", [], ran=False)) == 0


def test_a_cell_of_assertions_that_hold_earns_all():
    assert _points(_cell("assert f(1) == 2", [])) == 5


def test_stderr_costs_nothing():
    noise = new_output("stream", name="stderr", text="RuntimeWarning: overflow")
    assert determine_grade(_cell("assert f(1) == 2", [noise]))[0] == 0
    assert _points(_cell("assert f(1) == 2", [noise])) == 5
    assert _points(_cell("mark(f).points", [noise, _result("3")])) == 3


def test_an_error_stays_an_error():
    error = new_output("error", ename="E", evalue="", traceback=[])
    assert _points(_cell("mark(f).points", [error])) == 0


# --- the log ------------------------------------------------------------------------------------


def test_nbgraders_own_warnings_do_not_hide_what_matters(tmp_path):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        configure(Config(), tmp_path)
        for module in ("nbgrader.api", "mine"):
            warnings.warn_explicit("not in session", SAWarning, "x.py", 1, module=module)
    assert len(seen) == 1


def test_cleaning_a_feedback_page_warns_of_nothing(heard):
    step = CleanFeedback(config=HTMLExporter().default_config)
    step.preprocess(new_notebook(cells=[_cell("1", [])]), {})
    assert not heard.records


@pytest.mark.parametrize(("nb", "lines"), [(new_notebook(), 1), (notice("no notebook"), 0)])
def test_only_a_students_missing_cells_are_told(nb, lines, monkeypatch, heard):
    module = "cnnlib.grading.preprocessors"
    monkeypatch.setattr(f"{module}.Gradebook", lambda url: nullcontext(MagicMock()))
    monkeypatch.setattr(f"{module}.restored.released_cells", lambda _: {"x": _cell("1", [])})
    names = dict.fromkeys(("db_url", "notebook", "assignment"), "")
    RestoreCells().preprocess(nb, {"nbgrader": names})
    assert [record.message for record in heard.records] == [
        "Cell x was missing and is back"
    ] * lines
