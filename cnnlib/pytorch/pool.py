"""Pooling, the PyTorch counterpart of :mod:`cnnlib.reference.pool`. Errors are torch's own."""

from torch import Tensor
from torch.nn import functional

from cnnlib.shapes import Rounding, output_shape

__all__ = ["avg_pool2d", "global_avg_pool2d", "max_pool2d"]

Pair = int | tuple[int, int]


def max_pool2d(
    x: Tensor,
    kernel_size: Pair,
    *,
    stride: Pair | None = None,
    padding: Pair = 0,
    rounding: Rounding = "floor",
) -> Tensor:
    """Largest value of each window; arguments as in :func:`cnnlib.reference.pool.max_pool2d`.

    >>> import torch
    >>> max_pool2d(torch.arange(16.0).reshape(1, 1, 4, 4), 2).flatten().tolist()
    [5.0, 7.0, 13.0, 15.0]
    """
    up = _rounds_up(x, kernel_size, stride, padding, rounding)
    return functional.max_pool2d(x, kernel_size, stride, padding, ceil_mode=up)


def avg_pool2d(
    x: Tensor,
    kernel_size: Pair,
    *,
    stride: Pair | None = None,
    padding: Pair = 0,
    rounding: Rounding = "floor",
) -> Tensor:
    """Average of each window; arguments as in :func:`cnnlib.reference.pool.avg_pool2d`.

    >>> import torch
    >>> avg_pool2d(torch.arange(16.0).reshape(1, 1, 4, 4), 2).flatten().tolist()
    [2.5, 4.5, 10.5, 12.5]
    """
    up = _rounds_up(x, kernel_size, stride, padding, rounding)
    return functional.avg_pool2d(x, kernel_size, stride, padding, ceil_mode=up)


def global_avg_pool2d(x: Tensor) -> Tensor:
    """Average of each channel's whole plane: (N, C, H, W) to (N, C).

    >>> import torch
    >>> global_avg_pool2d(torch.arange(8.0).reshape(1, 2, 2, 2)).tolist()
    [[1.5, 5.5]]
    """
    return functional.adaptive_avg_pool2d(x, 1).flatten(1)


def _rounds_up(
    x: Tensor, kernel_size: Pair, stride: Pair | None, padding: Pair, rounding: Rounding
) -> bool:
    """torch's ``ceil_mode``; it knows no ``"strict"``, so the sizes are checked here."""
    if rounding not in ("floor", "ceil"):
        step = kernel_size if stride is None else stride
        size = (x.shape[-2], x.shape[-1])
        output_shape(size, kernel_size, stride=step, padding=padding, rounding=rounding)
    return rounding == "ceil"
