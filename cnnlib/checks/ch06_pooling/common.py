"""What the tasks of chapter 6 share: sections, inputs, and pooling loops in which to make mistakes."""

from collections.abc import Callable, Iterator

import numpy as np

from cnnlib.checks.book import Section
from cnnlib.checks.calls import Case
from cnnlib.checks.inputs import Random, images

_PAGE = "book/ch06_pooling/pooling"
MAXIMUM = Section(6, _PAGE, "ch06-max", "Max pooling by hand")
FORMULA = Section(6, _PAGE, "ch06-formula", "The output size, and a bracket that slipped")
DEPTH = Section(6, _PAGE, "ch06-depth", "Each slice by itself")
OVERLAP = Section(6, _PAGE, "ch06-overlap", "Windows that touch, windows that overlap")
AVERAGE = Section(6, _PAGE, "ch06-average", "The average, and how networks end")
GRADIENT = Section(6, _PAGE, "ch06-gradient", "Who gets the gradient?")

DEFAULT_TYPE = "`np.zeros` makes float64 unless it is told otherwise. `dtype=x.dtype` or `np.zeros_like(x)` tells it."

# the plane of the chapter
PLANE = np.array([[3, 9, 4, 1], [7, 5, 8, 2], [6, 0, 5, 5], [1, 2, 3, 9]], dtype=np.float64)[
    None, None
]


def positive(rng: Random, shape: tuple[int, ...], dtype: str = "float64") -> np.ndarray:
    """Values between 0.5 and 2, no two of them equal."""
    return np.abs(images(rng, shape, dtype))


def pooled(
    x: np.ndarray, window: int, stride: int, right: np.ndarray | None = None, note: str = ""
) -> Case:
    """A case of the two forward tasks."""
    return Case({"x": x, "window": window, "stride": stride}, expected=right, note=note)


# --- cases of both forward tasks ------------------------------------------------------------------


def stride_cases(rng: Random) -> list[Case]:
    """The windows tile the plane, but their step is not their size."""
    return [
        pooled(positive(rng, (1, 1, 5, 5)), 3, 2, note="overlapping"),
        pooled(positive(rng, (1, 1, 4, 4)), 2, 1, note="overlapping"),
        pooled(positive(rng, (1, 1, 8, 8), "float32"), 2, 3, note="with gaps"),
    ]


def floor_cases(rng: Random) -> list[Case]:
    return [
        pooled(positive(rng, (1, 1, 5, 5)), 2, 2),
        pooled(positive(rng, (1, 1, 8, 8), "float32"), 3, 3),
    ]


def non_square_cases(rng: Random) -> list[Case]:
    return [
        pooled(positive(rng, (1, 1, 4, 6)), 2, 2),
        pooled(positive(rng, (1, 1, 8, 4), "float32"), 2, 2),
        pooled(positive(rng, (1, 1, 3, 9)), 3, 3),
    ]


def channel_cases(rng: Random) -> list[Case]:
    return [
        pooled(positive(rng, (1, 3, 2, 2)), 2, 2),
        pooled(positive(rng, (1, 5, 3, 3), "float32"), 3, 3),
    ]


def batch_cases(rng: Random) -> list[Case]:
    return [
        pooled(positive(rng, (3, 1, 2, 2)), 2, 2),
        pooled(positive(rng, (4, 1, 3, 3), "float32"), 3, 3),
    ]


def together_cases(rng: Random) -> list[Case]:
    return [
        pooled(images(rng, (2, 3, 8, 6)), 3, 2),
        pooled(images(rng, (3, 2, 5, 10), "float32"), 2, 3),
        pooled(-positive(rng, (1, 2, 6, 8)), 3, 2, note="all negative"),
    ]


def dtype_cases(rng: Random) -> list[Case]:
    return [pooled(positive(rng, (1, 1, 2, 2), dtype), 2, 2) for dtype in ("float32", "float64")]


# --- mistakes that both forward tasks allow -------------------------------------------------------

Summary = Callable[..., np.ndarray]
Pooling = Callable[[np.ndarray, int, int], np.ndarray]


def counts(x: np.ndarray, window: int, stride: int) -> tuple[int, int]:
    height, width = x.shape[2:]
    return (height - window) // stride + 1, (width - window) // stride + 1


def places(
    rows: int, columns: int, down: int, across: int
) -> Iterator[tuple[tuple[int, int], int, int]]:
    """Output positions, with the top and the left of their windows."""
    for i in range(rows):
        for j in range(columns):
            yield (i, j), i * down, j * across


def slide(
    x: np.ndarray,
    window: int,
    summary: Summary,
    size: tuple[int, int],
    step: tuple[int, int],
) -> np.ndarray:
    """Pooling with any number of windows and any step, right or wrong."""
    out = np.zeros((*x.shape[:2], *size), x.dtype)
    for (i, j), top, left in places(*size, *step):
        block = x[:, :, top : top + window, left : left + window]
        out[:, :, i, j] = summary(block, axis=(2, 3))
    return out


def swapped(summary: Summary) -> Pooling:
    def pool(x, window, stride):
        rows, columns = counts(x, window, stride)
        return slide(x, window, summary, (rows, columns), (stride, stride)).swapaxes(2, 3)

    return pool


def step_of_a_window(summary: Summary) -> Pooling:
    def pool(x, window, stride):
        return slide(x, window, summary, counts(x, window, window), (window, window))

    return pool


def step_of_one(summary: Summary) -> Pooling:
    def pool(x, window, stride):
        return slide(x, window, summary, counts(x, window, stride), (1, 1))

    return pool


def step_on_rows_only(summary: Summary) -> Pooling:
    def pool(x, window, stride):
        return slide(x, window, summary, counts(x, window, stride), (stride, 1))

    return pool


def height_for_both(summary: Summary) -> Pooling:
    def pool(x, window, stride):
        rows, _ = counts(x, window, stride)
        if rows > counts(x, window, stride)[1]:
            raise ValueError("a window ran over the right edge")
        return slide(x, window, summary, (rows, rows), (stride, stride))

    return pool


def edge_counts(summary: Summary) -> Pooling:
    """What is left over at the far edges makes smaller windows."""

    def pool(x, window, stride):
        rows, columns = (-((window - size) // stride) + 1 for size in x.shape[2:])
        return slide(x, window, summary, (rows, columns), (stride, stride))

    return pool


def one_map(summary: Summary) -> Pooling:
    def pool(x, window, stride):
        rows, columns = counts(x, window, stride)
        out = slide(x, window, summary, (rows, columns), (stride, stride))
        return summary(out, axis=1, keepdims=True)

    return pool


def first_image(summary: Summary) -> Pooling:
    def pool(x, window, stride):
        out = slide(x, window, summary, counts(x, window, stride), (stride, stride))
        out[1:] = 0
        return out

    return pool
