"""POOL or strided CONV: what each computes and reads, what a shift does, and who shrinks real networks."""

import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from cnnlib import shapes
from figures import BLUE, FAINT, INK, LINE, ORANGE, PAPER, RED
from figures.windows import _cell


def ways(named, size, position):
    """Ways to shrink one axis of `size` pixels, side by side, the input at the bottom of each.

    named: {title: [(name, kernel, stride, padding), ...]}. The output at `position` and all that it
    reads on the way down are shaded; places that a stride jumps over are left empty.
    """
    tallest = max(map(len, named.values()))
    figure, boxes = plt.subplots(1, len(named), figsize=(8.2, 0.75 * tallest + 1.5))
    for axes, (title, layers) in zip(boxes, named.items(), strict=True):
        windows = [tuple(layer[1:]) for layer in layers]
        fields = [shapes.receptive_field(windows[:i]) for i in range(len(windows) + 1)]
        counts, read = [size], [(position, position)]
        for kernel, stride, padding in windows:
            counts.append(
                shapes.output_size(
                    counts[-1], kernel, stride=stride, padding=padding, rounding="floor"
                )
            )
        for kernel, stride, padding in reversed(windows):
            low, high = read[0]
            read.insert(0, (low * stride - padding, high * stride - padding + kernel - 1))
        for level, (count, field, (low, high)) in enumerate(zip(counts, fields, read, strict=True)):
            y = -1.8 * level
            for i in range(count):
                fill = (ORANGE if level == len(layers) else BLUE) if low <= i <= high else PAPER
                x = field.start + i * field.jump
                edge = INK if low <= i <= high else FAINT
                axes.add_patch(Rectangle((x, y), 1, 1, facecolor=fill, edgecolor=edge))
            name = layers[level - 1][0] if level else "input"
            axes.text(0, y - 0.12, name, fontsize=10, va="bottom")
        axes.set_title(title, fontsize=11, loc="left", pad=4)
        axes.set_xlim(-0.15, size + 0.15)
        axes.set_ylim(1.1, -1.8 * tallest - 0.75)
        axes.axis("off")
    figure.subplots_adjust(left=0.01, right=0.99, wspace=0.14)
    return figure


def filter_bank(weight):
    """Filters (K, D, F, F) as a table of slices: a row for each filter, a column for each channel."""
    filters, channels, f, _ = weight.shape
    step = f + 0.7
    figure, axes = plt.subplots(figsize=(0.5 * (step * channels + 2.4), 0.5 * (step * filters + 1)))
    for k, d in np.ndindex(filters, channels):
        for (r, c), value in np.ndenumerate(weight[k, d]):
            text = f"{value:g}".replace("0.25", "¼")
            fill, ink = (BLUE, INK) if value else (PAPER, FAINT)
            _cell(axes, k * step + r, d * step + c, text, fill=fill, ink=ink, size=10)
    for k in range(filters):
        axes.text(-0.35, k * step + f / 2, f"filter {k}", ha="right", va="center", fontsize=10)
    for d in range(channels):
        axes.text(d * step + f / 2, -0.3, f"channel {d}", ha="center", fontsize=10)
    axes.set_xlim(-2.4, channels * step - 0.6)
    axes.set_ylim(filters * step - 0.6, -0.9)
    axes.set_aspect("equal")
    axes.axis("off")
    return figure


def coverages(size, windows):
    """How many windows read each pixel of a size × size plane; those that none reads are hatched.

    windows: {title: (kernel, stride, padding)}.
    """
    figure, boxes = plt.subplots(1, len(windows), figsize=(9.2, 3.4), gridspec_kw={"wspace": 0.1})
    for axes, (title, (kernel, stride, padding)) in zip(boxes, windows.items(), strict=True):
        line = shapes.coverage(size, kernel, stride=stride, padding=padding)
        for (r, c), count in np.ndenumerate(np.outer(line, line)):
            if count:
                fill = BLUE if count == 1 else ORANGE
                _cell(axes, r, c, f"{count}", fill=fill, edge=FAINT, size=10)
            else:
                axes.add_patch(
                    Rectangle((c, r), 1, 1, facecolor=RED, edgecolor=INK, hatch="////", linewidth=0)
                )
        axes.add_patch(Rectangle((0, 0), size, size, fill=False, edgecolor=FAINT))
        axes.set_title(title, fontsize=11, pad=6)
        axes.set_xlim(-0.1, size + 0.1)
        axes.set_ylim(size + 0.1, -0.1)
        axes.set_aspect("equal")
        axes.axis("off")
    return figure


