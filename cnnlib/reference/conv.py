"""Convolution, forward and backward, in NumPy.

Deep learning's *convolution* is the cross-correlation of signal processing: the kernel is not
flipped. With stride S, padding P, dilation D and one group, and x taken as 0 outside the image::

    out[n, k, h, w] = bias[k] + sum over c, i, j of
                      weight[k, c, i, j] * x[n, c, h*S - P + i*D, w*S - P + j*D]

:func:`conv2d_naive` is this sentence as a program. :func:`conv2d` gives the same numbers by matrix
products, thousands of times faster; :mod:`cnnlib.reference.lowering` shows how a window becomes one.
"""

from typing import Any, NamedTuple

import numpy as np

from cnnlib import shapes
from cnnlib.errors import ShapeError
from cnnlib.reference.arguments import expect_shape, float_array, output_gradient, same_dtype
from cnnlib.reference.lowering import Windows, lower, matrices_of, positions_inside, weight_of

__all__ = ["ConvCache", "conv2d", "conv2d_backward", "conv2d_forward", "conv2d_naive"]

Pair = int | tuple[int, int]


class ConvCache(NamedTuple):
    """What the backward pass needs to remember. The arrays are the caller's own, not copies."""

    x: np.ndarray
    weight: np.ndarray
    has_bias: bool
    windows: Windows


# --- forward ----------------------------------------------------------------------------------------


