"""What an exercise checks, and the catalogue of misconceptions. Student side: nothing of nbgrader."""

from cnnlib.checks.book import Section
from cnnlib.checks.calls import Case
from cnnlib.checks.engine import Exercise, Misconception, NotStartedError, Part, Task, examine
from cnnlib.checks.report import Report

__all__ = [
    "Case",
    "Exercise",
    "Misconception",
    "NotStartedError",
    "Part",
    "Report",
    "Section",
    "Task",
    "examine",
]
