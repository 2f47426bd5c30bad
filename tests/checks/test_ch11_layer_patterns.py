"""What is special in the graders of exercise ch11_layer_patterns: many texts are right."""

from itertools import product
from pathlib import Path

import pytest

from cnnlib.checks import ch11_layer_patterns as exercise
from cnnlib.checks.ch11_layer_patterns.repair import RIGHT, in_words_of
from cnnlib.checks.engine import examine
from cnnlib.diagram import summarize
from cnnlib.errors import DiagramError
from cnnlib.grading.notebooks import source_notebook

ROOT = Path(__file__).parents[2]
BROKEN = exercise.BROKEN


def _report(letter, function, seeds=("visible", "a secret")):
    task = exercise.EXERCISE.tasks[letter]
    return examine(exercise.EXERCISE, task, function, seeds=list(seeds))


def _lost(report):
    return {row.part for row in report.rows if row.status != "earned"}


# --- (a) ------------------------------------------------------------------------------------------


def test_arrows_spaces_and_comments_are_free():
    def write_out(N, M, K, pool):
        block = "→CONV→RELU" * N + "\n→POOL # halved\n" * pool
        return "INPUT" + block * M + "  =>FC=>   RELU" * K + "=>FC"

    assert _report("a", write_out).points == 8


def test_a_pattern_that_is_not_written_out_earns_nothing():
    def folded(N, M, K, pool):
        end = " => POOL" * pool
        return f"INPUT => [[CONV => RELU] * {N}{end}] * {M} => [FC => RELU] * {K} => FC"

    report = _report("a", folded)
    assert report.points == 0
    assert "not written out" in str(report)


def test_a_comment_hides_no_star():
    report = _report("a", lambda *a: "INPUT # x\n => [CONV => RELU] * 1 => FC => RELU => FC")
    assert report.points == 0


def test_two_mistakes_in_a_pattern_are_both_named():
    def write_out(N, M, K, pool):
        names = (["CONV", "RELU"] + ["POOL"] * pool) * N * M
        return " => ".join(["INPUT", *names, *["FC"] * K, "FC"])

    report = _report("a", write_out)
    assert report.points == 2 + 2
    assert {idea.name for idea in report.ideas} == {
        "a POOL behind each CONV",
        "hidden FC layers without RELU",
    }


# --- (b) ------------------------------------------------------------------------------------------


def by_search(budget, side, classes):
    """The chapter's way: try blocks whose filters double, and take the first that meets the demands."""
    for N, M, width in product((2, 3, 4, 8), (1, 2, 3, 4, 5), (2, 3, 4, 6, 8)):
        blocks = [f"[CONV({width * 2**b}) => RELU] * {N} => POOL" for b in range(M)]
        text = " => ".join([f"INPUT(3, {side}, {side})", *blocks, f"FC({classes}) => SOFTMAX"])
        try:
            summary = summarize(text)
        except DiagramError:
            continue
        field = [row.field for row in summary.rows if row.text.startswith("CONV")][-1]
        if budget / 3 <= summary.totals.params <= budget and field[0] >= side:
            return text
    return None


def by_dilation(budget, side, classes):
    """No POOL at all, batch normalization, another activation, a hidden FC: as good."""
    convs, field, dilation, text = 0, 1, 1, f"INPUT(3, {side}, {side})"
    while field < side or convs < 4:
        text += f" => CONV(W, dilation={dilation}) => BN => LRELU"
        convs, field, dilation = convs + 1, field + 2 * dilation, dilation + 1
    text += f" => GAP => FC(16) => LRELU => DO => FC({classes})"
    return next(
        text.replace("W", str(width))
        for width in range(60, 1, -1)
        if summarize(text.replace("W", str(width))).totals.params <= budget
    )


@pytest.mark.parametrize("design", [by_search, by_dilation])
def test_any_network_that_meets_the_demands_passes(design):
    report = _report("b", design, ["visible"])
    assert _lost(report) <= (
        {"sides that can be halved once or twice only"} if design is by_search else set()
    ), str(report)


