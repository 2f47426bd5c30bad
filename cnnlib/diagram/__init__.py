"""The layer-pattern language: diagrams that parse, expand, explain and check themselves.

A diagram is a text such as ``INPUT(3, 32, 32) => [CONV(32) => RELU => POOL] * 2 => FC(10)``. Reading,
expanding, summarizing and linting need neither NumPy nor any other array library. The same from a
shell: ``python -m cnnlib.diagram --help``.

>>> text = "INPUT(3, 32, 32) => [CONV(32) => RELU => POOL] * 2 => FC(10)"
>>> print(expand(text))
INPUT(3, 32, 32) => CONV(32) => RELU => POOL => CONV(32) => RELU => POOL => FC(10)
>>> summarize(text).totals.params
30634
>>> lint(text)
[]
"""

from cnnlib.diagram import zoo
from cnnlib.diagram.build import build
from cnnlib.diagram.draw import draw, sketch
from cnnlib.diagram.expand import expand
from cnnlib.diagram.lint import lint
from cnnlib.diagram.parse import parse
from cnnlib.diagram.summary import summarize

__all__ = ["build", "draw", "expand", "lint", "parse", "sketch", "summarize", "zoo"]
