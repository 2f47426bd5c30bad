"""NumPy batch normalization is torch's: output, running statistics, every gradient."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib.pytorch import norm as pytorch
from cnnlib.reference import norm as reference
from tests.parity.common import (
    DEVICES,
    arrays,
    assert_close,
    dtypes,
    normal,
    to_torch,
    torch_gradients,
)

shapes = st.one_of(
    st.tuples(st.integers(2, 8), st.integers(1, 5)),
    st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 6), st.integers(2, 6)),
)
momenta = st.sampled_from([0.0, 0.1, 0.5, 1.0])


def positive(shape, dtype, seed):
    return np.abs(normal(shape, dtype, seed)) + dtype(0.1)


@settings(max_examples=150, deadline=None)
@given(
    data=st.data(),
    shape=shapes,
    dtype=dtypes,
    training=st.booleans(),
    momentum=momenta,
    eps=st.sampled_from([1e-3, 0.1]),
)
def test_output_statistics_and_gradients(data, shape, dtype, training, momentum, eps):
    x, dout = data.draw(arrays(shape, dtype)), data.draw(arrays(shape, dtype))
    gamma, beta, mean = (data.draw(arrays(shape[1:2], dtype)) for _ in range(3))
    var = data.draw(arrays(shape[1:2], dtype, positive))
    options = {"training": training, "momentum": momentum, "eps": eps}
    result, cache = reference.batch_norm_forward(x, gamma, beta, mean, var, **options)
    for a, b in zip(
        result, reference.batch_norm(x, gamma, beta, mean, var, **options), strict=True
    ):
        np.testing.assert_array_equal(a, b)
    kept = []

    def skin(x, gamma, beta):
        out, *kept[:] = pytorch.batch_norm(x, gamma, beta, to_torch(mean), to_torch(var), **options)
        return out

    want, gradients = torch_gradients(skin, (x, gamma, beta), dout)
    # Two nearly equal values in a channel: 1/σ reaches 1/√ε, and rounding is magnified as much.
    magnified = 1 / np.sqrt(eps)
    for got, wanted in zip(result, (want, *kept), strict=True):
        assert_close(got, wanted, scale=max(magnified, np.abs(want).max()))
    for got, wanted in zip(reference.batch_norm_backward(dout, cache), gradients, strict=True):
        assert_close(got, wanted, scale=max(magnified, np.abs(wanted).max()))


@pytest.mark.claim("M9.3")
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(16, 3), (4, 3, 5, 6)])
def test_running_statistics_after_several_steps_are_those_of_torchs_own_layer(shape, dtype, device):
    layer_type = torch.nn.BatchNorm1d if len(shape) == 2 else torch.nn.BatchNorm2d
    layer = layer_type(3).to(device, to_torch(np.zeros(1, dtype)).dtype)
    gamma, beta, mean, var = (np.full(3, value, dtype) for value in (1, 0, 0, 1))
    on_torch = tuple(to_torch(a, device=device) for a in (mean, var))
    for step in range(5):
        x = normal(shape, dtype, step) * dtype(step + 1) + dtype(step)
        out, mean, var = reference.batch_norm(x, gamma, beta, mean, var, training=True)
        skin, *on_torch = pytorch.batch_norm(
            to_torch(x, device=device), *(to_torch(a, device=device) for a in (gamma, beta)),
            *on_torch, training=True,
        )  # fmt: skip
        want = layer(to_torch(x, device=device))
        assert_close(out, want)
        assert_close(skin, want)
    for got, also, wanted in zip(
        (mean, var), on_torch, (layer.running_mean, layer.running_var), strict=True
    ):
        assert_close(got, wanted)
        assert_close(also, wanted)
    layer.eval()
    x = normal(shape, dtype, 9)
    out, _, _ = reference.batch_norm(x, gamma, beta, mean, var, training=False)
    assert_close(out, layer(to_torch(x, device=device)))


@pytest.mark.parametrize("device", DEVICES)
def test_the_skin_changes_no_argument(device):
    x = to_torch(normal((4, 3, 5, 5), np.float32), device=device)
    mean, var = torch.zeros(3, device=device), torch.ones(3, device=device)
    one, zero = torch.ones(3, device=device), torch.zeros(3, device=device)
    _, new_mean, new_var = pytorch.batch_norm(x, one, zero, mean, var, training=True)
    assert not mean.any()
    assert (var == 1).all()
    assert new_mean.any()
    assert (new_var != 1).all()
    _, same_mean, same_var = pytorch.batch_norm(x, one, zero, mean, var, training=False)
    assert same_mean is mean
    assert same_var is var


@pytest.mark.parametrize("device", DEVICES)
def test_the_skin_keeps_channels_last_and_works_under_autocast(device):
    x = normal((2, 8, 6, 6), np.float32)
    state = [np.full(8, value, np.float32) for value in (1, 0, 0, 1)]
    tensors = [to_torch(a, device=device) for a in state]
    last = to_torch(x, device=device, memory_format=torch.channels_last)
    out, mean, var = pytorch.batch_norm(last, *tensors, training=True)
    assert out.is_contiguous(memory_format=torch.channels_last)
    for got, want in zip(
        (out, mean, var), reference.batch_norm(x, *state, training=True), strict=True
    ):
        assert_close(got, want)
    with torch.autocast(device, dtype=torch.bfloat16):
        half, mean, _ = pytorch.batch_norm(last.bfloat16(), *tensors, training=True)
    assert half.dtype == torch.bfloat16
    assert mean.dtype == torch.float32
    assert_close(half.float(), out, tolerance=2e-2)
