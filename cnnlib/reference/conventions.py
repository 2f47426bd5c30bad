"""Bridges between libraries that name, order or count the same thing in different ways.

cnnlib follows PyTorch. What the others do, and the function that crosses over:

==================  ============================  ==============================  ===========================
what                here and in PyTorch           elsewhere                       bridge
==================  ============================  ==============================  ===========================
dropout             p is the share dropped        p is the share kept             :func:`drop_from_keep`
momentum            weight of the new batch, 0.1  weight of the past, 0.9, 0.99   :func:`momentum_from_decay`
running variance    divisor m − 1 (unbiased)      divisor m (biased)              :func:`unbiased_variance`
ε of batch norm     1e-5                          1e-3, 1e-7                      :func:`variance_for_eps`
activations         (N, C, H, W)                  (N, H, W, C)                    :func:`channels_first`
conv weights        (K, C, F, F), "OIHW"          (F, F, C, K), "HWIO"            :func:`weight_from_hwio`
FC weights          (K, D)                        (D, K), D in channels-last      :func:`linear_weight_from_io`
"convolution"       correlation, kernel as it is  kernel flipped on both axes     :func:`flip_kernel`
==================  ============================  ==============================  ===========================

Functions named ``…_from_…`` have their way back beside them, unless they are their own inverse.
"""

import math

import numpy as np

from cnnlib.errors import RangeError, ShapeError
from cnnlib.reference.arguments import number
from cnnlib.shapes import whole

__all__ = [
    "biased_variance",
    "channels_first",
    "channels_last",
    "drop_from_keep",
    "flip_kernel",
    "linear_weight_from_io",
    "linear_weight_to_io",
    "momentum_from_decay",
    "unbiased_variance",
    "variance_for_eps",
    "weight_from_hwio",
    "weight_to_hwio",
]


# --- numbers --------------------------------------------------------------------------------------


def drop_from_keep(keep: float) -> float:
    """Probability of dropping, from the probability of keeping; and back, for it is ``1 - keep``.

    >>> drop_from_keep(0.75)
    0.25
    """
    return 1 - number("keep", keep, lambda p: 0 <= p <= 1, "it is a probability, from 0 to 1.")


def momentum_from_decay(decay: float) -> float:
    """Weight of the new batch in a running average, from the weight of the past; and back.

    One rule, two names: ``running = decay * running + (1 - decay) * batch``. PyTorch calls
    ``1 - decay`` the momentum, Keras and TensorFlow call ``decay`` so.

    >>> momentum_from_decay(0.75)
    0.25
    """
    rule = "it is the weight of the past in the running average, from 0 to 1."
    return 1 - number("decay", decay, lambda w: 0 <= w <= 1, rule)


def unbiased_variance(biased: np.ndarray, count: int) -> np.ndarray:
    """Variance with divisor m − 1, from the one with divisor m.

    Parameters
    ----------
    biased : array or number
    count : int
        m, the numbers that the variance was taken of: N·H·W for a channel. At least 2.

    Examples
    --------
    >>> unbiased_variance(4.0, 2)  # of 1 and 5: (4 + 4)/2, and (4 + 4)/1
    8.0
    """
    m = whole("count", count, 2)
    return biased * (m / (m - 1))


def biased_variance(unbiased: np.ndarray, count: int) -> np.ndarray:
    """Undo :func:`unbiased_variance`.

    >>> biased_variance(8.0, 2)
    4.0
    """
    m = whole("count", count, 2)
    return unbiased * ((m - 1) / m)


def variance_for_eps(running_var: np.ndarray, eps: float, wanted: float) -> np.ndarray:
    """Running variance that with ε = `wanted` gives what `running_var` gave with `eps`.

    Batch normalization divides by √(variance + ε), so only the sum counts: what ε loses the variance
    gains. For layers that take one ε only; where ε can be chosen, choose the old one.

    Parameters
    ----------
    running_var : (C,) array
    eps, wanted : float
        The ε that the network was trained with, and the one that it will run with.

    Raises
    ------
    RangeError
        If a variance would become negative, because ε grows by more than it.

    Examples
    --------
    >>> variance_for_eps(np.array([1.0, 0.25]), eps=0.5, wanted=0.25)
    array([1.25, 0.5 ])
    """
    rule = "it must be positive, for instance 1e-5."
    old, new = (
        number(name, value, lambda e: 0 < e < math.inf, rule)
        for name, value in (("eps", eps), ("wanted", wanted))
    )
    moved = running_var + (old - new)
    if np.min(moved, initial=0.0) < 0:
        raise RangeError(
            f"wanted={new} is too large: the smallest running variance {np.min(running_var)} with "
            f"eps={old} cannot make up for it. Use at most {np.min(running_var) + old}."
        )
    return moved


# --- axes -----------------------------------------------------------------------------------------


