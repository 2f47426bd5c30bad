"""The widgets in a real JupyterLab: displayed, moved by keyboard, read back in Python."""

import json
import os
import re
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe

from cnnlib.widgets import WIDGETS, OutputSize
from cnnlib.widgets.base import _spec
from tests.widgets.common import same_text, widget_class

pytestmark = pytest.mark.browser

CELLS = [
    "from cnnlib.widgets import OutputSize\nw = OutputSize(size=224, kernel=11, stride=4)\nw",
    "print('read back:', w.settings, w.output_size)",
    "w.size = 227",
    "try:\n    w.stride = 0\nexcept ValueError as error:\n    print('refused:', error)",
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Folder and address of a JupyterLab on loopback; the server ends with the module."""
    folder = tmp_path_factory.mktemp("lab")
    notebooks = folder / "notebooks"
    notebooks.mkdir()
    token = secrets.token_hex(16)
    quiet = [
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--ip=127.0.0.1",
        "--port=0",
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={notebooks}",
        *quiet,
    ]
    if os.name == "posix" and os.geteuid() == 0:
        command.append("--allow-root")
    homes = {
        name: str(folder / name.lower())
        for name in (
            "JUPYTER_CONFIG_DIR",
            "JUPYTER_RUNTIME_DIR",
            "JUPYTERLAB_SETTINGS_DIR",
            "JUPYTERLAB_WORKSPACES_DIR",
            "IPYTHONDIR",
        )
    }
    with open(folder / "log.txt", "w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **homes})
    try:
        yield notebooks, _address(server, folder), token
    finally:
        server.terminate()
        server.wait(30)


def _address(server, folder) -> str:
    """Wait until the server has written down where it listens, and answers there."""
    for _ in range(600):
        for note in (folder / "jupyter_runtime_dir").glob("jpserver-*.json"):
            try:
                url = json.loads(note.read_text())["url"]
                with urllib.request.urlopen(f"{url}api", timeout=5):
                    return url
            except (json.JSONDecodeError, urllib.error.URLError):
                pass  # half written, or not listening yet
        if server.poll() is not None:
            break
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{(folder / 'log.txt').read_text()[-3000:]}")


ALL = [
    f"from cnnlib.widgets import {name}\n{module} = {name}()\n{module}"
    for module, name in WIDGETS.items()
]
ALL.append(
    f"import json\nprint(json.dumps([[w.settings, w.summary()] for w in [{', '.join(WIDGETS)}]]))"
)


@pytest.fixture
def page(chromium, lab, request):
    """A fresh notebook with `CELLS`, or those that the test asks for, its kernel ready."""
    notebooks, address, token = lab
    sources = getattr(request, "param", CELLS)
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = notebooks / f"{request.node.name}.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    context = chromium.new_context(viewport={"width": 1200, "height": 1000})
    page = context.new_page()
    page.outside = []
    page.on("request", lambda request: _at_home(request.url) or page.outside.append(request.url))
    page.goto(f"{address}lab/tree/{path.name}?token={token}&reset")
    page.locator(".jp-Notebook .jp-CodeCell").nth(len(sources) - 1).wait_for(timeout=120_000)
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for(timeout=120_000)
    yield page
    context.close()


def _at_home(url: str) -> bool:
    return "//127.0.0.1:" in url or url.startswith(("data:", "blob:"))


def run_cell(page, index: int) -> str:
    """Run one cell and return what it printed."""
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(index)
    prompt = cell.locator(".jp-InputArea-prompt")
    before = prompt.inner_text()
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    done = prompt.filter(has_text=re.compile(r"\[\d+\]:")).filter(has_not_text=before)
    done.wait_for(timeout=60_000)
    return "\n".join(cell.locator(".jp-OutputArea-output pre").all_inner_texts()).strip()


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
