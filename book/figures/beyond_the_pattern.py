"""Blocks and whole networks: what reductions save, gradients on their way back, totals, and sizes."""

import matplotlib.pyplot as plt
from matplotlib.patches import Patch

from cnnlib.diagram import summarize
from figures import BLUE, FAINT, INK, LINE, ORANGE, PAPER

HATCH = "////"


def _bare(axes, *kept):
    for side in ("top", "right", "bottom", "left"):
        axes.spines[side].set_visible(side in kept)
    axes.tick_params(length=0)


def reductions(branches, without, reduce, widen):
    """For each of `branches` two bars: weights without a reduction, and with it in two parts."""
    figure, axes = plt.subplots(figsize=(8.6, 4.2))
    for i, (name, before, first, second) in enumerate(
        zip(branches, without, reduce, widen, strict=True)
    ):
        axes.barh(3 * i, before, 0.9, facecolor=PAPER, edgecolor=INK)
        axes.barh(3 * i + 1, first, 0.9, facecolor=ORANGE, edgecolor=INK, hatch=HATCH)
        axes.barh(3 * i + 1, second, 0.9, left=first, facecolor=BLUE, edgecolor=INK)
        for row, total in ((3 * i, before), (3 * i + 1, first + second)):
            axes.text(total + 3000, row, f"{total:,}", va="center", fontsize=10)
        axes.text(-4000, 3 * i + 0.5, name, ha="right", va="center", fontsize=10.5)
    keys = [
        Patch(facecolor=PAPER, edgecolor=INK, label="without 1 × 1 reductions"),
        Patch(facecolor=ORANGE, edgecolor=INK, hatch=HATCH, label="the added 1 × 1"),
        Patch(facecolor=BLUE, edgecolor=INK, label="the filters behind it"),
    ]
    axes.legend(handles=keys, loc="lower right", frameon=False, fontsize=10)
    axes.set(ylim=(3 * len(branches) - 1, -0.8), yticks=[], xticks=[])
    axes.set_xlim(0, max(without) * 1.12)
    _bare(axes, "left")
    return figure


def gradients(plain, skip):
    """Length of the gradient at each block, 0 being the input, relative to that at the output."""
    figure, axes = plt.subplots(figsize=(8.2, 3.9))
    blocks = range(len(plain))
    axes.axhline(1, color=LINE, linewidth=1)
    axes.plot(blocks, skip, color=INK, linewidth=1.8, marker="o", markersize=4)
    axes.plot(blocks, plain, color=INK, linewidth=1.8, linestyle=(0, (4, 3)))
    axes.text(0.4, skip[0] * 3, "with skip", fontsize=10.5, va="bottom")
    axes.text(3.2, plain[2] / 3, "without", fontsize=10.5, va="top")
    axes.set_yscale("log")
    axes.set_ylim(min(plain) / 4, max(skip) * 40)
    axes.set_xticks(range(0, len(plain), 5))
    axes.set_xlabel("blocks between here and the input")
    axes.set_ylabel("length of the gradient\n(at the output: 1)")
    axes.minorticks_off()
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def totals(networks):
    """Two columns of bars over {name: text}: parameters and MACs, the part of FC hatched."""
    figure, boxes = plt.subplots(1, 2, figsize=(9.4, 3.9), gridspec_kw={"wspace": 0.22})
    for axes, column, title, unit, digits in (
        (boxes[0], "params", "parameters, in millions", 1e6, 1),
        (boxes[1], "macs", "multiply-accumulates, in billions", 1e9, 2),
    ):
        longest = 0
        for row, text in enumerate(networks.values()):
            rows = summarize(text).rows
            fc = sum(getattr(r, column) for r in rows if r.name.startswith("fc")) / unit
            total = sum(getattr(r, column) for r in rows) / unit
            longest = max(longest, total)
            axes.barh(row, total - fc, 0.66, facecolor=BLUE, edgecolor=INK)
            axes.barh(row, fc, 0.66, left=total - fc, facecolor=ORANGE, edgecolor=INK, hatch=HATCH)
            axes.annotate(
                f"{total:.{digits}f}",
                (total, row),
                (4, 0),
                textcoords="offset points",
                va="center",
                fontsize=10,
            )
        axes.set(ylim=(len(networks) - 0.5, -0.6), yticks=range(len(networks)), xticks=[])
        axes.set_yticklabels(networks if axes is boxes[0] else [])
        axes.set_xlim(0, longest * 1.16)
        axes.set_title(title, fontsize=11, loc="left")
        _bare(axes, "left")
    keys = [
        Patch(facecolor=BLUE, edgecolor=INK, label="CONV and BN"),
        Patch(facecolor=ORANGE, edgecolor=INK, hatch=HATCH, label="FC"),
    ]
    boxes[1].legend(handles=keys, loc="lower right", frameon=False, fontsize=10)
    return figure


def main_road(text):
    """(side, field) of the maps after every layer with a window and every block, input first."""
    found = [(summarize(text).input_shape[1], 1)]
    for row in summarize(text).rows:
        block = row.name.startswith(("conv", "pool", "add", "concat"))
        if row.depth == 0 and block and len(row.shape) == 3:
            found.append((row.shape[1], row.field[0]))
    return found


def sizes_and_fields(networks):
    """A panel for each of {name: text}: side of the maps as steps, receptive field dashed."""
    figure, boxes = plt.subplots(1, len(networks), figsize=(10, 3.5), sharey=True)
    for axes, (name, text) in zip(boxes, networks.items(), strict=True):
        sides, fields = zip(*main_road(text), strict=True)
        steps = range(len(sides))
        axes.axhline(sides[0], color=FAINT, linewidth=1, linestyle=(0, (1, 3)))
        axes.step(steps, sides, where="post", color=INK, linewidth=2)
        axes.plot(steps, fields, color=INK, linewidth=1.6, linestyle=(0, (4, 2)))
        axes.set_yscale("log", base=2)
        ticks = [1, 7, 14, 28, 56, 112, 224, 448]
        axes.set_yticks(ticks, [f"{tick}" for tick in ticks])
        axes.minorticks_off()
        axes.set_xticks([0, 10] if len(sides) > 10 else [0, 5])
        axes.set_title(name, fontsize=11, loc="left")
        axes.spines[["top", "right"]].set_visible(False)
    boxes[0].set_ylabel("pixels")
    boxes[0].set_ylim(0.9, 520)
    boxes[0].text(5.2, 8.6, "side", fontsize=10, ha="left")
    boxes[0].text(1.2, 7.4, "field", fontsize=10, ha="left")
    figure.supxlabel("layers with a window, and blocks", fontsize=10.5, y=-0.03)
    return figure
