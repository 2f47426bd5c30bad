"""The sections that the messages of this exercise link to."""

from cnnlib.checks.book import Section

_PAGE = "book/ch08_fully_connected/fully_connected"
SUM = Section(8, _PAGE, "ch08-sum", "Everything with everything")
FLATTEN = Section(8, _PAGE, "ch08-flatten", "A volume becomes a row")
BACKWARD = Section(8, _PAGE, "ch08-backward", "The way back")
AS_CONV = Section(8, _PAGE, "ch08-as-conv", "Any FC is a CONV")
SIZE = Section(8, _PAGE, "ch08-size", "An image of another size")
