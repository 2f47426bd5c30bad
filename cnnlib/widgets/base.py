"""What the Python side of every widget shares: checked settings, and its two homes.

In a notebook a widget is an anywidget with synced traits. While the book is being built it is a
plain object that shows itself as the page's own element: a comm that a kernel opens then would be
saved with the page and pull several megabytes of widget manager into it. The book's extension says
so by the environment variable ``CNNLIB_BOOK``.
"""

import html
import json
import os
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from cnnlib.errors import CnnlibError, RangeError, ShapeError
from cnnlib.shapes import whole

IN_BOOK = bool(os.environ.get("CNNLIB_BOOK"))

if TYPE_CHECKING or not IN_BOOK:
    from anywidget import AnyWidget as Home
else:
    Home = traitlets.HasTraits

__all__ = ["IN_BOOK", "Setting", "Widget", "fixed", "grouped", "settings"]


class Setting(traitlets.TraitType):
    """One row of a widget's JSON file as a trait, synced with the browser.

    A value that does not belong raises a :class:`~cnnlib.errors.CnnlibError` and changes nothing.
    `kind` is one of ``whole`` (the default), ``decimal``, ``switch`` (True or False), ``choice``
    (one of `options`), ``numbers`` (a list of `least` to `most` whole numbers), ``text`` (of at
    most `most` characters).
    """

    def __init__(self, row: dict[str, Any]):
        self.row, self.kind = row, row.get("kind", "whole")
        super().__init__(row["default"], help=row["label"])
        self.tag(sync=True)

    def validate(self, obj: Any, value: Any) -> Any:
        return getattr(self, f"_{self.kind}")(str(self.name), value)

    def _whole(self, name: str, value: Any) -> int:
        number = whole(name, value, self.row["minimum"])
        if number > self.row["maximum"]:
            raise ShapeError(
                f"{name}={number} is too large for this widget: use at most {self.row['maximum']}."
            )
        return number

    def _decimal(self, name: str, value: Any) -> float:
        low, high = self.row["minimum"], self.row["maximum"]
        if not isinstance(value, Real) or isinstance(value, bool):
            raise RangeError(f"{name}={value!r} is not a number: use one from {low} to {high}.")
        if not low <= value <= high:
            raise RangeError(f"{name}={value} is outside this widget: use {low} to {high}.")
        return float(value)

    def _switch(self, name: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise RangeError(f"{name}={value!r} is a switch: use True or False.")
        return value

    def _choice(self, name: str, value: Any) -> str:
        known = [option for option, _ in self.row["options"]]
        if value not in known:
            raise RangeError(f"{name}={value!r} is none of its choices: use {', '.join(known)}.")
        return str(value)

    def _numbers(self, name: str, value: Any) -> list[int]:
        least, most = self.row["least"], self.row["most"]
        if (
            isinstance(value, str)
            or not hasattr(value, "__len__")
            or not least <= len(value) <= most
        ):
            raise ShapeError(f"{name}={value!r} is no list of {least} to {most} whole numbers.")
        return [self._whole(f"{name}[{index}]", number) for index, number in enumerate(value)]

    def _text(self, name: str, value: Any) -> str:
        if not isinstance(value, str) or len(value) > self.row["most"]:
            raise RangeError(f"{name} is no text of at most {self.row['most']} characters.")
        return value


@cache
def _spec(module: str) -> dict[str, Any]:
    """The widget's JSON file, which its JavaScript reads as well."""
    return json.loads(Path(__file__).with_name(f"{module}.json").read_text(encoding="utf-8"))


def settings(module: str) -> list[Setting]:
    """The traits of a widget, in the order of its JSON file."""
    return [Setting(row) for row in _spec(module)["settings"]]


def grouped(number: float) -> str:
    """A number with commas between thousands, as ``elements.js`` writes it: 1,234."""
    return f"{number:,}".replace("-", "−")


def fixed(number: float, digits: int = 2) -> str:
    """A number with so many decimals, as ``elements.js`` writes it: half away from zero, no −0."""
    text = str(abs(Decimal(number)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))
    return f"−{text}" if number < 0 and float(text) else text


def _encode(row: dict[str, Any], value: Any) -> str:
    """The text of a value in an attribute, which ``fields.js`` reads."""
    if row.get("kind") == "switch":
        return "true" if value else "false"
    if row.get("kind") == "numbers":
        return ",".join(map(str, value))
    return str(value)


def _decode(row: dict[str, Any], text: str) -> Any:
    """What `_encode` wrote; a text that is none stays, so that the setting's own check names the rule."""
    kind = row.get("kind", "whole")
    try:
        if kind == "switch":
            return {"true": True, "false": False}.get(text, text)
        if kind == "numbers":
            return [int(part) for part in text.split(",")] if text.strip() else []
        return float(text) if kind == "decimal" else int(text) if kind == "whole" else text
    except ValueError:
        return text


class Widget(Home):
    """Base of all widgets: a subclass adds its settings, ``_module``, ``_esm``, and what it computes.

    Parameters
    ----------
    **values
        Initial values of the settings; *Reset* returns to them.

    Raises
    ------
    CnnlibError
        If a keyword is no setting of the widget.
    ShapeError, RangeError
        If a value is not within the setting's limits.
    """

    _module = ""
    _initial = traitlets.Dict().tag(sync=True)
    _data = traitlets.Dict().tag(sync=True)

    def __init__(self, **values: Any):
        known = self._setting_names()
        for name in values:
            if name not in known:
                raise CnnlibError(
                    f"{name} is not a setting of {type(self).__name__}: use {', '.join(known)}."
                )
        super().__init__(**values)
        self._initial = self.settings
        self._data = self.data()

    @classmethod
    def _setting_names(cls) -> list[str]:
        return [setting["name"] for setting in _spec(cls._module)["settings"]]

    @classmethod
    def from_text(cls, texts: dict[str, str]) -> "Widget":
        """The widget whose settings are written as in an address or in the book's directive."""
        rows = {setting["name"]: setting for setting in _spec(cls._module)["settings"]}
        return cls(**{name: _decode(rows.get(name, {}), text) for name, text in texts.items()})

    @classmethod
    def data(cls) -> dict[str, Any]:
        """What cnnlib precomputes for the JavaScript, as JSON can hold it; nothing unless overridden."""
        return {}

    @property
    def settings(self) -> dict[str, Any]:
        """The current settings, by name."""
        return {name: getattr(self, name) for name in self._setting_names()}

    def summary(self) -> str:
        """One sentence: what the widget says about its current settings."""
        raise NotImplementedError

    def facts(self) -> list[tuple[str, str]]:
        """Label and text of each row of the result."""
        raise NotImplementedError

    def page_html(self, name: str | None = None) -> str:
        """The custom element for a page, holding the table that stands in its place without JavaScript.

        `name` keys the element's state in the URL fragment and is its id.
        """
        identity = f' id="{html.escape(name)}" name="{html.escape(name)}"' if name else ""
        rows_of = {row["name"]: row for row in _spec(self._module)["settings"]}
        values = "".join(
            f' {key}="{html.escape(_encode(rows_of[key], value))}"'
            for key, value in self.settings.items()
        )
        # "</script>" in a text of the data would end the script.
        data = json.dumps(self._data, ensure_ascii=False, separators=(",", ":")).replace(
            "<", "\\u003c"
        )
        script = f'<script type="application/json">{data}</script>' if self._data else ""
        rows = "".join(
            f'<tr><th scope="row">{html.escape(label)}</th><td>{html.escape(text)}</td></tr>'
            for label, text in self.facts()
        )
        tag = f"cnn-{self._module.replace('_', '-')}"
        return (
            f'<{tag}{identity}{values}>{script}<table class="table cnn-static">'
            f"<caption>{html.escape(_spec(self._module)['title'])}. {html.escape(self.summary())}</caption><tbody>{rows}</tbody></table></{tag}>"
        )

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.settings.items())
        return f"{type(self).__name__}({values})"

    if IN_BOOK and not TYPE_CHECKING:

        def _repr_html_(self) -> str:
            return self.page_html()
