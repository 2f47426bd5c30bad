"""How an inception block and a fire block are used: their branches are stacked, so each can be cut out."""

from typing import Any

import numpy as np

from cnnlib.checks.ch12_beyond_the_pattern.driving import (
    built,
    count,
    quiet,
    run_array,
    with_biases,
)

__all__ = ["BRANCHES", "NEGATIVE", "POSITIVE", "fire", "inception"]

POSITIVE, NEGATIVE = "all positive, biases 0", "all negative, biases too"
WEIGHTS = {POSITIVE: with_biases(1), NEGATIVE: with_biases(-1)}
BRANCHES = ("1 × 1", "3 × 3", "5 × 5", "pooling")


def inception(
    written: Any,
    in_channels: int,
    f1: int,
    f3_in: int,
    f3: int,
    f5_in: int,
    f5: int,
    pool: int,
    *,
    x: np.ndarray | None = None,
    weights: str = POSITIVE,
    branch: str = "",
) -> int | np.ndarray:
    """Parameters of the block; or with `x` its output, or the part of it that one branch gave."""
    with quiet():
        block = built(written, in_channels, f1, f3_in, f3, f5_in, f5, pool)
        if x is None:
            return count(block, in_channels)
        out = run_array(block, x, WEIGHTS[weights])
    if not branch:
        return out
    ends = np.cumsum([0, f1, f3, f5, pool])
    at = BRANCHES.index(branch)
    return out[:, ends[at] : ends[at + 1] if at < 3 else None]


def fire(
    written: Any,
    in_channels: int,
    squeeze: int,
    expand1: int,
    expand3: int,
    *,
    x: np.ndarray | None = None,
    weights: str = POSITIVE,
    branch: str = "",
) -> int | np.ndarray:
    """Parameters of the block; or with `x` its output, or the part of it that one branch gave."""
    with quiet():
        block = built(written, in_channels, squeeze, expand1, expand3)
        if x is None:
            return count(block, in_channels)
        out = run_array(block, x, WEIGHTS[weights])
    return {"": out, "1 × 1": out[:, :expand1], "3 × 3": out[:, expand1:]}[branch]
