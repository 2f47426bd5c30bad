"""The hunt for mutants: what it makes, and that it tells a fault from none."""

from collections import Counter
from concurrent.futures import Future
from pathlib import Path

import pytest

from tools import mutants
from tools.mutants import Mutant, mutants_of, outcome

EXERCISE = "ch05_activation"
SOLUTION = mutants.cells_of(EXERCISE)["a_solution"]


def changed(before, after):
    assert before in SOLUTION
    return outcome(Mutant(EXERCISE, "a", before, after, SOLUTION.replace(before, after)))


def test_a_mutant_differs_from_the_solution_in_one_place_and_names_it():
    found = list(mutants_of(EXERCISE, "a", SOLUTION))
    assert len({m.code for m in found}) == len(found) > 3
    for mutant in found:
        assert mutant.was in SOLUTION
        assert mutant.becomes in mutant.code
        assert "SOLUTION" not in mutant.code, "a mark of the tool is no code to change"


@pytest.mark.parametrize(
    ("after", "found"),
    [
        ("np.maximum(x, 0)", "missed"),  # the solution itself
        ("np.where(x > 0, x, 0)", "missed"),  # as good
        ("np.minimum(x, 0)", "noticed"),
        ("np.no_such_function(x)", "noticed"),
    ],
)
def test_a_fault_is_told_from_none(after, found):
    assert changed("np.maximum(x, 0)", after) == found


def test_what_only_the_clock_stops_is_counted_apart(monkeypatch):
    monkeypatch.setattr(mutants, "SECONDS", 0.2)
    assert changed("return np.maximum(x, 0)", "while True: x = x") == "late"


def test_a_solution_that_earns_less_stops_the_hunt(monkeypatch):
    cells = mutants.cells_of(EXERCISE)
    cells["a_solution"] = SOLUTION.replace("np.maximum", "np.minimum")
    monkeypatch.setattr(mutants, "cells_of", lambda name: cells)
    monkeypatch.setattr(mutants.sys, "platform", "elsewhere")  # the tests keep their memory
    with pytest.raises(RuntimeError, match=r"ch05_activation \(a\): the solution itself does not"):
        mutants.hunt(EXERCISE)


def test_an_unknown_exercise_is_said(capsys):
    assert mutants.main(["ch99"]) == 2
    assert "no exercise begins with ch99" in capsys.readouterr().out


def test_the_table_adds_up(monkeypatch, capsys):
    place = (EXERCISE, "a", "x", "y")
    survivors = [Mutant(*place, ""), Mutant(EXERCISE, "b", "x", "z", "")]
    counts = Counter(every=40, late=3)

    class InThisProcess:
        def __init__(self, max_workers):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def submit(self, function, name):
            done = Future()
            done.set_result((counts, survivors))
            return done

    monkeypatch.setattr(mutants, "ProcessPoolExecutor", InThisProcess)
    monkeypatch.setattr(mutants, "explained", lambda: {place: "no fault"})
    assert mutants.main(["ch05"]) == 1, "one survivor is not explained"
    out = capsys.readouterr().out
    assert [*out.splitlines()[1].split()] == [EXERCISE, "40", "38", "3", "95.0%", "1", "1"]
    assert "no fault" in out
    assert "MISSED" in out
    monkeypatch.setattr(
        mutants, "explained", lambda: dict.fromkeys((m.place for m in survivors), "?")
    )
    assert mutants.main(["ch05"]) == 0


def test_the_survivors_file_is_where_the_tool_looks():
    assert Path(mutants.SURVIVORS).is_file()
