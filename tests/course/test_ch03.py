"""What chapter 3 prints and says, computed again."""

import numpy as np
import pytest

from cnnlib import shapes
from cnnlib.reference.conv import conv2d, conv2d_naive
from cnnlib.reference.conventions import flip_kernel

CORNER = np.outer([-1.0, 0, 1], [-1, 0, 1])[None, None]
UPRIGHT = np.array([[-1.0, 0, 1]] * 3)[None, None]


@pytest.fixture
def square_and_bar():
    image = np.zeros((1, 1, 12, 12))
    image[..., 2:6, 2:6] = 1
    image[..., 2:10, 8:10] = 1
    return image


@pytest.mark.claim("M3.1")
def test_a_filter_adds_its_slices_into_one_number():
    window = [[[1, 2, 0], [3, 1, 1], [0, 2, 2]],
              [[0, 1, 1], [2, 0, 1], [1, 1, 0]],
              [[2, 0, 1], [0, 1, 3], [1, 0, 2]]]  # fmt: skip
    kernel = [[[1, 0, -1]] * 3, [[0, 1, 0]] * 3, [[-1, 0, 0], [0, 2, 0], [0, 0, -1]]]
    x, weight = np.array([window], np.float64), np.array([kernel], np.float64)
    assert (x * weight).sum(axis=(0, 2, 3)).tolist() == [1, 2, -2]
    for layer in (conv2d, conv2d_naive):
        assert layer(x, weight, np.array([4.0])).tolist() == [[[[5]]]]


@pytest.mark.claim("M3.2")
def test_a_dot_comes_out_as_the_kernel_turned():
    dot, kernel = np.zeros((1, 1, 5, 5)), np.arange(1.0, 10).reshape(1, 1, 3, 3)
    dot[..., 2, 2] = 1
    assert conv2d(dot, kernel).ravel().tolist() == list(range(9, 0, -1))
    assert np.array_equal(conv2d(dot, flip_kernel(kernel)), kernel)


@pytest.mark.claim("M3.3")
def test_edges_then_corners_then_a_square(square_and_bar):
    upright = conv2d(square_and_bar, UPRIGHT)[0, 0]
    assert upright[2, 0] == 3, "the left edge of the square: it gets brighter"
    assert upright[2, 4] == -3, "its right edge"
    corners = conv2d(square_and_bar, CORNER)
    assert set(np.unique(corners)) == {-1, 0, 1}
    assert np.count_nonzero(corners) == 8 * 4, "a block of 2 × 2 at each of eight corners"
    assert not corners[0, 0, 2:4].any(), "straight edges leave the filter silent"
    weight = np.zeros((1, 1, 5, 5))
    weight[0, 0, [0, 0, 4, 4], [0, 4, 0, 4]] = [1, -1, -1, 1]
    found = conv2d(corners, weight)[0, 0]
    assert (found == 4).nonzero()[0].tolist() == [0, 0, 1, 1]
    assert (found == 4).nonzero()[1].tolist() == [0, 1, 0, 1]
    assert found[found != 4].max() <= 3, "a bias of −3 and a cut leave the square alone"


@pytest.mark.claim("M3.4")
def test_the_pixels_that_a_neuron_notices_are_its_theoretical_field():
    rng = np.random.default_rng(0)
    one, two = rng.standard_normal((1, 1, 3, 3)), rng.standard_normal((1, 1, 5, 5))
    image = rng.standard_normal((1, 1, 12, 12))

    def answer(pixels):
        return conv2d_naive(conv2d_naive(pixels, one), two)[0, 0, 2, 2]

    noticed = np.zeros((12, 12), bool)
    for place in np.ndindex(12, 12):
        poked = image.copy()
        poked[0, 0][place] += 1
        noticed[place] = answer(poked) != answer(image)
    expected = np.zeros((12, 12), bool)
    expected[2:9, 2:9] = True
    assert np.array_equal(noticed, expected)
    assert shapes.receptive_field([(3,), (5,)]).size == 7
    assert shapes.receptive_field([(3, 2), (5,)]).size == 11


@pytest.mark.claim("M3.5", "M3.6", "M3.7")
@pytest.mark.parametrize(("size", "depth", "weights"), [(32, 3, 27), (16, 94, 846)])
def test_weights_of_one_neuron(size, depth, weights):
    assert shapes.conv_params(depth, 1, 3, bias=False) == weights
    assert shapes.conv_params(depth, 1, 3) == weights + 1
    # Judged by the layer itself: with ones everywhere a neuron's output counts its weights.
    out = conv2d(np.ones((1, depth, size, size)), np.ones((1, depth, 3, 3)))
    assert np.unique(out).tolist() == [weights]
