"""Task (a): inverted dropout with random numbers that are given, so that there is one right answer."""

import numpy as np

from cnnlib.checks.calls import Case, Outcome
from cnnlib.checks.ch10_dropout.common import BRIEF, MASK, OLDER, SCALE
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost
from cnnlib.checks.judges import close, judge_array, judge_dtype, judge_shape, tolerance

_SIX = np.array([4.0, 1.0, 3.0, -2.0, 5.0, 2.0])
_COINS = np.array([0.93, 0.12, 0.71, 0.58, 0.31, 0.46])
_BY_HAND = np.array([8.0, 0.0, 6.0, -4.0, 0.0, 0.0])


def _coins(rng: Random, shape: tuple[int, ...], p: float, dropped: int) -> np.ndarray:
    """Uniform numbers of which exactly `dropped` lie below `p`, in random places."""
    size = int(np.prod(shape))
    low, high = rng.uniform(0, 0.98 * p, dropped), rng.uniform(p + 0.02, 1, size - dropped)
    return rng.permutation(np.concatenate([low, high])).reshape(shape)


def _case(
    x: np.ndarray,
    p: float,
    u: np.ndarray,
    *,
    training: bool = True,
    right: np.ndarray | None = None,
    note: str = "",
) -> Case:
    return Case({"x": x, "p": p, "u": u}, {"training": training}, expected=right, note=note)


def _drawn(
    rng: Random,
    shape: tuple[int, ...],
    p: float,
    dropped: int,
    dtype: str = "float64",
    *,
    training: bool = True,
    note: str = "",
) -> Case:
    x = images(rng, shape, dtype)
    return _case(x, p, _coins(rng, shape, p, dropped), training=training, note=note)


def _which_cases(rng: Random) -> list[Case]:
    """The count of dropped numbers is never the expected one: p is no quota."""
    return [
        _case(_SIX, 0.5, _COINS, right=_BY_HAND, note="by hand"),
        _drawn(rng, (7,), 0.5, 5),
        _drawn(rng, (1, 9), 0.25, 4, "float32"),
        _drawn(rng, (1, 11), 0.75, 6),
    ]


def _half_cases(rng: Random) -> list[Case]:
    """More are dropped than expected, so that one who fills a quota is not charged here as well."""
    return [_drawn(rng, (6,), 0.5, 4), _drawn(rng, (1, 9), 0.5, 6, "float32")]


def _rate_cases(rng: Random) -> list[Case]:
    return [
        _drawn(rng, (10,), 0.2, 4),
        _drawn(rng, (1, 7), 0.1, 2, "float32"),
        _drawn(rng, (8,), 0.75, 7),
    ]


def _batch_cases(rng: Random) -> list[Case]:
    def different_rows(shape: tuple[int, ...], dropped: int, dtype: str) -> Case:
        case = _drawn(rng, shape, 0.5, dropped, dtype)
        u = case.positional["u"]
        u[:2] = np.sort(u[:2].reshape(-1)).reshape(u[:2].shape)  # the first row is dropped most
        return case

    return [
        different_rows((3, 5), 6, "float64"),
        different_rows((2, 3, 3, 5), 40, "float32"),
    ]


def _nothing_cases(rng: Random) -> list[Case]:
    """p = 0, and among the random numbers a 0, which `u <= p` would drop."""

    def with_a_zero(shape: tuple[int, ...], dtype: str) -> Case:
        u = rng.uniform(0.05, 1, shape)
        u.reshape(-1)[1] = 0.0
        return _case(images(rng, shape, dtype), 0.0, u, note="one number of u is 0")

    return [with_a_zero((5,), "float64"), with_a_zero((1, 4), "float32")]


def _test_cases(rng: Random) -> list[Case]:
    return [
        _drawn(rng, (5,), 0.5, 2, training=False),
        _drawn(rng, (2, 3, 2, 3), 0.2, 9, "float32", training=False),
    ]


def _dtype_cases(rng: Random) -> list[Case]:
    """All are dropped: the factor plays no part, so that it is not charged a second time."""
    return [
        _drawn(rng, (1, 4), 0.5, 4, "float32", note="all are dropped"),
        _drawn(rng, (3,), 0.5, 3, note="all are dropped"),
    ]


