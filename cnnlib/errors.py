"""The errors that a reader, a student or an instructor can meet.

Every message names the argument, the value that was given, the rule it breaks and a remedy. All of
them are ``ValueError``, so code that knows nothing of this package can still catch them.
"""

__all__ = [
    "CnnlibError",
    "DataError",
    "DiagramError",
    "DtypeError",
    "NotFiniteError",
    "RangeError",
    "ShapeError",
    "error_at",
]


class CnnlibError(ValueError):
    """The common ancestor of every error that cnnlib raises for a user's mistake."""


class ShapeError(CnnlibError):
    """Sizes that do not fit together: a rank, a channel count, a window that does not tile."""


class DtypeError(CnnlibError):
    """An array whose element type the layer does not compute with."""


class RangeError(CnnlibError):
    """A number outside the range in which it makes sense: a probability, a momentum, a label."""


class DataError(CnnlibError):
    """Data that are not where they were looked for, or not what they should be."""


class NotFiniteError(CnnlibError):
    """A training that has left the finite numbers: NaN or infinity in a loss or a gradient.

    Attributes
    ----------
    epoch, step : int
        When, both counted from 1.
    layer : str
        Where: the layer's name, ``"input"`` for the images; empty if it cannot be told.
    """

    def __init__(self, message: str, epoch: int, step: int, layer: str) -> None:
        self.epoch, self.step, self.layer = epoch, step, layer
        super().__init__(message)


class DiagramError(CnnlibError):
    """A diagram that cannot be read, or whose layers do not fit together.

    The message says where: it shows the line of the text with a caret under the column.

    Attributes
    ----------
    message : str
        What is wrong, in one sentence.
    text : str
        The whole diagram.
    at : int
        Where in `text`, counted in characters from 0; ``len(text)`` is the end.
    suggestion : str
        What to write instead; may be empty.
    """

    def __init__(self, message: str, text: str, at: int, suggestion: str = "") -> None:
        self.message, self.text, self.suggestion = message, text, suggestion
        # The end of a text is shown behind its last word, not on an empty line below it.
        self.at = min(max(at, 0), len(text.rstrip()))
        super().__init__(message, text, at, suggestion)

    @property
    def line(self) -> int:
        """Line of the place, counted from 1."""
        return self.text.count("\n", 0, self.at) + 1

    @property
    def column(self) -> int:
        """Column of the place, counted from 1."""
        return self.at - self.text.rfind("\n", 0, self.at)

    def __str__(self) -> str:
        shown = self.text.split("\n")[self.line - 1]
        shown = "".join(c if c.isprintable() else " " for c in shown)
        caret = " " * (self.column - 1) + "^"
        parts = [
            f"line {self.line}, column {self.column}: {self.message}",
            f"  {shown}",
            f"  {caret}",
        ]
        return "\n".join([*parts, self.suggestion] if self.suggestion else parts)


def error_at(text: str, at: int, message: str, suggestion: str = "") -> DiagramError:
    """The error that points at character `at` of the diagram `text`; the caller raises it.

    >>> print(error_at("CONV => CNOV", 8, "CNOV is no layer.", "Did you mean CONV?"))
    line 1, column 9: CNOV is no layer.
      CONV => CNOV
              ^
    Did you mean CONV?
    """
    return DiagramError(message, text, at, suggestion)
