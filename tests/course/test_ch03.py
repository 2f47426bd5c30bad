"""What chapter 3 prints and says, computed again."""

import numpy as np
import pytest
import torch

from cnnlib import shapes
from cnnlib.diagram import summarize, zoo
from cnnlib.reference.activation import relu
from cnnlib.reference.conv import conv2d, conv2d_naive
from cnnlib.reference.conventions import flip_kernel
from cnnlib.reference.linear import flatten, linear

CORNER = np.outer([-1.0, 0, 1], [-1, 0, 1])[None, None]
UPRIGHT = np.array([[-1.0, 0, 1]] * 3)[None, None]
FOUR_CORNERS = np.zeros((1, 1, 5, 5))
FOUR_CORNERS[0, 0, [0, 0, 4, 4], [0, 4, 0, 4]] = [1, -1, -1, 1]


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
    weight = FOUR_CORNERS
    found = conv2d(corners, weight)[0, 0]
    assert (found == 4).nonzero()[0].tolist() == [0, 0, 1, 1]
    assert (found == 4).nonzero()[1].tolist() == [0, 1, 0, 1]
    assert found[found != 4].max() == 2, "elsewhere two at most agree"
    cut = relu(conv2d(corners, weight, np.array([-3.0])))
    assert cut.sum() == 4, "only four ones at the square are left"


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


@pytest.mark.claim("M3.2")
def test_pytorch_does_not_flip_the_kernel_and_a_flip_turns_the_sign_of_an_edge_filter():
    dot = torch.zeros(1, 1, 5, 5)
    dot[..., 2, 2] = 1
    kernel = torch.arange(1.0, 10).reshape(1, 1, 3, 3)
    out = torch.nn.functional.conv2d(dot, kernel)
    assert out.ravel().tolist() == list(range(9, 0, -1))
    assert np.array_equal(flip_kernel(UPRIGHT), -UPRIGHT)


def test_correlation_and_convolution_as_numpy_and_as_the_two_formulas_have_them():
    x, w = np.array([1.0, 2, 4]), np.array([1.0, 10])
    size = len(w)
    correlation = [sum(w[t] * x[i + t] for t in range(size)) for i in range(2)]
    convolution = [sum(w[t] * x[i + size - 1 - t] for t in range(size)) for i in range(2)]
    assert correlation == np.correlate(x, w, "valid").tolist() == [21, 42]
    assert convolution == np.convolve(x, w, "valid").tolist() == [12, 24]
    layer = conv2d(x.reshape(1, 1, 1, 3), w.reshape(1, 1, 1, 2))
    assert layer.ravel().tolist() == correlation


@pytest.mark.claim("M3.4")
def test_fields_of_the_zoo_and_of_three_ways_to_stride_in_resnet50():
    def field(name):
        return [row.field for row in summarize(zoo.NAMES[name]).rows if row.field][-1][0]

    fields = [field(name) for name in ("alexnet", "vgg16", "resnet18", "resnet50")]
    assert fields == [195, 212, 435, 427]

    def resnet50(strided):
        layers = [(7, 2), (3, 2)]
        for stage, units in enumerate((3, 4, 6, 3)):
            for unit in range(units):
                layers += [(1,), (3, 2 if strided(stage, unit, units) else 1), (1,)]
        return shapes.receptive_field(layers).size

    assert resnet50(lambda stage, unit, units: stage < 3 and unit == units - 1) == 483
    assert resnet50(lambda stage, unit, units: stage > 0 and unit == 0) == 427
    assert 2 * (8 - 4) + 2 * (16 - 8) + 2 * (32 - 16) == 483 - 427


def test_three_windows_of_3_see_as_far_as_one_of_7_with_fewer_weights():
    assert shapes.receptive_field([(3,)] * 3).size == shapes.receptive_field([(7,)]).size == 7
    three = 3 * shapes.conv_params(64, 64, 3, bias=False)
    assert three < shapes.conv_params(64, 64, 7, bias=False)


def test_most_conv_weights_lie_deep_in_the_network():
    for name in ("alexnet", "vgg16", "resnet18", "resnet50", "googlenet"):
        rows = summarize(zoo.NAMES[name]).rows
        params = [row.params for row in rows if row.text.startswith("CONV")]
        assert sum(params[len(params) // 2 :]) > 0.7 * sum(params), name
    params = [row.params for row in summarize(zoo.vgg16).rows if row.text.startswith("CONV")]
    assert len(params) == 13
    assert round(sum(params[-6:]) / sum(params), 2) == 0.88


def test_exercise_1_weights_that_cancel_are_silent_on_one_colour():
    for kernel in (UPRIGHT, UPRIGHT.swapaxes(2, 3), CORNER):
        assert not conv2d(np.full((1, 1, 6, 6), 7.0), kernel).any()
    colour = np.array([7.0, 1, 4])[None, :, None, None] * np.ones((6, 6))
    assert not conv2d(colour, np.concatenate([UPRIGHT] * 3, axis=1)).any()
    in_sum_only = np.ones((1, 3, 3, 3)) * np.array([2.0, -1, -1])[None, :, None, None]
    assert in_sum_only.sum() == 0
    assert conv2d(colour, in_sum_only).any(), "the weights of each slice must cancel"


def test_exercise_2_swapped_slices_undo_swapped_colours():
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((1, 3, 8, 8)), rng.standard_normal((4, 3, 3, 3))
    swapped = conv2d(x[:, ::-1], weight[:, ::-1])
    np.testing.assert_allclose(swapped, conv2d(x, weight))
    assert not np.allclose(conv2d(x[:, ::-1], weight), conv2d(x, weight))


def test_exercise_3_two_small_windows_save_28_percent_at_any_depth():
    for depth in (1, 64):
        two = 2 * shapes.conv_params(depth, depth, 3, bias=False)
        one = shapes.conv_params(depth, depth, 5, bias=False)
        assert 1 - two / one == pytest.approx(0.28)
    assert shapes.receptive_field([(3,), (3,)]).size == 5


def test_exercise_4_a_conv_shifts_with_its_image_and_an_fc_does_not():
    rng = np.random.default_rng(0)
    scene, weight = rng.standard_normal((1, 1, 8, 9)), rng.standard_normal((1, 1, 3, 3))
    image, shifted = scene[..., 1:], scene[..., :-1]
    there, here = conv2d(shifted, weight), conv2d(image, weight)
    np.testing.assert_allclose(there[..., 1:], here[..., :-1])
    dense = rng.standard_normal((36, 64))
    there, here = (linear(flatten(x), dense).reshape(6, 6) for x in (shifted, image))
    assert not np.isclose(there[:, 1:], here[:, :-1]).any()


@pytest.mark.parametrize(
    ("size", "bright", "ground", "found"),
    [(4, 1, 0, 4), (4, 0.5, 0, 0), (4, 0, 1, 0), (5, 1, 0, 1), (6, 1, 0, 0)],
)
def test_exercise_5_which_squares_the_detector_finds(size, bright, ground, found):
    image = np.full((1, 1, 16, 16), float(ground))
    image[..., 5 : 5 + size, 5 : 5 + size] = bright
    sums = conv2d(conv2d(image, CORNER), FOUR_CORNERS)
    assert np.count_nonzero(relu(sums - 3)) == found
    if bright == 0.5:
        assert sums.max() == 2
    if bright == 0:
        assert sums.min() == -4
    if size == 6:
        assert sums.max() == 1