def _place(index: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in index)


def _judge_which(case: Case, right: np.ndarray, got: Outcome) -> str:
    """Zeros where they belong and nowhere else, whatever the factor."""
    if problem := judge_shape(case, right, got):
        return problem
    wrong = ((got.value == 0) != (right == 0)) | ~np.isfinite(got.value)
    if not wrong.any():
        return ""
    at = _place(np.argwhere(wrong)[0])
    u, p = case.positional["u"][at], case.positional["p"]
    rule = f"u is {u:.3g} and p is {p:g}, so this number is {'dropped' if u < p else 'kept'}"
    return f"at {list(at)} {rule}; expected {right[at]:.4g}, got {got.value[at] + 0.0:.4g}"


def _judge_kept(case: Case, right: np.ndarray, got: Outcome) -> str:
    """The numbers that are kept; the others are another part's matter."""
    if problem := judge_shape(case, right, got):
        return problem
    if not np.isfinite(got.value).all():
        return "expected numbers, got some that are not finite. Was something divided by 0?"
    good = close(got.value, right, tolerance(case.positional["x"].dtype)) | (right == 0)
    if good.all():
        return ""
    at = _place(np.argwhere(~good)[0])
    x = case.positional["x"][at]
    return f"at {list(at)} x is {x:.4g} and is kept; expected {right[at]:.4g}, got {got.value[at] + 0.0:.4g}"


def dropout(x: np.ndarray, p: float, u: np.ndarray, *, training: bool) -> np.ndarray:
    """The reference of task (a)."""
    wide = x.astype(np.float64)
    return np.where(u < p, 0.0, wide / (1 - p)) if training else wide


def _in_training(function):
    """A misconception about training: nothing at test time, and the input's type is kept."""

    def forward(x, p, u, *, training):
        return function(x, p, u).astype(x.dtype) if training else x.copy()

    return forward


@_in_training
def _p_keeps(x, p, u):
    return x * ((u < p) / np.float64(p))


@_in_training
def _swapped(x, p, u):
    return x * (u < p) / (1 - p)


@_in_training
def _no_factor(x, p, u):
    return x * (u >= p)


@_in_training
def _one_over_p(x, p, u):
    return x * ((u >= p) / np.float64(p))


@_in_training
def _times_the_share(x, p, u):
    return x * (u >= p) * (1 - p)


@_in_training
def _one_mask_for_all(x, p, u):
    first = u[:1] if u.ndim > 1 else u
    return x * (first >= p) / (1 - p)


@_in_training
def _quota(x, p, u):
    count = round(p * u.size)
    keep = np.ones(u.size, bool)
    keep[np.argsort(u, axis=None)[:count]] = False
    return x * keep.reshape(u.shape) / (1 - p)


@_in_training
def _scaled_by_the_count(x, p, u):
    keep = u >= p
    return x * keep * (keep.size / max(int(keep.sum()), 1))


@_in_training
def _at_p_itself(x, p, u):
    return x * (u > p) / (1 - p)


def _always_training(x, p, u, *, training):
    return dropout(x, p, u, training=True).astype(x.dtype)


def _factor_at_test_time(x, p, u, *, training):
    return (dropout(x, p, u, training=True) if training else x / (1 - p)).astype(x.dtype)


def _older_at_test_time(x, p, u, *, training):
    return (dropout(x, p, u, training=True) if training else x * (1 - p)).astype(x.dtype)


def _float64_mask(x, p, u, *, training):
    return x * ((u >= p) / (1 - p)) if training else x.copy()


_A = {
    "which": "which numbers are dropped",
    "half": "the factor at p = 0.5",
    "rates": "the factor at other rates",
    "batch": "a coin for each number of the batch",
    "nothing": "p = 0 drops nothing",
    "test": "test time",
    "dtype": "float32 stays float32",
}
_TRAINING = lost(_A, *(key for key in _A if key != "test"))

