"""Task (e): the ELU."""

import math
from typing import Any

import numpy as np

from cnnlib.checks.calls import Case, Outcome
from cnnlib.checks.ch05_activation.common import (
    DEFAULT_TYPE,
    FUNCTIONS,
    SHAPE,
    both_signs,
    judge_each,
    ones,
    positive,
    typed,
)
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, lost
from cnnlib.checks.judges import judge_dtype
from cnnlib.reference import activation

HALF = -math.log(2)  # exp of it is 1/2


def drawn_alpha(rng: Random) -> float:
    return round(float(rng.uniform(0.2, 0.7)), 2)


def setting(alpha: float | None) -> dict[str, float]:
    return {} if alpha is None else {"alpha": alpha}


def judge_calm(case: Case, right: Any, got: Outcome) -> str:
    """Right values, and no overflow on the way to them."""
    if problem := judge_each(case, right, got):
        return problem
    if "overflow encountered" not in got.printed:
        return ""
    return (
        "the values are right, but NumPy warned of an overflow on the way: somewhere exp gets a number as large "
        f"as {float(np.max(case.positional['x'])):.0f}. The exponential is wanted left of 0 only"
    )


def _x(
    x: np.ndarray, alpha: float | None = None, right: np.ndarray | None = None, note: str = ""
) -> Case:
    return Case({"x": x}, setting(alpha), expected=right, note=note)


def _right_side_cases(rng: Random) -> list[Case]:
    return [_x(positive(rng, (3, 4))), _x(positive(rng, (1, 5), "float32"))]


def _left_side_cases(rng: Random) -> list[Case]:
    by_hand = np.array([[HALF, 2 * HALF, 0.0]])
    return [
        _x(by_hand, None, np.array([[-0.5, -0.75, 0.0]]), "by hand: −ln 2, −2 ln 2, 0"),
        _x(-positive(rng, (3, 5))),
        _x(-positive(rng, (1, 4), "float32")),
    ]


def _alpha_cases(rng: Random) -> list[Case]:
    by_hand = np.array([[HALF, 3.0]])
    return [
        _x(by_hand, 0.5, np.array([[-0.25, 3.0]]), "by hand: −ln 2, 3"),
        _x(both_signs(rng, (2, 5)), drawn_alpha(rng)),
        _x(both_signs(rng, (3, 3)), 2.0),
    ]


def _large_cases(rng: Random) -> list[Case]:
    return [_x(np.array([[1000.0, 3.0]])), _x(720 * positive(rng, (2, 3)) + 400)]


def _x_together_cases(rng: Random) -> list[Case]:
    return [
        _x(both_signs(rng, (2, 3, 4, 5)), drawn_alpha(rng)),
        _x(both_signs(rng, (1, 2, 5, 3), "float32"), drawn_alpha(rng)),
    ]


def _x_dtype_cases(rng: Random) -> list[Case]:
    return [_x(ones((2, 3), dtype)) for dtype in ("float32", "float64")]


def left_exp(x: np.ndarray) -> np.ndarray:
    """exp of the numbers left of 0, and 1 elsewhere, so that nothing overflows."""
    return np.exp(np.minimum(x, 0))


def _without_minus_one(x, alpha=1.0):
    return np.where(x > 0, x, alpha * left_exp(x))


def _without_alpha(x, alpha=1.0):
    return np.where(x > 0, x, left_exp(x) - 1)


def _bracket(x, alpha=1.0):
    return np.where(x > 0, x, alpha * left_exp(x) - 1)


def _growing(x, alpha=1.0):
    return np.where(x > 0, x, alpha * (np.exp(-np.minimum(x, 0)) - 1))


def _straight(x, alpha=1.0):
    return np.where(x > 0, x, alpha * x)


def _bent_everywhere(x, alpha=1.0):
    return alpha * (np.exp(x) - 1)


def _overflows(x, alpha=1.0):
    return np.where(x > 0, x, alpha * (np.exp(x) - 1))


def _elu_float64(x, alpha=1.0):
    return activation.elu(x, alpha).astype(np.float64)


OVERFLOW = (
    "`np.where` chooses between two finished arrays, so exp has been taken of every number before, of the "
    "large ones too. Limit what goes into exp to at most 0."
)

_E = {
    "right": "positive numbers stay as they are",
    "left": "the bend left of 0",
    "setting": "another alpha",
    "large": "large inputs without an overflow",
    "together": "everything together",
    "dtype": "float32 stays float32",
}

ELU = Task(
    "e",
    "ELU",
    "elu",
    activation.elu,
    parts=(
        Part(_E["right"], 1, _right_side_cases, judge_each, hint=1),
        Part(_E["left"], 2, _left_side_cases, judge_each, hint=2),
        Part(_E["setting"], 1, _alpha_cases, judge_each, hint=2),
        Part(_E["large"], 1, _large_cases, judge_calm, hint=3),
        Part(_E["together"], 1, _x_together_cases, judge_each),
        Part(_E["dtype"], 1, _x_dtype_cases, judge_dtype),
    ),
    misconceptions=(
        Misconception(
            "the − 1 is missing",
            typed(_without_minus_one),
            "exp(x) alone is between 0 and 1 left of 0. Minus 1 it joins the line y = x at 0 and settles at −1.",
            FUNCTIONS,
            lost(_E, "left", "setting", "together"),
        ),
        Misconception(
            "alpha is ignored",
            typed(_without_alpha),
            "alpha says how deep the curve goes: far to the left it settles at −alpha.",
            FUNCTIONS,
            lost(_E, "setting", "together"),
        ),
        Misconception(
            "alpha multiplies the exponential only",
            typed(_bracket),
            "It is α · (exp(x) − 1): the bracket is computed first. Otherwise the curve would not meet the line y = x at "
            "0. With α = 1 nobody sees the difference.",
            FUNCTIONS,
            lost(_E, "setting", "together"),
        ),
        Misconception(
            "the exponent has the wrong sign",
            typed(_growing),
            "Left of 0 the exponential shrinks: x is negative already, so exp(x) is below 1. exp(−x) belongs to the "
            "sigmoid.",
            FUNCTIONS,
            lost(_E, "left", "setting", "together"),
        ),
        Misconception(
            "a straight line left of 0",
            typed(_straight),
            "That is a leaky ReLU with slope α. ELU bends and settles at −α.",
            FUNCTIONS,
            lost(_E, "left", "setting", "together"),
        ),
        Misconception(
            "the exponential everywhere",
            typed(_bent_everywhere),
            "Right of 0 an ELU is the line y = x, as the ReLU is. The exponential bends the left side only.",
            FUNCTIONS,
            lost(_E, "right", "setting", "large", "together", "dtype"),
        ),
        Misconception(
            "the exponential of large numbers",
            typed(_overflows),
            OVERFLOW,
            FUNCTIONS,
            lost(_E, "large"),
        ),
        Misconception("NumPy's default type", _elu_float64, DEFAULT_TYPE, SHAPE, lost(_E, "dtype")),
    ),
)
