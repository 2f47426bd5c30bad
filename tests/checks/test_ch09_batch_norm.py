"""Exercise ch09_batch_norm: what is special about its graders."""

import re
from pathlib import Path

import numpy as np
import pytest

from cnnlib.checks import ch09_batch_norm as exercise
from cnnlib.checks.ch09_batch_norm.backward import batch_norm_backward
from cnnlib.checks.ch09_batch_norm.forward import batch_norm
from cnnlib.checks.engine import examine
from cnnlib.grading.notebooks import source_notebook
from cnnlib.reference import norm
from cnnlib.reference.conv import conv2d

TASKS = exercise.EXERCISE.tasks
SOURCE = Path(__file__).parents[2] / "solutions" / "ch09_batch_norm" / "batch_norm.py"


def _report(letter, function, seeds=("visible", "a secret")):
    return examine(exercise.EXERCISE, TASKS[letter], function, seeds=list(seeds))


@pytest.fixture(scope="module")
def notebook():
    return source_notebook(SOURCE)


@pytest.fixture(scope="module")
def space(notebook):
    """What the published solution defines."""
    names = {}
    for cell in notebook.cells:
        kind = cell.metadata.get("nbgrader", {}).get("grade_id", "").split("_")[-1]
        if cell.cell_type == "code" and kind in ("setup", "given", "solution"):
            exec(cell.source, names)
    return names


# --- the right answers are right ------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 2, 2), (1, 2, 3, 2)])
@pytest.mark.parametrize("eps", [1e-5, 0.5])
def test_the_gradients_are_the_slopes_of_the_forward_pass(shape, eps, space):
    rng = np.random.default_rng(0)
    x, dout = 3 * rng.standard_normal(shape) + 1, rng.standard_normal(shape)
    gamma, beta = rng.standard_normal((2, shape[1]))

    def slopes(values, loss, h=1e-5):
        found = np.zeros_like(values)
        for place in np.ndindex(*values.shape):
            step = np.zeros_like(values)
            step[place] = h
            found[place] = (loss(values + step) - loss(values - step)) / (2 * h)
        return found

    right = (
        slopes(x, lambda v: np.sum(dout * batch_norm(v, gamma, beta, eps))),
        slopes(gamma, lambda v: np.sum(dout * batch_norm(x, v, beta, eps))),
        slopes(beta, lambda v: np.sum(dout * batch_norm(x, gamma, v, eps))),
    )
    for function in (batch_norm_backward, space["batch_norm_backward"]):
        for got, wanted in zip(function(dout, x, gamma, eps), right, strict=True):
            np.testing.assert_allclose(got, wanted, atol=1e-7)


@pytest.mark.parametrize("with_bias", [True, False])
def test_one_folded_conv_gives_what_conv_and_bn_gave(with_bias, space):
    rng = np.random.default_rng(1)
    x, weight = rng.standard_normal((2, 3, 6, 5)), rng.standard_normal((4, 3, 3, 2))
    bias, gamma, beta, mean = rng.standard_normal((4, 4))
    bias, var = bias if with_bias else None, rng.uniform(0.1, 2.0, 4)
    maps = conv2d(x, weight, bias, stride=2, padding=1)
    two, *_ = norm.batch_norm(maps, gamma, beta, mean, var, training=False)
    for function in (TASKS["d"].reference, space["fold_batch_norm"]):
        one = conv2d(x, *function(weight, bias, gamma, beta, mean, var), stride=2, padding=1)
        np.testing.assert_allclose(one, two, atol=1e-12)


def test_the_proof_in_the_notebook_runs(notebook, space, capsys):
    (cell,) = [cell for cell in notebook.cells if cell.id == "d_proof"]
    exec(cell.source, dict(space))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all(float(line.split()[-1]) < 1e-12 for line in lines)


