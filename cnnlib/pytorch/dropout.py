"""Dropout, the PyTorch counterpart of :mod:`cnnlib.reference.dropout`."""

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["dropout"]


def dropout(x: Tensor, p: float, *, training: bool, rng: torch.Generator | None) -> Tensor:
    """Drop with probability `p` and scale by 1 / (1 − p); see :func:`cnnlib.reference.dropout.dropout`.

    `rng` is a generator on the device of `x`, or ``None`` for torch's global one. The two libraries
    draw different random numbers from the same seed: what agrees is the rule, not the mask.

    >>> rng = torch.Generator().manual_seed(0)
    >>> sorted(set(dropout(torch.ones(100), 0.5, training=True, rng=rng).tolist()))
    [0.0, 2.0]
    """
    if rng is None or not training:
        return functional.dropout(x, p, training)
    keep = torch.empty_like(x).bernoulli_(1 - p, generator=rng)
    return x * keep.mul_(1 / (1 - p))
