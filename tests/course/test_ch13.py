"""The numbers and facts that chapter 13, Rules of thumb, states."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from cnnlib import shapes
from cnnlib.diagram import lint, summarize, zoo
from cnnlib.errors import ShapeError
from cnnlib.reference.conv import conv2d_backward, conv2d_forward

BOOK = Path(__file__).parents[2] / "book"


@pytest.fixture
def rules(monkeypatch):
    monkeypatch.syspath_prepend(BOOK)
    from figures import rules

    return rules


def found(text):
    return sorted({finding.rule for finding in lint(text)})


@pytest.mark.claim("M13.1")
def test_a_network_that_ends_in_an_average_takes_any_shape_with_the_same_parameters():
    square, wide = summarize(zoo.resnet18), summarize(zoo.resnet18, (3, 192, 320))
    assert square.rows[-3].shape == (512, 7, 7)
    assert wide.rows[-3].shape == (512, 6, 10)
    assert square.totals.params == wide.totals.params
    assert found("INPUT(3, 320, 240) => CONV(8) => RELU => GAP => FC(10)") == ["M13.1"]


@pytest.mark.claim("M13.2")
def test_299_fits_every_window_of_inception_v3_and_229_does_not():
    windows = [(3, 2), (3, 1), (3, 2), (3, 1), (3, 2), (3, 2), (3, 2)]
    size, fractions = 299, 0
    for kernel, stride in windows:
        size = shapes.output_size(size, kernel, stride=stride)
    assert size == 8
    size = 229
    for kernel, stride in windows:
        fractions += (size - kernel) % stride > 0
        size = shapes.output_size(size, kernel, stride=stride, rounding="floor")
    assert fractions == 3
    assert "M13.2" in found("INPUT(3, 229, 229) => CONV(32) => RELU => GAP => FC(10)")


@pytest.mark.claim("M13.3")
def test_how_often_the_common_sizes_can_be_halved(rules):
    halved = {size: len(rules.halvings(size)) - 1 for size in (32, 64, 96, 224, 227, 229, 299)}
    assert halved == {32: 5, 64: 6, 96: 5, 224: 5, 227: 0, 229: 0, 299: 0}
    assert rules.halvings(224)[-1] == 7
    (error,) = lint("INPUT(3, 100, 100) => [CONV(32) => RELU => BN => POOL] * 3 => GAP => FC(10)")
    assert (error.rule, error.severity, error.rewrite) == ("M13.3", "error", "INPUT(3, 104, 104)")


@pytest.mark.claim("M13.3")
def test_windows_of_3_at_stride_2_without_padding_tile_exactly_the_odd_sizes():
    for size in range(3, 300):
        if size % 2:
            assert shapes.output_size(size, 3, stride=2) == (size - 1) // 2
        else:
            with pytest.raises(ShapeError):
                shapes.output_size(size, 3, stride=2)

    def survives(size):
        for _ in range(5):
            if size % 2 == 0:
                return False
            size = shapes.output_size(size, 3, stride=2)
        return True

    assert [size for size in range(200, 301) if survives(size)] == [223, 255, 287]


@pytest.mark.claim("M13.4")
def test_a_stack_of_small_filters_sees_as_far_with_fewer_weights_except_in_the_first_layer():
    assert shapes.receptive_field([(3,)] * 3).size == 7
    c = 10
    assert 3 * shapes.conv_params(c, c, 3, bias=False) == 27 * c * c
    assert shapes.conv_params(c, c, 7, bias=False) == 49 * c * c
    first = shapes.conv_params(3, 64, 7, bias=False)
    stack = shapes.conv_params(3, 64, 3, bias=False) + 2 * shapes.conv_params(64, 64, 3, bias=False)
    assert round(stack / first) == 8
    depthwise = shapes.conv_params(96, 96, 7, groups=96, bias=False)
    assert depthwise < shapes.conv_params(96, 96, 3, bias=False)


@pytest.mark.claim("M13.5")
def test_each_doubling_of_the_first_stride_quarters_the_bill():
    macs = []
    for stride in (1, 2, 4):
        first = f"CONV(64, 7, stride={stride}, padding=3, rounding=floor)"
        rows = summarize(f"INPUT(3, 224, 224) => {first} => CONV(64)").rows
        macs.append((rows[0].macs, rows[1].macs))
    for dear, cheap in pairwise(macs):
        assert dear == (4 * cheap[0], 4 * cheap[1])
    assert macs[0][1] > summarize(zoo.resnet18).totals.macs
    assert summarize(zoo.vgg16).rows[2].macs == macs[0][1]


@pytest.mark.claim("M13.6")
def test_without_padding_a_stack_hardly_reads_its_corners():
    """The gradient of a sum through kernels of ones counts the ways from a pixel to the outputs."""
    for padding, corner in ((0, 1), (1, 169)):
        x = np.zeros((1, 1, 15, 15))
        caches = []
        for _ in range(3):
            x, cache = conv2d_forward(x, np.ones((1, 1, 3, 3)), padding=padding)
            caches.append(cache)
        ways = np.ones_like(x)
        for cache in reversed(caches):
            ways = conv2d_backward(ways, cache)[0]
        assert (ways[0, 0, 0, 0], ways[0, 0, 7, 7]) == (corner, 729)
    assert shapes.coverage(7, 3)[0] ** 2 == 1
    assert shapes.coverage(7, 3, padding=1)[0] ** 2 == 4
    assert "M13.6" in found("INPUT(3, 32, 32) => CONV(32, padding=0) => RELU => GAP => FC(10)")


@pytest.mark.claim("M13.7")
def test_who_pools_by_3_beyond_the_second_pooling(rules):
    row = "pooling windows (M13.7)"
    breaks = {name for name, text in zoo.NAMES.items() if row in rules.by_the_letter(text)}
    assert breaks == {"alexnet", "googlenet", "squeezenet1_0", "squeezenet1_1"}


@pytest.mark.claim("M13.8")
def test_batch_norm_in_the_zoo_stands_before_the_activation_or_nowhere(rules):
    row = "BN after activation (M13.8)"
    assert all(row in rules.by_the_letter(text) for text in zoo.NAMES.values())
    without = {name for name, text in zoo.NAMES.items() if "M13.8" in found(text)}
    assert without == {"alexnet", "vgg16", "squeezenet1_0", "squeezenet1_1"}
    rows = summarize(zoo.resnet18).rows
    assert sum(row.params for row in rows if row.text.startswith("BN")) == 9_600


@pytest.mark.claim("M13.9")
def test_the_networks_with_several_fc_layers_have_dropout_between_them():
    several = {
        name
        for name, text in zoo.NAMES.items()
        if sum(row.text.startswith("FC") for row in summarize(text).rows) > 1
    }
    assert several == {"alexnet", "vgg16"}
    between = {}
    for name in several:
        layers = [row.text.split("(")[0] for row in summarize(zoo.NAMES[name]).rows]
        parts = " ".join(layers).split("FC")
        between[name] = ["DO" in part for part in parts[1:-1]]
    assert between == {"alexnet": [True, False], "vgg16": [True, True]}
    assert "DO" not in zoo.resnet18 + zoo.resnet50


@pytest.mark.claim("M13.10")
def test_an_average_in_place_of_fc_leaves_a_ninth_of_vgg16():
    end = "[FC(4096) => RELU => DO] * 2 => FC(1000)"
    assert end in zoo.vgg16
    shorter = summarize(zoo.vgg16.replace(end, "GAP => FC(1000)")).totals.params
    assert round(summarize(zoo.vgg16).totals.params / shorter) == 9
    for text in zoo.NAMES.values():
        pools = [row.text for row in summarize(text).rows if row.text.startswith("POOL")]
        assert any("avg" not in pool for pool in pools)


def test_the_record_of_the_zoo(rules):
    records = {name: rules.record(text) for name, text in zoo.NAMES.items()}
    assert all("silent" in r.values() or "lint" in r.values() for r in records.values())
    kept = {row for row in rules.ROWS if all(r[row] == "kept" for r in records.values())}
    assert kept == {
        "square, known size (M13.1)",
        "small filters (M13.4)",
        "padding (M13.6)",
    }


BOARD = """
INPUT(3, 100, 90)
=> CONV(32, 7, padding=0) => POOL(5, 5, rounding=floor)
=> CONV(64, padding=0) => RELU => CONV(128, padding=0) => RELU
=> POOL(3, 2, rounding=floor)
=> FC(1024) => FC(10) => DO => SOFTMAX"""
CLEAN = """
INPUT(3, 96, 96)
=> CONV(32) => RELU => BN => POOL
=> CONV(64) => RELU => BN => CONV(128) => RELU => BN
=> POOL
=> GAP => FC(10) => SOFTMAX"""
FINAL = """
INPUT(3, 96, 96)
=> CONV(32) => RELU => BN => POOL
=> [CONV(64) => RELU => BN] * 2 => POOL
=> [[CONV(128) => RELU => BN] * 2 => POOL] * 2
=> GAP => FC(10) => SOFTMAX"""


def field(text):
    return [row.field[0] for row in summarize(text).rows if row.field][-1]


def test_the_whiteboard_has_no_error_and_the_mended_networks_no_finding():
    assert "error" not in {finding.severity for finding in lint(BOARD)}
    assert len(lint(BOARD)) == 16
    assert lint(CLEAN) == lint(FINAL) == []
    assert (field(BOARD), field(CLEAN), field(FINAL)) == (41, 14, 74)
    board, final = summarize(BOARD).totals, summarize(FINAL).totals
    assert round(board.params / final.params) == 7
    assert round(final.macs / board.macs) == 5


def test_the_receptive_field_stays_below_the_input_in_four_networks_of_the_zoo():
    small = {name: field(text) for name, text in zoo.NAMES.items() if field(text) < 224}
    assert small == {"alexnet": 195, "vgg16": 212, "squeezenet1_0": 155, "squeezenet1_1": 207}


def test_u_net_answers_for_388_of_572_pixels():
    def two_convs(size):
        return shapes.output_size(shapes.output_size(size, 3), 3)

    size = two_convs(572)
    for _ in range(4):
        size = two_convs(shapes.output_size(size, 2, stride=2))
    for _ in range(4):
        size = two_convs(2 * size)
    assert size == 388


def test_a_5_by_5_window_with_padding_2_reads_the_corner_nine_times():
    assert shapes.coverage(20, 5, padding=2)[0] ** 2 == 9


def test_a_network_with_one_filter_a_layer_is_clean():
    assert lint("INPUT(3, 32, 32) => [CONV(1) => RELU] * 2 => GAP => FC(10)") == []
