"""A second build of the book has nothing to do, and a page with a fault is refused."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.book


def build(root, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "tools.build_book", *arguments],
        cwd=root,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def copy_of_the_book(book_html, tmp_path):
    """A copy of what git knows and of the book as it is built, so that faults disturb nobody."""
    listed = subprocess.check_output(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True
    )
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            target = tmp_path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    for name in ("html", ".jupyter_cache", ".doctrees", ".built", ".library", ".settings"):
        source, target = book_html.parent / name, tmp_path / "_build" / name
        target.parent.mkdir(exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    return tmp_path


def test_nothing_to_do_the_second_time_and_a_bad_page_is_refused(copy_of_the_book):
    chapter = copy_of_the_book / "_build/html/book/ch04_output_size/output_size.html"
    assert "course-figure" in chapter.read_text()

    again = build(copy_of_the_book)
    assert again.returncode == 0
    assert "up to date" in again.stdout

    page = copy_of_the_book / "book/ch04_output_size/output_size.md"
    text = page.read_text()
    for right, wrong in (
        ("{claim}`M4.5`", "{claim}`M4.99`"),
        ("shapes.unseen(8, 3, stride=2), 5 % 2", "1 / 0"),
        (r"\frac{F - 1}{2}", r"\fraction{F - 1}{2}"),
    ):
        assert right in text
        text = text.replace(right, wrong)
    page.write_text(text)
    broken = build(copy_of_the_book)
    said = broken.stdout + broken.stderr
    assert broken.returncode != 0
    assert "claim 'M4.99' is not in claims.yml" in said
    assert "Executing notebook failed: CellExecutionError" in said
    assert r"unknown in a formula: \fraction" in said
