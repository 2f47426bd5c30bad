"""BN before RELU or behind it: one batch of numbers through both orders, side by side."""

import math
from functools import cache
from itertools import islice
from typing import NamedTuple

import numpy as np

from cnnlib.reference.activation import relu
from cnnlib.reference.norm import batch_norm
from cnnlib.widgets.base import Widget, fixed, settings
from cnnlib.widgets.bundle import esm
from cnnlib.widgets.chance import normal, uniform

__all__ = ["BnPlacement", "Statistics", "statistics"]

COUNT, SEED, EPS = 512, 69, 1e-5


class Statistics(NamedTuple):
    """What the widget tells of some numbers; `zeros` and `negative` are shares from 0 to 1."""

    mean: float
    variance: float
    zeros: float
    negative: float


@cache
def _standard(shape: str) -> np.ndarray:
    """The batch before it is moved: its mean is 0 and its spread 1. JavaScript draws the same."""
    if shape == "normal":
        drawn = list(islice(normal(SEED), COUNT))
    else:
        drawn = [-math.log(1 - u) for u in islice(uniform(SEED), COUNT)]
    values = np.array(drawn)
    return (values - values.mean()) / values.std()


class BnPlacement(Widget):
    """Both orders of BN and RELU for 512 numbers of one channel; every setting is a synced trait.

    Parameters
    ----------
    shape : str
        How the numbers are spread: ``"normal"``, or ``"skewed"`` (exponential: a long tail of large
        ones).
    mean, spread : float
        Mean and standard deviation of the numbers. 0 and 1 unless given.
    gamma, beta : float
        Scale and shift of BN, whose ε is 1e-5. 1 and 0 unless given.

    Raises
    ------
    RangeError
        If a setting is outside its limits.

    References
    ----------
    Ioffe and Szegedy (2015), *Batch normalization: accelerating deep network training by reducing
    internal covariate shift*, section 3.2, put BN before the activation.

    Examples
    --------
    >>> placement = BnPlacement(mean=-1)
    >>> bn, out = placement.bn_relu  # after BN, and then after RELU
    >>> bool(abs(bn.mean()) < 1e-9), bool(out.min() == 0)
    (True, True)
    >>> placement.mean = -4  # all numbers are negative
    >>> hidden, out = placement.relu_bn
    >>> bool(hidden.any()), bool(out.any())
    (False, False)
    """

    _module = "bn_placement"
    _esm = esm("bn_placement")

    shape, mean, spread, gamma, beta = settings("bn_placement")

    @property
    def batch(self) -> np.ndarray:
        """The 512 numbers that come in."""
        return self.mean + self.spread * _standard(self.shape)

    @property
    def bn_relu(self) -> tuple[np.ndarray, np.ndarray]:
        """BN before RELU: the numbers after the first step and after the second."""
        normalized = self._bn(self.batch)
        return normalized, relu(normalized)

    @property
    def relu_bn(self) -> tuple[np.ndarray, np.ndarray]:
        """BN behind RELU: the numbers after the first step and after the second."""
        hidden = relu(self.batch)
        return hidden, self._bn(hidden)

    @property
    def silent(self) -> tuple[float, float]:
        """The share of numbers that RELU makes 0 in ``bn_relu`` and in ``relu_bn``."""
        return float((self.bn_relu[1] == 0).mean()), float((self.relu_bn[0] == 0).mean())

    def _bn(self, values: np.ndarray) -> np.ndarray:
        """What BN makes of `values` in training."""
        return self._batch_norm(values, np.zeros(1), np.ones(1), training=True)

    def _line(self, values: np.ndarray) -> tuple[float, float]:
        """Scale and shift of BN when it meets `values`: with their statistics it is a line, so two points tell."""
        statistics = np.array([values.mean()]), np.array([values.var()])
        at_0, at_1 = self._batch_norm(np.array([0.0, 1.0]), *statistics, training=False)
        return float(at_1 - at_0), float(at_0)

    def _batch_norm(
        self, values: np.ndarray, mean: np.ndarray, var: np.ndarray, training: bool
    ) -> np.ndarray:
        gamma, beta = np.array([self.gamma]), np.array([self.beta])
        out, _, _ = batch_norm(values[:, None], gamma, beta, mean, var, training=training, eps=EPS)
        return out[:, 0]

    # --- sentences; bn_placement.js writes the same ones, and a test compares them ---

    def summary(self) -> str:
        """One sentence: what RELU silences in each order, and where the silent numbers end."""
        (before, behind), beta = self.silent, fixed(self.beta)
        if self.gamma == 0:
            return (
                "With γ = 0 BN forgets its input. Both orders end in one value: "
                f"{fixed(max(self.beta, 0.0))} from BN → RELU, {beta} from RELU → BN."
            )
        if behind == 1:
            return (
                "All inputs are negative: with RELU first the channel is dead. Every number becomes 0, BN makes "
                f"β = {beta} of the constant, and no gradient gets back. With BN first, RELU silences {_percent(before)}."
            )
        if behind == 0:
            return (
                "No input is negative: RELU first changes nothing. RELU → BN is then BN alone. "
                f"BN first puts the mean at β = {beta}, and RELU silences {_percent(before)}."
            )
        return (
            f"RELU silences {_percent(before)} with BN first, {_percent(behind)} with RELU first. "
            f"They reach the next layer as 0 from BN → RELU, as {fixed(self._line(self.relu_bn[0])[1])} from RELU → BN."
        )

    def facts(self) -> list[tuple[str, str]]:
        """Label and text of each row of the result."""
        (bn, bn_relu), (hidden, relu_bn) = self.bn_relu, self.relu_bn
        before, behind = self._line(self.batch), self._line(hidden)
        return [
            ("Input", _told(self.batch)),
            ("BN → RELU, after BN", _told(bn)),
            ("BN → RELU, after RELU", _told(bn_relu)),
            ("RELU → BN, after RELU", _told(hidden)),
            ("RELU → BN, after BN", _told(relu_bn)),
            ("BN → RELU, silent", _count(self.silent[0], 0.0)),
            ("RELU → BN, silent", _count(self.silent[1], behind[1])),
            (
                "BN → RELU, BN as a line",
                "{}·x + {}".format(*map(fixed, before)).replace("+ −", "− "),
            ),
            (
                "RELU → BN, BN as a line",
                "{}·x + {}".format(*map(fixed, behind)).replace("+ −", "− "),
            ),
        ]


def statistics(values: np.ndarray) -> Statistics:
    """What the widget tells of `values`.

    >>> statistics(np.array([-1.0, 0.0, 0.0, 3.0]))
    Statistics(mean=0.5, variance=2.25, zeros=0.5, negative=0.25)
    """
    shares = float((values == 0).mean()), float((values < 0).mean())
    return Statistics(float(values.mean()), float(values.var()), *shares)


def _told(values: np.ndarray) -> str:
    mean, variance, zeros, negative = statistics(values)
    return f"mean {fixed(mean)}, variance {fixed(variance)}, zeros {_percent(zeros)}, negative {_percent(negative)}"


def _count(silent: float, value: float) -> str:
    return f"{silent * COUNT:.0f} of {COUNT}, at {fixed(value)}" if silent else "none"


def _percent(share: float) -> str:
    return f"{fixed(100 * share, 1)} %"
