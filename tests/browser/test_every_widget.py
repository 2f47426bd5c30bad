"""Every widget in Chromium, on a page opened from a folder: what holds for all of them.

A page shows its widgets twice, first with their last example's settings, then with their defaults. One page
has them all, and each widget has one alone.
"""

import functools
import http.server
import json
import random
import threading
import urllib.parse

import pytest
from axe_playwright_python.sync_playwright import Axe

from cnnlib.widgets import WIDGETS
from cnnlib.widgets.base import _encode, _spec
from cnnlib.widgets.bundle import page_script
from tests.conftest import _QuietHandler
from tests.widgets.common import drawn_settings, same_text, widget_class

pytestmark = pytest.mark.browser

PAGE = """<!doctype html>
<html lang="en" data-theme="light">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Widgets</title>
<style>html[data-theme="dark"] body {{ background: #121212; color: #eee; }} body {{ font-family: sans-serif; margin: 12px; }}</style>
<script defer src="widgets.js"></script></head>
<body><main><h1>Widgets</h1>{widgets}</main></body></html>"""
WIDE, PHONE = {"width": 1000, "height": 900}, {"width": 360, "height": 740}


def example(module: str) -> dict:
    return _spec(module)["presets"][-1]["values"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    (folder / "widgets.js").write_text(page_script(list(WIDGETS)), encoding="utf-8")
    pair = {
        m: widget_class(m)(**example(m)).page_html(f"{m}-first") + widget_class(m)().page_html(m)
        for m in WIDGETS
    }
    for name, widgets in {"all": "".join(pair.values()), **pair}.items():
        (folder / f"{name}.html").write_text(PAGE.format(widgets=widgets), encoding="utf-8")
    return folder


@pytest.fixture
def open_page(chromium, folder):
    """Open a page; at the end nothing may have been requested elsewhere or written to the console."""
    contexts, noise = [], []

    def opened(fragment="", widgets="all", **settings):
        context = chromium.new_context(**{"viewport": WIDE, **settings})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith("file:") else noise.append(r.url))
        page.goto((folder / f"{widgets}.html").as_uri() + fragment)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert noise == []


def the(page, module):
    return page.locator(f'[name="{module}"] .widget')


def fragment(name: str, module: str, settings: dict) -> str:
    def written(row):
        text = _encode(row, settings[row["name"]])
        return urllib.parse.quote(text, safe="") if row.get("kind") == "text" else text

    return "&".join(f"{name}.{row['name']}={written(row)}" for row in _spec(module)["settings"])


def settings_in_address(page, module: str) -> dict:
    """The settings that the address holds for the widget with its module's name."""
    page.evaluate(
        "new Promise(done => setTimeout(done, 300))"
    )  # the address follows at most so often
    entries = [e.split("=", 1) for e in page.evaluate("location.hash")[1:].split("&") if "=" in e]
    texts = {
        key.removeprefix(f"{module}."): urllib.parse.unquote(value)
        for key, value in entries
        if key.startswith(f"{module}.")
    }
    return widget_class(module).from_text(texts).settings if texts else {}


def complaint(page, module: str, settings: dict, name: str | None = None) -> str | None:
    """None if the widget shows what cnnlib says about these settings."""
    expected, widget = widget_class(module)(**settings), the(page, name or module)
    said = widget.locator("output.verdict").inner_text()
    if not same_text(" ".join(said.split()), " ".join(expected.summary().split())):
        return f"it says {said!r}, cnnlib {expected.summary()!r}"
    cells = "rows => rows.map(row => [...row.children].map(cell => cell.textContent))"
    rows, facts = widget.locator(".results tr").evaluate_all(cells), dict(expected.facts())
    if not rows:
        return "no row of the result is shown"
    for label, text in rows:
        if label not in facts or not same_text(text, facts[label]):
            return f"row {label!r} shows {text!r}, cnnlib says {facts.get(label)!r}"
    return None


def test_a_link_shows_what_cnnlib_says(open_page):
    draw = random.Random(6)
    for _ in range(3):
        drawn = {module: drawn_settings(module, draw) for module in WIDGETS}
        page = open_page("#" + "&".join(fragment(m, m, drawn[m]) for m in WIDGETS))
        for module in WIDGETS:
            assert complaint(page, module, drawn[module]) is None, (module, drawn[module])
            assert complaint(page, module, example(module), f"{module}-first") is None


