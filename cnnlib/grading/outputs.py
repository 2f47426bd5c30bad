"""The outputs of a student's cell, made safe for a notebook that an instructor opens.

What comes out of a student's process may be forged: any text in any place. Kept are texts of the known
kinds, without what a browser or a terminal would run, in the form of nbformat.
"""

import re
from dataclasses import dataclass
from typing import Any

from cnnlib.grading.feedback import MOST_HTML, safe_html
from cnnlib.grading.inside.wire import plain_text

__all__ = ["Room", "error_output", "safe_outputs"]

MOST_TEXT = 400_000
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
_TEXTS = ("text/plain", "text/markdown")
_IMAGES = ("image/png", "image/jpeg")
_FULL = "… the rest of this notebook's output was left out\n"


@dataclass
class Room:
    """What the outputs of one submission may still take: characters, and of these of HTML that is cleaned.

    A cell has its own limits, and a notebook thousands of cells.
    """

    text: int = 20 << 20
    html: int = 10 * MOST_HTML


def error_output(name: str, message: str) -> dict[str, Any]:
    """An output that says what stopped a cell."""
    traceback = [f"{name}: {message}"]
    return {"output_type": "error", "ename": name, "evalue": message, "traceback": traceback}


def safe_outputs(given: Any, room: Room | None = None) -> list[dict[str, Any]]:
    """The outputs of a cell as nbformat knows them, as far as there is `room`.

    HTML is cleaned as far as `MOST_HTML` characters a cell; of what is more the beginning is kept as text,
    as cleaning can take long where somebody means it to.
    """
    room = room or Room()
    kept: list[dict[str, Any]] = []
    left = min(MOST_HTML, room.html)
    for output in given[:500] if isinstance(given, list) else []:
        entry, used = _entry(output, left)
        if entry is None:
            continue
        left, room.html = left - used, room.html - used
        room.text -= _size(entry)
        if room.text < 0:
            return [*kept, {"output_type": "stream", "name": "stdout", "text": _FULL}]
        kept.append(entry)
    return kept


def _entry(output: Any, left: int) -> tuple[dict[str, Any] | None, int]:
    """One output, if it is one, and how many characters of HTML were cleaned."""
    kind = output.get("output_type") if isinstance(output, dict) else None
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        text = plain_text(output.get("text"), MOST_TEXT)
        return {"output_type": kind, "name": name, "text": text}, 0
    if kind == "error":
        lines = output.get("traceback")
        traceback = [
            plain_text(line, 20_000) for line in (lines[:200] if isinstance(lines, list) else [])
        ]
        name, value = plain_text(output.get("ename"), 80), plain_text(output.get("evalue"), 2000)
        return {"output_type": kind, "ename": name, "evalue": value, "traceback": traceback}, 0
    if kind in ("display_data", "execute_result"):
        given_data = output.get("data")
        data, used = _data(given_data if isinstance(given_data, dict) else {}, left)
        entry: dict[str, Any] = {"output_type": kind, "data": data, "metadata": {}}
        if kind == "execute_result":
            entry["execution_count"] = None
        return entry, used
    return None, 0


def _size(node: Any) -> int:
    """Characters of all texts in an output."""
    if isinstance(node, dict):
        node = list(node.values())
    return sum(map(_size, node)) if isinstance(node, list) else len(node or "")


def _data(given: dict[str, Any], left: int) -> tuple[dict[str, str], int]:
    """One output's texts by kind, and how many characters of HTML were cleaned."""
    data = {mime: plain_text(given[mime], MOST_TEXT) for mime in _TEXTS if mime in given}
    for mime in _IMAGES:
        image = given.get(mime)
        if type(image) is str and _BASE64.fullmatch(image):
            data[mime] = image
    page = plain_text(given.get("text/html"), MOST_TEXT)
    if not page:
        return data, 0
    if len(page) > left:
        return {**data, "text/plain": f"{page[:1000]}… the rest of this page was left out"}, 0
    return {**data, "text/html": safe_html(page)}, len(page)
