"""What the Python side of every widget shares: checked settings, and its two homes.

In a notebook a widget is an anywidget with synced traits. While the book is being built it is a
plain object that shows itself as the page's own element: a comm that a kernel opens then would be
saved with the page and pull several megabytes of widget manager into it. The book's extension says
so by the environment variable ``CNNLIB_BOOK``.
"""

import html
import json
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from cnnlib.errors import CnnlibError, ShapeError
from cnnlib.shapes import whole

IN_BOOK = bool(os.environ.get("CNNLIB_BOOK"))

if TYPE_CHECKING or not IN_BOOK:
    from anywidget import AnyWidget as Home
else:
    Home = traitlets.HasTraits

__all__ = ["IN_BOOK", "Setting", "Widget", "settings"]


class Setting(traitlets.TraitType):
    """A whole number within limits, synced with the browser.

    A value that does not belong raises :class:`~cnnlib.errors.ShapeError` and changes nothing.
    """

    def __init__(self, label: str, default: int, minimum: int, maximum: int):
        self.minimum, self.maximum = minimum, maximum
        super().__init__(default, help=f"{label}: from {minimum} to {maximum}")
        self.tag(sync=True)

    def validate(self, obj: Any, value: Any) -> int:
        name = str(self.name)
        number = whole(name, value, self.minimum)
        if number > self.maximum:
            raise ShapeError(
                f"{name}={number} is too large for this widget: use at most {self.maximum}."
            )
        return number


@cache
def _spec(module: str) -> dict[str, Any]:
    """The widget's JSON file, which its JavaScript reads as well."""
    return json.loads(Path(__file__).with_name(f"{module}.json").read_text(encoding="utf-8"))


def settings(module: str) -> list[Setting]:
    """The traits of a widget, in the order of its JSON file."""
    keys = ("label", "default", "minimum", "maximum")
    return [Setting(**{key: row[key] for key in keys}) for row in _spec(module)["settings"]]


class Widget(Home):
    """Base of all widgets: a subclass adds its settings, ``_module``, ``_esm``, and what it computes.

    Parameters
    ----------
    **values : int
        Initial values of the settings; *Reset* returns to them.

    Raises
    ------
    CnnlibError
        If a keyword is no setting of the widget.
    ShapeError
        If a value is no whole number within the setting's limits.
    """

    _module = ""
    _initial = traitlets.Dict().tag(sync=True)

    def __init__(self, **values: Any):
        known = self._setting_names()
        for name in values:
            if name not in known:
                raise CnnlibError(
                    f"{name} is not a setting of {type(self).__name__}: use {', '.join(known)}."
                )
        super().__init__(**values)
        self._initial = self.settings

    @classmethod
    def _setting_names(cls) -> list[str]:
        return [setting["name"] for setting in _spec(cls._module)["settings"]]

    @property
    def settings(self) -> dict[str, int]:
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
        values = "".join(f' {key}="{value}"' for key, value in self.settings.items())
        rows = "".join(
            f'<tr><th scope="row">{html.escape(label)}</th><td>{html.escape(text)}</td></tr>'
            for label, text in self.facts()
        )
        tag = f"cnn-{self._module.replace('_', '-')}"
        return (
            f'<{tag}{identity}{values}><table class="table cnn-static">'
            f"<caption>{html.escape(_spec(self._module)['title'])}. {html.escape(self.summary())}</caption><tbody>{rows}</tbody></table></{tag}>"
        )

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value}" for name, value in self.settings.items())
        return f"{type(self).__name__}({values})"

    if IN_BOOK and not TYPE_CHECKING:

        def _repr_html_(self) -> str:
            return self.page_html()
