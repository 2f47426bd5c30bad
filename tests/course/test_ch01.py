"""The numbers and facts that chapter 1, From fully connected networks to local connectivity, states."""

import numpy as np
import pytest

from cnnlib import shapes
from cnnlib.diagram import build, summarize
from cnnlib.reference.conv import conv2d
from cnnlib.reference.linear import flatten, linear

CNN = "INPUT(3, 32, 32) => CONV(16) => RELU => POOL => CONV(32) => RELU => POOL"


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def as_matrix(kernel, size):
    """The matrix of a CONV along one axis: the kernel repeated along the diagonal."""
    outputs = shapes.output_size(size, kernel.size)
    matrix = np.zeros((outputs, size))
    for k in range(outputs):
        matrix[k, k : k + kernel.size] = kernel
    return matrix


@pytest.mark.claim("M1.2")
@pytest.mark.parametrize(("side", "inputs"), [(32, 3_072), (250, 187_500)])
def test_inputs_of_a_colour_image(side, inputs):
    image = np.zeros((1, 3, side, side), dtype=np.float32)
    assert flatten(image).shape == (1, inputs)


@pytest.mark.claim("M1.3")
def test_187500_are_the_weights_of_one_neuron():
    network = "INPUT(3, 250, 250) => FC({}, bias=false)"
    assert summarize(network.format(1)).totals.params == 187_500
    assert summarize(network.format(1000)).totals.params == 187_500_000
    assert shapes.linear_params(187_500, 1000) == 187_501_000


@pytest.mark.claim("M1.5")
def test_local_connectivity_and_weight_sharing_save_parameters():
    for side in (8, 32, 250):
        fully = shapes.linear_params(3 * side**2, side**2, bias=False)
        one_neuron = shapes.conv_params(3, 1, 3, bias=False)
        assert fully == 3 * side**4 > side**2 * one_neuron > one_neuron == 27


@pytest.mark.claim("M1.5")
def test_a_conv_neuron_reads_a_small_region_through_the_full_depth(rng):
    volume = rng.integers(-5, 6, (1, 4, 9, 9)).astype(np.float64)
    filters = rng.integers(1, 6, (2, 4, 3, 3)).astype(np.float64)
    before = conv2d(volume, filters)[0, :, 2, 5]
    for place in np.ndindex(volume.shape[1:]):
        changed = volume.copy()
        changed[(0, *place)] += 1
        inside = 2 <= place[1] < 5 and 5 <= place[2] < 8
        assert (conv2d(changed, filters)[0, :, 2, 5] != before).all() == inside


@pytest.mark.claim("M1.5")
def test_shared_weights_are_a_matrix_with_a_repeated_band_and_move_with_the_input(rng):
    kernel = rng.integers(-5, 6, 3).astype(np.float64)
    matrix = as_matrix(kernel, 9)
    row = np.array([0, 0, 2, 1, 3, 0, 0, 0, 0], dtype=np.float64)
    out = conv2d(row.reshape(1, 1, 1, -1), kernel.reshape(1, 1, 1, -1)).ravel()
    np.testing.assert_array_equal(matrix @ row, out)
    np.testing.assert_array_equal(matrix @ np.roll(row, 1), np.roll(out, 1))
    unshared = matrix * np.arange(1, 8)[:, None]
    assert not np.array_equal(unshared @ np.roll(row, 1), np.roll(unshared @ row, 1))


def test_fc_absorbs_a_fixed_shuffle_and_conv_does_not(rng):
    order = np.array([2, 5, 0, 4, 1, 3])
    images = rng.integers(-5, 6, (20, 6)).astype(np.float64)
    weight = rng.integers(-5, 6, (4, 6)).astype(np.float64)
    shuffled = images[:, order]
    np.testing.assert_array_equal(linear(shuffled, weight[:, order]), linear(images, weight))

    wanted = linear(images, as_matrix(np.array([1.0, 2, -1]), 6))
    for pixels, fits in ((images, True), (shuffled, False)):
        windows = np.lib.stride_tricks.sliding_window_view(pixels, 3, axis=1)
        kernel = np.linalg.lstsq(windows.reshape(-1, 3), wanted.ravel(), rcond=None)[0]
        assert np.allclose(windows @ kernel, wanted) == fits


def test_a_conv_absorbs_a_mirror_and_any_order_of_the_channels(rng):
    volume = rng.integers(-5, 6, (1, 3, 6, 7)).astype(np.float64)
    filters = rng.integers(-5, 6, (4, 3, 3, 3)).astype(np.float64)
    out = conv2d(volume, filters)
    np.testing.assert_array_equal(conv2d(volume[..., ::-1], filters[..., ::-1])[..., ::-1], out)
    np.testing.assert_array_equal(conv2d(volume[:, ::-1], filters[:, ::-1]), out)


@pytest.mark.claim("M1.6")
def test_ten_classes_are_a_volume_of_1_by_1_by_10():
    image = np.zeros((1, 3, 32, 32), dtype=np.float32)
    as_fc = build(f"{CNN} => FC(10)", backend="numpy", seed=0)
    assert as_fc(image).shape == (1, 10)
    assert summarize(f"{CNN} => FC(10)").rows[-1].shape == (10,)
    # The same layer as a CONV over the last 8 × 8 volume keeps the axes of length 1.
    as_conv = f"{CNN} => CONV(10, 8, padding=0)"
    assert build(as_conv, backend="numpy", seed=0)(image).shape == (1, 10, 1, 1)
    assert summarize(as_conv).totals.params == summarize(f"{CNN} => FC(10)").totals.params


def test_the_two_networks_of_the_experiment_have_one_budget():
    plain = summarize("INPUT(1, 28, 28) => FC(64) => RELU => FC(10)").totals
    cnn = summarize(
        "INPUT(1, 28, 28) => CONV(16) => RELU => POOL"
        "=> CONV(32) => RELU => POOL => FC(29) => RELU => FC(10)"
    ).totals
    assert abs(cnn.params / plain.params - 1) < 0.01
    assert cnn.macs > 20 * plain.macs
