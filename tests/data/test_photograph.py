"""The bundled photograph: what comes out, that it is a picture, and that its licence travels with it."""

from importlib import resources

import numpy as np

from cnnlib.data import photograph


def test_it_is_grey_and_between_black_and_white():
    image = photograph()
    assert image.shape == (128, 128)
    assert image.dtype == np.float64
    assert 0 <= image.min() < 0.05
    assert 0.9 < image.max() <= 1
    assert len(np.unique(image)) > 200


def test_it_is_a_photograph_the_right_way_up():
    image = photograph()
    assert image[:30, :40].mean() > 0.6  # sky at the top left
    assert image[70:120, 10:20].mean() < 0.15  # the dark coat below it
    neighbours = np.corrcoef(image[:, 1:].ravel(), image[:, :-1].ravel())[0, 1]
    assert neighbours > 0.9  # noise would have 0


def test_each_call_gives_an_array_of_its_own():
    image = photograph()
    image[:] = 0
    assert photograph().max() > 0


def test_the_file_is_small_and_names_author_source_and_licence():
    folder = resources.files("cnnlib.data")
    assert len(folder.joinpath("camera.npy").read_bytes()) < 40_000
    note = folder.joinpath("camera_LICENSE.txt").read_text(encoding="utf-8")
    for word in ("Lav Varshney", "CC0", "scikit-image"):
        assert word in note
