"""Activations: a nonlinear function of each number, or, for the softmax, of each column of numbers.

=============  ==================================================================================
accepts        an array of any shape; the softmax needs an axis to sum along
settings       a slope, an alpha or an axis
produces       the same shape
parameters     none
=============  ==================================================================================

**The cache of an activation is its own output.** All six derivatives can be written with it, so
nothing else need be kept::

    out = tanh(x)
    dx = tanh_backward(dout, out)

A setting that is not the default goes to both functions.
"""

from typing import Any

import numpy as np

from cnnlib.errors import ShapeError
from cnnlib.reference.arguments import float_array, number, output_gradient

__all__ = [
    "elu",
    "elu_backward",
    "leaky_relu",
    "leaky_relu_backward",
    "relu",
    "relu_backward",
    "sigmoid",
    "sigmoid_backward",
    "softmax",
    "softmax_backward",
    "tanh",
    "tanh_backward",
]


def relu(x: np.ndarray) -> np.ndarray:
    """Rectified linear unit: ``max(x, 0)``.

    Parameters
    ----------
    x : array, float32 or float64
        Any shape.

    Returns
    -------
    array, shape and dtype of `x`
        NaN stays NaN.

    Raises
    ------
    DtypeError
        If `x` is not float32 or float64. The other activations refuse it likewise.

    References
    ----------
    Nair and Hinton (2010), *Rectified linear units improve restricted Boltzmann machines*.

    Examples
    --------
    >>> relu(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 3.])
    """
    return np.maximum(float_array("x", x, "..."), _zeros(x))


