"""Tasks (c) and (d): a layer as a matrix, and a shuffle undone."""

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch01_local_connectivity.common import SHUFFLE, THREE
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost, whole
from cnnlib.checks.judges import judge_array, judge_dtype, judge_shape

# --- (c) the matrix of a layer ------------------------------------------------------------------


def layer_matrix(weight, pixels):
    """The matrix of a layer on a row of pixels."""
    return _band(weight, pixels, pixels - weight.shape[-1] + 1)


def _band(weight, pixels, places, step=1, first=0):
    """`places` rows; the window of each starts `step` pixels after the one before, cut at the ends."""
    out = np.zeros((places, pixels), dtype=weight.dtype)
    for n in range(places):
        row = weight if weight.ndim == 1 else weight[min(n, len(weight) - 1)]
        for i, value in enumerate(row):
            column = n * step + first + i
            if 0 <= column < pixels:
                out[n, column] = value
    return out


def _layer(weight, pixels, note=""):
    return Case({"weight": weight, "pixels": pixels}, note=note)


def _kernel(rng: Random, size: int, dtype: str = "float64") -> np.ndarray:
    return images(rng, (size,), dtype)


def _own(rng: Random, size: int, pixels: int, dtype: str = "float64") -> np.ndarray:
    return images(rng, (pixels - size + 1, size), dtype)


def _shape_cases(rng: Random) -> list[Case]:
    pixels = whole(rng, 7, 10)
    return [_layer(_kernel(rng, 3), pixels), _layer(_own(rng, 4, pixels), pixels)]


def _shared_cases(rng: Random) -> list[Case]:
    by_hand = np.array([[2.0, 3, 5, 0, 0], [0, 2, 3, 5, 0], [0, 0, 2, 3, 5]])
    given = {"weight": np.array([2.0, 3, 5]), "pixels": 5}
    worked = Case(given, expected=by_hand, note="worked by hand")
    types = ("float64", "float32", "float64")
    return [worked] + [
        _layer(_kernel(rng, f, t), whole(rng, 6, 10)) for f, t in zip((2, 3, 4), types, strict=True)
    ]


def _own_cases(rng: Random) -> list[Case]:
    by_hand = np.array([[1.0, 2, 0, 0], [0, 3, 4, 0], [0, 0, 5, 6]])
    given = {"weight": np.array([[1.0, 2], [3, 4], [5, 6]]), "pixels": 4}
    cases = [Case(given, expected=by_hand, note="worked by hand")]
    for f, t in ((2, "float64"), (3, "float32"), (4, "float64")):
        pixels = whole(rng, 6, 10)
        cases.append(_layer(_own(rng, f, pixels, t), pixels))
    return cases


def _wide_cases(rng: Random) -> list[Case]:
    """One place only. The weights read the same from both ends."""
    half = images(rng, (3,))
    both = np.concatenate([half, half[::-1]])
    return [_layer(both, 6), _layer(both[None], 6), _layer(np.delete(both, 2), 5)]


def _type_cases(rng: Random) -> list[Case]:
    """A window of one pixel: the matrix has a diagonal and nothing else."""
    pixels = whole(rng, 4, 7)
    return [_layer(_kernel(rng, 1, t), pixels) for t in ("float32", "float64")]


def _flipped(weight, pixels):
    return layer_matrix(weight[..., ::-1], pixels)


def _transposed(weight, pixels):
    return layer_matrix(weight, pixels).T


def _tiled(weight, pixels):
    size = weight.shape[-1]
    return _band(weight, pixels, pixels - size + 1, step=size)


def _standing(weight, pixels):
    return _band(weight, pixels, pixels - weight.shape[-1] + 1, step=0)


