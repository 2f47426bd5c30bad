"""Task (a): the inception block."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnlib.checks.calls import Case
from cnnlib.checks.ch12_beyond_the_pattern.common import INCEPTION, REDUCE, judge_count
from cnnlib.checks.ch12_beyond_the_pattern.driving import (
    built,
    count,
    quiet,
    remembered,
    run_array,
    with_biases,
)
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost, whole
from cnnlib.checks.judges import judge_array, judge_shape

POSITIVE, NEGATIVE = "all positive, biases 0", "all negative, biases too"
WEIGHTS = {POSITIVE: with_biases(1), NEGATIVE: with_biases(-1)}
BRANCHES = ("1 × 1", "3 × 3", "5 × 5", "pooling")


def conv(
    inputs: int, filters: int, kernel: int, *, padding: int | None = None, bias: bool = True
) -> nn.Conv2d:
    """A CONV that keeps the size unless told otherwise."""
    padding = kernel // 2 if padding is None else padding
    return nn.Conv2d(inputs, filters, kernel, padding=padding, bias=bias)


@remembered
def drive(
    written: Any,
    in_channels: int,
    f1: int,
    f3_in: int,
    f3: int,
    f5_in: int,
    f5: int,
    pool: int,
    *,
    x: np.ndarray | None = None,
    weights: str = POSITIVE,
    branch: str = "",
) -> int | np.ndarray:
    """Parameters of the block; or with `x` its output, or the part of it that one branch gave."""
    with quiet():
        block = built(written, in_channels, f1, f3_in, f3, f5_in, f5, pool)
        if x is None:
            return count(block, in_channels)
        out = run_array(block, x, WEIGHTS[weights])
    if not branch:
        return out
    ends = np.cumsum([0, f1, f3, f5, pool])
    at = BRANCHES.index(branch)
    return out[:, ends[at] : ends[at + 1] if at < 3 else None]


class Inception(nn.Module):
    """The reference; misconceptions change one of its methods."""

    def __init__(
        self, in_channels: int, f1: int, f3_in: int, f3: int, f5_in: int, f5: int, pool: int
    ) -> None:
        super().__init__()
        self.arms = nn.ModuleList(
            self.arm(*arm)
            for arm in (
                [conv(in_channels, f1, 1)],
                self.costly(in_channels, f3_in, f3, 3),
                self.costly(in_channels, f5_in, f5, 5),
                self.pooled(in_channels, pool),
            )
        )

    def costly(self, inputs: int, reduced: int, filters: int, kernel: int) -> list[nn.Module]:
        return [conv(inputs, reduced, 1), conv(reduced, filters, kernel)]

    def pooled(self, inputs: int, filters: int) -> list[nn.Module]:
        return [nn.MaxPool2d(3, stride=1, padding=1), conv(inputs, filters, 1)]

    def arm(self, *layers: nn.Module) -> nn.Sequential:
        """RELU behind each CONV."""
        chain: list[nn.Module] = []
        for layer in layers:
            chain += [layer, nn.ReLU()] if isinstance(layer, nn.Conv2d) else [layer]
        return nn.Sequential(*chain)

    def join(self, outs: list[Tensor]) -> Tensor:
        return torch.cat(outs, dim=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.join([arm(x) for arm in self.arms])


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
    return [
        _case(
            4,
            2,
            3,
            5,
            6,
            7,
            3,
            x=np.abs(images(rng, (1, 4, 5, 6))),
            weights=NEGATIVE,
            branch=branch,
        )
        for branch in BRANCHES[:3]
    ]


# --- misconceptions -------------------------------------------------------------------------------


class _Unpadded(Inception):
    def costly(self, inputs, reduced, filters, kernel):
        padding = 0 if kernel == 5 else 1
        return [conv(inputs, reduced, 1), conv(reduced, filters, kernel, padding=padding)]


class _PoolStride(Inception):
    def pooled(self, inputs, filters):
        return [nn.MaxPool2d(3, padding=1), conv(inputs, filters, 1)]


def _along(axis: int) -> type[Inception]:
    class Along(Inception):
        def join(self, outs):
            return torch.cat(outs, dim=axis)

    return Along


class _NewAxis(Inception):
    def join(self, outs):
        return torch.stack(outs, dim=1)


class _Added(Inception):
    def join(self, outs):
        return sum(outs[1:], start=outs[0])


class _BarePool(Inception):
    def pooled(self, inputs, filters):
        return [nn.MaxPool2d(3, stride=1, padding=1)]


class _PoolLast(Inception):
    def pooled(self, inputs, filters):
        return [conv(inputs, filters, 1), nn.MaxPool2d(3, stride=1, padding=1)]


class _Average(Inception):
    def pooled(self, inputs, filters):
        return [nn.AvgPool2d(3, stride=1, padding=1), conv(inputs, filters, 1)]


class _OneReluAtTheEnd(Inception):
    def arm(self, *layers):
        return nn.Sequential(*layers, nn.ReLU())


class _NoReluAtTheEnd(Inception):
    def arm(self, *layers):
        return super().arm(*layers)[:-1]


class _ThreeForFive(Inception):
    def costly(self, inputs, reduced, filters, kernel):
        return [conv(inputs, reduced, 1), conv(reduced, filters, 3)]


class _Naive(Inception):
    def costly(self, inputs, reduced, filters, kernel):
        return [conv(inputs, filters, kernel)]


class _NoBias(Inception):
    def arm(self, *layers):
        for layer in layers:
            if isinstance(layer, nn.Conv2d):
                layer.bias = None
        return super().arm(*layers)


class _WithNorm(Inception):
    def arm(self, *layers):
        chain: list[nn.Module] = []
        for layer in layers:
            chain.append(layer)
            if isinstance(layer, nn.Conv2d):
                layer.bias = None
                chain += [nn.BatchNorm2d(layer.out_channels), nn.ReLU()]
        return nn.Sequential(*chain)


_A = {
    "count": "parameters",
    "shape": "stacked along the depth",
    "1": "the 1 × 1 branch",
    "3": "the 3 × 3 branch",
    "5": "the 5 × 5 branch",
    "pool": "the pooling branch",
    "relu": "RELU behind every CONV",
}
_ALL_BUT_COUNT = lost(_A, *(key for key in _A if key != "count"))
_AXIS = (
    "The depth is axis 1 of (N, C, H, W), and branches are put one behind the other along the depth: "
    "`dim=1`. Without `dim`, `torch.cat` takes axis 0, and the branches become more images."
)

INCEPTION_BLOCK = Task(
    "a",
    "the inception block",
    "Inception",
    _reference,
    drive=drive,
    parts=(
        Part(_A["count"], 2, _count_cases, judge_count, hint=2),
        Part(_A["shape"], 2, _shape_cases, judge_shape, hint=3),
        Part(_A["1"], 1, _branch_cases("1 × 1"), judge_array),
        Part(_A["3"], 1, _branch_cases("3 × 3"), judge_array),
        Part(_A["5"], 1, _branch_cases("5 × 5"), judge_array),
        Part(_A["pool"], 1, _branch_cases("pooling"), judge_array),
        Part(_A["relu"], 2, _relu_cases, judge_array),
    ),
    misconceptions=(
        Misconception(
            "a branch without its padding",
            _Unpadded,
            "All branches must keep height and width, or they cannot be stacked. At stride 1 a window of F "
            "needs padding (F − 1)/2: 1 for a 3 × 3 and for the pooling, 2 for a 5 × 5.",
            INCEPTION,
            _ALL_BUT_COUNT,
        ),
        Misconception(
            "the pooling takes its window as its stride",
            _PoolStride,
            "A pooling of PyTorch jumps by its window unless it is given a stride: this one jumps by 3. "
            "Say `stride=1`, so that the branch keeps the size.",
            INCEPTION,
            _ALL_BUT_COUNT,
        ),
        *(
            Misconception(
                "stacked along another axis", _along(axis), _AXIS, INCEPTION, _ALL_BUT_COUNT
            )
            for axis in (0, 2, 3)
        ),
        Misconception(
            "stacked along a new axis",
            _NewAxis,
            "`torch.stack` makes a fifth axis and wants branches of equal depth. What a paper calls stacking "
            "here is `torch.cat`: the axis of the depth grows.",
            INCEPTION,
            _ALL_BUT_COUNT,
        ),
        Misconception(
            "the branches are added",
            _Added,
            "An inception block stacks its branches, so that its depth is the sum of theirs. Adding is what a "
            "residual block does, and it would need branches of equal depth.",
            INCEPTION,
            _ALL_BUT_COUNT,
        ),
        Misconception(
            "nothing behind the pooling",
            _BarePool,
            "A pooling keeps the depth of its input, so the block would grow deeper and deeper. A CONV of "
            "1 × 1 behind it, with RELU, brings the depth to `pool`.",
            REDUCE,
            lost(_A, "count", "pool"),
        ),
        Misconception(
            "the CONV stands in front of the pooling",
            _PoolLast,
            "In this branch the pooling comes first and reads the block's input. The 1 × 1 comes behind it.",
            REDUCE,
            lost(_A, "pool"),
        ),
        Misconception(
            "average in place of maximum",
            _Average,
            "The pooling branch of an inception block takes the maximum.",
            INCEPTION,
            lost(_A, "pool"),
        ),
        Misconception(
            "no RELU behind the reductions",
            _OneReluAtTheEnd,
            "Every CONV has its RELU, the 1 × 1 reductions too. Without it, the two CONVs one behind the other "
            "compute no more than one could.",
            REDUCE,
            lost(_A, "relu"),
        ),
        Misconception(
            "no RELU at the end of the branches",
            _NoReluAtTheEnd,
            "The last CONV of each branch has its RELU as well. One RELU behind the stacking does the same.",
            INCEPTION,
            lost(_A, "relu", "pool"),
        ),
        Misconception(
            "the 5 × 5 branch has filters of 3 × 3",
            _ThreeForFive,
            "torchvision's GoogLeNet has that, and its source calls it a bug. The block of the paper, which you "
            "build here, has 5 × 5 with padding 2.",
            REDUCE,
            lost(_A, "count", "5"),
        ),
        Misconception(
            "no reductions",
            _Naive,
            "That is the plain idea. Here a 1 × 1 CONV brings the depth down to `f3_in` or `f5_in`, and the "
            "costly filters read only that.",
            REDUCE,
            lost(_A, "count", "3", "5"),
        ),
        Misconception(
            "CONV without bias",
            _NoBias,
            "A bias may be left out where a batch norm follows, which brings its own shift. This block has no "
            "batch norm, so each filter keeps its bias.",
            REDUCE,
            lost(_A, "count"),
        ),
        Misconception(
            "batch norm in the block",
            _WithNorm,
            "Later versions of GoogLeNet have batch norm, and torchvision's too. The block asked for here is "
            "that of the paper: CONV with bias, then RELU.",
            INCEPTION,
            lost(_A, "count"),
        ),
    ),
)
