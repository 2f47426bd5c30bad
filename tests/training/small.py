"""Small networks and how to compare them, for the tests of training."""

import numpy as np

SMALL = (
    "INPUT(1, 14, 14) => CONV(4) => RELU => BN => POOL => CONV(6) => RELU => "
    "FC(16) => RELU => DO(0.3) => FC(10)"
)
PLAIN = "INPUT(1, 14, 14) => CONV(4) => RELU => POOL => FC(16) => RELU => FC(10)"


def same(one, other):
    """Whether two networks have the same weights and statistics, bit for bit."""
    a, b = one.to_arrays(), other.to_arrays()
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def numbers(history):
    """A history without the times."""
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history]
