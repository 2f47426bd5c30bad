"""Tasks (c) and (d): global average pooling, forward and backward."""

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch07_pool_or_conv.common import GAP
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost, whole
from cnnlib.checks.judges import judge_array, judge_dtype, judge_shape
from cnnlib.reference import pool

# --- (c) forward ------------------------------------------------------------------------------------


def _x(x: np.ndarray, right: np.ndarray | None = None, note: str = "") -> Case:
    return Case({"x": x}, expected=right, note=note)


def _shape_cases(rng: Random) -> list[Case]:
    return [_x(images(rng, (2, 3, 4, 4))), _x(images(rng, (1, 5, 3, 3), "float32"))]


def _one_map_cases(rng: Random) -> list[Case]:
    worked = np.array([[[[1.0, 2.0], [3.0, 6.0]]]])
    side = whole(rng, 3, 6)
    return [
        _x(worked, np.array([[3.0]]), "by hand"),
        _x(images(rng, (1, 1, side, side), "float32")),
    ]


def _map_cases(rng: Random) -> list[Case]:
    worked = np.arange(8.0).reshape(1, 2, 2, 2)
    return [
        _x(worked, np.array([[1.5, 5.5]]), "by hand"),
        _x(images(rng, (1, 3, 3, 3))),
        _x(images(rng, (1, whole(rng, 4, 6), 2, 2), "float32")),
    ]


def _batch_cases(rng: Random) -> list[Case]:
    return [_x(images(rng, (3, 1, 3, 3))), _x(images(rng, (whole(rng, 4, 6), 1, 2, 2), "float32"))]


def _non_square_cases(rng: Random) -> list[Case]:
    return [
        _x(images(rng, (1, 1, 2, 5))),
        _x(images(rng, (1, 1, 7, whole(rng, 2, 4)), "float32")),
        _x(images(rng, (1, 1, 1, 3))),
    ]


def _dtype_cases(rng: Random) -> list[Case]:
    return [_x(images(rng, (1, 1, 3, 3), dtype)) for dtype in ("float32", "float64")]


def global_avg_pool(x: np.ndarray) -> np.ndarray:
    """The reference of task (c), in float64."""
    return pool.global_avg_pool2d(x.astype(np.float64))


def _keeps_axes(x):
    return x.mean(axis=(2, 3), keepdims=True)


def _axes_1_and_2(x):
    return x.mean(axis=(1, 2))


def _sum(x):
    return x.sum(axis=(2, 3))


def _largest(x):
    return x.max(axis=(2, 3))


def _whole_volume(x):
    out = np.empty(x.shape[:2], x.dtype)
    out[...] = x.mean(axis=(1, 2, 3))[:, None]
    return out


def _whole_batch(x):
    out = np.empty(x.shape[:2], x.dtype)
    out[...] = x.mean(axis=(0, 2, 3))
    return out


def _square(x):
    return x.sum(axis=(2, 3)) / np.array(x.shape[2] ** 2, x.dtype)


_F = {
    "shape": "the shape (N, C)",
    "one": "one map, one number",
    "maps": "each channel by itself",
    "batch": "each image by itself",
    "non-square": "maps that are not square",
    "dtype": "float32 stays float32",
}

