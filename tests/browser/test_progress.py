"""The reader's progress and the ledger's filters, operated in a real browser."""

import json

import pytest

from cnnlib import shapes

pytestmark = [pytest.mark.browser, pytest.mark.book]
CHAPTER = "book/ch04_output_size/output_size.html"
TABLE = "book/preface.html"


def pass_a_check(page):
    quiz = page.locator("form.quiz").first
    quiz.locator("input").fill(str(shapes.output_size(64, 5)))
    page.keyboard.press("Enter")
    return quiz


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_what_was_read_and_passed_is_remembered_across_pages(
    open_page, book_html, book_url, scheme
):
    def address(name):
        return book_url + name if scheme == "http" else (book_html / name).as_uri()

    page = open_page(address(CHAPTER))
    box = page.locator(".chapter-progress")
    assert box.locator("output").inner_text().startswith("0 of ")
    quiz = page.locator("form.quiz").first
    quiz.locator("input").fill("1")
    page.keyboard.press("Enter")
    assert box.locator("output").inner_text().startswith("0 of "), "a wrong answer passes nothing"
    pass_a_check(page)
    assert box.locator("output").inner_text().startswith("1 of ")
    box.locator("input").focus()
    page.keyboard.press("Space")
    page.reload()
    assert page.locator(".chapter-progress input").is_checked()
    assert page.locator(".chapter-progress output").inner_text().startswith("1 of ")
    assert page.locator(".bd-links a.is-read").count() == 1

    page.goto(address(TABLE))
    row = page.locator("tr[data-page=ch04_output_size]")
    assert "✓ read" in row.inner_text()
    assert "1 of " in row.inner_text()
    assert page.locator(".progress-actions output").inner_text() == "1 of 13 chapters read"
    page.goto(address(CHAPTER))
    page.locator(".chapter-progress input").uncheck()
    page.goto(address(TABLE))
    assert page.locator(".progress-actions output").inner_text() == "0 of 13 chapters read"


def test_progress_is_exported_cleared_and_brought_back(open_page, tmp_path):
    page = open_page(CHAPTER)
    pass_a_check(page)
    page.locator(".chapter-progress input").check()
    page.goto(page.url.replace(CHAPTER, TABLE))
    status = page.locator(".progress-actions output")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    kept = json.loads(file.read_text())
    assert list(kept["read"]) == ["ch04_output_size"]
    assert len(kept["passed"]) == 1

    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Clear").click()
    assert status.inner_text() == "1 of 13 chapters read", "whoever says no keeps it"
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Clear").click()
    assert status.inner_text() == "0 of 13 chapters read"
    assert page.evaluate("Object.values(localStorage).join()").count("ch04_output_size") == 0

    for content in ("no json", '{"read": 3}', '{"read": {"ch04_output_size": {}}, "passed": {}}'):
        other = tmp_path / "other.json"
        other.write_text(content)
        page.locator("input[type=file]").set_input_files(other)
        page.wait_for_function(
            "document.querySelector('.progress-actions output').textContent.includes('other.json')"
        )
        assert status.inner_text() == (
            "other.json holds no progress of this course: choose a file that Export has written."
        )
    page.locator("input[type=file]").set_input_files(file)
    page.wait_for_function(
        "document.querySelector('.progress-actions output').textContent.startsWith('1 of')"
    )
    assert "✓ read" in page.locator("tr[data-page=ch04_output_size]").inner_text()


def test_without_scripts_the_table_still_lists_the_chapters(open_page):
    page = open_page(TABLE, java_script_enabled=False)
    assert page.locator("tr[data-page]").count() == 13
    assert not page.locator(".progress-actions").is_visible()


def shown(page):
    return page.locator(".claims-ledger tbody tr:visible").count()


def test_the_ledger_is_filtered_by_keyboard(open_page):
    page = open_page("book/claims.html")
    total = shown(page)
    status = page.locator(".ledger-filters output")
    assert status.inner_text() == f"{total} of {total} claims"
    page.get_by_label("Kind").focus()
    page.keyboard.type("number")
    numbers = shown(page)
    assert 0 < numbers < total
    assert status.inner_text() == f"{numbers} of {total} claims"
    for row in page.locator(".claims-ledger tbody tr:visible").all():
        assert "number" in row.inner_text()
    page.get_by_label("Words").fill("alexnet 54.25")
    assert [
        row.inner_text().split()[0] for row in page.locator(".claims-ledger tbody tr:visible").all()
    ] == ["M4.8"]
    page.get_by_label("Words").fill("no such words")
    assert shown(page) == 0
    page.get_by_role("button", name="Show all").press("Enter")
    page.wait_for_function("!document.querySelector('.claims-ledger tr[hidden]')")
    assert shown(page) == total


def test_a_link_to_a_row_finds_it_behind_the_filters(open_page):
    page = open_page("book/claims.html")
    page.get_by_label("Words").fill("dropout")
    page.evaluate("location.hash = 'M4.8'")
    page.wait_for_function("!document.querySelector('.claims-ledger tr[hidden]')")
    assert page.locator("[id='M4.8']").is_visible()


def test_without_scripts_the_ledger_is_whole(open_page):
    page = open_page("book/claims.html", java_script_enabled=False)
    assert shown(page) > 20
    assert not page.locator(".ledger-filters").is_visible()
