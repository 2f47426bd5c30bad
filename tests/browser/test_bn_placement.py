"""BN before RELU or behind it, in Chromium: what the histograms show, while the reader drags."""

import re

import pytest

from cnnlib.widgets import BnPlacement
from cnnlib.widgets.bn_placement import statistics
from cnnlib.widgets.bundle import page_script

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>BN</title>
<script defer src="widgets.js"></script></head><body>{widget}</body></html>"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    (folder / "widgets.js").write_text(page_script(["bn_placement"]), encoding="utf-8")
    page = PAGE.format(widget=BnPlacement().page_html("bn"))
    (folder / "index.html").write_text(page, encoding="utf-8")
    return (folder / "index.html").as_uri()


@pytest.fixture
def widget(chromium, address):
    with chromium.new_context(viewport={"width": 800, "height": 900}) as context:
        page, errors = context.new_page(), []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        yield page.locator("#bn .widget")
        assert errors == []


def drag(widget, **settings):
    """Move sliders by keyboard to where `settings` wants them."""
    for name, value in settings.items():
        slider = widget.locator(f"#{name}")
        slider.focus()
        row = BnPlacement.class_traits()[name].row
        slider.press("Home")
        for _ in range(round((value - row["minimum"]) / row["step"])):
            slider.press("ArrowRight")


def panels(widget, order: str):
    return widget.get_by_role("group", name=order, exact=True).locator("figure")


def numbers(panel) -> list[str]:
    return panel.locator("dd").all_inner_texts()


def expected(values) -> list[str]:
    told = statistics(values)
    texts = [
        f"{told.mean:.2f}",
        f"{told.variance:.2f}",
        f"{100 * told.zeros:.1f} %",
        f"{100 * told.negative:.1f} %",
    ]
    return [re.sub(r"^-0\.00$", "0.00", text).replace("-", "−") for text in texts]  # fmt: skip


def bars(panel) -> list[list[float]]:
    """Place and height of every bar, in pixels from the axis."""
    return panel.locator("rect.bar").evaluate_all(
        "bars => bars.map(b => [b.x.baseVal.value, b.height.baseVal.value])"
    )


def test_each_panel_tells_the_numbers_of_its_step(widget):
    for settings in ({}, {"mean": -1.3, "spread": 1.7, "gamma": 0.6, "beta": 0.4}):
        drag(widget, **settings)
        wanted = BnPlacement(**settings)
        for order, steps in (("BN → RELU", wanted.bn_relu), ("RELU → BN", wanted.relu_bn)):
            for panel, values in zip(
                panels(widget, order).all(), (wanted.batch, *steps), strict=True
            ):
                assert numbers(panel) == expected(values)


def test_the_mean_moves_nothing_behind_bn_and_all_in_the_other_order(widget):
    left, right = panels(widget, "BN → RELU"), panels(widget, "RELU → BN")
    start = [bars(panel) for panel in (*left.all(), *right.all())]
    drag(widget, mean=-1.0)
    moved = [bars(panel) for panel in (*left.all(), *right.all())]
    same = [one == pytest.approx(other) if len(one) == len(other) else False
            for one, other in zip(map(flat, start), map(flat, moved), strict=True)]  # fmt: skip
    assert same == [False, True, True, False, False, False]


def flat(pairs) -> list[float]:
    return [number for pair in pairs for number in pair]


def test_the_silent_numbers_have_a_bar_where_they_are_and_the_others_add_up(widget):
    drag(widget, mean=1.0, beta=0.5)
    wanted = BnPlacement(mean=1.0, beta=0.5)
    steps = [panels(widget, "BN → RELU").nth(2), panels(widget, "RELU → BN").nth(1), panels(widget, "RELU → BN").nth(2)]  # fmt: skip
    before, behind = wanted.silent
    moved = wanted.relu_bn[1].min()
    for panel, part, at in zip(steps, (before, behind, behind), (0.0, 0.0, moved), strict=True):
        told = panel.locator("text.told").all_text_contents()
        assert told == [f"{100 * part:.1f} %", f"at {at:.2f}".replace("-", "−")]
        height = panel.locator("rect.silent").evaluate("bar => bar.height.baseVal.value")
        whole = height / part  # pixels of all the numbers
        rest = sum(h for _, h in bars(panel))
        assert rest / whole == pytest.approx(1 - part, abs=1e-4)
    for panel in (panels(widget, "BN → RELU").nth(0), panels(widget, "BN → RELU").nth(1)):
        assert panel.locator("rect.silent").count() == 0


def test_a_dead_channel_is_a_warning_and_one_bar(widget):
    widget.get_by_role("button", name="All negative").press("Enter")
    assert (
        widget.locator("output.verdict.refused").inner_text().startswith("All inputs are negative")
    )
    for panel in panels(widget, "RELU → BN").all()[1:]:
        assert panel.locator("rect.bar").count() == 0
        assert panel.locator("text.told").all_text_contents() == ["100.0 %", "at 0.00"]


def test_both_orders_stand_side_by_side_on_a_phone(chromium, address):
    with chromium.new_context(viewport={"width": 360, "height": 740}) as context:
        page = context.new_page()
        page.goto(f"{address}#bn.mean=-1")
        widget = page.locator("#bn .widget")
        for left, right in zip(
            panels(widget, "BN → RELU").all(), panels(widget, "RELU → BN").all(), strict=True
        ):
            one, other = left.bounding_box(), right.bounding_box()
            assert one["y"] == other["y"]
            assert one["x"] + one["width"] <= other["x"]
            for text in right.locator("text.told").all():
                box = text.bounding_box()
                assert box["x"] + box["width"] <= 360 - 12
