"""Task (c): mean, variance and test-time answer of a neuron behind a dropout layer, in both forms."""

from collections.abc import Callable
from itertools import product

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch10_dropout.common import OLDER, SCALE, VARIANCE
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost
from cnnlib.checks.judges import judge_array

_ROWS = np.array([[2.0, 1.0], [4.0, -1.0]])
_WEIGHT = np.array([1.0, 3.0])


def _case(
    x: np.ndarray,
    weight: np.ndarray,
    p: float,
    *,
    older: bool | None,
    right: tuple | None = None,
    note: str = "",
) -> Case:
    """A case of task (c); `older=None` leaves it to the function's own default."""
    keyword = {} if older is None else {"older": older}
    return Case({"x": x, "weight": weight, "p": p}, keyword, expected=right, note=note)


def _cases(older: bool) -> Callable[[Random], list[Case]]:
    """A maker of cases. Two are worked by hand: one number, and two rows of two."""
    if older:
        one = (np.array([1.5]), np.array([2.25]), np.array([1.5]))
        rows = (np.array([2.5, 0.5]), np.array([3.25, 6.25]), np.array([2.5, 0.5]))
    else:
        one = (np.array([3.0]), np.array([9.0]), np.array([3.0]))
        rows = (np.array([5.0, 1.0]), np.array([13.0, 25.0]), np.array([5.0, 1.0]))

    def cases(rng: Random) -> list[Case]:
        def drawn(shape: tuple[int, int], p: float, dtype: str) -> Case:
            weight = images(rng, shape[1:], dtype)
            return _case(images(rng, shape, dtype), weight, p, older=older)

        return [
            _case(np.array([[3.0]]), np.ones(1), 0.5, older=older, right=one, note="by hand"),
            _case(_ROWS, _WEIGHT, 0.5, older=older, right=rows, note="by hand"),
            drawn((1, 5), 0.25, "float64"),
            drawn((4, 3), 0.8, "float32"),
            drawn((2, 4), 0.0, "float64"),
        ]

    return cases


def _test_time_cases(rng: Random) -> list[Case]:
    note = "without the argument `older`, it is False"
    last = _case(images(rng, (3, 2)), images(rng, (2,)), 0.25, older=None, note=note)
    return [*_cases(False)(rng), last]


