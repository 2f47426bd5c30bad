"""Convolution against torch: time, memory, the cost of the torch skin, the loops it replaces."""

from collections.abc import Iterator

import numpy as np
import torch
from timing import Case, peak_memory

from cnnlib.pytorch import conv as pytorch
from cnnlib.reference import conv as reference
from cnnlib.reference.conv import _input_gradient, _weight_gradient
from cnnlib.reference.winograd import conv2d_winograd

MIDDLE = ((8, 64, 32, 32), (64, 64, 3, 3), {"padding": 1})
LARGE = ((4, 256, 56, 56), (256, 256, 3, 3), {"padding": 1})
ALEXNET = ((8, 3, 227, 227), (96, 3, 11, 11), {"stride": 4})


def cases() -> Iterator[Case]:
    for setting, targets in ((MIDDLE, (1.7, 1.6, 1.4)), (LARGE, (1.35, 1.25, 1.15))):
        forward, weight, both, image = _against_torch(setting)
        yield Case("conv forward", _text(setting), targets[0], *forward)
        yield Case("conv weight gradient", _text(setting), targets[1], *weight)
        yield Case("conv input gradient", _text(setting), targets[2], *image)
        yield Case("conv backward, both", _text(setting), None, *both)
        yield Case("Winograd forward", _text(setting), None, _winograd(setting), forward[1])
    for setting, target in ((ALEXNET, 1.5),):
        forward, weight, *_ = _against_torch(setting)
        yield Case("conv forward, AlexNet's first", _text(setting), target, *forward)
        yield Case("conv weight gradient, AlexNet's", _text(setting), None, *weight)
    for setting in (MIDDLE, LARGE, ALEXNET):
        x, weight, options = _arrays(setting)
        yield Case(
            "peak memory, to output + im2col",
            _text(setting),
            1.0,
            lambda x=x, w=weight, o=options: reference.conv2d(x, w, **o),
            lambda setting=setting: _memory_allowed(setting),
            lambda ours, allowed: peak_memory(ours) / allowed(),
        )
    for setting in (((1, 8, 8, 8), (8, 8, 3, 3), {"padding": 1}), MIDDLE):
        x, weight, options = _arrays(setting)
        tx, tw = torch.from_numpy(x), torch.from_numpy(weight)
        yield Case(
            "torch skin against bare torch",
            _text(setting),
            1.02 if setting is MIDDLE else None,
            lambda tx=tx, tw=tw, o=options: pytorch.conv2d(tx, tw, **o),
            lambda tx=tx, tw=tw, o=options: torch.nn.functional.conv2d(tx, tw, **o),
        )
    small = ((1, 8, 16, 16), (8, 8, 3, 3), {"padding": 1})
    x, weight, options = _arrays(small)
    fast = _against_torch(small)[0]
    yield Case(
        "loops of the definition", _text(small), None,
        lambda: reference.conv2d_naive(x, weight, **options), fast[1],
    )  # fmt: skip
    yield Case("conv forward, tiny", _text(small), None, *fast)


def _arrays(setting) -> tuple[np.ndarray, np.ndarray, dict]:
    rng = np.random.default_rng(0)
    x, weight = (rng.standard_normal(shape, dtype=np.float32) for shape in setting[:2])
    return x, weight, setting[2]


def _against_torch(setting):
    """(ours, theirs) for the forward pass, the weight's gradient, both gradients, the input's."""
    x, weight, options = _arrays(setting)
    tx, tw = torch.from_numpy(x), torch.from_numpy(weight)
    out, cache = reference.conv2d_forward(x, weight, **options)
    dout = np.random.default_rng(1).standard_normal(out.shape, dtype=np.float32)
    tdout = torch.from_numpy(dout)
    windows = cache.windows

    def torch_backward(*wanted):
        return lambda: torch.ops.aten.convolution_backward(
            tdout, tx, tw, None, windows.stride, windows.padding, windows.dilation, False, (0, 0), 1,
            (*wanted, False),
        )  # fmt: skip

    return (
        (
            lambda: reference.conv2d(x, weight, **options),
            lambda: torch.nn.functional.conv2d(tx, tw, **options),
        ),
        (lambda: _weight_gradient(dout, x, weight, windows), torch_backward(False, True)),
        (lambda: reference.conv2d_backward(dout, cache), torch_backward(True, True)),
        (lambda: _input_gradient(dout, weight, windows, x.shape), torch_backward(True, False)),
    )


def _winograd(setting):
    x, weight, options = _arrays(setting)
    return lambda: conv2d_winograd(x, weight, **options)


def _memory_allowed(setting) -> int:
    """Bytes of torch's output, the least that torch can need, and of im2col of one image."""
    x, weight, options = _arrays(setting)
    out = reference.conv2d(x, weight, **options)
    lowering = out[0, 0].size * weight[0].size * weight.itemsize
    return out.nbytes + lowering


def _text(setting) -> str:
    (N, C, H, W), (K, _, F, _), options = setting
    stride = f", S {options['stride']}" if "stride" in options else ""
    return f"{N} × {C} × {H} × {W}, {K} of {F} × {F}{stride}"