FORWARD = Task(
    "c",
    "global average pooling",
    "global_avg_pool",
    global_avg_pool,
    parts=(
        Part(_F["shape"], 1, _shape_cases, judge_shape, hint=1),
        Part(_F["one"], 1, _one_map_cases, judge_array, hint=1),
        Part(_F["maps"], 1, _map_cases, judge_array, hint=2),
        Part(_F["batch"], 1, _batch_cases, judge_array, hint=2),
        Part(_F["non-square"], 1, _non_square_cases, judge_array, hint=3),
        Part(_F["dtype"], 1, _dtype_cases, judge_dtype, hint=3),
    ),
    misconceptions=(
        Misconception(
            "two axes of length 1 are left",
            _keeps_axes,
            "The numbers are right. The contract wants (N, C), ready for an FC layer, and not (N, C, 1, 1).",
            GAP,
            frozenset(_F.values()),
        ),
        Misconception(
            "the average runs over axes 1 and 2",
            _axes_1_and_2,
            "Height and width are axes 2 and 3 here, behind the channels. Axes 1 and 2 are theirs in libraries "
            "that put the channels last.",
            GAP,
            frozenset(_F.values()),
        ),
        Misconception(
            "a sum in place of an average",
            _sum,
            "A sum grows with the size of the map. The average divides it by the number of positions, so that "
            "small and large images give numbers of the same kind.",
            GAP,
            lost(_F, "one", "maps", "batch", "non-square", "dtype"),
        ),
        Misconception(
            "the maximum of each map",
            _largest,
            "That is global *max* pooling. The average asks every position, not the loudest alone.",
            GAP,
            lost(_F, "one", "maps", "batch", "non-square", "dtype"),
        ),
        Misconception(
            "the channels are averaged together",
            _whole_volume,
            "Each channel keeps its own number: the average runs over axes 2 and 3, height and width, only.",
            GAP,
            lost(_F, "maps"),
        ),
        Misconception(
            "the images are averaged together",
            _whole_batch,
            "Axis 0 counts the images. What an image gives must not depend on the others in its batch.",
            GAP,
            lost(_F, "batch"),
        ),
        Misconception(
            "the height is used for both axes",
            _square,
            "A map has height × width positions, and they need not be equal.",
            GAP,
            lost(_F, "non-square"),
        ),
        Misconception(
            "NumPy's default type",
            global_avg_pool,
            "`np.zeros` and `np.empty` make float64 unless they are told otherwise; `dtype=x.dtype` tells "
            "them.",
            GAP,
            lost(_F, "dtype"),
        ),
    ),
)

# --- (d) backward -----------------------------------------------------------------------------------


def _d(
    dout: np.ndarray, height: int, width: int, right: np.ndarray | None = None, note: str = ""
) -> Case:
    return Case({"dout": dout, "height": height, "width": width}, expected=right, note=note)


def _back_shape_cases(rng: Random) -> list[Case]:
    return [_d(images(rng, (2, 3)), 4, 4), _d(images(rng, (1, 5), "float32"), 3, 3)]


def _back_one_cases(rng: Random) -> list[Case]:
    side = whole(rng, 3, 5)
    return [
        _d(np.array([[8.0]]), 2, 2, np.full((1, 1, 2, 2), 2.0), "by hand"),
        _d(images(rng, (1, 1), "float32"), side, side),
    ]


def _back_map_cases(rng: Random) -> list[Case]:
    worked = np.array([[4.0, 8.0]])
    right = np.array([[[[1.0, 1.0], [1.0, 1.0]], [[2.0, 2.0], [2.0, 2.0]]]])
    return [_d(worked, 2, 2, right, "by hand"), _d(images(rng, (1, whole(rng, 3, 5))), 3, 3)]


def _back_batch_cases(rng: Random) -> list[Case]:
    return [
        _d(images(rng, (3, 1)), 2, 2),
        _d(images(rng, (whole(rng, 4, 6), 1), "float32"), 3, 3),
    ]


def _back_non_square_cases(rng: Random) -> list[Case]:
    return [
        _d(images(rng, (1, 1)), 2, 5),
        _d(images(rng, (1, 1), "float32"), 5, whole(rng, 2, 4)),
        _d(images(rng, (1, 1)), 1, 3),
    ]


def _back_dtype_cases(rng: Random) -> list[Case]:
    return [_d(images(rng, (1, 1), dtype), 3, 3) for dtype in ("float32", "float64")]


def global_avg_pool_backward(dout: np.ndarray, height: int, width: int) -> np.ndarray:
    """The reference of task (d), in float64."""
    shape = (*dout.shape, height, width)
    cache = (shape, np.dtype(np.float64))
    return pool.global_avg_pool2d_backward(dout.astype(np.float64), cache)


