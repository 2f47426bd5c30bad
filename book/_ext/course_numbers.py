"""Numbers in the prose: computed, marked as given, or refused.

``{value}`shapes.output_size(64, 5)``` prints the value of an expression when the book is built;
``{value}`1 / 3 :: .2f``` formats it as Python would. ``{given}`1,000``` prints a number that is a
premise or a quotation: nothing computes it, and the mark says that somebody looked. An expression
may use ``shapes``, ``summarize``, ``zoo``, ``np``, and Python's own arithmetic.

Every numeral of a page's prose, captions, tables and self-checks must be accounted for. These are:

- whole numbers from 0 to 10, and what stands in code or belongs to a name (``VGG-16``);
- numbers in the code or the output of a cell on the page, also rounded or as a percentage;
- numbers in the statement of a claim that the page marks, and in a self-check's expressions;
- numbers of a true equation, such as 4 · 4 · 32 = 512. A false one is refused.
"""

import ast
import io
import re
import tokenize
from itertools import pairwise

import numpy as np
from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

from cnnlib import shapes
from cnnlib.diagram import summarize, zoo

logger = logging.getLogger(__name__)

NAMES = {
    "shapes": shapes,
    "summarize": summarize,
    "zoo": zoo,
    "np": np,
    **{f.__name__: f for f in (abs, len, max, min, range, round, sum)},
}
FREE = {float(n) for n in range(11)}
# Not part of a name (VGG-16, float32) and not a section's number (4.2.1).
NUMERAL = re.compile(
    r"(?<![A-Za-z0-9_])(?<![A-Za-z]-)(?<!\d\.)(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\w.]*\d)"
)
SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9}
BLOCKS = (nodes.paragraph, nodes.title, nodes.term, nodes.caption, nodes.inline, nodes.rubric)


def compute(expression):
    """The value of an expression over the course's library."""
    return eval(str(expression), {"__builtins__": {}, **NAMES})


def written(value, form: str = "") -> str:
    """A number as the prose writes it: thousands with commas, a true minus sign."""
    if not form:
        form = ",d" if isinstance(value, int | np.integer) else ",g"
    return format(value, form).replace("-", "−")


class ValueRole(SphinxRole):
    def run(self):
        expression, _, form = (part.strip() for part in self.text.partition("::"))
        try:
            text = written(compute(expression), form)
        except Exception as error:
            problem = f"{{value}}`{self.text}` cannot be computed: {error}"
            message = self.inliner.reporter.error(problem, line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], []
        return [nodes.inline("", text, classes=["accounted"])], []


class GivenRole(SphinxRole):
    def run(self):
        return [nodes.inline("", self.text, classes=["accounted"])], []


def numbers(text: str) -> set[float]:
    """Every number that a text writes."""
    text = text.replace("{,}", ",")
    found = {float(m[0].replace(",", "")) for m in NUMERAL.finditer(text)}
    for mantissa, exponent in re.findall(r"(\d+(?:\.\d+)?)e([+-]?\d+)", text):
        found.add(float(f"{mantissa}e{exponent}"))
    for digits, word in re.findall(r"([\d.,]*\d)\s+(thousand|million|billion)", text):
        found.add(float(digits.replace(",", "")) * SCALES[word])
    return found


def in_code(source: str) -> set[float]:
    """The numbers that code writes as numbers, not inside its texts."""
    found = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.NUMBER:
                value = ast.literal_eval(token.string)
                found.add(float(abs(value)))
    except (tokenize.TokenError, SyntaxError):  # a magic, or a diagram in place of Python
        found |= numbers(source)
    # A diagram in a text is code too.
    for text in re.findall(r"[A-Z]+\([^)]*\)|\]\s*\*\s*\d+", source):
        found |= numbers(text)
    return found