DROPOUT = Task(
    "a",
    "inverted dropout",
    "dropout",
    dropout,
    parts=(
        Part(_A["which"], 2, _which_cases, _judge_which, hint=2),
        Part(_A["half"], 1, _half_cases, _judge_kept, hint=3),
        Part(_A["rates"], 2, _rate_cases, _judge_kept, hint=3),
        Part(_A["batch"], 1, _batch_cases, _judge_which, hint=2),
        Part(_A["nothing"], 1, _nothing_cases, judge_array, hint=2),
        Part(_A["test"], 2, _test_cases, judge_array, hint=1),
        Part(_A["dtype"], 1, _dtype_cases, judge_dtype),
    ),
    misconceptions=(
        Misconception(
            "p is read as the probability of keeping",
            _p_keeps,
            "Some texts mean that, the paper on dropout among them. Here, as in PyTorch, p is the probability "
            "of *dropping*: a number goes where `u < p`, and what stays is divided by 1 − p.",
            OLDER,
            _TRAINING,
        ),
        Misconception(
            "dropped and kept are swapped",
            _swapped,
            "The comparison `u < p` is true with probability p, so it marks what is dropped. What is kept is "
            "the rest.",
            MASK,
            _TRAINING,
        ),
        Misconception(
            "no factor",
            _no_factor,
            "Without a factor only a share of 1 − p gets through on average, while at test time everything "
            "does. What is kept has to make up for what is not.",
            SCALE,
            lost(_A, "half", "rates"),
        ),
        Misconception(
            "divided by p",
            _one_over_p,
            "A share of 1 − p is kept, so one divides by 1 − p: then (1 − p) · x/(1 − p) is x again. "
            "At p = 0.5 nobody can tell the two apart.",
            SCALE,
            lost(_A, "rates", "nothing"),
        ),
        Misconception(
            "multiplied by 1 − p",
            _times_the_share,
            "That makes the average even smaller. The older form multiplies by 1 − p, but at test time; the "
            "inverted form divides by it, in training.",
            OLDER,
            lost(_A, "half", "rates"),
        ),
        Misconception(
            "scaled by how many were kept",
            _scaled_by_the_count,
            "The factor is 1/(1 − p) whatever the coins say. How many are really kept differs from mask to "
            "mask, and the average over all masks is what has to come out right.",
            SCALE,
            lost(_A, "half", "rates"),
        ),
        Misconception(
            "p as a quota",
            _quota,
            "p is a probability. Each number has a coin of its own, its entry of `u`, and the count of "
            "those that are dropped varies.",
            MASK,
            lost(_A, "which", "batch", "dtype"),
        ),
        Misconception(
            "one mask for the whole batch",
            _one_mask_for_all,
            "Each example has a mask of its own: `u` has an entry for each number of `x`, and all of them "
            "are used.",
            MASK,
            lost(_A, "batch"),
        ),
        Misconception(
            "a number whose u equals p is dropped",
            _at_p_itself,
            "Uniform random numbers may be 0 and are never 1. So `u < p` holds with probability p "
            "exactly, and never at p = 0; `u <= p` would drop something even then.",
            MASK,
            lost(_A, "nothing"),
        ),
        Misconception(
            "dropout at test time as well",
            _always_training,
            "At test time nothing is cut. Otherwise the same image would get another answer each time.",
            BRIEF,
            lost(_A, "test"),
        ),
        Misconception(
            "the factor is used at test time as well",
            _factor_at_test_time,
            "The factor makes up for numbers that are dropped. At test time none is, so the layer returns x "
            "as it is.",
            SCALE,
            lost(_A, "test"),
        ),
        Misconception(
            "scaled twice",
            _older_at_test_time,
            "The older form multiplies by 1 − p at test time, because it does not scale in training. The "
            "inverted form has scaled already: nothing is left to do.",
            OLDER,
            lost(_A, "test"),
        ),
        Misconception(
            "a mask in float64",
            _float64_mask,
            "A mask of booleans leaves float32 alone; divided by 1 − p it becomes a float64 array, and so does "
            "all that it touches. Divide the product, or turn the mask into the type of x.",
            BRIEF,
            lost(_A, "dtype"),
        ),
    ),
)
