"""How a network of residual blocks is used: counted, run, or run on blocks that take notes."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnlib.checks.ch12_beyond_the_pattern.block import BasicBlock
from cnnlib.checks.ch12_beyond_the_pattern.driving import (
    built,
    count,
    draw,
    is_conv,
    quiet,
    run_array,
    settle,
)

__all__ = ["BLOCKS", "HEAD", "STEM", "whole_network"]

BLOCKS, STEM, HEAD = "each block's sizes", "what the first block gets", "scores of a known last map"


def _rule(owner: nn.Module, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Weights of both signs. A bias of a CONV is 0, and costs the count alone."""
    if len(shape) > 1:
        return draw(shape, seed) * np.sign(draw(shape, seed + 1, -1.0, 1.0))
    return np.zeros(shape) if is_conv(owner) else draw(shape, seed)


class _Recorder:
    """Makes a block for the student's network that notes how it was made and what comes in.

    The block learns nothing. What it gives has the right size, or with `known` a size and values that
    depend on its depth alone, so that the head can be judged by itself.
    """

    def __init__(self, known: bool) -> None:
        self.rows: list[tuple[int, int, int]] = []
        self.images: list[np.ndarray] = []
        recorder = self

        class Block(nn.Module):
            def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
                super().__init__()
                self.sizes = (in_channels, out_channels, stride)

            def forward(self, x: Tensor) -> Tensor:
                recorder.rows.append(self.sizes)
                recorder.images.append(x.numpy().copy())
                _, filters, stride = self.sizes
                if known:
                    map_ = draw((filters, 3, 5), 1, -2.0, 3.0)
                    return torch.from_numpy(map_).to(x.dtype).repeat(len(x), 1, 1, 1)
                height, width = (-(-side // stride) for side in x.shape[2:])
                return x.new_zeros(len(x), filters, height, width)

        self.block = Block

    def forget(self) -> None:
        self.rows.clear()
        self.images.clear()


def _count(written: Any, units: tuple[int, ...], **settings: int) -> int:
    """Sizes are enough for that: twenty million numbers would take a second."""
    try:
        with torch.device("meta"):
            return count(built(written, BasicBlock, units, **settings), 3)
    except Exception:  # it may work with numbers, as where weights are looked at
        return count(built(written, BasicBlock, units, **settings), 3)


_DEFAULTS = {"classes": 1000, "width": 64}  # what the contract states is left to the function


def whole_network(
    written: Any,
    units: tuple[int, ...],
    *,
    classes: int = 1000,
    width: int = 64,
    x: np.ndarray | None = None,
    look: str = "",
) -> int | np.ndarray:
    """Parameters of the network; or with `x` what is looked at: a part of it, or else the scores."""
    given = {"classes": classes, "width": width}
    settings = {name: value for name, value in given.items() if value != _DEFAULTS[name]}
    with quiet():
        if x is None:
            return _count(written, units, **settings)
        if not look:
            network = built(written, BasicBlock, units, **settings)
            return run_array(network, x, _rule)
        recorder = _Recorder(known=look == HEAD)
        network = built(written, recorder.block, units, **settings)
        settle(network, 3)
        recorder.forget()
        scores = np.zeros(0)
        try:
            scores = run_array(network, x, _rule)
        except Exception:
            if look == HEAD or not recorder.rows:
                raise  # else it came from behind what is looked at
    if not recorder.rows:
        raise ValueError("no block was run: the network must use the blocks that it is given")
    if look == STEM:
        return recorder.images[0]
    return np.array(recorder.rows, float) if look == BLOCKS else scores
