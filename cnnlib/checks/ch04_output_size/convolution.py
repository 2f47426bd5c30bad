"""Task (c): convolution by loops, for any stride and padding."""

import numpy as np

from cnnlib import shapes
from cnnlib.checks.calls import Case
from cnnlib.checks.ch04_output_size.common import DEFINITION, FORMULA, PADDING, STRIDE
from cnnlib.checks.ch04_output_size.padding import pad_after
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost
from cnnlib.checks.judges import (
    judge_array,
    judge_dtype,
)
from cnnlib.reference import conv

_IMAGE = np.array(
    [
        [95, 242, 186, 152, 39],
        [39, 14, 220, 153, 180],
        [5, 247, 212, 54, 46],
        [46, 77, 133, 110, 74],
        [156, 35, 74, 93, 116],
    ],
    dtype=np.float64,
)
_LAPLACIAN = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], dtype=np.float64)
_BY_HAND = np.array([[692, -315, -6], [-680, -194, 305], [153, -59, -86]], dtype=np.float64)


def _conv(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    stride: int | None = None,
    padding: int | None = None,
    right: np.ndarray | None = None,
    note: str = "",
) -> Case:
    keyword = {"bias": bias, "stride": stride, "padding": padding}
    given = {name: value for name, value in keyword.items() if value is not None}
    return Case({"x": x, "weight": weight}, given, expected=right, note=note)


def _even(weight: np.ndarray) -> np.ndarray:
    """The same kernel after half a turn, and no element of it near zero."""
    return np.abs(weight) + np.abs(weight[..., ::-1, ::-1])


def _kernels(rng: Random, *shape: int, dtype: str = "float64") -> np.ndarray:
    return _even(images(rng, shape, dtype))


def _value_cases(rng: Random) -> list[Case]:
    return [
        _conv(
            _IMAGE[None, None], _LAPLACIAN[None, None], right=_BY_HAND[None, None], note="by hand"
        ),
        _conv(images(rng, (1, 1, 4, 4)), images(rng, (1, 1, 2, 2))),
        _conv(images(rng, (1, 1, 6, 6), "float32"), images(rng, (1, 1, 3, 3), "float32")),
    ]


def _channel_cases(rng: Random) -> list[Case]:
    return [
        _conv(images(rng, (1, 3, 4, 4)), _kernels(rng, 1, 3, 3, 3)),
        _conv(images(rng, (1, 2, 5, 5)), _kernels(rng, 4, 2, 3, 3)),
    ]


def _batch_cases(rng: Random) -> list[Case]:
    return [
        _conv(images(rng, (3, 1, 4, 4)), _kernels(rng, 1, 1, 2, 2)),
        _conv(images(rng, (2, 1, 5, 5)), _kernels(rng, 1, 1, 3, 3)),
    ]


def _bias_cases(rng: Random) -> list[Case]:
    return [
        _conv(images(rng, (1, 1, 4, 4)), _kernels(rng, 3, 1, 3, 3), images(rng, (3,))),
        _conv(images(rng, (1, 1, 4, 4)), _kernels(rng, 1, 1, 2, 2), images(rng, (1,))),
    ]


def _conv_stride_cases(rng: Random) -> list[Case]:
    return [
        _conv(
            _IMAGE[None, None],
            _LAPLACIAN[None, None],
            stride=2,
            right=_BY_HAND[None, None, ::2, ::2],
            note="by hand",
        ),
        _conv(images(rng, (1, 1, 7, 7)), _kernels(rng, 1, 1, 3, 3), stride=2),
        _conv(images(rng, (1, 1, 9, 9)), _kernels(rng, 1, 1, 2, 2), stride=3, note="floor"),
    ]


def _conv_padding_cases(rng: Random) -> list[Case]:
    return [
        _conv(images(rng, (1, 1, 4, 4)), _kernels(rng, 1, 1, 3, 3), padding=1),
        _conv(images(rng, (1, 1, 3, 3)), _kernels(rng, 1, 1, 3, 3), padding=2),
    ]