def test_the_numbers_in_the_text(notebook, space):
    text = "\n".join(cell.source for cell in notebook.cells)
    four = np.array([[2.0], [4.0], [10.0], [4.0]])
    out = space["batch_norm"](four, np.array([2.0]), np.array([1.0]), 7.0)
    assert "the output is −1/2, 1/2, 7/2, 1/2" in re.sub(r"\s+", " ", text)
    np.testing.assert_allclose(out.ravel(), [-0.5, 0.5, 3.5, 0.5])

    layer = space["BatchNorm"](1)
    layer.forward(four, training=True)
    np.testing.assert_allclose([layer.running_mean[0], layer.running_var[0]], [0.5, 2.1])
    later = layer.forward(four[2:3], training=False).item()
    assert f"(10 − 0.5)/√2.1 = {later:.2f}" in text

    dout = np.array([[0.0], [0.0], [12.0], [0.0]])
    dx, _, _ = space["batch_norm_backward"](dout, four, np.ones(1), 1e-12)
    assert "= 2/3" in text
    assert dx[0, 0] == pytest.approx(2 / 3)
    flat, _, _ = space["batch_norm_backward"](np.ones((4, 1)), four, np.ones(1))
    np.testing.assert_allclose(flat, 0, atol=1e-12)

    one = [np.array([v]) for v in (2.0, 1.0, 5.0, 16.0)]
    for bias, new in ((np.array([7.0]), 2.0), (None, -1.5)):
        weight, shift = space["fold_batch_norm"](np.ones((1, 1, 1, 1)), bias, *one, 1e-12)
        assert weight.item() == pytest.approx(0.5)
        assert shift.item() == pytest.approx(new)


def test_the_written_answer():
    """The bias under BN: no gradient, 3 down without it, mended by the mean 3 or by β = 4."""
    rng = np.random.default_rng(2)
    dx, _, _ = batch_norm_backward(
        rng.standard_normal((3, 2, 4, 4)), rng.random((3, 2, 4, 4)), np.ones(2)
    )
    np.testing.assert_allclose(dx.sum(axis=(0, 2, 3)), 0, atol=1e-12)

    def shift(bias, mean=5.0, beta=1.0):
        one = [np.array([v]) for v in (3.0, beta, mean, 4.0)]
        weight = np.ones((1, 1, 1, 1))
        return TASKS["d"].reference(weight, np.array([bias]), *one, 1e-12)[1].item()

    assert shift(2.0) - shift(0.0) == pytest.approx(3)
    assert shift(0.0, mean=3.0) == pytest.approx(shift(2.0)) == pytest.approx(shift(0.0, beta=4.0))


# --- other right answers --------------------------------------------------------------------------


def test_loops_are_as_good():
    def by_loops(x, gamma, beta, eps=1e-5):
        out = np.zeros(x.shape, dtype=x.dtype)
        for c in range(x.shape[1]):
            numbers = [float(v) for v in x[:, c].ravel()]
            mean = sum(numbers) / len(numbers)
            var = sum((v - mean) ** 2 for v in numbers) / len(numbers)
            out[:, c] = gamma[c] * (x[:, c] - mean) / (var + eps) ** 0.5 + beta[c]
        return out

    assert _report("a", by_loops).points == 10

    def fold(weight, bias, gamma, beta, mean, var, eps=1e-5):
        new, shift = np.empty_like(weight), np.empty_like(beta)
        for k in range(len(weight)):
            new[k] = gamma[k] * weight[k] / np.sqrt(var[k] + eps)
            old = 0 if bias is None else bias[k]
            shift[k] = gamma[k] * (old - mean[k]) / np.sqrt(var[k] + eps) + beta[k]
        return new, shift

    assert _report("d", fold).points == 8


def test_the_chain_rule_step_by_step_is_as_good():
    """The published form of the backward pass: through the variance, through the mean."""

    def backward(dout, x, gamma, eps=1e-5):
        turned = [np.moveaxis(a, 1, -1).reshape(-1, x.shape[1]) for a in (dout, x)]
        d, v = (a.astype(np.float64) for a in turned)
        m, centred = len(v), v - v.mean(axis=0)
        root = np.sqrt((centred**2).mean(axis=0) + eps)
        d_hat = d * gamma
        d_var = (d_hat * centred).sum(axis=0) * -0.5 * root**-3
        d_mean = -d_hat.sum(axis=0) / root - 2 * d_var * centred.mean(axis=0)
        dv = d_hat / root + d_var * 2 * centred / m + d_mean / m
        dx = np.moveaxis(dv.reshape(np.moveaxis(x, 1, -1).shape), -1, 1).astype(x.dtype)
        dgamma, dbeta = (d * centred / root).sum(axis=0), d.sum(axis=0)
        return dx, dgamma.astype(x.dtype), dbeta.astype(x.dtype)

    assert _report("c", backward).points == 12


