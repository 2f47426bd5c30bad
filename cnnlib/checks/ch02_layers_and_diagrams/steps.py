"""Task (a): what one layer does to the shape, and how many numbers it learns."""

from math import prod
from typing import Any

import numpy as np

from cnnlib.checks.calls import Case, Outcome, describe
from cnnlib.checks.ch02_layers_and_diagrams.common import GLANCE, LEARN, LINE
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, lost, whole
from cnnlib.checks.judges import judge_number
from cnnlib.shapes import conv_params, linear_params


def step(layer, shape, number=None, kernel=3):
    """The shape behind a layer, and how many numbers it learns."""
    if layer == "CONV":
        return (number, *shape[1:]), conv_params(shape[0], number, kernel)
    if layer == "FC":
        return (number,), linear_params(prod(shape), number)
    if layer == "POOL":
        return (shape[0], *(side // 2 for side in shape[1:])), 0
    return shape, 2 * shape[0] if layer == "BN" else 0


# --- inputs and judges --------------------------------------------------------------------------


def _case(layer, shape, right=None, note="", **settings):
    return Case({"layer": layer, "shape": shape}, settings, expected=right, note=note)


def _volume(rng: Random) -> tuple[int, int, int]:
    """Not square, with even sides, and with another number of channels."""
    height = 2 * whole(rng, 3, 8)
    return 2 * whole(rng, 1, 3) + 1, height, height + 2 * whole(rng, 1, 4)


def _conv_cases(rng: Random) -> list[Case]:
    worked = _case("CONV", (3, 32, 32), ((16, 32, 32), 448), "the network of chapter 2", number=16)
    drawn = [_case("CONV", _volume(rng), number=whole(rng, 2, 20)) for _ in range(2)]
    five = _case("CONV", _volume(rng), number=whole(rng, 2, 20), kernel=5)
    return [worked, *drawn, five]


def _pool_cases(rng: Random) -> list[Case]:
    worked = _case("POOL", (16, 32, 32), ((16, 16, 16), 0), "the network of chapter 2")
    return [worked] + [_case("POOL", _volume(rng)) for _ in range(3)]


def _fc_cases(rng: Random) -> list[Case]:
    worked = _case("FC", (16, 16, 16), ((10,), 40970), "the network of chapter 2", number=10)
    drawn = [_case("FC", _volume(rng), number=whole(rng, 2, 20)) for _ in range(2)]
    row = _case("FC", (whole(rng, 20, 40),), number=whole(rng, 2, 12), note="behind another FC")
    return [worked, *drawn, row]


def _bn_cases(rng: Random) -> list[Case]:
    worked = _case("BN", (16, 32, 32), ((16, 32, 32), 32), "worked in chapter 2")
    row = _case("BN", (whole(rng, 20, 40),), note="behind an FC")
    return [worked] + [_case("BN", _volume(rng)) for _ in range(2)] + [row]


def _keeping_cases(rng: Random) -> list[Case]:
    volumes = [_case(layer, _volume(rng)) for layer in ("RELU", "BN", "DO")]
    row = (whole(rng, 5, 30),)
    return volumes + [_case(layer, row) for layer in ("RELU", "DO", "SOFTMAX")]


def _idle_cases(rng: Random) -> list[Case]:
    row = (whole(rng, 5, 30),)
    return [_case(layer, _volume(rng)) for layer in ("RELU", "POOL", "DO")] + [
        _case(layer, row) for layer in ("DO", "SOFTMAX")
    ]


def _judge_shape(case: Case, right: tuple, got: Outcome) -> str:
    """A shape is a tuple of whole numbers."""
    kinds = int | float | np.integer | np.floating
    value: Any = got.value
    if got.raised or got.timed_out or not isinstance(value, tuple):
        return f"expected the shape {right}, got {describe(got)}"
    if any(isinstance(v, bool) or not isinstance(v, kinds) for v in value):
        return f"expected the shape {right}, got something that is not made of numbers"
    if value != right:
        return f"expected the shape {right}, got {tuple(_plain(v) for v in value)}"
    if any(isinstance(v, float | np.floating) for v in value):
        return (
            f"the values are right, but {tuple(_plain(v) for v in value)} holds floats. A size counts "
            "pixels, so it is an int"
        )
    return ""


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


# --- misconceptions -----------------------------------------------------------------------------


def _but(kind, *, shape=None, learned=None):
    """`step` with another answer for one kind of layer."""

    def changed(layer, before, number=None, kernel=3):
        after, count = step(layer, before, number, kernel)
        if layer == kind and shape:
            after = shape(before, after)
        if layer == kind and learned:
            count = learned(before, number, kernel)
        return after, count

    def function(layer, shape, number=None, kernel=3):
        return changed(layer, shape, number, kernel)

    return function


def _biases_forgotten(layer, shape, number=None, kernel=3):
    after, count = step(layer, shape, number, kernel)
    return after, count - (number if layer in ("CONV", "FC") else 0)


_A = {
    "conv shape": "the shape behind CONV",
    "pool shape": "the shape behind POOL",
    "fc shape": "the shape behind FC",
    "kept": "RELU, BN, DO and SOFTMAX keep the shape",
    "conv": "what CONV learns",
    "fc": "what FC learns",
    "bn": "what BN learns",
    "idle": "RELU, POOL, DO and SOFTMAX learn nothing",
}

STEP = Task(
    "a",
    "one layer, its shape and what it learns",
    "step",
    step,
    parts=(
        Part(_A["conv shape"], 1, _conv_cases, _judge_shape, pick=0, hint=1),
        Part(_A["pool shape"], 1, _pool_cases, _judge_shape, pick=0, hint=1),
        Part(_A["fc shape"], 1, _fc_cases, _judge_shape, pick=0, hint=1),
        Part(_A["kept"], 1, _keeping_cases, _judge_shape, pick=0, hint=1),
        Part(_A["conv"], 2, _conv_cases, judge_number, pick=1, hint=2),
        Part(_A["fc"], 2, _fc_cases, judge_number, pick=1, hint=2),
        Part(_A["bn"], 1, _bn_cases, judge_number, pick=1, hint=3),
        Part(_A["idle"], 1, _idle_cases, judge_number, pick=1),
    ),
    misconceptions=(
        # first: equal in value to the right answer, it wins where several explain as much
        Misconception(
            "a size that is a float",
            _but("POOL", shape=lambda before, _: (before[0], before[1] / 2, before[2] / 2)),
            "The operator `/` gives a float even when the division comes out even; `//` does not.",
            GLANCE,
            lost(_A, "pool shape"),
        ),
        Misconception(
            "filters multiply the channels",
            _but("CONV", shape=lambda before, after: (before[0] * after[0], *after[1:])),
            "Each filter reads all channels and gives one map. So the new depth is the number of filters, "
            "whatever came in.",
            LINE,
            lost(_A, "conv shape"),
        ),
        Misconception(
            "CONV keeps the depth",
            _but("CONV", shape=lambda before, after: before),
            "CONV sets the depth: one map for each filter, and the maps are stacked.",
            GLANCE,
            lost(_A, "conv shape"),
        ),
        Misconception(
            "CONV cuts the border off",
            _but("CONV", shape=lambda _, after: (after[0], after[1] - 2, after[2] - 2)),
            "In a diagram CONV pads its input unless it is told otherwise, so height and width stay.",
            GLANCE,
            lost(_A, "conv shape"),
        ),
        Misconception(
            "POOL halves the depth as well",
            _but("POOL", shape=lambda _, after: (after[0] // 2, *after[1:])),
            "POOL works channel by channel. It shrinks height and width, and the depth stays.",
            GLANCE,
            lost(_A, "pool shape"),
        ),
        Misconception(
            "POOL halves one side only",
            _but("POOL", shape=lambda before, after: (*after[:2], before[2])),
            "The window of 2 × 2 halves the height and the width.",
            LINE,
            lost(_A, "pool shape"),
        ),
        Misconception(
            "FC keeps height and width",
            _but("FC", shape=lambda before, after: (*after, *before[1:])),
            "FC gives up height and width. What leaves it is a row with one number for each neuron.",
            LINE,
            lost(_A, "fc shape"),
        ),
        Misconception(
            "DO makes the volume smaller",
            _but("DO", shape=lambda _, after: (after[0] // 2, *after[1:])),
            "DO sets numbers to zero in training. They keep their places, so the shape stays.",
            GLANCE,
            lost(_A, "kept"),
        ),
        Misconception(
            "the biases are forgotten",
            _biases_forgotten,
            "Each filter of a CONV and each neuron of an FC has a bias, and that is learned too.",
            LEARN,
            lost(_A, "conv", "fc"),
        ),
        Misconception(
            "a filter reads one channel",
            _but("CONV", learned=lambda _, number, kernel: conv_params(1, number, kernel)),
            "A filter goes through the full depth: it has a window of weights for every channel that comes in.",
            LEARN,
            lost(_A, "conv"),
        ),
        Misconception(
            "the window is always 3 × 3",
            _but("CONV", learned=lambda shape, number, _: conv_params(shape[0], number, 3)),
            "3 × 3 is what holds if nothing else is said. `kernel` is the side of the window.",
            GLANCE,
            lost(_A, "conv"),
        ),
        Misconception(
            "CONV has other weights at every place",
            _but(
                "CONV",
                learned=lambda shape, number, kernel: (
                    conv_params(shape[0], number, kernel) * shape[1] * shape[2]
                ),
            ),
            "A filter slides: it takes the same weights to every place, so they are counted once.",
            LEARN,
            lost(_A, "conv"),
        ),
        Misconception(
            "FC reads the channels only",
            _but("FC", learned=lambda shape, number, _: linear_params(shape[0], number)),
            "Each neuron of FC has a weight for every number of the volume: channels times height times "
            "width.",
            LEARN,
            lost(_A, "fc"),
        ),
        Misconception(
            "the running mean and variance are learned",
            _but("BN", learned=lambda shape, *_: 4 * shape[0]),
            "BN keeps four numbers for each channel and learns two of them, scale and shift. Mean and "
            "variance are gathered, and no training step changes them by a gradient.",
            LEARN,
            lost(_A, "bn"),
        ),
        Misconception(
            "BN learns one number a channel",
            _but("BN", learned=lambda shape, *_: shape[0]),
            "BN has a scale and a shift for each channel, so two numbers.",
            LEARN,
            lost(_A, "bn"),
        ),
        Misconception(
            "BN learns a scale and a shift at every place",
            _but("BN", learned=lambda shape, *_: 2 * prod(shape)),
            "All places of a channel share one scale and one shift.",
            LEARN,
            lost(_A, "bn"),
        ),
        Misconception(
            "BN learns nothing",
            _but("BN", learned=lambda *_: 0),
            "BN is the exception among the layers that keep the shape: it learns a scale and a shift for "
            "each channel.",
            LEARN,
            lost(_A, "bn"),
        ),
        Misconception(
            "DO learns its chance",
            _but("DO", learned=lambda *_: 1),
            "The chance of DO is a setting that you choose. Training does not change it.",
            LEARN,
            lost(_A, "idle"),
        ),
        Misconception(
            "POOL has weights",
            _but("POOL", learned=lambda shape, *_: 4 * shape[0]),
            "POOL takes the largest number of each window. There is nothing in it that training could change.",
            LEARN,
            lost(_A, "idle"),
        ),
    ),
)
