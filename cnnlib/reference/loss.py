"""Softmax cross-entropy: how surprised the network is by the right answer.

=============  ==================================================================================
accepts        logits (N, C), the scores before any softmax, and labels (N,), each one of 0 … C − 1
settings       none
produces       one number, the mean over the batch
parameters     none
=============  ==================================================================================
"""

from typing import Any

import numpy as np

from cnnlib.errors import DtypeError, RangeError, ShapeError
from cnnlib.reference.arguments import expect_shape, float_array

__all__ = [
    "softmax_cross_entropy",
    "softmax_cross_entropy_backward",
    "softmax_cross_entropy_forward",
]


def softmax_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> np.floating:
    """Mean of −log p over the batch, where p is the softmax probability of an image's own label.

    Softmax and logarithm are taken together. With scores s, −log p = log Σ exp(s) − s[label]: no
    division, and no logarithm of a probability that has been rounded to 0. A constant subtracted
    from all scores of an image changes nothing; the largest score is, so nothing overflows.

    Parameters
    ----------
    logits : (N, C) array, float32 or float64
        Scores of the C classes, any real numbers.
    labels : (N,) array of integers
        The right classes, counted from 0.

    Returns
    -------
    number, dtype of `logits`
        log C for a network that knows nothing; towards 0 for one that is right and sure.

    Raises
    ------
    ShapeError
        If `logits` is not (N, C), the batch is empty, or there is not one label for each image.
    DtypeError
        If `logits` is not float32 or float64, or `labels` are not integers.
    RangeError
        If a label is negative, or C or more.

    References
    ----------
    Bridle (1990), *Training stochastic model recognition algorithms as networks can lead to maximum
    mutual information estimation of parameters*.

    Examples
    --------
    >>> logits = np.array([[2.0, 2.0], [0.0, 1000.0]])
    >>> float(softmax_cross_entropy(logits, np.array([0, 1])))  # (log 2 + 0) / 2
    0.34657359027997264
    """
    return softmax_cross_entropy_forward(logits, labels)[0]


def softmax_cross_entropy_forward(
    logits: np.ndarray, labels: np.ndarray
) -> tuple[np.floating, tuple]:
    """:func:`softmax_cross_entropy`, and the cache for its backward.

    Returns
    -------
    loss : number
    cache : tuple
        The exponentials (N, C), their sums (N,) and the labels.
    """
    float_array("logits", logits, "N C")
    labels = _labels(labels, *logits.shape)
    shifted = logits - logits.max(axis=1, keepdims=True)
    own = shifted[np.arange(len(labels)), labels]
    powers = np.exp(shifted, out=shifted)
    sums = np.einsum("nc->n", powers)
    return (np.log(sums) - own).mean(), (powers, sums, labels)


def softmax_cross_entropy_backward(dout: float, cache: tuple) -> np.ndarray:
    """Gradient with respect to the logits: probability minus target, over N.

    Raising a score by a little raises log Σ exp(s) by its probability p, and s[label] by 1 if it is
    the label's own score. So the slope of one image's loss is p, less 1 at the label; the mean over
    the batch divides by N.

    Parameters
    ----------
    dout : float
        Gradient with respect to the loss: 1.0 if the loss is the end of the network.
    cache : tuple
        From :func:`softmax_cross_entropy_forward`.

    Returns
    -------
    dlogits : (N, C) array
        Each row sums to 0: what one class gains the others lose. Labels have no gradient.

    Examples
    --------
    >>> loss, cache = softmax_cross_entropy_forward(np.array([[2.0, 2.0]]), np.array([0]))
    >>> softmax_cross_entropy_backward(1.0, cache)
    array([[-0.5,  0.5]])
    """
    powers, sums, labels = cache
    if np.ndim(dout):
        raise ShapeError(
            f"dout has shape {np.shape(dout)}, but the loss is one number: pass a number, 1.0 if the "
            "loss is the end of the network."
        )
    share = float(dout) / len(labels)
    dlogits = powers * (share / sums)[:, None]
    dlogits[np.arange(len(labels)), labels] -= share
    return dlogits


def _labels(labels: Any, n: int, classes: int) -> np.ndarray:
    """Check that there is one label for each of the `n` images, and that it names a class."""
    labels = np.asarray(labels)
    if n == 0 or classes == 0:
        raise ShapeError(
            f"logits has shape {(n, classes)}: a mean loss needs at least one image and one class."
        )
    expect_shape("labels", labels, (n,), f"one class index for each of the {n} rows of logits.")
    if labels.dtype.kind not in "iu":
        raise DtypeError(
            f"labels has dtype {labels.dtype}: class indices are integers. Convert them with "
            "labels.astype(np.int64), or one-hot rows with labels.argmax(axis=1)."
        )
    if labels.min() < 0 or labels.max() >= classes:
        wrong = int(np.flatnonzero((labels < 0) | (labels >= classes))[0])
        raise RangeError(
            f"labels[{wrong}]={labels[wrong]} is out of range: with {classes} classes the labels run "
            f"from 0 to {classes - 1}. Count classes from 0, or widen the last layer."
        )
    return labels
