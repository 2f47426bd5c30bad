"""Exercise ch03_convolution beyond what every exercise has to prove."""

from pathlib import Path

import numpy as np
import pytest

from cnnlib.checks.ch03_convolution import EXERCISE
from cnnlib.checks.ch03_convolution.convolve import convolve2d
from cnnlib.checks.ch03_convolution.filters import photo_filters
from cnnlib.checks.engine import examine
from cnnlib.data import photograph
from cnnlib.grading.notebooks import source_notebook

ROOT = Path(__file__).parents[2]
# the points table of the exercise, written down here a second time on purpose
POINTS = {"a": 8, "b": 9, "c": 8, "d": 12}


def _report(letter, function):
    return examine(EXERCISE, EXERCISE.tasks[letter], function, seeds=["visible", "a secret"])


def _misconception(letter, name):
    (one,) = [m for m in EXERCISE.tasks[letter].misconceptions if m.name == name]
    return one.function


def _cell(name):
    notebook = source_notebook(ROOT / "solutions" / "ch03_convolution" / "filters.py")
    (cell,) = [c for c in notebook.cells if c.id == name]
    return cell.source


def _given():
    """The correlation that the notebook hands out."""
    space = {"np": np}
    exec(_cell("shared_given"), space)
    return space["correlate"]


def test_the_points_are_those_of_the_table():
    assert {letter: task.points for letter, task in EXERCISE.tasks.items()} == POINTS


# --- other ways to be right -----------------------------------------------------------------------


def _by_scalars(image, kernel):
    rows = [[0.0] * (image.shape[1] - kernel.shape[1] + 1) for _ in image[kernel.shape[0] - 1 :]]
    for i, row in enumerate(rows):
        for j, _ in enumerate(row):
            for (a, b), weight in np.ndenumerate(kernel):
                row[j] += float(image[i + a, j + b]) * float(weight)
    return np.array(rows, dtype=image.dtype)


def _by_view(image, kernel):
    view = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.tensordot(view, kernel, 2)


