"""What is special to the graders of exercise ch05_activation."""

import numpy as np
import pytest

from cnnlib.checks.ch05_activation import EXERCISE
from cnnlib.checks.ch05_activation.dead import dead_units
from cnnlib.checks.engine import examine
from cnnlib.checks.inputs import images
from cnnlib.reference import activation

TASKS = EXERCISE.tasks


def report_on(letter, function):
    return examine(EXERCISE, TASKS[letter], function, seeds=["visible", "a secret"])


def by_loop(function):
    """Number by number, as somebody would who does not know NumPy's functions."""

    def loop(*arrays, **settings):
        flat = [
            function(*numbers, **settings) for numbers in zip(*map(np.ravel, arrays), strict=True)
        ]
        return np.array(flat, arrays[0].dtype).reshape(arrays[0].shape)

    return loop


def elu_slope(dout, x, alpha=1.0):
    return dout if x > 0 else dout * alpha * np.exp(x)


@pytest.mark.parametrize(
    ("letter", "function"),
    [
        ("a", lambda x: (x + np.abs(x)) / 2),
        ("a", by_loop(lambda x: max(x, 0))),
        ("b", lambda dout, x: np.where(np.maximum(x, 0) > 0, dout, 0)),
        ("b", by_loop(lambda dout, x: dout if x > 0 else 0)),
        ("c", lambda x, negative_slope=0.01: np.maximum(x, negative_slope * x)),
        ("c", by_loop(lambda x, negative_slope=0.01: x if x > 0 else negative_slope * x)),
        (
            "d",
            by_loop(lambda dout, x, negative_slope=0.01: dout if x > 0 else negative_slope * dout),
        ),
        ("e", lambda x, alpha=1.0: np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0))),
        ("e", by_loop(lambda x, alpha=1.0: x if x > 0 else alpha * (np.exp(x) - 1))),
        ("f", by_loop(elu_slope)),
        ("g", lambda a: np.array([not a[:, unit].any() for unit in range(a.shape[1])])),
        ("g", lambda a: np.moveaxis(a, 1, 0).reshape(a.shape[1], -1).max(axis=1) == 0),
        ("g", lambda a: dead_units(a).astype(int)),
    ],
)
def test_another_structure_is_as_good(letter, function):
    report = report_on(letter, function)
    assert report.points == report.most, str(report)


@pytest.mark.parametrize(
    ("letter", "name", "points"),
    [  # by hand, from the points of the parts
        ("a", "the absolute value", 2),
        ("a", "one `if` for the whole array", 0),
        ("b", "the slope without the gradient from above", 4),
        ("b", "the gradient decides instead of x", 3),
        ("b", "the gradient passes at exactly 0", 7),
        ("c", "the slope is always 0.01", 4),
        ("d", "the gradient decides instead of x", 1),
        ("d", "left of 0 the slope without the gradient", 2),
        ("e", "alpha multiplies the exponential only", 5),
        ("e", "the exponential of large numbers", 6),
        ("f", "the slope without alpha", 5),
        ("f", "x in place of the output", 3),
        ("g", "judged by one example", 3),
        ("g", "nearly zero counts as zero", 6),
    ],
)
def test_points_of_a_misconception(letter, name, points):
    (function,) = [m.function for m in TASKS[letter].misconceptions if m.name == name]
    assert report_on(letter, function).points == points


def test_two_mistakes_at_once_are_both_named():
    def both(dout, x):
        return np.where(x == 0, dout, dout * np.maximum(x, 0))

    names = {idea.name for idea in report_on("b", both).ideas}
    assert names == {
        "multiplied by the output, not by the slope",
        "the gradient passes at exactly 0",
    }


def test_the_message_says_which_input_went_wrong():
    report = report_on("d", lambda dout, x, negative_slope=0.01: dout)
    assert "expected 0.04, got 4, for dout = 4 and x = -2" in str(report)


def test_an_overflow_costs_a_point_even_if_the_values_are_right():
    (function,) = [m.function for m in TASKS["e"].misconceptions if "large" in m.name]
    report = report_on("e", function)
    assert "exp gets a number as large as 1000" in str(report)

    def quiet(x, alpha=1.0):  # whoever knows about it and silences it on purpose may
        with np.errstate(over="ignore"):
            return function(x, alpha)

    assert report_on("e", quiet).points == 7


def test_the_message_about_dead_units_counts_them_up():
    report = report_on("g", lambda a: np.ones(a.shape[1], bool))
    assert "expected as dead: unit 1; got: units 0, 1, 2" in str(report)


@pytest.mark.parametrize("letter", "bdf")
def test_the_gradients_agree_with_finite_differences(letter):
    forward = {"b": activation.relu, "d": activation.leaky_relu, "f": activation.elu}[letter]
    rng = np.random.default_rng(0)
    x, dout, step = images(rng, (3, 4)), images(rng, (3, 4)), 1e-6
    slopes = (forward(x + step) - forward(x - step)) / (2 * step)
    np.testing.assert_allclose(TASKS[letter].reference(dout, x), dout * slopes, atol=1e-8)
