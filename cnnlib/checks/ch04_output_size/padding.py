"""Task (b): a frame of zeros around every image of a batch."""

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch04_output_size.common import PADDING
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost, whole
from cnnlib.checks.judges import (
    judge_array,
    judge_dtype,
    judge_shape,
)


def _pad(x: np.ndarray, padding: int) -> Case:
    return Case({"x": x, "padding": padding})


def _pad_shape_cases(rng: Random) -> list[Case]:
    return [_pad(images(rng, (2, 3, 4, 4)), 1), _pad(images(rng, (1, 2, 5, 5), "float32"), 2)]


def _pad_value_cases(rng: Random) -> list[Case]:
    return [
        _pad(images(rng, (1, 1, 3, 3)), 1),
        _pad(images(rng, (1, 1, 4, 4), "float32"), 2),
        _pad(images(rng, (1, 1, 2, 2)), 3),
    ]


def _pad_nothing_cases(rng: Random) -> list[Case]:
    return [_pad(images(rng, (1, 1, 3, 3)), 1), _pad(images(rng, (1, 1, 3, 3)), 0)]


def _pad_non_square_cases(rng: Random) -> list[Case]:
    return [
        _pad(images(rng, (1, 1, 2, 5)), 1),
        _pad(images(rng, (1, 1, 6, whole(rng, 2, 4)), "float32"), 2),
    ]


def _pad_batch_cases(rng: Random) -> list[Case]:
    return [_pad(images(rng, (3, 2, 3, 3)), 1), _pad(images(rng, (2, 4, 4, 4), "float32"), 2)]


def _pad_dtype_cases(rng: Random) -> list[Case]:
    return [
        _pad(images(rng, (1, 1, 3, 3), "float32"), 1),
        _pad(images(rng, (1, 1, 3, 3), "float64"), 1),
    ]


def zero_pad(x: np.ndarray, padding: int) -> np.ndarray:
    """The reference of task (b)."""
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


def _pad_every_axis(x, padding):
    return np.pad(x, padding)


def _pad_in_total(x, padding):
    before, after = padding // 2, padding - padding // 2
    return np.pad(x, ((0, 0), (0, 0), (before, after), (before, after)))


def pad_after(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (0, 2 * padding), (0, 2 * padding)))


def _pad_before(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, 0), (padding, 0)))


def _pad_width(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (0, 0), (padding, padding)))


def _pad_edge(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), mode="edge")


def _pad_first_image(x, padding):
    out = np.zeros_like(zero_pad(x, padding))
    out[0] = zero_pad(x, padding)[0]
    return out


def _pad_minus_zero(x, padding):
    out = np.zeros_like(zero_pad(x, padding))
    out[:, :, padding:-padding, padding:-padding] = x
    return out


def _pad_float64(x, padding):
    return zero_pad(x, padding).astype(np.float64)


_B = {
    "shape": "the shape",
    "values": "the image in the middle, zeros around it",
    "nothing": "a padding of 0 as well",
    "non-square": "images that are not square",
    "batch": "all images and channels of the batch",
    "dtype": "float32 stays float32",
}

ZERO_PAD = Task(
    "b",
    "zero padding",
    "zero_pad",
    zero_pad,
    parts=(
        Part(_B["shape"], 1, _pad_shape_cases, judge_shape, hint=1),
        Part(_B["values"], 2, _pad_value_cases, judge_array, hint=2),
        Part(_B["nothing"], 1, _pad_nothing_cases, judge_array, hint=3),
        Part(_B["non-square"], 1, _pad_non_square_cases, judge_array, hint=2),
        Part(_B["batch"], 1, _pad_batch_cases, judge_array),
        Part(_B["dtype"], 1, _pad_dtype_cases, judge_dtype),
    ),
    misconceptions=(
        Misconception(
            "every axis is padded",
            _pad_every_axis,
            "Only height and width get zeros. Padding the first two axes would add empty images to the "
            "batch and empty channels to each image.",
            PADDING,
            frozenset(_B.values()),
        ),
        Misconception(
            "P zeros in total",
            _pad_in_total,
            "P is the number of zeros on each side: an axis of n pixels grows to n + 2P.",
            PADDING,
            frozenset(_B.values()),
        ),
        Misconception(
            "no zeros after the image",
            _pad_before,
            "P zeros go above and below, to the left and to the right: both axes grow by 2P, and the image ends P "
            "before the end.",
            PADDING,
            frozenset(_B.values()),
        ),
        Misconception(
            "only the width is padded",
            _pad_width,
            "Rows of zeros above and below belong to it as well: axis 2 is the height, axis 3 the width.",
            PADDING,
            frozenset(_B.values()),
        ),
        Misconception(
            "the image sits in the corner",
            pad_after,
            "The frame goes all around the image: its first pixel moves to row P and column P.",
            PADDING,
            lost(_B, "values", "nothing", "non-square", "batch", "dtype"),
        ),
        Misconception(
            "the border is repeated",
            _pad_edge,
            "That is replicate padding. Zero padding writes zeros, whatever the pixels beside them.",
            PADDING,
            lost(_B, "values", "nothing", "non-square", "batch", "dtype"),
        ),
        Misconception(
            "only the first image is copied",
            _pad_first_image,
            "Axis 0 counts the images of the batch. A colon in its place treats all of them alike.",
            PADDING,
            lost(_B, "batch"),
        ),
        Misconception(
            "the slice ends at −0",
            _pad_minus_zero,
            "With P = 0 the slice `P:-P` is `0:0`, which is empty. Count its end from the front, too.",
            PADDING,
            lost(_B, "nothing"),
        ),
        Misconception(
            "NumPy's default type",
            _pad_float64,
            "`np.zeros` makes float64 unless it is told otherwise; `dtype=x.dtype` tells it.",
            PADDING,
            lost(_B, "dtype"),
        ),
    ),
)
