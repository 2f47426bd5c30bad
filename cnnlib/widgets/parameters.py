"""Parameter explosion: the weights of a layer, wired in three ways, as the image grows."""

import math

from cnnlib import shapes
from cnnlib.widgets.base import Widget, fixed, grouped, settings
from cnnlib.widgets.bundle import esm

__all__ = ["Parameters"]


class Parameters(Widget):
    """Weights of a fully connected, a locally connected and a CONV layer on one image.

    Biases are left out. The two local layers put a window on every pixel; at the border it meets
    padding, which is counted in full. So both give ``size * size * filters`` numbers, and the fully
    connected layer is counted twice: with `neurons` outputs, and with as many outputs as those two.

    Parameters
    ----------
    size, depth : int
        Side and depth of the image. 32 and 3 unless given.
    neurons : int
        Neurons of the fully connected layer. 1000 unless given.
    filters, kernel : int
        Filters *K* and kernel *F* of the two local layers. 1 and 3 unless given.

    Raises
    ------
    ShapeError
        If a setting is no whole number within its limits.

    Examples
    --------
    >>> layer = Parameters(size=250)
    >>> layer.inputs, layer.fully_connected
    (187500, 187500000)
    >>> layer.fully_connected_equal, layer.locally_connected, layer.convolutional
    (11718750000, 1687500, 27)
    """

    _module = "parameters"
    _esm = esm("parameters")

    size, depth, neurons, filters, kernel = settings("parameters")

    @property
    def inputs(self) -> int:
        """Numbers of the image."""
        return self.size**2 * self.depth

    @property
    def outputs(self) -> int:
        """Numbers that a local layer gives: one a pixel and filter."""
        padding = shapes.same_padding(self.kernel)
        return shapes.output_size(self.size, self.kernel, padding=padding) ** 2 * self.filters

    @property
    def fully_connected(self) -> int:
        """Weights of the fully connected layer with `neurons` neurons."""
        return shapes.linear_params(self.inputs, self.neurons, bias=False)

    @property
    def fully_connected_equal(self) -> int:
        """Weights of a fully connected layer with as many outputs as the CONV layer."""
        return shapes.linear_params(self.inputs, self.outputs, bias=False)

    @property
    def locally_connected(self) -> int:
        """Weights of the locally connected layer: each output has a kernel of its own."""
        return shapes.conv_params(self.depth, self.outputs, self.kernel, bias=False)

    @property
    def convolutional(self) -> int:
        """Weights of the CONV layer: one kernel a filter."""
        return shapes.conv_params(self.depth, self.filters, self.kernel, bias=False)

    # --- words; parameters.js writes the same ones, and a test compares them ---

    def summary(self) -> str:
        """One sentence: FC against CONV, and what each gives for its weights."""
        some, conv = self.fully_connected, self.convolutional
        gives = "1 number" if self.neurons == 1 else f"{grouped(self.neurons)} numbers"
        wide = " The window is wider than the image, so most of its weights meet padding."
        return (
            f"FC with {_units(self.neurons)} needs {_comparison(some, conv)}: "
            f"{grouped(some)} against {grouped(conv)}. It gives {gives}, CONV gives {grouped(self.outputs)}; "
            f"an FC layer that gives as many needs {grouped(self.fully_connected_equal)}."
            f"{wide if self.kernel > self.size else ''}"
        )

    def facts(self) -> list[tuple[str, str]]:
        """Label and text of each row of the result."""
        window, taps = f"{self.kernel} × {self.kernel}", self.kernel**2 * self.depth

        def product(a: int, b: int, whole: int) -> str:
            return f"{grouped(a)} · {grouped(b)} = {grouped(whole)}"

        return [
            (
                "Inputs",
                f"{grouped(self.size)} · {grouped(self.size)} · {self.depth} = {grouped(self.inputs)}",
            ),
            (
                "FC, as many outputs as CONV",
                product(self.inputs, self.outputs, self.fully_connected_equal),
            ),
            (
                f"FC, {_units(self.neurons)}",
                product(self.inputs, self.neurons, self.fully_connected),
            ),
            (f"Locally connected, {window}", product(self.outputs, taps, self.locally_connected)),
            (f"CONV, {window}", product(self.filters, taps, self.convolutional)),
        ]


def _units(count: int) -> str:
    return "1 neuron" if count == 1 else f"{grouped(count)} neurons"


def _comparison(some: int, conv: int) -> str:
    if some == conv:
        return "as many weights as CONV"
    if some < conv:
        return "fewer weights than CONV"
    ratio = some / conv
    return f"{fixed(ratio, 1) if ratio < 10 else grouped(math.floor(ratio + 0.5))} times the weights of CONV"
