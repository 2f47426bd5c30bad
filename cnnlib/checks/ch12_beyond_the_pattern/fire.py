"""Task (c): the fire block."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnlib.checks.calls import Case
from cnnlib.checks.ch12_beyond_the_pattern.common import FIRE, INCEPTION, judge_count
from cnnlib.checks.ch12_beyond_the_pattern.driving import built, count, quiet, remembered, run_array
from cnnlib.checks.ch12_beyond_the_pattern.inception import NEGATIVE, POSITIVE, WEIGHTS, conv
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost, whole
from cnnlib.checks.judges import judge_array, judge_shape


@remembered
def drive(
    written: Any,
    in_channels: int,
    squeeze: int,
    expand1: int,
    expand3: int,
    *,
    x: np.ndarray | None = None,
    weights: str = POSITIVE,
    branch: str = "",
) -> int | np.ndarray:
    """Parameters of the block; or with `x` its output, or the part of it that one branch gave."""
    with quiet():
        block = built(written, in_channels, squeeze, expand1, expand3)
        if x is None:
            return count(block, in_channels)
        out = run_array(block, x, WEIGHTS[weights])
    return {"": out, "1 × 1": out[:, :expand1], "3 × 3": out[:, expand1:]}[branch]


class Fire(nn.Module):
    """The reference; misconceptions change one of its methods."""

    def __init__(self, in_channels: int, squeeze: int, expand1: int, expand3: int) -> None:
        super().__init__()
        self.squeeze, self.one, self.three = self.layers(in_channels, squeeze, expand1, expand3)

    def layers(self, inputs: int, squeeze: int, one: int, three: int) -> list[nn.Module]:
        return [conv(inputs, squeeze, 1), conv(squeeze, one, 1), conv(squeeze, three, 3)]

    def join(self, outs: list[Tensor]) -> Tensor:
        return torch.cat(outs, dim=1)

    def forward(self, x: Tensor) -> Tensor:
        thin = torch.relu(self.squeeze(x))
        return self.join([torch.relu(self.one(thin)), torch.relu(self.three(thin))])


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


# --- misconceptions -------------------------------------------------------------------------------


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


_C = {
    "count": "parameters",
    "shape": "stacked along the depth",
    "1": "the 1 × 1 branch",
    "3": "the 3 × 3 branch",
    "relu": "RELU behind every CONV",
}
_ALL_BUT_COUNT = lost(_C, "shape", "1", "3", "relu")

FIRE_BLOCK = Task(
    "c",
    "the fire block",
    "Fire",
    _reference,
    drive=drive,
    parts=(
        Part(_C["count"], 2, _count_cases, judge_count, hint=2),
        Part(_C["shape"], 1, _shape_cases, judge_shape, hint=3),
        Part(_C["1"], 1, _branch_cases("1 × 1"), judge_array),
        Part(_C["3"], 1, _branch_cases("3 × 3"), judge_array),
        Part(_C["relu"], 2, _relu_cases, judge_array),
    ),
    misconceptions=(
        Misconception(
            "no RELU behind the squeeze",
            _LinearSqueeze,
            "The squeeze is a CONV with its RELU, like the other two. Without it squeeze and expand together "
            "compute no more than one CONV could.",
            FIRE,
            lost(_C, "relu"),
        ),
        Misconception(
            "no RELU behind the expanding CONVs",
            _LinearExpand,
            "Both branches end with RELU. One RELU behind the stacking does the same.",
            FIRE,
            lost(_C, "relu"),
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
            lost(_C, "1", "3"),
        ),
        Misconception(
            "two squeezes",
            _TwoSqueezes,
            "In an inception block each branch has a reduction of its own. In a fire block one squeeze serves "
            "both.",
            FIRE,
            lost(_C, "count"),
        ),
        Misconception(
            "the expanding CONVs stand one behind the other",
            _Chained,
            "Both read the squeeze, side by side. Neither reads the other.",
            FIRE,
            lost(_C, "count", "3"),
        ),
        Misconception(
            "the 1 × 1 branch reads the block's input",
            _NotSqueezed,
            "Both expanding CONVs read what the squeeze gives. That is why they are cheap.",
            FIRE,
            lost(_C, "count", "1"),
        ),
        Misconception(
            "CONV without bias",
            _NoBias,
            "A bias may be left out where a batch norm follows. SqueezeNet has no batch norm, so each filter "
            "keeps its bias.",
            FIRE,
            lost(_C, "count"),
        ),
    ),
)
