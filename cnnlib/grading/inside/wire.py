"""Frames that cross between the grader and a student's process: JSON and raw array bytes, never pickle.

A frame is two lengths (big-endian, 4 and 8 bytes), a JSON header and the bytes of its arrays. The reader
trusts nothing: sizes, depth, counts and element types are checked before anything is made of them.
"""

import json
import math
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Limits", "Remote", "WireError", "decode", "encode", "plain_text", "receive", "send"]

_DTYPES = {dtype.str: dtype for dtype in map(np.dtype, "?bhilqBHILQefdgFDG")}
"""Every element type that crosses, by the one spelling that it may have."""
_CODES = {dtype: code for code, dtype in _DTYPES.items()}
_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
    r"|\x1b(?!\[[0-9;]{0,20}m)"
)
Buffers = Sequence[bytes | memoryview]
_LENGTHS = struct.Struct(">IQ")
_CHUNK = 1 << 16
_TO_JSON = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_FROM_JSON = json.JSONDecoder().raw_decode


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


@dataclass(slots=True)
class Remote:
    """An object that stays on its own side: all that crosses is its number and what it is."""

    number: int
    kind: str
    name: str


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
    writer = _Writer(keep, [])
    return writer.tree(value, 0), writer.buffers


def decode(tree: Any, buffers: Buffers, remote: Callable[[int, str, str], Any]) -> Any:
    """The value of a tree that came across; `remote(number, kind, name)` makes what stands for an object."""
    reader = _Reader(remote, dict(enumerate(buffers)))
    try:
        return reader.value(tree, 0)
    except WireError:
        raise
    except Exception:
        raise InvalidError("a value that is not well formed") from None


@dataclass(slots=True)
class _Writer:
    """One value on its way to a tree."""

    keep: Callable[[Any], Remote] | None
    buffers: list[bytes]
    left: int = Limits.entries

    def tree(self, value: Any, depth: int) -> Any:
        self.left -= 1
        if depth > Limits.depth or self.left < 0:
            raise OversizeError("too deep or too many entries")
        kind = type(value)  # an object may lie about its __class__
        if value is None or kind is bool or kind is str:
            return value
        if kind is int:
            return _short(value)
        if kind is float:
            return value if math.isfinite(value) else {"f": repr(value)}
        if kind is tuple or kind is list:
            return {"t" if kind is tuple else "l": [self.tree(one, depth + 1) for one in value]}
        if kind is dict and all(map(_is_key, value)):
            return {"d": [[key, self.tree(one, depth + 1)] for key, one in value.items()]}
        if kind is np.str_:
            return str(value)
        if kind is complex:
            return {"c": [self.tree(value.real, depth), self.tree(value.imag, depth)]}
        if kind is Remote:
            return {"o": [value.number, value.kind, value.name]}
        if issubclass(kind, (np.ndarray, np.generic)):
            return self.array(value)
        if self.keep is None:
            raise InvalidError(f"a {kind.__name__} does not cross")
        return self.tree(self.keep(value), depth)

    def array(self, value: Any) -> Any:
        scalar = not issubclass(type(value), np.ndarray)
        if value.size * value.dtype.itemsize > Limits.bytes:  # a view may be larger than any memory
            raise OversizeError("an array that is too large")
        plain = np.asarray(value)
        code = _CODES.get(plain.dtype)
        if code is None and plain.dtype.kind in "biufc":  # of the other byte order
            plain = plain.astype(plain.dtype.newbyteorder("="))
            code = _CODES.get(plain.dtype)
        if code is None:  # which type it is may be told, its content does not cross
            return {"x": (type(value).__name__ if scalar else f"array of {plain.dtype}")[:80]}
        self.buffers.append(plain.tobytes())
        return {"s" if scalar else "a": [code, plain.shape, len(self.buffers) - 1]}


