"""Task (b): the layer as a class that remembers, with its two modes."""

import numpy as np

from cnnlib.checks.ch09_batch_norm import layer_cases as cases
from cnnlib.checks.ch09_batch_norm.common import GAMMA, MODES, along, channel_axes, wide
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import lost
from cnnlib.checks.judges import judge_array
from cnnlib.reference import norm

STATE = ("gamma", "beta", "running_mean", "running_var")


def drive(written, channels, *, train=None, test=None, look="out", settings=(), **state):
    """Make a layer, set its `state`, train it on each of a stack of batches, test it, look at it."""
    layer = written(channels, **dict(settings))
    for name, values in state.items():
        setattr(layer, name, values.copy())  # a layer may update its own arrays in place
    out = None
    for batch in () if train is None else train:
        out = layer.forward(batch, training=True)
    if test is not None:
        out = layer.forward(test, training=False)
    return out if look == "out" else getattr(layer, look)


def _layer(channels, *, train=None, test=None, look="out", settings=(), **state):
    """The reference of task (b): what `drive` finds."""
    one, zero = np.ones(channels), np.zeros(channels)
    now = {"gamma": one, "beta": zero, "running_mean": zero, "running_var": one, **state}
    out = None
    given = [] if train is None else [(batch, True) for batch in train]
    for x, training in [*given, *([] if test is None else [(test, False)])]:
        arguments = wide(x, *(now[name] for name in STATE))
        out, mean, var = norm.batch_norm(*arguments, training=training, **dict(settings))
        now |= {"running_mean": mean, "running_var": var}
    return out if look == "out" else now[look]


# --- misconceptions ---------------------------------------------------------------------------------


class _Right:
    """A right layer, in pieces: each misconception replaces one."""

    def __init__(self, channels, momentum=0.1, eps=1e-5):
        self.momentum, self.eps = momentum, eps
        self.gamma, self.beta = np.ones(channels), np.zeros(channels)
        self.running_mean, self.running_var = np.zeros(channels), np.ones(channels)

    def forward(self, x, training):
        axes = channel_axes(x)
        mean, var = x.mean(axis=axes, dtype=np.float64), x.var(axis=axes, dtype=np.float64)
        count = x.size // len(mean)
        used = self.used(mean, var, count, training)
        if self.updates(training):
            corrected = self.corrected(var, count, len(x))
            self.running_mean = self.moved(self.running_mean, mean)
            self.running_var = self.moved(self.running_var, corrected)
        return self.normalized(x, *used)

    def used(self, mean, var, count, training):
        return (mean, var) if training else (self.running_mean, self.running_var)

    def updates(self, training):
        return training

    def corrected(self, var, count, images):
        return var * count / (count - 1)

    def moved(self, old, new):
        return (1 - self.momentum) * old + self.momentum * new

    def normalized(self, x, mean, var):
        x_hat = (x - along(mean, x)) / np.sqrt(along(var, x) + self.eps)
        return along(self.gamma, x) * x_hat + along(self.beta, x)


class _Biased(_Right):
    def corrected(self, var, count, images):
        return var


class _CountsImages(_Right):
    def corrected(self, var, count, images):
        return var * images / max(images - 1, 1)


class _UnbiasedForTheBatch(_Right):
    def used(self, mean, var, count, training):
        unbiased = self.corrected(var, count, None)
        return (mean, unbiased) if training else (self.running_mean, self.running_var)


class _OtherMomentum(_Right):
    def moved(self, old, new):
        return self.momentum * old + (1 - self.momentum) * new


class _FixedMomentum(_Right):
    def moved(self, old, new):
        return 0.9 * old + 0.1 * new


class _NoAverage(_Right):
    def moved(self, old, new):
        return new


class _StartsAnew(_Right):
    def __init__(self, channels, momentum=0.1, eps=1e-5):
        super().__init__(channels, momentum, eps)
        self._start = None

    def forward(self, x, training):
        if training:
            if self._start is None:
                self._start = self.running_mean, self.running_var
            self.running_mean, self.running_var = self._start
        return super().forward(x, training)


class _VarianceFromZero(_Right):
    def __init__(self, channels, momentum=0.1, eps=1e-5):
        super().__init__(channels, momentum, eps)
        self.running_var = np.zeros(channels)


class _RunningInTraining(_Right):
    def used(self, mean, var, count, training):
        return self.running_mean, self.running_var


class _BatchInTest(_Right):
    def used(self, mean, var, count, training):
        return mean, var


class _TestUpdates(_Right):
    def updates(self, training):
        return True

    def corrected(self, var, count, images):
        return var * count / max(count - 1, 1)


class _NoModes(_TestUpdates):
    def used(self, mean, var, count, training):
        return mean, var


