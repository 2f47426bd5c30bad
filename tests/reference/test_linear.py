"""The fully connected layer: counts and sums by hand, finite differences, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib.errors import DtypeError, ShapeError
from cnnlib.reference.linear import (
    flatten,
    flatten_backward,
    flatten_forward,
    linear,
    linear_backward,
    linear_forward,
)
from tests.parity.common import arrays, assert_close, finite_difference, normal


@pytest.mark.claim("M8.1")
def test_every_neuron_sees_every_feature():
    x, weight = np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]]), np.array([[1.0, 10.0, 100.0]])
    assert linear(x, weight).tolist() == [[321], [10]]
    assert linear(x, weight, np.array([0.5])).tolist() == [[321.5], [10.5]]
    out, cache = linear_forward(x, weight, np.array([0.5]))
    assert out.tolist() == [[321.5], [10.5]]
    dx, dweight, dbias = linear_backward(np.array([[1.0], [2.0]]), cache)
    assert dx.tolist() == [[1, 10, 100], [2, 20, 200]]
    assert dweight.tolist() == [[1, 2 + 2, 3]], "summed over the batch"
    assert dbias.tolist() == [3]


def test_flatten_goes_channel_by_channel_and_back():
    x = np.arange(12.0).reshape(1, 3, 2, 2)
    assert flatten(x).tolist() == [list(range(12))]
    assert flatten(np.asfortranarray(x)).tolist() == [list(range(12))], "whatever the memory order"
    out, cache = flatten_forward(x)
    np.testing.assert_array_equal(flatten_backward(out, cache), x)
    assert flatten(np.zeros((0, 3, 2))).shape == (0, 6)
    assert flatten(np.zeros(4)).shape == (4, 1)


@settings(max_examples=30, deadline=None)
@given(data=st.data(), sizes=st.tuples(*[st.integers(1, 5)] * 3))
def test_gradients_against_finite_differences(data, sizes):
    n, d, k = sizes
    x, weight, bias = (data.draw(arrays(shape)) for shape in [(n, d), (k, d), (k,)])
    dout = data.draw(arrays((n, k)))
    _, cache = linear_forward(x, weight, bias)
    dx, dweight, dbias = linear_backward(dout, cache)

    def compare(got, function, argument):
        assert_close(got, finite_difference(function, argument, dout), tolerance=1e-8)

    compare(dx, lambda a: linear(a, weight, bias), x)
    compare(dweight, lambda a: linear(x, a, bias), weight)
    compare(dbias, lambda a: linear(x, weight, a), bias)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept_and_inputs_stay_as_they_are(dtype):
    x, weight, bias = normal((4, 3), dtype), normal((2, 3), dtype, 1), normal((2,), dtype, 2)
    out, cache = linear_forward(x, weight, bias)  # read-only: writing would raise
    results = [out, *linear_backward(normal((4, 2), dtype, 3), cache)]
    assert {r.dtype for r in results} == {np.dtype(dtype)}
    assert not any(np.shares_memory(r, a) for r in results for a in (x, weight, bias))
    _, cache = linear_forward(x, weight)
    assert linear_backward(out, cache)[2] is None


# --- refusals ---------------------------------------------------------------------------------------

X, WEIGHT = np.zeros((2, 3)), np.zeros((4, 3))


@pytest.mark.parametrize(
    ("args", "error", "text"),
    [
        ((X[0], WEIGHT), ShapeError,
         "x has shape (3,), 1 axes: this layer needs (N, D). "
         "Add a missing axis with x[None] or reshape it."),
        ((X, WEIGHT[0]), ShapeError,
         "weight has shape (3,), 1 axes: this layer needs (K, D). "
         "Add a missing axis with weight[None] or reshape it."),
        ((X, WEIGHT.T), ShapeError,
         "x has 3 features, but weight has shape (3, 4), for 4 features: make weight.shape[1] 3, "
         "or check that x is (N, D) and weight (K, D), not (D, K)."),
        ((X, WEIGHT, np.zeros(3)), ShapeError,
         "bias has shape (3,), expected (4,): one number for each of the 4 rows of weight."),
        ((X, WEIGHT.astype(np.float32)), DtypeError,
         "weight has dtype float32, but x has float64: a layer computes in one dtype. "
         "Convert it with weight.astype(x.dtype)."),
        ((X.astype(int), WEIGHT), DtypeError,
         "x has dtype int64: layers compute in float32 or float64. Convert it with x.astype(np.float32)."),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_a_remedy(args, error, text):
    for layer in (linear, linear_forward):
        with pytest.raises(error) as caught:
            layer(*args)
        assert str(caught.value) == text


def test_flatten_refuses_a_single_number_and_wrong_gradients():
    with pytest.raises(ShapeError, match=r"x has shape \(\), no axis for the batch"):
        flatten(np.array(1.0))
    _, cache = flatten_forward(np.zeros((2, 3, 4)))
    with pytest.raises(ShapeError, match=r"dout has shape \(2, 3, 4\), expected \(2, 12\)"):
        flatten_backward(np.zeros((2, 3, 4)), cache)
    out, cache = linear_forward(X, WEIGHT)
    with pytest.raises(DtypeError, match="dout has dtype float32"):
        linear_backward(out.astype(np.float32), cache)
