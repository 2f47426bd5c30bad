"""Two works that a citation could not tell apart get a letter behind the year."""

from pathlib import Path

import course_citations
import pytest

pybtex = pytest.importorskip("pybtex.database")
BOOK = Path(__file__).parents[2] / "book"


def bibliography(*works):
    entries = (
        f"@misc{{k{i}, author={{{author}}}, title={{{title}}}, year={{{year}}}}}"
        for i, (author, title, year) in enumerate(works)
    )
    return pybtex.parse_string("\n".join(entries), "bibtex").entries


def years(entries):
    return [entry.fields["year"] for entry in entries.values()]


def test_letters_go_to_works_that_look_alike_in_the_order_of_titles():
    entries = bibliography(
        ("He, A and Li, B and Wu, C", "Second", 2016),
        ("He, A and Sun, B and Xu, C", "First", 2016),
        ("He, A and Li, B and Wu, C", "Third", 2015),
        ("He, A and Li, B", "Fourth", 2016),
        ("He, A", "Fifth", 2016),
    )
    course_citations.add_letters(entries)
    assert years(entries) == ["2016b", "2016a", "2015", "2016", "2016"]
    course_citations.add_letters(entries)
    assert years(entries) == ["2016b", "2016a", "2015", "2016", "2016"]


def test_a_letter_goes_when_its_twin_has_gone():
    entries = bibliography(("He, A", "First", "2016a"))
    course_citations.add_letters(entries)
    assert years(entries) == ["2016"]


def test_the_bibliography_keeps_plain_years_and_no_two_of_its_citations_look_alike():
    entries = pybtex.parse_file(BOOK / "references.bib", "bibtex").entries
    assert all(year.isdigit() for year in years(entries))
    course_citations.add_letters(entries)
    shown = [
        (course_citations.shown_authors(entry), entry.fields["year"]) for entry in entries.values()
    ]
    assert len(set(shown)) == len(shown)
    assert entries["he2016deep"].fields["year"] == "2016a"
    assert entries["he2016identity"].fields["year"] == "2016b"
