"""The numbers and facts that chapter 10, Dropout, states."""

from itertools import product

import numpy as np
import pytest
import torch

from cnnlib.diagram import lint, summarize, zoo
from cnnlib.reference.activation import relu, softmax
from cnnlib.reference.dropout import dropout, dropout_backward, dropout_forward
from cnnlib.reference.linear import linear
from cnnlib.reference.norm import batch_norm


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.claim("M10.1")
@pytest.mark.parametrize("p", [0.2, 0.5])
def test_mean_and_variance_of_a_number_behind_dropout(p, rng):
    n = 200_000
    out = dropout(np.full(n, 3.0), p, training=True, rng=rng)
    variance = 9 * p / (1 - p)
    assert abs(out.mean() - 3) < 4 * (variance / n) ** 0.5
    assert out.var() == pytest.approx(variance, rel=0.02)
    assert set(out.round(9)) == {0, round(3 / (1 - p), 9)}
    theirs = torch.nn.functional.dropout(torch.full((1000,), 3.0), p)
    assert theirs.unique().tolist() == pytest.approx([0, 3 / (1 - p)])


@pytest.mark.claim("M10.1")
def test_masks_are_new_for_each_batch_and_each_example_and_the_gradient_uses_the_same_one(rng):
    ones = np.ones((2, 100))
    first, cache = dropout_forward(ones, 0.5, training=True, rng=rng)
    second = dropout(ones, 0.5, training=True, rng=rng)
    assert (first != second).any()
    assert (first[0] != first[1]).any()
    np.testing.assert_array_equal(dropout_backward(ones, cache), first)
    np.testing.assert_array_equal(dropout(ones, 0.5, training=False, rng=None), ones)


def test_a_forgotten_factor_multiplies_over_the_layers(rng):
    p, kept = 0.5, np.ones((300, 256))
    for _ in range(6):
        weight = rng.uniform(0, 1, (256, 256))
        kept = linear(kept * (rng.random(kept.shape) >= p), weight / weight.sum(1, keepdims=True))
    assert 1 / kept.mean() == pytest.approx(64, rel=0.02)


@pytest.mark.claim("M10.2")
def test_a_message_in_k_copies_gets_through_and_an_even_split_is_shaken_least(rng):
    kept = dropout(np.ones((100_000, 3)), 0.5, training=True, rng=rng)
    assert kept.any(axis=1).mean() == pytest.approx(1 - 0.5**3, abs=0.005)
    assert (kept[:, :2] @ [1, 0]).var() == pytest.approx(1, rel=0.02)
    assert (kept[:, :2] @ [0.5, 0.5]).var() == pytest.approx(0.5, rel=0.02)


@pytest.mark.parametrize("p", [0.5, 0.2])
def test_one_pass_is_the_normalized_geometric_mean_over_all_masks_of_a_softmax_layer(p, rng):
    x, weight, bias = (rng.standard_normal(shape) for shape in (4, (3, 4), 3))
    masks = np.array(list(product([0, 1], repeat=4)))
    kept = masks.sum(axis=1)
    chance = (1 - p) ** kept * p ** (4 - kept)
    answers = softmax(linear(x * masks / (1 - p), weight, bias))
    geometric = np.exp(chance @ np.log(answers))
    single = softmax(linear(x[None], weight, bias))[0]
    np.testing.assert_allclose(geometric / geometric.sum(), single)
    assert abs(chance @ answers - single).max() > 0.005, "the plain mean is another number"


def least_squares(hidden, y, p):
    """The fit as ridge regression by its normal equations: another way than the page's."""
    if p == 0:
        return np.linalg.lstsq(hidden, y)[0]
    price = p / (1 - p) * (hidden**2).sum(axis=0)
    return np.linalg.solve(hidden.T @ hidden + np.diag(price), hidden.T @ y)


def test_expected_squared_error_under_dropout_is_the_error_and_a_price_on_weights(rng):
    x, w, y, p = rng.standard_normal(5), rng.standard_normal(5), 0.7, 0.2
    expected = (y - w @ x) ** 2 + p / (1 - p) * (w**2 * x**2).sum()
    masks = np.array(list(product([0, 1], repeat=5)))
    kept = masks.sum(axis=1)
    chance = (1 - p) ** kept * p ** (5 - kept)
    assert chance @ (y - (x * masks / (1 - p)) @ w) ** 2 == pytest.approx(expected)


