"""The summary: worked numbers, the errors' places, and the table."""

import subprocess
import sys

import pytest

from cnnlib import shapes
from cnnlib.diagram import zoo
from cnnlib.diagram.parse import parse
from cnnlib.diagram.plan import MOST_PARTS
from cnnlib.diagram.summary import summarize
from cnnlib.errors import DiagramError, ShapeError


def rows(text, input_shape=None):
    return {row.name: row for row in summarize(text, input_shape).rows}


# --- numbers worked by hand -----------------------------------------------------------------------


def test_a_small_network_by_hand():
    summary = summarize("INPUT(3, 32, 32) => CONV(8) => RELU => POOL => BN => FC(10) => SOFTMAX")
    found = {row.name: row for row in summary.rows}
    assert [row.name for row in summary.rows] == [
        "conv1",
        "relu1",
        "pool1",
        "bn1",
        "fc1",
        "softmax1",
    ]
    conv = found["conv1"]
    assert conv.shape == (8, 32, 32)
    assert conv.params == (3 * 3 * 3 + 1) * 8 == 224
    assert conv.macs == 8 * 32 * 32 * 27
    assert conv.flops == 2 * conv.macs
    assert found["relu1"].flops == 8 * 32 * 32
    assert found["pool1"].shape == (8, 16, 16)
    assert found["pool1"].flops == 8 * 16 * 16 * 3
    assert found["bn1"].params == 16
    assert found["bn1"].flops == 2 * 8 * 16 * 16
    assert found["fc1"].params == 2048 * 10 + 10
    assert found["fc1"].macs == 20480
    assert found["softmax1"].flops == 30
    assert summary.totals.params == 224 + 16 + 20490
    assert summary.totals.macs == conv.macs + 20480
    assert summary.totals.flops == sum(row.flops for row in summary.rows)


@pytest.mark.parametrize(
    ("layer", "flops"),
    [
        ("POOL(2, 2)", 16 * 3),
        ("POOL(2, 2, avg)", 16 * 4),
        ("GAP", 64),
        ("LRELU", 64),
        ("ELU", 64),
        ("ACT", 64),
        ("DO", 0),
        ("{ ID + ID + ID }", 2 * 64),
        ("{ ID | ID }", 0),
    ],
)
def test_flops_of_the_other_layers(layer, flops):
    assert summarize(f"INPUT(1, 8, 8) => {layer}").totals.flops == flops


def test_receptive_field_start_and_jump_are_those_of_shapes():
    text = "INPUT(1, 31, 37) => CONV(2, 7x5, stride=2x1, padding=0) => CONV(2, 3, dilation=2) => POOL(3, 2, rounding=floor)"
    row = summarize(text).rows[-1]
    heights = shapes.receptive_field([(7, 2, 0), (3, 1, 2, 2), (3, 2)])
    widths = shapes.receptive_field([(5, 1, 0), (3, 1, 2, 2), (3, 2)])
    assert row.field == (heights.size, widths.size)
    assert row.jump == (heights.jump, widths.jump)
    assert row.start == (heights.start, widths.start)


def test_where_branches_meet_the_widest_arm_counts():
    found = rows("INPUT(4, 9, 9) => { CONV(4, 5) => CONV(4) + CONV(4, 1x9) + ID } => CONV(1)")
    assert found["add1"].field == (7, 9)
    assert found["conv4"].field == (9, 11)


def test_branches_concatenate_along_depth():
    found = rows("INPUT(3, 8, 8) => { CONV(4) => RELU | CONV(5, 1) | ID } => FC(2)")
    assert found["concat1"].shape == (12, 8, 8)
    assert found["fc1"].params == 12 * 64 * 2 + 2
    assert [found[name].depth for name in ("conv1", "relu1", "conv2", "concat1")] == [1, 1, 1, 0]


def test_memory_of_a_chain():
    summary = summarize("INPUT(1, 4, 4) => CONV(2) => POOL => FC(3)")
    # 16 numbers come in, then 32, 8 and 3, of 4 bytes each.
    assert [row.forward_bytes for row in summary.rows] == [4 * 48, 4 * 40, 4 * 11]
    assert [row.training_bytes for row in summary.rows] == [4 * 48, 4 * 56, 4 * 59]
    assert summary.totals.forward_bytes == 4 * 48
    assert summary.totals.training_bytes == 4 * 59


