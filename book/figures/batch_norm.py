"""Batch normalization: spreads layer by layer, who shares a mean, running means, and placement."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from figures import BLUE, FAINT, INK, LINE, ORANGE, PAPER
from figures.windows import _cell

STYLES = ("solid", (0, (5, 2)), (0, (1, 1.6)))


def spreads(panels):
    """Side by side, on one logarithmic scale: the spread after each layer.

    panels: {title: {line's name: spreads}}. Lines are told apart by style and by their names.
    """
    figure, boxes = plt.subplots(1, len(panels), figsize=(9.2, 3.4), sharey=True)
    for axes, (title, lines) in zip(boxes, panels.items(), strict=True):
        for (name, values), style in zip(lines.items(), STYLES, strict=True):
            layers = np.arange(1, len(values) + 1)
            axes.plot(layers, values, color=INK, linewidth=1.8, linestyle=style, label=name)
        axes.set_yscale("log")
        axes.axhline(1, color=LINE, linewidth=1, zorder=0)
        axes.set_title(title, fontsize=11, loc="left", pad=6)
        axes.set_xlabel("layer")
        axes.set_xticks([1, *range(2, len(values) + 1, 2)])
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=9.5)
        axes.minorticks_off()
    boxes[0].set_yticks([1e-3, 1e-2, 1e-1, 1, 10, 100, 1000])
    boxes[0].set_yticklabels(["0.001", "0.01", "0.1", "1", "10", "100", "1000"])
    boxes[0].set_ylabel("spread of the activations")
    boxes[0].legend(frameon=False, fontsize=9.5, loc="upper left", handlelength=3.2)
    return figure


def shared_region(images, channels, side, chosen):
    """A batch as a table of maps, a row for each channel; the row that shares its statistics is marked."""
    gap, left = 0.6, 0
    step = side + gap
    figure, axes = plt.subplots(figsize=(8.6, 0.32 * (channels * step + 2)))
    for c in range(channels):
        top = c * step
        shaded = c == chosen
        for n in range(images):
            for r, q in np.ndindex(side, side):
                edge = INK if shaded else LINE
                _cell(axes, top + r, n * step + q, "", fill=BLUE if shaded else PAPER, edge=edge)
        axes.text(left - 0.5, top + side / 2, f"channel {c}", ha="right", va="center", fontsize=10)
        right = images * step + 0.3
        weight = "bold" if shaded else "normal"
        axes.text(
            right,
            top + side / 2,
            f"one μ, one σ², one γ, one β\nfor {images} · {side} · {side} = {images * side**2} numbers"
            if shaded
            else "its own μ, σ², γ, β",
            ha="left",
            va="center",
            fontsize=10,
            color=INK if shaded else FAINT,
            fontweight=weight,
        )
    for n in range(images):
        axes.text(n * step + side / 2, -0.55, f"image {n}", ha="center", va="center", fontsize=10)
    frame = Rectangle(
        (-0.25, chosen * step - 0.25),
        images * step - gap + 0.5,
        side + 0.5,
        fill=False,
        edgecolor=INK,
        linewidth=2.2,
        linestyle=(0, (4, 2)),
    )
    axes.add_patch(frame)
    axes.set_xlim(-3.2, images * step + 9)
    axes.set_ylim(channels * step - gap + 0.4, -1.2)
    axes.set_aspect("equal")
    axes.axis("off")
    return figure


def approaching(exact, noisy, mean, batches):
    """Running means after each batch: of a constant batch mean, and of one that varies."""
    figure, axes = plt.subplots(figsize=(8.6, 3.1))
    steps = np.arange(1, len(exact) + 1)
    axes.axhline(mean, color=FAINT, linewidth=1.2, linestyle=(0, (5, 3)))
    axes.axvline(batches, color=FAINT, linewidth=1.2, linestyle=(0, (1, 2)))
    axes.plot(steps, noisy, color=FAINT, linewidth=1.4, label="the batch means vary")
    axes.plot(steps, exact, color=INK, linewidth=2, label="every batch has the same mean")
    axes.text(1, 1.03 * mean, "the true mean", ha="left", va="bottom", fontsize=9.5)
    axes.text(batches + 0.7, 0.35 * mean, f"batch {batches}", ha="left", fontsize=9.5)
    axes.set_xlabel("batch")
    axes.set_ylabel("running mean")
    axes.set_ylim(0, 1.22 * mean)
    axes.set_xlim(0, steps[-1] + 0.5)
    axes.legend(frameon=False, fontsize=9.5, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9.5)
    return figure


def distributions(rows, bins=18):
    """Histograms, one row for each channel; rows: {name: {title: values}}.

    A value that occurs again and again (ReLU's zeros) gets a bar of its own, hatched, with its share.
    """
    titles = list(next(iter(rows.values())))
    size = (9.2, 2.15 * len(rows) + 0.3)
    figure, boxes = plt.subplots(len(rows), len(titles), figsize=size, sharex="col", squeeze=False)
    for line, (name, panels) in zip(boxes, rows.items(), strict=True):
        for axes, values in zip(line, panels.values(), strict=True):
            values = values.ravel()
            low, high = np.floor(values.min()), np.ceil(np.quantile(values, 0.999))
            width = (high - low) / bins
            found, counts = np.unique(values, return_counts=True)
            spike = found[counts.argmax()] if counts.max() > 0.02 * values.size else None
            rest = values if spike is None else values[values != spike]
            shares, edges = np.histogram(rest, bins=bins, range=(low, high))
            axes.bar(
                edges[:-1],
                shares / values.size,
                width=width,
                align="edge",
                facecolor=BLUE,
                edgecolor=INK,
                linewidth=0.5,
            )
            if spike is not None:
                share = counts.max() / values.size
                axes.bar(
                    spike,
                    share,
                    width=width,
                    facecolor=ORANGE,
                    edgecolor=INK,
                    hatch="////",
                    linewidth=0.9,
                )
                axes.text(
                    high,
                    share,
                    f"{share:.0%} at {spike:.2g}".replace("-", "−"),
                    fontsize=9.5,
                    ha="right",
                    va="top",
                )
            axes.axvline(0, color=FAINT, linewidth=1, linestyle=(0, (1, 2)), zorder=0)
            axes.set_yticks([])
            axes.spines[["top", "right", "left"]].set_visible(False)
            axes.tick_params(labelsize=9.5)
        line[0].set_ylabel(name, fontsize=10.5)
    for axes, title in zip(boxes[0], titles, strict=True):
        axes.set_title(title, fontsize=11, pad=8)
    figure.tight_layout(w_pad=1.5)
    return figure
