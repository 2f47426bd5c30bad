"""What is special to the graders of exercise ch06_pooling."""

import numpy as np
import pytest

from cnnlib.checks.ch06_pooling import EXERCISE
from cnnlib.checks.ch06_pooling.wrong_gradients import max_pool2d_backward
from cnnlib.checks.engine import examine
from cnnlib.reference import pool

TASKS = EXERCISE.tasks


def report_on(letter, function):
    return examine(EXERCISE, TASKS[letter], function, seeds=["visible", "a secret"])


def the_misconception(letter, name):
    (function,) = [m.function for m in TASKS[letter].misconceptions if m.name == name]
    return function


def windows_of(x, window, stride):
    view = np.lib.stride_tricks.sliding_window_view(x, (window, window), axis=(2, 3))
    return view[:, :, ::stride, ::stride]


def by_comparing(dout, x, window, stride):
    """Number by number, with a comparison in place of argmax."""
    dx = x * 0
    for n, c, i, j in np.ndindex(dout.shape):
        best = None
        for r in range(i * stride, i * stride + window):
            for q in range(j * stride, j * stride + window):
                if best is None or x[n, c, r, q] > x[n, c][best]:
                    best = r, q
        dx[n, c][best] += dout[n, c, i, j]
    return dx


def by_add_at(dout, x, window, stride):
    """Without a loop."""
    n, c, rows, columns = dout.shape
    where = windows_of(x, window, stride).reshape(n, c, rows, columns, -1).argmax(axis=-1)
    i, j, k, m = np.ogrid[:n, :c, :rows, :columns]
    dx = np.zeros_like(x)
    np.add.at(dx, (i, j, k * stride + where // window, m * stride + where % window), dout)
    return dx


@pytest.mark.parametrize(
    ("letter", "function"),
    [
        ("a", lambda x, f, s: windows_of(x, f, s).max(axis=(4, 5))),
        ("b", lambda x, f, s: windows_of(x, f, s).sum(axis=(4, 5)) / f**2),
        ("c", by_comparing),
        ("c", by_add_at),
    ],
)
def test_another_structure_is_as_good(letter, function):
    report = report_on(letter, function)
    assert report.points == report.most, str(report)


@pytest.mark.parametrize(
    ("letter", "name", "points"),
    [  # by hand, from the points of the parts
        ("a", "the maximum starts at 0", 9),
        ("a", "the bracket closes after the stride", 0),
        ("a", "the window steps by its own size", 8),
        ("a", "the stride moves along one axis only", 4),
        ("a", "the rest at the edge makes a window", 9),
        ("b", "divided by F", 0),
        ("b", "divided by S · S", 7),
        ("b", "channels are pooled together", 9),
        ("c", "all of the equal ones get the gradient", 8),
        ("c", "the gradient is overwritten", 8),
        ("c", "everybody in the window gets a share", 0),
        ("c", "the first channel decides for all", 9),
    ],
)
def test_points_of_a_misconception(letter, name, points):
    assert report_on(letter, the_misconception(letter, name)).points == points


def test_two_mistakes_at_once_are_both_named():
    last = the_misconception("c", "the last of the equal ones wins")
    overwritten = the_misconception("c", "the gradient is overwritten")

    def both(dout, x, window, stride):
        return (overwritten if stride < window else last)(dout, x, window, stride)

    report = report_on("c", both)
    assert {"the last of the equal ones wins", "the gradient is overwritten"} <= {
        idea.name for idea in report.ideas
    }
    assert report.points == 11 - 2 - 2 - 1


def test_the_slipped_bracket_is_known_by_its_error_too():
    """Whoever follows the printed formula with loops of his own runs off the image."""

    def written(x, window, stride):
        images, channels, height, width = x.shape
        out = np.zeros(
            (images, channels, int(height - window / stride) + 1, int(width - window / stride) + 1)
        )
        for i, j in np.ndindex(out.shape[2:]):
            block = x[:, :, i * stride : i * stride + window, j * stride : j * stride + window]
            out[:, :, i, j] = block.max(axis=(2, 3))
        return out

    report = report_on("a", written)
    assert [idea.name for idea in report.ideas] == ["the bracket closes after the stride"]
    assert "chapter 6, section “The output size, and a bracket that slipped”" in str(report)


def test_the_gradient_agrees_with_finite_differences():
    rng = np.random.default_rng(0)
    x = rng.permutation(2 * 3 * 7 * 5).reshape(2, 3, 7, 5) / 10  # no two numbers are equal
    dout, step = rng.standard_normal((2, 3, 3, 2)), 1e-4
    right = max_pool2d_backward(dout, x, 3, 2)
    for place in [(0, 0, 2, 2), *zip(*np.nonzero(right), strict=True)]:
        up, down = x.copy(), x.copy()
        up[place] += step
        down[place] -= step
        moved = pool.max_pool2d(up, 3, stride=2) - pool.max_pool2d(down, 3, stride=2)
        np.testing.assert_allclose(right[place], (moved * dout).sum() / (2 * step), atol=1e-8)


@pytest.mark.claim("M6.4", "M6.5", "M6.6")
def test_the_numbers_of_the_written_answer():
    assert 13 - 3 / 2 + 1 == 12.5
    x = np.arange(169.0).reshape(1, 1, 13, 13)
    assert pool.max_pool2d(x, 3, stride=2).shape == (1, 1, 6, 6)
    out, cache = pool.avg_pool2d_forward(x, 2, stride=2)
    assert out.shape == (1, 1, 6, 6)
    assert (pool.avg_pool2d_backward(np.ones_like(out), cache) == 0).sum() == 25
