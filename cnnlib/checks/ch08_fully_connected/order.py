"""Task (c): weights that were learned behind a channels-last flatten."""

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch08_fully_connected.common import FLATTEN
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost, whole
from cnnlib.checks.judges import judge_array, judge_dtype, judge_shape


def _case(
    theirs: np.ndarray, channels: int, height: int, width: int, right: np.ndarray | None = None
) -> Case:
    sizes = {"channels": channels, "height": height, "width": width}
    note = "" if right is None else "by hand"
    return Case({"theirs": theirs, **sizes}, expected=right, note=note)


def _drawn(
    rng: Random, channels: int, height: int, width: int, neurons: int, dtype: str = "float64"
) -> Case:
    theirs = images(rng, (channels * height * width, neurons), dtype)
    return _case(theirs, channels, height, width)


def _shape_cases(rng: Random) -> list[Case]:
    return [_drawn(rng, 2, 3, 3, 5), _drawn(rng, 3, 2, 2, 4, "float32")]


def _one_channel_cases(rng: Random) -> list[Case]:
    worked = np.array([[1.0, 5.0], [2.0, 6.0], [3.0, 7.0], [4.0, 8.0]])
    return [
        _case(worked, 1, 2, 2, np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]])),
        _drawn(rng, 1, 3, 3, whole(rng, 2, 4), "float32"),
    ]


def _channel_cases(rng: Random) -> list[Case]:
    worked = np.array([[0.0, 4.0, 1.0, 5.0, 2.0, 6.0, 3.0, 7.0]]).T
    return [
        _case(worked, 2, 2, 2, np.arange(8.0)[None]),
        _drawn(rng, 3, 2, 2, 1),
        _drawn(rng, whole(rng, 4, 6), 3, 3, 1, "float32"),
    ]


def _non_square_cases(rng: Random) -> list[Case]:
    return [_drawn(rng, 2, 2, 3, 1), _drawn(rng, 3, whole(rng, 4, 5), 2, 1, "float32")]


def _neuron_cases(rng: Random) -> list[Case]:
    return [_drawn(rng, 2, 3, 3, whole(rng, 3, 5)), _drawn(rng, 3, 2, 2, 2, "float32")]


def _dtype_cases(rng: Random) -> list[Case]:
    return [_drawn(rng, 1, 2, 2, 1, dtype) for dtype in ("float32", "float64")]


def from_channels_last(theirs: np.ndarray, channels: int, height: int, width: int) -> np.ndarray:
    """The reference."""
    pixels = theirs.T.reshape(-1, height, width, channels)
    return pixels.transpose(0, 3, 1, 2).reshape(theirs.shape[::-1])


def _only_transposed(theirs, channels, height, width):
    return theirs.T


def _not_transposed(theirs, channels, height, width):
    return from_channels_last(theirs, channels, height, width).T


def _reshaped(theirs, channels, height, width):
    return from_channels_last(theirs.reshape(theirs.shape[::-1]).T, channels, height, width)


def _other_way(theirs, channels, height, width):
    maps = theirs.T.reshape(-1, channels, height, width)
    return maps.transpose(0, 2, 3, 1).reshape(theirs.shape[::-1])


def _maps_turned(theirs, channels, height, width):
    pixels = theirs.T.reshape(-1, height, width, channels)
    return pixels.transpose(0, 3, 2, 1).reshape(theirs.shape[::-1])


def _height_for_both(theirs, channels, height, width):
    return from_channels_last(theirs, channels, height, height)


def _float64(theirs, channels, height, width):
    return from_channels_last(theirs, channels, height, width).astype(np.float64)


_P = {
    "shape": "the shape (K, D)",
    "one": "one channel: rows become columns",
    "channels": "several channels: the inputs change places",
    "non-square": "maps that are not square",
    "neurons": "several neurons",
    "dtype": "float32 stays float32",
}

FROM_CHANNELS_LAST = Task(
    "c",
    "weights from a channels-last library",
    "from_channels_last",
    from_channels_last,
    parts=(
        Part(_P["shape"], 1, _shape_cases, judge_shape, hint=1),
        Part(_P["one"], 1, _one_channel_cases, judge_array, hint=1),
        Part(_P["channels"], 2, _channel_cases, judge_array, hint=2),
        Part(_P["non-square"], 1, _non_square_cases, judge_array, hint=2),
        Part(_P["neurons"], 1, _neuron_cases, judge_array, hint=3),
        Part(_P["dtype"], 1, _dtype_cases, judge_dtype, hint=3),
    ),
    misconceptions=(
        Misconception(
            "only transposed",
            _only_transposed,
            "The shape is right, and no error is raised. But their inputs come pixel by pixel and ours channel "
            "by channel, so the columns have to change places as well.",
            FLATTEN,
            lost(_P, "channels", "non-square", "neurons"),
        ),
        Misconception(
            "the matrix is not transposed",
            _not_transposed,
            "Theirs has a *column* for each neuron, (D, K). Ours has a row for each, (K, D).",
            FLATTEN,
            frozenset(_P.values()),
        ),
        Misconception(
            "reshape in place of a transposition",
            _reshaped,
            "`reshape` keeps the order of the numbers and only breaks the lines elsewhere, so weights of "
            "different neurons are mixed. With one neuron that does not show.",
            FLATTEN,
            lost(_P, "one", "neurons"),
        ),
        Misconception(
            "reordered in the other direction",
            _other_way,
            "You read their row as if it were channel by channel, and wrote it pixel by pixel. Their order is "
            "pixel by pixel: a row cut by `reshape` is (height, width, channels).",
            FLATTEN,
            lost(_P, "channels", "non-square", "neurons"),
        ),
        Misconception(
            "the maps are turned as well",
            _maps_turned,
            "Only the channels move, from the last place to the first. Height stays before width: both "
            "libraries write the rows of a map one after another.",
            FLATTEN,
            lost(_P, "one", "channels", "non-square", "neurons", "dtype"),
        ),
        Misconception(
            "the height is used for both axes",
            _height_for_both,
            "A map has height × width positions, and they need not be equal.",
            FLATTEN,
            lost(_P, "non-square"),
        ),
        Misconception(
            "NumPy's default type",
            _float64,
            "`np.zeros` makes float64 unless it is told otherwise; `dtype=theirs.dtype` tells it.",
            FLATTEN,
            lost(_P, "dtype"),
        ),
    ),
)
