"""Widgets where nothing can be clicked: the ePub, which runs no scripts, the PDF, and a chapter's notebook."""

import json
from xml.etree import ElementTree

import pytest
from course_epub import for_an_e_reader
from course_notebooks import widget_code

from cnnlib.widgets import WIDGETS, OutputSize
from cnnlib.widgets.base import _encode, _spec
from cnnlib.widgets.bundle import page_script
from tests.widgets.common import same_text, widget_class
from tools.build_pdf import FOR_PAPER

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Book</title><script defer src="widgets.js"></script></head>
<body><main><nav>Chapters</nav><article class="bd-article"><h1>Book</h1>{widgets}</article></main></body></html>"""


class WithData(OutputSize):
    """A widget whose data is as unfriendly to XML and HTML as texts can be."""

    @classmethod
    def data(cls):
        return {"text": "</script><script>alert(1)</script> <!-- & ]]> <br> viewbox <cnn-x>"}


@pytest.mark.parametrize("widget", [*map(widget_class, WIDGETS), WithData])
def test_an_e_reader_gets_the_table_as_xml_and_no_script(widget):
    page = for_an_e_reader(f"<div><p>Before.</p>{widget().page_html('here')}<p>After.</p></div>")
    tree = ElementTree.fromstring(page)
    tags = {element.tag for element in tree.iter()}
    assert tags == {"div", "p", "table", "caption", "tbody", "tr", "th", "td"}
    assert [child.tag for child in tree] == ["p", "div", "p"]
    rows = [tuple("".join(cell.itertext()) for cell in row) for row in tree.iter("tr")]
    assert rows == widget().facts()
    assert widget().summary() in "".join(tree.find(".//caption").itertext())


@pytest.mark.parametrize("module", WIDGETS)
def test_a_notebook_writes_the_directives_options_as_python(module):
    kind = widget_class(module)
    for preset in _spec(module)["presets"]:
        rows = {row["name"]: row for row in _spec(module)["settings"]}
        lines = [f":{name}: {_encode(rows[name], v)}\n" for name, v in preset["values"].items()]
        code = widget_code(module.replace("_", "-"), ":name: here\n" + "".join(lines))
        *_, last = code.splitlines()
        made = eval(last, {WIDGETS[module]: kind})
        assert made.settings == kind(**preset["values"]).settings, code


@pytest.mark.browser
def test_the_printed_book_shows_each_widget_with_its_data(chromium, tmp_path):
    """The page is taken apart for the printer, and each element is put in its place once more."""
    (tmp_path / "widgets.js").write_text(page_script(list(WIDGETS)), encoding="utf-8")
    shown = "".join(widget_class(m)().page_html(m) for m in WIDGETS)
    (tmp_path / "book.html").write_text(PAGE.format(widgets=shown), encoding="utf-8")
    with chromium.new_context() as context:
        page, noise = context.new_page(), []
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.goto((tmp_path / "book.html").as_uri())
        page.evaluate(FOR_PAPER)
        page.emulate_media(media="print")
        assert page.locator("nav").count() == 0
        for module in WIDGETS:
            widget = page.locator(f'[name="{module}"]')
            answer = widget.locator("output.verdict")
            assert answer.count() == 1
            assert answer.is_visible()
            expected = " ".join(widget_class(module)().summary().split())
            assert same_text(" ".join(answer.inner_text().split()), expected)
            data = widget.locator("script").all_text_contents()
            assert [json.loads(text) for text in data] == [
                json.loads(json.dumps(d)) for d in [widget_class(module).data()] if d
            ]
        assert "{" not in page.locator("article").inner_text(), "data is shown"
        assert noise == []
