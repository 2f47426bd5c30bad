"""Chapter 11, layer patterns: tasks and misconceptions of the exercise ``ch11_layer_patterns``.

All three tasks ask for diagram texts. A text is read with the course's own parser before it is judged, so
spaces, line breaks and the choice of arrow do not matter; what is compared are layers, or words for what
a text does.
"""

from cnnlib.checks.ch11_layer_patterns.budget import DESIGN
from cnnlib.checks.ch11_layer_patterns.repair import BROKEN, REPAIR
from cnnlib.checks.ch11_layer_patterns.writing_out import WRITE_OUT
from cnnlib.checks.engine import Exercise

__all__ = ["BROKEN", "DESIGN", "EXERCISE", "REPAIR", "WRITE_OUT", "check", "mark"]

EXERCISE = Exercise(
    "ch11_layer_patterns", {task.letter: task for task in (WRITE_OUT, DESIGN, REPAIR)}
)
check = EXERCISE.check
mark = EXERCISE.mark
