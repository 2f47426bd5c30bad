"""Frames that cross between the grader and a student's process: JSON and raw array bytes, never pickle.

A frame is two lengths (big-endian, 4 and 8 bytes), a JSON header and the bytes of its arrays. The reader
trusts nothing: sizes, depth, counts and element types are checked before anything is made of them.
"""

import json
import math
import re
import socket
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["Limits", "Remote", "WireError", "decode", "encode", "plain_text", "receive", "send"]

KINDS = "biufc"
_DTYPES = {
    dtype.str: dtype
    for code in "?bhilqBHILQefdgFDG"
    for dtype in [np.dtype(code).newbyteorder("=")]
}
"""Every element type that crosses, by the one spelling that it may have."""
_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
    r"|\x1b(?!\[[0-9;]{0,20}m)"
)
Buffers = list[bytes | memoryview]
_LENGTHS = struct.Struct(">IQ")


class Limits:
    """Caps on one frame."""

    header = 4 << 20
    bytes = 256 << 20
    arrays = 4_096
    objects = 256
    text = 1 << 20
    depth = 12
    entries = 100_000
    bits = 6_000


class WireError(Exception):
    """What came is no frame, or holds what a frame may not hold. `verdict` names which."""

    verdict = "protocol"


class OversizeError(WireError):
    """More than the caps allow."""

    verdict = "oversize"


class InvalidError(WireError):
    """A value of a kind that does not cross."""

    verdict = "invalid"


class Remote:
    """An object that stays on its own side: all that crosses is its number and what it is."""

    def __init__(self, number: int, kind: str, name: str) -> None:
        self.number, self.kind, self.name = number, kind, name


def plain_text(text: Any, most: int) -> str:
    """At most `most` characters of a text that can be stored and shown anywhere; "" if it is none.

    Control characters (but tab, new line and colours), marks that turn the direction of writing, and
    halves of surrogate pairs are replaced: a terminal would obey the first, and no file holds the last.
    """
    return _CONTROL.sub("\ufffd", text[:most]) if type(text) is str else ""


# --- values -------------------------------------------------------------------------------------


def encode(value: Any, keep: Callable[[Any], Remote] | None = None) -> tuple[Any, list[bytes]]:
    """A value as a JSON tree and the bytes of its arrays.

    What is neither plain nor a container of such is handed to `keep`, which gives the `Remote` that
    stands for it; without `keep` it is refused.
    """
    buffers: list[bytes] = []
    left = [Limits.entries]

    def tree(value: Any, depth: int) -> Any:
        left[0] -= 1
        if depth > Limits.depth or left[0] < 0:
            raise OversizeError("too deep or too many entries")
        kind = type(value)  # an object may lie about its __class__
        if value is None or kind is bool or kind is str:
            return value
        if kind is np.str_:
            return str(value)
        if kind is int:
            return _short(value)
        if kind is float:
            return value if math.isfinite(value) else {"f": repr(value)}
        if kind is complex:
            return {"c": [tree(value.real, depth), tree(value.imag, depth)]}
        if kind is tuple or kind is list:
            return {"t" if kind is tuple else "l": [tree(one, depth + 1) for one in value]}
        if kind is dict and all(
            type(key) is str or (type(key) is int and key.bit_length() < 60) for key in value
        ):
            return {"d": [[key, tree(one, depth + 1)] for key, one in value.items()]}
        if kind is Remote:
            return {"o": [value.number, value.kind, value.name]}
        if issubclass(kind, np.generic | np.ndarray):
            return array(value)
        if keep is None:
            raise InvalidError(f"a {kind.__name__} does not cross")
        return tree(keep(value), depth)

    def array(value: Any) -> Any:
        scalar = not issubclass(type(value), np.ndarray)
        if value.size * value.dtype.itemsize > Limits.bytes:  # a view may be larger than any memory
            raise OversizeError("an array that is too large")
        plain = np.array(value, order="C", subok=False)
        if plain.dtype.kind not in KINDS or plain.dtype.hasobject:
            # which type it is may be told, its content does not cross
            return {"x": (type(value).__name__ if scalar else f"array of {plain.dtype}")[:80]}
        plain = plain.astype(plain.dtype.newbyteorder("="), copy=False)
        buffers.append(plain.tobytes())
        return {"s" if scalar else "a": [plain.dtype.str, list(plain.shape), len(buffers) - 1]}

    return tree(value, 0), buffers