def test_two_mistakes_in_a_design_cost_two_parts():
    def fixed(budget, side, classes):
        convs = "[CONV(8) => RELU => POOL] * 4"
        return f"INPUT(3, {side}, {side}) => {convs} => FC({classes}) => RELU"

    report = _report("b", fixed)
    lost = _lost(report)
    assert {"from the image to the class scores", "a third of the budget is used"} <= lost
    assert "at least four CONV layers" not in lost
    assert "the linter finds nothing" not in lost
    assert "a RELU behind the last FC" in str(report)


def test_a_text_that_is_too_long_is_refused_in_good_time():
    report = _report("b", lambda *a: "INPUT(3, 32, 32)" + " => CONV(1) => RELU" * 100_000)
    assert report.points == 0
    assert "characters" in str(report)


# --- (c) ------------------------------------------------------------------------------------------


def test_the_notebook_and_the_check_have_the_same_broken_texts():
    folder = ROOT / "solutions" / "ch11_layer_patterns"
    cells = {cell.id: cell.source for cell in source_notebook(folder / "patterns.py").cells}
    space = {}
    exec(cells["c_given"], space)
    assert space["BROKEN"] == BROKEN


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, BROKEN[1].replace("FC(64) RELU", "FC(64) → RELU")),
        (2, BROKEN[2].replace("=> SOFTMAX", "=> FC(10)\n=> SOFTMAX")),
        (2, BROKEN[2].replace("SOFTMAX", "FC(10, bias=false) => SOFTMAX")),
        (2, BROKEN[2].replace("DO", "DO(0.5)").replace("SOFTMAX", "FC(10) => SOFTMAX")),
        (3, BROKEN[3].replace("FC(64)", "CONV(64, 1)")),
        (3, RIGHT[3].replace("RELU => POOL => FC(64)", "POOL => RELU => FC(64)")),
        (4, BROKEN[4].replace("* 3", "* 2 => CONV(16) => RELU => GAP")),
        (4, BROKEN[4].replace("[", "CONV(16) => RELU => [").replace("* 3", "* 2")),
        (4, BROKEN[4].replace("* 3", "* 2 => CONV(16) => RELU => POOL(7)")),
        (5, "INPUT(3,32,32)" + "=>CONV(16)=>RELU=>CONV(16,3)=>RELU=>POOL" * 2 + "=>FC(10)"),
    ],
)
def test_every_right_repair_passes(number, text):
    assert in_words_of(number, text) == "repaired"


@pytest.mark.parametrize(
    ("number", "text", "words"),
    [
        (1, BROKEN[1], "arrow"),
        (1, RIGHT[1].replace("64", "32"), "more than the mistake"),
        (2, BROKEN[2], "unchanged"),
        (2, RIGHT[2].replace("* 3", "* 2"), "more than the mistake"),
        (2, RIGHT[2].replace("FC(10)", "FC(100)"), "10 class scores"),
        (3, "INPUT(3, 32, 32) => GAP => FC(10)", "Gone"),
        (4, BROKEN[4].replace("* 3", "* 1"), "Gone"),
        (4, RIGHT[4].replace("1, 28, 28", "3, 28, 28"), "the image"),
        (5, RIGHT[5].replace("16", "8"), "more than the mistake"),
        (5, RIGHT[5].replace(" => POOL] * 2", "] * 2 => POOL"), "4, meant"),
    ],
)
def test_a_wrong_repair_hears_why(number, text, words):
    found = in_words_of(number, text)
    assert found != "repaired"
    assert words.split(",")[0] in found


def test_texts_as_they_are_earn_nothing_and_name_one_idea():
    report = _report("c", BROKEN.get)
    assert report.points == 0
    assert [idea.name for idea in report.ideas] == ["the linter is silent, so all is well"]
