"""Task (a): the layer in training, for rows (N, C) and volumes (N, C, H, W)."""

import numpy as np

from cnnlib.checks.calls import Case, Outcome
from cnnlib.checks.ch09_batch_norm.common import (
    FOUR,
    GAMMA,
    TINY,
    VOLUMES,
    XHAT,
    along,
    channel_axes,
    ones_zeros,
    scattered,
    wide,
)
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost
from cnnlib.checks.judges import judge_array, judge_dtype, judge_shape
from cnnlib.reference import norm


def batch_norm(x, gamma, beta, eps=1e-5):
    """The reference of task (a), computed in float64 whatever comes in."""
    x, gamma, beta = wide(x, gamma, beta)
    zero, one = np.zeros(len(gamma)), np.ones(len(gamma))
    return norm.batch_norm(x, gamma, beta, zero, one, training=True, eps=eps)[0]


def _norm(x, gamma, beta, eps=1e-5, *, axes=None, ddof=0, divide=None):
    """The frame into which the misconceptions put theirs; it keeps the type of `x`."""
    dtype = x.dtype
    x, gamma, beta = wide(x, gamma, beta)
    axes = channel_axes(x) if axes is None else axes
    mean = x.mean(axis=axes, keepdims=True)
    var = ((x - mean) ** 2).mean(axis=axes, keepdims=True)
    if ddof:
        count = x.size // mean.size
        var = var * count / (count - 1)
    with np.errstate(all="ignore"):
        x_hat = (x - mean) / (np.sqrt(var + eps) if divide is None else divide(var, eps))
    return (along(gamma, x) * x_hat + along(beta, x)).astype(dtype)


# --- inputs ---------------------------------------------------------------------------------------


def _case(
    x: np.ndarray,
    gamma: np.ndarray | None = None,
    beta: np.ndarray | None = None,
    *,
    eps: float | None = TINY,
    right: np.ndarray | None = None,
    note: str = "",
) -> Case:
    """A case of task (a): γ = 1 and β = 0 where none is given; an `eps` of ``None`` is left out."""
    one, zero = ones_zeros(x.shape[1], x.dtype.name)
    gamma, beta = one if gamma is None else gamma, zero if beta is None else beta
    keyword = {} if eps is None else {"eps": eps}
    return Case({"x": x, "gamma": gamma, "beta": beta}, keyword, expected=right, note=note)


def _same_along_every_axis(rng: Random, n: int, c: int, h: int, w: int) -> np.ndarray:
    """A Latin square of numbers: whichever axes a mean is taken over, it is the same, and so is the
    variance. For that n = h · w."""
    numbers = images(rng, (n,))
    turned = np.stack([np.roll(numbers, shift) for shift in range(n)])
    return np.stack([turned] * c, axis=1).reshape(n, c, h, w)


def _shape_cases(rng: Random) -> list[Case]:
    return [_case(scattered(rng, (5, 3))), _case(scattered(rng, (2, 3, 2, 3), "float32"))]


def _row_cases(rng: Random) -> list[Case]:
    by_hand = np.array([[-1.0], [-1 / 3], [5 / 3], [-1 / 3]])
    return [
        _case(FOUR, right=by_hand, note="the four numbers of chapter 9"),
        _case(scattered(rng, (5, 3))),
        _case(scattered(rng, (7, 4))),
        _case(scattered(rng, (6, 2), "float32")),
    ]


def _volume_cases(rng: Random) -> list[Case]:
    by_hand = np.array([-1.0, -1 / 3, 5 / 3, -1 / 3]).reshape(2, 1, 1, 2)
    note = "the four numbers of chapter 9, two images of two pixels"
    return [
        _case(FOUR.reshape(2, 1, 1, 2), right=by_hand, note=note),
        _case(scattered(rng, (4, 3, 2, 3))),
        _case(scattered(rng, (2, 2, 3, 2), "float32")),
        _case(scattered(rng, (1, 4, 5, 4)), note="a batch of one"),
    ]


def _divisor_cases(rng: Random) -> list[Case]:
    by_hand = np.array([[-1.0], [1.0]])
    return [
        _case(np.array([[3.0], [7.0]]), right=by_hand, note="by hand: mean 5, variance 4"),
        _case(scattered(rng, (3, 1))),
        _case(scattered(rng, (5, 1), "float32")),
    ]


