"""The numbers and facts that chapter 9, Batch normalization, states."""

import numpy as np
import pytest
import torch

from cnnlib.diagram import lint, summarize, zoo
from cnnlib.errors import ShapeError
from cnnlib.reference.activation import relu
from cnnlib.reference.conv import conv2d
from cnnlib.reference.linear import linear
from cnnlib.reference.norm import batch_norm, batch_norm_backward, batch_norm_forward

KIND = np.array([[2.0], [4.0], [10.0], [4.0]])


def fresh(channels):
    """γ, β, running mean and running variance of a new layer."""
    one, zero = np.ones(channels), np.zeros(channels)
    return one, zero, zero, one


def normalized(x):
    return batch_norm(x, *fresh(x.shape[1]), training=True)[0]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.claim("M9.1")
def test_four_numbers_by_hand_and_the_default_epsilon():
    assert (KIND.mean(), KIND.var(), KIND.var(ddof=1)) == (5, 9, 12)
    by_hand = np.array([-1, -1 / 3, 5 / 3, -1 / 3])
    np.testing.assert_allclose(normalized(KIND).ravel(), by_hand, atol=1e-5)
    assert torch.nn.BatchNorm2d(1).eps == 1e-5
    constant = normalized(np.full((4, 1), 7.0))
    np.testing.assert_array_equal(constant, 0)


@pytest.mark.claim("M9.2")
def test_scale_and_shift_can_undo_it_and_are_two_numbers_a_channel():
    one, zero, mean, var = fresh(1)
    y, *_ = batch_norm(KIND, 3 * one, 5 + zero, mean, var, training=True)
    np.testing.assert_allclose(y, KIND, atol=1e-4)
    layer = torch.nn.BatchNorm2d(64)
    assert sum(p.numel() for p in layer.parameters()) == 2 * 64
    assert layer.running_mean.numel() + layer.running_var.numel() == 2 * 64
    assert summarize("INPUT(64, 8, 8) => BN").totals.params == 2 * 64


@pytest.mark.claim("M9.3")
def test_running_averages_after_one_batch_and_how_soon_they_arrive():
    one, zero, mean, var = fresh(1)
    _, mean, var = batch_norm(KIND, one, zero, mean, var, training=True)
    np.testing.assert_allclose((mean[0], var[0]), (0.5, 2.1))
    layer = torch.nn.BatchNorm1d(1)
    layer(torch.tensor(KIND, dtype=torch.float32))
    assert layer.momentum == 0.1
    np.testing.assert_allclose(
        (layer.running_mean.item(), layer.running_var.item()), (0.5, 2.1), rtol=1e-6
    )
    reached, mean, var = 0, zero, one
    while abs(mean[0] - 5) > 0.01 * 5:
        _, mean, var = batch_norm(KIND, one, zero, mean, var, training=True)
        reached += 1
    assert reached == 44
    assert 0.9**44 < 0.01 < 0.9**43


@pytest.mark.claim("M9.4")
def test_mean_0_and_variance_1_hold_if_bn_is_last_and_not_before_relu(rng):
    sums = 0.3 + 0.5 * rng.standard_normal((64, 4, 12, 12))
    last = normalized(relu(sums))
    np.testing.assert_allclose(last.mean(axis=(0, 2, 3)), 0, atol=1e-12)
    var = relu(sums).var(axis=(0, 2, 3))
    np.testing.assert_allclose(last.var(axis=(0, 2, 3)), var / (var + 1e-5))
    assert (last != 0).all()
    before = relu(normalized(sums))
    np.testing.assert_allclose(before.mean(axis=(0, 2, 3)), 1 / np.sqrt(2 * np.pi), atol=0.02)
    np.testing.assert_allclose(before.var(axis=(0, 2, 3)), 0.5 - 0.5 / np.pi, atol=0.02)
    np.testing.assert_allclose((before == 0).mean(axis=(0, 2, 3)), 0.5, atol=0.02)


def test_twice_the_weights_is_1024_times_the_spread_without_bn_and_nothing_with_it(rng):
    start, weights = rng.standard_normal((256, 100)), rng.standard_normal((10, 100, 100))

    def through(scale, layer):
        x = start
        for weight in weights:
            x = relu(layer(linear(x, scale * weight)))
        return x

    def plain(x):
        return x

    ratio = through(0.28, plain).std() / through(0.14, plain).std()
    np.testing.assert_allclose(ratio, 2**10)
    np.testing.assert_allclose(
        through(0.28, normalized), through(0.14, normalized), rtol=1e-3, atol=1e-3
    )


def test_a_bias_before_bn_is_useless_and_behind_relu_it_is_not(rng):
    images, filters = rng.random((8, 3, 6, 6)), rng.standard_normal((4, 3, 3, 3))
    bias = np.array([9.0, -7.0, 0.5, 100.0])
    plain, biased = conv2d(images, filters), conv2d(images, filters, bias)
    np.testing.assert_allclose(normalized(plain), normalized(biased), atol=1e-10)
    assert not np.allclose(normalized(relu(plain)), normalized(relu(biased)))


