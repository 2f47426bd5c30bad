"""Windows that slide: over a grid of numbers, and along one axis."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from cnnlib import shapes
from figures import BLUE, FAINT, INK, LINE, ORANGE, PAPER, RED


def _cell(axes, row, column, text, *, fill=PAPER, ink=INK, edge=LINE, size=11):
    axes.add_patch(Rectangle((column, row), 1, 1, facecolor=fill, edgecolor=edge, linewidth=0.8))
    axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=size, color=ink)


def _grid(height, width, axes, title):
    axes.set_xlim(-0.1, width + 0.1)
    axes.set_ylim(height + 0.1, -0.1)
    axes.set_aspect("equal")
    axes.axis("off")
    axes.set_title(title, fontsize=11, pad=8)


def _minus(value) -> str:
    return f"{value:.0f}".replace("-", "−")


def slide_over(image, kernel, out, *, stride=1, padding=0):
    """Input with its padding, kernel and output; the first two windows of a row and their results.

    image (H, W), kernel (F, F), out (H_out, W_out): the numbers to print.
    """
    f = kernel.shape[0]
    padded = np.pad(image, padding)
    parts = (padded, kernel, out)
    figure, boxes = plt.subplots(
        1,
        3,
        figsize=(9.2, 0.52 * padded.shape[0] + 0.6),
        width_ratios=[p.shape[1] for p in parts],
        gridspec_kw={"wspace": 0.22},
    )
    tallest = max(p.shape[0] for p in parts)
    size_text = f"{image.shape[0]} × {image.shape[1]}"
    around = f", padded to {padded.shape[0]} × {padded.shape[1]}" if padding else ""
    titles = (
        f"input {size_text}{around}",
        f"kernel {f} × {f}",
        f"output {out.shape[0]} × {out.shape[1]}",
    )
    for axes, part, title in zip(boxes, parts, titles, strict=True):
        _grid(tallest, part.shape[1], axes, title)
    for (r, c), value in np.ndenumerate(padded):
        pixel = padding <= r < padding + image.shape[0] and padding <= c < padding + image.shape[1]
        in_first = r < f and c < f
        _cell(
            boxes[0],
            r,
            c,
            _minus(value),
            fill=BLUE if in_first else PAPER,
            ink=INK if pixel else FAINT,
        )
    for (r, c), value in np.ndenumerate(kernel):
        _cell(boxes[1], r, c, _minus(value), fill=BLUE)
    for (r, c), value in np.ndenumerate(out):
        fill = BLUE if (r, c) == (0, 0) else ORANGE if (r, c) == (0, 1) else PAPER
        _cell(boxes[2], r, c, _minus(value), fill=fill, size=11 if out.shape[0] < 5 else 8.6)
    if padding:
        frame = Rectangle(
            (padding, padding),
            image.shape[1],
            image.shape[0],
            fill=False,
            edgecolor=FAINT,
            linewidth=1.6,
        )
        boxes[0].add_patch(frame)
    second = Rectangle(
        (stride, 0), f, f, fill=False, edgecolor=INK, linewidth=2.2, linestyle=(0, (3, 2))
    )
    boxes[0].add_patch(second)
    return figure


def along_axis(size, kernel, *, stride=1, padding=0, first=0, last=None, title=""):
    """Pixels of one axis from `first` to `last` with every window that fits below them.

    Pixels that no window reads are hatched; zeros of the padding are drawn faint. Only the windows
    that lie within the drawn part are shown, so a wide input can be cut to its far edge.
    """
    last = size + padding if last is None else last
    seen = shapes.coverage(size, kernel, stride=stride, padding=padding)
    count = shapes.output_size(size, kernel, stride=stride, padding=padding, rounding="floor")
    starts = [i * stride - padding for i in range(count)]
    left = first - padding if first == 0 else first
    shown = [(i, s) for i, s in enumerate(starts) if s >= left and s + kernel <= last]
    columns = last - left
    figure, axes = plt.subplots(figsize=(min(9.2, 0.5 * columns + 1.6), 0.34 * len(shown) + 1.25))
    for position in range(left, last):
        pixel = 0 <= position < size
        patch = Rectangle((position, 0), 1, 1, facecolor=PAPER, edgecolor=LINE, linewidth=0.8)
        if pixel and not seen[position]:
            patch.set(facecolor=RED, hatch="////", edgecolor=INK)
        axes.add_patch(patch)
        blank = pixel and not seen[position]
        label = "" if blank else f"{position}" if pixel else "0"
        axes.text(
            position + 0.5,
            0.52,
            label,
            ha="center",
            va="center",
            fontsize=9.5,
            color=INK if pixel else FAINT,
        )
        if blank:
            axes.text(position + 0.5, -0.32, f"{position}", ha="center", va="center", fontsize=9.5)
    for line, (i, start) in enumerate(shown):
        y = 1.35 + line * 0.75
        axes.add_patch(
            Rectangle(
                (start, y),
                kernel,
                0.55,
                facecolor=BLUE if i % 2 == 0 else ORANGE,
                edgecolor=INK,
                linewidth=0.9,
            )
        )
        axes.text(
            start + kernel / 2, y + 0.29, f"window {i}", ha="center", va="center", fontsize=8.5
        )
    axes.set_xlim(left - 0.15, last + 0.15)
    axes.set_ylim(1.35 + 0.75 * len(shown), -0.7)
    axes.axis("off")
    axes.set_title(title, fontsize=11, loc="left", pad=6)
    return figure
