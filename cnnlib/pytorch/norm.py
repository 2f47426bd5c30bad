"""Batch normalization, the PyTorch counterpart of :mod:`cnnlib.reference.norm`."""

from torch import Tensor
from torch.nn import functional

__all__ = ["batch_norm"]


def batch_norm(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    *,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalize each channel; arguments and results as in :func:`cnnlib.reference.norm.batch_norm`.

    Torch's own function changes the running statistics in place. This one hands it copies and
    returns them, so no argument is modified. Torch accepts features of rank 2 to 5.
    """
    if training:
        running_mean, running_var = running_mean.clone(), running_var.clone()
    out = functional.batch_norm(x, running_mean, running_var, gamma, beta, training, momentum, eps)
    return out, running_mean, running_var
