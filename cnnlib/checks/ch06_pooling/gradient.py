"""Task (c): the gradient of max pooling, with ties and overlapping windows."""

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch06_pooling import wrong_gradients as wrong
from cnnlib.checks.ch06_pooling.common import (
    DEFAULT_TYPE,
    DEPTH,
    GRADIENT,
    MAXIMUM,
    PLANE,
    counts,
    positive,
)
from cnnlib.checks.ch06_pooling.wrong_gradients import max_pool2d_backward
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost, whole
from cnnlib.checks.judges import judge_array, judge_dtype


def _case(
    dout: np.ndarray,
    x: np.ndarray,
    window: int,
    stride: int,
    right: np.ndarray | None = None,
    note: str = "",
) -> Case:
    arguments = {"dout": dout, "x": x, "window": window, "stride": stride}
    return Case(arguments, expected=right, note=note)


def _drawn(rng: Random, x: np.ndarray, window: int, stride: int, note: str = "") -> Case:
    """Gradients of either sign for the pooling of `x`."""
    shape = (*x.shape[:2], *counts(x, window, stride))
    return _case(images(rng, shape, x.dtype.name), x, window, stride, note=note)


def _plane(*rows: list[int]) -> np.ndarray:
    return np.array(rows, dtype=np.float64)[None, None]


def _with_peak(rng: Random, x: np.ndarray, row: int, column: int) -> np.ndarray:
    """`x` with a largest number at one place of every plane, which wins all windows that see it."""
    x = x.copy()
    x[:, :, row, column] = rng.uniform(5.0, 6.0)
    return x


def _small_integers(rng: Random, shape: tuple[int, ...], dtype: str = "float64") -> np.ndarray:
    """Whole numbers from 0 to 2, so that nearly every window has a tie."""
    return rng.integers(0, 3, shape).astype(dtype)


def _winner_cases(rng: Random) -> list[Case]:
    x = _plane([1, 5, 3, 7], [2, 4, 6, 8], [16, 9, 11, 10], [15, 12, 13, 14])
    right = _plane([0, 10, 0, 0], [0, 0, 0, 20], [30, 0, 0, 0], [0, 0, 0, 40])
    return [
        _case(_plane([10, 20], [30, 40]), x, 2, 2, right, "the numbers 1 to 16, by hand"),
        _drawn(rng, images(rng, (1, 1, 6, 6)), 2, 2),
        _drawn(rng, images(rng, (1, 1, 6, 6), "float32"), 3, 3),
    ]


def _tie_cases(rng: Random) -> list[Case]:
    """Equal numbers in one window, and in two."""
    dout = _plane([10, 20], [30, 40])
    right = _plane([0, 10, 0, 0], [0, 0, 20, 0], [30, 0, 0, 0], [0, 0, 0, 40])
    value = float(whole(rng, 1, 9))
    return [
        _case(
            _plane([5]),
            _plane([0, 4], [4, 0]),
            2,
            2,
            _plane([0, 5], [0, 0]),
            "rows 0 4 and 4 0, by hand",
        ),
        _case(
            _plane([3]),
            np.zeros((1, 1, 2, 2)),
            2,
            2,
            _plane([3, 0], [0, 0]),
            "all zeros, by hand",
        ),
        _case(dout, PLANE, 2, 2, right, "the plane of chapter 6 with its two nines, by hand"),
        _drawn(rng, np.full((1, 1, 4, 4), value), 2, 2, "all equal"),
        _drawn(rng, _plane([0, 0, 0], [0, 0, 7], [0, 7, 7]).astype("float32"), 3, 3),
    ]


def _overlap_cases(rng: Random) -> list[Case]:
    return [
        _case(
            _plane([3, 5]),
            _plane([2, 7, 1], [0, 3, 4]),
            2,
            1,
            _plane([0, 8, 0], [0, 0, 0]),
            "rows 2 7 1 and 0 3 4, by hand",
        ),
        _drawn(rng, _with_peak(rng, images(rng, (1, 1, 5, 5)), 2, 2), 3, 2),
        _drawn(rng, _with_peak(rng, images(rng, (1, 1, 4, 4), "float32"), 1, 2), 2, 1),
    ]


def _unseen_cases(rng: Random) -> list[Case]:
    """Pixels that belong to no window: at the far edge, or in the gaps. They hold the largest numbers."""
    edge, gaps = images(rng, (1, 1, 5, 5)), images(rng, (1, 1, 5, 5), "float32")
    edge[:, :, 4], edge[:, :, :, 4] = 9, 8
    gaps[:, :, 2], gaps[:, :, :, 2] = 9, 8
    return [
        _drawn(rng, edge, 2, 2, "one row and column left over"),
        _drawn(rng, gaps, 2, 3, "with gaps"),
    ]


def _volume_cases(rng: Random) -> list[Case]:
    """One window a plane; the winner is elsewhere in each."""

    def drawn(shape: tuple[int, int, int, int], dtype: str) -> Case:
        n, c, side, _ = shape
        x = positive(rng, (n * c, side * side), dtype)
        x[np.arange(n * c), (np.arange(n * c) + whole(rng, 0, 3)) % (side * side)] += 3
        return _drawn(rng, x.reshape(shape), side, side)

    return [drawn((1, 3, 2, 2), "float64"), drawn((3, 2, 3, 3), "float32")]


