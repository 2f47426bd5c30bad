"""Formulas as MathML, made when the book is built.

Browsers lay MathML out themselves: no script, no font service, no waiting, and screen readers can
read it. latex2mathml (pure Python, maintained) does the conversion; an unknown command is a warning,
and the book is built with warnings as errors.
"""

import re

from docutils.nodes import SkipNode
from latex2mathml.converter import convert
from sphinx.util import logging

logger = logging.getLogger(__name__)


def _mathml(node, display: str) -> str:
    latex = node.astext().strip()
    if display == "block" and "\\begin" not in latex and ("\\\\" in latex or "&" in latex):
        latex = rf"\begin{{aligned}}{latex}\end{{aligned}}"
    # latex2mathml has no aligned; an array of the same columns reads the same.
    latex = latex.replace(r"\begin{aligned}", r"\begin{array}{rl}")
    latex = latex.replace(r"\end{aligned}", r"\end{array}")
    try:
        mathml = convert(latex, display=display)
    except Exception as error:
        logger.warning("cannot convert %r to MathML: %s", latex, error, location=node)
        return f"<code>{latex}</code>"
    # latex2mathml hands a command that it does not know through as a name.
    if unknown := re.findall(r"\\[A-Za-z]+|(?<=<mi>)&(?=</mi>)", mathml):
        logger.warning("unknown in a formula: %s (in %r)", ", ".join(unknown), latex, location=node)
    return mathml


def visit_inline(self, node):
    self.body.append(f'<span class="math-inline">{_mathml(node, "inline")}</span>')
    raise SkipNode


def visit_block(self, node):
    number = ""
    if node.get("number"):
        number = f'<span class="eqno">({node["number"]})</span>'
    identity = f' id="{node["ids"][0]}"' if node["ids"] else ""
    self.body.append(
        f'<div class="math-block"{identity} tabindex="0" role="group" aria-label="formula">'
        f"{_mathml(node, 'block')}{number}</div>\n"
    )
    raise SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True}
