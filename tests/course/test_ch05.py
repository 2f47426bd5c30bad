"""The numbers and facts that chapter 5, Activation, states."""

import numpy as np
import pytest

from cnnlib.diagram import lint, summarize
from cnnlib.reference import activation
from cnnlib.reference.conv import conv2d
from cnnlib.reference.linear import linear


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


def test_a_unit_below_zero_for_all_examples_gets_a_gradient_from_a_leak_but_not_from_relu():
    sums = np.array([[-6.0], [-1.0], [-0.1]])
    for name, alive in (("relu", False), ("leaky_relu", True), ("elu", True)):
        out = getattr(activation, name)(sums)
        gradient = getattr(activation, f"{name}_backward")(np.ones_like(out), out)
        assert gradient.any() == alive


@pytest.mark.claim("M5.1", "M5.2")
def test_an_activation_adds_no_parameters_and_leaving_it_out_is_reported():
    with_it = "INPUT(3, 32, 32) => CONV(8, 3) => RELU => FC(10)"
    without = with_it.replace("RELU => ", "")
    assert summarize(with_it).totals.params == summarize(without).totals.params
    assert "M2.4" not in {finding.rule for finding in lint(with_it)}
    assert "M2.4" in {finding.rule for finding in lint(without)}