def typed(source: str) -> set[float]:
    """The numbers inside the texts of a cell, apart from what an f-string computes."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)]
    return {number for text in texts if isinstance(text, str) for number in numbers(text)}


def equations(text: str):
    """Pairs of neighbouring sides of an equation that are arithmetic: (left, right, equal?)."""
    text = re.sub(r"\\d?frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", text)
    text = re.sub(r"\\[tld]?frac(\d)(\d)", r"(\1/\2)", text)
    text = re.sub(r"\\(?:cdot|times)", "*", text).replace("{,}", ",")
    text = re.sub(r"\^\{?(-?\d+)\}?", r"**\1", text)
    text = re.sub(r"\\[,;!: ]|\\left|\\right|&", " ", text).replace("\\approx", "≈")
    text = text.translate(str.maketrans({"−": "-", "·": "*", "×": "*", "²": "**2", "³": "**3"}))
    sides = re.split(r"\s*([=≈])\s*", text)
    for (left, right), about in zip(pairwise(sides[::2]), sides[1::2], strict=True):
        tail = re.search(r"(?<![\w.])(?:[\d.+\-*/()%]|,(?=\d{3})|(?<!,)\s)+$", " " + left)
        head = re.match(r"(?:[\d.+\-*/()%]|,(?=\d{3})|\s)+", right)
        if not tail or not head:
            continue
        tail, head = _arithmetic(tail[0], left=True), _arithmetic(head[0], left=False)
        if tail is None or head is None:
            continue
        (a, text_a), (b, text_b) = tail, head
        decimals = min(_decimals(text_a), _decimals(text_b))
        tolerance = 0.5000001 * 10.0**-decimals if decimals or about == "≈" else 1e-9
        yield (
            text_a,
            text_b,
            abs(a - b) <= max(tolerance, 1e-9 * abs(a))
            or (about == "≈" and abs(a - b) <= 0.05 * abs(a)),
        )


def _decimals(text: str) -> int:
    """Decimals of a plain number; of a sum or product the exact value counts."""
    plain = re.fullmatch(r"\s*[\d,]+(?:\.(\d+))?\s*", text)
    return len(plain[1] or "") if plain else 12


def _arithmetic(text: str, *, left: bool):
    """Value and text of the longest piece at the equals sign that is arithmetic, else None."""
    text = text.strip().rstrip(".,;")
    # What begins with an operator has something before it that is no number, as in F − 1 = 2.
    while text and not (left and re.match(r"[+\-*/)]", text)):
        plain = re.sub(r"(?<=\d),(?=\d{3})", "", text).replace("%", "/100")
        if plain.count("(") == plain.count(")") and re.search(r"\d\s*$|\)\s*$", plain):
            try:
                if re.fullmatch(r"[\d.+\-*/() ]+", plain):
                    return float(eval(plain, {"__builtins__": {}})), text
            except (SyntaxError, TypeError, ZeroDivisionError):
                pass
        pieces = text.split(maxsplit=1) if left else text.rsplit(maxsplit=1)
        if len(pieces) < 2:
            return None
        text = pieces[1] if left else pieces[0].rstrip(".,;")
    return None


def _prose(node) -> str:
    """The words of a block without its code, and with marked numbers left out."""
    if isinstance(node, nodes.Text):
        return node.astext()
    if isinstance(node, nodes.math | nodes.math_block):
        return f" {node.astext()} "
    # A link's words belong to what it links to.
    if isinstance(node, nodes.literal | nodes.raw | pending_xref) or "accounted" in node.get(
        "classes", ()
    ):
        return " … "
    # Each block of its own is visited by itself.
    return "".join(_prose(child) for child in node.children if not isinstance(child, nodes.Body))


def _cells(doctree):
    for cell in doctree.findall(nodes.container):
        if cell.get("nb_element") == "cell_code":
            yield cell


def _figure_texts(html: str):
    """A figure's caption and text alternative, and the rest of what its HTML shows."""
    page = BeautifulSoup(html, "html.parser")
    spoken = [caption.get_text(" ") for caption in page.select("figcaption")]
    spoken += [part["aria-label"] for part in page.select("svg[aria-label]")]
    for part in page.select("figcaption, style, title, script"):
        part.decompose()
    return spoken, page.get_text(" ")


