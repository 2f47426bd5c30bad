"""Sections of the book, and what the three tasks need to read a student's text."""

from cnnlib.checks.book import Section
from cnnlib.checks.calls import Case, Outcome, describe
from cnnlib.diagram.expand import expand
from cnnlib.diagram.parse import parse
from cnnlib.diagram.tree import SIGNATURES, Chain, Layer, Node
from cnnlib.errors import CnnlibError, DiagramError

_PAGE = "book/ch11_layer_patterns/layer_patterns"
PATTERN = Section(11, _PAGE, "ch11-pattern", "One pattern, many networks")
STAR = Section(11, _PAGE, "ch11-star", "What the star means")
NOTHING = Section(11, _PAGE, "ch11-nothing", "Nothing at all, and almost nothing")
EXAMPLES = Section(11, _PAGE, "ch11-examples", "Three examples in numbers")
GRID = Section(11, _PAGE, "ch11-grid", "What N and M do")
PIXELS = Section(11, _PAGE, "ch11-pixels", "Running out of pixels")
FAMOUS = Section(11, _PAGE, "ch11-famous", "Two famous diagrams, checked")
STACK = Section(11, _PAGE, "ch11-stack", "Why several CONVs before a POOL")
ARROW = Section(11, _PAGE, "ch11-arrow", "The missing arrow")
BUDGET = Section(11, _PAGE, "ch11-budget", "Choosing under a budget")

LONGEST_TEXT = 5_000


def read(text: str) -> tuple[Node, ...]:
    """The parts of a text, as they are written.

    Raises
    ------
    CnnlibError
        If it is no diagram, or too long to be looked at.
    """
    if len(text) > LONGEST_TEXT:
        raise CnnlibError(f"the text has {len(text):,} characters, more than {LONGEST_TEXT:,}")
    return parse(text).items


def layers(text: str) -> tuple[Node, ...]:
    """The layers of a text, written out."""
    return expand(Chain(read(text))).items


def in_words(error: CnnlibError) -> str:
    """An error in one line; for a diagram with the few words around its place."""
    if not isinstance(error, DiagramError):
        return str(error)
    text, at = error.text, error.at
    near = " ".join(text[max(at - 20, 0) : at + 20].split())
    found = " ".join(f"{error.message} {error.suggestion}".split()).rstrip(".")
    return found + (f" (near “{near}”)" if near else "")


def key(layer: Node) -> str:
    """A layer's text with all its settings, so that ``DO`` and ``DO(0.5)`` are the same."""
    if not isinstance(layer, Layer):
        return str(layer)
    return str(Layer(layer.kind, tuple((name, layer.get(name)) for name in SIGNATURES[layer.kind])))


def judge_words(case: Case, right: str, got: Outcome) -> str:
    """For answers that were put into words already."""
    if got.raised or got.timed_out or not isinstance(got.value, str):
        return f"expected a diagram as a text, got {describe(got)}"
    return "" if got.value == right else f"expected: {right}; yours: {got.value}"
