"""Task (d): BN folded into the CONV before it."""

from typing import Any

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch09_batch_norm.common import FOLDING, wide
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost
from cnnlib.checks.judges import judge_array, judge_dtype


def fold(weight, bias, gamma, beta, mean, var, eps=1e-5):
    """The reference of task (d), computed in float64 whatever comes in.

    A test proves it: with these weights, CONV gives what CONV and BN gave.
    """
    weight, bias, gamma, beta, mean, var = wide(weight, bias, gamma, beta, mean, var)
    scale = gamma / np.sqrt(var + eps)
    old = np.zeros_like(mean) if bias is None else bias
    return weight * scale[:, None, None, None], scale * (old - mean) + beta


# --- inputs ---------------------------------------------------------------------------------------


def _case(
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    gamma: np.ndarray | None = None,
    beta: np.ndarray | None = None,
    mean: np.ndarray | None = None,
    var: np.ndarray | None = None,
    eps: float | None = 1e-12,
    right: tuple[np.ndarray, np.ndarray] | None = None,
    note: str = "",
) -> Case:
    """A case of task (d); BN is a new layer's, but for what is given."""
    one, zero = np.ones(len(weight), weight.dtype), np.zeros(len(weight), weight.dtype)
    arrays = {
        "weight": weight,
        "bias": bias,
        "gamma": one if gamma is None else gamma,
        "beta": zero if beta is None else beta,
        "mean": zero if mean is None else mean,
        "var": one if var is None else var,
    }
    return Case(arrays, {} if eps is None else {"eps": eps}, expected=right, note=note)


def _one(value: float) -> np.ndarray:
    return np.array([float(value)])


def _weights_only(weight: np.ndarray, **settings: Any) -> Case:
    """A CONV whose biases are all 0: a missing one is another part's matter."""
    return _case(weight, np.zeros(len(weight), weight.dtype), **settings)


def _weight_cases(rng: Random) -> list[Case]:
    """A single filter on a single channel: there is no axis to mistake."""
    weight = np.array([[[[1.0, -2.0]]]])
    right, note = (3 * weight, _one(0)), "by hand: γ = 3, variance 1"
    narrow = images(rng, (1, 1, 2, 2), "float32")
    return [
        _weights_only(weight, gamma=_one(3), right=right, note=note),
        _weights_only(images(rng, (1, 1, 3, 2)), gamma=images(rng, (1,))),
        _weights_only(narrow, gamma=images(rng, (1,), "float32")),
    ]


def _filter_cases(rng: Random) -> list[Case]:
    """As many filters as channels and columns: a wrong axis goes through without an error."""
    return [
        _weights_only(images(rng, (3, 3, 2, 3)), gamma=images(rng, (3,))),
        _weights_only(images(rng, (2, 2, 3, 2), "float32"), gamma=images(rng, (2,), "float32")),
    ]


def _shift_cases(rng: Random) -> list[Case]:
    weight = np.array([[[[1.0]]]])
    right = 2 * weight, _one(-9)
    return [
        _case(weight, gamma=_one(2), beta=_one(1), mean=_one(5), right=right, note="by hand: 1 − 2 · 5"),
        *(
            _case(
                images(rng, (k, c, 2, k), dtype),
                gamma=images(rng, (k,), dtype),
                beta=images(rng, (k,), dtype),
                mean=images(rng, (k,), dtype),
            )
            for k, c, dtype in ((3, 3, "float64"), (2, 2, "float32"))
        ),
    ]  # fmt: skip


def _old_bias_cases(rng: Random) -> list[Case]:
    weight = np.array([[[[1.0]]]])
    right = 2 * weight, _one(14)
    return [
        _case(weight, _one(7), gamma=_one(2), right=right, note="by hand: 2 · 7"),
        _case(images(rng, (3, 3, 1, 3)), images(rng, (3,)), gamma=images(rng, (3,))),
    ]


def _variance_cases(rng: Random) -> list[Case]:
    weight = np.array([[[[6.0]]]])
    right = weight / 4, _one(0)
    by_hand, default = "by hand: 9 + 7 = 16", "eps is 1e-5 by default"
    return [
        _weights_only(weight, var=_one(9), eps=7.0, right=right, note=by_hand),
        _weights_only(images(rng, (1, 2, 1, 2)), var=rng.uniform(0.5, 3.0, 1), eps=0.5),
        _weights_only(images(rng, (1, 1, 2, 1)), var=_one(1e-5), eps=None, note=default),
    ]


