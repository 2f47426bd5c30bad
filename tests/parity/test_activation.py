"""NumPy activations are torch's: forward and gradient."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib.pytorch import activation as pytorch
from cnnlib.reference import activation as reference
from tests.parity.common import (
    DEVICES,
    arrays,
    assert_close,
    dtypes,
    normal,
    to_torch,
    torch_gradients,
)

NAMES = ["relu", "leaky_relu", "elu", "sigmoid", "tanh", "softmax"]


def options_for(name):
    """A strategy for the keyword arguments of an activation."""
    values = {
        "leaky_relu": {"negative_slope": st.floats(0, 2)},
        "elu": {"alpha": st.floats(0, 3)},
        "softmax": {"axis": st.integers(-2, 1)},
    }
    return st.fixed_dictionaries({}, optional=values.get(name, {}))


def with_zeros_and_large(shape, dtype, seed):
    """Values of both signs and several sizes; a tenth of them exactly 0, where slopes jump."""
    rng = np.random.default_rng(seed)
    return (
        rng.standard_normal(shape) * rng.choice([0, 0.01, 1, 5, 30], shape, p=[0.1, 0.2, 0.4, 0.2, 0.1])
    ).astype(dtype)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(data=st.data(), shape=st.lists(st.integers(1, 6), min_size=2, max_size=4), dtype=dtypes)
@pytest.mark.parametrize("name", NAMES)
def test_forward_and_gradient(name, data, shape, dtype):
    x = data.draw(arrays(shape, dtype, with_zeros_and_large))
    dout = data.draw(arrays(shape, dtype))
    options = data.draw(options_for(name))
    out = getattr(reference, name)(x, **options)
    want, (dx,) = torch_gradients(lambda t: getattr(pytorch, name)(t, **options), [x], dout)
    assert_close(out, want)
    assert_close(getattr(reference, f"{name}_backward")(dout, out, **options), dx)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", NAMES)
def test_the_skin_works_on_a_device_in_channels_last_and_in_low_precision(name, device):
    x = normal((2, 8, 4, 3), np.float32)
    tensor = to_torch(x, device=device, memory_format=torch.channels_last)
    out = getattr(pytorch, name)(tensor)
    if name != "softmax":  # torch's own writes its result in the standard order
        assert out.is_contiguous(memory_format=torch.channels_last)
    assert_close(out, getattr(reference, name)(x))
    assert getattr(pytorch, name)(tensor.bfloat16()).dtype == torch.bfloat16
