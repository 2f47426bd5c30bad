"""Rules of thumb: halving sizes, stacks of small filters, who reads a border pixel, the zoo's record."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from cnnlib import shapes
from cnnlib.diagram import lint
from cnnlib.diagram.places import places_of
from figures import BLUE, FAINT, INK, LINE, ORANGE, PAPER
from figures.windows import _cell


def halvings(size):
    """The sizes that halving passes through, down to the first odd one."""
    sizes = [size]
    while sizes[-1] % 2 == 0:
        sizes.append(sizes[-1] // 2)
    return sizes


def halving_ladder(sizes):
    """A row for each size: halved until it is odd; odd sizes have a thick frame."""
    figure, axes = plt.subplots(figsize=(9.2, 0.46 * len(sizes) + 0.5))
    longest = max(len(halvings(size)) for size in sizes)
    width = 1.35
    for row, size in enumerate(sizes):
        steps = halvings(size)
        for step, value in enumerate(steps):
            odd = value % 2 == 1
            left = step * width
            axes.add_patch(
                Rectangle(
                    (left, row),
                    1,
                    0.72,
                    facecolor=ORANGE if odd else BLUE,
                    edgecolor=INK if odd else LINE,
                    linewidth=1.8 if odd else 0.8,
                )
            )
            axes.text(left + 0.5, row + 0.37, f"{value}", ha="center", va="center", fontsize=10)
            if not odd:
                arrow = {"arrowstyle": "->", "color": FAINT, "linewidth": 1.1}
                axes.annotate(
                    "", (left + width, row + 0.36), (left + 1, row + 0.36), arrowprops=arrow
                )
        times = len(steps) - 1
        text = {0: "not once", 1: "once"}.get(times, f"{times} times")
        axes.text(longest * width, row + 0.37, text, va="center", fontsize=10)
    axes.set_xlim(-0.1, longest * width + 1.3)
    axes.set_ylim(len(sizes), -0.1)
    axes.axis("off")
    return figure


def one_against_stack(sides):
    """Weights, in units of C², of one F × F layer and of the 3 × 3 stack that sees as far."""
    figure, axes = plt.subplots(figsize=(8.2, 0.85 * len(sides) + 0.7))
    for row, side in enumerate(sides):
        layers = (side - 1) // 2
        assert shapes.receptive_field([(3,)] * layers).size == side
        bars = (
            (f"one {side} × {side}", side**2, BLUE, ""),
            (f"{layers} × (3 × 3)", 9 * layers, ORANGE, "////"),
        )
        for place, (name, weights, fill, hatch) in enumerate(bars):
            y = row * 2.6 + place
            axes.barh(y, weights, 0.84, color=fill, edgecolor=INK, linewidth=0.9, hatch=hatch)
            axes.text(weights + 1.5, y, f"{weights}", va="center", fontsize=10)
            axes.text(-1.5, y, name, ha="right", va="center", fontsize=10)
    axes.set_xlim(-24, max(sides) ** 2 + 9)
    axes.set_ylim(len(sides) * 2.6 - 1, -0.7)
    axes.axis("off")
    return figure


def reads(size, kernel, paddings):
    """Grids of size × size: how many windows read each pixel, without and with padding."""
    figure, boxes = plt.subplots(
        1, len(paddings), figsize=(4.2 * len(paddings), 4.2), gridspec_kw={"wspace": 0.12}
    )
    for axes, padding in zip(boxes, paddings, strict=True):
        along = np.array(shapes.coverage(size, kernel, padding=padding))
        counts = np.outer(along, along)
        for (r, c), count in np.ndenumerate(counts):
            axes.add_patch(
                Rectangle((c, r), 1, 1, facecolor=BLUE, alpha=count / kernel**2, edgecolor="none")
            )
            _cell(axes, r, c, f"{count}", fill="none")
        out = shapes.output_size(size, kernel, padding=padding)
        axes.set_title(f"padding {padding}, output {out} × {out}", fontsize=11, pad=6)
        axes.set_xlim(-0.1, size + 0.1)
        axes.set_ylim(size + 0.1, -0.1)
        axes.set_aspect("equal")
        axes.axis("off")
    return figure


# --- the rules against a network ----------------------------------------------------------------

#: What a row of the table is called, and the linter's rules that speak for it.
ROWS = {
    "square, known size (M13.1)": ("M13.1", "M13.2"),
    "halves evenly (M13.3)": ("M13.3", "M4.6"),
    "small filters (M13.4)": ("M13.4",),
    "where to stride (M13.5)": ("M13.5",),
    "padding (M13.6)": ("M13.6",),
    "pooling windows (M13.7)": ("M13.7", "M6.3"),
    "BN after activation (M13.8)": ("M13.8", "M9.8"),
    "dropout (M13.9)": ("M13.9", "M10.3"),
    "no max pooling, GAP (M13.10)": ("M13.10",),
}
COMMON = (32, 64, 96, 224, 227, 299)


def _side(layer, name):
    value = layer.get(name)
    return max(value) if isinstance(value, tuple) else value


def by_the_letter(text):
    """The rows of ROWS that a network breaks when each rule is taken at its word."""
    places = places_of(text)
    convs = [p for p in places if p.kind == "CONV"]
    pools = [p for p in places if p.kind == "POOL" and _side(p.layer, "stride") > 1]
    size = places[0].layer.get("height")
    striding = [p for p in convs + pools if _side(p.layer, "stride") > 1]
    norms = [p for p in places if p.kind == "BN"]
    activations = ("RELU", "LRELU", "ELU", "ACT")
    answers = (
        places[0].layer.get("width") != size or size not in COMMON,
        # Behind the first CONV every layer that halves should meet an even size.
        any(p.volume.height % 2 for p in striding if p is not convs[0]),
        any(_side(p.layer, "kernel") > 5 for p in convs[1:]),
        # The first CONV strides on a large input, and no other does.
        any((_side(p.layer, "stride") > 1) != (p is convs[0] and size > 200) for p in convs),
        any(
            p.layer.get("padding") != "same"
            and _side(p.layer, "stride") == 1
            and 2 * _side(p.layer, "padding") < _side(p.layer, "kernel") - 1
            for p in convs
        ),
        # Windows of 3 belong to the first two poolings.
        any(_side(p.layer, "kernel") > (3 if i < 2 else 2) for i, p in enumerate(pools)),
        not norms or any(p.before[0].kind not in activations for p in norms),
        any(p.layer.get("p") != 0.5 and p.after[0].kind != "FC" for p in places if p.kind == "DO"),
        bool(pools) or not any(p.kind == "GAP" for p in places),
    )
    return {row for row, broken in zip(ROWS, answers, strict=True) if broken}


def record(text):
    """Row → "lint", "silent" or "kept"."""
    reported, broken = {finding.rule for finding in lint(text)}, by_the_letter(text)
    return {
        row: "lint" if reported & set(rules) else "silent" if row in broken else "kept"
        for row, rules in ROWS.items()
    }


def rules_against(records):
    """A table of `records` (network → :func:`record`): who keeps which rule, who breaks it."""
    figure, axes = plt.subplots(figsize=(9.6, 0.46 * len(ROWS) + 0.9))
    width = 2.1
    for column, (name, row_of) in enumerate(records.items()):
        title = name.replace("squeezenet", "squeeze-\nnet")
        axes.text((column + 0.5) * width, -0.2, title, ha="center", va="bottom", fontsize=9.5)
        for row, verdict in enumerate(row_of.values()):
            fill, hatch, text = {
                "lint": (ORANGE, "", "reported"),
                "silent": (PAPER, "...", "silent"),
                "kept": (PAPER, "", "✓"),
            }[verdict]
            corner = (column * width, row)
            if hatch:
                dots = Rectangle(corner, width, 1, facecolor=fill, edgecolor=FAINT, linewidth=0)
                axes.add_patch(dots)
                dots.set_hatch(hatch)
                fill = "none"
            axes.add_patch(Rectangle(corner, width, 1, facecolor=fill, edgecolor=LINE))
            box = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.5} if hatch else None
            place = ((column + 0.5) * width, row + 0.5)
            axes.text(*place, text, ha="center", va="center", fontsize=9, bbox=box)
    for row, name in enumerate(ROWS):
        axes.text(-0.15, row + 0.5, name, ha="right", va="center", fontsize=9.5)
    axes.set_xlim(-6.3, len(records) * width + 0.1)
    axes.set_ylim(len(ROWS) + 0.1, -1.2)
    axes.axis("off")
    return figure
