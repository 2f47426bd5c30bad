"""Chapter 6, pooling: tasks, inputs and misconceptions of the exercise ``ch06_pooling``.

A part isolates one idea. Parts that are not about the step of the window have planes with room for a
single window, so that a wrong stride cannot show there.
"""

from cnnlib.checks.ch06_pooling.average import AVG_POOL
from cnnlib.checks.ch06_pooling.gradient import MAX_POOL_BACKWARD
from cnnlib.checks.ch06_pooling.maximum import MAX_POOL
from cnnlib.checks.engine import Exercise

__all__ = ["EXERCISE", "check", "mark"]

EXERCISE = Exercise(
    "ch06_pooling", {task.letter: task for task in (MAX_POOL, AVG_POOL, MAX_POOL_BACKWARD)}
)
check = EXERCISE.check
mark = EXERCISE.mark
