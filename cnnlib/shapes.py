"""Integer arithmetic of convolution and pooling windows: the course's one home for sizes.

Only the standard library is used, so the same file runs in a notebook, in a grader and in a browser.
Layers, diagrams, checks and the book all call these functions. The one copy of the arithmetic that
exists elsewhere, in the JavaScript of the widgets, is held equal to it by a test.

One axis at a time: height and width follow the same rule, so the functions take the numbers of one
axis. :func:`output_shape` applies the rule to both.
"""

import math
import operator
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from cnnlib.errors import ShapeError

__all__ = [
    "Fits",
    "ReceptiveField",
    "Rounding",
    "Suggestions",
    "Window",
    "conv_params",
    "coverage",
    "effective_kernel",
    "linear_params",
    "nearest_fit",
    "nearest_valid",
    "output_shape",
    "output_size",
    "pair",
    "receptive_field",
    "same_padding",
    "unseen",
    "whole",
]

Rounding = Literal["strict", "floor", "ceil"]
Padding = int | tuple[int, int]


# --- the numbers that users hand in -------------------------------------------------------------


def whole(name: str, value: Any, minimum: int) -> int:
    """Return `value` as an ``int``, or say which argument must be a whole number of at least `minimum`.

    Whole numbers of other types (NumPy's integers, for instance) are welcome; floats, booleans and
    texts are not.

    >>> whole("stride", 2, 1)
    2
    >>> whole("stride", 0, 1)
    Traceback (most recent call last):
    cnnlib.errors.ShapeError: stride=0 is too small: it must be a whole number of at least 1.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        hint = f" Write {int(value)}." if isinstance(value, float) and value.is_integer() else ""
        raise ShapeError(
            f"{name}={value!r} is not a whole number: it must be an int of at least {minimum}.{hint}"
        )
    number = operator.index(value)
    if number < minimum:
        raise ShapeError(
            f"{name}={number} is too small: it must be a whole number of at least {minimum}."
        )
    return number


def pair(name: str, value: Any, minimum: int) -> tuple[int, int]:
    """Return `value`, an int for both axes or a pair (height, width), as a pair of ints.

    >>> pair("stride", 2, 1), pair("stride", (2, 1), 1)
    ((2, 2), (2, 1))
    """
    if isinstance(value, Sequence) and not isinstance(value, str):
        if len(value) != 2:
            raise ShapeError(
                f"{name}={value!r} has {len(value)} entries: "
                "give one int for both axes, or a pair (height, width)."
            )
        first, second = value
        return whole(f"{name}[0]", first, minimum), whole(f"{name}[1]", second, minimum)
    number = whole(name, value, minimum)
    return number, number


def _both_sides(padding: Padding) -> tuple[int, int]:
    """Padding of one axis as (before, after)."""
    if isinstance(padding, Sequence):
        if len(padding) != 2:
            raise ShapeError(
                f"padding={padding!r} has {len(padding)} entries: "
                "give one int for both sides, or a pair (before, after)."
            )
        return whole("padding[0]", padding[0], 0), whole("padding[1]", padding[1], 0)
    amount = whole("padding", padding, 0)
    return amount, amount


class _Axis(NamedTuple):
    """One axis, checked: what every function below computes with."""

    size: int
    kernel: int
    stride: int
    before: int
    after: int
    dilation: int

    @property
    def reach(self) -> int:
        """Pixels from the first to the last tap of a window, both counted."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def padded(self) -> int:
        return self.before + self.size + self.after

    @property
    def span(self) -> int:
        """How far the window can travel."""
        return self.padded - self.reach

    @property
    def padding_text(self) -> str:
        return f"{self.before}" if self.before == self.after else f"({self.before}, {self.after})"

    @property
    def pads_text(self) -> str:
        """The padding as a term of the formula."""
        return (
            f"2·{self.before}" if self.before == self.after else f"({self.before} + {self.after})"
        )


def _axis(
    size: int, kernel: int, stride: int, padding: Padding, dilation: int, must_fit: bool = True
) -> _Axis:
    axis = _Axis(
        whole("size", size, 1),
        whole("kernel", kernel, 1),
        whole("stride", stride, 1),
        *_both_sides(padding),
        whole("dilation", dilation, 1),
    )
    if must_fit and axis.span < 0:
        raise ShapeError(_does_not_fit(axis))
    return axis


