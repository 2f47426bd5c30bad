"""Pooling: windows over a plane, a volume slice by slice, and shapes that large windows wipe out."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from figures import BLUE, FAINT, INK, LINE, ORANGE, PAPER
from figures.windows import _cell

GAP = 1.3  # cells between two grids


def _plane(axes, values, left, title, shade):
    """Print `values` as a grid whose left edge is at `left`, centred on the line y = 0."""
    top = -values.shape[0] / 2
    for (r, c), value in np.ndenumerate(values):
        _cell(axes, top + r, left + c, f"{value:g}", fill=shade(r, c), size=10)
    axes.text(left + values.shape[1] / 2, top - 0.35, title, ha="center", fontsize=10.5)


def pooled_planes(plane, results, *, kernel=2, stride=2):
    """A plane with its windows, and under each title of `results` what pooling makes of it.

    Windows that touch are told apart by a chequerboard of fills and by thick frames. Windows that
    overlap would hide one another, so only the first two are drawn: one shaded, one dashed.
    """
    touching = stride >= kernel

    def shade_of_window(row, column):
        if touching:
            return (BLUE, ORANGE)[(row + column) % 2]
        return {(0, 0): BLUE, (0, 1): ORANGE}.get((row, column), PAPER)

    def shade_of_pixel(row, column):
        if touching:
            return shade_of_window(row // stride, column // stride)
        return BLUE if row < kernel and column < kernel else PAPER

    height, left = plane.shape[0], plane.shape[1] + GAP
    starts = np.argwhere(np.ones(next(iter(results.values())).shape)) if touching else [(0, 1)]
    figure, axes = plt.subplots()
    _plane(axes, plane, 0, f"input {height} × {plane.shape[1]}", shade_of_pixel)
    for r, c in starts:
        corner = (c * stride, r * stride - height / 2)
        style = "solid" if touching else (0, (3, 2))
        axes.add_patch(
            Rectangle(
                corner, kernel, kernel, fill=False, edgecolor=INK, linewidth=2, linestyle=style
            )
        )
    for title, values in results.items():
        _plane(axes, values, left, title, shade_of_window)
        left += values.shape[1] + GAP
    axes.set_xlim(-0.3, left - GAP + 0.3)
    axes.set_ylim(height / 2 + 0.1, -height / 2 - 0.9)
    figure.set_size_inches(0.47 * (left + 0.3 - GAP), 0.47 * (height + 1))
    axes.set_position((0, 0, 1, 1))
    axes.set_aspect("equal")
    axes.axis("off")
    return figure


def slices(depth, size, out):
    """A volume of `depth` slices of size × size, pooled slice by slice to out × out."""
    figure, axes = plt.subplots(figsize=(6.6, 2.9))
    shift = 0.55
    first_end = size + (depth - 1) * shift
    right = first_end + 3.4

    def stack(left, count):
        for k in reversed(range(depth)):
            x, y = left + k * shift, -count / 2 - k * shift
            for r, c in np.ndindex(count, count):
                _cell(axes, y + r, x + c, "", fill=(BLUE, ORANGE, PAPER)[k % 3], edge=FAINT)
            axes.text(x - 0.12, y + 0.28, f"{k}", fontsize=9, ha="right", va="center")
        volume = f"{count} × {count} × {depth}"
        axes.text(left + count / 2, count / 2 + 0.5, volume, ha="center", va="center")

    stack(0, size)
    stack(right, out)
    arrow = {"arrowstyle": "->", "color": INK, "linewidth": 1.6}
    axes.annotate("", (right - 0.6, 0), (first_end + 0.4, 0), arrowprops=arrow)
    axes.text((first_end + right) / 2 - 0.1, -0.45, "POOL", ha="center", va="center", fontsize=10)
    axes.set_xlim(-0.6, right + out + depth * shift)
    axes.set_ylim(size / 2 + 0.9, -size / 2 - depth * shift)
    axes.set_aspect("equal")
    axes.axis("off")
    return figure


def broken_ring(size=30, gap=4):
    """A map of zeros and ones: a ring, two pixels thick, with a gap of `gap` pixels on its right."""
    middle = (size - 1) / 2
    y, x = np.mgrid[:size, :size] - middle
    radius = np.hypot(x, y)
    ring = (radius > middle - 5) & (radius < middle - 2.6)
    return (ring & ~((x > 0) & (abs(y) < gap / 2))).astype(np.float64)


def maps(named):
    """Maps of zeros and ones side by side, drawn at one size: ones dark, zeros blank."""
    figure, boxes = plt.subplots(1, len(named), figsize=(9.2, 2.3), gridspec_kw={"wspace": 0.12})
    for axes, (title, plane) in zip(boxes, named.items(), strict=True):
        height, width = plane.shape
        for r, c in np.argwhere(plane):
            axes.add_patch(Rectangle((c, r), 1, 1, facecolor=INK, edgecolor=INK, linewidth=0.2))
        axes.add_patch(Rectangle((0, 0), width, height, fill=False, edgecolor=LINE, linewidth=1))
        axes.set_xlim(-0.02 * width, 1.02 * width)
        axes.set_ylim(1.02 * height, -0.02 * height)
        axes.set_aspect("equal")
        axes.axis("off")
        axes.set_title(title, fontsize=10, pad=6)
    return figure
