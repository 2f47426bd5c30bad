"""The numbers and facts that chapter 6, Pooling, states."""

import numpy as np
import pytest

from cnnlib import shapes
from cnnlib.diagram import zoo
from cnnlib.reference.activation import relu
from cnnlib.reference.pool import avg_pool2d, max_pool2d


@pytest.mark.claim("M6.5", "M6.6")
def test_the_misplaced_bracket_is_wrong_at_stride_2_and_hides_at_stride_1():
    def printed(size, kernel, stride):
        return (size - kernel / stride) + 1

    assert printed(4, 2, 2) == 4 != shapes.output_size(4, 2, stride=2) == 2
    assert printed(4, 2, 1) == 3 == shapes.output_size(4, 2, stride=1)


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
    ramp = np.broadcast_to(np.arange(13.0), (1, 1, 12, 13))
    assert (max_pool2d(ramp[..., 1:], 2) != max_pool2d(ramp[..., :-1], 2)).all()
