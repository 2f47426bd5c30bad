"""Task (c): a softmax that does not overflow."""

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch02_layers_and_diagrams.common import SOFTMAX_AWAY
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost, whole
from cnnlib.checks.judges import judge_array, judge_dtype, judge_shape


def softmax(scores):
    """Probabilities from class scores, row by row."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


# --- inputs -------------------------------------------------------------------------------------


def _scores(rows, dtype="float64", right=None, note=""):
    return Case({"scores": np.array(rows, dtype)}, expected=right, note=note)


def _drawn(rng: Random, count: int, classes: int, dtype: str = "float64") -> Case:
    return _scores(images(rng, (count, classes)) * 2, dtype)


def _shape_cases(rng: Random) -> list[Case]:
    return [_drawn(rng, 1, whole(rng, 3, 7)), _drawn(rng, 4, whole(rng, 5, 7), "float32")]


def _one_cases(rng: Random) -> list[Case]:
    note = "worked by hand"
    thirds = _scores(np.log([[1.0, 2, 3]]), right=np.array([[1, 2, 3]]) / 6, note=note)
    halves = _scores([[5.0, 5]], right=np.array([[0.5, 0.5]]), note=note)
    return [thirds, halves, _drawn(rng, 1, 4), _drawn(rng, 1, whole(rng, 5, 9), "float32")]


def _batch_cases(rng: Random) -> list[Case]:
    return [_drawn(rng, 2, 3), _drawn(rng, 5, 3, "float32"), _drawn(rng, 4, 4)]


def _far_cases(rng: Random) -> list[Case]:
    note = "worked by hand"
    up = _scores([[0.0, 1000]], right=np.array([[0.0, 1]]), note=note)
    down = _scores([[-2000.0, -2000]], right=np.array([[0.5, 0.5]]), note=note)
    by = float(whole(rng, 800, 900))
    lifted = [_scores(images(rng, (1, 5)) + by * sign, t) for sign in (1, -1) for t in _TYPES]
    levels = np.array([[0.0], [1.0], [-1.0]]) * by
    return [up, down, *lifted, _scores(images(rng, (3, 4)) + levels)]


def _type_cases(rng: Random) -> list[Case]:
    return [_drawn(rng, 1, 5, t) for t in _TYPES]


_TYPES = ("float32", "float64")


# --- misconceptions -----------------------------------------------------------------------------


def _naive(scores):
    powers = np.exp(scores)
    return powers / powers.sum(axis=1, keepdims=True)


def _one_sum(scores):
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def _down_the_columns(scores):
    return softmax(scores.T).T


def _no_exponential(scores):
    return scores / scores.sum(axis=1, keepdims=True)


def _magnitudes(scores):
    return np.abs(scores) / np.abs(scores).sum(axis=1, keepdims=True)


def _largest_of_the_batch(scores):
    return _naive(scores - scores.max())


def _divided_by_largest(scores):
    return _naive(scores / np.abs(scores).max(axis=1, keepdims=True))


def _clipped(scores):
    return _naive(np.clip(scores, -80, 80))


def _base_two(scores):
    return softmax(scores * scores.dtype.type(np.log(2)))


def _logarithm(scores):
    return np.log(np.maximum(softmax(scores), np.finfo(scores.dtype).tiny))


def _winner_only(scores):
    return (scores == scores.max(axis=1, keepdims=True)).astype(scores.dtype)


def _lost_axis(scores):
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1)


def _float64(scores):
    return softmax(scores).astype(np.float64)


_C = {
    "shape": "the shape",
    "one": "the scores of one image",
    "batch": "every image of a batch by itself",
    "far": "scores far from zero",
    "dtype": "float32 stays float32",
}
_VALUES = ("one", "batch", "far", "dtype")

SOFTMAX = Task(
    "c",
    "softmax",
    "softmax",
    softmax,
    parts=(
        Part(_C["shape"], 1, _shape_cases, judge_shape, hint=2),
        Part(_C["one"], 2, _one_cases, judge_array, hint=1),
        Part(_C["batch"], 2, _batch_cases, judge_array, hint=2),
        Part(_C["far"], 2, _far_cases, judge_array, hint=3),
        Part(_C["dtype"], 1, _type_cases, judge_dtype),
    ),
    misconceptions=(
        Misconception(
            "the powers overflow",
            _naive,
            "e to the power of 1000 is too large for a float, and infinity divided by infinity is not a "
            "number. Only differences of scores count, so you may first take the same number off all scores "
            "of an image.",
            SOFTMAX_AWAY,
            lost(_C, "far"),
        ),
        Misconception(
            "the largest score of the whole batch",
            _largest_of_the_batch,
            "Take off the largest score of each image by itself. The largest of the batch may be so far above "
            "another image's scores that all their powers are rounded to zero.",
            SOFTMAX_AWAY,
            lost(_C, "far"),
        ),
        Misconception(
            "scores are cut off",
            _clipped,
            "Cutting large scores off makes different scores equal. Taking the same number off all of them "
            "changes no probability at all.",
            SOFTMAX_AWAY,
            lost(_C, "far"),
        ),
        Misconception(
            "one sum for the whole batch",
            _one_sum,
            "The probabilities of each image sum to 1 by themselves. Axis 1 counts the classes.",
            SOFTMAX_AWAY,
            lost(_C, "batch", "far"),
        ),
        Misconception(
            "the sum runs over the images",
            _down_the_columns,
            "Classes compete within one image. They are counted by axis 1; axis 0 counts the images.",
            SOFTMAX_AWAY,
            lost(_C, *_VALUES),
        ),
        Misconception(
            "the sums lose their axis",
            _lost_axis,
            "A sum over axis 1 has the shape (N,), and NumPy lays that along the classes. With "
            "`keepdims=True` it stays a column.",
            SOFTMAX_AWAY,
            lost(_C, "shape", "batch", "far"),
        ),
        Misconception(
            "no exponential",
            _no_exponential,
            "Scores can be negative, and their shares too. The exponential makes them positive first.",
            SOFTMAX_AWAY,
            lost(_C, *_VALUES),
        ),
        Misconception(
            "the size of a score without its sign",
            _magnitudes,
            "A score of −5 is worse than a score of 1. The exponential keeps the order of the scores; "
            "leaving out the sign does not.",
            SOFTMAX_AWAY,
            lost(_C, *_VALUES),
        ),
        Misconception(
            "divided by the largest score",
            _divided_by_largest,
            "Differences of scores count. Subtracting keeps them, dividing does not.",
            SOFTMAX_AWAY,
            lost(_C, *_VALUES),
        ),
        Misconception(
            "powers of two",
            _base_two,
            "The base is e = 2.718…: one point of lead is a factor of e.",
            SOFTMAX_AWAY,
            lost(_C, *_VALUES),
        ),
        Misconception(
            "the logarithm is taken as well",
            _logarithm,
            "That belongs to the loss. Softmax ends with probabilities, which lie between 0 and 1.",
            SOFTMAX_AWAY,
            lost(_C, *_VALUES),
        ),
        Misconception(
            "the winner takes all",
            _winner_only,
            "Softmax gives every class its share. The largest score has the largest probability, but not "
            "all of it.",
            SOFTMAX_AWAY,
            lost(_C, *_VALUES),
        ),
        Misconception(
            "NumPy's default type",
            _float64,
            "`np.zeros` and `np.empty` make float64 unless they are told otherwise; "
            "`dtype=scores.dtype` tells them.",
            SOFTMAX_AWAY,
            lost(_C, "dtype"),
        ),
    ),
)
