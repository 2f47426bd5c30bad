"""What is special about the graders of exercise ch07_pool_or_conv."""

import numpy as np
import pytest

from cnnlib.checks import ch07_pool_or_conv as exercise
from cnnlib.checks.ch07_pool_or_conv.average import averaging_weight
from cnnlib.checks.ch07_pool_or_conv.global_average import global_avg_pool_backward
from cnnlib.checks.ch07_pool_or_conv.rewrite import without_pool
from cnnlib.checks.engine import examine
from cnnlib.diagram import expand, summarize
from cnnlib.reference.conv import conv2d
from cnnlib.reference.pool import avg_pool2d, global_avg_pool2d

TASKS = exercise.EXERCISE.tasks


def report_on(letter, function):
    return examine(exercise.EXERCISE, TASKS[letter], function, seeds=["visible", "a secret"])


def lost_by(report):
    return {row.part for row in report.rows if row.status != "earned"}


# --- (a) ------------------------------------------------------------------------------------------


def rewritten(diagram, write):
    """Every POOL replaced by what `write(depth, rows before, rows after, POOL)` says."""
    summary = summarize(diagram)
    shapes = [summary.input_shape, *(row.shape for row in summary.rows)]
    before = [None, *shapes]
    layers = zip(expand(diagram).items, before, shapes, strict=False)
    return "  →  ".join(
        write(now[0], old, now, layer) if layer.kind == "POOL" else str(layer)
        for layer, old, now in layers
    )


def one_more_conv(depth, old, now, pool):
    """A CONV that keeps the size first, then one with POOL's window; settings by name, and a comment."""
    f, s, p, r = (pool.get(name) for name in ("kernel", "stride", "padding", "rounding"))
    return (
        f"CONV({depth}) => BN => RELU => CONV(rounding={r}, padding={p}x{p}, stride={s}, "
        f"kernel={f}x{f}, filters={depth}) => BN => LRELU  # once a POOL\n"
    )


def another_kernel(depth, old, now, pool):
    """A kernel of its own choice, as large as the sizes ask for."""
    s = pool.get("stride")
    rows, columns = (size - (out - 1) * s for size, out in zip(old[1:], now[1:], strict=True))
    if min(rows, columns) < s:
        return one_more_conv(depth, old, now, pool)
    return f"CONV({depth}, {rows}x{columns}, stride={s}, padding=0) => RELU"


@pytest.mark.parametrize("write", [one_more_conv, another_kernel])
def test_any_text_that_does_it_passes(write):
    report = report_on("a", lambda diagram: rewritten(diagram, write))
    assert report.points == 10, str(report)


@pytest.mark.parametrize(
    ("name", "points"),
    [  # by hand, from the points of the parts
        ("POOL is left out and nothing takes its place", 1),
        ("the stride goes into the CONV before", 7),
        ("strict windows that do not tile", 5),
        ("every POOL is taken for 2 × 2 with stride 2", 8),
        ("always 64 filters", 8),
        ("no RELU behind the new CONV", 9),
    ],
)
def test_points_of_a_misconception(name, points):
    (function,) = [m.function for m in TASKS["a"].misconceptions if m.name == name]
    assert report_on("a", function).points == points


def test_two_mistakes_cost_their_own_parts():
    def both(diagram):
        return without_pool(diagram).replace("stride=2, padding=0, rounding=strict) => RELU", "!)")

    def wide_and_straight(diagram):
        def write(depth, old, now, pool):
            f, s, p, r = (pool.get(name) for name in ("kernel", "stride", "padding", "rounding"))
            return f"CONV({2 * depth}, {f}, stride={s}, padding={p}, rounding={r})"

        return rewritten(diagram, write)

    assert lost_by(report_on("a", wide_and_straight)) == {
        "the depth is kept",
        "a RELU behind the new CONV",
    }
    assert "has no meaning in a diagram" in str(report_on("a", both))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda d: d, "a POOL is left in INPUT(3, 12, 8) => CONV(16) => RELU => POOL"),
        (lambda d: d.replace("=> POOL", "CONV(8)"), "The arrow between RELU and CONV is missing"),
        (lambda d: 3, "expected the text of a diagram, got 3"),
        (lambda d: None, "A function without a return statement gives None"),
        (lambda d: d * 300, "expected a short text"),
        (lambda d: "{ CONV(3) | CONV(4) }", "no { } is needed"),
        (lambda d: "INPUT(3, 4, 4) => CONV(3, 9, padding=0)", "your diagram does not work"),
    ],
)
def test_texts_that_are_no_answer_earn_nothing_and_hear_why(answer, message):
    report = report_on("a", answer)
    assert message in str(report), str(report)
    assert report.points == 0, str(report)


# --- (b), (c), (d) --------------------------------------------------------------------------------


def test_the_weights_do_what_the_task_says():
    rng = np.random.default_rng(7)
    x, mix = rng.normal(size=(2, 3, 8, 9)), rng.normal(size=(4, 3))
    one = conv2d(x, averaging_weight(mix, 2, 3), stride=(2, 3))
    np.testing.assert_allclose(one, conv2d(avg_pool2d(x, (2, 3)), mix[:, :, None, None]))
    plain = conv2d(x, averaging_weight(np.eye(3), 4, 3), stride=(4, 3))
    np.testing.assert_allclose(plain, avg_pool2d(x, (4, 3)), atol=1e-12)


def test_loops_are_as_good():
    def weight_by_loops(mix, height, width):
        out = np.zeros((*mix.shape, height, width), mix.dtype)
        for k, c, i, j in np.ndindex(out.shape):
            out[k, c, i, j] = mix[k, c] / (height * width)
        return out

    def average_by_loops(x):
        out = np.zeros(x.shape[:2], x.dtype)
        for n, c in np.ndindex(out.shape):
            for i, j in np.ndindex(x.shape[2:]):
                out[n, c] += x[n, c, i, j]
        return out / np.array(x[0, 0].size, x.dtype)

    def backward_by_repeating(dout, height, width):
        positions = height * width
        return np.repeat(dout / positions, positions).reshape(*dout.shape, height, width)

    assert report_on("b", weight_by_loops).points == 9
    assert report_on("c", average_by_loops).points == 6
    assert report_on("d", backward_by_repeating).points == 7


def test_the_gradient_agrees_with_finite_differences():
    rng = np.random.default_rng(8)
    x, dout, step = rng.normal(size=(2, 3, 2, 4)), rng.normal(size=(2, 3)), 1e-5
    numeric = np.empty_like(x)
    for place in np.ndindex(x.shape):
        losses = []
        for sign in (1, -1):
            moved = x.copy()
            moved[place] += sign * step
            losses.append(np.sum(dout * global_avg_pool2d(moved)))
        numeric[place] = (losses[0] - losses[1]) / (2 * step)
    np.testing.assert_allclose(global_avg_pool_backward(dout, 2, 4), numeric, atol=1e-9)
