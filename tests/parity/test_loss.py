"""NumPy softmax cross-entropy is torch's: loss, gradient."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib.pytorch import loss as pytorch
from cnnlib.reference import loss as reference
from tests.parity.common import (
    DEVICES,
    arrays,
    assert_close,
    dtypes,
    normal,
    seeds,
    to_torch,
)


@pytest.mark.parametrize("device", DEVICES)
@settings(max_examples=80, deadline=None)
@given(
    data=st.data(),
    n=st.integers(1, 9),
    classes=st.integers(1, 12),
    seed=seeds,
    dtype=dtypes,
    spread=st.sampled_from([0.1, 1, 30]),
)
def test_loss_and_gradient(device, data, n, classes, seed, dtype, spread):
    logits = data.draw(arrays((n, classes), dtype, lambda *args: normal(*args) * dtype(spread)))
    labels = np.random.default_rng(seed).integers(0, classes, n)
    loss, cache = reference.softmax_cross_entropy_forward(logits, labels)
    tensor = to_torch(logits, requires_grad=True, device=device)
    want = pytorch.softmax_cross_entropy(tensor, to_torch(labels, device=device))
    (2 * want).backward()
    assert loss.dtype == dtype
    assert_close(loss, want)
    assert_close(reference.softmax_cross_entropy_backward(2.0, cache), tensor.grad)


@pytest.mark.parametrize("device", DEVICES)
def test_autocast_computes_the_loss_in_float32(device):
    logits = to_torch(normal((4, 5), np.float32), device=device)
    with torch.autocast(device, dtype=torch.bfloat16):
        loss = pytorch.softmax_cross_entropy(
            logits.bfloat16(), torch.zeros(4, dtype=torch.long, device=device)
        )
    assert loss.dtype == torch.float32
