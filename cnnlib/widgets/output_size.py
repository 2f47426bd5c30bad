"""The output-size calculator: how many windows fit along an axis, and which pixels none of them reads."""

from fractions import Fraction

from cnnlib import shapes
from cnnlib.widgets.base import Widget, settings
from cnnlib.widgets.bundle import esm

__all__ = ["OutputSize"]


class OutputSize(Widget):
    """Calculator for the output size of a convolution; every setting is a synced trait.

    Parameters
    ----------
    size : int
        Input size *W* along one axis, in pixels. 5 unless given.
    kernel, stride, padding, dilation : int
        *F*, *S*, *P* and the distance of the taps. 3, 1, 0 and 1 unless given.
    in_channels, out_channels : int
        Input depth *D* and number of filters *K*. 1 unless given.

    Raises
    ------
    ShapeError
        If a setting is no whole number within its limits. Settings that do not belong together are
        no error: showing why they do not is what the calculator is for.

    Examples
    --------
    >>> calculator = OutputSize(size=224, kernel=11, stride=4)
    >>> calculator.exact, calculator.tiles, calculator.output_size, calculator.unseen
    (Fraction(217, 4), False, 54, 1)
    >>> calculator.size = 227
    >>> calculator.tiles, calculator.output_size
    (True, 55)
    """

    _module = "output_size"
    _esm = esm("output_size")

    size, kernel, stride, padding, dilation, in_channels, out_channels = settings("output_size")

    @property
    def _axis(self) -> dict[str, int]:
        names = ("size", "kernel", "stride", "padding", "dilation")
        return {name: getattr(self, name) for name in names}

    @property
    def _span(self) -> int:
        """How far the window can travel; negative if it does not fit."""
        return self.size + 2 * self.padding - shapes.effective_kernel(self.kernel, self.dilation)

    @property
    def exact(self) -> Fraction:
        """The formula's result before any rounding."""
        return Fraction(self._span, self.stride) + 1

    @property
    def fits(self) -> bool:
        """Whether the window fits into the padded input at all."""
        return self._span >= 0

    @property
    def tiles(self) -> bool:
        """Whether the strict rule accepts the settings."""
        return self.fits and self._span % self.stride == 0

    @property
    def output_size(self) -> int:
        """Output size along the axis, floored as PyTorch's layers do; a ShapeError if nothing fits."""
        return shapes.output_size(**self._axis, rounding="floor")

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """Output volume of a square input: (filters, height, width)."""
        return self.out_channels, self.output_size, self.output_size

    @property
    def coverage(self) -> list[int]:
        """For each pixel of the axis, the windows that read it."""
        return shapes.coverage(**self._axis)

    @property
    def unseen(self) -> int:
        """Pixels at the far edge that no window reaches."""
        return shapes.unseen(**self._axis)

    @property
    def params(self) -> int:
        """Learned numbers of the layer."""
        return shapes.conv_params(self.in_channels, self.out_channels, self.kernel)

    @property
    def nearest(self) -> shapes.Suggestions:
        """The nearest settings that tile, changing one at a time."""
        return shapes.nearest_valid(**self._axis)

    # --- sentences; output_size.js writes the same ones, and a test compares them ---

    def summary(self) -> str:
        """One sentence: do these windows tile, and what is lost if not."""
        if not self.fits:
            reach = shapes.effective_kernel(self.kernel, self.dilation)
            padded = self.size + 2 * self.padding
            return f"The window reaches across {_pixels(reach)}, but the padded input has only {padded:,}: it does not fit."
        windows, between = self.output_size, self.coverage.count(0) - self.unseen
        verb = "is" if between == 1 else "are"
        where = "windows" if self.dilation == 1 else "taps"
        holes = f" {_pixels(between)} between the {where} {verb} never read." if between else ""
        if self.tiles and windows == 1:
            return f"One window covers the padded input exactly: the output size is 1.{holes}"
        if self.tiles:
            return f"{windows:,} windows tile the padded input exactly: the output size is {windows:,}.{holes}"
        if self.unseen:
            edge = "pixel" if self.unseen == 1 else _pixels(self.unseen)
            lost = f"never reads the last {edge}"
        else:
            lost = "leaves out nothing but zeros of the padding"
        exact = _decimal(self.exact).replace("≈ ", "About ")
        return (
            f"{exact} is not a whole number: the windows do not tile the input. "
            f"The strict rule refuses; PyTorch floors to {windows:,} and {lost}.{holes}"
        )

    def facts(self) -> list[tuple[str, str]]:
        """Label and text of each row of the result."""
        exact = _decimal(self.exact)
        reach = self.kernel if self.dilation == 1 else f"({self.dilation}·({self.kernel} − 1) + 1)"
        equals = exact if exact.startswith("≈") else f"= {exact}"
        strict, floored, up, lost, volume = (
            "refused: the window does not fit",
            "none",
            "none",
            "all",
            "none",
        )
        if self.fits:
            n, unread = self.output_size, self.coverage.count(0)
            strict = f"{n:,}" if self.tiles else "refused: not a whole number"
            floored, up = f"{n:,}", f"{shapes.output_size(**self._axis, rounding='ceil'):,}"
            square = self.size**2 - (self.size - unread) ** 2
            lost = (
                f"{unread:,} of {self.size:,} along the axis; {square:,} of {self.size**2:,} in a square image"
                if unread
                else "none"
            )
            volume = f"{self.out_channels:,} × {n:,} × {n:,}"
        weights = f"({self.kernel}·{self.kernel}·{self.in_channels} + 1)·{self.out_channels}"
        return [
            ("Formula", f"({self.size} − {reach} + 2·{self.padding})/{self.stride} + 1 {equals}"),
            ("Strict rule", strict),
            ("Floored, as PyTorch does", floored),
            ("Rounded up (ceil mode of pooling)", up),
            ("Pixels never read", lost),
            ("Output volume (K × height × width)", volume),
            ("Parameters, weights and biases", f"{weights} = {self.params:,}"),
            (f"Nearest settings that {'tile' if self.fits else 'fit'}", self._nearest_text()),
        ]

    def _nearest_text(self) -> str:
        if self.tiles:
            return "these"
        if self.fits:
            found = self.nearest._asdict()
        else:
            found = shapes.nearest_fit(
                self.size, self.kernel, padding=self.padding, dilation=self.dilation
            )._asdict()
        return "; ".join(
            f"{name.removesuffix('s')} {' or '.join(map(str, values))}"
            for name, values in found.items()
            if values
        )


def _pixels(count: int) -> str:
    return "1 pixel" if count == 1 else f"{count:,} pixels"


def _decimal(value: Fraction) -> str:
    """A fraction to four decimals, computed with integers so that both languages round alike."""
    numerator, denominator = value.numerator, value.denominator
    sign = "−" if numerator < 0 else ""
    parts = (2 * 10000 * abs(numerator) + denominator) // (2 * denominator)
    digits = f"{parts % 10000:04}".rstrip("0")
    about = "≈ " if 10000 * numerator % denominator else ""
    return f"{about}{sign}{parts // 10000}{'.' if digits else ''}{digits}"
