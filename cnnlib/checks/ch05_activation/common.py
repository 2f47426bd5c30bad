"""What the tasks of chapter 5 share: sections of the book, and inputs with every combination of signs."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cnnlib.checks.book import Section
from cnnlib.checks.calls import Case, Outcome
from cnnlib.checks.inputs import Random, images
from cnnlib.checks.judges import close, judge_array, judge_shape, tolerance

_PAGE = "book/ch05_activation/activation"
FUNCTIONS = Section(5, _PAGE, "ch05-functions", "Five functions")
SLOPES = Section(5, _PAGE, "ch05-vanishing", "Why the sigmoid fell out of use")
DEAD = Section(5, _PAGE, "ch05-dead", "Dead units")
SHAPE = Section(5, _PAGE, "ch05-shape", "Shape, parameters, and the diagram")

DEFAULT_TYPE = (
    "`np.zeros(shape)` is float64, and so is `np.where` with two plain numbers, or an array of True and False "
    "times a number such as 0.5. "
    "Whatever is combined with them becomes float64 as well. Make new arrays in the type of x, or end with "
    "`.astype(x.dtype)`."
)


def positive(rng: Random, shape: tuple[int, ...], dtype: str = "float64") -> np.ndarray:
    """Values between 0.5 and 2."""
    return np.abs(images(rng, shape, dtype))


def ones(shape: tuple[int, ...], dtype: str = "float64") -> np.ndarray:
    return np.ones(shape, dtype)


def both_signs(rng: Random, shape: tuple[int, ...], dtype: str = "float64") -> np.ndarray:
    """Values of 0.5 to 2 in magnitude, as many of either sign as possible."""
    return signed_pair(rng, shape, dtype)[0]


def signed_pair(
    rng: Random, shape: tuple[int, ...], dtype: str = "float64"
) -> tuple[np.ndarray, np.ndarray]:
    """Two arrays that meet in all four combinations of signs, where the shape has room for them."""
    count = int(np.prod(shape))
    kind = rng.permutation(np.arange(count) % 4).reshape(shape)
    first, second = (positive(rng, shape, dtype) for _ in range(2))
    return np.where(kind % 2, -first, first), np.where(kind // 2, -second, second)


def typed(function: Callable) -> Callable:
    """A misconception that keeps the input's type, so that it loses nothing but its own parts."""

    def keeps_type(x, *arguments, **settings):
        return np.asarray(function(x, *arguments, **settings)).astype(x.dtype)

    return keeps_type


def judge_each(case: Case, right: Any, got: Outcome) -> str:
    """Values, whatever the float type; the message says which input the first wrong one belongs to."""
    problem = judge_array(case, right, got)
    if not problem or judge_shape(case, right, got):
        return problem
    allowed = tolerance(case.positional["x"].dtype)
    first = tuple(np.argwhere(~close(got.value, right, allowed))[0])
    inputs = [f"{name} = {values[first]:.4g}" for name, values in case.positional.items()]
    return f"{problem}, for {' and '.join(inputs)}"