def decode(
    tree: Any, buffers: Sequence[bytes | memoryview], remote: Callable[[int, str, str], Any]
) -> Any:
    """The value of a tree that came across; `remote(number, kind, name)` makes what stands for an object."""
    left, objects, unused = [Limits.entries], [Limits.objects], dict(enumerate(buffers))

    def value(node: Any, depth: int) -> Any:
        left[0] -= 1
        if depth > Limits.depth or left[0] < 0:
            raise OversizeError("too deep or too many entries")
        if type(node) is int:
            return _short(node)
        if type(node) is str:
            if len(node) > Limits.text:
                raise OversizeError("a text that is too long")
            return plain_text(node, Limits.text)
        if node is None or type(node) in (bool, float):
            return node
        if not isinstance(node, dict) or len(node) != 1:
            raise InvalidError("a value of no known form")
        ((form, body),) = node.items()
        try:
            return FORMS[form](body, depth + 1)
        except WireError:
            raise
        except Exception:
            raise InvalidError("a value that is not well formed") from None

    def array(body: Any, depth: int) -> np.ndarray:
        code, shape, index = body
        if type(code) is not str or code not in _DTYPES:
            raise InvalidError("an array of a type that does not cross")
        if len(shape) > 16 or not all(type(side) is int and 0 <= side < 1 << 62 for side in shape):
            raise InvalidError("an array of no shape")
        content = unused.pop(index)  # once: arrays may not multiply the bytes that came
        if math.prod(shape) * _DTYPES[code].itemsize != len(content):
            raise InvalidError("an array whose bytes are not those of its shape")
        plain = np.frombuffer(bytearray(content), _DTYPES[code]).reshape(shape)
        if plain.dtype.kind == "b":
            plain = plain.view(np.uint8) != 0  # other bytes than 0 and 1 are no truth values
        return plain

    def scalar(body: Any, depth: int) -> Any:
        if body[1]:
            raise InvalidError("a scalar with a shape")
        return array(body, depth)[()]

    def part(body: Any, depth: int) -> float:
        number = value(body, depth)
        if type(number) is not float:
            raise InvalidError("a part of a complex number that is no float")
        return number

    def object_(number: Any, kind: Any, name: Any) -> Any:
        objects[0] -= 1
        if objects[0] < 0:
            raise OversizeError("too many objects")
        if type(number) is not int or number.bit_length() > 60:
            raise InvalidError("an object without a number")
        return remote(number, plain_text(kind, 20), plain_text(name, 80))

    def special(body: Any, depth: int) -> float:
        return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[body]

    def keyed(body: Any, depth: int) -> dict:
        # longer numbers could be chosen so that all have one hash
        if not all(
            type(key) is str or (type(key) is int and key.bit_length() < 60) for key, _ in body
        ):
            raise InvalidError("a key that is neither text nor a short number")
        return {value(key, depth): value(one, depth) for key, one in body}

    FORMS: dict[str, Callable[[Any, int], Any]] = {
        "f": special,
        "c": lambda body, depth: complex(*(part(one, depth) for one in body)),
        "t": lambda body, depth: tuple(value(one, depth) for one in body),
        "l": lambda body, depth: [value(one, depth) for one in body],
        "d": keyed,
        "a": array,
        "s": scalar,
        "o": lambda body, depth: object_(*body),
        "x": lambda body, depth: object_(-1, "strange", body),
    }
    return value(tree, 0)


def _short(number: int) -> int:
    if number.bit_length() > Limits.bits:
        raise OversizeError("a number with too many digits")
    return number


# --- frames -------------------------------------------------------------------------------------


def send(
    channel: socket.socket, message: dict[str, Any], buffers: list[bytes] | None = None
) -> None:
    """Send one frame; `message` is JSON but for the arrays' bytes."""
    buffers = buffers or []
    header = _TO_JSON({**message, "sizes": [len(b) for b in buffers]}).encode()
    total = sum(map(len, buffers))
    if len(header) > Limits.header or total > Limits.bytes or len(buffers) > Limits.arrays:
        raise OversizeError("the frame is too large")
    channel.sendall(b"".join([_LENGTHS.pack(len(header), total), header, *buffers]))


def receive(
    channel: socket.socket, deadline: float | None = None
) -> tuple[dict[str, Any], Buffers]:
    """The next frame, which must be the only one: nobody speaks twice without being asked.

    Raises
    ------
    TimeoutError
        If it is not complete by `deadline`, a time of ``time.monotonic``.
    EOFError
        If the other side is gone.
    WireError
        If it is no frame.
    """
    first = _some(channel, bytearray(_CHUNK), deadline)
    while len(first) < _LENGTHS.size:
        first += _some(channel, bytearray(_CHUNK), deadline)
    length, total = _LENGTHS.unpack_from(first)
    if length > Limits.header or total > Limits.bytes:
        raise OversizeError(f"a frame of {length} and {total} bytes")
    end = _LENGTHS.size + length + total
    if len(first) > end:
        raise WireError("more than one frame")
    content = first if len(first) == end else _all(channel, first, end, deadline)
    view = memoryview(content)
    try:
        message = json.loads(bytes(view[_LENGTHS.size : _LENGTHS.size + length]))
        sizes = message.pop("sizes")
        good = type(sizes) is list and all(type(size) is int and size >= 0 for size in sizes)
    except Exception:  # no JSON, too deep for the parser, a number with too many digits
        raise WireError("a header that is no JSON object") from None
    if not good or sum(sizes) != total or len(sizes) > Limits.arrays:
        raise WireError("sizes that do not add up")
    buffers: Buffers = []
    at = _LENGTHS.size + length
    for size in sizes:
        buffers.append(view[at : at + size])
        at += size
    return message, buffers


_CHUNK = 1 << 16
_TO_JSON = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def _some(channel: socket.socket, room: bytearray | memoryview, deadline: float | None) -> Any:
    """What is there to read, at most as much as there is `room`, which it is written into."""
    if deadline is not None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        channel.settimeout(left)
    got = channel.recv_into(room)
    if not got:
        raise EOFError
    return room[:got]


def _all(channel: socket.socket, first: bytearray, end: int, deadline: float | None) -> bytearray:
    content = bytearray(end)
    content[: len(first)] = first
    view, at = memoryview(content), len(first)
    while at < end:
        at += len(_some(channel, view[at:], deadline))
    return content
