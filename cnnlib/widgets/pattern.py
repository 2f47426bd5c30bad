"""The pattern builder: the common layer pattern with its repeats, what it expands to, and what that costs.

In a page the results come from ``pattern_data.json``, for which ``tools/pattern_data.py`` asked
cnnlib about every setting. In a notebook the reader may also type a diagram: it arrives as the setting
`text`, and the answer goes back as the trait `_live`.
"""

import json
import re
from collections import Counter
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import traitlets

from cnnlib.diagram import expand, lint, summarize
from cnnlib.diagram.expand import open_names
from cnnlib.diagram.parse import parse
from cnnlib.errors import CnnlibError, DiagramError, error_at
from cnnlib.widgets.base import Widget, fixed, grouped, settings
from cnnlib.widgets.bundle import esm

__all__ = ["Answer", "Pattern", "ask"]

MOST_LAYERS = 500
# The settings that a diagram may leave open.
NAMES = {"N": "n", "M": "m", "K": "k", "pool": "pool"}


class Answer(NamedTuple):
    """What cnnlib says about one diagram, as JSON can hold it.

    Attributes
    ----------
    size : str
        Of the input, such as ``"3×32×32"``; empty if nothing can be built.
    rows : list
        For each layer ``[text, output size, parameters, multiply-accumulates, receptive field, depth]``.
    findings : list
        For each finding of the linter ``[rule, severity, message, why, rewrite]``.
    error : list
        What is wrong with its remedy, and the line of the diagram above a caret; or empty.
    """

    size: str
    rows: list[list[Any]]
    findings: list[list[str]]
    error: list[str]


def ask(text: str) -> Answer:
    """What cnnlib says about a diagram.

    >>> ask("INPUT(3, 32, 32) => FC(10)").rows
    [['FC(10)', '10', 30730, 30720, '', 0]]
    >>> ask("INPUT(3, 32, 32) => CNOV(8)").error[0]
    'CNOV is not a layer. Did you mean CONV?'
    """
    try:
        found = summarize(text)
        if len(found.rows) > MOST_LAYERS:
            remedy = "cnnlib.diagram.summarize has no such limit."
            raise error_at(text, 0, f"This widget shows at most {MOST_LAYERS} layers.", remedy)
        size, error = _size(found.input_shape), []
        rows = [
            [row.text, _size(row.shape), row.params, row.macs, _both(row.field), row.depth]
            for row in found.rows
        ]
    except DiagramError as problem:
        size, rows, error = "", [], _fault(problem)
    try:
        findings = [
            [each.rule, each.severity, each.message, each.why, each.rewrite] for each in lint(text)
        ]
    except DiagramError:
        findings = []  # no diagram at all, which `error` says
    return Answer(size, rows, findings, error)


def _fault(problem: DiagramError) -> list[str]:
    _, line, caret, *_ = str(problem).split("\n")
    return [f"{problem.message} {problem.suggestion}".strip(), f"{line[2:]}\n{caret[2:]}"]


