"""The activation explorer in Chromium: the point, the batch, and what their pictures show."""

import re

import numpy as np
import pytest

from cnnlib.widgets import Activation
from cnnlib.widgets.bundle import page_script

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8"><title>Explorer</title>
<script defer src="widget.js"></script></head><body>{}</body></html>"""


@pytest.fixture
def page(chromium, tmp_path):
    (tmp_path / "widget.js").write_text(page_script(["activation"]), encoding="utf-8")
    element = Activation().page_html("here")
    (tmp_path / "index.html").write_text(PAGE.format(element), encoding="utf-8")
    with chromium.new_context(viewport={"width": 1000, "height": 900}) as context:
        page, errors = context.new_page(), []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((tmp_path / "index.html").as_uri())
        yield page
        assert errors == []


def headings(page) -> list[str]:
    return page.locator("#here svg .heading").all_text_contents()


def heights(page, panel: str, cls: str) -> np.ndarray:
    """Heights of a histogram's bars, in pixels."""
    bars = page.locator(f"#here svg[aria-label*='{panel}'] rect.{cls}")
    return np.array(
        bars.evaluate_all("bars => bars.map(bar => Number(bar.getAttribute('height')))")
    )


def test_the_point_is_moved_by_keyboard_and_its_numbers_follow(page):
    slider = page.locator("#here #x")
    slider.focus()
    page.keyboard.press("Home")
    for function in ("tanh", "elu", "relu"):
        page.locator("#here #function").select_option(function)
        slider.focus()
        for _ in range(3):
            page.keyboard.press("ArrowRight")
            x = float(slider.input_value())
            out, slope = Activation(function=function, x=x).point
            numbers = [
                float(re.search(r": (−?[\d.]+)", text)[1].replace("−", "-"))
                for text in headings(page)[:2]
            ]
            assert numbers == pytest.approx([out, slope], abs=0.0006), (function, x)
    assert float(slider.input_value()) == -4.1


def test_the_dot_lies_on_the_curve(page):
    page.locator("#here #function").select_option("sigmoid")
    for x in ("-3", "0", "4"):
        page.locator("#here #x").fill(x)
        for plot in page.locator("#here .pair > div").first.locator("svg").all():
            apart = plot.evaluate(
                """svg => { const dot = svg.querySelector('.dot'), curve = [...svg.querySelectorAll('path.line')].find(p => p.classList.length === 1);
                    const cx = Number(dot.getAttribute('cx')), cy = Number(dot.getAttribute('cy')), length = curve.getTotalLength();
                    return Math.min(...Array.from({ length: 2000 }, (_, i) => { const p = curve.getPointAtLength(i / 1999 * length); return Math.hypot(p.x - cx, p.y - cy); })); }"""
            )
            assert apart < 0.5, x


def test_a_function_that_jumps_is_drawn_in_two_parts(page):
    path = page.locator("#here svg[aria-label*='Slope'] path.line").first.get_attribute("d")
    left, right = ({point.split()[1] for point in part.split("L")} for part in path[1:].split("M"))
    assert len(left) == len(right) == 1, "the slope of ReLU is level on both sides"
    assert left != right


@pytest.mark.parametrize("function", ["relu", "leaky_relu", "sigmoid"])
def test_pictures_show_cnnlibs_batch(page, function):
    page.locator("#here #function").select_option(function)
    page.locator("#here #mean").fill("-2.5")
    widget = Activation(function=function, mean=-2.5)
    units = page.locator("#here line.unit")
    assert units.count() == 32
    assert page.locator("#here line.unit.dead").count() == widget.dead
    assert headings(page)[2].endswith(f": {widget.dead} dead")
    # What is drawn pale of the whole is the share of faint slopes.
    faint = (widget.slopes < 0.05).mean()
    for panel in ("Before", "After"):
        whole, pale = heights(page, panel, "bar"), heights(page, panel, "faint")
        assert pale.sum() / whole.sum() == pytest.approx(faint, abs=1e-3)


def test_the_dead_end_left_of_zero(page):
    page.get_by_role("button", name="Units far apart").press("Enter")
    ends = page.locator("#here line.unit").evaluate_all(
        "lines => lines.map(l => [l.classList.contains('dead'), Number(l.getAttribute('x2'))])"
    )
    zero = float(page.locator("#here svg[aria-label*='Range'] line.axis").first.get_attribute("x1"))
    assert sum(dead for dead, _ in ends) == Activation(between=2.0, within=0.5).dead == 9
    assert all((end <= zero) == dead for dead, end in ends)


def test_moving_the_point_announces_the_point_alone(page):
    page.evaluate("""() => {
        window.said = [];
        for (const region of document.querySelector("#here").shadowRoot.querySelectorAll("output, [role=status]"))
            new MutationObserver(() => said.push(region.textContent)).observe(region, { childList: true, subtree: true });
    }""")
    page.locator("#here #x").fill("2")
    page.locator("#here #mean").fill("-3")
    point = dict(Activation(x=2.0).facts())["At the point"]
    assert page.evaluate("said") == [point, Activation(mean=-3.0).summary()]
