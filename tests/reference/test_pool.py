"""Pooling: worked examples, the definition, finite differences, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib.errors import DtypeError, ShapeError
from cnnlib.reference.pool import (
    avg_pool2d,
    avg_pool2d_backward,
    avg_pool2d_forward,
    global_avg_pool2d,
    global_avg_pool2d_backward,
    global_avg_pool2d_forward,
    max_pool2d,
    max_pool2d_backward,
    max_pool2d_forward,
)
from tests.parity.common import arrays, assert_close, finite_difference, normal, pool_settings

PLANE = np.array(
    [[3.0, 9.0, 4.0, 1.0], [7.0, 5.0, 8.0, 2.0], [6.0, 0.0, 5.0, 5.0], [1.0, 2.0, 3.0, 9.0]]
)
X = PLANE[None, None]
POOLS = [max_pool2d, avg_pool2d]
PAIRS = [(max_pool2d_forward, max_pool2d_backward), (avg_pool2d_forward, avg_pool2d_backward)]


def distinct(shape, dtype, seed):
    """All values differ by far more than a finite difference's step, so no maximum changes hands."""
    return np.random.default_rng(seed).permutation(np.prod(shape)).reshape(shape).astype(dtype)


@pytest.mark.claim("M6.4", "M6.5")
def test_the_worked_example():
    assert max_pool2d(X, 2, stride=1).tolist() == [[[[9, 9, 8], [7, 8, 8], [6, 5, 9]]]]
    kept = max_pool2d(X, 2)
    assert kept.tolist() == [[[[9, 8], [6, 9]]]]
    assert 1 - kept.size / X.size == 0.75, "three of four activations are discarded"
    assert avg_pool2d(X, 2).tolist() == [[[[6, 3.75], [2.25, 5.5]]]]
    assert global_avg_pool2d(X).tolist() == [[70 / 16]]


@pytest.mark.claim("M6.2", "M6.5")
def test_depth_is_unchanged_and_each_channel_stands_alone():
    x = normal((2, 5, 7, 9), np.float64)
    for pool in POOLS:
        out = pool(x, 3, stride=2)
        assert out.shape == (2, 5, 3, 4)
        for c in range(5):
            np.testing.assert_array_equal(out[:, c : c + 1], pool(x[:, c : c + 1], 3, stride=2))


def by_definition(x, kernel_size, stride, padding, out_size, combine):
    """Cut out each window, padding left out, and combine its pixels."""
    out = np.empty((*x.shape[:2], *out_size))
    for h, w in np.ndindex(*out_size):
        top, left = h * stride[0] - padding[0], w * stride[1] - padding[1]
        window = x[:, :, max(top, 0) : top + kernel_size[0], max(left, 0) : left + kernel_size[1]]
        out[:, :, h, w] = combine(window)
    return out


@settings(max_examples=80, deadline=None)
@given(data=st.data(), setting=pool_settings())
def test_windows_by_definition(data, setting):
    x = data.draw(arrays(setting.x))
    options = setting.options | {"rounding": "floor"}
    kernel = np.broadcast_to(setting.kernel_size, 2)
    geometry = kernel, options.get("stride", kernel), options["padding"]
    out = max_pool2d(x, setting.kernel_size, **options)
    largest = by_definition(x, *geometry, out.shape[2:], lambda a: a.max(axis=(2, 3)))
    np.testing.assert_array_equal(out, largest)
    shares = by_definition(
        x, *geometry, out.shape[2:], lambda a: a.sum(axis=(2, 3)) / np.prod(kernel)
    )
    assert_close(avg_pool2d(x, setting.kernel_size, **options), shares)


def test_padding_counts_in_averages_and_never_wins_a_maximum():
    x = -np.ones((1, 1, 2, 2))
    assert avg_pool2d(x, 3, padding=1, stride=1).tolist() == [[[[-4 / 9] * 2] * 2]]
    assert max_pool2d(x, 3, padding=1, stride=1).tolist() == [[[[-1.0] * 2] * 2]]


def test_rounding_up_adds_a_window_that_averages_what_exists():
    x = np.arange(5.0).reshape(1, 1, 1, 5)
    assert avg_pool2d(x, (1, 2)).tolist() == [[[[0.5, 2.5]]]]
    assert avg_pool2d(x, (1, 2), rounding="ceil").tolist() == [[[[0.5, 2.5, 4.0]]]]
    assert max_pool2d(x, (1, 2), rounding="ceil").tolist() == [[[[1.0, 3.0, 4.0]]]]


# --- gradients --------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(data=st.data(), setting=pool_settings(most=4))
@pytest.mark.parametrize(("forward", "backward"), PAIRS)
def test_gradients_against_finite_differences(forward, backward, data, setting):
    x = data.draw(arrays(setting.x, values=distinct))
    out, cache = forward(x, setting.kernel_size, **setting.options)
    dout = data.draw(arrays(out.shape))
    want = finite_difference(
        lambda a: forward(a, setting.kernel_size, **setting.options)[0], x, dout
    )
    assert_close(backward(dout, cache), want, tolerance=1e-7)


def test_global_average_gradient_against_finite_differences():
    x = normal((2, 3, 4, 5), np.float64)
    out, cache = global_avg_pool2d_forward(x)
    dout = normal(out.shape, np.float64, 1)
    want = finite_difference(global_avg_pool2d, x, dout)
    assert_close(global_avg_pool2d_backward(dout, cache), want, tolerance=1e-8)


