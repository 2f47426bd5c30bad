"""Task (b): the weights of a strided CONV that averages and mixes channels."""

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch07_pool_or_conv.common import AVERAGE
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost, whole
from cnnlib.checks.judges import judge_array, judge_dtype, judge_shape


def _case(
    mix: np.ndarray, height: int, width: int, right: np.ndarray | None = None, note: str = ""
) -> Case:
    return Case({"mix": mix, "height": height, "width": width}, expected=right, note=note)


def _one(dtype: str = "float64") -> np.ndarray:
    return np.ones((1, 1), dtype)


def _shape_cases(rng: Random) -> list[Case]:
    return [
        _case(images(rng, (3, 2)), 2, 2),
        _case(images(rng, (1, 4), "float32"), 3, 3),
        _case(np.eye(3), 2, 2),
    ]


def _one_channel_cases(rng: Random) -> list[Case]:
    side = whole(rng, 4, 30)
    return [
        _case(_one(), 2, 2, np.full((1, 1, 2, 2), 1 / 4), "by hand"),
        _case(_one("float32"), 3, 3),
        _case(_one(), side, side),
    ]


def _apart_cases(rng: Random) -> list[Case]:
    return [
        _case(np.eye(3), 2, 2, note="average pooling"),
        _case(np.eye(whole(rng, 4, 30), dtype="float32"), 3, 3, note="average pooling"),
    ]


def _non_square_cases(rng: Random) -> list[Case]:
    return [
        _case(_one(), 2, 3, np.full((1, 1, 2, 3), 1 / 6), "by hand"),
        _case(_one(), whole(rng, 4, 20), 1),
        _case(_one("float32"), 1, whole(rng, 2, 20)),
    ]


def _mixed_cases(rng: Random) -> list[Case]:
    worked = np.array([[[[1.0]], [[-2.0]]]]) * np.ones((1, 2, 2, 2))
    return [
        _case(np.array([[4.0, -8.0]]), 2, 2, worked, "by hand"),
        _case(images(rng, (3, 2)), 2, 2),
        _case(images(rng, (2, 5), "float32"), 3, 3),
        _case(images(rng, (3, 3)), 2, 2),
    ]


def _dtype_cases(rng: Random) -> list[Case]:
    return [_case(_one("float32"), 2, 2), _case(_one("float64"), 3, 3)]


def averaging_weight(mix: np.ndarray, height: int, width: int) -> np.ndarray:
    """The reference, in float64."""
    one_pixel = mix.astype(np.float64)[:, :, None, None] / (height * width)
    return np.tile(one_pixel, (1, 1, height, width))


def _sum(mix, height, width):
    return np.tile(mix[:, :, None, None], (1, 1, height, width))


def _one_side(mix, height, width):
    return _sum(mix, height, width) / np.array(height, mix.dtype)


def _all_channels(mix, height, width):
    return averaging_weight(np.ones_like(mix), height, width).astype(mix.dtype)


def _own_channel_only(mix, height, width):
    return averaging_weight(np.eye(*mix.shape), height, width).astype(mix.dtype)


def _over_channels_too(mix, height, width):
    return (averaging_weight(mix, height, width) / mix.shape[1]).astype(mix.dtype)


def _transposed(mix, height, width):
    return averaging_weight(mix.T, height, width).astype(mix.dtype)


def _swapped(mix, height, width):
    return averaging_weight(mix, width, height).astype(mix.dtype)


def _corner(mix, height, width):
    out = np.zeros((*mix.shape, height, width), mix.dtype)
    out[:, :, 0, 0] = mix
    return out


_P = {
    "shape": "the shape",
    "one": "one channel: the weights of an average",
    "apart": "average pooling: channels stay apart",
    "non-square": "windows that are not square",
    "mixed": "channels mixed after the average",
    "dtype": "float32 stays float32",
}

AVERAGING = Task(
    "b",
    "a CONV that averages",
    "averaging_weight",
    averaging_weight,
    parts=(
        Part(_P["shape"], 1, _shape_cases, judge_shape, hint=2),
        Part(_P["one"], 2, _one_channel_cases, judge_array, hint=1),
        Part(_P["apart"], 2, _apart_cases, judge_array, hint=2),
        Part(_P["non-square"], 1, _non_square_cases, judge_array, hint=1),
        Part(_P["mixed"], 2, _mixed_cases, judge_array, hint=2),
        Part(_P["dtype"], 1, _dtype_cases, judge_dtype, hint=3),
    ),
    misconceptions=(
        Misconception(
            "a sum in place of an average",
            _sum,
            "An average divides the sum by the number of pixels in the window, so each weight carries its "
            "share of that division.",
            AVERAGE,
            lost(_P, "one", "apart", "non-square", "mixed", "dtype"),
        ),
        Misconception(
            "divided by the height alone",
            _one_side,
            "A window of height × width pixels holds their product, and that is what the sum is divided by.",
            AVERAGE,
            lost(_P, "one", "apart", "non-square", "mixed", "dtype"),
        ),
        Misconception(
            "only the top left pixel is read",
            _corner,
            "That CONV picks one pixel of each window. In an average every pixel has the same weight.",
            AVERAGE,
            lost(_P, "one", "apart", "non-square", "mixed", "dtype"),
        ),
        Misconception(
            "every filter averages all channels",
            _all_channels,
            "How much filter k takes from channel c stands in `mix[k, c]`. In average pooling `mix` is the "
            "identity, so a filter takes nothing from other channels.",
            AVERAGE,
            lost(_P, "apart", "mixed"),
        ),
        Misconception(
            "the mixing is forgotten",
            _own_channel_only,
            "This is plain average pooling, where filter k reads channel k alone. Here filter k reads every "
            "channel c, `mix[k, c]` times.",
            AVERAGE,
            lost(_P, "mixed"),
        ),
        Misconception(
            "the channels are averaged as well",
            _over_channels_too,
            "The average runs over the window. Over the channels a CONV adds up, and their weights stand in "
            "`mix` already.",
            AVERAGE,
            lost(_P, "apart", "mixed"),
        ),
        Misconception(
            "filters and channels are swapped",
            _transposed,
            "Axis 0 of a weight counts the filters, axis 1 the channels of the input, and so do the axes of "
            "`mix`.",
            AVERAGE,
            lost(_P, "shape", "mixed"),
        ),
        Misconception(
            "height and width are swapped",
            _swapped,
            "Axis 2 of a weight is the height of the window, axis 3 its width.",
            AVERAGE,
            lost(_P, "non-square"),
        ),
        Misconception(
            "NumPy's default type",
            averaging_weight,
            "`np.zeros` and `np.ones` make float64 unless they are told otherwise; `dtype=mix.dtype` tells "
            "them.",
            AVERAGE,
            lost(_P, "dtype"),
        ),
    ),
)
