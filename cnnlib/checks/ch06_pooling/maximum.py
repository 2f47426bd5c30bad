"""Task (a): max pooling."""

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch06_pooling import common
from cnnlib.checks.ch06_pooling.common import (
    DEFAULT_TYPE,
    DEPTH,
    FORMULA,
    MAXIMUM,
    OVERLAP,
    PLANE,
    counts,
    pooled,
    positive,
    slide,
)
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, lost
from cnnlib.checks.judges import judge_array, judge_dtype
from cnnlib.reference import pool


def _value_cases(rng: Random) -> list[Case]:
    right = np.array([[9, 8], [6, 9]], dtype=np.float64)[None, None]
    return [
        pooled(PLANE, 2, 2, right, "the plane of chapter 6, by hand"),
        pooled(positive(rng, (1, 1, 6, 6)), 2, 2),
        pooled(positive(rng, (1, 1, 6, 6), "float32"), 3, 3),
    ]


def _negative_cases(rng: Random) -> list[Case]:
    by_hand = np.array([[-3.0, -1.0], [-2.0, -5.0]])[None, None]
    return [
        pooled(by_hand, 2, 2, np.array([[[[-1.0]]]]), "−3, −1, −2, −5, by hand"),
        pooled(-positive(rng, (1, 1, 3, 3), "float32"), 3, 3, note="all negative"),
    ]


def max_pool2d(x: np.ndarray, window: int, stride: int) -> np.ndarray:
    """The reference of task (a)."""
    return pool.max_pool2d(x, window, stride=stride)


def _starts_at_zero(x, window, stride):
    return np.maximum(max_pool2d(x, window, stride), 0)


def _bracket_slipped(x, window, stride):
    rows, columns = (int(size - window / stride) + 1 for size in x.shape[2:])
    return slide(x, window, np.max, (rows, columns), (stride, stride))


def _steps_not_places(x, window, stride):
    rows, columns = counts(x, window, stride)
    return slide(x, window, np.max, (rows - 1, columns - 1), (stride, stride))


def _float64(x, window, stride):
    return max_pool2d(x, window, stride).astype(np.float64)


_A = {
    "values": "windows that touch",
    "negative": "negative numbers",
    "stride": "a stride that is not the window",
    "floor": "what does not fit is dropped",
    "non-square": "planes that are not square",
    "channels": "each channel by itself",
    "batch": "every image of the batch",
    "together": "everything together",
    "dtype": "float32 stays float32",
}
_STEPS = ("values", "stride", "floor", "non-square", "together")

MAX_POOL = Task(
    "a",
    "max pooling",
    "max_pool2d",
    max_pool2d,
    parts=(
        Part(_A["values"], 2, _value_cases, judge_array, hint=2),
        Part(_A["negative"], 1, _negative_cases, judge_array, hint=3),
        Part(_A["stride"], 2, common.stride_cases, judge_array, hint=2),
        Part(_A["floor"], 1, common.floor_cases, judge_array, hint=1),
        Part(_A["non-square"], 1, common.non_square_cases, judge_array, hint=1),
        Part(_A["channels"], 1, common.channel_cases, judge_array, hint=3),
        Part(_A["batch"], 1, common.batch_cases, judge_array, hint=3),
        Part(_A["together"], 1, common.together_cases, judge_array),
        Part(_A["dtype"], 1, common.dtype_cases, judge_dtype),
    ),
    misconceptions=(
        Misconception(
            "the maximum starts at 0",
            _starts_at_zero,
            "If all numbers of a window are below 0, its largest is below 0 too. A search that begins with 0 finds the 0, "
            "which is not in the window. Begin with the first number.",
            MAXIMUM,
            lost(_A, "negative", "together"),
        ),
        Misconception(
            "the bracket closes after the stride",
            _bracket_slipped,
            "The formula is (W − F)/S + 1: the whole way that the window travels is divided into steps. W − F/S + 1 divides the "
            "window alone, and gives places that lie outside of the image.",
            FORMULA,
            frozenset(_A.values()),
        ),
        Misconception(
            "the + 1 is missing",
            _steps_not_places,
            "(W − F)/S counts the steps between windows. There is one window more than there are steps.",
            FORMULA,
            frozenset(_A.values()),
        ),
        Misconception(
            "the window steps by its own size",
            common.step_of_a_window(np.max),
            "The stride says how far the window moves, and it need not be the window's size: 3 × 3 windows at stride 2 "
            "share a row or a column.",
            OVERLAP,
            lost(_A, "stride", "together"),
        ),
        Misconception(
            "the window steps by one",
            common.step_of_one(np.max),
            "Output (i, j) belongs to the window that starts at row i · S, column j · S, not at (i, j).",
            MAXIMUM,
            lost(_A, *_STEPS),
        ),
        Misconception(
            "the stride moves along one axis only",
            common.step_on_rows_only(np.max),
            "The window steps by S in both directions: output column j starts at column j · S.",
            MAXIMUM,
            lost(_A, *_STEPS),
        ),
        Misconception(
            "the rest at the edge makes a window",
            common.edge_counts(np.max),
            "Only whole windows count here. What is left over at the far edge goes unread: the division rounds down.",
            FORMULA,
            lost(_A, "floor", "together"),
        ),
        Misconception(
            "height and width are swapped",
            common.swapped(np.max),
            "Axis 2 is the height and counts rows, axis 3 is the width and counts columns, in the result too.",
            MAXIMUM,
            lost(_A, *_STEPS),
        ),
        Misconception(
            "the height is used for both axes",
            common.height_for_both(np.max),
            "The formula is applied to each axis by itself, with that axis' own size.",
            FORMULA,
            lost(_A, "non-square", "together"),
        ),
        Misconception(
            "channels are pooled together",
            common.one_map(np.max),
            "A pooling window stays in its channel. As many channels come out as went in.",
            DEPTH,
            lost(_A, "channels", "together"),
        ),
        Misconception(
            "only the first image is pooled",
            common.first_image(np.max),
            "Axis 0 counts the images of the batch, and each gets its own maps.",
            DEPTH,
            lost(_A, "batch", "together"),
        ),
        Misconception("NumPy's default type", _float64, DEFAULT_TYPE, MAXIMUM, lost(_A, "dtype")),
    ),
)
