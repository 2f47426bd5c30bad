"""What every reference layer asks of the arrays it is given."""

from typing import Any

import numpy as np

from cnnlib.errors import DtypeError, ShapeError

__all__ = ["float_array"]


def float_array(name: str, value: Any, axes: str) -> np.ndarray:
    """Return `value` if it is a float array with the named axes; otherwise say what is wrong.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : array
        What the caller handed in. It is returned as it is: nothing is copied or cast.
    axes : str
        The expected axes, for instance ``"N C H W"``; alternatives are separated by ``"|"``.

    Raises
    ------
    DtypeError
        If the elements are not float32 or float64.
    ShapeError
        If `value` is no array or its rank is another one.
    """
    if not isinstance(value, np.ndarray):
        raise ShapeError(
            f"{name} is a {type(value).__name__}, not a NumPy array: "
            f"pass an array with axes ({axes}), for instance np.asarray({name}, dtype=np.float32)."
        )
    if value.dtype not in (np.float32, np.float64):
        raise DtypeError(
            f"{name} has dtype {value.dtype}: layers compute in float32 or float64. "
            f"Convert it with {name}.astype(np.float32)."
        )
    if value.ndim not in {len(choice.split()) for choice in axes.split("|")}:
        wanted = " or ".join(f"({', '.join(choice.split())})" for choice in axes.split("|"))
        raise ShapeError(
            f"{name} has shape {value.shape}, {value.ndim} axes: this layer needs {wanted}. "
            f"Add a missing axis with {name}[None] or reshape it."
        )
    return value
