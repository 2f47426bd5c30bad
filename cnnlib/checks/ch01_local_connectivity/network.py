"""Task (a): inputs, weights and biases of a fully connected network."""

from itertools import pairwise
from math import prod

from cnnlib.checks.calls import Case
from cnnlib.checks.ch01_local_connectivity.common import NEURON, NOT_WEIGHTS, PIXELS
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, lost, whole
from cnnlib.checks.judges import judge_number


def count_network(image, hidden, classes):
    """Inputs, weights and biases of a fully connected network."""
    sizes = _sizes(image, hidden, classes)
    return sizes[0], sum(a * b for a, b in pairwise(sizes)), sum(sizes[1:])


def _sizes(image, hidden, classes):
    return [prod(image), *hidden, classes]


# --- inputs -------------------------------------------------------------------------------------


def _case(image, hidden, classes, right=None, note=""):
    given = {"image": image, "hidden": hidden, "classes": classes}
    return Case(given, expected=right, note=note)


def _grey(rng: Random) -> tuple[int, int, int]:
    height = whole(rng, 3, 9)
    return 1, height, height + whole(rng, 1, 4)


def _hidden(rng: Random, layers: int) -> tuple[int, ...]:
    return tuple(whole(rng, 2, 12) for _ in range(layers))


def _input_cases(rng: Random) -> list[Case]:
    worked = _case((3, 32, 32), (), 10, (3072, 30720, 10), "a CIFAR-10 image")
    drawn = [(whole(rng, 2, 5), *_grey(rng)[1:]) for _ in range(3)]
    return [worked] + [_case(image, (4,), 3) for image in drawn]


def _bare_cases(rng: Random) -> list[Case]:
    worked = _case((1, 2, 3), (), 4, (6, 24, 4), "worked by hand")
    return [worked] + [_case(_grey(rng), (), whole(rng, 2, 12)) for _ in range(3)]


def _one_hidden_cases(rng: Random) -> list[Case]:
    worked = _case((1, 1, 3), (2,), 3, (3, 12, 5), "the network of chapter 1")
    drawn = [_case(_grey(rng), _hidden(rng, 1), whole(rng, 2, 12)) for _ in range(3)]
    return [worked, *drawn]


def _several_hidden_cases(rng: Random) -> list[Case]:
    worked = _case((1, 2, 2), (5, 3), 2, (4, 41, 10), "worked by hand")
    drawn = [_case(_grey(rng), _hidden(rng, n), whole(rng, 2, 12)) for n in (2, 3, 4)]
    return [worked, *drawn]


def _bias_cases(rng: Random) -> list[Case]:
    worked = _case((1, 2, 2), (5,), 3, (4, 35, 8), "worked by hand")
    drawn = [_case(_grey(rng), _hidden(rng, n), whole(rng, 2, 12)) for n in (0, 1, 1)]
    return [worked, *drawn]


# --- misconceptions -----------------------------------------------------------------------------


def _channels_forgotten(image, hidden, classes):
    return count_network((1, *image[1:]), hidden, classes)


def _with_weights(change):
    """The right inputs and biases with other weights."""

    def count(image, hidden, classes):
        inputs, _, biases = count_network(image, hidden, classes)
        return inputs, change(_sizes(image, hidden, classes)), biases

    return count


def _with_biases(change):
    """The right inputs and weights with other biases."""

    def count(image, hidden, classes):
        inputs, weights, _ = count_network(image, hidden, classes)
        return inputs, weights, change(_sizes(image, hidden, classes))

    return count


def _weights_of(sizes):
    return sum(a * b for a, b in pairwise(sizes))


def _scores_forgotten(image, hidden, classes):
    sizes = _sizes(image, hidden, classes)[:-1]
    return sizes[0], _weights_of(sizes), sum(sizes[1:])


def _first_hidden_only(sizes):
    return _weights_of([*sizes[:2], sizes[-1]] if len(sizes) > 2 else sizes)


