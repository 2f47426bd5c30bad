"""Softmax cross-entropy, the PyTorch counterpart of :mod:`cnnlib.reference.loss`."""

from torch import Tensor
from torch.nn import functional

__all__ = ["softmax_cross_entropy"]


def softmax_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean of −log p of the right classes; shapes (N, C) and (N,), labels of dtype int64.

    Torch refuses labels outside 0 … C − 1, with one exception: it skips images labelled −100.

    >>> import torch
    >>> round(softmax_cross_entropy(torch.zeros(2, 10), torch.tensor([3, 4])).item(), 4)  # log 10
    2.3026
    """
    return functional.cross_entropy(logits, labels)
