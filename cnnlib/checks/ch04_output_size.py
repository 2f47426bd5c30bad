"""Chapter 4, output size: tasks, inputs and misconceptions of the exercise ``ch04_output_size``.

A part isolates one idea, so that one mistake costs one part: the kernels of most parts of task (c)
look the same when they are rotated by half a turn, for instance, so that a flipped kernel is paid for
once, in "values at stride 1", and in "everything together".
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from cnnlib import shapes
from cnnlib.checks.book import Section
from cnnlib.checks.calls import Case
from cnnlib.checks.engine import Exercise, Misconception, Part, Task
from cnnlib.checks.judges import (
    judge_array,
    judge_dtype,
    judge_number,
    judge_raises,
    judge_shape,
    judge_whole,
)
from cnnlib.reference import conv

__all__ = ["EXERCISE", "check", "mark"]

_PAGE = "book/ch04_output_size/output_size"
DEFINITION = Section(4, _PAGE, "ch04-definition", "Three numbers decide the size")
STRIDE = Section(4, _PAGE, "ch04-stride", "Stride: how far the window jumps")
PADDING = Section(4, _PAGE, "ch04-padding", "Padding: keeping the size")
FORMULA = Section(4, _PAGE, "ch04-formula", "The formula, derived")
STRICT = Section(4, _PAGE, "ch04-strict-or-floor", "When the formula gives a fraction")

Random = np.random.Generator


# --- (a) output size ----------------------------------------------------------------------------


def _size(
    size: int,
    kernel: int,
    *,
    stride: int | None = None,
    padding: int | None = None,
    rounding: str | None = None,
    right: int | None = None,
    note: str = "",
) -> Case:
    """A case of task (a); what is None is left to the function's own default."""
    keyword = {"stride": stride, "padding": padding, "rounding": rounding}
    given = {name: value for name, value in keyword.items() if value is not None}
    return Case({"size": size, "kernel": kernel}, given, expected=right, note=note)


