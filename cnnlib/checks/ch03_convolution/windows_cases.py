"""Inputs of task (d), the CONV layer without loops."""

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch03_convolution.common import alike
from cnnlib.checks.inputs import Random, images

_WINDOW = np.array(
    [
        [[1.0, 2, 0], [3, 1, 1], [0, 2, 2]],
        [[0, 1, 1], [2, 0, 1], [1, 1, 0]],
        [[2, 0, 1], [0, 1, 3], [1, 0, 2]],
    ]
)[None]
_FILTER = np.array(
    [
        [[1.0, 0, -1], [1, 0, -1], [1, 0, -1]],
        [[0, 1, 0], [0, 1, 0], [0, 1, 0]],
        [[-1, 0, 0], [0, 2, 0], [0, 0, -1]],
    ]
)[None]


def _case(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    stride: int = 0,
    padding: int = 0,
    right: tuple[np.ndarray, np.ndarray] | None = None,
    note: str = "",
) -> Case:
    """A case of task (d); a stride or padding of 0 is left to the function's own default."""
    given = {"bias": bias, "stride": stride or None, "padding": padding or None}
    settings = {name: value for name, value in given.items() if value is not None}
    return Case({"x": x, "weight": weight}, settings, expected=right, note=note)


def window_cases(rng: Random) -> list[Case]:
    return [
        _case(images(rng, (1, 1, 4, 4)), alike(rng, 1, 1, 3, 3)),
        _case(images(rng, (2, 3, 5, 5)), alike(rng, 2, 3, 2, 2)),
        _case(images(rng, (1, 2, 5, 5), "float32"), alike(rng, 1, 2, 3, 3, dtype="float32")),
    ]


def stride_cases(rng: Random) -> list[Case]:
    return [
        _case(images(rng, (1, 1, 7, 7)), alike(rng, 1, 1, 3, 3), stride=2),
        _case(images(rng, (2, 1, 9, 9)), alike(rng, 1, 1, 2, 2), stride=3, note="floor"),
    ]


def padding_cases(rng: Random) -> list[Case]:
    return [
        _case(images(rng, (1, 1, 4, 4)), alike(rng, 1, 1, 3, 3), padding=1),
        _case(
            images(rng, (1, 2, 3, 3), "float32"), alike(rng, 1, 2, 3, 3, dtype="float32"), padding=2
        ),
    ]


def non_square_cases(rng: Random) -> list[Case]:
    return [
        _case(images(rng, (1, 2, 4, 7)), alike(rng, 1, 2, 3, 2)),
        _case(images(rng, (1, 1, 7, 4)), alike(rng, 1, 1, 1, 3)),
    ]


def orientation_cases(rng: Random) -> list[Case]:
    return [
        _case(images(rng, (1, 1, 5, 5)), images(rng, (1, 1, 3, 3))),
        _case(images(rng, (1, 1, 4, 4)), images(rng, (1, 1, 2, 2))),
    ]


def channel_cases(rng: Random) -> list[Case]:
    def filters(count: int, channels: int) -> np.ndarray:
        """Square, alike, and another one for each channel."""
        return alike(rng, count, channels, 2, 2)

    return [
        _case(images(rng, (1, 3, 4, 4)), filters(1, 3)),
        _case(images(rng, (1, 2, 5, 5)), filters(4, 2)),
        _case(images(rng, (1, 3, 4, 4), "float32"), filters(3, 3).astype("float32")),
    ]


def batch_cases(rng: Random) -> list[Case]:
    return [
        _case(images(rng, (3, 1, 4, 4)), alike(rng, 1, 1, 2, 2)),
        _case(images(rng, (2, 1, 5, 5)), alike(rng, 1, 1, 3, 3)),
    ]


def bias_cases(rng: Random) -> list[Case]:
    return [
        _case(images(rng, (1, 1, 4, 4)), alike(rng, 2, 1, 3, 3), images(rng, (2,))),
        _case(images(rng, (1, 1, 4, 4)), alike(rng, 3, 1, 2, 2), images(rng, (3,))),
    ]


def together_cases(rng: Random) -> list[Case]:
    def drawn(h: int, w: int, stride: int, padding: int, dtype: str) -> Case:
        return _case(
            images(rng, (2, 3, h, w), dtype),
            images(rng, (4, 3, 3, 2), dtype),
            images(rng, (4,), dtype),
            stride,
            padding,
        )

    worked = np.full((1, 1, 1, 1), 5.0), _WINDOW[:, :, None, None]
    return [
        _case(_WINDOW, _FILTER, np.array([4.0]), right=worked, note="the window of chapter 3"),
        drawn(5, 8, 2, 1, "float64"),
        drawn(6, 9, 3, 2, "float32"),
    ]


def dtype_cases(rng: Random) -> list[Case]:
    return [
        _case(images(rng, (1, 1, 3, 3), dtype), alike(rng, 1, 1, 1, 1, dtype=dtype))
        for dtype in ("float32", "float64")
    ]
