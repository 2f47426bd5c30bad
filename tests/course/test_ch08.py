"""The numbers and facts that chapter 8, Fully connected layers, states."""

from itertools import pairwise

import numpy as np
import pytest

from cnnlib import shapes
from cnnlib.diagram import zoo
from cnnlib.errors import ShapeError
from cnnlib.reference.activation import relu, sigmoid
from cnnlib.reference.conv import conv2d
from cnnlib.reference.linear import flatten, linear
from cnnlib.reference.pool import global_avg_pool2d


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


def test_the_two_neurons_worked_out_by_hand():
    weight = np.array([[1.0, 4, 2], [0, -5, 1]])
    out = linear(np.array([[2.0, -1, 3]]), weight, np.array([1.0, -2]))
    assert out.tolist() == [[5, 6]]


def test_a_squeeze_and_excitation_block_only_turns_channels_down(whole_numbers):
    volume, down, up = whole_numbers(1, 8, 5, 5), whole_numbers(2, 8), whole_numbers(8, 2)
    hidden = relu(linear(flatten(global_avg_pool2d(volume)), down))
    factors = sigmoid(linear(hidden, up))
    assert ((factors > 0) & (factors < 1)).all()
    small = shapes.linear_params(256, 16, bias=False) + shapes.linear_params(16, 256, bias=False)
    assert small == 8192
    assert shapes.conv_params(256, 256, 3, bias=False) == 589_824


def test_vgg16_as_a_conv_gives_6_scores_a_side_on_384_pixels():
    assert shapes.output_size(384 // 2**5, 7) == 6
    assert shapes.output_size(224 // 2**5, 7) == 1


def test_an_fc_does_not_care_about_the_order_of_its_inputs_and_a_conv_about_mirrors(whole_numbers):
    x, weight = whole_numbers(1, 48), whole_numbers(5, 48)
    for order in (np.arange(48)[::-1], np.random.default_rng(1).permutation(48)):
        np.testing.assert_array_equal(linear(x[:, order], weight[:, order]), linear(x, weight))
    image, filters = whole_numbers(1, 3, 7, 7), whole_numbers(2, 3, 3, 3)
    maps = conv2d(image, filters, padding=1)
    turned = conv2d(image[:, :, ::-1], filters[:, :, ::-1], padding=1)
    np.testing.assert_array_equal(turned, maps[:, :, ::-1])
    quarter = conv2d(np.rot90(image, axes=(2, 3)), np.rot90(filters, axes=(2, 3)), padding=1)
    np.testing.assert_array_equal(quarter, np.rot90(maps, axes=(2, 3)))
    rows = np.array([3, 0, 5, 2, 6, 1, 4])
    for order in ([0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]):
        shuffled = conv2d(image[:, :, rows], filters[:, :, order], padding=1)
        assert not np.array_equal(np.sort(shuffled, axis=None), np.sort(maps, axis=None))


def test_ten_of_a_thousand_neurons_can_pass_any_ten_scores_on(whole_numbers):
    x, any_layer = whole_numbers(3, 64), whole_numbers(10, 64)
    first = np.concatenate([any_layer, whole_numbers(990, 64)])
    copy = np.eye(10, 1000)
    np.testing.assert_array_equal(linear(linear(x, first), copy), linear(x, any_layer))
    both = shapes.linear_params(4096, 1000) + shapes.linear_params(1000, 10)
    assert both == 4_107_010
    assert shapes.linear_params(4096, 10) == 40_970


def test_vgg16_with_an_average_in_place_of_its_three_fc_layers():
    assert shapes.linear_params(512, 1000) == 513_000
    three = (25_088, 4096), (4096, 4096), (4096, 1000)
    assert sum(shapes.linear_params(*sizes) for sizes in three) == 123_642_856


def test_a_bias_is_a_channel_of_ones_if_its_weight_stands_in_the_centre(whole_numbers):
    image, filters, bias = whole_numbers(2, 3, 6, 6), whole_numbers(4, 3, 3, 3), whole_numbers(4)
    with_ones = np.concatenate([image, np.ones((2, 1, 6, 6))], axis=1)
    wanted = conv2d(image, filters, bias, padding=1)
    extra = np.zeros((4, 1, 3, 3))
    extra[:, 0, 1, 1] = bias
    out = conv2d(with_ones, np.concatenate([filters, extra], axis=1), padding=1)
    np.testing.assert_array_equal(out, wanted)
    spread = np.broadcast_to(bias[:, None, None, None] / 9, (4, 1, 3, 3))
    out = conv2d(with_ones, np.concatenate([filters, spread], axis=1), padding=1)
    np.testing.assert_allclose(out[..., 1:-1, 1:-1], wanted[..., 1:-1, 1:-1], atol=1e-9)
    assert not np.allclose(out, wanted)
