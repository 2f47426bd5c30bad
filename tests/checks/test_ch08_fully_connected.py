"""What is special about the graders of exercise ch08_fully_connected."""

import numpy as np
import pytest

from cnnlib.checks import ch08_fully_connected as exercise
from cnnlib.checks.ch08_fully_connected.backward import linear_backward
from cnnlib.checks.ch08_fully_connected.order import from_channels_last
from cnnlib.checks.engine import examine
from cnnlib.reference.linear import flatten, linear

TASKS = exercise.EXERCISE.tasks


def report_on(letter, function):
    return examine(exercise.EXERCISE, TASKS[letter], function, seeds=["visible", "a secret"])


@pytest.mark.parametrize(
    ("letter", "name", "points"),
    [  # by hand, from the points of the parts
        ("a", "the weight is not transposed", 0),
        ("a", "reshape in place of a transposition", 6),
        ("a", "images and neurons are swapped", 3),
        ("b", "averaged over the batch", 7),
        ("b", "the weight is turned in dx", 6),
        ("b", "the gradient of the bias is not summed", 8),
        ("b", "the three results in another order", 0),
        ("c", "only transposed", 3),
        ("c", "reshape in place of a transposition", 5),
        ("d", "the row is cut pixel by pixel", 7),
        ("d", "the window jumps by its own size", 7),
        ("d", "the image is padded", 3),
    ],
)
def test_points_of_a_misconception(letter, name, points):
    (function,) = [m.function for m in TASKS[letter].misconceptions if m.name == name]
    assert report_on(letter, function).points == points


def test_two_mistakes_at_once_are_both_named():
    def both(dout, x, weight):
        return dout @ weight, dout.T @ x / len(x), dout

    report = report_on("b", both)
    assert {idea.name for idea in report.ideas} == {
        "averaged over the batch",
        "the gradient of the bias is not summed",
    }
    assert report.points == 10 - 2 - 1 - 1


def test_a_missing_result_is_named():
    report = report_on("b", lambda dout, x, weight: (dout @ weight, dout.T @ x))
    assert report.points == 0
    assert "a tuple of 2 in place of 3 results" in str(report)


def test_loops_are_as_good():
    def linear_by_loops(x, weight, bias=None):
        out = np.zeros((len(x), len(weight)), x.dtype)
        for n, k in np.ndindex(out.shape):
            for d in range(x.shape[1]):
                out[n, k] += x[n, d] * weight[k, d]
            out[n, k] += 0 if bias is None else bias[k]
        return out

    def backward_by_loops(dout, x, weight):
        dx, dweight = np.zeros_like(x), np.zeros_like(weight)
        dbias = np.zeros_like(weight[:, 0])
        for (n, k), gradient in np.ndenumerate(dout):
            dx[n] += gradient * weight[k]
            dweight[k] += gradient * x[n]
            dbias[k] += gradient
        return dx, dweight, dbias

    def order_by_loops(theirs, channels, height, width):
        ours = np.zeros(theirs.shape[::-1], theirs.dtype)
        for c, i, j in np.ndindex(channels, height, width):
            ours[:, (c * height + i) * width + j] = theirs[(i * width + j) * channels + c]
        return ours

    def conv_by_fc(x, weight, bias, height, width):
        filters = weight.reshape(len(weight), -1, height, width)
        shape = (len(x), len(weight), x.shape[2] - height + 1, x.shape[3] - width + 1)
        scores = np.zeros(shape, x.dtype)
        for i, j in np.ndindex(shape[2:]):
            part = x[:, :, i : i + height, j : j + width]
            scores[:, :, i, j] = linear(flatten(part), weight, bias)
        return filters, scores

    assert report_on("a", linear_by_loops).points == 7
    assert report_on("b", backward_by_loops).points == 10
    assert report_on("c", order_by_loops).points == 7
    assert report_on("d", conv_by_fc).points == 10


def test_the_gradients_agree_with_finite_differences():
    rng = np.random.default_rng(8)
    arrays = [rng.normal(size=shape) for shape in ((3, 4), (2, 4), (2,))]
    dout, step = rng.normal(size=(3, 2)), 1e-5
    for number, gradient in enumerate(linear_backward(dout, arrays[0], arrays[1])):
        assert gradient.shape == arrays[number].shape
        for place in np.ndindex(gradient.shape):
            losses = []
            for sign in (1, -1):
                moved = [a.copy() for a in arrays]
                moved[number][place] += sign * step
                losses.append(np.sum(dout * linear(*moved)))
            numeric = (losses[0] - losses[1]) / (2 * step)
            assert gradient[place] == pytest.approx(numeric, abs=1e-8)


def test_reordered_weights_give_the_other_librarys_answers():
    rng = np.random.default_rng(9)
    theirs = rng.normal(size=(3 * 4 * 2, 5))
    volume = rng.normal(size=(6, 4, 2, 3))  # (N, height, width, channels)
    answers = volume.reshape(6, -1) @ theirs
    ours = from_channels_last(theirs, 3, 4, 2)
    np.testing.assert_allclose(linear(flatten(volume.transpose(0, 3, 1, 2)), ours), answers)