def test_bn_folds_into_the_conv_before_it_and_into_one_behind_it_but_for_the_border(rng):
    x = rng.random((2, 3, 6, 6))
    w, b = rng.standard_normal((4, 3, 3, 3)), rng.standard_normal(4)
    gamma, beta, mean, var = *rng.standard_normal((3, 4)), rng.random(4) + 0.5
    s = gamma / np.sqrt(var + 1e-5)
    for padding in (0, 1):
        out = conv2d(x, w, b, padding=padding)
        two, *_ = batch_norm(out, gamma, beta, mean, var, training=False)
        folded = w * s[:, None, None, None], s * (b - mean) + beta
        np.testing.assert_allclose(conv2d(x, *folded, padding=padding), two)

    s, t = s[:3], (beta - s * mean)[:3]
    shifted = x * s[:, None, None] + t[:, None, None]
    folded = w * s[:, None, None], b + np.einsum("kcij,c->k", w, t)
    np.testing.assert_allclose(conv2d(x, *folded), conv2d(shifted, w, b))
    padded, wanted = conv2d(x, *folded, padding=1), conv2d(shifted, w, b, padding=1)
    np.testing.assert_allclose(padded[..., 1:-1, 1:-1], wanted[..., 1:-1, 1:-1])
    assert not np.allclose(padded, wanted)
    frame = np.broadcast_to((-t / s)[:, None, None], (2, 3, 8, 8)).copy()
    frame[..., 1:-1, 1:-1] = x
    np.testing.assert_allclose(conv2d(frame, *folded), wanted)


def test_the_gradient_by_hand_sums_to_zero_and_is_orthogonal_to_x_hat(rng):
    (x_hat, *_), cache = batch_norm_forward(KIND, *fresh(1), training=True)
    g = np.array([[0.0], [0.0], [12.0], [0.0]])
    dx, dgamma, dbeta = batch_norm_backward(g, cache)
    np.testing.assert_allclose(9 * dx.ravel(), (6, -4, 2, -4), atol=1e-4)
    np.testing.assert_allclose((dgamma[0], dbeta[0]), (20, 12), atol=1e-4)
    torch_x = torch.tensor(KIND, requires_grad=True)
    layer = torch.nn.BatchNorm1d(1, dtype=torch.float64)
    layer(torch_x).backward(torch.tensor(g))
    np.testing.assert_allclose(dx, torch_x.grad)
    (x_hat, *_), cache = batch_norm_forward(
        rng.standard_normal((4, 3, 5, 5)), *fresh(3), training=True
    )
    dx, *_ = batch_norm_backward(rng.standard_normal((4, 3, 5, 5)), cache)
    np.testing.assert_allclose(dx.sum(axis=(0, 2, 3)), 0, atol=1e-12)
    np.testing.assert_allclose((dx * x_hat).sum(axis=(0, 2, 3)), 0, atol=1e-3)


def test_a_batch_of_two_becomes_plus_and_minus_one(rng):
    x = rng.standard_normal((2, 50))
    far = abs(x[0] - x[1]) > 0.1
    np.testing.assert_allclose(abs(normalized(x)[:, far]), 1, atol=0.01)


def test_a_batch_of_one_is_refused_for_features_and_not_for_volumes(rng):
    with pytest.raises(ShapeError):
        normalized(rng.standard_normal((1, 3)))
    with pytest.raises(ValueError, match="more than 1 value"):
        torch.nn.BatchNorm1d(3)(torch.zeros(1, 3))
    normalized(rng.standard_normal((1, 3, 4, 4)))


def test_ten_times_the_weights_give_a_tenth_of_their_gradient(rng):
    images, dout = torch.tensor(rng.random((8, 3, 6, 6))), torch.tensor(rng.random((8, 4, 4, 4)))
    weight = torch.tensor(rng.standard_normal((4, 3, 3, 3)))

    def gradient(scale):
        w = (scale * weight).requires_grad_()
        sums = torch.nn.functional.conv2d(images, w)
        torch.nn.functional.batch_norm(sums, None, None, training=True, eps=1e-12).backward(dout)
        return w.grad.numpy()

    np.testing.assert_allclose(gradient(10), gradient(1) / 10, rtol=1e-6, atol=1e-12)


@pytest.mark.claim("M9.8")
def test_the_linter_reports_a_mixture_and_bn_on_the_scores_and_neither_order():
    def reported(body):
        found = lint("INPUT(3, 32, 32) => " + body)
        return [(finding.rule, finding.severity) for finding in found]

    assert reported("[CONV(16) => BN => RELU] * 2 => FC(10) => SOFTMAX") == []
    assert reported("[CONV(16) => RELU => BN] * 2 => FC(10) => SOFTMAX") == []
    mixed = "CONV(16) => BN => RELU => CONV(16) => RELU => BN => FC(10) => SOFTMAX"
    assert reported(mixed) == [("M9.8", "note")]
    scores = "[CONV(16) => RELU => BN] * 2 => FC(10) => BN => SOFTMAX"
    assert reported(scores) == [("M9.8", "warning")]


@pytest.mark.claim("M9.8")
def test_bn_on_the_scores_makes_a_dog_of_a_cat():
    scores = np.array([[8.0, 1], [9, 4], [12, 2], [11, 3]])
    assert (scores.argmax(axis=1) == 0).all()
    assert normalized(scores).argmax(axis=1).tolist() == [0, 1, 0, 0]


def test_resnets_put_bn_before_relu_and_it_is_a_small_part_of_the_operations():
    for text in (zoo.resnet18, zoo.resnet50):
        assert "BN => RELU" in text
        assert "RELU => BN" not in text
    table = summarize(zoo.resnet18)
    bn = [row for row in table.rows if row.text.startswith("BN")]
    assert len(bn) == 20
    assert round(sum(row.flops for row in bn) / table.totals.flops, 4) == 0.0014
