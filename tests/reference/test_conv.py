"""Convolution: the material's worked example, the definition, finite differences, refusals."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib.errors import DtypeError, ShapeError
from cnnlib.reference import lowering
from cnnlib.reference.conv import conv2d, conv2d_backward, conv2d_forward, conv2d_naive
from tests.parity.common import (
    arrays,
    assert_close,
    conv_settings,
    dtypes,
    finite_difference,
    normal,
)

IMAGE = np.array(
    [
        [95, 242, 186, 152, 39],
        [39, 14, 220, 153, 180],
        [5, 247, 212, 54, 46],
        [46, 77, 133, 110, 74],
        [156, 35, 74, 93, 116],
    ],
    dtype=np.float64,
)[None, None]
LAPLACIAN = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], dtype=np.float64)[None, None]
STRIDE_1 = [[692, -315, -6], [-680, -194, 305], [153, -59, -86]]


@pytest.mark.claim("M4.3")
@pytest.mark.parametrize("layer", [conv2d, conv2d_naive])
def test_the_worked_example(layer):
    assert layer(IMAGE, LAPLACIAN)[0, 0].tolist() == STRIDE_1
    assert layer(IMAGE, LAPLACIAN, stride=2)[0, 0].tolist() == [[692, -6], [153, -86]]
    same = layer(IMAGE, LAPLACIAN, padding=1)[0, 0]
    assert same.shape == (5, 5)
    assert same[1:-1, 1:-1].tolist() == STRIDE_1
    assert same[0, 0] == -4 * 95 + 242 + 39, "the corner by hand: above and left of it are zeros"
    padded = np.pad(IMAGE, ((0, 0), (0, 0), (1, 1), (1, 1)))
    assert padded.shape[2:] == (7, 7)
    assert layer(padded, LAPLACIAN)[0, 0].tolist() == same.tolist()


@pytest.mark.claim("M3.2")
@pytest.mark.parametrize("layer", [conv2d, conv2d_naive])
def test_the_kernel_is_not_flipped(layer):
    x = np.array([[[[1.0, 2.0, 4.0]]]])
    kernel = np.array([[[[1.0, 10.0]]]])
    assert layer(x, kernel).tolist() == [[[[21.0, 42.0]]]], "correlation: 1·1 + 10·2, 1·2 + 10·4"
    assert layer(x, kernel[..., ::-1]).tolist() == [[[[12.0, 24.0]]]], (
        "what a true convolution gives"
    )


@pytest.mark.claim("M3.2")
def test_each_filter_gives_one_map():
    x, weight = normal((2, 3, 6, 7), np.float64), normal((5, 3, 3, 3), np.float64, 1)
    out = conv2d(x, weight)
    assert out.shape == (2, 5, 4, 5)
    for k in range(5):
        assert_close(conv2d(x, weight[k : k + 1])[:, 0], out[:, k])


@pytest.mark.claim("M4.7", "M4.8")
def test_sizes_are_floored_and_the_edge_is_never_seen():
    assert conv2d(np.zeros((1, 3, 224, 224), np.float32), np.zeros((2, 3, 7, 7), np.float32),
                  stride=2, padding=3).shape == (1, 2, 112, 112)  # fmt: skip
    x, weight = normal((1, 1, 224, 14), np.float64), normal((1, 1, 11, 11), np.float64, 1)
    out = conv2d(x, weight, stride=4)
    assert out.shape[2] == 54
    edge = x.copy()
    edge[:, :, -1] += 1.0
    assert np.array_equal(conv2d(edge, weight, stride=4), out), "row 224 of 224 is in no window"
    edge[:, :, -2] += 1.0
    assert not np.array_equal(conv2d(edge, weight, stride=4), out)


# --- the fast one is the naive one ------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(data=st.data(), setting=conv_settings(most=5), dtype=dtypes)
def test_fast_equals_naive(data, setting, dtype):
    x, weight = (data.draw(arrays(shape, dtype)) for shape in (setting.x, setting.weight))
    bias = data.draw(st.none() | arrays((len(weight),), dtype))
    assert_close(
        conv2d(x, weight, bias, **setting.options), conv2d_naive(x, weight, bias, **setting.options)
    )


@pytest.mark.parametrize("stride", [1, 2, (1, 3), (3, 1)])
def test_blocks_of_rows_join_without_a_seam(monkeypatch, stride):
    x, weight = normal((2, 6, 13, 9), np.float64), normal((4, 3, 3, 2), np.float64, 1)
    bias, options = normal((4,), np.float64, 2), {"stride": stride, "padding": (2, 1), "groups": 2}
    whole, cache = conv2d_forward(x, weight, bias, **options)
    gradients = conv2d_backward(np.cos(whole), cache)
    monkeypatch.setattr(lowering, "BLOCK_BYTES", 1)  # the least: one output row at a time
    rows, cache = conv2d_forward(x, weight, bias, **options)
    assert_close(rows, whole)
    for got, want in zip(conv2d_backward(np.cos(whole), cache), gradients, strict=True):
        assert_close(got, want)


def test_kernel_rows_as_views_equal_im2col(monkeypatch):
    x, weight = normal((2, 8, 9, 10), np.float64), normal((6, 4, 4, 3), np.float64, 1)
    options = {"padding": 2, "dilation": (2, 1), "groups": 2}
    results = []
    for stacked in (False, True):
        monkeypatch.setattr(lowering.Windows, "stacked", stacked)
        out, cache = conv2d_forward(x, weight, **options)
        results.append((out, *conv2d_backward(np.sin(out), cache)[:2]))
    for views, im2col in zip(*results, strict=True):
        assert_close(views, im2col)


def test_kernel_rows_are_views_at_vertical_stride_1_only():
    def patches(stride):
        out_size = (6 // stride, 6)
        windows = lowering.Windows((3, 3), (stride, 1), (0, 0), (1, 1), out_size)
        return next(lowering.lower(normal((1, 64, 8, 8), np.float32), windows))[2]

    assert patches(1).shape == (3, 1, 64 * 3, 36)
    rows = patches(1)
    assert np.shares_memory(rows[0], rows[1]), "one buffer, read from another row on"
    assert patches(2).shape == (1, 1, 64 * 9, 18)


# --- gradients ------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(data=st.data(), setting=conv_settings(most=4))
def test_gradients_against_finite_differences(data, setting):
    x, weight = (data.draw(arrays(shape)) for shape in (setting.x, setting.weight))
    bias = data.draw(arrays((len(weight),)))
    out, cache = conv2d_forward(x, weight, bias, **setting.options)
    dout = data.draw(arrays(out.shape))
    dx, dweight, dbias = conv2d_backward(dout, cache)

    def compare(got, function, argument):
        assert_close(got, finite_difference(function, argument, dout), tolerance=1e-8)

    compare(dx, lambda a: conv2d(a, weight, bias, **setting.options), x)
    compare(dweight, lambda a: conv2d(x, a, bias, **setting.options), weight)
    compare(dbias, lambda a: conv2d(x, weight, a, **setting.options), bias)


def test_gradients_by_hand():
    x = np.array([[[[1.0, 2.0, 3.0]]], [[[4.0, 5.0, 6.0]]]])
    out, cache = conv2d_forward(x, np.array([[[[10.0, 20.0]]]]), np.array([0.5]))
    assert out.tolist() == [[[[50.5, 80.5]]], [[[140.5, 170.5]]]]
    dx, dweight, dbias = conv2d_backward(np.array([[[[1.0, 0.0]]], [[[0.0, 2.0]]]]), cache)
    assert dx.tolist() == [[[[10.0, 20.0, 0.0]]], [[[0.0, 20.0, 40.0]]]]
    assert dweight.tolist() == [[[[1.0 + 2 * 5, 2.0 + 2 * 6]]]], "summed over the batch"
    assert dbias.tolist() == [3.0]


def test_unseen_pixels_have_no_gradient():
    out, cache = conv2d_forward(
        normal((1, 1, 8, 8), np.float64), normal((1, 1, 3, 3), np.float64), stride=2
    )
    dx, _, dbias = conv2d_backward(np.ones_like(out), cache)
    assert not dx[:, :, -1].any()
    assert not dx[..., -1].any()
    assert dx[:, :, -2].any()
    assert dbias is None


# --- the arrays themselves ------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("options", [{}, {"stride": 2}, {"padding": 1, "groups": 2}])
def test_dtype_is_kept_and_inputs_stay_as_they_are(dtype, options):
    x, weight = normal((2, 4, 6, 6), dtype), normal((4, 4 // options.get("groups", 1), 3, 3), dtype)
    bias = normal((4,), dtype)
    kept = [a.copy() for a in (x, weight, bias)]
    out, cache = conv2d_forward(x, weight, bias, **options)  # read-only: writing would raise
    dout = normal(out.shape, dtype)
    results = [out, conv2d_naive(x, weight, bias, **options), *conv2d_backward(dout, cache)]
    assert {r.dtype for r in results} == {np.dtype(dtype)}
    assert all(r.flags.writeable and r.flags.c_contiguous for r in results)
    assert not any(np.shares_memory(r, a) for r in results for a in (x, weight, bias, dout))
    assert all(np.array_equal(a, b) for a, b in zip((x, weight, bias), kept, strict=True))


def test_the_backward_pass_can_run_twice():
    out, cache = conv2d_forward(normal((1, 2, 5, 5), np.float64), normal((3, 2, 3, 3), np.float64))
    once, twice = conv2d_backward(out, cache), conv2d_backward(out, cache)
    assert np.array_equal(once[0], twice[0])
    assert np.array_equal(once[1], twice[1])


def test_an_empty_batch_gives_an_empty_batch():
    out, cache = conv2d_forward(np.zeros((0, 2, 5, 5)), normal((3, 2, 3, 3), np.float64))
    assert out.shape == (0, 3, 3, 3)
    dx, dweight, _ = conv2d_backward(out, cache)
    assert dx.shape == (0, 2, 5, 5)
    assert not dweight.any()


@pytest.mark.parametrize(
    ("x", "weight", "options"),
    [
        ((4, 64, 32, 32), (64, 64, 3, 3), {"padding": 1}),
        ((1, 64, 112, 112), (64, 64, 3, 3), {"padding": 1}),
        ((4, 3, 227, 227), (96, 3, 11, 11), {"stride": 4}),
    ],
)
def test_memory_beyond_the_output_is_less_than_one_images_im2col(x, weight, options):
    x, weight = np.zeros(x, np.float32), np.zeros(weight, np.float32)
    conv2d(x, weight, **options)
    tracemalloc.start()
    out = conv2d(x, weight, **options)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert out.nbytes < peak < out.nbytes + out[0, 0].size * weight[0].size * weight.itemsize


# --- refusals -------------------------------------------------------------------------------------

X, WEIGHT = np.zeros((1, 4, 5, 5)), np.zeros((6, 4, 3, 3))
REFUSED = [
    (
        (X[0], WEIGHT),
        {},
        ShapeError,
        "x has shape (4, 5, 5), 3 axes: this layer needs (N, C, H, W). "
        "Add a missing axis with x[None] or reshape it.",
    ),
    (
        (X, WEIGHT[0]),
        {},
        ShapeError,
        "weight has shape (4, 3, 3), 3 axes: this layer needs (K, C/groups, F_h, F_w). "
        "Add a missing axis with weight[None] or reshape it.",
    ),
    (
        (X.tolist(), WEIGHT),
        {},
        ShapeError,
        "x is a list, not a NumPy array: pass an array with axes (N C H W), "
        "for instance np.asarray(x, dtype=np.float32).",
    ),
    (
        (X.astype(int), WEIGHT),
        {},
        DtypeError,
        "x has dtype int64: layers compute in float32 or float64. "
        "Convert it with x.astype(np.float32).",
    ),
    (
        (X, WEIGHT.astype(np.float32)),
        {},
        DtypeError,
        "weight has dtype float32, but x has float64: a layer computes in one dtype. "
        "Convert it with weight.astype(x.dtype).",
    ),
    (
        (X, WEIGHT, np.zeros(6, np.float32)),
        {},
        DtypeError,
        "bias has dtype float32, but x has float64: a layer computes in one dtype. "
        "Convert it with bias.astype(x.dtype).",
    ),
    (
        (X.transpose(0, 2, 3, 1), WEIGHT),
        {},
        ShapeError,
        "weight has shape (6, 4, 3, 3), so its filters see 4 channels, but x has 5 channels in "
        "groups=1, 5 each: make weight.shape[1] 5, or check that x is (N, C, H, W) and not "
        "(N, H, W, C).",
    ),
    (
        (X, WEIGHT),
        {"groups": 2},
        ShapeError,
        "weight has shape (6, 4, 3, 3), so its filters see 4 channels, but x has 4 channels in "
        "groups=2, 2 each: make weight.shape[1] 2, or check that x is (N, C, H, W) and not "
        "(N, H, W, C).",
    ),
    (
        (X, WEIGHT),
        {"groups": 3},
        ShapeError,
        "x has 4 channels, which groups=3 does not divide: each group needs as many. "
        "Use a groups that divides 4, or another number of channels.",
    ),
    (
        (X, WEIGHT[:5, :2]),
        {"groups": 2},
        ShapeError,
        "weight has 5 filters, which groups=2 does not divide: each group needs as many. "
        "Use a groups that divides 5, or another number of filters.",
    ),
    (
        (X, WEIGHT),
        {"groups": 0},
        ShapeError,
        "groups=0 is too small: it must be a whole number of at least 1.",
    ),
    (
        (X[:, :0], WEIGHT[:, :0]),
        {},
        ShapeError,
        "x.shape[1]=0 is too small: it must be a whole number of at least 1.",
    ),
    (
        (X, WEIGHT, np.zeros(5)),
        {},
        ShapeError,
        "bias has shape (5,), expected (6,): one number for each of the 6 filters of weight.",
    ),
    (
        (X, WEIGHT, np.zeros((6, 1))),
        {},
        ShapeError,
        "bias has shape (6, 1), 2 axes: this layer needs (K). "
        "Add a missing axis with bias[None] or reshape it.",
    ),
    (
        (X, WEIGHT),
        {"dilation": (1, 3)},
        ShapeError,
        "width: kernel=3 with dilation=3 (its taps are 7 apart end to end) does not fit into size=5 "
        "with padding=0: the window needs 7 pixels and the padded input has 5. What would fit: "
        "padding of at least 1, a kernel of at most 2, a dilation of at most 2 or a size of at least 7.",
    ),
    (
        (X, WEIGHT),
        {"stride": 0},
        ShapeError,
        "stride=0 is too small: it must be a whole number of at least 1.",
    ),
    (
        (X, WEIGHT),
        {"padding": (1, -1)},
        ShapeError,
        "padding[1]=-1 is too small: it must be a whole number of at least 0.",
    ),
    (
        (X, WEIGHT),
        {"stride": 1.0},
        ShapeError,
        "stride=1.0 is not a whole number: it must be an int of at least 1. Write 1.",
    ),
    (
        (X, WEIGHT),
        {"padding": (1, 1, 1)},
        ShapeError,
        "padding=(1, 1, 1) has 3 entries: give one int for both axes, or a pair (height, width).",
    ),
]


@pytest.mark.parametrize("layer", [conv2d, conv2d_forward, conv2d_naive])
@pytest.mark.parametrize(("args", "options", "error", "text"), REFUSED)
def test_bad_input_is_refused_with_a_remedy(layer, args, options, error, text):
    with pytest.raises(error) as caught:
        layer(*args, **options)
    assert str(caught.value) == text


def test_settings_are_keyword_only():
    with pytest.raises(TypeError, match="positional"):
        conv2d(X, WEIGHT, None, 2)


def test_a_wrong_output_gradient_is_refused():
    out, cache = conv2d_forward(X, WEIGHT)
    with pytest.raises(ShapeError) as caught:
        conv2d_backward(out[:, :, 1:], cache)
    assert str(caught.value) == (
        "dout has shape (1, 6, 2, 3), expected (1, 6, 3, 3): "
        "the gradient has the shape of the layer's output."
    )
    with pytest.raises(DtypeError) as caught:
        conv2d_backward(out.astype(np.float32), cache)
    assert str(caught.value) == (
        "dout has dtype float32, but the layer computed in float64: "
        "convert it with dout.astype(np.float64)."
    )
