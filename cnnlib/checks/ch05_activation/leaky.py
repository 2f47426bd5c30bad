"""Tasks (c) and (d): the leaky ReLU and its gradient."""

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch05_activation.common import (
    DEFAULT_TYPE,
    FUNCTIONS,
    SHAPE,
    SLOPES,
    both_signs,
    judge_each,
    ones,
    positive,
    signed_pair,
    typed,
)
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, lost
from cnnlib.checks.judges import judge_dtype
from cnnlib.reference import activation


def _drawn_slope(rng: Random) -> float:
    return round(float(rng.uniform(0.1, 0.4)), 2)


def _setting(slope: float | None) -> dict[str, float]:
    return {} if slope is None else {"negative_slope": slope}


# --- (c) forward ----------------------------------------------------------------------------------


def _x(
    x: np.ndarray, slope: float | None = None, right: np.ndarray | None = None, note: str = ""
) -> Case:
    return Case({"x": x}, _setting(slope), expected=right, note=note)


def _right_side_cases(rng: Random) -> list[Case]:
    return [_x(positive(rng, (3, 4))), _x(positive(rng, (1, 5), "float32"))]


def _left_side_cases(rng: Random) -> list[Case]:
    return [
        _x(np.array([[-2.0, -50.0, 0.0]]), None, np.array([[-0.02, -0.5, 0.0]]), "by hand"),
        _x(-positive(rng, (3, 5))),
        _x(-positive(rng, (1, 4), "float32")),
    ]


def _slope_cases(rng: Random) -> list[Case]:
    return [
        _x(np.array([[-2.0, 3.0]]), 0.25, np.array([[-0.5, 3.0]]), "by hand"),
        _x(both_signs(rng, (2, 5)), _drawn_slope(rng)),
        _x(both_signs(rng, (3, 3)), 0.0, note="no leak"),
    ]


def _x_together_cases(rng: Random) -> list[Case]:
    return [
        _x(both_signs(rng, (2, 3, 4, 5)), _drawn_slope(rng)),
        _x(both_signs(rng, (1, 2, 5, 3), "float32"), _drawn_slope(rng)),
    ]


def _x_dtype_cases(rng: Random) -> list[Case]:
    return [_x(ones((2, 3), dtype)) for dtype in ("float32", "float64")]


def _wrong_side(x, negative_slope=0.01):
    return np.where(x > 0, negative_slope * x, x)


def _constant(x, negative_slope=0.01):
    return np.maximum(x, negative_slope)


def _without_sign(x, negative_slope=0.01):
    return np.where(x > 0, x, negative_slope * np.abs(x))


def _leaky_float64(x, negative_slope=0.01):
    return activation.leaky_relu(x, negative_slope).astype(np.float64)


_C = {
    "right": "positive numbers stay as they are",
    "left": "negative numbers are multiplied by the slope",
    "setting": "another slope",
    "together": "everything together",
    "dtype": "float32 stays float32",
}

LEAKY_RELU = Task(
    "c",
    "leaky ReLU",
    "leaky_relu",
    activation.leaky_relu,
    parts=(
        Part(_C["right"], 1, _right_side_cases, judge_each, hint=1),
        Part(_C["left"], 2, _left_side_cases, judge_each, hint=2),
        Part(_C["setting"], 1, _slope_cases, judge_each, hint=3),
        Part(_C["together"], 1, _x_together_cases, judge_each),
        Part(_C["dtype"], 1, _x_dtype_cases, judge_dtype),
    ),
    misconceptions=(
        Misconception(
            "the slope is on the wrong side",
            typed(_wrong_side),
            "The small slope belongs to the negative side. Positive numbers pass unchanged, as with ReLU.",
            FUNCTIONS,
            frozenset(_C.values()),
        ),
        Misconception(
            "ReLU without a leak",
            typed(lambda x, negative_slope=0.01: np.maximum(x, 0)),
            "Left of 0 a leaky ReLU is not silent: it gives a · x, a small negative number.",
            FUNCTIONS,
            lost(_C, "left", "setting", "together"),
        ),
        Misconception(
            "the slope stands in place of a · x",
            typed(_constant),
            "Left of 0 the function is a line that falls, a · x. A constant a has no slope at all, so nothing "
            "could come back through it.",
            FUNCTIONS,
            lost(_C, "left", "setting", "together"),
        ),
        Misconception(
            "the leak has lost its sign",
            typed(_without_sign),
            "A negative number stays negative: −2 leaks to −0.02. With the sign lost, the answers for −2 and for "
            "0.02 would be the same.",
            FUNCTIONS,
            lost(_C, "left", "setting", "together"),
        ),
        Misconception(
            "the slope is always 0.01",
            typed(lambda x, negative_slope=0.01: np.where(x > 0, x, 0.01 * x)),
            "0.01 is only the default. Whoever calls the function may choose another `negative_slope`.",
            FUNCTIONS,
            lost(_C, "setting", "together"),
        ),
        Misconception(
            "NumPy's default type", _leaky_float64, DEFAULT_TYPE, SHAPE, lost(_C, "dtype")
        ),
    ),
)

# --- (d) backward ---------------------------------------------------------------------------------


def _pair(
    dout: np.ndarray,
    x: np.ndarray,
    slope: float | None = None,
    right: np.ndarray | None = None,
    note: str = "",
) -> Case:
    return Case({"dout": dout, "x": x}, _setting(slope), expected=right, note=note)


