"""The layers at a glance: one slice of numbers through each of them, and softmax in three steps."""

import matplotlib.pyplot as plt
import numpy as np

from figures import BLUE, FAINT, INK, LINE, ORANGE, PAPER
from figures.windows import _cell, _grid


def _number(value) -> str:
    """Whole numbers as they are, others with two digits, with a true minus sign."""
    value += 0.0  # −0 becomes 0
    text = f"{value:.0f}" if value == round(value) else f"{value:.2f}"
    return text.replace("-", "−")


def through_each(slice_in, results):
    """A slice (H, W), and what each layer makes of it; `results` is {layer: (array, remark)}.

    A number that differs from the one at the same place of the input is shaded: in orange where it
    has become zero, else in blue. A result of another shape is shaded throughout.
    """
    columns = 4
    height, width = slice_in.shape
    panels = {"INPUT": (slice_in, ""), **results}
    rows = -(-len(panels) // columns)
    figure, boxes = plt.subplots(rows, columns, figsize=(9.2, 2.75 * rows))
    for axes, (name, (out, remark)) in zip(boxes.flat, panels.items(), strict=True):
        _grid(height, width, axes, "")
        axes.set_title(name, fontsize=11, pad=6)
        plane = out if out.ndim == 2 else out[:, None]
        top, left = (height - plane.shape[0]) / 2, (width - plane.shape[1]) / 2
        same_place = plane.shape == slice_in.shape
        for (r, c), value in np.ndenumerate(plane):
            fill = BLUE
            if same_place and np.isclose(value, slice_in[r, c]):
                fill = PAPER
            elif same_place and value == 0:
                fill = ORANGE
            text = _number(value)
            _cell(
                axes, top + r, left + c, text, fill=fill, edge=FAINT, size=8 if "." in text else 11
            )
        axes.text(width / 2, height + 0.25, remark, ha="center", va="top", fontsize=9.5, color=INK)
        axes.set_ylim(height + 1.3, -0.1)
    figure.subplots_adjust(left=0.01, right=0.99, top=0.94, bottom=0.01, wspace=0.12, hspace=0.16)
    return figure


def softmax_steps(scores, powers, shares):
    """Scores, their exponentials and their shares of the sum, as bars over the same classes."""
    figure, boxes = plt.subplots(1, 3, figsize=(8.8, 2.7), gridspec_kw={"wspace": 0.3})
    titles = ("scores s", "exp(s), all positive", "divided by their sum")
    for axes, values, title in zip(boxes, (scores, powers, shares), titles, strict=True):
        places = np.arange(len(values))
        axes.bar(places, values, width=0.6, facecolor=BLUE, edgecolor=INK, linewidth=1)
        axes.axhline(0, color=FAINT, linewidth=1)
        reach = max(values) - min(0, *values)
        for place, value in zip(places, values, strict=True):
            below = value < 0
            axes.text(
                place,
                value - 0.04 * reach if below else max(value, 0) + 0.03 * reach,
                _number(value),
                ha="center",
                va="top" if below else "bottom",
                fontsize=10,
            )
        axes.set_xticks(places, [f"class {place}" for place in places], fontsize=10)
        axes.set_ylim(
            min(0, *values) - (0.16 * reach if min(values) < 0 else 0), 1.16 * max(values)
        )
        axes.set_yticks([])
        axes.tick_params(length=0)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.spines["bottom"].set_color(LINE)
        axes.set_title(title, fontsize=11, pad=6)
    return figure
