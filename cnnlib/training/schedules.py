"""How the learning rate goes down, and first up, in the course of a training.

A schedule is plain data; :func:`factor` says by what the optimizer's rate is multiplied at each step.
"""

import math
from dataclasses import dataclass

from cnnlib.errors import RangeError
from cnnlib.shapes import whole

__all__ = ["Constant", "Cosine", "Schedule", "StepDown", "factor"]


@dataclass(frozen=True)
class Constant:
    """The same rate throughout, after `warmup` steps that rise to it.

    Parameters
    ----------
    warmup : int
        Steps (updates), at least 0. Step t of them, counted from 1, takes t/warmup of the rate.

    References
    ----------
    Goyal et al. (2017), *Accurate, large minibatch SGD: training ImageNet in 1 hour*, section 2.2 (gradual
    warm-up).
    """

    warmup: int = 0

    def __post_init__(self) -> None:
        whole("warmup", self.warmup, 0)


@dataclass(frozen=True)
class StepDown:
    """The rate is multiplied by `gamma` after every `every` epochs.

    Parameters
    ----------
    every : int
        Epochs, at least 1.
    gamma : float
        0 < gamma ≤ 1.
    warmup : int
        Steps, as in :class:`Constant`.

    References
    ----------
    He, Zhang, Ren and Sun (2016), *Deep residual learning for image recognition*, section 4.2.
    """

    every: int = 1
    gamma: float = 0.1
    warmup: int = 0

    def __post_init__(self) -> None:
        whole("every", self.every, 1)
        whole("warmup", self.warmup, 0)
        if not 0 < self.gamma <= 1:
            raise RangeError(
                f"gamma={self.gamma!r} is out of range: the rate is multiplied by it, so it is above 0 "
                "and at most 1; 0.1 is usual."
            )


@dataclass(frozen=True)
class Cosine:
    """The rate falls along half a cosine, from the whole at the first step to 0 behind the last.

    Parameters
    ----------
    warmup : int
        Steps, as in :class:`Constant`; the fall begins behind them.

    References
    ----------
    Loshchilov and Hutter (2017), *SGDR: stochastic gradient descent with warm restarts*, equation 5, with
    one period.
    """

    warmup: int = 0

    def __post_init__(self) -> None:
        whole("warmup", self.warmup, 0)


Schedule = Constant | StepDown | Cosine


def factor(schedule: Schedule, step: int, steps_per_epoch: int, epochs: int) -> float:
    """What the learning rate is multiplied by at a step.

    Parameters
    ----------
    schedule : Constant, StepDown or Cosine
    step : int
        Of the whole training, counted from 0.
    steps_per_epoch, epochs : int

    Examples
    --------
    >>> [round(factor(Cosine(), step, 1, 4), 3) for step in range(4)]
    [1.0, 0.854, 0.5, 0.146]
    >>> [factor(StepDown(every=2, gamma=0.5), step, 2, 5) for step in (0, 3, 4, 9)]
    [1.0, 1.0, 0.5, 0.25]
    >>> [factor(Constant(warmup=4), step, 2, 5) for step in range(5)]
    [0.25, 0.5, 0.75, 1.0, 1.0]
    """
    if step < schedule.warmup:
        return (step + 1) / schedule.warmup
    if isinstance(schedule, StepDown):
        return schedule.gamma ** (step // steps_per_epoch // schedule.every)
    if isinstance(schedule, Cosine):
        fall = steps_per_epoch * epochs - schedule.warmup
        return 0.5 * (1 + math.cos(math.pi * (step - schedule.warmup) / fall))
    return 1.0
