"""Task (a): the inception block."""

from typing import Any

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch12_beyond_the_pattern.common import judge_count
from cnnlib.checks.ch12_beyond_the_pattern.driving_branches import (
    BRANCHES,
    NEGATIVE,
    POSITIVE,
    inception,
)
from cnnlib.checks.ch12_beyond_the_pattern.inception_ideas import IDEAS, NAMES
from cnnlib.checks.ch12_beyond_the_pattern.modules import Inception
from cnnlib.checks.engine import Part, Task
from cnnlib.checks.errands import beside, remembered
from cnnlib.checks.inputs import Random, images, whole
from cnnlib.checks.judges import judge_array, judge_shape

drive = remembered(beside(inception))


def _reference(*sizes: int, **settings: Any) -> int | np.ndarray:
    return drive(Inception, *sizes, **settings)


# --- cases ----------------------------------------------------------------------------------------

_NAMES = ("in_channels", "f1", "f3_in", "f3", "f5_in", "f5", "pool")


def _case(*sizes: int, expected: int | None = None, note: str = "", **settings: Any) -> Case:
    return Case(dict(zip(_NAMES, sizes, strict=True)), settings, expected=expected, note=note)


def _count_cases(rng: Random) -> list[Case]:
    return [
        _case(192, 64, 96, 128, 16, 32, 32, expected=163_696, note="GoogLeNet's first block"),
        _case(256, 128, 128, 192, 32, 96, 64, expected=388_736, note="GoogLeNet's second block"),
        _case(*(whole(rng, 2, 9) for _ in range(7))),
    ]


def _shape_cases(rng: Random) -> list[Case]:
    # a single position and equal depths come first: there branches meet that elsewhere would not
    return [
        _case(3, 3, 2, 3, 2, 3, 3, x=images(rng, (2, 3, 1, 1))),
        _case(5, 2, 3, 4, 2, 3, 5, x=images(rng, (1, 5, 6, 9))),
        _case(4, 1, 2, 3, 2, 2, 4, x=images(rng, (3, 4, 7, 4), "float32")),
    ]


def _branch_cases(branch: str) -> Any:
    def cases(rng: Random) -> list[Case]:
        def x(*shape: int, dtype: str = "float64") -> np.ndarray:
            return np.abs(images(rng, shape, dtype))

        # the two kernels of 1 × 1 of one block have different shapes, so they get different weights
        drawn = [
            _case(4, 2, 3, 5, 6, 7, 3, x=x(1, 4, 5, 7), weights=POSITIVE, branch=branch),
            _case(5, 3, 2, 4, 7, 6, 8, x=x(2, 5, 6, 4), weights=POSITIVE, branch=branch),
            _case(3, 4, 2, 2, 5, 3, 6, x=x(1, 3, 7, 6, dtype="float32"), branch=branch),
        ]
        if branch == "pooling":
            drawn += [_case(4, 2, 3, 5, 6, 7, 3, x=x(1, 4, 5, 7), weights=NEGATIVE, branch=branch)]
        return drawn

    return cases


def _relu_cases(rng: Random) -> list[Case]:
    sizes = (4, 2, 3, 5, 6, 7, 3)
    x = np.abs(images(rng, (1, 4, 5, 6)))
    signed = images(rng, (2, 4, 5, 4))
    return [
        *(_case(*sizes, x=x, weights=NEGATIVE, branch=branch) for branch in BRANCHES[:3]),
        _case(*sizes, x=signed, weights=POSITIVE, branch=BRANCHES[0], note="x of both signs"),
    ]


INCEPTION_BLOCK = Task(
    "a",
    "the inception block",
    "Inception",
    _reference,
    drive=drive,
    seconds=10,
    parts=(
        Part(NAMES["count"], 2, _count_cases, judge_count, hint=2),
        Part(NAMES["shape"], 2, _shape_cases, judge_shape, hint=3),
        Part(NAMES["1"], 1, _branch_cases("1 × 1"), judge_array),
        Part(NAMES["3"], 1, _branch_cases("3 × 3"), judge_array),
        Part(NAMES["5"], 1, _branch_cases("5 × 5"), judge_array),
        Part(NAMES["pool"], 1, _branch_cases("pooling"), judge_array),
        Part(NAMES["relu"], 2, _relu_cases, judge_array),
    ),
    misconceptions=IDEAS,
)