def _eps_cases(rng: Random) -> list[Case]:
    by_hand = np.array([[-0.75], [-0.25], [1.25], [-0.25]])
    quiet = 0.004 * scattered(rng, (5, 1))
    return [
        _case(FOUR, eps=7.0, right=by_hand, note="by hand: 9 + 7 = 16"),
        _case(scattered(rng, (4, 1)), eps=0.5),
        _case(quiet, eps=None, note="eps is 1e-5 if nobody says otherwise"),
        _case(np.full((3, 1), 2.0), eps=None, right=np.zeros((3, 1)), note="a constant channel"),
    ]


def _gamma_cases(rng: Random) -> list[Case]:
    def drawn(n: int, c: int, h: int, w: int, dtype: str = "float64") -> Case:
        x = _same_along_every_axis(rng, n, c, h, w)
        arrays = x, images(rng, (c,)), images(rng, (c,))
        return _case(*(a.astype(dtype) for a in arrays))

    square = np.stack([np.roll(FOUR[:, 0], k) for k in range(4)]).reshape(4, 1, 2, 2)
    note = "γ = 3 and β = 5 undo the layer"
    undone = _case(square, np.array([3.0]), np.array([5.0]), right=square, note=note)
    return [undone, drawn(6, 3, 2, 3), drawn(4, 2, 2, 2, "float32")]


def _together_cases(rng: Random) -> list[Case]:
    def drawn(shape: tuple[int, ...], dtype: str = "float64") -> Case:
        c = shape[1]
        x, gamma, beta = scattered(rng, shape, dtype), images(rng, (c,)), images(rng, (c,))
        return _case(x, gamma.astype(dtype), beta.astype(dtype), eps=None)

    return [drawn((3, 4, 2, 5)), drawn((2, 3, 3, 2), "float32"), drawn((5, 3))]


def _dtype_cases(rng: Random) -> list[Case]:
    """A constant batch comes out as 0 by any divisor: only the type is asked for."""
    return [
        _case(np.full(shape, 2, dtype), images(rng, shape[1:2], dtype), eps=None)
        for shape in ((3, 2), (2, 3, 2, 3))
        for dtype in ("float32", "float64")
    ]


def _judge_any_divisor(case: Case, right: np.ndarray, got: Outcome) -> str:
    """Whether the variance divides by m or by m − 1 is the matter of another part."""
    problem = judge_array(case, right, got)
    if not problem:
        return ""
    x, gamma, beta = case.positional.values()
    other = _norm(*wide(x, gamma, beta), **case.keyword, ddof=1)
    return judge_array(case, other, got) and problem


# --- misconceptions ---------------------------------------------------------------------------------


def _each_map(x, gamma, beta, eps=1e-5):
    return _norm(x, gamma, beta, eps, axes=(2, 3) if x.ndim == 4 else (0,))


def _over_the_batch(x, gamma, beta, eps=1e-5):
    return _norm(x, gamma, beta, eps, axes=(0,))


def _all_channels(x, gamma, beta, eps=1e-5):
    return _norm(x, gamma, beta, eps, axes=tuple(range(x.ndim)))


def _each_image(x, gamma, beta, eps=1e-5):
    return _norm(x, gamma, beta, eps, axes=tuple(range(1, x.ndim)))


def _unbiased(x, gamma, beta, eps=1e-5):
    return _norm(x, gamma, beta, eps, ddof=1)


def _eps_outside(x, gamma, beta, eps=1e-5):
    return _norm(x, gamma, beta, eps, divide=lambda var, eps: np.sqrt(var) + eps)


def _no_eps(x, gamma, beta, eps=1e-5):
    return _norm(x, gamma, beta, eps, divide=lambda var, eps: np.sqrt(var))


def _by_variance(x, gamma, beta, eps=1e-5):
    return _norm(x, gamma, beta, eps, divide=lambda var, eps: var + eps)


def _stops_at_x_hat(x, gamma, beta, eps=1e-5):
    return _norm(x, np.ones_like(gamma), np.zeros_like(beta), eps)


def _beta_scaled(x, gamma, beta, eps=1e-5):
    return _norm(x, gamma, gamma * beta, eps)


def _along_the_width(x, gamma, beta, eps=1e-5):
    one, zero = ones_zeros(len(gamma), x.dtype.name)
    return gamma * _norm(x, one, zero, eps) + beta


def _always_float64(x, gamma, beta, eps=1e-5):
    return batch_norm(x, gamma, beta, eps)


