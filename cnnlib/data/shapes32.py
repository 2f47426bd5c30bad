"""shapes32: colour pictures of geometric shapes, drawn by rule, as many as are asked for.

=========  ======================================================================================
images     (N, 3, 32, 32) uint8: red, green and blue, from 0 to 255
labels     (N,) int64, from 0 to 7; their names are in :data:`SHAPE_NAMES`
=========  ======================================================================================

Each shape has a place, a size, a turn and a colour of its own, on a ground of another colour that runs
from one brightness to another, with noise. They stand in for CIFAR-10 where there is no network: the
same sizes and colours, and a task that a linear classifier cannot do, since no single pixel tells a shape.

The same seed gives the same bytes on every machine: only +, −, ×, ÷ and comparisons are used, which
IEEE 754 fixes to the last bit. A turn by t has cosine (1 − t²)/(1 + t²) and sine 2t/(1 + t²).
"""

import os

import numpy as np

from cnnlib.data.files import cached_arrays
from cnnlib.errors import RangeError
from cnnlib.shapes import whole

__all__ = ["SHAPE_NAMES", "shapes32"]

SHAPE_NAMES = ("disc", "ring", "square", "frame", "triangle", "cross", "bar", "half disc")
"""The name of each label."""

VERSION = 1
"""Part of a kept file's name: a change to the drawing must not read what an older one drew."""

SIDE = 32
FINE = 3  # points a pixel and axis: edges come out soft, as in a photograph
BLOCK = 500  # images at a time, to keep memory small


def shapes32(
    n: int, *, seed: int = 0, noise: float = 0.1, folder: str | os.PathLike | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Draw `n` pictures of shapes, equally many of each kind as far as possible, in random order.

    Parameters
    ----------
    n : int
        How many, at least 1.
    seed : int
        At least 0. Different seeds for training and test images give different images.
    noise : float
        From 0 to 1: the noise is uniform, of up to this share of full brightness either way.
    folder : path, optional
        Where to keep what was drawn, for the next time (3 kB an image); a damaged file is drawn anew.
        10,000 images take a few seconds.

    Returns
    -------
    images : array, shape (n, 3, 32, 32), uint8
    labels : array, shape (n,), int64
        From 0 to 7; the kinds in :data:`SHAPE_NAMES`.

    Raises
    ------
    ShapeError
        If `n` or `seed` is not such a whole number.
    RangeError
        If `noise` is not from 0 to 1.

    Examples
    --------
    >>> images, labels = shapes32(16)
    >>> images.shape, images.dtype, sorted(labels.tolist())[:4]
    ((16, 3, 32, 32), dtype('uint8'), [0, 0, 1, 1])
    """
    n, seed = whole("n", n, 1), whole("seed", seed, 0)
    if not 0 <= noise <= 1:
        raise RangeError(
            f"noise={noise!r} is out of range: it is a share of full brightness, from 0 to 1; 0.1 is usual."
        )
    if folder is None:
        images, labels = _draw(n, seed, float(noise))
        return images, labels
    path = os.path.join(folder, f"shapes32-v{VERSION}-{n}-{seed}-{float(noise)!r}.npz")
    kept = cached_arrays(
        path, lambda: dict(zip(("images", "labels"), _draw(n, seed, float(noise)), strict=True))
    )
    return kept["images"], kept["labels"]


def _draw(n: int, seed: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % len(SHAPE_NAMES))
    images = np.empty((n, 3, SIDE, SIDE), np.uint8)
    for first in range(0, n, BLOCK):
        part = labels[first : first + BLOCK]
        images[first : first + BLOCK] = _pictures(part, rng, noise)
    return images, labels.astype(np.int64)


def _pictures(labels: np.ndarray, rng: np.random.Generator, noise: float) -> np.ndarray:
    n = len(labels)
    cover = np.empty((n, SIDE, SIDE))
    points = (np.arange(SIDE * FINE) + 0.5) / FINE - SIDE / 2  # pixels from the middle
    radius = 6 + 6 * rng.random(n)
    middle = (rng.random((n, 2)) * 2 - 1) * (15 - radius)[:, None]
    tangent = rng.random(n) * 2 - 1  # of half the angle: a turn of up to 90 degrees either way
    cosine, sine = (1 - tangent**2) / (1 + tangent**2), 2 * tangent / (1 + tangent**2)
    for i, label in enumerate(labels):
        y, x = (points - middle[i, 0])[:, None] / radius[i], (points - middle[i, 1]) / radius[i]
        along, across = x * cosine[i] + y * sine[i], y * cosine[i] - x * sine[i]
        inside = _inside(SHAPE_NAMES[label], along, across)
        cover[i] = inside.reshape(SIDE, FINE, SIDE, FINE).sum((1, 3)) / FINE**2
    ground = 0.1 + 0.8 * rng.random((n, 3))
    # Each colour of the shape is at least 0.2 and at most 0.5 from the ground, whichever way has room.
    colour = ground + np.where(ground < 0.5, 1, -1) * (0.2 + 0.3 * rng.random((n, 3)))
    slope = (rng.random((n, 2)) - 0.5) * 0.3 / SIDE
    place = np.arange(SIDE) - (SIDE - 1) / 2
    light = slope[:, 0, None, None] * place[:, None] + slope[:, 1, None, None] * place
    image = ground[:, :, None, None] + light[:, None]
    image = image + cover[:, None] * (colour - ground)[:, :, None, None]
    image += (rng.random(image.shape) * 2 - 1) * noise
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def _inside(name: str, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Which points belong to a shape of radius 1 around the origin."""
    square, away = np.maximum(abs(u), abs(v)), u * u + v * v
    if name == "disc":
        return away <= 0.9
    if name == "ring":
        return (away <= 1) & (away >= 0.4)
    if name == "square":
        return square <= 0.8
    if name == "frame":
        return (square <= 0.85) & (square >= 0.5)
    if name == "triangle":
        return (v >= -0.6) & (v <= 1 - 1.7 * abs(u))
    if name == "cross":
        return (square <= 0.9) & (np.minimum(abs(u), abs(v)) <= 0.28)
    if name == "bar":
        return (abs(u) <= 1) & (abs(v) <= 0.28)
    return (away <= 1) & (v >= 0)  # half disc
