"""Task (d): an FC layer as a CONV, on images of its own size and on larger ones."""

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch08_fully_connected.common import AS_CONV, SIZE
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost, whole
from cnnlib.checks.judges import judge_array, judge_dtype
from cnnlib.reference.conv import conv2d

_FILTERS, _SCORES = 0, 1  # the places of the two results


def _case(
    x: np.ndarray,
    weight: np.ndarray,
    height: int,
    width: int,
    bias: np.ndarray | None = None,
    right: tuple | None = None,
) -> Case:
    bias = np.zeros(len(weight), x.dtype) if bias is None else bias
    arguments = {"x": x, "weight": weight, "bias": bias, "height": height, "width": width}
    return Case(arguments, expected=right, note="by hand" if right else "")


def _drawn(
    rng: Random,
    image: tuple[int, int, int, int],
    window: tuple[int, int],
    neurons: int,
    dtype: str = "float64",
    *,
    biased: bool = False,
) -> Case:
    inputs = image[1] * window[0] * window[1]
    x, weight = images(rng, image, dtype), images(rng, (neurons, inputs), dtype)
    return _case(x, weight, *window, images(rng, (neurons,), dtype) if biased else None)


_ROW = np.array([[1.0, -1.0, 2.0, 0.0]])
_WINDOW = _ROW.reshape(1, 1, 2, 2)


def _filter_cases(rng: Random) -> list[Case]:
    x = np.ones((1, 2, 2, 2))
    right = (np.arange(8.0).reshape(1, 2, 2, 2), np.array([[[[28.0]]]]))
    return [
        _case(x, np.arange(8.0)[None], 2, 2, right=right),
        _drawn(rng, (1, 3, 3, 3), (3, 3), 2),
        _drawn(rng, (1, whole(rng, 4, 6), 2, 2), (2, 2), 3, "float32"),
    ]


def _window_cases(rng: Random) -> list[Case]:
    return [
        _drawn(rng, (1, 1, 2, 3), (2, 3), 1),
        _drawn(rng, (1, 1, 4, 2), (4, 2), 2, "float32"),
        _drawn(rng, (1, 1, 6, 6), (5, whole(rng, 2, 4)), 1),
    ]


def _same_size_cases(rng: Random) -> list[Case]:
    x = np.array([[[[3.0, 4.0], [5.0, 6.0]]]])
    return [
        _case(x, _ROW, 2, 2, right=(_WINDOW, np.array([[[[9.0]]]]))),
        _drawn(rng, (1, 1, 3, 3), (3, 3), whole(rng, 2, 4), "float32"),
    ]


def _map_cases(rng: Random) -> list[Case]:
    x = np.array([[[[3.0, 4.0, 0.0], [5.0, 6.0, 1.0]]]])
    return [
        _case(x, _ROW, 2, 2, right=(_WINDOW, np.array([[[[9.0, 16.0]]]]))),
        _drawn(rng, (1, 1, 5, 5), (2, 2), 2),
        _drawn(rng, (1, 1, 4, whole(rng, 6, 8)), (3, 3), 1, "float32"),
    ]


def _bias_cases(rng: Random) -> list[Case]:
    return [
        _drawn(rng, (1, 1, 2, 2), (2, 2), 3, biased=True),
        _drawn(rng, (1, 1, 3, 3), (3, 3), 1, "float32", biased=True),
    ]


def _batch_cases(rng: Random) -> list[Case]:
    return [_drawn(rng, (3, 1, 2, 2), (2, 2), 1), _drawn(rng, (2, 1, 3, 3), (3, 3), 2, "float32")]


def _together_cases(rng: Random) -> list[Case]:
    return [
        _drawn(rng, (2, 3, 5, 6), (2, 3), 4, biased=True),
        _drawn(rng, (2, 2, 4, 5), (3, 2), 3, "float32", biased=True),
    ]


def _dtype_cases(rng: Random) -> list[Case]:
    return [_drawn(rng, (1, 1, 2, 2), (2, 2), 2, dtype) for dtype in ("float32", "float64")]


