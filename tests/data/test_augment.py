"""Augmentation: right on small images, the same in NumPy and torch, refused with words that help."""

import numpy as np
import pytest
import torch

from cnnlib.data import augment as ours
from cnnlib.data import augment_torch as theirs
from cnnlib.data.augment import Draws, draw
from cnnlib.errors import DtypeError, ShapeError


def test_draws_are_what_was_asked_for():
    draws = draw(np.random.default_rng(0), 4000, reach=2)
    assert 0.46 < draws.flips.mean() < 0.54
    counts = np.bincount((draws.moves + 2) @ [5, 1], minlength=25)
    assert counts.min() > 110  # all 25 moves, 160 times each on average
    assert draws.moves.min() == -2
    assert draws.moves.max() == 2
    still = draw(np.random.default_rng(0), 9, flip=False, reach=0)
    assert not still.flips.any()
    assert not still.moves.any()


def test_an_image_moves_as_a_loop_would_move_it():
    rng = np.random.default_rng(1)
    x = rng.integers(1, 9, (6, 2, 4, 5))
    moves = np.array([[0, 0], [1, -2], [-3, 4], [4, 0], [0, -5], [9, 9]])
    expected = np.zeros_like(x)
    for i, (down, right) in enumerate(moves):
        for r in range(4):
            for c in range(5):
                if 0 <= r - down < 4 and 0 <= c - right < 5:
                    expected[i, :, r, c] = x[i, :, r - down, c - right]
    assert np.array_equal(ours.shift(x, moves), expected)


def test_pad_and_crop_is_what_its_name_says():
    rng = np.random.default_rng(2)
    x = rng.integers(1, 9, (5, 3, 4, 4))
    corners = rng.integers(0, 5, (5, 2))
    padded = np.pad(x, ((0, 0), (0, 0), (2, 2), (2, 2)))
    expected = [p[:, r : r + 4, c : c + 4] for p, (r, c) in zip(padded, corners, strict=True)]
    assert np.array_equal(ours.pad_and_crop(x, corners, 2), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_torch_gives_the_same_images_from_the_same_draws(dtype):
    rng = np.random.default_rng(3)
    x = (rng.random((7, 3, 6, 5)) * 255).astype(dtype)
    before = x.copy()
    draws = draw(rng, 7, reach=3)
    corners = rng.integers(0, 5, (7, 2))
    for name, arguments in (
        ("augment", (draws,)),
        ("flip", (draws.flips,)),
        ("shift", (draws.moves,)),
        ("pad_and_crop", (corners, 2)),
    ):
        mine = getattr(ours, name)(x, *arguments)
        other = getattr(theirs, name)(torch.from_numpy(x), *arguments)
        assert mine.dtype == dtype
        assert mine.shape == x.shape
        assert other.numpy().dtype == dtype
        assert np.array_equal(mine, other.numpy()), name
    assert np.array_equal(x, before)


@pytest.mark.parametrize("library", [ours, theirs])
def test_what_does_not_fit_is_refused(library):
    x = np.zeros((2, 1, 3, 3), np.float32)
    if library is theirs:
        x = torch.from_numpy(x)
    none, yes = np.zeros((2, 2), int), np.array([True, False])
    for call, kind, message in (
        (lambda: library.flip(x[0], yes), ShapeError, r"x has shape \(1, 3, 3\): images are"),
        (lambda: library.flip(x, yes[:1]), ShapeError, r"flips has shape \(1,\), expected \(2,\)"),
        (lambda: library.flip(x, none[0]), DtypeError, "flips has dtype int64: .*Write flips > 0"),
        (
            lambda: library.shift(x, none[0]),
            ShapeError,
            r"moves has shape \(2,\), expected \(2, 2\)",
        ),
        (lambda: library.shift(x, none * 0.5), DtypeError, "counted in whole numbers"),
        (lambda: library.pad_and_crop(x, none + 3, 1), ShapeError, "from 3 to 3: .* from 0 to 2"),
        (lambda: library.augment(x, Draws(yes, none[:1])), ShapeError, r"draw\(rng, 2\)"),
    ):
        with pytest.raises(kind, match=message):
            call()
