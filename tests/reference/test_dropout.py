"""Dropout: rates and expectation, the mask of the backward pass, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib.errors import CnnlibError, DtypeError, RangeError, ShapeError
from cnnlib.reference import dropout as module
from cnnlib.reference.dropout import dropout, dropout_backward, dropout_forward
from tests.parity.common import arrays, assert_close, finite_difference, normal, seeds


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.claim("M10.1")
@pytest.mark.parametrize("p", [0.0, 0.1, 0.25, 0.5, 0.9, 1 / 3])
def test_a_share_p_is_dropped_and_the_rest_scaled_so_that_the_mean_stays(p):
    n = 400_000
    out = dropout(np.ones(n), p, training=True, rng=rng())
    dropped = np.count_nonzero(out == 0)
    assert abs(dropped - n * p) <= 5 * np.sqrt(n * p * (1 - p)), "five standard deviations"
    assert set(out) <= {0.0, 1 / (1 - p)}
    assert out.mean() == pytest.approx(1, abs=5 * np.sqrt(p / (1 - p) / n) + 1e-12)


@pytest.mark.parametrize("p", [1e-6, 1 - 1e-6])
def test_a_probability_finer_than_16_bits_is_met(p):
    n = 4_000_000
    dropped = n - np.count_nonzero(dropout(np.ones(n), p, training=True, rng=rng(3)))
    rare = min(dropped, n - dropped)
    assert 0 < rare < 16, "4 expected; 16 bits could only say none, or 1 in 65,536, which is 61"


def test_ties_of_the_first_16_bits_are_settled_by_further_ones(monkeypatch):
    monkeypatch.setattr(module, "WORDS", 2)  # one bit: nearly every second draw is undecided
    n = 200_000
    for p in (0.1, 0.6):
        dropped = n - np.count_nonzero(dropout(np.ones(n), p, training=True, rng=rng()))
        assert abs(dropped - n * p) <= 5 * np.sqrt(n * p * (1 - p))


@pytest.mark.claim("M10.1")
def test_each_batch_gets_its_own_mask_and_a_seed_gives_it_again():
    x, generator = np.ones(64), rng(7)
    first, second = (dropout(x, 0.5, training=True, rng=generator) for _ in range(2))
    assert (first != second).any()
    np.testing.assert_array_equal(dropout(x, 0.5, training=True, rng=rng(7)), first)


def test_neighbours_are_dropped_independently():
    dropped = dropout(np.ones((1000, 400)), 0.3, training=True, rng=rng()) == 0
    for axis in (0, 1):
        pairs = np.mean(np.diff(dropped, axis=axis) == 0)
        assert pairs == pytest.approx(0.3**2 + 0.7**2, abs=0.005)


@pytest.mark.claim("M10.1")
def test_at_test_time_nothing_happens():
    x, dout = normal((3, 4), np.float64), normal((3, 4), np.float64, 1)
    out, cache = dropout_forward(x, 0.5, training=False, rng=None)
    assert out is x
    np.testing.assert_array_equal(dropout_backward(dout, cache), dout)


@settings(max_examples=40, deadline=None)
@given(
    data=st.data(),
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    p=st.floats(0, 0.95),
    seed=seeds,
)
def test_gradient_against_finite_differences(data, shape, p, seed):
    x, dout = data.draw(arrays(shape)), data.draw(arrays(shape))
    _, cache = dropout_forward(x, p, training=True, rng=rng(seed))
    want = finite_difference(lambda a: dropout(a, p, training=True, rng=rng(seed)), x, dout)
    assert_close(dropout_backward(dout, cache), want, tolerance=1e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("p", [0.0, 0.5, np.float64(0.3)])
def test_dtype_is_kept_and_inputs_stay_as_they_are(p, dtype):
    x, dout = (
        normal((3, 4, 5), dtype),
        normal((3, 4, 5), dtype, 1),
    )  # read-only: writing would raise
    out, cache = dropout_forward(x, p, training=True, rng=rng())
    dx = dropout_backward(dout, cache)
    for result in (out, dx):
        assert result.dtype == dtype
        assert not np.shares_memory(result, x)
        assert not np.shares_memory(result, dout)
    np.testing.assert_array_equal(dropout_backward(dout, cache), dx)


# --- refusals ---------------------------------------------------------------------------------------

X = np.zeros((2, 3))
RULE = "it is the probability of dropping, at least 0 and below 1; 0.5 is usual between FC layers."


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("p", "text"),
    [
        (1.0, f"p=1.0 is out of range: {RULE}"),
        (-0.1, f"p=-0.1 is out of range: {RULE}"),
        (np.nan, f"p=nan is out of range: {RULE}"),
        (None, f"p=None is not a number: {RULE}"),
    ],
)
def test_a_p_that_is_no_probability_of_dropping_is_refused(p, text, training):
    with pytest.raises(RangeError) as caught:
        dropout(X, p, training=training, rng=rng())
    assert str(caught.value) == text


def test_other_bad_input_is_refused():
    with pytest.raises(DtypeError, match="x has dtype int64"):
        dropout(X.astype(int), 0.5, training=True, rng=rng())
    with pytest.raises(CnnlibError) as caught:
        dropout(X, 0.5, training=True, rng=42)
    assert str(caught.value) == (
        "rng=42 is not a random generator: pass one that you keep for the whole training, "
        "for instance rng = np.random.default_rng(0)."
    )
    for training in (True, False):
        _, cache = dropout_forward(X, 0.5, training=training, rng=rng())
        with pytest.raises(ShapeError, match=r"dout has shape \(3, 2\), expected \(2, 3\)"):
            dropout_backward(X.T, cache)
