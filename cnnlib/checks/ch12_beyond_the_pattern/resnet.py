"""Task (d): a whole ResNet, put together from given blocks."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnlib.checks.calls import Case, Outcome
from cnnlib.checks.ch12_beyond_the_pattern.common import judge_count
from cnnlib.checks.ch12_beyond_the_pattern.driving import (
    built,
    count,
    draw,
    is_conv,
    quiet,
    remembered,
    run_array,
    settle,
)
from cnnlib.checks.ch12_beyond_the_pattern.modules import BasicBlock, resnet
from cnnlib.checks.ch12_beyond_the_pattern.resnet_ideas import IDEAS, NAMES
from cnnlib.checks.engine import Part, Task
from cnnlib.checks.inputs import Random, images, whole
from cnnlib.checks.judges import judge_array

BLOCKS, STEM, HEAD = "each block's sizes", "what the first block gets", "scores of a known last map"


def _rule(owner: nn.Module, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Weights of both signs. A bias of a CONV is 0, and costs the count alone."""
    if len(shape) > 1:
        return draw(shape, seed) * np.sign(draw(shape, seed + 1, -1.0, 1.0))
    return np.zeros(shape) if is_conv(owner) else draw(shape, seed)


class _Recorder:
    """Makes a block for the student's network that notes how it was made and what comes in.

    The block learns nothing. What it gives has the right size, or with `known` a size and values that
    depend on its depth alone, so that the head can be judged by itself.
    """

    def __init__(self, known: bool) -> None:
        self.rows: list[tuple[int, int, int]] = []
        self.images: list[np.ndarray] = []
        recorder = self

        class Block(nn.Module):
            def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
                super().__init__()
                self.sizes = (in_channels, out_channels, stride)

            def forward(self, x: Tensor) -> Tensor:
                recorder.rows.append(self.sizes)
                recorder.images.append(x.numpy().copy())
                _, filters, stride = self.sizes
                if known:
                    map_ = draw((filters, 3, 5), 1, -2.0, 3.0)
                    return torch.from_numpy(map_).to(x.dtype).repeat(len(x), 1, 1, 1)
                height, width = (-(-side // stride) for side in x.shape[2:])
                return x.new_zeros(len(x), filters, height, width)

        self.block = Block

    def forget(self) -> None:
        self.rows.clear()
        self.images.clear()


def _count(written: Any, units: tuple[int, ...], **settings: int) -> int:
    """Sizes are enough for that: twenty million numbers would take a second."""
    try:
        with torch.device("meta"):
            return count(built(written, BasicBlock, units, **settings), 3)
    except Exception:  # it may work with numbers, as where weights are looked at
        return count(built(written, BasicBlock, units, **settings), 3)


_DEFAULTS = {"classes": 1000, "width": 64}  # what the contract states is left to the function


@remembered
def drive(
    written: Any,
    units: tuple[int, ...],
    *,
    classes: int = 1000,
    width: int = 64,
    x: np.ndarray | None = None,
    look: str = "",
) -> int | np.ndarray:
    """Parameters of the network; or with `x` what is looked at: a part of it, or else the scores."""
    given = {"classes": classes, "width": width}
    settings = {name: value for name, value in given.items() if value != _DEFAULTS[name]}
    with quiet():
        if x is None:
            return _count(written, units, **settings)
        if not look:
            network = built(written, BasicBlock, units, **settings)
            return run_array(network, x, _rule)
        recorder = _Recorder(known=look == HEAD)
        network = built(written, recorder.block, units, **settings)
        settle(network, 3)
        recorder.forget()
        scores = np.zeros(0)
        try:
            scores = run_array(network, x, _rule)
        except Exception:
            if look == HEAD or not recorder.rows:
                raise  # else it came from behind what is looked at
    if not recorder.rows:
        raise ValueError("no block was run: the network must use the blocks that it is given")
    if look == STEM:
        return recorder.images[0]
    return np.array(recorder.rows, float) if look == BLOCKS else scores


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