def conv2d(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> np.ndarray:
    """Slide K filters over a batch of images: the forward pass of a CONV layer.

    Parameters
    ----------
    x : array, shape (N, C, H, W), float32 or float64
        Batch of N volumes with C channels. It is not modified.
    weight : array, shape (K, C // groups, F_h, F_w), dtype of `x`
        K filters; each extends through all channels of its group.
    bias : array, shape (K,), dtype of `x`, optional
        One number for each filter, added to its whole map.
    stride, padding, dilation : int or (int, int)
        For both axes, or (height, width). Padding adds zeros on both sides.
    groups : int
        Cut the channels and the filters into so many groups of neighbours; filters of a group see
        that group's channels only. ``groups=C`` gives the depthwise convolution.

    Returns
    -------
    array, shape (N, K, H_out, W_out), dtype of `x`
        ``H_out = floor((H + 2 * padding - dilation * (F_h - 1) - 1) / stride) + 1``, W_out likewise.
        As in PyTorch the size is floored: see :func:`cnnlib.shapes.unseen` for what that drops.

    Raises
    ------
    ShapeError
        If ranks, channels, filters, groups or bias do not match, if the window does not fit into
        the padded image, or if a setting is no whole number or too small.
    DtypeError
        If an array is not float32 or float64, or if the dtypes differ.

    References
    ----------
    Dumoulin and Visin (2016), *A guide to convolution arithmetic for deep learning*, chapter 2.

    Examples
    --------
    An edge: the kernel subtracts each pixel from its right neighbour.

    >>> x = np.array([[[[0.0, 0.0, 5.0, 5.0]]]])
    >>> conv2d(x, np.array([[[[-1.0, 1.0]]]]))
    array([[[[0., 5., 0.]]]])
    """
    windows = windows_of(x, weight, bias, stride, padding, dilation, groups)
    return _correlate(x, weight, bias, windows)


def conv2d_forward(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> tuple[np.ndarray, ConvCache]:
    """Do the work of :func:`conv2d`; return the output and the cache for :func:`conv2d_backward`."""
    windows = windows_of(x, weight, bias, stride, padding, dilation, groups)
    cache = ConvCache(x, weight, bias is not None, windows)
    return _correlate(x, weight, bias, windows), cache


def conv2d_naive(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> np.ndarray:
    """The definition as a program, to be read; arguments, result and errors of :func:`conv2d`.

    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> conv2d_naive(x, np.ones((1, 1, 2, 2)))
    array([[[[ 8., 12.],
             [20., 24.]]]])
    """
    windows = windows_of(x, weight, bias, stride, padding, dilation, groups)
    (S_h, S_w), (P_h, P_w), (D_h, D_w) = windows.stride, windows.padding, windows.dilation
    padded = np.pad(x, ((0, 0), (0, 0), (P_h, P_h), (P_w, P_w)))
    N, (K, C, F_h, F_w) = len(x), weight.shape
    out = np.zeros((N, K, *windows.out_size), x.dtype)
    for n, k, h, w in np.ndindex(out.shape):
        group = k // (K // groups)
        for c, i, j in np.ndindex(C, F_h, F_w):
            pixel = padded[n, group * C + c, h * S_h + i * D_h, w * S_w + j * D_w]
            out[n, k, h, w] += weight[k, c, i, j] * pixel
        if bias is not None:
            out[n, k, h, w] += bias[k]
    return out


def _correlate(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, windows: Windows
) -> np.ndarray:
    """The forward pass by matrix products: weights (K, D) times patches (D, positions)."""
    N, K, G = len(x), len(weight), windows.groups
    out = np.empty((N, G, K // G, windows.positions), x.dtype)
    first, *others = matrices_of(weight, windows)
    for n, positions, patches in lower(x, windows):
        block = out[n, :, :, positions]
        np.matmul(first, patches[0], out=block)
        for matrices, patch in zip(others, patches[1:], strict=True):
            block += matrices @ patch
        if bias is not None:
            block += bias.reshape(G, K // G, 1)
    return out.reshape(N, K, *windows.out_size)


# --- backward ---------------------------------------------------------------------------------------


def conv2d_backward(
    dout: np.ndarray, cache: ConvCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Gradients of a loss with respect to the arguments of :func:`conv2d_forward`.

    Each output is a sum of products ``weight * pixel``. So a weight's gradient collects, over all
    images and positions where that weight was used, ``dout`` there times the pixel it met; a
    pixel's gradient collects, over all outputs which that pixel entered, ``dout`` there times the
    weight it met; and the bias entered every position of its map once.

    Parameters
    ----------
    dout : array, shape (N, K, H_out, W_out)
        Gradient of the loss with respect to the output.
    cache : ConvCache
        From :func:`conv2d_forward`.

    Returns
    -------
    dx : array, shape (N, C, H, W)
    dweight : array, shape (K, C // groups, F_h, F_w)
    dbias : array, shape (K,), or None
        None if there was no bias.

    Raises
    ------
    ShapeError, DtypeError
        If `dout` has not the shape and dtype of the output.

    Examples
    --------
    >>> x, weight = np.array([[[[1.0, 2.0, 3.0]]]]), np.array([[[[10.0, 20.0]]]])
    >>> out, cache = conv2d_forward(x, weight)
    >>> dx, dweight, dbias = conv2d_backward(np.ones_like(out), cache)
    >>> dx, dweight, dbias
    (array([[[[10., 30., 20.]]]]), array([[[[3., 5.]]]]), None)
    """
    x, weight, has_bias, windows = cache
    dout = output_gradient(dout, (len(x), len(weight), *windows.out_size), x.dtype)
    dx = _input_gradient(dout, weight, windows, x.shape)
    dweight = _weight_gradient(dout, x, weight, windows)
    return dx, dweight, dout.sum(axis=(0, 2, 3)) if has_bias else None


def _weight_gradient(
    dout: np.ndarray, x: np.ndarray, weight: np.ndarray, windows: Windows
) -> np.ndarray:
    """Forward: ``out = weights @ patches``. So ``dweights = dout @ patches.T``, summed over images.

    The transposed product ``patches @ dout.T`` is taken because it is the faster one, the more so
    the fewer the filters.
    """
    N, K, G = len(x), len(weight), windows.groups
    dout = np.ascontiguousarray(dout).reshape(N, G, K // G, windows.positions)
    gradient = np.zeros_like(matrices_of(weight, windows).swapaxes(2, 3), order="C")
    for n, positions, patches in lower(x, windows):
        gradient += patches @ dout[n, :, :, positions].swapaxes(1, 2)
    return np.ascontiguousarray(weight_of(gradient.swapaxes(2, 3), weight.shape, windows))


def _input_gradient(
    dout: np.ndarray, weight: np.ndarray, windows: Windows, shape: tuple[int, int, int, int]
) -> np.ndarray:
    """Send each output's gradient back to the pixels that its window saw.

    Output h read pixel ``h - P + i*D`` with weight i. Turned round, pixel y was read by output
    ``y + P - i*D`` with weight i: again a sliding window, over `dout`, whose taps run backwards. At
    stride 1 the input gradient therefore *is* a convolution: the kernel flipped, filters and
    channels exchanged, padding ``D*(F - 1) - P``.
    """
    if windows.stride != (1, 1):
        return _scatter_gradient(dout, weight, windows, shape)
    K, C, *kernel = weight.shape
    G = windows.groups
    flipped = weight.reshape(G, K // G, C, *kernel)[..., ::-1, ::-1].swapaxes(1, 2)
    padding = [
        D * (F - 1) - P for D, F, P in zip(windows.dilation, kernel, windows.padding, strict=True)
    ]
    turned = windows._replace(padding=tuple(padding), out_size=shape[2:])
    return _correlate(dout, flipped.reshape(G * C, K // G, *kernel), None, turned)


def _scatter_gradient(
    dout: np.ndarray, weight: np.ndarray, windows: Windows, shape: tuple[int, int, int, int]
) -> np.ndarray:
    """The input gradient at a larger stride: ``dpatches = weights.T @ dout``, added back (*col2im*).

    Windows overlap, so a pixel may receive several contributions; each tap's land on a grid of
    pixels that are `stride` apart.
    """
    (N, _, H, W), (K, C, F_h, F_w), G = shape, weight.shape, windows.groups
    (S_h, S_w), (P_h, P_w), (D_h, D_w) = windows.stride, windows.padding, windows.dilation
    dx = np.zeros(shape, dout.dtype)
    dout = np.ascontiguousarray(dout).reshape(N, G, K // G, windows.positions)
    transposed = weight.reshape(G, K // G, C * F_h * F_w).swapaxes(1, 2)
    for n in range(N):
        dpatches = (transposed @ dout[n]).reshape(G * C, F_h, F_w, *windows.out_size)
        for i, j in np.ndindex(F_h, F_w):
            y, x = i * D_h - P_h, j * D_w - P_w  # the pixel that this tap reads at position 0
            top, bottom = positions_inside(y, S_h, H, windows.out_size[0])
            left, right = positions_inside(x, S_w, W, windows.out_size[1])
            if top < bottom and left < right:
                rows = slice(y + top * S_h, y + (bottom - 1) * S_h + 1, S_h)
                columns = slice(x + left * S_w, x + (right - 1) * S_w + 1, S_w)
                dx[n, :, rows, columns] += dpatches[:, i, j, top:bottom, left:right]
    return dx


# --- the user's arguments ---------------------------------------------------------------------------


def windows_of(
    x: Any, weight: Any, bias: Any, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Windows:
    """Refuse what does not fit together; return where the windows lie."""
    float_array("x", x, "N C H W")
    float_array("weight", weight, "K C/groups F_h F_w")
    if bias is not None:
        float_array("bias", bias, "K")
    same_dtype(x=x, weight=weight, bias=bias)
    groups = _check_channels(x.shape[1], weight.shape, groups)
    if bias is not None:
        rule = f"one number for each of the {len(weight)} filters of weight."
        expect_shape("bias", bias, (len(weight),), rule)
    size, kernel = (x.shape[2], x.shape[3]), (weight.shape[2], weight.shape[3])
    stride, padding = shapes.pair("stride", stride, 1), shapes.pair("padding", padding, 0)
    dilation = shapes.pair("dilation", dilation, 1)
    out_size = shapes.output_shape(
        size, kernel, stride=stride, padding=padding, dilation=dilation, rounding="floor"
    )
    return Windows(kernel, stride, padding, dilation, out_size, groups)


def _check_channels(channels: int, shape: tuple[int, ...], groups: int) -> int:
    """Refuse channels, filters and groups that do not match; `shape` is the weight's."""
    groups = shapes.whole("groups", groups, 1)
    shapes.whole("x.shape[1]", channels, 1)
    shapes.whole("weight.shape[0]", shape[0], 1)
    for name, count, what in (("x", channels, "channels"), ("weight", shape[0], "filters")):
        if count % groups:
            raise ShapeError(
                f"{name} has {count} {what}, which groups={groups} does not divide: each group needs "
                f"as many. Use a groups that divides {count}, or another number of {what}."
            )
    if shape[1] * groups != channels:
        needed = channels // groups
        raise ShapeError(
            f"weight has shape {shape}, so its filters see {shape[1]} channels, but x has {channels} "
            f"channels in groups={groups}, {needed} each: make weight.shape[1] {needed}, "
            "or check that x is (N, C, H, W) and not (N, H, W, C)."
        )
    return groups
