"""Chapter 4, output size: tasks, inputs and misconceptions of the exercise ``ch04_output_size``.

A part isolates one idea, so that one mistake costs one part: the kernels of most parts of task (c)
look the same when they are rotated by half a turn, for instance, so that a flipped kernel is paid for
once, in "values at stride 1", and in "everything together".
"""

from cnnlib.checks.ch04_output_size.convolution import CONV2D
from cnnlib.checks.ch04_output_size.padding import ZERO_PAD
from cnnlib.checks.ch04_output_size.size import OUTPUT_SIZE
from cnnlib.checks.engine import Exercise

__all__ = ["CONV2D", "EXERCISE", "OUTPUT_SIZE", "ZERO_PAD", "check", "mark"]

EXERCISE = Exercise(
    "ch04_output_size", {task.letter: task for task in (OUTPUT_SIZE, ZERO_PAD, CONV2D)}
)
check = EXERCISE.check
mark = EXERCISE.mark
