"""The errors that a reader, a student or an instructor can meet.

Every message names the argument, the value that was given, the rule it breaks and a remedy. All of
them are ``ValueError``, so code that knows nothing of this package can still catch them.
"""

__all__ = ["CnnlibError", "DtypeError", "RangeError", "ShapeError"]


class CnnlibError(ValueError):
    """The common ancestor of every error that cnnlib raises for a user's mistake."""


class ShapeError(CnnlibError):
    """Sizes that do not fit together: a rank, a channel count, a window that does not tile."""


class DtypeError(CnnlibError):
    """An array whose element type the layer does not compute with."""


class RangeError(CnnlibError):
    """A number outside the range in which it makes sense: a probability, a momentum, a label."""
