"""From text to tree, with an explanation for every text that is no diagram.

The grammar is in ``grammar.lark``. Lark says where a text stops being a diagram; this module finds
out what the writer most likely meant.
"""

import difflib
import functools
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from cnnlib.diagram.tree import (
    SIGNATURES,
    Branches,
    Chain,
    Layer,
    Maybe,
    Node,
    Repeat,
    Setting,
    layers_of,
)
from cnnlib.errors import CnnlibError, DiagramError, error_at

__all__ = ["parse", "read"]

LARGEST_NUMBER = 10**9
DEEPEST_NESTING = 32

CLOSING = {"(": ")", "[": "]", "{": "}"}
LAYERS = ", ".join(SIGNATURES)

# What other notations call our layers.
ELSEWHERE = {
    "AVGPOOL": "POOL(mode=avg)",
    "BATCHNORM": "BN",
    "CONV2D": "CONV",
    "DENSE": "FC",
    "DROPOUT": "DO",
    "IDENTITY": "ID",
    "LEAKYRELU": "LRELU",
    "LINEAR": "FC",
    "MAXPOOL": "POOL",
}


def parse(text: str) -> Chain:
    """Read a diagram.

    Parameters
    ----------
    text : str
        Layers joined by ``=>`` or ``→``. Settings stand in brackets, by place or by name. ``[ … ] * 3``
        repeats, ``*N`` repeats as often as :func:`expand` is told, and ``POOL?`` is optional. The star
        means *zero or more*. ``{ a | b }`` concatenates branches along depth, ``{ a + b }`` adds them,
        with ``ID`` for the identity. ``#`` begins a comment; line breaks and spaces are free.

    Returns
    -------
    Chain
        Its ``str`` is the canonical text, which parses to an equal tree.

    Raises
    ------
    DiagramError
        If the text is no diagram; the message points at the place and proposes a remedy.

    Examples
    --------
    >>> print(parse("INPUT(3,32,32) → [CONV(filters=32, kernel=3×3)→RELU]*2 → FC(10)"))
    INPUT(3, 32, 32) => [CONV(32, 3) => RELU] * 2 => FC(10)

    >>> parse("[FC RELU => BN] * 2 => FC")
    Traceback (most recent call last):
    cnnlib.errors.DiagramError: line 1, column 5: The arrow between FC and RELU is missing.
      [FC RELU => BN] * 2 => FC
          ^
    Write FC => RELU.
    """
    if not isinstance(text, str):
        raise CnnlibError(
            f"text={text!r} is a {type(text).__name__}, not a text: "
            'write the diagram as a string, for instance "INPUT => FC".'
        )
    tokens = _tokens(text)
    _check_nesting(text, tokens)
    try:
        tree = _grammar().parse(text)
    except UnexpectedToken as error:
        raise _explain(text, tokens, error) from None
    root = _chain(text, tree.children[0])
    _check_input(text, root)
    return root


def read(diagram: str | Chain) -> tuple[str, Chain]:
    """A diagram as (text, tree), so that every layer's ``at`` is a place in the text.

    A tree is written out as its canonical text first.
    """
    text = diagram if isinstance(diagram, str) else str(diagram)
    return text, parse(text)


@functools.cache
def _grammar() -> Lark:
    return Lark.open("grammar.lark", rel_to=__file__, parser="lalr", lexer="basic")


def _place(token: Token) -> int:
    assert token.start_pos is not None
    return token.start_pos


def _tokens(text: str) -> list[Token]:
    try:
        return list(_grammar().lex(text))
    except UnexpectedCharacters as error:
        at = error.pos_in_stream or 0
        character = text[at]
        if character in "->=–—⇒⟶➔":
            arrow = "Write => or → between two layers."
            raise error_at(text, at, f"{character!r} is not an arrow.", arrow) from None
        legend = "A diagram has layers, =>, [ ] * ?, { | + }, settings in ( ) and comments after #."
        raise error_at(text, at, f"{character!r} has no meaning in a diagram.", legend) from None


