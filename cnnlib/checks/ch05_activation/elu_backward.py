"""Task (f): the gradient of the ELU."""

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
from cnnlib.checks.ch05_activation.elu import (
    HALF,
    OVERFLOW,
    drawn_alpha,
    judge_calm,
    left_exp,
    setting,
)
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, lost
from cnnlib.checks.judges import judge_dtype
from cnnlib.reference import activation


def _pair(
    dout: np.ndarray,
    x: np.ndarray,
    alpha: float | None = None,
    right: np.ndarray | None = None,
    note: str = "",
) -> Case:
    return Case({"dout": dout, "x": x}, setting(alpha), expected=right, note=note)


def _active_cases(rng: Random) -> list[Case]:
    return [
        _pair(both_signs(rng, (3, 5)), positive(rng, (3, 5))),
        _pair(both_signs(rng, (1, 4), "float32"), positive(rng, (1, 4), "float32")),
    ]


def _bend_cases(rng: Random) -> list[Case]:
    x, dout = np.array([[HALF, 2 * HALF]]), np.array([[6.0, -6.0]])
    return [
        _pair(dout, x, None, np.array([[3.0, -1.5]]), "by hand: x is −ln 2, −2 ln 2"),
        _pair(both_signs(rng, (3, 5)), -positive(rng, (3, 5))),
        _pair(both_signs(rng, (1, 4), "float32"), -positive(rng, (1, 4), "float32")),
    ]


def _pair_alpha_cases(rng: Random) -> list[Case]:
    x, dout = np.array([[HALF, 3.0]]), np.array([[6.0, 6.0]])
    return [
        _pair(dout, x, 0.5, np.array([[1.5, 6.0]]), "by hand: x is −ln 2, 3"),
        _pair(*signed_pair(rng, (2, 5)), drawn_alpha(rng)),
        _pair(*signed_pair(rng, (3, 3)), 2.0),
    ]


def _pair_large_cases(rng: Random) -> list[Case]:
    return [
        _pair(ones((1, 2)), np.array([[1000.0, 3.0]])),
        _pair(ones((2, 3)), 720 * positive(rng, (2, 3)) + 400),
    ]


def _pair_together_cases(rng: Random) -> list[Case]:
    return [
        _pair(*signed_pair(rng, (2, 3, 4, 5)), drawn_alpha(rng)),
        _pair(*signed_pair(rng, (1, 2, 3, 5), "float32"), drawn_alpha(rng)),
    ]


def _pair_dtype_cases(rng: Random) -> list[Case]:
    return [_pair(ones((2, 3), dtype), ones((2, 3), dtype)) for dtype in ("float32", "float64")]


def elu_backward(dout: np.ndarray, x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    """The reference of task (f)."""
    return activation.elu_backward(dout, activation.elu(x, alpha), alpha)


def _slope_without_alpha(dout, x, alpha=1.0):
    return np.where(x > 0, dout, dout * left_exp(x))


def _slope_from_x(dout, x, alpha=1.0):
    return np.where(x > 0, dout, dout * (x + alpha))


def _value_for_slope(dout, x, alpha=1.0):
    return np.where(x > 0, dout, dout * alpha * (left_exp(x) - 1))


def _slope_alone(dout, x, alpha=1.0):
    return np.where(x > 0, 1.0, alpha * left_exp(x))


def _gradient_decides(dout, x, alpha=1.0):
    return np.where(dout > 0, dout, dout * alpha * np.exp(x))


def _straight_slope(dout, x, alpha=1.0):
    return np.where(x > 0, dout, alpha * dout)


def _slope_overflows(dout, x, alpha=1.0):
    return np.where(x > 0, dout, dout * alpha * np.exp(x))


def _backward_float64(dout, x, alpha=1.0):
    return elu_backward(dout, x, alpha).astype(np.float64)


_F = {
    "active": "the gradient passes where x is positive",
    "bend": "the slope left of 0",
    "setting": "another alpha",
    "large": "large inputs without an overflow",
    "together": "everything together",
    "dtype": "float32 stays float32",
}

ELU_BACKWARD = Task(
    "f",
    "the gradient of ELU",
    "elu_backward",
    elu_backward,
    parts=(
        Part(_F["active"], 1, _active_cases, judge_each, hint=1),
        Part(_F["bend"], 2, _bend_cases, judge_each, hint=2),
        Part(_F["setting"], 1, _pair_alpha_cases, judge_each, hint=2),
        Part(_F["large"], 1, _pair_large_cases, judge_calm, hint=3),
        Part(_F["together"], 1, _pair_together_cases, judge_each),
        Part(_F["dtype"], 1, _pair_dtype_cases, judge_dtype),
    ),
    misconceptions=(
        Misconception(
            "the slope without alpha",
            typed(_slope_without_alpha),
            "A factor stays when a slope is taken: left of 0 the slope of α · (exp(x) − 1) is α · exp(x).",
            FUNCTIONS,
            lost(_F, "setting", "together"),
        ),
        Misconception(
            "x in place of the output",
            typed(_slope_from_x),
            "The book's shortcut for the slope left of 0 is y + α, and there y is the output. You have x here.",
            FUNCTIONS,
            lost(_F, "bend", "setting", "together"),
        ),
        Misconception(
            "multiplied by the output, not by the slope",
            typed(_value_for_slope),
            "α · (exp(x) − 1) is the value of the function. Its slope is what the − 1 does not touch: a constant adds no slope.",
            SLOPES,
            lost(_F, "bend", "setting", "together"),
        ),
        Misconception(
            "the slope without the gradient from above",
            typed(_slope_alone),
            "That is the slope alone. It is multiplied by `dout`, element by element.",
            SLOPES,
            lost(_F, "active", "bend", "setting", "together"),
        ),
        Misconception(
            "the gradient decides instead of x",
            typed(_gradient_decides),
            "The slope belongs to the input: 1 where x > 0, else α · exp(x). The sign of `dout` has no say in it.",
            FUNCTIONS,
            lost(_F, "active", "bend", "setting", "large", "together"),
        ),
        Misconception(
            "a straight line left of 0",
            typed(_straight_slope),
            "That is a leaky ReLU with slope α. ELU's slope is α only just left of 0, and fades to 0 further out.",
            FUNCTIONS,
            lost(_F, "bend", "setting", "together"),
        ),
        Misconception(
            "the exponential of large numbers",
            typed(_slope_overflows),
            OVERFLOW,
            FUNCTIONS,
            lost(_F, "large"),
        ),
        Misconception(
            "NumPy's default type", _backward_float64, DEFAULT_TYPE, SHAPE, lost(_F, "dtype")
        ),
    ),
)
