"""The check engine: calls that cannot hurt, reports that can be read."""

import json
import re
import sys
import time
import warnings
from dataclasses import replace

import numpy as np
import pytest

from cnnlib.checks import calls
from cnnlib.checks import ch04_output_size as exercise
from cnnlib.checks.book import Section
from cnnlib.checks.calls import MOST_NUMBERS, Case, Outcome, call
from cnnlib.checks.ch04_output_size.padding import zero_pad
from cnnlib.checks.engine import (
    Exercise,
    Misconception,
    NotStartedError,
    Part,
    Task,
    examine,
    secret_seed,
)
from cnnlib.checks.judges import (
    judge_array,
    judge_number,
    judge_raises,
    judge_real,
    judge_text,
    same_outcome,
)
from cnnlib.checks.report import REPORT_TYPE, Picture, _code

CASE = Case({"x": np.arange(4.0)}, {"k": 2})


# --- calls --------------------------------------------------------------------------------------


def test_a_result_is_a_plain_copy():
    kept = np.arange(3.0)
    outcome = call(lambda x, k: kept, CASE)
    kept[0] = 9
    assert outcome.value.tolist() == [0, 1, 2]


class _Liar:
    """Says that it is an array and equals everything."""

    __class__ = np.ndarray
    shape, dtype, ndim = (1,), np.dtype(float), 1

    def __eq__(self, other):
        return True

    def __array__(self, *args, **kwargs):
        raise RuntimeError("looked at")


class _Subclass(np.ndarray):
    def __eq__(self, other):
        return np.ones(self.shape, bool)


def test_a_lying_object_is_not_looked_at():
    outcome = call(lambda x, k: _Liar(), CASE)
    assert outcome.value is None
    assert outcome.strange == "a _Liar"
    assert judge_array(CASE, np.zeros(1), outcome) != ""
    assert judge_number(CASE, 3, outcome) != ""


def test_of_an_array_that_no_check_asks_for_only_the_shape_is_kept():
    """All answers to a task are held until it is judged, and a large one may cross for every input."""
    outcome = call(lambda x, k: np.broadcast_to(np.float32(1), (300, 70)), CASE)
    assert outcome.value is None
    assert outcome.strange == "an array of shape (300, 70), float32"
    assert outcome.strange in judge_array(CASE, np.ones(3), outcome)
    large = np.ones(MOST_NUMBERS + 1)
    outcome = call(lambda x, k: (large, 1.0), CASE)
    assert outcome.entries[0].value is None
    assert outcome.entries[1].value == 1.0


def test_a_subclass_of_an_array_becomes_a_plain_one():
    outcome = call(lambda x, k: np.zeros(3).view(_Subclass), CASE)
    assert type(outcome.value) is np.ndarray
    assert judge_array(CASE, np.ones(3), outcome) != ""


def test_exceptions_become_names_and_the_students_line():
    def divides(x, k):
        return 1 / 0

    outcome = call(divides, CASE)
    assert outcome.raised[:2] == ("ZeroDivisionError", "ArithmeticError")
    assert outcome.line.endswith("return 1 / 0")


def test_an_error_that_cannot_be_printed_is_still_an_error():
    class NastyError(Exception):
        def __str__(self):
            raise SystemExit

    def raises(x, k):
        raise NastyError

    assert call(raises, CASE).raised[0] == "NastyError"


def test_a_persons_interrupt_goes_through():
    def interrupted(x, k):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call(interrupted, CASE)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no alarm signal")
@pytest.mark.parametrize("swallows", [False, True])
def test_an_endless_loop_ends(swallows):
    def endless(x, k):
        rounds = 0
        while True:
            try:
                time.sleep(0.001)
            except BaseException:
                rounds += 1
                if not swallows or rounds > 3:
                    raise

    start = time.monotonic()
    assert call(endless, CASE, seconds=0.1).timed_out
    assert time.monotonic() - start < 3
    time.sleep(0.3)  # no alarm may be left behind