def relu_backward(dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
    """Gradient of :func:`relu`: `dout` where the unit is active, 0 where it is not.

    The slope is 1 to the right of 0 and 0 to the left. At 0 itself there is none; 0 is the custom.

    Parameters
    ----------
    dout : array
        Gradient with respect to the output.
    cache : array
        The output of :func:`relu`.

    Returns
    -------
    dx : array

    Examples
    --------
    >>> relu_backward(np.array([1.0, 1.0, 1.0]), relu(np.array([-2.0, 0.0, 3.0])))
    array([0., 0., 1.])
    """
    return _gradient(dout, cache) * (cache > 0)


def leaky_relu(x: np.ndarray, negative_slope: float = 0.01) -> np.ndarray:
    """ReLU with a leak: `x` where it is positive, ``negative_slope * x`` elsewhere.

    Parameters
    ----------
    x : array, float32 or float64
    negative_slope : float
        At least 0. With a negative one the output would no longer tell the sign of `x`.

    Returns
    -------
    array, shape and dtype of `x`

    Raises
    ------
    RangeError
        If the slope is negative.

    References
    ----------
    Maas, Hannun and Ng (2013), *Rectifier nonlinearities improve neural network acoustic models*,
    equation 2.

    Examples
    --------
    >>> leaky_relu(np.array([-2.0, 0.0, 3.0]), 0.1)
    array([-0.2,  0. ,  3. ])
    """
    x, zeros = float_array("x", x, "..."), _zeros(x)
    return np.maximum(x, zeros) + _slope(negative_slope) * np.minimum(x, zeros)


def leaky_relu_backward(
    dout: np.ndarray, cache: np.ndarray, negative_slope: float = 0.01
) -> np.ndarray:
    """Gradient of :func:`leaky_relu`; `cache` is its output, which has the sign of its input."""
    dout = _gradient(dout, cache)
    return np.where(cache > 0, dout, _slope(negative_slope) * dout)


def elu(x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    """Exponential linear unit: `x` where it is positive, ``alpha * (exp(x) - 1)`` elsewhere.

    Parameters
    ----------
    x : array, float32 or float64
    alpha : float
        The output approaches ``-alpha`` far to the left. At least 0.

    Returns
    -------
    array, shape and dtype of `x`

    Raises
    ------
    RangeError
        If `alpha` is negative.

    References
    ----------
    Clevert, Unterthiner and Hochreiter (2016), *Fast and accurate deep network learning by
    exponential linear units (ELUs)*, equation 15.

    Examples
    --------
    >>> elu(np.array([-np.inf, 0.0, 3.0]), alpha=2.0)
    array([-2.,  0.,  3.])
    """
    x, zeros = float_array("x", x, "..."), _zeros(x)
    return np.maximum(x, zeros) + _alpha(alpha) * np.expm1(np.minimum(x, zeros))


def elu_backward(dout: np.ndarray, cache: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    """Gradient of :func:`elu`; `cache` is its output.

    To the left of 0 the slope is α·exp(x), and that is the output α·(exp(x) − 1) plus α.
    """
    dout = _gradient(dout, cache)
    return np.where(cache > 0, dout, dout * (cache + _alpha(alpha)))


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Logistic function: ``1 / (1 + exp(-x))``.

    Far to the left exp(−x) would overflow. There the fraction is multiplied through by exp(x), which
    gives exp(x)/(1 + exp(x)). Both cases are exp(min(x, 0))/(1 + exp(−|x|)), with no exponent above 0.

    Parameters
    ----------
    x : array, float32 or float64

    Returns
    -------
    array, shape and dtype of `x`
        Between 0 and 1.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    x, zeros = float_array("x", x, "..."), _zeros(x)
    return np.exp(np.minimum(x, zeros)) / (1 + np.exp(-np.abs(x)))


def sigmoid_backward(dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
    """Gradient of :func:`sigmoid`: with the output s, the slope is s·(1 − s)."""
    return _gradient(dout, cache) * cache * (1 - cache)


def tanh(x: np.ndarray) -> np.ndarray:
    """Hyperbolic tangent, between −1 and 1: a sigmoid of ``2 * x``, stretched and centred.

    >>> tanh(np.array([-1000.0, 0.0, 1000.0]))
    array([-1.,  0.,  1.])
    """
    return np.tanh(float_array("x", x, "..."))


def tanh_backward(dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
    """Gradient of :func:`tanh`: with the output t, the slope is 1 − t²."""
    return _gradient(dout, cache) * (1 - cache * cache)


def softmax(x: np.ndarray, axis: int = 1) -> np.ndarray:
    """Turn scores into positive numbers that sum to 1 along `axis`: ``exp(x) / sum(exp(x))``.

    Only differences between scores matter: a constant added to all of them cancels. So the largest
    is subtracted first, and no exponential exceeds 1.

    Parameters
    ----------
    x : array, float32 or float64
        Scores, for instance (N, C) logits or (N, C, H, W) score maps.
    axis : int
        The axis of the classes; 1 in both of these.

    Returns
    -------
    array, shape and dtype of `x`

    Raises
    ------
    ShapeError
        If `x` has no such axis.

    Examples
    --------
    >>> softmax(np.array([[1000.0, 1000.0, -1000.0]]))
    array([[0.5, 0.5, 0. ]])
    """
    x, axis = float_array("x", x, "..."), _axis(x, axis)
    powers = np.exp(x - x.max(axis, keepdims=True))
    powers /= powers.sum(axis, keepdims=True)
    return powers


def softmax_backward(dout: np.ndarray, cache: np.ndarray, axis: int = 1) -> np.ndarray:
    """Gradient of :func:`softmax`.

    Raising one score raises its own share p of the total and lowers every share in proportion:
    ∂pᵢ/∂xⱼ = pᵢ·(1[i = j] − pⱼ). Summed against `dout` this is p·(dout − Σ p·dout): what counts is by
    how much a class's gradient exceeds the average gradient, the average weighted by p.

    Parameters
    ----------
    dout : array
        Gradient with respect to the output.
    cache : array
        The output of :func:`softmax`.
    axis : int
        As in :func:`softmax`.

    Returns
    -------
    dx : array
        Sums to 0 along `axis`.
    """
    dout, axis = _gradient(dout, cache), _axis(cache, axis)
    return cache * (dout - (dout * cache).sum(axis, keepdims=True))


# --- arguments ------------------------------------------------------------------------------------


def _gradient(dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
    return output_gradient(dout, cache.shape, cache.dtype)


def _zeros(x: np.ndarray) -> np.ndarray:
    """Zeros for one item of the batch.

    NumPy's loop over two arrays is three times faster than its loop over an array and a number.
    """
    return np.zeros(x.shape[1:], x.dtype)


def _slope(value: Any) -> float:
    rule = "it must be at least 0, for instance 0.01."
    return number("negative_slope", value, lambda slope: 0 <= slope < np.inf, rule)


def _alpha(value: Any) -> float:
    rule = "it must be at least 0, for instance 1.0."
    return number("alpha", value, lambda alpha: 0 <= alpha < np.inf, rule)


def _axis(x: np.ndarray, axis: int) -> int:
    if not -x.ndim <= axis < x.ndim:
        raise ShapeError(
            f"axis={axis} does not exist in an array of shape {x.shape}: "
            f"use one from {-x.ndim} to {x.ndim - 1}."
        )
    return axis
