"""What every reference layer asks of the arrays it is given."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cnnlib.errors import DtypeError, RangeError, ShapeError

__all__ = ["expect_shape", "float_array", "number", "output_gradient", "same_dtype"]


def float_array(name: str, value: Any, axes: str) -> np.ndarray:
    """Return `value` if it is a float array with the named axes; otherwise say what is wrong.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : array
        What the caller handed in. It is returned as it is: nothing is copied or cast.
    axes : str
        The expected axes, for instance ``"N C H W"``; alternatives are separated by ``"|"``,
        and ``"..."`` stands for any rank.

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
    if axes != "..." and value.ndim not in {len(choice.split()) for choice in axes.split("|")}:
        wanted = " or ".join(f"({', '.join(choice.split())})" for choice in axes.split("|"))
        raise ShapeError(
            f"{name} has shape {value.shape}, {value.ndim} axes: this layer needs {wanted}. "
            f"Add a missing axis with {name}[None] or reshape it."
        )
    return value


def same_dtype(**arrays: np.ndarray | None) -> None:
    """Refuse arrays of different dtypes; the first one sets the dtype and ``None`` is skipped.

    NumPy would quietly compute in float64, twice as slow and not what the caller chose.
    """
    (first, reference), *others = arrays.items()
    assert reference is not None
    for name, array in others:
        if array is not None and array.dtype != reference.dtype:
            raise DtypeError(
                f"{name} has dtype {array.dtype}, but {first} has {reference.dtype}: a layer computes "
                f"in one dtype. Convert it with {name}.astype({first}.dtype)."
            )


def expect_shape(name: str, array: np.ndarray, shape: tuple[int, ...], rule: str) -> None:
    """Refuse an array of another shape; `rule` says where the shape comes from, and the remedy."""
    if array.shape != shape:
        raise ShapeError(f"{name} has shape {array.shape}, expected {shape}: {rule}")


def output_gradient(dout: Any, out_shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return `dout` if it can be the gradient with respect to an output of this shape and dtype."""
    dout = np.asarray(dout)
    expect_shape("dout", dout, out_shape, "the gradient has the shape of the layer's output.")
    if dout.dtype != dtype:
        raise DtypeError(
            f"dout has dtype {dout.dtype}, but the layer computed in {dtype}: "
            f"convert it with dout.astype(np.{dtype})."
        )
    return dout


def number(name: str, value: Any, accepts: Callable[[float], bool], rule: str) -> float:
    """Return `value` as a ``float`` if `accepts` says so; `rule` gives the range and a remedy.

    A Python float, and not a NumPy one, leaves float32 arrays that it is multiplied with in float32.
    """
    try:
        plain = float(value)
    except (TypeError, ValueError):
        raise RangeError(f"{name}={value!r} is not a number: {rule}") from None
    if not accepts(plain):
        raise RangeError(f"{name}={plain} is out of range: {rule}")
    return plain