class _InPlace:
    """Float32 state, updated in place, the old value moved by a share of the way."""

    def __init__(self, channels, momentum=0.1, eps=1e-5):
        self.gamma, self.beta = np.ones(channels), np.zeros(channels)
        self.running_mean, self.running_var = np.zeros(channels), np.ones(channels)
        self.share, self.small = momentum, eps

    def forward(self, x, training):
        axes = tuple(a for a in range(x.ndim) if a != 1)
        shape = [1, -1, 1, 1][: x.ndim]
        mean, var = self.running_mean, self.running_var
        if training:
            mean, var = x.mean(axis=axes), x.var(axis=axes)
            self.running_mean += self.share * (mean - self.running_mean)
            self.running_var += self.share * (x.var(axis=axes, ddof=1) - self.running_var)
        out = (x - mean.reshape(shape)) / np.sqrt(var + self.small).reshape(shape)
        out *= self.gamma.reshape(shape)
        out += self.beta.reshape(shape)
        return out


def test_a_layer_that_updates_in_place_is_as_good():
    report = _report("b", _InPlace)
    assert report.points == 12, str(report)


def test_float32_out_of_the_layer_is_free():
    class Narrow(_InPlace):
        def forward(self, x, training):
            return super().forward(x, training).astype(x.dtype)

    assert _report("b", Narrow).points == 12


# --- mistakes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letter", "name", "points"),
    [  # by hand, from the points of the parts
        ("a", "each map is normalized by itself", 7),
        ("a", "the variance divides by m − 1", 8),
        ("a", "the layer stops at x̂", 8),
        ("a", "NumPy's default type", 9),
        ("b", "the running variance is the biased one", 9),
        ("b", "momentum the other way round", 10),
        ("b", "momentum is always 0.1", 7),
        ("b", "the two modes are the same", 8),
        ("b", "test time updates the averages", 10),
        ("c", "mean and variance are taken for constants", 6),
        ("c", "the spread is taken for a constant", 8),
        ("c", "dgamma is taken from x", 10),
        ("d", "the running mean is forgotten", 5),
        ("d", "the scale runs along the input channels", 6),
        ("d", "None is used as a number", 5),
    ],
)
def test_points_of_a_misconception(letter, name, points):
    (function,) = [m.function for m in TASKS[letter].misconceptions if m.name == name]
    assert _report(letter, function).points == points


def test_two_mistakes_of_a_class_are_both_named():
    mistakes = {m.name: m.function for m in TASKS["b"].misconceptions}
    names = {"momentum the other way round", "test time uses the batch"}

    class Both(*(mistakes[name] for name in names)):
        pass

    report = _report("b", Both)
    assert {idea.name for idea in report.ideas} == names
    assert report.points == 12 - 1 - 2 - 1


def test_two_mistakes_on_the_way_back_are_both_named(space):
    def both(dout, x, gamma, eps=1e-5):
        dx, dgamma, dbeta = space["batch_norm_backward"](dout, x, np.ones_like(gamma), eps)
        m = x.size // x.shape[1]
        return dx, dgamma / m, dbeta / m

    report = _report("c", both)
    assert {idea.name for idea in report.ideas} == {
        "gamma is missing on the way back",
        "the gradients of gamma and beta are averaged",
    }
    assert report.points == 12 - 1 - 2 - 1 - 1


def test_the_formula_of_the_chapter_without_a_word_on_none_is_understood():
    def fold(weight, bias, gamma, beta, mean, var, eps=1e-5):
        s = gamma / np.sqrt(var + eps)
        return weight * s[:, None, None, None], s * (bias - mean) + beta

    report = _report("d", fold)
    assert report.points == 8 - 2 - 1
    assert [idea.name for idea in report.ideas] == ["None is used as a number"]


