"""The graders of exercise ch04_output_size, proven from both sides."""

from pathlib import Path

import numpy as np
import pytest

from cnnlib.checks import ch04_output_size as exercise
from cnnlib.checks.ch04_output_size.common import STRIDE
from cnnlib.checks.engine import Exercise, examine
from cnnlib.grading.notebooks import source_notebook

ROOT = Path(__file__).parents[2]
TASKS = exercise.EXERCISE.tasks
# the points table of the exercise, written down here a second time on purpose
POINTS = {"a": 8, "b": 7, "c": 12}


def _report(letter, function, seeds=("visible", "a secret")):
    return examine(exercise.EXERCISE, TASKS[letter], function, seeds=list(seeds))


@pytest.fixture(scope="module")
def solutions():
    """The functions of the published solution, by task."""
    space = {}
    notebook = source_notebook(ROOT / "solutions" / "ch04_output_size" / "output_size.py")
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if cell.cell_type == "code" and name.split("_")[-1] in ("setup", "given", "solution"):
            exec(cell.source, space)
    return {letter: space[task.function_name] for letter, task in TASKS.items()}


# --- the good side ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("letter", "bc")
def test_the_solution_passes_in_both_float_types(letter, dtype, solutions):
    drawn = [
        case
        for part in TASKS[letter].parts
        for case in part.cases(np.random.default_rng(5))
        if case.positional["x"].dtype == dtype
    ]
    assert drawn, f"no case of task ({letter}) is in {dtype}"
    for case in drawn:
        positional, keyword = case.arguments()
        assert solutions[letter](*positional, **keyword).dtype == dtype


def test_another_structure_is_as_good():
    """Vectorised, recursive or by NumPy's own tools: what counts is the result."""
    assert _report("b", lambda x, p: np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))).points == 7

    def by_windows(x, weight, bias=None, *, stride=1, padding=0):
        x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        view = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(2, 3))
        out = np.einsum("nchwij,kcij->nkhw", view[:, :, ::stride, ::stride], weight)
        return out if bias is None else out + bias[:, None, None]

    assert _report("c", by_windows).points == 12


@pytest.mark.claim("M4.3", "M4.5", "M4.8")
def test_the_cases_worked_by_hand_agree_with_the_reference():
    """A wrong number in the checks would punish everyone who is right."""
    worked = 0
    for task in TASKS.values():
        for part in task.parts:
            for case in part.cases(np.random.default_rng(1)):
                if case.expected is None:
                    continue
                positional, keyword = case.arguments()
                got = (part.right or task.reference)(*positional, **keyword)
                np.testing.assert_array_equal(got, case.expected)
                worked += 1
    assert worked >= 10


# --- the bad side -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letter", "name", "points"),
    [  # by hand, from the points of the parts
        ("a", "strict rounds silently", 7),
        ("a", "a size that is a float", 7),
        ("a", "padding counted once", 5),
        ("a", "the + 1 is missing", 1),
        ("a", "a window that starts at the end counts", 7),
        ("b", "every axis is padded", 0),
        ("b", "the image sits in the corner", 1),
        ("b", "no zeros after the image", 0),
        ("b", "NumPy's default type", 6),
        ("c", "the kernel is flipped", 8),
        ("c", "the stride moves along one axis only", 10),
        ("c", "the loops skip positions of the result", 10),
        ("c", "only the first channel is read", 9),
        ("c", "only the last channel remains", 9),
        ("c", "height and width are swapped", 0),
    ],
)
def test_points_of_a_misconception(letter, name, points):
    (function,) = [m.function for m in TASKS[letter].misconceptions if m.name == name]
    assert _report(letter, function).points == points


def test_two_mistakes_at_once_are_both_named():
    def both(x, weight, bias=None, *, stride=1, padding=0):
        (no_bias,) = [m for m in TASKS["c"].misconceptions if m.name == "the bias is forgotten"]
        (one_axis,) = [m for m in TASKS["c"].misconceptions if "one axis only" in m.name]
        function = no_bias.function if stride == 1 else one_axis.function
        return function(x, weight, None, stride=stride, padding=padding)

    report = _report("c", both)
    assert {idea.name for idea in report.ideas} == {
        "the bias is forgotten",
        "the stride moves along one axis only",
    }
    assert report.points == 12 - 1 - 1 - 1


def _changes_its_input(*args, **settings):
    args[0][...] = 0
    return args[0]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda *a, **s: np.zeros((1, 1, 1)), "expected shape"),
        (lambda *a, **s: [[1.0]], "Return a NumPy array, not a list"),
        (lambda x, *a, **s: x.astype(object), "an array of object"),
        (lambda x, *a, **s: x.astype(complex) * 1j, "expected"),
        (lambda x, *a, **s: np.full_like(x, np.nan), "expected"),
        (_changes_its_input, "changed its input x. Work on a copy"),
    ],
)
@pytest.mark.parametrize("letter", "bc")
def test_wrong_arrays_earn_nothing_and_hear_why(letter, function, message):
    report = _report(letter, function)
    assert report.points == 0, str(report)
    assert message in str(report)


def test_whole_numbers_out_of_a_convolution_earn_nothing(solutions):
    def cut(*args, **settings):
        return solutions["c"](*args, **settings).astype(int)

    report = _report("c", cut)
    assert report.points == 0, str(report)


def test_always_raising_is_no_strictness():
    def refuses(*args, **settings):
        raise ValueError("no")

    assert _report("a", refuses).points == 0


def test_a_right_answer_that_changes_its_input_loses_the_parts_where_it_does(solutions):
    def careless(x, weight, bias=None, *, stride=1, padding=0):
        out = solutions["c"](x, weight, bias, stride=stride, padding=padding)
        if bias is not None:
            bias *= 0
        return out

    report = _report("c", careless)
    assert {row.part for row in report.rows if row.status == "wrong"} == {
        "bias",
        "everything together",
    }
    assert "changed its input bias" in str(report)


# --- the links ----------------------------------------------------------------------------------


def test_the_link_is_an_address_where_the_course_has_one(monkeypatch):
    monkeypatch.delenv("CNNLIB_BOOK_URL", raising=False)
    assert STRIDE.url == ""
    monkeypatch.setenv("CNNLIB_BOOK_URL", "file:///course/")
    wrong = _report("c", TASKS["c"].misconceptions[2].function)
    address = "file:///course/book/ch04_output_size/output_size.html#ch04-stride"
    assert f"<a href='{address}'>" in wrong._repr_html_()
    assert address in str(wrong)


def test_exercise_names_match_the_folder():
    assert isinstance(exercise.EXERCISE, Exercise)
    assert (ROOT / "solutions" / exercise.EXERCISE.name).is_dir()
