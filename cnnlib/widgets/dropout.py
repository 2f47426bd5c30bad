"""Dropout, mini-batch by mini-batch: masks drawn anew, and what the outputs average to."""

import math
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np

from cnnlib.reference.dropout import WORDS, dropout
from cnnlib.reference.linear import linear
from cnnlib.widgets.base import Widget, _spec, fixed, settings
from cnnlib.widgets.bundle import esm
from cnnlib.widgets.chance import uniform

__all__ = ["Dropout"]

_ACTIVATIONS = np.array(_spec("dropout")["activations"])
_WEIGHTS = np.array([_spec("dropout")["weights"]])
_STEPS = _spec("dropout")["settings"][-1]["maximum"] + 1


class _Coins(np.random.Generator):
    """The page's coins for :func:`~cnnlib.reference.dropout.dropout`, of the 16 bits that it draws first."""

    def __init__(self, words: np.ndarray):
        super().__init__(np.random.PCG64(0))
        self._words = words

    def integers(self, *_: Any, **__: Any) -> Any:
        return self._words

    def random(self, size: Any = None, *_: Any, **__: Any) -> Any:
        return np.zeros(size)  # no further bits


@lru_cache(maxsize=64)
def _words(seed: int) -> np.ndarray:
    """A coin for each unit in each mini-batch of a run."""
    numbers = islice(uniform(seed), _STEPS * _ACTIVATIONS.size)
    words = [int(number * WORDS) for number in numbers]
    return np.array(words, dtype=np.uint16).reshape(_STEPS, _ACTIVATIONS.size)


class Dropout(Widget):
    """Twelve units with fixed activations feed one output neuron through a dropout layer.

    One example is shown again and again, once in each mini-batch, each time under a new mask.

    Parameters
    ----------
    p : float
        The probability of dropping, 0 to 0.9. 0.5 unless given.
    scaling : bool
        Whether what is kept is multiplied by 1/(1 − p), as inverted dropout does. True unless given.
    seed : int
        Another seed is another run. 1 unless given.
    step : int
        The mini-batch shown, counted from 0. 0 unless given.

    Raises
    ------
    ShapeError, RangeError
        If a setting is outside its limits or of another kind.

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014), *Dropout: a simple way to
    prevent neural networks from overfitting*, section 4; the inverted form in section 10.

    Examples
    --------
    >>> run = Dropout(p=0.5, step=199)
    >>> round(run.evaluation, 2), round(run.expected, 2), round(run.deviation, 2)
    (6.0, 6.0, 3.0)
    >>> run.scaling = False
    >>> round(run.expected, 2), abs(run.mean - run.expected) < 3 * run.deviation / 200**0.5
    (3.0, True)
    """

    _module = "dropout"
    _esm = esm("dropout")

    p, scaling, seed, step = settings("dropout")

    def _dropped(self, x: np.ndarray) -> np.ndarray:
        """The layer's output for all mini-batches so far, one a row."""
        words = _words(self.seed)[: self.step + 1]
        batch = np.broadcast_to(x, words.shape)
        return dropout(batch, self.p, training=True, rng=_Coins(words))

    @property
    def masks(self) -> np.ndarray:
        """For each mini-batch so far, which units are kept."""
        return self._dropped(np.ones_like(_ACTIVATIONS)) > 0

    @property
    def outputs(self) -> np.ndarray:
        """The output in each mini-batch so far."""
        passed = self._dropped(_ACTIVATIONS) if self.scaling else _ACTIVATIONS * self.masks
        return linear(passed, _WEIGHTS)[:, 0]

    @property
    def mean(self) -> float:
        """The mean of the outputs so far."""
        return float(self.outputs.mean())

    @property
    def evaluation(self) -> float:
        """The output at test time, where dropout does nothing."""
        x = dropout(_ACTIVATIONS[None], self.p, training=False, rng=None)  # type: ignore[arg-type]
        return float(linear(x, _WEIGHTS)[0, 0])

    @property
    def expected(self) -> float:
        """The output in training, on average over all masks."""
        return self.evaluation if self.scaling else (1 - self.p) * self.evaluation

    @property
    def deviation(self) -> float:
        """The output's standard deviation over all masks.

        A unit's share w·x of the output is multiplied by d, which has the variance p/(1 − p), or
        p(1 − p) without the factor. The coins are independent, so the variances add up.
        """
        variance = self.p / (1 - self.p) if self.scaling else self.p * (1 - self.p)
        return math.sqrt(variance * _squares())

    @property
    def measured(self) -> float | None:
        """The standard deviation of the outputs so far; None for a single one."""
        return float(self.outputs.std(ddof=1)) if self.step else None

    # --- sentences; dropout.js writes the same ones, and a test compares them ---

    def summary(self) -> str:
        """The mean of the outputs so far beside the evaluation output."""
        p, n, evaluation = self.p, self.step + 1, fixed(self.evaluation)
        if p == 0:
            return f"Nothing is cut at p = 0: every output is the evaluation output, {evaluation}."
        outputs = "first output" if n == 1 else f"mean of {n} outputs"
        said = f"The {outputs} is {fixed(self.mean)}, the evaluation output {evaluation}."
        if not self.scaling:
            return (
                f"{said} Without the factor the mean settles at {fixed(self.expected)}: test time gives "
                f"{fixed(1 / (1 - p))} times as much as training, unless the weights are scaled instead."
            )
        away, error = abs(self.mean - self.evaluation), self.deviation / math.sqrt(n)
        moved = "one output" if n == 1 else f"a mean of {n}"
        seldom = ", and seldom by more than twice that. This is such a case."
        return f"{said} They differ by {fixed(away)}; chance moves {moved} by about {fixed(error)}{seldom if away > 2 * error else '.'}"

    def facts(self) -> list[tuple[str, str]]:
        """Label and text of each row of the result."""
        p, n, q, evaluation = _short(self.p), self.step + 1, _short(1 - self.p), self.evaluation
        kept, units = np.count_nonzero(self.masks[-1]), _ACTIVATIONS.size
        expected = f"(1 − {p}) · {fixed(evaluation)} = {fixed(self.expected)}"
        formula, numbers = "p · (1 − p)", f"{p} · {q}"
        if self.scaling:
            expected, formula, numbers = fixed(self.expected), "p/(1 − p)", f"{p}/{q}"
        measured = self.measured
        return [
            (
                "Units kept in this mini-batch",
                f"{kept} of {units}; on average {_short((1 - self.p) * units)}",
            ),
            ("Output of this mini-batch", fixed(float(self.outputs[-1]))),
            (
                "Running mean of the outputs",
                f"{fixed(self.mean)} after {n} mini-batch{'' if n == 1 else 'es'}",
            ),
            ("Evaluation output: no mask, no factor", fixed(evaluation)),
            ("Expected output in training", expected),
            (
                "Standard deviation by the formula",
                f"√({formula} · Σ(w·x)²) = √({numbers} · {fixed(_squares(), 3)}) = {fixed(self.deviation)}",
            ),
            (
                "Standard deviation measured",
                "needs two mini-batches" if measured is None else fixed(measured),
            ),
        ]


def _squares() -> float:
    return float(np.sum((_ACTIVATIONS * _WEIGHTS) ** 2))


def _short(number: float) -> str:
    """A number to at most three decimals, without zeros at its end."""
    return f"{float(fixed(number, 3)):g}"
