"""Every page of the built book in a real browser, over http and from a folder, in each mode and width."""

from pathlib import Path

import pytest
import yaml

from cnnlib import shapes

ROOT = Path(__file__).parents[2]
CHAPTER = "book/ch04_output_size/output_size.html"
pytestmark = [pytest.mark.browser, pytest.mark.book]


def pages_of_the_book():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())

    def files(node):
        if isinstance(node, dict):
            if "file" in node:
                yield node["file"]
            for value in node.values():
                yield from files(value)
        elif isinstance(node, list):
            for entry in node:
                yield from files(entry)

    return [toc["root"], *files(toc)]


# Code has thousands of spans in a dozen colours: one of each is enough, and the others become plain text.
ONE_SPAN_OF_A_KIND = """() => {
  const seen = new Set();
  for (const span of document.querySelectorAll(".highlight span[class]")) {
    if (seen.has(span.className)) span.replaceWith(...span.childNodes);
    seen.add(span.className);
  }
}"""


def axe_violations(page, **options):
    import axe_playwright_python

    page.evaluate(ONE_SPAN_OF_A_KIND)
    script = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
    page.evaluate(script)
    # preload would fetch the style sheets a second time, which file:// does not allow
    settings = {"preload": False, "resultTypes": ["violations"], **options}
    result = page.evaluate("settings => axe.run(settings)", settings)
    return [(v["id"], v["nodes"][0]["html"][:200]) for v in result["violations"]]


@pytest.mark.parametrize("name", pages_of_the_book())
def test_a_page_from_a_server_is_quiet_accessible_and_fits(open_page, name):
    """Wide and light, by all rules."""
    page = open_page(f"{name}.html", theme="light", width=1280)
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert axe_violations(page) == []


@pytest.mark.parametrize("name", pages_of_the_book())
def test_a_page_from_a_folder_is_quiet_accessible_and_fits(open_page, book_html, name):
    """On a phone in the dark, by the rules that colours and width can break."""
    page = open_page((book_html / f"{name}.html").as_uri(), theme="dark", width=360)
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator("article h1").count() == 1
    rules = ["color-contrast", "link-in-text-block", "target-size"]
    assert axe_violations(page, runOnly=rules) == []


def test_a_page_that_is_switched_to_dark_keeps_its_contrast(open_page):
    page = open_page(CHAPTER)
    page.add_style_tag(content="*, ::before, ::after { transition: none !important; }")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_timeout(800)  # colours inside the widgets fade into one another
    assert axe_violations(page, runOnly=["color-contrast", "link-in-text-block"]) == []


def test_the_front_door_leads_to_the_book(open_page):
    page = open_page("index.html")
    page.wait_for_url("**/book/index.html")
    assert "CNN Building Blocks" in page.title()


def test_scripts_that_the_course_does_not_use_are_gone(open_page):
    page = open_page(CHAPTER)
    sources = page.evaluate("[...document.scripts].map((s) => s.src).join(' ')")
    for word in ("thebe", "fontawesome", "mathjax", "require", "widgets-manager"):
        assert word not in sources.lower()


def test_formulas_are_mathml_in_the_books_font(open_page):
    page = open_page(CHAPTER)
    assert page.locator("math").count() > 20
    page.evaluate("document.fonts.ready")
    assert page.evaluate("document.fonts.check('16px \"Course Math\"')")


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_the_calculator_moved_by_keyboard_gives_cnnlibs_number(open_page, book_html, scheme):
    page = open_page(CHAPTER if scheme == "http" else (book_html / CHAPTER).as_uri())
    widget = page.locator("cnn-output-size")
    size = widget.locator("#size")
    size.focus()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("224")
    page.keyboard.press("Tab")
    page.wait_for_function("location.hash.includes('size=224')")
    expected = shapes.output_size(224, 3, stride=2, rounding="floor")
    row = widget.locator(".widget tr", has_text="Floored")
    assert row.locator("td").inner_text() == str(expected)
    lost = widget.locator(".widget tr", has_text="never read").locator("td").inner_text()
    assert lost.startswith(str(shapes.unseen(224, 3, 2, 0)))


def answer_number(page, quiz, text):
    field = quiz.locator("input")
    field.focus()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    return quiz.get_by_role("status").inner_text()


