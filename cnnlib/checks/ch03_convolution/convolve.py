"""Task (b): the convolution of mathematics, at three sizes named as in SciPy."""

from typing import Any

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch03_convolution.common import MAP, NAME, PADDING, alike, correlate, typed
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost
from cnnlib.checks.judges import judge_array, judge_dtype

_DOT = np.zeros((5, 5))
_DOT[2, 2] = 1
_COUNTING = np.arange(1.0, 10).reshape(3, 3)
_ROW, _PAIR = np.array([[1.0, 2, 4]]), np.array([[1.0, 10]])


def _case(
    image: np.ndarray, kernel: np.ndarray, mode: str = "", right: Any = None, note: str = ""
) -> Case:
    expected = None if right is None else np.array(right, dtype=np.float64)
    settings = {"mode": mode} if mode else {}
    return Case({"image": image, "kernel": kernel}, settings, expected=expected, note=note)


def _flip_cases(rng: Random) -> list[Case]:
    return [
        _case(_DOT, _COUNTING, "valid", _COUNTING, "a dot"),
        _case(images(rng, (5, 5)), images(rng, (3, 3)), "valid"),
        _case(images(rng, (4, 4)), images(rng, (2, 2)), "valid"),
    ]


def _full_cases(rng: Random) -> list[Case]:
    ones = np.ones((2, 2))
    return [
        _case(ones, ones, "full", [[1, 2, 1], [2, 4, 2], [1, 2, 1]], "by hand"),
        _case(images(rng, (4, 4)), alike(rng, 3, 3), "full"),
        _case(images(rng, (3, 3)), alike(rng, 4, 4), "full", note="a kernel wider than the image"),
        _case(images(rng, (5, 5), "float32"), alike(rng, 2, 2, dtype="float32")),
    ]


def _same_cases(rng: Random) -> list[Case]:
    return [
        _case(images(rng, (5, 5)), alike(rng, 3, 3), "same"),
        _case(images(rng, (6, 6), "float32"), alike(rng, 5, 5, dtype="float32"), "same"),
        _case(images(rng, (4, 4)), alike(rng, 1, 1), "same"),
        _case(images(rng, (3, 3)), alike(rng, 5, 5), "same", note="a kernel wider than the image"),
    ]


def _non_square_cases(rng: Random) -> list[Case]:
    return [
        _case(images(rng, (4, 7)), alike(rng, 1, 3), "full"),
        _case(images(rng, (7, 5), "float32"), alike(rng, 3, 1, dtype="float32"), "same"),
        _case(images(rng, (6, 5)), alike(rng, 3, 5), "same"),
    ]


def _together_cases(rng: Random) -> list[Case]:
    return [
        _case(_ROW, _PAIR, "full", [[1, 12, 24, 40]], "by hand"),
        *(
            _case(images(rng, (6, 7), dtype), images(rng, size, dtype), mode)
            for mode, size, dtype in (
                ("full", (4, 2), "float64"),
                ("same", (3, 5), "float32"),
                ("valid", (2, 4), "float64"),
            )
        ),
    ]


def _dtype_cases(rng: Random) -> list[Case]:
    return [
        _case(images(rng, (3, 3), dtype), images(rng, (1, 1), dtype), "valid")
        for dtype in ("float32", "float64")
    ]


def _frame(image, before, after):
    return np.pad(image, ((before[0], after[0]), (before[1], after[1])))


def _full(image, kernel):
    edge = [n - 1 for n in kernel.shape]
    return correlate(_frame(image, edge, edge), kernel)


def _cut(full, image, kernel, mode, before):
    """The part of the full result that a mode asks for; "same" starts after `before` of each axis."""
    if mode == "full":
        return full
    size = image.shape
    start = [before(n) for n in kernel.shape]
    if mode == "valid":
        start = [n - 1 for n in kernel.shape]
        size = [s - n + 1 for s, n in zip(size, kernel.shape, strict=True)]
    return full[start[0] : start[0] + size[0], start[1] : start[1] + size[1]]


def _middle(n: int) -> int:
    return (n - 1) // 2


def convolve2d(image, kernel, *, mode="full"):
    """The reference of task (b), with the sizes and the centre of ``scipy.signal.convolve2d``."""
    return _cut(_full(image, kernel[::-1, ::-1]), image, kernel, mode, _middle)


@typed
def _not_flipped(image, kernel, *, mode="full"):
    return convolve2d(image, kernel[::-1, ::-1], mode=mode)


@typed
def _rows_flipped(image, kernel, *, mode="full"):
    return convolve2d(image, kernel[:, ::-1], mode=mode)


@typed
def _columns_flipped(image, kernel, *, mode="full"):
    return convolve2d(image, kernel[::-1], mode=mode)


@typed
def _transposed(image, kernel, *, mode="full"):
    return convolve2d(image, kernel.T[::-1, ::-1], mode=mode)


@typed
def _turned_by_a_quarter(image, kernel, *, mode="full"):
    return convolve2d(image, np.rot90(kernel)[::-1, ::-1], mode=mode)


@typed
def _frame_too_wide(image, kernel, *, mode="full"):
    if mode == "full":
        return correlate(_frame(image, kernel.shape, kernel.shape), kernel[::-1, ::-1])
    return convolve2d(image, kernel, mode=mode)


