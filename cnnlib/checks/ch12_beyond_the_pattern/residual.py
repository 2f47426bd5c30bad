"""Task (b): the residual block with two 3 × 3 layers."""

from typing import Any

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch12_beyond_the_pattern.block import BasicBlock
from cnnlib.checks.ch12_beyond_the_pattern.common import judge_count
from cnnlib.checks.ch12_beyond_the_pattern.driving_residual import (
    NEGATIVE,
    NO_BRANCH,
    NO_SHORTCUT,
    POSITIVE,
    ZERO,
    residual,
)
from cnnlib.checks.ch12_beyond_the_pattern.residual_ideas import IDEAS, NAMES
from cnnlib.checks.engine import Part, Task
from cnnlib.checks.errands import beside, remembered
from cnnlib.checks.inputs import Random, images, whole
from cnnlib.checks.judges import judge_array, judge_shape

drive = remembered(beside(residual))


def _reference(*sizes: int, **settings: Any) -> int | np.ndarray:
    return drive(BasicBlock, *sizes, **settings)


# --- cases ----------------------------------------------------------------------------------------


def _case(inputs: int, filters: int, stride: int = 1, *, note: str = "", **settings: Any) -> Case:
    sizes = {"in_channels": inputs, "out_channels": filters, "stride": stride}
    return Case(sizes, settings, note=note)


def _positive(rng: Random, *shape: int, dtype: str = "float64") -> np.ndarray:
    return np.abs(images(rng, shape, dtype))


def _count_cases(rng: Random) -> list[Case]:
    def worked(inputs: int, filters: int, stride: int, right: int, note: str) -> Case:
        sizes = {"in_channels": inputs, "out_channels": filters, "stride": stride}
        return Case(sizes, expected=right, note=note)

    few, many = whole(rng, 2, 5), whole(rng, 6, 9)
    return [
        worked(64, 64, 1, 73_984, "ResNet-18's first block"),
        worked(64, 128, 2, 230_144, "ResNet-18's third block"),
        worked(128, 128, 1, 295_424, "ResNet-18's fourth block"),
        _case(few, many),
        _case(many, many, 2),
    ]


def _shape_cases(rng: Random) -> list[Case]:
    # two pixels a side come first: there a stride that is forgotten or doubled does not stop the addition
    return [
        _case(3, 4, 2, x=images(rng, (1, 3, 2, 2))),
        _case(3, 3, 1, x=images(rng, (2, 3, 5, 4))),
        _case(2, 3, 2, x=images(rng, (2, 2, 7, 10), "float32")),
    ]


def _identity_cases(rng: Random) -> list[Case]:
    return [
        Case(
            {"in_channels": 1, "out_channels": 1, "stride": 1},
            {"x": np.arange(1.0, 13.0).reshape(1, 1, 3, 4), "weights": ZERO},
            expected=np.arange(1.0, 13.0).reshape(1, 1, 3, 4),
            note="the branch gives 0, so y = x",
        ),
        _case(3, 3, x=_positive(rng, 2, 3, 4, 5), weights=ZERO),
        _case(2, 2, x=_positive(rng, 1, 2, 5, 3, dtype="float32"), weights=ZERO),
    ]


def _projection_cases(rng: Random) -> list[Case]:
    return [
        _case(3, 5, 2, x=_positive(rng, 2, 3, 7, 6), weights=NO_BRANCH),
        _case(2, 4, 1, x=_positive(rng, 1, 2, 4, 5), weights=NO_BRANCH),
        _case(3, 3, 2, x=_positive(rng, 1, 3, 6, 9), weights=NO_BRANCH),
    ]


def _branch_cases(rng: Random) -> list[Case]:
    return [
        _case(3, 3, x=_positive(rng, 1, 3, 5, 4), weights=POSITIVE),
        _case(2, 2, x=_positive(rng, 2, 2, 4, 6), weights=POSITIVE),
    ]


def _stride_cases(rng: Random) -> list[Case]:
    return [
        _case(2, 3, 2, x=_positive(rng, 1, 2, 7, 10), weights=NO_SHORTCUT),
        _case(3, 4, 3, x=_positive(rng, 1, 3, 10, 8), weights=NO_SHORTCUT),
    ]


def _relu_cases(rng: Random) -> list[Case]:
    return [
        _case(2, 2, x=images(rng, (1, 2, 4, 5)), weights=ZERO),
        _case(2, 2, x=4 * _positive(rng, 1, 2, 5, 4), weights=NEGATIVE),
        _case(3, 3, x=4 * _positive(rng, 2, 3, 4, 4), weights=NEGATIVE),
        # the branch gives about 0.1 everywhere, and a small negative x takes a little of it
        _case(2, 2, x=0.03 * images(rng, (1, 2, 4, 3)), weights=NO_BRANCH),
    ]


RESIDUAL_BLOCK = Task(
    "b",
    "the residual block",
    "BasicBlock",
    _reference,
    drive=drive,
    seconds=10,
    parts=(
        Part(NAMES["count"], 2, _count_cases, judge_count, hint=2),
        Part(NAMES["shape"], 1, _shape_cases, judge_shape),
        Part(NAMES["identity"], 2, _identity_cases, judge_array),
        Part(NAMES["projection"], 2, _projection_cases, judge_array, hint=3),
        Part(NAMES["branch"], 2, _branch_cases, judge_array, hint=2),
        Part(NAMES["stride"], 1, _stride_cases, judge_array),
        Part(NAMES["relu"], 2, _relu_cases, judge_array),
    ),
    misconceptions=IDEAS,
)