def _whole(rng: Random, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def _kernel_cases(rng: Random) -> list[Case]:
    drawn = [(_whole(rng, 8, 40), _whole(rng, 2, 7)) for _ in range(4)]
    return [_size(5, 3, right=3, note="worked by hand")] + [_size(w, f) for w, f in drawn]


def _padding_cases(rng: Random) -> list[Case]:
    drawn = [(_whole(rng, 8, 40), _whole(rng, 2, 7), _whole(rng, 1, 4)) for _ in range(4)]
    return [_size(5, 3, padding=1, right=5, note="worked by hand")] + [
        _size(w, f, padding=p) for w, f, p in drawn
    ]


def _tiling(rng: Random) -> tuple[int, int, int]:
    """Size, kernel and stride whose windows tile the input; the kernel is no multiple of the stride."""
    stride = _whole(rng, 2, 5)
    kernel = stride * _whole(rng, 1, 2) + _whole(rng, 1, stride - 1)
    return kernel + stride * _whole(rng, 2, 8), kernel, stride


def _stride_cases(rng: Random) -> list[Case]:
    worked = [
        _size(5, 3, stride=2, right=2, note="worked by hand"),
        _size(227, 11, stride=4, right=55),
    ]
    drawn = [_tiling(rng) for _ in range(3)]
    return worked + [_size(w, f, stride=s) for w, f, s in drawn]


def _strict_cases(rng: Random) -> list[Case]:
    cases = [_size(6, 3, stride=2), _size(224, 11, stride=4), _size(227, 11, stride=4)]
    for _ in range(3):
        w, f, s = _tiling(rng)
        cases += [_size(w, f, stride=s), _size(w + _whole(rng, 1, s - 1), f, stride=s)]
    return cases


def _must_raise(size: int, kernel: int, **settings: Any) -> str:
    try:
        shapes.output_size(size, kernel, **settings)
    except ValueError:
        return "ValueError"
    return ""


def _floor_cases(rng: Random) -> list[Case]:
    cases = [
        _size(224, 11, stride=4, rounding="floor", right=54, note="AlexNet as printed"),
        _size(224, 7, stride=2, padding=3, rounding="floor", right=112, note="ResNet"),
    ]
    for _ in range(3):  # a remainder over one half, where rounding to the nearest would go up
        w, f, _s = _tiling(rng)
        s = _whole(rng, 3, 5)
        w = f + s * _whole(rng, 2, 8) + s - 1
        cases.append(_size(w, f, stride=s, rounding="floor"))
    return cases


def _ceil_cases(rng: Random) -> list[Case]:
    cases = [_size(224, 11, stride=4, rounding="ceil", right=55, note="AlexNet as printed")]
    for _ in range(3):  # no wider stride than kernel: the last window starts inside the image
        w, f, s = _tiling(rng)
        cases.append(_size(w + _whole(rng, 1, s - 1), f, stride=s, rounding="ceil"))
    return cases


def _ceil_guard_cases(rng: Random) -> list[Case]:
    cases = [
        _size(5, 2, stride=2, padding=1, rounding="ceil", right=3, note="worked by hand"),
        _size(4, 3, stride=2, padding=1, rounding="ceil", right=3, note="worked by hand"),
    ]
    for _ in range(3):  # the next window would start behind the last pixel
        f = _whole(rng, 1, 3)
        s = f + _whole(rng, 1, 3)
        w = f + s * _whole(rng, 1, 5) + _whole(rng, 1, s - f)
        cases.append(_size(w, f, stride=s, rounding="ceil"))
    return cases


def _whole_cases(rng: Random) -> list[Case]:
    w, f = _whole(rng, 8, 40), _whole(rng, 2, 7)
    return [_size(w, f, rounding=rounding) for rounding in ("strict", "floor", "ceil")]


def _count(
    span: float,
    stride: int,
    rounding: str,
    *,
    starts_inside: Callable[[int], bool] = lambda windows: True,
) -> int:
    """Windows on a way of `span` pixels: the frame into which the misconceptions of (a) put theirs."""
    exact = span / stride
    windows = math.floor(exact) + 1
    if exact == int(exact) or rounding == "floor":
        return windows
    if rounding == "strict":
        raise ValueError("the windows do not tile")
    return windows + 1 if starts_inside(windows) else windows


def _no_plus_one(size, kernel, *, stride=1, padding=0, rounding="strict"):
    return shapes.output_size(size, kernel, stride=stride, padding=padding, rounding=rounding) - 1


def _padding_once(size, kernel, *, stride=1, padding=0, rounding="strict"):
    return _count(
        size - kernel + padding,
        stride,
        rounding,
        starts_inside=lambda windows: windows * stride < size,
    )


def _misplaced_parenthesis(size, kernel, *, stride=1, padding=0, rounding="strict"):
    return _count(size - kernel / stride + 2 * padding, 1, rounding)


def _silent_floor(size, kernel, *, stride=1, padding=0, rounding="strict"):
    rounding = "floor" if rounding == "strict" else rounding
    return shapes.output_size(size, kernel, stride=stride, padding=padding, rounding=rounding)


def _nearest(size, kernel, *, stride=1, padding=0, rounding="strict"):
    if rounding == "floor":
        return round((size - kernel + 2 * padding) / stride + 1)
    return shapes.output_size(size, kernel, stride=stride, padding=padding, rounding=rounding)


def _ceil_is_floor(size, kernel, *, stride=1, padding=0, rounding="strict"):
    rounding = "floor" if rounding == "ceil" else rounding
    return shapes.output_size(size, kernel, stride=stride, padding=padding, rounding=rounding)


def _ceil_unguarded(size, kernel, *, stride=1, padding=0, rounding="strict"):
    return _count(size - kernel + 2 * padding, stride, rounding)


def _ceil_without_padding_before(size, kernel, *, stride=1, padding=0, rounding="strict"):
    return _count(
        size - kernel + 2 * padding,
        stride,
        rounding,
        starts_inside=lambda windows: windows * stride < size,
    )


def _float_size(size, kernel, *, stride=1, padding=0, rounding="strict"):
    return float(
        shapes.output_size(size, kernel, stride=stride, padding=padding, rounding=rounding)
    )


_A = {
    "kernel": "the kernel (stride 1, no padding)",
    "padding": "padding on both sides",
    "stride": "a stride that fits",
    "strict": "strict: refuse what does not fit",
    "floor": "floor",
    "ceil": "ceil",
    "guard": "ceil: no window that starts behind the image",
    "int": "the result is an int",
}


def _lost(names: dict[str, str], *keys: str) -> frozenset[str]:
    return frozenset(names[key] for key in keys)


OUTPUT_SIZE = Task(
    "a",
    "output size",
    "output_size",
    shapes.output_size,
    parts=(
        Part(_A["kernel"], 1, _kernel_cases, judge_number),
        Part(_A["padding"], 1, _padding_cases, judge_number),
        Part(_A["stride"], 1, _stride_cases, judge_number),
        Part(_A["strict"], 1, _strict_cases, judge_raises, right=_must_raise),
        Part(_A["floor"], 1, _floor_cases, judge_number),
        Part(_A["ceil"], 1, _ceil_cases, judge_number),
        Part(_A["guard"], 1, _ceil_guard_cases, judge_number),
        Part(_A["int"], 1, _whole_cases, judge_whole),
    ),
    misconceptions=(
        Misconception(
            "the + 1 is missing",
            _no_plus_one,
            "(W − F + 2P)/S counts the steps between windows. There is one window more than steps, "
            "as there is one fence post more than gaps.",
            FORMULA,
            _lost(_A, "kernel", "padding", "stride", "floor", "ceil", "guard", "int"),
        ),
        Misconception(
            "padding counted once",
            _padding_once,
            "P zeros are added on each side of the axis, so the axis grows by 2P.",
            PADDING,
            _lost(_A, "padding", "floor", "guard"),
        ),
        Misconception(
            "only the kernel is divided by the stride",
            _misplaced_parenthesis,
            "The whole way that the window can travel, W − F + 2P, is cut into steps of S. "
            "A parenthesis in the wrong place divides F alone.",
            FORMULA,
            _lost(_A, "stride", "strict", "floor", "ceil", "guard"),
        ),
        Misconception(
            "strict rounds silently",
            _silent_floor,
            'With `rounding="strict"` a remainder is an error that the caller must hear about. '
            "Floor is what PyTorch does without a word.",
            STRICT,
            _lost(_A, "strict"),
        ),
        Misconception(
            "rounding to the nearest",
            _nearest,
            "Floor always goes down: a window that does not fit completely does not count, even if "
            "more than half of it would fit.",
            STRICT,
            _lost(_A, "floor"),
        ),
        Misconception(
            "ceil treated as floor",
            _ceil_is_floor,
            "Ceil keeps the last window although it sticks out over the far edge.",
            STRICT,
            _lost(_A, "ceil", "guard"),
        ),
        Misconception(
            "ceil without a look at where the window starts",
            _ceil_unguarded,
            "Rounding up may add a window that lies completely in the padding after the image. "
            "The extra window counts only if it starts before P + W, in padded coordinates.",
            STRICT,
            _lost(_A, "guard"),
        ),
        Misconception(
            "the padding before the image is forgotten in ceil",
            _ceil_without_padding_before,
            "Window number n starts at n · S in padded coordinates, where the image ends at P + W, "
            "not at W.",
            STRICT,
            _lost(_A, "guard"),
        ),
        Misconception(
            "a size that is a float",
            _float_size,
            "A size counts positions, so it is an int. The operator `/` gives a float even when the "
            "division comes out even; `//` does not.",
            FORMULA,
            _lost(_A, "int"),
        ),
    ),
)


# --- (b) zero padding ---------------------------------------------------------------------------


def _images(rng: Random, shape: tuple[int, ...], dtype: str = "float64") -> np.ndarray:
    """Random pixels without a zero, so that padding cannot hide among them."""
    values = rng.uniform(0.5, 2.0, shape) * rng.choice([-1.0, 1.0], shape)
    return values.astype(dtype)


def _pad(x: np.ndarray, padding: int) -> Case:
    return Case({"x": x, "padding": padding})


def _pad_shape_cases(rng: Random) -> list[Case]:
    return [_pad(_images(rng, (2, 3, 4, 4)), 1), _pad(_images(rng, (1, 2, 5, 5), "float32"), 2)]


def _pad_value_cases(rng: Random) -> list[Case]:
    return [
        _pad(_images(rng, (1, 1, 3, 3)), 1),
        _pad(_images(rng, (1, 1, 4, 4), "float32"), 2),
        _pad(_images(rng, (1, 1, 2, 2)), 3),
    ]


def _pad_nothing_cases(rng: Random) -> list[Case]:
    return [_pad(_images(rng, (1, 1, 3, 3)), 1), _pad(_images(rng, (1, 1, 3, 3)), 0)]


def _pad_non_square_cases(rng: Random) -> list[Case]:
    return [
        _pad(_images(rng, (1, 1, 2, 5)), 1),
        _pad(_images(rng, (1, 1, 6, _whole(rng, 2, 4)), "float32"), 2),
    ]


def _pad_batch_cases(rng: Random) -> list[Case]:
    return [_pad(_images(rng, (3, 2, 3, 3)), 1), _pad(_images(rng, (2, 4, 4, 4), "float32"), 2)]


def _pad_dtype_cases(rng: Random) -> list[Case]:
    return [
        _pad(_images(rng, (1, 1, 3, 3), "float32"), 1),
        _pad(_images(rng, (1, 1, 3, 3), "float64"), 1),
    ]


def zero_pad(x: np.ndarray, padding: int) -> np.ndarray:
    """The reference of task (b)."""
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


def _pad_every_axis(x, padding):
    return np.pad(x, padding)


def _pad_in_total(x, padding):
    before, after = padding // 2, padding - padding // 2
    return np.pad(x, ((0, 0), (0, 0), (before, after), (before, after)))


def _pad_after(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (0, 2 * padding), (0, 2 * padding)))


