"""The widgets in a real JupyterLab: displayed, moved by keyboard, read back in Python."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe

from cnnlib.widgets import WIDGETS, OutputSize
from cnnlib.widgets.base import _spec
from tests.browser.laboratory import run_cell
from tests.widgets.common import same_text, widget_class

pytestmark = pytest.mark.browser

CELLS = [
    "from cnnlib.widgets import OutputSize\nw = OutputSize(size=224, kernel=11, stride=4)\nw",
    "print('read back:', w.settings, w.output_size)",
    "w.size = 227",
    "try:\n    w.stride = 0\nexcept ValueError as error:\n    print('refused:', error)",
]


ALL = [
    f"from cnnlib.widgets import {name}\n{module} = {name}()\n{module}"
    for module, name in WIDGETS.items()
]
ALL.append(
    f"import json\nprint(json.dumps([[w.settings, w.summary()] for w in [{', '.join(WIDGETS)}]]))"
)


@pytest.fixture
def page(open_notebook, request):
    """A fresh notebook with `CELLS`, or those that the test asks for, its kernel ready."""
    return open_notebook(getattr(request, "param", CELLS))


def read_back(page, stride):
    """What Python has once the last key has reached it: JupyterLab holds changes back while it is busy."""
    for _ in range(20):
        told = run_cell(page, 1)
        if f"'stride': {stride}," in told:
            break
        page.wait_for_timeout(250)
    return told


def test_a_widget_is_moved_by_keyboard_and_read_back_in_python(page):
    run_cell(page, 0)
    widget = page.locator(".jp-OutputArea-output .widget")
    widget.wait_for(timeout=60_000)
    expected = OutputSize(size=224, kernel=11, stride=4)
    assert widget.locator("output").inner_text() == expected.summary()
    # From the browser to Python.
    widget.locator("#size").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("32")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")
    expected.size, expected.kernel, expected.stride = 32, 10, 5
    assert widget.locator("output").inner_text() == expected.summary()
    assert read_back(page, expected.settings["stride"]) == (
        f"read back: {expected.settings} {expected.output_size}"
    )
    # From Python to the browser, and what Python refuses.
    run_cell(page, 2)
    expected.size = 227
    page.wait_for_function(
        "text => document.querySelector('.jp-OutputArea-output [data-lm-suppress-shortcuts]').shadowRoot.querySelector('output').innerText === text",
        arg=expected.summary(),
    )
    assert (
        run_cell(page, 3)
        == "refused: stride=0 is too small: it must be a whole number of at least 1."
    )
    # Buttons by keyboard, and no key of ours reaches JupyterLab's shortcuts.
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    widget.get_by_role("button", name="Reset").focus()
    page.keyboard.press("Enter")
    assert (
        widget.locator("output").inner_text() == OutputSize(size=224, kernel=11, stride=4).summary()
    )
    page.keyboard.press("b")  # would insert a cell
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells
    assert (
        run_cell(page, 1) == f"read back: {OutputSize(size=224, kernel=11, stride=4).settings} 54"
    )
    assert page.outside == []


def test_it_follows_jupyterlabs_light_and_dark_and_axe_finds_nothing(page):
    run_cell(page, 0)
    widget = page.locator(".jp-OutputArea-output .widget")
    widget.wait_for(timeout=60_000)
    for told, mode in (("false", "dark"), ("true", "light")):
        page.evaluate("told => { document.body.dataset.jpThemeLight = told; }", told)
        page.wait_for_function(
            "mode => document.querySelector('[data-lm-suppress-shortcuts]').shadowRoot.querySelector('.widget').dataset.mode === mode",
            arg=mode,
        )
        # JupyterLab's own page is not ours to mend.
        results = Axe().run(page, context="[data-lm-suppress-shortcuts]")
        assert results.response["passes"]
        assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("page", [ALL], indirect=True, ids=["all"])
def test_every_widget_shows_what_python_says_and_python_hears_of_every_change(page):
    kinds, expected = list(WIDGETS), {}
    for index, module in enumerate(kinds):
        run_cell(page, index)
        cell = page.locator(".jp-Notebook .jp-CodeCell").nth(index)
        widget = cell.locator(".jp-OutputArea-output .widget")
        widget.wait_for(timeout=60_000)
        said = widget.locator("output.verdict")
        assert same_text(said.inner_text(), widget_class(module)().summary()), module
        preset = _spec(module)["presets"][-1]
        button = widget.get_by_role("group", name="Examples").get_by_role(
            "button", name=preset["label"], exact=True
        )
        button.press("Enter")
        now = widget_class(module)(**widget_class(module)().settings | preset["values"])
        expected[module] = [now.settings, now.summary()]
        assert same_text(said.inner_text(), now.summary()), module
    for _ in range(20):
        told = dict(zip(kinds, json.loads(run_cell(page, len(kinds))), strict=True))
        if told == expected:
            break
        page.wait_for_timeout(250)
    assert told == expected
    assert page.outside == []
