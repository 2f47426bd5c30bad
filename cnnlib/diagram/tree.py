"""What a diagram is once it is read: layers, chains, repeats, optional parts and branches.

The nodes are plain values: two texts that mean the same give equal trees, whatever their spaces,
comments and line breaks. ``str(node)`` is the canonical text, and parsing that text gives the tree back.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Union

__all__ = [
    "DEFAULTS",
    "SIGNATURES",
    "Branches",
    "Chain",
    "Layer",
    "Maybe",
    "Node",
    "Repeat",
    "Setting",
    "layers_of",
]


# --- what each layer takes ----------------------------------------------------------------------


class Setting(NamedTuple):
    """One setting of a layer.

    Attributes
    ----------
    takes : str
        ``"count"`` a whole number of at least 1 · ``"size"`` the same or a pair (height, width),
        written ``5x1`` · ``"padding"`` a whole number of at least 0 or such a pair · ``"number"`` a
        number between `low` and `high` · ``"choice"`` one of the words in `choices`.
    default : object
        The value when nothing is written; ``None`` if there is none.
    choices : tuple
        The words that are allowed: for ``"choice"`` the only values, for ``"padding"`` one more.
    low, high : float
        Limits of a ``"number"``; `low` itself is allowed if `low_allowed`, `high` never.
    """

    takes: Literal["count", "size", "padding", "number", "choice"]
    default: Any = None
    choices: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = float("inf")
    low_allowed: bool = True


_ROUNDING = Setting("choice", "strict", ("strict", "floor", "ceil"))
_BIAS = Setting("choice", True, (True, False))

#: For each kind of layer its settings, in the order in which they may be written without a name.
SIGNATURES: dict[str, dict[str, Setting]] = {
    "INPUT": {"channels": Setting("count"), "height": Setting("count"), "width": Setting("count")},
    "CONV": {
        "filters": Setting("count"),
        "kernel": Setting("size", 3),
        "stride": Setting("size", 1),
        "padding": Setting("padding", "same", ("same",)),
        "dilation": Setting("size", 1),
        "groups": Setting("count", 1),
        "bias": _BIAS,
        "rounding": _ROUNDING,
    },
    "RELU": {},
    "LRELU": {"slope": Setting("number", 0.01)},
    "ELU": {"alpha": Setting("number", 1.0, low_allowed=False)},
    "ACT": {},
    "POOL": {
        "kernel": Setting("size", 2),
        "stride": Setting("size", 2),
        "mode": Setting("choice", "max", ("max", "avg")),
        "padding": Setting("padding", 0),
        "rounding": _ROUNDING,
    },
    "GAP": {},
    "FC": {"units": Setting("count"), "bias": _BIAS},
    "BN": {
        "momentum": Setting("number", 0.1, high=1.0),
        "eps": Setting("number", 1e-5, low_allowed=False),
    },
    "DO": {"p": Setting("number", 0.5, high=1.0)},
    "SOFTMAX": {},
    "ID": {},
}

#: For each kind of layer the values that hold when nothing is written.
DEFAULTS: dict[str, dict[str, Any]] = {
    kind: {name: setting.default for name, setting in settings.items()}
    for kind, settings in SIGNATURES.items()
}

# How many settings the canonical text writes without their names.
_UNNAMED = {"INPUT": 3, "CONV": 2, "POOL": 2, "FC": 1, "DO": 1, "LRELU": 1, "ELU": 1}


# --- the nodes ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes
    ----------
    kind : str
        A key of :data:`SIGNATURES`.
    settings : tuple of (name, value)
        What was written, in the signature's order. A size or padding is an int if both axes have the
        same value, else a pair (height, width); ``padding`` may be ``"same"``.
    at : int
        Where the layer stands in the text.

    Examples
    --------
    >>> layer = Layer("CONV", (("filters", 32), ("kernel", (5, 1)), ("stride", 2)))
    >>> str(layer)
    'CONV(32, 5x1, stride=2)'
    >>> layer.get("stride"), layer.get("padding"), Layer("CONV").get("filters")
    (2, 'same', None)
    """

    kind: str
    settings: tuple[tuple[str, Any], ...] = ()
    at: int = field(default=0, compare=False)

    def get(self, name: str) -> Any:
        """The value that was written, or else the default; ``None`` if there is neither."""
        return dict(self.settings).get(name, DEFAULTS[self.kind][name])

    def __str__(self) -> str:
        order = list(SIGNATURES[self.kind])[: _UNNAMED.get(self.kind, 0)]
        written = []
        for place, (name, value) in enumerate(self.settings):
            unnamed = place < len(order) and order[place] == name
            written.append(_text(value) if unnamed else f"{name}={_text(value)}")
        return f"{self.kind}({', '.join(written)})" if written else self.kind


@dataclass(frozen=True)
class Chain:
    """Parts that follow one another; a chain inside a chain is one chain."""

    items: tuple["Node", ...]

    def __post_init__(self) -> None:
        flat: list[Node] = []
        for item in self.items:
            flat.extend(item.items if isinstance(item, Chain) else (item,))
        object.__setattr__(self, "items", tuple(flat))

    def __str__(self) -> str:
        return " => ".join(map(str, self.items))


@dataclass(frozen=True)
class Repeat:
    """`body`, `times` times over: a number, or a name such as ``"N"`` that waits for its number."""

    body: Chain
    times: int | str
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"[{self.body}] * {self.times}"


@dataclass(frozen=True)
class Maybe:
    """An optional part, ``POOL?``. `name` switches it: the kind of its first layer, in lower case."""

    body: Chain
    name: str
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        alone = len(self.body.items) == 1 and isinstance(self.body.items[0], Layer)
        return f"{self.body}?" if alone else f"[{self.body}]?"


@dataclass(frozen=True)
class Branches:
    """Parts side by side, joined by concatenation along depth, ``{ a | b }``, or addition, ``{ a + b }``."""

    join: Literal["concat", "add"]
    arms: tuple[Chain, ...]
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return "{ " + (" | " if self.join == "concat" else " + ").join(map(str, self.arms)) + " }"


Node = Union[Layer, Chain, Repeat, Maybe, Branches]  # noqa: UP007 - the names are still strings here


def layers_of(node: Node) -> Iterator[Layer]:
    """Every layer of `node`, in the order of the text, each once however often it is repeated."""
    if isinstance(node, Layer):
        yield node
        return
    if isinstance(node, Chain):
        parts: tuple[Node, ...] = node.items
    elif isinstance(node, Branches):
        parts = node.arms
    else:
        parts = (node.body,)
    for part in parts:
        yield from layers_of(part)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"{value[0]}x{value[1]}"
    return str(value)
