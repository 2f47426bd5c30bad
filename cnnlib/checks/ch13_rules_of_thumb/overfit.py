"""Task (c): a training loop that learns a few images by heart.

What a learner chooses, the length of the steps and their number, is free: `measured` returns what came of
it. Measured with the network and the images below: plain steps at rates from 0.3 to 0.8 earn everything
within 200 steps, and so do steps with momentum 0.9 at rates from 0.02 to 0.2. The images and labels of the
two parts that depend on this are the same for every seed of a grading run, so luck decides nothing.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from cnnlib.checks.calls import Case, Outcome, describe, plain
from cnnlib.checks.ch13_rules_of_thumb.by_heart import small_network, trained
from cnnlib.checks.ch13_rules_of_thumb.step import SOFTMAX, TRAINING
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.errands import beside, remembered
from cnnlib.checks.inputs import Random, lost
from cnnlib.checks.judges import judge_real
from cnnlib.data import fashion_mnist_subset
from cnnlib.reference.activation import softmax, softmax_backward
from cnnlib.reference.loss import softmax_cross_entropy_backward, softmax_cross_entropy_forward
from cnnlib.reference.network import Network

STEPS = 200
Measured = tuple[float, tuple[int, int], int, tuple[int, float]]


@cache
def thumbnails(count: int) -> tuple[np.ndarray, np.ndarray]:
    """The first images of the bundled part, each 4 × 4 pixels averaged to one."""
    data = fashion_mnist_subset()
    tiles = data.train_images[:count].reshape(count, 1, 7, 4, 7, 4)
    return (tiles.mean(axis=(3, 5)) / 255).astype(np.float32), data.train_labels[:count]


_trained = beside(trained)


@remembered
def measured(
    overfit: Callable, x: np.ndarray, labels: np.ndarray, steps: int, seed: int
) -> Measured:
    """Let `overfit` train a small network on the images, and see what it has done.

    Returns
    -------
    first : float
        The first loss it reports.
    counts : (int, int)
        How many losses it reports, and how many times it went back through the network.
    direction : int
        1 if the weights have moved against the first gradient, −1 if along it, 0 if not at all.
    learned : (int, float)
        How many images the network then gets right, and its loss.
    """
    images, classes = x.copy(), labels.copy()
    losses, count, weights = _trained(overfit, x, labels, steps, seed)
    if not isinstance(losses, list) or not all(isinstance(loss, float) for loss in losses):
        raise TypeError(
            f"overfit returned {describe(plain(losses))}, expected a list of losses, all numbers"
        )
    if not losses:
        raise ValueError("overfit returned an empty list, expected one loss for each step")
    network = small_network(images, seed)
    start = network.to_arrays()
    _, loss_cache = softmax_cross_entropy_forward(network(images), classes)
    gradients = network.backward(softmax_cross_entropy_backward(1.0, loss_cache))
    network.load_arrays(weights)
    along = sum(
        float(np.sum((weight - start[name]) * gradients[name]))
        for name, weight in network.parameters().items()
    )
    direction = int(np.sign(-along)) if np.isfinite(along) else -1
    right = int((network(images).argmax(axis=1) == classes).sum())
    learned = right, round(_loss(network, images, classes), 6)
    return losses[0], (len(losses), count), direction, learned


def _loss(network: Network, x: np.ndarray, labels: np.ndarray) -> float:
    return float(softmax_cross_entropy_forward(network(x), labels)[0])


# --- wrong turns, and the right way -------------------------------------------------------------------


def _train(
    network: Network,
    x: np.ndarray,
    labels: np.ndarray,
    steps: int,
    *,
    rate: float = 0.1,
    momentum: float = 0.9,
    softmax_first: bool = False,
    rebind: bool = False,
    after_the_step: bool = False,
) -> list[float]:
    losses: list[float] = []
    velocity: dict[str, Any] = dict.fromkeys(network.parameters(), 0.0)
    for _ in range(steps):
        out = network(x)
        scores = softmax(out) if softmax_first else out
        loss, cache = softmax_cross_entropy_forward(scores, labels)
        dscores = softmax_cross_entropy_backward(1.0, cache)
        gradients = network.backward(
            softmax_backward(dscores, scores) if softmax_first else dscores
        )
        for name, weight in network.parameters().items():
            velocity[name] = momentum * velocity[name] + gradients[name]
            if rebind:
                weight = weight - rate * velocity[name]
            else:
                weight -= rate * velocity[name]
        losses.append(_loss(network, x, labels) if after_the_step else float(loss))
        if loss < 0.05:
            break
    return losses


def overfit(network, x, labels, steps):
    """The right way."""
    return _train(network, x, labels, steps)


def reference(x, labels, steps, seed):
    """What is measured of a training that does all of it."""
    return _loss(small_network(x, seed), x, labels), (steps, steps), 1, (len(labels), 0.0)


def _uphill(network, x, labels, steps):
    return _train(network, x, labels, min(steps, 5), rate=-0.1)


def _copies(network, x, labels, steps):
    return _train(network, x, labels, min(steps, 20), rebind=True)


def _after(network, x, labels, steps):
    return _train(network, x, labels, steps, after_the_step=True)


def _probabilities(network, x, labels, steps):
    return _train(network, x, labels, min(steps, 40), softmax_first=True, momentum=0.0)


def _half(network, x, labels, steps):
    return _train(network, x[:16], labels[:16], steps)


def _timid(network, x, labels, steps):
    return _train(network, x, labels, min(steps, 40), rate=0.001, momentum=0.0)


def _no_budget(network, x, labels, steps):
    return _train(network, x, labels, 100)


def _last_loss(network, x, labels, steps):
    return _train(network, x, labels, steps)[-1:]


# --- cases and judges -----------------------------------------------------------------------------------


def _case(x: np.ndarray, labels: np.ndarray, steps: int, seed: int, note: str = "") -> Case:
    return Case({"x": x, "labels": labels, "steps": steps, "seed": seed}, note=note)


def _small_cases(rng: Random) -> list[Case]:
    cases = []
    for size, n, steps in (((4, 6), 8, 5), ((5, 3), 6, 12)):
        x = rng.uniform(0, 1, (n, 1, *size)).astype(np.float32)
        cases.append(_case(x, rng.integers(0, 10, n), steps, int(rng.integers(100))))
    return cases


def _one_step_cases(rng: Random) -> list[Case]:
    return [
        _case(case.positional["x"], case.positional["labels"], 1, case.positional["seed"])
        for case in _small_cases(rng)
    ]


# The same inputs for every seed: nobody is to pass here and fail when it is graded.


def _lot_cases(rng: Random) -> list[Case]:
    labels = np.random.default_rng(13).integers(0, 10, 16)
    return [_case(thumbnails(16)[0], labels, STEPS, 0, "labels drawn by lot")]


def _clothes_cases(rng: Random) -> list[Case]:
    return [_case(*thumbnails(32), STEPS, 0, "32 clothes")]


def _judge_counts(case: Case, right: Any, got: Outcome) -> str:
    most = case.positional["steps"]
    if not isinstance(got.value, tuple):
        return f"expected one loss for each step, got {describe(got)}"
    losses, steps = got.value
    if losses != steps:
        return f"it went back through the network {steps} times and returned {losses} losses"
    return "" if steps <= most else f"it made {steps} steps, at most {most} were allowed"


def _judge_direction(case: Case, right: Any, got: Outcome) -> str:
    if not isinstance(got.value, int):
        return f"expected a step downhill, got {describe(got)}"
    if got.value == 1:
        return ""
    if got.value == 0:
        return "after the step the network's weights are what they were"
    return "the step moved the weights along the gradient, to where the loss grows"


def _judge_learned(case: Case, right: tuple[int, float], got: Outcome) -> str:
    most = right[0]
    if not isinstance(got.value, tuple):
        return f"expected {most} of {most} images right, got {describe(got)}"
    count, loss = got.value
    if count == most:
        return ""
    return f"after the training {count} of {most} images are right, at a loss of {loss:.3g}; expected all"


_C = {
    "first": "the first loss is the untrained network's",
    "counts": "one loss for each step, and no step too many",
    "falls": "the first step goes downhill",
    "lot": "16 images with labels drawn by lot",
    "clothes": "32 clothes, all right",
}

OVERFIT = Task(
    "c",
    "a few images by heart",
    "overfit",
    reference,
    parts=(
        Part(_C["first"], 1, _small_cases, judge_real, pick=0, hint=1),
        Part(_C["counts"], 1, _small_cases, _judge_counts, pick=1, hint=1),
        Part(_C["falls"], 1, _one_step_cases, _judge_direction, pick=2, hint=2),
        Part(_C["lot"], 2, _lot_cases, _judge_learned, pick=3, hint=3),
        Part(_C["clothes"], 3, _clothes_cases, _judge_learned, pick=3, hint=3),
    ),
    misconceptions=(
        Misconception(
            "a copy is changed, the network is not",
            _copies,
            "`weight = weight - …` makes a new array and gives it the name; the network keeps the old one. "
            "`weight -= …` changes the network's own array.",
            TRAINING,
            lost(_C, "falls", "lot", "clothes"),
        ),
        Misconception(
            "uphill",
            _uphill,
            "The gradient points to where the loss grows, so rate times gradient is subtracted.",
            TRAINING,
            lost(_C, "falls", "lot", "clothes"),
        ),
        Misconception(
            "the loss after the step",
            _after,
            "The loss of a step is the one whose gradient it follows, computed before the weights change. "
            "So the first one tells about the untrained network, and should be near log 10 ≈ 2.3.",
            TRAINING,
            lost(_C, "first"),
        ),
        Misconception(
            "softmax before the loss",
            _probabilities,
            "The network gives scores, and `softmax_cross_entropy` does the softmax itself. Done twice, the "
            "loss hardly falls.",
            SOFTMAX,
            lost(_C, "first", "lot", "clothes"),
        ),
        Misconception(
            "only the first images are trained on",
            _half,
            "Each step is to see the whole batch, all images that were handed over.",
            TRAINING,
            lost(_C, "clothes"),
        ),
        Misconception(
            "steps too short",
            _timid,
            "At a learning rate of 0.001 the plain step hardly moves. The loss falls, so the direction is "
            "right: take steps a hundred times as long, and more of them.",
            TRAINING,
            lost(_C, "lot", "clothes"),
        ),
        Misconception(
            "the budget is not kept",
            _no_budget,
            "`steps` says how many steps there may be; a loop with a number of its own does not ask.",
            TRAINING,
            lost(_C, "counts"),
        ),
        Misconception(
            "only the last loss",
            _last_loss,
            "The whole curve is asked for, one loss a step: where it starts and how it falls tells more than "
            "where it ends.",
            TRAINING,
            lost(_C, "first", "counts"),
        ),
    ),
    drive=measured,
)
