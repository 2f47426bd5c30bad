"""Weights of a built network as arrays by name: drawn, checked, and in a file.

Both libraries' networks use these functions, so the same seed gives them the same weights, and what
one of them saves the other loads.
"""

import contextlib
import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from cnnlib.diagram.plan import Plan, Shape
from cnnlib.errors import DtypeError, ShapeError

__all__ = ["checked", "dtype_name", "initial", "load", "save", "shapes_of"]

FILL = {"bias": 0.0, "gamma": 1.0, "beta": 0.0, "running_mean": 0.0, "running_var": 1.0}


def shapes_of(plan: Plan) -> dict[str, Shape]:
    """Name → shape of all weights and running statistics: ``conv1.weight``, ``bn1.running_mean``."""
    return {
        f"{step.name}.{name}": shape
        for step in plan.layers()
        for name, shape in (step.arrays | step.buffers).items()
    }


def initial(plan: Plan, seed: int, dtype: str) -> dict[str, np.ndarray]:
    """Fresh weights: normal with variance 2/fan-in for CONV and FC, zero biases, γ = 1, β = 0.

    The numbers are drawn in float32 whatever the dtype, so networks in float32 and float64 start from
    the same weights.

    References
    ----------
    He, Zhang, Ren and Sun (2015), *Delving deep into rectifiers*, equation 10.
    """
    rng = np.random.default_rng(seed)
    arrays = {}
    for name, shape in shapes_of(plan).items():
        role = name.rpartition(".")[2]
        if role == "weight":
            spread = np.float32(math.sqrt(2 / math.prod(shape[1:])))
            drawn = rng.standard_normal(shape, np.float32) * spread
            arrays[name] = drawn.astype(dtype, copy=False)
        else:
            arrays[name] = np.full(shape, FILL[role], dtype)
    return arrays


def checked(
    arrays: Mapping[str, Any], shapes: Mapping[str, Shape], dtype: str
) -> dict[str, np.ndarray]:
    """Copies of `arrays` in `dtype`, once names and shapes are those of the network.

    Raises
    ------
    ShapeError
        If a name is missing or unknown, or an array has another shape.
    """
    if arrays.keys() != shapes.keys():
        missing, unknown = shapes.keys() - arrays.keys(), arrays.keys() - shapes.keys()
        raise ShapeError(
            f"arrays lacks {sorted(missing) or 'nothing'} and has {sorted(unknown) or 'nothing'} "
            f"unknown to this network: the names must be {sorted(shapes)}."
        )
    for name, shape in shapes.items():
        if np.shape(arrays[name]) != shape:
            raise ShapeError(
                f"arrays[{name!r}] has shape {np.shape(arrays[name])}, expected {shape}: "
                "build the network from the diagram that the arrays belong to."
            )
    return {name: np.array(arrays[name], dtype, order="C") for name in shapes}


def save(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays into a ``.safetensors`` file, which holds numbers and names and can run no code."""
    from safetensors.numpy import save_file

    save_file(dict(arrays), os.fspath(path))


def load(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Read what :func:`save` wrote."""
    from safetensors.numpy import load_file

    return load_file(os.fspath(path))


def dtype_name(dtype: Any) -> str:
    """``"float32"`` or ``"float64"`` from a name, a NumPy dtype or a torch dtype.

    >>> dtype_name(np.float64), dtype_name("float32")
    ('float64', 'float32')
    """
    name = str(dtype).removeprefix("torch.")
    if name not in ("float32", "float64"):
        with contextlib.suppress(TypeError):
            name = np.dtype(dtype).name
    if name not in ("float32", "float64"):
        raise DtypeError(
            f'dtype={name} is not one that networks compute in: use "float32" or "float64".'
        )
    return name