def _drawn(rng: Random, k: int, c: int, h: int, w: int, *, bias: bool, dtype: str) -> Case:
    return _case(
        images(rng, (k, c, h, w), dtype),
        images(rng, (k,), dtype) if bias else None,
        gamma=images(rng, (k,), dtype),
        beta=images(rng, (k,), dtype),
        mean=images(rng, (k,), dtype),
        var=rng.uniform(0.2, 0.8, k).astype(dtype),
        eps=None,
    )


def _together_cases(rng: Random) -> list[Case]:
    return [
        _drawn(rng, 4, 3, 2, 3, bias=True, dtype="float64"),
        _drawn(rng, 2, 5, 3, 1, bias=False, dtype="float64"),
        _drawn(rng, 3, 1, 2, 2, bias=True, dtype="float32"),
    ]


def _dtype_cases(rng: Random) -> list[Case]:
    return [
        _case(images(rng, (2, 2, 1, 2), dtype), images(rng, (2,), dtype))
        for dtype in ("float32", "float64")
    ]


# --- misconceptions ---------------------------------------------------------------------------------


class _Frame:
    """The right folding in float64, cast to the type of the weights; each misconception bends a piece."""

    def __call__(self, weight, bias, gamma, beta, mean, var, eps=1e-5):
        dtype = weight.dtype
        weight, bias, gamma, beta, mean, var = wide(weight, bias, gamma, beta, mean, var)
        s = self.scale(gamma, var, eps)
        new = self.bias(s, np.zeros_like(mean) if bias is None else bias, mean, beta)
        return self.weight(weight, s).astype(dtype), new.astype(dtype)

    def scale(self, gamma, var, eps):
        return gamma / np.sqrt(var + eps)

    def weight(self, weight, s):
        return weight * s[:, None, None, None]

    def bias(self, s, old, mean, beta):
        return s * (old - mean) + beta


class _NoGamma(_Frame):
    def scale(self, gamma, var, eps):
        return 1 / np.sqrt(var + eps)


class _ByVariance(_Frame):
    def scale(self, gamma, var, eps):
        return gamma / (var + eps)


class _NoEps(_Frame):
    def scale(self, gamma, var, eps):
        return gamma / np.sqrt(var)


class _AlongChannels(_Frame):
    def weight(self, weight, s):
        return weight * s[None, :, None, None]


class _AlongColumns(_Frame):
    def weight(self, weight, s):
        return weight * s


class _NoMean(_Frame):
    def bias(self, s, old, mean, beta):
        return s * old + beta


class _MeanNotScaled(_Frame):
    def bias(self, s, old, mean, beta):
        return s * old - mean + beta


class _OldBiasLost(_Frame):
    def bias(self, s, old, mean, beta):
        return beta - s * mean


class _OldBiasNotScaled(_Frame):
    def bias(self, s, old, mean, beta):
        return old + beta - s * mean


class _BetaScaled(_Frame):
    def bias(self, s, old, mean, beta):
        return s * (old - mean + beta)


class _NoneStaysNone(_Frame):
    def __call__(self, weight, bias, *others, **settings):
        new, shift = super().__call__(weight, bias, *others, **settings)
        return new, None if bias is None else shift


class _CalculatesWithNone(_Frame):
    def __call__(self, weight, bias, *others, **settings):
        if bias is None:
            raise TypeError("None is no number")
        return super().__call__(weight, bias, *others, **settings)


class _AlwaysFloat64(_Frame):
    def __call__(self, *arrays, **settings):
        return super().__call__(*wide(*arrays), **settings)


_D = {
    "weight": "weights: the scale of the one filter",
    "filters": "weights: each filter its own scale",
    "shift": "a CONV without bias gets one",
    "old": "the old bias",
    "variance": "variance and eps",
    "together": "the bias, everything together",
    "dtype": "float32 stays float32",
}
_WEIGHT, _BIAS = range(2)
_AXES = ("filter", "channel")

