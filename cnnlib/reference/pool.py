"""Pooling: each channel by itself, every window replaced by its maximum or its average.

Both work one axis at a time. The maximum of a window is the maximum over its columns of the maxima
over its rows, and the same holds for sums, so an F × F window costs 2·F steps in place of F².

=============  ==================================================================================
accepts        activations (N, C, H, W)
settings       ``kernel_size`` F, ``stride`` S (F if not given), ``padding`` P, ``rounding``
produces       (N, C, H', W') with H' = (H + 2P − F)/S + 1, rounded; depth unchanged
parameters     none
=============  ==================================================================================
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from cnnlib.errors import ShapeError
from cnnlib.reference.arguments import float_array, output_gradient
from cnnlib.shapes import Rounding, output_shape, pair

__all__ = [
    "avg_pool2d",
    "avg_pool2d_backward",
    "avg_pool2d_forward",
    "global_avg_pool2d",
    "global_avg_pool2d_backward",
    "global_avg_pool2d_forward",
    "max_pool2d",
    "max_pool2d_backward",
    "max_pool2d_forward",
]

HEIGHT, WIDTH = 2, 3  # the axes of (N, C, H, W)
BLOCK_BYTES = 1 << 20


# --- the windows ----------------------------------------------------------------------------------


class _Windows(NamedTuple):
    """The pooling windows over one input; each field is (height, width) unless it says otherwise."""

    input: tuple[int, ...]  # the shape (N, C, H, W)
    dtype: np.dtype
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    out: tuple[int, int]

    @property
    def _axes(self) -> Iterable[tuple[int, ...]]:
        return zip(
            self.input[HEIGHT:], self.padding, self.out, self.stride, self.kernel, strict=True
        )

    @property
    def areas(self) -> np.ndarray:
        """(H', W') array: how many cells of each window lie in the input or its padding."""
        height, width = (
            np.minimum(kernel, size + 2 * padding - np.arange(out) * stride)
            for size, padding, out, stride, kernel in self._axes
        )
        return np.outer(height, width).astype(self.dtype)

    @property
    def padded(self) -> tuple[int, int]:
        """Size with padding on both sides, and with room for a last window that sticks out."""
        height, width = (
            max(size + 2 * padding, (out - 1) * stride + kernel)
            for size, padding, out, stride, kernel in self._axes
        )
        return height, width

    def shifts(self, x: np.ndarray, axis: int) -> Iterator[np.ndarray]:
        """For each tap along `axis`, the view of `x` that holds this tap of all windows."""
        stride, out = self.stride[axis - HEIGHT], self.out[axis - HEIGHT]
        for tap in range(self.kernel[axis - HEIGHT]):
            cut = slice(tap, tap + stride * (out - 1) + 1, stride)
            yield x[:, :, cut] if axis == HEIGHT else x[:, :, :, cut]

    def pad(self, x: np.ndarray, fill: float) -> np.ndarray:
        """`x` with `fill` around it; `x` itself where nothing is to be added."""
        if self.padded == x.shape[HEIGHT:]:
            return x
        padded = np.full((*x.shape[:HEIGHT], *self.padded), fill, x.dtype)
        self.crop(padded)[...] = x
        return padded

    def crop(self, padded: np.ndarray) -> np.ndarray:
        """The view of `padded` without what :meth:`pad` added."""
        (top, left), (height, width) = self.padding, self.input[HEIGHT:]
        return padded[:, :, top : top + height, left : left + width]


def _windows(x: Any, kernel_size: Any, stride: Any, padding: Any, rounding: Rounding) -> _Windows:
    """Check the arguments of a pooling layer."""
    shape, dtype = float_array("x", x, "N C H W").shape, x.dtype
    kernel = pair("kernel_size", kernel_size, 1)
    step = kernel if stride is None else pair("stride", stride, 1)
    pads = pair("padding", padding, 0)
    for name, size, zeros in zip(("height", "width"), kernel, pads, strict=True):
        if zeros > size // 2:
            raise ShapeError(
                f"{name}: padding={zeros} is more than half of kernel_size={size}: a window could lie "
                f"in the padding and see no pixel. Use a padding of at most {size // 2}."
            )
    out = output_shape(
        (shape[HEIGHT], shape[WIDTH]), kernel, stride=step, padding=pads, rounding=rounding
    )
    return _Windows(shape, dtype, kernel, step, pads, out)


# --- maximum --------------------------------------------------------------------------------------


def max_pool2d(
    x: np.ndarray,
    kernel_size: int | tuple[int, int],
    *,
    stride: int | tuple[int, int] | None = None,
    padding: int | tuple[int, int] = 0,
    rounding: Rounding = "floor",
) -> np.ndarray:
    """Replace every window by its largest value.

    Parameters
    ----------
    x : (N, C, H, W) array, float32 or float64
        Activations.
    kernel_size : int or (int, int)
        Size F of the window.
    stride : int or (int, int), optional
        Step S from one window to the next; F if not given, so that windows touch and do not overlap.
    padding : int or (int, int)
        Rows and columns of −∞ on both sides, at most F // 2. They never win over a pixel.
    rounding : {"floor", "ceil", "strict"}
        What to do when the windows do not tile the input, see :func:`cnnlib.shapes.output_size`.
        The default drops the rest, as PyTorch does.

    Returns
    -------
    (N, C, H', W') array, dtype of `x`
        A window that contains NaN gives NaN.

    Raises
    ------
    ShapeError
        If `x` has another rank, the window does not fit, or the padding is over half the window.
    DtypeError
        If `x` is not float32 or float64.

    Examples
    --------
    >>> x = np.array([[[[1., 5., 2., 0.], [3., 4., 1., 7.]]]])
    >>> max_pool2d(x, 2)
    array([[[[5., 7.]]]])
    >>> max_pool2d(x, 2, stride=1)
    array([[[[5., 5., 7.]]]])
    """
    windows = _windows(x, kernel_size, stride, padding, rounding)
    tallest = _reduce(np.maximum, windows.shifts(windows.pad(x, -np.inf), HEIGHT))
    return _reduce(np.maximum, windows.shifts(tallest, WIDTH))


def max_pool2d_forward(
    x: np.ndarray,
    kernel_size: int | tuple[int, int],
    *,
    stride: int | tuple[int, int] | None = None,
    padding: int | tuple[int, int] = 0,
    rounding: Rounding = "floor",
) -> tuple[np.ndarray, tuple]:
    """:func:`max_pool2d`, and where each maximum stood.

    Returns
    -------
    out : (N, C, H', W') array
    cache : tuple
        For :func:`max_pool2d_backward`: the winners' positions in the flattened input.
        Among equal values the first in row-major order wins; of several NaN the last, as in PyTorch.
    """
    windows = _windows(x, kernel_size, stride, padding, rounding)
    padded = windows.pad(x, -np.inf)
    # A tap's number, row by row, says where in its window it lies. One byte holds it up to 15 × 15.
    count = math.prod(windows.kernel)
    taps = np.arange(count, dtype=np.min_scalar_type(count)).reshape(windows.kernel)
    out = np.empty((*x.shape[:HEIGHT], *windows.out), x.dtype)
    winner = np.empty(out.shape, taps.dtype)
    for n in range(len(x)):  # image by image: intermediate results stay in the processor's cache
        image = padded[n : n + 1]
        # The winner of each row of taps first, then the winner among the rows, in this order: so
        # the first of equals in row-major order stays.
        best, column = _first_maximum(windows.shifts(image, WIDTH), taps[0])
        labels = [a + b for a, b in zip(windows.shifts(column, HEIGHT), taps[:, 0], strict=True)]
        out[n : n + 1], winner[n : n + 1] = _first_maximum(windows.shifts(best, HEIGHT), labels)
    return out, (windows, _positions(winner, windows))


def _first_maximum(values: Iterable, labels: Iterable) -> tuple[np.ndarray, np.ndarray]:
    """Elementwise maximum of arrays of one shape, and the label of the array that it came from.

    A later value must be *larger* to win, so the first of equals stays; NaN always wins. Labels grow
    from array to array, hence "the new label where it wins" is itself a maximum.
    """
    (first, label), *rest = zip(values, labels, strict=True)
    best, winner = first.copy(), np.full(first.shape, label)
    for value, label in rest:
        wins = (value > best) | (value != value)
        np.maximum(winner, wins * label, out=winner)
        np.maximum(best, value, out=best)
    return best, winner


def _positions(winner: np.ndarray, windows: _Windows) -> np.ndarray:
    """Index into the flattened input of the pixel under each window's winning tap."""
    n, c, height, width = windows.input
    plane = np.arange(n * c).reshape(n, c, 1, 1) * (height * width)
    top, left = (np.arange(out) * stride - padding for _, padding, out, stride, _ in windows._axes)
    taps = np.add.outer(np.arange(windows.kernel[0]) * width, np.arange(windows.kernel[1]))
    position = taps.ravel().take(winner)
    position += plane + np.add.outer(top * width, left)
    if any(windows.padding):
        # Tap 0 of a border window is padding. It wins only if all the pixels are −∞ as well, and
        # then the gradient belongs to the first pixel.
        first = np.add.outer(np.maximum(top, 0) * width, np.maximum(left, 0))
        np.copyto(position, plane + first, where=winner == 0)
    return position


