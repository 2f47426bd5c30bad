"""The numbers and facts that chapter 6, Pooling, states."""

from pathlib import Path

import numpy as np
import pytest

from cnnlib import shapes
from cnnlib.diagram import zoo
from cnnlib.reference.activation import relu
from cnnlib.reference.conv import conv2d
from cnnlib.reference.pool import (
    avg_pool2d,
    global_avg_pool2d,
    max_pool2d,
    max_pool2d_backward,
    max_pool2d_forward,
)


@pytest.fixture
def ring(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "book")
    from figures.pooling import broken_ring

    return broken_ring()


@pytest.mark.claim("M6.5", "M6.6")
def test_the_misplaced_bracket_is_wrong_at_stride_2_and_hides_at_stride_1():
    def printed(size, kernel, stride):
        return (size - kernel / stride) + 1

    assert printed(4, 2, 2) == 4 != shapes.output_size(4, 2, stride=2) == 2
    assert printed(4, 2, 1) == 3 == shapes.output_size(4, 2, stride=1)


@pytest.mark.claim("M6.4")
def test_a_4_by_4_plane_keeps_a_quarter_at_stride_2_and_repeats_itself_at_stride_1():
    plane = np.array([[3.0, 9, 4, 1], [7, 5, 8, 2], [6, 0, 5, 5], [1, 2, 3, 9]])[None, None]
    half = max_pool2d(plane, 2, stride=2)[0, 0]
    np.testing.assert_array_equal(half, [[9, 8], [6, 9]])
    assert 1 - half.size / plane.size == 0.75
    np.testing.assert_array_equal(avg_pool2d(plane, 2)[0, 0], [[6, 3.75], [2.25, 5.5]])
    one = max_pool2d(plane, 2, stride=1)[0, 0]
    assert one.shape == (3, 3)
    assert (one == 8).sum() == 3


@pytest.mark.claim("M6.5")
def test_padding_never_wins_a_maximum_and_equals_give_the_gradient_to_the_first():
    out = max_pool2d(-np.ones((1, 1, 2, 2)), 3, stride=1, padding=1)
    np.testing.assert_array_equal(out, -np.ones((1, 1, 2, 2)))
    _, cache = max_pool2d_forward(np.ones((1, 1, 2, 2)), 2)
    assert max_pool2d_backward(np.ones((1, 1, 1, 1)), cache).ravel().tolist() == [1, 0, 0, 0]


