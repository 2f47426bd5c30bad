"""The convolution stepper in Chromium: stepping, playing, editing and picking, against cnnlib's results."""

import numpy as np
import pytest

from cnnlib.widgets import WIDGETS, Convolution
from cnnlib.widgets.base import _spec, grouped
from cnnlib.widgets.bundle import page_script

pytestmark = pytest.mark.browser

PAGE = """<!doctype html>
<html lang="en" data-theme="light">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Stepper</title>
<script defer src="widgets.js"></script></head>
<body><main><h1>Stepper</h1>{widget}</main></body></html>"""
EXAMPLES = {preset["label"]: preset["values"] for preset in _spec("convolution")["presets"]}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    (folder / "widgets.js").write_text(page_script(list(WIDGETS)), encoding="utf-8")
    page = PAGE.format(widget=Convolution().page_html("stepper"))
    (folder / "index.html").write_text(page, encoding="utf-8")
    return (folder / "index.html").as_uri()


@pytest.fixture
def widget(chromium, address):
    noise = []
    with chromium.new_context(viewport={"width": 1000, "height": 900}) as context:
        page = context.new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.goto(address)
        yield page.locator("#stepper .widget")
    assert noise == []


def cells(widget, label: str) -> list[str]:
    """The texts of a grid, also of one that is edited."""
    return widget.get_by_role("table", name=label, exact=True).evaluate(
        "table => [...table.querySelectorAll('td')].map(cell => cell.querySelector('input')?.value ?? cell.textContent)"
    )


def shown(numbers: np.ndarray) -> list[str]:
    return [grouped(number) for number in np.ravel(numbers)]


def said(widget) -> str:
    return widget.locator("output.verdict").inner_text()


def example(widget, label: str) -> None:
    widget.get_by_role("group", name="Examples").get_by_role(
        "button", name=label, exact=True
    ).click()


def press(widget, name: str) -> None:
    widget.get_by_role("button", name=name, exact=True).press("Enter")


@pytest.mark.claim("M4.3")
def test_the_map_fills_up_window_by_window(widget):
    numbers = shown(Convolution().output)
    for step in range(9):
        assert cells(widget, "Output") == numbers[: step + 1] + [""] * (8 - step)
        stepper = Convolution(step=step)
        assert said(widget) == stepper.summary()
        products = [text.split("\n")[1] for text in cells(widget, "Products, channel 1")]
        assert products == shown(stepper.products)
        assert widget.locator(".edit td.on").count() == 9
        press(widget, "One step on")
    assert said(widget).endswith("which is full now.")


def test_a_cell_of_the_output_leads_to_its_window(widget):
    widget.get_by_role("button", name="row 1, column 1: 692").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "Enter"):
        widget.page.keyboard.press(key)
    assert said(widget) == Convolution(step=7).summary()
    assert cells(widget, "Output")[7:] == ["−59", ""]


def test_it_plays_to_the_end_and_announces_nothing_meanwhile(widget):
    page = widget.page
    page.clock.install()
    press(widget, "Play")
    page.clock.run_for(1500)
    assert said(widget) == Convolution(step=2).summary()
    assert widget.locator("output").get_attribute("aria-live") == "off"
    press(widget, "Pause")
    page.clock.run_for(5000)
    assert said(widget) == Convolution(step=2).summary()
    press(widget, "Play")
    page.clock.run_for(10_000)
    assert cells(widget, "Output") == shown(Convolution().output)
    assert widget.get_by_role("button", name="Play").is_visible()
    press(widget, "One step back")
    assert widget.locator("output").get_attribute("aria-live") == "polite"


def test_pixels_and_weights_can_be_written(widget):
    widget.get_by_label("Pixels, channel 1, row 2, column 2").fill("100")
    widget.get_by_label("Kernel, channel 1, row 1, column 1").fill("-2")
    pixels, weights = list(Convolution().pixels), list(Convolution().weights)
    pixels[6], weights[0] = 100, -2
    stepper = Convolution(pixels=pixels, weights=weights)
    assert said(widget) == stepper.summary()
    assert "sum = " + grouped(stepper.products.sum()) in widget.inner_text()
    press(widget, "Last step")
    assert cells(widget, "Output") == shown(stepper.output)
    widget.page.wait_for_function("location.hash.endsWith('step=8')")  # a moment later
    widget.page.reload()
    assert cells(widget, "Output") == shown(stepper.output)


@pytest.mark.parametrize("typed", ["256", "-1", "1.5", "x", ""])
def test_what_is_no_pixel_is_marked_and_taken_back(widget, typed):
    cell = widget.get_by_label("Pixels, channel 1, row 1, column 2")
    cell.fill(typed)
    assert cell.get_attribute("aria-invalid") == "true"
    assert said(widget) == Convolution().summary()
    cell.press("Tab")
    assert cell.input_value() == "242"
    assert cell.get_attribute("aria-invalid") == "false"
    assert widget.page.evaluate("location.hash") == ""