def _by_dots(image, kernel, *, mode="full"):
    """Each pixel leaves a copy of the kernel: nothing is flipped by hand."""
    (height, width), (rows, columns) = image.shape, kernel.shape
    full = np.zeros((height + rows - 1, width + columns - 1), image.dtype)
    for (i, j), value in np.ndenumerate(image):
        full[i : i + rows, j : j + columns] += value * kernel
    top, left = ((f - 1) // 2 for f in kernel.shape)
    if mode == "valid":
        return full[rows - 1 : height, columns - 1 : width]
    return full if mode == "full" else full[top : top + height, left : left + width]


def _by_fourier(image, kernel, *, mode="full"):
    size = [n + f - 1 for n, f in zip(image.shape, kernel.shape, strict=True)]
    full = np.fft.irfft2(np.fft.rfft2(image, size) * np.fft.rfft2(kernel, size), size)
    begin = {"full": lambda f: 0, "same": lambda f: (f - 1) // 2, "valid": lambda f: f - 1}[mode]
    length = {
        "full": lambda n, f: n + f - 1,
        "same": lambda n, f: n,
        "valid": lambda n, f: n - f + 1,
    }
    cut = tuple(
        slice(begin(f), begin(f) + length[mode](n, f))
        for n, f in zip(image.shape, kernel.shape, strict=True)
    )
    return full[cut].astype(image.dtype)


def _separable(image, size, sigma):
    """Blurs as a column times a row; Sobel as a blur one way and a difference the other."""
    correlate = _given()
    bell = np.exp(-((np.arange(size) - (size - 1) / 2) ** 2) / sigma**2 / 2)
    bell = bell / bell.sum()
    box = np.full(size, 1 / size)
    rows, change = np.array([1.0, 2, 1]), np.array([-1.0, 0, 1])
    pairs = (box, box), (bell, bell), (rows, change), (change, rows)
    maps = [correlate(correlate(image, down[:, None]), across[None]) for down, across in pairs]
    return (*maps, np.hypot(maps[2], maps[3]))


def _im2col(x, weight, bias=None, *, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    rows, columns = weight.shape[2:]
    height, width = (
        (n - f) // stride + 1 for n, f in zip(x.shape[2:], weight.shape[2:], strict=True)
    )
    windows = np.zeros((*x.shape[:2], height, width, rows, columns), x.dtype)
    for a, b in np.ndindex(rows, columns):
        windows[..., a, b] = x[:, :, a:, b:][:, :, ::stride, ::stride][:, :, :height, :width]
    matrix = windows.transpose(0, 2, 3, 1, 4, 5).reshape(len(x) * height * width, -1)
    out = matrix @ weight.reshape(len(weight), -1).T
    if bias is not None:
        out += bias
    return out.reshape(len(x), height, width, -1).transpose(0, 3, 1, 2), windows


def _layer_by_loops(x, weight, bias=None, *, stride=1, padding=0):
    shape = _im2col(x, weight, None, stride=stride, padding=padding)[1].shape
    frame = np.zeros((*x.shape[:2], *(n + 2 * padding for n in x.shape[2:])), x.dtype)
    frame[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]] = x
    windows, out = np.zeros(shape, x.dtype), np.zeros((shape[0], len(weight), *shape[2:4]), x.dtype)
    for n, k, i, j in np.ndindex(out.shape):
        top, left = i * stride, j * stride
        block = frame[n, :, top : top + shape[4], left : left + shape[5]]
        windows[n, :, i, j] = block
        out[n, k, i, j] = (block * weight[k]).sum() + (0 if bias is None else bias[k])
    return out, windows


@pytest.mark.parametrize(
    ("letter", "function"),
    [
        ("a", _by_scalars),
        ("a", _by_view),
        ("b", _by_dots),
        ("b", _by_fourier),
        ("c", _separable),
        ("d", _im2col),
        ("d", _layer_by_loops),
    ],
)
def test_another_structure_is_as_good(letter, function):
    report = _report(letter, function)
    assert report.points == POINTS[letter], str(report)


# --- the conventions ------------------------------------------------------------------------------


def test_a_full_convolution_is_a_product_of_polynomials():
    rng = np.random.default_rng(1)
    row, w = rng.standard_normal(7), rng.standard_normal(4)
    np.testing.assert_allclose(convolve2d(row[None], w[None])[0], np.convolve(row, w))
    np.testing.assert_allclose(convolve2d(row[:, None], w[:, None])[:, 0], np.convolve(row, w))


def test_image_and_kernel_may_change_places():
    rng = np.random.default_rng(2)
    image, kernel = rng.standard_normal((4, 6)), rng.standard_normal((3, 2))
    np.testing.assert_allclose(convolve2d(image, kernel), convolve2d(kernel, image))


def test_the_three_modes_are_those_of_scipy():
    """Recorded from scipy.signal.convolve2d, so that SciPy is not needed here."""
    image = np.array([[1.0, 2, 0], [3, 1, 1], [0, 2, 2]])
    kernel = np.array([[1.0, 2], [3, 4]])
    by_scipy = {
        "full": [[1, 4, 4, 0], [6, 17, 11, 2], [9, 17, 13, 8], [0, 6, 14, 8]],
        "same": [[1, 4, 4], [6, 17, 11], [9, 17, 13]],
        "valid": [[17, 11], [17, 13]],
    }
    for mode, numbers in by_scipy.items():
        np.testing.assert_allclose(convolve2d(image, kernel, mode=mode), numbers)


def test_the_given_correlation_keeps_the_type_and_does_not_flip():
    correlate = _given()
    dot = np.zeros((3, 3), np.float32)
    dot[1, 1] = 1
    map_of_dot = correlate(dot, np.array([[1.0, 2], [3, 4]]))
    assert map_of_dot.dtype == np.float32
    np.testing.assert_array_equal(map_of_dot, [[4, 3], [2, 1]])


def test_the_given_correlation_says_what_a_row_of_weights_lacks():
    with pytest.raises(ValueError, match=r"rows and columns, but this one has shape \(3,\)"):
        _given()(np.ones((4, 4)), np.ones(3))


@pytest.mark.parametrize(
    ("cell", "letter"), [("c_pictures", "c"), ("d_timing", "d")], ids=["pictures", "times"]
)
def test_a_cell_to_look_at_waits_for_its_task(cell, letter, capsys):
    def blank(*args):
        raise NotImplementedError

    exec(_cell(cell), {"np": np, "photo_filters": blank, "conv2d_forward": blank})
    assert f"appear here when task ({letter}) is written" in capsys.readouterr().out


# --- what the notebook says about the photograph --------------------------------------------------


def test_the_lawns_edge_shows_from_top_to_bottom_and_the_middle_leg_from_left_to_right():
    *_, across, down, _ = (np.abs(a) for a in photo_filters(photograph(), 7, 1.5))
    edge = np.s_[60, 80:]
    assert down[edge].mean() > 10 * across[edge].mean()
    middle_leg = np.s_[88:108, 68:76]
    assert across[middle_leg].mean() > 5 * down[middle_leg].mean()


def test_the_lawn_is_a_fine_noise_of_edges_and_less_of_it_after_a_blur():
    _, gaussian, *_, strength = photo_filters(photograph(), 7, 1.5)
    lawn, sky = np.s_[80:120, 105:], np.s_[:25, 80:]
    assert strength[lawn].mean() > 5 * strength[sky].mean()
    again = photo_filters(gaussian, 7, 1.5)[-1]
    lawn_again = np.s_[77:117, 102:]
    assert again[lawn_again].mean() / again.max() < 0.7 * strength[lawn].mean() / strength.max()


def test_the_gaussian_blurs_less_than_the_box():
    photo = photograph()
    box, gaussian, *_ = photo_filters(photo, 7, 1.5)
    middle = photo[3:-3, 3:-3]
    assert np.abs(gaussian - middle).mean() < np.abs(box - middle).mean()


# --- points and messages --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letter", "name", "points"),
    [  # by hand, from the points of the parts
        ("a", "the kernel is flipped", 7),
        ("a", "the products are averaged", 2),
        ("a", "a frame of zeros is added", 1),
        ("b", "the kernel is not flipped", 6),
        ("b", "a slice that ends at minus zero", 6),
        ("c", "the 2 before σ² is missing", 5),
        ("c", "the two directions are exchanged", 6),
        ("c", "the root is missing", 6),
        ("c", "σ² multiplies in place of dividing", 5),
        ("d", "the stride skips pixels of the image", 10),
        ("d", "the filters are the last axis", 5),
        ("d", "the bias is spread along the width", 10),
    ],
)
def test_points_of_a_misconception(letter, name, points):
    assert _report(letter, _misconception(letter, name)).points == points


def test_two_mistakes_at_once_are_both_named():
    swapped = _misconception("c", "the two directions are exchanged")
    too_dark = _misconception("c", "the Gaussian is scaled for the whole plane")

    def both(image, size, sigma):
        box, _, across, down, strength = swapped(image, size, sigma)
        return box, too_dark(image, size, sigma)[1], across, down, strength

    report = _report("c", both)
    assert report.points == 8 - 3 - 1 - 1
    assert {idea.name for idea in report.ideas} == {
        "the two directions are exchanged",
        "the Gaussian is scaled for the whole plane",
    }


def test_a_result_without_its_windows_hears_what_is_missing():
    report = _report("d", lambda *a, **s: _im2col(*a, **s)[0])
    assert report.points == 0
    assert "in place of 2 results" in str(report)
