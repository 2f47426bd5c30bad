"""Layers that read each number a few times, against torch: norm, activations, dropout, loss."""

from collections.abc import Iterator

import numpy as np
import torch
from timing import Case
from torch.nn import functional

from cnnlib.pytorch import activation as torch_activation
from cnnlib.pytorch import norm as torch_norm
from cnnlib.reference import activation, dropout, linear, loss, norm

aten = torch.ops.aten
SMALL, LARGE = (64, 32, 32, 32), (16, 64, 112, 112)

EXP = "NumPy goes over the scores once for each step (maximum, difference, exp, sum); torch fuses them."


def cases() -> Iterator[Case]:
    for shape in (SMALL, LARGE):
        yield from _batch_norm(shape)
    for shape in (SMALL, LARGE):
        yield from _relu(shape)
    yield from _other_activations(SMALL)
    for shape, p in ((SMALL, 0.5), (LARGE, 0.3), ((64, 256), 0.5)):
        yield from _dropout(shape, p)
    for n, classes in ((64, 10), (256, 1000)):
        yield from _loss(n, classes)
    yield from _linear(64, 4096, 256)


def _batch_norm(shape) -> Iterator[Case]:
    x, dout, text = _normal(shape), _normal(shape, 1), _text(shape)
    channels = shape[1]
    state = [_normal((channels,), 2), _normal((channels,), 3),
             np.zeros(channels, np.float32), np.ones(channels, np.float32)]  # fmt: skip
    tx, tdout, gamma, beta, mean, var = map(torch.from_numpy, [x, dout, *(s.copy() for s in state)])
    for training, targets in ((True, (1.05, 2.5)), (False, (None, None))):
        mode = "training" if training else "test time"

        _, *saved = aten.native_batch_norm(tx, gamma, beta, mean, var, training, 0.1, 1e-5)
        settings = *saved, training, 1e-5, (True, True, True)
        _, cache = norm.batch_norm_forward(x, *state, training=training)
        yield Case(f"batch norm forward, {mode}", text, targets[0],
                   lambda t=training: norm.batch_norm(x, *state, training=t),
                   lambda t=training: functional.batch_norm(tx, mean, var, gamma, beta, t))  # fmt: skip
        yield Case(f"batch norm backward, {mode}", text, targets[1],
                   lambda c=cache: norm.batch_norm_backward(dout, c),
                   lambda s=settings: aten.native_batch_norm_backward(tdout, tx, gamma, mean, var, *s))  # fmt: skip
    yield Case(
        "torch skin against bare torch, norm", text, 1.02,
        lambda: torch_norm.batch_norm(tx, gamma, beta, mean, var, training=True),
        lambda: functional.batch_norm(tx, mean, var, gamma, beta, True),
    )  # fmt: skip


def _relu(shape) -> Iterator[Case]:
    x, dout, text = _normal(shape), _normal(shape, 1), _text(shape)
    tx, tdout = torch.from_numpy(x), torch.from_numpy(dout)
    out = activation.relu(x)
    tout = torch.from_numpy(out)
    yield Case("ReLU forward", text, 1.2,
               lambda: activation.relu(x), lambda: functional.relu(tx),
               reason="One pass over memory on both sides; a busy machine moves this ratio most.")  # fmt: skip
    yield Case("ReLU backward", text, None,
               lambda: activation.relu_backward(dout, out),
               lambda: aten.threshold_backward(tdout, tout, 0))  # fmt: skip
    yield Case("torch skin against bare torch, ReLU", text, 1.02,
               lambda: torch_activation.relu(tx), lambda: functional.relu(tx))  # fmt: skip


def _other_activations(shape) -> Iterator[Case]:
    x = _normal(shape)
    tx = torch.from_numpy(x)
    for name in ("leaky_relu", "elu", "sigmoid", "tanh", "softmax"):
        ours, theirs = getattr(activation, name), getattr(torch_activation, name)
        yield Case(f"{name} forward", _text(shape), None,
                   lambda f=ours: f(x), lambda f=theirs: f(tx))  # fmt: skip


def _dropout(shape, p) -> Iterator[Case]:
    x, rng = _normal(shape), np.random.default_rng(0)
    tx = torch.from_numpy(x)
    yield Case(
        "dropout forward", f"{_text(shape)}, p {p}", 0.3,
        lambda: dropout.dropout(x, p, training=True, rng=rng),
        lambda: functional.dropout(tx, p),
    )  # fmt: skip


def _loss(n, classes) -> Iterator[Case]:
    logits, labels = _normal((n, classes)), np.random.default_rng(1).integers(0, classes, n)
    tlabels = torch.from_numpy(labels)
    leaf = torch.from_numpy(logits).requires_grad_()
    plain = leaf.detach()

    def value_and_gradient():
        _, cache = loss.softmax_cross_entropy_forward(logits, labels)
        return loss.softmax_cross_entropy_backward(1.0, cache)

    text = _text((n, classes))
    yield Case("softmax cross-entropy, value", text, 1.0 if n > 64 else None,
               lambda: loss.softmax_cross_entropy(logits, labels),
               lambda: functional.cross_entropy(plain, tlabels), reason=EXP)  # fmt: skip
    yield Case("softmax cross-entropy, and gradient", text, 1.0, value_and_gradient,
               lambda: torch.autograd.grad(functional.cross_entropy(leaf, tlabels), leaf), reason=EXP)  # fmt: skip


def _linear(n, features, neurons) -> Iterator[Case]:
    x, weight, bias = (
        _normal((n, features)),
        _normal((neurons, features), 1),
        _normal((neurons,), 2),
    )
    tx, tweight, tbias = map(torch.from_numpy, (x, weight, bias))
    yield Case("linear forward", f"{n} × {features} to {neurons}", None,
               lambda: linear.linear(x, weight, bias),
               lambda: functional.linear(tx, tweight, tbias))  # fmt: skip


def _normal(shape, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def _text(shape) -> str:
    return " × ".join(map(str, shape))
