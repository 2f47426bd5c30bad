"""The sections that the messages of this exercise link to."""

from cnnlib.checks.book import Section

_PAGE = "book/ch07_pool_or_conv/pool_or_conv"
QUESTION = Section(7, _PAGE, "ch07-question", "The question")
AVERAGE = Section(7, _PAGE, "ch07-average", "A CONV can average")
SKIP = Section(7, _PAGE, "ch07-skip", "What a stride never looks at")
GAP = Section(7, _PAGE, "ch07-gap", "The end: an average instead of a pile")
REWRITE = Section(7, _PAGE, "ch07-rewrite", "Rewriting a network, step by step")
