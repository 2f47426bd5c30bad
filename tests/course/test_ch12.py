"""The numbers and facts that chapter 12, Beyond the pattern, states."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from cnnlib import shapes
from cnnlib.diagram import summarize, zoo
from cnnlib.errors import DiagramError
from cnnlib.reference.activation import relu
from cnnlib.reference.conv import conv2d

ROOT = Path(__file__).parents[2]
# Held to the published totals by tests/diagram/test_zoo.py.
PARAMS = {name: summarize(text).totals.params for name, text in zoo.NAMES.items()}

NAIVE = """
INPUT(192, 28, 28)
=> { CONV(64, 1) => RELU | CONV(128, 3) => RELU | CONV(32, 5) => RELU | POOL(3, 1, padding=1) }
"""
INCEPTION = """
INPUT(192, 28, 28)
=> { CONV(64, 1) => RELU
   | CONV(96, 1) => RELU => CONV(128, 3) => RELU
   | CONV(16, 1) => RELU => CONV(32, 5) => RELU
   | POOL(3, 1, padding=1) => CONV(32, 1) => RELU }
"""


def of_fc(name, column):
    rows = summarize(zoo.NAMES[name]).rows
    part = sum(getattr(row, column) for row in rows if row.name.startswith("fc"))
    return part / sum(getattr(row, column) for row in rows)


def sides(text):
    found = {row.shape[1]: None for row in summarize(text).rows if len(row.shape) == 3}
    return list(found)


def with_5x5(text):
    """The third arm of every inception block with filters of 5 × 5."""
    parts = text.split("\n=> ")
    for i, part in enumerate(parts):
        arms = part.split("|")
        if len(arms) == 4:
            arms[2] = arms[2].replace(", 3,", ", 5,")
            parts[i] = "|".join(arms)
    return "\n=> ".join(parts)


# --- the blocks -------------------------------------------------------------------------------------


@pytest.mark.claim("M12.1")
def test_googlenets_block_has_1_3_and_5_or_3_and_a_pooling_side_by_side():
    blocks = re.findall(r"\{[^}]*\}", zoo.googlenet)
    assert len(blocks) == 9
    for block in blocks:
        arms = block.split("|")
        kernels = [re.findall(r"CONV\(\d+, (\d+)", arm) for arm in arms]
        assert kernels == [["1"], ["1", "3"], ["1", "3"], ["1"]]
        assert "POOL(3, 1, padding=1)" in arms[3]
    first = next(row for row in summarize(zoo.googlenet).rows if row.name == "concat1")
    assert first.shape == (64 + 128 + 32 + 32, 28, 28)


@pytest.mark.claim("M12.1")
def test_resnet_adds_and_squeezenet_squeezes_before_it_expands():
    assert zoo.resnet18.count("+ ID }") + zoo.resnet18.count("+ CONV(") == 7
    joins = [row.name for row in summarize(zoo.resnet18).rows if row.name.startswith("add")]
    assert len(joins) == 8
    fires = re.findall(r"CONV\((\d+), 1\) => RELU => \{ CONV\((\d+), 1\)", zoo.squeezenet1_0)
    assert len(fires) == 8
    assert all(int(squeeze) < int(expand) for squeeze, expand in fires)


@pytest.mark.claim("M12.1")
def test_reductions_more_than_halve_the_inception_block_and_hold_its_depth():
    naive, reduced = summarize(NAIVE), summarize(INCEPTION)
    assert naive.output_shape == (416, 28, 28)
    assert reduced.output_shape == (256, 28, 28)
    assert (naive.totals.params, reduced.totals.params) == (387_296, 163_696)
    assert (naive.totals.macs, reduced.totals.macs) == (303_464_448, 128_049_152)
    block = NAIVE.split("=>", 1)[1]
    rows = summarize(f"{NAIVE} => {block} => {block}").rows
    assert [r.shape[0] for r in rows if r.name.startswith("concat")] == [416, 640, 864]


def test_a_bottleneck_costs_a_seventeenth_and_a_fire_block_a_ninth():
    def weights(channels, filters, kernel):
        return shapes.conv_params(channels, filters, kernel, bias=False)

    wide = 2 * weights(256, 256, 3)
    bottleneck = weights(256, 64, 1) + weights(64, 64, 3) + weights(64, 256, 1)
    assert (wide, bottleneck, wide // bottleneck) == (1_179_648, 69_632, 16)
    assert round(wide / bottleneck) == 17
    assert bottleneck < 2 * weights(64, 64, 3) == 73_728
    fire = summarize(
        "INPUT(96, 54, 54) => CONV(16, 1) => RELU => { CONV(64, 1) => RELU | CONV(64) => RELU }"
    )
    assert fire.totals.params == 11_920
    assert fire.output_shape == (128, 54, 54)
    assert round(shapes.conv_params(96, 128, 3) / 11_920, 1) == 9.3


def test_a_residual_block_of_zero_weights_is_the_identity_and_a_plain_one_is_nothing():
    x = relu(np.random.default_rng(0).standard_normal((2, 4, 5, 6)))
    zeros = np.zeros((4, 4, 3, 3))
    branch = conv2d(relu(conv2d(x, zeros, padding=1)), zeros, padding=1)
    np.testing.assert_array_equal(relu(branch + x), x)
    assert not relu(branch).any()


def test_without_skips_the_gradient_vanishes_at_half_of_hes_rule_and_with_them_it_grows():
    def left(skip, scale, blocks=20, width=64):
        rng = np.random.default_rng(0)
        spread = scale * np.sqrt(2 / width)
        weights = spread * rng.standard_normal((blocks, width, width))
        x, seen = rng.standard_normal((8, width)), []
        for w in weights:
            seen.append(x)
            x = skip * x + relu(x) @ w.T
        last = grad = rng.standard_normal(x.shape)
        for w, x in zip(weights[::-1], seen[::-1], strict=True):
            grad = skip * grad + (grad @ w) * (x > 0)
        return np.linalg.norm(grad) / np.linalg.norm(last)

    assert left(0, 0.5) < 1e-6
    assert left(1, 0.5) > 1
    assert 0.5 < left(0, 1) < 2
    assert 300 < left(1, 1) < 1000


def test_a_bar_for_the_plus_adds_64_channels_a_block():
    text = "INPUT(64, 8, 8) => [{ CONV(64) => RELU | ID }] * 8"
    assert summarize(text).output_shape == (64 + 8 * 64, 8, 8)


@pytest.mark.parametrize(
    "text",
    [
        "INPUT(192, 28, 28) => { CONV(64, 1) | CONV(32, 5, padding=0) }",
        "INPUT(64, 56, 56) => { CONV(128, stride=2, padding=1, rounding=floor) + ID }",
        "INPUT(64, 56, 56) => { CONV(128, stride=2, padding=1, rounding=floor) + CONV(128, 1) }",
        "INPUT(64, 56, 56) => { CONV(128, stride=2, padding=1, rounding=floor) + POOL(2, 2) }",
    ],
)
def test_branches_that_do_not_agree_are_refused(text):
    with pytest.raises(DiagramError, match="branch 2 gives"):
        summarize(text)


# --- the totals and the traps -----------------------------------------------------------------------


@pytest.mark.claim("M12.2")
def test_fc_holds_most_of_the_old_networks_and_little_or_nothing_of_the_new():
    claims = yaml.safe_load((ROOT / "book/claims.yml").read_text(encoding="utf-8"))
    statement = next(row["statement"] for row in claims if row["id"] == "M12.2")
    for name, params in PARAMS.items():
        assert f"{params:,}" in statement, name
    shares = {name: round(of_fc(name, "params"), 3) for name in zoo.NAMES}
    assert shares["alexnet"] == 0.960
    assert shares["vgg16"] == 0.894
    assert shares["googlenet"] == 0.155
    assert shares["resnet18"] == 0.044
    assert shares["squeezenet1_0"] == shares["squeezenet1_1"] == 0
    assert of_fc("vgg16", "macs") < 0.01


@pytest.mark.claim("M12.2")
def test_vgg16_without_its_fc_layers_loses_nine_tenths_of_its_parameters():
    head = "[FC(4096) => RELU => DO] * 2 => FC(1000)"
    assert head in zoo.vgg16
    lighter = summarize(zoo.vgg16.replace(head, "GAP => FC(1000)")).totals.params
    assert lighter == 14_714_688 + 513_000
    assert round(PARAMS["vgg16"] / lighter) == 9
    assert round(lighter / PARAMS["squeezenet1_0"]) == 12


@pytest.mark.claim("M12.2")
def test_the_three_traps():
    paper = with_5x5(zoo.googlenet)
    assert summarize(paper).totals.params == 7_005_832
    no_bn = paper.replace(", bias=false) => BN", ")")
    assert "BN" not in no_bn
    assert summarize(no_bn).totals.params == 6_998_552
    assert round(PARAMS["alexnet"] / 6_998_552, 1) == 8.7

    floored = zoo.googlenet.replace("ceil", "floor")
    assert summarize(floored).totals.params == PARAMS["googlenet"]
    assert sides(zoo.googlenet) == [112, 56, 28, 14, 7]
    assert sides(floored) == [112, 55, 27, 13, 6]
    assert sides(zoo.squeezenet1_0) == [109, 54, 27, 13]
    assert sides(zoo.squeezenet1_0.replace("ceil", "floor")) == [109, 54, 26, 12]

    assert summarize(zoo.alexnet).rows[0].params == (11 * 11 * 3 + 1) * 64
    first = summarize(
        "INPUT(3, 227, 227) => CONV(96, 11, stride=4, padding=0) => RELU => POOL(3, 2)"
        "=> CONV(256, 5, groups=2) => RELU => POOL(3, 2) => CONV(384) => RELU"
        "=> CONV(384, groups=2) => RELU => CONV(256, groups=2) => RELU => POOL(3, 2)"
        "=> [FC(4096) => RELU => DO] * 2 => FC(1000)"
    )
    assert first.totals.params == 60_965_224


def test_what_the_chapter_says_of_costs_and_sizes():
    macs = {name: summarize(text).totals.macs for name, text in zoo.NAMES.items()}
    second = next(row for row in summarize(zoo.vgg16).rows if row.name == "conv2")
    assert second.macs == 1_849_688_064 > macs["resnet18"]
    assert macs["squeezenet1_1"] < macs["squeezenet1_0"] / 2
    assert 0.98 < PARAMS["squeezenet1_1"] / PARAMS["squeezenet1_0"] < 0.995
    assert round(PARAMS["alexnet"] / PARAMS["resnet18"]) == 5
    assert round(macs["resnet18"] / macs["alexnet"], 1) == 2.5
    assert sides(zoo.vgg16) == [224, 112, 56, 28, 14, 7]
    assert sides(zoo.resnet18) == [112, 56, 28, 14, 7]
    assert sides(zoo.alexnet) == [55, 27, 13, 6]
