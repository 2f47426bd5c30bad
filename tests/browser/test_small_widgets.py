"""Parameter explosion and AlexNet detective in Chromium: what is their own."""

import itertools

import pytest

from cnnlib.widgets import AlexNetDetective, Parameters
from cnnlib.widgets.base import _spec, grouped
from cnnlib.widgets.bundle import page_script

pytestmark = pytest.mark.browser

PAGE = """<!doctype html>
<html lang="en" data-theme="light">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Widgets</title>
<script defer src="widgets.js"></script></head>
<body><main><h1>Widgets</h1>{widgets}</main></body></html>"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    (folder / "widgets.js").write_text(page_script(["parameters", "alexnet"]), encoding="utf-8")
    widgets = Parameters().page_html("parameters") + AlexNetDetective().page_html("alexnet")
    (folder / "index.html").write_text(PAGE.format(widgets=widgets), encoding="utf-8")
    return (folder / "index.html").as_uri()


@pytest.fixture
def page(chromium, address):
    noise = []
    with chromium.new_context(viewport={"width": 900, "height": 1000}) as context:
        page = context.new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.goto(address)
        yield page
    assert noise == []


def the(page, name):
    return page.locator(f'[name="{name}"] .widget')


def rows(table) -> list[list[str]]:
    cells = "rows => rows.map(row => [...row.children].map(cell => cell.textContent))"
    return table.locator("tr").evaluate_all(cells)


def heights(widget) -> dict[str, float]:
    """Where the mark of each line stands, from the foot of the picture."""
    dots = "dots => dots.map(dot => [dot.classList[1], -Number(dot.getAttribute('cy'))])"
    return dict(widget.locator(".dot").evaluate_all(dots))


def test_the_marks_stand_as_high_as_the_counts(page):
    widget = the(page, "parameters")
    for settings in ({}, {"size": 250}, {"size": 250, "neurons": 1}, {"size": 6, "kernel": 9}):
        layer = Parameters(**settings)
        for name, value in layer.settings.items():
            widget.locator(f"#{name}").fill(str(value))
        counts = {
            "equal": layer.fully_connected_equal,
            "some": layer.fully_connected,
            "local": layer.locally_connected,
            "conv": layer.convolutional,
        }
        marks = heights(widget)
        assert sorted(counts, key=counts.get) == sorted(marks, key=marks.get), settings
        assert rows(widget.locator(".results")) == [list(row) for row in layer.facts()]
        assert str(layer.size) in widget.locator("figure svg").get_attribute("aria-label")


def test_when_the_side_doubles_equal_steps_are_climbed_and_conv_stays(page):
    """On logarithmic axes a power of the side climbs by the same height at every doubling."""
    widget, seen = the(page, "parameters"), []
    for size in (32, 64, 128):
        widget.locator("#size").fill(str(size))
        seen.append(heights(widget))
    first, second = ({k: b[k] - a[k] for k in a} for a, b in itertools.pairwise(seen))
    assert first == pytest.approx(second)
    assert first["conv"] == 0
    assert first["equal"] == pytest.approx(2 * first["local"]) == pytest.approx(2 * first["some"])


def test_the_plot_is_dragged_and_the_field_follows(page):
    widget = the(page, "parameters")
    box = widget.locator("figure svg").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 500, box["y"] + 100)
    page.mouse.up()
    size = int(widget.locator("#size").input_value())
    assert size != 32
    assert rows(widget.locator(".results")) == [list(row) for row in Parameters(size=size).facts()]
    dot = widget.locator(".dot.conv").bounding_box()
    assert abs(dot["x"] + dot["width"] / 2 - box["x"] - 500) < 3
    page.mouse.move(box["x"] + 100, box["y"] + 100)  # no button is down
    assert widget.locator("#size").input_value() == str(size)
    page.mouse.move(box["x"] + 300, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] + 4, box["y"] + 100)
    page.mouse.up()
    assert 4 <= int(widget.locator("#size").input_value()) <= 1024


@pytest.mark.claim("M4.8")
def test_every_clue_is_ticked_or_crossed_in_words(page):
    widget = the(page, "alexnet")
    for preset in _spec("alexnet")["presets"]:
        widget.get_by_role("button", name=preset["label"], exact=True).press("Enter")
        reading = AlexNetDetective(**preset["values"])
        expected = [
            [
                clue.label,
                grouped(clue.printed),
                "none" if clue.here is None else grouped(clue.here),
                "✓ fits" if clue.fits else "✗ no",
            ]
            for clue in reading.clues
        ]
        assert rows(widget.locator(".clues"))[1:] == expected, preset["label"]
        sides = widget.locator(".chain b").all_inner_texts()
        assert sides == ["–" if side is None else str(side) for side in reading.sides]
        assert widget.locator(".map").count() == sum(side is not None for side in reading.sides)


def test_the_squares_are_as_wide_as_the_sides(page):
    widget = the(page, "alexnet")
    widget.get_by_role("button", name="Rounded up").click()
    widths = [box.bounding_box()["width"] for box in widget.locator(".map").all()]
    sides = AlexNetDetective(rounding="ceil").sides
    assert widths == pytest.approx([side * widths[0] / sides[0] for side in sides], abs=0.6)


def test_a_reading_is_found_by_keyboard(page):
    widget = the(page, "alexnet")
    widget.locator("#after").focus()
    for _ in range(3):
        page.keyboard.press("ArrowUp")
    assert widget.locator("output").inner_text() == AlexNetDetective(after=3).summary()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    whole = AlexNetDetective(after=3, network="whole")
    assert widget.locator("output").inner_text() == whole.summary()
