"""Wirings: a small network, three ways to connect a layer, their matrices, their cost, and volumes."""

from string import ascii_lowercase

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Circle, Polygon, Rectangle

from cnnlib import shapes
from figures import BLUE, FAINT, INK, LINE, ORANGE, PAPER
from figures.windows import _cell, _minus

# One line style for each place of the window: equal styles are equal weights.
STYLES = ("solid", (0, (5, 2)), (0, (1.2, 1.4)))
FILLS = (BLUE, ORANGE, PAPER)


def pictures(named):
    """Two pictures of zeros and ones, {title: array}, with an arrow from the first to the second."""
    figure, boxes = plt.subplots(1, 2, figsize=(7.2, 3.3), gridspec_kw={"wspace": 0.35})
    for axes, (title, pixels) in zip(boxes, named.items(), strict=True):
        height, width = pixels.shape
        for r, c in np.argwhere(pixels):
            axes.add_patch(Rectangle((c, r), 1, 1, facecolor=INK, edgecolor=INK, linewidth=0.3))
        axes.add_patch(Rectangle((0, 0), width, height, fill=False, edgecolor=FAINT, linewidth=1))
        axes.set_xlim(-0.2, width + 0.2)
        axes.set_ylim(height + 0.2, -0.2)
        _bare(axes)
        axes.set_title(title, fontsize=11, pad=6)
    arrow = {"arrowstyle": "->", "color": INK, "linewidth": 1.6}
    ends = {"xycoords": "axes fraction", "textcoords": "axes fraction"}
    boxes[0].annotate("", (1.3, 0.5), (1.05, 0.5), arrowprops=arrow, **ends)
    return figure


def _neuron(axes, x, y, text="", *, fill=PAPER, edge=FAINT, radius=0.3):
    axes.add_patch(Circle((x, y), radius, facecolor=fill, edgecolor=edge, linewidth=1, zorder=2))
    axes.text(x, y, text, ha="center", va="center", fontsize=10.5, zorder=3)


def _bare(axes):
    axes.set_aspect("equal")
    axes.axis("off")


def network(layers, weights, *, chosen=0):
    """A fully connected network with its numbers.

    layers: {name: values}; weights: those of the hidden neuron `chosen`, printed on its lines.
    """
    names, values = list(layers), list(layers.values())
    tallest = max(len(v) for v in values)
    gap, rise = 3.4, 1.15
    figure, axes = plt.subplots(figsize=(7.4, 3.5))

    def place(layer, i):
        return layer * gap, (i - (len(values[layer]) - 1) / 2) * rise

    for layer in range(1, len(values)):
        for k in range(len(values[layer])):
            marked = layer == 1 and k == chosen
            for i in range(len(values[layer - 1])):
                (x0, y0), (x1, y1) = place(layer - 1, i), place(layer, k)
                colour, width = (INK, 1.7) if marked else (LINE, 1)
                axes.plot((x0, x1), (y0, y1), color=colour, linewidth=width, zorder=1 + marked / 2)
                if marked:
                    part = 0.36
                    axes.text(
                        x0 + part * (x1 - x0),
                        y0 + part * (y1 - y0) - 0.1,
                        f"× {_minus(weights[i])}",
                        ha="center",
                        va="bottom",
                        fontsize=10,
                    )
    for layer, (name, row) in enumerate(zip(names, values, strict=True)):
        for i, value in enumerate(row):
            fill = BLUE if layer == 0 else ORANGE if (layer, i) == (1, chosen) else PAPER
            edge = INK if (layer, i) == (1, chosen) else FAINT
            _neuron(axes, *place(layer, i), _minus(value), fill=fill, edge=edge, radius=0.34)
        axes.text(
            layer * gap,
            -(tallest - 1) / 2 * rise - 0.75,
            name,
            ha="center",
            va="center",
            fontsize=11,
        )
    axes.set_xlim(-0.9, (len(values) - 1) * gap + 0.9)
    axes.set_ylim((tallest - 1) / 2 * rise + 0.5, -(tallest - 1) / 2 * rise - 1.05)
    _bare(axes)
    return figure


def letters(inputs, kernel, wiring):
    """The matrix of a layer as names of its weights; an empty text where there is no connection."""
    outputs = shapes.output_size(inputs, kernel)
    table = np.full((outputs, inputs), "", dtype="<U1")
    names = iter(ascii_lowercase)
    for k, i in np.ndindex(table.shape):
        if wiring == "FC":
            table[k, i] = next(names)
        elif k <= i < k + kernel:
            table[k, i] = ascii_lowercase[i - k] if wiring == "CONV" else next(names)
    return table


