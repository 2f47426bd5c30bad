"""Task (a): a correlation by loops, for one channel and one kernel."""

from typing import Any

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch03_convolution.common import (
    FILTER,
    FORMULA,
    MAP,
    NAME,
    PADDING,
    alike,
    correlate,
    typed,
)
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost
from cnnlib.checks.judges import judge_array, judge_dtype, judge_shape

_GREEN = np.array([[1.0, 2, 0], [3, 1, 1], [0, 2, 2]])
_PLUS = np.array([[0.0, 1, 0], [1, 1, 1], [0, 1, 0]])
_SMALL = np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])
_SIDEWAYS = np.array([[1.0, 10], [100, 1000]])


def _case(image: np.ndarray, kernel: np.ndarray, right: Any = None, note: str = "") -> Case:
    expected = None if right is None else np.array(right, dtype=np.float64)
    return Case({"image": image, "kernel": kernel}, expected=expected, note=note)


def _one_window_cases(rng: Random) -> list[Case]:
    return [
        _case(_GREEN, _PLUS, [[9]], "by hand"),
        _case(images(rng, (2, 2)), alike(rng, 2, 2)),
        _case(images(rng, (4, 4), "float32"), alike(rng, 4, 4, dtype="float32")),
    ]


def _size_cases(rng: Random) -> list[Case]:
    return [
        _case(images(rng, (5, 5)), alike(rng, 3, 3)),
        _case(images(rng, (6, 6)), alike(rng, 2, 2)),
        _case(images(rng, (3, 3)), alike(rng, 1, 1)),
    ]


def _everywhere_cases(rng: Random) -> list[Case]:
    return [
        _case(_SMALL, np.ones((2, 2)), [[12, 16], [24, 28]], "by hand"),
        _case(images(rng, (5, 5)), alike(rng, 3, 3)),
        _case(images(rng, (6, 6), "float32"), alike(rng, 2, 2, dtype="float32")),
    ]


def _orientation_cases(rng: Random) -> list[Case]:
    return [
        _case(_SMALL, _SIDEWAYS, [[5421, 6532], [8754, 9865]], "by hand"),
        _case(images(rng, (5, 5)), images(rng, (3, 3))),
        _case(images(rng, (4, 4)), images(rng, (2, 2))),
    ]


def _non_square_cases(rng: Random) -> list[Case]:
    return [
        _case(images(rng, (4, 7)), alike(rng, 3, 3)),
        _case(images(rng, (4, 7)), alike(rng, 2, 3)),
        _case(images(rng, (8, 3), "float32"), alike(rng, 3, 1, dtype="float32")),
    ]


def _dtype_cases(rng: Random) -> list[Case]:
    return [
        _case(images(rng, (3, 3), dtype), images(rng, (1, 1), dtype))
        for dtype in ("float32", "float64")
    ]


def _slide(image, kernel, one):
    """Call `one` on each window."""
    rows, columns = kernel.shape
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(np.float64), (rows, columns))
    return np.array([[one(window) for window in line] for line in windows])


@typed
def _flipped(image, kernel):
    return correlate(image, kernel[::-1, ::-1])


@typed
def _transposed(image, kernel):
    return correlate(image, kernel.T)


@typed
def _last_left_out(image, kernel):
    return correlate(image, kernel)[:-1, :-1]


@typed
def _matrix_product(image, kernel):
    return _slide(image, kernel, lambda window: (window @ kernel).sum())


@typed
def _mean(image, kernel):
    return correlate(image, kernel) / kernel.size