def _spread(share, dout, height, width):
    out = np.empty((*dout.shape, height, width), dout.dtype)
    out[...] = share[:, :, None, None]
    return out


def _undivided(dout, height, width):
    return _spread(dout, dout, height, width)


def _first_pixel(dout, height, width):
    out = np.zeros((*dout.shape, height, width), dout.dtype)
    out[:, :, 0, 0] = dout
    return out


def _over_the_batch(dout, height, width):
    return _spread(dout / (height * width * len(dout)), dout, height, width)


def _over_the_channels(dout, height, width):
    return _spread(dout / (height * width * dout.shape[1]), dout, height, width)


def _back_square(dout, height, width):
    return _spread(dout / height**2, dout, height, width)


def _back_swapped(dout, height, width):
    return _spread(dout / (height * width), dout, width, height)


def _dealt_out(dout, height, width):
    return np.resize(dout / (height * width), (*dout.shape, height, width)).astype(dout.dtype)


_B = {
    "shape": "the shape (N, C, H, W)",
    "one": "one map: who gets how much",
    "maps": "each channel its own gradient",
    "batch": "each image its own gradient",
    "non-square": "maps that are not square",
    "dtype": "float32 stays float32",
}

BACKWARD = Task(
    "d",
    "global average pooling, backward",
    "global_avg_pool_backward",
    global_avg_pool_backward,
    parts=(
        Part(_B["shape"], 1, _back_shape_cases, judge_shape, hint=2),
        Part(_B["one"], 2, _back_one_cases, judge_array, hint=1),
        Part(_B["maps"], 1, _back_map_cases, judge_array, hint=2),
        Part(_B["batch"], 1, _back_batch_cases, judge_array, hint=2),
        Part(_B["non-square"], 1, _back_non_square_cases, judge_array, hint=3),
        Part(_B["dtype"], 1, _back_dtype_cases, judge_dtype, hint=3),
    ),
    misconceptions=(
        Misconception(
            "every position gets the whole gradient",
            _undivided,
            "A position enters the average divided by the number of positions. A small change of it moves the "
            "average by that fraction, so it gets that fraction of the gradient.",
            GAP,
            lost(_B, "one", "maps", "batch", "non-square", "dtype"),
        ),
        Misconception(
            "one position gets everything",
            _first_pixel,
            "That is how a *maximum* passes a gradient back, to its winner alone. An average has no winner: "
            "all positions get the same.",
            GAP,
            lost(_B, "one", "maps", "batch", "non-square", "dtype"),
        ),
        Misconception(
            "divided by the batch as well",
            _over_the_batch,
            "The forward pass never averages over images, so the backward pass does not divide by their "
            "number. If a loss is a mean over the batch, `dout` has that division inside.",
            GAP,
            lost(_B, "batch"),
        ),
        Misconception(
            "divided by the channels as well",
            _over_the_channels,
            "Each channel has its own average. Its gradient is shared by the positions of that channel only.",
            GAP,
            lost(_B, "maps"),
        ),
        Misconception(
            "the height is used for both axes",
            _back_square,
            "A map has height × width positions, and they need not be equal.",
            GAP,
            lost(_B, "non-square"),
        ),
        Misconception(
            "height and width are swapped",
            _back_swapped,
            "Axis 2 is the height and axis 3 the width, as in the volume that went in.",
            GAP,
            lost(_B, "non-square"),
        ),
        Misconception(
            "the gradients are dealt out in turn",
            _dealt_out,
            "All positions of a map share the gradient of *their* map. `np.resize` repeats the whole list "
            "instead, so that neighbours in one map get gradients of different maps.",
            GAP,
            lost(_B, "maps", "batch"),
        ),
        Misconception(
            "NumPy's default type",
            global_avg_pool_backward,
            "`np.zeros` and `np.ones` make float64 unless they are told otherwise; `dtype=dout.dtype` tells "
            "them.",
            GAP,
            lost(_B, "dtype"),
        ),
    ),
)
