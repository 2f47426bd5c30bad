"""What the three tasks share: the sections that the messages link to, and random inputs."""

import numpy as np

from cnnlib.checks.book import Section

_PAGE = "book/ch04_output_size/output_size"
DEFINITION = Section(4, _PAGE, "ch04-definition", "Three numbers decide the size")
STRIDE = Section(4, _PAGE, "ch04-stride", "Stride: how far the window jumps")
PADDING = Section(4, _PAGE, "ch04-padding", "Padding: keeping the size")
FORMULA = Section(4, _PAGE, "ch04-formula", "The formula, derived")
STRICT = Section(4, _PAGE, "ch04-strict-or-floor", "When the formula gives a fraction")

Random = np.random.Generator


def lost(names: dict[str, str], *keys: str) -> frozenset[str]:
    """The parts that a misconception loses, by their short names."""
    return frozenset(names[key] for key in keys)


def whole(rng: Random, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def images(rng: Random, shape: tuple[int, ...], dtype: str = "float64") -> np.ndarray:
    """Random pixels without a zero, so that padding cannot hide among them."""
    values = rng.uniform(0.5, 2.0, shape) * rng.choice([-1.0, 1.0], shape)
    return values.astype(dtype)