# --- from lark's tree to ours -------------------------------------------------------------------


def _chain(text: str, tree: Any) -> Chain:
    return Chain(tuple(_node(text, part) for part in tree.children))


def _as_chain(node: Node) -> Chain:
    return node if isinstance(node, Chain) else Chain((node,))


def _node(text: str, tree: Any) -> Node:
    if tree.data == "chain":
        return _chain(text, tree)
    if tree.data == "layer":
        return _layer(text, *tree.children)
    if tree.data in ("concat", "add"):
        arms = tuple(_chain(text, arm) for arm in tree.children)
        return Branches(tree.data, arms, next(layers_of(arms[0])).at)
    body = _as_chain(_node(text, tree.children[0]))
    first = next(layers_of(body))
    if tree.data == "maybe":
        return Maybe(body, first.kind.lower(), first.at)
    return Repeat(body, _times(text, tree.children[1]), first.at)


def _times(text: str, token: Token) -> int | str:
    if token.type == "NAME":
        if token.upper() in SIGNATURES:
            raise error_at(
                text,
                _place(token),
                f"{token} names a layer, not how often to repeat.",
                "Write a number such as 2, or a letter such as N.",
            )
        return str(token)
    times = _int(text, token)
    if times < 0:
        raise error_at(
            text,
            _place(token),
            f"{times} is not a number of repeats: * means zero or more times.",
            "Write 0 to leave the part out, or a name such as N to decide later.",
        )
    return times


def _layer(text: str, name: Token, *written: Tree | None) -> Layer:
    if name not in SIGNATURES:
        raise _unknown_layer(text, name)
    signature = SIGNATURES[name]
    values: dict[str, Any] = {}
    named = False
    for entry in written:
        if entry is None:
            continue
        key, value = entry.children
        assert isinstance(value, Token)
        if isinstance(key, Token):
            named = True
            setting, at = str(key), _place(key)
            if setting not in signature:
                raise error_at(
                    text, at, f"{name} has no setting {setting}.", _nearest(setting, name)
                )
        else:
            at = _place(value)
            setting = _by_place(text, at, name, len(values), named, value)
        if setting in values:
            raise error_at(text, at, f"{setting} is given twice.", "Leave one of the two out.")
        values[setting] = _value(text, value, f"{name}'s {setting}", signature[setting])
    ordered = tuple((key, values[key]) for key in signature if key in values)
    return Layer(str(name), ordered, _place(name))


def _by_place(text: str, at: int, kind: str, count: int, named: bool, value: Token) -> str:
    """Name of the setting that a value without a name sets."""
    signature = SIGNATURES[kind]
    if named:
        raise error_at(
            text,
            at,
            f"{value} has no name and follows a setting that has one.",
            f"Give its name: {_takes(kind)}.",
        )
    if count >= len(signature):
        many = f"at most {len(signature)}" if signature else "no"
        plural = "" if len(signature) == 1 else "s"
        remedy = f"{kind} takes {_takes(kind)}." if signature else f"Write {kind} alone."
        raise error_at(text, at, f"{kind} has {many} setting{plural}.", remedy)
    return list(signature)[count]


def _takes(kind: str) -> str:
    return ", ".join(SIGNATURES[kind])


def _nearest(setting: str, kind: str) -> str:
    if not SIGNATURES[kind]:
        return f"Write {kind} alone."
    close = difflib.get_close_matches(setting.lower(), SIGNATURES[kind], n=1)
    return f"Did you mean {close[0]}?" if close else f"{kind} takes {_takes(kind)}."


def _unknown_layer(text: str, name: Token) -> DiagramError:
    upper = name.upper()
    close = [ELSEWHERE[upper]] if upper in ELSEWHERE else []
    close = close or difflib.get_close_matches(upper, SIGNATURES, n=1)
    suggestion = f"Did you mean {close[0]}?" if close else f"The layers are {LAYERS}."
    return error_at(text, _place(name), f"{name} is not a layer.", suggestion)


