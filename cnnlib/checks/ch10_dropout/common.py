"""The sections that the messages of the three tasks link to."""

from cnnlib.checks.book import Section

_PAGE = "book/ch10_dropout/dropout"
MASK = Section(10, _PAGE, "ch10-mask", "Dropping by hand")
SCALE = Section(10, _PAGE, "ch10-scale", "Why 1/(1 − p)?")
VARIANCE = Section(10, _PAGE, "ch10-variance", "What the factor does not keep")
OLDER = Section(10, _PAGE, "ch10-older", "The older form")
FORGOTTEN = Section(10, _PAGE, "ch10-forgotten", "What if the factor is forgotten?")
BRIEF = Section(10, _PAGE, "ch10-brief", "DO in brief")
