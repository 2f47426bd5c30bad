"""The numbers and facts that chapter 8, Fully connected layers, states."""

from itertools import pairwise

import numpy as np
import pytest

from cnnlib import shapes
from cnnlib.diagram import zoo
from cnnlib.errors import ShapeError
from cnnlib.reference.conv import conv2d
from cnnlib.reference.linear import flatten, linear


@pytest.fixture
def whole_numbers():
    rng = np.random.default_rng(0)
    return lambda *shape: rng.integers(-5, 6, shape).astype(np.float64)


@pytest.mark.claim("M8.2")
def test_a_1_by_1_conv_is_an_fc_at_every_position(whole_numbers):
    volume, weight, bias = whole_numbers(2, 3, 4, 5), whole_numbers(6, 3), whole_numbers(6)
    out = conv2d(volume, weight[:, :, None, None], bias)
    for r, c in np.ndindex(4, 5):
        np.testing.assert_array_equal(out[:, :, r, c], linear(volume[:, :, r, c], weight, bias))


@pytest.mark.claim("M8.2")
def test_an_fc_over_a_volume_is_a_conv_as_large_and_slides_over_a_larger_one(whole_numbers):
    weight, bias = whole_numbers(10, 3 * 7 * 7), whole_numbers(10)
    kernel = weight.reshape(10, 3, 7, 7)
    larger = whole_numbers(2, 3, 9, 9)
    scores = conv2d(larger, kernel, bias)
    assert scores.shape == (2, 10, 3, 3)
    for r, c in np.ndindex(3, 3):
        part = flatten(larger[:, :, r : r + 7, c : c + 7])
        np.testing.assert_array_equal(linear(part, weight, bias), scores[:, :, r, c])
    with pytest.raises(ShapeError):
        linear(flatten(larger), weight, bias)


@pytest.mark.claim("M8.1")
def test_how_many_fc_layers_known_networks_end_with():
    assert zoo.alexnet.endswith("[DO => FC(4096) => RELU] * 2 => FC(1000)")
    assert zoo.vgg16.endswith("[FC(4096) => RELU => DO] * 2 => FC(1000)")
    assert zoo.resnet18.count("FC(") == 1


def test_the_first_fc_of_vgg16_holds_three_quarters_of_it():
    first = shapes.linear_params(7 * 7 * 512, 4096)
    assert first == 102_764_544
    widths = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
    conv = sum(shapes.conv_params(c, k, 3) for c, k in pairwise(widths))
    total = conv + first + shapes.linear_params(4096, 4096) + shapes.linear_params(4096, 1000)
    assert total == 138_357_544
    assert round(first / total, 2) == 0.74


def test_two_fc_layers_with_nothing_between_are_one(whole_numbers):
    x, first, second = whole_numbers(2, 6), whole_numbers(4, 6), whole_numbers(3, 4)
    np.testing.assert_array_equal(linear(linear(x, first), second), linear(x, second @ first))
