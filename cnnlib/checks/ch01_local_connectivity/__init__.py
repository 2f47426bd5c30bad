"""Chapter 1, local connectivity: tasks, inputs and misconceptions of ``ch01_local_connectivity``.

A part isolates one idea. The cases for weights of task (a) are grey images, for instance, so that
forgotten channels are paid for once, in the part about the inputs.
"""

from cnnlib.checks.ch01_local_connectivity.matrices import LAYER_MATRIX, UNSHUFFLE
from cnnlib.checks.ch01_local_connectivity.network import COUNT_NETWORK
from cnnlib.checks.ch01_local_connectivity.wirings import COUNT_WIRINGS
from cnnlib.checks.engine import Exercise

__all__ = [
    "COUNT_NETWORK",
    "COUNT_WIRINGS",
    "EXERCISE",
    "LAYER_MATRIX",
    "UNSHUFFLE",
    "check",
    "mark",
]

EXERCISE = Exercise(
    "ch01_local_connectivity",
    {task.letter: task for task in (COUNT_NETWORK, COUNT_WIRINGS, LAYER_MATRIX, UNSHUFFLE)},
)
check = EXERCISE.check
mark = EXERCISE.mark
