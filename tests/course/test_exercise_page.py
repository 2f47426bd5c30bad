"""The book's page of all exercises says what their sources say, and no solution gets into the book."""

import re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from course_exercises import exercises, place_of, read_exercise
from sphinx.errors import ExtensionError

from cnnlib.checks.catalogue import exercise, exercise_names
from tools.build_book import write_solution_pages

ROOT = Path(__file__).parents[2]


def test_the_cards_are_read_as_the_checks_count():
    cards = exercises()
    assert [card.folder for card in cards] == exercise_names()
    for card in cards:
        by_code = {task.letter: task.points for task in card.tasks if not task.by_a_person}
        assert by_code == {t.letter: t.points for t in exercise(card.folder).tasks.values()}
        assert 30 <= card.minutes <= 90
        assert re.match(rf"chapters? (\d+(, | and ))*{card.number}\b", card.needs), card.needs


def test_every_chapter_has_its_exercise():
    chapters = {path.parent.name for path in ROOT.glob("book/ch[0-9][0-9]_*/*.md")}
    assert {card.folder for card in exercises()} == chapters


@pytest.mark.book
def test_the_page_lists_all_of_them_with_their_totals(book_html):
    page = BeautifulSoup((book_html / "book/exercises.html").read_text(), "html.parser")
    rows = [
        [cell.get_text(strip=True) for cell in row.select("td")]
        for row in page.select("table")[0].select("tbody tr")
    ]
    cards = exercises()
    assert [row[0] for row in rows[:-1]] == [str(card.number) for card in cards]
    assert [row[3:] for row in rows[:-1]] == [[str(c.minutes), str(c.points)] for c in cards]
    assert rows[-1][3:] == [str(sum(c.minutes for c in cards)), str(sum(c.points for c in cards))]
    for card in cards:
        section = page.find(id=place_of(card.folder))
        link = section.select_one("a.download")
        given = (book_html / "book" / link["href"]).read_bytes()
        assert given == (ROOT / f"exercises/{card.folder}/{card.name}.ipynb").read_bytes()
        assert len(section.select("tbody tr")) == len(card.tasks)


@pytest.mark.book
def test_a_chapters_button_leads_to_its_exercise(book_html):
    for card in exercises():
        topic = card.folder[5:]
        page = (book_html / f"book/{card.folder}/{topic}.html").read_text()
        assert f'href="../exercises.html#{place_of(card.folder)}"' in page


@pytest.mark.book
def test_the_book_for_everybody_holds_no_solution(book_html):
    assert not (book_html / "book/solutions").exists()
    rubric = re.compile("Rubric for the grader|BEGIN SOLUTION")
    for path in [*book_html.rglob("*.html"), *book_html.rglob("*.ipynb")]:
        assert not rubric.search(path.read_text(encoding="utf-8")), path


def test_solution_pages_hold_solutions_and_rubrics_but_no_marks_of_the_tool(tmp_path):
    names = write_solution_pages(tmp_path)
    assert names == exercise_names()
    for name in names:
        notebook = nbformat.read(tmp_path / f"{name}.ipynb", as_version=4)
        text = "\n".join(cell.source for cell in notebook.cells)
        assert "Rubric for the grader" in text
        assert "raise NotImplementedError()" not in text
        assert not re.search("(BEGIN|END) (SOLUTION|MARK SCHEME)", text)


def test_a_source_without_its_cards_is_refused(tmp_path):
    path = tmp_path / "ch99_topic" / "name.py"
    path.parent.mkdir()
    path.write_text("# # Exercise 99: a title\n", encoding="utf-8")
    with pytest.raises(ExtensionError, match="the tasks' cards are wanted"):
        read_exercise(path)