def test_memory_waits_for_the_end_of_a_branch():
    # 1 number comes in everywhere, so bytes / 4 count the arrays that are alive.
    def alive(text):
        return [row.forward_bytes // 4 for row in summarize(f"INPUT(1) => {text}").rows]

    assert alive("RELU => RELU => RELU") == [2, 2, 2]
    # The shortcut keeps the input during the whole other arm, and until the addition.
    assert alive("{ RELU => RELU => RELU + ID }") == [2, 3, 3, 3]
    assert alive("{ ID + RELU => RELU => RELU }") == [2, 3, 3, 3]
    # Two arms: the input is let go once the second has begun; the first arm's end waits.
    assert alive("{ RELU => RELU + RELU => RELU }") == [2, 3, 3, 3, 3]
    # Inside: the outer shortcut needs the input throughout.
    assert alive("{ { RELU => RELU + RELU => RELU } + ID }") == [2, 3, 3, 4, 4, 3]


def test_repeats_are_written_out_and_counted():
    found = summarize(
        "INPUT(1, 8, 8) => [CONV(2) => [RELU] * 2 => POOL] * 2 => [FC(9)] * 0 => FC(3)"
    )
    names = ["conv1", "relu1", "relu2", "pool1", "conv2", "relu3", "relu4", "pool2", "fc1"]
    assert [row.name for row in found.rows] == names


def test_identity_alone_gives_no_row():
    summary = summarize("INPUT(3, 2, 2) => ID")
    assert summary.rows == ()
    assert summary.output_shape == (3, 2, 2)
    assert summary.totals.training_bytes == 48


def test_input_shape_takes_precedence_and_may_stand_alone():
    assert summarize("INPUT(3, 8, 8) => FC(2)", (1, 4, 4)).totals.params == 34
    assert summarize("FC(2)", (16,)).totals.params == 34
    assert summarize("INPUT => FC(2)", (1, 4, 4)).totals.params == 34


def test_a_tree_is_as_good_as_its_text():
    assert summarize(parse(zoo.resnet18)) == summarize(zoo.resnet18)


def test_rounding_up_pads_so_that_the_windows_fit():
    for size in range(5, 12):
        text = "INPUT(1, {0}, {0}) => CONV(1, 3, stride=2, padding=0, rounding=ceil)"
        row = summarize(text.format(size)).rows[-1]
        assert row.shape[1] == shapes.output_size(size, 3, stride=2, rounding="ceil")
        assert row.unseen == (0, 0)


# --- pixels that no window reads -----------------------------------------------------------------


@pytest.mark.claim("M4.7", "M4.8")
def test_unread_pixels_are_marked():
    text = "INPUT(3, 224, 224) => CONV(96, 11, stride=4, padding=0, rounding=floor)"
    summary = summarize(text)
    assert summary.rows[0].unseen == (1, 1)
    note = "! conv1: no window reads the last 1 row and the last 1 column of its input."
    assert note in str(summary)
    assert "rounding=floor) !" in str(summary)
    assert note in summary._repr_html_()
    resnet = summarize("INPUT(3, 224, 224) => CONV(64, 7, stride=2, padding=3, rounding=floor)")
    assert resnet.rows[0].unseen == (0, 0)
    assert "!" not in str(resnet)


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (
            "INPUT(3, 8, 8) => FC(4) => CONV(2)",
            "CONV",
            "CONV needs a volume (channels, height, width), but what comes in is a list of 4 numbers.",
        ),
        ("INPUT(3, 8, 8) => GAP => POOL", "POOL", "POOL needs a volume"),
        ("INPUT(3, 8, 8) => CONV => RELU", "CONV", "CONV does not say how many filters it has."),
        ("INPUT(3, 8, 8) => FC", "FC", "FC does not say how many units it has."),
        ("INPUT => FC(3)", "INPUT", "INPUT does not say how large the input is."),
        ("INPUT(3, 8) => FC(3)", "INPUT", "INPUT(3, 8) does not say how large the input is."),
        ("CONV(3)", "CONV", "the diagram does not start with INPUT, so no size is known."),
        (
            "INPUT(3, 224, 224) => CONV(96, 11, stride=4, padding=0)",
            "CONV",
            "height: size=224, kernel=11, stride=4, padding=0, dilation=1 do not tile: "
            "(224 − 11 + 2·0)/4 + 1 = 54.25 is not a whole number. Nearest that work: size 223 or 227",
        ),
        ("INPUT(3, 8, 9) => POOL", "POOL", "width: size=9, kernel=2, stride=2"),
        ("INPUT(3, 2, 2) => CONV(4, 5, padding=0)", "CONV", "height: kernel=5 with dilation=1 does"),
        (
            "INPUT(3, 8, 8) => POOL(2, 2, padding=2)",
            "POOL",
            "padding 2 is more than half of the window of 2",
        ),
        (
            "INPUT(3, 8, 8) => CONV(4, groups=2)",
            "CONV",
            "3 channels come in, which groups=2 does not divide.",
        ),
        (
            "INPUT(4, 8, 8) => CONV(3, groups=2)",
            "CONV",
            "3 filters are asked for, which groups=2 does not divide.",
        ),
        (
            "INPUT(3, 8, 8) => { CONV(4) | POOL }",
            "CONV",
            "branches are put one behind the other along depth, but branch 1 gives 4×8×8 and branch 2 "
            "gives 3×4×4.",
        ),
        (
            "INPUT(3, 8, 8) => { CONV(4) + ID }",
            "CONV",
            "branches are added number by number, but branch 1 gives 4×8×8 and branch 2 gives 3×8×8.",
        ),
        ("INPUT(3, 8, 8) => [RELU] * N", "RELU", "N stands for a number that is not given."),
        ("INPUT(3, 8, 8) => POOL?", "POOL", "POOL? may be there or not, which leaves the sizes open."),
    ],
)  # fmt: skip
def test_errors_stand_at_their_layer(text, place, message):
    with pytest.raises(DiagramError) as caught:
        summarize(text)
    error = caught.value
    assert message in error.message
    wanted = text.index(place)
    assert error.at == wanted
    assert str(error).splitlines()[2].index("^") == 2 + wanted
    # The arithmetic's own messages carry their remedy.
    assert error.suggestion or "Nearest that work" in error.message or "would fit" in error.message