class _StopsAtXHat(_Right):
    def normalized(self, x, mean, var):
        return (x - along(mean, x)) / np.sqrt(along(var, x) + self.eps)


_B = {
    "new": "a new layer",
    "training": "training: the batch is normalized by itself",
    "mean": "training moves the running mean",
    "var": "training moves the running variance",
    "momentum": "momentum: who gets the 0.1",
    "several": "batch after batch",
    "test": "test time uses the running statistics",
    "unchanged": "test time leaves them as they are",
    "gamma": "gamma, beta and eps",
    "together": "training, then test",
}

LAYER = Task(
    "b",
    "a layer that remembers",
    "BatchNorm",
    _layer,
    drive=drive,
    parts=(
        Part(_B["new"], 1, cases.new, judge_array),
        Part(_B["training"], 1, cases.training, judge_array),
        Part(_B["mean"], 1, cases.mean, judge_array, hint=2),
        Part(_B["var"], 2, cases.var, judge_array, hint=3),
        Part(_B["momentum"], 1, cases.momentum, judge_array, hint=2),
        Part(_B["several"], 1, cases.several, judge_array, hint=2),
        Part(_B["test"], 2, cases.testing, judge_array, hint=1),
        Part(_B["unchanged"], 1, cases.unchanged, judge_array, hint=1),
        Part(_B["gamma"], 1, cases.gamma, judge_array),
        Part(_B["together"], 1, cases.together, judge_array),
    ),
    misconceptions=(
        Misconception(
            "the running variance is the biased one",
            _Biased,
            "The running variance is a guess at the variance of all images, so the unbiased one goes in, with "
            "divisor m − 1. The batch itself is still normalized with divisor m.",
            MODES,
            lost(_B, "var", "together"),
        ),
        Misconception(
            "m counts the images only",
            _CountsImages,
            "A channel's statistics are made of all its numbers: m = N · H · W, and the correction is "
            "m/(m − 1).",
            MODES,
            lost(_B, "var", "together"),
        ),
        Misconception(
            "the batch is normalized with the unbiased variance",
            _UnbiasedForTheBatch,
            "The two variances have two uses: divisor m normalizes the batch, divisor m − 1 goes into the "
            "running average.",
            MODES,
            lost(_B, "training", "together"),
        ),
        Misconception(
            "momentum the other way round",
            _OtherMomentum,
            "Here momentum is the weight of the *new* batch, as in PyTorch: with 0.1 the running value moves a tenth of the "
            "way. Keras calls the other number, 0.9, by this name.",
            MODES,
            lost(_B, "momentum", "together"),
        ),
        Misconception(
            "momentum is always 0.1",
            _FixedMomentum,
            "0.1 is what `momentum` is where nothing is said; `BatchNorm(3, momentum=0.5)` says something. `__init__` "
            "keeps it on `self`, and `forward` finds it there.",
            MODES,
            lost(_B, "mean", "var", "momentum", "several"),
        ),
        Misconception(
            "the last batch replaces the average",
            _NoAverage,
            "The running value moves by the share `momentum` towards the batch and keeps the rest of what "
            "earlier batches left.",
            MODES,
            lost(_B, "mean", "var", "momentum", "several", "together"),
        ),
        Misconception(
            "every call begins again",
            _StartsAnew,
            "The object has to remember: each batch moves what the batch before left in `self.running_mean` "
            "and `self.running_var`.",
            MODES,
            lost(_B, "several", "together"),
        ),
        Misconception(
            "the running variance starts at 0",
            _VarianceFromZero,
            "Before the first batch the layer should change nothing: mean 0 and variance 1.",
            MODES,
            lost(_B, "new", "together"),
        ),
        Misconception(
            "training uses the running statistics",
            _RunningInTraining,
            "In training each batch is normalized by its own mean and variance; the running averages are "
            "only kept for later.",
            MODES,
            lost(_B, "training", "together"),
        ),
        Misconception(
            "test time uses the batch",
            _BatchInTest,
            "An answer must not depend on which other images are around. At test time the running mean and "
            "variance are used, and the batch plays no part.",
            MODES,
            lost(_B, "test", "together"),
        ),
        Misconception(
            "test time updates the averages",
            _TestUpdates,
            "Images that test the network must leave no trace in it: with `training=False` nothing is written "
            "into `self`.",
            MODES,
            lost(_B, "unchanged", "together"),
        ),
        Misconception(
            "the two modes are the same",
            _NoModes,
            "`training` decides two things: which statistics are used, and whether the running ones move.",
            MODES,
            lost(_B, "test", "unchanged", "together"),
        ),
        Misconception(
            "the layer stops at x̂",
            _StopsAtXHat,
            "In both modes γ · x̂ + β comes out, with the layer's own `self.gamma` and `self.beta`.",
            GAMMA,
            lost(_B, "gamma", "together"),
        ),
    ),
)
