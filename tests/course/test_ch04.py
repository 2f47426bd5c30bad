"""What chapter 4 prints and says, computed again."""

import numpy as np
import pytest
import torch

from cnnlib import shapes
from cnnlib.reference.conv import conv2d, conv2d_naive

IMAGE = np.array(
    [[95, 242, 186, 152, 39],
     [39, 14, 220, 153, 180],
     [5, 247, 212, 54, 46],
     [46, 77, 133, 110, 74],
     [156, 35, 74, 93, 116]], dtype=np.float64)[None, None]  # fmt: skip
LAPLACIAN = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], dtype=np.float64)[None, None]


def reads(size, kernel, stride=1, padding=0):
    """Pixels of a row that a floored layer reads: poke each and see whether an output moves."""
    weight = torch.ones(1, 1, kernel)

    def answers(row):
        return torch.nn.functional.conv1d(row, weight, stride=stride, padding=padding)

    still = answers(torch.zeros(1, 1, size))
    poked = torch.eye(size)[:, None]
    return [not torch.equal(answers(row[None]), still) for row in poked]


@pytest.mark.claim("M4.1")
def test_all_filters_of_a_depth_column_read_the_same_patch():
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((1, 2, 7, 7)), rng.standard_normal((4, 2, 3, 3))
    poked = x.copy()
    poked[0, 0, 3, 3] += 1
    moved = conv2d(x, weight)[0] != conv2d(poked, weight)[0]
    assert moved.shape == (4, 5, 5)
    assert (moved == moved[0]).all(), "where one filter reads the pixel, all do"
    assert moved[0].sum() == 9


@pytest.mark.claim("M4.3")
@pytest.mark.parametrize("layer", [conv2d, conv2d_naive])
def test_the_worked_example_at_stride_1_stride_2_and_with_padding(layer):
    plain = [[692, -315, -6], [-680, -194, 305], [153, -59, -86]]
    out = layer(IMAGE, LAPLACIAN)[0, 0]
    assert 242 + 39 + 220 + 247 - 4 * 14 == 692
    assert out.tolist() == plain
    assert layer(IMAGE, LAPLACIAN, stride=2)[0, 0].tolist() == [[692, -6], [153, -86]]
    padded = layer(IMAGE, LAPLACIAN, padding=1)[0, 0]
    assert padded.shape == (5, 5)
    assert padded[1:-1, 1:-1].tolist() == plain
    assert padded[0, 0] == 242 + 39 - 4 * 95 == -99


@pytest.mark.claim("M4.2")
def test_a_stride_skips_and_the_windows_overlap_less():
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((1, 1, 9, 9)), rng.standard_normal((2, 1, 3, 3))
    np.testing.assert_allclose(conv2d(x, weight, stride=2), conv2d(x, weight)[..., ::2, ::2])
    for stride, shared in ((1, 2), (2, 1)):
        assert len(set(range(3)) & set(range(stride, stride + 3))) == shared


@pytest.mark.claim("M4.4")
def test_an_unpadded_stack_starves_at_its_sixteenth_layer():
    sizes = [32]
    while sizes[-1] >= 3:
        sizes.append(shapes.output_size(sizes[-1], 3))
    assert sizes[10] == 12
    assert len(sizes) - 1 == 15
    assert sizes[-1] == 2
    with pytest.raises(shapes.ShapeError):
        shapes.output_size(2, 3)


@pytest.mark.claim("M4.4")
@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
def test_same_padding_and_where_pytorch_puts_the_zero_of_an_even_kernel():
    for kernel in (1, 2, 3, 4, 5, 7):
        before, after = shapes.same_padding(kernel)
        assert before + after == kernel - 1
        assert after - before == (kernel + 1) % 2, "the extra zero goes behind the image"
        assert shapes.output_size(10, kernel, padding=(before, after)) == 10
        first = torch.zeros(1, 1, kernel)
        first[..., 0] = 1
        row = torch.arange(1.0, 11).reshape(1, 1, 10)
        out = torch.nn.functional.conv1d(row, first, padding="same")
        assert (out[0, 0] == 0).sum() == before
        out = torch.nn.functional.conv1d(row, first.flip(2), padding="same")
        assert (out[0, 0] == 0).sum() == after


def test_zero_padding_draws_an_outline_around_a_single_grey():
    out = conv2d(np.full((1, 1, 5, 5), 100.0), LAPLACIAN, padding=1)[0, 0]
    assert not out[1:-1, 1:-1].any()
    assert out[0].tolist() == out[-1].tolist() == [-200, -100, -100, -100, -200]
    assert (out[1:-1, [0, -1]] == -100).all()


@pytest.mark.claim("M4.5")
def test_one_padding_too_few_also_makes_the_size_too_small():
    right = shapes.output_size(5, 3, padding=1)
    assert right - (5 - 3 + 1) == 2, "the + 1 is there, the padding is not"
    assert right - ((5 - 3 + 1) / 1 + 1) == 1, "P in place of 2P looks like a forgotten + 1"