def _conv_non_square_cases(rng: Random) -> list[Case]:
    return [
        _conv(images(rng, (1, 1, 4, 7)), _kernels(rng, 1, 1, 3, 2)),
        _conv(images(rng, (1, 1, 4, 6)), _kernels(rng, 1, 1, 2, 2)),
        _conv(images(rng, (1, 1, 7, 4)), _kernels(rng, 1, 1, 2, 3)),
    ]


def _together_cases(rng: Random) -> list[Case]:
    def drawn(h: int, w: int, stride: int, padding: int, dtype: str) -> Case:
        return _conv(
            images(rng, (2, 3, h, w), dtype),
            images(rng, (4, 3, 3, 2), dtype),
            images(rng, (4,), dtype),
            stride=stride,
            padding=padding,
        )

    return [drawn(5, 8, 2, 1, "float64"), drawn(6, 9, 3, 2, "float32")]


def _conv_dtype_cases(rng: Random) -> list[Case]:
    return [
        _conv(images(rng, (1, 1, 4, 4), dtype), _kernels(rng, 1, 1, 2, 2, dtype=dtype))
        for dtype in ("float32", "float64")
    ]


def _conv2d(x, weight, bias=None, *, stride=1, padding=0):
    """The reference of task (c), computed in float64 whatever comes in."""
    wide = [None if a is None else a.astype(np.float64) for a in (x, weight, bias)]
    return conv.conv2d(*wide, stride=stride, padding=padding)  # type: ignore[arg-type]


def _typed(function):
    """Misconceptions keep the input's type, so that they lose nothing but their own parts."""

    def typed(x, weight, bias=None, *, stride=1, padding=0):
        return function(x, weight, bias, stride, padding).astype(x.dtype)

    return typed


def _out(x: np.ndarray, weight: np.ndarray, stride: int, padding: int) -> tuple[int, int]:
    return shapes.output_shape(
        x.shape[2:], weight.shape[2:], stride=stride, padding=padding, rounding="floor"
    )


@_typed
def _flipped(x, weight, bias, stride, padding):
    return _conv2d(x, weight[..., ::-1, ::-1], bias, stride=stride, padding=padding)


@_typed
def _transposed(x, weight, bias, stride, padding):
    return _conv2d(x, weight, bias, stride=stride, padding=padding).swapaxes(2, 3)


@_typed
def _stride_on_rows_only(x, weight, bias, stride, padding):
    _, width = _out(x, weight, stride, padding)
    return _conv2d(x, weight, bias, stride=(stride, 1), padding=padding)[..., :width]


@_typed
def _stride_in_size_only(x, weight, bias, stride, padding):
    height, width = _out(x, weight, stride, padding)
    return _conv2d(x, weight, bias, padding=padding)[..., :height, :width]


@_typed
def _no_padding(x, weight, bias, stride, padding):
    return _conv2d(x, weight, bias, stride=stride)


@_typed
def _padding_after(x, weight, bias, stride, padding):
    return _conv2d(pad_after(x, padding), weight, bias, stride=stride)


@_typed
def _first_channel(x, weight, bias, stride, padding):
    return _conv2d(x[:, :1], weight[:, :1], bias, stride=stride, padding=padding)


@_typed
def _mean_of_channels(x, weight, bias, stride, padding):
    out = _conv2d(x, weight, stride=stride, padding=padding) / x.shape[1]
    return out if bias is None else out + bias[:, None, None]


@_typed
def _no_bias(x, weight, bias, stride, padding):
    return _conv2d(x, weight, stride=stride, padding=padding)


@_typed
def _bias_at_every_tap(x, weight, bias, stride, padding):
    taps = weight[0].size
    return _conv2d(x, weight, None if bias is None else taps * bias, stride=stride, padding=padding)


@_typed
def _first_image(x, weight, bias, stride, padding):
    out = _conv2d(x, weight, bias, stride=stride, padding=padding)
    out[1:] = 0
    return out


@_typed
def _height_for_both(x, weight, bias, stride, padding):
    height, width = _out(x, weight, stride, padding)
    if height > width:
        raise ValueError("a window ran over the right edge")
    return _conv2d(x, weight, bias, stride=stride, padding=padding)[..., :height]


def _always_float64(x, weight, bias=None, *, stride=1, padding=0):
    return _conv2d(x, weight, bias, stride=stride, padding=padding)


