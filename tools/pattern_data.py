"""Ask cnnlib about every setting of the pattern builder, for its page: ``python -m tools.pattern_data``.

``cnnlib/widgets/pattern_data.json`` holds the answers, packed: a network is a volume part, up to its
first FC, and the FC part; networks share both, and parts share rows. Its keys:

- ``nets``: three numbers for each setting, the last setting counting fastest: volume part, FC part, list of
  findings. For what cannot be built the first is −1 − its error, and the second where in the diagram it is.
- ``parts``: lists of rows; ``rows``: as in :class:`cnnlib.widgets.pattern.Answer`
- ``lists``: lists of findings; ``findings``: as there
- ``errors``: what is wrong, with its remedy
"""

import itertools
import json
from pathlib import Path
from typing import Any

from cnnlib.widgets.base import _spec
from cnnlib.widgets.pattern import Answer, Pattern

FILE = Path(__file__).parents[1] / "cnnlib" / "widgets" / "pattern_data.json"


class Pool(list[Any]):
    """A list in which each thing stands once."""

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[str, int] = {}

    def place(self, thing: Any) -> int:
        """Where `thing` stands; it is added if it is new."""
        key = json.dumps(thing)
        if key not in self.places:
            self.places[key] = len(self)
            self.append(thing)
        return self.places[key]


def values_of(row: dict[str, Any]) -> list[Any]:
    """Every value of a setting."""
    kind = row.get("kind", "whole")
    if kind == "choice":
        return [value for value, _ in row["options"]]
    return [False, True] if kind == "switch" else list(range(row["minimum"], row["maximum"] + 1))


def settings() -> list[dict[str, Any]]:
    """Every setting of the controls, the last one counting fastest."""
    rows = [row for row in _spec("pattern")["settings"] if row.get("kind") != "text"]
    names = [row["name"] for row in rows]
    return [
        dict(zip(names, values, strict=True)) for values in itertools.product(*map(values_of, rows))
    ]


def pack() -> dict[str, Any]:
    """The content of the file."""
    rows, parts, findings, lists, errors = (Pool() for _ in range(5))
    nets: list[int] = []
    builder = Pattern()
    for setting in settings():
        for name, value in setting.items():
            setattr(builder, name, value)
        answer = builder.answer
        found = lists.place([findings.place(finding) for finding in answer.findings])
        nets += [*network(builder.diagram, answer, rows, parts, errors), found]
    pools = {"parts": parts, "rows": rows, "lists": lists, "findings": findings, "errors": errors}
    return {"nets": nets, **pools}


def network(text: str, answer: Answer, rows: Pool, parts: Pool, errors: Pool) -> tuple[int, int]:
    """The first two numbers of a network."""
    if answer.error:
        return -1 - errors.place(answer.error[0]), answer.error[1].index("^") - len(text) - 1
    places = [rows.place(row) for row in answer.rows]
    cut = next(i for i, row in enumerate(answer.rows) if row[0].startswith("FC"))
    return parts.place(places[:cut]), parts.place(places[cut:])


def written(data: dict[str, Any]) -> str:
    """JSON with a line for each key."""
    lines = (
        f'"{key}": {json.dumps(value, ensure_ascii=False, separators=(",", ":"))}'
        for key, value in data.items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    FILE.write_text(written(pack()), encoding="utf-8")