_A = {
    "inputs": "the inputs: all numbers of the image",
    "bare": "weights without a hidden layer",
    "one": "weights with one hidden layer",
    "several": "weights with several hidden layers",
    "biases": "the biases",
}
_WEIGHTS = ("bare", "one", "several")

COUNT_NETWORK = Task(
    "a",
    "counting a fully connected network",
    "count_network",
    count_network,
    parts=(
        Part(_A["inputs"], 1, _input_cases, judge_number, pick=0, hint=1),
        Part(_A["bare"], 2, _bare_cases, judge_number, pick=1, hint=2),
        Part(_A["one"], 2, _one_hidden_cases, judge_number, pick=1, hint=2),
        Part(_A["several"], 1, _several_hidden_cases, judge_number, pick=1, hint=3),
        Part(_A["biases"], 2, _bias_cases, judge_number, pick=2, hint=2),
    ),
    misconceptions=(
        Misconception(
            "the channels are forgotten",
            _channels_forgotten,
            "A pixel of an image with C channels is C numbers, and each of them is an input.",
            PIXELS,
            lost(_A, "inputs"),
        ),
        Misconception(
            "the weights of one neuron",
            _with_weights(lambda sizes: sum(sizes[:-1])),
            "You counted the numbers that a layer reads. Each neuron has a weight for every one of "
            "them, so the layer has that many weights for each of its neurons.",
            NOT_WEIGHTS,
            lost(_A, *_WEIGHTS),
        ),
        Misconception(
            "neurons counted in place of weights",
            _with_weights(lambda sizes: sum(sizes[1:])),
            "Weights sit on the lines between neurons. A line has two ends, so a number of lines is "
            "a product: the numbers before times the neurons after.",
            NOT_WEIGHTS,
            lost(_A, *_WEIGHTS),
        ),
        Misconception(
            "inputs counted as weights as well",
            _with_weights(lambda sizes: sizes[0] + _weights_of(sizes)),
            "Nothing comes before the inputs. They are data: no line leads to them, and nothing is "
            "learned there.",
            NOT_WEIGHTS,
            lost(_A, *_WEIGHTS),
        ),
        Misconception(
            "biases counted among the weights",
            _with_weights(lambda sizes: _weights_of(sizes) + sum(sizes[1:])),
            "That is the number of all parameters. The second result is the weights alone; the "
            "biases are the third.",
            NEURON,
            lost(_A, *_WEIGHTS),
        ),
        Misconception(
            "every layer reads the image",
            _with_weights(lambda sizes: sizes[0] * sum(sizes[1:])),
            "Only the first layer reads the image. Each later one reads the neurons of the layer "
            "just before it.",
            NEURON,
            lost(_A, "one", "several"),
        ),
        Misconception(
            "all sizes multiplied together",
            _with_weights(prod),
            "Lines run from one layer to the next only. Multiply for each pair of neighbouring "
            "layers, then add the pairs up.",
            NEURON,
            lost(_A, "one", "several"),
        ),
        Misconception(
            "only the first hidden layer is used",
            _with_weights(_first_hidden_only),
            "The network passes through all hidden layers, one after the other, and each has weights.",
            NEURON,
            lost(_A, "several"),
        ),
        Misconception(
            "the class scores are forgotten",
            _scores_forgotten,
            "The class scores come from a layer as well: one neuron for each class, with its weights "
            "and its bias.",
            NEURON,
            lost(_A, *_WEIGHTS, "biases"),
        ),
        Misconception(
            "the inputs have biases",
            _with_biases(sum),
            "A bias belongs to a neuron that takes a weighted sum. The inputs take none.",
            NEURON,
            lost(_A, "biases"),
        ),
        Misconception(
            "one bias for a layer",
            _with_biases(lambda sizes: len(sizes) - 1),
            "Every neuron adds a bias of its own, so a layer has as many biases as neurons.",
            NEURON,
            lost(_A, "biases"),
        ),
    ),
)
