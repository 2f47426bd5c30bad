"""Chapter 2, layers and diagrams: tasks, inputs and misconceptions of ``ch02_layers_and_diagrams``.

Task (b) has no single right answer: a diagram is read by the course's own parser, and each part judges
one feature of the network that it stands for.
"""

from cnnlib.checks.ch02_layers_and_diagrams.diagrams import SMALL_CNN
from cnnlib.checks.ch02_layers_and_diagrams.probabilities import SOFTMAX
from cnnlib.checks.ch02_layers_and_diagrams.steps import STEP
from cnnlib.checks.engine import Exercise

__all__ = ["EXERCISE", "SMALL_CNN", "SOFTMAX", "STEP", "check", "mark"]

EXERCISE = Exercise(
    "ch02_layers_and_diagrams", {task.letter: task for task in (STEP, SMALL_CNN, SOFTMAX)}
)
check = EXERCISE.check
mark = EXERCISE.mark
