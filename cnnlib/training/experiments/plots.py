"""Plots made from records; the caller gives the colours, so that the book's own style applies."""

import itertools
from collections.abc import Mapping
from typing import Any

from cnnlib.training.experiments.analysis import Interval, Records, compare, table
from cnnlib.training.experiments.plan import Experiment

__all__ = ["plot_arms", "plot_differences", "plot_histories"]


def plot_arms(
    experiment: Experiment,
    records: Records,
    metric: str = "test_accuracy",
    *,
    labels: Mapping[str, str] | None = None,
    ink: str = "black",
    faint: str = "grey",
    axes: Any = None,
) -> Any:
    """Each arm's mean with its 95 % interval, also in figures, and the seeds as small dots; shares in per cent.

    Parameters
    ----------
    experiment, records
        From :data:`cnnlib.training.experiments.EXPERIMENTS` and ``load_records``.
    metric : str
        A number of the results.
    labels : dict, optional
        The arms to show, in this order, and what to call them.
    ink, faint : str
        Colours, such as those of the book's figures.
    axes : matplotlib Axes, optional
        Without it a figure of its own.

    Returns
    -------
    matplotlib.figure.Figure
    """
    labels = labels or {arm: arm for arm in experiment.arms}
    rows = {row["arm"]: row for row in table(experiment, records)}
    axes = axes if axes is not None else _axes(len(labels))
    scale, digits = (100, 1) if metric.endswith("accuracy") or metric == "gap" else (1, 3)
    for y, arm in enumerate(labels):
        single = [record["result"][metric] for record in records[arm].values()]
        shown = [scale * value for value in single if value is not None]
        axes.plot(shown, [y + 0.25] * len(shown), ".", color=faint, markersize=5, zorder=2)
        if (found := rows[arm][metric]) is not None:
            found = Interval(*(scale * number for number in found))
            _whisker(axes, y, found, ink)
            beside = f"{found.mean:.{digits}f} ± {found.high - found.mean:.{digits}f}"
            axes.text(
                1.02, y, beside, transform=axes.get_yaxis_transform(), va="center", fontsize=9
            )
    _finish(axes, list(labels.values()), metric.replace("_", " ") + (", %" if scale > 1 else ""))
    return axes.figure


def plot_differences(
    experiment: Experiment,
    records: Records,
    claim: str,
    *,
    ink: str = "black",
    faint: str = "grey",
    axes: Any = None,
) -> Any:
    """The differences of a claim's comparisons with their intervals, beside the line of no difference."""
    rows = [compare(c, records) for c in experiment.comparisons if c.claim == claim]
    rows = [row for row in rows if row["difference"] is not None]
    axes = axes if axes is not None else _axes(len(rows))
    axes.axvline(0 if rows[0]["against"] else 1, color=faint, linewidth=1, zorder=1)
    for y, row in enumerate(rows):
        _whisker(axes, y, Interval(row["difference"], row["low"], row["high"]), ink)
    _finish(axes, [row["says"] for row in rows], "difference" if rows[0]["against"] else "ratio")
    return axes.figure


def plot_histories(
    records: Records,
    arms: dict[str, str],
    metric: str = "validation_accuracy",
    *,
    labels: Mapping[str, str] | None = None,
    axes: Any = None,
) -> Any:
    """A number over the epochs, a thin line for each seed; `arms` gives the colour of each arm.

    Shares are in per cent. The arms differ in the style of their lines too.
    """
    axes = axes if axes is not None else _axes(6)
    scale = 100 if metric.endswith("accuracy") else 1
    for (arm, colour), style in zip(arms.items(), itertools.cycle(("-", "--", ":"))):
        label: str | None = (labels or {}).get(arm, arm)
        for record in records[arm].values():
            values = [scale * row[metric] for row in record["history"]]
            epochs = range(1, len(values) + 1)
            axes.plot(epochs, values, style, color=colour, linewidth=1.2, alpha=0.8, label=label)
            label = None
    axes.set(xlabel="epoch", ylabel=metric.replace("_", " ") + (", %" if scale > 1 else ""))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False)
    return axes.figure


def _axes(rows: int) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(7, 1 + 0.32 * rows), layout="constrained").subplots()


def _whisker(axes: Any, y: float, found: Interval, colour: str) -> None:
    axes.plot([found.low, found.high], [y, y], "-", color=colour, linewidth=2, zorder=3)
    axes.plot([found.mean], [y], "o", color=colour, markersize=6, zorder=4)


def _finish(axes: Any, labels: list[str], what: str) -> None:
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)  # the first on top
    axes.set_xlabel(what)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
