"""The clothes of task (d), which are not centred, and what is measured of a network trained on them."""

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnlib.checks.calls import Outcome, describe
from cnnlib.checks.ch13_rules_of_thumb.wrong_turns import WRONG_TURNS
from cnnlib.data import fashion_mnist_subset

SHIFT = 6


def off_centre(images: np.ndarray, seed: int) -> np.ndarray:
    """Thumbnails (N, 1, 14, 14) float32 from 0 to 1 of images that are moved by up to 6 pixels."""
    n = len(images)
    framed = np.pad(images, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT)))
    places = np.random.default_rng(seed).integers(0, 2 * SHIFT + 1, (n, 2))
    moved = np.stack(
        [image[r : r + 28, c : c + 28] for image, (r, c) in zip(framed, places, strict=True)]
    )
    return (moved.reshape(n, 1, 14, 2, 14, 2).mean(axis=(3, 5)) / 255).astype(np.float32)


@cache
def clothes() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images and labels to train, images and labels to test."""
    data = fashion_mnist_subset()
    return (
        off_centre(data.train_images, 1),
        data.train_labels,
        off_centre(data.test_images, 2),
        data.test_labels,
    )


Measured = tuple[tuple[int, ...], int, int, int, int, tuple[int, float]]


def measured(
    train: Callable,
    images: np.ndarray,
    labels: np.ndarray,
    test_images: np.ndarray,
    test_labels: np.ndarray,
    epochs: int,
    twice: bool = False,
) -> Measured:
    """Train on one thread, and see what the network is and can.

    Returns
    -------
    shape : tuple of int
        Of the scores for the test images.
    parameters : int
    swayed : int
        How many of the test images get other scores alone than in the batch.
    squeezed : int
        How many rows of scores are probabilities: none negative, sum 1.
    repeated : int
        1 if a second training gives the same scores; 1 as well if `twice` is not asked for.
    learned : (int, float)
        How many test images get the highest score at their own label, and the loss on them.
    """
    if train in WRONG_TURNS:
        arrays = (images, labels, test_images, test_labels)
        key = tuple((a.tobytes(), a.dtype.str, a.shape) for a in arrays)
        return _remembered(train, key, epochs, twice)
    return _measured(train, images, labels, test_images, test_labels, epochs, twice)


@cache
def _remembered(train: Callable, key: tuple, epochs: int, twice: bool) -> Measured:
    """A wrong turn of this module does the same every time, so each is trained once on each input."""
    images, labels, test_images, test_labels = (
        np.frombuffer(content, dtype).reshape(shape).copy() for content, dtype, shape in key
    )
    return _measured(train, images, labels, test_images, test_labels, epochs, twice)


def _measured(
    train: Callable,
    images: np.ndarray,
    labels: np.ndarray,
    test_images: np.ndarray,
    test_labels: np.ndarray,
    epochs: int,
    twice: bool,
) -> Measured:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        network = _trained(train, images, labels, epochs)
        scores = _scores(network, test_images)
        alone = np.concatenate([_scores(network, image[None]) for image in test_images[:20]])
        again = _scores(_trained(train, images, labels, epochs), test_images) if twice else scores
    finally:
        torch.set_num_threads(threads)
    loss = float(functional.cross_entropy(torch.from_numpy(scores), torch.from_numpy(test_labels)))
    return (
        scores.shape,
        sum(p.numel() for p in network.parameters()),
        int((np.abs(alone - scores[:20]) > 1e-3).any(axis=1).sum()),
        int(((scores >= 0).all(axis=1) & (np.abs(scores.sum(axis=1) - 1) < 1e-3)).sum()),
        int(np.array_equal(scores, again)),
        (int((scores.argmax(axis=1) == test_labels).sum()), round(loss, 6)),
    )


def _trained(train: Callable, images: np.ndarray, labels: np.ndarray, epochs: int) -> nn.Module:
    network = train(images, labels, epochs)
    if not isinstance(network, nn.Module):
        raise TypeError(
            f"train returned {describe(Outcome(strange=f'a {type(network).__name__}'))}, expected the "
            "trained network, a torch.nn.Module"
        )
    return network


def _scores(network: nn.Module, images: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        out = network(torch.from_numpy(images.copy()))
    if not isinstance(out, Tensor) or out.dim() != 2:
        what = tuple(out.shape) if isinstance(out, Tensor) else type(out).__name__
        raise TypeError(f"the network gives {what}, expected scores of shape (N, 10)")
    return out.numpy()
