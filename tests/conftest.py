"""What several rooms of the test suite share: system tools, Chromium, the built book, a file server."""

import functools
import gc
import http.server
import os
import shutil
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tools.browser import NAMES, launch

ROOT = Path(__file__).parents[1]


def require_tool(name: str, package: str, *other_names: str) -> str:
    """Path of a system program; without it skip with the remedy, or fail where CI must have it."""
    path = next(filter(None, map(shutil.which, (name, *other_names))), None)
    if path is None:
        reason = f"{name} is not on the PATH: install the package {package}, for instance 'sudo apt-get install {package}'"
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have every system package: {reason}")
        pytest.skip(reason)
    return path


@pytest.fixture
def required_tool():
    return require_tool


@pytest.fixture(scope="module")
def box_for():
    """From an allowance to an open sandbox; each is made once a module."""
    require_tool("bwrap", "bubblewrap")
    from cnnlib.grading.sandbox import Sandbox

    boxes = {}

    def box(allowance):
        if allowance not in boxes:
            boxes[allowance] = Sandbox(allowance)
            boxes[allowance].open()
        return boxes[allowance]

    yield box
    for one in boxes.values():
        one.close()


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium, driven by playwright."""
    path = require_tool(NAMES[0], "chromium", *NAMES[1:])
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = launch(playwright, path)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def book_html() -> Path:
    """The folder of the rendered book, built first if anything has changed."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.build_book"], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode:
        pytest.fail(f"the book does not build:\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}")
    return ROOT / "_build" / "html"


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def book_url(book_html):
    """The book on a loopback web server; the address ends in a slash."""
    handler = functools.partial(_QuietHandler, directory=book_html)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.fixture(scope="session")
def in_thread():
    """Run what starts kernels in a thread of its own, and sweep up after it.

    nbclient needs a thread without a running event loop (playwright's runs in this one), and leaves
    a loop and two sockets to the garbage collector.
    """

    def run(function, *arguments, **settings):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with ThreadPoolExecutor(1) as pool:
                result = pool.submit(function, *arguments, **settings).result()
            gc.collect()
        return result

    return run
