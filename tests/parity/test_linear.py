"""The NumPy fully connected layer is torch's: forward, every gradient."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib.pytorch import linear as pytorch
from cnnlib.reference import linear as reference
from tests.parity.common import (
    DEVICES,
    arrays,
    assert_close,
    dtypes,
    normal,
    to_torch,
    torch_gradients,
)


@settings(max_examples=80, deadline=None)
@given(data=st.data(), sizes=st.tuples(*[st.integers(1, 12)] * 3), dtype=dtypes)
def test_linear(data, sizes, dtype):
    n, d, k = sizes
    x, weight = data.draw(arrays((n, d), dtype)), data.draw(arrays((k, d), dtype))
    bias = data.draw(st.none() | arrays((k,), dtype))
    dout = data.draw(arrays((n, k), dtype))
    out, cache = reference.linear_forward(x, weight, bias)
    want, gradients = torch_gradients(pytorch.linear, (x, weight, bias), dout)
    assert_close(out, want)
    for got, wanted in zip(reference.linear_backward(dout, cache), gradients, strict=True):
        assert (got is None) == (wanted is None)
        if got is not None:
            assert_close(got, wanted)


@settings(max_examples=40, deadline=None)
@given(data=st.data(), shape=st.lists(st.integers(1, 5), min_size=2, max_size=5), dtype=dtypes)
def test_flatten(data, shape, dtype):
    x = data.draw(arrays(shape, dtype))
    out, cache = reference.flatten_forward(x)
    dout = data.draw(arrays(out.shape, dtype))
    want, (dx,) = torch_gradients(pytorch.flatten, [x], dout)
    np.testing.assert_array_equal(out, want)
    np.testing.assert_array_equal(reference.flatten_backward(dout, cache), dx)


@pytest.mark.parametrize("device", DEVICES)
def test_the_skins_work_on_a_device_and_under_autocast(device):
    x, weight = normal((4, 2, 3, 3), np.float32), normal((5, 18), np.float32, 1)
    tensor = to_torch(x, device=device, memory_format=torch.channels_last)
    flat = pytorch.flatten(tensor)
    assert_close(flat, reference.flatten(x))
    with torch.autocast(device, dtype=torch.bfloat16):
        out = pytorch.linear(flat, to_torch(weight, device=device))
    assert out.dtype == torch.bfloat16
    assert_close(out.float(), reference.linear(reference.flatten(x), weight), tolerance=2e-2)
