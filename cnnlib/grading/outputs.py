"""The outputs of a student's cell, made safe for a notebook that an instructor opens.

What comes out of a student's process may be forged: any text in any place. Kept are texts of the known
kinds, without what a browser or a terminal would run, in the form of nbformat.
"""

import re
from typing import Any

from cnnlib.grading.feedback import MOST_HTML, safe_html
from cnnlib.grading.inside.wire import plain_text

__all__ = ["error_output", "safe_outputs"]

MOST_TEXT = 400_000
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
_TEXTS = ("text/plain", "text/markdown")
_IMAGES = ("image/png", "image/jpeg")


def error_output(name: str, message: str) -> dict[str, Any]:
    """An output that says what stopped a cell."""
    traceback = [f"{name}: {message}"]
    return {"output_type": "error", "ename": name, "evalue": message, "traceback": traceback}


def safe_outputs(given: Any) -> list[dict[str, Any]]:
    """The outputs of a cell as nbformat knows them.

    HTML is cleaned as far as `MOST_HTML` characters a cell; of what is more the beginning is kept as text,
    as cleaning can take long where somebody means it to.
    """
    kept: list[dict[str, Any]] = []
    left = MOST_HTML
    for output in given[:500] if isinstance(given, list) else []:
        kind = output.get("output_type") if isinstance(output, dict) else None
        if kind == "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            text = plain_text(output.get("text"), MOST_TEXT)
            kept.append({"output_type": kind, "name": name, "text": text})
        elif kind == "error":
            lines = output.get("traceback")
            traceback = [
                plain_text(line, 20_000)
                for line in (lines[:200] if isinstance(lines, list) else [])
            ]
            name, value = (
                plain_text(output.get("ename"), 80),
                plain_text(output.get("evalue"), 2000),
            )
            kept.append(
                {"output_type": kind, "ename": name, "evalue": value, "traceback": traceback}
            )
        elif kind in ("display_data", "execute_result"):
            given_data = output.get("data")
            data, used = _data(given_data if isinstance(given_data, dict) else {}, left)
            left -= used
            entry: dict[str, Any] = {"output_type": kind, "data": data, "metadata": {}}
            if kind == "execute_result":
                entry["execution_count"] = None
            kept.append(entry)
    return kept


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