_C = {
    "values": "values at stride 1",
    "channels": "channels and filters",
    "batch": "every image of the batch",
    "bias": "bias",
    "stride": "stride",
    "padding": "padding",
    "non-square": "images and kernels that are not square",
    "together": "everything together",
    "dtype": "float32 stays float32",
}

CONV2D = Task(
    "c",
    "convolution by loops",
    "conv2d",
    _conv2d,
    parts=(
        Part(_C["values"], 3, _value_cases, judge_array),
        Part(_C["channels"], 2, _channel_cases, judge_array),
        Part(_C["batch"], 1, _batch_cases, judge_array),
        Part(_C["bias"], 1, _bias_cases, judge_array),
        Part(_C["stride"], 1, _conv_stride_cases, judge_array),
        Part(_C["padding"], 1, _conv_padding_cases, judge_array),
        Part(_C["non-square"], 1, _conv_non_square_cases, judge_array),
        Part(_C["together"], 1, _together_cases, judge_array),
        Part(_C["dtype"], 1, _conv_dtype_cases, judge_dtype),
    ),
    misconceptions=(
        Misconception(
            "the kernel is flipped",
            _flipped,
            "That is convolution as mathematics defines it. A CONV layer computes the cross-correlation: "
            "the kernel lies on the window as it is. The Laplacian cannot tell the two apart, as it "
            "looks the same upside down.",
            DEFINITION,
            lost(_C, "values", "together"),
        ),
        Misconception(
            "height and width are swapped",
            _transposed,
            "Axis 2 is the height and counts rows, axis 3 is the width and counts columns: row i, column j "
            "of the result belongs to row i · S, column j · S of the padded image.",
            DEFINITION,
            frozenset(_C.values()),
        ),
        Misconception(
            "the stride moves along one axis only",
            _stride_on_rows_only,
            "The window steps by S in both directions: output column j starts at column j · S.",
            STRIDE,
            lost(_C, "stride", "together"),
        ),
        Misconception(
            "the stride shrinks the result but does not move the window",
            _stride_in_size_only,
            "S is a step. Output position (i, j) looks at the window that starts at (i · S, j · S), "
            "not at (i, j).",
            STRIDE,
            lost(_C, "stride", "together"),
        ),
        Misconception(
            "padding is ignored",
            _no_padding,
            "P frames the image with zeros before the window starts to slide, so the result grows by 2P "
            "at stride 1.",
            PADDING,
            lost(_C, "padding", "together"),
        ),
        Misconception(
            "all padding after the image",
            _padding_after,
            "P zeros go before and P after the image, on both axes: the image starts at row P, column P.",
            PADDING,
            lost(_C, "padding", "together"),
        ),
        Misconception(
            "only the first channel is read",
            _first_channel,
            "A filter reaches through the full depth of its input: multiply and add over all C channels.",
            DEFINITION,
            lost(_C, "channels", "together"),
        ),
        Misconception(
            "channels are averaged",
            _mean_of_channels,
            "The products are added over the channels, not averaged: a filter has its own weights for each "
            "channel, and they set the scale.",
            DEFINITION,
            lost(_C, "channels", "together"),
        ),
        Misconception(
            "the bias is forgotten",
            _no_bias,
            "Each filter adds its own number to its whole map. `bias=None` stands for no bias at all.",
            DEFINITION,
            lost(_C, "bias", "together"),
        ),
        Misconception(
            "the bias is added at every tap",
            _bias_at_every_tap,
            "The bias is added once to each output position, after the products are summed.",
            DEFINITION,
            lost(_C, "bias", "together"),
        ),
        Misconception(
            "only the first image is computed",
            _first_image,
            "Axis 0 counts the images of the batch, and each gets its own maps.",
            DEFINITION,
            lost(_C, "batch", "together"),
        ),
        Misconception(
            "the height is used for both axes",
            _height_for_both,
            "The formula is applied to each axis by itself, with that axis' own size and kernel.",
            FORMULA,
            lost(_C, "non-square", "together"),
        ),
        Misconception(
            "NumPy's default type",
            _always_float64,
            "`np.zeros` makes float64 unless it is told otherwise; `dtype=x.dtype` tells it.",
            DEFINITION,
            lost(_C, "dtype"),
        ),
    ),
)
