"""The numbers and facts that chapter 5, Activation, states."""

import numpy as np
import pytest

from cnnlib import shapes
from cnnlib.diagram import lint, summarize, zoo
from cnnlib.errors import RangeError
from cnnlib.reference import activation
from cnnlib.reference.conv import conv2d
from cnnlib.reference.linear import flatten, linear
from cnnlib.reference.pool import max_pool2d


def test_two_linear_layers_fold_into_one_and_a_relu_between_them_prevents_it():
    w1, w2 = np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([[3.0, -1.0], [1.0, 1.0]])
    x = np.array([[5.0, -4.0]])
    assert np.array_equal(linear(linear(x, w1), w2), linear(x, w2 @ w1))
    assert not np.allclose(linear(activation.relu(linear(x, w1)), w2), linear(x, w2 @ w1))


def test_two_convolutions_of_3_are_one_of_5_and_a_relu_between_them_prevents_it():
    rng = np.random.default_rng(0)
    image, (a, b) = rng.standard_normal((1, 1, 12, 12)), rng.standard_normal((2, 1, 1, 3, 3))
    merged = np.zeros((1, 1, 5, 5))
    for r, c in np.ndindex(3, 3):
        merged[..., r : r + 3, c : c + 3] += b[0, 0, r, c] * a
    one = conv2d(image, merged)
    assert np.allclose(conv2d(conv2d(image, a), b), one)
    assert not np.allclose(conv2d(activation.relu(conv2d(image, a)), b), one)


def test_the_slope_of_the_sigmoid_is_at_most_a_quarter_and_reaches_it_at_0_alone():
    x = np.linspace(-8, 8, 1601)
    slope = activation.sigmoid_backward(np.ones_like(x), activation.sigmoid(x))
    assert slope.max() == 0.25
    assert x[slope.argmax()] == 0
    assert 0.25**10 < 1e-6
    np.testing.assert_allclose(activation.tanh(x), 2 * activation.sigmoid(2 * x) - 1, atol=1e-12)
    assert activation.tanh_backward(1.0 + 0 * x, activation.tanh(x)).max() == 1


def test_three_linear_layers_of_3_see_7():
    assert shapes.receptive_field([(3, 1)] * 3).size == 7


def test_at_a_kink_the_slope_is_the_one_on_its_left():
    kink, left = np.zeros(1), np.full(1, -1e-12)
    for name in ("relu", "leaky_relu", "elu"):
        slopes = [
            getattr(activation, f"{name}_backward")(np.ones(1), getattr(activation, name)(x))
            for x in (kink, left)
        ]
        np.testing.assert_allclose(*slopes, atol=1e-9)


def test_a_unit_below_zero_for_all_examples_gets_a_gradient_from_a_leak_but_not_from_relu():
    sums = np.array([[-6.0], [-1.0], [-0.1]])
    for name, alive in (("relu", False), ("leaky_relu", True), ("elu", True)):
        out = getattr(activation, name)(sums)
        gradient = getattr(activation, f"{name}_backward")(np.ones_like(out), out)
        assert gradient.any() == alive


def test_how_low_a_bias_must_go_until_most_units_are_dead():
    rng = np.random.default_rng(0)
    examples = rng.standard_normal((1000, 20))
    sums = linear(examples, rng.standard_normal((50, 20)) * np.sqrt(2 / 20))
    np.testing.assert_allclose(sums.var(), 2, rtol=0.1)
    dead = [((sums + bias) <= 0).all(axis=0).sum() for bias in (0, -2, -4, -6)]
    assert dead[:2] == [0, 0]
    assert 5 < dead[2] < 25 < 40 < dead[3]
    assert 2.5 < 4 / np.sqrt(2) < 3 < 4 < 6 / np.sqrt(2)


def test_squeezenet_has_a_relu_on_the_maps_that_become_scores():
    assert zoo.squeezenet1_0.endswith("CONV(1000, 1) => RELU => GAP")


def test_without_biases_a_brighter_photo_gets_the_same_class_and_with_them_it_need_not():
    rng = np.random.default_rng(0)
    photos, filters = rng.random((20, 3, 8, 8)), rng.standard_normal((6, 3, 3, 3))
    last = rng.standard_normal((5, 6 * 3 * 3))

    def scores(x, bias=None, act=activation.relu):
        return linear(flatten(max_pool2d(act(conv2d(x, filters)), 2)), last, bias)

    def certainty(values):
        return activation.softmax(values, axis=1).max(axis=1)

    dim, bright = scores(photos), scores(5 * photos)
    np.testing.assert_allclose(bright, 5 * dim)
    assert (certainty(bright) >= certainty(dim)).all()
    assert not np.allclose(
        scores(5 * photos, act=activation.tanh), 5 * scores(photos, act=activation.tanh)
    )
    bias = np.array([80.0, 0, 0, 0, 0])
    changed = scores(photos, bias).argmax(axis=1) != scores(5 * photos, bias).argmax(axis=1)
    assert changed.any()


def test_leaky_relu_of_slope_1_is_nothing_and_of_minus_1_the_absolute_value():
    x = np.linspace(-3, 3, 13)

    def leaky(a):
        return activation.relu(x) - a * activation.relu(-x)

    np.testing.assert_array_equal(leaky(0.25), activation.leaky_relu(x, negative_slope=0.25))
    np.testing.assert_array_equal(activation.leaky_relu(x, negative_slope=1.0), x)
    np.testing.assert_array_equal(leaky(-1), abs(x))
    with pytest.raises(RangeError, match="at least 0"):
        activation.leaky_relu(x, negative_slope=-1.0)


def test_half_of_the_outputs_are_zero_and_which_ones_tells_examples_apart():
    rng = np.random.default_rng(0)
    out = activation.relu(linear(rng.standard_normal((100, 20)), rng.standard_normal((50, 20))))
    silent = out == 0
    np.testing.assert_allclose(silent.mean(), 0.5, atol=0.05)
    assert len(np.unique(silent, axis=0)) == 100
    assert not silent.all(axis=0).any()


def test_one_relu_gives_the_larger_of_two_numbers():
    a, b = np.random.default_rng(0).integers(-9, 10, (2, 50)).astype(np.float64)
    np.testing.assert_array_equal(b + activation.relu(a - b), np.maximum(a, b))


@pytest.mark.claim("M5.1", "M5.2")
def test_an_activation_adds_no_parameters_and_leaving_it_out_is_reported():
    with_it = "INPUT(3, 32, 32) => CONV(8, 3) => RELU => FC(10)"
    without = with_it.replace("RELU => ", "")
    assert summarize(with_it).totals.params == summarize(without).totals.params
    assert "M2.4" not in {finding.rule for finding in lint(with_it)}
    assert "M2.4" in {finding.rule for finding in lint(without)}
