"""The pooling stepper computes what cnnlib.reference.pool computes, forward and backward."""

import random
import re

import numpy as np
import pytest

from cnnlib import shapes
from cnnlib.errors import RangeError, ShapeError
from cnnlib.reference import pool
from cnnlib.widgets import Pooling
from tests.widgets.common import in_javascript

POOL = """
import {{ gradient, pool }} from "{pooling}";
const answer = (values) => {{
  const all = pool(values);
  return {{
    side: all.side, numbers: all.numbers, output: all.windows.map((w) => w.answer), winners: all.windows.map((w) => w.winner),
    equals: all.windows.map((w) => w.equals.length), read: all.read.size, gradient: gradient(values, all, values.step + 1),
  }};
}};
"""


def drawn_cases(count: int) -> list[dict]:
    """Planes of few different numbers, so that ties are common, in windows that mostly fit."""
    draw, cases = random.Random(6), []
    for _ in range(count):
        size, most = draw.randint(2, 7), draw.choice([1, 3, 9, 99])
        cases.append(
            {
                "kind": draw.choice(["max", "average"]),
                "kernel": draw.randint(1, size + draw.choice([0, 0, 1])),
                "stride": draw.randint(1, 7),
                "size": size,
                "cells": [
                    draw.randint(-min(9, most), most) for _ in range(draw.choice([49, 49, 20]))
                ],
                "step": draw.randint(0, 48),
            }
        )
    return cases


def in_python(case: dict) -> dict | None:
    """The layer's own results, with nothing of the widget in between; None if the window does not fit."""
    size, kernel, stride = case["size"], case["kernel"], case["stride"]
    cells = np.array(case["cells"] + [0] * (49 - len(case["cells"])), float).reshape(7, 7)
    x = cells[:size, :size][None, None]
    if kernel > size:
        return None
    _, (_, position) = pool.max_pool2d_forward(x, kernel, stride=stride)
    forward, backward = {
        "max": (pool.max_pool2d_forward, pool.max_pool2d_backward),
        "average": (pool.avg_pool2d_forward, pool.avg_pool2d_backward),
    }[case["kind"]]
    out, cache = forward(x, kernel, stride=stride)
    upstream = np.arange(1.0, out.size + 1)
    upstream[case["step"] + 1 :] = 0
    along = shapes.coverage(size, kernel, stride=stride)
    return {
        "side": out.shape[-1],
        "numbers": x.ravel().tolist(),
        "output": out.ravel(),
        "winners": position.ravel().tolist(),
        "read": (size - along.count(0)) ** 2,
        "gradient": backward(upstream.reshape(out.shape), cache).ravel(),
    }


@pytest.mark.claim("M6.4")
@pytest.mark.claim("M6.7")
def test_javascript_pools_as_the_library_does_forward_and_backward(tmp_path):
    cases = drawn_cases(3000)
    kinds = {"tie": 0, "overlap": 0, "unread": 0, "does not fit": 0, "average": 0}
    for case, found in zip(cases, in_javascript(POOL, cases, tmp_path), strict=True):
        expected = in_python(case)
        if expected is None:
            assert (found["side"], found["output"], found["read"]) == (0, [], 0)
            kinds["does not fit"] += 1
            continue
        for name in ("side", "numbers", "winners", "read"):
            assert found[name] == expected[name], (name, case)
        for name in ("output", "gradient"):
            np.testing.assert_allclose(found[name], expected[name], atol=1e-12, err_msg=str(case))
        kinds["tie"] += max(found["equals"]) > 1
        kinds["overlap"] += expected["side"] > 1 and case["stride"] < case["kernel"]
        kinds["unread"] += expected["read"] < case["size"] ** 2
        kinds["average"] += case["kind"] == "average"
    assert min(kinds.values()) > 100, f"the cases leave a kind out: {kinds}"


@pytest.mark.claim("M6.4")
def test_the_chapters_example():
    stepper = Pooling()
    assert stepper.plane.tolist() == [[3, 9, 4, 1], [7, 5, 8, 2], [6, 0, 5, 5], [1, 2, 3, 9]]
    assert stepper.output.tolist() == [[9, 8], [6, 9]]
    assert stepper.winners == [(0, 1), (1, 2), (2, 0), (3, 3)]
    assert dict(stepper.facts())["Activations discarded"] == "12 of 16, 75 %"
    stepper.stride = 1
    assert stepper.output.tolist() == [[9, 9, 8], [7, 8, 8], [6, 5, 9]]
    assert dict(stepper.facts())["Output size"] == "(4 − 2)/1 + 1 = 3: 3 × 3"
    assert dict(stepper.facts())["Overlapping windows"] == "yes, S < F"


def test_gradients_of_overlapping_windows_add_up():
    stepper = Pooling(stride=1, direction="backward", step=1)
    assert stepper.summary() == (
        "Window 2 of 9 passes its gradient 2 to its winner. "
        "It is the 9 in row 1, column 2, which now holds 3."
    )
    assert stepper.gradient.sum() == stepper.upstream.sum() == 45
    stepper.kind = "average"
    assert stepper.gradient.sum() == 45
    assert stepper.summary() == (
        "Window 2 of 9 shares out its gradient 2. "
        "Each of its numbers gets 2/4 = 0.5, added to its shares of other windows."
    )


def test_of_equals_the_first_wins():
    stepper = Pooling(cells=[2, 2, 0, 0, 0, 0, 0, 2, 2], size=2, direction="backward")
    assert stepper.gradient.tolist() == [[1, 0], [0, 0]]
    assert "Of 4 equal numbers the first wins" in stepper.summary()


def test_numbers_that_no_window_reads_are_named():
    assert dict(Pooling(size=5).facts())["Rows and columns never read"] == (
        "row and column 5: 9 of 25 numbers"
    )
    rows = dict(Pooling(size=7, kernel=1, stride=3).facts())
    assert rows["Rows and columns never read"] == "rows and columns 2, 3, 5, 6: 40 of 49 numbers"
    assert dict(Pooling(size=5).facts())["Output size"] == (
        "(5 − 2)/2 + 1 = 2.5, rounded down: 2 × 2"
    )


def test_a_window_that_does_not_fit_is_said_and_has_no_output():
    stepper = Pooling(kernel=5)
    assert stepper.summary() == "The window does not fit: it is 5 wide, the input only 4."
    with pytest.raises(ShapeError, match="does not fit"):
        _ = stepper.output


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"kind": "min"}, RangeError, "kind='min' is none of its choices: use max, average."),
        ({"stride": 0}, ShapeError, "stride=0 is too small"),
        ({"size": 8}, ShapeError, "size=8 is too large for this widget: use at most 7."),
        ({"cells": [1, 100]}, ShapeError, "cells[1]=100 is too large for this widget"),
        ({"cells": []}, ShapeError, "cells=[] is no list of 1 to 49 whole numbers."),
    ],
)
def test_a_bad_setting_is_refused_with_its_rule(settings, error, message):
    with pytest.raises(error, match=re.escape(message)):
        Pooling(**settings)


def test_numbers_that_are_not_given_are_zero():
    assert Pooling(cells=[1, 2], size=3).plane.tolist() == [[1, 2, 0], [0, 0, 0], [0, 0, 0]]
