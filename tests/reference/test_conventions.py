"""The bridges lead where they say, there and back, and refuse what cannot cross."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib.errors import RangeError, ShapeError
from cnnlib.reference import conventions
from cnnlib.reference.conv import conv2d
from cnnlib.reference.dropout import dropout
from cnnlib.reference.linear import flatten, linear
from cnnlib.reference.norm import batch_norm
from tests.parity.common import assert_close, normal

sizes = st.integers(1, 5)


def channels_last_conv(x, weight):
    """A convolution as a channels-last library defines it: x (N, H, W, C), weight (F_h, F_w, C, K)."""
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[:2], axis=(1, 2))
    return np.einsum("nhwcij,ijck->nhwk", windows, weight)


@settings(max_examples=30, deadline=None)
@given(n=sizes, h=st.integers(3, 7), w=st.integers(2, 7), c=sizes, k=sizes)
def test_a_channels_last_network_crosses_over(n, h, w, c, k):
    x = normal((n, h, w, c), np.float64)
    conv_weight = normal((3, 2, c, k), np.float64, 1)
    volume = channels_last_conv(x, conv_weight)
    fc_weight = normal((volume[0].size, 4), np.float64, 2)
    want = volume.reshape(n, -1) @ fc_weight

    maps = conv2d(conventions.channels_first(x), conventions.weight_from_hwio(conv_weight))
    assert_close(conventions.channels_last(maps), volume)
    ours = conventions.linear_weight_from_io(fc_weight, volume=maps.shape[1:])
    assert_close(linear(flatten(maps), ours), want)


def test_a_bare_transposition_after_flatten_fits_and_is_wrong():
    volume = normal((2, 3, 4, 5), np.float64)
    weight = normal((60, 7), np.float64, 1)
    want = conventions.channels_last(volume).reshape(2, 60) @ weight
    transposed = linear(flatten(volume), conventions.linear_weight_from_io(weight))
    assert transposed.shape == want.shape
    assert not np.allclose(transposed, want)


@settings(max_examples=30, deadline=None)
@given(shape=st.tuples(sizes, sizes, sizes, sizes))
def test_every_bridge_leads_back(shape):
    x = normal(shape, np.float64)
    for there, back in [
        (conventions.channels_last, conventions.channels_first),
        (conventions.weight_to_hwio, conventions.weight_from_hwio),
        (conventions.flip_kernel, conventions.flip_kernel),
    ]:
        for first, second in ((there, back), (back, there)):
            np.testing.assert_array_equal(second(first(x)), x)
    weight, volume = x.reshape(shape[0], -1), shape[1:]
    for options in ({}, {"volume": volume}):
        crossed = conventions.linear_weight_to_io(weight, **options)
        assert crossed.shape == weight.T.shape
        back = conventions.linear_weight_from_io(crossed, **options)
        np.testing.assert_array_equal(back, weight)


@pytest.mark.claim("M3.2")
def test_a_flipped_kernel_turns_correlation_into_convolution():
    x, kernel = normal((9,), np.float64), normal((4,), np.float64, 1)
    correlated = conv2d(x.reshape(1, 1, 1, 9), conventions.flip_kernel(kernel.reshape(1, 1, 1, 4)))
    assert_close(correlated.ravel(), np.convolve(x, kernel, mode="valid"))
    image, kernel = normal((6, 5), np.float64), normal((3, 2), np.float64, 1)
    size = (8, 6)  # of the full convolution, by the product of the Fourier transforms
    full = np.fft.irfft2(np.fft.rfft2(image, size) * np.fft.rfft2(kernel, size), size)
    ours = conv2d(image[None, None], conventions.flip_kernel(kernel[None, None]))
    assert_close(ours[0, 0], full[2:6, 1:5])


@pytest.mark.claim("M10.1")
def test_the_share_kept_becomes_the_share_dropped():
    p = conventions.drop_from_keep(0.8)
    assert p == pytest.approx(0.2)
    assert conventions.drop_from_keep(p) == pytest.approx(0.8)
    kept = dropout(np.ones(100_000), p, training=True, rng=np.random.default_rng(0)) != 0
    assert kept.mean() == pytest.approx(0.8, abs=0.01)


@pytest.mark.claim("M9.3")
def test_running_statistics_of_another_library_by_our_layer():
    """A library whose "momentum" 0.9 weighs the past, and whose running variance is biased."""
    x = normal((20, 3), np.float64) + 2
    one, zero = np.ones(3), np.zeros(3)
    their_mean = 0.9 * zero + (1 - 0.9) * x.mean(axis=0)
    their_var = 0.9 * one + (1 - 0.9) * x.var(axis=0)
    _, mean, var = batch_norm(
        x, one, zero, zero, one, training=True, momentum=conventions.momentum_from_decay(0.9)
    )
    assert_close(mean, their_mean)
    batch = (var - 0.9 * one) / 0.1
    assert_close(0.9 * one + 0.1 * conventions.biased_variance(batch, 20), their_var)
    assert_close(conventions.unbiased_variance(x.var(axis=0), 20), x.var(axis=0, ddof=1))


def test_another_epsilon_gives_the_same_output():
    x, var = normal((5, 3), np.float64), np.array([0.001, 0.5, 4.0])
    state = np.ones(3), np.zeros(3), normal((3,), np.float64, 1)
    want, _, _ = batch_norm(x, *state, var, training=False, eps=1e-3)
    moved = conventions.variance_for_eps(var, 1e-3, 1e-5)
    assert_close(batch_norm(x, *state, moved, training=False, eps=1e-5)[0], want)
    assert_close(conventions.variance_for_eps(moved, 1e-5, 1e-3), var)
    assert np.abs(batch_norm(x, *state, var, training=False, eps=1e-5)[0] - want).max() > 0.1, (
        "left alone, the channel that hardly varies is off by a lot"
    )


def test_the_numbers_that_the_page_states():
    quiet = np.sqrt((0.001 + 1e-3) / (0.001 + 1e-5))
    assert f"{quiet - 1:.0%}" == "41%"
    assert conventions.unbiased_variance(1.0, 32 * 16 * 16) == pytest.approx(1.0001, abs=5e-5)


# --- refusals ---------------------------------------------------------------------------------------

FLAT = np.zeros((12, 5))


@pytest.mark.parametrize(
    ("function", "args", "error", "text"),
    [
        ("drop_from_keep", (50,), RangeError,
         "keep=50.0 is out of range: it is a probability, from 0 to 1."),
        ("momentum_from_decay", ("high",), RangeError,
         "decay='high' is not a number: it is the weight of the past in the running average, from 0 to 1."),
        ("unbiased_variance", (4.0, 1), ShapeError,
         "count=1 is too small: it must be a whole number of at least 2."),
        ("biased_variance", (4.0, 2.5), ShapeError,
         "count=2.5 is not a whole number: it must be an int of at least 2."),
        ("variance_for_eps", (np.array([0.25, 1.0]), 0.25, 1.0), RangeError,
         "wanted=1.0 is too large: the smallest running variance 0.25 with eps=0.25 cannot make up "
         "for it. Use at most 0.5."),
        ("variance_for_eps", (np.ones(2), 0.0, 1.0), RangeError,
         "eps=0.0 is out of range: it must be positive, for instance 1e-5."),
        ("channels_last", (np.zeros((3, 4, 4)),), ShapeError,
         "x has shape (3, 4, 4), 3 axes: expected (N, C, H, W). "
         "Add a missing axis with x[None] or reshape it."),
        ("channels_first", (np.zeros((3, 4, 4)),), ShapeError,
         "x has shape (3, 4, 4), 3 axes: expected (N, H, W, C). "
         "Add a missing axis with x[None] or reshape it."),
        ("weight_from_hwio", (FLAT,), ShapeError,
         "weight has shape (12, 5), 2 axes: expected (F_h, F_w, C, K). "
         "Add a missing axis with weight[None] or reshape it."),
        ("weight_to_hwio", (FLAT,), ShapeError,
         "weight has shape (12, 5), 2 axes: expected (K, C, F_h, F_w). "
         "Add a missing axis with weight[None] or reshape it."),
        ("linear_weight_from_io", (FLAT, (3, 2, 3)), ShapeError,
         "volume=(3, 2, 3) has 18 numbers, but weight has 12 inputs: "
         "give (C, H, W) of the activations that were flattened."),
        ("linear_weight_to_io", (FLAT.T, (3, 4)), ShapeError,
         "volume=(3, 4) has 12 numbers, but weight has 12 inputs: "
         "give (C, H, W) of the activations that were flattened."),
        ("flip_kernel", (np.zeros(3),), ShapeError,
         "weight has shape (3,), 1 axes: a kernel needs height and width. "
         "Add the missing axis with weight[None]."),
    ],
)  # fmt: skip
def test_what_cannot_cross_is_refused(function, args, error, text):
    with pytest.raises(error) as caught:
        getattr(conventions, function)(*args)
    assert str(caught.value) == text
