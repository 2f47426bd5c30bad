"""What a feedback page may hold: nothing of the hidden tests, and nothing of a student that runs.

A student's output, answer or error text may contain any HTML, and the page is opened by a grader.
Markdown is cleaned after it was rendered, as ``[text](javascript:…)`` becomes a link only then.
"""

import html as texts
from typing import Any

from bleach import clean
from bleach.css_sanitizer import CSSSanitizer
from nbconvert.filters import markdown2html
from nbformat.notebooknode import NotebookNode
from nbgrader import utils
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, NbGraderPreprocessor
from traitlets import List
from traitlets.config import Config

__all__ = ["CleanFeedback", "safe_html", "safe_markdown"]

MOST_HTML = 20_000
"""Characters of a student's HTML or Markdown that are worth the time to clean; more is shown as text."""
_TAGS = """
    a b blockquote br caption code details div em h1 h2 h3 h4 h5 h6 hr i li ol p pre span strong sub
    summary sup table tbody td th thead tr ul
""".split()  # noqa: SIM905
_ATTRIBUTES = {
    "*": ["style"],
    "a": ["href", "title"],
    "th": ["scope", "colspan", "rowspan"],
    "td": ["colspan", "rowspan"],
}
_STYLES = """
    align-items background-color border border-collapse border-left color display flex-wrap font-size
    font-weight gap margin margin-top max-width padding text-align vertical-align white-space
""".split()  # noqa: SIM905
_KINDS = {"text/html", "text/markdown", "text/plain", "image/png", "image/jpeg"}


def safe_html(html: str) -> str:
    """Keep tables, text and colours; show everything else as text."""
    styles = CSSSanitizer(allowed_css_properties=_STYLES)
    return clean(html, tags=_TAGS, attributes=_ATTRIBUTES, css_sanitizer=styles)


def safe_markdown(source: str) -> str:
    """The template's filter ``markdown2html``, made safe."""
    if len(source) > MOST_HTML:
        return f"<pre>{texts.escape(source)}</pre>"
    return safe_html(markdown2html(source))


class CleanFeedback(NbGraderPreprocessor):
    """Take out of a graded notebook what students are not to see and what must not run."""

    # nbconvert's exporter sets it for every step, and warns where a step does not know it
    display_data_priority: List = List().tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        config = Config({name: c for name, c in self.config.items() if name != "NbConvertBase"})
        steps = [
            s(config=config, enforce_metadata=False) for s in (ClearHiddenTests, ClearMarkScheme)
        ]
        for index, cell in enumerate(nb.cells):
            if utils.is_locked(cell):  # a student's own text may hold the words that they stop at
                for step in steps:
                    step.preprocess_cell(cell, resources, index)
        return super().preprocess(nb, resources)

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> tuple:
        for output in cell.get("outputs", []):
            if output.output_type == "error" and utils.is_locked(cell):
                # a traceback repeats the source of the test
                output.traceback = [f"{output.ename}: {output.evalue}".rstrip(": ")]
            elif "data" in output:
                output.data = NotebookNode({k: v for k, v in output.data.items() if k in _KINDS})
                if "text/html" in output.data:
                    output.data["text/html"] = safe_html(output.data["text/html"])
        return cell, resources
