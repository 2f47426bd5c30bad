"""Task (b): the residual block with two 3 × 3 layers."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnlib.checks.calls import Case
from cnnlib.checks.ch12_beyond_the_pattern.common import PROJECTION, RESIDUAL, judge_count
from cnnlib.checks.ch12_beyond_the_pattern.driving import (
    Fill,
    built,
    count,
    draw,
    is_conv,
    quiet,
    remembered,
    run_array,
)
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost, whole
from cnnlib.checks.judges import judge_array, judge_shape

ZERO, POSITIVE, NEGATIVE = "all 0", "all positive", "3 × 3 negative"
NO_BRANCH, NO_SHORTCUT = "3 × 3 all 0", "1 × 1 all 0"
_SIGN = {  # of kernels of 3 × 3 and of 1 × 1
    ZERO: (0, 0),
    POSITIVE: (1, 1),
    NEGATIVE: (-1, 1),
    NO_BRANCH: (0, 1),
    NO_SHORTCUT: (1, 0),
}


def _rule(weights: str) -> Fill:
    """Biases of CONVs are 0 and cost the count alone; a batch norm has the same in γ, β, mean and variance.

    With negative 3 × 3 these are so large that what the branch gives is about −4 in every place, else so
    small that it is positive.
    """

    def rule(owner: nn.Module, shape: tuple[int, ...], seed: int) -> np.ndarray:
        if len(shape) > 1:
            return _SIGN[weights][max(shape[2:], default=1) == 1] * draw(shape, seed)
        if is_conv(owner) or weights == ZERO:
            return np.zeros(shape)
        return draw(shape, seed, *((3, 5) if weights == NEGATIVE else (0.3, 0.8)))

    return rule


@remembered
def drive(
    written: Any,
    in_channels: int,
    out_channels: int,
    stride: int,
    *,
    x: np.ndarray | None = None,
    weights: str = POSITIVE,
) -> int | np.ndarray:
    """Parameters of the block, or its output where there is an image."""
    with quiet():
        block = built(written, in_channels, out_channels, stride=stride)
        if x is None:
            return count(block, in_channels)
        return run_array(block, x, _rule(weights))


def conv3(inputs: int, filters: int, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(inputs, filters, 3, stride=stride, padding=1, bias=bias)


def project(inputs: int, filters: int, stride: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, filters, 1, stride=stride, bias=False), nn.BatchNorm2d(filters)]


class BasicBlock(nn.Module):
    """The reference; misconceptions change one of its methods."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.branch = nn.Sequential(*self.two_layers(in_channels, out_channels, stride))
        self.shortcut = nn.Sequential(*self.way_around(in_channels, out_channels, stride))

    def two_layers(self, inputs: int, filters: int, stride: int) -> list[nn.Module]:
        return [
            conv3(inputs, filters, stride),
            nn.BatchNorm2d(filters),
            nn.ReLU(),
            conv3(filters, filters),
            nn.BatchNorm2d(filters),
        ]

    def way_around(self, inputs: int, filters: int, stride: int) -> list[nn.Module]:
        return [] if inputs == filters and stride == 1 else project(inputs, filters, stride)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.branch(x) + self.shortcut(x))


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
    ]


# --- misconceptions -------------------------------------------------------------------------------


class _NoSkip(BasicBlock):
    def forward(self, x):
        self.shortcut(x)
        return torch.relu(self.branch(x))


class _ReluFirst(BasicBlock):
    def forward(self, x):
        return torch.relu(self.branch(x)) + self.shortcut(x)


class _NoReluAtTheEnd(BasicBlock):
    def forward(self, x):
        return self.branch(x) + self.shortcut(x)


class _ReluOfTheBranch(BasicBlock):
    def forward(self, x):
        return torch.relu(torch.relu(self.branch(x)) + self.shortcut(x))


class _NoReluInside(BasicBlock):
    def two_layers(self, inputs, filters, stride):
        one, norm, _, two, last = super().two_layers(inputs, filters, stride)
        return [one, norm, two, last]


class _NormBehindRelu(BasicBlock):
    def two_layers(self, inputs, filters, stride):
        one, norm, relu, two, last = super().two_layers(inputs, filters, stride)
        return [one, relu, norm, two, last]


