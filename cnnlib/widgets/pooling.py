"""The pooling stepper: which number answers for a window, and which numbers get its gradient."""

import numpy as np

from cnnlib import shapes
from cnnlib.reference import pool
from cnnlib.widgets.base import Widget, fixed, settings
from cnnlib.widgets.bundle import esm

__all__ = ["Pooling"]

WIDE = 7  # numbers in a row of `cells`, whose top left corner is the plane


class Pooling(Widget):
    """Max and average pooling of one plane, window by window; every setting is a synced trait.

    Parameters
    ----------
    kind : {"max", "average"}
        What a window answers with.
    kernel, stride : int
        *F* and *S*, for both axes. 2 unless given.
    size : int
        The plane is ``size`` × ``size``. 4 unless given, 7 at most.
    direction : {"forward", "backward"}
        Whether the steps fill the output or hand its gradient to the input.
    cells : list of int
        The numbers of a plane of 7 × 7, row by row, whose top left corner is pooled. Where the list
        ends zeros follow.
    step : int
        The window that is shown, from 0, row by row.

    Raises
    ------
    ShapeError, RangeError
        If a setting is not within its limits. A window that does not fit is no error: the widget
        says so.

    Examples
    --------
    >>> stepper = Pooling(stride=1, size=3)
    >>> stepper.output
    array([[9., 9.],
           [7., 8.]])
    >>> stepper.summary()
    'Window 1 of 4 answers with its largest number, 9. It stands in row 1, column 2.'
    >>> stepper.gradient
    array([[0., 3., 0.],
           [3., 0., 4.],
           [0., 0., 0.]])
    """

    _module = "pooling"
    _esm = esm("pooling")

    kind, kernel, stride, size, direction, cells, step = settings("pooling")

    @property
    def plane(self) -> np.ndarray:
        """(W, W) array: the numbers that are pooled."""
        numbers = np.zeros(WIDE * WIDE)
        numbers[: len(self.cells)] = self.cells
        return numbers.reshape(WIDE, WIDE)[: self.size, : self.size].copy()

    @property
    def fits(self) -> bool:
        """Whether the window fits into the plane."""
        return self.kernel <= self.size

    @property
    def output(self) -> np.ndarray:
        """(W', W') array: the answers of all windows; a ShapeError if the window does not fit."""
        return self._forward(self.kind)[0][0, 0]

    @property
    def winners(self) -> list[tuple[int, int]]:
        """Row and column, from 0, of the number that wins each window under the maximum."""
        _, (_, position) = self._forward("max")
        return [divmod(int(place), self.size) for place in position.ravel()]

    @property
    def upstream(self) -> np.ndarray:
        """(W', W') array: the gradients that arrive at the output, 1, 2, 3, … row by row."""
        shape = self.output.shape
        return np.arange(1.0, shape[0] * shape[1] + 1).reshape(shape)

    @property
    def gradient(self) -> np.ndarray:
        """(W, W) array: the input's gradient when all windows have passed on theirs."""
        return self._backward(self.upstream)

    def _forward(self, kind: str) -> tuple:
        layer = {"max": pool.max_pool2d_forward, "average": pool.avg_pool2d_forward}[kind]
        return layer(self.plane[None, None], self.kernel, stride=self.stride)

    def _backward(self, upstream: np.ndarray) -> np.ndarray:
        layer = {"max": pool.max_pool2d_backward, "average": pool.avg_pool2d_backward}[self.kind]
        return layer(upstream[None, None], self._forward(self.kind)[1])[0, 0]

    def _window(self, index: int) -> np.ndarray:
        top, left = (place * self.stride for place in divmod(index, len(self.output)))
        return self.plane[top : top + self.kernel, left : left + self.kernel]

    # --- sentences; pooling.js writes the same ones, and a test compares them ---

    def summary(self) -> str:
        """What the window that the steps have reached does."""
        if not self.fits:
            return f"The window does not fit: it is {self.kernel} wide, the input only {self.size}."
        count = self.output.size
        index = min(self.step, count - 1)
        say = self._maximum if self.kind == "max" else self._average
        return f"Window {index + 1} of {count} {say(index)}"

    def _maximum(self, index: int) -> str:
        numbers, (row, column) = self._window(index), self.winners[index]
        top, where = _short(numbers.max()), f"in row {row + 1}, column {column + 1}"
        equals = np.count_nonzero(numbers == numbers.max())
        tie = f" Of {equals} equal numbers the first wins, read row by row." if equals > 1 else ""
        if self.direction == "forward":
            return f"answers with its largest number, {top}. It stands {where}.{tie}"
        upstream = self.upstream
        upstream.flat[index + 1 :] = 0
        got = _short(self._backward(upstream)[row, column])
        return (
            f"passes its gradient {index + 1} to its winner. "
            f"It is the {top} {where}, which now holds {got}.{tie}"
        )

    def _average(self, index: int) -> str:
        total, area = int(self._window(index).sum()), self.kernel**2
        if self.direction == "forward":
            return f"answers with its average, {_divided(total, area)}."
        more = ", added to its shares of other windows" if self.stride < self.kernel else ""
        share = _divided(index + 1, area)
        return f"shares out its gradient {index + 1}. Each of its numbers gets {share}{more}."

    def facts(self) -> list[tuple[str, str]]:
        """Label and text of each row of the result."""
        if not self.fits:
            return [("Output size", "none"), ("Rows and columns never read", "all")]
        output, gradient, count = self.output, self.gradient, self.size**2
        lost, overlap = count - output.size, output.size > 1 and self.stride < self.kernel
        return [
            ("Output size", self._size_text()),
            ("Activations discarded", f"{lost} of {count}, {_short(100 * lost / count)} %"),
            ("Numbers with a say in the output", f"{np.count_nonzero(gradient)} of {count}"),
            ("Overlapping windows", "yes, S < F" if overlap else "no"),
            ("Rows and columns never read", self._unread_text()),
            ("Output", _lines(output)),
            ("Gradient of the input", _lines(gradient)),
        ]

    def _size_text(self) -> str:
        span, side = self.size - self.kernel, len(self.output)
        equals = "≈" if 100 * span % self.stride else "="
        down = ", rounded down" if span % self.stride else ""
        exact = _short(span / self.stride + 1)
        return f"({self.size} − {self.kernel})/{self.stride} + 1 {equals} {exact}{down}: {side} × {side}"

    def _unread_text(self) -> str:
        read = shapes.coverage(self.size, self.kernel, stride=self.stride)
        unread = [str(place + 1) for place, windows in enumerate(read) if not windows]
        if not unread:
            return "none"
        lost, s = self.size**2 - (self.size - len(unread)) ** 2, "s" if len(unread) > 1 else ""
        return f"row{s} and column{s} {', '.join(unread)}: {lost} of {self.size**2} numbers"


def _short(number: float) -> str:
    """At most two decimals, and none that are zero at the end."""
    return fixed(float(number)).rstrip("0").rstrip(".")


def _divided(a: int, b: int) -> str:
    return f"{_short(a)}/{b} {'≈' if 100 * a % b else '='} {_short(a / b)}"


def _lines(numbers: np.ndarray) -> str:
    return "; ".join(", ".join(map(_short, row)) for row in numbers)
