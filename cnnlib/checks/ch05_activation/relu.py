"""Tasks (a) and (b): the ReLU and its gradient."""

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

# --- (a) forward ----------------------------------------------------------------------------------


def _x(x: np.ndarray, right: np.ndarray | None = None, note: str = "") -> Case:
    return Case({"x": x}, expected=right, note=note)


def _kept_cases(rng: Random) -> list[Case]:
    several = np.array([[0.5, 2.0, 300.0]])
    return [
        _x(np.array([[3.0]]), np.array([[3.0]]), "one number"),
        _x(several, several, "by hand"),
        _x(positive(rng, (3, 4))),
        _x(positive(rng, (1, 5), "float32")),
    ]


def _cut_cases(rng: Random) -> list[Case]:
    """All positive numbers are 1 here."""

    def drawn(shape: tuple[int, ...], dtype: str) -> np.ndarray:
        x = both_signs(rng, shape, dtype)
        return np.where(x > 0, ones(shape, dtype), x)

    return [
        _x(np.array([[-2.0, 1.0, -0.5, 0.0]]), np.array([[0.0, 1.0, 0.0, 0.0]]), "by hand"),
        _x(drawn((1, 7), "float64")),
        _x(drawn((4, 3), "float32")),
    ]


def _volume_cases(rng: Random) -> list[Case]:
    return [
        _x(both_signs(rng, (2, 3, 4, 5))),
        _x(both_signs(rng, (1, 2, 5, 3), "float32")),
        _x(both_signs(rng, (6,))),
    ]


def _x_dtype_cases(rng: Random) -> list[Case]:
    return [_x(ones((2, 3), dtype)) for dtype in ("float32", "float64")]


def _step(x):
    return x > 0


def _if_for_the_whole_array(x):
    if x > 0:
        return x
    return np.zeros_like(x)


def _relu_float64(x):
    out = np.zeros(x.shape)
    out[x > 0] = x[x > 0]
    return out


_A = {
    "kept": "positive numbers stay as they are",
    "cut": "negative numbers become 0",
    "volumes": "arrays of any shape",
    "dtype": "float32 stays float32",
}

RELU = Task(
    "a",
    "ReLU",
    "relu",
    activation.relu,
    parts=(
        Part(_A["kept"], 1, _kept_cases, judge_each, hint=1),
        Part(_A["cut"], 2, _cut_cases, judge_each, hint=1),
        Part(_A["volumes"], 1, _volume_cases, judge_each, hint=2),
        Part(_A["dtype"], 1, _x_dtype_cases, judge_dtype),
    ),
    misconceptions=(
        Misconception(
            "the absolute value",
            typed(np.abs),
            "ReLU does not turn negative numbers around, it replaces them by 0. The absolute value takes two "
            "ReLUs: relu(x) + relu(−x).",
            FUNCTIONS,
            lost(_A, "cut", "volumes"),
        ),
        Misconception(
            "0 or 1 in place of the number",
            typed(_step),
            "That says whether a number is positive, and forgets how large it is. It is ReLU's slope; ReLU "
            "itself hands the positive number on.",
            FUNCTIONS,
            lost(_A, "kept", "volumes"),
        ),
        Misconception(
            "positive numbers are capped at 1",
            typed(lambda x: np.clip(x, 0, 1)),
            "ReLU has no upper limit: right of 0 it is the line y = x. Sigmoid and tanh are the ones that flatten.",
            FUNCTIONS,
            lost(_A, "kept", "volumes"),
        ),
        Misconception(
            "the smaller of x and 0",
            typed(lambda x: np.minimum(x, 0)),
            "That keeps the negative half. ReLU is max(x, 0), the larger of the two.",
            FUNCTIONS,
            frozenset(_A.values()),
        ),
        Misconception(
            "the largest number along an axis",
            lambda x: np.max(x, 0),
            "`np.max(x, 0)` takes the 0 for an axis and looks for the largest number along it. NumPy has another "
            "name for the larger of two values at each place, see hint 3.",
            FUNCTIONS,
            frozenset(_A.values()),
        ),
        Misconception(
            "one `if` for the whole array",
            _if_for_the_whole_array,
            "`x > 0` has an answer for every number of the array, and `if` can only take one. Each number is "
            "decided by itself: by a NumPy function that works element by element, or in a loop.",
            SHAPE,
            frozenset(_A.values()),
        ),
        Misconception(
            "NumPy's default type", _relu_float64, DEFAULT_TYPE, SHAPE, lost(_A, "dtype")
        ),
    ),
)

# --- (b) backward ---------------------------------------------------------------------------------


def _pair(dout: np.ndarray, x: np.ndarray, right: np.ndarray | None = None, note: str = "") -> Case:
    return Case({"dout": dout, "x": x}, expected=right, note=note)


def _passes_cases(rng: Random) -> list[Case]:
    return [
        _pair(np.array([[7.0, 0.25]]), np.array([[3.0, 2.0]]), np.array([[7.0, 0.25]]), "by hand"),
        _pair(positive(rng, (3, 5)), positive(rng, (3, 5))),
        _pair(positive(rng, (1, 4), "float32"), positive(rng, (1, 4), "float32")),
    ]


