"""Sizes run through a diagram: what each layer takes, gives and learns.

:func:`plan` unrolls repeats, numbers the layers (``conv1``, ``bn1``, ``fc2``) and settles every size.
The summary, the networks of both libraries and the drawing all read the plan, so they cannot differ.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NoReturn

from cnnlib import shapes
from cnnlib.diagram.parse import parse
from cnnlib.diagram.tree import Branches, Chain, Layer, Maybe, Node, Repeat
from cnnlib.errors import ShapeError, error_at

__all__ = ["Plan", "Shape", "Split", "Step", "Window", "plan"]

Shape = tuple[int, ...]
Pair = tuple[int, int]

MOST_PARTS = 20_000  # ten times more than any network in use; a slip such as * 1000000 ends here


@dataclass(frozen=True)
class Window:
    """A sliding window on both axes: (height, width) each; padding as ((top, bottom), (left, right))."""

    kernel: Pair
    stride: Pair
    padding: tuple[Pair, Pair]
    dilation: Pair
    rounding: shapes.Rounding

    @property
    def symmetric(self) -> bool:
        """Whether both sides of each axis get as many zeros, which all layers can do themselves."""
        return all(before == after for before, after in self.padding)


@dataclass(frozen=True)
class Step:
    """One layer with its sizes settled.

    Attributes
    ----------
    name : str
        Its kind in lower case and its number among its kind. Arrays are called ``name.weight`` etc.
    layer : Layer
        The layer as written.
    in_shape, out_shape : (C, H, W) or (D,)
        Without the batch axis.
    window : Window or None
        Of CONV and POOL.
    arrays, buffers : dict of str to shape
        What it learns, and what it keeps without learning it.
    """

    name: str
    layer: Layer
    in_shape: Shape
    out_shape: Shape
    window: Window | None = None
    arrays: dict[str, Shape] = field(default_factory=dict)
    buffers: dict[str, Shape] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return self.layer.kind


@dataclass(frozen=True)
class Split:
    """Branches with their sizes settled; an arm without steps is the identity."""

    name: str
    join: str
    arms: tuple[tuple["Step | Split", ...], ...]
    in_shape: Shape
    out_shape: Shape


@dataclass(frozen=True)
class Plan:
    """A diagram with every size settled."""

    in_shape: Shape
    steps: tuple[Step | Split, ...]
    out_shape: Shape

    def layers(self) -> Iterator[Step]:
        """All layers, in the order of the text."""
        return _layers(self.steps)


def _layers(steps: tuple[Step | Split, ...]) -> Iterator[Step]:
    for step in steps:
        if isinstance(step, Step):
            yield step
        else:
            for arm in step.arms:
                yield from _layers(arm)


def plan(diagram: str | Chain, input_shape: tuple[int, ...] | None = None) -> Plan:
    """Settle every size of a diagram.

    Parameters
    ----------
    diagram : str or Chain
        A text, or what :func:`cnnlib.diagram.parse` made of it. Repeats must have numbers; names such
        as N are given with :func:`cnnlib.diagram.expand`.
    input_shape : (C, H, W) or (D,), optional
        One image, without the batch axis. It takes precedence over what INPUT says.

    Raises
    ------
    DiagramError
        At the layer whose size is missing or does not fit.
    """
    text = str(diagram)
    tree = parse(text)  # a tree is read again, so that places in errors are places in this text
    return _Planner(text).plan(tree, input_shape)


class _Planner:
    """One walk through one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.seen: Counter[str] = Counter()
        self.visited = 0

    def plan(self, tree: Chain, input_shape: tuple[int, ...] | None) -> Plan:
        first = tree.items[0] if tree.items else None
        if isinstance(first, Layer) and first.kind == "INPUT":
            shape, rest = self.input_shape(first, input_shape), Chain(tree.items[1:])
        elif input_shape is None:
            self.fail(
                0,
                "the diagram does not start with INPUT, so no size is known.",
                "Start with INPUT(3, 32, 32), channels first, or give input_shape=(3, 32, 32).",
            )
        else:
            shape, rest = _given(input_shape), tree
        steps = self.chain(rest, shape)
        return Plan(shape, steps, steps[-1].out_shape if steps else shape)

    def input_shape(self, layer: Layer, given: tuple[int, ...] | None) -> Shape:
        if given is not None:
            return _given(given)
        numbers = [layer.get(name) for name in ("channels", "height", "width")]
        complete = numbers[0] is not None and (numbers[1] is None) == (numbers[2] is None)
        if not complete:
            self.fail(
                layer.at,
                f"{layer} does not say how large the input is.",
                "Write INPUT(3, 32, 32), channels first, or give input_shape=(3, 32, 32).",
            )
        return tuple(number for number in numbers if number is not None)

    def chain(self, chain: Chain, shape: Shape) -> tuple[Step | Split, ...]:
        steps: list[Step | Split] = []
        for item in chain.items:
            found = self.item(item, shape)
            steps += found
            shape = found[-1].out_shape if found else shape
        return tuple(steps)

    def item(self, item: Node, shape: Shape) -> tuple[Step | Split, ...]:
        self.visited += 1
        if self.visited > MOST_PARTS and not isinstance(item, Chain):
            self.fail(
                item.at,
                f"the diagram has more than {MOST_PARTS:,} parts once its repeats are written out.",
                "Repeat fewer times.",
            )
        if isinstance(item, Chain):
            return self.chain(item, shape)
        if isinstance(item, Branches):
            return (self.branches(item, shape),)
        if isinstance(item, Repeat):
            if isinstance(item.times, str):
                self.fail(
                    item.at,
                    f"{item.times} stands for a number that is not given.",
                    f"Write a number, or expand(text, {item.times}=2) first.",
                )
            repeated: tuple[Step | Split, ...] = ()
            for _ in range(item.times):
                repeated += self.chain(item.body, shape)
                shape = repeated[-1].out_shape if repeated else shape
            return repeated
        if isinstance(item, Maybe):
            self.fail(
                item.at,
                f"{item} may be there or not, which leaves the sizes open.",
                f"Leave out the question mark, or expand(text, {item.name}=True) first.",
            )
        return () if item.kind == "ID" else (self.step(item, shape),)

    # --- layers -------------------------------------------------------------------------------

    def step(self, layer: Layer, shape: Shape) -> Step:
        if layer.kind in ("CONV", "POOL", "GAP") and len(shape) == 1:
            self.fail(
                layer.at,
                f"{layer.kind} needs a volume (channels, height, width), but what comes in is a list "
                f"of {shape[0]:,} numbers.",
                "Put it before the first FC or GAP, which give up height and width.",
            )
        self.seen[layer.kind] += 1
        name = f"{layer.kind.lower()}{self.seen[layer.kind]}"
        if layer.kind == "CONV":
            return self.conv(name, layer, shape)
        if layer.kind == "POOL":
            window = self.window(layer, shape)
            return Step(name, layer, shape, (shape[0], *self.slide(layer, shape, window)), window)
        if layer.kind == "GAP":
            return Step(name, layer, shape, shape[:1])
        if layer.kind == "FC":
            units = self.required(layer, "units", "FC(10)")
            arrays: dict[str, Shape] = {"weight": (units, math.prod(shape))}
            return Step(name, layer, shape, (units,), None, _with_bias(layer, arrays))
        if layer.kind == "BN":
            return Step(
                name,
                layer,
                shape,
                shape,
                None,
                {"gamma": shape[:1], "beta": shape[:1]},
                {"running_mean": shape[:1], "running_var": shape[:1]},
            )
        return Step(name, layer, shape, shape)

    def conv(self, name: str, layer: Layer, shape: Shape) -> Step:
        filters = self.required(layer, "filters", "CONV(32)")
        window, groups = self.window(layer, shape), layer.get("groups")
        for count, what in ((shape[0], "channels come in"), (filters, "filters are asked for")):
            if count % groups:
                self.fail(
                    layer.at,
                    f"{count} {what}, which groups={groups} does not divide.",
                    f"Use a number of groups that divides {shape[0]} and {filters}.",
                )
        arrays: dict[str, Shape] = {"weight": (filters, shape[0] // groups, *window.kernel)}
        size = self.slide(layer, shape, window)
        window = _rounded_by_padding(window, shape, size)
        return Step(name, layer, shape, (filters, *size), window, _with_bias(layer, arrays))

    def required(self, layer: Layer, setting: str, example: str) -> int:
        value = layer.get(setting)
        if value is None:
            self.fail(
                layer.at,
                f"{layer} does not say how many {setting} it has.",
                f"Write the number in brackets, for instance {example}.",
            )
        return value

    # --- windows ------------------------------------------------------------------------------

    def window(self, layer: Layer, shape: Shape) -> Window:
        kernel = shapes.pair("kernel", layer.get("kernel"), 1)
        stride = shapes.pair("stride", layer.get("stride"), 1)
        dilation = (
            (1, 1) if layer.kind == "POOL" else shapes.pair("dilation", layer.get("dilation"), 1)
        )
        if layer.get("padding") == "same":
            padding = tuple(
                shapes.same_padding(k, dilation=d) for k, d in zip(kernel, dilation, strict=True)
            )
        else:
            padding = tuple((p, p) for p in shapes.pair("padding", layer.get("padding"), 0))
        if layer.kind == "POOL":
            for k, (p, _) in zip(kernel, padding, strict=True):
                if p > k // 2:
                    self.fail(
                        layer.at,
                        f"padding {p} is more than half of the window of {k}: windows at the border "
                        "would see nothing but padding.",
                        f"Use a padding of at most {k // 2}.",
                    )
        return Window(kernel, stride, (padding[0], padding[1]), dilation, layer.get("rounding"))

    def slide(self, layer: Layer, shape: Shape, window: Window) -> Pair:
        sizes = []
        for axis, name in enumerate(("height", "width")):
            try:
                sizes.append(
                    shapes.output_size(
                        shape[axis + 1],
                        window.kernel[axis],
                        stride=window.stride[axis],
                        padding=window.padding[axis],
                        dilation=window.dilation[axis],
                        rounding=window.rounding,
                    )
                )
            except ShapeError as error:
                self.fail(layer.at, f"{name}: {error}")
        return sizes[0], sizes[1]

    # --- branches -----------------------------------------------------------------------------

    def branches(self, branches: Branches, shape: Shape) -> Split:
        self.seen[branches.join] += 1
        name = f"{branches.join}{self.seen[branches.join]}"
        arms = tuple(self.chain(arm, shape) for arm in branches.arms)
        outs = [arm[-1].out_shape if arm else shape for arm in arms]
        for number, out in enumerate(outs[1:], start=2):
            first = outs[0]
            if branches.join == "add" and out != first:
                self.fail(
                    branches.at,
                    f"branches are added number by number, but branch 1 gives {_size(first)} and "
                    f"branch {number} gives {_size(out)}.",
                    "Give both the same sizes; a 1×1 CONV with a stride makes a shortcut fit.",
                )
            if branches.join == "concat" and out[1:] != first[1:]:
                self.fail(
                    branches.at,
                    f"branches are put one behind the other along depth, but branch 1 gives "
                    f"{_size(first)} and branch {number} gives {_size(out)}.",
                    "Give all the same height and width: the same stride, and padding that keeps the size.",
                )
        depth = sum(out[0] for out in outs) if branches.join == "concat" else outs[0][0]
        return Split(name, branches.join, arms, shape, (depth, *outs[0][1:]))

    def fail(self, at: int, message: str, suggestion: str = "") -> NoReturn:
        raise error_at(self.text, at, message, suggestion) from None


def _given(input_shape: tuple[int, ...]) -> Shape:
    if not isinstance(input_shape, tuple | list) or len(input_shape) not in (1, 3):
        raise ShapeError(
            f"input_shape={input_shape!r} is no size of one image: give (channels, height, width), "
            "for instance (3, 32, 32), or (features,), without the batch axis."
        )
    return tuple(
        shapes.whole(f"input_shape[{i}]", number, 1) for i, number in enumerate(input_shape)
    )


def _rounded_by_padding(window: Window, shape: Shape, size: Pair) -> Window:
    """The same window with `size` positions that fit: what rounding up lets stick out is padded.

    Convolutions of both libraries round down, so rounding up becomes zeros after the image.
    """
    padding = []
    for axis, (before, after) in enumerate(window.padding):
        reach = shapes.effective_kernel(window.kernel[axis], window.dilation[axis])
        needed = (size[axis] - 1) * window.stride[axis] + reach
        padding.append((before, max(after, needed - before - shape[axis + 1])))
    return replace(window, padding=(padding[0], padding[1]))


def _with_bias(layer: Layer, arrays: dict[str, Shape]) -> dict[str, Shape]:
    return arrays | {"bias": arrays["weight"][:1]} if layer.get("bias") else arrays


def _size(shape: Shape) -> str:
    return "×".join(map(str, shape))
