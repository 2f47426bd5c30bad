"""The report of a check: a small table in colours and words, and the same in plain text."""

import html
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnlib.checks.book import Section

__all__ = ["REPORT_TYPE", "Idea", "Picture", "Report", "Row"]

REPORT_TYPE = "application/vnd.cnnlib.report+json"
"""The kind under which a report's plain facts travel in a notebook, for the instructor's table."""

# status: (word, sign, background, text); the contrast is above 7:1 on light and dark pages alike
_STATUS = {
    "earned": ("done", "✓", "#d3f0da", "#123f20"),
    "wrong": ("not yet", "✗", "#fde2dc", "#6b1609"),
    "skipped": ("not tried", "–", "#e7e7ea", "#33333b"),
}
_MOST_CELLS = 8


@dataclass(frozen=True)
class Idea:
    """A misconception that was recognised, with the section that clears it up."""

    name: str
    explanation: str
    section: Section


@dataclass(frozen=True)
class Picture:
    """Expected and received values of one plane, cut to at most eight rows and columns."""

    expected: np.ndarray
    got: np.ndarray
    different: np.ndarray
    title: str

    @classmethod
    def of(
        cls, expected: np.ndarray, got: np.ndarray, different: np.ndarray, title: str
    ) -> "Picture":
        window = []
        for axis in range(2):
            start = 0
            if expected.shape[axis] > _MOST_CELLS:
                first = int(np.argwhere(different)[0][axis])
                start = min(max(first - 2, 0), expected.shape[axis] - _MOST_CELLS)
            window.append(slice(start, start + _MOST_CELLS))
        part = tuple(window)
        cut = expected[part].shape != expected.shape
        where = f", rows from {window[0].start}, columns from {window[1].start}" if cut else ""
        return cls(expected[part], got[part], different[part], title + where)

    def __str__(self) -> str:
        blocks = [("expected", self.expected), ("yours", self.got)]
        lines = [f"  {self.title}; * marks what differs"]
        for name, values in blocks:
            lines.append(f"  {name}")
            for row, marks in zip(values, self.different, strict=True):
                lines.append(
                    "    "
                    + " ".join(
                        f"{_number(v):>8}{'*' if mark and name == 'yours' else ' '}"
                        for v, mark in zip(row, marks, strict=True)
                    ).rstrip()
                )
        return "\n".join(lines)

    def _differences(self) -> np.ndarray:
        """What is missing or too much; rounding in a value that is right is no difference."""
        return np.where(self.different, self.got - self.expected, 0.0)

    def _repr_html_(self) -> str:
        none = np.zeros_like(self.different)
        return (
            "<div style='display:flex;flex-wrap:wrap;align-items:flex-start;gap:1.2em;margin:.5em 0'>"
            + _grid("expected", self.expected, none)
            + _grid("yours", self.got, self.different)
            + _grid("yours − expected", self._differences(), self.different)
            + f"</div><div style='margin:.2em 0'>{html.escape(self.title)}. "
            "A frame and ≠ mark what differs.</div>"
        )


@dataclass(frozen=True)
class Row:
    """One named part of a task."""

    part: str
    points: float
    status: str  # a key of _STATUS
    message: str = ""
    idea: Idea | None = None
    picture: Picture | None = None

    @property
    def earned(self) -> float:
        return self.points if self.status == "earned" else 0


