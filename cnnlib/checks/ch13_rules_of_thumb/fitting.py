"""How `train` of task (d) is used: it trains a network, and the network's scores come back.

This file goes along when that happens in a student's own process, see :mod:`cnnlib.checks.errands`. The labels
of the test images stay away.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["ALONE", "fitted"]

ALONE = 20
"""So many of the test images are looked at one by one."""

Fitted = tuple[np.ndarray, np.ndarray, np.ndarray, int]


def fitted(
    train: Callable,
    images: np.ndarray,
    labels: np.ndarray,
    test_images: np.ndarray,
    epochs: int,
    twice: bool,
) -> Fitted:
    """Train on one thread, and use what was trained.

    Returns
    -------
    scores : array
        For the test images, in one batch.
    alone : array
        For the first of them, one by one.
    again : array
        As the first, of a second training if `twice`.
    parameters : int
        How many numbers the network learns.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        network = _trained(train, images, labels, epochs)
        scores = _scores(network, test_images)
        alone = np.concatenate([_scores(network, image[None]) for image in test_images[:ALONE]])
        again = _scores(_trained(train, images, labels, epochs), test_images) if twice else scores
    finally:
        torch.set_num_threads(threads)
    return scores, alone, again, sum(p.numel() for p in network.parameters())


def _trained(train: Callable, images: np.ndarray, labels: np.ndarray, epochs: int) -> nn.Module:
    network = train(images, labels, epochs)
    if not isinstance(network, nn.Module):
        raise TypeError(
            f"train returned a {type(network).__name__}, expected the trained network, a torch.nn.Module"
        )
    return network


def _scores(network: nn.Module, images: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        out = network(torch.from_numpy(images.copy()))
    if not isinstance(out, Tensor) or out.dim() != 2:
        what = tuple(out.shape) if isinstance(out, Tensor) else type(out).__name__
        raise TypeError(f"the network gives {what}, expected scores of shape (N, 10)")
    return out.numpy()
