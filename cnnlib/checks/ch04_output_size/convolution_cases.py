"""The inputs of task (c): one idea at a time, with kernels that look the same after half a turn."""

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.inputs import Random, images

__all__ = [
    "batch",
    "bias",
    "channels",
    "dtypes",
    "non_square",
    "paddings",
    "strides",
    "together",
    "values",
]

_IMAGE = np.array(
    [
        [95, 242, 186, 152, 39],
        [39, 14, 220, 153, 180],
        [5, 247, 212, 54, 46],
        [46, 77, 133, 110, 74],
        [156, 35, 74, 93, 116],
    ],
    dtype=np.float64,
)
_LAPLACIAN = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], dtype=np.float64)
_BY_HAND = np.array([[692, -315, -6], [-680, -194, 305], [153, -59, -86]], dtype=np.float64)


def _conv(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    stride: int | None = None,
    padding: int | None = None,
    right: np.ndarray | None = None,
    note: str = "",
) -> Case:
    keyword = {"bias": bias, "stride": stride, "padding": padding}
    given = {name: value for name, value in keyword.items() if value is not None}
    return Case({"x": x, "weight": weight}, given, expected=right, note=note)


def _even(weight: np.ndarray) -> np.ndarray:
    """The same kernel after half a turn, and no element of it near zero."""
    return np.abs(weight) + np.abs(weight[..., ::-1, ::-1])


def _kernels(rng: Random, *shape: int, dtype: str = "float64") -> np.ndarray:
    return _even(images(rng, shape, dtype))


def values(rng: Random) -> list[Case]:
    return [
        _conv(
            _IMAGE[None, None], _LAPLACIAN[None, None], right=_BY_HAND[None, None], note="by hand"
        ),
        _conv(images(rng, (1, 1, 4, 4)), images(rng, (1, 1, 2, 2))),
        _conv(images(rng, (1, 1, 6, 6), "float32"), images(rng, (1, 1, 3, 3), "float32")),
    ]


def channels(rng: Random) -> list[Case]:
    return [
        _conv(images(rng, (1, 3, 4, 4)), _kernels(rng, 1, 3, 3, 3)),
        _conv(images(rng, (1, 2, 5, 5)), _kernels(rng, 4, 2, 3, 3)),
    ]


def batch(rng: Random) -> list[Case]:
    return [
        _conv(images(rng, (3, 1, 4, 4)), _kernels(rng, 1, 1, 2, 2)),
        _conv(images(rng, (2, 1, 5, 5)), _kernels(rng, 1, 1, 3, 3)),
    ]


def bias(rng: Random) -> list[Case]:
    return [
        _conv(images(rng, (1, 1, 4, 4)), _kernels(rng, 3, 1, 3, 3), images(rng, (3,))),
        _conv(images(rng, (1, 1, 4, 4)), _kernels(rng, 1, 1, 2, 2), images(rng, (1,))),
    ]


def strides(rng: Random) -> list[Case]:
    return [
        _conv(
            _IMAGE[None, None],
            _LAPLACIAN[None, None],
            stride=2,
            right=_BY_HAND[None, None, ::2, ::2],
            note="by hand",
        ),
        _conv(images(rng, (1, 1, 7, 7)), _kernels(rng, 1, 1, 3, 3), stride=2),
        _conv(images(rng, (1, 1, 9, 9)), _kernels(rng, 1, 1, 2, 2), stride=3, note="floor"),
    ]


def paddings(rng: Random) -> list[Case]:
    return [
        _conv(images(rng, (1, 1, 4, 4)), _kernels(rng, 1, 1, 3, 3), padding=1),
        _conv(images(rng, (1, 1, 3, 3)), _kernels(rng, 1, 1, 3, 3), padding=2),
    ]


def non_square(rng: Random) -> list[Case]:
    return [
        _conv(images(rng, (1, 1, 4, 7)), _kernels(rng, 1, 1, 3, 2)),
        _conv(images(rng, (1, 1, 4, 6)), _kernels(rng, 1, 1, 2, 2)),
        _conv(images(rng, (1, 1, 7, 4)), _kernels(rng, 1, 1, 2, 3)),
    ]


def together(rng: Random) -> list[Case]:
    def drawn(h: int, w: int, stride: int, padding: int, dtype: str) -> Case:
        return _conv(
            images(rng, (2, 3, h, w), dtype),
            images(rng, (4, 3, 3, 2), dtype),
            images(rng, (4,), dtype),
            stride=stride,
            padding=padding,
        )

    return [drawn(5, 8, 2, 1, "float64"), drawn(6, 9, 3, 2, "float32")]


def dtypes(rng: Random) -> list[Case]:
    return [
        _conv(images(rng, (1, 1, 4, 4), dtype), _kernels(rng, 1, 1, 2, 2, dtype=dtype))
        for dtype in ("float32", "float64")
    ]
