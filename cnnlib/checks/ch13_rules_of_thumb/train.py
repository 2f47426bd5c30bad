"""Task (d): a network and its training in torch, on clothes that are not centred, within a budget.

The images come from the bundled part of Fashion-MNIST. Each is moved by up to 6 pixels along both axes
(what leaves the frame is lost, zeros come in) and shrunk to 14 × 14. Right of 500 test images after
6 epochs on 1,000, batches of 50, Adam at rates 0.01 and 0.003, five seeds each:

=============================================  ==========  ==============
network                                        parameters  of 500 right
=============================================  ==========  ==============
FC(10)                                              1,970  184 to 218
FC(128) => RELU => FC(10)                          26,506  274 to 303
the solution: two CONV, BN, POOL, GAP               5,226  330 to 360
with a third CONV                                  14,538  310 to 369
=============================================  ==========  ==============

310 are asked for. The data are the same for every seed of a grading run: who passes here passes there.
"""

import itertools
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnlib.checks.book import Section
from cnnlib.checks.calls import Case, Outcome, describe
from cnnlib.checks.ch13_rules_of_thumb.step import SOFTMAX, TRAINING
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, lost
from cnnlib.data import fashion_mnist_subset

THREE = Section(
    1, "book/ch01_local_connectivity/local_connectivity", "ch01-three", "Three ways to wire a layer"
)
MODES = Section(9, "book/ch09_batch_norm/batch_norm", "ch09-modes", "In training, and afterwards")
END = Section(
    13,
    "book/ch13_rules_of_thumb/rules_of_thumb",
    "ch13-end",
    "The end: an average in place of FC",
)
MOST_PARAMETERS = 60_000
EPOCHS = 6
WANTED = 310
SHIFT = 6


def off_centre(images: np.ndarray, seed: int) -> np.ndarray:
    """Thumbnails (N, 1, 14, 14) float32 from 0 to 1 of images that are moved by up to 6 pixels."""
    n = len(images)
    framed = np.pad(images, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT)))
    places = np.random.default_rng(seed).integers(0, 2 * SHIFT + 1, (n, 2))
    moved = np.stack(
        [image[r : r + 28, c : c + 28] for image, (r, c) in zip(framed, places, strict=True)]
    )
    return (moved.reshape(n, 1, 14, 2, 14, 2).mean(axis=(3, 5)) / 255).astype(np.float32)


