"""Fully connected layers: who is wired to whom, and the order in which a volume becomes a row."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Circle

from figures import BLUE, FAINT, INK, LINE, ORANGE, PAPER
from figures.windows import _cell


def wiring(inputs, kernel):
    """Left every neuron reads all `inputs`, right each reads a window of `kernel`; equal outputs."""
    outputs = inputs - kernel + 1
    chosen = outputs // 2
    figure, boxes = plt.subplots(1, 2, figsize=(8.4, 3.3), gridspec_kw={"wspace": 0.12})
    for axes, name, reads in (
        (boxes[0], "FC", lambda k: range(inputs)),
        (boxes[1], f"CONV, kernel {kernel}", lambda k: range(k, k + kernel)),
    ):
        shift = (kernel - 1) / 2
        for k in sorted(range(outputs), key=lambda k: k == chosen):
            colour, width = (INK, 1.6) if k == chosen else (LINE, 1)
            for i in reads(k):
                axes.plot((i, k + shift), (0, 2), color=colour, linewidth=width, zorder=1)
        for i in range(inputs):
            fill = BLUE if i in reads(chosen) else PAPER
            axes.add_patch(Circle((i, 0), 0.24, facecolor=fill, edgecolor=FAINT, zorder=2))
        for k in range(outputs):
            fill = ORANGE if k == chosen else PAPER
            axes.add_patch(Circle((k + shift, 2), 0.24, facecolor=fill, edgecolor=FAINT, zorder=2))
        axes.text(-0.45, 0, "in", ha="right", va="center", fontsize=10)
        axes.text(-0.45, 2, "out", ha="right", va="center", fontsize=10)
        axes.set_title(name, fontsize=11, pad=6)
        axes.set_xlim(-1, inputs - 0.6)
        axes.set_ylim(-0.4, 2.4)
        axes.set_aspect("equal")
        axes.axis("off")
    return figure


def flattened(volume, row):
    """The slices of a volume (D, H, W) above the `row` that `flatten` makes of them, shaded alike."""
    depth, height, width = volume.shape
    fills = (BLUE, ORANGE, PAPER)
    step = height * width
    figure, axes = plt.subplots(figsize=(0.6 * row.size, 0.6 * (height + 3)))
    for d in range(depth):
        left = d * step + (step - width) / 2
        axes.text(left + width / 2, -0.3, f"channel {d}", ha="center", fontsize=10)
        for (r, c), value in np.ndenumerate(volume[d]):
            _cell(axes, r, left + c, f"{value:g}", fill=fills[d % 3], edge=FAINT)
        middle = d * step + step / 2
        arrow = {"arrowstyle": "->", "color": INK, "linewidth": 1.4}
        axes.annotate("", (middle, height + 0.9), (middle, height + 0.15), arrowprops=arrow)
    for i, value in enumerate(row):
        _cell(axes, height + 1, i, f"{value:g}", fill=fills[i // step % 3], edge=FAINT)
    axes.set_xlim(-0.1, row.size + 0.1)
    axes.set_ylim(height + 2.1, -0.9)
    axes.set_aspect("equal")
    axes.axis("off")
    return figure
