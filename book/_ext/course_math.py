"""Formulas as MathML, made when the book is built.

Browsers lay MathML out themselves: no script, no font service, no waiting, and screen readers can
read it. latex2mathml (pure Python, maintained) does the conversion; an unknown command is a warning,
and the book is built with warnings as errors.
"""

from latex2mathml.converter import convert
from sphinx.util import logging

logger = logging.getLogger(__name__)


def _mathml(node, display: str) -> str:
    latex = node.astext().strip()
    if display == "block" and "\\begin" not in latex and ("\\\\" in latex or "&" in latex):
        latex = rf"\begin{{aligned}}{latex}\end{{aligned}}"
    try:
        return convert(latex, display=display)
    except Exception as error:
        logger.warning("cannot convert %r to MathML: %s", latex, error, location=node)
        return f"<code>{latex}</code>"


def visit_inline(self, node):
    self.body.append(f'<span class="math-inline">{_mathml(node, "inline")}</span>')
    from docutils.nodes import SkipNode

    raise SkipNode


def visit_block(self, node):
    from docutils.nodes import SkipNode

    number = ""
    if node.get("number"):
        number = f'<span class="eqno">({node["number"]})</span>'
    anchor = node.get("ids", [None])[0] if node.get("ids") else None
    identity = f' id="{anchor}"' if anchor else ""
    self.body.append(
        f'<div class="math-block"{identity} tabindex="0" role="group" aria-label="formula">'
        f"{_mathml(node, 'block')}{number}</div>\n"
    )
    raise SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True}
