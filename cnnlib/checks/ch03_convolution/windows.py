"""Task (d): a CONV layer without loops, which hands out the windows that it read."""

import numpy as np

from cnnlib.checks.ch03_convolution import windows_cases as cases
from cnnlib.checks.ch03_convolution.common import FILTER, MAP, NAME, PADDING, STRIDE, typed
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import lost
from cnnlib.checks.judges import judge_array, judge_dtype
from cnnlib.reference import conv

_OUT, _WINDOWS = range(2)


def _framed(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


def _windows(x, weight, stride, padding):
    view = np.lib.stride_tricks.sliding_window_view(
        _framed(x, padding), weight.shape[2:], axis=(2, 3)
    )
    return view[:, :, ::stride, ::stride]


def conv2d_forward(x, weight, bias=None, *, stride=1, padding=0):
    """The reference of task (d): the layer's output, in float64, and the windows."""
    wide = [None if a is None else a.astype(np.float64) for a in (x, weight, bias)]
    out = conv.conv2d(*wide, stride=stride, padding=padding)  # type: ignore[arg-type]
    return out, _windows(x, weight, stride, padding).astype(np.float64)


def _from(windows, weight, bias):
    """The layer's output from windows, right or not."""
    out = np.einsum("nchwij,kcij->nkhw", windows, weight, dtype=np.float64)
    return out if bias is None else out + bias[:, None, None]


def _with_windows(change):
    """A misconception about the windows: the products are right, what they read is not."""

    @typed
    def function(x, weight, bias=None, *, stride=1, padding=0):
        windows = change(x, weight, stride, padding)
        return _from(windows, weight, bias), windows

    return function


def _with_products(change):
    """A misconception about the products: the windows are right."""

    @typed
    def function(x, weight, bias=None, *, stride=1, padding=0):
        windows = _windows(x, weight, stride, padding)
        return change(windows, weight, bias), windows

    return function


def _stride_on_rows_only(x, weight, stride, padding):
    return _windows(x, weight, 1, padding)[:, :, ::stride]


def _stride_in_size_only(x, weight, stride, padding):
    height, width = _windows(x, weight, stride, padding).shape[2:4]
    return _windows(x, weight, 1, padding)[:, :, :height, :width]


def _pixels_skipped(x, weight, stride, padding):
    """The image is thinned out before the windows are cut."""
    thin = _framed(x, padding)[:, :, ::stride, ::stride]
    return _windows(thin, weight, 1, 0)


def _no_padding(x, weight, stride, padding):
    return _windows(x, weight, stride, 0)


def _padding_after(x, weight, stride, padding):
    shifted = np.pad(x, ((0, 0), (0, 0), (0, 2 * padding), (0, 2 * padding)))
    return _windows(shifted, weight, stride, 0)


def _one_side_for_both(x, weight, stride, padding):
    side = weight.shape[2]
    return _windows(x, np.empty((1, 1, side, side)), stride, padding)


def _one_side_forward(x, weight, bias=None, *, stride=1, padding=0):
    windows = _one_side_for_both(x, weight, stride, padding)
    if weight.shape[2] != weight.shape[3]:
        raise ValueError("the windows and the filter do not match")
    return _from(windows, weight, bias).astype(x.dtype), windows


def _taps_before_places(x, weight, bias=None, *, stride=1, padding=0):
    windows = _windows(x, weight, stride, padding)
    out = _from(windows, weight, bias)
    return out.astype(x.dtype), windows.transpose(0, 1, 4, 5, 2, 3)


def _results_exchanged(x, weight, bias=None, *, stride=1, padding=0):
    return conv2d_forward(x, weight, bias, stride=stride, padding=padding)[::-1]


def _first_channel(windows, weight, bias):
    return _from(windows[:, :1], weight[:, :1], bias)


def _mean_of_channels(windows, weight, bias):
    return _from(windows, weight / weight.shape[1], bias)


def _same_weights_for_all_channels(windows, weight, bias):
    return _from(windows, np.repeat(weight[:, :1], weight.shape[1], axis=1), bias)


def _flipped(windows, weight, bias):
    return _from(windows, weight[..., ::-1, ::-1], bias)


def _transposed(windows, weight, bias):
    return _from(windows.swapaxes(4, 5), weight, bias)


def _filters_last(windows, weight, bias):
    out = _from(windows, weight, None).transpose(0, 2, 3, 1)
    return out if bias is None else out + bias


def _no_bias(windows, weight, bias):
    return _from(windows, weight, None)


def _bias_along_the_width(windows, weight, bias):
    out = _from(windows, weight, None)
    return out if bias is None else out + bias


def _images_added(windows, weight, bias):
    out = _from(windows, weight, None)
    out = np.broadcast_to(out.sum(axis=0), out.shape)
    return out if bias is None else out + bias[:, None, None]


def _reshaped(windows, weight, bias):
    """Columns in the order (place, image), reshaped as if they were in the order (image, place)."""
    n, _, height, width = windows.shape[:4]
    columns = _from(windows, weight, bias).transpose(1, 2, 3, 0).reshape(len(weight), -1)
    return columns.reshape(len(weight), n, height, width).swapaxes(0, 1)


_always_float64 = conv2d_forward


_D = {
    "windows": "the windows",
    "stride": "windows with a stride",
    "padding": "windows with padding",
    "non-square": "windows that are not square",
    "orientation": "the output of one filter",
    "channels": "the output: channels and filters",
    "batch": "the output of each image",
    "bias": "the output: bias",
    "together": "the output: everything together",
    "dtype": "float32 stays float32",
}
_OUTPUTS = ("orientation", "channels", "batch", "bias", "together", "dtype")

CONV2D_FORWARD = Task(
    "d",
    "a CONV layer without loops",
    "conv2d_forward",
    conv2d_forward,
    parts=(
        Part(_D["windows"], 2, cases.window_cases, judge_array, pick=_WINDOWS, hint=1),
        Part(_D["stride"], 1, cases.stride_cases, judge_array, pick=_WINDOWS, hint=1),
        Part(_D["padding"], 1, cases.padding_cases, judge_array, pick=_WINDOWS, hint=1),
        Part(_D["non-square"], 1, cases.non_square_cases, judge_array, pick=_WINDOWS, hint=1),
        Part(_D["orientation"], 1, cases.orientation_cases, judge_array, pick=_OUT, hint=2),
        Part(_D["channels"], 2, cases.channel_cases, judge_array, pick=_OUT, hint=2),
        Part(_D["batch"], 1, cases.batch_cases, judge_array, pick=_OUT, hint=2),
        Part(_D["bias"], 1, cases.bias_cases, judge_array, pick=_OUT, hint=3),
        Part(_D["together"], 1, cases.together_cases, judge_array, pick=_OUT),
        Part(_D["dtype"], 1, cases.dtype_cases, judge_dtype, pick=_OUT),
    ),
    misconceptions=(
        Misconception(
            "the stride moves along one axis only",
            _with_windows(_stride_on_rows_only),
            "The window steps by S in both directions: keep every S-th window of the rows and of the columns.",
            STRIDE,
            lost(_D, "stride", "together"),
        ),
        Misconception(
            "the stride shrinks the result but does not move the window",
            _with_windows(_stride_in_size_only),
            "S is a step. Place (i, j) belongs to the window that starts at (i · S, j · S), not at (i, j).",
            STRIDE,
            lost(_D, "stride", "together"),
        ),
        Misconception(
            "the stride skips pixels of the image",
            _with_windows(_pixels_skipped),
            "The stride skips windows, not pixels. Inside a window the pixels are still neighbours, so cut the "
            "windows first and then leave some of them out.",
            STRIDE,
            lost(_D, "stride", "together"),
        ),
        Misconception(
            "padding is ignored",
            _with_windows(_no_padding),
            "P frames the image with zeros before the windows are cut.",
            PADDING,
            lost(_D, "padding", "together"),
        ),
        Misconception(
            "all padding after the image",
            _with_windows(_padding_after),
            "P zeros go before and P after the image, on both axes: the image starts at row P, column P.",
            PADDING,
            lost(_D, "padding", "together"),
        ),
        Misconception(
            "the kernel's height is used for both sides",
            _one_side_forward,
            "The window has the shape of the filter's slice, `weight.shape[2:]`: F_h rows and F_w columns.",
            FILTER,
            lost(_D, "non-square", "together"),
        ),
        Misconception(
            "the window's own axes come before its place",
            _taps_before_places,
            "The order is image, channel, place (row, column), then the axes inside the window: "
            "`windows[n, c, i, j]` is one block of F_h × F_w pixels.",
            MAP,
            lost(_D, "windows", "stride", "padding", "non-square"),
        ),
        Misconception(
            "the two results are exchanged",
            typed(_results_exchanged),
            "The tuple begins with the output, and the windows come second: `(out, windows)`.",
            MAP,
            frozenset(_D.values()),
        ),
        Misconception(
            "the kernel is flipped",
            _with_products(_flipped),
            "A CONV layer computes the cross-correlation: the kernel lies on the window as it is.",
            NAME,
            lost(_D, "orientation", "together"),
        ),
        Misconception(
            "rows and columns of the kernel are exchanged",
            _with_products(_transposed),
            "Row a, column b of the filter meets row a, column b of the window: their last two letters, or axes, stand in "
            "the same order.",
            FILTER,
            lost(_D, "non-square", "orientation", "together"),
        ),
        Misconception(
            "only the first channel is read",
            _with_products(_first_channel),
            "A filter reaches through the full depth of its input: multiply and add over all C channels.",
            FILTER,
            lost(_D, "channels", "together"),
        ),
        Misconception(
            "channels are averaged",
            _with_products(_mean_of_channels),
            "The products are added over the channels, not averaged.",
            FILTER,
            lost(_D, "channels", "together"),
        ),
        Misconception(
            "each channel meets the same slice of the filter",
            _with_products(_same_weights_for_all_channels),
            "A filter has a slice of its own for each channel: C · F_h · F_w weights.",
            FILTER,
            lost(_D, "channels", "together"),
        ),
        Misconception(
            "the filters are the last axis",
            _with_products(_filters_last),
            "The result is ordered (N, K, H_out, W_out): maps are stacked along axis 1. `np.tensordot` and `@` "
            "leave the filters at the end, so the axes have to be put in order afterwards.",
            MAP,
            lost(_D, *_OUTPUTS),
        ),
        Misconception(
            "the images of the batch are added up",
            _with_products(_images_added),
            "The sum runs over channels and over the window, not over the images: each image gets its own maps.",
            MAP,
            lost(_D, "batch", "together"),
        ),
        Misconception(
            "a reshape that mixes the images",
            _with_products(_reshaped),
            "A reshape cuts the numbers in the order in which they lie. If the columns are ordered by place and then "
            "by image, bring the axes in order with `transpose` before, or the images are mixed up.",
            MAP,
            lost(_D, "batch", "together"),
        ),
        Misconception(
            "the bias is forgotten",
            _with_products(_no_bias),
            "Each filter adds its own number to its whole map. `bias=None` stands for no bias at all.",
            FILTER,
            lost(_D, "bias", "together"),
        ),
        Misconception(
            "the bias is spread along the width",
            _with_products(_bias_along_the_width),
            "NumPy lines up shapes from the right, so `out + bias` gives each column a bias of its own, or an "
            "error. The bias belongs to axis 1: give it two more axes of length 1.",
            FILTER,
            lost(_D, "bias", "together"),
        ),
        Misconception(
            "NumPy's default type",
            _always_float64,
            "`np.zeros` makes float64 unless it is told otherwise; `dtype=x.dtype` tells it.",
            MAP,
            lost(_D, "dtype"),
        ),
    ),
)
