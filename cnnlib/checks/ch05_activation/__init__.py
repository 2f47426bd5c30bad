"""Chapter 5, activation: tasks, inputs and misconceptions of the exercise ``ch05_activation``.

A part isolates one idea. The functions work number by number, so the inputs of a part are chosen such
that the other ideas cannot show: gradients of 1 where the slope is asked for, for instance.
"""

from cnnlib.checks.ch05_activation.dead import DEAD_UNITS
from cnnlib.checks.ch05_activation.elu import ELU
from cnnlib.checks.ch05_activation.elu_backward import ELU_BACKWARD
from cnnlib.checks.ch05_activation.leaky import LEAKY_RELU, LEAKY_RELU_BACKWARD
from cnnlib.checks.ch05_activation.relu import RELU, RELU_BACKWARD
from cnnlib.checks.engine import Exercise

__all__ = ["EXERCISE", "check", "mark"]

EXERCISE = Exercise(
    "ch05_activation",
    {
        task.letter: task
        for task in (
            RELU,
            RELU_BACKWARD,
            LEAKY_RELU,
            LEAKY_RELU_BACKWARD,
            ELU,
            ELU_BACKWARD,
            DEAD_UNITS,
        )
    },
)
check = EXERCISE.check
mark = EXERCISE.mark
