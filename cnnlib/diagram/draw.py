"""A diagram as a picture: volumes to scale, branches side by side, shortcuts as arcs.

Layers that only change numbers (BN, RELU, DO and so on) are written over the volume they act on, so
every box in the picture is a change of size. :func:`sketch` draws the same with letters alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cnnlib.diagram.plan import Plan, Shape, Split, Step, plan
from cnnlib.diagram.tree import Chain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "sketch"]


# --- what is to be seen -----------------------------------------------------------------------------


@dataclass
class Box:
    """A volume or a row of features, with the layer that makes it and those that leave its size."""

    kind: str
    words: list[str]
    shape: Shape


@dataclass
class Fork:
    """Branches, what joins them, and the layers after the join that leave the size."""

    join: str
    arms: list[list["Box | Fork"]]
    shape: Shape
    words: list[str] = field(default_factory=list)


Part = Box | Fork


def _parts(steps: Iterable[Step | Split]) -> list[Part]:
    parts: list[Part] = []
    for step in steps:
        if isinstance(step, Split):
            arms = [_parts(arm) for arm in step.arms]
            parts.append(Fork(step.join, arms, step.out_shape))
        elif step.kind in ("CONV", "POOL", "GAP", "FC"):
            parts.append(Box(step.kind, [_words(step)], step.out_shape))
        elif parts:
            parts[-1].words.append(step.kind)
        else:  # a branch that begins with BN, say
            parts.append(Box(step.kind, [step.kind], step.out_shape))
    return parts


def _all_parts(settled: Plan) -> list[Part]:
    parts: list[Part] = [Box("INPUT", ["INPUT"], settled.in_shape)]
    found = _parts(settled.steps)
    return parts + found


def _words(step: Step) -> str:
    """``CONV 3×3 /2``: kernel, and the stride where there is one."""
    window = step.window
    if window is None:
        return step.kind
    name = "AVG POOL" if step.kind == "POOL" and step.layer.get("mode") == "avg" else step.kind
    stride = window.stride
    steps = "" if stride == (1, 1) else f" /{stride[0]}"
    if stride[0] != stride[1]:
        steps = f" /{stride[0]}×{stride[1]}"
    return f"{name} {_times(window.kernel)}{steps}"


def _times(numbers: Iterable[int]) -> str:
    return "×".join(map(str, numbers))


# --- letters ----------------------------------------------------------------------------------------


def sketch(diagram: str | Chain, input_shape: tuple[int, ...] | None = None) -> str:
    """Draw a diagram with letters: a line for each change of size, branches indented.

    Parameters and errors are those of :func:`draw`.

    Examples
    --------
    >>> print(sketch("INPUT(4, 8, 8) => { CONV(4) => RELU + ID } => RELU => POOL => FC(10)"))
    INPUT             4×8×8
    ┬ branch 1
    │ CONV 3×3, RELU  4×8×8
    ├ branch 2
    │ (as it came in)
    ┴ added, RELU     4×8×8
    POOL 2×2 /2       4×4×4
    FC                10
    """
    lines = list(_lines(_all_parts(plan(diagram, input_shape)), ""))
    width = max(len(text) for text, shape in lines if shape) + 2
    return "\n".join(f"{text:{width}}{shape}".rstrip() for text, shape in lines)


def _lines(parts: list[Part], indent: str) -> Iterator[tuple[str, str]]:
    for part in parts:
        if isinstance(part, Box):
            yield indent + ", ".join(part.words), _times(part.shape)
            continue
        for number, arm in enumerate(part.arms, start=1):
            yield f"{indent}{'┬' if number == 1 else '├'} branch {number}", ""
            yield from _lines(arm, indent + "│ ") if arm else [(f"{indent}│ (as it came in)", "")]
        join = {"add": "added", "concat": "concatenated"}[part.join]
        yield f"{indent}┴ {', '.join([join, *part.words])}", _times(part.shape)


# --- the picture ------------------------------------------------------------------------------------

# Inches, for the axes are as large as the figure: so letters and volumes keep their proportions.
LARGEST_SIDE = 1.1  # of the largest height or width
LARGEST_DEPTH = 0.8  # of the largest number of channels
LEAST = 0.03  # a line that can still be seen
SLANT = 0.3  # how far an axis into the picture leans to the right and up
GAP = 0.26  # between neighbours, room for an arrow
LETTER, LINE, FONT = 0.056, 0.125, 7  # a letter's width, a line's height, and the font in points
LINE_OF_PARTS = 10.0  # a longer network goes on in the next line
MARGIN = 0.25
CAPTION = "height and slanted width in one scale, channels (length) in another, rows in a third"

# A card of paper under dark ink: legible on light and dark pages alike. Fills differ in lightness too.
PAPER, INK = "#fbfaf6", "#22262b"
FILLS = {
    "INPUT": "#d9d9d9",
    "CONV": "#8fbbe0",
    "POOL": "#f2c27b",
    "GAP": "#d7a9c9",
    "FC": "#9dd0ae",
}
OTHER_FILL = "#ececec"


def draw(diagram: str | Chain, input_shape: tuple[int, ...] | None = None) -> "Figure":
    """Draw a diagram to scale.

    Parameters
    ----------
    diagram : str or Chain
        A text, or a tree from :func:`cnnlib.diagram.parse` or :func:`cnnlib.diagram.expand`.
    input_shape : (C, H, W) or (D,), optional
        One image, without the batch axis. It takes precedence over what INPUT says.

    Returns
    -------
    matplotlib.figure.Figure
        Save it with ``figure.savefig("network.svg")``. Heights and widths of all volumes have one
        scale, numbers of channels have another, and rows of features a third.

    Raises
    ------
    DiagramError
        At the layer whose size is missing or does not fit.
    """
    from matplotlib.figure import Figure

    parts = _all_parts(plan(diagram, input_shape))
    pen = _Pen(parts)
    lines = pen.broken_into_lines(parts)
    sizes = [pen.measure_chain(line) for line in lines]
    width = max(size.width for size in sizes) + 2 * MARGIN
    width = max(width, LETTER * len(CAPTION) + 2 * MARGIN)
    height = sum(size.up + size.down for size in sizes) + MARGIN + 0.3 * len(sizes) + 0.1
    figure = Figure(figsize=(width, height), facecolor=PAPER)
    pen.axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
    pen.axes.axis("off")
    y = height - MARGIN
    last, edge = None, 0.0
    for line, size in zip(lines, sizes, strict=True):
        y -= size.up
        left, right = pen.chain(line, MARGIN, y)
        if last is not None:
            middle = y + size.up + 0.12
            turn = MARGIN - 0.12
            corners = [last, (edge, last[1]), (edge, middle)]
            pen.path([*corners, (turn, middle), (turn, y), (left, y)])
        last, edge = (right, y), MARGIN + size.width + 0.08
        y -= size.down + 0.3
    pen.text(width / 2, 0.2, CAPTION)
    return figure


@dataclass
class _Size:
    """How much room a part takes: its width, and up and down from the line it stands on."""

    width: float
    up: float
    down: float


class _Pen:
    """Measures and draws parts; everything in inches."""

    axes: Any

    def __init__(self, parts: list[Part]) -> None:
        shapes = list(_shapes(parts))
        self.side = LARGEST_SIDE / max((max(s[1:]) for s in shapes if len(s) == 3), default=1)
        self.depth = LARGEST_DEPTH / max((s[0] for s in shapes if len(s) == 3), default=1)
        self.row = LARGEST_SIDE / max((s[0] for s in shapes if len(s) == 1), default=1)

    # --- measuring ------------------------------------------------------------------------------

    def cuboid(self, shape: Shape) -> tuple[float, float, float]:
        """Length, height and slanted depth of a volume on paper."""
        if len(shape) == 1:
            return 0.07, max(LEAST, shape[0] * self.row), 0.0
        channels, height, width = shape
        return (
            max(LEAST, channels * self.depth),
            max(LEAST, height * self.side),
            max(LEAST, width * self.side) * SLANT,
        )

    def measure(self, part: Part) -> _Size:
        if isinstance(part, Fork):
            return self.measure_fork(part)
        length, height, slant = self.cuboid(part.shape)
        half = (height + slant) / 2
        words = _text_width([*part.words, *_shape_lines(part.shape)])
        up = half + LINE * len(part.words) + 0.05
        return _Size(max(length + slant, words), up, half + 2 * LINE + 0.05)

    def measure_chain(self, parts: list[Part]) -> _Size:
        if not parts:
            return _Size(0.3, 0.12, 0.12)
        sizes = [self.measure(part) for part in parts]
        width = sum(size.width for size in sizes) + GAP * (len(sizes) - 1)
        return _Size(width, max(s.up for s in sizes), max(s.down for s in sizes))

    def measure_fork(self, fork: Fork) -> _Size:
        sizes = [self.measure_chain(arm) for arm in fork.arms]
        width = max(size.width for size in sizes) + 2 * GAP + self.join_width(fork)
        words = LINE * len(fork.words) + 0.15
        if _is_shortcut(fork):
            body = next(size for arm, size in zip(fork.arms, sizes, strict=True) if arm)
            return _Size(width, max(body.up, 0.15) + 0.2, max(body.down, words + 2 * LINE))
        half = (sum(size.up + size.down for size in sizes) + 0.1 * (len(sizes) - 1)) / 2
        return _Size(width, max(half, words), max(half, 0.15 + 2 * LINE))

    def join_width(self, fork: Fork) -> float:
        return max(0.4, _text_width([*fork.words, *_shape_lines(fork.shape)]) + 0.1)

    def broken_into_lines(self, parts: list[Part]) -> list[list[Part]]:
        lines: list[list[Part]] = [[]]
        for part in parts:
            if lines[-1] and self.measure_chain([*lines[-1], part]).width > LINE_OF_PARTS:
                lines.append([])
            lines[-1].append(part)
        return lines

    # --- drawing: each returns where the line from the left ends and the one to the right begins --

    def chain(self, parts: list[Part], x: float, y: float) -> tuple[float, float]:
        entry = right = None
        for part in parts:
            left, end = self.fork(part, x, y) if isinstance(part, Fork) else self.box(part, x, y)
            if right is not None:
                self.path([(right, y), (left, y)])
            entry, right = left if entry is None else entry, end
            x += self.measure(part).width + GAP
        assert entry is not None and right is not None  # noqa: PT018 - both or neither
        return entry, right

    def box(self, box: Box, x: float, y: float) -> tuple[float, float]:
        from matplotlib.patches import Polygon

        length, height, slant = self.cuboid(box.shape)
        middle = x + self.measure(box).width / 2
        left, bottom = middle - (length + slant) / 2, y - (height + slant) / 2
        right, top = left + length, bottom + height
        fill = FILLS.get(box.kind, OTHER_FILL)
        faces = [([(left, bottom), (right, bottom), (right, top), (left, top)], 1.0)]
        if slant:
            upper = [(left, top), (right, top), (right + slant, top + slant)]
            faces.append(([*upper, (left + slant, top + slant)], 0.55))
            outer = [(right, bottom), (right + slant, bottom + slant)]
            faces.append(([*outer, (right + slant, top + slant), (right, top)], 0.8))
        for corners, strength in faces:
            self.axes.add_patch(Polygon(corners, facecolor=PAPER, edgecolor="none"))
            self.axes.add_patch(Polygon(corners, facecolor=fill, alpha=strength, edgecolor="none"))
            self.axes.add_patch(
                Polygon(corners, fill=False, edgecolor=INK, linewidth=0.6, joinstyle="round")
            )
        self.words(box.words, middle, y + (height + slant) / 2 + 0.04)
        self.shape(box.shape, middle, y - (height + slant) / 2 - 0.04)
        # The side face is left of the outer edge at this height, unless the volume is a flat tile.
        reach = min(slant, max(0.0, y - bottom))
        return left, right + reach

    def fork(self, fork: Fork, x: float, y: float) -> tuple[float, float]:
        from matplotlib.patches import Circle

        size = self.measure_fork(fork)
        sizes = [self.measure_chain(arm) for arm in fork.arms]
        node = x + size.width - self.join_width(fork) / 2
        inner = x + GAP
        if _is_shortcut(fork):
            body, room = next((a, s) for a, s in zip(fork.arms, sizes, strict=True) if a)
            left, right = self.chain(body, inner, y)
            self.path([(x, y), (left, y)])
            self.path([(right, y), (node - 0.09, y)])
            self.arc((x, y), (node, y + 0.09), over=y + max(room.up, 0.15) + 0.12)
        else:
            bus = node - self.join_width(fork) / 2  # left of the node, clear of its letters
            top = y + (sum(s.up + s.down for s in sizes) + 0.1 * (len(sizes) - 1)) / 2
            for arm, room in zip(fork.arms, sizes, strict=True):
                level = top - room.up
                ends = self.chain(arm, inner, level) if arm else (inner, inner)
                self.path([(x, y), (x, level), (ends[0], level)], arrow=bool(arm))
                self.path([(ends[1], level), (bus, level), (bus, y)], arrow=False)
                top = level - room.down - 0.1
            self.path([(bus, y), (node - 0.09, y)])
        self.axes.add_patch(
            Circle((node, y), 0.09, facecolor=PAPER, edgecolor=INK, linewidth=0.8, zorder=3)
        )
        sign = "+" if fork.join == "add" else "‖"
        self.text(node, y, sign, va="center", zorder=4, card=False)
        if _is_shortcut(fork):  # above it the arc comes in
            self.text(node, y - 0.12, "\n".join([*_shape_lines(fork.shape), *fork.words]), va="top")
        else:
            self.words(fork.words, node, y + 0.12)
            self.shape(fork.shape, node, y - 0.12)
        return x, node + 0.09

    def words(self, words: list[str], x: float, y: float) -> None:
        """Layers one above the other, the first one on top."""
        if words:
            self.text(x, y, "\n".join(words), va="bottom")

    def shape(self, shape: Shape, x: float, y: float) -> None:
        self.text(x, y, "\n".join(_shape_lines(shape)), va="top")

    def text(
        self,
        x: float,
        y: float,
        text: str,
        va: str = "center",
        zorder: float = 2.5,
        card: bool = True,
    ) -> None:
        box = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.6} if card else None
        self.axes.text(
            x, y, text, ha="center", va=va, fontsize=FONT, color=INK, linespacing=1.15,
            zorder=zorder, bbox=box,
        )  # fmt: skip

    def path(self, points: list[tuple[float, float]], arrow: bool = True) -> None:
        from matplotlib.patches import FancyArrowPatch
        from matplotlib.path import Path

        self.axes.add_patch(
            FancyArrowPatch(
                path=Path(points),
                arrowstyle="-|>" if arrow else "-",
                mutation_scale=6,
                shrinkA=0,
                shrinkB=0,
                color=INK,
                linewidth=0.8,
                joinstyle="round",
                fill=None if arrow else False,
            )
        )

    def arc(self, start: tuple[float, float], end: tuple[float, float], over: float) -> None:
        """A shortcut: up, across and down in a round."""
        from matplotlib.patches import FancyArrowPatch
        from matplotlib.path import Path

        bend = min(0.3, (end[0] - start[0]) / 2)
        points = [
            start, (start[0], over), (start[0], over), (start[0] + bend, over),
            (end[0] - bend, over), (end[0], over), (end[0], over), end,
        ]  # fmt: skip
        codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3]
        self.axes.add_patch(
            FancyArrowPatch(
                path=Path(points, codes),
                arrowstyle="-|>",
                mutation_scale=6,
                color=INK,
                linewidth=0.8,
            )
        )


def _is_shortcut(fork: Fork) -> bool:
    """Whether the fork is a body and the identity, which is drawn as an arc over the body."""
    return len(fork.arms) == 2 and sum(1 for arm in fork.arms if arm) == 1


def _shapes(parts: list[Part]) -> Iterator[Shape]:
    for part in parts:
        yield part.shape
        if isinstance(part, Fork):
            for arm in part.arms:
                yield from _shapes(arm)


def _shape_lines(shape: Shape) -> list[str]:
    """Channels above height × width."""
    return [str(shape[0]), _times(shape[1:])] if len(shape) == 3 else [str(shape[0])]


def _text_width(lines: list[str]) -> float:
    return LETTER * max(map(len, lines)) + 0.06
