"""The gradient of max pooling: the reference of task (c), and the mistakes that its catalogue knows."""

import numpy as np

from cnnlib.checks.ch06_pooling.common import counts, places
from cnnlib.reference import pool


def max_pool2d_backward(dout: np.ndarray, x: np.ndarray, window: int, stride: int) -> np.ndarray:
    """The reference of task (c)."""
    _, cache = pool.max_pool2d_forward(x, window, stride=stride)
    return pool.max_pool2d_backward(dout, cache)


def _first(block: np.ndarray) -> tuple[int, int]:
    row, column = np.unravel_index(block.argmax(), block.shape)
    return int(row), int(column)


def _one_winner(x, window, stride, choose):
    """For each output position of each plane: where its gradient goes."""
    for n, c in np.ndindex(x.shape[:2]):
        for (i, j), top, left in places(*counts(x, window, stride), stride, stride):
            row, column = choose(x[n, c, top : top + window, left : left + window])
            yield (n, c, i, j), (n, c, top + row, left + column)


def winner_by(choose):
    """The gradient, where `choose` finds the winner of a window."""

    def backward(dout, x, window, stride):
        dx = np.zeros_like(x)
        for output, pixel in _one_winner(x, window, stride, choose):
            dx[pixel] += dout[output]
        return dx

    return backward


def shared(weights):
    """The gradient, where each pixel of a window gets a share of it."""

    def backward(dout, x, window, stride):
        dx = np.zeros_like(x)
        for n, c in np.ndindex(x.shape[:2]):
            for (i, j), top, left in places(*counts(x, window, stride), stride, stride):
                part = (n, c, slice(top, top + window), slice(left, left + window))
                dx[part] += (weights(x[part]) * dout[n, c, i, j]).astype(x.dtype)
        return dx

    return backward


def all_winners(block):
    return block == block.max()


def winners_share(block):
    winners = block == block.max()
    return winners / winners.sum()


def everybody_shares(block):
    return np.full(block.shape, 1 / block.size)


def last(block):
    row, column = _first(block[::-1, ::-1])
    return block.shape[0] - 1 - row, block.shape[1] - 1 - column


def first_by_columns(block):
    row, column = _first(block.T)
    return column, row


def overwritten(dout, x, window, stride):
    dx = np.zeros_like(x)
    for output, pixel in _one_winner(x, window, stride, _first):
        dx[pixel] = dout[output]
    return dx


def slope_alone(dout, x, window, stride):
    return max_pool2d_backward(np.ones_like(dout), x, window, stride)


def own_value(dout, x, window, stride):
    return max_pool2d_backward(np.ones_like(dout), x, window, stride) * x


def found_in_the_plane(dout, x, window, stride):
    dx = np.zeros_like(x)
    for (n, c, i, j), pixel in _one_winner(x, window, stride, _first):
        row, column = np.argwhere(x[n, c] == x[pixel])[0]
        dx[n, c, row, column] += dout[n, c, i, j]
    return dx


def corners_swapped(dout, x, window, stride):
    dx = np.zeros_like(x)
    for output, (n, c, row, column) in _one_winner(x, window, stride, _first):
        down, across = output[2] * stride, output[3] * stride
        dx[n, c, row - down + across, column - across + down] += dout[output]
    return dx


def step_of_one(dout, x, window, stride):
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        row, column = _first(x[n, c, i : i + window, j : j + window])
        dx[n, c, i + row, j + column] += dout[n, c, i, j]
    return dx


def first_channel_decides(dout, x, window, stride):
    return max_pool2d_backward(dout, np.repeat(x[:, :1], x.shape[1], axis=1), window, stride)


def always_float64(dout, x, window, stride):
    return max_pool2d_backward(dout, x, window, stride).astype(np.float64)