def _stopped_cases(rng: Random) -> list[Case]:
    """Every gradient is 1, and so is every positive x."""

    def drawn(shape: tuple[int, ...], dtype: str) -> Case:
        x = both_signs(rng, shape, dtype)
        return _pair(ones(shape, dtype), np.where(x > 0, ones(shape, dtype), x))

    by_hand = np.array([[1.0, -2.0, -0.5]])
    return [
        _pair(ones((1, 3)), by_hand, np.array([[1.0, 0.0, 0.0]]), "by hand"),
        drawn((3, 5), "float64"),
        drawn((1, 7), "float32"),
    ]


def _negative_cases(rng: Random) -> list[Case]:
    """Gradients of either sign; every x is 1."""
    return [
        _pair(np.array([[-4.0, 3.0]]), ones((1, 2)), np.array([[-4.0, 3.0]]), "by hand"),
        _pair(both_signs(rng, (2, 3)), ones((2, 3))),
    ]


def _zero_cases(rng: Random) -> list[Case]:
    shape = (2, 5)
    x = (rng.permutation(np.arange(10)) % 2).reshape(shape).astype(np.float64)
    by_hand = np.array([[1.0, 0.0]])
    return [_pair(ones((1, 2)), by_hand, by_hand, "by hand"), _pair(ones(shape), x)]


def _together_cases(rng: Random) -> list[Case]:
    return [
        _pair(*signed_pair(rng, (2, 3, 4, 5))),
        _pair(*signed_pair(rng, (1, 2, 3, 5), "float32")),
        _pair(*signed_pair(rng, (5, 3))),
    ]


def _pair_dtype_cases(rng: Random) -> list[Case]:
    return [_pair(ones((2, 3), dtype), ones((2, 3), dtype)) for dtype in ("float32", "float64")]


def relu_backward(dout: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The reference of task (b)."""
    return activation.relu_backward(dout, activation.relu(x))


def _backward_float64(dout, x):
    return relu_backward(dout, x).astype(np.float64)


_B = {
    "passes": "the gradient passes where x is positive",
    "stopped": "nothing passes where x is negative",
    "negative": "a negative gradient passes as well",
    "zero": "the slope at exactly 0 is 0",
    "together": "everything together",
    "dtype": "float32 stays float32",
}

RELU_BACKWARD = Task(
    "b",
    "the gradient of ReLU",
    "relu_backward",
    relu_backward,
    parts=(
        Part(_B["passes"], 2, _passes_cases, judge_each, hint=1),
        Part(_B["stopped"], 2, _stopped_cases, judge_each, hint=2),
        Part(_B["negative"], 1, _negative_cases, judge_each, hint=2),
        Part(_B["zero"], 1, _zero_cases, judge_each, hint=3),
        Part(_B["together"], 1, _together_cases, judge_each),
        Part(_B["dtype"], 1, _pair_dtype_cases, judge_dtype),
    ),
    misconceptions=(
        Misconception(
            "the slope without the gradient from above",
            typed(lambda dout, x: x > 0),
            "That is the slope alone. The layer behind says in `dout` how much each output matters, and the "
            "slope is multiplied by it.",
            SLOPES,
            lost(_B, "passes", "negative", "together"),
        ),
        Misconception(
            "the gradient passes everywhere",
            typed(lambda dout, x: dout),
            "Where x is negative the output is 0 whatever x does, so the slope is 0 and nothing comes back.",
            FUNCTIONS,
            lost(_B, "stopped", "zero", "together"),
        ),
        Misconception(
            "the gradient decides instead of x",
            typed(lambda dout, x: np.maximum(dout, 0)),
            "ReLU's slope belongs to its input: it is 1 where x > 0. The sign of `dout` says only in which "
            "direction the output should go, and a negative gradient passes like a positive one.",
            FUNCTIONS,
            lost(_B, "stopped", "negative", "zero", "together"),
        ),
        Misconception(
            "multiplied by the output, not by the slope",
            typed(lambda dout, x: dout * np.maximum(x, 0)),
            "The chain rule multiplies by the slope of the function, 1 or 0, not by the value of the function.",
            SLOPES,
            lost(_B, "passes", "together"),
        ),
        Misconception(
            "the gradient passes at exactly 0",
            typed(lambda dout, x: dout * (x >= 0)),
            "At 0 there is a kink and no slope. Libraries take the one on its left, 0, and so does the contract: "
            "only x > 0 lets the gradient through.",
            FUNCTIONS,
            lost(_B, "zero"),
        ),
        Misconception(
            "the two sides are exchanged",
            typed(lambda dout, x: dout * (x < 0)),
            "The active side is the one where x is positive; there the gradient passes.",
            FUNCTIONS,
            frozenset(_B.values()),
        ),
        Misconception(
            "NumPy's default type", _backward_float64, DEFAULT_TYPE, SHAPE, lost(_B, "dtype")
        ),
    ),
)