class _Stacked(BasicBlock):
    def forward(self, x):
        return torch.relu(torch.cat([self.branch(x), self.shortcut(x)], dim=1))


class _Projection3x3(BasicBlock):
    def way_around(self, inputs, filters, stride):
        around = super().way_around(inputs, filters, stride)
        return [conv3(inputs, filters, stride), *around[1:]] if around else []


class _ProjectionWithoutNorm(BasicBlock):
    def way_around(self, inputs, filters, stride):
        return super().way_around(inputs, filters, stride)[:1]


class _ProjectionWithoutStride(BasicBlock):
    def way_around(self, inputs, filters, stride):
        around = super().way_around(inputs, filters, stride)
        return project(inputs, filters, 1) if around else []


class _OnlyForDepth(BasicBlock):
    def way_around(self, inputs, filters, stride):
        return [] if inputs == filters else project(inputs, filters, stride)


class _OnlyForStride(BasicBlock):
    def way_around(self, inputs, filters, stride):
        return [] if stride == 1 else project(inputs, filters, stride)


class _AlwaysProjected(BasicBlock):
    def way_around(self, inputs, filters, stride):
        return project(inputs, filters, stride)


class _StrideInSecond(BasicBlock):
    def two_layers(self, inputs, filters, stride):
        _, norm, relu, _, last = super().two_layers(inputs, filters, stride)
        return [conv3(inputs, filters), norm, relu, conv3(filters, filters, stride), last]


class _StrideInBoth(BasicBlock):
    def two_layers(self, inputs, filters, stride):
        one, norm, relu, _, last = super().two_layers(inputs, filters, stride)
        return [one, norm, relu, conv3(filters, filters, stride), last]


class _WithBias(BasicBlock):
    def two_layers(self, inputs, filters, stride):
        _, norm, relu, _, last = super().two_layers(inputs, filters, stride)
        one, two = conv3(inputs, filters, stride, True), conv3(filters, filters, bias=True)
        return [one, norm, relu, two, last]


class _OneNorm(BasicBlock):
    def two_layers(self, inputs, filters, stride):
        one, norm, relu, two, _ = super().two_layers(inputs, filters, stride)
        return [one, norm, relu, two, norm]


class _NoNorm(BasicBlock):
    def two_layers(self, inputs, filters, stride):
        one, _, relu, two, _ = super().two_layers(inputs, filters, stride)
        return [one, relu, two]


_B = {
    "count": "parameters",
    "shape": "shape of the output",
    "identity": "the identity shortcut",
    "projection": "the projection shortcut",
    "branch": "CONV and BN of the branch",
    "stride": "the stride of the branch",
    "relu": "RELU in its two places",
}
_NOT_ONLY = (
    "A shortcut that changes nothing fits if depth *and* size stay: `in_channels == out_channels` and "
    "`stride == 1`. If either changes, the shortcut needs its projection."
)

