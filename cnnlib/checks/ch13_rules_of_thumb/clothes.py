"""The clothes of task (d), which are not centred, and what is measured of a network trained on them."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from cnnlib.checks.ch13_rules_of_thumb.fitting import ALONE, fitted
from cnnlib.checks.errands import beside, remembered
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


_fitted = beside(fitted)


@remembered
def measured(
    train: Callable,
    images: np.ndarray,
    labels: np.ndarray,
    test_images: np.ndarray,
    test_labels: np.ndarray,
    epochs: int,
    twice: bool = False,
) -> Measured:
    """Train, and see what the network is and can.

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
    n, few = len(test_images), len(test_images[:ALONE])
    *scored, parameters = _fitted(train, images, labels, test_images, epochs, twice)
    scores, alone, again = (_checked(s, k) for s, k in zip(scored, (n, few, n), strict=True))
    loss = float(functional.cross_entropy(torch.from_numpy(scores), torch.from_numpy(test_labels)))
    return (
        scores.shape,
        int(parameters),
        int((np.abs(alone - scores[:few]) > 1e-3).any(axis=1).sum()),
        int(((scores >= 0).all(axis=1) & (np.abs(scores.sum(axis=1) - 1) < 1e-3)).sum()),
        int(np.array_equal(scores, again)),
        (int((scores.argmax(axis=1) == test_labels).sum()), round(loss, 6)),
    )


def _checked(scores: Any, rows: int) -> np.ndarray:
    """What came back is a row of scores for each image, and not, say, one for each image and each guess."""
    if isinstance(scores, np.ndarray) and scores.ndim == 2 and len(scores) == rows:
        return scores
    what = scores.shape if isinstance(scores, np.ndarray) else type(scores).__name__
    raise TypeError(
        f"the network gives {what} for {rows} images, expected scores of shape ({rows}, 10)"
    )
