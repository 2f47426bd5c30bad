"""The activation explorer: functions, slopes and batch in both languages are those of cnnlib.reference."""

import random
import re

import numpy as np
import pytest

from cnnlib.errors import RangeError
from cnnlib.reference import activation
from cnnlib.widgets import Activation
from tests.widgets.common import drawn_settings, in_javascript

POINTS = """
import {{ output, slopeAt }} from "{activation}";
const answer = (values) => [output(values.x, values), slopeAt(values.x, values)];
"""
BATCHES = """
import {{ batch }} from "{activation}";
const answer = (values) => batch(values);
"""
SICK = {"mean": -3.0, "between": 0.5, "within": 1.0}


def from_reference(x: float, settings: dict) -> tuple[float, float]:
    name = settings["function"]
    more = {
        "leaky_relu": {"negative_slope": settings["slope"]},
        "elu": {"alpha": settings["alpha"]},
    }.get(name, {})
    out = getattr(activation, name)(np.array([x]), **more)
    slope = getattr(activation, f"{name}_backward")(np.ones(1), out, **more)
    return out.item(), slope.item()


def test_functions_and_slopes_are_those_of_the_reference(tmp_path):
    draw = random.Random(5)
    cases = [drawn_settings("activation", draw) for _ in range(4000)]
    for case in cases[:1000]:  # far outside the slider too, where exponentials could overflow
        case["x"] = draw.uniform(-1000, 1000)
    for case, found in zip(cases, in_javascript(POINTS, cases, tmp_path), strict=True):
        # Where a slope comes from the output, that output's last bits are all the slope has.
        assert found == pytest.approx(from_reference(case["x"], case), rel=1e-12, abs=1e-15), case
    assert {case["function"] for case in cases} >= {"relu", "leaky_relu", "elu", "sigmoid", "tanh"}
    assert any(case["x"] == 0 for case in cases)


def test_batches_are_those_of_python(tmp_path):
    draw, explorer = random.Random(6), Activation()
    cases = [drawn_settings("activation", draw) for _ in range(60)] + [SICK | {"function": "relu"}]
    cases = [explorer.settings | case for case in cases]
    for case, found in zip(cases, in_javascript(BATCHES, cases, tmp_path), strict=True):
        widget = Activation(**case)
        for name in ("before", "after", "slopes"):
            expected = getattr(widget, name).ravel()
            np.testing.assert_allclose(found[name], expected, rtol=1e-12, atol=2e-6, err_msg=name)
        assert sum(found["dead"]) == widget.dead, case
        assert found["zero"] == (widget.after == 0).ravel().tolist()
        assert found["faint"] == (widget.slopes < 0.05).ravel().tolist()


def test_the_point_and_the_batch_are_those_of_the_reference():
    draw = random.Random(7)
    for _ in range(100):
        settings = drawn_settings("activation", draw)
        widget = Activation(**settings)
        assert widget.point == from_reference(settings["x"], settings)
        unit, example = draw.randrange(32), draw.randrange(128)
        expected = from_reference(widget.before[unit, example], settings)
        found = widget.after[unit, example], widget.slopes[unit, example]
        assert found == pytest.approx(expected, rel=1e-14)


def test_a_unit_is_dead_if_no_example_sends_a_gradient_through():
    widget = Activation(**SICK)
    arrives = activation.relu_backward(np.ones_like(widget.after), widget.after).sum(axis=1)
    assert widget.dead == (arrives == 0).sum() == (widget.before.max(axis=1) <= 0).sum() == 24
    assert (
        widget.summary()
        == "24 of 32 units are dead. The slope is 0 for all 128 examples. On average 0.003 of the gradient comes back."
    )
    for function in ("leaky_relu", "elu", "sigmoid", "tanh"):
        widget.function = function
        assert widget.dead == 0, function
    widget.function, widget.slope = "leaky_relu", 0.0  # no leak: a ReLU again
    assert widget.dead == 24
    widget.function, widget.alpha = "elu", 0.0
    assert widget.dead == 24
    assert Activation(mean=-6).summary().startswith("All 32 units are dead. ")


def test_one_dead_unit_is_not_several():
    said = {
        Activation(mean=m / 10, between=b / 10).summary() for m in range(-30, 0) for b in (0, 5)
    }
    (one,) = {text[:23] for text in said if text.startswith("1 ")}
    assert one == "1 of 32 units is dead. "


def test_zeros_do_not_make_a_unit_dead():
    """The first two examples differ in their dead units, and hardly in their zeros."""
    healthy = Activation(between=0.5, within=1.0)
    apart = Activation(between=2.0, within=0.5)
    zeros = [(widget.after == 0).mean() for widget in (healthy, apart)]
    assert zeros == pytest.approx([0.5, 0.5], abs=0.01)
    assert (healthy.dead, apart.dead) == (0, 9)


def test_elu_brings_back_more_than_the_leak_unless_the_units_are_far_down():
    """As the chapter says below the widget."""
    leak = Activation(function="leaky_relu", slope=0.01, **SICK)
    elu = Activation(function="elu", **SICK)
    assert elu.slopes.mean() > 5 * leak.slopes.mean()
    leak.mean = elu.mean = -6.0
    assert elu.slopes.mean() < leak.slopes.mean()


def test_the_batch_has_the_mean_and_spread_that_are_set():
    widget = Activation(mean=1.5, between=1.0, within=0.1)
    assert widget.before.mean() == pytest.approx(1.5, abs=0.02)
    assert widget.before.mean(axis=1).std() == pytest.approx(1.0, abs=0.05)
    assert widget.before.std(axis=1).mean() == pytest.approx(0.1, abs=0.005)
    assert (np.diff(Activation(between=2.0, within=0.1).before.mean(axis=1)) > -0.05).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"function": "softmax"},
            "function='softmax' is none of its choices: use relu, leaky_relu, elu, sigmoid, tanh.",
        ),
        ({"slope": -0.1}, "slope=-0.1 is outside this widget: use 0 to 1."),
        ({"alpha": 3}, "alpha=3 is outside this widget: use 0 to 2."),
        ({"x": "0"}, "x='0' is not a number: use one from -5 to 5."),
        ({"within": 0}, "within=0 is outside this widget: use 0.1 to 2."),
    ],
)
def test_a_bad_setting_is_refused_with_a_remedy(settings, message):
    with pytest.raises(RangeError, match=re.escape(message)):
        Activation(**settings)
