"""The book for e-readers: Sphinx's ePub builder, with what ePub 3 asks beyond it.

E-readers run no scripts and take only well-formed XHTML. So each page is written as such, a
self-check becomes its question with the answer to unfold, what needs a script is left out, and the
manifest names the pages that hold formulas (ePub 3.3, section 5.5.4: ``mathml`` and ``svg``).
"""

import re
from pathlib import Path
from typing import ClassVar

from bs4 import BeautifulSoup
from sphinx.builders.epub3 import Epub3Builder

import cnnlib

NEEDS_A_SCRIPT = (
    ".chapter-actions, .chapter-progress, .progress-actions, .progress-read, .ledger-filters, "
    ".quiz-why, .quiz-actions, .quiz-status, .quiz-number, .headerlink, summary > .expanded, script"
)

# HTML ignores the case of names and the parser lowers it; XML does not.
CAMEL = {name.lower(): name for name in ("clipPath", "viewBox", "patternUnits", "patternTransform")}
CAMEL_CASE = re.compile(rf"(?<=[</ ])({'|'.join(CAMEL)})(?=[\s=>])")
STYLES = ("epub.css", "pygments.css", "sphinx-design", "course.css")


def for_an_e_reader(body: str) -> str:
    page = BeautifulSoup(body, "html.parser")
    for part in page.select(NEEDS_A_SCRIPT):
        part.decompose()
    for form in page.select("form.quiz"):
        form.name = "section"
        for name in ("data-kind", "autocomplete"):
            form.attrs.pop(name, None)
        for button in form.select("input"):
            button.decompose()
        for part in form.select("fieldset, legend, label"):
            part.name = "div"
    for entry in page.select(".citation-list, .citation"):
        entry.attrs.pop("role", None)
    for wrapper in page.select("noscript"):
        wrapper.unwrap()
    for line in page.select("summary > p"):
        line.name = "span"
    for code in page.select("pre"):  # an e-reader cannot scroll sideways
        code["style"] = "white-space: pre-wrap"
    for widget in page.find_all(re.compile("^cnn-")):
        widget.name = "div"
        widget.attrs = {"class": "widget-picture"}
    for math in page.select("math"):
        math["xmlns"] = "http://www.w3.org/1998/Math/MathML"
    for drawing in page.select("svg"):
        drawing["xmlns"] = "http://www.w3.org/2000/svg"
    return CAMEL_CASE.sub(lambda name: CAMEL[name[0].lower()], str(page))


def well_formed(app, pagename, templatename, context, doctree):
    if app.builder.name == "epub":
        context["body"] = for_an_e_reader(context.get("body", ""))
        context["css_files"] = [
            style for style in context["css_files"] if any(name in str(style) for name in STYLES)
        ]


def name_the_edition(app, config):
    config.version = config.release = cnnlib.__version__


class CourseEpubBuilder(Epub3Builder):
    media_types: ClassVar = {**Epub3Builder.media_types, ".woff2": "font/woff2"}

    def build_content(self):
        super().build_content()
        manifest = Path(self.outdir, "content.opf")

        def with_properties(item):
            text = Path(self.outdir, item[1]).read_text(encoding="utf-8")
            held = [name for name in ("mathml", "svg") if f"<{name.removesuffix('ml')}" in text]
            return f'{item[0]} properties="{" ".join(held)}"' if held else item[0]

        pages = r'href="([^"]+\.xhtml)" media-type="application/xhtml\+xml"(?! properties)'
        text = manifest.read_text(encoding="utf-8")
        manifest.write_text(re.sub(pages, with_properties, text), encoding="utf-8")


def setup(app):
    app.add_builder(CourseEpubBuilder, override=True)
    app.connect("config-inited", name_the_edition, priority=1)
    app.connect("html-page-context", well_formed, priority=1000)
    return {"parallel_read_safe": True}
