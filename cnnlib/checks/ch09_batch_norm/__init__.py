"""Chapter 9, batch normalization: tasks, inputs and misconceptions of the exercise ``ch09_batch_norm``.

A part isolates one idea, so that one mistake costs one part. Some inputs are made for that: maps whose
mean is the same along every axis, gradients that move the mean of a channel but not its spread,
and an ε that is too small to matter where it is not the subject.
"""

from cnnlib.checks.ch09_batch_norm.backward import BACKWARD
from cnnlib.checks.ch09_batch_norm.fold import FOLD
from cnnlib.checks.ch09_batch_norm.forward import FORWARD
from cnnlib.checks.ch09_batch_norm.layer import LAYER
from cnnlib.checks.engine import Exercise

__all__ = ["BACKWARD", "EXERCISE", "FOLD", "FORWARD", "LAYER", "check", "mark"]

EXERCISE = Exercise(
    "ch09_batch_norm", {task.letter: task for task in (FORWARD, LAYER, BACKWARD, FOLD)}
)
check = EXERCISE.check
mark = EXERCISE.mark
