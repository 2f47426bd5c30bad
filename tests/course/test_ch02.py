"""What chapter 2, Layers and diagrams, prints and says, and the order of the glossary."""

import re
from pathlib import Path

import numpy as np
import pytest

from cnnlib.diagram import build, lint, parse, summarize, zoo
from cnnlib.reference.activation import relu, softmax
from cnnlib.reference.loss import softmax_cross_entropy
from cnnlib.reference.pool import avg_pool2d, max_pool2d

BOOK = Path(__file__).parents[2] / "book"
CHAPTER = (BOOK / "ch02_layers_and_diagrams/layers_and_diagrams.md").read_text(encoding="utf-8")
SETTINGS = {"CONV": "(6)", "FC": "(10)"}
LENET = """INPUT(1, 32, 32)
=> CONV(6, 5, padding=0) => ACT => POOL(mode=avg)
=> CONV(16, 5, padding=0) => ACT => POOL(mode=avg)
=> CONV(120, 5, padding=0) => ACT => FC(84) => ACT => FC(10)"""


def table():
    """Layer → what the chapter's table says: (learns, size, depth)."""
    rows = re.findall(r"^\| (`[^|]+) \| [^|]+ \| (\w+) \| ([^|]+) \| ([^|]+) \|$", CHAPTER, re.M)
    return {
        name: said for names, *said in rows for name in re.findall(r"`(\w+)`", names)
    }  # fmt: skip


@pytest.mark.claim("M2.1")
def test_the_table_has_every_layer_and_the_language_knows_them():
    assert set(table()) == {"INPUT", "CONV", "RELU", "ACT", "POOL", "FC", "BN", "DO", "SOFTMAX"}
    parse("INPUT => CONV => RELU => ACT => POOL => BN => DO => FC => SOFTMAX")


@pytest.mark.claim("M2.3")
@pytest.mark.parametrize("layer", [name for name in table() if name != "INPUT"])
def test_what_the_table_says_of_a_layer_is_what_it_does(layer):
    learns, size, depth = table()[layer]
    row = summarize(layer + SETTINGS.get(layer, ""), (4, 8, 8)).rows[0]
    assert (row.params > 0) == (learns == "yes")
    sizes = {"stays": (8, 8), "if told to": (8, 8), "shrinks": (4, 4), "is gone": ()}
    assert row.shape[1:] == sizes[size]
    assert row.shape[0] == {"stays": 4, "is set": 6, "is gone": 10}[depth]


@pytest.mark.claim("M2.3")
def test_only_conv_fc_and_bn_own_arrays():
    network = build(
        "INPUT(3, 8, 8) => CONV(4) => BN => RELU => POOL => DO(0.5) => FC(5) => SOFTMAX"
    )
    assert {name.split(".")[0] for name in network.to_arrays()} == {"conv1", "bn1", "fc1"}
    assert summarize("BN", (16, 32, 32)).totals.params == 2 * 16


def test_the_first_network_and_pool_taken_out_of_it():
    first = "INPUT(3, 32, 32) => CONV(16) => RELU => POOL => FC(10) => SOFTMAX"
    assert [row.params for row in summarize(first).rows] == [448, 0, 0, 40_970, 0]
    without = summarize(first.replace("=> POOL ", "")).totals.params
    assert 3.9 < without / summarize(first).totals.params < 4


@pytest.mark.claim("M2.2")
def test_the_diagram_with_and_without_softmax():
    with_it = parse("INPUT => CONV => RELU => FC => SOFTMAX")
    assert str(with_it) == str(parse("INPUT => CONV => RELU => FC")) + " => SOFTMAX"
    text = "INPUT(3, 8, 8) => CONV(4) => RELU => FC(5)"
    x = np.random.default_rng(0).standard_normal((2, 3, 8, 8))
    scores = build(text, dtype="float64")(x)
    probabilities = build(text + " => SOFTMAX", dtype="float64")(x)
    np.testing.assert_allclose(probabilities, softmax(scores))
    np.testing.assert_array_equal(probabilities.argmax(1), scores.argmax(1))


