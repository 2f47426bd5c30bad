"""The pattern builder: every setting's answer is cnnlib's, and a typed diagram is answered live."""

import itertools
import json
import random
import re

import pytest

from cnnlib.diagram import expand, lint, summarize, zoo
from cnnlib.errors import CnnlibError, DiagramError, RangeError, ShapeError
from cnnlib.widgets import Pattern
from cnnlib.widgets.pattern import ask
from tests.widgets.common import drawn_settings, in_javascript
from tools import pattern_data

ANSWERS = """
import {{ answerTo, diagram }} from "{pattern}";
const data = JSON.parse(readFileSync("{folder}/data.json", "utf8"));
const answer = (values) => [diagram(values), answerTo(values, data)];
"""
LIVE = """
import {{ facts, verdict }} from "{pattern}";
const data = JSON.parse(readFileSync("{folder}/data.json", "utf8"));
const answer = ([values, live]) => [verdict(values, data, live), facts(values, data, live)];
"""
COMMON = "INPUT(3, 32, 32) => [[CONV(32) => RELU]*N => POOL?]*M => [FC(256) => RELU]*K => FC(10)"


@pytest.mark.claim("M11.1")
def test_the_settings_are_those_of_the_common_pattern():
    for n, m, k, pool in itertools.product(range(4), range(4), range(3), (True, False)):
        builder = Pattern(n=n, m=m, k=k, pool=pool)
        assert expand(builder.diagram) == expand(COMMON, N=n, M=m, K=k, pool=pool)


@pytest.mark.claim("M11.4")
def test_three_zeros_and_the_very_shallow_network():
    assert str(expand(Pattern(n=0, m=0, k=0).diagram)) == "INPUT(3, 32, 32) => FC(10)"
    shallow = expand(Pattern(n=1, m=1, k=0, pool=False).diagram)
    assert [layer.kind for layer in shallow.items] == ["INPUT", "CONV", "RELU", "FC"]


@pytest.mark.claim("M11.9")
def test_batch_normalization_before_and_after_the_activation():
    kinds = {
        norm: [layer.kind for layer in expand(Pattern(n=1, m=1, norm=norm, dropout=True).diagram).items]
        for norm in ("before", "after")
    }  # fmt: skip
    assert " ".join(kinds["before"]) == "INPUT CONV BN RELU POOL FC BN RELU DO FC"
    assert " ".join(kinds["after"]) == "INPUT CONV RELU BN POOL FC RELU BN DO FC"


def test_the_file_holds_what_cnnlib_says_today():
    remedy = "run python -m tools.pattern_data"
    assert pattern_data.FILE.read_text(encoding="utf-8") == pattern_data.written(
        pattern_data.pack()
    ), remedy
    assert len(pattern_data.FILE.read_bytes()) < 50_000, "it lies in the page"


def test_javascript_unpacks_exactly_that(tmp_path):
    (tmp_path / "data.json").write_text(json.dumps(Pattern.data()), encoding="utf-8")
    draw = random.Random(11)
    cases = [setting | {"text": ""} for setting in draw.sample(pattern_data.settings(), 300)]
    broken = 0
    for case, (text, found) in zip(cases, in_javascript(ANSWERS, cases, tmp_path), strict=True):
        builder = Pattern(**case)
        assert text == builder.diagram
        assert found == builder.answer._asdict(), case
        broken += bool(found["error"])
    assert broken > 3


@pytest.mark.parametrize("text", [zoo.vgg16, zoo.resnet18, COMMON, "INPUT(1, 9, 5) => GAP"])
def test_an_answer_is_that_of_summary_and_linter(text):
    answer = ask(str(expand(text, N=2, M=1, K=1, pool=True) if text == COMMON else text))
    summary = summarize(expand(text, N=2, M=1, K=1, pool=True) if text == COMMON else text)
    assert [row[2] for row in answer.rows] == [row.params for row in summary.rows]
    assert [row[3] for row in answer.rows] == [row.macs for row in summary.rows]
    assert [row[1] for row in answer.rows] == [
        "×".join(map(str, row.shape)) for row in summary.rows
    ]
    if text != COMMON:
        assert [finding[0] for finding in answer.findings] == [each.rule for each in lint(text)]


def test_a_mistake_is_shown_where_it_is():
    answer = ask("INPUT(3, 32, 32)\n=> CNOV(8) => FC(10)")
    assert answer.error == [
        "CNOV is not a layer. Did you mean CONV?",
        "=> CNOV(8) => FC(10)\n   ^",
    ]
    assert answer.rows == answer.findings == []
    assert ask("INPUT(3, 8, 8) => [CONV(8) => RELU] * 400").error[0].startswith("This widget shows")


