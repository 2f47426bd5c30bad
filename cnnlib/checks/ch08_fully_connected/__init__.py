"""Chapter 8, fully connected layers: tasks, inputs and misconceptions of ``ch08_fully_connected``."""

from cnnlib.checks.ch08_fully_connected.as_conv import FC_AS_CONV
from cnnlib.checks.ch08_fully_connected.backward import BACKWARD
from cnnlib.checks.ch08_fully_connected.forward import FORWARD
from cnnlib.checks.ch08_fully_connected.order import FROM_CHANNELS_LAST
from cnnlib.checks.engine import Exercise

__all__ = ["BACKWARD", "EXERCISE", "FC_AS_CONV", "FORWARD", "FROM_CHANNELS_LAST", "check", "mark"]

EXERCISE = Exercise(
    "ch08_fully_connected",
    {task.letter: task for task in (FORWARD, BACKWARD, FROM_CHANNELS_LAST, FC_AS_CONV)},
    allows=("numpy", "cnnlib.reference.conv"),  # task (d) builds on it; the FC layer stays away
)
check = EXERCISE.check
mark = EXERCISE.mark