def test_softmax_counts_differences_and_a_second_one_leaves_a_floor():
    scores = np.array([[3.0, -1, 0], [13, 9, 10], [30, -10, 0]])
    shares = softmax(scores)
    np.testing.assert_allclose(shares[0], shares[1])
    assert shares[2, 1:].sum() < 1e-12
    perfect, right = np.eye(10)[:1], np.array([0])
    floor = softmax_cross_entropy(perfect, right)
    assert floor == pytest.approx(np.log(np.e + 9) - 1)
    assert np.log(10) - floor < 1
    others = np.random.default_rng(0).dirichlet(np.ones(10), 1000)
    assert all(softmax_cross_entropy(row[None], right) > floor for row in others)
    assert softmax_cross_entropy(np.array([[0.0, 1000.0]]), right) == 1000


def test_the_same_layers_in_another_order_give_other_shapes_and_counts():
    conv = "CONV(32, 5, padding=0) => RELU"
    a = summarize(f"INPUT(3, 32, 32) => {conv} => POOL => FC(10)")
    b = summarize(f"INPUT(3, 32, 32) => POOL => {conv} => FC(10)")
    assert a.rows[-2].shape == (32, 14, 14)
    assert b.rows[-2].shape == (32, 12, 12)
    assert a.totals.params - b.totals.params == 32 * (14**2 - 12**2) * 10


@pytest.mark.claim("M2.4")
def test_no_shape_or_count_misses_an_activation_but_the_linter_does():
    implied = "INPUT(3, 32, 32) => CONV(16) => CONV(16) => POOL => FC(64) => FC(10)"
    written = (
        "INPUT(3, 32, 32) => CONV(16) => RELU => CONV(16) => RELU => POOL "
        "=> FC(64) => RELU => FC(10)"
    )
    counts = [
        (summary.output_shape, summary.totals.params)
        for summary in map(summarize, (implied, written))
    ]
    assert counts[0] == counts[1]
    assert [finding.rule for finding in lint(implied)].count("M2.4") == 3
    assert "M2.4" not in [finding.rule for finding in lint(written)]


@pytest.mark.claim("M2.3")
def test_lenet_5_as_built_today_and_as_its_paper_counts_it():
    params = {row.name: row.params for row in summarize(LENET).rows if row.params}
    assert params == {"conv1": 156, "conv2": 2416, "conv3": 48_120, "fc1": 10_164, "fc2": 850}
    partial = 6 * (3 * 25 + 1) + 9 * (4 * 25 + 1) + (6 * 25 + 1)
    assert partial == 1516
    assert 156 + 2 * 6 + partial + 2 * 16 + 48_120 + 10_164 == 60_000


def test_relu_and_max_pooling_change_places_and_average_pooling_does_not():
    x = np.random.default_rng(0).standard_normal((1, 2, 6, 6))
    assert np.array_equal(relu(max_pool2d(x, 2)), max_pool2d(relu(x), 2))
    assert not np.allclose(relu(avg_pool2d(x, 2)), avg_pool2d(relu(x), 2))


def test_the_numbers_in_the_names_of_two_networks():
    def count(name):
        rows = summarize(getattr(zoo, name)).rows
        conv = [row for row in rows if row.name.startswith("conv")]
        shortcuts = [row for row in conv if row.depth and row.text.split(", ")[1] == "1"]
        return len(conv), len(shortcuts), sum(row.name.startswith("fc") for row in rows)

    assert count("vgg16") == (13, 0, 3)
    assert count("resnet18") == (20, 3, 1)


def test_swapped_axes_pass_all_but_a_note():
    findings = lint("INPUT(32, 32, 3) => CONV(16) => RELU => FC(10)")
    assert [(finding.severity, finding.rule) for finding in findings] == [("note", "M13.1")]


def test_the_glossary_is_in_order_and_short():
    text = (BOOK / "glossary.md").read_text(encoding="utf-8")
    body = text.split(":::{glossary}\n")[1].split(":::")[0]
    entries = [entry.splitlines() for entry in body.strip().split("\n\n")]
    terms = [entry[0] for entry in entries]
    assert terms == sorted(terms, key=str.lower)
    for entry in entries:
        definition = " ".join(line for line in entry if line.startswith("  "))
        assert len(re.findall(r"[.?](?:\s|$)", definition.strip())) <= 2, entry[0]
