"""Activation functions above their slopes, and units that ReLU silences."""

import matplotlib.pyplot as plt
import numpy as np

from cnnlib.reference import activation
from figures import BLUE, FAINT, INK, LINE, RED

NAMES = {
    "relu": "ReLU",
    "leaky_relu": "leaky ReLU (0.1)",
    "elu": "ELU (α = 1)",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
}


def functions_and_slopes(reach=4):
    """Five functions in the upper row and, below each, its slope."""
    # An even number of places: none is 0, where a kink has no slope.
    x = np.linspace(-reach, reach, 400)
    figure, boxes = plt.subplots(2, 5, figsize=(10.4, 4.3), sharex=True, sharey="row")
    for column, (name, title) in enumerate(NAMES.items()):
        setting = {"negative_slope": 0.1} if name == "leaky_relu" else {}
        out = getattr(activation, name)(x, **setting)
        slope = getattr(activation, f"{name}_backward")(np.ones_like(x), out, **setting)
        for axes, values in zip(boxes[:, column], (out, slope), strict=True):
            axes.axhline(0, color=LINE, linewidth=1)
            axes.axvline(0, color=LINE, linewidth=1)
            # Where the slope jumps there is no line to draw.
            jumps = np.flatnonzero(abs(np.diff(values)) > 0.5) + 1
            for part in np.split(np.arange(x.size), jumps):
                axes.plot(x[part], values[part], color=INK, linewidth=2)
            axes.spines[["top", "right"]].set_visible(False)
            axes.tick_params(labelsize=9)
        boxes[0, column].set_title(title, fontsize=10.5)
        boxes[1, column].axhline(0.25, color=FAINT, linewidth=1.2, linestyle=(0, (4, 3)))
    boxes[0, 0].set(ylim=(-1.5, reach), xticks=[-3, 0, 3])
    boxes[1, 0].set(ylim=(-0.1, 1.15), yticks=[0, 0.25, 1])
    boxes[1, 0].set_yticklabels(["0", "0.25", "1"])
    boxes[0, 0].set_ylabel("function")
    boxes[1, 0].set_ylabel("slope")
    return figure


def reach_of_units(sums):
    """For each bias of `sums` one panel: each unit's weighted sums, from smallest to largest."""
    figure, boxes = plt.subplots(1, len(sums), figsize=(10.4, 3), sharey=True)
    for axes, (bias, values) in zip(boxes, sums.items(), strict=True):
        low, high = values.min(axis=0), values.max(axis=0)
        for unit, (start, end) in enumerate(zip(low, high, strict=True)):
            dead = end <= 0
            axes.bar(
                unit,
                end - start,
                bottom=start,
                width=0.7,
                facecolor=RED if dead else BLUE,
                edgecolor=INK,
                linewidth=0.8,
                hatch="////" if dead else None,
            )
        axes.axhline(0, color=INK, linewidth=1.4)
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        axes.set_xticks([])
        axes.tick_params(labelsize=9)
        name = f"bias {bias}".replace("-", "−")
        axes.set_title(f"{name}: {(high <= 0).sum()} dead", fontsize=10.5)
    boxes[0].set_ylabel("weighted sum")
    return figure