def test_what_a_function_writes_is_caught():
    def chatty(x, k):
        print("to stdout")
        print("to stderr", file=sys.stderr)
        warnings.warn("careful", RuntimeWarning, stacklevel=1)
        np.log(np.zeros(1))
        return 3

    outcome = call(chatty, CASE)
    assert outcome.value == 3
    assert "to stdout" in outcome.printed
    assert "to stderr" in outcome.printed
    assert "RuntimeWarning: careful" in outcome.printed
    assert "divide by zero" in outcome.printed


def test_changes_of_the_input_are_seen_and_do_no_harm():
    def changes(x, k):
        x[0] = 7
        return x

    assert call(changes, CASE).changed == ("x",)
    assert CASE.positional["x"][0] == 0


def test_a_shape_changed_in_place_is_a_change():
    def reshapes(x, k):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            x.shape = (2, 2)

    assert call(reshapes, CASE).changed == ("x",)


# --- judges -------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.int64(3), 3.0, np.float32(3)])
def test_a_number_is_judged_by_its_value(value):
    assert judge_number(CASE, 3, Outcome(value=value)) == ""


@pytest.mark.parametrize("value", [True, "3", 3.5, None, float("nan"), np.ones(1), 3j])
def test_what_is_not_the_number_is_refused(value):
    assert "expected" in judge_number(CASE, 3, Outcome(value=value))


def test_raising_is_judged_by_the_family():
    family = ("ShapeError", "CnnlibError", "ValueError", "Exception")
    assert judge_raises(CASE, "ValueError", Outcome(raised=family)) == ""
    assert "raised TypeError" in judge_raises(CASE, "ValueError", Outcome(raised=("TypeError",)))
    assert "returned 3" in judge_raises(CASE, "ValueError", Outcome(value=3))
    assert judge_raises(CASE, "", Outcome(value=3)) == ""
    assert judge_raises(CASE, "", Outcome(raised=family)) != ""


def test_nan_is_never_close():
    problem = judge_array(CASE, np.ones(2), Outcome(value=np.array([1.0, np.nan])))
    assert problem.startswith("1 of 2 values differ")


def test_none_is_the_same_as_nothing():
    assert not same_outcome(CASE, Outcome(value=None), Outcome(value=None))
    assert not same_outcome(CASE, Outcome(timed_out=True), Outcome(timed_out=True))


# --- reports ------------------------------------------------------------------------------------


def _flipped():
    task = exercise.EXERCISE.tasks["c"]
    return examine(exercise.EXERCISE, task, task.misconceptions[0].function, seeds=["visible"])


def test_a_report_has_words_beside_its_colours():
    report = _flipped()
    html, text = report._repr_html_(), str(report)
    for word in ("done", "not yet", "8 of 12 points", "the kernel is flipped"):
        assert word in html
        assert word in text
    assert "<th scope='col'" in html
    assert repr(report) == text  # a plain interpreter shows the same
    assert "expected" in text
    assert "yours" in text


def test_a_report_shows_one_picture():
    report = _flipped()
    assert sum(row.picture is not None for row in report.rows) == 1
    assert report._repr_html_().count("≠ mark what differs") == 1
    assert "rgba(" not in report._repr_html_()  # a dark theme would shine through


def test_a_report_travels_as_plain_data():
    bundle = _flipped()._repr_mimebundle_()
    facts = json.loads(json.dumps(bundle[REPORT_TYPE]))
    assert facts["points"] == 8
    assert facts["lost"] == ["values at stride 1", "everything together"]
    assert facts["misconceptions"] == ["the kernel is flipped"]


def test_a_students_text_is_escaped():
    def attack(x, p):
        print("<script>alert(1)</script>")
        raise RuntimeError("<script>alert(2)</script>")

    task = exercise.EXERCISE.tasks["b"]
    html = examine(exercise.EXERCISE, task, attack, seeds=["visible"])._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "&lt;script&gt;alert(2)" in html


