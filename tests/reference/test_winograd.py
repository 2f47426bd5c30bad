"""Winograd's convolution gives the plain one's numbers, as exactly as it promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib.errors import ShapeError
from cnnlib.reference.conv import conv2d
from cnnlib.reference.winograd import A_T, B_T, G, conv2d_winograd
from tests.parity.common import arrays, assert_close, dtypes, normal


def test_the_identity_on_one_axis():
    """Four outputs of a kernel of 3 from six multiplications."""
    pixels, kernel = normal((6,), np.float64), normal((3,), np.float64, 1)
    assert_close(A_T @ ((G @ kernel) * (B_T @ pixels)), np.correlate(pixels, kernel, "valid"))


@settings(max_examples=40, deadline=None)
@given(data=st.data(), dtype=dtypes)
def test_equals_the_plain_convolution(data, dtype):
    N, C, K = (data.draw(st.integers(1, 3)) for _ in range(3))
    padding = data.draw(st.tuples(st.integers(0, 3), st.integers(0, 3)))
    H, W = (data.draw(st.integers(max(1, 3 - 2 * p), 12)) for p in padding)
    x, weight = (data.draw(arrays(shape, dtype)) for shape in ((N, C, H, W), (K, C, 3, 3)))
    bias = data.draw(st.none() | arrays((K,), dtype))
    got, want = (
        conv2d_winograd(x, weight, bias, padding=padding),
        conv2d(x, weight, bias, padding=padding),
    )
    assert_close(got, want, tolerance=5e-5 if dtype == np.float32 else 1e-10)


def test_float32_is_less_exact_than_the_plain_convolution():
    x, weight = normal((1, 64, 32, 32), np.float32), normal((16, 64, 3, 3), np.float32, 1)
    exact = conv2d(x.astype(np.float64), weight.astype(np.float64))

    def error(layer):
        return np.abs(layer(x, weight) - exact).max() / np.abs(exact).max()

    assert 3 * error(conv2d) < error(conv2d_winograd) < 5e-5


@pytest.mark.parametrize("kernel", [(3, 5), (1, 1)])
def test_only_3_by_3(kernel):
    with pytest.raises(ShapeError) as caught:
        conv2d_winograd(np.zeros((1, 2, 8, 8)), np.zeros((4, 2, *kernel)))
    assert str(caught.value) == (
        f"weight has shape (4, 2, {kernel[0]}, {kernel[1]}), a kernel of {kernel[0]} × {kernel[1]}: "
        "conv2d_winograd is for 3 × 3 only. Use conv2d."
    )


def test_other_refusals_are_those_of_conv2d():
    with pytest.raises(ShapeError, match=r"so its filters see 3 channels, but x has 2 channels"):
        conv2d_winograd(np.zeros((1, 2, 8, 8)), np.zeros((4, 3, 3, 3)))
