"""Task (c): convolution by loops, for any stride and padding."""

import numpy as np

from cnnlib import shapes
from cnnlib.checks.ch04_output_size import convolution_cases as cases
from cnnlib.checks.ch04_output_size.common import DEFINITION, FORMULA, PADDING, STRIDE
from cnnlib.checks.ch04_output_size.padding import pad_after
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import lost
from cnnlib.checks.judges import (
    judge_array,
    judge_dtype,
)
from cnnlib.reference import conv


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
def _every_other_position(x, weight, bias, stride, padding):
    height, width = _out(x, weight, stride, padding)
    every = _conv2d(x, weight, bias, padding=padding)
    out = np.zeros((*every.shape[:2], height, width))
    out[..., ::stride, ::stride] = every[..., :height:stride, :width:stride]
    return out


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
def _last_channel(x, weight, bias, stride, padding):
    return _conv2d(x[:, -1:], weight[:, -1:], bias, stride=stride, padding=padding)


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
        Part(_C["values"], 3, cases.values, judge_array, hint=1),
        Part(_C["channels"], 2, cases.channels, judge_array, hint=3),
        Part(_C["batch"], 1, cases.batch, judge_array, hint=1),
        Part(_C["bias"], 1, cases.bias, judge_array, hint=3),
        Part(_C["stride"], 1, cases.strides, judge_array, hint=2),
        Part(_C["padding"], 1, cases.paddings, judge_array, hint=1),
        Part(_C["non-square"], 1, cases.non_square, judge_array, hint=2),
        Part(_C["together"], 1, cases.together, judge_array),
        Part(_C["dtype"], 1, cases.dtypes, judge_dtype),
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
            "the loops skip positions of the result",
            _every_other_position,
            "Each position of the result is computed. S says where its window starts in the padded image: at row i · S "
            "and column j · S. With S as the step of the loops over i and j the places between stay 0.",
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
            "only the last channel remains",
            _last_channel,
            "Each channel adds its share to the same number. With `=` in a loop over the channels each share "
            "overwrites the one before; `+=` keeps them all.",
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