@cache
def clothes() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images and labels to train, images and labels to test."""
    data = fashion_mnist_subset()
    return (
        off_centre(data.train_images, 1),
        data.train_labels,
        off_centre(data.test_images, 2),
        data.test_labels,
    )


Measured = tuple[tuple[int, ...], int, int, int, int, int]


def measured(
    train: Callable,
    images: np.ndarray,
    labels: np.ndarray,
    test_images: np.ndarray,
    test_labels: np.ndarray,
    epochs: int,
    twice: bool = False,
) -> Measured:
    """Train on one thread, and see what the network is and can.

    Returns
    -------
    shape : tuple of int
        Of the scores for the test images.
    parameters : int
    swayed : int
        How many of the test images get other scores alone than in the batch.
    squeezed : int
        How many rows of scores are probabilities: none negative, sum 1.
    repeated : int
        1 if a second training gives the same scores; 1 as well if `twice` is not asked for.
    right : int
        How many test images get the highest score at their own label.
    """
    if train in WRONG_TURNS:
        arrays = (images, labels, test_images, test_labels)
        key = tuple((a.tobytes(), a.dtype.str, a.shape) for a in arrays)
        return _remembered(train, key, epochs, twice)
    return _measured(train, images, labels, test_images, test_labels, epochs, twice)


@cache
def _remembered(train: Callable, key: tuple, epochs: int, twice: bool) -> Measured:
    """A wrong turn of this module does the same every time, so each is trained once on each input."""
    arrays = [np.frombuffer(b, dtype).reshape(shape).copy() for b, dtype, shape in key]
    return _measured(train, *arrays, epochs, twice)


def _measured(
    train: Callable,
    images: np.ndarray,
    labels: np.ndarray,
    test_images: np.ndarray,
    test_labels: np.ndarray,
    epochs: int,
    twice: bool,
) -> Measured:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        network = _trained(train, images, labels, epochs)
        scores = _scores(network, test_images)
        alone = np.concatenate([_scores(network, image[None]) for image in test_images[:20]])
        again = _scores(_trained(train, images, labels, epochs), test_images) if twice else scores
    finally:
        torch.set_num_threads(threads)
    return (
        scores.shape,
        sum(p.numel() for p in network.parameters()),
        int((np.abs(alone - scores[:20]) > 1e-3).any(axis=1).sum()),
        int(((scores >= 0).all(axis=1) & (np.abs(scores.sum(axis=1) - 1) < 1e-3)).sum()),
        int(np.array_equal(scores, again)),
        int((scores.argmax(axis=1) == test_labels).sum()),
    )


def _trained(train: Callable, images: np.ndarray, labels: np.ndarray, epochs: int) -> nn.Module:
    network = train(images, labels, epochs)
    if not isinstance(network, nn.Module):
        raise TypeError(
            f"train returned {describe(Outcome(strange=f'a {type(network).__name__}'))}, expected the "
            "trained network, a torch.nn.Module"
        )
    return network


def _scores(network: nn.Module, images: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        out = network(torch.from_numpy(images.copy()))
    if not isinstance(out, Tensor) or out.dim() != 2:
        what = tuple(out.shape) if isinstance(out, Tensor) else type(out).__name__
        raise TypeError(f"the network gives {what}, expected scores of shape (N, 10)")
    return out.numpy()


def reference(
    images: np.ndarray,
    labels: np.ndarray,
    test_images: np.ndarray,
    test_labels: np.ndarray,
    epochs: int,
    twice: bool = False,
) -> Measured:
    """What is asked for."""
    return (len(test_images), 10), MOST_PARAMETERS, 0, 0, 1, WANTED


# --- wrong turns, and a right way -----------------------------------------------------------------------


def _network(height: int, width: int, hidden: int = 0) -> nn.Sequential:
    features = 32 * ((height + 1) // 2 // 2) * ((width + 1) // 2 // 2)
    end = (
        [nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, 10)]
        if hidden
        else [nn.Linear(features, 10)]
    )
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.BatchNorm2d(16),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.BatchNorm2d(32),
        nn.MaxPool2d(2),
        nn.Flatten(),
        *end,
    )


_SEEDS = itertools.cycle((0, 1))  # for the training without a seed of its own: never twice the same


def _fit(
    make: Callable[[int, int], nn.Module],
    images: np.ndarray,
    labels: np.ndarray,
    epochs: int,
    *,
    seed: int | None = 0,
) -> nn.Module:
    torch.manual_seed(next(_SEEDS) if seed is None else seed)
    network = make(*images.shape[2:])
    x, y = torch.from_numpy(images), torch.from_numpy(labels)
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(epochs):
        for chosen in torch.randperm(len(x)).split(50):
            optimizer.zero_grad()
            functional.cross_entropy(network(x[chosen]), y[chosen]).backward()
            optimizer.step()
    return network.eval()


def right_way(images, labels, epochs):
    return _fit(_network, images, labels, epochs)


def _linear(images, labels, epochs):
    def make(height, width):
        return nn.Sequential(nn.Flatten(), nn.Linear(height * width, 10))

    return _fit(make, images, labels, epochs)


def _too_large(images, labels, epochs):
    def make(height, width):
        return _network(height, width, hidden=65_000 // (32 * (height // 4) * (width // 4)))

    return _fit(make, images, labels, epochs)


def _still_training(images, labels, epochs):
    return right_way(images, labels, epochs).train()


def _with_softmax(images, labels, epochs):
    def make(height, width):
        return nn.Sequential(nn.Flatten(), nn.Linear(height * width, 10), nn.Softmax(1))

    return _fit(make, images, labels, epochs)


def _without_seed(images, labels, epochs):
    return _fit(_network, images, labels, epochs, seed=None)


def _untrained(images, labels, epochs):
    return _fit(_network, images, labels, 0)


WRONG_TURNS = (
    _linear,
    _too_large,
    _still_training,
    _with_softmax,
    _without_seed,
    _untrained,
)


# --- cases and judges -----------------------------------------------------------------------------------


def _noise(rng: Random, n: int, height: int = 14, width: int = 14, *, twice: bool = False) -> Case:
    """A few images of noise: what is judged here does not depend on what is learned."""
    names = ("images", "labels", "test_images", "test_labels", "epochs", "twice")
    values = (
        rng.uniform(0, 1, (n, 1, height, width)).astype(np.float32),
        rng.integers(0, 10, n),
        rng.uniform(0, 1, (7, 1, height, width)).astype(np.float32),
        rng.integers(0, 10, 7),
        1,
        twice,
    )
    return Case(dict(zip(names, values, strict=True)), note="noise")


# The numbers of images leave no last batch of a single one, which BN behind a FC would refuse.


def _size_cases(rng: Random) -> list[Case]:
    return [_noise(rng, 24), _noise(rng, 38, 12, 16)]


def _noise_cases(rng: Random) -> list[Case]:
    return [_noise(rng, 38)]


def _twice_cases(rng: Random) -> list[Case]:
    return [_noise(rng, 38, twice=True)]


def _clothes_cases(rng: Random) -> list[Case]:
    names = ("images", "labels", "test_images", "test_labels")
    return [
        Case(
            dict(zip(names, clothes(), strict=True)) | {"epochs": EPOCHS},
            note="clothes, not centred",
        )
    ]


def _number(got: Outcome) -> bool:
    return isinstance(got.value, int)


def _judge_scores(case: Case, right: Any, got: Outcome) -> str:
    return "" if got.value == right else f"expected scores of shape {right}, got {got.value}"


def _judge_parameters(case: Case, right: int, got: Outcome) -> str:
    if not _number(got) or not got.value:
        return f"expected a network that learns something, got {describe(got)} parameters"
    if got.value <= right:
        return ""
    return f"the network has {got.value:,} parameters, at most {right:,} are allowed"


def _judge_alone(case: Case, right: int, got: Outcome) -> str:
    if not _number(got):
        return f"expected a network, got {describe(got)}"
    n = len(case.positional["test_images"])
    return (
        ""
        if got.value == right
        else f"{got.value} of {n} images get other scores alone than in a batch with others"
    )


def _judge_raw(case: Case, right: int, got: Outcome) -> str:
    if not _number(got):
        return f"expected scores, got {describe(got)}"
    return (
        ""
        if got.value == right
        else f"{got.value} rows of the output are probabilities, not scores"
    )


def _judge_repeated(case: Case, right: int, got: Outcome) -> str:
    if not _number(got):
        return f"expected a network, got {describe(got)}"
    return "" if got.value == right else "trained twice on the same images, it gave two networks"


def _judge_right(case: Case, right: int, got: Outcome) -> str:
    if not _number(got):
        return f"expected {right} images right, got {describe(got)}"
    n = len(case.positional["test_images"])
    return "" if got.value >= right else f"{got.value} of {n} are right, expected at least {right}"


_D = {
    "shape": "ten scores for each image, whatever its size",
    "parameters": "at most 60,000 parameters",
    "alone": "ready for use",
    "raw": "scores, not probabilities",
    "repeated": "the same twice",
    "right": "310 of 500 clothes right",
}

TRAIN = Task(
    "d",
    "a network of your own",
    "train",
    reference,
    parts=(
        Part(_D["shape"], 1, _size_cases, _judge_scores, pick=0, hint=1),
        Part(_D["parameters"], 1, _noise_cases, _judge_parameters, pick=1, hint=1),
        Part(_D["alone"], 1, _noise_cases, _judge_alone, pick=2, hint=3),
        Part(_D["raw"], 1, _noise_cases, _judge_raw, pick=3),
        Part(_D["repeated"], 1, _twice_cases, _judge_repeated, pick=4, hint=3),
        Part(_D["right"], 4, _clothes_cases, _judge_right, pick=5, hint=2),
    ),
    misconceptions=(
        Misconception(
            "one layer for all pixels",
            _linear,
            "A linear layer has one weight for each place and class. When the clothes move, each place shows "
            "something else. A CONV looks for the same pattern everywhere.",
            THREE,
            lost(_D, "right"),
        ),
        Misconception(
            "the parameters are in one FC",
            _too_large,
            "An FC behind a flattened volume pays for every position of every channel. Pool once more, or "
            "average each map, before it.",
            END,
            lost(_D, "parameters"),
        ),
        Misconception(
            "left in training mode",
            _still_training,
            "In training mode BN takes mean and variance from whatever batch comes, and DO goes on dropping. "
            "`network.eval()` switches to use.",
            MODES,
            lost(_D, "alone"),
        ),
        Misconception(
            "softmax in the network and in the loss",
            _with_softmax,
            "`cross_entropy` takes scores and does the softmax itself. With another one in the network the "
            "scores are squeezed twice and the gradients are small.",
            SOFTMAX,
            lost(_D, "raw", "right"),
        ),
        Misconception(
            "no seed",
            _without_seed,
            "First weights and the order of the images are drawn by lot. `torch.manual_seed` before the "
            "first weight is drawn makes the training repeatable.",
            TRAINING,
            lost(_D, "repeated"),
        ),
        Misconception(
            "nothing is trained",
            _untrained,
            "The network has its first weights still. Each batch needs a loss, `loss.backward()` and "
            "`optimizer.step()`.",
            TRAINING,
            lost(_D, "right"),
        ),
    ),
    drive=measured,
    seconds=20,
)