def max_pool2d_backward(dout: np.ndarray, cache: tuple) -> np.ndarray:
    """Gradient of max pooling: each `dout` goes to the pixel that won its window.

    Moving the winner by a little moves the output as much; moving any other pixel does nothing. A
    pixel that wins several overlapping windows collects the sum, in the order of the windows.

    Parameters
    ----------
    dout : (N, C, H', W') array
        Gradient with respect to the output.
    cache : tuple
        From :func:`max_pool2d_forward`.

    Returns
    -------
    dx : (N, C, H, W) array
        Bit by bit what PyTorch computes on a CPU.

    Examples
    --------
    >>> x = np.array([[[[1., 5., 2.], [3., 4., 1.]]]])
    >>> out, cache = max_pool2d_forward(x, 2, stride=1)
    >>> max_pool2d_backward(np.array([[[[10., 1.]]]]), cache)
    array([[[[ 0., 11.,  0.],
             [ 0.,  0.,  0.]]]])
    """
    windows, position = cache
    dout = output_gradient(dout, position.shape, windows.dtype)
    planes, pixels = math.prod(windows.input[:HEIGHT]), math.prod(windows.input[HEIGHT:])
    position, dout = (a.reshape(planes, math.prod(windows.out)) for a in (position, dout))
    dx = np.empty((planes, pixels), dout.dtype)
    overlap = any(f > s for f, s in zip(windows.kernel, windows.stride, strict=True))
    step = max(1, BLOCK_BYTES // (pixels * dout.itemsize))
    for start in range(0, planes, step):  # so many planes stay in the processor's cache
        some = slice(start, start + step)
        dx[some] = 0
        if overlap:
            np.add.at(dx.reshape(-1), position[some].reshape(-1), dout[some].reshape(-1))
        else:  # a pixel wins once at most; + 0 makes −0 a plain 0, as adding to zero does
            dx.reshape(-1)[position[some].reshape(-1)] = dout[some].reshape(-1) + 0
    return dx.reshape(windows.input)


# --- average --------------------------------------------------------------------------------------


def avg_pool2d(
    x: np.ndarray,
    kernel_size: int | tuple[int, int],
    *,
    stride: int | tuple[int, int] | None = None,
    padding: int | tuple[int, int] = 0,
    rounding: Rounding = "floor",
) -> np.ndarray:
    """Replace every window by its average.

    The arguments are those of :func:`max_pool2d`, and so are the errors. The padding consists of
    zeros, and they count: a corner window of 3 × 3 with one ring of padding divides the sum of its
    4 pixels by 9. This is PyTorch's default (``count_include_pad=True``). Only what sticks out
    beyond the padding, with ``rounding="ceil"``, does not count.

    Returns
    -------
    (N, C, H', W') array, dtype of `x`

    Examples
    --------
    >>> x = np.array([[[[1., 5., 2., 0.], [3., 3., 1., 1.]]]])
    >>> avg_pool2d(x, 2)
    array([[[[3., 1.]]]])
    """
    return avg_pool2d_forward(x, kernel_size, stride=stride, padding=padding, rounding=rounding)[0]


def avg_pool2d_forward(
    x: np.ndarray,
    kernel_size: int | tuple[int, int],
    *,
    stride: int | tuple[int, int] | None = None,
    padding: int | tuple[int, int] = 0,
    rounding: Rounding = "floor",
) -> tuple[np.ndarray, _Windows]:
    """:func:`avg_pool2d`, and a cache for :func:`avg_pool2d_backward` that holds sizes only."""
    windows = _windows(x, kernel_size, stride, padding, rounding)
    down = _reduce(np.add, windows.shifts(windows.pad(x, 0.0), HEIGHT))
    out = _reduce(np.add, windows.shifts(down, WIDTH))
    out /= windows.areas
    return out, windows


def avg_pool2d_backward(dout: np.ndarray, cache: _Windows) -> np.ndarray:
    """Gradient of average pooling: each `dout` is shared out equally over its window.

    A pixel enters the average with weight 1/area, so it gets dout/area, summed over all windows that
    contain it. As in the forward pass the two axes follow one another: first along the rows, then
    along the columns.

    Parameters
    ----------
    dout : (N, C, H', W') array
        Gradient with respect to the output.
    cache : tuple
        From :func:`avg_pool2d_forward`.

    Returns
    -------
    dx : (N, C, H, W) array

    Examples
    --------
    >>> out, cache = avg_pool2d_forward(np.zeros((1, 1, 2, 3)), 2, stride=1)
    >>> avg_pool2d_backward(np.array([[[[4., 8.]]]]), cache)
    array([[[[1., 3., 2.],
             [1., 3., 2.]]]])
    """
    windows = cache
    n, c = windows.input[:HEIGHT]
    dout = output_gradient(dout, (n, c, *windows.out), windows.dtype)
    share = dout / windows.areas
    across = np.zeros((n, c, windows.out[0], windows.padded[1]), windows.dtype)
    for pixels in windows.shifts(across, WIDTH):
        pixels += share
    dpadded = np.zeros((n, c, *windows.padded), windows.dtype)
    for pixels in windows.shifts(dpadded, HEIGHT):
        pixels += across
    return np.ascontiguousarray(windows.crop(dpadded))


# --- the whole plane ------------------------------------------------------------------------------


def global_avg_pool2d(x: np.ndarray) -> np.ndarray:
    """Average each channel over its whole plane: one number a channel.

    Parameters
    ----------
    x : (N, C, H, W) array, float32 or float64

    Returns
    -------
    (N, C) array, dtype of `x`
        Ready for :func:`cnnlib.reference.linear.linear` or a softmax; no ``flatten`` is needed.

    References
    ----------
    Lin, Chen and Yan (2014), *Network in network*, section 3.2.

    Examples
    --------
    >>> global_avg_pool2d(np.arange(8.0).reshape(1, 2, 2, 2))
    array([[1.5, 5.5]])
    """
    x = float_array("x", x, "N C H W")
    return np.einsum("nchw->nc", x) / x.dtype.type(x.shape[HEIGHT] * x.shape[WIDTH])


def global_avg_pool2d_forward(x: np.ndarray) -> tuple[np.ndarray, tuple]:
    """:func:`global_avg_pool2d`, and the cache for its backward: shape and dtype of `x`."""
    return global_avg_pool2d(x), (x.shape, x.dtype)


def global_avg_pool2d_backward(dout: np.ndarray, cache: tuple) -> np.ndarray:
    """Gradient of the average: every pixel of a plane gets dout/(H·W).

    Parameters
    ----------
    dout : (N, C) array
        Gradient with respect to the output.
    cache : tuple
        From :func:`global_avg_pool2d_forward`.

    Returns
    -------
    dx : (N, C, H, W) array
    """
    shape, dtype = cache
    dout = output_gradient(dout, shape[:HEIGHT], dtype)
    share = dout / dtype.type(shape[HEIGHT] * shape[WIDTH])
    return np.broadcast_to(share[:, :, None, None], shape).copy()


def _reduce(combine: np.ufunc, views: Iterable[np.ndarray]) -> np.ndarray:
    """Combine equally shaped views into a new array."""
    first, *rest = views
    if not rest:
        return first.copy()
    out = combine(first, rest[0])
    for view in rest[1:]:
        combine(out, view, out=out)
    return out
