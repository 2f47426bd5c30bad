"""The receptive-field explorer in Chromium: choosing a neuron, editing layers, what is lit."""

import pytest

from cnnlib.widgets import ReceptiveField
from cnnlib.widgets.base import _spec
from cnnlib.widgets.bundle import page_script

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><html lang="en" data-theme="light"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Field</title>
<script defer src="widgets.js"></script><body>{}</body></html>"""


@pytest.fixture
def widget(chromium, tmp_path):
    (tmp_path / "widgets.js").write_text(page_script(["receptive_field"]), encoding="utf-8")
    page = PAGE.format(ReceptiveField().page_html("field"))
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    noise = []
    with chromium.new_context(viewport={"width": 900, "height": 1000}) as context:
        page = context.new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.goto((tmp_path / "index.html").as_uri())
        yield page.locator("#field .widget")
    assert noise == []


def shows(widget, **settings):
    """The sentence, the lit cells of each row and the bars are those of cnnlib."""
    explorer = ReceptiveField(**settings)
    assert " ".join(widget.locator("output").inner_text().split()) == explorer.summary()
    lit = sum(count > 0 for row in explorer.paths for count in row)
    assert widget.locator("svg .cell.on, svg .cell.chosen").count() == lit
    assert widget.locator("svg .cell").count() == sum(explorer.sizes)
    assert widget.locator("svg .bar").count() == sum(count > 0 for count in explorer.paths[0])
    assert bool(widget.locator("svg .dot").count()) == (explorer.measured is not None)
    assert widget.locator("svg .chosen").count() == 1


def test_the_neuron_is_chosen_by_keyboard(widget):
    shows(widget)
    widget.get_by_label("Output neuron").press("ArrowLeft")
    shows(widget, neuron=11)
    widget.get_by_label("Output neuron").press("Home")
    shows(widget, neuron=0)
    assert "3 beyond the edge" in widget.locator("output").inner_text()
    assert widget.locator("svg .zero.on").count() == 3, "one cell of padding in each row below"


def test_the_neuron_is_chosen_by_a_click_on_its_row(widget):
    for neuron in (0, 5, 23):
        cells = widget.locator("svg .cell")
        cells.nth(3 * 24 + neuron).click()
        shows(widget, neuron=neuron)
        assert widget.get_by_label("Output neuron").input_value() == str(neuron)


def test_layers_are_edited_and_the_field_stays_where_the_reader_is(widget):
    layer = widget.get_by_label("Layer 2: stride")
    layer.focus()
    layer.press("ArrowDown")
    shows(widget, strides=[1, 2, 1])
    assert layer.evaluate("e => e.getRootNode().activeElement === e")
    widget.get_by_label("Layer 3: dilation").select_option("4")
    shows(widget, strides=[1, 2, 1], dilations=[1, 1, 4])
    assert "does not fit" not in widget.locator("output").inner_text()
    widget.get_by_label("Layer 3: kernel").select_option("7")
    shows(widget, kernels=[3, 3, 7], strides=[1, 2, 1], dilations=[1, 1, 4])
    assert "Layer 3 does not fit" in widget.locator("output").inner_text()


def test_layers_are_added_and_keep_their_settings_when_taken_away(widget):
    depth = widget.get_by_label("Layers", exact=True)
    widget.get_by_label("Layer 3: kernel").select_option("5")
    depth.press("ArrowDown")
    shows(widget, depth=2)
    assert widget.get_by_label("Layer 3: kernel").is_hidden()
    for _ in range(4):
        depth.press("ArrowUp")
    shows(widget, depth=6, kernels=[3, 3, 5])
    assert widget.locator("select:visible").count() == 6 * 4
    assert widget.get_by_label("Layer 6: kernel").input_value() == "3"


def test_measured_dots_belong_to_the_examples(widget):
    for preset in _spec("receptive_field")["presets"]:
        widget.get_by_role("button", name=preset["label"], exact=True).click()
        shows(widget, **preset["values"])
        assert widget.locator("svg .dot").count() > 0
    widget.get_by_label("Layer 1: kernel").select_option("5")
    assert widget.locator("svg .dot").count() == 0
    widget.get_by_label("Layer 1: kernel").select_option("3")
    assert widget.locator("svg .dot").count() > 0, "the example again"
