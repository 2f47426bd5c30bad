"""Dropout: in training, cut each number with probability p, anew for each batch.

=============  ==================================================================================
accepts        an array of any shape
settings       the probability ``p`` of *dropping*, ``training``, a random generator
produces       the same shape
parameters     none
=============  ==================================================================================
"""

from typing import Any

import numpy as np

from cnnlib.errors import CnnlibError
from cnnlib.reference.arguments import float_array, number, output_gradient

__all__ = ["dropout", "dropout_backward", "dropout_forward"]

WORDS = 2**16


def dropout(x: np.ndarray, p: float, *, training: bool, rng: np.random.Generator) -> np.ndarray:
    """Set each number to 0 with probability `p`; multiply the others by 1 / (1 − p).

    The factor keeps the expected value: of x/(1 − p) a share 1 − p is left. Because it is paid in
    training ("inverted" dropout), nothing is to be done at test time.

    Parameters
    ----------
    x : array, float32 or float64
        Any shape.
    p : float
        The probability of dropping, 0 ≤ p < 1. Some texts call the probability of *keeping* p.
    training : bool
        Without it the result is `x` itself.
    rng : numpy.random.Generator
        Where the random numbers come from, for instance ``np.random.default_rng(seed)``. Not looked
        at without `training`, so it may then be ``None``.

    Returns
    -------
    array, shape and dtype of `x`

    Raises
    ------
    RangeError
        If `p` is outside [0, 1).
    DtypeError
        If `x` is not float32 or float64.
    CnnlibError
        If `rng` is no generator, in training.

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014), *Dropout: a simple way to
    prevent neural networks from overfitting*, section 4; the inverted form in section 10.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> dropout(np.ones(8), 0.5, training=True, rng=rng)
    array([2., 2., 0., 0., 2., 0., 2., 0.])
    >>> dropout(np.ones(8), 0.5, training=False, rng=rng)
    array([1., 1., 1., 1., 1., 1., 1., 1.])
    """
    return dropout_forward(x, p, training=training, rng=rng)[0]


def dropout_forward(
    x: np.ndarray, p: float, *, training: bool, rng: np.random.Generator
) -> tuple[np.ndarray, tuple]:
    """:func:`dropout`, and the cache for its backward: which numbers were kept, and the factor."""
    float_array("x", x, "...")
    rule = (
        "it is the probability of dropping, at least 0 and below 1; 0.5 is usual between FC layers."
    )
    p = number("p", p, lambda value: 0 <= value < 1, rule)
    if not training:
        return x, (None, 1.0, x.shape, x.dtype)
    keep, factor = _keep(x.shape, p, rng), 1 / (1 - p)
    out = x * keep
    out *= factor
    return out, (keep, factor, x.shape, x.dtype)


def dropout_backward(dout: np.ndarray, cache: tuple) -> np.ndarray:
    """Gradient of :func:`dropout`: a dropped number has no influence, a kept one 1 / (1 − p).

    So `dout` goes through the same mask and the same factor as `x` did; at test time it passes
    unchanged.

    Parameters
    ----------
    dout : array
        Gradient with respect to the output.
    cache : tuple
        From :func:`dropout_forward`.

    Returns
    -------
    dx : array

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 3.0, 4.0])
    >>> out, cache = dropout_forward(x, 0.5, training=True, rng=np.random.default_rng(3))
    >>> out, dropout_backward(np.ones(4), cache)
    (array([2., 4., 0., 0.]), array([2., 2., 0., 0.]))
    """
    keep, factor, shape, dtype = cache
    dout = output_gradient(dout, shape, dtype)
    if keep is None:
        return dout
    dx = dout * keep
    dx *= factor
    return dx


def _keep(shape: tuple[int, ...], p: float, rng: Any) -> np.ndarray:
    """Booleans, each False with probability `p`.

    Whether a uniform number lies below p is nearly always clear from its first 16 bits, and 16 bits
    are cheap. Only where they equal those of p, once in 65,536 times, are further bits drawn. So p
    is met to the precision of a float64.
    """
    if not isinstance(rng, np.random.Generator):
        raise CnnlibError(
            f"rng={rng!r} is not a random generator: pass one that you keep for the whole training, "
            "for instance rng = np.random.default_rng(0)."
        )
    words = rng.integers(WORDS, size=shape, dtype=np.uint16)
    first_bits, rest = divmod(p * WORDS, 1)
    keep = words >= np.uint16(first_bits)
    if rest:
        undecided = words == np.uint16(first_bits)
        keep[undecided] = rng.random(np.count_nonzero(undecided)) >= rest
    return keep
