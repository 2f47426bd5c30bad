"""From a pattern to the network it stands for: repeats written out, optional parts decided."""

from collections.abc import Iterator
from typing import Any

from cnnlib.diagram.parse import read
from cnnlib.diagram.tree import Branches, Chain, Layer, Maybe, Node, Repeat
from cnnlib.errors import CnnlibError, RangeError, error_at

__all__ = ["expand", "open_names"]

MOST_LAYERS = 10_000


def expand(diagram: str | Chain, **values: int | bool) -> Chain:
    """Write a pattern out: no repeat and no optional part is left.

    The star means *zero or more*, so zero is a legal number of repeats. In the common pattern
    ``INPUT => [[CONV => RELU]*N => POOL?]*M => [FC => RELU]*K => FC`` the choice N = M = K = 0 leaves
    ``INPUT => FC``, a linear classifier. The very shallow CNN ``INPUT => CONV => RELU => FC``, which
    is sometimes named as that case, has N = M = 1, K = 0 and no POOL.

    Parameters
    ----------
    diagram : str or Chain
    **values
        A whole number of at least 0 for each name behind a star (``N=2``), and ``True`` or ``False``
        for each optional part, by the kind of its first layer in lower case (``pool=True``).

    Raises
    ------
    DiagramError
        If a value is missing, if nothing would be left, or if more than 10,000 layers would be.
    RangeError
        If a value is no whole number of at least 0, or for an optional part neither True nor False.
    CnnlibError
        If a value is given for a name that the diagram does not have.

    Examples
    --------
    >>> pattern = "INPUT => [[CONV => RELU]*N => POOL?]*M => [FC => RELU]*K => FC"
    >>> print(expand(pattern, N=2, M=1, K=1, pool=True))
    INPUT => CONV => RELU => CONV => RELU => POOL => FC => RELU => FC
    >>> print(expand(pattern, N=0, M=0, K=0, pool=False))
    INPUT => FC
    """
    text, tree = read(diagram)
    names = dict(open_names(tree))
    for name, value in values.items():
        if name not in names:
            known = ", ".join(names) or "none"
            raise CnnlibError(
                f"{name}={value!r} is for nothing in the diagram: its open names are {known}."
            )
        _check(name, value, names[name])
    missing = [name for name in names if name not in values]
    if missing:
        name, part = missing[0], names[missing[0]]
        if isinstance(part, Maybe):
            remedy = f"Say {name}=True to keep it or {name}=False to leave it out."
            raise error_at(text, part.at, f"Whether {part} is there is open.", remedy)
        remedy = f"Give it a number, such as {name}=2; 0 leaves the part out."
        raise error_at(text, part.at, f"{name} has no value: how often is {part}?", remedy)
    if _count(tree, values) > MOST_LAYERS:
        raise error_at(
            text,
            0,
            f"Written out, the diagram has more than {MOST_LAYERS:,} layers.",
            "Repeat less.",
        )
    layers = tuple(_written_out(tree, values))
    if not layers:
        raise error_at(text, 0, "No layer is left.", "Repeat at least one part at least once.")
    return Chain(layers)


def open_names(node: Node) -> Iterator[tuple[str, Repeat | Maybe]]:
    """The names that :func:`expand` needs values for, each with a part that bears it."""
    if isinstance(node, Layer):
        return
    if isinstance(node, Maybe) or (isinstance(node, Repeat) and isinstance(node.times, str)):
        yield str(node.name if isinstance(node, Maybe) else node.times), node
    if isinstance(node, Chain | Branches):
        for part in node.items if isinstance(node, Chain) else node.arms:
            yield from open_names(part)
    else:
        yield from open_names(node.body)


def _check(name: str, value: Any, part: Repeat | Maybe) -> None:
    if isinstance(part, Maybe):
        if not isinstance(value, bool):
            raise RangeError(
                f"{name}={value!r} decides whether {part} is there: use True or False."
            )
    elif isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise RangeError(
            f"{name}={value!r} is not a number of repeats: * means zero or more times, "
            "so use a whole number of at least 0."
        )


def _times(node: Repeat | Maybe, values: dict[str, int | bool]) -> int:
    if isinstance(node, Maybe):
        return int(values[node.name])
    return node.times if isinstance(node.times, int) else values[node.times]


def _count(node: Node, values: dict[str, int | bool]) -> int:
    """How many layers `node` has when written out."""
    if isinstance(node, Layer):
        return 1
    if isinstance(node, Chain | Branches):
        parts = node.items if isinstance(node, Chain) else node.arms
        return sum(_count(part, values) for part in parts)
    return _times(node, values) * _count(node.body, values)


def _written_out(node: Node, values: dict[str, int | bool]) -> Iterator[Node]:
    if isinstance(node, Chain):
        for item in node.items:
            yield from _written_out(item, values)
    elif isinstance(node, Repeat | Maybe):
        yield from tuple(_written_out(node.body, values)) * _times(node, values)
    elif isinstance(node, Branches):
        # A branch that is repeated zero times passes its input on.
        arms = (Chain(tuple(_written_out(arm, values))) for arm in node.arms)
        identity = Chain((Layer("ID", at=node.at),))
        yield Branches(node.join, tuple(arm if arm.items else identity for arm in arms), node.at)
    else:
        yield node
