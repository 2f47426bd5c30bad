"""The whole book in its other forms: the PDF that Chromium prints, and the ePub for e-readers."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path
from posixpath import dirname, join, normpath
from unicodedata import normalize
from xml.etree import ElementTree

import pytest
import yaml
from course_chapters import is_chapter

pytestmark = [pytest.mark.browser, pytest.mark.book]
ROOT = Path(__file__).parents[2]
PDF = ROOT / "_build/cnn-building-blocks.pdf"
CHAPTERS = sorted(
    name
    for path in ROOT.glob("book/ch*/*.md")
    if is_chapter(name := path.relative_to(ROOT).with_suffix("").as_posix())
)
TITLES = [
    re.search(r"^# (.+)$", (ROOT / f"{name}.md").read_text(), re.MULTILINE)[1] for name in CHAPTERS
]


def made_by(command):
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.fixture(scope="module")
def pdf(chromium, book_html):
    from pypdf import PdfReader

    made_by(["-m", "tools.build_pdf"])
    return PdfReader(PDF)


@pytest.fixture(scope="module")
def texts(pdf):
    from pypdfium2 import PdfDocument

    with PdfDocument(PDF) as document:
        return [page.get_textpage().get_text_range() for page in document]


@pytest.fixture(scope="module")
def epub(book_html):
    made_by(
        ["-c", "from tools.build_book import run_builder; raise SystemExit(run_builder('epub'))"]
    )
    with zipfile.ZipFile(ROOT / "_build/epub/cnn-building-blocks.epub") as archive:
        yield archive


def flat(outline):
    for entry in outline:
        if isinstance(entry, list):
            yield from flat(entry)
        else:
            yield entry


def test_the_outline_of_the_pdf_leads_to_each_chapter(pdf, texts):
    places = {}
    for entry in flat(pdf.outline):
        if chapter := re.match(r"\d+\. (.+)", entry.title):
            places.setdefault(chapter[1], pdf.get_destination_page_number(entry))
    pages = [places[title] for title in TITLES]
    assert pages == sorted(pages)
    for title, page in zip(TITLES, pages, strict=True):
        assert " ".join(title.split()) in " ".join(normalize("NFKC", texts[page]).split())


def test_pages_of_the_pdf_are_numbered_and_none_is_empty(texts):
    for number, text in enumerate(texts, 1):
        assert f"{number} / {len(texts)}" in text
        assert len(text) > 80, f"page {number} is nearly empty: {text!r}"


def test_nothing_stays_folded_or_broken_on_paper(pdf, texts):
    book = "\n".join(texts)
    assert "Show code cell" not in book
    assert "Answers to the self-checks" in book
    # a link inside the book leads to a page of it, one outside to the network
    for page in pdf.pages:
        for note in page.get("/Annots", ()):
            action = note.get_object().get("/A", {})
            assert str(action.get("/URI", "https:")).startswith(("https:", "http:", "mailto:"))


def test_every_page_of_the_epub_is_xml_and_its_links_lead_somewhere(epub):
    names = set(epub.namelist())
    pages = {n: ElementTree.fromstring(epub.read(n)) for n in names if n.endswith(".xhtml")}
    assert {f"{name}.xhtml" for name in CHAPTERS} <= set(pages)
    places = {
        name: {e.get("id") for e in page.iter() if e.get("id")} for name, page in pages.items()
    }
    for name, page in pages.items():
        found = [e.get("id") for e in page.iter() if e.get("id")]
        assert len(found) == len(set(found)), f"{name} names two things alike"
        for element in page.iter():
            address = element.get("href") or element.get("src") or ""
            if not address or ":" in address:
                continue
            file, _, place = address.partition("#")
            target = normpath(join(dirname(name), file)) if file else name
            assert target in names, (name, address)
            assert not place or place in places[target], (name, address)


def test_the_epub_needs_no_script_and_says_what_its_pages_hold(epub):
    chapter = epub.read(f"{CHAPTERS[3]}.xhtml").decode()
    for word in ("<script", "<form", "<input", "<noscript"):
        assert word not in chapter
    assert "Show the answer" in chapter
    assert "viewBox" in chapter
    package = ElementTree.fromstring(epub.read("content.opf"))
    items = {e.get("href"): e for e in package.iter() if e.tag.endswith("}item")}
    assert items[f"{CHAPTERS[3]}.xhtml"].get("properties") == "mathml svg"
    assert (
        yaml.safe_load((ROOT / "_config.yml").read_text())["title"]
        in epub.read("content.opf").decode()
    )