@dataclass(slots=True)
class _Reader:
    """One tree on its way to a value."""

    remote: Callable[[int, str, str], Any]
    unused: dict[int, bytes | memoryview]
    left: int = Limits.entries
    objects: int = Limits.objects

    def value(self, node: Any, depth: int) -> Any:
        self.left -= 1
        if depth > Limits.depth or self.left < 0:
            raise OversizeError("too deep or too many entries")
        kind = type(node)
        if kind is int:
            return _short(node)
        if kind is str:
            if len(node) > Limits.text:
                raise OversizeError("a text that is too long")
            return plain_text(node, Limits.text)
        if node is None or kind is bool or kind is float:
            return node
        if kind is not dict or len(node) != 1:
            raise InvalidError("a value of no known form")
        ((form, body),) = node.items()
        depth += 1
        match form:
            case "l":
                return [self.value(one, depth) for one in body]
            case "t":
                return tuple([self.value(one, depth) for one in body])
            case "d":
                return {self.key(key): self.value(one, depth) for key, one in body}
            case "a":
                return self.array(*body)
            case "s":
                if body[1]:
                    raise InvalidError("a scalar with a shape")
                return self.array(*body)[()]
            case "f":
                return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[body]
            case "c":
                parts = [self.value(one, depth) for one in body]
                if any(type(part) is not float for part in parts):
                    raise InvalidError("a part of a complex number that is no float")
                return complex(*parts)
            case "o":
                return self.object(*body)
            case "x":
                return self.object(-1, "strange", body)
        raise InvalidError("a value of no known form")

    def key(self, key: Any) -> Any:
        if not _is_key(key):
            raise InvalidError("a key that is neither text nor a short number")
        return self.value(key, 0)

    def array(self, code: Any, shape: Any, index: Any) -> np.ndarray:
        if type(code) is not str or code not in _DTYPES:
            raise InvalidError("an array of a type that does not cross")
        if len(shape) > 16:
            raise InvalidError("an array of no shape")
        for n in shape:
            if type(n) is not int or not 0 <= n < 1 << 62:
                raise InvalidError("an array of no shape")
        content = self.unused.pop(index)  # once: arrays may not multiply the bytes that came
        if math.prod(shape) * _DTYPES[code].itemsize != len(content):
            raise InvalidError("an array whose bytes are not those of its shape")
        plain = np.ndarray(shape, _DTYPES[code], bytearray(content))
        if code == "|b1":
            plain = np.asarray(plain.view(np.uint8) != 0)  # no byte but 0 and 1 is a truth value
        return plain

    def object(self, number: Any, kind: Any, name: Any) -> Any:
        self.objects -= 1
        if self.objects < 0:
            raise OversizeError("too many objects")
        if type(number) is not int or number.bit_length() > 60:
            raise InvalidError("an object without a number")
        return self.remote(number, plain_text(kind, 20), plain_text(name, 80))


def _is_key(key: Any) -> bool:
    # longer numbers could be chosen so that all have one hash
    return type(key) is str or (type(key) is int and key.bit_length() < 60)


def _short(number: int) -> int:
    if number.bit_length() > Limits.bits:
        raise OversizeError("a number with too many digits")
    return number


# --- frames -------------------------------------------------------------------------------------


def send(channel: Any, message: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
    """Send one frame over a socket or its like; `message` is JSON but for the arrays' bytes."""
    sizes = [len(content) for content in buffers]
    header = _TO_JSON({**message, "sizes": sizes}).encode()
    total = sum(sizes)
    if len(header) > Limits.header or total > Limits.bytes or len(sizes) > Limits.arrays:
        raise OversizeError("the frame is too large")
    channel.sendall(b"".join([_LENGTHS.pack(len(header), total), header, *buffers]))


def receive(channel: Any) -> tuple[dict[str, Any], Buffers]:
    """The next frame, which must be the only one: nobody speaks twice without being asked.

    Raises
    ------
    EOFError
        If the other side is gone.
    WireError
        If it is no frame.
    """
    content = bytearray()
    _fill(channel, content, _LENGTHS.size)
    length, total = _LENGTHS.unpack_from(content)
    if length > Limits.header or total > Limits.bytes:
        raise OversizeError(f"a frame of {length} and {total} bytes")
    at = _LENGTHS.size + length
    _fill(channel, content, at + total)
    if len(content) > at + total:
        raise WireError("more than one frame")
    view = memoryview(content)
    try:
        text = str(view[_LENGTHS.size : at], "utf-8")
        message, read = _FROM_JSON(text)
        sizes = message.pop("sizes")
        good = type(sizes) is list and all(type(size) is int and size >= 0 for size in sizes)
    except Exception:  # no JSON, too deep for the parser, a number with too many digits
        raise WireError("a header that is no JSON object") from None
    if read != len(text):
        raise WireError("a header that is more than a JSON object")
    if not good or sum(sizes) != total or len(sizes) > Limits.arrays:
        raise WireError("sizes that do not add up")
    buffers = []
    for size in sizes:
        buffers.append(view[at : at + size])
        at += size
    return message, buffers


def _fill(channel: Any, content: bytearray, least: int) -> None:
    while len(content) < least:
        if not (got := channel.recv(_CHUNK)):
            raise EOFError
        content += got
