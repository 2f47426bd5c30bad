"""numpy-ml's convolution beside ours and torch's, where it is installed (``pip install numpy-ml``).

Its last release (0.1.2) imports names that moved in Python 3.10; they are put back here first. It
computes in float64 with the channels last, whatever it is given.
"""

import collections
import collections.abc
import warnings
from collections.abc import Iterator

import numpy as np
import torch
from timing import Case

from cnnlib.reference.conv import conv2d


def cases() -> Iterator[Case]:
    try:
        layer = _layer()
    except ImportError as error:
        print(f"numpy-ml is left out: {error} (pip install numpy-ml scipy)")
        return
    x = np.random.default_rng(0).standard_normal((8, 64, 32, 32), dtype=np.float32)
    weight = np.random.default_rng(1).standard_normal((64, 64, 3, 3), dtype=np.float32)
    channels_last = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    tx, tweight = torch.from_numpy(x), torch.from_numpy(weight)
    text = "8 × 64 × 32 × 32, 64 of 3 × 3"
    yield Case("conv forward, numpy-ml to torch", text, None,
               lambda: layer.forward(channels_last, retain_derived=False),
               lambda: torch.nn.functional.conv2d(tx, tweight, padding=1))  # fmt: skip
    yield Case("conv forward, ours to numpy-ml", text, None,
               lambda: conv2d(x, weight, padding=1),
               lambda: layer.forward(channels_last, retain_derived=False))  # fmt: skip


def _layer():
    for name in ("Hashable", "Iterable", "Mapping"):
        if not hasattr(collections, name):
            setattr(collections, name, getattr(collections.abc, name))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from numpy_ml.neural_nets.layers import Conv2D
    return Conv2D(out_ch=64, kernel_shape=(3, 3), pad=1, stride=1)