def _matrix(axes, table, *, shared=False, columns=None):
    # Blank cells first, so that the frames of the filled ones lie on top.
    for k, i in sorted(np.ndindex(table.shape), key=lambda place: table[place] != ""):
        name = table[k, i]
        fill = FILLS[ascii_lowercase.index(name) % 3] if shared and name else PAPER
        _cell(axes, k, i, name, fill=fill, edge=FAINT if name else LINE, size=10.5)
    for i in range(table.shape[1]):
        text = f"{i if columns is None else columns[i]}"
        axes.text(i + 0.5, -0.32, text, ha="center", va="center", fontsize=9)
    for k in range(table.shape[0]):
        axes.text(-0.32, k + 0.5, f"{k}", ha="center", va="center", fontsize=9)
    axes.set_xlim(-0.75, table.shape[1] + 0.1)
    axes.set_ylim(table.shape[0] + 0.1, -0.75)
    _bare(axes)


def three_wirings(inputs, kernel):
    """FC, locally connected and CONV side by side: the lines above, the matrix of weights below."""
    outputs = shapes.output_size(inputs, kernel)
    shift = (kernel - 1) / 2
    titles = {"FC": "fully connected", "LOCAL": "locally connected", "CONV": "convolutional"}
    figure, boxes = plt.subplots(
        2, 3, figsize=(9.4, 4.7), gridspec_kw={"wspace": 0.1, "hspace": 0.12}
    )
    for (wiring, title), (upper, lower) in zip(titles.items(), boxes.T, strict=True):
        table = letters(inputs, kernel, wiring)
        for k, i in np.argwhere(table != ""):
            style = STYLES[(i - k) % 3] if wiring == "CONV" else "solid"
            upper.plot((i, k + shift), (0, 2), color=INK, linewidth=1.1, linestyle=style, zorder=1)
        for i in range(inputs):
            _neuron(upper, i, 0, f"{i}", fill=BLUE)
        for k in range(outputs):
            _neuron(upper, k + shift, 2, f"{k}", fill=ORANGE)
        different = len(set(table.ravel()) - {""})
        upper.set_title(f"{title}\n{different} weights", fontsize=11.5, pad=6)
        upper.set_xlim(-0.9, inputs - 0.35)
        upper.set_ylim(-0.45, 2.45)
        _bare(upper)
        _matrix(lower, table, shared=wiring == "CONV")
    for axes, y, text in ((boxes[0, 0], 0, "in"), (boxes[0, 0], 2, "out")):
        axes.text(-0.5, y, text, ha="right", va="center", fontsize=10)
    return figure


def shuffled_matrix(inputs, kernel, order):
    """The matrix of a CONV before and after its columns have followed the pixels."""
    table = letters(inputs, kernel, "CONV")
    figure, boxes = plt.subplots(1, 2, figsize=(6.8, 2.6), gridspec_kw={"wspace": 0.25})
    _matrix(boxes[0], table, shared=True)
    boxes[0].set_title("pixels in order", fontsize=11, pad=4)
    _matrix(boxes[1], table[:, order], shared=True, columns=order)
    boxes[1].set_title("pixels shuffled", fontsize=11, pad=4)
    return figure


def growth(curves, marks):
    """Parameters against the side of the image, both axes logarithmic, each line named at its end.

    curves: {name: (sides, parameters, line style)}; marks: {side: name}, a vertical line each.
    """
    figure, axes = plt.subplots(figsize=(8.2, 4.6))
    for side, name in marks.items():
        axes.axvline(side, color=LINE, linewidth=1.2)
        axes.text(side * 1.06, 3, name, fontsize=10, color=FAINT, va="center")
    for name, (sides, counts, style) in curves.items():
        axes.plot(sides, counts, color=INK, linewidth=2, linestyle=style)
        axes.text(sides[-1] * 1.12, counts[-1], name, va="center", fontsize=10.5)
    axes.set(xscale="log", yscale="log", xlabel="side of the image in pixels (three channels)")
    axes.set_ylabel("weights")
    ticks = [8, 16, 32, 64, 128, 256, 512, 1024]
    axes.set_xticks(ticks, [f"{t}" for t in ticks])
    axes.minorticks_off()
    powers = {1: "1", 3: "thousand", 6: "million", 9: "billion", 12: "trillion"}
    powers = {10.0**p if p > 1 else 1.0: name for p, name in powers.items()}
    axes.set_yticks(list(powers), list(powers.values()))
    axes.set_ylim(1, 10**13)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def shifts(before, after):
    """Two panels of rows of numbers, {name: values}; what is not zero is shaded."""
    figure, boxes = plt.subplots(1, 2, figsize=(9.4, 0.52 * len(before) + 0.5))
    widest = max(len(row) for row in before.values())
    for axes, title, rows in zip(
        boxes, ("as it is", "one pixel to the right"), (before, after), strict=True
    ):
        for r, (name, row) in enumerate(rows.items()):
            left = (widest - len(row)) / 2
            for i, value in enumerate(row):
                fill = (BLUE if r == 0 else ORANGE) if value else PAPER
                _cell(axes, 1.35 * r, left + i, _minus(value), fill=fill, edge=FAINT, size=10)
            if axes is boxes[0]:
                axes.text(-0.35, 1.35 * r + 0.5, name, ha="right", va="center", fontsize=10.5)
        axes.set_title(title, fontsize=11, pad=6)
        axes.set_xlim(-0.1, widest + 0.1)
        axes.set_ylim(1.35 * len(rows), -0.1)
        _bare(axes)
    return figure


