"""Drawn shapes: the same bytes everywhere, kinds that differ, and a task no linear classifier can do."""

import hashlib

import numpy as np
import pytest

from cnnlib.data import SHAPE_NAMES, shapes32
from cnnlib.data.shapes32 import _inside
from cnnlib.errors import RangeError, ShapeError


def test_the_same_seed_gives_the_same_bytes():
    images, labels = shapes32(600, seed=3)
    assert images.shape == (600, 3, 32, 32)
    assert images.dtype == np.uint8
    assert labels.dtype == np.int64
    assert np.bincount(labels).tolist() == [75] * 8
    digest = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    assert digest.startswith("344a33038502c05e")
    assert not np.array_equal(images, shapes32(600, seed=4)[0])


def test_every_kind_covers_some_of_the_picture_and_no_two_are_alike():
    u, v = np.meshgrid(np.linspace(-1.1, 1.1, 111), np.linspace(-1.1, 1.1, 111))
    covers = [_inside(name, u, v) for name in SHAPE_NAMES]
    for cover in covers:
        assert 0.1 < cover.mean() < 0.8
    for i, one in enumerate(covers):
        for other in covers[:i]:
            assert (one != other).mean() > 0.05


def test_shapes_stand_out_from_their_ground():
    images, _ = shapes32(200, noise=0)
    spread = np.ptp(images.reshape(200, 3, -1).astype(int), axis=2)
    assert spread.min() > 0.15 * 255
    assert len(np.unique(images.reshape(200, -1), axis=0)) == 200


def test_what_is_kept_is_read_and_a_damaged_file_is_drawn_anew(tmp_path):
    images, labels = shapes32(20, seed=1, folder=tmp_path)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    for content in (whole, whole[:1000]):
        path.write_bytes(content)
        again = shapes32(20, seed=1, folder=tmp_path)
        assert np.array_equal(again[0], images)
        assert np.array_equal(again[1], labels)
        assert path.read_bytes() == whole
    shapes32(20, seed=2, folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_what_is_out_of_range_is_refused():
    with pytest.raises(ShapeError, match="n=0 is too small"):
        shapes32(0)
    with pytest.raises(
        RangeError, match=r"noise=1.5 is out of range: .* from 0 to 1; 0.1 is usual"
    ):
        shapes32(1, noise=1.5)