def test_the_first_of_equal_values_gets_the_gradient():
    def winner(rows):
        out, cache = max_pool2d_forward(np.array(rows)[None, None], (len(rows), len(rows[0])))
        return max_pool2d_backward(np.ones_like(out), cache)[0, 0].tolist()

    nan = np.nan
    assert winner([[1.0, 2.0], [2.0, 2.0]]) == [[0, 1], [0, 0]], "row by row, not column by column"
    assert winner([[0.0, 0.0], [0.0, 0.0]]) == [[1, 0], [0, 0]]
    assert winner([[nan, 5.0, nan], [9.0, 9.0, 9.0]]) == [[0, 0, 1], [0, 0, 0]], "the last NaN"


def test_pixels_that_win_twice_collect_both_gradients():
    out, cache = max_pool2d_forward(X, 2, stride=1)
    dx = max_pool2d_backward(np.ones_like(out), cache)
    assert dx.tolist() == [[[[0, 2, 0, 0], [1, 0, 3, 0], [1, 0, 1, 0], [0, 0, 0, 1]]]]


# --- the arrays themselves --------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "options", [{}, {"padding": 1}, {"stride": 1}, {"rounding": "ceil", "stride": 3}]
)
@pytest.mark.parametrize("kernel_size", [1, 2, 3])
@pytest.mark.parametrize(("forward", "backward"), PAIRS)
def test_dtype_is_kept_and_inputs_stay_as_they_are(forward, backward, kernel_size, options, dtype):
    if kernel_size == 1:
        options = options | {"padding": 0}
    x = normal((2, 3, 7, 8), dtype)  # read-only: writing would raise
    out, cache = forward(x, kernel_size, **options)
    dout = normal(out.shape, dtype, 1)
    dx = backward(dout, cache)
    assert out.dtype == dx.dtype == dtype
    assert dx.shape == x.shape
    for result in (out, dx):
        assert result.flags.writeable
        assert result.flags.c_contiguous
        assert not np.shares_memory(result, x)
        assert not np.shares_memory(result, dout)
    np.testing.assert_array_equal(backward(dout, cache), dx)


def test_an_empty_batch_gives_an_empty_batch():
    for forward, backward in PAIRS:
        out, cache = forward(np.zeros((0, 2, 5, 5)), 2)
        assert out.shape == (0, 2, 2, 2)
        assert backward(out, cache).shape == (0, 2, 5, 5)


# --- refusals ---------------------------------------------------------------------------------------

REFUSED = [
    (
        (X[0], 2),
        {},
        ShapeError,
        "x has shape (1, 4, 4), 3 axes: this layer needs (N, C, H, W). "
        "Add a missing axis with x[None] or reshape it.",
    ),
    (
        (X.astype(int), 2),
        {},
        DtypeError,
        "x has dtype int64: layers compute in float32 or float64. Convert it with x.astype(np.float32).",
    ),
    (
        (X, 0),
        {},
        ShapeError,
        "kernel_size=0 is too small: it must be a whole number of at least 1.",
    ),
    (
        (X, (2, 2, 2)),
        {},
        ShapeError,
        "kernel_size=(2, 2, 2) has 3 entries: give one int for both axes, or a pair (height, width).",
    ),
    (
        (X, 2),
        {"stride": 0},
        ShapeError,
        "stride=0 is too small: it must be a whole number of at least 1.",
    ),
    (
        (X, (3, 2)),
        {"padding": 2},
        ShapeError,
        "height: padding=2 is more than half of kernel_size=3: a window could lie in the padding and "
        "see no pixel. Use a padding of at most 1.",
    ),
    (
        (X, (2, 6)),
        {},
        ShapeError,
        "width: kernel=6 with dilation=1 does not fit into size=4 with padding=0: the window needs 6 pixels and the "
        "padded input has 4. What would fit: padding of at least 1, a kernel of at most 4 or a size "
        "of at least 6.",
    ),
    (
        (X, 3),
        {"stride": 2, "rounding": "strict"},
        ShapeError,
        "height: size=4, kernel=3, stride=2, padding=0, dilation=1 do not tile: (4 − 3 + 2·0)/2 + 1 "
        "= 1.5 is not a whole number. Nearest that work: size 3 or 5; stride 1. "
        'Or take rounding="floor", as PyTorch does, for 1 positions that leave the last 1 of 4 '
        "padded pixels unread.",
    ),
    (
        (X, 2),
        {"rounding": "round"},
        ShapeError,
        'height: rounding=\'round\' is unknown: use "strict", "floor" or "ceil".',
    ),
]


@pytest.mark.parametrize("layer", [max_pool2d, max_pool2d_forward, avg_pool2d, avg_pool2d_forward])
@pytest.mark.parametrize(("args", "options", "error", "text"), REFUSED)
def test_bad_input_is_refused_with_a_remedy(layer, args, options, error, text):
    with pytest.raises(error) as caught:
        layer(*args, **options)
    assert str(caught.value) == text


def test_global_average_refuses_other_ranks():
    with pytest.raises(ShapeError, match=r"x has shape \(4, 4\), 2 axes"):
        global_avg_pool2d(PLANE)


@pytest.mark.parametrize(
    ("forward", "backward"), [*PAIRS, (global_avg_pool2d_forward, global_avg_pool2d_backward)]
)
def test_a_wrong_output_gradient_is_refused(forward, backward):
    out, cache = forward(X) if forward is global_avg_pool2d_forward else forward(X, 2)
    with pytest.raises(ShapeError, match="the gradient has the shape of the layer's output"):
        backward(out[:0], cache)
    with pytest.raises(
        DtypeError, match="dout has dtype float32, but the layer computed in float64"
    ):
        backward(out.astype(np.float32), cache)
