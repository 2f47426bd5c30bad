"""AlexNet detective: which readings of the paper agree with the numbers that it prints."""

from typing import NamedTuple

from cnnlib import shapes
from cnnlib.errors import ShapeError
from cnnlib.widgets.base import Widget, _spec, grouped, settings
from cnnlib.widgets.bundle import esm

__all__ = ["AlexNetDetective", "Clue"]

LAYERS = [tuple(row) for row in _spec("alexnet")["layers"]]
FC = _spec("alexnet")["fc"]
CONVS = _spec("alexnet")["convs"]


class Clue(NamedTuple):
    """A number that the paper prints, and what the reading gives in its place.

    `here` is None where the strict rule has stopped the computation. The two round numbers of the
    abstract fit within two per cent, all others exactly.
    """

    label: str
    printed: int
    here: int | None
    fits: bool


class AlexNetDetective(Widget):
    """A reading of the AlexNet paper, held against the numbers that the paper prints.

    Fixed are what all readings share: the kernels and strides, padding that keeps the size from the
    second CONV layer on, and pooling windows of 3 at stride 2.

    Parameters
    ----------
    size : int
        Side of the input. 224 unless given.
    before, after : int
        Zeros that the first layer adds before and after the pixels of each axis. 0 unless given.
    network : {"paper", "whole", "later"}
        Filters of the five CONV layers: the paper's, where layers 2, 4 and 5 see only their half of
        the maps; the same undivided; or those of the later paper and of torchvision, undivided.
    rounding : {"strict", "floor", "ceil"}
        How all layers round, as in :func:`cnnlib.shapes.output_size`.

    Raises
    ------
    ShapeError, RangeError
        If a setting is not within its limits. A reading that the strict rule refuses is no error.

    References
    ----------
    Krizhevsky, Sutskever and Hinton (2012), *ImageNet classification with deep convolutional neural
    networks*; for ``network="later"`` Krizhevsky (2014), *One weird trick for parallelizing
    convolutional neural networks*.

    Examples
    --------
    >>> reading = AlexNetDetective(rounding="ceil")
    >>> reading.sides
    [224, 55, 27, 27, 13, 13, 13, 13, 6]
    >>> [clue.printed for clue in reading.clues if not clue.fits]
    [253440]
    """

    _module = "alexnet"
    _esm = esm("alexnet")

    size, before, after, network, rounding = settings("alexnet")

    @property
    def sides(self) -> list[int | None]:
        """Side of the input and of every layer's maps; None from the first refused layer on."""
        found: list[int | None] = [self.size]
        for (_, kernel, stride, _), padding in zip(LAYERS, self._paddings, strict=True):
            found.append(self._side(found[-1], kernel, stride, padding))
        return found

    @property
    def _paddings(self) -> list[tuple[int, int]]:
        return [(self.before, self.after)] + [(padding, padding) for *_, padding in LAYERS[1:]]

    def _side(
        self, size: int | None, kernel: int, stride: int, padding: tuple[int, int]
    ) -> int | None:
        if size is None:
            return None
        try:
            return shapes.output_size(
                size, kernel, stride=stride, padding=padding, rounding=self.rounding
            )
        except ShapeError:
            return None

    @property
    def widths(self) -> list[int]:
        """Filters of the five CONV layers."""
        return _spec("alexnet")["widths"][self.network]

    @property
    def neurons(self) -> list[int | None]:
        """Neurons of the five CONV layers and of the three FC layers."""
        sides = [self.sides[index + 1] for index in CONVS]
        conv = [side and side**2 * width for side, width in zip(sides, self.widths, strict=True)]
        return conv + FC

    def _groups(self, layer: int) -> int:
        """Two halves of the network meet in layer 3 only, and in FC."""
        return 2 if self.network == "paper" and layer in (1, 3, 4) else 1

    @property
    def params(self) -> int | None:
        """Learned numbers of the whole network; None where a layer is refused."""
        side = self.sides[-1]
        if side is None:
            return None
        depths, features = [3, *self.widths], [side**2 * self.widths[-1], *FC]
        conv = (
            shapes.conv_params(
                depths[layer],
                depths[layer + 1],
                LAYERS[index][1],
                groups=self._groups(layer),
            )
            for layer, index in enumerate(CONVS)
        )
        return sum(conv) + sum(map(shapes.linear_params, features, FC))

    @property
    def clues(self) -> list[Clue]:
        """Every printed number beside what this reading gives."""
        neurons, sides = self.neurons, [self.sides[index + 1] for index in CONVS]
        known = [number for number in neurons if number is not None]
        found = [
            self.size**2 * 3,
            2 * (256 - self.size) ** 2,
            sides[0],
            neurons[0],
            self.widths[0] // self._groups(1),
            sides[1],
            neurons[1],
            sides[2],
            *neurons[2:5],
            sum(known) if len(known) == len(neurons) else None,
            self.params,
        ]
        return [
            Clue(label, printed, here, _fits(printed, here, bool(about)))
            for (label, printed, *about), here in zip(_spec("alexnet")["clues"], found, strict=True)
        ]

    # --- words; alexnet.js writes the same ones, and a test compares them ---

    def summary(self) -> str:
        """One sentence: how many printed numbers fit, and what speaks against the reading."""
        clues, sides = self.clues, self.sides
        against = [clue for clue in clues if not clue.fits]
        fit = f"{len(clues) - len(against)} of the {len(clues)} printed numbers fit."
        if None not in sides:
            return f"{fit} Against it: {'; '.join(grouped(clue.printed) for clue in against)}."
        stop = sides.index(None) - 1
        name, kernel, stride, _ = LAYERS[stop]
        exact = self._exact(sides[stop] or 0, kernel, stride, self._paddings[stop])
        return f"{fit} The strict rule stops at {name}: {exact} is not a whole number of windows."

    def facts(self) -> list[tuple[str, str]]:
        """Label and text of each row of the result: the sizes, then the clues."""
        sides, (_, kernel, stride, _) = self.sides, LAYERS[0]
        pads = (self.before, self.after)
        lost = shapes.unseen(self.size, kernel, stride, pads) if self.rounding == "floor" else 0
        exact = self._exact(self.size, kernel, stride, pads)
        unread = f"{lost} of {self.size} along each axis" if lost else "none"
        return [
            ("Sides, layer by layer", " → ".join(map(_shown, sides))),
            (
                "Formula for layer 1",
                f"({self.size} − {kernel} + {self.before} + {self.after})/{stride} + 1 = {exact}",
            ),
            ("Pixels that layer 1 never reads", "all" if sides[1] is None else unread),
            *(
                (
                    clue.label,
                    f"printed {grouped(clue.printed)}, here {_shown(clue.here)}: "
                    f"{'fits' if clue.fits else 'does not fit'}",
                )
                for clue in self.clues
            ),
        ]

    @staticmethod
    def _exact(size: int, kernel: int, stride: int, padding: tuple[int, int]) -> str:
        """The formula's result before any rounding."""
        return f"{(size - kernel + sum(padding)) / stride + 1:g}"


def _fits(printed: int, here: int | None, about: bool) -> bool:
    if here is None:
        return False
    return abs(here - printed) * 50 <= printed if about else here == printed


def _shown(number: int | None) -> str:
    return "none" if number is None else grouped(number)
