"""Pages of the book, opened so that whatever goes wrong on them fails the test."""

import pytest

from tests.browser.laboratory import lab, open_notebook  # noqa: F401 - fixtures


@pytest.fixture
def open_page(chromium, book_url):
    """Open a page of the book; whatever it logs or asks another host for fails the test."""
    contexts, complaints = [], []

    def opened(address, *, theme="light", width=1280, **settings):
        context = chromium.new_context(viewport={"width": width, "height": 900}, **settings)
        contexts.append(context)
        context.add_init_script(
            f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}')"
        )
        page = context.new_page()
        allowed = (book_url, "file://", "data:", "blob:")
        page.on(
            "console",
            lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request", lambda r: complaints.append(r.url) if not r.url.startswith(allowed) else None
        )
        # Leaving a page aborts what it still loads, and a browser without scripts drops them.
        mild = ("net::ERR_ABORTED", "csp", "net::ERR_BLOCKED_BY_CLIENT")
        page.on(
            "requestfailed",
            lambda r: None if r.failure in mild else complaints.append(f"{r.failure}: {r.url}"),
        )
        page.goto(address if "://" in address else book_url + address)
        page.wait_for_load_state("networkidle")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
