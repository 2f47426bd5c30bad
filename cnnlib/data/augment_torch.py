"""Augmentation of torch tensors, the counterpart of :mod:`cnnlib.data.augment`.

The functions of the same names take the same draws, and give the same images. Draw with
:func:`cnnlib.data.augment.draw`.
"""

import numpy as np
import torch
from torch import Tensor

from cnnlib.data.augment import Draws, checked_draws
from cnnlib.errors import ShapeError
from cnnlib.shapes import whole

__all__ = ["augment", "flip", "pad_and_crop", "shift"]


def augment(x: Tensor, draws: Draws) -> Tensor:
    """Mirror, then move, as drawn; see :func:`cnnlib.data.augment.augment`."""
    return shift(flip(x, draws.flips), draws.moves)


def flip(x: Tensor, flips: np.ndarray) -> Tensor:
    """Mirror the images whose entry in `flips` is True; see :func:`cnnlib.data.augment.flip`."""
    checked_draws(tuple(x.shape), flips=flips)
    chosen = torch.as_tensor(np.asarray(flips), device=x.device)
    return torch.where(chosen[:, None, None, None], x.flip(3), x)


def shift(x: Tensor, moves: np.ndarray) -> Tensor:
    """Move image i by ``moves[i]``; see :func:`cnnlib.data.augment.shift`."""
    checked_draws(tuple(x.shape), moves=moves)
    n, _, height, width = x.shape
    by = torch.as_tensor(np.asarray(moves, np.int64), device=x.device)
    rows = torch.arange(height, device=x.device) - by[:, :1]
    columns = torch.arange(width, device=x.device) - by[:, 1:]
    there = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[
        :, None
    ]
    rows, columns = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
    images = torch.arange(n, device=x.device)[:, None, None]
    taken = x[images, :, rows[:, :, None], columns[:, None]].permute(0, 3, 1, 2)
    return torch.where(there[:, None], taken, torch.zeros((), dtype=x.dtype, device=x.device))


def pad_and_crop(x: Tensor, corners: np.ndarray, padding: int) -> Tensor:
    """Pad by zeros and cut out; see :func:`cnnlib.data.augment.pad_and_crop`."""
    padding = whole("padding", padding, 0)
    checked_draws(tuple(x.shape), moves=corners, name="corners")
    corners = np.asarray(corners)
    if corners.size and (corners.min() < 0 or corners.max() > 2 * padding):
        raise ShapeError(
            f"corners run from {corners.min()} to {corners.max()}: with padding={padding} a corner is "
            f"from 0 to {2 * padding}. Draw them with rng.integers({2 * padding + 1}, size=(N, 2))."
        )
    return shift(x, padding - corners)
