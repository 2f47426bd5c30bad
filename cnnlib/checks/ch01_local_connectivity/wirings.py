"""Task (b): one layer on an image, wired in three ways."""

from math import prod
from typing import Any

import numpy as np

from cnnlib.checks.calls import Case, Outcome, describe
from cnnlib.checks.ch01_local_connectivity.common import GROWTH, THREE, VOLUMES
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, lost, whole
from cnnlib.checks.judges import judge_number

_RESULTS = ("neurons", "fully connected", "locally connected", "convolutional")


def count_wirings(image, kernel, filters):
    """Neurons, and the weights of the three wirings."""
    _, height, width = image
    places = (height - kernel + 1) * (width - kernel + 1)
    return _counts(image, kernel, filters, places)


def _counts(image, kernel, filters, places):
    window = image[0] * kernel**2
    neurons = places * filters
    return neurons, neurons * prod(image), neurons * window, filters * window


# --- inputs and judges --------------------------------------------------------------------------


def _case(image, kernel, filters, right=None, note=""):
    given = {"image": image, "kernel": kernel, "filters": filters}
    return Case(given, expected=right, note=note)


def _drawn(rng: Random, channels: int, filters: int) -> Case:
    kernel = whole(rng, 2, 3)
    height = kernel + whole(rng, 2, 3)
    width = height + whole(rng, 1, 3)
    image = (channels, height, width) if rng.integers(2) else (channels, width, height)
    return _case(image, kernel, filters)


def _plain_cases(rng: Random) -> list[Case]:
    """Grey images and one filter: only the wiring counts."""
    worked = _case((1, 4, 5), 3, 1, (6, 120, 54, 9), "worked by hand")
    return [worked] + [_drawn(rng, 1, 1) for _ in range(4)]


def _prime(rng: Random) -> int:
    """A prime too large to divide what else can be counted on an image of `_drawn`."""
    return int(rng.choice([59, 61]))


def _channel_cases(rng: Random) -> list[Case]:
    return [_drawn(rng, _prime(rng), 1) for _ in range(3)]


def _filter_cases(rng: Random) -> list[Case]:
    return [_drawn(rng, 1, _prime(rng)) for _ in range(3)]


def _together_cases(rng: Random) -> list[Case]:
    lenet = _case((3, 32, 32), 5, 6, (4704, 14_450_688, 352_800, 450), "a CIFAR-10 image")
    point = _case((2, 3, 4), 1, 5, (60, 1440, 120, 10), "a window of one pixel")
    whole_image = _case((2, 3, 3), 3, 2, (2, 36, 36, 36), "a window as large as the image")
    drawn = [_drawn(rng, whole(rng, 2, 4), whole(rng, 2, 5)) for _ in range(2)]
    return [lenet, point, whole_image, *drawn]


def _four(got: Outcome) -> tuple | None:
    """The four numbers of an answer, or None if it is anything else."""
    kinds = int | float | np.integer | np.floating
    value = got.value
    if got.raised or got.timed_out or not isinstance(value, tuple) or len(value) != len(_RESULTS):
        return None
    if any(isinstance(v, bool) or not isinstance(v, kinds) for v in value):
        return None
    return value


def _judge_all(case: Case, right: tuple, got: Outcome) -> str:
    values = _four(got)
    if values is None:
        return f"expected the four numbers {right}, got {describe(got)}"
    wrong = [
        f"{name}: expected {r:,}, got {v:,}"
        for name, r, v in zip(_RESULTS, right, values, strict=True)
        if r != v
    ]
    return "; ".join(wrong)


def _times(number: Any, factor: int) -> int:
    """How often `factor` divides `number`."""
    if number <= 0 or number != int(number):
        return -1
    number, times = int(number), 0
    while number % factor == 0:
        number, times = number // factor, times + 1
    return times


