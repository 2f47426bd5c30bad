"""How a residual block is used: with weights that show its branch alone, its shortcut alone, or both."""

from typing import Any

import numpy as np
from torch import nn

from cnnlib.checks.ch12_beyond_the_pattern.driving import (
    Fill,
    built,
    count,
    draw,
    is_conv,
    quiet,
    run_array,
)

__all__ = ["NEGATIVE", "NO_BRANCH", "NO_SHORTCUT", "POSITIVE", "ZERO", "residual"]

ZERO, POSITIVE, NEGATIVE = "all 0", "all positive", "3 × 3 negative"
NO_BRANCH, NO_SHORTCUT = "3 × 3 all 0", "1 × 1 all 0"
_SIGN = {  # of kernels of 3 × 3 and of 1 × 1
    ZERO: (0, 0),
    POSITIVE: (1, 1),
    NEGATIVE: (-1, 1),
    NO_BRANCH: (0, 1),
    NO_SHORTCUT: (1, 0),
}


def _rule(weights: str) -> Fill:
    """Biases of CONVs are 0 and cost the count alone; a batch norm has the same in γ, β, mean and variance.

    With negative 3 × 3 these are so large that what the branch gives is about −4 in every place, else so
    small that it is positive.
    """

    def rule(owner: nn.Module, shape: tuple[int, ...], seed: int) -> np.ndarray:
        if len(shape) > 1:
            return _SIGN[weights][max(shape[2:], default=1) == 1] * draw(shape, seed)
        if is_conv(owner) or weights == ZERO:
            return np.zeros(shape)
        return draw(shape, seed, *((3, 5) if weights == NEGATIVE else (0.3, 0.8)))

    return rule


def residual(
    written: Any,
    in_channels: int,
    out_channels: int,
    stride: int,
    *,
    x: np.ndarray | None = None,
    weights: str = POSITIVE,
) -> int | np.ndarray:
    """Parameters of the block, or its output where there is an image."""
    with quiet():
        settings = {} if stride == 1 else {"stride": stride}  # 1 is the default of the contract
        block = built(written, in_channels, out_channels, **settings)
        if x is None:
            return count(block, in_channels)
        return run_array(block, x, _rule(weights))
