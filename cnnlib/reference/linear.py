"""The fully connected layer, and the flattening that comes before it.

=============  ==================================================================================
accepts        (N, D) features; ``flatten`` makes them of any (N, …)
settings       none
produces       (N, K): one number for each of K neurons
parameters     weight (K, D) and bias (K): (D + 1)·K numbers, each neuron sees all D inputs
=============  ==================================================================================
"""

import math

import numpy as np

from cnnlib.errors import ShapeError
from cnnlib.reference.arguments import expect_shape, float_array, output_gradient, same_dtype

__all__ = [
    "flatten",
    "flatten_backward",
    "flatten_forward",
    "linear",
    "linear_backward",
    "linear_forward",
]


def flatten(x: np.ndarray) -> np.ndarray:
    """Write each image of a batch as one row.

    Parameters
    ----------
    x : (N, …) array, float32 or float64

    Returns
    -------
    (N, D) array, dtype of `x`
        D is the product of all axes but the first, in row-major order: all of channel 0 comes before
        channel 1. It shares memory with `x` where NumPy can arrange it.

    Raises
    ------
    ShapeError
        If `x` is a single number, without an axis for the batch.
    DtypeError
        If `x` is not float32 or float64.

    Examples
    --------
    >>> flatten(np.zeros((2, 3, 4, 4))).shape
    (2, 48)
    """
    if float_array("x", x, "...").ndim == 0:
        raise ShapeError(
            "x has shape (), no axis for the batch: pass an array (N, …), x[None, None]."
        )
    return x.reshape(len(x), math.prod(x.shape[1:]))


def flatten_forward(x: np.ndarray) -> tuple[np.ndarray, tuple]:
    """:func:`flatten`, and the cache for its backward: the shape and the dtype of `x`."""
    return flatten(x), (x.shape, x.dtype)


def flatten_backward(dout: np.ndarray, cache: tuple) -> np.ndarray:
    """Gradient of :func:`flatten`: no number has changed, so `dout` only gets its old shape back."""
    shape, dtype = cache
    return output_gradient(dout, (shape[0], math.prod(shape[1:])), dtype).reshape(shape)


def linear(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
    """Weighted sums of all features: ``x @ weight.T + bias``.

    Parameters
    ----------
    x : (N, D) array, float32 or float64
        Features.
    weight : (K, D) array
        One row for each neuron.
    bias : (K,) array, optional

    Returns
    -------
    (N, K) array, dtype of `x`

    Raises
    ------
    ShapeError
        If a rank or a length does not fit.
    DtypeError
        If the arrays are not all float32 or all float64.

    Examples
    --------
    >>> linear(np.array([[1., 2., 3.]]), np.array([[1., 0., 1.], [0., 2., 0.]]), np.array([10., 20.]))
    array([[14., 24.]])
    """
    float_array("x", x, "N D")
    neurons, features = float_array("weight", weight, "K D").shape
    if x.shape[1] != features:
        raise ShapeError(
            f"x has {x.shape[1]} features, but weight has shape {weight.shape}, for {features} features: "
            f"make weight.shape[1] {x.shape[1]}, or check that x is (N, D) and weight (K, D), not (D, K)."
        )
    if bias is not None:
        float_array("bias", bias, "K")
        expect_shape(
            "bias", bias, (neurons,), f"one number for each of the {neurons} rows of weight."
        )
    same_dtype(x=x, weight=weight, bias=bias)
    out = x @ weight.T
    if bias is not None:
        out += bias
    return out


def linear_forward(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None
) -> tuple[np.ndarray, tuple]:
    """:func:`linear`, and the cache for :func:`linear_backward`: its three arguments."""
    return linear(x, weight, bias), (x, weight, bias)


def linear_backward(
    dout: np.ndarray, cache: tuple
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Gradients of :func:`linear`.

    Feature d reaches neuron k through weight[k, d] alone. So a feature collects, over all neurons,
    the neuron's gradient times that weight; a weight collects, over the batch, the neuron's gradient
    times the feature; a bias is a weight whose feature is always 1. Each sum over a shared index is a
    matrix product, and the shapes leave only one way to write it.

    Parameters
    ----------
    dout : (N, K) array
        Gradient with respect to the output.
    cache : tuple
        From :func:`linear_forward`.

    Returns
    -------
    dx : (N, D) array
    dweight : (K, D) array
    dbias : (K,) array, or None without a bias

    Examples
    --------
    >>> out, cache = linear_forward(np.array([[1., 2.]]), np.array([[3., 4.]]), np.zeros(1))
    >>> linear_backward(np.array([[10.]]), cache)
    (array([[30., 40.]]), array([[10., 20.]]), array([10.]))
    """
    x, weight, bias = cache
    dout = output_gradient(dout, (len(x), len(weight)), x.dtype)
    return dout @ weight, dout.T @ x, None if bias is None else dout.sum(axis=0)
