"""The sections that the messages of the tasks link to, and a judge for numbers of parameters."""

from typing import Any

from cnnlib.checks.book import Section
from cnnlib.checks.calls import Case, Outcome
from cnnlib.checks.judges import judge_number

_PAGE = "book/ch12_beyond_the_pattern/beyond_the_pattern"
INCEPTION = Section(12, _PAGE, "ch12-inception", "Stacked: the inception block")
REDUCE = Section(12, _PAGE, "ch12-reduce", "Fewer channels first")
RESIDUAL = Section(12, _PAGE, "ch12-residual", "Added: the residual block")
PROJECTION = Section(12, _PAGE, "ch12-projection", "Shapes must match")
FIRE = Section(12, _PAGE, "ch12-fire", "Squeezed: the fire block")
TOTALS = Section(12, _PAGE, "ch12-totals", "Where the parameters are")
SIZES = Section(12, _PAGE, "ch12-sizes", "Sizes through whole networks")
TRAPS = Section(12, _PAGE, "ch12-traps", "Three traps in the published numbers")


def judge_count(case: Case, right: int, got: Outcome) -> str:
    """A number of parameters; the difference is often the best hint."""
    problem = judge_number(case, right, got)
    value: Any = got.value
    if not problem or got.raised or type(value) is not int:
        return problem
    what = "too many" if value > right else "too few"
    return f"expected {right:,} parameters, got {value:,}: {abs(value - right):,} {what}"
