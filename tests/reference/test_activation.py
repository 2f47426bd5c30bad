"""Activations: values by hand, extremes, finite differences, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib.errors import DtypeError, RangeError, ShapeError
from cnnlib.reference import activation
from tests.parity.common import arrays, assert_close, finite_difference, normal

NAMES = ["relu", "leaky_relu", "elu", "sigmoid", "tanh", "softmax"]
SETTINGS = [
    ("relu", {}),
    ("leaky_relu", {}),
    ("leaky_relu", {"negative_slope": 0.0}),
    ("leaky_relu", {"negative_slope": 1.5}),
    ("elu", {}),
    ("elu", {"alpha": 0.3}),
    ("sigmoid", {}),
    ("tanh", {}),
    ("softmax", {}),
    ("softmax", {"axis": -1}),
    ("softmax", {"axis": 0}),
]


def pair(name):
    return getattr(activation, name), getattr(activation, f"{name}_backward")


def off_the_kink(shape, dtype, seed):
    """No value within a finite difference's step of 0, where three of the functions have no slope."""
    x = normal(shape, dtype, seed)
    return x + np.sign(x) * 0.01


@pytest.mark.claim("M5.1")
def test_values_by_hand():
    x = np.array([[-1.0, 0.0, 2.0]])
    e = np.e
    for name, want in {
        "relu": [0, 0, 2],
        "leaky_relu": [-0.01, 0, 2],
        "elu": [1 / e - 1, 0, 2],
        "sigmoid": [1 / (1 + e), 0.5, e**2 / (1 + e**2)],
        "tanh": [-(e**2 - 1) / (e**2 + 1), 0, (e**4 - 1) / (e**4 + 1)],
        "softmax": [p / (1 / e + 1 + e**2) for p in (1 / e, 1, e**2)],
    }.items():
        out = getattr(activation, name)(x)
        assert out.shape == x.shape, "the output has the input's shape"
        assert_close(out, np.array([want], dtype=float), tolerance=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extremes_neither_overflow_nor_warn(dtype):
    x = np.array([[-np.inf, -1e30, -800, 800, 1e30]], dtype)  # a warning would be an error here
    assert activation.relu(x).tolist() == [[0, 0, 0, 800, dtype(1e30)]]
    assert activation.elu(x).tolist() == [[-1, -1, -1, 800, dtype(1e30)]]
    assert activation.sigmoid(x).tolist() == [[0, 0, 0, 1, 1]]
    assert activation.tanh(x).tolist() == [[-1, -1, -1, 1, 1]]
    assert activation.softmax(x).tolist() == [[0, 0, 0, 0, 1]]
    for name in NAMES:
        assert np.isnan(getattr(activation, name)(np.array([[np.nan]], dtype))).all()


def test_sigmoid_is_exact_far_to_the_left():
    assert activation.sigmoid(np.array([-40.0]))[0] == pytest.approx(np.exp(-40), rel=1e-15)


@settings(max_examples=50, deadline=None)
@given(data=st.data(), shape=st.tuples(*[st.integers(1, 5)] * 3), axis=st.sampled_from([0, 1, 2]))
def test_softmax_sums_to_one_and_ignores_a_constant(data, shape, axis):
    x = data.draw(arrays(shape))
    out = activation.softmax(x, axis)
    assert (out > 0).all()
    assert_close(out.sum(axis), np.ones(out.sum(axis).shape))
    assert_close(activation.softmax(x + 100, axis), out)


@settings(max_examples=30, deadline=None)
@given(data=st.data(), shape=st.lists(st.integers(1, 4), min_size=2, max_size=4))
@pytest.mark.parametrize(("name", "options"), SETTINGS)
def test_gradients_against_finite_differences(name, options, data, shape):
    function, backward = pair(name)
    x = data.draw(arrays(shape, values=off_the_kink))
    dout = data.draw(arrays(shape))
    want = finite_difference(lambda a: function(a, **options), x, dout)
    assert_close(backward(dout, function(x, **options), **options), want, tolerance=1e-8)


def test_at_zero_the_gradient_of_relu_is_zero():
    zero, one = np.zeros(1), np.ones(1)
    assert activation.relu_backward(one, activation.relu(zero)).tolist() == [0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3,), (2, 5), (2, 3, 4, 5), (0, 4)])
@pytest.mark.parametrize(("name", "options"), SETTINGS)
def test_dtype_is_kept_and_inputs_stay_as_they_are(name, options, shape, dtype):
    function, backward = pair(name)
    if name == "softmax":
        options = {"axis": -1}
    x, dout = normal(shape, dtype), normal(shape, dtype, 1)  # read-only: writing would raise
    out = function(x, **options)
    out.flags.writeable = False
    dx = backward(dout, out, **options)
    for result in (out, dx):
        assert result.dtype == dtype
        assert result.shape == shape
        assert not np.shares_memory(result, x)
        assert not np.shares_memory(result, dout)


@pytest.mark.parametrize("setting", ["negative_slope", "alpha"])
def test_a_setting_that_is_a_numpy_float64_keeps_float32(setting):
    function, backward = pair({"negative_slope": "leaky_relu", "alpha": "elu"}[setting])
    x = normal((2, 3), np.float32)
    out = function(x, np.float64(0.5))
    assert out.dtype == backward(x, out, np.float64(0.5)).dtype == np.float32


# --- refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_integers_lists_and_wrong_gradients_are_refused(name):
    function, backward = pair(name)
    with pytest.raises(DtypeError, match="x has dtype int64: layers compute in float32 or float64"):
        function(np.ones((2, 3), int))
    with pytest.raises(ShapeError, match="x is a list, not a NumPy array"):
        function([[1.0]])
    out = function(normal((2, 3), np.float64))
    with pytest.raises(ShapeError, match=r"dout has shape \(3, 2\), expected \(2, 3\)"):
        backward(out.T, out)
    with pytest.raises(DtypeError, match="dout has dtype float32"):
        backward(out.astype(np.float32), out)


@pytest.mark.parametrize(
    ("name", "setting", "value", "text"),
    [
        ("leaky_relu", "negative_slope", -0.1,
         "negative_slope=-0.1 is out of range: it must be at least 0, for instance 0.01."),
        ("leaky_relu", "negative_slope", "0.1x",
         "negative_slope='0.1x' is not a number: it must be at least 0, for instance 0.01."),
        ("elu", "alpha", np.nan, "alpha=nan is out of range: it must be at least 0, for instance 1.0."),
    ],
)  # fmt: skip
def test_bad_settings_are_refused(name, setting, value, text):
    x = np.ones((2, 3))
    for function, args in zip(pair(name), [(x,), (x, x)], strict=True):
        with pytest.raises(RangeError) as caught:
            function(*args, **{setting: value})
        assert str(caught.value) == text


def test_an_axis_that_does_not_exist_is_refused():
    x = np.ones((2, 3))
    for call in (activation.softmax, lambda a, axis: activation.softmax_backward(a, a, axis)):
        with pytest.raises(ShapeError) as caught:
            call(x, axis=2)
        assert str(caught.value) == (
            "axis=2 does not exist in an array of shape (2, 3): use one from -2 to 1."
        )
