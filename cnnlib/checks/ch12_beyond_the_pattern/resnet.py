"""Task (d): a whole ResNet, put together from given blocks."""

from typing import Any

import numpy as np

from cnnlib.checks.calls import Case, Outcome
from cnnlib.checks.ch12_beyond_the_pattern.common import judge_count
from cnnlib.checks.ch12_beyond_the_pattern.driving_resnet import BLOCKS, HEAD, STEM, whole_network
from cnnlib.checks.ch12_beyond_the_pattern.modules import resnet
from cnnlib.checks.ch12_beyond_the_pattern.resnet_ideas import IDEAS, NAMES
from cnnlib.checks.engine import Part, Task
from cnnlib.checks.errands import beside, remembered
from cnnlib.checks.inputs import Random, images, whole
from cnnlib.checks.judges import judge_array

drive = remembered(beside(whole_network))


def _reference(*sizes: Any, **settings: Any) -> int | np.ndarray:
    return drive(resnet, *sizes, **settings)


# --- cases and judges -----------------------------------------------------------------------------


def _case(units: tuple[int, ...], *, expected: Any = None, note: str = "", **settings: Any) -> Case:
    return Case({"units": units}, settings, expected=expected, note=note)


def _count_cases(rng: Random) -> list[Case]:
    return [
        _case((2, 2, 2, 2), expected=11_689_512, note="ResNet-18"),
        _case((3, 4, 6, 3), expected=21_797_672, note="ResNet-34"),
        _case((2, 2, 2, 2), classes=10, expected=11_181_642, note="ResNet-18 for 10 classes"),
        _case((1, 3, 2, 1), classes=whole(rng, 5, 20), width=8),
    ]


def _block_cases(rng: Random) -> list[Case]:
    x = images(rng, (1, 3, 32, 32))
    rows = [(4, 4, 1)] * 2 + [(4, 8, 2), (8, 8, 1), (8, 16, 2), (16, 16, 1), (16, 32, 2)]
    right = np.array([*rows, (32, 32, 1)], float)
    return [
        _case((2, 2, 2, 2), width=4, classes=5, x=x, look=BLOCKS, expected=right, note="by hand"),
        _case((3, 1, 4, 2), width=2, classes=3, x=x, look=BLOCKS),
    ]


def _stem_cases(rng: Random) -> list[Case]:
    return [
        _case((1, 2, 1, 1), width=3, classes=4, x=images(rng, (1, 3, 32, 32)), look=STEM),
        _case((2, 1, 1, 1), width=4, classes=3, x=images(rng, (2, 3, 29, 38)), look=STEM),
        _case(
            (1, 1, 1, 1), width=5, classes=2, x=images(rng, (1, 3, 27, 33), "float32"), look=STEM
        ),
    ]


def _head_cases(rng: Random) -> list[Case]:
    return [
        _case((1, 1, 1, 1), width=3, classes=4, x=images(rng, (1, 3, 32, 32)), look=HEAD),
        _case((2, 1, 1, 1), width=2, classes=7, x=images(rng, (2, 3, 36, 25)), look=HEAD),
    ]


def _together_cases(rng: Random) -> list[Case]:
    return [
        _case((2, 1, 1, 3), width=2, classes=5, x=images(rng, (1, 3, 64, 64))),
        _case((1, 3, 2, 1), width=3, classes=4, x=images(rng, (2, 3, 49, 70))),
    ]


def _judge_blocks(case: Case, right: np.ndarray, got: Outcome) -> str:
    """One row a block: what it reads, what it gives, its stride."""
    mine = got.value
    if not isinstance(mine, np.ndarray) or mine.shape[1:] != (3,):
        return judge_array(case, right, got)
    if len(mine) != len(right):
        return f"expected {len(right)} blocks, got {len(mine)}"
    for number, (want, have) in enumerate(zip(right, mine, strict=True), 1):
        if (want != have).any():
            wanted, had = (f"({a:g}, {b:g}, {s:g})" for a, b, s in (want, have))
            return (
                f"block {number} of {len(right)} as (in_channels, out_channels, stride): "
                f"expected {wanted}, got {had}"
            )
    return ""


RESNET = Task(
    "d",
    "a whole ResNet",
    "resnet",
    _reference,
    drive=drive,
    seconds=20,  # ResNet-34 with all its numbers takes a second or two on a busy machine
    parts=(
        Part(NAMES["count"], 3, _count_cases, judge_count, hint=2),
        Part(NAMES["blocks"], 2, _block_cases, _judge_blocks, hint=2),
        Part(NAMES["stem"], 2, _stem_cases, judge_array, hint=1),
        Part(NAMES["head"], 2, _head_cases, judge_array, hint=1),
        Part(NAMES["together"], 1, _together_cases, judge_array),
    ),
    misconceptions=IDEAS,
)
