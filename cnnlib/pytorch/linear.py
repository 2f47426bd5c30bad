"""The fully connected layer, the PyTorch counterpart of :mod:`cnnlib.reference.linear`."""

from torch import Tensor
from torch.nn import functional

__all__ = ["flatten", "linear"]


def flatten(x: Tensor) -> Tensor:
    """Write each image of a batch as one row: (N, …) to (N, D)."""
    return x.flatten(1)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x @ weight.T + bias`` with shapes (N, D), (K, D), (K,).

    >>> import torch
    >>> linear(torch.ones(1, 3), torch.ones(2, 3), torch.tensor([0.0, 10.0])).tolist()
    [[3.0, 13.0]]
    """
    return functional.linear(x, weight, bias)
