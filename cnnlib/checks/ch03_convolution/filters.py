"""Task (c): kernels that blur and kernels that find edges, applied to a grey image."""

from collections.abc import Callable

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch03_convolution.common import ANSWERS, NAME, correlate
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost
from cnnlib.checks.judges import judge_array

_STEP = np.array([[0.0, 0, 1, 1, 1], [0, 0, 1, 1, 1], [0, 0, 1, 1, 1]])
_BOX, _GAUSSIAN, _ACROSS, _DOWN, _STRENGTH = range(5)


def _case(image: np.ndarray, size: int = 3, sigma: float = 1.0, note: str = "") -> Case:
    return Case({"image": image, "size": size, "sigma": sigma}, note=note)


def _box_cases(rng: Random) -> list[Case]:
    return [
        _case(np.full((4, 5), 6.0), note="a flat image"),
        _case(images(rng, (5, 5))),
        _case(images(rng, (6, 7), "float32"), 5),
    ]


def _gaussian_cases(rng: Random) -> list[Case]:
    return [
        _case(np.full((5, 4), 6.0), note="a flat image"),
        _case(images(rng, (5, 6)), 3, 0.75),
        _case(images(rng, (7, 7), "float32"), 5, 1.5),
        _case(images(rng, (9, 8)), 7, 2.0),
    ]


def _edge_cases(rng: Random) -> list[Case]:
    return [
        _case(_STEP, note="a step from 0 to 1"),
        _case(_STEP.T.copy(), note="a step from 0 to 1, downwards"),
        _case(images(rng, (4, 6))),
        _case(images(rng, (5, 4), "float32")),
    ]


def _gauss(
    size: int, exponent: Callable[[np.ndarray], np.ndarray], scale: float | None = None
) -> np.ndarray:
    """A kernel from an exponent of the squared distance; its sum is one if no scale is given."""
    steps = np.arange(size) - (size - 1) / 2
    kernel = np.exp(-exponent(steps[:, None] ** 2 + steps**2))
    return kernel / (kernel.sum() if scale is None else scale)


_SOBEL = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
_PREWITT = np.array([[-1.0, 0, 1], [-1, 0, 1], [-1, 0, 1]])


def _filters(
    box=lambda size: np.full((size, size), 1 / size**2),
    gaussian=lambda size, sigma: _gauss(size, lambda square: square / (2 * sigma**2)),
    across=_SOBEL,
    down=_SOBEL.T,
    strength=np.hypot,
):
    """The task's function, with one of its pieces replaced."""

    def photo_filters(image, size, sigma):
        one, two = correlate(image, across), correlate(image, down)
        blurred = correlate(image, box(size)), correlate(image, gaussian(size, sigma))
        return tuple(a.astype(image.dtype) for a in (*blurred, one, two, strength(one, two)))

    return photo_filters


photo_filters = _filters()


_C = {
    "box": "box blur",
    "gaussian": "Gaussian blur",
    "across": "change from left to right",
    "down": "change from top to bottom",
    "strength": "strength of the edge",
}

