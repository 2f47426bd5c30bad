"""The numbers and facts that chapter 7, POOL or strided CONV, states."""

import re

import numpy as np
import pytest

from cnnlib import shapes
from cnnlib.diagram import build, lint, parse, summarize, zoo
from cnnlib.errors import CnnlibError
from cnnlib.reference.activation import relu
from cnnlib.reference.conv import conv2d
from cnnlib.reference.linear import flatten, linear
from cnnlib.reference.pool import avg_pool2d, global_avg_pool2d, max_pool2d

STRIDED = "CONV(64, stride=2, rounding=floor)"


@pytest.fixture
def whole_numbers():
    rng = np.random.default_rng(0)
    return lambda *shape: rng.integers(-9, 10, shape).astype(np.float64)


def windows_of(name):
    rows = summarize(zoo.NAMES[name]).rows
    return [parse(r.text).items[0] for r in rows if r.text.startswith(("CONV", "POOL"))]


def strided(name, kind):
    return [x for x in windows_of(name) if x.kind == kind and x.get("stride") > 1]


# --- three ways and their control -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("way", "params", "macs", "field"),
    [
        ("CONV(64) => RELU => POOL", 36_928, 37_748_736, 4),
        (f"{STRIDED} => RELU", 36_928, 9_437_184, 3),
        (f"CONV(64) => RELU => {STRIDED} => RELU", 73_856, 47_185_920, 5),
        ("[CONV(64) => RELU] * 2 => POOL", 73_856, 75_497_472, 6),
    ],
)
def test_what_each_way_costs_and_sees(way, params, macs, field):
    summary = summarize(f"INPUT(64, 32, 32) => {way}")
    assert summary.output_shape == (64, 16, 16)
    assert summary.totals.params == params
    assert summary.totals.macs == macs
    assert summary.rows[-1].field == (field, field)
    assert not any(any(row.unseen) for row in summary.rows), (
        "only a zero of the padding is left out"
    )


def test_three_stages_of_each_way_see_22_15_and_29_pixels():
    stages = {22: [(3,), (2, 2)], 15: [(3, 2)], 29: [(3,), (3, 2)]}
    for size, stage in stages.items():
        assert shapes.receptive_field(stage * 3).size == size


def test_a_strided_conv_is_a_conv_whose_top_left_numbers_are_picked(whole_numbers):
    volume, weight = whole_numbers(1, 4, 32, 32), whole_numbers(4, 4, 3, 3)
    full = relu(conv2d(volume, weight, padding=1))
    strided_out = relu(conv2d(volume, weight, padding=1, stride=2))
    np.testing.assert_array_equal(strided_out, full[..., ::2, ::2])


# --- what a CONV can and cannot take over ------------------------------------------------------------


def test_average_pooling_is_a_strided_conv(whole_numbers):
    volume, weight = whole_numbers(2, 64, 8, 6), np.zeros((64, 64, 2, 2))
    weight[range(64), range(64)] = 1 / 4
    np.testing.assert_array_equal(conv2d(volume, weight, stride=2), avg_pool2d(volume, 2))
    assert weight.size == 16_384
    assert np.count_nonzero(weight) == 256


def test_no_weights_and_bias_take_the_maximum_with_or_without_relu():
    """Solved exactly: the conditions on a, b and a + b fix the bias, and zeros then give 3."""
    a, b = np.array([3.0, 0, 0, 0]), np.array([0, 0, 0, 3.0])
    conditions = np.array([[*a, 1], [*b, 1], [*(a + b), 1]])
    weights = np.linalg.lstsq(conditions, np.full(3, 3.0), rcond=None)[0]
    np.testing.assert_allclose(conditions @ weights, 3)
    np.testing.assert_allclose(weights[-1], 3)
    assert np.linalg.matrix_rank(conditions) == 3
    bias_alone = np.array([0, 0, 0, 0, 1.0])
    stacked = np.vstack([conditions, bias_alone])
    assert np.linalg.matrix_rank(stacked) == 3, "the conditions leave no other bias"