def accounts(doctree, claims: dict[str, dict], marked: set[str]) -> tuple[set[float], list]:
    """What a page's cells, claims, self-checks and marks account for; and its figures' texts."""
    known, spoken = set(FREE), []
    for cell in _cells(doctree):
        source = ""
        for block in cell.findall(lambda n: isinstance(n, nodes.literal_block | nodes.raw)):
            if isinstance(block, nodes.raw):
                texts, shown = _figure_texts(block.astext())
                computed = {n for text in texts for n in numbers(text)} - typed(source)
                known |= numbers(shown) | computed
                spoken += [(cell, text) for text in texts]
            elif block.parent.get("nb_element") == "cell_code_source":
                source = block.astext()
                known |= in_code(source)
            else:
                known |= numbers(block.astext())
    for identity in marked:
        known |= numbers(claims[identity]["statement"])
    for node in doctree.findall(lambda n: isinstance(n, nodes.Element) and n.get("accounts")):
        for text in node["accounts"]:
            known |= numbers(str(text).replace("−", "-")) | {abs(float(x)) for x in _floats(text)}
    for node in doctree.findall(nodes.inline):
        if "accounted" in node["classes"]:
            known |= numbers(node.astext())
    for block in doctree.findall(nodes.literal_block):
        if "cell" not in str(block.parent.get("nb_element", "")):
            known |= numbers(block.astext())
    return known, spoken


def _floats(text):
    try:
        return [float(text)]
    except (TypeError, ValueError):
        return []


def is_known(text: str, rest: str, known: set[float]) -> bool:
    """Whether a numeral is one of the known numbers, as it is, rounded, or as a percentage."""
    value, decimals = float(text.replace(",", "")), len(text.partition(".")[2])
    scale = next((s for word, s in SCALES.items() if re.match(rf"\s+{word}\b", rest)), 1.0)
    if re.match(r"\s?%", rest):
        scale = 0.01
    if value in known or value * scale in known:
        return True
    return any(round(v / scale, decimals) == value for v in known if v / scale != round(v / scale))


def check_page(app, doctree):
    claims, docname = app.env.course_claims, app.env.docname
    if docname.startswith("book/solutions/"):  # an exercise, whose numbers its own tests hold
        return
    marked = {i for i, pages in app.env.course_claim_marks.items() if docname in pages}
    known, spoken = accounts(doctree, claims, marked)
    inside = {id(n) for cell in _cells(doctree) for n in cell.findall()}
    blocks = [
        (n, _prose(n))
        for n in doctree.findall(lambda n: isinstance(n, BLOCKS))
        if id(n) not in inside
    ]
    blocks += [
        (n, f" {n.astext()} ") for n in doctree.findall(nodes.math_block) if id(n) not in inside
    ]
    for node, text in [*blocks, *spoken]:
        if isinstance(node, nodes.inline) and isinstance(node.parent, (*BLOCKS, pending_xref)):
            continue  # its block has it
        here = set(known)
        for left, right, equal in equations(text):
            if not equal:
                logger.warning("%s = %s is not true", left, right, location=node)
            here |= numbers(left) | numbers(right)
        text = text.replace("{,}", ",")
        for match in NUMERAL.finditer(text):
            if not is_known(match[0], text[match.end() :], here):
                around = " ".join(text[max(0, match.start() - 30) : match.end() + 30].split())
                logger.warning(
                    "nothing accounts for the number %s in “%s”: compute it in a cell or with {value}, "
                    "mark its {claim}, or mark it {given}",
                    match[0],
                    around,
                    location=node,
                )


def setup(app):
    app.add_role("value", ValueRole())
    app.add_role("given", GivenRole())
    app.connect("doctree-read", check_page)
    return {"parallel_read_safe": True}
