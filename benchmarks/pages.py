"""How soon a page of the book can be used: ``python benchmarks/pages.py`` (the book is built, ``make book``).

Interactive means that the last script has run: self-checks and widgets answer from then on (the end of
DOMContentLoaded, W3C Navigation Timing 2). The peer is the same page with scripts off, opened in turn,
so the ratio is what the scripts cost. A fresh browser profile for each opening, from the folder.
"""

import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import sync_playwright  # noqa: E402

from tools.browser import chromium_path, launch  # noqa: E402

READY = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
REPEATS = 5


def milliseconds(browser, address: str, scripts: bool) -> float:
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    page.goto(address, wait_until="load")
    ready = page.evaluate(READY)
    context.close()
    return ready


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
        browser.close()
    print(f"\nslowest {slowest:.0f} ms; aim: under 1000 ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