def _int(text: str, token: Token) -> int:
    digits = token.replace("−", "-")
    if len(digits) > 12 or abs(int(digits)) > LARGEST_NUMBER:
        raise error_at(
            text,
            _place(token),
            "This number is too large.",
            f"Write a number of at most {LARGEST_NUMBER:,}.",
        )
    return int(digits)


def _value(text: str, token: Token, what: str, setting: Setting) -> Any:
    """The value of `token`, or the error that says what the setting takes."""
    words = {str(choice).lower(): choice for choice in setting.choices}
    if token.type == "NAME" and token.lower() in words:
        return words[token.lower()]
    lowest = 0 if setting.takes == "padding" else 1
    if setting.takes in ("count", "size", "padding"):
        if token.type == "INT" and (number := _int(text, token)) >= lowest:
            return number
        if token.type == "SIZE" and setting.takes != "count":
            height, width = (
                _int(text, Token.new_borrow_pos("INT", side.strip(), token))
                for side in token.replace("×", "x").split("x")
            )
            if min(height, width) >= lowest:
                return height if height == width else (height, width)
    if setting.takes == "number" and token.type in ("INT", "FLOAT"):
        value = float(token.replace("−", "-"))
        above = value > setting.low or (setting.low_allowed and value == setting.low)
        if above and value < setting.high:
            return value
    raise error_at(
        text, _place(token), f"{what} cannot be {token}.", f"It takes {_legal(setting)}."
    )


def _legal(setting: Setting) -> str:
    words = " or ".join(str(choice).lower() for choice in setting.choices)
    if setting.takes == "choice":
        return words if len(setting.choices) == 2 else words.replace(" or ", ", ", 1)
    if setting.takes == "number":
        least = "of at least" if setting.low_allowed else "above"
        below = f" and below {setting.high:g}" if setting.high != float("inf") else ""
        return f"a number {least} {setting.low:g}{below}"
    lowest = 0 if setting.takes == "padding" else 1
    pair = "" if setting.takes == "count" else ", or two as in 5x1"
    return f"a whole number of at least {lowest}{pair}" + (f", or {words}" if words else "")


def _check_input(text: str, root: Chain) -> None:
    for place, layer in enumerate(layers_of(root)):
        if layer.kind == "INPUT" and (place or layer is not root.items[0]):
            raise error_at(
                text,
                layer.at,
                "INPUT can only be the first layer.",
                "Begin the diagram with INPUT and leave it out here.",
            )


# --- what was meant -----------------------------------------------------------------------------


def _check_nesting(text: str, tokens: list[Token]) -> None:
    depth = 0
    for token in tokens:
        depth += (token in CLOSING) - (token in CLOSING.values())
        if depth > DEEPEST_NESTING:
            raise error_at(
                text,
                _place(token),
                f"The brackets are nested more than {DEEPEST_NESTING} deep.",
                "Write the inner parts out.",
            )


