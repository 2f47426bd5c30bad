"""Wrong ideas about the module of ``fire.py``, each as a small implementation."""

import torch

from cnnlib.checks.ch12_beyond_the_pattern.common import FIRE, INCEPTION
from cnnlib.checks.ch12_beyond_the_pattern.modules import Fire, conv
from cnnlib.checks.engine import Misconception
from cnnlib.checks.inputs import lost


class _LinearSqueeze(Fire):
    def forward(self, x):
        thin = self.squeeze(x)
        return self.join([torch.relu(self.one(thin)), torch.relu(self.three(thin))])


class _LinearExpand(Fire):
    def forward(self, x):
        thin = torch.relu(self.squeeze(x))
        return self.join([self.one(thin), self.three(thin)])


class _Unpadded(Fire):
    def layers(self, inputs, squeeze, one, three):
        return [
            conv(inputs, squeeze, 1),
            conv(squeeze, one, 1),
            conv(squeeze, three, 3, padding=0),
        ]


class _Added(Fire):
    def join(self, outs):
        return outs[0] + outs[1]


class _NewAxis(Fire):
    def join(self, outs):
        return torch.stack(outs, dim=1)


def _along(axis: int) -> type[Fire]:
    class Along(Fire):
        def join(self, outs):
            return torch.cat(outs, dim=axis)

    return Along


class _OtherOrder(Fire):
    def join(self, outs):
        return torch.cat(outs[::-1], dim=1)


class _TwoSqueezes(Fire):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.second = conv(sizes[0], sizes[1], 1)


class _Chained(Fire):
    def layers(self, inputs, squeeze, one, three):
        return [conv(inputs, squeeze, 1), conv(squeeze, one, 1), conv(one, three, 3)]

    def forward(self, x):
        first = torch.relu(self.one(torch.relu(self.squeeze(x))))
        return self.join([first, torch.relu(self.three(first))])


class _NotSqueezed(Fire):
    def layers(self, inputs, squeeze, one, three):
        return [conv(inputs, squeeze, 1), conv(inputs, one, 1), conv(squeeze, three, 3)]

    def forward(self, x):
        wide = torch.relu(self.three(torch.relu(self.squeeze(x))))
        return self.join([torch.relu(self.one(x)), wide])


class _NoBias(Fire):
    def layers(self, inputs, squeeze, one, three):
        found = super().layers(inputs, squeeze, one, three)
        for layer in found:
            layer.bias = None  # type: ignore[assignment]
        return found


NAMES = {
    "count": "parameters",
    "shape": "stacked along the depth",
    "1": "the 1 × 1 branch",
    "3": "the 3 × 3 branch",
    "relu": "RELU behind every CONV",
}
_ALL_BUT_COUNT = lost(NAMES, "shape", "1", "3", "relu")

IDEAS = (
    Misconception(
        "no RELU behind the squeeze",
        _LinearSqueeze,
        "The squeeze is a CONV with its RELU, like the other two. Without it squeeze and expand together "
        "compute no more than one CONV could.",
        FIRE,
        lost(NAMES, "relu"),
    ),
    Misconception(
        "no RELU behind the expanding CONVs",
        _LinearExpand,
        "Both branches end with RELU. One RELU behind the stacking does the same.",
        FIRE,
        lost(NAMES, "relu"),
    ),
    Misconception(
        "the 3 × 3 has no padding",
        _Unpadded,
        "Branches that are stacked must agree in height and width. At stride 1 a 3 × 3 keeps the size with "
        "padding 1.",
        INCEPTION,
        _ALL_BUT_COUNT,
    ),
    Misconception(
        "the branches are added",
        _Added,
        "The two branches are stacked, so that the depth is the sum of the two.",
        FIRE,
        _ALL_BUT_COUNT,
    ),
    *(
        Misconception(
            "stacked along another axis",
            _along(axis),
            "The depth is axis 1 of (N, C, H, W): `dim=1`. Without `dim`, `torch.cat` takes axis 0, and the "
            "branches become more images.",
            FIRE,
            _ALL_BUT_COUNT,
        )
        for axis in (0, 2, 3)
    ),
    Misconception(
        "stacked along a new axis",
        _NewAxis,
        "`torch.stack` makes a fifth axis. What a paper calls stacking here is `torch.cat`: the axis of the "
        "depth grows.",
        FIRE,
        _ALL_BUT_COUNT,
    ),
    Misconception(
        "the 3 × 3 branch comes first",
        _OtherOrder,
        "The order is a convention, but weights that somebody else trained rely on it: first the maps of "
        "the 1 × 1, then those of the 3 × 3.",
        FIRE,
        lost(NAMES, "1", "3"),
    ),
    Misconception(
        "two squeezes",
        _TwoSqueezes,
        "In an inception block each branch has a reduction of its own. In a fire block one squeeze serves "
        "both.",
        FIRE,
        lost(NAMES, "count"),
    ),
    Misconception(
        "the expanding CONVs stand one behind the other",
        _Chained,
        "Both read the squeeze, side by side. Neither reads the other.",
        FIRE,
        lost(NAMES, "count", "3"),
    ),
    Misconception(
        "the 1 × 1 branch reads the block's input",
        _NotSqueezed,
        "Both expanding CONVs read what the squeeze gives. That is why they are cheap.",
        FIRE,
        lost(NAMES, "count", "1"),
    ),
    Misconception(
        "CONV without bias",
        _NoBias,
        "A bias may be left out where a batch norm follows. SqueezeNet has no batch norm, so each filter "
        "keeps its bias.",
        FIRE,
        lost(NAMES, "count"),
    ),
)
