"""What the course changes in the theme: fewer scripts, no outside requests, nothing inaccessible.

Two moments: before a page is written its list of scripts is cut, and after the build each page is
mended where the theme's own templates leave an accessibility fault or load what is not needed.
"""

from pathlib import Path

from bs4 import BeautifulSoup

# Launches code on Binder through a CDN; this book has no kernel and needs none.
UNUSED = ("thebe", "unpkg", "cdn.", "require.min.js", "embed-amd", "togglebutton")
# From a folder no page may read another one: the search there lists titles without excerpts.
SEARCH_FROM_A_FOLDER = (
    'if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;'
)


def drop_scripts(app, pagename, templatename, context, doctree):
    kept = []
    for script in context.get("script_files", []):
        source = f"{getattr(script, 'filename', script)} {getattr(script, 'attributes', '')}"
        if not any(word in source for word in UNUSED):
            kept.append(script)
    context["script_files"] = kept


def mend_page(html: str) -> str:
    page = BeautifulSoup(html, "html.parser")
    # Icons come from the theme's own font; its 1.5 MB script would only draw them a second time.
    for script in page.select('script[src*="fontawesome.js"]'):
        script.decompose()
    # The theme loads the index of the search on every page; only the page of results reads it.
    if not page.select_one("#search-results"):
        for script in page.select(
            'script[src$="searchtools.js"], script[src$="language_data.js"], script[src$="searchindex.js"]'
        ):
            script.decompose()
    for icon in page.select("i[class*='fa-'], span[class*='fa-']"):
        icon["aria-hidden"] = "true"
    # The accessible name must contain the words that are seen (label-content-name-mismatch).
    for button in page.select(".search-button-field, .search-button__button, .theme-switch-button"):
        button.attrs.pop("aria-label", None)
        if not button.find(class_="visually-hidden"):
            name = "Search" if "search" in " ".join(button["class"]) else "Colour mode"
            label = page.new_tag("span", attrs={"class": "visually-hidden"})
            label.string = name
            if name not in button.get_text():
                button.insert(0, label)
    # Everything that is read aloud belongs to a landmark (region).
    for part in page.select(".sidebar-primary-items__start"):
        part["role"], part["aria-label"] = "navigation", "Site"
    for toggle in page.select("summary:has(.toctree-toggle)"):
        link = toggle.find_parent("li").find("a")
        toggle["aria-label"] = f"Pages under {link.get_text(strip=True)}" if link else "More pages"
    # The bibliography's roles contradict each other and its own markup; plain text reads better.
    for entry in page.select(".citation-list, .citation"):
        entry.attrs.pop("role", None)
    # A table whose head is empty has no head.
    for head in page.select("thead"):
        if not head.get_text(strip=True):
            head.decompose()
    # Columns scroll sideways and stay columns; sentences, which have longer lines, wrap.
    for block in page.select("div.cell_output pre"):
        if max(map(len, block.get_text().splitlines() or [""])) > 90:
            block["class"] = [*block.get("class", ()), "wraps"]
    # Long outputs and tables scroll sideways on a phone: the keyboard must be able to scroll them.
    for block in page.select(
        ".output pre, .output.text_html:has(table), .output .highlight pre, div.highlight pre, .pst-scrollable-table-container"
    ):
        block["tabindex"] = "0"
    return str(page)


def mend_pages(app, exception):
    if exception is None and app.builder.format == "html":
        for path in Path(app.outdir).rglob("*.html"):
            if "_static" not in path.parts:
                html = path.read_text(encoding="utf-8")
                mended = mend_page(html)
                if mended != html:
                    path.write_text(mended, encoding="utf-8")


def setup(app):
    app.add_css_file("course.css")
    app.add_js_file(None, body=SEARCH_FROM_A_FOLDER)
    app.connect("html-page-context", drop_scripts, priority=999)
    app.connect("build-finished", mend_pages)
    return {"parallel_read_safe": True}