def _pad_width(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (0, 0), (padding, padding)))


def _pad_edge(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), mode="edge")


def _pad_first_image(x, padding):
    out = np.zeros_like(zero_pad(x, padding))
    out[0] = zero_pad(x, padding)[0]
    return out


def _pad_minus_zero(x, padding):
    out = np.zeros_like(zero_pad(x, padding))
    out[:, :, padding:-padding, padding:-padding] = x
    return out


def _pad_float64(x, padding):
    return zero_pad(x, padding).astype(np.float64)


_B = {
    "shape": "the shape",
    "values": "the image in the middle, zeros around it",
    "nothing": "a padding of 0 as well",
    "non-square": "images that are not square",
    "batch": "all images and channels of the batch",
    "dtype": "float32 stays float32",
}

ZERO_PAD = Task(
    "b",
    "zero padding",
    "zero_pad",
    zero_pad,
    parts=(
        Part(_B["shape"], 1, _pad_shape_cases, judge_shape),
        Part(_B["values"], 2, _pad_value_cases, judge_array),
        Part(_B["nothing"], 1, _pad_nothing_cases, judge_array),
        Part(_B["non-square"], 1, _pad_non_square_cases, judge_array),
        Part(_B["batch"], 1, _pad_batch_cases, judge_array),
        Part(_B["dtype"], 1, _pad_dtype_cases, judge_dtype),
    ),
    misconceptions=(
        Misconception(
            "every axis is padded",
            _pad_every_axis,
            "Only height and width get zeros. Padding the first two axes would add empty images to the "
            "batch and empty channels to each image.",
            PADDING,
            frozenset(_B.values()),
        ),
        Misconception(
            "P zeros in total",
            _pad_in_total,
            "P is the number of zeros on each side: an axis of n pixels grows to n + 2P.",
            PADDING,
            frozenset(_B.values()),
        ),
        Misconception(
            "only the width is padded",
            _pad_width,
            "Rows of zeros above and below belong to it as well: axis 2 is the height, axis 3 the width.",
            PADDING,
            frozenset(_B.values()),
        ),
        Misconception(
            "the image sits in the corner",
            _pad_after,
            "The frame goes all around the image: its first pixel moves to row P and column P.",
            PADDING,
            _lost(_B, "values", "nothing", "non-square", "batch", "dtype"),
        ),
        Misconception(
            "the border is repeated",
            _pad_edge,
            "That is replicate padding. Zero padding writes zeros, whatever the pixels beside them.",
            PADDING,
            _lost(_B, "values", "nothing", "non-square", "batch", "dtype"),
        ),
        Misconception(
            "only the first image is copied",
            _pad_first_image,
            "Axis 0 counts the images of the batch. A colon in its place treats all of them alike.",
            PADDING,
            _lost(_B, "batch"),
        ),
        Misconception(
            "the slice ends at −0",
            _pad_minus_zero,
            "With P = 0 the slice `P:-P` is `0:0`, which is empty. Count its end from the front, too.",
            PADDING,
            _lost(_B, "nothing"),
        ),
        Misconception(
            "NumPy's default type",
            _pad_float64,
            "`np.zeros` makes float64 unless it is told otherwise; `dtype=x.dtype` tells it.",
            PADDING,
            _lost(_B, "dtype"),
        ),
    ),
)