@dataclass(frozen=True)
class Report:
    """What a check found. `points` is a plain number between 0 and `most`."""

    exercise: str
    task: str
    title: str
    rows: tuple[Row, ...]
    blank: bool = False
    graded: bool = False
    timed_out: bool = False
    printed: str = ""

    @property
    def points(self) -> int | float:
        return _plain_number(sum(row.earned for row in self.rows))

    @property
    def most(self) -> int | float:
        return _plain_number(sum(row.points for row in self.rows))

    @property
    def ideas(self) -> list[Idea]:
        """The recognised misconceptions, each once."""
        return list({row.idea.name: row.idea for row in self.rows if row.idea}.values())

    def facts(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "exercise": self.exercise,
            "task": self.task,
            "points": self.points,
            "most": self.most,
            "blank": self.blank,
            "timed_out": self.timed_out,
            "lost": [row.part for row in self.rows if row.status != "earned"],
            "misconceptions": [idea.name for idea in self.ideas],
        }

    @property
    def headline(self) -> str:
        if self.blank:
            return f"Task ({self.task}) {self.title}: not started yet, 0 of {self.most} points"
        return f"Task ({self.task}) {self.title}: {self.points} of {self.most} points"

    @property
    def closing(self) -> str:
        if self.blank:
            return (
                f"Replace the line `raise NotImplementedError()` in task ({self.task}) by your code, run "
                "that cell and then this one. The first hint under the task says where to begin."
            )
        if self.points == self.most:
            return "All parts hold." + ("" if self.graded else " On to the next task.")
        return (
            ""
            if self.graded
            else "Mend the first part that is “not yet”; the later ones often follow."
        )

    def __str__(self) -> str:
        lines = [self.headline]
        if not self.blank:
            for row in self.rows:
                word, sign, *_ = _STATUS[row.status]
                lines.append(
                    f"  {sign} {word:<9} {row.earned:g}/{row.points:g}  {row.part}"
                    + (f": {row.message}" if row.message else "").replace("\n", "\n      ")
                )
        for idea in self.ideas:
            lines.append(f"  Looks like: {idea.name}. {idea.explanation} See {_where(idea)}.")
        lines += [str(row.picture) for row in self.rows if row.picture]
        if self.printed:
            lines.append("  Your function wrote (this costs nothing):")
            lines += [f"    {line}" for line in self.printed.splitlines()]
        return "\n".join(lines + ([f"  {self.closing}"] if self.closing else []))

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/plain": str(self), "text/html": self._repr_html_(), REPORT_TYPE: self.facts()}

    def _repr_html_(self) -> str:
        parts = [f"<div style='font-weight:600;font-size:1.1em'>{html.escape(self.headline)}</div>"]
        if not self.blank:
            parts.append(
                "<table style='margin:.6em 0;border-collapse:collapse'><thead><tr>"
                + "".join(
                    f"<th scope='col' style='{_CELL}'>{name}</th>"
                    for name in ("Result", "Points", "Part", "What the check saw")
                )
                + "</tr></thead><tbody>"
                + "".join(_row_html(row) for row in self.rows)
                + "</tbody></table>"
            )
        for idea in self.ideas:
            url = idea.section.url
            where = html.escape(str(idea.section))
            link = f"<a href='{html.escape(url, quote=True)}'>{where}</a>" if url else where
            parts.append(
                "<div style='background-color:#fff3cf;color:#3d2f00;border-left:4px solid #a97b00;"
                "padding:.5em .8em;margin:.5em 0;max-width:52em'>"
                f"<strong>Looks like: {html.escape(idea.name)}.</strong> "
                f"{_code(idea.explanation)} See {link}.</div>"
            )
        parts += [row.picture._repr_html_() for row in self.rows if row.picture]
        if self.printed:
            parts.append(
                "<details><summary>Your function wrote something (this costs nothing)</summary>"
                f"<pre>{html.escape(self.printed)}</pre></details>"
            )
        if self.closing:
            parts.append(f"<div style='margin-top:.4em;max-width:52em'>{_code(self.closing)}</div>")
        return "<div>" + "".join(parts) + "</div>"


_CELL = "text-align:left;vertical-align:top;padding:.3em .7em"


def _row_html(row: Row) -> str:
    word, sign, background, colour = _STATUS[row.status]
    return (
        f"<tr><td style='{_CELL};white-space:nowrap;background-color:{background};color:{colour}'>"
        f"{sign} {word}</td><td style='{_CELL}'>{row.earned:g} of {row.points:g}</td>"
        f"<td style='{_CELL}'>{html.escape(row.part)}</td>"
        f"<td style='{_CELL}'>{_message_html(row.message)}</td></tr>"
    )


def _message_html(message: str) -> str:
    """A sentence, and below it the lines of code that it is about, if any."""
    words, *lines = message.split("\n")
    code = html.escape("\n".join(lines))
    return html.escape(words) + (f"<pre style='margin:.3em 0 0'>{code}</pre>" if code else "")


def _grid(name: str, values: np.ndarray, marks: np.ndarray) -> str:
    scale = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    rows = []
    for row, flags in zip(values, marks, strict=True):
        cells = []
        for value, flag in zip(row, flags, strict=True):
            share = min(abs(float(value)) / scale, 1.0) if np.isfinite(value) else 1.0
            hue = (214, 92, 20) if value > 0 else (40, 96, 170)
            colour = "#" + "".join(f"{round(255 - 0.42 * share * (255 - c)):02x}" for c in hue)
            frame = "2px solid #a3140a" if flag else "1px solid #bbbbbb"
            cells.append(
                f"<td style='text-align:right;padding:.15em .35em;border:{frame};color:#111111;"
                f"background-color:{colour}'>"  # opaque: a dark theme stripes the rows below
                f"{'≠ ' if flag else ''}{_number(value)}</td>"
            )
        rows.append("<tr>" + "".join(cells) + "</tr>")
    return (
        "<table style='border-collapse:collapse;background-color:#ffffff;font-size:.85em'>"
        f"<caption style='text-align:left;white-space:nowrap;padding:.2em 0'>{html.escape(name)}</caption>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−") if abs(value) < 1e5 else f"{value:.1e}"


def _where(idea: Idea) -> str:
    url = idea.section.url
    return f"{idea.section}, {url}" if url else str(idea.section)


def _code(text: str) -> str:
    """Escape, and show what stands between backticks as code and between asterisks as emphasis."""
    pieces = html.escape(text).split("`")
    # in the colours around it: a dark theme would put black boxes on the light panel
    code = "<code style='background:none;color:inherit'>"
    return "".join(
        f"{code}{piece}</code>" if i % 2 else re.sub(r"\*(\w[^*]*)\*", r"<em>\1</em>", piece)
        for i, piece in enumerate(pieces)
    )


def _plain_number(value: float) -> int | float:
    """A Python number without the last digits' noise: nbgrader reads it from the cell's text."""
    rounded = round(float(value), 6)
    return int(rounded) if rounded.is_integer() else rounded
