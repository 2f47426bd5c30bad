"""Random inputs for the cases of a check."""

import numpy as np

__all__ = ["Random", "images", "lost", "whole"]

Random = np.random.Generator


def lost(names: dict[str, str], *keys: str) -> frozenset[str]:
    """The parts that a misconception loses, by their short names."""
    return frozenset(names[key] for key in keys)


def whole(rng: Random, low: int, high: int) -> int:
    """A whole number from `low` to `high`, both included."""
    return int(rng.integers(low, high + 1))


def images(rng: Random, shape: tuple[int, ...], dtype: str = "float64") -> np.ndarray:
    """Random values between 0.5 and 2 of either sign: none near zero.

    So padding cannot hide among them, and a gradient is never asked for at the kink of a ReLU.
    """
    values = rng.uniform(0.5, 2.0, shape) * rng.choice([-1.0, 1.0], shape)
    return values.astype(dtype)