def test_a_number_self_check_says_why(open_page):
    page = open_page(CHAPTER)
    quiz = page.locator("form.quiz").first
    right = shapes.output_size(64, 5)
    assert answer_number(page, quiz, "").startswith("Type a number first")
    assert answer_number(page, quiz, str(right)).startswith("Right.")
    wrong = answer_number(page, quiz, str(right - 1))
    assert wrong.startswith("Not quite.")
    assert "number of steps" in wrong
    other = answer_number(page, quiz, "7")
    assert other.startswith("Not quite.")
    assert other != wrong


def test_a_choice_self_check_works_by_keyboard(open_page):
    page = open_page(CHAPTER)
    quiz = page.locator("form.quiz[data-kind=choice]").first
    quiz.locator("input").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    assert quiz.get_by_role("status").inner_text().startswith("Not quite.")
    page.keyboard.press("ArrowDown")
    assert quiz.get_by_role("status").inner_text() == ""
    page.keyboard.press("Enter")
    assert quiz.get_by_role("status").inner_text().startswith("Right.")


CHAPTERS = [name for name in pages_of_the_book() if "/ch" in name]


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_self_check_is_answered_by_keyboard_alone(open_page, name):
    page = open_page(f"{name}.html")
    quizzes = page.locator("form.quiz")
    for index in range(quizzes.count()):
        quiz = quizzes.nth(index)
        if quiz.get_attribute("data-kind") == "number":
            answer = quiz.locator("[data-answer]").get_attribute("data-answer")
            said = answer_number(page, quiz, answer)
        else:
            right = quiz.locator(".quiz-why[data-right=true]").get_attribute("data-for")
            quiz.locator("input").first.focus()
            page.keyboard.press("Space")
            for _ in range(int(right)):
                page.keyboard.press("ArrowDown")
            page.keyboard.press("Enter")
            said = quiz.get_by_role("status").inner_text()
        assert said.startswith("Right."), (index, said)
    total = quizzes.count()
    progress = page.locator(".chapter-progress output").inner_text()
    assert progress == f"{total} of {total} self-checks passed"


@pytest.mark.parametrize("name", [CHAPTERS[0], CHAPTERS[3], CHAPTERS[11]])
def test_a_page_is_light(open_page, book_html, name):
    """Under 1.5 MB with all that it loads, uncompressed, figures apart."""
    page = open_page(f"{name}.html")
    loaded = page.evaluate(
        "performance.getEntriesByType('resource').map((r) => [r.name, r.decodedBodySize])"
    )
    figures = sum(
        len(svg.encode())
        for svg in page.locator("figure svg, .cell_output svg").evaluate_all(
            "all => all.map((svg) => svg.outerHTML)"
        )
    )
    own = (book_html / f"{name}.html").stat().st_size - figures
    rest = sum(size for address, size in loaded if "/_images/" not in address)
    assert rest > 300_000, "styles and scripts were counted"
    assert own + rest < 1_500_000


def test_without_javascript_answers_and_numbers_can_still_be_read(open_page):
    page = open_page(CHAPTER, java_script_enabled=False)
    assert page.locator("cnn-output-size table").is_visible()
    answer = page.locator("form.quiz details").first
    answer.locator("summary").click()
    assert str(shapes.output_size(64, 5)) in answer.inner_text()


def test_a_claims_mark_leads_to_its_row_and_back(open_page):
    page = open_page(CHAPTER)
    mark = page.locator(".claim a", has_text="M4.8").first
    mark.click()
    page.wait_for_url("**/book/claims.html#M4.8")
    row = page.locator("tr", has=page.locator("[id='M4.8']"))
    assert "54.25" in row.inner_text()
    row.get_by_role("link", name="chapter 4").click()
    page.wait_for_url(f"**/{CHAPTER}#claim-M4.8")


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_search_finds_the_chapter(open_page, book_html, scheme):
    search = "search.html" if scheme == "http" else (book_html / "search.html").as_uri()
    page = open_page(f"{search}?q=AlexNet")
    page.locator("#search-results li a").first.wait_for()
    assert page.locator(f"#search-results a[href*='{CHAPTER.removesuffix('.html')}']").count() >= 1


def test_the_student_notebook_can_be_downloaded(open_page):
    page = open_page("book/exercises.html")
    with page.expect_download() as download:
        page.get_by_role("link", name="output_size.ipynb").click()
    source = ROOT / "exercises/ch04_output_size/output_size.ipynb"
    assert Path(download.value.path()).read_bytes() == source.read_bytes()