# --- (c) convolution by loops -------------------------------------------------------------------

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
    return _even(_images(rng, shape, dtype))


def _value_cases(rng: Random) -> list[Case]:
    return [
        _conv(
            _IMAGE[None, None], _LAPLACIAN[None, None], right=_BY_HAND[None, None], note="by hand"
        ),
        _conv(_images(rng, (1, 1, 4, 4)), _images(rng, (1, 1, 2, 2))),
        _conv(_images(rng, (1, 1, 6, 6), "float32"), _images(rng, (1, 1, 3, 3), "float32")),
    ]


def _channel_cases(rng: Random) -> list[Case]:
    return [
        _conv(_images(rng, (1, 3, 4, 4)), _kernels(rng, 1, 3, 3, 3)),
        _conv(_images(rng, (1, 2, 5, 5)), _kernels(rng, 4, 2, 3, 3)),
    ]


def _batch_cases(rng: Random) -> list[Case]:
    return [
        _conv(_images(rng, (3, 1, 4, 4)), _kernels(rng, 1, 1, 2, 2)),
        _conv(_images(rng, (2, 1, 5, 5)), _kernels(rng, 1, 1, 3, 3)),
    ]


def _bias_cases(rng: Random) -> list[Case]:
    return [
        _conv(_images(rng, (1, 1, 4, 4)), _kernels(rng, 3, 1, 3, 3), _images(rng, (3,))),
        _conv(_images(rng, (1, 1, 4, 4)), _kernels(rng, 1, 1, 2, 2), _images(rng, (1,))),
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
        _conv(_images(rng, (1, 1, 7, 7)), _kernels(rng, 1, 1, 3, 3), stride=2),
        _conv(_images(rng, (1, 1, 9, 9)), _kernels(rng, 1, 1, 2, 2), stride=3, note="floor"),
    ]


