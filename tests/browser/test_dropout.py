"""The dropout widget in Chromium: stepped, played, and the picture held to cnnlib's masks."""

import re

import pytest

from cnnlib.widgets import Dropout
from cnnlib.widgets.bundle import page_script

pytestmark = pytest.mark.browser


@pytest.fixture
def widget(chromium, tmp_path):
    """The widget, alone on a page; nothing may be written to the console."""
    (tmp_path / "widgets.js").write_text(page_script(["dropout"]), encoding="utf-8")
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><script defer src="widgets.js"></script>{Dropout().page_html("dropout")}'
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    noise = []
    with chromium.new_context(viewport={"width": 800, "height": 900}) as context:
        page = context.new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.goto((tmp_path / "index.html").as_uri())
        yield page.locator(".widget")
    assert noise == []


def check(widget, **settings):
    """The sentence, the rows and what is drawn are those of the settings."""
    run = Dropout(**settings)
    mask, n = run.masks[-1], run.step + 1
    assert widget.locator("output").inner_text() == run.summary()
    cells = "rows => rows.map(row => [...row.children].map(cell => cell.innerText))"
    assert [tuple(row) for row in widget.locator("tr").evaluate_all(cells)] == run.facts()
    picture = widget.locator("svg.layer")
    crossed = picture.locator("circle").evaluate_all(
        "all => all.map(circle => circle.nextElementSibling.matches('.cross'))"
    )
    assert crossed == (~mask).tolist()
    assert picture.locator("line.cut").count() == (~mask).sum()
    cut = ", ".join(str(i + 1) for i in range(len(mask)) if not mask[i]) or "none"
    assert f"Cut: {cut}. Output" in picture.get_attribute("aria-label")
    plot = widget.locator("svg[role=img]").last
    assert plot.locator("circle.dot").count() == n
    assert plot.locator("circle.now").count() == 1
    assert plot.locator("path.third").count() == (not run.scaling and run.p > 0)


def test_the_keyboard_steps_and_each_mini_batch_has_a_mask_of_its_own(widget):
    check(widget)
    on = widget.get_by_role("button", name="One step on")
    masks = set()
    for step in range(1, 5):
        on.press("Enter")
        check(widget, step=step)
        masks.add(widget.locator("svg.layer").get_attribute("aria-label"))
    assert len(masks) == 4
    widget.get_by_role("button", name="One step back").press("Space")
    check(widget, step=3)
    place = widget.get_by_role("slider", name="Step")
    place.press("End")
    check(widget, step=199)
    assert place.get_attribute("aria-valuetext") == "Mini-batch 200 of 200"
    widget.get_by_role("button", name="First step").press("Enter")
    check(widget)


def test_p_and_the_factor_change_the_same_run(widget):
    widget.get_by_role("button", name="Last step").press("Enter")
    slider = widget.get_by_role("slider", name="Probability")
    slider.press("End")
    check(widget, p=0.9, step=199)
    dots = "all => all.map(dot => Number(dot.getAttribute('cy')))"
    axis = "all => all.map(text => text.textContent + text.getAttribute('y'))"
    before = widget.locator("svg .tick").evaluate_all(axis)
    scaled = widget.locator("circle.dot").evaluate_all(dots)
    widget.get_by_role("checkbox", name="Scale").press("Space")
    check(widget, p=0.9, scaling=False, step=199)
    assert widget.locator("svg .tick").evaluate_all(axis)[-8:] == before[-8:], "the axis moved"
    assert max(scaled) - min(scaled) > 5 * (
        max(unscaled := widget.locator("circle.dot").evaluate_all(dots)) - min(unscaled)
    )
    slider.press("Home")
    check(widget, p=0.0, scaling=False, step=199)


def test_another_seed_is_another_run(widget):
    seed = widget.get_by_label("Seed", exact=True)
    seed.fill("7")
    check(widget, seed=7)
    seed.fill("-1")
    assert (
        "Seed -1 is too small: seeds are counted from 0." in widget.locator(".notes").inner_text()
    )
    check(widget, seed=7)


def test_playing_runs_on_in_silence_and_stops_when_told(widget):
    answer = widget.locator("output")
    assert answer.get_attribute("aria-live") == "polite"
    widget.get_by_role("button", name="Play").press("Enter")
    widget.locator(".player .value", has_text=re.compile("^[3-9] of 200")).wait_for()
    assert answer.get_attribute("aria-live") == "off"
    widget.get_by_role("button", name="Pause").press("Enter")
    step = int(widget.locator(".player .value").inner_text().split()[0]) - 1
    widget.page.wait_for_timeout(500)
    check(widget, step=step)
    widget.get_by_role("button", name="One step on").press("Enter")
    assert answer.get_attribute("aria-live") == "polite"


def test_it_stops_by_itself_at_the_last_mini_batch(widget):
    widget.get_by_role("slider", name="Step").press("End")
    widget.get_by_role("button", name="One step back").press("Enter")
    widget.get_by_role("button", name="Play").press("Enter")
    widget.get_by_text("200 of 200").wait_for()
    widget.get_by_role("button", name="Play").wait_for()
    check(widget, step=199)
