"""Layer patterns: the track of a pattern, grids over its counts, networks as strips, and a search."""

from difflib import SequenceMatcher

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyArrowPatch, Rectangle
from matplotlib.path import Path

from figures import BLUE, FAINT, INK, LINE, ORANGE, PAPER

FILLS = {"CONV": BLUE, "POOL": ORANGE, "FC": PAPER}
HATCHES = {"POOL": "///"}


# --- the pattern as a track -----------------------------------------------------------------------


def _station(axes, x, word):
    width = 0.2 * len(word) + 0.45
    axes.add_patch(
        Rectangle((x - width / 2, -0.36), width, 0.72, facecolor=BLUE, edgecolor=INK, zorder=3)
    )
    axes.text(x, 0, word, ha="center", va="center", fontsize=10, zorder=4)


def _curve(axes, start, end, height, *, dashed):
    """From `start` to `end` on the line, by way of `height`: back above it, or past it below."""
    forward = 1 if end > start else -1
    bend = 0.4 * forward
    points = [
        (start, 0), (start, height), (start, height), (start + bend, height),
        (end - bend, height), (end, height), (end, height), (end, 0.04 * np.sign(height)),
    ]  # fmt: skip
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3]
    axes.add_patch(
        FancyArrowPatch(
            path=Path(points, codes),
            arrowstyle="-|>",
            mutation_scale=11,
            color=FAINT if dashed else INK,
            linewidth=1.3,
            linestyle=(0, (4, 3)) if dashed else "solid",
            zorder=2,
        )
    )


def track():
    """The common pattern as a railway: solid curves lead back for one more round, dashed ones lead past."""
    figure, axes = plt.subplots(figsize=(9.4, 3.0))
    stations = {1.0: "INPUT", 4.2: "CONV", 6.0: "RELU", 9.0: "POOL"}
    stations |= {12.6: "FC", 14.2: "RELU", 16.9: "FC"}
    for x, word in stations.items():
        _station(axes, x, word)
    line = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.3, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (16.45, 0), (1.6, 0), arrowprops=line, zorder=1)
    for start, end, height, name in (
        (3.2, 7.1, 1.05, "N"),
        (2.5, 10.6, 2.1, "M"),
        (11.8, 15.2, 1.05, "K"),
    ):
        _curve(axes, end, start, height, dashed=False)
        middle = (start + end) / 2
        axes.text(
            middle, height + 0.12, f"once more ({name})", ha="center", va="bottom", fontsize=9.5
        )
    for start, end, depth in (
        (2.85, 7.45, -0.9),
        (7.85, 10.15, -0.9),
        (2.15, 10.95, -1.65),
        (11.45, 15.55, -0.9),
    ):
        _curve(axes, start, end, depth, dashed=True)
    for x, depth, words in (
        (5.15, -0.9, "zero times"),
        (9.0, -0.9, "no POOL"),
        (6.55, -1.65, "zero times"),
        (13.5, -0.9, "zero times"),
    ):
        axes.text(x, depth - 0.12, words, ha="center", va="top", fontsize=9.5)
    axes.set_xlim(0.1, 17.5)
    axes.set_ylim(-2.2, 2.75)
    axes.axis("off")
    return figure


# --- grids ----------------------------------------------------------------------------------------


def _shade(axes, row, column, share):
    axes.add_patch(
        Rectangle((column, row), 1, 1, facecolor=BLUE, alpha=0.08 + 0.92 * share, edgecolor="none")
    )
    axes.add_patch(Rectangle((column, row), 1, 1, fill=False, edgecolor=LINE, linewidth=0.8))


def grids(tables, *, marked=None):
    """Tables over N (down) and M (across); shades go with the logarithm, cells in `marked` are hatched.

    tables: {title: (numbers, texts)}, both indexed [N][M]. marked: {title: array of bool}.
    """
    figure, boxes = plt.subplots(len(tables), 1, figsize=(7.4, 2.55 * len(tables)))
    for axes, (title, (numbers, texts)) in zip(np.ravel(boxes), tables.items(), strict=True):
        logs = np.log(np.asarray(numbers, dtype=float))
        shares = (logs - logs.min()) / (logs.max() - logs.min())
        height, width = shares.shape
        for (n, m), share in np.ndenumerate(shares):
            _shade(axes, n, m, share)
            if marked and title in marked and marked[title][n][m]:
                axes.add_patch(
                    Rectangle((m, n), 1, 1, fill=False, edgecolor=INK, linewidth=1.8, zorder=3)
                )
            axes.text(m + 0.5, n + 0.5, texts[n][m], ha="center", va="center", fontsize=10)
        axes.set_xlim(-0.05, width + 0.05)
        axes.set_ylim(height + 0.05, -0.05)
        axes.set_xticks(np.arange(width) + 0.5, [f"M = {m}" for m in range(width)], fontsize=9.5)
        axes.set_yticks(np.arange(height) + 0.5, [f"N = {n}" for n in range(height)], fontsize=9.5)
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.set_title(title, fontsize=11, loc="left", pad=6)
    figure.tight_layout(h_pad=1.6)
    return figure