def _non_square_cases(rng: Random) -> list[Case]:
    return [
        _drawn(rng, images(rng, (1, 1, 4, 6)), 2, 2),
        _drawn(rng, images(rng, (1, 1, 8, 4), "float32"), 2, 2),
    ]


def _together_cases(rng: Random) -> list[Case]:
    def drawn(shape: tuple[int, ...], window: int, stride: int, dtype: str = "float64") -> Case:
        return _drawn(rng, _small_integers(rng, shape, dtype), window, stride, "with ties")

    return [
        drawn((2, 3, 8, 6), 3, 2),
        drawn((1, 2, 4, 7), 2, 1, "float32"),
        drawn((3, 2, 8, 5), 2, 3),
    ]


def _dtype_cases(rng: Random) -> list[Case]:
    return [
        _case(np.ones((1, 1, 1, 1), dtype), positive(rng, (1, 1, 2, 2), dtype), 2, 2)
        for dtype in ("float32", "float64")
    ]


_C = {
    "winner": "the winner gets the gradient",
    "ties": "ties go to the first, row by row",
    "overlap": "overlapping windows add up",
    "unseen": "pixels that no window sees get 0",
    "volumes": "every channel and image",
    "non-square": "planes that are not square",
    "together": "everything together",
    "dtype": "float32 stays float32",
}

MAX_POOL_BACKWARD = Task(
    "c",
    "the gradient of max pooling",
    "max_pool2d_backward",
    max_pool2d_backward,
    parts=(
        Part(_C["winner"], 2, _winner_cases, judge_array, hint=1),
        Part(_C["ties"], 2, _tie_cases, judge_array, hint=2),
        Part(_C["overlap"], 2, _overlap_cases, judge_array, hint=3),
        Part(_C["unseen"], 1, _unseen_cases, judge_array, hint=1),
        Part(_C["volumes"], 1, _volume_cases, judge_array, hint=1),
        Part(_C["non-square"], 1, _non_square_cases, judge_array, hint=3),
        Part(_C["together"], 1, _together_cases, judge_array),
        Part(_C["dtype"], 1, _dtype_cases, judge_dtype),
    ),
    misconceptions=(
        Misconception(
            "all of the equal ones get the gradient",
            wrong.shared(wrong.all_winners),
            "Then one output would hand out its gradient several times. Of equal numbers only the first gets it, row by row. "
            "`block == block.max()` is True at all of them.",
            GRADIENT,
            lost(_C, "ties", "together"),
        ),
        Misconception(
            "the equal ones share the gradient",
            wrong.shared(wrong.winners_share),
            "Sharing would be possible, but the contract says otherwise, as PyTorch does: the first of equal numbers "
            "gets all of it.",
            GRADIENT,
            lost(_C, "ties", "together"),
        ),
        Misconception(
            "the last of the equal ones wins",
            wrong.winner_by(wrong.last),
            "A search that goes on with `>=` moves to the later one of two equal numbers. With `>` the first one stays.",
            GRADIENT,
            lost(_C, "ties", "together"),
        ),
        Misconception(
            "ties are settled column by column",
            wrong.winner_by(wrong.first_by_columns),
            "First means first as one reads: along the top row, then along the next.",
            GRADIENT,
            lost(_C, "ties", "together"),
        ),
        Misconception(
            "the value is looked for in the whole plane",
            wrong.found_in_the_plane,
            "The same number may stand in another window too, and then the wrong pixel gets the gradient. Look for the winner "
            "inside its window, and remember where the window starts.",
            GRADIENT,
            lost(_C, "ties", "together"),
        ),
        Misconception(
            "the gradient is overwritten",
            wrong.overwritten,
            "A pixel that wins several windows acts on several outputs, and their gradients add up: `+=` in place of `=`.",
            GRADIENT,
            lost(_C, "overlap", "together"),
        ),
        Misconception(
            "everybody in the window gets a share",
            wrong.shared(wrong.everybody_shares),
            "That is the gradient of average pooling. With the maximum, moving a loser a little changes nothing, so it gets 0.",
            GRADIENT,
            frozenset(_C.values()),
        ),
        Misconception(
            "a 1 for the winner, without the gradient from above",
            wrong.slope_alone,
            "The winner's slope is 1, and it is multiplied by what arrives from above, the number in `dout`.",
            GRADIENT,
            lost(_C, "winner", "ties", "overlap", "unseen", "volumes", "non-square", "together"),
        ),
        Misconception(
            "the winner gets its own value",
            wrong.own_value,
            "What goes back is the gradient, `dout`. The value of the winner only said who won.",
            GRADIENT,
            frozenset(_C.values()),
        ),
        Misconception(
            "top and left are exchanged",
            wrong.corners_swapped,
            "The window of output (i, j) starts at row i · S and column j · S: i counts rows, j counts columns.",
            MAXIMUM,
            lost(_C, "winner", "ties", "overlap", "unseen", "non-square", "together"),
        ),
        Misconception(
            "the window steps by one",
            wrong.step_of_one,
            "Output (i, j) came from the window that starts at row i · S, column j · S, not at (i, j).",
            MAXIMUM,
            lost(_C, "winner", "ties", "unseen", "non-square", "together"),
        ),
        Misconception(
            "the first channel decides for all",
            wrong.first_channel_decides,
            "Each channel was pooled by itself, so each has its own winners.",
            DEPTH,
            lost(_C, "volumes", "together"),
        ),
        Misconception(
            "NumPy's default type", wrong.always_float64, DEFAULT_TYPE, GRADIENT, lost(_C, "dtype")
        ),
    ),
)