MUTANTS = [
    ("a_solution", "x - mean", "x + mean"),
    ("a_solution", "variance + eps", "variance - eps"),
    ("a_solution", "variance + eps", "variance + 1e-5"),
    ("a_solution", " + beta", " - beta"),
    ("a_solution", "range(2, x.ndim)", "range(2, 3)"),
    ("a_solution", "eps=1e-5", "eps=1e-3"),
    ("a_solution", ".astype(x.dtype)", ".astype(np.float64)"),
    ("b_solution", "np.zeros(channels)", "np.ones(channels)"),
    ("b_solution", "m / (m - 1)", "m / (m + 1)"),
    ("b_solution", "m / (m - 1)", "(m - 1) / m"),
    ("b_solution", "old * self.running_mean", "self.running_mean"),
    ("b_solution", "self.running_var = old * self.running_var", "self.running_var = old"),
    ("b_solution", "momentum=0.1", "momentum=0.01"),
    ("b_solution", "eps=1e-5", "eps=1e-3"),
    ("b_solution", "if training", "if not training"),
    ("b_solution", "self.eps)", "1e-5)"),
    ("b_solution", "self.gamma, self.beta)", "self.beta, self.gamma)"),
    ("b_solution", "self.momentum = momentum", "self.momentum = 0.1"),
    ("c_solution", "x_hat_and_sigma(x, eps)", "x_hat_and_sigma(x, 1e-5)"),
    ("c_solution", "- x_hat *", "+ x_hat *"),
    ("c_solution", "- for_axis_1(dbeta / m, x)", ""),
    ("c_solution", "dgamma / m", "dgamma / (m - 1)"),
    ("c_solution", "dbeta / m", "dbeta / len(x)"),
    ("c_solution", "gamma / sigma", "1 / sigma"),
    ("c_solution", "gamma / sigma", "gamma * sigma"),
    ("c_solution", "dgamma.astype(x.dtype), dbeta", "dbeta.astype(x.dtype), dgamma"),
    ("c_solution", "dout * x_hat", "dout * x"),
    ("d_solution", "var + eps", "var"),
    ("d_solution", "eps=1e-5", "eps=1e-3"),
    ("d_solution", "beta - s * mean", "beta + s * mean"),
    ("d_solution", "new_bias + s * bias", "new_bias + bias"),
    ("d_solution", "s[:, None, None, None]", "s[:, None]"),
    ("d_solution", "bias is not None", "bias is None"),
]


@pytest.mark.parametrize(("cell_id", "old", "new"), MUTANTS)
def test_a_small_slip_in_the_solution_costs_points(cell_id, old, new, notebook, space):
    (source,) = [cell.source for cell in notebook.cells if cell.id == cell_id]
    assert old in source
    names = dict(space)
    exec(source.replace(old, new), names)
    task = TASKS[cell_id[0]]
    assert _report(task.letter, names[task.function_name], ["visible"]).points < task.points


# --- how a class is spoken to ---------------------------------------------------------------------


def test_a_message_shows_the_lines_that_ran():
    (function,) = [
        m.function for m in TASKS["b"].misconceptions if m.name == "momentum the other way round"
    ]
    report = _report("b", function)
    (row,) = [row for row in report.rows if row.part.startswith("momentum")]
    assert row.message == (
        "1 of 1 values differ, the first at [0]: expected 2.4, got 5.6. These lines ran:\n"
        "layer = BatchNorm(1)\n"
        "layer.running_mean = np.array([2.0])\n"
        "layer.forward(np.array([[5.0], [7.0]]), training=True)\n"
        "layer.running_mean  # a tenth of the way from 2 to 6"
    )
    assert "\n      layer = BatchNorm(1)\n" in str(report)
    assert "<pre style='margin:.3em 0 0'>layer = BatchNorm(1)\n" in report._repr_html_()


def test_a_class_that_is_half_written_earns_its_first_part():
    class Half(_InPlace):
        def forward(self, x, training):
            raise NotImplementedError()

    report = _report("b", Half)
    assert not report.blank
    assert report.points == 1
    assert "not written yet" in str(report)


def test_a_missing_name_is_told():
    class Nameless(_InPlace):
        def __init__(self, channels, momentum=0.1, eps=1e-5):
            super().__init__(channels, momentum, eps)
            del self.gamma

    assert "no attribute 'gamma'" in str(_report("b", Nameless))