def test_two_convs_with_a_relu_take_the_maximum_of_pairs_and_three_of_squares(whole_numbers):
    def pairs(x, axis):
        kernel = np.array([[1.0, -1.0], [0.0, 1.0]])
        first = np.expand_dims(kernel, (1, 2 if axis == 3 else 3))
        stride = (1, 2) if axis == 3 else (2, 1)
        return conv2d(relu(conv2d(x, first, stride=stride)), np.ones((1, 2, 1, 1)))

    plane = np.abs(whole_numbers(2, 1, 6, 8))
    np.testing.assert_array_equal(pairs(plane, 3), max_pool2d(plane, (1, 2)))
    np.testing.assert_array_equal(pairs(pairs(plane, 3), 2), max_pool2d(plane, 2))
    # The second CONV of the pairs and the first of the next pairs are one CONV of 2 × 1.
    first = np.array([[1.0, -1.0], [0.0, 1.0]])[:, None, None, :]
    merged = np.array([[1.0, -1.0], [0.0, 1.0]])[:, None, :, None].repeat(2, axis=1)
    hidden = relu(conv2d(relu(conv2d(plane, first, stride=(1, 2))), merged, stride=(2, 1)))
    np.testing.assert_array_equal(conv2d(hidden, np.ones((1, 2, 1, 1))), max_pool2d(plane, 2))


# --- unread pixels ----------------------------------------------------------------------------------


def test_a_kernel_of_1_at_stride_2_never_reads_three_quarters(whole_numbers):
    line = np.array(shapes.coverage(8, 1, stride=2))
    read = np.outer(line, line)
    assert (read == 0).sum() == 48
    volume, weight = whole_numbers(1, 3, 8, 8), whole_numbers(5, 3, 1, 1)
    changed = np.where(read == 0, 1e6, volume)
    np.testing.assert_array_equal(
        conv2d(volume, weight, stride=2), conv2d(changed, weight, stride=2)
    )
    for kernel, padding in ((2, 0), (3, 1)):
        assert min(shapes.coverage(8, kernel, stride=2, padding=padding)) == 1


def test_only_the_shortcuts_of_the_resnets_have_a_kernel_below_their_stride():
    for name in zoo.NAMES:
        gaps = [x for x in windows_of(name) if x.get("kernel") < x.get("stride")]
        assert len(gaps) == (3 if name.startswith("resnet") else 0)
        assert all(x.get("kernel") == 1 and x.get("stride") == 2 for x in gaps)


def test_an_average_before_the_shortcut_costs_no_parameter_and_no_mac():
    shortcut = r"CONV\((\d+), 1, stride=2, rounding=floor, bias=false\)"
    mended, count = re.subn(shortcut, r"POOL(mode=avg) => CONV(\1, 1, bias=false)", zoo.resnet50)
    assert count == 3
    before, after = summarize(zoo.resnet50).totals, summarize(mended).totals
    assert (before.params, before.macs) == (after.params, after.macs)


# --- shifts ------------------------------------------------------------------------------------------