def test_a_large_picture_is_cut_around_the_difference():
    right = np.zeros((20, 30))
    got = right.copy()
    got[15, 25] = 1
    picture = Picture.of(right, got, got != right, "a map")
    assert picture.expected.shape == (8, 8)
    assert picture.different.any()
    assert "rows from 12, columns from 22" in picture.title


def test_a_name_that_is_no_function():
    task = exercise.EXERCISE.tasks["a"]
    report = examine(exercise.EXERCISE, task, 3, seeds=["visible"])
    assert report.points == 0
    assert "output_size is a int, not a function: run the cell that defines it" in str(report)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no alarm signal")
def test_a_loop_costs_one_wait_and_keeps_what_was_earned(monkeypatch):
    monkeypatch.setattr(calls.call, "__kwdefaults__", {"seconds": 0.2})
    task = exercise.EXERCISE.tasks["b"]

    def sometimes(x, padding):
        while padding == 0:
            pass
        return task.reference(x, padding)

    report = examine(exercise.EXERCISE, task, sometimes, seeds=["visible"])
    assert report.points == 3  # shape 1, values 2
    assert report.timed_out
    assert "no answer within the time limit" in str(report)
    assert [row.status for row in report.rows].count("skipped") == 3


# --- the two calls in a notebook's cells ----------------------------------------------------------


def _blank(*args, **settings):
    raise NotImplementedError()


def test_a_blank_task_stops_run_all_with_one_calm_line(monkeypatch, capsys):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    with pytest.raises(NotStartedError, match=r"stops here until task \(a\) is written") as caught:
        exercise.check("a", _blank)
    assert caught.value._render_traceback_() == [str(caught.value)]


