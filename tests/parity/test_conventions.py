"""The conventions that cnnlib calls PyTorch's are PyTorch's."""

import inspect

import numpy as np
import pytest
import torch

from cnnlib.reference import conventions, dropout, norm
from tests.parity.common import assert_close, normal, to_torch


def test_defaults_of_batch_norm_are_torchs():
    ours = inspect.signature(norm.batch_norm).parameters
    layer = torch.nn.BatchNorm2d(3)
    assert ours["momentum"].default == layer.momentum == 0.1
    assert ours["eps"].default == layer.eps == 1e-5


@pytest.mark.claim("M9.3")
def test_torchs_momentum_weighs_the_new_batch_and_its_running_variance_is_unbiased():
    layer, x = torch.nn.BatchNorm1d(2, momentum=conventions.momentum_from_decay(0.9)).double(), normal((8, 2), np.float64)  # fmt: skip
    layer(to_torch(x))
    assert_close(layer.running_mean, 0.1 * x.mean(axis=0))
    unbiased = conventions.unbiased_variance(x.var(axis=0), 8)
    assert_close(unbiased, to_torch(x).var(dim=0))
    assert_close(layer.running_var, 0.9 + 0.1 * unbiased)


@pytest.mark.claim("M10.1")
def test_torchs_dropout_takes_the_share_that_is_dropped():
    torch.manual_seed(0)
    kept = torch.nn.functional.dropout(torch.ones(100_000), conventions.drop_from_keep(0.9)) != 0
    ours = dropout.dropout(
        np.ones(100_000),
        conventions.drop_from_keep(0.9),
        training=True,
        rng=np.random.default_rng(0),
    )
    for share in (kept.float().mean().item(), np.mean(ours != 0)):
        assert share == pytest.approx(0.9, abs=0.01)


def test_channels_last_is_torchs_memory_format():
    x = normal((2, 3, 4, 5), np.float32)
    last = to_torch(x, memory_format=torch.channels_last)
    assert last.shape == x.shape, "in torch the axes keep their order and only the memory changes"
    in_memory = last.permute(0, 2, 3, 1)
    assert in_memory.is_contiguous()
    np.testing.assert_array_equal(in_memory.numpy(), conventions.channels_last(x))


def test_torchs_convolution_does_not_flip_the_kernel():
    x, kernel = normal((9,), np.float64), normal((4,), np.float64, 1)
    out = torch.nn.functional.conv1d(to_torch(x)[None, None], to_torch(kernel)[None, None])
    assert_close(out[0, 0], np.correlate(x, kernel, mode="valid"))
    flipped = conventions.flip_kernel(kernel[None, None])[0]
    out = torch.nn.functional.conv1d(to_torch(x)[None, None], to_torch(flipped)[None])
    assert_close(out[0, 0], np.convolve(x, kernel, mode="valid"))


def test_torchs_layouts_of_weights():
    assert torch.nn.Conv2d(3, 8, (5, 7)).weight.shape == (8, 3, 5, 7)
    assert torch.nn.Linear(3, 8).weight.shape == (8, 3)
