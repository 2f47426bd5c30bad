"""The check engine with classes and with several results: what a student reads."""

import numpy as np
import pytest

from cnnlib.checks.book import Section
from cnnlib.checks.calls import Case
from cnnlib.checks.engine import Exercise, Misconception, Part, Task, examine
from cnnlib.checks.judges import judge_array

HERE = Section(9, "book/ch09_batch_norm/batch_norm", "ch09-xhat", "Four numbers by hand")


def _drive(written, start):
    counter = written(start)
    counter.up()
    return counter.value


def _case(start):
    lines = "counter = Counter(start)\ncounter.up()\ncounter.value"
    return Case({"start": start}, note="a counter", steps=lines)


COUNTER = Task(
    "a",
    "a counter",
    "Counter",
    lambda start: start + 1,
    parts=(Part("up", 1, lambda rng: [_case(np.arange(2.0))], judge_array, hint=1),),
    drive=_drive,
)
PAIR = Task(
    "b",
    "a pair",
    "pair",
    lambda x: (x, 2 * x),
    parts=(
        Part("first", 1, lambda rng: [Case({"x": np.ones(2)})], judge_array, pick=0, hint=1),
        Part("second", 1, lambda rng: [Case({"x": np.ones(2)})], judge_array, pick=1, hint=2),
    ),
    misconceptions=(
        Misconception("no second", lambda x: (x, None), "There is one.", HERE, frozenset({"second"})),
    ),
)  # fmt: skip
EXERCISE = Exercise("ch99_engine", {"a": COUNTER, "b": PAIR})


def _message(written, letter="a", part=0):
    report = examine(EXERCISE, EXERCISE.tasks[letter], written, seeds=["visible"])
    return report.rows[part].message


class _Counter:
    def __init__(self, start):
        self.value = start

    def up(self):
        self.value = self.value + 1


class _Fails(_Counter):
    def up(self):
        return self.value / {}["nothing"]


class _Writes(_Counter):
    def up(self):
        self.value += 1  # the array is the caller's


class _Forgets(_Counter):
    def up(self):
        self.value = None


def test_a_right_class_has_nothing_to_hear():
    assert _message(_Counter) == ""


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (_Fails, "your class stopped with KeyError: 'nothing' (line "),
        (_Writes, "your class changed an array that it was given. Work on a copy"),
        (_Forgets, "got None. A method without a return statement gives None. These lines ran:\n"),
        (3, "Counter is a int, not a class: run the cell that defines it"),
    ],
)
def test_a_class_is_called_a_class(written, words):
    assert words in _message(written)


def test_the_lines_and_the_note_end_the_message():
    assert _message(_Forgets).endswith(
        "These lines ran:\ncounter = Counter(start)\ncounter.up()\ncounter.value  # a counter"
    )


def test_the_students_line_is_found_in_any_method():
    assert 'return self.value / {}["nothing"]' in _message(_Fails)


def test_the_hint_is_for_wrong_values_only():
    class Twice(_Counter):
        def up(self):
            self.value = self.value + 2

    assert "Hint 1 under the task is about this. These lines ran" in _message(Twice)
    for other in (_Writes, _Forgets):
        assert "Hint" not in _message(other)


def test_a_list_among_the_results_costs_itself_only():
    assert _message(lambda x: (x, (2 * x).tolist()), "b", 0) == ""
    told = _message(lambda x: (x, (2 * x).tolist()), "b", 1)
    assert told.endswith(
        "expected an array of shape (2,), got a list. Return a NumPy array, not a list"
    )


def test_none_in_place_of_results_says_where_it_comes_from():
    assert _message(lambda x: None, "b").endswith(
        "got None in place of 2 results: a function without a return statement gives None"
    )


def test_a_missing_result_can_be_a_known_idea():
    report = examine(EXERCISE, PAIR, lambda x: (x, None), seeds=["visible"])
    assert [idea.name for idea in report.ideas] == ["no second"]
    report = examine(EXERCISE, PAIR, lambda x: None, seeds=["visible"])
    assert report.ideas == []
