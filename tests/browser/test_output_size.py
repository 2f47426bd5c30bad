"""The output-size calculator in Chromium, on a page opened from a folder: operated as readers would."""

import random

import pytest
from axe_playwright_python.sync_playwright import Axe

from cnnlib import shapes
from cnnlib.widgets import WIDGETS, OutputSize
from cnnlib.widgets.base import Setting
from cnnlib.widgets.bundle import page_script

pytestmark = pytest.mark.browser

PAGE = """<!doctype html>
<html lang="en" data-theme="light">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Widgets</title>
<style>html[data-theme="dark"] body {{ background: #121212; color: #eee; }} body {{ font-family: sans-serif; margin: 12px; }}</style>
<script defer src="widgets.js"></script></head>
<body><main><h1>Widgets</h1>{widgets}</main></body></html>"""
ALEXNET = {"size": 224, "kernel": 11, "stride": 4, "in_channels": 3, "out_channels": 96}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    (folder / "widgets.js").write_text(page_script(list(WIDGETS)), encoding="utf-8")
    widgets = OutputSize(**ALEXNET).page_html("first") + OutputSize().page_html("second")
    (folder / "index.html").write_text(PAGE.format(widgets=widgets), encoding="utf-8")
    return (folder / "index.html").as_uri()


@pytest.fixture
def open_page(chromium, address):
    """Open the page; at the end nothing may have been requested elsewhere or written to the console."""
    contexts, noise = [], []

    def opened(fragment="", **settings):
        context = chromium.new_context(**{"viewport": {"width": 1000, "height": 900}, **settings})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on(
            "request",
            lambda request: None if request.url.startswith("file:") else noise.append(request.url),
        )
        page.goto(address + fragment)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert noise == []


@pytest.fixture
def page(open_page):
    return open_page()


def shown(widget) -> tuple[str, list[tuple[str, str]]]:
    """The sentence and the rows of the result, as they stand in the page."""
    cells = "rows => rows.map(row => [...row.children].map(cell => cell.innerText))"
    rows = [tuple(row) for row in widget.locator("tr").evaluate_all(cells)]
    return widget.locator("output").inner_text(), rows


def expected(**settings) -> tuple[str, list[tuple[str, str]]]:
    calculator = OutputSize(**settings)
    return calculator.summary(), calculator.facts()[1:-1]


def fields(widget) -> dict[str, int]:
    values = "inputs => Object.fromEntries(inputs.map(input => [input.id, Number(input.value)]))"
    return widget.locator("input[type=number]").evaluate_all(values)


def test_the_keyboard_alone_reaches_every_setting_and_gives_cnnlibs_number(page):
    widget = page.locator("#second .widget")
    widget.locator("#size").focus()
    draw = random.Random(8)
    for _ in range(4):
        wanted = {
            "size": draw.randint(8, 300),
            "kernel": draw.randint(1, 11),
            "stride": draw.randint(1, 5),
            "padding": draw.randint(0, 5),
            "dilation": draw.randint(1, 3),
            "in_channels": draw.randint(1, 9),
            "out_channels": draw.randint(1, 99),
        }
        for value in wanted.values():
            page.keyboard.press("Control+a")
            page.keyboard.type(str(value))
            page.keyboard.press("Tab")
        assert fields(widget) == wanted
        assert shown(widget) == expected(**wanted)
        for _ in wanted:
            page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowUp")
    wanted["size"] += 1
    assert fields(widget) == wanted
    assert shown(widget) == expected(**wanted)


def test_two_widgets_of_a_page_do_not_touch_each_other(page):
    first, second = page.locator("#first .widget"), page.locator("#second .widget")
    before = shown(first)
    second.locator("#stride").fill("2")
    assert shown(first) == before == expected(**ALEXNET)
    assert shown(second) == expected(stride=2)
    first.locator("#size").fill("227")
    assert shown(second) == expected(stride=2)
    fragment = page.evaluate("location.hash")
    assert "first.size=227" in fragment
    assert "second.stride=2" in fragment
    page.reload()
    assert shown(first) == expected(**{**ALEXNET, "size": 227})
    assert shown(second) == expected(stride=2)


