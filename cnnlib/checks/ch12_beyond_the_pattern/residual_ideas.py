"""Wrong ideas about the module of ``residual.py``, each as a small implementation."""

import torch

from cnnlib.checks.ch12_beyond_the_pattern.block import BasicBlock, conv3, project
from cnnlib.checks.ch12_beyond_the_pattern.common import PROJECTION, RESIDUAL
from cnnlib.checks.engine import Misconception
from cnnlib.checks.inputs import lost


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


NAMES = {
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

IDEAS = (
    Misconception(
        "the input is not added",
        _NoSkip,
        "What makes the block residual is the addition: y = F(x) + x. With weights of 0 it must hand on its "
        "input, and yours gives 0.",
        RESIDUAL,
        lost(NAMES, "identity", "projection", "branch", "stride", "relu"),
    ),
    Misconception(
        "the input is stacked",
        _Stacked,
        "A residual block adds, number to number, so its depth is that of the branch. `torch.cat` doubles "
        "the depth.",
        RESIDUAL,
        lost(NAMES, "shape", "identity", "projection", "branch", "stride", "relu"),
    ),
    Misconception(
        "RELU only before the addition",
        _ReluFirst,
        "The branch ends in its second BN, and may be negative. Add first, then RELU.",
        RESIDUAL,
        lost(NAMES, "relu"),
    ),
    Misconception(
        "RELU before the addition as well",
        _ReluOfTheBranch,
        "With a RELU at its end the branch could never subtract anything from x. The only RELU there stands "
        "behind the addition.",
        RESIDUAL,
        lost(NAMES, "relu"),
    ),
    Misconception(
        "no RELU behind the addition",
        _NoReluAtTheEnd,
        "The block ends with a RELU of the sum. With all weights 0 and x = −1 it gives 0.",
        RESIDUAL,
        lost(NAMES, "relu"),
    ),
    Misconception(
        "no RELU between the two layers",
        _NoReluInside,
        "Between the first BN and the second CONV stands a RELU. Without it the branch is a single linear "
        "map in two pieces.",
        RESIDUAL,
        lost(NAMES, "relu"),
    ),
    Misconception(
        "RELU in front of BN",
        _NormBehindRelu,
        "In this block the order is CONV, BN, RELU: the normalization sees negative values too.",
        RESIDUAL,
        lost(NAMES, "relu"),
    ),
    Misconception(
        "the projection is a 3 × 3",
        _Projection3x3,
        "The projection only has to change the depth and to take every second position. A 1 × 1 CONV does "
        "both at a ninth of the weights.",
        PROJECTION,
        lost(NAMES, "count", "projection", "stride"),
    ),
    Misconception(
        "the projection has no BN",
        _ProjectionWithoutNorm,
        "Behind each CONV of this block stands a BN, behind the 1 × 1 of the shortcut as well.",
        PROJECTION,
        lost(NAMES, "count", "projection", "stride"),
    ),
    Misconception(
        "the projection has no stride",
        _ProjectionWithoutStride,
        "The branch shrinks the map by its stride. The projection must do the same, or the two cannot be added.",
        PROJECTION,
        lost(NAMES, "shape", "projection", "stride"),
    ),
    Misconception(
        "a projection only where the depth changes",
        _OnlyForDepth,
        _NOT_ONLY,
        PROJECTION,
        lost(NAMES, "count", "projection"),
    ),
    Misconception(
        "a projection only where the stride is not 1",
        _OnlyForStride,
        _NOT_ONLY,
        PROJECTION,
        lost(NAMES, "count", "projection"),
    ),
    Misconception(
        "a projection everywhere",
        _AlwaysProjected,
        "Where depth and size stay, the shortcut is the input itself and has no weights. That is what makes "
        "doing nothing easy.",
        PROJECTION,
        lost(NAMES, "count", "identity", "branch", "relu"),
    ),
    Misconception(
        "the stride is in the second CONV",
        _StrideInSecond,
        "The first 3 × 3 has the stride, so that the second one already works on the smaller map.",
        PROJECTION,
        lost(NAMES, "stride"),
    ),
    Misconception(
        "both CONVs have the stride",
        _StrideInBoth,
        "The block shrinks the map once. If both 3 × 3 have the stride, the branch is four times smaller a "
        "side where the shortcut is twice smaller.",
        PROJECTION,
        lost(NAMES, "projection", "shape", "stride"),
    ),
    Misconception(
        "CONV with a bias in front of BN",
        _WithBias,
        "BN subtracts the mean, and the bias with it, then adds its own shift. So these CONVs have "
        "`bias=False`.",
        RESIDUAL,
        lost(NAMES, "count"),
    ),
    Misconception(
        "a BN is missing, or serves two layers",
        _OneNorm,
        "Each CONV has a BN of its own, which learns the scale and the shift of that layer and keeps its "
        "running statistics. RELU learns nothing and may be used twice; a BN may not.",
        RESIDUAL,
        lost(NAMES, "count"),
    ),
    Misconception(
        "no BN in the branch",
        _NoNorm,
        "Behind each of the two 3 × 3 stands a BN of its own.",
        RESIDUAL,
        lost(NAMES, "count", "projection", "branch", "stride", "relu"),
    ),
)
