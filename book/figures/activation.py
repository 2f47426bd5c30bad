"""Activation functions above their slopes."""

import matplotlib.pyplot as plt
import numpy as np

from cnnlib.reference import activation
from figures import FAINT, INK, LINE

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
