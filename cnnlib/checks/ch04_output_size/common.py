"""The sections that the messages of the three tasks link to."""

from cnnlib.checks.book import Section

_PAGE = "book/ch04_output_size/output_size"
DEFINITION = Section(4, _PAGE, "ch04-definition", "Three numbers decide the size")
STRIDE = Section(4, _PAGE, "ch04-stride", "Stride: how far the window jumps")
PADDING = Section(4, _PAGE, "ch04-padding", "Padding: keeping the size")
FORMULA = Section(4, _PAGE, "ch04-formula", "The formula, derived")
STRICT = Section(4, _PAGE, "ch04-strict-or-floor", "When the formula gives a fraction")
