"""From a sliding window to matrix products: how the fast convolution reads its input.

A convolution multiplies and sums over channels and taps; so does a matrix product, and nothing on a
processor is faster. What is missing is a matrix whose column *p* holds all that the window sees at
position *p*. Writing it out (*im2col*) copies every pixel once for each tap.

Most of these copies can be saved. Copy the image once for each kernel **column** *j*, shifted so
that entry *(row, w)* is the pixel which tap *j* sees at output column *w*::

    columns[c, j, row, w] = x[c, row, w * stride + j * dilation - padding]

Now look at kernel **row** *i* at vertical stride 1. At output row *h* it sees image row *h + i*, and
at output row *h + 1* the row below: all positions together are one unbroken run of rows, from row
*i* on. So its matrix is no copy, only a view that starts *i* rows later. A kernel of F rows is then
F products whose results are added: three copies and three products for 3 × 3, where im2col needs
nine copies. At a larger vertical stride the rows are no run, and im2col is what remains.

The buffer is filled for a block of output rows at a time, small enough to stay in the processor's
cache until the products have read it.

Source: im2col as in Chellapilla, Puri and Simard (2006), *High performance convolutional neural
networks for document processing*; one product for each part of the kernel as in Anderson, Vasudevan,
Keane and Gregg (2017), *Low-memory GEMM-based convolution algorithms for deep neural networks*.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

__all__ = ["Windows", "lower", "matrices_of", "positions_inside", "weight_of"]

BLOCK_BYTES = 1 << 20
"""Size of a block's matrices: that of a usual second-level cache. Twice gains a little, half costs a tenth or two."""


class Windows(NamedTuple):
    """Where the windows of a layer lie; each pair is (height, width), sizes are in pixels.

    Attributes
    ----------
    kernel, stride, padding, dilation : (int, int)
        As in :func:`cnnlib.reference.conv.conv2d`; padding may be negative, which crops.
    out_size : (int, int)
        Positions along each axis.
    groups : int
        Groups of channels that are convolved apart.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    out_size: tuple[int, int]
    groups: int = 1

    @property
    def positions(self) -> int:
        """Number of positions in one image."""
        return self.out_size[0] * self.out_size[1]

    @property
    def stacked(self) -> bool:
        """Whether the kernel's rows are copied into one matrix (im2col) or stay views."""
        return self.stride[0] > 1


def positions_inside(offset: int, stride: int, size: int, count: int) -> tuple[int, int]:
    """Range of the positions, out of `count`, at which a tap reads a pixel and not the padding.

    At position *p* the tap reads pixel ``p * stride + offset``; there are `size` pixels.

    >>> positions_inside(-1, 1, 5, 5)  # the first tap of a 3-wide kernel, padding 1
    (1, 5)
    """
    first = min(count, max(0, -(offset // stride)))
    return first, max(first, min(count, -((offset - size) // stride)))


def matrices_of(weight: np.ndarray, windows: Windows) -> np.ndarray:
    """Weight (K, C/groups, F, F) as matrices that match :func:`lower`: (parts, groups, K/groups, D)."""
    K, C, F_h, F_w = weight.shape
    G = windows.groups
    if windows.stacked:
        return weight.reshape(1, G, K // G, C * F_h * F_w)
    by_row = weight.transpose(2, 0, 1, 3)  # one part for each kernel row
    return by_row.reshape(F_h, G, K // G, C * F_w)


def weight_of(matrices: np.ndarray, shape: tuple[int, ...], windows: Windows) -> np.ndarray:
    """Undo :func:`matrices_of`."""
    K, C, F_h, F_w = shape
    if windows.stacked:
        return matrices.reshape(shape)
    return matrices.reshape(F_h, K, C, F_w).transpose(1, 2, 0, 3)


def lower(x: np.ndarray, windows: Windows) -> Iterator[tuple[int, slice, np.ndarray]]:
    """Yield what the windows see, as matrices, one image and one block of output rows at a time.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    windows : Windows

    Yields
    ------
    n : int
        The image.
    positions : slice
        The block's positions among the ``H_out * W_out`` of the image, row by row.
    patches : array, shape (parts, groups, D, len(positions))
        For each group and position the D numbers that meet the weights of one part. Valid until the
        next one is asked for: the buffer is used again.
    """
    N, C = x.shape[:2]
    F_h, F_w = windows.kernel
    (stride, _), (dilation, _), (H_out, W_out) = windows.stride, windows.dilation, windows.out_size
    reach = dilation * (F_h - 1) + 1
    copies, extra = (F_h, 0) if windows.stacked else (1, reach - 1)
    row_bytes = copies * C * F_w * W_out * x.itemsize
    most = max(1, BLOCK_BYTES // row_bytes - extra)
    blocks = -(-H_out // most)
    for block in range(blocks):
        top, bottom = block * H_out // blocks, (block + 1) * H_out // blocks
        first = top * stride - windows.padding[0]
        rows = (bottom - top - 1) * stride + reach
        columns = np.zeros((C, F_w, rows, W_out), x.dtype)  # what is never written stays padding
        for n in range(N):
            _copy_columns(x[n], columns, first, windows)
            yield n, slice(top * W_out, bottom * W_out), _patches(columns, bottom - top, windows)


def _copy_columns(image: np.ndarray, columns: np.ndarray, first: int, windows: Windows) -> None:
    """Fill ``columns[c, j, row, w]`` with what kernel column j sees; row 0 is image row `first`."""
    _, H, W = image.shape
    stride, dilation, padding = windows.stride[1], windows.dilation[1], windows.padding[1]
    top, bottom = positions_inside(first, 1, H, columns.shape[2])
    for j in range(windows.kernel[1]):
        offset = j * dilation - padding
        left, right = positions_inside(offset, stride, W, columns.shape[3])
        if top < bottom and left < right:
            columns[:, j, top:bottom, left:right] = image[
                :,
                first + top : first + bottom,
                offset + left * stride : offset + (right - 1) * stride + 1 : stride,
            ]


def _patches(columns: np.ndarray, rows_out: int, windows: Windows) -> np.ndarray:
    """For each kernel row the rows of `columns` that it sees, as matrices; see :func:`lower`."""
    C, F_w, _, W = columns.shape
    F_h, G = windows.kernel[0], windows.groups
    channel, column, row, pixel = columns.strides
    seen = np.lib.stride_tricks.as_strided(
        columns,
        (C, F_h, F_w, rows_out, W),
        (channel, windows.dilation[0] * row, column, windows.stride[0] * row, pixel),
        writeable=False,
    )
    if windows.stacked:
        return seen.reshape(1, G, C // G * F_h * F_w, rows_out * W)
    by_row = seen.transpose(1, 0, 2, 3, 4)  # a part for each kernel row, and still no copy
    return by_row.reshape(F_h, G, C // G * F_w, rows_out * W)
