"""How gradients change weights: stochastic gradient descent with momentum, and Adam.

An optimizer's settings are plain data, :class:`SGD` or :class:`Adam`. For the NumPy network
:func:`start` and :func:`update` do the arithmetic, on arrays by name; for torch the settings choose
``torch.optim``'s own class, and tests hold the two equal step by step.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnlib.errors import RangeError

__all__ = ["SGD", "Adam", "Optimizer", "start", "update"]

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class SGD:
    """Gradient descent with momentum and weight decay, as ``torch.optim.SGD`` computes it.

    With gradient g, velocity u and rate λ: g ← g + decay · w, u ← momentum · u + g, w ← w − λ u;
    with `nesterov`, w ← w − λ (g + momentum · u).

    Parameters
    ----------
    learning_rate : float
        Above 0. The schedule multiplies it.
    momentum : float
        0 ≤ momentum < 1.
    weight_decay : float
        At least 0. It acts on all weights, also biases, γ and β, as in torch.
    nesterov : bool

    References
    ----------
    Polyak (1964), *Some methods of speeding up the convergence of iteration methods*, equation 9.
    Sutskever, Martens, Dahl and Hinton (2013), *On the importance of initialization and momentum in deep
    learning*, equations 1 to 4, with the rate outside the velocity, as torch has it.
    """

    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        _positive("learning_rate", self.learning_rate, "0.1 is a usual first try for SGD")
        _share("momentum", self.momentum, "0.9 is usual")
        _not_negative("weight_decay", self.weight_decay, "5e-4 is usual with SGD, 0 turns it off")
        if self.nesterov and not self.momentum:
            raise RangeError(
                "nesterov=True with momentum=0: looking ahead along no velocity is the plain step. "
                "Give momentum=0.9 or leave nesterov out."
            )


@dataclass(frozen=True)
class Adam:
    """Steps scaled by running means of the gradient and of its square, as ``torch.optim.Adam`` has it.

    Parameters
    ----------
    learning_rate : float
        Above 0. The schedule multiplies it.
    beta1, beta2 : float
        0 ≤ β < 1: how much of the running means stays at each step.
    eps : float
        Above 0, added to the root of the mean square.
    weight_decay : float
        At least 0; added to the gradient (not the decoupled decay of AdamW).

    References
    ----------
    Kingma and Ba (2015), *Adam: a method for stochastic optimization*, algorithm 1.
    """

    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        _positive("learning_rate", self.learning_rate, "0.001 is a usual first try for Adam")
        _share("beta1", self.beta1, "0.9 is usual")
        _share("beta2", self.beta2, "0.999 is usual")
        _positive("eps", self.eps, "1e-8 is usual")
        _not_negative("weight_decay", self.weight_decay, "0 turns it off")


Optimizer = SGD | Adam


def start(optimizer: Optimizer, parameters: Arrays) -> dict[str, np.ndarray]:
    """The state before the first step: zeros, under names such as ``conv1.weight/velocity``.

    For Adam also ``steps``, int64, the number of steps so far.
    """
    if isinstance(optimizer, SGD):
        if not optimizer.momentum:
            return {}
        return {f"{name}/velocity": np.zeros_like(array) for name, array in parameters.items()}
    state = {"steps": np.zeros((), np.int64)}
    for name, array in parameters.items():
        state[f"{name}/mean"] = np.zeros_like(array)
        state[f"{name}/square"] = np.zeros_like(array)
    return state


def update(
    optimizer: Optimizer,
    parameters: Arrays,
    gradients: Arrays,
    state: dict[str, np.ndarray],
    rate: float,
) -> None:
    """One step: changes `parameters` and `state` in place, and leaves `gradients` alone.

    Parameters
    ----------
    optimizer : SGD or Adam
    parameters, gradients : dict of str to array
        float32 or float64, a gradient for each parameter, of its shape.
    state : dict of str to array
        From :func:`start`.
    rate : float
        The learning rate of this step.

    Examples
    --------
    >>> w = {"fc1.weight": np.array([1.0])}
    >>> state = start(SGD(momentum=0.5), w)
    >>> for _ in range(2):
    ...     update(SGD(momentum=0.5), w, {"fc1.weight": np.array([1.0])}, state, 0.1)
    >>> w["fc1.weight"]  # 1 − 0.1 · 1 − 0.1 · 1.5
    array([0.75])
    """
    if isinstance(optimizer, Adam):
        state["steps"] += 1
    for name, w in parameters.items():
        g = gradients[name]
        if optimizer.weight_decay:
            g = g + optimizer.weight_decay * w
        if isinstance(optimizer, SGD):
            _sgd(optimizer, w, g, state.get(f"{name}/velocity"), rate)
        else:
            mean, square = state[f"{name}/mean"], state[f"{name}/square"]
            _adam(optimizer, w, g, mean, square, int(state["steps"]), rate)


def _sgd(
    optimizer: SGD, w: np.ndarray, g: np.ndarray, velocity: np.ndarray | None, rate: float
) -> None:
    if velocity is None:
        w -= rate * g
        return
    velocity *= optimizer.momentum
    velocity += g
    w -= rate * (g + optimizer.momentum * velocity if optimizer.nesterov else velocity)


def _adam(
    optimizer: Adam,
    w: np.ndarray,
    g: np.ndarray,
    mean: np.ndarray,
    square: np.ndarray,
    steps: int,
    rate: float,
) -> None:
    mean += (1 - optimizer.beta1) * (g - mean)
    square *= optimizer.beta2
    square += (1 - optimizer.beta2) * (g * g)
    # Means that start at 0 are too small at first: both are divided by what is missing (section 3).
    root = np.sqrt(square)
    root /= math.sqrt(1 - optimizer.beta2**steps)
    root += optimizer.eps
    np.divide(mean, root, out=root)
    root *= rate / (1 - optimizer.beta1**steps)
    w -= root


def _positive(name: str, value: Any, usual: str) -> None:
    if not (isinstance(value, int | float) and 0 < value < math.inf):
        raise RangeError(f"{name}={value!r} must be a number above 0: {usual}.")


def _share(name: str, value: Any, usual: str) -> None:
    if not (isinstance(value, int | float) and 0 <= value < 1):
        raise RangeError(f"{name}={value!r} must be at least 0 and below 1: {usual}.")


def _not_negative(name: str, value: Any, usual: str) -> None:
    if not (isinstance(value, int | float) and 0 <= value < math.inf):
        raise RangeError(f"{name}={value!r} must be a number of at least 0: {usual}.")
