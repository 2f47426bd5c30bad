"""The receptive-field explorer: what one output neuron sees, and how much each pixel of it counts.

Along one axis, the *theoretical* field is arithmetic: :func:`cnnlib.shapes.receptive_field`. How much
a pixel in it counts is seen from the *paths* that lead from it to the neuron, one for each way to
choose a tap in every layer. With independent random weights of mean 0 and no activation, the expected
square of a pixel's gradient is proportional to its paths (Luo, Li, Urtasun and Zemel, 2016,
*Understanding the effective receptive field in deep convolutional neural networks*, section 2).
:meth:`ReceptiveField.data` measures that square in networks with ReLU, for the examples.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from cnnlib import shapes
from cnnlib.reference.activation import relu, relu_backward
from cnnlib.reference.conv import conv2d_backward, conv2d_forward
from cnnlib.reference.pool import max_pool2d_backward, max_pool2d_forward
from cnnlib.widgets.base import Widget, _spec, grouped, settings
from cnnlib.widgets.bundle import esm

__all__ = ["ReceptiveField"]

# What is measured: so many networks of random weights, each with so many channels and a new image.
NETWORKS, CHANNELS, SEED = 60, 6, 2016
# Shares of the measured gradient are kept as whole numbers of 1/10,000: both languages add them alike.
PARTS = 10_000


class ReceptiveField(Widget):
    """Explorer of the receptive field of a stack of layers; every setting is a synced trait.

    Parameters
    ----------
    size : int
        Pixels of the input along one axis. 24 unless given.
    depth : int
        How many layers there are. 3 unless given.
    kernels, strides, paddings, dilations : list of int
        One number for each layer, from the input on; further ones wait until `depth` asks for them. A
        layer that a list does not reach has kernel 3, stride 1, padding 1, dilation 1.
    neuron : int
        The output neuron, counted from 0; beyond the last one, the last one. 12 unless given.

    Raises
    ------
    ShapeError
        If a setting is no whole number, or no list of 1 to 6 of them, within its limits. A layer that
        does not fit is no error: the explorer says so and shows the layers before it.

    References
    ----------
    Araujo, Norris and Sim (2019), *Computing receptive fields of convolutional neural networks*,
    Distill. Luo, Li, Urtasun and Zemel (2016), *Understanding the effective receptive field in deep
    convolutional neural networks*, NeurIPS.

    Examples
    --------
    >>> explorer = ReceptiveField(size=9, depth=2, neuron=4)
    >>> explorer.field
    ReceptiveField(size=5, jump=1, start=0.0)
    >>> explorer.paths[0]
    [0, 0, 1, 2, 3, 2, 1, 0, 0]
    """

    _module = "receptive_field"
    _esm = esm("receptive_field")

    size, depth, kernels, strides, paddings, dilations, neuron = settings("receptive_field")

    @classmethod
    def data(cls) -> dict[str, Any]:
        """For each example, every pixel's share of the squared gradient, in parts of 10,000."""
        return {"measured": [list(shares) for shares in _measured()]}

    @property
    def layers(self) -> list[shapes.Window]:
        """The layers that fit, from the input on."""
        return self._wanted[: len(self.sizes) - 1]

    @property
    def _wanted(self) -> list[shapes.Window]:
        """All layers that are asked for."""
        return _windows(self.settings)

    @property
    def sizes(self) -> list[int]:
        """Pixels of the input, then neurons of each layer that fits."""
        sizes = [self.size]
        for window in self._wanted:
            if _reach(window) > _padded(sizes[-1], window):
                break
            sizes.append(shapes.output_size(sizes[-1], **window._asdict(), rounding="floor"))
        return sizes

    @property
    def chosen(self) -> int:
        """The output neuron that is shown."""
        return min(self.neuron, self.sizes[-1] - 1)

    @property
    def field(self) -> shapes.ReceptiveField:
        """Theoretical receptive field, in the input, of the last layer that fits."""
        return shapes.receptive_field(self.layers)

    @property
    def spans(self) -> list[tuple[int, int]]:
        """First and last place that the chosen neuron sees of each row, from the input on.

        Places below 0 and beyond the row lie in the padding.
        """
        spans = []
        for depth in range(len(self.sizes)):
            size, jump, start = shapes.receptive_field(self.layers[depth:])
            first = int(start + self.chosen * jump - (size - 1) / 2)
            spans.append((first, first + size - 1))
        return spans

    @property
    def paths(self) -> list[list[int]]:
        """For each row of neurons from the input on, how many paths lead from each to the chosen one.

        They are the gradient of a network whose weights are all 1.
        """
        x, caches = np.zeros((1, 1, 1, self.size)), []
        for window in self.layers:
            x, kept = conv2d_forward(
                x,
                np.ones((1, 1, 1, window.kernel)),
                stride=(1, window.stride),
                padding=(0, _zeros(window)),
                dilation=(1, window.dilation),
            )
            caches.append(kept)
        gradient = np.zeros_like(x)
        gradient[..., self.chosen] = 1
        rows = [gradient]
        for kept in reversed(caches):
            rows.insert(0, conv2d_backward(rows[0], kept)[0])
        return [row.ravel().astype(int).tolist() for row in rows]

    @property
    def measured(self) -> list[int] | None:
        """Each pixel's share of the measured squared gradient; None where nothing was measured."""
        here = (self.size, self._wanted, self.chosen)
        for preset, shares in zip(
            _spec(self._module)["presets"], self._data["measured"], strict=True
        ):
            values = preset["values"]
            if (values["size"], _windows(values), values["neuron"]) == here:
                return shares
        return None

    # --- sentences; receptive_field.js writes the same ones, and a test compares them ---

    def summary(self) -> str:
        """One sentence: how far the neuron sees, and in how few pixels most of that lies."""
        fitting = len(self.sizes) - 1
        if fitting < len(self._wanted):
            window = self._wanted[fitting]
            return (
                f"Layer {fitting + 1} does not fit: its window reaches across {_reach(window)}, "
                f"but there are only {_padded(self.sizes[-1], window)}, padding included."
            )
        paths, (first, last) = self.paths[0], self.spans[0]
        if not any(paths):
            return f"Neuron {self.chosen} sees nothing but padding."
        inside = paths[max(first, 0) : last + 1]
        beyond, unread = self.field.size - len(inside), inside.count(0)
        return (
            f"Neuron {self.chosen} sees {_pixels(self.field.size)}"
            f"{f', {beyond:,} beyond the edge' if beyond else ''}{f', {unread} never read' if unread else ''}. "
            f"90 % of the paths to it begin {_narrow(paths)}."
        )

    def facts(self) -> list[tuple[str, str]]:
        """Label and text of each row of the result."""
        rows = []
        for depth, (size, (first, last)) in enumerate(zip(self.sizes, self.spans, strict=True)):
            field = shapes.receptive_field(self.layers[:depth])
            label = "Input"
            if depth:
                kernel, stride, padding, dilation = self.layers[depth - 1]
                label = f"Layer {depth}: F {kernel}, S {stride}, P {padding}, d {dilation}"
            start = int(field.start) if field.start.is_integer() else field.start
            rows.append(
                (
                    label,
                    f"size {field.size:,}, jump {field.jump:,}, start {grouped(start)}; "
                    f"seen: {grouped(first)} to {grouped(last)} of 0 to {size - 1}",
                )
            )
        total, shares = sum(self.paths[0]), self.measured
        paths = f"{total:,}; 90 % {_narrow(self.paths[0])}" if total else "none"
        found = f"90 % {_narrow(shares)}" if shares else "for the unchanged examples only"
        return [
            *rows,
            ("Paths to the neuron", paths),
            ("Squared gradient, measured", found),
        ]


