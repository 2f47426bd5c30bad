"""Dropout follows one rule in both libraries; the random numbers are each library's own."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib.pytorch import dropout as pytorch
from cnnlib.reference import dropout as reference
from tests.parity.common import (
    DEVICES,
    arrays,
    assert_close,
    dtypes,
    normal,
    seeds,
    to_torch,
)


def run_torch(x, p, dout, rng, training=True, device="cpu"):
    tensor = to_torch(x, requires_grad=True, device=device)
    out = pytorch.dropout(tensor, p, training=training, rng=rng)
    out.backward(to_torch(dout, device=device))
    return out.numpy(force=True), tensor.grad.numpy(force=True)


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    shape=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    p=st.floats(0, 0.95),
    seed=seeds,
    dtype=dtypes,
)
def test_with_the_same_mask_output_and_gradient_are_equal(data, shape, p, seed, dtype):
    x, dout = data.draw(arrays(shape, dtype)), data.draw(arrays(shape, dtype))
    out, dx = run_torch(x, p, dout, torch.Generator().manual_seed(seed))
    mask = (
        torch.empty(shape).bernoulli_(1 - p, generator=torch.Generator().manual_seed(seed))
    ).numpy()
    cache = (mask.astype(bool), 1 / (1 - p), tuple(shape), np.dtype(dtype))
    assert_close(reference.dropout_backward(dout, cache), dx)
    assert_close((x * mask.astype(dtype)) * dtype(1 / (1 - p)), out)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("seeded", [True, False])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_both_drop_the_same_share_and_scale_alike(p, seeded, device):
    x = normal((500, 200), np.float32) + np.float32(10)
    torch.manual_seed(0)
    rng = torch.Generator(device).manual_seed(0) if seeded else None
    ours = reference.dropout(x, p, training=True, rng=np.random.default_rng(0))
    theirs, dx = run_torch(x, p, np.ones_like(x), rng, device=device)
    for out in (ours, theirs):
        kept = out != 0
        assert abs(np.count_nonzero(kept) - x.size * (1 - p)) <= 5 * np.sqrt(x.size * p * (1 - p))
        assert_close(out[kept], x[kept] / np.float32(1 - p))
    assert_close(dx, (theirs != 0) / np.float32(1 - p))


@pytest.mark.parametrize("device", DEVICES)
def test_at_test_time_both_return_their_input(device):
    x = normal((3, 4), np.float32)
    for rng in (None, torch.Generator(device)):
        out, dx = run_torch(x, 0.5, x, rng, training=False, device=device)
        np.testing.assert_array_equal(out, reference.dropout(x, 0.5, training=False, rng=None))
        np.testing.assert_array_equal(dx, x)


@pytest.mark.parametrize("device", DEVICES)
def test_the_skin_keeps_channels_last_and_low_precision(device):
    x = to_torch(normal((2, 8, 6, 6), np.float32), device=device, memory_format=torch.channels_last)
    rng = torch.Generator(device).manual_seed(0)
    for tensor in (x, x.bfloat16()):
        out = pytorch.dropout(tensor, 0.5, training=True, rng=rng)
        assert out.is_contiguous(memory_format=torch.channels_last)
        assert out.dtype == tensor.dtype
    with pytest.raises(ZeroDivisionError):
        pytorch.dropout(x, 1.0, training=True, rng=rng)
