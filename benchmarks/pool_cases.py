"""Pooling against torch: values, values with positions for the backward pass, gradients."""

from collections.abc import Iterator

import numpy as np
import torch
from timing import Case
from torch.nn import functional

from cnnlib.pytorch import pool as pytorch
from cnnlib.reference import pool as reference

SMALL = ((64, 32, 32, 32), 2, {"stride": 2, "padding": 0})
LARGE = ((16, 64, 112, 112), 2, {"stride": 2, "padding": 0})
OVERLAPPING = ((16, 64, 112, 112), 3, {"stride": 2, "padding": 0})
PADDED = ((16, 64, 112, 112), 3, {"stride": 2, "padding": 1})


def cases() -> Iterator[Case]:
    for setting in (SMALL, LARGE, OVERLAPPING, PADDED):
        yield from _maximum(setting)
    for setting in (SMALL, LARGE, OVERLAPPING, PADDED):
        yield from _average(setting)
    x = _normal((16, 64, 112, 112))
    tx = torch.from_numpy(x)
    yield Case(
        "global average pooling", _text(x.shape), None,
        lambda: reference.global_avg_pool2d(x),
        lambda: functional.adaptive_avg_pool2d(tx, 1),
    )  # fmt: skip


def _maximum(setting) -> Iterator[Case]:
    shape, kernel, options = setting
    x = _normal(shape)
    tx = torch.from_numpy(x)

    def theirs():
        return functional.max_pool2d(tx, kernel, **options)

    text = _text(shape, kernel, options)
    yield Case("max pooling forward", text, 0.4,
               lambda: reference.max_pool2d(x, kernel, **options), theirs)  # fmt: skip
    yield Case("max pooling forward, positions", text, None,
               lambda: reference.max_pool2d_forward(x, kernel, **options), theirs)  # fmt: skip
    out, cache = reference.max_pool2d_forward(x, kernel, **options)
    dout = _normal(out.shape, 1)
    tdout = torch.from_numpy(dout)
    settings = (
        (kernel, kernel),
        (options["stride"],) * 2,
        (options["padding"],) * 2,
        (1, 1),
        False,
    )
    _, positions = torch.ops.aten.max_pool2d_with_indices(tx, *settings)

    def their_gradient():
        return torch.ops.aten.max_pool2d_with_indices_backward(tdout, tx, *settings, positions)

    dx = reference.max_pool2d_backward(dout, cache)
    assert dx.tobytes() == their_gradient().numpy().tobytes(), "not bit by bit torch's"
    yield Case("max pooling backward, same bits", text, 0.8,
               lambda: reference.max_pool2d_backward(dout, cache), their_gradient,
               reason="NumPy reads the 64-bit positions twice, once to check their range; torch once.")  # fmt: skip
    if setting is SMALL:
        yield Case("torch skin against bare torch, max", text, 1.02,
                   lambda: pytorch.max_pool2d(tx, kernel, **options), theirs)  # fmt: skip


def _average(setting) -> Iterator[Case]:
    shape, kernel, options = setting
    x = _normal(shape)
    tx = torch.from_numpy(x)
    text = _text(shape, kernel, options)
    yield Case(
        "average pooling forward", text, 1.1,
        lambda: reference.avg_pool2d(x, kernel, **options),
        lambda: functional.avg_pool2d(tx, kernel, **options),
    )  # fmt: skip
    out, cache = reference.avg_pool2d_forward(x, kernel, **options)
    dout = _normal(out.shape, 1)
    tdout = torch.from_numpy(dout)
    settings = ((kernel, kernel), (options["stride"],) * 2, (options["padding"],) * 2)
    yield Case(
        "average pooling backward", text, 1.1,
        lambda: reference.avg_pool2d_backward(dout, cache),
        lambda: torch.ops.aten.avg_pool2d_backward(tdout, tx, *settings, False, True, None),
        reason="With padding the gradient is summed in a larger array and copied once more to crop it.",
    )  # fmt: skip


def _normal(shape, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def _text(shape, kernel=None, options=None) -> str:
    sizes = " × ".join(map(str, shape))
    if kernel is None:
        return sizes
    padding = f", P {options['padding']}" if options["padding"] else ""
    return f"{sizes}, F {kernel}, S {options['stride']}{padding}"