def _judge_factor(argument: str, most: str) -> Any:
    """That a prime number of channels or filters is a factor of the counts, once, where it belongs.

    So this idea is judged alone, whatever else is wrong with the counts.
    """

    def judge(case: Case, right: tuple, got: Outcome) -> str:
        values = _four(got)
        if values is None:
            return f"expected the four numbers {right}, got {describe(got)}"
        given = {**case.positional, **case.keyword}
        factor = given["image"][0] if argument == "channels" else given["filters"]
        for name, r, value in zip(_RESULTS, right, values, strict=True):
            if (wanted := _times(r, factor)) != _times(value, factor):
                rule = f"contain the factor {factor} once" if wanted else f"not grow with {factor}"
                return f"{name}: expected {r:,}, got {value:,}. It should {rule}, {most}"
        return ""

    return judge


# --- misconceptions -----------------------------------------------------------------------------


def _with_places(along):
    """The right wirings at another number of places: `along(size, kernel)` on each axis."""

    def count(image, kernel, filters):
        places = along(image[1], kernel) * along(image[2], kernel)
        return _counts(image, kernel, filters, places)

    return count


def _one_direction(image, kernel, filters):
    return _counts(image, kernel, filters, image[2] - kernel + 1)


def _fully_reads_window(image, kernel, filters):
    neurons, _, local, conv = count_wirings(image, kernel, filters)
    return neurons, local, local, conv


def _local_shares(image, kernel, filters):
    neurons, fully, _, conv = count_wirings(image, kernel, filters)
    return neurons, fully, conv, conv


def _conv_shares_nothing(image, kernel, filters):
    neurons, fully, local, _ = count_wirings(image, kernel, filters)
    return neurons, fully, local, local


def _one_side_of_kernel(image, kernel, filters):
    neurons, fully, local, conv = count_wirings(image, kernel, filters)
    return neurons, fully, local // kernel, conv // kernel


def _channels_forgotten(image, kernel, filters):
    return count_wirings((1, *image[1:]), kernel, filters)


def _flat_window(image, kernel, filters):
    neurons, fully, *_ = count_wirings(image, kernel, filters)
    return neurons, fully, *_channels_forgotten(image, kernel, filters)[2:]


def _neuron_for_each_channel(image, kernel, filters):
    return count_wirings(image, kernel, filters * image[0])


def _filters_forgotten(image, kernel, filters):
    return count_wirings(image, kernel, 1)


def _filters_share(image, kernel, filters):
    return *count_wirings(image, kernel, filters)[:3], count_wirings(image, kernel, 1)[3]


def _channels_last(image, kernel, filters):
    return count_wirings((image[2], *image[:2]), kernel, filters)


def _biases_too(image, kernel, filters):
    neurons, fully, local, conv = count_wirings(image, kernel, filters)
    return neurons, fully + neurons, local + neurons, conv + filters


_B = {
    "neurons": "neurons: one for each place of the window",
    "fully": "weights, fully connected",
    "local": "weights, locally connected",
    "conv": "weights, convolutional",
    "channels": "colour: a neuron reads all channels",
    "filters": "several filters",
    "together": "everything together",
}
_BY_PLACES = ("neurons", "fully", "local", "together")

