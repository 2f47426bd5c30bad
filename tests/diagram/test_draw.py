"""The picture: to scale, complete, legible on light and dark pages, no two words on one spot."""

import io
import itertools
import sys
from xml.etree import ElementTree

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Circle, Polygon
from matplotlib.text import Text

from cnnlib.diagram import zoo
from cnnlib.diagram.draw import FILLS, INK, OTHER_FILL, PAPER, draw, sketch
from cnnlib.diagram.parse import parse
from cnnlib.diagram.plan import Split, plan
from cnnlib.errors import DiagramError

ODD = {
    "three arms": "INPUT(3, 32, 32) => { BN => RELU => CONV(3) + CONV(3, 1) + ID } => RELU => FC(10)",
    "nested": "INPUT(4, 9, 9) => { { CONV(4) | ID } => CONV(4) + ID } => GAP => { FC(3) | ID }",
    "flat": "INPUT(16) => FC(8) => RELU => FC(1)",
    "no layer": "INPUT(16)",
    "identities": "INPUT(1, 5, 5) => { ID + ID } => { ID | ID }",
    "not square": "INPUT(3, 20, 90) => CONV(700, 1x7, stride=1x3, padding=0, rounding=floor) => BN => POOL(2, 2, avg)",
}
ALL = zoo.NAMES | ODD


def words_of(figure):
    return [t for t in figure.axes[0].findobj(Text) if t.get_text()]


@pytest.mark.parametrize("name", ALL)
def test_words_do_not_overlap_and_stay_on_the_paper(name):
    figure = draw(ALL[name])
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    boxes = [(t.get_text(), t.get_window_extent(canvas.get_renderer())) for t in words_of(figure)]
    for (text, box), (other_text, other) in itertools.combinations(boxes, 2):
        assert not box.overlaps(other), (text, other_text)
    for text, box in boxes:
        assert figure.bbox.x0 <= box.x0, text
        assert box.x1 <= figure.bbox.x1, text
        assert figure.bbox.y0 <= box.y0, text
        assert box.y1 <= figure.bbox.y1, text


@pytest.mark.parametrize("name", ALL)
def test_every_change_of_size_is_there(name):
    figure = draw(ALL[name])
    words = "\n".join(t.get_text() for t in words_of(figure)).split("\n")
    layers = list(plan(ALL[name]).layers())
    for kind in ("CONV", "POOL", "GAP", "FC", "BN", "RELU", "DO", "SOFTMAX"):
        written = sum(kind in word.split() for word in words)
        assert written == sum(layer.kind == kind for layer in layers), kind
    for layer in layers:
        if layer.kind in ("CONV", "FC"):
            assert str(layer.out_shape[0]) in words
    assert sum(isinstance(p, Circle) for p in figure.axes[0].patches) == forks(
        plan(ALL[name]).steps
    )


def forks(steps):
    return sum(
        1 + sum(forks(arm) for arm in step.arms) for step in steps if isinstance(step, Split)
    )


def front_faces(figure):
    """Length and height of each volume's front, in the order of drawing."""
    faces = []
    for patch in figure.axes[0].patches:
        corners = patch.get_xy()[:4] if isinstance(patch, Polygon) and patch.get_fill() else None
        if corners is not None and patch.get_alpha() == 1.0:
            faces.append((corners[1][0] - corners[0][0], corners[2][1] - corners[1][1]))
    return faces


def test_volumes_are_to_scale():
    text = "INPUT(8, 64, 48) => CONV(32) => POOL => CONV(16) => POOL => FC(100) => FC(50)"
    volumes = front_faces(draw(text))
    shapes = [(8, 64), (32, 64), (32, 32), (16, 32), (16, 16)]
    lengths, heights = zip(*volumes[:5], strict=True)
    for (channels, height), length, tall in zip(shapes, lengths, heights, strict=True):
        assert length / lengths[0] == pytest.approx(channels / 8)
        assert tall / heights[0] == pytest.approx(height / 64)
    assert volumes[5][1] / volumes[6][1] == pytest.approx(100 / 50)


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_ink_can_be_read_on_every_fill():
    """The paper is part of the picture, so the page behind it does not matter."""
    for ground in (PAPER, OTHER_FILL, *FILLS.values()):
        assert (luminance(ground) + 0.05) / (luminance(INK) + 0.05) >= 7
    figure = draw(ODD["flat"])
    assert figure.get_facecolor()[3] == 1
    assert {t.get_color() for t in words_of(figure)} == {INK}


def test_svg_is_well_formed():
    stream = io.BytesIO()
    draw(zoo.resnet18).savefig(stream, format="svg")
    assert ElementTree.fromstring(stream.getvalue()).tag.endswith("svg")


def test_drawing_leaves_no_figure_open():
    draw(ODD["flat"])
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


def test_a_tree_and_an_input_shape():
    tree = parse("CONV(4) => POOL")
    assert sketch(tree, (3, 8, 8)) == ("INPUT        3×8×8\nCONV 3×3     4×8×8\nPOOL 2×2 /2  4×4×4")
    assert "4×4" in "".join(t.get_text() for t in words_of(draw(tree, (3, 8, 8))))


@pytest.mark.parametrize("function", [draw, sketch])
def test_errors_are_those_of_the_sizes(function):
    with pytest.raises(DiagramError, match="does not say how many filters"):
        function("INPUT(3, 8, 8) => CONV")


def test_the_sketch_of_nested_branches():
    assert sketch(ODD["nested"]).splitlines() == [
        "INPUT             4×9×9",
        "┬ branch 1",
        "│ ┬ branch 1",
        "│ │ CONV 3×3      4×9×9",
        "│ ├ branch 2",
        "│ │ (as it came in)",
        "│ ┴ concatenated  8×9×9",
        "│ CONV 3×3        4×9×9",
        "├ branch 2",
        "│ (as it came in)",
        "┴ added           4×9×9",
        "GAP               4",
        "┬ branch 1",
        "│ FC              3",
        "├ branch 2",
        "│ (as it came in)",
        "┴ concatenated    7",
    ]
