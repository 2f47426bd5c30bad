"""Chapter 3, convolution: tasks, inputs and misconceptions of the exercise ``ch03_convolution``.

A part isolates one idea, so that one mistake costs one part. Most kernels look the same when they are
mirrored, transposed or turned (:func:`cnnlib.checks.ch03_convolution.common.alike`), so that a kernel
laid on the wrong way is paid for once, in the part that is about it.
"""

from cnnlib.checks.ch03_convolution.convolve import CONVOLVE2D
from cnnlib.checks.ch03_convolution.correlate import CORRELATE2D
from cnnlib.checks.ch03_convolution.filters import PHOTO_FILTERS
from cnnlib.checks.ch03_convolution.windows import CONV2D_FORWARD
from cnnlib.checks.engine import Exercise

__all__ = [
    "CONV2D_FORWARD",
    "CONVOLVE2D",
    "CORRELATE2D",
    "EXERCISE",
    "PHOTO_FILTERS",
    "check",
    "mark",
]

EXERCISE = Exercise(
    "ch03_convolution",
    {task.letter: task for task in (CORRELATE2D, CONVOLVE2D, PHOTO_FILTERS, CONV2D_FORWARD)},
)
check = EXERCISE.check
mark = EXERCISE.mark
