"""A whole training step against torch eager: forward, backward, and the update by gradient descent.

[CONV3-32 RELU]*2 POOL [CONV3-64 RELU]*2 POOL FC256 RELU DO FC10 on 64 images of 3 × 32 × 32.
"""

from collections.abc import Iterator

import numpy as np
import torch
from timing import Case
from torch import nn

from cnnlib.pytorch.modules import Sequential
from cnnlib.reference import activation, conv, dropout, linear, loss, pool

RATE = 0.01


def cases() -> Iterator[Case]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 3, 32, 32), dtype=np.float32)
    labels = rng.integers(0, 10, 64)
    network = _torch_network()
    weights = network.to_arrays()
    tx, tlabels = torch.from_numpy(x), torch.from_numpy(labels)
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE)

    def theirs():
        optimizer.zero_grad()
        value = nn.functional.cross_entropy(network(tx), tlabels)
        value.backward()
        optimizer.step()

    yield Case(
        "training step", "64 × 3 × 32 × 32", 1.45,
        lambda: _our_step(weights, x, labels, rng), theirs,
    )  # fmt: skip


def _torch_network() -> Sequential:
    layers: list[nn.Module] = []
    for before, depth in ((3, 32), (32, 64)):
        layers += [nn.Conv2d(before, depth, 3, padding=1), nn.ReLU()]
        layers += [nn.Conv2d(depth, depth, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Flatten(), nn.Linear(4096, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, 10)]
    return Sequential(*layers)


def _our_step(weights, x, labels, rng) -> None:
    """One step; changes `weights`."""
    backward, out = [], x  # what undoes each layer, last layer last

    def learned(place, forward, gradient, out, **options):
        names = f"{place}.weight", f"{place}.bias"
        out, cache = forward(out, *(weights[name] for name in names), **options)

        def undo(dout):
            dx, *gradients = gradient(dout, cache)
            for name, g in zip(names, gradients, strict=True):
                g *= RATE
                weights[name] -= g
            return dx

        backward.append(undo)
        return out

    def relu(out):
        out = activation.relu(out)
        backward.append(lambda dout: activation.relu_backward(dout, out))
        return out

    def fixed(forward, gradient, *args, **options):
        out, cache = forward(*args, **options)
        backward.append(lambda dout: gradient(dout, cache))
        return out

    for first in (0, 5):
        for place in (first, first + 2):
            out = relu(learned(place, conv.conv2d_forward, conv.conv2d_backward, out, padding=1))
        out = fixed(pool.max_pool2d_forward, pool.max_pool2d_backward, out, 2)
    out = fixed(linear.flatten_forward, linear.flatten_backward, out)
    out = relu(learned(11, linear.linear_forward, linear.linear_backward, out))
    out = fixed(dropout.dropout_forward, dropout.dropout_backward, out, 0.5, training=True, rng=rng)
    out = learned(14, linear.linear_forward, linear.linear_backward, out)
    _, cache = loss.softmax_cross_entropy_forward(out, labels)
    dout = loss.softmax_cross_entropy_backward(1.0, cache)
    for undo in reversed(backward):
        dout = undo(dout)