def test_a_link_brings_the_settings_and_the_widget_into_view(open_page, address):
    page = open_page(
        "#second.size=32&second.kernel=5&second.padding=2", viewport={"width": 1000, "height": 300}
    )
    assert shown(page.locator("#second .widget")) == expected(size=32, kernel=5, padding=2)
    assert shown(page.locator("#first .widget")) == expected(**ALEXNET)
    assert abs(page.locator("#second .widget").bounding_box()["y"]) < 150
    page.evaluate("location.hash = '#second.size=64'")
    page.wait_for_function(
        "document.querySelector('#second').shadowRoot.querySelector('#size').value === '64'"
    )
    assert shown(page.locator("#second .widget")) == expected(size=64, kernel=5, padding=2)


def test_reset_returns_to_the_authors_settings_and_leaves_the_others_fragment(page):
    first, second = page.locator("#first .widget"), page.locator("#second .widget")
    first.locator("#size").fill("100")
    second.locator("#size").fill("50")
    first.get_by_role("button", name="Reset").click()
    assert shown(first) == expected(**ALEXNET)
    assert shown(second) == expected(size=50)
    fragment = page.evaluate("location.hash")
    assert "first." not in fragment
    assert "second.size=50" in fragment


def test_without_a_clipboard_the_link_is_shown_for_copying(page):
    page.evaluate(
        "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }"
    )
    page.locator("#second .widget").get_by_role("button", name="Copy link").click()
    box = page.locator("#second .widget").get_by_label("Link to these settings")
    assert "second.size=5" in box.input_value()


@pytest.mark.claim("M4.8")
def test_every_suggestion_tiles_and_says_so_beforehand(page):
    widget = page.locator("#first .widget")
    labels = widget.locator(".remedies button").all_inner_texts()
    assert labels == [
        "size 223 → 54",
        "size 227 → 55",
        "stride 3 → 72",
        "stride 71 → 4",
        "kernel 8 → 55",
        "kernel 12 → 54",
    ]
    for label in labels:
        name, value, _, size = label.split()
        settings = {**ALEXNET, name: int(value)}
        button = widget.get_by_role("button", name=label)
        button.focus()
        page.keyboard.press("Enter")
        assert shown(widget) == expected(**settings)
        axis = {key: settings[key] for key in ("size", "kernel", "stride")}
        assert shapes.output_size(**axis) == int(size)
        assert widget.locator(".remedies").is_hidden()
        assert page.evaluate("document.activeElement.shadowRoot.activeElement.tagName") == "OUTPUT"
        widget.get_by_role("button", name="Reset").click()


def test_a_window_that_does_not_fit_is_explained_and_mended(page):
    widget = page.locator("#second .widget")
    widget.locator("#kernel").fill("9")
    assert shown(widget) == expected(kernel=9)
    assert widget.locator(".remedies button").all_inner_texts() == [
        "size 9 → 1",
        "padding 2 → 1",
        "kernel 5 → 1",
    ]
    widget.get_by_role("button", name="padding 2").click()
    assert shown(widget) == expected(kernel=9, padding=2)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (
            "0",
            "Stride 0 is too small: with a stride of 0 the window would never move on. Type a whole number from 1 to 512.",
        ),
        ("1.5", "Stride 1.5 is not a whole number: type a whole number from 1 to 512."),
        (
            "9999",
            "Stride 9999 is too large for this widget: type a whole number from 1 to 512.",
        ),
        ("", "Stride is empty: type a whole number from 1 to 512."),
    ],
)
def test_forbidden_input_is_explained_in_place_and_the_result_stays(page, typed, message):
    widget = page.locator("#second .widget")
    stride = widget.locator("#stride")
    stride.fill(typed)
    note = widget.locator(f"#{stride.get_attribute('aria-describedby')}")
    assert note.inner_text() == f"{message} The result still shows 1."
    assert stride.get_attribute("aria-invalid") == "true"
    assert shown(widget) == expected()
    assert "second." not in page.evaluate("location.hash")
    stride.fill("2")
    assert note.inner_text() == ""
    assert stride.get_attribute("aria-invalid") == "false"
    assert shown(widget) == expected(stride=2)


