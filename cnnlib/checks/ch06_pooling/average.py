"""Task (b): average pooling."""

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch06_pooling import common
from cnnlib.checks.ch06_pooling.common import (
    AVERAGE,
    DEFAULT_TYPE,
    DEPTH,
    FORMULA,
    MAXIMUM,
    OVERLAP,
    PLANE,
    pooled,
    positive,
)
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost
from cnnlib.checks.judges import judge_array, judge_dtype
from cnnlib.reference import pool


def _value_cases(rng: Random) -> list[Case]:
    right = np.array([[6, 3.75], [2.25, 5.5]])[None, None]
    return [
        pooled(PLANE, 2, 2, right, "the plane of chapter 6, by hand"),
        pooled(images(rng, (1, 1, 6, 6)), 2, 2),
        pooled(positive(rng, (1, 1, 6, 6), "float32"), 2, 2),
    ]


def _area_cases(rng: Random) -> list[Case]:
    """One window, whose size is not the stride."""
    by_hand = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    return [
        pooled(by_hand, 3, 2, np.array([[[[5.0]]]]), "1, 2, …, 9, by hand"),
        pooled(positive(rng, (1, 1, 5, 5)), 5, 3),
        pooled(positive(rng, (1, 1, 4, 4), "float32"), 4, 1),
    ]


def avg_pool2d(x: np.ndarray, window: int, stride: int) -> np.ndarray:
    """The reference of task (b)."""
    return pool.avg_pool2d(x, window, stride=stride)


def _divided_by_stride(x, window, stride):
    return avg_pool2d(x, window, stride) * x.dtype.type((window / stride) ** 2)


def _divided_by_side(x, window, stride):
    return avg_pool2d(x, window, stride) * window


def _divided_by_plane(x, window, stride):
    return avg_pool2d(x, window, stride) * x.dtype.type(window**2 / (x.shape[2] * x.shape[3]))


def _sum(x, window, stride):
    return avg_pool2d(x, window, stride) * window**2


def _float64(x, window, stride):
    return avg_pool2d(x, window, stride).astype(np.float64)


_B = {
    "values": "windows that touch",
    "area": "divided by how many numbers a window has",
    "stride": "a stride that is not the window",
    "floor": "what does not fit is dropped",
    "non-square": "planes that are not square",
    "channels": "each channel by itself",
    "batch": "every image of the batch",
    "together": "everything together",
    "dtype": "float32 stays float32",
}
_STEPS = ("values", "stride", "floor", "non-square", "together")

AVG_POOL = Task(
    "b",
    "average pooling",
    "avg_pool2d",
    avg_pool2d,
    parts=(
        Part(_B["values"], 2, _value_cases, judge_array, hint=2),
        Part(_B["area"], 1, _area_cases, judge_array, hint=3),
        Part(_B["stride"], 2, common.stride_cases, judge_array, hint=2),
        Part(_B["floor"], 1, common.floor_cases, judge_array, hint=1),
        Part(_B["non-square"], 1, common.non_square_cases, judge_array, hint=1),
        Part(_B["channels"], 1, common.channel_cases, judge_array, hint=3),
        Part(_B["batch"], 1, common.batch_cases, judge_array, hint=3),
        Part(_B["together"], 1, common.together_cases, judge_array),
        Part(_B["dtype"], 1, common.dtype_cases, judge_dtype),
    ),
    misconceptions=(
        Misconception(
            "the sum in place of the average",
            _sum,
            "The average is the sum divided by how many numbers were added, F · F.",
            AVERAGE,
            frozenset(_B.values()),
        ),
        Misconception(
            "divided by F",
            _divided_by_side,
            "F is one side of the window. The window holds F · F numbers, and the sum is divided by that.",
            AVERAGE,
            frozenset(_B.values()),
        ),
        Misconception(
            "divided by S · S",
            _divided_by_stride,
            "The stride says how far the window moves, not how much it holds. It holds F · F numbers; only where the windows "
            "touch are the two the same.",
            AVERAGE,
            lost(_B, "area", "stride", "together"),
        ),
        Misconception(
            "divided by the whole plane",
            _divided_by_plane,
            "Each output is the average of its own window, F · F numbers. H · W belongs to global average pooling, where the "
            "window is the plane.",
            AVERAGE,
            lost(_B, *_STEPS),
        ),
        Misconception(
            "the window steps by its own size",
            common.step_of_a_window(np.mean),
            "The stride says how far the window moves, and it need not be the window's size: 3 × 3 windows at stride 2 "
            "share a row or a column.",
            OVERLAP,
            lost(_B, "stride", "together"),
        ),
        Misconception(
            "the window steps by one",
            common.step_of_one(np.mean),
            "Output (i, j) belongs to the window that starts at row i · S, column j · S, not at (i, j).",
            MAXIMUM,
            lost(_B, *_STEPS),
        ),
        Misconception(
            "the stride moves along one axis only",
            common.step_on_rows_only(np.mean),
            "The window steps by S in both directions: output column j starts at column j · S.",
            MAXIMUM,
            lost(_B, *_STEPS),
        ),
        Misconception(
            "the rest at the edge makes a window",
            common.edge_counts(np.mean),
            "Only whole windows count here. What is left over at the far edge goes unread: the division rounds down.",
            FORMULA,
            lost(_B, "floor", "together"),
        ),
        Misconception(
            "height and width are swapped",
            common.swapped(np.mean),
            "Axis 2 is the height and counts rows, axis 3 is the width and counts columns, in the result too.",
            MAXIMUM,
            lost(_B, *_STEPS),
        ),
        Misconception(
            "channels are pooled together",
            common.one_map(np.mean),
            "A pooling window stays in its channel. As many channels come out as went in.",
            DEPTH,
            lost(_B, "channels", "together"),
        ),
        Misconception(
            "only the first image is pooled",
            common.first_image(np.mean),
            "Axis 0 counts the images of the batch, and each gets its own maps.",
            DEPTH,
            lost(_B, "batch", "together"),
        ),
        Misconception("NumPy's default type", _float64, DEFAULT_TYPE, AVERAGE, lost(_B, "dtype")),
    ),
)