@typed
def _half_a_frame(image, kernel, *, mode="full"):
    if mode == "full":
        half = [n // 2 for n in kernel.shape]
        return correlate(_frame(image, half, half), kernel[::-1, ::-1])
    return convolve2d(image, kernel, mode=mode)


@typed
def _same_from_the_corner(image, kernel, *, mode="full"):
    return _cut(_full(image, kernel[::-1, ::-1]), image, kernel, mode, before=lambda n: 0)


@typed
def _cut_to_minus_zero(image, kernel, *, mode="full"):
    if mode == "same":
        top, left = (_middle(n) for n in kernel.shape)
        return _full(image, kernel[::-1, ::-1])[top:-top, left:-left]
    return convolve2d(image, kernel, mode=mode)


@typed
def _axes_of_the_frame_swapped(image, kernel, *, mode="full"):
    if mode == "valid":
        return convolve2d(image, kernel, mode=mode)
    edge = [n - 1 for n in kernel.shape[::-1]]
    full = correlate(_frame(image, edge, edge), kernel[::-1, ::-1])
    return _cut(full, image, kernel, mode, _middle)


def _always_float64(image, kernel, *, mode="full"):
    return convolve2d(image, kernel, mode=mode)


_B = {
    "flip": "the kernel is flipped on both axes (valid)",
    "full": "full: every overlap",
    "same": "same: the middle part",
    "non-square": "images and kernels that are not square",
    "together": "everything together",
    "dtype": "float32 stays float32",
}

CONVOLVE2D = Task(
    "b",
    "true convolution",
    "convolve2d",
    convolve2d,
    parts=(
        Part(_B["flip"], 2, _flip_cases, judge_array, hint=1),
        Part(_B["full"], 2, _full_cases, judge_array, hint=2),
        Part(_B["same"], 2, _same_cases, judge_array, hint=3),
        Part(_B["non-square"], 1, _non_square_cases, judge_array, hint=2),
        Part(_B["together"], 1, _together_cases, judge_array),
        Part(_B["dtype"], 1, _dtype_cases, judge_dtype),
    ),
    misconceptions=(
        Misconception(
            "the kernel is not flipped",
            _not_flipped,
            "That is the correlation of a CONV layer. A convolution flips the kernel first, so that a single "
            "dot gives the kernel back as it is.",
            NAME,
            lost(_B, "flip", "together"),
        ),
        Misconception(
            "only the columns change their order",
            _rows_flipped,
            "The kernel is flipped on both axes: the last row comes first, and the last column comes first.",
            NAME,
            lost(_B, "flip", "together"),
        ),
        Misconception(
            "only the rows change their order",
            _columns_flipped,
            "The kernel is flipped on both axes: `kernel[::-1]` turns the rows around and leaves each row as "
            "it is.",
            NAME,
            lost(_B, "flip", "together"),
        ),
        Misconception(
            "the kernel is transposed, not flipped",
            _transposed,
            "Transposing mirrors in the diagonal and leaves the first weight where it is. Flipping both axes "
            "turns the kernel by half a circle: its first weight becomes the last.",
            NAME,
            lost(_B, "flip", "non-square", "together"),
        ),
        Misconception(
            "the kernel is turned by a quarter",
            _turned_by_a_quarter,
            "Flipping two axes is half a turn, so one `np.rot90` is only half of the way.",
            NAME,
            lost(_B, "flip", "non-square", "together"),
        ),
        Misconception(
            "the frame for full is one too wide",
            _frame_too_wide,
            "The outermost window still covers one pixel of the image, so the frame is F − 1 wide on each "
            "side. With F zeros there are windows that see nothing but zeros.",
            PADDING,
            lost(_B, "full", "non-square", "together"),
        ),
        Misconception(
            "the frame for full is half a kernel",
            _half_a_frame,
            "A frame of half a kernel keeps the size. Full wants every overlap, down to one pixel, and that "
            "needs F − 1 zeros on each side.",
            PADDING,
            lost(_B, "full", "non-square", "together"),
        ),
        Misconception(
            "a slice that ends at minus zero",
            _cut_to_minus_zero,
            "`full[p:-p]` cuts p numbers from each end, but with p = 0 it reads `full[0:0]` and is empty. Let the "
            "slice end at p plus the size of the image.",
            PADDING,
            lost(_B, "same", "non-square"),
        ),
        Misconception(
            "same is cut from the corner",
            _same_from_the_corner,
            "Same is the middle part of the full result: (F − 1) / 2 rows and columns are cut before it.",
            PADDING,
            lost(_B, "same", "non-square", "together"),
        ),
        Misconception(
            "height and width of the frame are exchanged",
            _axes_of_the_frame_swapped,
            "The rows above and below come from the kernel's height, the columns on the left and right from its "
            "width.",
            PADDING,
            lost(_B, "non-square", "together"),
        ),
        Misconception(
            "NumPy's default type",
            _always_float64,
            "`np.zeros` makes float64 unless it is told otherwise; `dtype=image.dtype` tells it.",
            MAP,
            lost(_B, "dtype"),
        ),
    ),
)
