"""The book builds cold with warnings as errors, and a second build has nothing to do."""

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
def copy_of_the_book(tmp_path):
    """A copy of what git knows, so that the cold build disturbs nobody."""
    listed = subprocess.check_output(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True
    )
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            target = tmp_path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    return tmp_path


def test_cold_build_then_nothing_to_do_then_a_bad_page_is_refused(copy_of_the_book):
    cold = build(copy_of_the_book, "--cold")
    assert cold.returncode == 0, cold.stdout + cold.stderr
    chapter = copy_of_the_book / "_build/html/book/ch04_output_size/output_size.html"
    assert "course-figure" in chapter.read_text()

    again = build(copy_of_the_book)
    assert again.returncode == 0
    assert "up to date" in again.stdout

    page = copy_of_the_book / "book/ch04_output_size/output_size.md"
    page.write_text(page.read_text().replace("{claim}`M4.5`", "{claim}`M4.99`"))
    broken = build(copy_of_the_book)
    assert broken.returncode != 0
    assert "claim 'M4.99' is not in claims.yml" in broken.stdout + broken.stderr

    page.write_text(
        page.read_text()
        .replace("{claim}`M4.99`", "{claim}`M4.5`")
        .replace("shapes.unseen(8, 3, stride=2), 5 % 2", "1 / 0")
    )
    failing = build(copy_of_the_book)
    assert failing.returncode != 0, "a cell that raises must fail the build"

    page.write_text(
        page.read_text().replace("1 / 0", "0").replace(r"\frac{F - 1}{2}", r"\fraction{F - 1}{2}")
    )
    garbled = build(copy_of_the_book)
    assert garbled.returncode != 0
    assert r"unknown in a formula: \fraction" in garbled.stdout + garbled.stderr