def test_a_blank_task_does_not_stop_the_grader(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert exercise.check("a", _blank).points == 0
    assert exercise.mark("a", _blank).points == 0


def test_the_secret_seed(monkeypatch, tmp_path):
    monkeypatch.delenv("CNNLIB_GRADING_SEED", raising=False)
    monkeypatch.delenv("CNNLIB_GRADING_SEED_FILE", raising=False)
    assert secret_seed() is None
    (tmp_path / "seed").write_text("from a file\n")
    monkeypatch.setenv("CNNLIB_GRADING_SEED_FILE", str(tmp_path / "seed"))
    assert secret_seed() == "from a file"
    monkeypatch.setenv("CNNLIB_GRADING_SEED", "from the environment")
    assert secret_seed() == "from the environment"


def test_the_marks_use_inputs_that_the_visible_check_does_not(monkeypatch):
    seen = []

    def spy(x, padding):
        seen.append(x.tobytes())
        return zero_pad(x, padding)

    monkeypatch.delenv("CNNLIB_GRADING_SEED", raising=False)
    monkeypatch.delenv("CNNLIB_GRADING_SEED_FILE", raising=False)
    exercise.check("b", spy)
    visible = set(seen)
    seen.clear()
    assert exercise.mark("b", spy).points == 7
    assert set(seen) == visible  # at home, both are the same
    monkeypatch.setenv("CNNLIB_GRADING_SEED", "s")
    seen.clear()
    assert exercise.mark("b", spy).points == 7
    assert len(set(seen) - visible) == len(visible)


def test_remembering_the_visible_answers_does_not_pay(monkeypatch):
    """The hard-coded table of answers that the visible check accepts fails with the secret seed."""
    monkeypatch.delenv("CNNLIB_GRADING_SEED", raising=False)
    monkeypatch.delenv("CNNLIB_GRADING_SEED_FILE", raising=False)
    known = {}

    def learn(x, padding):
        known[x.tobytes(), padding] = zero_pad(x, padding)
        return known[x.tobytes(), padding]

    exercise.check("b", learn)

    def recite(x, padding):
        return known[x.tobytes(), padding]

    assert exercise.check("b", recite).points == 7
    monkeypatch.setenv("CNNLIB_GRADING_SEED", "s")
    assert exercise.mark("b", recite).points == 0


def test_the_whole_check_is_quick():
    """Far under the five seconds that a student would wait: no more than 100 calls a task."""
    calls_made = 0

    def counting(*args, **settings):
        nonlocal calls_made
        calls_made += 1
        return None

    for task in exercise.EXERCISE.tasks.values():
        calls_made = 0
        examine(exercise.EXERCISE, task, counting, seeds=["visible", "s"])
        assert 0 < calls_made <= 100


# --- several results, classes, hints ---------------------------------------------------------------


def _two(x):
    return x + 1, x.sum()


def _task(function=_two, *, pick=0, judge=judge_array, hint=0, drive=None, **more):
    def cases(rng):
        return [Case({"x": rng.standard_normal(3)})]

    part = Part("the part", 2, cases, judge, pick=pick, hint=hint)
    return Task("a", "two results", "two", function, (part,), drive=drive, **more)


def _report(task, function):
    return examine(Exercise("ch99_topic", {"a": task}), task, function, seeds=["visible"])


def test_one_of_several_results_is_judged_by_itself():
    assert _report(_task(), lambda x: (x + 1, "whatever")).points == 2
    assert _report(_task(pick=1, judge=judge_real), lambda x: (None, x.sum())).points == 2
    wrong = _report(_task(), lambda x: (x - 1, x.sum()))
    assert wrong.points == 0
    assert "3 of 3 values differ" in str(wrong)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x + 1, "got an array of shape (3,), float64 in place of 2 results"),
        (lambda x: (x + 1,), "got a tuple of 1 in place of 2 results"),
        (lambda x: [x + 1, x.sum()], "got a list in place of 2 results"),
        (lambda x: (x + 1, x.sum(), 3), "got a tuple of 3 in place of 2 results"),
        (lambda x: (None, x.sum()), "got None"),
    ],
)
def test_other_than_the_promised_results_is_said(function, message):
    report = _report(_task(), function)
    assert report.points == 0
    assert message in str(report)


def test_what_stops_every_part_is_told_once_and_blames_no_hint():
    parts = _task(hint=2).parts
    task = replace(_task(), parts=(*parts, replace(parts[0], name="another part", hint=1)))
    report = _report(task, lambda x: x + None)
    first, second = (row.message for row in report.rows)
    assert "your function stopped with TypeError" in first
    assert second == f"the same as in “{parts[0].name}”"
    assert "Hint" not in str(report)
    first, second = (row.message for row in _report(task, lambda x: x + 1).rows)
    assert first.endswith(": got an array of shape (3,), float64 in place of 2 results")
    assert second == f"the same as in “{parts[0].name}”"
    report = _report(task, lambda x: (x, 0))  # wrong values are told for each part
    assert [f"Hint {n}" in row.message for n, row in zip((2, 1), report.rows, strict=True)] == [
        True
    ] * 2


def test_a_misconception_is_recognised_in_the_result_that_is_judged():
    idea = Misconception(
        "one too few",
        lambda x: (x, x.sum()),
        "Add one.",
        Section(4, "book/page", "place", "Title"),
        frozenset({"the part"}),
    )
    report = _report(_task(misconceptions=(idea,)), lambda x: (x, "another result is wrong too"))
    assert [found.name for found in report.ideas] == ["one too few"]


def test_a_hint_is_named_where_no_idea_is_recognised():
    assert "Hint 2 under the task is about this" in str(_report(_task(hint=2), lambda x: (x, 0)))
    assert "Hint" not in str(_report(_task(hint=2), _two))