def _explain(text: str, tokens: list[Token], error: UnexpectedToken) -> DiagramError:
    token = error.token
    ended = token.type == "$END"
    before = tokens if ended else [each for each in tokens if _place(each) < _place(token)]
    at = (tokens[-1].end_pos or 0) if ended and tokens else 0 if ended else _place(token)
    if not before and ended:
        return error_at(text, at, "The diagram is empty.", "Write layers, such as INPUT => FC.")

    unknown = _first_unknown_layer(before if ended else [*before, token])
    if unknown is not None:
        return _unknown_layer(text, unknown)

    opened = _open_brackets(before)
    innermost = opened[-1] if opened else None
    closes = token in CLOSING.values()
    accepts = error.accepts or set()
    if closes and innermost is None:
        opener = next(key for key, value in CLOSING.items() if value == token)
        remedy = f"Write {opener} where the part begins, or leave {token} out."
        return error_at(text, at, f"{token} closes nothing.", remedy)
    dangling = before and before[-1].type in ("_ARROW", "_TIMES", "VBAR", "PLUS", "EQUAL", "COMMA")
    if (
        innermost is not None
        and not dangling
        and (
            ended
            or (closes and token != CLOSING[innermost])
            or (innermost == "(" and token.type == "_ARROW")
        )
    ):
        remedy = f"Write {CLOSING[innermost]} where the {_CONTENTS[innermost]}."
        return error_at(text, _place(innermost), f"This {innermost} is never closed.", remedy)

    if token.type in ("NAME", "LSQB", "LBRACE") and "_ARROW" in accepts:
        last = before[-1]
        if last.type == token.type == "NAME":
            message = f"The arrow between {last} and {token} is missing."
            return error_at(text, at, message, f"Write {last} => {token}.")
        return error_at(text, at, f"The arrow before {token} is missing.", f"Write => {token}.")
    if token.type == "INT" and "_TIMES" in accepts:
        return error_at(text, at, f"{token} stands here alone.", f"Write * {token} to repeat.")
    if token.type in ("_TIMES", "QMARK") and before and before[-1].type in ("QMARK", "INT", "NAME"):
        message = f"{token} follows another * or ?."
        return error_at(text, at, message, "Put the inner part into [ ].")
    if token.type == "EQUAL" and "_ARROW" in accepts:
        return error_at(text, at, "= is not an arrow.", "Write => or → between two layers.")
    if token == "}" and innermost == "{" and not dangling:
        return error_at(
            text,
            _place(innermost),
            "{ } holds a single branch.",
            "Write { a | b } to concatenate, { a + b } to add, and ID for a branch without layers.",
        )
    if token.type in ("VBAR", "PLUS"):
        message = f"{token} cannot stand here."
        if innermost == "{" and not dangling and before[-1] != "{":
            message = "| and + are mixed in one { }."
            return error_at(text, at, message, "Put the inner branches into { } of their own.")
        if innermost != "{":
            remedy = "Branches stand in braces: { a | b } or { a + b }."
            return error_at(text, at, message, remedy)
    what = f"The text ends after {before[-1]}." if ended else f"{token} cannot stand here."
    return error_at(text, at, what, f"Expected {_expected(accepts)}.")


_CONTENTS = {"(": "settings end", "[": "group ends", "{": "branches end"}


def _open_brackets(tokens: list[Token]) -> list[Token]:
    opened: list[Token] = []
    for token in tokens:
        if token in CLOSING:
            opened.append(token)
        elif opened and token == CLOSING[opened[-1]]:
            opened.pop()
    return opened


def _first_unknown_layer(tokens: list[Token]) -> Token | None:
    """The first name in a layer's place that names none; what follows * or stands in ( ) is no layer."""
    inside, previous = False, ""
    for token in tokens:
        if token in ("(", ")"):
            inside = token == "("
        layer_place = token.type == "NAME" and not inside and previous != "_TIMES"
        if layer_place and token not in SIGNATURES:
            return token
        previous = token.type
    return None


_NAMES = {
    "NAME": "a name",
    "INT": "a number",
    "FLOAT": "",
    "SIZE": "",
    "_ARROW": "=>",
    "_TIMES": "*",
    "LSQB": "[",
    "RSQB": "]",
    "LBRACE": "{",
    "RBRACE": "}",
    "LPAR": "(",
    "RPAR": ")",
    "VBAR": "|",
    "PLUS": "+",
    "COMMA": ",",
    "EQUAL": "=",
    "QMARK": "?",
    "$END": "the end",
}


def _expected(accepts: set[str]) -> str:
    if {"NAME", "LSQB"} <= accepts:
        return "a layer, [ or {"
    words = [word for kind, word in _NAMES.items() if word and kind in accepts]
    return ", ".join(words[:-1]) + " or " + words[-1] if len(words) > 1 else "".join(words)
