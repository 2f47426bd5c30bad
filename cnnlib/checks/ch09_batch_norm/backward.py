"""Task (c): the gradients of the layer in training."""

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch09_batch_norm.common import (
    FOUR,
    GAMMA,
    TINY,
    WAY_BACK,
    along,
    channel_axes,
    ones_zeros,
    scattered,
    wide,
)
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost
from cnnlib.checks.judges import judge_array, judge_dtype
from cnnlib.reference import norm


def batch_norm_backward(dout, x, gamma, eps=1e-5):
    """The reference of task (c), computed in float64 whatever comes in."""
    dout, x, gamma = wide(dout, x, gamma)
    one, zero = ones_zeros(len(gamma))
    _, cache = norm.batch_norm_forward(x, gamma, zero, zero, one, training=True, eps=eps)
    return norm.batch_norm_backward(dout, cache)


def _x_hat(x: np.ndarray, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """x̂ and σ, a number a channel, both in float64."""
    (x,) = wide(x)
    axes = channel_axes(x)
    sigma = np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    return (x - x.mean(axis=axes, keepdims=True)) / sigma, sigma


def _mean(values: np.ndarray) -> np.ndarray:
    return values.mean(axis=channel_axes(values), keepdims=True)


# --- inputs ---------------------------------------------------------------------------------------


def _case(
    dout: np.ndarray,
    x: np.ndarray,
    gamma: np.ndarray | None = None,
    *,
    eps: float | None = TINY,
    right: tuple[np.ndarray, ...] | None = None,
    note: str = "",
) -> Case:
    gamma = np.ones(x.shape[1], x.dtype) if gamma is None else gamma
    keyword = {} if eps is None else {"eps": eps}
    return Case({"dout": dout, "x": x, "gamma": gamma}, keyword, expected=right, note=note)


def _arriving(
    rng: Random, x: np.ndarray, *, moves_mean: bool = False, moves_spread: bool = False
) -> np.ndarray:
    """A gradient that takes only the roads asked for, besides the direct one.

    Its mean is 0 unless it `moves_mean`, and so is that of its product with x̂ unless it `moves_spread`.
    They are 0 at each position by itself, so that nothing depends on which axes belong to a channel.
    """
    x_hat, _ = _x_hat(x, TINY)
    dout = images(rng, x.shape)
    for place in np.ndindex(*x.shape[1:]):
        column = (slice(None), *place)
        basis, _ = np.linalg.qr(np.stack([np.ones(len(x)), x_hat[column]], axis=1))
        dout[column] -= basis @ (basis.T @ dout[column])
    if moves_mean:
        dout = dout + along(images(rng, x.shape[1:2]), x)
    if moves_spread:
        dout = dout + x_hat * along(images(rng, x.shape[1:2]), x)
    return dout.astype(x.dtype)


def _flat(*values: float) -> np.ndarray:
    return np.array(values, float).reshape(-1, 1)


def _dbeta_cases(rng: Random) -> list[Case]:
    right = _flat(2 / 3, -4 / 9, 2 / 9, -4 / 9), np.array([20.0]), np.array([12.0])
    drawn = [((5, 3), "float64"), ((3, 2, 2, 3), "float64"), ((2, 2, 3, 2), "float32")]
    return [_case(_flat(0, 0, 12, 0), FOUR, right=right, note="worked in chapter 9")] + [
        _case(images(rng, shape, dtype), scattered(rng, shape, dtype)) for shape, dtype in drawn
    ]


def _direct_cases(rng: Random) -> list[Case]:
    drawn = [((5, 2), "float64"), ((4, 3, 2, 3), "float64"), ((6, 2), "float32")]
    inputs = [scattered(rng, shape, dtype) for shape, dtype in drawn]
    return [_case(_arriving(rng, x), x) for x in inputs]


def _mean_cases(rng: Random) -> list[Case]:
    right = _flat(0, 0, 0, 0), np.array([0.0]), np.array([4.0])
    note = "raising all four moves no output"
    inputs = [scattered(rng, (5, 2)), scattered(rng, (4, 3))]
    return [_case(_flat(1, 1, 1, 1), FOUR, right=right, note=note)] + [
        _case(_arriving(rng, x, moves_mean=True), x) for x in inputs
    ]


def _spread_cases(rng: Random) -> list[Case]:
    x_hat = (FOUR - 5) / 3
    right = _flat(0, 0, 0, 0), np.array([4.0]), np.array([0.0])
    note = "dout is x̂: stretching the four moves no output"
    inputs = [scattered(rng, (5, 2)), scattered(rng, (4, 3))]
    return [_case(x_hat, FOUR, right=right, note=note)] + [
        _case(_arriving(rng, x, moves_spread=True), x) for x in inputs
    ]


def _gamma_cases(rng: Random) -> list[Case]:
    inputs = [scattered(rng, (5, 3)), scattered(rng, (4, 2, 3, 2), "float32")]
    return [_case(_arriving(rng, x), x, images(rng, x.shape[1:2], x.dtype.name)) for x in inputs]


def _volume_cases(rng: Random) -> list[Case]:
    inputs = [scattered(rng, (3, 2, 2, 3)), scattered(rng, (2, 3, 3, 1))]
    return [_case(_arriving(rng, x, moves_mean=True, moves_spread=True), x) for x in inputs]


def _together_cases(rng: Random) -> list[Case]:
    def drawn(shape: tuple[int, ...], eps: float | None, dtype: str = "float64") -> Case:
        gamma = images(rng, shape[1:2], dtype)
        return _case(images(rng, shape, dtype), scattered(rng, shape, dtype), gamma, eps=eps)

    return [
        drawn((2, 3, 2, 4), 0.5),
        drawn((5, 2), None),
        drawn((1, 2, 3, 3), None),
        drawn((3, 2, 2, 1), 0.5, "float32"),
    ]


def _dtype_cases(rng: Random) -> list[Case]:
    inputs = [scattered(rng, (4, 2, 2, 2), dtype) for dtype in ("float32", "float64")]
    return [_case(_arriving(rng, x), x) for x in inputs]


# --- misconceptions ---------------------------------------------------------------------------------


class _Frame:
    """The right gradients in float64, cast to the type of x; each misconception bends one piece."""

    def __call__(self, dout, x, gamma, eps=1e-5):
        dtype = x.dtype
        dout, x, gamma = wide(dout, x, gamma)
        x_hat, sigma = _x_hat(x, self.eps(eps))
        parts = self.dx(dout, x_hat, sigma, gamma), self.dgamma(dout, x, x_hat), self.dbeta(dout)
        return tuple(part.astype(dtype) for part in parts)

    def eps(self, eps):
        return eps

    def dx(self, dout, x_hat, sigma, gamma):
        a, b = self.roads(dout, x_hat)
        return along(self.scale(gamma), dout) / sigma * (dout - a - b * x_hat)

    def roads(self, dout, x_hat):
        return _mean(dout), _mean(dout * x_hat)

    def scale(self, gamma):
        return gamma

    def dgamma(self, dout, x, x_hat):
        return (dout * x_hat).sum(axis=channel_axes(dout))

    def dbeta(self, dout):
        return dout.sum(axis=channel_axes(dout))


class _Constants(_Frame):
    def roads(self, dout, x_hat):
        return 0, 0


class _FixedSpread(_Frame):
    def roads(self, dout, x_hat):
        return _mean(dout), 0


class _FixedMean(_Frame):
    def roads(self, dout, x_hat):
        return 0, _mean(dout * x_hat)


class _Sums(_Frame):
    def roads(self, dout, x_hat):
        m = dout.size / dout.shape[1]
        return m * _mean(dout), m * _mean(dout * x_hat)


class _OverTheBatch(_Frame):
    def roads(self, dout, x_hat):
        return dout.mean(axis=0), (dout * x_hat).mean(axis=0)


class _NoGamma(_Frame):
    def scale(self, gamma):
        return np.ones_like(gamma)


class _NoEps(_Frame):
    def eps(self, eps):
        return 0.0


class _FromX(_Frame):
    def dgamma(self, dout, x, x_hat):
        return (dout * x).sum(axis=channel_axes(dout))


class _Averaged(_Frame):
    def dgamma(self, dout, x, x_hat):
        return (dout * x_hat).mean(axis=channel_axes(dout))

    def dbeta(self, dout):
        return dout.mean(axis=channel_axes(dout))


class _PositionsLeft(_Frame):
    def dgamma(self, dout, x, x_hat):
        return (dout * x_hat).sum(axis=0)

    def dbeta(self, dout):
        return dout.sum(axis=0)


class _AlwaysFloat64(_Frame):
    def __call__(self, dout, x, gamma, eps=1e-5):
        dout, x, gamma = wide(dout, x, gamma)
        return super().__call__(dout, x, gamma, eps)


_C = {
    "dbeta": "dbeta",
    "dgamma": "dgamma",
    "direct": "dx: the direct road",
    "mean": "dx: the road through the mean",
    "spread": "dx: the road through the spread",
    "volumes": "dx: all roads, in volumes",
    "gamma": "dx: gamma of each channel",
    "together": "dx: everything together",
    "dtype": "float32 stays float32",
}
_DX, _DGAMMA, _DBETA = range(3)

BACKWARD = Task(
    "c",
    "the way back",
    "batch_norm_backward",
    batch_norm_backward,
    parts=(
        Part(_C["dbeta"], 1, _dbeta_cases, judge_array, pick=_DBETA, hint=1),
        Part(_C["dgamma"], 2, _dbeta_cases, judge_array, pick=_DGAMMA, hint=1),
        Part(_C["direct"], 1, _direct_cases, judge_array, pick=_DX, hint=2),
        Part(_C["mean"], 2, _mean_cases, judge_array, pick=_DX, hint=2),
        Part(_C["spread"], 2, _spread_cases, judge_array, pick=_DX, hint=3),
        Part(_C["volumes"], 1, _volume_cases, judge_array, pick=_DX, hint=3),
        Part(_C["gamma"], 1, _gamma_cases, judge_array, pick=_DX, hint=2),
        Part(_C["together"], 1, _together_cases, judge_array, pick=_DX),
        Part(_C["dtype"], 1, _dtype_cases, judge_dtype, pick=_DX),
    ),
    misconceptions=(
        Misconception(
            "mean and variance are taken for constants",
            _Constants(),
            "γ/σ · dout is the gradient at *test* time. In training each x also moves the mean and the spread of its "
            "channel, and through them every output of the channel.",
            WAY_BACK,
            lost(_C, "mean", "spread", "volumes", "together"),
        ),
        Misconception(
            "the spread is taken for a constant",
            _FixedSpread(),
            "You let x move the mean, but it moves σ as well. That takes the part along x̂ away: stretching a "
            "channel changes no output.",
            WAY_BACK,
            lost(_C, "spread", "volumes", "together"),
        ),
        Misconception(
            "the mean is taken for a constant",
            _FixedMean(),
            "You let x move σ, but it moves μ as well. That takes the mean of the gradient away: adding a constant to "
            "a channel changes no output, so its gradients sum to 0.",
            WAY_BACK,
            lost(_C, "mean", "volumes", "together"),
        ),
        Misconception(
            "sums where means belong",
            _Sums(),
            "One x moves the mean by 1/m only. So what is subtracted is the *mean* of dout, and x̂ times the "
            "*mean* of dout · x̂.",
            WAY_BACK,
            lost(_C, "mean", "spread", "volumes", "together"),
        ),
        Misconception(
            "what is subtracted is averaged over the batch only",
            _OverTheBatch(),
            "All numbers of a channel share one mean and one spread, positions included. Both averages "
            "run over batch, height and width.",
            WAY_BACK,
            lost(_C, "volumes", "together"),
        ),
        Misconception(
            "gamma is missing on the way back",
            _NoGamma(),
            "On the way to x the gradient passes y = γ x̂ + β and is multiplied by γ.",
            WAY_BACK,
            lost(_C, "gamma", "together"),
        ),
        Misconception(
            "eps is missing on the way back",
            _NoEps(),
            "Backward differentiates what forward computed: σ is √(variance + ε) here too, in x̂ as well.",
            WAY_BACK,
            lost(_C, "together"),
        ),
        Misconception(
            "dgamma is taken from x",
            _FromX(),
            "γ multiplies x̂, not x: its gradient is the sum of dout · x̂.",
            GAMMA,
            lost(_C, "dgamma"),
        ),
        Misconception(
            "the gradients of gamma and beta are averaged",
            _Averaged(),
            "One γ and one β serve all m numbers of a channel, and each number asks for its share: "
            "the shares are added up, without 1/m.",
            WAY_BACK,
            lost(_C, "dgamma", "dbeta"),
        ),
        Misconception(
            "the positions are not summed",
            _PositionsLeft(),
            "γ and β hold one number a channel, so their gradients do too: sum over batch, height and width.",
            WAY_BACK,
            lost(_C, "dgamma", "dbeta"),
        ),
        Misconception(
            "NumPy's default type",
            _AlwaysFloat64(),
            "float64 comes in where an array of your own is made without `dtype`. `.astype(x.dtype)` at the end "
            "keeps the contract.",
            WAY_BACK,
            lost(_C, "dtype"),
        ),
    ),
)