RESIDUAL_BLOCK = Task(
    "b",
    "the residual block",
    "BasicBlock",
    _reference,
    drive=drive,
    parts=(
        Part(_B["count"], 2, _count_cases, judge_count, hint=2),
        Part(_B["shape"], 1, _shape_cases, judge_shape),
        Part(_B["identity"], 2, _identity_cases, judge_array),
        Part(_B["projection"], 2, _projection_cases, judge_array, hint=3),
        Part(_B["branch"], 2, _branch_cases, judge_array, hint=2),
        Part(_B["stride"], 1, _stride_cases, judge_array),
        Part(_B["relu"], 2, _relu_cases, judge_array),
    ),
    misconceptions=(
        Misconception(
            "the input is not added",
            _NoSkip,
            "What makes the block residual is the addition: y = F(x) + x. With weights of 0 it must hand on its "
            "input, and yours gives 0.",
            RESIDUAL,
            lost(_B, "identity", "projection", "branch", "stride", "relu"),
        ),
        Misconception(
            "the input is stacked",
            _Stacked,
            "A residual block adds, number to number, so its depth is that of the branch. `torch.cat` doubles "
            "the depth.",
            RESIDUAL,
            lost(_B, "shape", "identity", "projection", "branch", "stride", "relu"),
        ),
        Misconception(
            "RELU only before the addition",
            _ReluFirst,
            "The branch ends in its second BN, and may be negative. Add first, then RELU.",
            RESIDUAL,
            lost(_B, "relu"),
        ),
        Misconception(
            "RELU before the addition as well",
            _ReluOfTheBranch,
            "With a RELU at its end the branch could never subtract anything from x. The only RELU there stands "
            "behind the addition.",
            RESIDUAL,
            lost(_B, "relu"),
        ),
        Misconception(
            "no RELU behind the addition",
            _NoReluAtTheEnd,
            "The block ends with a RELU of the sum. With all weights 0 and x = −1 it gives 0.",
            RESIDUAL,
            lost(_B, "relu"),
        ),
        Misconception(
            "no RELU between the two layers",
            _NoReluInside,
            "Between the first BN and the second CONV stands a RELU. Without it the branch is a single linear "
            "map in two pieces.",
            RESIDUAL,
            lost(_B, "relu"),
        ),
        Misconception(
            "RELU in front of BN",
            _NormBehindRelu,
            "In this block the order is CONV, BN, RELU: the normalization sees negative values too.",
            RESIDUAL,
            lost(_B, "relu"),
        ),
        Misconception(
            "the projection is a 3 × 3",
            _Projection3x3,
            "The projection only has to change the depth and to take every second position. A 1 × 1 CONV does "
            "both at a ninth of the weights.",
            PROJECTION,
            lost(_B, "count", "projection", "stride"),
        ),
        Misconception(
            "the projection has no BN",
            _ProjectionWithoutNorm,
            "Behind each CONV of this block stands a BN, behind the 1 × 1 of the shortcut as well.",
            PROJECTION,
            lost(_B, "count", "projection", "stride"),
        ),
        Misconception(
            "the projection has no stride",
            _ProjectionWithoutStride,
            "The branch shrinks the map by its stride. The projection must do the same, or the two cannot be added.",
            PROJECTION,
            lost(_B, "shape", "projection", "stride"),
        ),
        Misconception(
            "a projection only where the depth changes",
            _OnlyForDepth,
            _NOT_ONLY,
            PROJECTION,
            lost(_B, "count", "projection"),
        ),
        Misconception(
            "a projection only where the stride is not 1",
            _OnlyForStride,
            _NOT_ONLY,
            PROJECTION,
            lost(_B, "count", "projection"),
        ),
        Misconception(
            "a projection everywhere",
            _AlwaysProjected,
            "Where depth and size stay, the shortcut is the input itself and has no weights. That is what makes "
            "doing nothing easy.",
            PROJECTION,
            lost(_B, "count", "identity", "branch", "relu"),
        ),
        Misconception(
            "the stride is in the second CONV",
            _StrideInSecond,
            "The first 3 × 3 has the stride, so that the second one already works on the smaller map.",
            PROJECTION,
            lost(_B, "stride"),
        ),
        Misconception(
            "both CONVs have the stride",
            _StrideInBoth,
            "The block shrinks the map once. If both 3 × 3 have the stride, the branch is four times smaller a "
            "side where the shortcut is twice smaller.",
            PROJECTION,
            lost(_B, "projection", "shape", "stride"),
        ),
        Misconception(
            "CONV with a bias in front of BN",
            _WithBias,
            "BN subtracts the mean, and the bias with it, then adds its own shift. So these CONVs have "
            "`bias=False`.",
            RESIDUAL,
            lost(_B, "count"),
        ),
        Misconception(
            "one BN for both layers",
            _OneNorm,
            "Each BN learns the scale and the shift of its own layer, and keeps its own running statistics. "
            "RELU learns nothing and may be used twice; a BN may not.",
            RESIDUAL,
            lost(_B, "count"),
        ),
        Misconception(
            "no BN in the branch",
            _NoNorm,
            "Behind each of the two 3 × 3 stands a BN of its own.",
            RESIDUAL,
            lost(_B, "count", "projection", "branch", "stride", "relu"),
        ),
    ),
)