def _windows(values: dict[str, Any]) -> list[shapes.Window]:
    """The layers that the settings ask for."""

    def number(name: str, layer: int, default: int) -> int:
        return values[name][layer] if layer < len(values[name]) else default

    return [
        shapes.Window(
            number("kernels", layer, 3),
            number("strides", layer, 1),
            number("paddings", layer, 1),
            number("dilations", layer, 1),
        )
        for layer in range(values["depth"])
    ]


def _reach(window: shapes.Window) -> int:
    return shapes.effective_kernel(window.kernel, window.dilation)


def _zeros(window: shapes.Window) -> int:
    """The padding on one side; here both sides have the same."""
    assert isinstance(window.padding, int)
    return window.padding


def _padded(size: int, window: shapes.Window) -> int:
    return size + 2 * _zeros(window)


def _within(shares: list[int], percent: int) -> int:
    """The fewest pixels in a row that hold so many percent of the sum."""
    ends = np.concatenate([[0], np.cumsum(shares)])
    return next(
        width
        for width in range(1, len(ends))
        if 100 * (ends[width:] - ends[:-width]).max() >= percent * ends[-1]
    )


def _narrow(shares: list[int]) -> str:
    return f"within {_pixels(_within(shares, 90))}, half within {_within(shares, 50)}"


def _pixels(count: int) -> str:
    return "1 pixel" if count == 1 else f"{count:,} pixels"


@cache
def _measured() -> tuple[tuple[int, ...], ...]:
    return tuple(_shares(preset["values"]) for preset in _spec(ReceptiveField._module)["presets"])


def _shares(values: dict[str, Any]) -> tuple[int, ...]:
    """Measure one example: squared gradients, summed to either axis, averaged over axes and networks."""
    draw = np.random.default_rng(SEED)
    shares = np.zeros(values["size"])
    for _ in range(NETWORKS):
        energy = np.square(_input_gradient(values, draw)).sum(axis=(0, 1))
        shares += (energy.sum(axis=0) + energy.sum(axis=1)) / energy.sum()
    return tuple(np.rint(shares / (2 * NETWORKS) * PARTS).astype(int).tolist())


def _input_gradient(values: dict[str, Any], draw: np.random.Generator) -> np.ndarray:
    """Gradient of one output position, all channels added, on a square image in a random network.

    Every CONV but the first reads through ReLU. A window of 2 at stride 2 is max pooling.
    """
    x = draw.standard_normal((1, 3, values["size"], values["size"]))
    backward: list[tuple[Callable, Any]] = []
    for depth, (kernel, stride, padding, dilation) in enumerate(_windows(values)):
        if (kernel, stride, padding) == (2, 2, 0):
            x, kept = max_pool2d_forward(x, kernel)
            backward.append((max_pool2d_backward, kept))
            continue
        if depth:
            x = relu(x)
            backward.append((relu_backward, x))
        scale = np.sqrt(2 / (x.shape[1] * kernel**2))
        weight = scale * draw.standard_normal((CHANNELS, x.shape[1], kernel, kernel))
        x, kept = conv2d_forward(x, weight, stride=stride, padding=padding, dilation=dilation)
        backward.append((lambda *given: conv2d_backward(*given)[0], kept))
    gradient = np.zeros_like(x)
    gradient[:, :, values["neuron"], values["neuron"]] = 1
    for step, kept in reversed(backward):
        gradient = step(gradient, kept)
    return gradient
