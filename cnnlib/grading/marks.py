"""What a farm's results tell: marks, verdicts, misconceptions, time; as text and as a table for a spreadsheet."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["report", "write_csv"]

BARS = 10
NAMES = 10
"""Students named in one line; the table has them all."""
HEAD = ["student", "notebook", "points", "verdicts", "misconceptions", "seconds"]
HEAD += ["submission", "seed", "turn", "why"]


def _total(row: dict[str, Any]) -> float:
    return sum(points for points in row["marks"].values() if points is not None)


def _cells(rows: Sequence[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row["marks"]))


def report(rows: Sequence[dict[str, Any]], most: dict[str, float]) -> str:
    """All there is to say about a class.

    Parameters
    ----------
    rows : sequence of dict
        Of :meth:`cnnlib.grading.results.Ledger.rows`.
    most : dict
        The points that each cell is worth.
    """
    if not rows:
        return "no results"
    parts = [
        _marks(rows, most),
        _distribution(rows, most),
        _verdicts(rows),
        _ideas(rows),
        _time(rows),
    ]
    return "\n\n".join(filter(None, parts))


def _marks(rows: Sequence[dict[str, Any]], most: dict[str, float]) -> str:
    table = [["cell", "of", "mean", "full", "nothing", "waits for a person"]]
    for name in _cells(rows):
        given = [row["marks"][name] for row in rows if row["marks"].get(name) is not None]
        full = sum(points == most.get(name) for points in given)
        mean = f"{sum(given) / len(given):.2f}" if given else "–"
        zero = sum(points == 0 for points in given)
        waits = sum(name in row["marks"] and row["marks"][name] is None for row in rows)
        table.append([name, f"{most.get(name, 0):g}", mean, str(full), str(zero), str(waits)])
    return f"{len(rows):,} submissions\n\n{_aligned(table)}"


def _distribution(rows: Sequence[dict[str, Any]], most: dict[str, float]) -> str:
    """How many have so many of the points that need no person."""
    by_itself = [n for n in _cells(rows) if any(r["marks"].get(n) for r in rows)]
    highest = sum(most.get(name, 0) for name in by_itself)
    if not highest:
        return ""
    counts = Counter(min(int(_total(row) / highest * BARS), BARS - 1) for row in rows)
    scale = max(counts.values())
    lines = [f"points without those that wait, of {highest:g}"]
    for bar in range(BARS):
        low, high = (highest * edge / BARS for edge in (bar, bar + 1))
        closed = "]" if bar == BARS - 1 else ")"
        length = -(-40 * counts[bar] // scale)
        lines.append(f"[{low:5.1f}, {high:5.1f}{closed} {counts[bar]:6,} {'█' * length}".rstrip())
    return "\n".join(lines)


def _verdicts(rows: Sequence[dict[str, Any]]) -> str:
    counts = Counter(verdict for row in rows for verdict in row["verdicts"])
    lines = ["verdicts: none"] if not counts else ["verdicts"]
    for verdict, number in counts.most_common():
        theirs = [row for row in rows if verdict in row["verdicts"]]
        if verdict in ("rejected", "quarantined"):
            lines.append(f"{number:6,}  {verdict}")
            lines += [f"        {row['student']}: {row['words']}" for row in theirs]
        else:
            names = [row["student"] for row in theirs[:NAMES]] + ["…"] * (number > NAMES)
            lines.append(f"{number:6,}  {verdict}: {', '.join(names)}")
    return "\n".join(lines)


def _ideas(rows: Sequence[dict[str, Any]]) -> str:
    counts = Counter(idea for row in rows for idea in row["ideas"])
    lines = ["misconceptions" if counts else "misconceptions: none recognised"]
    lines += [f"{n:6,}  {n / len(rows):5.1%}  {idea}" for idea, n in counts.most_common()]
    return "\n".join(lines)


def _time(rows: Sequence[dict[str, Any]]) -> str:
    seconds = sorted(row["seconds"] for row in rows)
    middle, longest = seconds[len(seconds) // 2], max(rows, key=lambda row: row["seconds"])
    span = (max(row["at"] for row in rows) - min(row["at"] for row in rows)).total_seconds()
    return (
        f"time: {sum(seconds):,.1f} s in all, median {middle:.2f} s, longest {longest['seconds']:.1f} s "
        f"({longest['student']}); first to last written {span:,.0f} s"
    )


def _aligned(table: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(
            t.ljust(w) if i == 0 else t.rjust(w)
            for i, (t, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in table
    )


def write_csv(rows: Sequence[dict[str, Any]], place: Path) -> None:
    """One line a submission; empty where a person's mark is waited for."""
    cells = _cells(rows)
    with open(place, "w", newline="", encoding="utf-8") as file:
        head = [*HEAD[:2], *cells, *HEAD[2:]]
        writer = csv.DictWriter(file, head, extrasaction="ignore")
        writer.writeheader()
        for row in sorted(rows, key=lambda row: (row["student"], row["notebook"])):
            told = {
                "points": _total(row),
                "verdicts": "; ".join(row["verdicts"]),
                "misconceptions": "; ".join(row["ideas"]),
                "why": _plain(row["words"]),
            }
            writer.writerow({**row, **row["marks"], **told})


def _plain(text: str) -> str:
    """A student's words begin no formula in a spreadsheet."""
    return f"'{text}" if text[:1] in "=+-@\t\r" and text else text
