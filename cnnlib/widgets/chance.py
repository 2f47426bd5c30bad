"""Random numbers that are the same in both languages: ``chance.js`` beside this file.

They feed the widgets' pictures and nothing else. In a page JavaScript draws them, here Python does,
and a test compares the two.
"""

import math
from collections.abc import Iterator

__all__ = ["normal", "uniform"]

_MASK = 0xFFFFFFFF


def uniform(seed: int) -> Iterator[float]:
    """Numbers in [0, 1), without end: T. Ettinger's mulberry32 (public domain)."""
    state = seed & _MASK
    while True:
        state = (state + 0x6D2B79F5) & _MASK
        t = state
        t = (t ^ (t >> 15)) * (t | 1) & _MASK
        t ^= (t + ((t ^ (t >> 7)) * (t | 61) & _MASK)) & _MASK
        yield (t ^ (t >> 14)) / 2**32


def normal(seed: int) -> Iterator[float]:
    """Standard normal numbers to 6 decimals, without end: Box and Muller's transform."""
    numbers = uniform(seed)
    while True:
        u, v = 1 - next(numbers), next(numbers)
        value = math.sqrt(-2 * math.log(u)) * math.cos(2 * math.pi * v)
        yield math.floor(value * 1e6 + 0.5) / 1e6