def _padded(weight, pixels):
    return _band(weight, pixels, pixels, first=-(weight.shape[-1] // 2))


def _last_missing(weight, pixels):
    return layer_matrix(weight, pixels)[:-1]


def _first_row_for_all(weight, pixels):
    return layer_matrix(weight if weight.ndim == 1 else weight[0], pixels)


def _everywhere(weight, pixels):
    """The row of weights again and again until the matrix is full."""
    out = layer_matrix(weight, pixels)
    for n, row in enumerate(out):
        own = weight if weight.ndim == 1 else weight[n]
        row[:] = np.resize(own, pixels)
    return out


def _matrix_float64(weight, pixels):
    return layer_matrix(weight, pixels).astype(np.float64)


_C = {
    "shape": "the shape",
    "shared": "one kernel, shared by all neurons",
    "own": "weights of its own for every neuron",
    "wide": "a window as wide as the row",
    "dtype": "float32 stays float32",
}

LAYER_MATRIX = Task(
    "c",
    "a layer as a matrix",
    "layer_matrix",
    layer_matrix,
    parts=(
        Part(_C["shape"], 1, _shape_cases, judge_shape, hint=1),
        Part(_C["shared"], 3, _shared_cases, judge_array, hint=2),
        Part(_C["own"], 2, _own_cases, judge_array, hint=3),
        Part(_C["wide"], 1, _wide_cases, judge_array, hint=1),
        Part(_C["dtype"], 1, _type_cases, judge_dtype, hint=3),
    ),
    misconceptions=(
        Misconception(
            "the kernel is flipped",
            _flipped,
            "The first weight of a window meets its first pixel. A convolutional layer lays its kernel on "
            "as it is.",
            THREE,
            lost(_C, "shared", "own"),
        ),
        Misconception(
            "rows and columns are exchanged",
            _transposed,
            "A row of the matrix is one neuron, a column is one pixel. Only then does `matrix @ row` give "
            "one number for each neuron.",
            THREE,
            lost(_C, "shape", "shared", "own", "wide"),
        ),
        Misconception(
            "windows side by side",
            _tiled,
            "Neighbouring neurons read overlapping windows: from one row to the next the window moves on "
            "by one pixel.",
            THREE,
            lost(_C, "shared", "own"),
        ),
        Misconception(
            "the window does not move",
            _standing,
            "Neuron n reads from pixel n on. From row to row the weights stand one column further to the "
            "right.",
            THREE,
            lost(_C, "shared", "own", "dtype"),
        ),
        Misconception(
            "windows stick out at both ends",
            _padded,
            "That is a layer with padding. Here a window stays inside the row, so there are pixels − F + 1 "
            "neurons.",
            THREE,
            lost(_C, "shape", "shared", "own", "wide"),
        ),
        Misconception(
            "the last neuron is missing",
            _last_missing,
            "The last window ends at the last pixel. Six pixels and a window of three leave four places, "
            "not three.",
            THREE,
            lost(_C, *_C),
        ),
        Misconception(
            "all neurons use the first row of weights",
            _first_row_for_all,
            "If `weight` has two axes nothing is shared: neuron n has row n of it.",
            THREE,
            lost(_C, "own"),
        ),
        Misconception(
            "weights beyond the window",
            _everywhere,
            "A neuron is connected to its window only. The other entries of its row are zero: there is no "
            "line to those pixels.",
            THREE,
            lost(_C, "shared", "own", "dtype"),
        ),
        Misconception(
            "NumPy's default type",
            _matrix_float64,
            "`np.zeros` makes float64 unless it is told otherwise; `dtype=weight.dtype` tells it.",
            THREE,
            lost(_C, "dtype"),
        ),
    ),
)

# --- (d) a shuffle undone -----------------------------------------------------------------------


def unshuffle(weight, order):
    """The weights that do with the picture what `weight` does with the shuffled one."""
    out = np.empty_like(weight)
    out[:, order] = weight
    return out


def _exchange(rng: Random, pixels: int) -> np.ndarray:
    """Two pixels change places."""
    order = np.arange(pixels)
    a, b = rng.choice(pixels, 2, replace=False)
    order[[a, b]] = b, a
    return order


def _ring(rng: Random, pixels: int) -> np.ndarray:
    """An order in which all pixels move in one ring: doing it twice or undoing it is another one."""
    ring = rng.permutation(pixels)
    order = np.empty(pixels, dtype=int)
    order[ring] = np.roll(ring, -1)
    return order


def _shuffle_case(weight, order, right=None, note=""):
    return Case({"weight": weight, "order": order}, expected=right, note=note)


def _exchange_cases(rng: Random) -> list[Case]:
    worked = _shuffle_case(
        np.array([[5.0, 6, 7, 8, 9]]),
        np.array([0, 3, 2, 1, 4]),
        np.array([[5.0, 8, 7, 6, 9]]),
        "worked by hand",
    )
    drawn = [
        _shuffle_case(images(rng, (n, d), t), _exchange(rng, d))
        for n, d, t in ((2, 6, "float64"), (3, 7, "float32"), (8, 5, "float64"))
    ]
    return [worked, *drawn]


def _order_cases(rng: Random) -> list[Case]:
    worked = _shuffle_case(
        np.array([[5.0, 6, 7, 8], [1, 2, 3, 4]]),
        np.array([1, 2, 3, 0]),
        np.array([[8.0, 5, 6, 7], [4, 1, 2, 3]]),
        "worked by hand",
    )
    drawn = [
        _shuffle_case(images(rng, (n, d), t), _ring(rng, d))
        for n, d, t in ((1, 5, "float64"), (3, 7, "float32"), (9, 6, "float64"))
    ]
    return [worked, *drawn]


def _shuffle_type_cases(rng: Random) -> list[Case]:
    return [
        _shuffle_case(images(rng, (2, 6), t), _exchange(rng, 6)) for t in ("float32", "float64")
    ]


_D = {
    "exchange": "two pixels have changed places",
    "order": "any order",
    "dtype": "float32 stays float32",
}

UNSHUFFLE = Task(
    "d",
    "a shuffle undone",
    "unshuffle",
    unshuffle,
    parts=(
        Part(_D["exchange"], 2, _exchange_cases, judge_array, hint=1),
        Part(_D["order"], 3, _order_cases, judge_array, hint=2),
        Part(_D["dtype"], 1, _shuffle_type_cases, judge_dtype, hint=3),
    ),
    misconceptions=(
        Misconception(
            "the weights go the wrong way",
            lambda weight, order: weight[:, order],
            "These weights fit a picture that is shuffled once more. Place j of the shuffled picture holds "
            "pixel `order[j]`, so the weight of place j belongs to that pixel.",
            SHUFFLE,
            lost(_D, "order"),
        ),
        Misconception(
            "the weights are moved twice",
            lambda weight, order: weight[:, order][:, order],
            "Each weight moves once, from the place in the shuffled picture to the pixel that stands there.",
            SHUFFLE,
            lost(_D, *_D),
        ),
        Misconception(
            "the neurons are shuffled",
            lambda weight, order: weight[order],
            "A row is a neuron, a column is a pixel. The pixels were shuffled, so the columns must move.",
            SHUFFLE,
            lost(_D, *_D),
        ),
        Misconception(
            "the columns are turned around",
            lambda weight, order: weight[:, ::-1].copy(),
            "To undo an order is not to read it backwards. Ask of each weight which pixel it met.",
            SHUFFLE,
            lost(_D, *_D),
        ),
        Misconception(
            "the weights stay where they are",
            lambda weight, order: weight.copy(),
            "A sum does not care about the order of its terms, but each pixel must still meet its own "
            "weight.",
            SHUFFLE,
            lost(_D, *_D),
        ),
        Misconception(
            "NumPy's default type",
            lambda weight, order: unshuffle(weight, order).astype(np.float64),
            "`np.zeros` and `np.empty` make float64 unless they are told otherwise; "
            "`dtype=weight.dtype` tells them.",
            SHUFFLE,
            lost(_D, "dtype"),
        ),
    ),
)
