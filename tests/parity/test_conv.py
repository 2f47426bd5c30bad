"""The NumPy convolution is torch's: signature, forward, every gradient, in both precisions."""

import inspect

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib.pytorch import conv as pytorch
from cnnlib.reference import conv as reference
from tests.parity.common import (
    DEVICES,
    LAYOUTS,
    arrays,
    assert_close,
    assert_same_signature,
    conv_settings,
    dtypes,
    in_layout,
    normal,
    to_torch,
    torch_gradients,
)

NAMED = {
    "batch of one": ((1, 2, 5, 5), (3, 2, 3, 3), {}),
    "1 × 1": ((2, 5, 4, 3), (4, 5, 1, 1), {}),
    "not square": ((2, 3, 7, 12), (4, 3, 2, 5), {"padding": (1, 2)}),
    "even kernel": ((2, 3, 8, 8), (4, 3, 4, 4), {"padding": 2}),
    "stride over kernel": ((2, 3, 11, 12), (4, 3, 2, 2), {"stride": (3, 5)}),
    "padding over kernel": ((2, 3, 4, 4), (4, 3, 2, 2), {"padding": 4}),
    "padding over kernel, strided": ((2, 3, 4, 4), (4, 3, 2, 2), {"padding": 4, "stride": 3}),
    "image under kernel": ((2, 3, 2, 1), (4, 3, 5, 3), {"padding": (2, 1)}),
    "dilated": ((2, 3, 11, 9), (4, 3, 3, 3), {"dilation": (3, 2), "padding": 2}),
    "groups": ((2, 6, 7, 7), (9, 2, 3, 3), {"groups": 3, "stride": 2}),
    "depthwise": ((2, 6, 7, 7), (12, 1, 3, 3), {"groups": 6, "padding": 1}),
    "rows left over": ((2, 3, 10, 10), (4, 3, 3, 3), {"stride": 4}),
    "kernel rows as views": ((2, 32, 9, 7), (8, 32, 3, 3), {"padding": 1}),
    "kernel rows as views, wide stride": ((2, 32, 9, 9), (8, 32, 3, 3), {"stride": (1, 2)}),
    "several blocks": ((1, 96, 40, 40), (8, 96, 3, 3), {"padding": 1}),
    "several blocks, strided": ((1, 96, 60, 60), (8, 96, 3, 3), {"padding": 1, "stride": 2}),
    "AlexNet's first": ((1, 3, 227, 227), (4, 3, 11, 11), {"stride": 4}),
}


def compare(x, weight, bias, options, device="cpu"):
    """Forward and gradients of both libraries."""
    out, cache = reference.conv2d_forward(x, weight, bias, **options)
    dout = normal(out.shape, out.dtype, seed=3)
    want, gradients = torch_gradients(
        lambda *tensors: pytorch.conv2d(*tensors, **options), (x, weight, bias), dout, device
    )
    assert_close(out, want)
    assert np.array_equal(out, reference.conv2d(x, weight, bias, **options))
    for got, wanted in zip(reference.conv2d_backward(dout, cache), gradients, strict=True):
        assert (got is None) == (wanted is None)
        if got is not None:
            assert_close(got, wanted)


def test_signatures_are_equal():
    assert_same_signature(reference.conv2d, pytorch.conv2d)
    for variant in (reference.conv2d_naive, reference.conv2d_forward):
        arguments = inspect.signature(variant).parameters
        assert arguments == inspect.signature(reference.conv2d).parameters


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", NAMED)
def test_named_settings(name, dtype, device, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)  # 10 bits are not float32
    x, weight, options = NAMED[name]
    compare(
        normal(x, dtype), normal(weight, dtype, 1), normal(weight[:1], dtype, 2), options, device
    )


@settings(max_examples=150, deadline=None)
@given(data=st.data(), setting=conv_settings(), dtype=dtypes)
def test_drawn_settings(data, setting, dtype):
    x, weight = (data.draw(arrays(shape, dtype)) for shape in (setting.x, setting.weight))
    compare(x, weight, data.draw(st.none() | arrays((len(weight),), dtype)), setting.options)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_order_in_memory(layout, stride):
    """Also of the output's gradient, which a following layer hands back as it likes."""
    x, weight = normal((2, 4, 9, 8), np.float64), normal((6, 4, 3, 3), np.float64, 1)
    out, cache = reference.conv2d_forward(x, weight, stride=stride)
    dout = normal(out.shape, np.float64, 2)
    twisted, twisted_cache = reference.conv2d_forward(
        in_layout(x, layout), in_layout(weight, layout), stride=stride
    )
    assert_close(twisted, out)
    for got, want in zip(
        reference.conv2d_backward(in_layout(dout, layout), twisted_cache)[:2],
        reference.conv2d_backward(dout, cache)[:2],
        strict=True,
    ):
        assert_close(got, want)


@pytest.mark.parametrize("device", DEVICES)
def test_the_skin_keeps_channels_last_and_works_under_autocast(device):
    x, weight = normal((2, 8, 6, 6), np.float32), normal((16, 8, 3, 3), np.float32, 1)
    last = {"memory_format": torch.channels_last}
    out = pytorch.conv2d(
        to_torch(x, device=device, **last), to_torch(weight, device=device, **last), padding=1
    )
    assert out.is_contiguous(memory_format=torch.channels_last)
    want = reference.conv2d(x, weight, padding=1)
    assert_close(out, want, tolerance=1e-5 if device == "cpu" else 5e-3)
    with torch.autocast(device, dtype=torch.bfloat16):
        half = pytorch.conv2d(
            to_torch(x, device=device), to_torch(weight, device=device), padding=1
        )
    assert half.dtype == torch.bfloat16
    assert_close(half.float(), want, tolerance=2e-2)
