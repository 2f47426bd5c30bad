"""Batch normalization: every channel centred and scaled with the statistics of the batch.

=============  ==================================================================================
accepts        features (N, C) or activations (N, C, H, W)
settings       ``momentum`` of the running statistics, ``eps`` under the square root, ``training``
produces       the same shape, and in training new running statistics
parameters     gamma (C,) and beta (C,), learned; running mean and variance (C,), kept, not learned
=============  ==================================================================================

A channel's statistics are taken over the batch and, in a volume, over all its pixels: m = N·H·W
numbers. Both inputs are therefore looked at as (N, C, L), with L = H·W pixels or L = 1.
"""

import math

import numpy as np

from cnnlib.errors import ShapeError
from cnnlib.reference.arguments import (
    expect_shape,
    float_array,
    number,
    output_gradient,
    same_dtype,
)

__all__ = ["batch_norm", "batch_norm_backward", "batch_norm_forward"]


def batch_norm(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    *,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Normalize each channel: ``gamma * (x - mean) / sqrt(var + eps) + beta``.

    In training, mean and variance are those of the batch, the variance with divisor m (biased). At
    test time they are the running ones, and an image's output depends on that image alone.

    Parameters
    ----------
    x : (N, C) or (N, C, H, W) array, float32 or float64
    gamma, beta : (C,) arrays
        Scale and shift; 1 and 0 before any learning.
    running_mean, running_var : (C,) arrays
        What earlier batches left; 0 and 1 before the first.
    training : bool
        Which statistics to use, and whether to update the running ones.
    momentum : float
        The weight of the new batch, from 0 to 1: ``running = (1 - momentum) * running + momentum *
        batch``. Some libraries call its complement by this name.
    eps : float
        Keeps the square root away from 0 in a channel that hardly varies.

    Returns
    -------
    out : array, shape and dtype of `x`
    running_mean, running_var : (C,) arrays
        **New arrays** in training: no argument is changed, so the caller keeps these for the next
        call. The batch's variance enters with divisor m − 1 (unbiased), as in PyTorch. At test time
        the two that were handed in.

    Raises
    ------
    ShapeError
        If `x` has another rank, one of the others is not (C,), or in training a channel has only one
        value, whose variance says nothing.
    DtypeError
        If the arrays are not all float32 or all float64.
    RangeError
        If `momentum` is outside [0, 1] or `eps` is not positive.

    References
    ----------
    Ioffe and Szegedy (2015), *Batch normalization: accelerating deep network training by reducing
    internal covariate shift*, algorithms 1 and 2.

    Examples
    --------
    >>> x = np.array([[1.0, 10.0], [3.0, 30.0]])
    >>> one, zero = np.ones(2), np.zeros(2)
    >>> out, mean, var = batch_norm(x, one, zero, zero, one, training=True)
    >>> out.round(3)
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> mean, var  # 0.1 * 2 and 0.1 * 20; 0.9 * 1 + 0.1 * 2 and 0.9 * 1 + 0.1 * 200
    (array([0.2, 2. ]), array([ 1.1, 20.9]))
    """
    result, _ = batch_norm_forward(
        x, gamma, beta, running_mean, running_var, training=training, momentum=momentum, eps=eps
    )
    return result


def batch_norm_forward(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    *,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], tuple]:
    """:func:`batch_norm`, and what its backward needs.

    Returns
    -------
    result : tuple
        The three arrays that :func:`batch_norm` returns.
    cache : tuple
        For :func:`batch_norm_backward`.
    """
    momentum, eps = _checked(x, gamma, beta, running_mean, running_var, training, momentum, eps)
    pixels = _as_pixels(x)
    mean, var = running_mean, running_var
    if training:
        mean = _channel_sums("ncl->nc", pixels) / _count(pixels)
    centred = pixels - _column(mean, x.dtype)
    if training:
        # From the differences, never as E[x²] − E[x]²: at a mean of 1,000 the two squares agree in
        # all the digits that float32 has, and nothing is left of the variance.
        var = _channel_sums("ncl,ncl->nc", centred, centred) / _count(pixels)
        unbiased = var * (_count(pixels) / (_count(pixels) - 1))
        running_mean = ((1 - momentum) * running_mean + momentum * mean).astype(x.dtype)
        running_var = ((1 - momentum) * running_var + momentum * unbiased).astype(x.dtype)
    scale = 1 / np.sqrt(var.astype(np.float64) + eps)
    out = centred * _column(gamma * scale, x.dtype)
    out += _column(beta, x.dtype)
    result = out.reshape(x.shape), running_mean, running_var
    return result, (centred, scale, gamma, x.shape, training)


def batch_norm_backward(
    dout: np.ndarray, cache: tuple
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of :func:`batch_norm` with respect to `x`, `gamma` and `beta`.

    Write x̂ for the normalized values, so the output is γ·x̂ + β. Then β collects `dout`, and γ
    collects dout·x̂, both summed over all that share them: the batch and the pixels.

    At test time the statistics are constants, and `x` gets γ/σ·dout.

    In training a value also moves its channel's mean and variance, and through them every other
    output. What these two roads do is best seen from the outside: adding a constant to a channel
    changes no output, nor does stretching it, as the layer takes both out again. So the gradient can
    have no part along "all equal" and none along x̂. From `dout` these parts are removed: its average,
    and x̂ times the average of dout·x̂ (but for ε the average of x̂² is 1)::

        dx = gamma / sigma * (dout - mean(dout) - x_hat * mean(dout * x_hat))

    Parameters
    ----------
    dout : array
        Gradient with respect to the output, of the shape of `x`.
    cache : tuple
        From :func:`batch_norm_forward`.

    Returns
    -------
    dx : array, shape of `x`
    dgamma, dbeta : (C,) arrays
        The running statistics have no gradient.

    References
    ----------
    Ioffe and Szegedy (2015), section 3, derive the same by the chain rule.
    """
    centred, scale, gamma, shape, training = cache
    dtype = centred.dtype
    dpixels = _as_pixels(output_gradient(dout, shape, dtype))
    dbeta = _channel_sums("ncl->nc", dpixels)
    dgamma = _channel_sums("ncl,ncl->nc", dpixels, centred) * scale  # x̂ is centred * scale
    if training:
        m = _count(centred)
        dx = centred * _column(-scale * dgamma / m, dtype)
        dx -= _column(dbeta / m, dtype)
        dx += dpixels
        dx *= _column(gamma * scale, dtype)
    else:
        dx = dpixels * _column(gamma * scale, dtype)
    return dx.reshape(shape), dgamma.astype(dtype), dbeta.astype(dtype)


# --- channels -------------------------------------------------------------------------------------


def _as_pixels(x: np.ndarray) -> np.ndarray:
    """(N, C) or (N, C, H, W) as (N, C, L)."""
    return x.reshape(*x.shape[:2], math.prod(x.shape[2:]))


def _count(pixels: np.ndarray) -> int:
    """m: how many numbers a channel's statistics are made of."""
    return pixels.shape[0] * pixels.shape[2]


def _channel_sums(subscripts: str, *arrays: np.ndarray) -> np.ndarray:
    """Sum (products of) arrays over batch and pixels: (C,) in float64.

    Each image is summed in its own precision, the images then in float64, so that the rounding of a
    long float32 sum does not grow with the batch.
    """
    return np.einsum(subscripts, *arrays).sum(axis=0, dtype=np.float64)


def _column(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """(C,) values as (C, 1), to go with (N, C, L); float64 factors must not widen a float32 array."""
    return values.astype(dtype)[:, None]


# --- arguments ------------------------------------------------------------------------------------


def _checked(x, gamma, beta, running_mean, running_var, training, momentum, eps):
    """Check all arguments of the layer; return `momentum` and `eps` as Python floats."""
    channels = float_array("x", x, "N C|N C H W").shape[1]
    others = {
        "gamma": gamma,
        "beta": beta,
        "running_mean": running_mean,
        "running_var": running_var,
    }
    for name, array in others.items():
        float_array(name, array, "C")
        rule = f"one number for each of the {channels} channels of x {x.shape}."
        expect_shape(name, array, (channels,), rule)
    same_dtype(x=x, **others)
    if training and x.size < 2 * channels:
        raise ShapeError(
            f"x has shape {x.shape}, {x.size // channels} values a channel: in training the statistics "
            "need at least 2. Use a larger batch, or training=False."
        )
    return (
        number("momentum", momentum, lambda v: 0 <= v <= 1, "it is the weight of the new batch, "
               "from 0 to 1; the usual value is 0.1."),
        number("eps", eps, lambda v: 0 < v < np.inf, "it must be positive, for instance 1e-5."),
    )  # fmt: skip
