"""Trainings of task (d) that go wrong in one thing, and the right way they turn off from."""

import itertools
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional


def _network(height: int, width: int, hidden: int = 0) -> nn.Sequential:
    end = (
        [nn.Linear(32, hidden), nn.ReLU(), nn.Linear(hidden, 10)] if hidden else [nn.Linear(32, 10)]
    )
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.BatchNorm2d(16),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.BatchNorm2d(32),
        nn.AdaptiveAvgPool2d(1),
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
    optimizer = torch.optim.Adam(network.parameters(), 0.02)
    steps = max(epochs * -(-len(x) // 50), 1)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, total_iters=steps)
    for _ in range(epochs):
        for chosen in torch.randperm(len(x)).split(50):
            optimizer.zero_grad()
            functional.cross_entropy(network(x[chosen]), y[chosen]).backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def right_way(images, labels, epochs):
    return _fit(_network, images, labels, epochs)


def linear(images, labels, epochs):
    def make(height, width):
        return nn.Sequential(nn.Flatten(), nn.Linear(height * width, 10))

    return _fit(make, images, labels, epochs)


def too_large(images, labels, epochs):
    def make(height, width):
        return _network(height, width, hidden=1_500)

    return _fit(make, images, labels, epochs)


def still_training(images, labels, epochs):
    return right_way(images, labels, epochs).train()


def with_softmax(images, labels, epochs):
    def make(height, width):
        return nn.Sequential(nn.Flatten(), nn.Linear(height * width, 10), nn.Softmax(1))

    return _fit(make, images, labels, epochs)


def without_seed(images, labels, epochs):
    return _fit(_network, images, labels, epochs, seed=None)


def untrained(images, labels, epochs):
    return _fit(_network, images, labels, 0)
