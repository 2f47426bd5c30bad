"""What every parity test shares: drawn arrays, the way to torch and back, and how close is equal.

Import it as ``from tests.parity.common import …``.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import strategies as st

TOLERANCE = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 1e-5}
LAYOUTS = ("contiguous", "transposed", "strided", "reversed")

DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here"),
    ),
]
"""For ``@pytest.mark.parametrize("device", DEVICES)``."""


# --- arrays ---------------------------------------------------------------------------------------


def in_layout(array: np.ndarray, layout: str) -> np.ndarray:
    """The same values, read-only, with another order in memory.

    Read-only, so that a layer which writes into its input fails there and then.
    """
    if layout == "contiguous":
        out = np.ascontiguousarray(array).copy()
    elif layout == "transposed":
        out = np.asfortranarray(array).copy(order="F")
    elif layout == "strided":
        out = np.repeat(array, 2, axis=-1)[..., ::2]
    elif layout == "reversed":
        backwards = (slice(None, None, -1),) * array.ndim
        out = array[backwards].copy()[backwards]
    else:
        raise AssertionError(layout)
    out.flags.writeable = False
    return out


def normal(shape: Sequence[int], dtype, seed: int = 0) -> np.ndarray:
    """Standard normal numbers, the same for the same seed; read-only."""
    out = np.asarray(np.random.default_rng(seed).standard_normal(shape).astype(dtype))
    out.flags.writeable = False
    return out


dtypes = st.sampled_from([np.float32, np.float64])
seeds = st.integers(0, 2**32 - 1)


@st.composite
def arrays(draw, shape: Sequence[int], dtype=np.float64, values: Callable = normal) -> np.ndarray:
    """Draw a read-only array in any layout; `values` is called as ``values(shape, dtype, seed)``."""
    layout = draw(st.sampled_from(LAYOUTS))
    return in_layout(values(tuple(shape), dtype, draw(seeds)), layout)


class ConvSetting(NamedTuple):
    """Shapes and keyword arguments of one convolution."""

    x: tuple[int, int, int, int]
    weight: tuple[int, int, int, int]
    options: dict[str, Any]


@st.composite
def conv_settings(draw, most: int = 8) -> ConvSetting:
    """Draw a convolution that fits: non-square, even kernels, strides over the kernel, groups.

    `most` bounds how far the image can be larger than the smallest that fits.
    """

    def axis() -> tuple[int, ...]:
        kernel, stride = draw(st.integers(1, 4)), draw(st.integers(1, 5))
        padding, dilation = draw(st.integers(0, 3)), draw(st.integers(1, 3))
        least = max(1, dilation * (kernel - 1) + 1 - 2 * padding)
        return kernel, stride, padding, dilation, draw(st.integers(least, least + most))

    kernel, stride, padding, dilation, size = zip(axis(), axis(), strict=True)
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    for name, pair in options.items():
        if pair[0] == pair[1] and draw(st.booleans()):
            options[name] = pair[0]  # the short way to say it
    groups, depth, filters = (draw(st.integers(1, 3)) for _ in range(3))
    x = (draw(st.integers(1, 3)), groups * depth, *size)
    return ConvSetting(x, (groups * filters, depth, *kernel), options | {"groups": groups})


class PoolSetting(NamedTuple):
    """Input shape, window and keyword arguments of one pooling layer."""

    x: tuple[int, int, int, int]
    kernel_size: int | tuple[int, int]
    options: dict[str, Any]


@st.composite
def pool_settings(draw, most: int = 8) -> PoolSetting:
    """Draw pooling windows that fit: overlapping, touching or with gaps, rounded down or up."""

    def axis() -> tuple[int, ...]:
        kernel, stride = draw(st.integers(1, 4)), draw(st.integers(1, 5))
        padding = draw(st.integers(0, kernel // 2))
        least = max(1, kernel - 2 * padding)
        return kernel, stride, padding, draw(st.integers(least, least + most))

    kernel, stride, padding, size = zip(axis(), axis(), strict=True)
    options = {"padding": padding, "rounding": draw(st.sampled_from(["floor", "ceil"]))}
    if draw(st.booleans()):
        options["stride"] = stride
    x = (draw(st.integers(1, 3)), draw(st.integers(1, 3)), *size)
    same = kernel[0] == kernel[1] and draw(st.booleans())
    return PoolSetting(x, kernel[0] if same else kernel, options)


# --- to torch and back ----------------------------------------------------------------------------


def to_torch(
    array: np.ndarray, requires_grad: bool = False, device: str = "cpu", **options
) -> torch.Tensor:
    """A tensor with a copy of the values (torch takes neither negative strides nor read-only arrays)."""
    tensor = torch.from_numpy(np.array(array, order="C"))
    return tensor.to(device, **options).requires_grad_(requires_grad)


def torch_gradients(
    function: Callable, inputs: Sequence[np.ndarray | None], dout: np.ndarray, device: str = "cpu"
) -> tuple[np.ndarray, list[np.ndarray | None]]:
    """Run `function` on tensors; return its output and autograd's gradients, ``None`` for ``None``."""
    tensors = [
        None if x is None else to_torch(x, requires_grad=True, device=device) for x in inputs
    ]
    out = function(*tensors)
    out.backward(to_torch(dout, device=device))
    grads = [None if t is None else t.grad.numpy(force=True) for t in tensors]
    return out.numpy(force=True), grads