def _conv_padding_cases(rng: Random) -> list[Case]:
    return [
        _conv(_images(rng, (1, 1, 4, 4)), _kernels(rng, 1, 1, 3, 3), padding=1),
        _conv(_images(rng, (1, 1, 3, 3)), _kernels(rng, 1, 1, 3, 3), padding=2),
    ]


def _conv_non_square_cases(rng: Random) -> list[Case]:
    return [
        _conv(_images(rng, (1, 1, 4, 7)), _kernels(rng, 1, 1, 3, 2)),
        _conv(_images(rng, (1, 1, 4, 6)), _kernels(rng, 1, 1, 2, 2)),
        _conv(_images(rng, (1, 1, 7, 4)), _kernels(rng, 1, 1, 2, 3)),
    ]


def _together_cases(rng: Random) -> list[Case]:
    def drawn(h: int, w: int, stride: int, padding: int, dtype: str) -> Case:
        return _conv(
            _images(rng, (2, 3, h, w), dtype),
            _images(rng, (4, 3, 3, 2), dtype),
            _images(rng, (4,), dtype),
            stride=stride,
            padding=padding,
        )

    return [drawn(5, 8, 2, 1, "float64"), drawn(6, 9, 3, 2, "float32")]


def _conv_dtype_cases(rng: Random) -> list[Case]:
    return [
        _conv(_images(rng, (1, 1, 4, 4), dtype), _kernels(rng, 1, 1, 2, 2, dtype=dtype))
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
    return _conv2d(_pad_after(x, padding), weight, bias, stride=stride)


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
            _lost(_C, "values", "together"),
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
            _lost(_C, "stride", "together"),
        ),
        Misconception(
            "the stride shrinks the result but does not move the window",
            _stride_in_size_only,
            "S is a step. Output position (i, j) looks at the window that starts at (i · S, j · S), "
            "not at (i, j).",
            STRIDE,
            _lost(_C, "stride", "together"),
        ),
        Misconception(
            "padding is ignored",
            _no_padding,
            "P frames the image with zeros before the window starts to slide, so the result grows by 2P "
            "at stride 1.",
            PADDING,
            _lost(_C, "padding", "together"),
        ),
        Misconception(
            "all padding after the image",
            _padding_after,
            "P zeros go before and P after the image, on both axes: the image starts at row P, column P.",
            PADDING,
            _lost(_C, "padding", "together"),
        ),
        Misconception(
            "only the first channel is read",
            _first_channel,
            "A filter reaches through the full depth of its input: multiply and add over all C channels.",
            DEFINITION,
            _lost(_C, "channels", "together"),
        ),
        Misconception(
            "channels are averaged",
            _mean_of_channels,
            "The products are added over the channels, not averaged: a filter has its own weights for each "
            "channel, and they set the scale.",
            DEFINITION,
            _lost(_C, "channels", "together"),
        ),
        Misconception(
            "the bias is forgotten",
            _no_bias,
            "Each filter adds its own number to its whole map. `bias=None` stands for no bias at all.",
            DEFINITION,
            _lost(_C, "bias", "together"),
        ),
        Misconception(
            "the bias is added at every tap",
            _bias_at_every_tap,
            "The bias is added once to each output position, after the products are summed.",
            DEFINITION,
            _lost(_C, "bias", "together"),
        ),
        Misconception(
            "only the first image is computed",
            _first_image,
            "Axis 0 counts the images of the batch, and each gets its own maps.",
            DEFINITION,
            _lost(_C, "batch", "together"),
        ),
        Misconception(
            "the height is used for both axes",
            _height_for_both,
            "The formula is applied to each axis by itself, with that axis' own size and kernel.",
            FORMULA,
            _lost(_C, "non-square", "together"),
        ),
        Misconception(
            "NumPy's default type",
            _always_float64,
            "`np.zeros` makes float64 unless it is told otherwise; `dtype=x.dtype` tells it.",
            DEFINITION,
            _lost(_C, "dtype"),
        ),
    ),
)

EXERCISE = Exercise(
    "ch04_output_size", {task.letter: task for task in (OUTPUT_SIZE, ZERO_PAD, CONV2D)}
)
check = EXERCISE.check
mark = EXERCISE.mark