def channels_last(x: np.ndarray) -> np.ndarray:
    """(N, C, H, W) as (N, H, W, C): a view, no number is moved.

    >>> channels_last(np.zeros((2, 3, 32, 48))).shape
    (2, 32, 48, 3)
    """
    return _with_axes("x", x, "N, C, H, W").transpose(0, 2, 3, 1)


def channels_first(x: np.ndarray) -> np.ndarray:
    """(N, H, W, C) as (N, C, H, W): a view, no number is moved.

    >>> channels_first(np.zeros((2, 32, 48, 3))).shape
    (2, 3, 32, 48)
    """
    return _with_axes("x", x, "N, H, W, C").transpose(0, 3, 1, 2)


def weight_from_hwio(weight: np.ndarray) -> np.ndarray:
    """Conv weights (F_h, F_w, C, K) as (K, C, F_h, F_w).

    >>> weight_from_hwio(np.zeros((3, 5, 16, 32))).shape
    (32, 16, 3, 5)
    """
    return _with_axes("weight", weight, "F_h, F_w, C, K").transpose(3, 2, 0, 1)


def weight_to_hwio(weight: np.ndarray) -> np.ndarray:
    """Conv weights (K, C, F_h, F_w) as (F_h, F_w, C, K).

    >>> weight_to_hwio(np.zeros((32, 16, 3, 5))).shape
    (3, 5, 16, 32)
    """
    return _with_axes("weight", weight, "K, C, F_h, F_w").transpose(2, 3, 1, 0)


def linear_weight_from_io(
    weight: np.ndarray, volume: tuple[int, int, int] | None = None
) -> np.ndarray:
    """FC weights (D, K) as (K, D), the inputs in the order of a channels-first ``flatten``.

    After an ordinary layer it is a transposition. After a ``flatten`` it is more: a channels-last
    library wrote pixel after pixel, all channels of a pixel together, and cnnlib writes channel after
    channel. Without the reordering every shape fits and every output is wrong.

    Parameters
    ----------
    weight : (D, K) array
    volume : (C, H, W), optional
        What was flattened, if the layer comes after a ``flatten``.

    Returns
    -------
    (K, D) array

    Examples
    --------
    >>> weight = np.array([[0], [10], [1], [11]])  # two pixels, channels 0 and 1 of each
    >>> linear_weight_from_io(weight, volume=(2, 1, 2))
    array([[ 0,  1, 10, 11]])
    """
    inputs, neurons = _with_axes("weight", weight, "D, K").shape
    if volume is None:
        return weight.T
    c, h, w = _volume(volume, inputs)
    return weight.reshape(h, w, c, neurons).transpose(3, 2, 0, 1).reshape(neurons, inputs)


def linear_weight_to_io(
    weight: np.ndarray, volume: tuple[int, int, int] | None = None
) -> np.ndarray:
    """Undo :func:`linear_weight_from_io`: (K, D) as (D, K).

    >>> linear_weight_to_io(np.array([[0, 1, 10, 11]]), volume=(2, 1, 2)).ravel()
    array([ 0, 10,  1, 11])
    """
    neurons, inputs = _with_axes("weight", weight, "K, D").shape
    if volume is None:
        return weight.T
    c, h, w = _volume(volume, inputs)
    return weight.reshape(neurons, c, h, w).transpose(2, 3, 1, 0).reshape(inputs, neurons)


def flip_kernel(weight: np.ndarray) -> np.ndarray:
    """Kernels turned by 180 degrees: correlation becomes convolution, and convolution correlation.

    A CONV layer slides the kernel as it is (correlation). A convolution in the sense of signal
    processing, ``np.convolve`` for instance, flips it on both axes first.

    Parameters
    ----------
    weight : (…, F_h, F_w) array
        The last two axes are flipped.

    Examples
    --------
    >>> flip_kernel(np.array([[1, 2], [3, 4]]))
    array([[4, 3],
           [2, 1]])
    """
    if weight.ndim < 2:
        raise ShapeError(
            f"weight has shape {weight.shape}, {weight.ndim} axes: a kernel needs height and width. "
            "Add the missing axis with weight[None]."
        )
    return weight[..., ::-1, ::-1]


# --- arguments ------------------------------------------------------------------------------------


def _with_axes(name: str, array: np.ndarray, axes: str) -> np.ndarray:
    if array.ndim != len(axes.split(", ")):
        raise ShapeError(
            f"{name} has shape {array.shape}, {array.ndim} axes: expected ({axes}). "
            f"Add a missing axis with {name}[None] or reshape it."
        )
    return array


def _volume(volume: tuple[int, int, int], inputs: int) -> tuple[int, int, int]:
    if len(volume) != 3 or math.prod(volume) != inputs:
        raise ShapeError(
            f"volume={volume} has {math.prod(volume)} numbers, but weight has {inputs} inputs: "
            "give (C, H, W) of the activations that were flattened."
        )
    return volume