# --- how close is equal ---------------------------------------------------------------------------


def assert_close(got, want, *, scale: float | None = None, tolerance: float | None = None) -> None:
    """Equal shape and dtype, NaN and infinity in the same places, the rest within the tolerance.

    The tolerance is that of the dtype, times `scale`: the largest magnitude in `want` and at least 1
    (the tests draw numbers of order 1, and a sum of many of them that happens to be small carries
    the rounding of its terms, not of its own size).
    """
    got = got.numpy(force=True) if isinstance(got, torch.Tensor) else np.asarray(got)
    want = want.numpy(force=True) if isinstance(want, torch.Tensor) else np.asarray(want)
    assert got.shape == want.shape, f"shape {got.shape}, expected {want.shape}"
    assert got.dtype == want.dtype, f"dtype {got.dtype}, expected {want.dtype}"
    if scale is None:
        finite = np.abs(want[np.isfinite(want)])
        scale = max(1.0, float(finite.max(initial=0.0)))
    if tolerance is None:
        tolerance = TOLERANCE[want.dtype]
    np.testing.assert_allclose(got, want, rtol=0, atol=tolerance * scale)


def finite_difference(
    function: Callable[[np.ndarray], np.ndarray],
    x: np.ndarray,
    dout: np.ndarray,
    step: float = 1e-5,
) -> np.ndarray:
    """Gradient of ``sum(function(x) * dout)`` with respect to `x` by central differences, in float64.

    It knows nothing of either library: the judge when both might share a mistake. Compare with
    ``assert_close(…, tolerance=1e-7)`` or so; the difference itself is only that exact.
    """
    assert x.dtype == dout.dtype == np.float64, "finite differences need float64"
    x = np.array(x, order="C")
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + step
        above = np.array(function(x))
        x[index] = kept - step
        below = np.array(function(x))
        x[index] = kept
        gradient[index] = np.sum((above - below) * dout) / (2 * step)
    return gradient


def assert_same_signature(reference_function: Callable, pytorch_function: Callable) -> None:
    """Same name, same arguments: order, kind and default; annotations may differ."""

    def plain(function):
        parameters = inspect.signature(function).parameters.values()
        return [(p.name, p.kind.description, p.default) for p in parameters]

    assert reference_function.__name__ == pytorch_function.__name__
    assert plain(reference_function) == plain(pytorch_function)
