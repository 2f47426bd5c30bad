"""What the four tasks share: the book's sections, and how a channel is cut out of a batch."""

from typing import Any

import numpy as np

from cnnlib.checks.book import Section
from cnnlib.checks.inputs import Random

_PAGE = "book/ch09_batch_norm/batch_norm"
XHAT = Section(9, _PAGE, "ch09-xhat", "Four numbers by hand")
GAMMA = Section(9, _PAGE, "ch09-gamma", "Scale and shift")
VOLUMES = Section(9, _PAGE, "ch09-volumes", "Which numbers share a mean?")
MODES = Section(9, _PAGE, "ch09-modes", "In training, and afterwards")
FOLDING = Section(9, _PAGE, "ch09-fold", "At test time it is free")
WAY_BACK = Section(9, _PAGE, "ch09-backward", "The way back")

TINY = 1e-12
"""An ε that no tolerance notices, for the parts that are about something else."""

FOUR = np.array([[2.0], [4.0], [10.0], [4.0]])
"""The chapter's four numbers: mean 5, variance 9."""


def wide(*arrays: Any) -> list:
    """The arrays in float64: right answers do not depend on the type that comes in."""
    return [None if a is None else a.astype(np.float64) for a in arrays]


def channel_axes(x: np.ndarray) -> tuple[int, ...]:
    """All axes but axis 1."""
    return (0, *range(2, x.ndim))


def along(values: np.ndarray, x: np.ndarray) -> np.ndarray:
    """One number a channel, shaped so that it goes with `x`."""
    return values.reshape(1, -1, *[1] * (x.ndim - 2))


def ones_zeros(channels: int, dtype: str = "float64") -> tuple[np.ndarray, np.ndarray]:
    """γ and β of a new layer."""
    return np.ones(channels, dtype), np.zeros(channels, dtype)


def scattered(rng: Random, shape: tuple[int, ...], dtype: str = "float64") -> np.ndarray:
    """Numbers whose channels differ in mean and spread; none is constant."""
    x = rng.standard_normal(shape)
    spread, mean = rng.uniform(0.5, 2.0, shape[1]), rng.uniform(1.0, 3.0, shape[1])
    x = x * along(spread, x) + along(mean * rng.choice([-1.0, 1.0], shape[1]), x)
    x[0] += along(spread, x)[0]  # so that even a batch of two cannot come out nearly constant
    return x.astype(dtype)
