"""The pooling stepper in Chromium: stepped, played, picked and edited by keyboard, against cnnlib."""

import pytest

from cnnlib.widgets import Pooling
from cnnlib.widgets.base import fixed
from cnnlib.widgets.bundle import page_script

pytestmark = pytest.mark.browser

PAGE = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Pooling</title><script defer src="widgets.js"></script><body>{}'


@pytest.fixture
def widget(chromium, tmp_path):
    (tmp_path / "widgets.js").write_text(page_script(["pooling"]), encoding="utf-8")
    (tmp_path / "index.html").write_text(PAGE.format(Pooling().page_html("p")), encoding="utf-8")
    errors = []
    with chromium.new_context() as context:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((tmp_path / "index.html").as_uri())
        yield page.locator(".widget")
    assert errors == []


def written(number) -> str:
    return fixed(float(number)).rstrip("0").rstrip(".")


def texts(widget, name: str, part: str) -> list[str]:
    """Of the cells of grid `name`: their numbers ("input" or "button") or what stands below ("small")."""
    cells = widget.get_by_role("table", name=name, exact=True).locator(part)
    return cells.evaluate_all("all => all.map(e => e.value || e.textContent)")


def marked(widget, mark: str) -> list[int]:
    marks = widget.locator(".grid.edit td").evaluate_all("all => all.map(e => e.className)")
    return [place for place, cls in enumerate(marks) if cls == mark]


def said(widget) -> str:
    return widget.locator("output").inner_text()


def preset(widget, label: str):
    widget.get_by_role("button", name=label, exact=True).press("Enter")


def test_steps_fill_the_output_and_mark_window_and_winner(widget):
    preset(widget, "F 2, S 1")
    stepper, on = Pooling(stride=1), widget.get_by_role("button", name="One step on")
    answers = [written(number) for number in stepper.output.ravel()]
    on.focus()
    for step, (row, column) in enumerate(stepper.winners):
        stepper.step = step
        assert texts(widget, "Output", "button") == answers[: step + 1] + [""] * (8 - step)
        assert marked(widget, "won") == [4 * row + column]
        top, left = divmod(step, 3)
        window = {4 * (top + i) + left + j for i in (0, 1) for j in (0, 1)}
        assert {*marked(widget, "under"), *marked(widget, "tie"), 4 * row + column} == window
        assert said(widget) == stepper.summary()
        widget.page.keyboard.press("Enter")
    assert widget.get_by_role("button", name="F 2, S 1").get_attribute("aria-current") == "true"


@pytest.mark.parametrize("kind", ["max", "average"])
def test_backward_gradients_gather_below_the_input(widget, kind):
    preset(widget, "A tie, backward")
    widget.locator("#kind").select_option(kind)
    stepper = Pooling(kind=kind, stride=1, size=5, direction="backward")
    assert texts(widget, "Output", "small") == [str(n) for n in range(1, 17)]
    widget.get_by_role("button", name="Last step").press("Enter")
    assert texts(widget, "Input", "small") == [written(n) for n in stepper.gradient.ravel()]
    widget.get_by_role("button", name="First step").press("Enter")
    first = stepper._backward(stepper.upstream * (stepper.upstream == 1))
    assert texts(widget, "Input", "small") == [written(n) for n in first.ravel()]


def test_a_tie_is_marked_and_the_first_takes_the_gradient(widget):
    preset(widget, "A tie, backward")
    assert (marked(widget, "won"), marked(widget, "tie")) == ([13], [14])
    label = widget.locator(".grid.edit input").nth(14).get_attribute("aria-label")
    assert label == "Input, row 3, column 5, as large, but later, gradient 0"
    assert said(widget) == Pooling(stride=1, size=5, direction="backward", step=7).summary()


def test_numbers_are_typed_with_the_arrow_keys_between(widget):
    keyboard, field = widget.page.keyboard, widget.locator(".grid.edit input")
    field.first.focus()
    keyboard.press("ArrowRight")
    keyboard.press("ArrowDown")
    keyboard.type("-7")
    keyboard.press("ArrowUp")
    keyboard.type("99")
    cells = Pooling().cells
    cells[1], cells[8] = 99, -7
    assert said(widget) == Pooling(cells=cells).summary()
    assert texts(widget, "Output", "button")[0] == "99"
    keyboard.press("Control+a")
    keyboard.type("1000")
    assert field.nth(1).get_attribute("aria-invalid") == "true"
    keyboard.press("Tab")
    assert field.nth(1).input_value() == "10"  # the last number that belonged, on the way to 1000
    # What lies outside a smaller plane is still there when the plane grows again.
    widget.locator("#size").fill("2")
    widget.locator("#size").fill("5")
    cells[1] = 10
    expected = Pooling(cells=cells, size=5).plane.ravel()
    assert texts(widget, "Input", "input") == [written(n) for n in expected]


def test_an_output_is_picked_to_see_its_window(widget):
    preset(widget, "Overlap: F 3, S 2")
    picks = widget.locator(".grid.pick button")
    picks.first.focus()
    for key in ("ArrowDown", "ArrowRight", "Enter"):
        widget.page.keyboard.press(key)
    assert said(widget) == Pooling(kernel=3, size=7, step=4).summary()
    assert picks.nth(4).get_attribute("aria-label") == "row 2, column 2: 9, this window"


def test_unread_numbers_are_hatched(widget):
    preset(widget, "Odd size")
    assert marked(widget, "lost") == [4, 9, 14, 19, 20, 21, 22, 23, 24]
    assert widget.locator(".legend").get_by_text("never read").is_visible()


def test_while_it_plays_nothing_is_announced_and_the_end_stops_it(widget):
    page, answer = widget.page, widget.locator("output")
    widget.get_by_role("button", name="Play").press("Enter")
    page.wait_for_function(
        "document.querySelector('#p').shadowRoot.querySelector('.value').textContent === '2 of 4'"
    )
    assert answer.get_attribute("aria-live") == "off"
    widget.get_by_role("button", name="Play").wait_for(timeout=8000)  # it was "Pause" until the end
    assert said(widget) == Pooling(step=3).summary()
    widget.get_by_role("button", name="One step back").press("Enter")
    assert answer.get_attribute("aria-live") == "polite"
    assert said(widget) == Pooling(step=2).summary()


def test_a_window_that_does_not_fit_leaves_the_input_to_be_mended(widget):
    widget.locator("#kernel").fill("5")
    assert said(widget) == Pooling(kernel=5).summary()
    assert widget.get_by_role("table", name="Output").is_hidden()
    assert widget.get_by_role("group", name="Steps").is_hidden()
    widget.locator("#size").fill("5")
    assert said(widget) == Pooling(kernel=5, size=5).summary()
