"""Task (c): the fire block."""

from typing import Any

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch12_beyond_the_pattern.common import judge_count
from cnnlib.checks.ch12_beyond_the_pattern.driving_branches import NEGATIVE, POSITIVE, fire
from cnnlib.checks.ch12_beyond_the_pattern.fire_ideas import IDEAS, NAMES
from cnnlib.checks.ch12_beyond_the_pattern.modules import Fire
from cnnlib.checks.engine import Part, Task
from cnnlib.checks.errands import beside, remembered
from cnnlib.checks.inputs import Random, images, whole
from cnnlib.checks.judges import judge_array, judge_shape

drive = remembered(beside(fire))


def _reference(*sizes: int, **settings: Any) -> int | np.ndarray:
    return drive(Fire, *sizes, **settings)


# --- cases ----------------------------------------------------------------------------------------

_NAMES = ("in_channels", "squeeze", "expand1", "expand3")


def _case(*sizes: int, expected: int | None = None, note: str = "", **settings: Any) -> Case:
    return Case(dict(zip(_NAMES, sizes, strict=True)), settings, expected=expected, note=note)


def _count_cases(rng: Random) -> list[Case]:
    return [
        _case(96, 16, 64, 64, expected=11_920, note="SqueezeNet 1.0's first block"),
        _case(512, 64, 256, 256, expected=197_184, note="SqueezeNet's last block"),
        _case(*(whole(rng, 2, 9) for _ in range(4))),
    ]


def _shape_cases(rng: Random) -> list[Case]:
    return [
        _case(3, 2, 3, 3, x=images(rng, (2, 3, 1, 1))),
        _case(5, 2, 3, 4, x=images(rng, (1, 5, 6, 9))),
        _case(4, 3, 4, 2, x=images(rng, (3, 4, 7, 4), "float32")),
    ]


def _branch_cases(branch: str) -> Any:
    def cases(rng: Random) -> list[Case]:
        def x(*shape: int, dtype: str = "float64") -> np.ndarray:
            return np.abs(images(rng, shape, dtype))

        return [
            _case(4, 2, 3, 5, x=x(1, 4, 5, 7), weights=POSITIVE, branch=branch),
            _case(2, 3, 5, 4, x=x(2, 2, 6, 4), weights=POSITIVE, branch=branch),
            _case(3, 5, 4, 2, x=x(1, 3, 7, 6, dtype="float32"), weights=POSITIVE, branch=branch),
        ]

    return cases


def _relu_cases(rng: Random) -> list[Case]:
    return [
        _case(4, 2, 3, 5, x=np.abs(images(rng, (1, 4, 5, 6))), weights=NEGATIVE),
        _case(2, 3, 4, 2, x=np.abs(images(rng, (2, 2, 4, 3))), weights=NEGATIVE),
    ]


FIRE_BLOCK = Task(
    "c",
    "the fire block",
    "Fire",
    _reference,
    drive=drive,
    seconds=10,
    parts=(
        Part(NAMES["count"], 2, _count_cases, judge_count, hint=2),
        Part(NAMES["shape"], 1, _shape_cases, judge_shape, hint=3),
        Part(NAMES["1"], 1, _branch_cases("1 × 1"), judge_array),
        Part(NAMES["3"], 1, _branch_cases("3 × 3"), judge_array),
        Part(NAMES["relu"], 2, _relu_cases, judge_array),
    ),
    misconceptions=IDEAS,
)
