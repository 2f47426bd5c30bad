"""Winograd's convolution: fewer multiplications for 3 × 3 kernels, at the price of some accuracy.

Two outputs of a kernel of 3 along one axis need 6 multiplications as defined, but share inputs; a
polynomial identity gets them from 4. For 4 outputs it is 6 instead of 12, and in the plane, for a
tile of 4 × 4 outputs, 36 instead of 144: four times fewer.

The identity is linear in the image and in the kernel, so it is three matrices. With a tile of
6 × 6 pixels *d* and a kernel *g*, ``A.T @ ((G @ g @ G.T) * (B.T @ d @ B)) @ A`` are the 4 × 4
outputs. Written for a tile laid out as one column of 36 numbers, ``B.T @ d @ B`` is one product with
the Kronecker product of ``B.T`` with itself; that is how it is computed here, for all tiles at once.
The multiplication in the middle, summed over the channels, is a matrix product for each of the 36.

The price: the matrices hold fractions and numbers up to 8, which magnify rounding. In float32 expect
errors of some 1e-5 of the largest output, about twenty times those of
:func:`cnnlib.reference.conv.conv2d`.

Source: Lavin and Gray (2016), *Fast algorithms for convolutional neural networks*, section 4.
"""

import numpy as np

from cnnlib.errors import ShapeError
from cnnlib.reference.conv import Pair, windows_of

__all__ = ["conv2d_winograd"]

TILE = 4
"""Outputs of a tile along one axis; it reads two pixels more."""

B_T = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
G = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
A_T = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])


def conv2d_winograd(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None, *, padding: Pair = 0
) -> np.ndarray:
    """The result of :func:`cnnlib.reference.conv.conv2d` for 3 × 3 kernels at stride 1, one group.

    Parameters
    ----------
    x : array, shape (N, C, H, W), float32 or float64
    weight : array, shape (K, C, 3, 3), dtype of `x`
    bias : array, shape (K,), dtype of `x`, optional
    padding : int or (int, int)

    Returns
    -------
    array, shape (N, K, H + 2 * padding - 2, W + 2 * padding - 2), dtype of `x`

    Raises
    ------
    ShapeError, DtypeError
        As :func:`cnnlib.reference.conv.conv2d`, and if the kernel is not 3 × 3.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> conv2d_winograd(x, np.ones((1, 1, 3, 3))).round(12)
    array([[[[36.]]]])
    """
    windows = windows_of(x, weight, bias, 1, padding, 1, 1)
    if windows.kernel != (3, 3):
        raise ShapeError(
            f"weight has shape {weight.shape}, a kernel of {windows.kernel[0]} × "
            f"{windows.kernel[1]}: conv2d_winograd is for 3 × 3 only. Use conv2d."
        )
    to_pixels, to_weights, to_outputs = (np.kron(m, m).astype(x.dtype) for m in (B_T, G, A_T))
    (N, C), K, (H, W) = x.shape[:2], len(weight), windows.out_size
    rows, columns = -(-H // TILE), -(-W // TILE)
    transformed = (to_weights @ weight.reshape(K * C, 9).T).reshape(36, K, C)
    out = np.empty((N, K, H, W), x.dtype)
    for n in range(N):
        tiles = _tiles(x[n], windows.padding, rows, columns)
        pixels = (to_pixels @ tiles.reshape(36, -1)).reshape(36, C, -1)
        outputs = to_outputs @ (transformed @ pixels).reshape(36, -1)
        whole = outputs.reshape(TILE, TILE, K, rows, columns).transpose(2, 3, 0, 4, 1)
        out[n] = whole.reshape(K, rows * TILE, columns * TILE)[:, :H, :W]
    return out if bias is None else out + bias[:, None, None]


def _tiles(image: np.ndarray, padding: tuple[int, int], rows: int, columns: int) -> np.ndarray:
    """Overlapping tiles of 6 × 6 pixels, 4 apart: shape (6, 6, C, rows, columns)."""
    (C, H, W), (top, left) = image.shape, padding
    padded = np.zeros((C, rows * TILE + 2, columns * TILE + 2), image.dtype)
    padded[:, top : top + H, left : left + W] = image
    tiles = np.empty((6, 6, C, rows, columns), image.dtype)
    for i, j in np.ndindex(6, 6):
        tiles[i, j] = padded[:, i::TILE, j::TILE][:, :rows, :columns]
    return tiles