def test_a_class_is_driven_and_judged_by_what_it_answers():
    class Right:
        def __init__(self, start):
            self.total = start

        def add(self, x):
            self.total = self.total + x
            return self.total

    class Forgets(Right):
        def add(self, x):
            return x

    def drive(written, x):
        counter = written(1.0)
        counter.add(x)
        return counter.add(x)

    task = _task(lambda x: 1.0 + 2 * x, pick=None, drive=drive)
    assert _report(task, Right).points == 2
    assert _report(task, Forgets).points == 0
    assert "TypeError" in str(_report(task, lambda: None))


def test_a_vector_gets_a_picture():
    (row,) = _report(_task(), lambda x: (x + 1 + (x == x[0]), 0)).rows
    assert row.picture.expected.shape == (1, 3)
    assert row.picture.different.sum() == 1


def test_numbers_that_need_not_be_whole():
    case = Case({"x": np.ones(2, np.float32)})
    assert judge_real(case, 0.1, Outcome(value=np.float32(0.1))) == ""
    assert judge_real(case, 0.1, Outcome(value=np.array([0.1]))) == ""
    assert judge_real(case, 0.1, Outcome(value=0.11)) == "expected 0.1, got 0.11"
    assert "got True" in judge_real(case, 1.0, Outcome(value=True))
    assert "got '0.1'" in judge_real(case, 0.1, Outcome(value="0.1"))


def test_words_are_compared_without_blanks_and_capitals():
    assert judge_text(CASE, "CONV => RELU", Outcome(value=" conv  =>  relu ")) == ""
    assert judge_text(CASE, "CONV", Outcome(value="POOL")) == "expected 'CONV', got 'POOL'"
    assert "got 3" in judge_text(CASE, "CONV", Outcome(value=3))


def test_two_numbers_are_told_with_enough_digits_to_tell_them_apart():
    case = Case({"x": np.ones(2)})
    got = Outcome(value=np.array([1.868502, 2.0]))
    told = judge_array(case, np.array([1.868503, 2.0]), got)
    assert told.endswith("expected 1.868503, got 1.868502")
    assert judge_real(case, 0.5, Outcome(value=0.50000003)).endswith("got 0.50000003")
    assert judge_real(case, 0.5, Outcome(value=0.75)) == "expected 0.5, got 0.75"


def test_rounding_in_a_right_value_is_no_difference_in_the_picture():
    right, got = np.array([[1.0, 2.0]]), np.array([[1.0 + 3e-14, 5.0]])
    text = Picture.of(right, got, np.array([[False, True]]), "two numbers")._repr_html_()
    assert "e−14" not in text
    assert "≠ 3<" in text


def test_a_stressed_word_is_shown_as_one():
    shown = re.sub(" style='[^']*'", "", _code("the *new* batch: `a * b * c`, 2 * 3 * 4 and 3 < 4"))
    assert shown == "the <em>new</em> batch: <code>a * b * c</code>, 2 * 3 * 4 and 3 &lt; 4"


def test_an_input_that_every_seed_gives_is_tried_once_and_drawn_ones_by_each_seed():
    """To train a network twice on the same images would tell nothing."""
    task = exercise.EXERCISE.tasks["b"]

    def cases(rng):
        same, drawn = np.arange(3.0), rng.uniform(0, 1, 2000)
        pair = [Case({"x": same, "padding": 1})] * 2
        return [
            *pair,
            Case({"x": (same, drawn), "padding": 1}),
            Case({"x": same.astype("f4"), "padding": 1}),
        ]

    part = replace(task.parts[0], cases=cases, right=lambda x, padding: 0)
    found = exercise.EXERCISE.drawn(task, part, ("visible", "one", "two"))
    assert [seed for seed, _, _ in found] == ["visible"] * 4 + ["one", "two"]
    assert exercise.EXERCISE.drawn(task, part, ("visible", "one", "two")) is found
    alone = exercise.EXERCISE.drawn(task, part, ("one",))
    assert [seed for seed, _, _ in alone] == ["one"] * 4
