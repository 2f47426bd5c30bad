"""NumPy pooling is torch's: bit by bit for the maximum, with ties, NaN and −∞, to rounding for averages."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib.errors import ShapeError
from cnnlib.pytorch import pool as pytorch
from cnnlib.reference import pool as reference
from tests.parity.common import (
    DEVICES,
    LAYOUTS,
    arrays,
    assert_close,
    dtypes,
    in_layout,
    normal,
    pool_settings,
    to_torch,
    torch_gradients,
)


def tied(shape, dtype, seed):
    """Few distinct values, so that most windows have ties, with NaN and infinities among them."""
    values = np.array([-1, 0, 1, 1, -np.inf, -np.inf, -np.inf, np.inf, np.nan])
    return np.random.default_rng(seed).choice(values, shape).astype(dtype)


def assert_same_bits(got, want):
    assert got.dtype == want.dtype
    bits = f"u{got.itemsize}"
    np.testing.assert_array_equal(
        np.ascontiguousarray(got).view(bits), np.ascontiguousarray(want).view(bits)
    )


def run_max(x, kernel_size, options, device="cpu"):
    """Output and gradient of both libraries."""
    out, cache = reference.max_pool2d_forward(x, kernel_size, **options)
    np.testing.assert_array_equal(out, reference.max_pool2d(x, kernel_size, **options))
    dout = normal(out.shape, out.dtype, seed=3)
    want, (dx,) = torch_gradients(
        lambda t: pytorch.max_pool2d(t, kernel_size, **options), [x], dout, device
    )
    return out, reference.max_pool2d_backward(dout, cache), want, dx


@settings(max_examples=200, deadline=None)
@given(data=st.data(), setting=pool_settings(), dtype=dtypes)
def test_maximum_with_ties_nan_and_infinities(data, setting, dtype):
    x = data.draw(arrays(setting.x, dtype, tied))
    out, dx, want_out, want_dx = run_max(x, setting.kernel_size, setting.options)
    np.testing.assert_array_equal(out, want_out)
    assert_same_bits(dx, want_dx)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("kernel_size", "options"),
    [
        (2, {}),
        (2, {"stride": 1}),
        (3, {"stride": 2, "padding": 1}),
        (3, {"stride": 2, "rounding": "ceil"}),
        ((1, 5), {"padding": (0, 2)}),
        (17, {"stride": 3, "padding": 8}),  # more taps than a byte can name
    ],
)
def test_maximum_of_planes_larger_than_a_block(kernel_size, options, dtype, device, monkeypatch):
    monkeypatch.setattr(reference, "BLOCK_BYTES", 20_000)
    x = normal((3, 4, 40, 37), dtype)
    out, dx, want_out, want_dx = run_max(x, kernel_size, options, device)
    assert_same_bits(out, want_out)
    if device == "cpu":
        assert_same_bits(dx, want_dx)
    else:  # CUDA adds overlapping windows in no fixed order
        assert_close(dx, want_dx)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), setting=pool_settings(), dtype=dtypes)
def test_average(data, setting, dtype):
    x = data.draw(arrays(setting.x, dtype))
    out, cache = reference.avg_pool2d_forward(x, setting.kernel_size, **setting.options)
    np.testing.assert_array_equal(
        out, reference.avg_pool2d(x, setting.kernel_size, **setting.options)
    )
    dout = data.draw(arrays(out.shape, dtype))
    want, (dx,) = torch_gradients(
        lambda t: pytorch.avg_pool2d(t, setting.kernel_size, **setting.options), [x], dout
    )
    assert_close(out, want)
    assert_close(reference.avg_pool2d_backward(dout, cache), dx)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_gradient_of_minus_zero_has_torchs_sign(stride):
    """Windows that overlap and windows that do not take two ways through the backward pass."""
    x = normal((2, 3, 8, 8), np.float32)
    out, cache = reference.max_pool2d_forward(x, 2, stride=stride)
    dout = np.full_like(out, -0.0)
    _, (want,) = torch_gradients(lambda t: pytorch.max_pool2d(t, 2, stride=stride), [x], dout)
    assert_same_bits(reference.max_pool2d_backward(dout, cache), want)


@settings(max_examples=50, deadline=None)
@given(data=st.data(), shape=st.tuples(*[st.integers(1, 6)] * 4), dtype=dtypes)
def test_global_average(data, shape, dtype):
    x = data.draw(arrays(shape, dtype))
    out, cache = reference.global_avg_pool2d_forward(x)
    np.testing.assert_array_equal(out, reference.global_avg_pool2d(x))
    dout = data.draw(arrays(out.shape, dtype))
    want, (dx,) = torch_gradients(pytorch.global_avg_pool2d, [x], dout)
    assert_close(out, want)
    assert_close(reference.global_avg_pool2d_backward(dout, cache), dx)


@pytest.mark.parametrize("kind", ["max", "avg"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_order_in_memory_of_the_gradient(kind, layout):
    forward, backward = (
        getattr(reference, f"{kind}_pool2d_{way}") for way in ("forward", "backward")
    )
    out, cache = forward(normal((2, 3, 9, 8), np.float64), 3, stride=2, padding=1)
    dout = normal(out.shape, np.float64, 2)
    np.testing.assert_array_equal(backward(in_layout(dout, layout), cache), backward(dout, cache))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
def test_the_skin_keeps_channels_last_and_low_precision(name, device):
    x = to_torch(normal((2, 8, 6, 6), np.float32), device=device, memory_format=torch.channels_last)
    out = getattr(pytorch, name)(x, 2)
    assert out.is_contiguous(memory_format=torch.channels_last)
    assert_close(out, getattr(reference, name)(x.numpy(force=True), 2))
    assert getattr(pytorch, name)(x.bfloat16(), 2).dtype == torch.bfloat16


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
def test_strict_rounding_is_refused_alike(name):
    x = normal((1, 1, 5, 6), np.float64)
    messages = []
    for library, argument in ((reference, x), (pytorch, to_torch(x))):
        assert getattr(library, name)(argument[:, :, :4], 2, rounding="strict").shape[2:] == (2, 3)
        with pytest.raises(ShapeError) as caught:
            getattr(library, name)(argument, 2, rounding="strict")
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert messages[0].startswith("height: size=5, kernel=2, stride=2")