def test_the_whole_text_of_an_error():
    with pytest.raises(DiagramError) as caught:
        summarize("INPUT(3, 8, 8)\n=> { CONV(4) + ID }")
    assert str(caught.value) == (
        "line 2, column 6: branches are added number by number, but branch 1 gives 4×8×8 and branch 2 "
        "gives 3×8×8.\n"
        "  => { CONV(4) + ID }\n"
        "       ^\n"
        "Give both the same sizes; a 1×1 CONV with a stride makes a shortcut fit."
    )


@pytest.mark.parametrize("shape", [(3, 8), 5, (1, 2, 3, 4), "3x8x8"])
def test_an_input_shape_that_is_none(shape):
    with pytest.raises(
        ShapeError, match=r"is no size of one image: give \(channels, height, width"
    ):
        summarize("INPUT => RELU", shape)


@pytest.mark.parametrize("text", ["[RELU] * 100000000", "[[[ID] * 10000] * 10000] * 10000"])
def test_absurd_repeats_are_refused_at_once(text):
    with pytest.raises(DiagramError, match=f"more than {MOST_PARTS:,} parts"):
        summarize(text, (1,))


# --- the table ------------------------------------------------------------------------------------


def test_the_table_in_text():
    assert str(summarize("INPUT(1, 4, 4) => { CONV(1) => RELU + ID } => FC(3)")) == TABLE


TABLE = """\
layer                    output  params  MACs  FLOPs  forward  training  field  jump  start  params so far
──────────────────────────────────────────────────────────────────────────────────────────────────────────
conv1  │ CONV(1)          1×4×4      10   144    288    128 B     128 B      3     1      0             10
relu1  │ RELU             1×4×4                   16    192 B     192 B      3     1      0             10
add1   add the branches   1×4×4                   16    192 B     256 B      3     1      0             10
fc1    FC(3)                  3      51    48     96     76 B     268 B                                 61
──────────────────────────────────────────────────────────────────────────────────────────────────────────
total                         3      61   192    416    192 B     268 B                                 61

Input 1×4×4. One image; shapes are channels × height × width. 1 MAC = 2 FLOPs. Forward: float32 activations that exist while the layer runs; training: those kept for the backward pass up to here."""


def test_the_table_in_html_is_escaped_and_complete():
    summary = summarize("INPUT(1, 4, 4) => CONV(1) => FC(3)")
    page = summary._repr_html_()
    assert page.count("<tr>") == 2 + len(summary.rows)
    assert ">CONV(1)</td>" in page
    assert f">{summary.totals.params:,}</th>" in page


def test_the_rows_as_data():
    data = summarize("INPUT(1, 4, 4) => CONV(1) => FC(3)").as_dicts()
    assert [row["name"] for row in data] == ["conv1", "fc1"]
    assert data[0]["params"] == 10


def test_a_summary_needs_neither_numpy_nor_torch():
    code = (
        "import sys; from cnnlib.diagram.summary import summarize; from cnnlib.diagram import zoo;"
        "str(summarize(zoo.resnet50)); assert not {'numpy', 'torch', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
