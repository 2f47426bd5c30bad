"""The numbers and facts that chapter 11, Layer patterns, states."""

import re
from itertools import product

import numpy as np
import pytest

from cnnlib import shapes
from cnnlib.diagram import build, expand, lint, parse, summarize, zoo
from cnnlib.errors import DiagramError

PATTERN = "INPUT => [[CONV => RELU]*N => POOL?]*M => [FC => RELU]*K => FC"
ALEXNET_LIKE = (
    "INPUT => [CONV => RELU => POOL] * 2 => [CONV => RELU] * 3 => POOL "
    "=> [FC => RELU => DO] * 2 => SOFTMAX"
)
VGG_LIKE = (
    "INPUT => [CONV => RELU] * 2 => POOL => [CONV => RELU] * 2 => POOL "
    "=> [CONV => RELU] * 3 => POOL => [CONV => RELU] * 3 => POOL "
    "=> [FC => RELU => DO] * 2 => SOFTMAX"
)
SECOND = "INPUT => [CONV => RELU => POOL] * 2 => FC => RELU => FC"
THIRD = "INPUT => [CONV => RELU => CONV => RELU => POOL] * 3 => [FC => RELU] * 2 => FC"
GRID = "INPUT(3, 32, 32) => [[CONV(32) => RELU]*N => POOL]*M => FC(256) => RELU => FC(10)"


def kinds(diagram, *, without=()):
    return [layer.kind for layer in expand(diagram).items if layer.kind not in without]


def word(diagram):
    return "".join(kind[0] for kind in kinds(diagram, without=("DO", "SOFTMAX")))


def blocks(diagram):
    """CONV layers of each block that ends in a POOL, and the FC layers."""
    *convs, end = word(diagram).split("P")
    return [block.count("C") for block in convs], end.count("F")


def sized(diagram):
    """Sizes of the chapter's examples: 32 × 32 × 3, 32 filters, 256 neurons, 10 classes."""
    text = str(expand(diagram)).replace("INPUT", "INPUT(3, 32, 32)").replace("CONV", "CONV(32)")
    return re.sub(r"FC$", "FC(10)", re.sub(r"FC(?= )", "FC(256)", text))


def settings():
    """Every setting that the chapter tries, by the network that it writes."""
    found = {}
    for N, M, K, pool in product(range(4), range(6), range(3), (True, False)):
        text = str(expand(PATTERN, N=N, M=M, K=K, pool=pool))
        found.setdefault(text, []).append((N, M, K, pool))
    return found


@pytest.mark.claim("M11.1", "M11.2")
def test_the_star_is_zero_or_more_and_the_pattern_a_regular_expression():
    star, plus = re.compile("I((CR)*P?)*(FR)*F"), re.compile("I((CR)+P?)+(FR)+F")
    assert all(star.fullmatch(word(text)) for text in settings())
    assert not plus.fullmatch(word("INPUT => FC"))
    assert not plus.fullmatch(word("INPUT => CONV => RELU => FC"))
    assert not star.fullmatch(word("INPUT => FC => CONV => RELU"))
    assert star.fullmatch(word(zoo.vgg16))
    assert word(zoo.vgg16) not in {word(text) for text in settings()}


def test_144_settings_write_96_networks():
    found = settings()
    assert sum(map(len, found.values())) == 144
    assert len(found) == 96
    assert len({n * m for n in range(4) for m in range(6)}) == 12


@pytest.mark.claim("M11.4")
def test_the_very_shallow_cnn_has_n_and_m_of_1_and_three_zeros_give_a_linear_classifier():
    found = settings()
    assert found["INPUT => CONV => RELU => FC"] == [(1, 1, 0, False)]
    assert (0, 0, 0, True) in found["INPUT => FC"]
    assert (0, 0, 0, False) in found["INPUT => FC"]


@pytest.mark.claim("M11.3")
def test_the_three_examples_belong_to_the_pattern_and_the_longest_is_not_the_largest():
    assert expand("INPUT => FC") == expand(PATTERN, N=0, M=0, K=0, pool=True)
    assert expand(SECOND) == expand(PATTERN, N=1, M=2, K=1, pool=True)
    assert expand(THIRD) == expand(PATTERN, N=2, M=3, K=2, pool=True)
    first, second, third = (summarize(sized(t)).totals for t in ("INPUT => FC", SECOND, THIRD))
    assert (first.params, second.params, third.params) == (30_730, 537_258, 246_826)
    assert third.params < second.params / 2
    assert third.macs > 4 * second.macs


def test_what_the_text_says_of_the_grid_over_n_and_m():
    params, fields = np.zeros((4, 6)), np.ones((4, 6))
    for n, m in product(range(4), range(6)):
        s = summarize(expand(GRID, N=n, M=m))
        params[n, m] = s.totals.params
        volumes = [row for row in s.rows if row.field]
        if volumes:
            fields[n, m] = volumes[-1].field[0]
            assert volumes[-1].shape[1] == 32 // 2**m
    assert np.unravel_index(params.argmax(), params.shape) == (3, 1)
    assert len(set(params[:, 0])) == 1
    assert params[1, 1] > 2e6
    assert params[1, 5] < 5e4
    assert (np.diff(params[1, 1:]) < 0).all()
    assert (np.diff(params[2, 1:]) < 0).all()
    assert params[3, 5] > params[3, 4]
    assert params[1:].min() == params[1, 5]
    growth = fields[1:, 2:] / fields[1:, 1:-1]
    assert growth.min() > 2
    assert growth.max() < 3
    assert (fields[3, 2], fields[1, 3], fields[3, 5]) == (22, 22, 218)
    # Exercise 2: rounded down and padded, the sixth POOL runs and does nothing.
    padded = "INPUT(8, 1, 1) => POOL(2, 2, padding=1, rounding=floor)"
    assert summarize(padded).output_shape == (8, 1, 1)
    with pytest.raises(DiagramError, match="does not fit into size=1"):
        summarize(expand(GRID, N=1, M=6))