def test_the_zeros_of_the_padding_cannot_be_written(widget):
    example(widget, "Padding 1")
    corner = widget.get_by_label("Pixels, channel 1, row 1, column 1")
    assert corner.input_value() == "0"
    assert not corner.is_editable()
    pixel = widget.get_by_label("Pixels, channel 1, row 2, column 2")
    pixel.fill("96")
    press(widget, "Last step")
    pixels = [96, *Convolution().pixels[1:]]
    assert cells(widget, "Output") == shown(Convolution(pixels=pixels, padding=1).output)


def test_flipping_changes_the_sign_of_an_edge(widget):
    example(widget, "An upright edge")
    press(widget, "Last step")
    before = cells(widget, "Output")
    assert before == ["0", "540", "540"] * 3
    assert widget.get_by_text("Flipped", exact=True).is_hidden()
    widget.locator("#flip").press("Space")
    assert cells(widget, "Output") == ["0", "−540", "−540"] * 3
    assert cells(widget, "Flipped kernel, channel 1") == ["1", "0", "−1"] * 3
    rows = dict(
        row.locator("th, td").all_inner_texts() for row in widget.locator(".results tr").all()
    )
    assert rows["Deep learning: kernel as it is"] == "540"
    assert rows["Mathematics: kernel flipped"] == "−540"


def test_each_filter_has_a_map_and_each_channel_a_sum(widget):
    assert widget.get_by_role("group", name="Filter shown").is_hidden()
    example(widget, "Three channels")
    press(widget, "Last step")
    for k in (1, 2):
        press(widget, f"Filter {k}")
        stepper = Convolution(**EXAMPLES["Three channels"] | {"shown": k, "step": 3})
        assert cells(widget, "Output") == shown(stepper.output[k - 1])
        assert widget.locator(".sum:visible").all_inner_texts() == [
            f"sum {c + 1} = {grouped(part.sum())}" for c, part in enumerate(stepper.products)
        ]
        assert said(widget) == stepper.summary()
    widget.get_by_label("Kernel, channel 3, row 3, column 3").fill("7")
    weights = [*EXAMPLES["Three channels"]["weights"][:-1], 7]
    changed = Convolution(**EXAMPLES["Three channels"] | {"weights": weights})
    assert cells(widget, "Output") == shown(changed.output[1])


def test_a_larger_image_keeps_its_pixels_and_the_kernel_its_weights(widget):
    widget.locator("#size").press("ArrowUp")
    widget.locator("#kernel").press("ArrowUp")
    widget.locator("#kernel").press("ArrowUp")
    widget.locator("#padding").press("ArrowUp")
    pixels = np.reshape(cells(widget, "Pixels, channel 1"), (8, 8))[1:6, 1:6]
    assert pixels.ravel().tolist() == shown(Convolution().pixels)
    kernel = np.reshape(cells(widget, "Kernel, channel 1"), (5, 5))
    assert kernel[1:4, 1:4].ravel().tolist() == shown(Convolution().weights)
    assert set(kernel[[0, -1]].ravel()) == {"0"}
    press(widget, "Last step")
    output = np.reshape(cells(widget, "Output"), (4, 4))[:3, :3]
    assert output.ravel().tolist() == shown(Convolution().output)


def test_a_window_that_does_not_fit_is_explained(widget):
    widget.locator("#dilation").fill("3")
    stepper = Convolution(dilation=3)
    assert said(widget) == stepper.summary()
    assert "refused" in widget.locator("output").get_attribute("class")
    assert widget.get_by_role("group", name="Steps").is_hidden()
    assert widget.get_by_role("table", name="Output").is_hidden()
    widget.locator("#padding").fill("1")
    assert said(widget) == Convolution(dilation=3, padding=1).summary()


def greys(widget, which: int) -> np.ndarray:
    """The cells of a picture as drawn; NaN where nothing is yet."""
    fills = (
        widget.locator(".picture")
        .nth(which)
        .locator("[data-at]")
        .evaluate_all("all => all.map(cell => cell.getAttribute('fill'))")
    )
    values = [np.nan if f == "transparent" else int(f[4:].split(",")[0]) for f in fills]
    side = int(len(values) ** 0.5)
    return np.reshape(values, (side, side))


def test_the_photograph_is_grey_and_its_output_too(widget):
    example(widget, "Photograph")
    stepper = Convolution(**EXAMPLES["Photograph"])
    assert widget.locator("#size").is_hidden()
    assert (greys(widget, 0)[1:-1, 1:-1] == stepper.input[0]).all()
    (output,) = stepper.output
    expected = 127.5 + 127.5 * output / np.abs(output).max()
    assert np.abs(greys(widget, 1) - expected).max() <= 0.5
    assert said(widget) == Convolution(**EXAMPLES["Photograph"] | {"step": 575}).summary()
    widget.locator(".picture").nth(1).locator('[data-at="100"]').click()
    assert said(widget) == Convolution(**EXAMPLES["Photograph"] | {"step": 100}).summary()
    assert np.isnan(greys(widget, 1)).sum() == 475
    widget.locator("#step").press("ArrowRight")  # what the click does, the keyboard does too
    assert said(widget) == Convolution(**EXAMPLES["Photograph"] | {"step": 101}).summary()
