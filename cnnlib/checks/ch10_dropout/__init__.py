"""Chapter 10, dropout: tasks, inputs and misconceptions of the exercise ``ch10_dropout``.

Random numbers make a comparison hard, so each task takes them out in its own way: in (a) they are an
argument, in (b) the check looks at what a layer does with its own coins and puts it into words, and
(c) asks for means and variances.
"""

from cnnlib.checks.ch10_dropout.forward import DROPOUT
from cnnlib.checks.ch10_dropout.layer import LAYER
from cnnlib.checks.ch10_dropout.moments import MOMENTS
from cnnlib.checks.engine import Exercise

__all__ = ["DROPOUT", "EXERCISE", "LAYER", "MOMENTS", "check", "mark"]

EXERCISE = Exercise("ch10_dropout", {task.letter: task for task in (DROPOUT, LAYER, MOMENTS)})
check = EXERCISE.check
mark = EXERCISE.mark
