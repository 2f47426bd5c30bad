"""The convolution stepper: one window after the other, its products, its sum, and the map that fills up."""

from functools import cache
from typing import Any

import numpy as np

from cnnlib import shapes
from cnnlib.reference.conv import conv2d
from cnnlib.reference.conventions import flip_kernel
from cnnlib.widgets.base import Widget, grouped, settings
from cnnlib.widgets.bundle import esm

__all__ = ["Convolution"]


class Convolution(Widget):
    """A CONV layer on a small image, walked through window by window; every setting is a synced trait.

    Parameters
    ----------
    image : str
        ``"numbers"``, the image of `pixels`, or ``"photograph"``, one of 24 × 24 in grey (in every
        channel the same). Numbers unless given.
    size, channels : int
        Height and width *W* of the image of numbers, and its depth *D*. 5 and 1 unless given.
    kernel, stride, padding, dilation : int
        *F*, *S*, *P* and the distance of the weights. 3, 1, 0 and 1 unless given.
    filters, shown : int
        Number of filters *K*, and the one that is shown, counted from 1.
    flip : bool
        Whether the kernel is flipped on both axes first: convolution as in mathematics.
    pixels, weights : list of int
        The image (D, W, W) and the filters (K, D, F, F), in rows. A list that is too short is
        repeated, as :func:`numpy.resize` does. The 5 × 5 example and the Laplacian unless given.
    step : int
        The window that is shown, counted from 0, row by row.

    Raises
    ------
    ShapeError, RangeError
        If a setting is not within its limits. A window that does not fit is no error: the widget
        says so.

    Examples
    --------
    >>> stepper = Convolution(stride=2)
    >>> stepper.output.tolist()
    [[[692, -6], [153, -86]]]
    >>> stepper.products.tolist()
    [[[0, 242, 0], [39, -56, 220], [0, 247, 0]]]

    References
    ----------
    Dumoulin and Visin (2016), *A guide to convolution arithmetic for deep learning*, chapter 2.
    """

    _module = "convolution"
    _esm = esm("convolution")

    (
        size,
        channels,
        image,
        stride,
        padding,
        dilation,
        kernel,
        filters,
        flip,
        shown,
        pixels,
        weights,
        step,
    ) = settings("convolution")

    @classmethod
    def data(cls) -> dict[str, Any]:
        """The photograph, in rows of whole numbers from 0 to 255."""
        return {"photograph": _photograph().ravel().tolist()}

    @property
    def _axis(self) -> dict[str, int]:
        names = ("kernel", "stride", "padding", "dilation")
        return {"size": len(self.input[0]), **{name: getattr(self, name) for name in names}}

    @property
    def input(self) -> np.ndarray:
        """The image, (D, height, width), without its padding."""
        if self.image == "photograph":
            return np.resize(_photograph(), (self.channels, *_photograph().shape))
        return np.resize(self.pixels, (self.channels, self.size, self.size))

    @property
    def kernels(self) -> np.ndarray:
        """The filters as they are written, (K, D, F, F)."""
        return np.resize(self.weights, (self.filters, self.channels, self.kernel, self.kernel))

    @property
    def fits(self) -> bool:
        """Whether the window fits into the padded image."""
        reach = shapes.effective_kernel(self.kernel, self.dilation)
        return self._axis["size"] + 2 * self.padding >= reach

    @property
    def output_size(self) -> int:
        """Height and width of the output, floored as PyTorch does; a ShapeError if nothing fits."""
        return shapes.output_size(**self._axis, rounding="floor")

    @property
    def output(self) -> np.ndarray:
        """The maps of all filters, (K, height, width); a ShapeError if the window does not fit."""
        return self._maps(self.flip)

    @property
    def products(self) -> np.ndarray:
        """Pixels times weights of the window and the filter that are shown, (D, F, F)."""
        d, reach = self.dilation, shapes.effective_kernel(self.kernel, self.dilation)
        top, left = (self.stride * place for place in self._place)
        padded = np.pad(self.input, ((0, 0), *[(self.padding, self.padding)] * 2))
        window = padded[:, top : top + reach : d, left : left + reach : d]
        kernels = flip_kernel(self.kernels) if self.flip else self.kernels
        return window * kernels[self._filter]

    def _maps(self, flip: bool) -> np.ndarray:
        kernels = flip_kernel(self.kernels) if flip else self.kernels
        x, weight = self.input[None].astype(np.float64), kernels.astype(np.float64)
        settings = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}
        return conv2d(x, weight, **settings)[0].astype(np.int64)

    @property
    def _filter(self) -> int:
        return min(self.shown, self.filters) - 1

    @property
    def _place(self) -> tuple[int, int]:
        """Row and column of the output that the window gives."""
        side = self.output_size
        row, column = divmod(min(self.step, side**2 - 1), side)
        return row, column

    # --- sentences; convolution.js writes the same ones, and a test compares them ---

    def summary(self) -> str:
        """One sentence: what the window gives, and where it goes."""
        if not self.fits:
            reach = shapes.effective_kernel(self.kernel, self.dilation)
            padded = self._axis["size"] + 2 * self.padding
            return f"The window reaches across {reach} pixels, but the padded input has only {padded}: it does not fit."
        (row, column), side = self._place, self.output_size
        turned = ", with the kernel flipped" if self.flip else ""
        number = row * side + column + 1
        whole = f"map {self._filter + 1}" if self.filters > 1 else "the output"
        return (
            f"Window {number} of {side**2} gives {grouped(self.products.sum())}{turned}: "
            f"it goes to row {row + 1}, column {column + 1} of {whole}"
            f"{', which is full now' if number == side**2 else ''}."
        )

    def facts(self) -> list[tuple[str, str]]:
        """Label and text of each row of the result."""
        size = self._axis["size"]
        padded = size + 2 * self.padding
        zeros = f", with its zeros {self.channels} × {padded} × {padded}" if self.padding else ""
        output = total = correlation = convolution = unread = drawn = "none"
        if self.fits:
            side, where = self.output_size, (self._filter, *self._place)
            output = f"{self.filters} × {side} × {side}"
            sums, products = self.products.sum(axis=(1, 2)), self.products.ravel()
            total = f"{_added(sums if self.channels > 1 else products)} = {grouped(sums.sum())}"
            total += ", a sum for each channel" if self.channels > 1 else ""
            correlation, convolution = (grouped(self._maps(flip)[where]) for flip in (False, True))
            unread = str(shapes.unseen(**self._axis) or "none")
            drawn = _drawn(self.output[self._filter])
        return [
            ("Input (D × height × width)", f"{self.channels} × {size} × {size}{zeros}"),
            ("Output (K × height × width)", output),
            ("Sum of the products", total),
            ("Deep learning: kernel as it is", correlation),
            ("Mathematics: kernel flipped", convolution),
            ("Last rows and columns never read", unread),
            (f"Map of filter {self._filter + 1}", drawn),
        ]


@cache
def _photograph() -> np.ndarray:
    """The course's photograph in 24 × 24 whole numbers: means of blocks of 5 × 5."""
    from cnnlib.data.photograph import photograph

    blocks = photograph()[4:124, 4:124].reshape(24, 5, 24, 5)
    return np.rint(255 * blocks.mean(axis=(1, 3))).astype(np.int64)


def _added(terms: np.ndarray) -> str:
    first, *others = terms.tolist()
    signed = (f" {'−' if term < 0 else '+'} {grouped(abs(term))}" for term in others)
    return grouped(first) + "".join(signed)


def _drawn(numbers: np.ndarray) -> str:
    """A map as text: row by row if it is small."""
    side = len(numbers)
    if side > 7:
        ends = f"{grouped(numbers.min())} to {grouped(numbers.max())}"
        return f"{side} × {side} numbers from {ends}"
    return "; ".join("  ".join(map(grouped, row)) for row in numbers.tolist())