def _size(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _both(field: tuple[int, int] | None) -> str:
    """A receptive field: one number if both axes have the same."""
    return "" if field is None else _size(field[:1] if field[0] == field[1] else field)


class Pattern(Widget):
    """The pattern ``INPUT => [[CONV => RELU]*N => POOL?]*M => [FC => RELU]*K => FC``, set and expanded.

    Each CONV has 32 filters of 3 × 3, each hidden FC 256 neurons, and there are 10 classes.

    Parameters
    ----------
    image : str
        Channels, height and width: ``"1x28x28"``, ``"3x32x32"`` (unless given) or ``"3x224x224"``.
    n, m, k : int
        The repeats *N*, *M* and *K*; 2, 2 and 1 unless given.
    pool : bool
        Whether each block ends in a POOL.
    dropout : bool
        Whether dropout follows each hidden FC.
    norm : str
        Batch normalization: ``"none"``, ``"before"`` or ``"after"`` each RELU.
    text : str
        Any diagram. While it is not empty it counts, and the other settings only give the numbers
        that it leaves open (N, M, K and ``POOL?``); changing one that it does not ask for empties it.

    Raises
    ------
    ShapeError, RangeError
        If a setting is outside its limits. A diagram that cannot be built is no error: the widget
        shows what is wrong with it.

    Examples
    --------
    >>> builder = Pattern(n=1, m=2, k=1)
    >>> print(builder.diagram)
    INPUT(3, 32, 32) => [[CONV(32) => RELU] * 1 => POOL] * 2 => [FC(256) => RELU] * 1 => FC(10)
    >>> builder.params
    537258
    >>> builder.text = "INPUT(3, 32, 32) => [CONV(8) => RELU]*N => FC(10)"
    >>> builder.params
    82154
    """

    _module = "pattern"
    _esm = esm("pattern")
    _live = traitlets.Dict().tag(sync=True)

    image, n, m, k, pool, dropout, norm, text = settings("pattern")

    def __init__(self, **values: Any):
        super().__init__(**values)
        self._tell()
        self.observe(self._tell, "text")
        self.observe(self._moved, [name for name in self._setting_names() if name != "text"])

    @classmethod
    @cache
    def data(cls) -> dict[str, Any]:
        """The answers to all settings, packed; ``pattern.js`` unpacks them."""
        path = Path(__file__).with_name("pattern_data.json")
        return json.loads(path.read_text(encoding="utf-8"))

    @property
    def diagram(self) -> str:
        """The diagram that the settings say, or the one that was typed."""
        if self.text:
            return self.text
        conv, hidden = (_block(first, self.norm) for first in ("CONV(32)", "FC(256)"))
        if self.dropout:
            hidden += " => DO"
        pool = " => POOL" if self.pool else ""
        return (
            f"INPUT({self.image.replace('x', ', ')}) => [[{conv}] * {self.n}{pool}] * {self.m}"
            f" => [{hidden}] * {self.k} => FC(10)"
        )

    @property
    def answer(self) -> Answer:
        """What cnnlib says about :attr:`diagram`."""
        return _answer(self.diagram, self.n, self.m, self.k, self.pool)[0]

    @property
    def params(self) -> int:
        """Learned numbers of the network; 0 if it cannot be built."""
        return sum(row[2] for row in self.answer.rows)

    def page_html(self, name: str | None = None) -> str:
        if self.text:
            raise CnnlibError("text needs a kernel: in a page use the other settings.")
        return super().page_html(name)

    # --- a typed diagram ---

    def _tell(self, _: Any = None) -> None:
        """Answer the typed diagram, if there is one."""
        self._live = {"text": self.text, **self.answer._asdict()} if self.text else {}

    def _moved(self, change: Any) -> None:
        """Another setting than `text` has changed."""
        if not self.text or self.text != self._live.get("text"):
            return  # nothing is typed, or it came with this very change
        if change.name in _answer(self.text, self.n, self.m, self.k, self.pool)[1]:
            self._tell()
        else:
            self.text = ""

    # --- sentences; pattern.js writes the same ones, and a test compares them ---

    def summary(self) -> str:
        """What the network costs and sees, or why there is none."""
        return _sentence(self.answer)

    def facts(self) -> list[tuple[str, str]]:
        """Label and text of each row of the result."""
        answer = self.answer
        rules = [f"{rule} ({severity})" for rule, severity, *_ in answer.findings]
        linter = ", ".join(rules) or "nothing to report"
        return [("Diagram", self.diagram), *_results(answer), ("Linter", linter)]


def _block(first: str, norm: str) -> str:
    """A layer with its RELU, and BN where it is wanted."""
    return (
        f"{first} => "
        + {
            "none": "RELU",
            "before": "BN => RELU",
            "after": "RELU => BN",
        }[norm]
    )


@lru_cache(64)
def _answer(text: str, n: int, m: int, k: int, pool: bool) -> tuple[Answer, frozenset[str]]:
    """The answer to a diagram, and the settings that it asks for."""
    values = {"N": n, "M": m, "K": k, "pool": pool}
    try:
        asked = [name for name, _ in open_names(parse(text)) if name in NAMES]
        # A text without open names stays as it is, so that places in messages are places in it.
        if asked:
            text = str(expand(text, **{name: values[name] for name in asked}))
    except DiagramError as problem:
        return Answer("", [], [], _fault(problem)), frozenset()
    return ask(text), frozenset(NAMES[name] for name in asked)


def _kind(row: list[Any]) -> str:
    return re.split(r"[ (]", row[0])[0]


def _named(rows: list[list[Any]], place: int) -> str:
    """The layer's name as in a summary: its kind and its number among its kind."""
    kind = _kind(rows[place])
    return f"{kind.lower()}{sum(_kind(row) == kind for row in rows[: place + 1])}"


def _volume(answer: Answer) -> list[Any] | None:
    """The last row that has height and width."""
    return next((row for row in reversed(answer.rows) if row[4]), None)


def _sentence(answer: Answer) -> str:
    if answer.error:
        faults = [message for _, severity, message, *_ in answer.findings if severity == "error"]
        return f"This cannot be built. {(faults or answer.error)[0]}"
    rows, volume = answer.rows, _volume(answer)
    counts, kinds = [row[2] for row in rows], [_kind(row) for row in rows]
    total = sum(counts)
    said = f"{grouped(total)} parameters."
    if total:
        place = counts.index(max(counts))
        before = rows[place - 1][1] if place else answer.size
        why = (
            f", as it reads a volume of {before}" if kinds[place] == "FC" and "×" in before else ""
        )
        share = fixed(100 * counts[place] / total, 0)
        part = "nearly all" if share == "100" else f"{share} %"
        if counts[place] == total:
            part = "all"
        said += f" {_named(rows, place)} has {part} of them{why}."
    if volume and "CONV" in kinds:
        seen = f"sees {volume[4]} pixels a side; the image has {_side(answer)}"
        return f"{said} A neuron of the last volume {seen}."
    if volume:
        return f"{said} Without a CONV, pooling only makes the image smaller."
    depth = kinds.count("FC")
    what = "a linear classifier" if depth == 1 else "a fully connected network"
    return f"{said} No window slides over the image: this is {what}." if depth else said


def _results(answer: Answer) -> list[tuple[str, str]]:
    if answer.error:
        return [("Not built", answer.error[0])]
    rows, volume = answer.rows, _volume(answer)
    layers, params = Counter(map(_kind, rows)), Counter[str]()
    for row in rows:
        params[_kind(row)] += row[2]
    parts = ", ".join(f"{kind} {grouped(count)}" for kind, count in params.items() if count)
    total = grouped(params.total())
    size = volume[1] if volume else "none"
    return [
        ("CONV and FC layers", f"{layers['CONV']} + {layers['FC']}"),
        ("Parameters", f"{total}: {parts}" if parts else total),
        ("Multiply-accumulates for one image", grouped(sum(row[3] for row in rows))),
        ("Last volume", size),
        (
            "Its receptive field",
            f"{volume[4]} pixels a side (image: {_side(answer)})" if volume else "none",
        ),
    ]


def _side(answer: Answer) -> str:
    height, _, width = answer.size.partition("×")[2].partition("×")
    return height if height == width else f"{height}×{width}"