def moments(
    x: np.ndarray, weight: np.ndarray, p: float, *, older: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The reference of task (c): every mask is asked, and counts with its probability."""
    masks = np.array(list(product([0, 1], repeat=weight.size)), np.float64)
    kept = masks.sum(axis=1)
    chance = (1 - p) ** kept * p ** (weight.size - kept)
    factor = 1 if older else 1 / (1 - p)
    scores = factor * (x.astype(np.float64) * weight) @ masks.T
    mean = scores @ chance
    variance = (scores - mean[:, None]) ** 2 @ chance
    test = x.astype(np.float64) @ weight * (1 - p if older else 1)
    return mean, variance, test


def _changed(**changes):
    """A misconception: some of the three results are replaced by functions of the terms w · x."""

    def function(x, weight, p, *, older=False):
        results = dict(
            zip(("mean", "variance", "test"), moments(x, weight, p, older=older), strict=True)
        )
        terms = x.astype(np.float64) * weight
        for name, change in changes.items():
            results[name] = np.asarray(change(terms, np.float64(p), older, results[name]))
        return tuple(results.values())

    return function


def _p_keeps(x, weight, p, *, older=False):
    s, squares = x.astype(np.float64) @ weight, ((x.astype(np.float64) * weight) ** 2).sum(1)
    p = np.float64(p)
    if older:
        return p * s, p * (1 - p) * squares, p * s
    return s, (1 - p) / p * squares, s


def _older_by_default(x, weight, p, *, older=True):
    return moments(x, weight, p, older=older)


def _weight_not_squared(x, weight, p, *, older=False):
    mean, _, test = moments(x, weight, p, older=older)
    spread = p * (1 - p) if older else p / (1 - p)
    return mean, spread * (x.astype(np.float64) ** 2) @ weight, test


def _of_a_sum(terms, p, older, right):
    spread = p * (1 - p) if older else p / (1 - p)
    return spread * terms.sum(1) ** 2


def _coin_only(terms, p, older, right):
    return p * (1 - p) * (terms**2).sum(1)


def _mean_square(terms, p, older, right):
    share = 1 - p if older else 1 / (1 - p)
    return share * (terms**2).sum(1)


_C = {
    "mean": "inverted: the mean in training",
    "variance": "inverted: the variance in training",
    "test": "inverted: test time",
    "older mean": "older form: the mean in training",
    "older variance": "older form: the variance in training",
    "older test": "older form: test time",
}

MOMENTS = Task(
    "c",
    "mean and variance",
    "moments",
    moments,
    parts=(
        Part(_C["mean"], 1, _cases(False), judge_array, pick=0, hint=1),
        Part(_C["variance"], 2, _cases(False), judge_array, pick=1, hint=2),
        Part(_C["test"], 1, _test_time_cases, judge_array, pick=2, hint=3),
        Part(_C["older mean"], 1, _cases(True), judge_array, pick=0, hint=1),
        Part(_C["older variance"], 2, _cases(True), judge_array, pick=1, hint=2),
        Part(_C["older test"], 1, _cases(True), judge_array, pick=2, hint=3),
    ),
    misconceptions=(
        Misconception(
            "p is read as the probability of keeping",
            _p_keeps,
            "Here p is the probability of *dropping*: a term is left with probability 1 − p.",
            OLDER,
            lost(_C, "variance", "older mean", "older test"),
        ),
        Misconception(
            "one coin for the whole row",
            _changed(variance=_of_a_sum),
            "Each number has a coin of its own. The coins are independent, so the variances of the terms add "
            "up: square each w · x first and add then.",
            VARIANCE,
            lost(_C, "variance", "older variance"),
        ),
        Misconception(
            "the weight is not squared",
            _weight_not_squared,
            "The weight multiplies the number and its deviation alike, and a variance is the mean of a *square*: "
            "w enters squared, as x does.",
            VARIANCE,
            lost(_C, "variance", "older variance"),
        ),
        Misconception(
            "the mean square in place of the variance",
            _changed(variance=_mean_square),
            "A variance is the mean of the square *minus the square of the mean*. For the multiplier of "
            "the inverted form that is 1/(1 − p) − 1 = p/(1 − p).",
            VARIANCE,
            lost(_C, "variance", "older variance"),
        ),
        Misconception(
            "the standard deviation in place of the variance",
            _changed(variance=lambda terms, p, older, right: np.sqrt(right)),
            "The variance is the mean squared deviation; the standard deviation is its root.",
            VARIANCE,
            lost(_C, "variance", "older variance"),
        ),
        Misconception(
            "the variance of the bare coin",
            _changed(variance=_coin_only),
            "p(1 − p) is the variance of a coin that says 0 or 1. In the inverted form it says 0 or 1/(1 − p), so "
            "the factor enters, squared, and p/(1 − p) remains.",
            VARIANCE,
            lost(_C, "variance"),
        ),
        Misconception(
            "the factor is forgotten in the mean",
            _changed(mean=lambda terms, p, older, right: (1 - p) * terms.sum(1)),
            "With probability 1 − p a number is kept, *and then it is x/(1 − p)*. The two cancel.",
            SCALE,
            lost(_C, "mean"),
        ),
        Misconception(
            "the older form has the factor as well",
            _changed(mean=lambda terms, p, older, right: terms.sum(1)),
            "The older form leaves what is kept as it is, so in training a share of 1 − p is left on average.",
            OLDER,
            lost(_C, "older mean"),
        ),
        Misconception(
            "the older form is not scaled at test time",
            _changed(test=lambda terms, p, older, right: terms.sum(1)),
            "In training the next layer gets (1 − p) of the numbers on average. At test time the older form "
            "multiplies the weights by 1 − p, so that it gets as much.",
            OLDER,
            lost(_C, "older test"),
        ),
        Misconception(
            "the older form divides at test time",
            _changed(test=lambda terms, p, older, right: right / (1 - p) ** 2 if older else right),
            "At test time more comes through than in training, so it has to be made smaller: times 1 − p.",
            OLDER,
            lost(_C, "older test"),
        ),
        Misconception(
            "the older form by default",
            _older_by_default,
            "Without the argument `older` the inverted form is meant: the default in the first line is `older=False`.",
            OLDER,
            lost(_C, "test"),
        ),
        Misconception(
            "scaled twice",
            _changed(test=lambda terms, p, older, right: (1 - p) * terms.sum(1)),
            "The inverted form has scaled in training already. At test time it does nothing.",
            SCALE,
            lost(_C, "test"),
        ),
    ),
)