def _does_not_fit(axis: _Axis) -> str:
    reach = f" (its taps are {axis.reach} apart end to end)" if axis.dilation > 1 else ""
    near = _fits(axis)
    remedies = [f"padding of at least {near.paddings[0]}", f"a kernel of at most {near.kernels[0]}"]
    remedies += [f"a dilation of at most {value}" for value in near.dilations]
    remedies.append(f"a size of at least {near.sizes[0]}")
    text = ", ".join(remedies[:-1]) + " or " + remedies[-1]
    return (
        f"kernel={axis.kernel} with dilation={axis.dilation}{reach} does not fit into size={axis.size} "
        f"with padding={axis.padding_text}: the window needs {axis.reach} pixels and the padded input "
        f"has {axis.padded}. What would fit: {text}."
    )


# --- output size --------------------------------------------------------------------------------


def effective_kernel(kernel: int, dilation: int = 1) -> int:
    """Pixels that a dilated kernel reaches across: ``dilation * (kernel - 1) + 1``.

    >>> effective_kernel(3), effective_kernel(3, dilation=2)
    (3, 5)
    """
    return whole("dilation", dilation, 1) * (whole("kernel", kernel, 1) - 1) + 1


def output_size(
    size: int,
    kernel: int,
    *,
    stride: int = 1,
    padding: Padding = 0,
    dilation: int = 1,
    rounding: Rounding = "strict",
) -> int:
    """Count the positions of a window that slides along one axis.

    The count is ``(size - kernel + 2 * padding) / stride + 1``, with
    ``dilation * (kernel - 1) + 1`` in place of ``kernel`` when the kernel is dilated.

    Parameters
    ----------
    size : int
        Input size along the axis, in pixels.
    kernel : int
        Taps of the kernel along the axis (*F*).
    stride : int
        Pixels from one window to the next (*S*).
    padding : int or (int, int)
        Zeros added on both sides (*P*), or (before, after) when the sides differ.
    dilation : int
        Pixels from one tap to the next.
    rounding : {"strict", "floor", "ceil"}
        What to do when the windows do not tile the padded input. ``"strict"`` refuses.
        ``"floor"`` drops the part of the last window that would stick out, as PyTorch's layers do.
        ``"ceil"`` lets the last window stick out, but only if it starts inside the input or the
        padding before it, as in PyTorch's ``ceil_mode=True``.

    Returns
    -------
    int
        Output size along the axis, in positions.

    Raises
    ------
    ShapeError
        If the window is larger than the padded input, or if `rounding` is ``"strict"`` and the
        windows do not tile it; the message proposes the nearest settings that work.

    References
    ----------
    Dumoulin and Visin (2016), *A guide to convolution arithmetic for deep learning*, relationship 6.

    Examples
    --------
    >>> output_size(227, 11, stride=4)
    55
    >>> output_size(224, 7, stride=2, padding=3, rounding="floor")
    112
    >>> output_size(5, 3, padding=1)
    5
    """
    axis = _axis(size, kernel, stride, padding, dilation)
    windows, left_over = divmod(axis.span, axis.stride)
    windows += 1
    if rounding == "floor" or (rounding == "strict" and left_over == 0):
        return windows
    if rounding == "strict":
        raise ShapeError(_does_not_tile(axis))
    if rounding == "ceil":
        starts_inside = windows * axis.stride < axis.before + axis.size
        return windows + 1 if left_over and starts_inside else windows
    raise ShapeError(f'rounding={rounding!r} is unknown: use "strict", "floor" or "ceil".')


def output_shape(
    shape: tuple[int, int],
    kernel: int | tuple[int, int],
    *,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
    rounding: Rounding = "strict",
) -> tuple[int, int]:
    """Apply :func:`output_size` to (height, width); every setting is an int or a pair.

    >>> output_shape((32, 48), (3, 5), padding=(1, 2))
    (32, 48)
    """
    kernels, strides = pair("kernel", kernel, 1), pair("stride", stride, 1)
    paddings, dilations = pair("padding", padding, 0), pair("dilation", dilation, 1)
    sizes = []
    for i, name in enumerate(("height", "width")):
        try:
            sizes.append(
                output_size(
                    shape[i],
                    kernels[i],
                    stride=strides[i],
                    padding=paddings[i],
                    dilation=dilations[i],
                    rounding=rounding,
                )
            )
        except ShapeError as error:
            raise ShapeError(f"{name}: {error}") from None
    return sizes[0], sizes[1]


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _does_not_tile(axis: _Axis) -> str:
    exact = _number(axis.span / axis.stride + 1)
    near = nearest_valid(
        axis.size,
        axis.kernel,
        stride=axis.stride,
        padding=(axis.before, axis.after),
        dilation=axis.dilation,
    )
    options = [
        f"{name} {' or '.join(map(str, values))}"
        for name, values in (
            ("size", near.sizes),
            ("stride", near.strides),
            ("padding", near.paddings),
        )
        if values
    ]
    floored = axis.span // axis.stride + 1
    return (
        f"size={axis.size}, kernel={axis.kernel}, stride={axis.stride}, padding={axis.padding_text}, "
        f"dilation={axis.dilation} do not tile: ({axis.size} − {axis.reach} + {axis.pads_text})/{axis.stride} + 1 "
        f"= {exact} is not a whole number. Nearest that work: {'; '.join(options)}. "
        f'Or take rounding="floor", as PyTorch does, for {floored} positions that leave the last '
        f"{axis.span % axis.stride} of {axis.padded} padded pixels unread."
    )