@pytest.mark.claim("M10.2")
def test_in_a_least_squares_fit_dropout_trades_training_error_for_test_error():
    """Evidence for this fit alone, not for whole networks."""
    x, places, noise, units = np.linspace(-1, 1, 12), np.linspace(-1, 1, 101), 0.5, 100
    errors = []
    for seed in range(30):
        rng = np.random.default_rng(1000 + seed)
        y = np.sin(3 * x) + noise * rng.standard_normal(x.size)
        kink, side = rng.uniform(-1, 1, units), rng.choice([-1, 1], units)
        hidden, between = (relu(side * (at[:, None] - kink)) for at in (x, places))
        fits = [least_squares(hidden, y, p) for p in (0, 0.3, 0.95)]
        errors.append(
            [
                (np.mean((hidden @ w - y) ** 2), np.mean((between @ w - np.sin(3 * places)) ** 2))
                for w in fits
            ]
        )
    training, test = np.moveaxis(np.mean(errors, axis=0), -1, 0)
    test += noise**2
    assert training[0] < 1e-20 < training[1] < training[2]
    assert test[1] / test[0] == pytest.approx(0.74, abs=0.06)
    assert test[2] > test[0]


def neighbours_guess(image, keep):
    """Correlation of dropped pixels with the mean of their kept neighbours."""
    wide, there = np.pad(image * keep, 1), np.pad(keep * 1.0, 1)
    side = image.shape[0]
    moves = [(i, j) for i in range(3) for j in range(3)]
    total = sum(wide[i : i + side, j : j + side] for i, j in moves)
    count = sum(there[i : i + side, j : j + side] for i, j in moves)
    return np.corrcoef((total / np.maximum(count, 1))[~keep], image[~keep])[0, 1]


@pytest.mark.claim("M10.3")
def test_neighbours_fill_in_a_smooth_map_and_not_an_independent_one(rng):
    side = 96
    noise = rng.standard_normal((side, side))
    spread = np.exp(-((np.fft.fftfreq(side) * 2 * np.pi * 2.5) ** 2) / 2)
    smooth = np.fft.ifft2(np.fft.fft2(noise) * np.outer(spread, spread)).real
    for p in (0.1, 0.25, 0.5):
        keep = rng.random((side, side)) >= p
        assert neighbours_guess(smooth, keep) > 0.97
        assert abs(neighbours_guess(noise, keep)) < 0.15


@pytest.mark.claim("M10.3")
def test_which_known_networks_have_dropout_and_what_the_linter_says():
    def dropouts(diagram):
        return sum(row.name.startswith("do") for row in summarize(diagram).rows)

    counts = {name: dropouts(diagram) for name, diagram in zoo.NAMES.items()}
    assert counts["alexnet"] == counts["vgg16"] == 2
    assert counts["resnet18"] == counts["resnet50"] == 0
    text = """INPUT(3, 32, 32) => CONV(16) => RELU => POOL => DO(0.5)
        => CONV(32) => RELU => POOL => FC(64) => RELU => FC(10) => DO(0.5)"""
    assert [finding.rule for finding in lint(text)] == ["M10.3", "M13.9", "M10.3"]
    gentle = "INPUT(3, 32, 32) => CONV(16) => RELU => POOL => DO(0.25) => CONV(32) => RELU => POOL"
    assert not lint(f"{gentle} => FC(64) => RELU => DO(0.5) => FC(10)")


def test_dropout_has_no_parameters():
    rows = summarize("INPUT(3, 8, 8) => DO(0.25) => FC(4) => RELU => DO(0.5) => FC(2)").rows
    assert [row.params for row in rows if row.name.startswith("do")] == [0, 0]


@pytest.mark.parametrize("p", [0.1, 0.2, 0.5])
def test_dropout_before_batch_norm_shifts_the_variance(p, rng):
    x = rng.standard_normal(200_000) + 1.5
    want = (1 + p * 1.5**2) / (1 - p)
    assert dropout(x, p, training=True, rng=rng).var() == pytest.approx(want, rel=0.02)

    features = relu(rng.standard_normal((20_000, 64)))
    weight = rng.standard_normal((64, 64)) / 8
    mean, square = features.mean(), (features**2).mean()
    ratio = (square / (1 - p) - mean**2) / (square - mean**2)
    one, zero = np.ones(64), np.zeros(64)
    noisy = linear(dropout(features, p, training=True, rng=rng), weight)
    _, m, v = batch_norm(noisy, one, zero, zero, one, training=True, momentum=1.0)
    out, *_ = batch_norm(linear(features, weight), one, zero, m, v, training=False)
    assert out.var(axis=0).mean() == pytest.approx(1 / ratio, rel=0.04)


def test_two_dropouts_are_one_and_dropout_changes_places_with_relu_but_not_with_a_sigmoid(rng):
    x = np.array([-2.0, 3.0])
    for factor in (0, 2.0):
        np.testing.assert_array_equal(relu(factor * x), factor * relu(x))
    twice = dropout(np.ones(100_000), 0.5, training=True, rng=rng)
    twice = dropout(twice, 0.2, training=True, rng=rng)
    assert (twice == 0).mean() == pytest.approx(0.6, abs=0.01)
    assert twice.max() == pytest.approx(1 / (1 - 0.6))


def test_how_many_thinned_networks_there_are():
    assert len(list(product([0, 1], repeat=8))) == 256
    assert len(str(2**4096)) == round(4096 * np.log10(2) + 0.5) == 1234