def test_which_ways_of_shrinking_notice_that_stripes_moved_by_a_pixel():
    def stripes(width, moved):
        return ((np.arange(30) + moved) // width % 2 == 0).astype(np.float64)[None, None, None]

    def conv(kernel, stride=2):
        return lambda row: conv2d(row, np.array(kernel, float)[None, None, None], stride=stride)

    blur = conv([1 / 4, 2 / 4, 1 / 4])
    changes = {
        "pick": (conv([1]), {1, 3}),
        "max": (lambda row: max_pool2d(row, (1, 2)), {2}),
        "edge": (lambda row: relu(conv([1, -1])(row)), {1, 2, 3}),
        "average": (conv([1 / 2, 1 / 2]), set()),
        "blur": (blur, set()),
        "max and blur": (lambda row: blur(max_pool2d(row, (1, 2), stride=1)), set()),
    }
    for name, (shrink, widths) in changes.items():
        noticed = {
            width
            for width in (1, 2, 3)
            if abs(np.diff([shrink(stripes(width, m))[..., :12].mean() for m in (0, 1)])[0]) > 1e-12
        }
        assert noticed == widths, name


# --- the zoo ------------------------------------------------------------------------------------------


@pytest.mark.claim("M7.1", "M7.2")
def test_who_shrinks_the_volumes_of_known_networks():
    counts = {name: (len(strided(name, "POOL")), len(strided(name, "CONV"))) for name in zoo.NAMES}
    assert counts == {
        "alexnet": (3, 1),
        "vgg16": (5, 0),
        "googlenet": (4, 1),
        "resnet18": (1, 7),
        "resnet50": (1, 7),
        "squeezenet1_0": (3, 1),
        "squeezenet1_1": (3, 1),
    }


@pytest.mark.claim("M7.1")
def test_the_one_pool_of_the_resnets_follows_their_first_conv():
    for name in ("resnet18", "resnet50"):
        kinds = [layer.kind for layer in windows_of(name)]
        assert kinds[:2] == ["CONV", "POOL"]
        assert kinds.count("POOL") == 1


@pytest.mark.claim("M7.2")
def test_all_but_alexnet_and_vgg_end_in_a_global_average():
    for name, text in zoo.NAMES.items():
        assert ("GAP" in text) == (name not in ("alexnet", "vgg16"))


# --- the end, and the rewriting --------------------------------------------------------------------


def test_average_and_1_by_1_conv_may_change_places(whole_numbers):
    volume, weight, bias = whole_numbers(2, 128, 8, 8), whole_numbers(10, 128), whole_numbers(10)
    first = linear(flatten(global_avg_pool2d(volume)), weight, bias)
    last = global_avg_pool2d(conv2d(volume, weight[:, :, None, None], bias))
    np.testing.assert_array_equal(first, flatten(last))
    costs = [
        summarize(f"INPUT(128, 8, 8) => {end}").totals
        for end in ("GAP => FC(10)", "CONV(10, 1) => GAP")
    ]
    assert costs[0].params == costs[1].params == 1290
    assert costs[1].macs == 64 * costs[0].macs


def test_the_rewriting_of_a_classic_network():
    given = (
        "INPUT(3, 32, 32) => [CONV(64) => RELU] * 2 => POOL => [CONV(128) => RELU] * 2 => POOL "
        "=> FC(256) => RELU => FC(10)"
    )
    pools_gone = given
    for filters in (64, 128):
        new = f"CONV({filters}, stride=2, rounding=floor) => RELU"
        pools_gone = pools_gone.replace("POOL", new, 1)
    all_conv = pools_gone.replace("FC(256) => RELU => FC(10)", "CONV(10, 1) => GAP")
    totals = [summarize(text).totals for text in (given, pools_gone, all_conv)]
    assert [total.params for total in totals] == [2_360_138, 2_544_650, 445_962]
    assert totals[0].macs < totals[2].macs < totals[1].macs
    assert totals[2].params < totals[0].params / 5

    larger, image = build(all_conv, (3, 48, 40)).eval(), np.zeros((1, 3, 48, 40), np.float32)
    larger.load_arrays(build(all_conv).to_arrays())
    assert larger(image).shape == (1, 10)
    with pytest.raises(CnnlibError):
        build(given, (3, 48, 40)).load_arrays(build(given).to_arrays())

    assert [finding.rule for finding in lint(all_conv, disable=["M13.8"])] == ["M13.5", "M13.5"]
    without_relu = all_conv.replace("rounding=floor) => RELU", "rounding=floor)", 1)
    assert "M2.4" in {finding.rule for finding in lint(without_relu)}
