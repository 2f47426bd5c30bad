"""Chapter 7, POOL or strided CONV: tasks, inputs and misconceptions of ``ch07_pool_or_conv``."""

from cnnlib.checks.ch07_pool_or_conv.average import AVERAGING
from cnnlib.checks.ch07_pool_or_conv.global_average import BACKWARD, FORWARD
from cnnlib.checks.ch07_pool_or_conv.rewrite import WITHOUT_POOL
from cnnlib.checks.engine import Exercise

__all__ = ["AVERAGING", "BACKWARD", "EXERCISE", "FORWARD", "WITHOUT_POOL", "check", "mark"]

EXERCISE = Exercise(
    "ch07_pool_or_conv",
    {task.letter: task for task in (WITHOUT_POOL, AVERAGING, FORWARD, BACKWARD)},
)
check = EXERCISE.check
mark = EXERCISE.mark