class Suggestions(NamedTuple):
    """Values of one argument, all others kept, for which the windows tile; nearest first below, then above."""

    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    paddings: tuple[int, ...]
    kernels: tuple[int, ...]


def nearest_valid(
    size: int, kernel: int, *, stride: int = 1, padding: Padding = 0, dilation: int = 1
) -> Suggestions:
    """Find the nearest size, stride, padding and kernel that tile, changing one at a time.

    Each entry holds the nearest value below and the nearest above the one given, where they exist
    (the value itself where it already tiles). Padding is proposed only as one int for both sides,
    and no larger than half the kernel's reach or the padding given, whichever is larger: more zeros
    than that would make windows that see no pixel at all.

    >>> nearest_valid(224, 11, stride=4)
    Suggestions(sizes=(223, 227), strides=(3, 71), paddings=(), kernels=(8, 12))
    """
    axis = _axis(size, kernel, stride, padding, dilation)

    def tiles(**change: int) -> bool:
        other = axis._replace(**change)
        return other.span >= 0 and other.span % other.stride == 0

    def around(given: int, below: Iterable[int], above: Iterable[int], argument: str) -> tuple:
        def good(value: int) -> bool:
            if argument == "padding":
                return tiles(before=value, after=value)
            return tiles(**{argument: value})

        if tiles():
            return (given,)
        found = (next(filter(good, candidates), None) for candidates in (below, above))
        return tuple(value for value in found if value is not None)

    def search(argument: str, given: int, low: int, high: int) -> tuple[int, ...]:
        return around(given, range(given - 1, low - 1, -1), range(given + 1, high + 1), argument)

    most_padding = max(axis.reach // 2, axis.before)
    return Suggestions(
        sizes=search("size", axis.size, 1, axis.size + axis.stride),
        strides=search("stride", axis.stride, 1, max(axis.span, 1)),
        paddings=search("padding", axis.before, 0, most_padding)
        if axis.before == axis.after
        else (),
        kernels=search("kernel", axis.kernel, 1, axis.kernel + axis.stride),
    )


class Fits(NamedTuple):
    """Values of one argument, all others kept, for which the window fits into the padded input."""

    sizes: tuple[int, ...]
    paddings: tuple[int, ...]
    kernels: tuple[int, ...]
    dilations: tuple[int, ...]


def nearest_fit(size: int, kernel: int, *, padding: Padding = 0, dilation: int = 1) -> Fits:
    """Find the smallest change of size, padding, kernel or dilation that lets the window fit.

    Each entry holds one value (the value itself where the window fits); ``dilations`` is empty where
    no dilation helps.

    >>> nearest_fit(5, 4, dilation=2)
    Fits(sizes=(7,), paddings=(1,), kernels=(3,), dilations=(1,))
    """
    return _fits(_axis(size, kernel, 1, padding, dilation, must_fit=False))


def _fits(axis: _Axis) -> Fits:
    missing = max(0, -axis.span)
    if not missing:
        return Fits((axis.size,), (axis.before,), (axis.kernel,), (axis.dilation,))
    shrinks = axis.dilation > 1 and axis.padded >= axis.kernel
    return Fits(
        (axis.size + missing,),
        (math.ceil((axis.before + axis.after + missing) / 2),),
        ((axis.padded - 1) // axis.dilation + 1,),
        ((axis.padded - 1) // (axis.kernel - 1),) if shrinks else (),
    )


def same_padding(kernel: int, *, dilation: int = 1) -> tuple[int, int]:
    """Padding (before, after) that keeps the size at stride 1.

    An odd kernel needs ``dilation * (kernel - 1) / 2`` zeros on each side. An even kernel needs an
    odd total, which cannot be split evenly: the extra zero goes *after* (the right or bottom side),
    as in PyTorch's ``padding="same"`` and TensorFlow's ``"SAME"``.

    >>> same_padding(3), same_padding(4), same_padding(3, dilation=2)
    ((1, 1), (1, 2), (2, 2))
    """
    total = effective_kernel(kernel, dilation) - 1
    return total // 2, total - total // 2


def coverage(
    size: int, kernel: int, *, stride: int = 1, padding: Padding = 0, dilation: int = 1
) -> list[int]:
    """Count, for each input pixel of one axis, the windows that read it (rounding ``"floor"``).

    >>> coverage(6, 3, stride=2)
    [1, 1, 2, 1, 1, 0]
    """
    axis = _axis(size, kernel, stride, padding, dilation)
    counts = [0] * axis.size
    for window in range(axis.span // axis.stride + 1):
        start = window * axis.stride - axis.before
        for tap in range(axis.kernel):
            position = start + tap * axis.dilation
            if 0 <= position < axis.size:
                counts[position] += 1
    return counts


def unseen(
    size: int, kernel: int, stride: int = 1, padding: Padding = 0, *, dilation: int = 1
) -> int:
    """Count the input pixels at the far edge that no window reaches when the output size is floored.

    Padding after the input is dropped first: a remainder that falls into the zeros costs no pixel.

    >>> unseen(224, 11, 4, 0)  # AlexNet as printed: the last column is never read
    1
    >>> unseen(224, 7, 2, 3)  # ResNet: the remainder is one column of zeros
    0
    """
    axis = _axis(size, kernel, stride, padding, dilation)
    return min(axis.size, max(0, axis.span % axis.stride - axis.after))


# --- parameters ---------------------------------------------------------------------------------


def conv_params(
    in_channels: int,
    out_channels: int,
    kernel: int | tuple[int, int],
    *,
    groups: int = 1,
    bias: bool = True,
) -> int:
    """Count the learned numbers of a CONV layer: ``(F * F * D_in / groups + 1) * K``.

    >>> conv_params(3, 64, 11)
    23296
    """
    channels = whole("in_channels", in_channels, 1)
    filters = whole("out_channels", out_channels, 1)
    parts = whole("groups", groups, 1)
    for name, value in (("in_channels", channels), ("out_channels", filters)):
        if value % parts:
            raise ShapeError(
                f"{name}={value} is not divisible by groups={parts}: "
                f"each group needs the same number of channels, so use {name} "
                f"{value - value % parts or parts} or {value - value % parts + parts}, or another groups."
            )
    height, width = pair("kernel", kernel, 1)
    return (height * width * (channels // parts) + bool(bias)) * filters


def linear_params(in_features: int, out_features: int, *, bias: bool = True) -> int:
    """Count the learned numbers of an FC layer: ``(in_features + 1) * out_features``.

    >>> linear_params(3072, 1000)
    3073000
    """
    return (whole("in_features", in_features, 1) + bool(bias)) * whole(
        "out_features", out_features, 1
    )


# --- receptive field ----------------------------------------------------------------------------


class Window(NamedTuple):
    """The sliding window of one layer along one axis; strides and kernels of 1 are allowed."""

    kernel: int
    stride: int = 1
    padding: Padding = 0
    dilation: int = 1


class ReceptiveField(NamedTuple):
    """What one output position sees of the input, along one axis.

    Attributes
    ----------
    size : int
        Input pixels from the first to the last that can influence the position. Near the border
        part of them lie in the padding.
    jump : int
        Input pixels between neighbouring output positions.
    start : float
        Centre of the first position's field, in input pixels; 0.0 is the middle of the first pixel.
    """

    size: int = 1
    jump: int = 1
    start: float = 0.0

    def through(
        self, kernel: int, stride: int = 1, padding: Padding = 0, dilation: int = 1
    ) -> "ReceptiveField":
        """The field after one more layer."""
        reach = effective_kernel(kernel, dilation)
        before, _ = _both_sides(padding)
        return ReceptiveField(
            self.size + (reach - 1) * self.jump,
            self.jump * whole("stride", stride, 1),
            self.start + ((reach - 1) / 2 - before) * self.jump,
        )


def receptive_field(layers: Iterable[Sequence]) -> ReceptiveField:
    """Theoretical receptive field, in the input, of a stack of windows along one axis.

    Parameters
    ----------
    layers : iterable of Window or tuple
        ``(kernel, stride, padding, dilation)`` for each layer from the input on; what is left out
        of a tuple takes :class:`Window`'s default.

    References
    ----------
    Araujo, Norris and Sim (2019), *Computing receptive fields of convolutional neural networks*,
    Distill, equations 2 and 5.

    Examples
    --------
    Two 3 × 3 layers see as far as one 5 × 5:

    >>> receptive_field([(3,), (3,)])
    ReceptiveField(size=5, jump=1, start=2.0)
    """
    field = ReceptiveField()
    for layer in layers:
        field = field.through(*Window(*layer))
    return field