PHOTO_FILTERS = Task(
    "c",
    "blur and edges",
    "photo_filters",
    photo_filters,
    parts=(
        Part(_C["box"], 1, _box_cases, judge_array, pick=_BOX, hint=1),
        Part(_C["gaussian"], 3, _gaussian_cases, judge_array, pick=_GAUSSIAN, hint=2),
        Part(_C["across"], 1, _edge_cases, judge_array, pick=_ACROSS, hint=3),
        Part(_C["down"], 1, _edge_cases, judge_array, pick=_DOWN, hint=3),
        Part(_C["strength"], 2, _edge_cases, judge_array, pick=_STRENGTH, hint=3),
    ),
    misconceptions=(
        Misconception(
            "the box adds up and does not average",
            _filters(box=lambda size: np.ones((size, size))),
            "A blur keeps the brightness, so the weights of its kernel add up to 1. Ones add up to the number "
            "of weights.",
            ANSWERS,
            lost(_C, "box"),
        ),
        Misconception(
            "the box is divided by its side",
            _filters(box=lambda size: np.full((size, size), 1 / size)),
            "A box of 3 × 3 has 9 weights, so each of them is 1/9, not 1/3.",
            ANSWERS,
            lost(_C, "box"),
        ),
        Misconception(
            "the Gaussian weights do not add up to 1",
            _filters(gaussian=lambda size, sigma: _gauss(size, lambda s: s / (2 * sigma**2), 1.0)),
            "The values of exp(…) begin with 1 in the middle. Divide the kernel by its own sum: then a flat "
            "image stays as it is.",
            ANSWERS,
            lost(_C, "gaussian"),
        ),
        Misconception(
            "the Gaussian is scaled for the whole plane",
            _filters(
                gaussian=lambda size, sigma: _gauss(
                    size, lambda s: s / (2 * sigma**2), 2 * np.pi * sigma**2
                )
            ),
            "The factor 1/(2πσ²) makes the curve add up to 1 over an endless plane. The kernel is a sampled "
            "piece of it, so divide by the sum of that piece.",
            ANSWERS,
            lost(_C, "gaussian"),
        ),
        Misconception(
            "the distance is not squared",
            _filters(
                gaussian=lambda size, sigma: _gauss(size, lambda s: np.sqrt(s) / (2 * sigma**2))
            ),
            "The exponent has the square of the distance: a² + b² for a weight a rows and b columns away from "
            "the middle, without a root.",
            ANSWERS,
            lost(_C, "gaussian"),
        ),
        Misconception(
            "the 2 before σ² is missing",
            _filters(gaussian=lambda size, sigma: _gauss(size, lambda s: s / sigma**2)),
            "The exponent is −(a² + b²) / (2σ²). Without the 2 the bell is narrower than σ says.",
            ANSWERS,
            lost(_C, "gaussian"),
        ),
        Misconception(
            "σ is not squared",
            _filters(gaussian=lambda size, sigma: _gauss(size, lambda s: s / (2 * sigma))),
            "The exponent is −(a² + b²) / (2σ²), with the square of σ. At σ = 1 nobody sees the difference.",
            ANSWERS,
            lost(_C, "gaussian"),
        ),
        Misconception(
            "σ² multiplies in place of dividing",
            _filters(gaussian=lambda size, sigma: _gauss(size, lambda s: s / 2 * sigma**2)),
            "Python works off `/` and `*` from left to right, so `… / 2 * sigma**2` divides by 2 and then multiplies by "
            "σ². Put 2σ² in brackets. At σ = 1 nobody sees the difference.",
            ANSWERS,
            lost(_C, "gaussian"),
        ),
        Misconception(
            "the two directions are exchanged",
            _filters(across=_SOBEL.T, down=_SOBEL),
            "A change from left to right is found by weights that differ from left to right: a column of "
            "negative weights and, on the right, a column of positive ones. It answers to upright edges.",
            ANSWERS,
            lost(_C, "across", "down"),
        ),
        Misconception(
            "one edge kernel for both directions",
            _filters(down=_SOBEL),
            "From top to bottom the weights must differ from row to row: the kernel is turned on its side, which is "
            "its transpose.",
            ANSWERS,
            lost(_C, "down", "strength"),
        ),
        Misconception(
            "the edge kernels have the opposite sign",
            _filters(across=-_SOBEL, down=-_SOBEL.T),
            "A correlation lays the kernel on as it is. So the positive weights go to the right and to the bottom, "
            "and the answer is positive where the image gets brighter in that direction. Kernels printed for a true "
            "convolution have them on the other side.",
            NAME,
            lost(_C, "across", "down"),
        ),
        Misconception(
            "three equal weights in place of 1, 2, 1",
            _filters(across=_PREWITT, down=_PREWITT.T),
            "That is the kernel of Prewitt, `upright` of the chapter. Sobel counts the row or the column "
            "through the middle twice.",
            ANSWERS,
            lost(_C, "across", "down", "strength"),
        ),
        Misconception(
            "the strength is a sum of absolute values",
            _filters(strength=lambda one, two: np.abs(one) + np.abs(two)),
            "The two answers are the sides of a right triangle, and the strength is its longest side: the root "
            "of the sum of the squares.",
            ANSWERS,
            lost(_C, "strength"),
        ),
        Misconception(
            "the strength keeps its sign",
            _filters(strength=lambda one, two: one + two),
            "A sum of the two answers can cancel although there is an edge. Square both first: the strength "
            "does not depend on which side is brighter.",
            ANSWERS,
            lost(_C, "strength"),
        ),
        Misconception(
            "the root is missing",
            _filters(strength=lambda one, two: one**2 + two**2),
            "The root of the sum of the squares brings the strength back to the scale of the two answers.",
            ANSWERS,
            lost(_C, "strength"),
        ),
    ),
)
