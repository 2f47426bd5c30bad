"""The pattern builder in Chromium: the network that is seen is cnnlib's; a diagram typed in JupyterLab is answered."""

import pytest

from cnnlib.diagram import lint, summarize, zoo
from cnnlib.widgets import Pattern
from cnnlib.widgets.bundle import page_script
from tests.browser.laboratory import run_cell

pytestmark = pytest.mark.browser

LEDGER = '<p><a href="../claims.html">Claims</a></p>'


@pytest.fixture
def open_widget(chromium, tmp_path):
    """The widget alone on a page that is opened from a folder; whatever goes wrong fails the test."""
    noise, contexts = [], []

    def opened(fragment="", more="", width=1000):
        (tmp_path / "widgets.js").write_text(page_script(["pattern"]), encoding="utf-8")
        (tmp_path / "index.html").write_text(
            f'<!doctype html><html lang="en" data-theme="light"><meta charset="utf-8"><title>Pattern</title>'
            f'<script defer src="widgets.js"></script>{more}{Pattern().page_html("pattern")}',
            encoding="utf-8",
        )
        context = chromium.new_context(viewport={"width": width, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.goto((tmp_path / "index.html").as_uri() + fragment)
        return page.locator("cnn-pattern .widget")

    yield opened
    for context in contexts:
        context.close()
    assert noise == []


def complaint(widget, text: str) -> str | None:
    """None if the widget shows layers, sizes, parameters, fields and findings of this diagram."""
    summary = summarize(text)
    cells = "rows => rows.map(row => [...row.children].map(cell => cell.textContent))"
    rows = widget.locator(".scroll tbody tr").evaluate_all(cells)
    wanted = [["INPUT", "×".join(map(str, summary.input_shape)), "", ""]]
    for row in summary.rows:
        field = str(row.field[0]) if row.field else ""
        shape = "×".join(map(str, row.shape))
        wanted.append([row.name + row.text, shape, f"{row.params:,}" if row.params else "", field])
    if rows != wanted:
        return f"{rows} instead of {wanted}"
    written = " => ".join(widget.locator(".layers .layer").all_inner_texts())
    expanded = " => ".join(
        ["INPUT" + "({}, {}, {})".format(*summary.input_shape)] + [row.text for row in summary.rows]
    )
    if written != expanded:
        return f"{written} instead of {expanded}"
    found = widget.locator(".findings li").all_inner_texts()
    for finding, said in zip(lint(text), found, strict=True):
        for part in (
            finding.rule,
            finding.severity.capitalize(),
            finding.message,
            finding.why,
            finding.rewrite,
        ):
            if part not in said:
                return f"{part!r} is missing in {said!r}"
    return None  # fmt: skip


def test_the_controls_moved_by_keyboard_give_cnnlibs_network(open_widget):
    widget = open_widget()
    page = widget.page
    assert complaint(widget, Pattern().diagram) is None
    widget.locator("#n").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert complaint(widget, Pattern(n=3, m=1, k=2, pool=False).diagram) is None
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    changed = Pattern(n=3, m=1, k=2, pool=False, dropout=True, norm="before")
    assert complaint(widget, changed.diagram) is None
    assert widget.locator(".volumes li").all_inner_texts() == [
        "3×32×32",
        "32×32×32",
        "256",
        "10",
    ]
    assert widget.locator("textarea").count() == 0, "no Python is behind a page"


@pytest.mark.parametrize("width", [1000, 360])
def test_a_network_that_cannot_be_built_shows_the_place(open_widget, width):
    builder = Pattern(image="1x28x28", m=3)
    widget = open_widget("#pattern.image=1x28x28&pattern.m=3", width=width)
    place = widget.locator("pre")
    assert place.inner_text().split("\n") == builder.answer.error[1].split("\n")
    line, caret = place.inner_text().split("\n")
    assert line[caret.index("^") :].startswith("POOL")
    share = (len(caret) - 1) / len(line) * place.evaluate("e => e.scrollWidth")
    left, seen = place.evaluate("e => [e.scrollLeft, e.clientWidth]")
    assert left <= share <= left + seen, "the caret is in view"
    assert widget.locator(".scroll").count() == 0
    assert "INPUT(1, 32, 32)" in widget.locator(".findings").inner_text()


def test_rules_lead_to_the_ledger_where_the_page_has_one(open_widget):
    assert open_widget().locator(".findings a").count() == 0
    widget = open_widget(more=LEDGER)
    for finding in lint(Pattern().diagram):
        link = widget.get_by_role("link", name=finding.rule, exact=True)
        assert link.get_attribute("href").endswith(f"/claims.html#{finding.rule}")


CELLS = [
    "from cnnlib.widgets import Pattern\nw = Pattern()\nw",
    "print(w.params, repr(w.text))",
    "from cnnlib.diagram import zoo\nw.text = zoo.resnet18",
]


def test_a_diagram_typed_in_jupyterlab_is_answered_by_python(open_notebook):
    page = open_notebook(CELLS)
    run_cell(page, 0)
    widget = page.locator(".jp-OutputArea-output .widget")
    widget.wait_for(timeout=60_000)
    area = widget.locator("#text")
    assert area.input_value() == Pattern().diagram

    def typed(text):
        area.focus()
        page.keyboard.press("Control+a")
        page.keyboard.type(text)

    def wait_for(builder):
        page.wait_for_function(
            "text => document.querySelector('.jp-OutputArea-output [data-lm-suppress-shortcuts]').shadowRoot.querySelector('output').textContent.replaceAll('\u00a0', ' ') === text",
            arg=builder.summary(),
        )

    chain = "INPUT(3, 16, 16) => CONV(4) => RELU => FC(2)"
    typed(chain)
    wait_for(Pattern(text=chain))
    assert complaint(widget, chain) is None
    wrong = "INPUT(3, 16, 16) => CNOV(4)"
    typed(wrong)
    wait_for(Pattern(text=wrong))
    assert widget.locator("pre").inner_text().endswith("\n" + " " * 20 + "^")
    assert area.input_value() == wrong
    for _ in range(20):
        told = run_cell(page, 1)
        if wrong in told:
            break
    assert told == f"0 {wrong!r}"
    # A pattern takes its numbers from the controls, by keyboard.
    typed("INPUT(3, 16, 16) => [CONV(4) => RELU]*N => FC(2)")
    wait_for(Pattern(text="INPUT(3, 16, 16) => [CONV(4) => RELU] * 2 => FC(2)"))
    widget.locator("#n").focus()
    page.keyboard.press("ArrowUp")
    wait_for(Pattern(text="INPUT(3, 16, 16) => [CONV(4) => RELU] * 3 => FC(2)"))
    # What it does not ask for gives the field back to the controls.
    widget.locator("#m").focus()
    page.keyboard.press("ArrowUp")
    wait_for(Pattern(n=3, m=3))
    assert area.input_value() == Pattern(n=3, m=3).diagram
    # From Python, with branches.
    run_cell(page, 2)
    wait_for(Pattern(text=zoo.resnet18))
    assert area.input_value() == zoo.resnet18
    assert widget.locator(".scroll tbody tr").count() == len(summarize(zoo.resnet18).rows) + 1
    assert page.outside == []
