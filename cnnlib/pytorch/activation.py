"""Activations, the PyTorch counterparts of :mod:`cnnlib.reference.activation`."""

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["elu", "leaky_relu", "relu", "sigmoid", "softmax", "tanh"]


def relu(x: Tensor) -> Tensor:
    """``max(x, 0)`` of each number."""
    return functional.relu(x)


def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """`x` where it is positive, ``negative_slope * x`` elsewhere."""
    return functional.leaky_relu(x, negative_slope)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """`x` where it is positive, ``alpha * (exp(x) - 1)`` elsewhere."""
    return functional.elu(x, alpha)


def sigmoid(x: Tensor) -> Tensor:
    """``1 / (1 + exp(-x))`` of each number."""
    return torch.sigmoid(x)


def tanh(x: Tensor) -> Tensor:
    """Hyperbolic tangent of each number."""
    return torch.tanh(x)


def softmax(x: Tensor, axis: int = 1) -> Tensor:
    """``exp(x) / sum(exp(x))`` along `axis`.

    >>> softmax(torch.zeros(1, 4)).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    return functional.softmax(x, axis)