def _box(axes, left, bottom, width, height, depth, *, fill):
    """A box in oblique view; returns the function that puts (w, h, d) on paper, h downwards."""

    def point(w, h, d):
        return left + w + 0.45 * d, bottom + height - h + 0.45 * d

    def face(*corners):
        shape = [point(*c) for c in corners]
        axes.add_patch(Polygon(shape, facecolor=fill, edgecolor=FAINT, linewidth=1.1))

    w, h, d = width, height, depth
    face((0, 0, 0), (w, 0, 0), (w, h, 0), (0, h, 0))
    face((0, 0, 0), (w, 0, 0), (w, 0, d), (0, 0, d))
    face((w, 0, 0), (w, 0, d), (w, h, d), (w, h, 0))
    return point


def region(size, channels, kernel, filters):
    """A small block of the input volume, through its full depth, feeds one neuron of the output."""
    figure, axes = plt.subplots(figsize=(8.6, 4.1))
    side, thin, thick = 4.2, 1.0, 2.6
    source = _box(axes, 0, 0, side, side, thin, fill=PAPER)
    far = side + 3.6
    target = _box(axes, far, 0, side, side, thick, fill=PAPER)
    start, small = 1.4, 0.75

    def quad(point, corners, fill):
        shape = [point(*c) for c in corners]
        axes.add_patch(Polygon(shape, facecolor=fill, edgecolor=INK, linewidth=1.3, zorder=3))

    a, b, d = start, start + small, thin
    quad(source, [(a, a, 0), (b, a, 0), (b, a, d), (a, a, d)], BLUE)
    quad(source, [(b, a, 0), (b, a, d), (b, b, d), (b, b, 0)], BLUE)
    quad(source, [(a, a, 0), (b, a, 0), (b, b, 0), (a, b, 0)], BLUE)
    middle, step = start + small / 2, 0.32
    x0, y0 = target(middle, middle, 0)
    x1, y1 = target(middle, middle, thick)
    axes.plot((x0, x1), (y0, y1), color=FAINT, linewidth=1.2, linestyle=(0, (3, 2)), zorder=2)
    for part in np.linspace(1, 0, 6):
        x, y = x0 + part * (x1 - x0), y0 + part * (y1 - y0)
        fill = ORANGE if part == 0 else PAPER
        axes.add_patch(Circle((x, y), step / 2, facecolor=fill, edgecolor=INK, zorder=4))
    for corner in ((b, a, d), (b, b, 0)):
        x, y = source(*corner)
        axes.plot((x, x0), (y, y0), color=INK, linewidth=1, zorder=3.5)
    for left, depth_drawn, title, depth in (
        (0, thin, "input", channels),
        (far, thick, "output", filters),
    ):
        axes.text(left + side / 2, -0.35, f"width {size}", ha="center", va="center", fontsize=10)
        height = f"height {size}"
        axes.text(left - 0.25, 0.9, height, ha="center", va="center", fontsize=10, rotation=90)
        slant = 0.45 * depth_drawn
        axes.text(
            left + side + slant / 2 + 0.2,
            slant / 2 - 0.2,
            f"depth {depth}",
            ha="left",
            va="center",
            fontsize=10,
        )
        axes.text(left + side / 2, -0.95, title, ha="center", va="center", fontsize=11)
    axes.annotate(
        f"{kernel} × {kernel} × {channels}",
        source(a, b, 0),
        (source(a, b, 0)[0] - 0.2, source(a, b, 0)[1] - 0.75),
        fontsize=10.5,
        ha="center",
        va="center",
    )
    axes.set_xlim(-0.6, far + side + 0.45 * thick + 1.6)
    axes.set_ylim(-1.2, side + 0.45 * thick + 0.2)
    _bare(axes)
    return figure
