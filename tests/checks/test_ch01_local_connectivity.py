"""Exercise 1: points by hand, other structures, and two mistakes at once."""

from itertools import pairwise
from math import prod

import numpy as np
import pytest

from cnnlib.checks.ch01_local_connectivity import EXERCISE
from cnnlib.checks.engine import examine

TASKS = EXERCISE.tasks


def _report(letter, function, seeds=("visible", "a secret")):
    return examine(EXERCISE, TASKS[letter], function, seeds=list(seeds))


@pytest.mark.parametrize(
    ("letter", "name", "points"),
    [  # by hand, from the points of the parts
        ("a", "the channels are forgotten", 7),
        ("a", "the inputs have biases", 6),
        ("a", "every layer reads the image", 5),
        ("a", "the weights of one neuron", 3),
        ("b", "locally connected neurons share their weights", 6),
        ("b", "the channels are forgotten", 6),
        ("b", "a neuron for every pixel", 3),
        ("c", "the kernel is flipped", 3),
        ("c", "all neurons use the first row of weights", 6),
        ("c", "NumPy's default type", 7),
        ("d", "the weights go the wrong way", 3),
    ],
)
def test_points_of_a_misconception(letter, name, points):
    (function,) = [m.function for m in TASKS[letter].misconceptions if m.name == name]
    assert _report(letter, function).points == points


def test_another_structure_is_as_good():
    def count_network(image, hidden, classes):
        if not hidden:
            return prod(image), prod(image) * classes, classes
        _, weights, biases = count_network((hidden[0],), hidden[1:], classes)
        return prod(image), prod(image) * hidden[0] + weights, hidden[0] + biases

    def count_wirings(image, kernel, filters):
        neurons = fully = local = 0
        for _ in range(filters):
            for _ in range(kernel, image[1] + 1):
                for _ in range(kernel, image[2] + 1):
                    neurons, fully = neurons + 1, fully + prod(image)
                    local += kernel**2 * image[0]
        return np.int64(neurons), fully, local, float(filters * kernel**2 * image[0])

    def layer_matrix(weight, pixels):
        neurons = pixels - weight.shape[-1] + 1
        rows = np.broadcast_to(weight, (neurons, weight.shape[-1]))
        wide = np.pad(rows, ((0, 0), (0, neurons)))  # a row and its zeros, laid end to end
        return wide.reshape(-1)[: neurons * pixels].reshape(neurons, pixels)

    assert _report("a", count_network).points == 8
    assert _report("b", count_wirings).points == 8
    assert _report("c", layer_matrix).points == 8
    assert _report("d", lambda weight, order: weight[:, np.argsort(order)]).points == 6
    assert _report("d", lambda weight, order: weight @ np.eye(len(order))[order]).points == 5


def test_two_mistakes_at_once_are_both_named():
    def both(image, hidden, classes):
        sizes = [image[1] * image[2], *hidden, classes]
        return sizes[0], sum(a * b for a, b in pairwise(sizes)), sum(sizes)

    report = _report("a", both)
    assert {idea.name for idea in report.ideas} == {
        "the channels are forgotten",
        "the inputs have biases",
    }
    assert report.points == 8 - 1 - 2


def test_a_wrong_number_of_places_does_not_cost_the_parts_on_channels_and_filters():
    def padded(image, kernel, filters):
        neurons = image[1] * image[2] * filters
        window = kernel**2 * image[0]
        return neurons, neurons * prod(image), neurons * window, filters * window

    report = _report("b", padded)
    earned = {row.part for row in report.rows if row.status == "earned"}
    assert {"colour: a neuron reads all channels", "several filters"} <= earned


def test_the_two_tasks_on_matrices_say_what_the_layer_computes():
    rng = np.random.default_rng(0)
    row, order, kernel = rng.normal(size=9), rng.permutation(9), rng.normal(size=3)
    matrix = TASKS["c"].reference(kernel, 9)
    np.testing.assert_allclose(matrix @ row, np.correlate(row, kernel, "valid"))
    moved = TASKS["d"].reference(matrix, order)
    np.testing.assert_allclose(moved @ row, matrix @ row[order])