def test_the_ring_keeps_its_gap_where_a_window_fits_into_it(ring):
    assert (ring[13:17, 15:] == 0).all()
    assert ring[[12, 17], 25].all()

    def open_at_the_right(kernel, stride, ring=ring):
        small = max_pool2d(ring[None, None], kernel, stride=stride)[0, 0]
        right = small[:, small.shape[1] // 2 + 1 :]
        middle = right.shape[0] // 2
        return not right[middle - 1 : middle + 1].any(axis=1).all()

    assert [open_at_the_right(f, s) for f, s in ((2, 2), (3, 2), (3, 3), (5, 5))] == [
        True,
        True,
        False,
        False,
    ]
    for rows in (-1, 1):
        assert open_at_the_right(3, 3, np.roll(ring, rows, axis=0))


@pytest.mark.claim("M6.7")
def test_windows_of_3_at_stride_2_tile_alexnets_odd_sizes_and_windows_of_2_do_not():
    for size, smaller in ((55, 27), (27, 13), (13, 6)):
        assert shapes.output_size(size, 3, stride=2) == smaller
        assert shapes.output_size(size, 2, stride=2, rounding="floor") == smaller
        assert shapes.unseen(size, 2, 2) == 1
    assert shapes.output_size(55, 3, stride=3, rounding="floor") == 18
    assert shapes.unseen(55, 3, 3) == 1
    assert shapes.output_size(55, 2) == 54


@pytest.mark.claim("M6.2")
def test_which_networks_end_in_an_average_and_which_keep_an_fc():
    for name in ("googlenet", "resnet18", "resnet50"):
        assert zoo.NAMES[name].count("FC(") == 1, "one FC after the average"
        assert zoo.NAMES[name].index("GAP") < zoo.NAMES[name].index("FC(")
    for name in ("squeezenet1_0", "squeezenet1_1"):
        assert zoo.NAMES[name].endswith("CONV(1000, 1) => RELU => GAP")
        assert "FC(" not in zoo.NAMES[name]
    for name, pools in (("alexnet", 3), ("vgg16", 5)):
        assert "GAP" not in zoo.NAMES[name]
        assert zoo.NAMES[name].count("POOL") == pools


@pytest.mark.claim("M6.3")
def test_vgg_reads_224_pixels_and_pools_by_2_all_the_way():
    assert zoo.vgg16.startswith("INPUT(3, 224, 224)")
    assert "POOL(" not in zoo.vgg16, "POOL without numbers is 2 × 2 at stride 2"


def test_the_answers_to_the_exercises():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, 2, 15, 15))
    even = x[..., :12, :12]
    np.testing.assert_array_equal(relu(max_pool2d(even, 2)), max_pool2d(relu(even), 2))
    assert not np.allclose(relu(avg_pool2d(even, 2)), avg_pool2d(relu(even), 2))
    twice = max_pool2d(max_pool2d(x, 3, stride=2), 3, stride=2)
    np.testing.assert_array_equal(twice, max_pool2d(x, 7, stride=4))
    np.testing.assert_array_equal(max_pool2d(max_pool2d(even, 2), 2), max_pool2d(even, 4))
    np.testing.assert_allclose(avg_pool2d(avg_pool2d(even, 2), 2), avg_pool2d(even, 4))
    overlapping = avg_pool2d(avg_pool2d(x, 3, stride=2), 3, stride=2)
    assert not np.allclose(overlapping, avg_pool2d(x, 7, stride=4))
    one = np.zeros((7, 1, 1, 7))
    one[np.arange(7), 0, 0, np.arange(7)] = 9
    row = avg_pool2d(avg_pool2d(one, (1, 3), stride=(1, 2)), (1, 3), stride=(1, 2))
    np.testing.assert_allclose(row.ravel(), [1, 1, 2, 1, 2, 1, 1])
    by_hand = np.array([[-4.0, 2.0]])[None, None]
    assert relu(avg_pool2d(by_hand, (1, 2))).item() == 0
    assert avg_pool2d(relu(by_hand), (1, 2)).item() == 1
    pixel = np.zeros((1, 1, 4, 8))
    pixel[..., 2] = 1
    moved = np.roll(pixel, 1, axis=-1)
    np.testing.assert_array_equal(max_pool2d(pixel, 2), max_pool2d(moved, 2))
    assert (max_pool2d(moved, 2) != max_pool2d(np.roll(moved, 1, axis=-1), 2)).sum() == 2 * 2
    ramp = np.broadcast_to(np.arange(13.0), (1, 1, 12, 13))
    assert (max_pool2d(ramp[..., 1:], 2) != max_pool2d(ramp[..., :-1], 2)).all()


def test_a_shuffled_map_has_the_same_average_and_a_shuffled_image_has_not():
    rng = np.random.default_rng(0)
    image, filters = rng.random((1, 1, 8, 8)), rng.standard_normal((4, 1, 3, 3))
    order = rng.permutation(64)

    def shuffled(x):
        return x.reshape(1, x.shape[1], -1)[..., order[order < x[0, 0].size]].reshape(x.shape)

    maps = relu(conv2d(image, filters))
    np.testing.assert_allclose(global_avg_pool2d(shuffled(maps)), global_avg_pool2d(maps))
    other = global_avg_pool2d(relu(conv2d(shuffled(image), filters)))
    assert not np.allclose(other, global_avg_pool2d(maps))