# --- typed diagrams ---


def test_a_typed_diagram_counts_until_it_is_empty():
    builder = Pattern()
    own = builder.params
    builder.text = "INPUT(3, 32, 32) => FC(10)"
    assert builder.params == summarize(builder.text).totals.params
    assert builder.summary().endswith("this is a linear classifier.")
    assert builder._live == {"text": builder.text, **ask(builder.text)._asdict()}
    builder.text = "INPUT(3, 32, 32) => CNOV(8)"
    assert builder.summary() == "This cannot be built. CNOV is not a layer. Did you mean CONV?"
    assert builder.text == "INPUT(3, 32, 32) => CNOV(8)", "a mistake keeps what was typed"
    builder.text = ""
    assert (builder.params, builder._live) == (own, {})


def test_a_browsers_message_is_answered_in_the_synced_trait():
    builder = Pattern()
    builder.set_state({"text": zoo.alexnet})
    assert "_live" in builder.keys
    assert sum(row[2] for row in builder._live["rows"]) == summarize(zoo.alexnet).totals.params


def test_a_typed_pattern_takes_its_numbers_from_the_controls():
    builder = Pattern(n=1, m=1, k=0, pool=False)
    builder.text = COMMON
    assert builder.params == Pattern(n=1, m=1, k=0, pool=False).params
    builder.n = 3
    assert builder.text == COMMON
    assert sum(row[2] for row in builder._live["rows"]) == Pattern(n=3, m=1, k=0, pool=False).params
    builder.dropout = True  # which the text does not ask for
    assert builder.text == ""
    assert "DO" in builder.diagram
    builder.text = "INPUT(3, 32, 32) => [CONV(8)]*L"
    assert builder.answer.error[0].startswith("L stands for a number that is not given.")


def test_reset_brings_back_settings_and_text_in_one_message():
    builder = Pattern(n=1, text="INPUT(3, 8, 8) => FC(2)")
    initial = dict(builder._initial)
    builder.n = 2
    assert builder.text == ""
    builder.set_state(initial)
    assert builder.settings == initial
    assert builder._live["text"] == initial["text"]
    builder.set_state(Pattern().settings)
    assert builder.settings == Pattern().settings
    assert builder._live == {}


def test_both_languages_say_the_same_of_a_typed_diagram(tmp_path):
    (tmp_path / "data.json").write_text(json.dumps(Pattern.data()), encoding="utf-8")
    texts = [getattr(zoo, name) for name in ("alexnet", "vgg16", "googlenet", "resnet50")]
    texts += [
        COMMON,
        "INPUT(3, 9, 5) => CONV(4, 3x1) => POOL(3, 2) => GAP => FC(2)",
        "INPUT(7) => RELU",
    ]
    texts += ["INPUT(3, 32, 32) => FC(5) => RELU => FC(2)", "[", " ", "INPUT => FC"]
    draw, builder, cases, expected = random.Random(3), Pattern(), [], []
    for text in texts:
        for name, value in drawn_settings("pattern", draw).items():
            setattr(builder, name, value)
        builder.text = text
        cases.append([builder.settings, builder._live])
        expected.append([builder.summary(), [list(fact) for fact in builder.facts()]])
    for found, wanted in zip(in_javascript(LIVE, cases, tmp_path), expected, strict=True):
        assert found == wanted


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"n": 4}, ShapeError, "n=4 is too large for this widget: use at most 3."),
        ({"k": -1}, ShapeError, "k=-1 is too small"),
        ({"norm": "both"}, RangeError, "norm='both' is none of its choices: use none, before, after."),
        ({"image": "32"}, RangeError, "image='32' is none of its choices: use 1x28x28, 3x32x32"),
        ({"pool": 1}, RangeError, "pool=1 is a switch: use True or False."),
        ({"text": "FC" * 2001}, RangeError, "text is no text of at most 4000 characters."),
        ({"N": 2}, CnnlibError, "N is not a setting of Pattern: use image, n, m, k, pool"),
    ],
)  # fmt: skip
def test_a_bad_setting_is_refused_with_a_remedy(settings, error, message):
    with pytest.raises(error, match=re.escape(message)):
        Pattern(**settings)


def test_a_page_has_no_python_to_read_a_text():
    with pytest.raises(CnnlibError, match="text needs a kernel"):
        Pattern(text="INPUT(3, 8, 8) => FC(2)").page_html("here")


def test_a_network_that_cannot_be_built_says_why():
    builder = Pattern(image="1x28x28", m=3)
    assert builder.params == 0
    assert builder.summary() == (
        "This cannot be built. POOL 2 × 2 with stride 2 meets the odd size 7."
    )
    with pytest.raises(DiagramError):
        summarize(builder.diagram)