@pytest.mark.claim("M4.6", "M4.7")
def test_8_pixels_under_three_conventions_and_the_one_that_nobody_reads():
    assert (8 - 3) / 2 + 1 == 3.5
    with pytest.raises(ValueError, match="not a whole number"):
        shapes.output_size(8, 3, stride=2)
    assert shapes.output_size(8, 3, stride=2, rounding="floor") == 3
    assert shapes.output_size(8, 3, stride=2, rounding="ceil") == 4
    assert reads(8, 3, stride=2) == [True] * 7 + [False]
    pooled = torch.nn.functional.max_pool1d(torch.zeros(1, 1, 8), 3, 2, ceil_mode=True)
    assert pooled.shape[-1] == 4


@pytest.mark.claim("M4.7")
@pytest.mark.parametrize(
    ("setting", "lost"),
    [((8, 3, 2, 0), 1), ((32, 2, 2, 0), 0), ((32, 3, 2, 0), 1), ((32, 3, 1, 1), 0),
     ((224, 11, 4, 0), 1), ((227, 11, 4, 0), 0), ((224, 11, 4, 2), 0), ((224, 7, 2, 3), 0),
     ((9, 3, 4, 1), 0), ((9, 4, 4, 1), 2)],
)  # fmt: skip
def test_pixels_lost_at_the_far_edge_as_pytorch_has_it(setting, lost):
    seen = reads(*setting)
    assert shapes.unseen(*setting) == seen[::-1].index(True) == lost


def test_the_gaps_of_a_stride_larger_than_the_kernel():
    assert [i for i, seen in enumerate(reads(9, 3, 4, 1)) if not seen] == [2, 6]


@pytest.mark.claim("M4.8")
def test_four_readings_of_alexnets_first_layer():
    assert (224 - 11) / 4 + 1 == 54.25
    assert shapes.output_size(224, 11, stride=4, rounding="floor") == 54
    assert shapes.output_size(227, 11, stride=4) == 55
    assert (224 - 11 + 2 * 2) / 4 + 1 == 55.25
    assert shapes.output_size(224, 11, stride=4, padding=2, rounding="floor") == 55
    assert shapes.output_size(224, 11, stride=4, rounding="ceil") == 55
    assert (55 - 1) * 4 + 11 - 1 == 226 == 223 + 3, "three positions beyond the last pixel"
    assert shapes.output_size(224, 11, stride=4, padding=(0, 3)) == 55


@pytest.mark.claim("M4.7")
def test_resnets_remainder_is_the_last_zero():
    assert (224 - 7 + 2 * 3) / 2 + 1 == 112.5
    count = shapes.output_size(224, 7, stride=2, padding=3, rounding="floor")
    assert count == 112
    assert (count - 1) * 2 - 3 + 6 == 225, "the last window ends on the second zero"
    assert all(reads(224, 7, stride=2, padding=3))


@pytest.mark.claim("M4.10")
def test_the_layer_has_the_shape_and_the_parameters_of_the_card():
    filters = torch.nn.Conv2d(3, 96, 11, stride=4)
    assert filters(torch.zeros(1, 3, 227, 227)).shape == (1, 96, 55, 55)
    assert sum(p.numel() for p in filters.parameters()) == shapes.conv_params(3, 96, 11)
    assert shapes.conv_params(3, 96, 11) == (11 * 11 * 3 + 1) * 96


def test_exercise_1_two_inputs_of_one_output_size():
    layer = torch.nn.Conv2d(1, 1, 3, stride=2, padding=1)
    for size, exact in ((31, 16), (32, 16.5)):
        assert (size - 3 + 2) / 2 + 1 == exact
        assert layer(torch.zeros(1, 1, size, size)).shape[-1] == 16


def test_exercise_2_a_kernel_of_1_at_stride_2_reads_a_quarter_and_one_of_3_the_rest():
    assert np.outer(reads(56, 1, 2), reads(56, 1, 2)).mean() == 0.25
    assert all(reads(56, 3, 2, 1))
    sizes = {
        shapes.output_size(56, k, stride=2, padding=p, rounding="floor")
        for k, p in ((1, 0), (3, 1))
    }
    assert sizes == {28}


def test_exercise_3_kernel_4_stride_2_padding_1_halves_every_even_size():
    for size in range(2, 100, 2):
        assert shapes.output_size(size, 4, stride=2, padding=1) == size // 2
        assert all(reads(size, 4, 2, 1))
    others = [p for p in range(4) if p != 1 and (32 - 4 + 2 * p) / 2 + 1 == 16]
    assert others == [], "no other padding does"


def test_exercise_4_a_remainder_is_less_than_the_stride_and_eats_the_zeros_first():
    for size in range(8, 20):
        for kernel in (1, 3, 4):
            for stride in range(1, 6):
                for padding in range(kernel):
                    left_over = (size - kernel + 2 * padding) % stride
                    lost = shapes.unseen(size, kernel, stride, padding)
                    assert left_over <= stride - 1
                    assert lost == max(0, left_over - padding)
                    seen = reads(size, kernel, stride, padding)
                    assert lost == seen[::-1].index(True) or kernel < stride
    assert (9 - 4 + 2 * 1) % 4 == 3
    assert shapes.unseen(9, 4, 4, 1) == 2