def _active_cases(rng: Random) -> list[Case]:
    return [
        _pair(
            np.array([[4.0, -3.0]]),
            np.array([[2.0, 0.5]]),
            None,
            np.array([[4.0, -3.0]]),
            "by hand",
        ),
        _pair(both_signs(rng, (3, 5)), positive(rng, (3, 5))),
        _pair(both_signs(rng, (1, 4), "float32"), positive(rng, (1, 4), "float32")),
    ]


def _leaking_cases(rng: Random) -> list[Case]:
    return [
        _pair(
            np.array([[4.0, -3.0]]),
            np.array([[-2.0, -5.0]]),
            None,
            np.array([[0.04, -0.03]]),
            "by hand",
        ),
        _pair(both_signs(rng, (3, 5)), -positive(rng, (3, 5))),
        _pair(both_signs(rng, (1, 4), "float32"), -positive(rng, (1, 4), "float32")),
    ]


def _pair_slope_cases(rng: Random) -> list[Case]:
    return [
        _pair(
            np.array([[4.0, 4.0]]), np.array([[-2.0, 2.0]]), 0.25, np.array([[1.0, 4.0]]), "by hand"
        ),
        _pair(*signed_pair(rng, (2, 5)), _drawn_slope(rng)),
        _pair(*signed_pair(rng, (3, 3)), 0.0, note="no leak"),
    ]


def _pair_together_cases(rng: Random) -> list[Case]:
    return [
        _pair(*signed_pair(rng, (2, 3, 4, 5)), _drawn_slope(rng)),
        _pair(*signed_pair(rng, (1, 2, 3, 5), "float32"), _drawn_slope(rng)),
    ]


def _pair_dtype_cases(rng: Random) -> list[Case]:
    return [_pair(ones((2, 3), dtype), ones((2, 3), dtype)) for dtype in ("float32", "float64")]


def leaky_relu_backward(
    dout: np.ndarray, x: np.ndarray, negative_slope: float = 0.01
) -> np.ndarray:
    """The reference of task (d)."""
    out = activation.leaky_relu(x, negative_slope)
    return activation.leaky_relu_backward(dout, out, negative_slope)


def _gradient_decides(dout, x, negative_slope=0.01):
    return np.where(dout > 0, dout, negative_slope * dout)


def _slope_alone(dout, x, negative_slope=0.01):
    return np.where(x > 0, 1.0, negative_slope)


def _slope_alone_left(dout, x, negative_slope=0.01):
    return np.where(x > 0, dout, negative_slope)


def _gradient_wrong_side(dout, x, negative_slope=0.01):
    return np.where(x > 0, negative_slope * dout, dout)


def _times_the_leak(dout, x, negative_slope=0.01):
    return np.where(x > 0, dout, dout * negative_slope * x)


def _backward_float64(dout, x, negative_slope=0.01):
    return leaky_relu_backward(dout, x, negative_slope).astype(np.float64)


_D = {
    "active": "the gradient passes where x is positive",
    "leaking": "a small part passes where x is negative",
    "setting": "another slope",
    "together": "everything together",
    "dtype": "float32 stays float32",
}

LEAKY_RELU_BACKWARD = Task(
    "d",
    "the gradient of leaky ReLU",
    "leaky_relu_backward",
    leaky_relu_backward,
    parts=(
        Part(_D["active"], 1, _active_cases, judge_each, hint=1),
        Part(_D["leaking"], 2, _leaking_cases, judge_each, hint=2),
        Part(_D["setting"], 1, _pair_slope_cases, judge_each, hint=3),
        Part(_D["together"], 1, _pair_together_cases, judge_each),
        Part(_D["dtype"], 1, _pair_dtype_cases, judge_dtype),
    ),
    misconceptions=(
        Misconception(
            "the gradient decides instead of x",
            typed(_gradient_decides),
            "The slope belongs to the input: 1 where x > 0, else a. The sign of `dout` has no say in it.",
            FUNCTIONS,
            lost(_D, "active", "leaking", "setting", "together"),
        ),
        Misconception(
            "the slope without the gradient from above",
            typed(_slope_alone),
            "That is the slope alone, 1 or a. It is multiplied by `dout`, element by element.",
            SLOPES,
            lost(_D, "active", "leaking", "setting", "together"),
        ),
        Misconception(
            "left of 0 the slope without the gradient",
            typed(_slope_alone_left),
            "On the right you multiply `dout` by 1, and so hand it on. On the left it is multiplied too, by a.",
            SLOPES,
            lost(_D, "leaking", "setting", "together"),
        ),
        Misconception(
            "the slope is on the wrong side",
            typed(_gradient_wrong_side),
            "The small slope belongs to the negative side. Where x is positive the gradient passes untouched.",
            FUNCTIONS,
            frozenset(_D.values()),
        ),
        Misconception(
            "no gradient through the leak",
            typed(lambda dout, x, negative_slope=0.01: dout * (x > 0)),
            "That is the gradient of ReLU. The leak is there to let a small part of it, a · dout, through.",
            SLOPES,
            lost(_D, "leaking", "setting", "together"),
        ),
        Misconception(
            "multiplied by the output, not by the slope",
            typed(_times_the_leak),
            "a · x is the value of the function left of 0. Its slope there is a, however large x is.",
            SLOPES,
            lost(_D, "leaking", "setting", "together"),
        ),
        Misconception(
            "the slope is always 0.01",
            typed(lambda dout, x, negative_slope=0.01: np.where(x > 0, dout, 0.01 * dout)),
            "0.01 is only the default. The way back must use the same `negative_slope` as the way forward.",
            FUNCTIONS,
            lost(_D, "setting", "together"),
        ),
        Misconception(
            "NumPy's default type", _backward_float64, DEFAULT_TYPE, SHAPE, lost(_D, "dtype")
        ),
    ),
)