FOLD = Task(
    "d",
    "folding",
    "fold_batch_norm",
    fold,
    parts=(
        Part(_D["weight"], 1, _weight_cases, judge_array, pick=_WEIGHT, hint=1, axes=_AXES),
        Part(_D["filters"], 1, _filter_cases, judge_array, pick=_WEIGHT, hint=2, axes=_AXES),
        Part(_D["shift"], 2, _shift_cases, judge_array, pick=_BIAS, hint=3),
        Part(_D["old"], 1, _old_bias_cases, judge_array, pick=_BIAS, hint=3),
        Part(_D["variance"], 1, _variance_cases, judge_array, pick=_WEIGHT, hint=1, axes=_AXES),
        Part(_D["together"], 1, _together_cases, judge_array, pick=_BIAS),
        Part(_D["dtype"], 1, _dtype_cases, judge_dtype, pick=_WEIGHT, axes=_AXES),
    ),
    misconceptions=(
        Misconception(
            "gamma is forgotten",
            _NoGamma(),
            "BN multiplies a channel by s = γ/√(σ² + ε). Without γ only x̂ is folded.",
            FOLDING,
            lost(_D, "weight", "filters", "shift", "old", "together"),
        ),
        Misconception(
            "divided by the variance",
            _ByVariance(),
            "s = γ/√(σ² + ε): the running variance is a square, and its root divides.",
            FOLDING,
            lost(_D, "variance", "together"),
        ),
        Misconception(
            "eps is forgotten",
            _NoEps(),
            "At test time too BN divides by √(σ² + ε). A channel that hardly varied in training would come out "
            "far too loud without ε.",
            FOLDING,
            lost(_D, "variance", "together"),
        ),
        Misconception(
            "the scale runs along the input channels",
            _AlongChannels(),
            "BN follows the CONV, so its channels are the CONV's *filters*: axis 0 of the weights. Axis 1 counts "
            "the channels that the CONV reads.",
            FOLDING,
            lost(_D, "filters", "together"),
        ),
        Misconception(
            "the scale runs along the kernel's columns",
            _AlongColumns(),
            "NumPy lines up shapes from the right, so (K,) meets the last axis, the columns of the kernel. Shaped "
            "as (K, 1, 1, 1) it meets the filters.",
            FOLDING,
            lost(_D, "filters", "together"),
        ),
        Misconception(
            "the running mean is forgotten",
            _NoMean(),
            "BN subtracts the running mean before it scales, so the bias gets − s · μ.",
            FOLDING,
            lost(_D, "shift", "together"),
        ),
        Misconception(
            "the running mean is not scaled",
            _MeanNotScaled(),
            "The mean is subtracted before the scaling, so s multiplies it as well: s · (b − μ) + β.",
            FOLDING,
            lost(_D, "shift", "together"),
        ),
        Misconception(
            "the old bias is lost",
            _OldBiasLost(),
            "In training BN takes the CONV's bias away again. At test time it does not: the running mean is "
            "a fixed number, and s · b remains.",
            FOLDING,
            lost(_D, "old", "together"),
        ),
        Misconception(
            "the old bias is not scaled",
            _OldBiasNotScaled(),
            "The old bias is part of what the CONV hands to BN, so it is scaled as everything else: s · b.",
            FOLDING,
            lost(_D, "old", "together"),
        ),
        Misconception(
            "beta is scaled as well",
            _BetaScaled(),
            "β is added after the scaling: s · (b − μ) + β.",
            FOLDING,
            lost(_D, "shift", "together"),
        ),
        Misconception(
            "without a bias before, none after",
            _NoneStaysNone(),
            "A missing bias is a bias of 0. Folding leaves β − s · μ, and that needs a place.",
            FOLDING,
            lost(_D, "shift", "together"),
        ),
        Misconception(
            "None is used as a number",
            _CalculatesWithNone(),
            "`None` says that the CONV has no bias, and Python cannot calculate with it. Ask `bias is None` before the "
            "formula: no bias is a bias of 0.",
            FOLDING,
            lost(_D, "shift", "together"),
        ),
        Misconception(
            "NumPy's default type",
            _AlwaysFloat64(),
            "float64 comes in where an array of your own is made without `dtype`. `.astype(weight.dtype)` at the "
            "end keeps the contract.",
            FOLDING,
            lost(_D, "dtype"),
        ),
    ),
)
