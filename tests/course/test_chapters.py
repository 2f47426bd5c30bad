"""Every chapter has its parts, its place in the course, and its notebook."""

import json
import os
import re
from pathlib import Path
from urllib.parse import unquote

import jupytext
import pytest
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[2]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
CHAPTERS = [
    entry["file"] for part in TOC["parts"] if part.get("numbered") for entry in part["chapters"]
]
LAYERS = {3: "CONV", 4: "CONV", 5: "RELU", 6: "POOL", 8: "FC", 9: "BN", 10: "DO"}
pytestmark = pytest.mark.book


@pytest.fixture(scope="module")
def read_page(book_html):
    pages = {}

    def read(name):
        if name not in pages:
            text = (book_html / f"{name}.html").read_text(encoding="utf-8")
            pages[name] = BeautifulSoup(text, "html.parser")
        return pages[name]

    return read


def test_the_course_has_thirteen_chapters_in_the_order_of_their_numbers(read_page):
    numbers = [int(re.match(r"book/ch(\d\d)_", name)[1]) for name in CHAPTERS]
    assert numbers == list(range(1, 14))
    for number, name in zip(numbers, CHAPTERS, strict=True):
        assert read_page(name).select_one("article h1").get_text().startswith(f"{number}. "), name


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_has_its_parts(read_page, name):
    page = read_page(name)
    facts = page.select_one(".chapter-facts")
    terms = [term.get_text(strip=True) for term in facts.select("dt")]
    assert terms == ["Reading time", "You will do", "You will learn", "You need"]
    minutes = int(re.search(r"(\d+) minutes", facts.get_text())[1])
    widgets = page.find_all(re.compile("^cnn-"))
    measured = page.select("[aria-label=Predictions]")
    on_top = 2 * len(widgets) + 2 * len(measured)
    assert 10 <= minutes <= 25 + on_top, "widgets and experiments may have their time on top"
    assert len(page.select("form.quiz")) >= 3
    headings = [heading.get_text().rstrip("#") for heading in page.select("h2")]
    assert headings[-3:] == ["What to remember", "Exercises", "Further reading"]
    assert len(page.select("#exercises details")) >= 3, "each question has an answer to unfold"
    assert page.select_one(
        "#further-reading a.reference, #further-reading .bibtex, #further-reading a"
    )
    assert page.select(".course-figure, svg, cnn-output-size"), "something to look at"
    assert page.select_one("article strong"), "a prediction in bold"
    links = [link.get_text() for link in page.select(".chapter-actions a")]
    assert links == ["Open the exercise", "Download notebook"]


@pytest.mark.parametrize(("number", "layer"), LAYERS.items())
def test_a_chapter_on_a_layer_has_its_card(read_page, number, layer):
    cards = read_page(CHAPTERS[number - 1]).select(".sd-card")
    rows = {row.get_text(strip=True) for card in cards for row in card.select("td:first-child")}
    assert {"accepts", "needs", "gives", "parameters"} <= rows
    titles = [title.get_text() for card in cards for title in card.select(".sd-card-title")]
    assert any(layer in title for title in titles)


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_figure_has_a_text_alternative_and_is_drawn_in_vectors(read_page, name):
    page = read_page(name)
    for figure in page.select(".cell_output svg"):
        if not figure.find_parent("svg"):
            label = figure.get("aria-label") or (figure.find("title") and figure.title.get_text())
            assert len(label or "") > 20, str(figure)[:200]
    for image in page.select("article img"):
        assert image["src"].endswith((".svg", ".png"))
        assert len(image["alt"]) > 20, str(image)
        assert not image.find_parent(class_="cell_output"), "a figure from a cell is inline SVG"


def test_every_link_inside_the_book_leads_somewhere(book_html, read_page):
    broken = []
    for path in book_html.rglob("*.html"):
        if "_static" in path.parts:
            continue
        page = read_page(str(path.relative_to(book_html).with_suffix("")))
        for link in page.select("a[href], link[href], script[src], img[src]"):
            address = unquote(link.get("href") or link.get("src"))
            if re.match(r"[a-z]+:", address):
                continue
            place, _, fragment = address.partition("#")
            target = (path.parent / place.partition("?")[0]).resolve() if place else path
            if not target.exists():
                broken.append(f"{path.name}: {address}")
            elif fragment and target.suffix == ".html":
                other = read_page(str(target.relative_to(book_html.resolve()).with_suffix("")))
                if not other.find(id=fragment):
                    broken.append(f"{path.name}: {address}: no such place")
    assert broken == []


def test_the_ledger_shows_what_was_measured(read_page):
    rows = yaml.safe_load((ROOT / "book/claims.yml").read_text(encoding="utf-8"))
    recorded = [row for row in rows if row.get("record")]
    assert recorded
    for row in recorded:
        summary = json.loads((ROOT / row["record"]).read_text(encoding="utf-8"))
        shown = read_page("book/claims").select_one(f"tr:has([id='{row['id']}'])").get_text()
        for line in next(v for v in summary["verdicts"] if v["id"] == row["id"])["numbers"]:
            assert line in shown
        assert summary["command"] in shown


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapters_notebook_has_its_cells_and_no_markup_of_the_book(book_html, name):
    folder = name.split("/")[1]
    made = json.loads((book_html / f"notebooks/{folder}.ipynb").read_text(encoding="utf-8"))
    source = jupytext.read(ROOT / f"{name}.md", fmt="md:myst")
    code = ["".join(c["source"]) for c in made["cells"] if c["cell_type"] == "code"]
    for cell in source.cells:
        if cell.cell_type == "code":
            assert cell.source in code
    text = "\n".join("".join(c["source"]) for c in made["cells"] if c["cell_type"] == "markdown")
    assert not re.search(r"\{[\w:-]+\}`|^:::|^```\{|^\([\w-]+\)=$", text, re.M)
    assert text.count("<details>") == text.count("</details>") >= 3


def test_a_chapters_notebook_runs_with_its_widget(book_html, in_thread, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    made = nbformat.read(book_html / "notebooks/ch04_output_size.ipynb", as_version=4)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "book"), str(ROOT)]))
    monkeypatch.delenv("CNNLIB_BOOK", raising=False)
    # No name holds the client: what it leaves open is swept up by in_thread.
    in_thread(lambda: NotebookClient(made, timeout=120, kernel_name="python3").execute())
    widget = next(cell for cell in made.cells if "cnnlib.widgets" in cell.source)
    shown = [output.get("data", {}) for output in widget.outputs]
    assert any("application/vnd.jupyter.widget-view+json" in data for data in shown), shown