_A = {
    "shape": "the shape",
    "rows": "rows: each column centred and scaled",
    "volumes": "volumes: which numbers share a mean",
    "divisor": "the variance divides by m",
    "eps": "eps under the root",
    "gamma": "gamma and beta of each channel",
    "together": "everything together",
    "dtype": "float32 stays float32",
}

FORWARD = Task(
    "a",
    "the layer in training",
    "batch_norm",
    batch_norm,
    parts=(
        Part(_A["shape"], 1, _shape_cases, judge_shape),
        Part(_A["rows"], 2, _row_cases, _judge_any_divisor, hint=1),
        Part(_A["volumes"], 2, _volume_cases, _judge_any_divisor, hint=2),
        Part(_A["divisor"], 1, _divisor_cases, judge_array),
        Part(_A["eps"], 1, _eps_cases, _judge_any_divisor),
        Part(_A["gamma"], 1, _gamma_cases, _judge_any_divisor, hint=3),
        Part(_A["together"], 1, _together_cases, judge_array),
        Part(_A["dtype"], 1, _dtype_cases, judge_dtype),
    ),
    misconceptions=(
        Misconception(
            "each map is normalized by itself",
            _each_map,
            "That is another layer, instance normalization. In BN the maps of one channel share their "
            "mean across all images of the batch.",
            VOLUMES,
            lost(_A, "volumes", "together"),
        ),
        Misconception(
            "the mean is taken over the batch only",
            _over_the_batch,
            "In a volume one filter makes all positions of a map, so they are one kind of number: mean and "
            "variance run over batch, height and width.",
            VOLUMES,
            lost(_A, "volumes", "together"),
        ),
        Misconception(
            "one mean for all channels",
            _all_channels,
            "Each channel is another filter's answer, with a scale of its own. There are C means and "
            "C variances.",
            VOLUMES,
            lost(_A, "rows", "volumes", "together"),
        ),
        Misconception(
            "each image is normalized by itself",
            _each_image,
            "That is layer normalization. BN goes along the batch: it compares the images with one another, "
            "one channel at a time.",
            VOLUMES,
            lost(_A, "rows", "volumes", "divisor", "eps", "together"),
        ),
        Misconception(
            "the variance divides by m − 1",
            _unbiased,
            "To normalize the batch BN takes its own variance, the biased one that divides by m. "
            "The unbiased one is for the running average.",
            XHAT,
            lost(_A, "divisor", "together"),
        ),
        Misconception(
            "eps stands outside the root",
            _eps_outside,
            "The formula is √(σ² + ε). Outside the root the same ε has a much smaller effect on quiet channels: "
            "√0.00001 is about 0.003.",
            XHAT,
            lost(_A, "eps", "together"),
        ),
        Misconception(
            "eps is left out",
            _no_eps,
            "A channel that is the same for every image has variance 0, and 0/0 is not a number. With ε "
            "its x̂ is 0.",
            XHAT,
            lost(_A, "eps", "together", "dtype"),
        ),
        Misconception(
            "divided by the variance",
            _by_variance,
            "The variance is a square. The spread, in the unit of x, is its root, and that is what x is "
            "divided by.",
            XHAT,
            lost(_A, "rows", "volumes", "divisor", "eps", "gamma", "together"),
        ),
        Misconception(
            "the layer stops at x̂",
            _stops_at_x_hat,
            "Two learned numbers a channel follow: γ scales x̂ and β shifts it. At the start they are 1 and 0, so "
            "leaving them out goes unnoticed for a while.",
            GAMMA,
            lost(_A, "gamma", "together"),
        ),
        Misconception(
            "beta is scaled as well",
            _beta_scaled,
            "First scale, then shift: γ · x̂ + β, not γ · (x̂ + β).",
            GAMMA,
            lost(_A, "gamma", "together"),
        ),
        Misconception(
            "gamma and beta run along the width",
            _along_the_width,
            "NumPy lines up shapes from the right, so an array (C,) meets the last axis, W. Shaped as (1, C, 1, 1) "
            "it meets the channels.",
            VOLUMES,
            lost(_A, "gamma", "together"),
        ),
        Misconception(
            "NumPy's default type",
            _always_float64,
            "float64 comes in where an array of your own is made without `dtype`. `.astype(x.dtype)` at the end "
            "keeps the contract.",
            XHAT,
            lost(_A, "dtype"),
        ),
    ),
)