@typed
def _framed(image, kernel):
    (top, left), (rows, columns) = ((n - 1) // 2 for n in kernel.shape), kernel.shape
    return correlate(np.pad(image, ((top, rows - 1 - top), (left, columns - 1 - left))), kernel)


@typed
def _tiles(image, kernel):
    """The right size, but each window starts where the one before ends, as far as the image goes."""
    right, (rows, columns) = correlate(image, kernel), kernel.shape
    out = np.zeros_like(right)
    jumped = right[::rows, ::columns]
    out[: jumped.shape[0], : jumped.shape[1]] = jumped
    return out


@typed
def _last_row_only(image, kernel):
    """The sum is set to zero for each row of the kernel, so only the last row counts."""
    rows = kernel.shape[0]
    return correlate(image[rows - 1 :], kernel[-1:])


@typed
def _height_for_both(image, kernel):
    rows, columns = kernel.shape
    height, width = (image.shape[0] - side + 1 for side in kernel.shape)
    out = np.zeros((height, width))
    for i, j in np.ndindex(height, width):
        out[i, j] = np.sum(image[i : i + rows, j : j + columns] * kernel)
    return out


def _always_float64(image, kernel):
    return correlate(image, kernel)


_A = {
    "one": "one window, one number",
    "size": "the shape of the map",
    "everywhere": "every place of the image",
    "orientation": "the kernel lies as it is",
    "non-square": "images and kernels that are not square",
    "dtype": "float32 stays float32",
}

CORRELATE2D = Task(
    "a",
    "correlation by loops",
    "correlate2d",
    correlate,
    parts=(
        Part(_A["one"], 2, _one_window_cases, judge_array, hint=1),
        Part(_A["size"], 1, _size_cases, judge_shape, hint=2),
        Part(_A["everywhere"], 2, _everywhere_cases, judge_array, hint=2),
        Part(_A["orientation"], 1, _orientation_cases, judge_array, hint=1),
        Part(_A["non-square"], 1, _non_square_cases, judge_array, hint=2),
        Part(_A["dtype"], 1, _dtype_cases, judge_dtype, hint=3),
    ),
    misconceptions=(
        Misconception(
            "the kernel is flipped",
            _flipped,
            "That is what mathematics calls a convolution, and task (b) asks for it. A correlation lays the "
            "kernel on the window as it is: top left on top left.",
            NAME,
            lost(_A, "orientation"),
        ),
        Misconception(
            "the kernel is transposed",
            _transposed,
            "Row a, column b of the kernel lies on row a, column b of the window. Look for a place where "
            "the two indices have changed their order.",
            FILTER,
            lost(_A, "orientation", "non-square"),
        ),
        Misconception(
            "the last row and the last column are left out",
            _last_left_out,
            "H − F counts the steps of the window. It stands in one place more than it takes steps, "
            "so there are H − F + 1 rows.",
            FORMULA,
            frozenset(_A.values()),
        ),
        Misconception(
            "a matrix product in place of products",
            _matrix_product,
            "The operator `@` combines rows with columns. A filter multiplies each value by the weight that "
            "lies on it, which is `*`, and then adds everything up.",
            FILTER,
            lost(_A, "one", "everywhere", "orientation", "non-square"),
        ),
        Misconception(
            "the products are averaged",
            _mean,
            "The products are added, not averaged. A kernel that should average has that in its weights: "
            "they add up to 1.",
            FILTER,
            lost(_A, "one", "everywhere", "orientation", "non-square"),
        ),
        Misconception(
            "a frame of zeros is added",
            _framed,
            "Here the window stays inside the image, so the map is smaller than the image. Padding, which "
            "keeps the size, is the business of chapter 4.",
            PADDING,
            lost(_A, "one", "size", "everywhere", "orientation", "non-square"),
        ),
        Misconception(
            "the window jumps by its own size",
            _tiles,
            "Neighbouring windows overlap: the window moves on by one pixel, not by the size of the kernel.",
            MAP,
            lost(_A, "everywhere", "orientation", "non-square"),
        ),
        Misconception(
            "only the last row of the kernel counts",
            _last_row_only,
            "The sum has to start at zero once for each window. If it is set to zero inside the loop over the "
            "kernel's rows, only the last row is left at the end.",
            FILTER,
            lost(_A, "one", "everywhere", "orientation", "non-square"),
        ),
        Misconception(
            "the height is used for both axes",
            _height_for_both,
            "Rows and columns are counted apart: H − F_h + 1 rows, W − F_w + 1 columns. `image.shape[0]` is H, "
            "`image.shape[1]` is W.",
            FORMULA,
            lost(_A, "non-square"),
        ),
        Misconception(
            "NumPy's default type",
            _always_float64,
            "`np.zeros` makes float64 unless it is told otherwise; `dtype=image.dtype` tells it.",
            MAP,
            lost(_A, "dtype"),
        ),
    ),
)
