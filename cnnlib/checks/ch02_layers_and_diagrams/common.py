"""The sections that the messages of the tasks link to."""

from cnnlib.checks.book import Section

_PAGE = "book/ch02_layers_and_diagrams/layers_and_diagrams"
LINE = Section(2, _PAGE, "ch02-line", "A line, read from left to right")
GLANCE = Section(2, _PAGE, "ch02-glance", "The layers at a glance")
LEARN = Section(2, _PAGE, "ch02-learn", "Which layers learn")
SOFTMAX_AWAY = Section(2, _PAGE, "ch02-softmax", "The SOFTMAX that is not there")
ORDER = Section(2, _PAGE, "ch02-order", "The order matters")
CARET = Section(2, _PAGE, "ch02-caret", "When the line is wrong")
WRITE_OUT = Section(2, _PAGE, "ch02-write-out", "Write the activation out")
