"""Dropout: a fit that memorises, masks, thinned networks, and what is left where neighbours agree."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Circle, Rectangle

from figures import BLUE, FAINT, INK, LINE, ORANGE, PAPER
from figures.windows import _cell

STYLES = ("solid", (0, (5, 2)), (0, (1, 1.6)))


def _bare(axes):
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9)


def _points_and_curves(axes, x, y, t, curves):
    """Points with curves over them; the first is drawn bold, the others by line style."""
    for (label, values), style in zip(curves.items(), STYLES, strict=False):
        axes.plot(t, values, color=INK, linestyle=style, linewidth=1.8, label=label)
    axes.plot(x, y, "o", color=ORANGE, markeredgecolor=INK, markersize=7, label="training points")
    axes.set(xlabel="input", ylabel="answer", xticks=[-1, -0.5, 0, 0.5, 1])
    _bare(axes)


def memorised(x, y, t, curves):
    """Training points (x, y) and, at the places `t`, named curves."""
    figure, axes = plt.subplots(figsize=(7.2, 3.5))
    _points_and_curves(axes, x, y, t, curves)
    axes.legend(frameon=False, fontsize=9.5, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def fits_and_errors(x, y, t, curves, rates, train, test):
    """Left the curves of two fits; right training and test error, (mean, standard error), by rate."""
    figure, boxes = plt.subplots(
        1, 2, figsize=(9.6, 3.9), width_ratios=(1.1, 1), gridspec_kw={"wspace": 0.26}
    )
    _points_and_curves(boxes[0], x, y, t, curves)
    boxes[0].legend(
        frameon=False, fontsize=9, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2
    )
    places = np.arange(len(rates))
    for (mean, error), name, marker, style in (
        (test, "test", "s", STYLES[0]),
        (train, "training", "o", STYLES[1]),
    ):
        boxes[1].errorbar(
            places,
            mean,
            2 * error,
            color=INK,
            marker=marker,
            linestyle=style,
            capsize=3,
            label=name,
        )
        boxes[1].text(places[-1] + 0.25, mean[-1], name, va="center", fontsize=9.5)
    boxes[1].set_xticks(places, [f"{p:g}" for p in rates])
    boxes[1].set(xlabel="p", ylabel="squared error", xlim=(-0.4, len(rates) + 0.7))
    boxes[1].set_ylim(bottom=-0.01)
    _bare(boxes[1])
    return figure


def _cut(axes, row, column):
    """A cell for a number that has been dropped: hatched, with a 0 on a clear ground."""
    axes.add_patch(
        Rectangle(
            (column, row), 1, 1, facecolor=PAPER, edgecolor=FAINT, hatch="////", linewidth=0.8
        )
    )
    axes.text(
        column + 0.5,
        row + 0.5,
        "0",
        ha="center",
        va="center",
        fontsize=11,
        color=INK,
        bbox={"boxstyle": "round,pad=0.12", "facecolor": PAPER, "edgecolor": "none"},
    )


def by_hand(x, keep, out, factor):
    """Six numbers, the mask below them, and below that the kept ones times the factor."""
    figure, axes = plt.subplots(figsize=(0.62 * (x.size + 2.9), 0.62 * 3.5))
    for i, (value, kept, result) in enumerate(zip(x, keep, out, strict=True)):
        _cell(axes, 0, i, f"{value:g}".replace("-", "−"), fill=BLUE, edge=FAINT)
        axes.text(i + 0.5, 1.55, "keep" if kept else "drop", ha="center", va="center", fontsize=9.5)
        if kept:
            _cell(axes, 2.1, i, f"{result:g}".replace("-", "−"), fill=ORANGE, edge=FAINT)
        else:
            _cut(axes, 2.1, i)
    for y, text in ((0.5, "input"), (1.55, "mask"), (2.6, f"output: kept × {factor:g}")):
        axes.text(-0.25, y, text, ha="right", va="center", fontsize=10)
    axes.set_xlim(-2.8, x.size + 0.1)
    axes.set_ylim(3.3, -0.2)
    axes.set_aspect("equal")
    axes.axis("off")
    return figure


def outputs_by_step(outputs, names):
    """One line of outputs for each name; what is 0 has been dropped and is hatched."""
    figure, axes = plt.subplots(
        figsize=(0.62 * (outputs.shape[1] + 2.4), 0.62 * len(outputs) * 1.2)
    )
    for line, (row, name) in enumerate(zip(outputs, names, strict=True)):
        y = 1.2 * line
        axes.text(-0.25, y + 0.5, name, ha="right", va="center", fontsize=10)
        for i, value in enumerate(row):
            if value:
                _cell(axes, y, i, f"{value:g}".replace("-", "−"), fill=ORANGE, edge=FAINT)
            else:
                _cut(axes, y, i)
    axes.set_xlim(-2.3, outputs.shape[1] + 0.1)
    axes.set_ylim(1.2 * len(outputs), -0.15)
    axes.set_aspect("equal")
    axes.axis("off")
    return figure


def growth(ratios):
    """How many times larger activations are at test time, by layer, for each rate: a log scale."""
    figure, axes = plt.subplots(figsize=(6.6, 3.5))
    for (p, ratio), marker, style in zip(ratios.items(), "so^", STYLES, strict=True):
        layers = np.arange(1, len(ratio) + 1)
        axes.plot(layers, ratio, color=INK, marker=marker, linestyle=style, linewidth=1.8)
        axes.annotate(
            f"p = {p:g}",
            (layers[-1], ratio[-1]),
            xytext=(10, 0),
            textcoords="offset points",
            va="center",
            fontsize=10,
            bbox={"boxstyle": "round,pad=0.15", "facecolor": PAPER, "edgecolor": "none"},
        )
    axes.set_xticks(layers)
    axes.set_yscale("log", base=2)
    ticks = [1, 2, 4, 8, 16, 32, 64]
    axes.set_yticks(ticks, [f"{t}" for t in ticks])
    axes.set(xlabel="layer", ylabel="test time / training", xlim=(0.7, len(ratio) + 1.2))
    axes.grid(axis="y", color=LINE, linewidth=0.8)
    _bare(axes)
    return figure


def thinned(sizes, masks, titles):
    """The same small network several times; units that a mask drops are crossed out, unwired."""
    figure, boxes = plt.subplots(1, len(masks), figsize=(9.6, 2.9), gridspec_kw={"wspace": 0.08})
    for axes, mask, title in zip(boxes, masks, titles, strict=True):
        places = [
            [(layer * 1.7, unit - (size - 1) / 2) for unit in range(size)]
            for layer, size in enumerate(sizes)
        ]
        for layer in range(len(sizes) - 1):
            for a, (xa, ya) in enumerate(places[layer]):
                for b, (xb, yb) in enumerate(places[layer + 1]):
                    if mask[layer][a] and mask[layer + 1][b]:
                        axes.plot((xa, xb), (ya, yb), color=FAINT, linewidth=1, zorder=1)
        for layer, units in enumerate(places):
            for unit, (x, y) in enumerate(units):
                kept = mask[layer][unit]
                fill, line = (BLUE, "solid") if kept else (PAPER, (0, (2, 2)))
                axes.add_patch(
                    Circle((x, y), 0.3, facecolor=fill, edgecolor=INK, linestyle=line, zorder=2)
                )
                if not kept:
                    axes.plot(x, y, "x", color=INK, markersize=8, zorder=3)
        axes.set_title(title, fontsize=10.5, pad=6)
        axes.set_xlim(-0.5, 1.7 * (len(sizes) - 1) + 0.5)
        axes.set_ylim(-max(sizes) / 2 - 0.1, max(sizes) / 2 + 0.1)
        axes.set_aspect("equal")
        axes.axis("off")
    return figure


def filled_in(rows):
    """For each name (image, keep, filled): the image, what dropout leaves, and the gaps filled in."""
    figure, boxes = plt.subplots(
        len(rows), 3, figsize=(7.6, 2.6 * len(rows)), gridspec_kw={"wspace": 0.08, "hspace": 0.08}
    )
    for line, (name, (image, keep, filled)) in enumerate(rows.items()):
        low, high = image.min(), image.max()
        pictures = (image, np.where(keep, image, np.nan), filled)
        for axes, picture in zip(boxes[line], pictures, strict=True):
            axes.imshow(picture, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_color(LINE)
        boxes[line, 1].set_facecolor(PAPER)
        r, c = np.nonzero(~keep)
        boxes[line, 1].plot(c, r, "x", color=FAINT, markersize=2.4, markeredgewidth=0.7)
        boxes[line, 0].set_ylabel(name, fontsize=10.5)
    for axes, title in zip(boxes[0], ("before", "after dropout", "filled in"), strict=True):
        axes.set_title(title, fontsize=10.5, pad=6)
    return figure


def variances(rates, training, evaluation):
    """Two bars for each rate: the variance that training sees, and that of evaluation."""
    figure, axes = plt.subplots(figsize=(6.4, 3.3))
    places = np.arange(len(rates))
    for shift, values, fill, hatch, name in (
        (-0.2, training, ORANGE, "", "training"),
        (0.2, evaluation, BLUE, "////", "evaluation"),
    ):
        axes.bar(
            places + shift, values, 0.38, facecolor=fill, edgecolor=INK, hatch=hatch, label=name
        )
        for place, value in zip(places, values, strict=True):
            axes.text(place + shift, value + 0.02, f"{value:.2f}", ha="center", fontsize=9)
    axes.set_xticks(places, [f"p = {p:g}" for p in rates])
    axes.set(ylabel="variance", ylim=(0, max(training) * 1.18))
    axes.legend(frameon=False, fontsize=9.5, loc="upper left")
    _bare(axes)
    return figure
