"""BN before RELU or behind it: the JavaScript's numbers are cnnlib's, and the cases worth knowing are told."""

import random
import re

import numpy as np
import pytest

from cnnlib.errors import CnnlibError, RangeError
from cnnlib.reference.activation import relu
from cnnlib.reference.norm import batch_norm_forward
from cnnlib.widgets import BnPlacement
from cnnlib.widgets.bn_placement import statistics
from tests.widgets.common import drawn_settings, in_javascript

LAYERS = """
import {{ batchNorm, relu, statistics }} from "{bn_placement}";
const answer = ({{ x, gamma, beta }}) => ({{ ...batchNorm(x, gamma, beta), relu: relu(x), statistics: statistics(x) }});
"""
THROUGH = """
import {{ through }} from "{bn_placement}";
const answer = (values) => through(values);
"""


def normalized(values, gamma, beta):
    one = np.ones(1)
    result, _ = batch_norm_forward(
        values[:, None], gamma * one, beta * one, 0 * one, one, training=True
    )
    return result[0][:, 0]


def test_batch_norm_relu_and_statistics_are_those_of_cnnlib(tmp_path):
    draw = random.Random(1)
    cases = []
    for _ in range(3000):
        mean, spread = draw.uniform(-5, 5), 10 ** draw.uniform(-4, 2)
        x = [draw.gauss(mean, spread) for _ in range(draw.randint(2, 40))]
        if draw.random() < 0.3:  # what RELU leaves
            x = [max(v, 0.0) for v in x]
        cases.append({"x": x, "gamma": draw.uniform(-3, 3), "beta": draw.uniform(-3, 3)})
    constant = 0
    for case, found in zip(cases, in_javascript(LAYERS, cases, tmp_path), strict=True):
        x = np.array(case["x"])
        expected = normalized(x, case["gamma"], case["beta"])
        np.testing.assert_allclose(found["bn"], expected, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(
            found["scale"] * x + found["shift"], expected, rtol=1e-6, atol=1e-6
        )
        assert found["relu"] == relu(x).tolist()
        assert list(found["statistics"].values()) == pytest.approx(
            list(statistics(x)), rel=1e-9, abs=1e-15
        )
        constant += x.max() == x.min()
    assert constant > 50, "the cases leave out a channel of nothing but zeros"


def test_every_number_on_the_way_is_that_of_python(tmp_path):
    draw = random.Random(2)
    cases = [drawn_settings("bn_placement", draw) for _ in range(300)]
    for case, found in zip(cases, in_javascript(THROUGH, cases, tmp_path), strict=True):
        widget = BnPlacement(**case)
        x = widget.batch
        np.testing.assert_allclose(found["batch"], x, rtol=1e-12, atol=1e-12)
        orders = (
            ("before", widget.bn_relu, relu(normalized(x, case["gamma"], case["beta"]))),
            ("behind", widget.relu_bn, normalized(relu(x), case["gamma"], case["beta"])),
        )
        for (name, steps, last), part in zip(orders, widget.silent, strict=True):
            np.testing.assert_allclose(steps[1], last, atol=1e-12)
            for (_, numbers, *_), expected in zip(found[name]["steps"], steps, strict=True):
                np.testing.assert_allclose(numbers, expected, rtol=1e-9, atol=1e-9)
            assert found[name]["part"] == part
            assert sum(found[name]["silent"]) == part * 512


@pytest.mark.parametrize("shape", ["normal", "skewed"])
def test_the_batch_has_the_mean_and_the_spread_that_it_is_given(shape):
    x = BnPlacement(shape=shape, mean=1.5, spread=0.7).batch
    assert x.shape == (512,)
    assert (x.mean(), x.std()) == pytest.approx((1.5, 0.7))


def test_the_mean_is_nothing_to_bn_before_relu_and_much_to_bn_behind():
    widget = BnPlacement()
    out, silent = widget.bn_relu[1], widget.silent[1]
    for mean in (-0.5, -1.0, -2.0, -3.0):
        widget.mean = mean
        np.testing.assert_allclose(widget.bn_relu[1], out, atol=1e-9)
        assert widget.silent[1] > silent
        silent = widget.silent[1]


def test_a_channel_without_positive_numbers_is_dead_where_relu_is_first():
    widget = BnPlacement(mean=-4.0, beta=0.5)
    assert widget.silent[1] == 1
    assert widget.relu_bn[1].tolist() == [0.5] * 512
    assert widget.summary().startswith(
        "All inputs are negative: with RELU first the channel is dead. Every number becomes 0, BN makes β = 0.50 of the constant"
    )


@pytest.mark.parametrize(
    ("settings", "start"),
    [
        ({}, "RELU silences 50.0 % with BN first, 50.0 % with RELU first."),
        ({"mean": 4.0}, "No input is negative: RELU first changes nothing."),
        ({"gamma": 0.0, "beta": -1.0}, "With γ = 0 BN forgets its input. Both orders end in one value: 0.00 from BN → RELU, −1.00 from RELU → BN."),
    ],
)  # fmt: skip
def test_the_sentence_tells_the_cases_apart(settings, start):
    assert BnPlacement(**settings).summary().startswith(start)


@pytest.mark.claim("M9.4")
def test_only_bn_last_gives_the_next_layer_mean_0_and_variance_1():
    widget = BnPlacement(shape="skewed", mean=-0.5, spread=2.0)
    for values in (widget.bn_relu[0], widget.relu_bn[1]):
        told = statistics(values)
        assert (told.mean, told.variance) == pytest.approx((0, 1), abs=1e-4)
    told = statistics(widget.bn_relu[1])
    assert told.mean > 0.3
    assert told.variance < 0.7


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"mean": 5}, RangeError, "mean=5 is outside this widget: use -4 to 4."),
        ({"spread": 0}, RangeError, "spread=0 is outside this widget: use 0.2 to 3."),
        ({"gamma": "1"}, RangeError, "gamma='1' is not a number: use one from -2 to 2."),
        ({"shape": "flat"}, RangeError, "shape='flat' is none of its choices: use normal, skewed."),
        ({"std": 2}, CnnlibError, "std is not a setting of BnPlacement: use shape, mean, spread, gamma, beta."),
    ],
)  # fmt: skip
def test_a_bad_setting_is_refused_with_a_remedy(settings, error, message):
    with pytest.raises(error, match=re.escape(message)):
        BnPlacement(**settings)


def test_a_refused_value_changes_nothing():
    widget = BnPlacement(mean=1.0)
    with pytest.raises(RangeError):
        widget.mean = -9.0
    assert widget.mean == 1.0
