"""What the four tasks share: the sections that their messages link to, kernels, one correlation."""

import numpy as np

from cnnlib.checks.book import Section
from cnnlib.checks.inputs import Random, images
from cnnlib.reference import conv

_PAGE = "book/ch03_convolution/convolution"
FILTER = Section(3, _PAGE, "ch03-filter", "One filter, one window, one number")
MAP = Section(3, _PAGE, "ch03-map", "Slide it: one filter, one map")
ANSWERS = Section(3, _PAGE, "ch03-answers", "What a filter answers to")
NAME = Section(3, _PAGE, "ch03-correlation", "The name is not quite right")
PARAMETERS = Section(3, _PAGE, "ch03-parameters", "Counting what is learned")
_NEXT = "book/ch04_output_size/output_size"
STRIDE = Section(4, _NEXT, "ch04-stride", "Stride: how far the window jumps")
PADDING = Section(4, _NEXT, "ch04-padding", "Padding: keeping the size")
FORMULA = Section(4, _NEXT, "ch04-formula", "The formula, derived")


def alike(rng: Random, *shape: int, dtype: str = "float64") -> np.ndarray:
    """Kernels that look the same mirrored or turned and, if square, transposed; no value near zero."""
    k = np.abs(images(rng, shape))
    k = k + k[..., ::-1]
    k = k + k[..., ::-1, :]
    if shape[-1] == shape[-2]:
        k = k + k.swapaxes(-1, -2)
    return k.astype(dtype)


def correlate(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Correlation at all places where the kernel fits, in float64."""
    x, weight = image.astype(np.float64), kernel.astype(np.float64)
    return conv.conv2d(x[None, None], weight[None, None])[0, 0]


def typed(function):
    """Misconceptions keep the input's type, so that they lose nothing but their own parts."""

    def with_the_type_of_the_first(first, *others, **settings):
        out = function(first, *others, **settings)
        if isinstance(out, tuple):
            return tuple(a.astype(first.dtype) for a in out)
        return out.astype(first.dtype)

    return with_the_type_of_the_first