@pytest.mark.parametrize(
    ("size", "evenly", "at_all"), [(32, 5, 5), (96, 5, 6), (224, 5, 7), (227, 0, 7)]
)
def test_how_often_a_side_can_be_halved(size, evenly, at_all):
    def halvings(rounding):
        count, left = 0, size
        while left > 1 and (rounding == "floor" or left % 2 == 0):
            left = shapes.output_size(left, 2, stride=2, rounding=rounding)
            count += 1
        return count

    assert halvings("strict") == evenly
    assert halvings("floor") == at_all == int(np.log2(size))


@pytest.mark.claim("M11.5", "M11.6", "M11.7")
def test_what_the_famous_diagrams_leave_out():
    assert blocks(ALEXNET_LIKE) == ([1, 1, 3], 2)
    assert blocks(zoo.alexnet) == ([1, 1, 3], 3)
    assert blocks(VGG_LIKE) == ([2, 2, 3, 3], 2)
    assert blocks(zoo.vgg16) == ([2, 2, 3, 3, 3], 3)
    for text in (ALEXNET_LIKE, VGG_LIKE):
        assert kinds(text)[-4:] == ["FC", "RELU", "DO", "SOFTMAX"]
        assert "M11.7" in {finding.rule for finding in lint(text)}
    assert "M11.7" not in {
        finding.rule for finding in lint(VGG_LIKE.replace("SOFTMAX", "FC => SOFTMAX"))
    }
    assert shapes.linear_params(14 * 14 * 512, 4096) > 3.99 * shapes.linear_params(
        7 * 7 * 512, 4096
    )


@pytest.mark.claim("M11.8")
def test_stacked_small_windows_see_as_far_with_fewer_weights_and_more_memory():
    def totals(text):
        s = summarize(f"INPUT(64, 32, 32) => {text}")
        return s.rows[-1].field[0], s.totals

    for one, stack, field, weights in (
        ("CONV(64, 5) => RELU", "[CONV(64) => RELU] * 2", 5, (25, 18)),
        ("CONV(64, 7) => RELU", "[CONV(64) => RELU] * 3", 7, (49, 27)),
    ):
        (field_one, large), (field_stack, small) = totals(one), totals(stack)
        assert field_one == field_stack == field
        assert large.params == weights[0] * 64**2 + 64
        assert small.params == weights[1] * 64**2 + (field // 2) * 64
        assert small.macs < large.macs
        assert small.training_bytes > large.training_bytes
    for count, field in ((1, 3), (2, 5), (3, 7)):
        rows = summarize(f"INPUT(3, 32, 32) => [CONV(32) => RELU] * {count} => POOL").rows
        assert rows[-2].field == (field, field)
    assert "M11.8" in {finding.rule for finding in lint(expand(GRID, N=0, M=2))}


@pytest.mark.claim("M11.9")
def test_the_patterns_with_batch_norm_are_one_pattern_and_cost_little():
    pattern = re.compile("I((CRB)*P?)*(FRB)*F")
    third = THIRD.replace("RELU", "RELU => BN")
    for text in ("INPUT => CONV => RELU => BN => FC", SECOND.replace("RELU", "RELU => BN"), third):
        assert pattern.fullmatch(word(text))
        assert "M9.8" not in {finding.rule for finding in lint(text)}
    more = summarize(sized(third)).totals.params - summarize(sized(THIRD)).totals.params
    assert more == 6 * 2 * 32 + 2 * 2 * 256 == 1408


@pytest.mark.claim("M11.10")
def test_the_parser_says_where_the_arrow_is_missing_and_proposes_it():
    printed = THIRD.replace("RELU", "RELU => BN").replace("FC => RELU", "FC RELU")
    with pytest.raises(DiagramError, match="The arrow between FC and RELU is missing") as caught:
        parse(printed)
    assert "Write FC => RELU" in str(caught.value)
    assert f"column {printed.index('FC RELU') + len('FC RELU') - 3}" in str(caught.value)


def test_the_search_under_a_budget_leaves_nine_and_the_chosen_one_runs():
    def network(N, M, K, width, units):
        parts = [f"[CONV({width * 2**b}) => RELU] * {N} => POOL" for b in range(M)]
        hidden = [f"[FC({units}) => RELU] * {K}"] if K else []
        return " => ".join(["INPUT(3, 32, 32)", *parts, *hidden, "FC(10)"])

    left = []
    for key in product((1, 2, 3), range(1, 6), (0, 1, 2), (8, 16, 32), (64, 128)):
        if key[2] == 0 and key[4] == 128:
            continue
        s = summarize(network(*key))
        last = [row for row in s.rows if row.field][-1]
        if s.totals.params <= 100_000 and last.field[0] >= 32 and last.shape[1] >= 4:
            left.append(key)
    assert len(left) == 9
    assert all(key[1] == 3 and key[0] >= 2 for key in left)
    assert max(left, key=lambda key: key[3]) == (2, 3, 0, 16, 64)

    text = network(2, 3, 0, 16, 64)
    net = build(text, seed=0).eval()
    assert sum(a.size for a in net.to_arrays().values()) == summarize(text).totals.params == 82_330
    images = np.random.default_rng(0).standard_normal((4, 3, 32, 32), dtype=np.float32)
    assert net(images).shape == (4, 10)
