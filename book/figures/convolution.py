"""Filters: through the depth, over the image, and the pixels behind one neuron."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Polygon, Rectangle

from cnnlib import shapes
from figures import BLUE, FAINT, INK, LINE, ORANGE, PAPER
from figures.windows import _cell, _grid, _minus


def through_depth(window, kernel, bias, channels):
    """Window and filter slice by slice, both (D, F, F); the sums of the products and their total."""
    depth, f, _ = window.shape
    figure, axes = plt.subplots(figsize=(8.4, 0.5 * (f + 0.7) * depth + 0.5))
    step, kernel_at, sum_at = f + 0.7, f + 1.2, 2 * f + 2.4
    for d, channel in enumerate(channels):
        top = d * step
        for (r, c), value in np.ndenumerate(window[d]):
            _cell(axes, top + r, c, _minus(value))
        for (r, c), value in np.ndenumerate(kernel[d]):
            _cell(axes, top + r, kernel_at + c, _minus(value), fill=BLUE)
        middle = top + f / 2
        axes.text(-0.3, middle, channel, ha="right", va="center", fontsize=11)
        axes.text(f + 0.6, middle, "×", ha="center", va="center", fontsize=14)
        axes.text(sum_at - 0.6, middle, "=", ha="center", va="center", fontsize=13)
        _cell(axes, middle - 0.5, sum_at, _minus((window[d] * kernel[d]).sum()))
    middle, total = depth * step / 2 - 0.35, sum_at + 3.6
    axes.plot([sum_at + 1.35] * 2, [0.4, depth * step - 1.1], color=FAINT, linewidth=1.2)
    axes.text(
        (sum_at + 1.35 + total) / 2,
        middle,
        f"sum\n+ bias {_minus(bias)}",
        ha="center",
        va="center",
        fontsize=10,
    )
    _cell(axes, middle - 0.5, total, _minus((window * kernel).sum() + bias), fill=ORANGE)
    for x, text in ((f / 2, "window"), (kernel_at + f / 2, "filter"), (total + 0.5, "output")):
        axes.text(x, -0.45, text, ha="center", va="center", fontsize=11)
    axes.set_xlim(-2.2, total + 1.8)
    axes.set_ylim(depth * step - 0.4, -0.9)
    axes.set_aspect("equal")
    axes.axis("off")
    return figure


def maps(panels, *, columns):
    """Small arrays with their numbers; `panels` is {title: array (H, W)}.

    All are drawn to one scale. Positive numbers stand on blue, negative ones on orange with their sign; zeros stay blank.
    """
    rows = -(-len(panels) // columns)
    tallest = max(part.shape[0] for part in panels.values())
    widest = max(part.shape[1] for part in panels.values())
    cell = min(0.3 if widest > 6 else 0.4, (8.8 / columns - 0.25) / widest)
    size = (columns * (cell * widest + 0.25), rows * (cell * tallest + 0.45))
    figure, boxes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    for axes, (title, part) in zip(boxes.flat, panels.items(), strict=False):
        _grid(tallest, widest, axes, "")
        axes.set_title(title, fontsize=11, loc="left", pad=4)
        for (r, c), value in np.ndenumerate(part):
            fill = BLUE if value > 0 else ORANGE if value < 0 else PAPER
            _cell(axes, r, c, _minus(value) if value else "", fill=fill, size=8.5)
    for axes in list(boxes.flat)[len(panels) :]:
        axes.axis("off")
    figure.tight_layout()
    return figure


def field_behind(layers, size, position):
    """Rows of neurons, one axis, input at the bottom; what the neuron at `position` of the top row reads.

    layers: a list of (kernel, stride), without padding. Shaded cells are read on the way down.
    """
    counts = [size]
    for kernel, stride in layers:
        counts.append(shapes.output_size(counts[-1], kernel, stride=stride))
    fields = [shapes.receptive_field(layers[:i]) for i in range(len(layers) + 1)]
    read = [(position, position)]
    for kernel, stride in reversed(layers):
        low, high = read[0]
        read.insert(0, (low * stride, high * stride + kernel - 1))
    figure, axes = plt.subplots(figsize=(min(9.2, 0.52 * size + 2.4), 0.8 * len(counts) + 0.5))
    high = 1.6
    for level, (count, field, (low, last)) in enumerate(zip(counts, fields, read, strict=True)):
        top = (len(layers) - level) * high

        def middle(i, field=field):
            return field.start + i * field.jump + 0.5

        if level < len(layers):
            above = fields[level + 1]
            ends = [above.start + i * above.jump + 0.5 for i in read[level + 1]]
            shape = [
                (ends[0] - 0.5, top - high + 1),
                (ends[1] + 0.5, top - high + 1),
                (middle(last) + 0.5, top),
                (middle(low) - 0.5, top),
            ]
            axes.add_patch(Polygon(shape, facecolor="none", edgecolor=FAINT, linestyle=(0, (3, 2))))
        for i in range(count):
            inside = low <= i <= last
            fill = (ORANGE if level == len(layers) else BLUE) if inside else PAPER
            axes.add_patch(
                Rectangle(
                    (middle(i) - 0.5, top),
                    1,
                    1,
                    facecolor=fill,
                    edgecolor=INK if inside else LINE,
                    linewidth=1.0 if inside else 0.8,
                    zorder=2 if inside else 1,
                )
            )
        kernel, stride = layers[level - 1]
        name = f"layer {level}: {kernel} wide, stride {stride}" if level else "input"
        axes.text(-0.5, top + 0.5, name, ha="right", va="center", fontsize=10)
        width = last - low + 1
        axes.text(size + 0.5, top + 0.5, f"{width}", ha="left", va="center", fontsize=11)
    axes.set_xlim(-5.8, size + 1.4)
    axes.set_ylim(len(layers) * high + 1.15, -0.15)
    axes.axis("off")
    return figure
