"""Chapter 13, rules of thumb, and the capstone: the exercise ``ch13_rules_of_thumb``.

Tasks (c) and (d) are judged on what a training leads to. Their thresholds were set from measurements,
which stand in the modules, and their data do not depend on the seed of the grading run where luck could
decide.
"""

from cnnlib.checks.ch13_rules_of_thumb.overfit import OVERFIT
from cnnlib.checks.ch13_rules_of_thumb.review import REVIEW
from cnnlib.checks.ch13_rules_of_thumb.step import STEP
from cnnlib.checks.ch13_rules_of_thumb.train import TRAIN
from cnnlib.checks.engine import Exercise

__all__ = ["EXERCISE", "OVERFIT", "REVIEW", "STEP", "TRAIN", "check", "mark"]

EXERCISE = Exercise(
    "ch13_rules_of_thumb",
    {task.letter: task for task in (REVIEW, STEP, OVERFIT, TRAIN)},
    allows=("numpy", "torch", "cnnlib.reference", "cnnlib.pytorch"),
)
check = EXERCISE.check
mark = EXERCISE.mark
