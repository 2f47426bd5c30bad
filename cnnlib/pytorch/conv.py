"""Convolution, the PyTorch counterpart of :mod:`cnnlib.reference.conv`."""

import torch
from torch import Tensor

__all__ = ["conv2d"]

Pair = int | tuple[int, int]


def conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Slide K filters over a batch of images; arguments as in :func:`cnnlib.reference.conv.conv2d`.

    Shapes are (N, C, H, W) for `x`, (K, C // groups, F_h, F_w) for `weight`, (K,) for `bias` and
    (N, K, H_out, W_out) for the result, which has the device, the dtype and the memory format that
    :func:`torch.nn.functional.conv2d` gives it. Errors are torch's own.

    >>> conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 2, 2), stride=1).flatten().tolist()
    [4.0, 4.0, 4.0, 4.0]
    """
    return torch.nn.functional.conv2d(x, weight, bias, stride, padding, dilation, groups)
