"""Batch normalization: the definition, running statistics by hand, finite differences, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib.errors import DtypeError, RangeError, ShapeError
from cnnlib.reference.norm import batch_norm, batch_norm_backward, batch_norm_forward
from tests.parity.common import arrays, assert_close, finite_difference, normal

shapes = st.one_of(
    st.tuples(st.integers(2, 6), st.integers(1, 4)),
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(2, 4)),
)


def fresh(channels, dtype=np.float64):
    """γ, β, running mean and variance before any learning."""
    return tuple(np.full(channels, value, dtype) for value in (1, 0, 0, 1))


def trained(channels, seed=5):
    """γ, β, running mean and variance of a network that has learned something."""
    gamma, beta, mean, spread = normal((4, channels), np.float64, seed)
    return gamma, beta, mean, spread**2 + 0.1


@pytest.mark.claim("M9.1", "M9.4")
@pytest.mark.parametrize("shape", [(50, 3), (6, 3, 5, 4)])
def test_training_gives_zero_mean_and_unit_variance_per_channel(shape):
    x = 3 * normal(shape, np.float64) + np.arange(3).reshape(3, *(1,) * (len(shape) - 2))
    out, _, _ = batch_norm(x, *fresh(3), training=True, eps=1e-12)
    axes = (0, *range(2, len(shape)))
    assert_close(out.mean(axis=axes), np.zeros(3))
    assert_close(out.var(axis=axes), np.ones(3), tolerance=1e-9)
    mean, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    assert_close(batch_norm(x, *fresh(3), training=True)[0], (x - mean) / np.sqrt(var + 1e-5))


@pytest.mark.claim("M9.2")
def test_gamma_and_beta_set_the_scale_and_shift_of_each_channel():
    x = normal((6, 2, 3, 3), np.float64)
    gamma, beta = np.array([2.0, 0.5]), np.array([7.0, -1.0])
    out, _, _ = batch_norm(x, gamma, beta, *fresh(2)[2:], training=True, eps=1e-12)
    assert_close(out.mean(axis=(0, 2, 3)), beta)
    assert_close(out.std(axis=(0, 2, 3)), gamma, tolerance=1e-9)


@pytest.mark.claim("M9.3")
def test_running_statistics_by_hand():
    x = np.array([[1.0], [5.0]])  # mean 3, variance 4 biased and 8 unbiased
    gamma, beta, mean, var = fresh(1)
    out, mean, var = batch_norm(x, gamma, beta, mean, var, training=True)
    assert_close(out, np.array([[-2], [2]]) / np.sqrt(4 + 1e-5))
    assert mean.tolist() == [pytest.approx(0.1 * 3)]
    assert var.tolist() == [pytest.approx(0.9 * 1 + 0.1 * 8)]
    _, mean, var = batch_norm(x, gamma, beta, mean, var, training=True, momentum=0.5)
    assert mean.tolist() == [pytest.approx(0.5 * 0.3 + 0.5 * 3)]
    assert var.tolist() == [pytest.approx(0.5 * 1.7 + 0.5 * 8)]
    out, same_mean, same_var = batch_norm(x, gamma, beta, mean, var, training=False)
    assert_close(out, (x - 1.65) / np.sqrt(4.85 + 1e-5))
    assert same_mean is mean
    assert same_var is var


def test_at_test_time_each_image_stands_alone():
    x = normal((4, 3, 2, 2), np.float64)
    whole, _, _ = batch_norm(x, *trained(3), training=False)
    alone, _, _ = batch_norm(x[:1], *trained(3), training=False)
    assert_close(alone, whole[:1])


@pytest.mark.parametrize("shape", [(4096, 2), (8, 2, 32, 32)])
def test_a_mean_of_a_thousand_costs_no_digits_of_the_variance(shape):
    x = (1000 + 0.01 * normal(shape, np.float64)).astype(np.float32)
    exact = x.astype(np.float64)
    got, mean, var = batch_norm(x, *fresh(2, np.float32), training=True, momentum=1.0)
    want, exact_mean, exact_var = batch_norm(exact, *fresh(2), training=True, momentum=1.0)
    np.testing.assert_allclose(mean, exact_mean, rtol=1e-7)
    np.testing.assert_allclose(
        var, exact_var, rtol=1e-4
    )  # 1e-4: half a digit of x near 1000 is 3e-5
    np.testing.assert_allclose(got, want, atol=1e-2)
    squares = np.mean(x**2, axis=(0, *range(2, x.ndim))) - mean**2
    assert (np.abs(squares - exact_var) > 0.1 * exact_var).all(), "the one-pass formula has lost it"


# --- gradients --------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(data=st.data(), shape=shapes, training=st.booleans())
def test_gradients_against_finite_differences(data, shape, training):
    x, dout = data.draw(arrays(shape)), data.draw(arrays(shape))
    gamma, beta, mean, var = trained(shape[1])
    options = {"training": training, "eps": 0.1}  # a large ε keeps two equal values differentiable
    _, cache = batch_norm_forward(x, gamma, beta, mean, var, **options)
    dx, dgamma, dbeta = batch_norm_backward(dout, cache)

    def compare(got, function, argument):
        want = finite_difference(lambda a: function(a)[0], argument, dout)
        assert_close(got, want, tolerance=1e-7)

    compare(dx, lambda a: batch_norm(a, gamma, beta, mean, var, **options), x)
    compare(dgamma, lambda a: batch_norm(x, a, beta, mean, var, **options), gamma)
    compare(dbeta, lambda a: batch_norm(x, gamma, a, mean, var, **options), beta)


@settings(max_examples=30, deadline=None)
@given(data=st.data(), shape=shapes)
def test_in_training_the_gradient_has_no_part_that_the_layer_removes(data, shape):
    x, dout = data.draw(arrays(shape)), data.draw(arrays(shape))
    (x_hat, *_), cache = batch_norm_forward(x, *fresh(shape[1]), training=True, eps=1e-9)
    dx, _, _ = batch_norm_backward(dout, cache)
    axes = (0, *range(2, len(shape)))
    scale = max(1.0, np.abs(dx).max())
    assert_close(dx.sum(axis=axes) / scale, np.zeros(shape[1]), tolerance=1e-6)
    assert_close((dx * x_hat).sum(axis=axes) / scale, np.zeros(shape[1]), tolerance=1e-3)


# --- the arrays themselves --------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 4, 5)])
def test_dtype_is_kept_and_inputs_stay_as_they_are(shape, training, dtype):
    inputs = [normal(shape, dtype), *(a.astype(dtype) for a in trained(3))]
    for array in inputs:
        array.flags.writeable = False  # writing would raise
    options = {"training": training, "momentum": np.float64(0.1), "eps": np.float64(1e-5)}
    result, cache = batch_norm_forward(*inputs, **options)
    dout = normal(shape, dtype, 2)
    gradients = batch_norm_backward(dout, cache)
    for array in (*result, *gradients):
        assert array.dtype == dtype
    new = (*result, *gradients) if training else (result[0], *gradients)
    assert not any(np.shares_memory(a, b) for a in new for b in (*inputs, dout))
    for a, b in zip(gradients, batch_norm_backward(dout, cache), strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_empty_batch_passes_at_test_time():
    result, cache = batch_norm_forward(np.zeros((0, 3, 2, 2)), *fresh(3), training=False)
    assert result[0].shape == (0, 3, 2, 2)
    assert batch_norm_backward(result[0], cache)[0].shape == (0, 3, 2, 2)


# --- refusals ---------------------------------------------------------------------------------------

X = np.zeros((2, 3, 4, 4))


def call(x=X, training=True, momentum=0.1, eps=1e-5, **replaced):
    names = ("gamma", "beta", "running_mean", "running_var")
    arguments = dict(zip(names, fresh(3), strict=True)) | replaced
    return batch_norm(x, **arguments, training=training, momentum=momentum, eps=eps)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"x": X[0]}, ShapeError,
         "x has shape (3, 4, 4), 3 axes: this layer needs (N, C) or (N, C, H, W). "
         "Add a missing axis with x[None] or reshape it."),
        ({"x": X.astype(int)}, DtypeError,
         "x has dtype int64: layers compute in float32 or float64. Convert it with x.astype(np.float32)."),
        ({"gamma": np.ones(4)}, ShapeError,
         "gamma has shape (4,), expected (3,): one number for each of the 3 channels of x (2, 3, 4, 4)."),
        ({"running_var": np.ones(1)}, ShapeError,
         "running_var has shape (1,), expected (3,): "
         "one number for each of the 3 channels of x (2, 3, 4, 4)."),
        ({"beta": np.zeros((1, 3))}, ShapeError,
         "beta has shape (1, 3), 2 axes: this layer needs (C). "
         "Add a missing axis with beta[None] or reshape it."),
        ({"running_mean": np.zeros(3, np.float32)}, DtypeError,
         "running_mean has dtype float32, but x has float64: a layer computes in one dtype. "
         "Convert it with running_mean.astype(x.dtype)."),
        ({"x": X[:1, :, :1, :1]}, ShapeError,
         "x has shape (1, 3, 1, 1), 1 values a channel: in training the statistics need at least 2. "
         "Use a larger batch, or training=False."),
        ({"x": X[:1, :, 0, 0]}, ShapeError,
         "x has shape (1, 3), 1 values a channel: in training the statistics need at least 2. "
         "Use a larger batch, or training=False."),
        ({"x": X[:0]}, ShapeError,
         "x has shape (0, 3, 4, 4), 0 values a channel: in training the statistics need at least 2. "
         "Use a larger batch, or training=False."),
        ({"momentum": 1.1}, RangeError,
         "momentum=1.1 is out of range: it is the weight of the new batch, from 0 to 1; "
         "the usual value is 0.1."),
        ({"momentum": None}, RangeError,
         "momentum=None is not a number: it is the weight of the new batch, from 0 to 1; "
         "the usual value is 0.1."),
        ({"eps": 0}, RangeError,
         "eps=0.0 is out of range: it must be positive, for instance 1e-5."),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_a_remedy(arguments, error, text):
    with pytest.raises(error) as caught:
        call(**arguments)
    assert str(caught.value) == text


def test_a_batch_of_one_is_welcome_where_it_has_statistics():
    call(X[:1])  # 16 pixels a channel
    call(X[:1, :, 0, 0], training=False)


def test_a_wrong_output_gradient_is_refused():
    (out, *_), cache = batch_norm_forward(X, *fresh(3), training=True)
    with pytest.raises(ShapeError, match=r"dout has shape \(2, 3\), expected \(2, 3, 4, 4\)"):
        batch_norm_backward(out[:, :, 0, 0], cache)
    with pytest.raises(DtypeError, match="dout has dtype float32"):
        batch_norm_backward(out.astype(np.float32), cache)
