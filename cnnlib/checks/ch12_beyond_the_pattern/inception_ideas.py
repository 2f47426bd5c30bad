"""Wrong ideas about the module of ``inception.py``, each as a small implementation."""

import torch
from torch import nn

from cnnlib.checks.ch12_beyond_the_pattern.common import INCEPTION, REDUCE
from cnnlib.checks.ch12_beyond_the_pattern.modules import Inception, conv
from cnnlib.checks.engine import Misconception
from cnnlib.checks.inputs import lost


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


NAMES = {
    "count": "parameters",
    "shape": "stacked along the depth",
    "1": "the 1 × 1 branch",
    "3": "the 3 × 3 branch",
    "5": "the 5 × 5 branch",
    "pool": "the pooling branch",
    "relu": "RELU behind every CONV",
}
_ALL_BUT_COUNT = lost(NAMES, *(key for key in NAMES if key != "count"))
_AXIS = (
    "The depth is axis 1 of (N, C, H, W), and branches are put one behind the other along the depth: "
    "`dim=1`. Without `dim`, `torch.cat` takes axis 0, and the branches become more images."
)

IDEAS = (
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
        Misconception("stacked along another axis", _along(axis), _AXIS, INCEPTION, _ALL_BUT_COUNT)
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
        lost(NAMES, "count", "pool"),
    ),
    Misconception(
        "the CONV stands in front of the pooling",
        _PoolLast,
        "In this branch the pooling comes first and reads the block's input. The 1 × 1 comes behind it.",
        REDUCE,
        lost(NAMES, "pool"),
    ),
    Misconception(
        "average in place of maximum",
        _Average,
        "The pooling branch of an inception block takes the maximum.",
        INCEPTION,
        lost(NAMES, "pool"),
    ),
    Misconception(
        "no RELU behind the reductions",
        _OneReluAtTheEnd,
        "Every CONV has its RELU, the 1 × 1 reductions too. Without it, the two CONVs one behind the other "
        "compute no more than one could.",
        REDUCE,
        lost(NAMES, "relu"),
    ),
    Misconception(
        "no RELU at the end of the branches",
        _NoReluAtTheEnd,
        "The last CONV of each branch has its RELU as well. One RELU behind the stacking does the same.",
        INCEPTION,
        lost(NAMES, "relu", "pool"),
    ),
    Misconception(
        "the 5 × 5 branch has filters of 3 × 3",
        _ThreeForFive,
        "torchvision's GoogLeNet has that, and its source calls it a bug. The block of the paper, which you "
        "build here, has 5 × 5 with padding 2.",
        REDUCE,
        lost(NAMES, "count", "5"),
    ),
    Misconception(
        "no reductions",
        _Naive,
        "That is the plain idea. Here a 1 × 1 CONV brings the depth down to `f3_in` or `f5_in`, and the "
        "costly filters read only that.",
        REDUCE,
        lost(NAMES, "count", "3", "5"),
    ),
    Misconception(
        "CONV without bias",
        _NoBias,
        "A bias may be left out where a batch norm follows, which brings its own shift. This block has no "
        "batch norm, so each filter keeps its bias.",
        REDUCE,
        lost(NAMES, "count"),
    ),
    Misconception(
        "batch norm in the block",
        _WithNorm,
        "Later versions of GoogLeNet have batch norm, and torchvision's too. The block asked for here is "
        "that of the paper: CONV with bias, then RELU.",
        INCEPTION,
        lost(NAMES, "count"),
    ),
)