COUNT_WIRINGS = Task(
    "b",
    "three ways to wire a layer",
    "count_wirings",
    count_wirings,
    parts=(
        Part(_B["neurons"], 2, _plain_cases, judge_number, pick=0, hint=1),
        Part(_B["fully"], 1, _plain_cases, judge_number, pick=1, hint=2),
        Part(_B["local"], 1, _plain_cases, judge_number, pick=2, hint=2),
        Part(_B["conv"], 1, _plain_cases, judge_number, pick=3, hint=2),
        Part(
            _B["channels"],
            1,
            _channel_cases,
            _judge_factor("channels", "for the number of channels"),
            hint=3,
        ),
        Part(
            _B["filters"],
            1,
            _filter_cases,
            _judge_factor("filters", "for the number of filters"),
            hint=3,
        ),
        Part(_B["together"], 1, _together_cases, _judge_all),
    ),
    misconceptions=(
        Misconception(
            "a neuron for every pixel",
            _with_places(lambda size, kernel: size),
            "Without padding the window cannot stand at the last kernel − 1 pixels of an axis: six "
            "pixels and a window of three leave four places.",
            THREE,
            lost(_B, *_BY_PLACES),
        ),
        Misconception(
            "one place too few",
            _with_places(lambda size, kernel: size - kernel),
            "The window can move on by size − kernel pixels. It also stands somewhere before it moves, "
            "so there is one place more.",
            THREE,
            lost(_B, *_BY_PLACES),
        ),
        Misconception(
            "windows side by side",
            _with_places(lambda size, kernel: size // kernel),
            "Neighbouring windows overlap: the window moves on by one pixel and not by its own width.",
            THREE,
            lost(_B, *_BY_PLACES),
        ),
        Misconception(
            "the window moves in one direction only",
            _one_direction,
            "On an image the window moves across and down. Its places form a grid.",
            GROWTH,
            lost(_B, *_BY_PLACES),
        ),
        Misconception(
            "fully connected neurons read a window",
            _fully_reads_window,
            "In a fully connected layer each neuron has a weight for every number of the image. Reading "
            "a window only is local connectivity.",
            THREE,
            lost(_B, "fully", "together"),
        ),
        Misconception(
            "locally connected neurons share their weights",
            _local_shares,
            "Local connectivity and weight sharing are two ideas. A locally connected layer has the first "
            "only: every neuron has weights of its own.",
            THREE,
            lost(_B, "local", "together"),
        ),
        Misconception(
            "every place of the convolution has weights of its own",
            _conv_shares_nothing,
            "That is the locally connected layer. In a convolutional layer all places use the same kernel, "
            "so its weights are counted once.",
            THREE,
            lost(_B, "conv", "together"),
        ),
        Misconception(
            "one side of the window",
            _one_side_of_kernel,
            "A window of F × F pixels has F · F pixels.",
            GROWTH,
            lost(_B, "local", "conv", "together"),
        ),
        Misconception(
            "the channels are forgotten",
            _channels_forgotten,
            "Every pixel of an image with C channels is C numbers, and a neuron has a weight for each "
            "number that it reads.",
            VOLUMES,
            lost(_B, "channels", "together"),
        ),
        Misconception(
            "a window reads one channel only",
            _flat_window,
            "A region is small in width and height and goes through the full depth: F · F · C weights.",
            VOLUMES,
            lost(_B, "channels", "together"),
        ),
        Misconception(
            "a neuron for each channel",
            _neuron_for_each_channel,
            "One neuron reads all channels and gives one number. How many neurons stand at a place is "
            "decided by the filters, not by the channels of the input.",
            VOLUMES,
            lost(_B, "channels", "together"),
        ),
        Misconception(
            "the filters are forgotten",
            _filters_forgotten,
            "Each filter is a slice of neurons of its own: K filters, K neurons at every place, and K "
            "times the weights.",
            VOLUMES,
            lost(_B, "filters", "together"),
        ),
        Misconception(
            "all filters share one kernel",
            _filters_share,
            "Neurons of one filter share their weights. Another filter looks for another thing and has "
            "a kernel of its own.",
            GROWTH,
            lost(_B, "filters", "together"),
        ),
        Misconception(
            "the channels are read last",
            _channels_last,
            "The text and the library name the channels first: `(3, 32, 64)` is a colour image, 32 pixels "
            "high and 64 wide.",
            VOLUMES,
            lost(_B, *_B),
        ),
        Misconception(
            "biases counted as weights",
            _biases_too,
            "Each neuron, or each filter where it is shared, has a bias as well. This task counts the "
            "weights alone.",
            GROWTH,
            lost(_B, "fully", "local", "conv", "channels", "together"),
        ),
    ),
)
