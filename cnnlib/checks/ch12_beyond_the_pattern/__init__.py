"""Chapter 12, beyond the pattern: tasks, inputs and misconceptions of ``ch12_beyond_the_pattern``.

The tasks are about PyTorch modules. What a student wrote is built with tiny sizes, gets known weights,
and runs; see :mod:`~cnnlib.checks.ch12_beyond_the_pattern.driving`.
"""

from cnnlib.checks.ch12_beyond_the_pattern.block import BasicBlock
from cnnlib.checks.ch12_beyond_the_pattern.fire import FIRE_BLOCK
from cnnlib.checks.ch12_beyond_the_pattern.inception import INCEPTION_BLOCK
from cnnlib.checks.ch12_beyond_the_pattern.residual import RESIDUAL_BLOCK
from cnnlib.checks.ch12_beyond_the_pattern.resnet import RESNET
from cnnlib.checks.engine import Exercise

EXERCISE = Exercise(
    "ch12_beyond_the_pattern",
    {task.letter: task for task in (INCEPTION_BLOCK, RESIDUAL_BLOCK, FIRE_BLOCK, RESNET)},
    allows=("numpy", "torch"),
)
check = EXERCISE.check
mark = EXERCISE.mark
GivenBlock = BasicBlock
"""A residual block for whoever comes to task (d) without having written (b)."""
