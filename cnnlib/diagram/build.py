"""From a diagram to a network that runs."""

from importlib import import_module
from typing import Any

from cnnlib.diagram.plan import plan
from cnnlib.diagram.tree import Chain
from cnnlib.errors import RangeError
from cnnlib.shapes import whole

__all__ = ["build"]

# By name and late: a diagram can be read and summarized where neither NumPy nor torch is installed.
BACKENDS = {"numpy": "cnnlib.reference.network", "torch": "cnnlib.pytorch.network"}


def build(
    diagram: str | Chain,
    input_shape: tuple[int, ...] | None = None,
    *,
    backend: str = "numpy",
    seed: int = 0,
    dtype: Any = "float32",
) -> Any:
    """Make a network that runs from a diagram.

    Parameters
    ----------
    diagram : str or Chain
        A text, or a tree from :func:`cnnlib.diagram.parse` or :func:`cnnlib.diagram.expand`.
    input_shape : (C, H, W) or (D,), optional
        One image, without the batch axis. It takes precedence over what INPUT says.
    backend : {"numpy", "torch"}
        Which library computes. The same seed gives both the same weights.
    seed : int
        For the weights, and for the dropout of the NumPy network.
    dtype : "float32" or "float64"

    Returns
    -------
    cnnlib.reference.network.Network or cnnlib.pytorch.network.Network
        In training mode. Both are called with a batch, and have ``train()``, ``eval()``,
        ``to_arrays()``, ``load_arrays()``, ``save()`` and ``load()`` with the same names for the same
        weights. The one of torch is an ``nn.Module``. ACT runs as RELU. Where the diagram leaves out
        SOFTMAX the outputs are scores.

    Raises
    ------
    DiagramError
        At the layer whose size is missing or does not fit.
    RangeError, DtypeError
        If `backend` or `dtype` is none of those named.

    Examples
    --------
    >>> import numpy as np
    >>> network = build("INPUT(1, 8, 8) => CONV(4) => RELU => POOL => FC(10)")
    >>> network(np.zeros((2, 1, 8, 8), np.float32)).shape
    (2, 10)
    """
    if backend not in BACKENDS:
        raise RangeError(f'backend={backend!r} is unknown: use "numpy" or "torch".')
    network = import_module(BACKENDS[backend]).Network
    return network(plan(diagram, input_shape), seed=whole("seed", seed, 0), dtype=dtype)
