"""The parameter explosion: its counts are cnnlib's, and the material's numbers come out."""

import random
import re

import numpy as np
import pytest

from cnnlib import shapes
from cnnlib.errors import ShapeError
from cnnlib.widgets import Parameters
from tests.widgets.common import drawn_settings, in_javascript

WEIGHTS = 'import {{ weights }} from "{parameters}";\nconst answer = weights;\n'


def test_counts_are_those_of_cnnlib(tmp_path):
    draw = random.Random(11)
    cases = [drawn_settings("parameters", draw) for _ in range(3000)]
    cases.append({"size": 1024, "depth": 64, "neurons": 4096, "filters": 128, "kernel": 31})
    for case, found in zip(cases, in_javascript(WEIGHTS, cases, tmp_path), strict=True):
        layer = Parameters(**case)
        assert found == {
            "inputs": layer.inputs,
            "outputs": layer.outputs,
            "equal": layer.fully_connected_equal,
            "some": layer.fully_connected,
            "local": layer.locally_connected,
            "conv": layer.convolutional,
        }, case


def test_the_largest_count_is_exact_in_javascript():
    largest = Parameters(size=1024, depth=64, neurons=4096, filters=128, kernel=31)
    counts = (largest.fully_connected, largest.fully_connected_equal, largest.locally_connected)
    assert max(counts) <= 2**53


@pytest.mark.claim("M1.2", "M1.3")
def test_the_numbers_of_the_material():
    layer = Parameters()
    assert layer.inputs == 3_072
    layer.size = 250
    assert layer.inputs == 187_500
    assert layer.fully_connected == 187_500_000
    layer.neurons = 1
    assert layer.fully_connected == 187_500


@pytest.mark.parametrize(("side", "kernel", "filters"), [(4, 3, 2), (5, 2, 1), (4, 5, 3)])
def test_the_wirings_have_so_many_weights(side, kernel, filters):
    """Counted on the wires themselves: each of the three layers as a matrix of weights."""
    layer = Parameters(size=side, depth=2, neurons=7, filters=filters, kernel=kernel)
    before, after = shapes.same_padding(kernel)
    padded, outputs = side + before + after, side * side * filters
    names = np.arange(1, filters * kernel * kernel * 2 + 1).reshape(filters, 2, kernel, kernel)
    shared, own = [], 0
    for row in range(side):
        for column in range(side):
            for one in names:
                wires = np.zeros((2, padded, padded), dtype=int)
                wires[:, row : row + kernel, column : column + kernel] = one
                shared.append(wires)
                own += np.count_nonzero(wires)
    assert len(shared) == outputs == layer.outputs
    assert len(np.unique(shared)) - 1 == layer.convolutional
    assert own == layer.locally_connected
    assert layer.fully_connected_equal == side * side * 2 * outputs


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"size": 9, "neurons": 1, "kernel": 9}, "needs as many weights as CONV: 243 against 243."),
        ({"size": 8, "neurons": 1, "kernel": 9}, "needs fewer weights than CONV: 192 against 243."),
        ({"size": 9, "neurons": 2, "kernel": 9}, "needs 2.0 times the weights of CONV: 486"),
    ],
)
def test_the_sentence_says_which_has_more(settings, sentence):
    layer = Parameters(**settings)
    assert sentence in layer.summary()
    assert ("wider than the image" in layer.summary()) == (layer.kernel > layer.size)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 1025}, "size=1025 is too large for this widget: use at most 1024."),
        ({"size": 3}, "size=3 is too small: it must be a whole number of at least 4."),
        ({"neurons": 0}, "neurons=0 is too small: it must be a whole number of at least 1."),
        ({"depth": 3.0}, "depth=3.0 is not a whole number: it must be an int of at least 1."),
    ],
)
def test_a_bad_setting_is_refused(settings, message):
    with pytest.raises(ShapeError, match=re.escape(message)):
        Parameters(**settings)
