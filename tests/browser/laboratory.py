"""A real JupyterLab for tests: its server, a notebook opened in Chromium, a cell that is run."""

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


@pytest.fixture
def open_notebook(chromium, lab, request):
    """Open a fresh notebook with the given cells, its kernel ready."""
    contexts = []

    def opened(sources):
        notebooks, address, token = lab
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        path = notebooks / f"{request.node.name}.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
        context = chromium.new_context(viewport={"width": 1200, "height": 1000})
        contexts.append(context)
        page = context.new_page()
        page.outside = []
        page.on(
            "request", lambda request: _at_home(request.url) or page.outside.append(request.url)
        )
        page.goto(f"{address}lab/tree/{path.name}?token={token}&reset")
        page.locator(".jp-Notebook .jp-CodeCell").nth(len(sources) - 1).wait_for(timeout=120_000)
        page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for(timeout=120_000)
        return page

    yield opened
    for context in contexts:
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