def test_fingers_have_buttons_that_stop_at_the_limits(open_page):
    page = open_page(has_touch=True, viewport={"width": 360, "height": 700})
    widget = page.locator("#second .widget")
    more, less = (
        widget.get_by_role("button", name=f"Padding: one {word}") for word in ("more", "less")
    )
    more.tap()
    more.tap()
    assert shown(widget) == expected(padding=2)
    for _ in range(3):
        less.tap()
    assert shown(widget) == expected(padding=0)
    for button in widget.locator("button:visible").all():
        box = button.bounding_box()
        assert min(box["width"], box["height"]) >= 40, button.inner_text()


def test_the_drawing_marks_exactly_the_unread_pixels(page):
    widget = page.locator("#second .widget")
    for settings in (
        {"size": 16, "kernel": 3, "stride": 2, "padding": 1, "dilation": 3},
        {"size": 20, "kernel": 2, "stride": 5},
        {"size": 6, "kernel": 3, "stride": 2},
        {"size": 9},
    ):
        for name, value in {**OutputSize().settings, **settings}.items():
            widget.locator(f"#{name}").fill(str(value))
        counts = OutputSize(**settings).coverage
        assert [
            int(text) for text in widget.locator("svg .count, svg .lost-count").all_text_contents()
        ] == counts
        assert widget.locator("svg rect.lost").count() == counts.count(0)
        unread = [i for i, count in enumerate(counts) if count == 0]
        assert [
            int(text) for text in widget.locator("svg .lost-index").all_text_contents()
        ] == unread
        assert str(counts)[1:-1] in widget.locator("svg[role=img]").get_attribute("aria-label")


def test_it_follows_the_pages_light_and_dark(page):
    background = "document.querySelector('#first').shadowRoot.querySelector('.widget')"
    colours = {}
    for mode in ("light", "dark", "light"):
        page.evaluate(f"document.documentElement.dataset.theme = '{mode}'")
        page.wait_for_function(f"{background}.dataset.mode === '{mode}'")
        colours[mode] = page.evaluate(f"getComputedStyle({background}).backgroundColor")
    assert colours["light"] == "rgb(255, 255, 255)"
    assert colours["dark"] != colours["light"]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_axe_finds_nothing_in_an_explanation(open_page, mode):
    page = open_page(viewport={"width": 360, "height": 800}, reduced_motion="reduce")
    page.evaluate(f"document.documentElement.dataset.theme = '{mode}'")
    page.locator("#second .widget").locator("#stride").fill("0")
    page.wait_for_timeout(50)
    results = Axe().run(page, context="#second")
    assert results.response["passes"], "axe has looked at nothing"
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("width", [1000, 360])
def test_the_largest_settings_stay_inside_the_frame(open_page, width):
    page = open_page(viewport={"width": width, "height": 800})
    widget = page.locator("#second .widget")
    largest = {
        name: trait.row["maximum"]
        for name, trait in OutputSize.class_traits(sync=True).items()
        if isinstance(trait, Setting)
    }
    for settings in (
        largest,
        {**largest, "dilation": 7, "stride": 511},
        {**largest, "dilation": 1},
    ):
        for name, value in settings.items():
            widget.locator(f"#{name}").fill(str(value))
        assert shown(widget) == expected(**settings)
        body = widget.locator(".body")
        wider = body.evaluate(
            "body => [...body.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > body.getBoundingClientRect().right && !e.closest('svg')).map(e => e.tagName)"
        )
        assert wider == [], settings
        drawing = widget.locator("svg[role=img]").bounding_box()
        assert drawing["x"] + drawing["width"] <= width


def test_results_are_announced_once_and_politely(page):
    widget = page.locator("#second .widget")
    page.evaluate("""() => {
        window.said = [];
        const root = document.querySelector("#second").shadowRoot;
        for (const region of root.querySelectorAll("output, [role=status]"))
            new MutationObserver(() => said.push(region.textContent.trim())).observe(region, { childList: true, subtree: true });
    }""")
    widget.locator("#out_channels").fill("2")  # changes the volume, not the verdict
    facts = OutputSize(out_channels=2).facts()[-3:-1]
    announced = " ".join(f"{label}: {text}." for label, text in facts)
    assert page.evaluate("said") == [announced]


def test_names_with_dots_keep_to_their_own_fragment(open_page):
    page = open_page("#second.size.size=9&second.size=7")
    page.locator("#second .widget").locator("#kernel").fill("5")
    fragment = page.evaluate("location.hash")
    assert "second.size.size=9" in fragment
    assert "second.size=7" in fragment
