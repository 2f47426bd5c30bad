"""Task (d): a whole ResNet, put together from given blocks."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnlib.checks.calls import Case, Outcome
from cnnlib.checks.ch12_beyond_the_pattern.common import (
    PROJECTION,
    RESIDUAL,
    SIZES,
    TOTALS,
    TRAPS,
    judge_count,
)
from cnnlib.checks.ch12_beyond_the_pattern.driving import (
    built,
    count,
    draw,
    is_conv,
    quiet,
    remembered,
    run_array,
)
from cnnlib.checks.ch12_beyond_the_pattern.residual import BasicBlock
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost, whole
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
                    return torch.from_numpy(map_).to(x.dtype).expand(len(x), -1, -1, -1)
                height, width = (-(-side // stride) for side in x.shape[2:])
                return x.new_zeros(len(x), filters, height, width)

        self.block = Block


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
    with quiet():
        if x is None:
            with torch.device("meta"):  # sizes without numbers: twenty million of them take no time
                return count(built(written, BasicBlock, units, classes=classes, width=width), 3)
        if not look:
            network = built(written, BasicBlock, units, classes=classes, width=width)
            return run_array(network, x, _rule)
        recorder = _Recorder(known=look == HEAD)
        network = built(written, recorder.block, units, classes=classes, width=width)
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


class _Builder:
    """The reference; misconceptions change one of its methods or settings."""

    bias = False
    strides_first = 1  # of the first unit of the first stage
    max_pool = True

    def stem(self, width: int) -> list[nn.Module]:
        found: list[nn.Module] = [
            nn.Conv2d(3, width, 7, stride=2, padding=3, bias=self.bias),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
        return [*found, nn.MaxPool2d(3, stride=2, padding=1)] if self.max_pool else found

    def stride(self, stage: int, unit: int) -> int:
        if unit:
            return 1
        return 2 if stage else self.strides_first

    def depth(self, before: int, width: int, stage: int, unit: int) -> int:
        """What a block reads."""
        return before

    def stage(self, block: Any, sizes: list[tuple[int, int, int]]) -> list[nn.Module]:
        return [block(*size) for size in sizes]

    def head(self, depth: int, classes: int) -> list[nn.Module]:
        return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(depth, classes)]

    def network(self, stem: list, blocks: list, head: list) -> nn.Module:
        return nn.Sequential(*stem, *blocks, *head)

    def __call__(
        self, block: Any, units: tuple[int, ...], classes: int = 1000, width: int = 64
    ) -> nn.Module:
        blocks, depth = [], width
        for stage, number in enumerate(units):
            filters, sizes = width * 2**stage, []
            for unit in range(number):
                depth = self.depth(depth, width, stage, unit)
                sizes.append((depth, filters, self.stride(stage, unit)))
                depth = filters
            blocks += self.stage(block, sizes)
        return self.network(self.stem(width), blocks, self.head(depth, classes))


_resnet = _Builder()


def _reference(*sizes: Any, **settings: Any) -> int | np.ndarray:
    return drive(_resnet, *sizes, **settings)


# --- cases and judges -----------------------------------------------------------------------------


def _case(units: tuple[int, ...], *, expected: Any = None, note: str = "", **settings: Any) -> Case:
    return Case({"units": units}, settings, expected=expected, note=note)


def _count_cases(rng: Random) -> list[Case]:
    return [
        _case((2, 2, 2, 2), expected=11_689_512, note="ResNet-18"),
        _case((3, 4, 6, 3), expected=21_797_672, note="ResNet-34"),
        _case((2, 2, 2, 2), classes=10, expected=11_181_642, note="ResNet-18 for 10 classes"),
        _case((1, 3, 2), classes=whole(rng, 5, 20), width=8),
    ]


def _block_cases(rng: Random) -> list[Case]:
    x = images(rng, (1, 3, 32, 32))
    rows = [(4, 4, 1)] * 2 + [(4, 8, 2), (8, 8, 1), (8, 16, 2), (16, 16, 1), (16, 32, 2)]
    right = np.array([*rows, (32, 32, 1)], float)
    return [
        _case((2, 2, 2, 2), width=4, classes=5, x=x, look=BLOCKS, expected=right, note="by hand"),
        _case((3, 1, 4), width=2, classes=3, x=x, look=BLOCKS),
    ]


def _stem_cases(rng: Random) -> list[Case]:
    return [
        _case((1, 2), width=3, classes=4, x=images(rng, (1, 3, 32, 32)), look=STEM),
        _case((2, 1), width=4, classes=3, x=images(rng, (2, 3, 29, 38)), look=STEM),
        _case((1, 1), width=5, classes=2, x=images(rng, (1, 3, 27, 33), "float32"), look=STEM),
    ]


def _head_cases(rng: Random) -> list[Case]:
    return [
        _case((1, 1), width=3, classes=4, x=images(rng, (1, 3, 32, 32)), look=HEAD),
        _case((2, 1, 1), width=2, classes=7, x=images(rng, (2, 3, 36, 25)), look=HEAD),
    ]


def _together_cases(rng: Random) -> list[Case]:
    return [
        _case((2, 1, 1, 3), width=2, classes=5, x=images(rng, (1, 3, 64, 64))),
        _case((1, 3, 2), width=3, classes=4, x=images(rng, (2, 3, 49, 70))),
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


# --- misconceptions -------------------------------------------------------------------------------


class _FirstStageStrides(_Builder):
    strides_first = 2


class _EveryBlockStrides(_Builder):
    def stride(self, stage, unit):
        return 2 if stage else 1


class _NoStrides(_Builder):
    def stride(self, stage, unit):
        return 1


class _OldDepth(_Builder):
    def depth(self, before, width, stage, unit):
        return width * 2 ** (stage - 1) if stage else width


class _NoMaxPool(_Builder):
    max_pool = False


class _StemBias(_Builder):
    bias = True


class _SmallPool(_Builder):
    def stem(self, width):
        return [*super().stem(width)[:3], nn.MaxPool2d(2, stride=2)]


class _NoNorm(_Builder):
    def stem(self, width):
        one, _, *rest = super().stem(width)
        return [one, *rest]


class _Flattened(_Builder):
    def head(self, depth, classes):
        return [nn.Flatten(), nn.Linear(depth * 7 * 7, classes)]


class _Softmax(_Builder):
    def head(self, depth, classes):
        return [*super().head(depth, classes), nn.Softmax(dim=1)]


class _OneObject(_Builder):
    def stage(self, block, sizes):
        made: dict = {}
        return [made.setdefault(size, block(*size)) for size in sizes]


class _PlainList(_Builder):
    def network(self, stem, blocks, head):
        class Network(nn.Module):
            def __init__(self):
                super().__init__()
                self.stem, self.head = nn.Sequential(*stem), nn.Sequential(*head)
                self.blocks = blocks

            def forward(self, x):
                x = self.stem(x)
                for block in self.blocks:
                    x = block(x)
                return self.head(x)

        return Network()


_D = {
    "count": "published totals",
    "blocks": "the row of blocks",
    "stem": "the stem",
    "head": "the head",
    "together": "everything together",
}

RESNET = Task(
    "d",
    "a whole ResNet",
    "resnet",
    _reference,
    drive=drive,
    parts=(
        Part(_D["count"], 3, _count_cases, judge_count, hint=2),
        Part(_D["blocks"], 2, _block_cases, _judge_blocks, hint=2),
        Part(_D["stem"], 2, _stem_cases, judge_array, hint=1),
        Part(_D["head"], 2, _head_cases, judge_array, hint=1),
        Part(_D["together"], 1, _together_cases, judge_array),
    ),
    misconceptions=(
        Misconception(
            "the first stage strides too",
            _FirstStageStrides(),
            "The pooling of the stem has just halved the map, so the first stage keeps it. Stride 2 begins with "
            "the second stage.",
            SIZES,
            lost(_D, "count", "blocks", "together"),
        ),
        Misconception(
            "every block of a stage strides",
            _EveryBlockStrides(),
            "Only the first block of a stage changes size and depth. The others have stride 1 and need no "
            "projection.",
            PROJECTION,
            lost(_D, "count", "blocks", "together"),
        ),
        Misconception(
            "no block strides",
            _NoStrides(),
            "Where the depth doubles, the side is halved: stride 2 in the first block of each stage but the "
            "first. The total cannot see it, since a weight does not depend on the size of the map.",
            TRAPS,
            lost(_D, "blocks", "together"),
        ),
        Misconception(
            "all blocks of a stage read the old depth",
            _OldDepth(),
            "The first block of a stage changes the depth; the second reads what the first gives. Keep a "
            "variable for the depth, and set it anew after each block.",
            PROJECTION,
            lost(_D, "count", "blocks", "together"),
        ),
        Misconception(
            "no pooling in the stem",
            _NoMaxPool(),
            "Behind the first CONV, BN and RELU stands a max pooling of 3 × 3, stride 2, padding 1. It has no "
            "parameters, so the total does not miss it.",
            TRAPS,
            lost(_D, "stem", "together"),
        ),
        Misconception(
            "a pooling of 2 × 2 in the stem",
            _SmallPool(),
            "The pooling of the stem has windows of 3 × 3 that overlap: stride 2, padding 1. It has no "
            "parameters, so the total cannot tell.",
            TRAPS,
            lost(_D, "stem", "together"),
        ),
        Misconception(
            "the first CONV has a bias",
            _StemBias(),
            "A BN follows, which brings its own shift. The bias adds one number a filter to the total, and "
            "changes nothing.",
            RESIDUAL,
            lost(_D, "count"),
        ),
        Misconception(
            "no BN in the stem",
            _NoNorm(),
            "The first CONV has its BN as well, with a scale and a shift for each filter.",
            TOTALS,
            lost(_D, "count", "stem", "together"),
        ),
        Misconception(
            "flattened in place of averaged",
            _Flattened(),
            "The last map is averaged to one number a channel, and FC reads these. So it has 512 inputs, not "
            "512 · 7 · 7, and takes images of any size.",
            TOTALS,
            lost(_D, "count", "head", "together"),
        ),
        Misconception(
            "softmax at the end",
            _Softmax(),
            "The network ends with its scores. The loss of PyTorch brings the softmax along.",
            TOTALS,
            lost(_D, "head", "together"),
        ),
        Misconception(
            "one block object in several places",
            _OneObject(),
            "A list times a number holds the same object again and again, and an object in two places has one "
            "set of weights. Make a new block for each place.",
            TOTALS,
            lost(_D, "count"),
        ),
        Misconception(
            "blocks in a plain list",
            _PlainList(),
            "A module finds the weights of what it keeps as an attribute, in `nn.Sequential` or in "
            "`nn.ModuleList`. It does not look into a Python list, so an optimizer would never train these blocks.",
            TOTALS,
            lost(_D, "count", "together"),
        ),
    ),
)
