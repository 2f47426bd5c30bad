"""Where the book explains an idea: links from a check's message to a section.

A check has to work on a laptop without a network and in a grader's sandbox, so a link is words first
("chapter 4, section “Stride”"). It becomes an address as well when the course has one: set the
environment variable ``CNNLIB_BOOK_URL`` to the folder that holds the book's ``index.html``.
"""

import os
from typing import NamedTuple

__all__ = ["BOOK_URL_VARIABLE", "Section"]

BOOK_URL_VARIABLE = "CNNLIB_BOOK_URL"


class Section(NamedTuple):
    """A section of the book: chapter number, page (path without suffix), anchor, title.

    >>> str(Section(4, "book/ch04_output_size/output_size", "stride", "Stride"))
    'chapter 4, section “Stride”'
    """

    chapter: int
    page: str
    anchor: str
    title: str

    def __str__(self) -> str:
        return f"chapter {self.chapter}, section “{self.title}”"

    @property
    def url(self) -> str:
        """The section's address, or an empty text where the course has none."""
        base = os.environ.get(BOOK_URL_VARIABLE, "").rstrip("/")
        return f"{base}/{self.page}.html#{self.anchor}" if base else ""