def shifted(panels):
    """Rows of zeros and ones before and after a shift, with what each way of shrinking makes of them.

    panels: {title: [(label, values, cell width), ...]}; a label of "" starts a new group.
    """
    figure, boxes = plt.subplots(1, len(panels), figsize=(8.6, 3.5), gridspec_kw={"wspace": 0.32})
    for axes, (title, rows) in zip(boxes, panels.items(), strict=True):
        y, end = 0.0, 0.0
        for label, values, width in rows:
            if not label:
                y += 0.7
                continue
            for i, value in enumerate(values):
                fill, ink = (INK, PAPER) if value else (PAPER, INK)
                axes.add_patch(
                    Rectangle((i * width, y), width, 0.9, facecolor=fill, edgecolor=FAINT)
                )
                x = (i + 0.5) * width
                axes.text(x, y + 0.48, f"{value:g}", ha="center", va="center", color=ink, size=9.5)
            axes.text(-0.3, y + 0.45, label, ha="right", va="center", fontsize=9.5)
            y, end = y + 1.25, max(end, len(values) * width)
        axes.set_title(title, fontsize=11, pad=4)
        axes.set_xlim(-3.6, end + 0.1)
        axes.set_ylim(y, -0.2)
        axes.axis("off")
    return figure


def halvings(networks, sides):
    """A row for each network: a bar from size to size for every layer that shrinks the volume.

    networks: {name: ([(kind, side before, side after), ...], end)}; sides: the ticks.
    """
    figure, axes = plt.subplots(figsize=(9.2, 0.52 * len(networks) + 0.9))
    for line, (steps, end) in enumerate(networks.values()):
        for kind, before, after in steps:
            left, right = -math.log2(before), -math.log2(after)
            pool = kind == "POOL"
            axes.add_patch(
                Rectangle(
                    (left + 0.015, line - 0.36),
                    right - left - 0.03,
                    0.72,
                    facecolor=ORANGE if pool else BLUE,
                    edgecolor=INK,
                    linewidth=2.2 if pool else 0.8,
                )
            )
            axes.text((left + right) / 2, line, kind, ha="center", va="center", fontsize=10)
        axes.text(right + 0.1, line, end, va="center", fontsize=10)
    axes.set_yticks(range(len(networks)), list(networks))
    axes.set_xticks([-math.log2(side) for side in sides], [str(side) for side in sides])
    axes.set_xlabel("side of the volume in pixels")
    axes.set_xlim(-math.log2(sides[0]) - 0.1, -math.log2(sides[-1]) + 1.25)
    axes.set_ylim(len(networks) - 0.4, -0.6)
    axes.grid(axis="x", color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    return figure


def budgets(named):
    """A bar of parameters for each network, split into CONV and FC; {name: (conv, fc)}."""
    figure, axes = plt.subplots(figsize=(8.6, 0.62 * len(named) + 0.7))
    most = max(map(sum, named.values()))
    for line, (conv, fc) in enumerate(named.values()):
        axes.barh(line, conv, color=BLUE, edgecolor=INK, linewidth=0.8, height=0.62)
        axes.text(conv / 2, line, "CONV", ha="center", va="center", fontsize=9.5)
        if fc:
            axes.barh(line, fc, left=conv, color=ORANGE, edgecolor=INK, linewidth=0.8, height=0.62)
            axes.text(conv + fc / 2, line, "FC", ha="center", va="center", fontsize=9.5)
        axes.text(
            conv + fc + 0.01 * most, line, f"{(conv + fc) / 1e6:.2f} M", va="center", fontsize=10
        )
    axes.set_yticks(range(len(named)), list(named))
    axes.set_xlim(0, 1.14 * most)
    axes.set_ylim(len(named) - 0.5, -0.5)
    axes.set_xticks([])
    axes.tick_params(length=0)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    return figure