@pytest.mark.parametrize("module", WIDGETS)
def test_every_field_is_moved_by_keyboard_and_the_address_and_the_result_follow(open_page, module):
    page = open_page(widgets=module)
    widget, after = the(page, module), widget_class(module)().settings
    for row in _spec(module)["settings"]:
        if row.get("hidden"):
            continue
        before = after
        field = widget.locator(f"#{row['name']}")
        field.focus()
        kind, value = row.get("kind", "whole"), before[row["name"]]
        if kind == "switch":
            page.keyboard.press("Space")
        elif kind == "choice":
            last = [option for option, _ in row["options"]][-1] == value
            page.keyboard.press("ArrowUp" if last else "ArrowDown")
        elif kind == "text":
            continue  # what it makes of a text is the widget's own
        else:
            page.keyboard.press("ArrowDown" if value == row["maximum"] else "ArrowUp")
        after = settings_in_address(page, module)
        assert after[row["name"]] != value, row["name"]
        assert complaint(page, module, after) is None, row["name"]
    page.reload()
    assert complaint(page, module, after) is None
    assert complaint(page, module, example(module), f"{module}-first") is None
    widget.get_by_role("button", name="Reset").press("Enter")
    assert complaint(page, module, {}) is None
    assert settings_in_address(page, module) == {}


@pytest.mark.parametrize("module", WIDGETS)
def test_tab_reaches_every_control_and_shows_where_it_is(open_page, module):
    page = open_page(widgets=module)
    root = f"document.querySelector('[name=\"{module}\"]').shadowRoot"
    wanted = page.evaluate(
        f"""(() => {{ const all = [...{root}.querySelectorAll('input, select, button, textarea, [tabindex="0"], summary')]
            .filter(e => e.tabIndex >= 0 && e.checkVisibility() && !e.disabled);
            all.forEach((e, i) => {{ e.dataset.stop = i; }}); return all.length; }})()"""
    )
    assert wanted >= 3
    page.evaluate(f"{root}.querySelector('[data-stop=\"0\"]').focus()")
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    reached = {}
    for _ in range(wanted + 2):
        stop = page.evaluate(
            f"""(() => {{ const e = {root}.activeElement; if (!e) return null;
                const ring = [e, e.parentElement].some(n => getComputedStyle(n).outlineStyle !== 'none' && parseFloat(getComputedStyle(n).outlineWidth) >= 2);
                return [e.dataset.stop, ring, e.outerHTML.slice(0, 80)]; }})()"""
        )
        if stop:
            reached[stop[0]] = stop[1:]
        page.keyboard.press("Tab")
    assert len(reached) >= wanted, f"Tab reaches {len(reached)} of {wanted}"
    assert [words for ring, words in reached.values() if not ring] == []


@pytest.mark.parametrize("module", WIDGETS)
def test_every_example_shows_what_cnnlib_says(open_page, module):
    page = open_page(widgets=module, viewport=PHONE, has_touch=True, is_mobile=True)
    widget = the(page, module)
    now = widget_class(module)().settings
    for preset in _spec(module)["presets"]:
        button = widget.get_by_role("group", name="Examples").get_by_role(
            "button", name=preset["label"], exact=True
        )
        button.tap()
        now |= preset["values"]
        assert complaint(page, module, now) is None, preset["label"]
        assert button.get_attribute("aria-current") == "true"
        assert widget.locator("[aria-current]").count() == 1
    for control in widget.locator("button:visible, select:visible, input:visible").all():
        if control.evaluate("e => !!e.closest('.grid') || e.type === 'checkbox'"):
            continue
        box = control.bounding_box()
        assert box["height"] >= 40, control.evaluate("e => e.outerHTML")


def test_a_copied_link_opens_the_same_settings(open_page):
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for module in WIDGETS:
        the(page, f"{module}-first").get_by_role("button", name="Copy link").click()
        the(page, f"{module}-first").get_by_text("Link copied").wait_for()
        link = page.evaluate("navigator.clipboard.readText()")
        entries = link.split("#")[1].replace(f"{module}-first.", f"{module}.")
        other = open_page("#" + entries, module)
        assert complaint(other, module, example(module)) is None
        other.context.close()