def halvings(rows):
    """Sizes after each POOL of 2 × 2, one row for each image size; odd sizes, which lose a row, hatched.

    rows: a list of lists of sizes, the image first.
    """
    columns = max(map(len, rows))
    figure, axes = plt.subplots(figsize=(0.85 * columns + 0.9, 0.55 * len(rows) + 0.7))
    for r, sizes in enumerate(rows):
        for c, size in enumerate(sizes):
            loses = size % 2 and c + 1 < len(sizes)
            axes.add_patch(
                Rectangle(
                    (c + 0.06, r + 0.1),
                    0.88,
                    0.8,
                    facecolor=PAPER if loses or size == 1 else BLUE,
                    edgecolor=FAINT,
                    hatch="///" if loses else None,
                    linewidth=0.9,
                )
            )
            label = {"boxstyle": "square,pad=0.12", "facecolor": PAPER, "edgecolor": "none"}
            axes.text(
                c + 0.5, r + 0.5, f"{size}", ha="center", va="center", fontsize=10.5,
                bbox=label if loses else None,
            )  # fmt: skip
    axes.text(0.5, -0.12, "image", ha="center", va="bottom", fontsize=9.5)
    for c in range(1, columns):
        axes.text(c + 0.5, -0.12, f"M = {c}", ha="center", va="bottom", fontsize=9.5)
    axes.set_xlim(-0.1, columns + 0.1)
    axes.set_ylim(len(rows) + 0.1, -0.5)
    axes.axis("off")
    return figure


# --- networks as strips ---------------------------------------------------------------------------


def strips(pairs):
    """Networks as rows of small boxes, one a layer; what a diagram lacks next to the network is dashed.

    pairs: {(name, name of the other): (kinds, kinds of the other)} with CONV, POOL and FC only.
    """
    figure, axes = plt.subplots(figsize=(9.4, 1.15 * len(pairs) * 2 * 0.62))
    row, widest = 0.0, 0
    for names, (short, full) in pairs.items():
        missing = set()
        for tag, _, _, low, high in SequenceMatcher(
            None, short, full, autojunk=False
        ).get_opcodes():
            assert tag in ("equal", "insert"), "the diagram is the network with layers left out"
            if tag == "insert":
                missing |= set(range(low, high))
        widest = max(widest, len(full))
        for name, skip in zip(names, (missing, set()), strict=True):
            axes.text(-0.25, row + 0.42, name, ha="right", va="center", fontsize=10)
            for i, kind in enumerate(full):
                if i in skip:
                    axes.add_patch(
                        Rectangle(
                            (i + 0.08, row), 0.84, 0.84, fill=False, edgecolor=FAINT,
                            linestyle=(0, (3, 2)), linewidth=1,
                        )
                    )  # fmt: skip
                    continue
                axes.add_patch(
                    Rectangle(
                        (i + 0.08, row), 0.84, 0.84, facecolor=FILLS[kind], edgecolor=FAINT,
                        linewidth=1,
                    )
                )  # fmt: skip
                axes.text(i + 0.5, row + 0.42, kind[0], ha="center", va="center", fontsize=10)
            row += 1.05
        row += 0.5
    axes.set_xlim(-4.6, widest + 0.2)
    axes.set_ylim(row - 0.4, -0.15)
    axes.set_aspect("equal")
    axes.axis("off")
    return figure


# --- the search -----------------------------------------------------------------------------------


def candidates(found, kept, chosen, *, budget, field):
    """Networks by parameters and receptive field: those kept filled, the chosen one ringed.

    found, kept: lists of (params, field); chosen: one such pair.
    """
    figure, axes = plt.subplots(figsize=(7.6, 3.9))
    rest = [point for point in found if point not in kept]
    axes.plot(*zip(*rest, strict=True), "o", color=PAPER, markeredgecolor=FAINT, markersize=5)
    axes.plot(*zip(*kept, strict=True), "s", color=ORANGE, markeredgecolor=INK, markersize=7)
    axes.plot(*chosen, "o", color="none", markeredgecolor=INK, markersize=15, markeredgewidth=1.5)
    axes.axvline(budget, color=INK, linewidth=1, linestyle=(0, (5, 3)))
    axes.axhline(field, color=INK, linewidth=1, linestyle=(0, (1, 2)))
    axes.set_xscale("log")
    axes.set_yscale("log", base=2)
    axes.set_yticks([4, 8, 16, 32, 64, 128, 256], ["4", "8", "16", "32", "64", "128", "256"])
    axes.set_ylim(3.2, 420)
    axes.text(budget * 0.92, 300, f"budget {budget:,}", fontsize=9.5, ha="right", va="center")
    axes.text(
        axes.get_xlim()[1] * 0.94,
        field * 1.05,
        f"field {field}",
        fontsize=9.5,
        ha="right",
        va="bottom",
    )
    axes.set_xlabel("parameters")
    axes.set_ylabel("receptive field (pixels)")
    axes.minorticks_off()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure
