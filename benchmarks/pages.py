"""How soon a page of the book can be used: ``python benchmarks/pages.py`` (the book is built, ``make book``).

Interactive means that the last script has run: self-checks and widgets answer from then on (the end of
DOMContentLoaded, W3C Navigation Timing 2). The peer is the same page with scripts off, opened in turn,
so the ratio is what the scripts cost. A fresh browser profile for each opening, from the folder.

Then a page with three widgets, from a server on this machine: a chapter that has two, and the pattern
builder, the one with most data, at its end. From the start of the navigation until the first widget has
been clicked, says something else, and that is painted. The peer is the same page with that widget alone.
"""

import functools
import http.server
import re
import statistics
import sys
import threading
from pathlib import Path
from typing import ClassVar

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import sync_playwright  # noqa: E402

from tools.browser import chromium_path, launch  # noqa: E402

READY = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
REPEATS = 5

WIDGET = re.compile(r"<(cnn-[\w-]+)\b.*?</\1>", re.S)
CLICK = """
const click = () => {
  const root = [...document.querySelectorAll("[name]")].find((e) => e.localName.startsWith("cnn-"))?.shadowRoot;
  const button = root?.querySelector(".presets button:not([aria-current])");
  if (!button) { requestAnimationFrame(click); return; }
  const said = root.querySelector("output.verdict"), before = said.textContent;
  button.click();
  if (said.textContent !== before) requestAnimationFrame(() => setTimeout(() => { window.answered = performance.now(); }));
};
click();
"""


def milliseconds(browser, address: str, scripts: bool) -> float:
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    page.goto(address, wait_until="load")
    ready = page.evaluate(READY)
    context.close()
    return ready


def three_and_one(book: Path) -> dict[str, bytes]:
    """Chapter 3 with three widgets, and with the first of them alone."""
    chapter = (book / "ch03_convolution/convolution.html").read_text(encoding="utf-8")
    last = (book / "ch11_layer_patterns/layer_patterns.html").read_text(encoding="utf-8")
    second = [found[0] for found in WIDGET.finditer(chapter)][1]
    builder = next(WIDGET.finditer(last))[0]
    return {
        "three widgets": chapter.replace(second, second + builder).encode(),
        "one widget": chapter.replace(second, "").encode(),
    }


class Server(http.server.SimpleHTTPRequestHandler):
    """The built book, and the pages of `three_and_one` in the folder of their chapter."""

    pages: ClassVar[dict[str, bytes]] = {}

    def do_GET(self) -> None:
        page = self.pages.get(self.path.rsplit("/", 1)[-1].removesuffix(".html").replace("_", " "))
        if page is None:
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        pass


def answered(browser, address: str) -> float:
    """Milliseconds until the first widget has answered a click."""
    context = browser.new_context()
    context.add_init_script(CLICK)
    page = context.new_page()
    page.goto(address, wait_until="commit")
    page.wait_for_function("window.answered")
    milliseconds = page.evaluate("window.answered")
    context.close()
    return milliseconds


def first_answers(browser) -> dict[str, float]:
    Server.pages = three_and_one(ROOT / "_build/html/book")
    handler = functools.partial(Server, directory=ROOT / "_build/html")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_address[1]}/book/ch03_convolution/"
        found: dict[str, list[float]] = {name: [] for name in Server.pages}
        for _ in range(REPEATS):
            for name, times in found.items():
                times.append(answered(browser, f"{home}{name.replace(' ', '_')}.html"))
        server.shutdown()
    return {name: statistics.median(times) for name, times in found.items()}


def main() -> int:
    pages = sorted((ROOT / "_build/html/book").glob("ch*/*.html"))
    if not pages:
        print("there is no built book: run 'make book' first", file=sys.stderr)
        return 2
    if chromium_path() is None:
        print("Chromium is needed, for instance 'sudo apt-get install chromium'", file=sys.stderr)
        return 2
    print(f"{'page':<45}{'interactive':>12}{'without scripts':>17}{'ratio':>7}")
    slowest = 0.0
    with sync_playwright() as playwright:
        browser = launch(playwright, chromium_path())
        for path in pages:
            with_scripts, without = (
                statistics.median(values)
                for values in zip(
                    *(
                        [milliseconds(browser, path.as_uri(), on) for on in (True, False)]
                        for _ in range(REPEATS)
                    ),
                    strict=True,
                )
            )
            slowest = max(slowest, with_scripts)
            name = f"{path.parent.name}/{path.stem}"
            print(
                f"{name:<45}{with_scripts:>9.0f} ms{without:>14.0f} ms{with_scripts / without:>7.2f}"
            )
        three, one = first_answers(browser).values()
        browser.close()
    print(f"\n{'a widget answers a click':<45}{'three':>12}{'one':>17}{'ratio':>7}")
    print(f"{'chapter 3, over http':<45}{three:>9.0f} ms{one:>14.0f} ms{three / one:>7.2f}")
    slowest = max(slowest, three)
    print(f"\nslowest {slowest:.0f} ms; aim: under 1000 ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