def test_fragments_that_make_no_sense_change_nothing(open_page):
    broken = "&".join(
        f"{module}.{row['name']}={text}"
        for module in WIDGETS
        for row in _spec(module)["settings"]
        for text in ("%", "1e9", "<b>", "")
        if row.get("kind") not in ("text", "numbers")
    )
    page = open_page("#" + broken)
    for module in WIDGETS:
        assert complaint(page, module, {}) is None


# Colours change with the mode alone, and places with the width alone.
@pytest.mark.parametrize(("mode", "viewport"), [("light", WIDE), ("dark", PHONE)])
def test_axe_finds_nothing(open_page, mode, viewport):
    page = open_page(viewport=viewport, reduced_motion="reduce")
    page.evaluate(f"document.documentElement.dataset.theme = '{mode}'")
    page.wait_for_timeout(100)
    # Without "passes" axe names only the first node that it has looked at.
    results = Axe().run(page, options={"resultTypes": ["violations", "passes"]})
    assert results.violations_count == 0, results.generate_report()
    seen = {
        node["target"][0][0] if isinstance(node["target"][0], list) else ""
        for rule in results.response["passes"]
        for node in rule["nodes"]
    }
    for module in WIDGETS:
        assert any(module in target for target in seen), f"axe has not looked inside {module}"
    overflow = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0, f"the page scrolls sideways by {overflow} pixels"


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_drawn_settings_stay_inside_the_frame(open_page, viewport):
    draw = random.Random(8)
    for _ in range(3):
        drawn = {module: drawn_settings(module, draw) for module in WIDGETS}
        page = open_page(
            "#" + "&".join(fragment(m, m, drawn[m]) for m in WIDGETS), viewport=viewport
        )
        for module in WIDGETS:
            wider = the(page, module).evaluate(
                """widget => { const edge = widget.getBoundingClientRect().right + 1;
                    const scrolls = e => e && e !== widget && (['auto', 'scroll'].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
                    return [...widget.querySelectorAll('*')].filter(e => e.checkVisibility() && e.getBoundingClientRect().right > edge && !e.closest('svg svg, clipPath, .unseen') && !scrolls(e)).map(e => e.outerHTML.slice(0, 60)); }"""
            )
            assert wider == [], (module, drawn[module])


def test_without_javascript_the_tables_stand_in_their_places(open_page):
    page = open_page(java_script_enabled=False)
    for module in WIDGETS:
        table = page.locator(f'[name="{module}-first"] table')
        assert table.is_visible()
        rows = [tuple(row.locator("th, td").all_inner_texts()) for row in table.locator("tr").all()]
        facts = widget_class(module)(**example(module)).facts()
        assert [" ".join(" ".join(row).split()) for row in rows] == [
            " ".join(" ".join(row).split()) for row in facts
        ]


def test_paper_is_light_and_shows_results_without_buttons(open_page):
    page = open_page()
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.emulate_media(media="print")
    for module in WIDGETS:
        widget = the(page, module)
        assert widget.get_by_role("button", name="Reset").is_hidden()
        assert widget.locator("output.verdict").is_visible()
        assert widget.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 255)"


def test_over_http_the_same_page_works(chromium, folder):
    handler = functools.partial(_QuietHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_address[1]}/"
        with chromium.new_context() as context:
            page, outside = context.new_page(), []
            page.on("request", lambda r: None if r.url.startswith(home) else outside.append(r.url))
            page.on("pageerror", lambda error: outside.append(str(error)))
            page.goto(home + "all.html")
            for module in WIDGETS:
                assert complaint(page, module, {}) is None
            assert outside == []
        server.shutdown()


def test_the_state_of_one_is_not_that_of_another(open_page):
    """All widgets of the page are moved, and the address keeps them apart."""
    draw = random.Random(9)
    drawn = {module: drawn_settings(module, draw) for module in WIDGETS}
    page = open_page()
    for module in WIDGETS:
        page.evaluate(
            f"location.hash = {json.dumps('#' + fragment(module, module, drawn[module]))}"
        )
        page.wait_for_timeout(50)
    for module in WIDGETS:
        assert complaint(page, module, drawn[module]) is None
        assert complaint(page, module, example(module), f"{module}-first") is None
