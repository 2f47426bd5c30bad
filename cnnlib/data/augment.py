"""Augmentation: every epoch sees each image a little changed, which a label survives.

What chance decides is drawn first, as plain numbers; applying the numbers is arithmetic. So a result can
be repeated, and :mod:`cnnlib.data.augment_torch` gives the same images from the same draws::

    rng = np.random.default_rng(0)
    draws = draw(rng, len(x), flip=True, reach=4)
    x = augment(x, draws)

Pad-and-crop and shift are one thing seen from two sides: an image padded by p zeros and cut at (i, j) is
the image moved by (p − i, p − j), with zeros where nothing was.

References
----------
Krizhevsky, Sutskever and Hinton (2012), *ImageNet classification with deep convolutional neural
networks*, section 4.1 (shifts and reflections). He, Zhang, Ren and Sun (2016), *Deep residual learning for
image recognition*, section 4.2 (4 pixels of padding on CIFAR-10).
"""

from typing import Any, NamedTuple

import numpy as np

from cnnlib.errors import DtypeError, ShapeError
from cnnlib.shapes import whole

__all__ = ["Draws", "augment", "checked_draws", "draw", "flip", "pad_and_crop", "shift"]


class Draws(NamedTuple):
    """What chance decided for N images: whether to mirror, (N,) bool, and the move, (N, 2) int64."""

    flips: np.ndarray
    moves: np.ndarray


def draw(rng: np.random.Generator, n: int, *, flip: bool = True, reach: int = 4) -> Draws:
    """Draw for `n` images.

    Parameters
    ----------
    rng : numpy.random.Generator
    n : int
        How many images.
    flip : bool
        Whether each is mirrored, left to right, with probability 1/2. Not for what has a handedness:
        a mirrored digit is no digit.
    reach : int
        Each is moved by −reach … reach pixels down and as many to the right, all equally likely; 0
        moves none.

    Returns
    -------
    Draws
        `flips` (n,) bool and `moves` (n, 2) int64: down, right.

    Raises
    ------
    ShapeError
        If `n` or `reach` is not a whole number of at least 0.

    Examples
    --------
    >>> draw(np.random.default_rng(0), 3, reach=2).moves.tolist()
    [[-1, -1], [-2, -2], [-2, -2]]
    """
    n, reach = whole("n", n, 0), whole("reach", reach, 0)
    flips = rng.integers(2, size=n) == 1 if flip else np.zeros(n, bool)
    return Draws(flips, rng.integers(-reach, reach + 1, size=(n, 2)))


def augment(x: np.ndarray, draws: Draws) -> np.ndarray:
    """Mirror, then move, as drawn.

    Parameters
    ----------
    x : (N, C, H, W) array, any dtype
    draws : Draws
        For N images.

    Returns
    -------
    array
        New, with the shape and dtype of `x`. What moves in from outside is 0.

    Raises
    ------
    ShapeError
        If `x` has not four axes, or `draws` are not for N images.
    """
    return shift(flip(x, draws.flips), draws.moves)


def flip(x: np.ndarray, flips: np.ndarray) -> np.ndarray:
    """Mirror the images whose entry in `flips`, (N,) bool, is True, left to right.

    >>> flip(np.array([[[[1, 2, 3]]], [[[1, 2, 3]]]]), np.array([True, False]))[:, 0, 0].tolist()
    [[3, 2, 1], [1, 2, 3]]
    """
    checked_draws(x.shape, flips=flips)
    return np.where(np.asarray(flips)[:, None, None, None], x[..., ::-1], x)


def shift(x: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Move image i by ``moves[i]`` pixels, (down, right); zeros come in from outside.

    >>> shift(np.array([[[[1, 2, 3]]]]), np.array([[0, 1]]))[0, 0].tolist()
    [[0, 1, 2]]
    """
    checked_draws(x.shape, moves=moves)
    n, _, height, width = x.shape
    rows = np.arange(height) - np.asarray(moves)[:, :1]  # where each pixel comes from
    columns = np.arange(width) - np.asarray(moves)[:, 1:]
    there = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[
        :, None
    ]
    rows, columns = rows.clip(0, height - 1), columns.clip(0, width - 1)
    taken = x[np.arange(n)[:, None, None], :, rows[:, :, None], columns[:, None]]  # (N, H, W, C)
    return np.where(there[:, None], taken.transpose(0, 3, 1, 2), x.dtype.type(0))


def pad_and_crop(x: np.ndarray, corners: np.ndarray, padding: int) -> np.ndarray:
    """Pad by zeros on all four sides and cut an image of the old size out.

    Parameters
    ----------
    x : (N, C, H, W) array, any dtype
    corners : (N, 2) array of integers
        Row and column of the upper left corner in the padded image, each 0 … 2 · padding.
    padding : int
        In pixels, at least 0.

    Returns
    -------
    array
        New, with the shape and dtype of `x`.

    Raises
    ------
    ShapeError
        If a corner lies outside, or the shapes do not fit.
    """
    padding = whole("padding", padding, 0)
    checked_draws(x.shape, moves=corners, name="corners")
    corners = np.asarray(corners)
    if corners.size and (corners.min() < 0 or corners.max() > 2 * padding):
        raise ShapeError(
            f"corners run from {corners.min()} to {corners.max()}: with padding={padding} a corner is "
            f"from 0 to {2 * padding}. Draw them with rng.integers({2 * padding + 1}, size=(N, 2))."
        )
    return shift(x, padding - corners)


def checked_draws(
    shape: tuple[int, ...], flips: Any = None, moves: Any = None, name: str = "moves"
) -> None:
    """Refuse images that have not four axes, and draws that are not for as many images."""
    if len(shape) != 4:
        raise ShapeError(
            f"x has shape {tuple(shape)}: images are (N, C, H, W). Add the missing axis, x[:, None]."
        )
    if flips is not None and np.shape(flips) != (shape[0],):
        raise ShapeError(
            f"flips has shape {np.shape(flips)}, expected {(shape[0],)}: one for each image. "
            f"Draw them with draw(rng, {shape[0]})."
        )
    if flips is not None and np.asarray(flips).dtype != bool:
        raise DtypeError(
            f"flips has dtype {np.asarray(flips).dtype}: it says yes or no, so bool. Write flips > 0."
        )
    if moves is not None and np.shape(moves) != (shape[0], 2):
        raise ShapeError(
            f"{name} has shape {np.shape(moves)}, expected {(shape[0], 2)}: down and right for each "
            f"image. Draw them with draw(rng, {shape[0]})."
        )
    if moves is not None and np.asarray(moves).dtype.kind not in "iu":
        raise DtypeError(
            f"{name} has dtype {np.asarray(moves).dtype}: pixels are counted in whole numbers. "
            f"Convert with {name}.astype(np.int64)."
        )