def fc_as_conv(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, height: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """The reference, in float64."""
    x, weight, bias = (a.astype(np.float64) for a in (x, weight, bias))
    filters = weight.reshape(len(weight), x.shape[1], height, width)
    return filters, conv2d(x, filters, bias)


def _typed(function):
    """Misconceptions keep the input's type, so that they lose nothing but their own parts."""

    def typed(x, weight, bias, height, width):
        wide = [a.astype(np.float64) for a in (x, weight, bias)]
        return tuple(out.astype(x.dtype) for out in function(*wide, height, width))

    return typed


def _cut(x, weight, height, width):
    return weight.reshape(len(weight), x.shape[1], height, width)


@_typed
def _channels_last(x, weight, bias, height, width):
    pixels = weight.reshape(len(weight), height, width, x.shape[1])
    filters = pixels.transpose(0, 3, 1, 2)
    return filters, conv2d(x, filters, bias)


@_typed
def _swapped(x, weight, bias, height, width):
    filters = _cut(x, weight, width, height)
    return filters, conv2d(x, filters, bias)


@_typed
def _padded(x, weight, bias, height, width):
    filters = _cut(x, weight, height, width)
    return filters, conv2d(x, filters, bias, padding=(height // 2, width // 2))


@_typed
def _tiles(x, weight, bias, height, width):
    filters = _cut(x, weight, height, width)
    return filters, conv2d(x, filters, bias, stride=(height, width))


@_typed
def _cropped(x, weight, bias, height, width):
    filters = _cut(x, weight, height, width)
    return filters, conv2d(x[:, :, :height, :width], filters, bias)


@_typed
def _flipped(x, weight, bias, height, width):
    filters = _cut(x, weight, height, width)
    return filters, conv2d(x, filters[..., ::-1, ::-1], bias)


@_typed
def _no_bias(x, weight, bias, height, width):
    filters = _cut(x, weight, height, width)
    return filters, conv2d(x, filters)


@_typed
def _first_image(x, weight, bias, height, width):
    filters = _cut(x, weight, height, width)
    scores = conv2d(x, filters, bias)
    scores[1:] = 0
    return filters, scores


_P = {
    "filters": "the filters: cut in the order of flatten",
    "window": "the filters: windows that are not square",
    "same": "the scores: an image of the trained size",
    "map": "the scores: a larger image gives a map",
    "bias": "the scores: bias",
    "batch": "the scores: every image of the batch",
    "together": "the scores: everything together",
    "dtype": "float32 stays float32",
}

FC_AS_CONV = Task(
    "d",
    "an FC as a CONV",
    "fc_as_conv",
    fc_as_conv,
    parts=(
        Part(_P["filters"], 2, _filter_cases, judge_array, pick=_FILTERS, hint=1),
        Part(_P["window"], 1, _window_cases, judge_array, pick=_FILTERS, hint=1),
        Part(_P["same"], 1, _same_size_cases, judge_array, pick=_SCORES, hint=2),
        Part(_P["map"], 2, _map_cases, judge_array, pick=_SCORES, hint=2),
        Part(_P["bias"], 1, _bias_cases, judge_array, pick=_SCORES, hint=3),
        Part(_P["batch"], 1, _batch_cases, judge_array, pick=_SCORES, hint=3),
        Part(_P["together"], 1, _together_cases, judge_array, pick=_SCORES, hint=2),
        Part(_P["dtype"], 1, _dtype_cases, judge_dtype, pick=_SCORES, hint=3),
    ),
    misconceptions=(
        Misconception(
            "the row is cut pixel by pixel",
            _channels_last,
            "`flatten` wrote channel by channel, so a row of the matrix is cut in the same order: (channels, "
            "height, width).",
            AS_CONV,
            lost(_P, "filters", "together"),
        ),
        Misconception(
            "height and width are swapped",
            _swapped,
            "Axis 2 of a filter is the height of its window, axis 3 the width.",
            AS_CONV,
            lost(_P, "window", "together"),
        ),
        Misconception(
            "the image is padded",
            _padded,
            "The window stands wherever it fits *completely*. On an image of the trained size there is one such "
            "place; padding would add places where the FC would have seen zeros.",
            AS_CONV,
            lost(_P, "same", "map", "bias", "batch", "together", "dtype"),
        ),
        Misconception(
            "the window jumps by its own size",
            _tiles,
            "That cuts the image into tiles. A CONV at stride 1 also answers for the parts in between: "
            "H − height + 1 places.",
            SIZE,
            lost(_P, "map", "together"),
        ),
        Misconception(
            "the image is cut to the trained size",
            _cropped,
            "That is one answer, for the top left part. The CONV gives one for every part of that size.",
            SIZE,
            lost(_P, "map", "together"),
        ),
        Misconception(
            "the window is flipped",
            _flipped,
            "An FC multiplies input d by weight d. For the same numbers the filter lies on the window as it is.",
            AS_CONV,
            lost(_P, "same", "map", "bias", "batch", "together", "dtype"),
        ),
        Misconception(
            "the bias is forgotten",
            _no_bias,
            "Each neuron has become a filter, and its bias goes with it: added once at every place.",
            AS_CONV,
            lost(_P, "bias", "together"),
        ),
        Misconception(
            "only the first image is computed",
            _first_image,
            "Axis 0 counts the images of the batch, and each gets its own map of scores.",
            AS_CONV,
            lost(_P, "batch", "together"),
        ),
        Misconception(
            "NumPy's default type",
            fc_as_conv,
            "`np.zeros` makes float64 unless it is told otherwise; `dtype=x.dtype` tells it.",
            AS_CONV,
            lost(_P, "dtype"),
        ),
    ),
)
