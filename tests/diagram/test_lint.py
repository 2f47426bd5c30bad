"""Each rule from both sides, and well-known networks without noise."""

import pytest
from hypothesis import given

from cnnlib.diagram import zoo
from cnnlib.diagram.lint import RULES, lint
from cnnlib.diagram.parse import parse
from cnnlib.errors import CnnlibError, DiagramError
from tests.diagram.trees import TREES

# rule, severity, a text that breaks it, the word the finding points at, a text that keeps it
CASES = [
    ("M2.2", "warning", "CONV => SOFTMAX => FC", "SOFTMAX", "CONV => RELU => FC => SOFTMAX"),
    ("M2.4", "warning", "INPUT => CONV => FC", "CONV", "INPUT => CONV => RELU => FC"),
    ("M2.4", "warning", "CONV => BN => POOL => CONV", "CONV", "CONV => BN => POOL => RELU => CONV"),
    ("M2.4", "warning", "{ CONV + ID } => FC", "CONV", "{ CONV + ID } => RELU => FC"),
    ("M2.4", "warning", "FC => FC", "FC", "FC => ELU => FC"),
    ("M4.6", "error", "INPUT(3, 224, 224) => CONV(96, 11, 4, 0)", "CONV", "INPUT(3, 227, 227) => CONV(96, 11, 4, 0)"),
    ("M4.6", "error", "INPUT(3, 2, 2) => CONV(4, 5, padding=0)", "CONV", "INPUT(3, 5, 5) => CONV(4, 5, padding=0)"),
    ("M4.6", "warning", "INPUT(3, 224, 224) => CONV(96, 7, 2, 0, rounding=floor)", "CONV", "INPUT(3, 224, 224) => CONV(96, 7, 2, 3, rounding=floor)"),
    ("M4.6", "error", "INPUT(3, 112, 112) => POOL(3, 2)", "POOL", "INPUT(3, 112, 112) => POOL(3, 2, rounding=ceil)"),
    ("M5.1", "warning", "CONV => RELU => ACT", "ACT", "CONV => RELU => CONV => ELU"),
    ("M5.1", "warning", "FC => ELU => RELU", "RELU", "{ RELU + ID } => RELU"),
    ("M6.3", "warning", "INPUT(3, 224, 224) => POOL(5, 2)", "POOL", "INPUT(3, 225, 225) => POOL(3, 2)"),
    ("M6.3", "warning", "INPUT(3, 8, 8) => POOL(4, 4)", "POOL", "INPUT(3, 8, 8) => POOL(8, 8, mode=avg)"),
    ("M8.2", "error", "FC(8) => RELU => CONV(4)", "CONV", "CONV(8, 1) => RELU => CONV(4)"),
    ("M8.2", "error", "GAP => POOL", "POOL", "POOL => GAP => FC"),
    ("M9.8", "note", "CONV => BN => RELU => CONV => RELU => BN", "BN => RELU => CONV", "CONV => BN => RELU => CONV => BN => RELU"),
    ("M9.8", "warning", "FC => BN => SOFTMAX", "BN", "FC => RELU => BN => FC => SOFTMAX"),
    ("M10.3", "note", "POOL => DO(0.5) => CONV", "DO", "POOL => DO(0.25) => CONV"),
    ("M10.3", "note", "CONV => RELU => DO => POOL", "DO", "POOL => DO(0.5) => FC"),
    ("M10.3", "warning", "FC => DO => SOFTMAX", "DO", "FC => RELU => DO => FC => SOFTMAX"),
    ("M11.7", "warning", "[FC => RELU => DO] * 2 => SOFTMAX", "SOFTMAX", "[FC => RELU => DO] * 2 => FC => SOFTMAX"),
    ("M11.7", "warning", "CONV => RELU => SOFTMAX", "SOFTMAX", "CONV => RELU => GAP => SOFTMAX"),
    ("M11.8", "warning", "INPUT => POOL => CONV", "POOL", "INPUT => CONV => POOL"),
    ("M11.8", "warning", "CONV => RELU => [POOL] * 2", "POOL", "CONV => RELU => POOL => POOL(3, 1)"),
    ("M13.1", "note", "INPUT(3, 32, 48)", "INPUT", "INPUT(3, 32, 32)"),
    ("M13.2", "note", "INPUT(3, 229, 229)", "INPUT", "INPUT(3, 299, 299)"),
    ("M13.3", "error", "INPUT(1, 30, 30) => [CONV(4) => POOL] * 2", "POOL", "INPUT(1, 32, 32) => [CONV(4) => POOL] * 2"),
    ("M13.3", "warning", "INPUT(1, 15, 15) => POOL(rounding=floor)", "POOL", "INPUT(1, 16, 16) => POOL"),
    ("M13.4", "warning", "CONV => CONV(8, 7)", "CONV(8", "CONV => CONV(8, 5)"),
    ("M13.4", "warning", "INPUT(3, 64, 64) => CONV(8, 7)", "CONV", "INPUT(3, 224, 224) => CONV(8, 7)"),
    ("M13.4", "warning", "CONV => CONV(8, 7x7)", "CONV(8", "CONV => CONV(8, 7x1) => CONV(8, 1x7)"),
    ("M13.5", "note", "INPUT(3, 33, 33) => CONV(8, 3, 2)", "CONV", "INPUT(3, 225, 225) => CONV(8, 3, 2)"),
    ("M13.5", "note", "INPUT(3, 224, 224) => [CONV(8) => RELU] * 3", "CONV", "INPUT(3, 224, 224) => [CONV(8) => RELU] * 2"),
    ("M13.6", "note", "CONV(8, 5, padding=1)", "CONV", "CONV(8, 5, padding=2)"),
    ("M13.6", "note", "CONV(8, 5x1, padding=0)", "CONV", "CONV(8, 5x1, padding=2x0)"),
    ("M13.7", "note", "INPUT(3, 33, 33) => CONV(8) => POOL(3, 2)", "POOL", "INPUT(3, 225, 225) => CONV(8) => POOL(3, 2)"),
    ("M13.7", "note", "POOL(2, 3)", "POOL", "POOL(2, 2)"),
    ("M13.8", "note", "[CONV => RELU] * 3", "CONV", "[CONV => RELU => BN] * 3"),
    ("M13.9", "note", "FC => RELU => FC", "FC", "FC => RELU => DO => FC"),
    ("M13.10", "note", "INPUT(3, 64, 64) => CONV(64) => FC(10)", "FC", "INPUT(3, 64, 64) => CONV(64) => GAP => FC(10)"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "severity", "bad", "word", "good"), CASES)
def test_each_rule_from_both_sides(rule, severity, bad, word, good):
    found = [finding for finding in lint(bad) if finding.rule == rule]
    assert [(finding.severity, finding.at) for finding in found] == [(severity, bad.index(word))]
    assert found[0].message.endswith((".", "unread."))
    assert found[0].why
    assert found[0].rewrite
    assert rule not in {finding.rule for finding in lint(good)}
    assert rule not in {finding.rule for finding in lint(bad, disable=[rule])}


def test_every_rule_has_a_case():
    assert {rule for rule, _ in RULES} == {case[0] for case in CASES}


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        # no batch normalization yet in 2014; its first FC holds three quarters of all weights
        ("vgg16", ["M13.8", "M13.10"]),
        ("resnet18", []),
        ("resnet50", []),
        ("googlenet", []),
        ("alexnet", ["M13.8", "M13.9", "M13.10"]),
    ],
)
def test_known_networks_lint_without_noise(name, rules):
    findings = lint(getattr(zoo, name))
    assert [finding.rule for finding in findings] == rules
    assert {finding.severity for finding in findings} <= {"note"}


@pytest.mark.claim("M11.5", "M11.7")
def test_the_scores_that_the_source_leaves_out():
    text = "INPUT => [CONV => RELU => POOL] * 2 => [CONV => RELU] * 3 => POOL => [FC => RELU => DO] * 2 => SOFTMAX"
    assert [finding.rule for finding in lint(text)] == ["M13.8", "M11.7"]


def test_one_finding_in_full():
    (finding,) = lint("INPUT(3, 224, 224) => CONV(96, 7, 2, 0, rounding=floor)")
    assert (finding.message, finding.why, finding.rewrite) == (
        "No window of CONV(96, 7, stride=2, padding=0, rounding=floor) sees the last row and the last column.",
        "Rounding the output size down ignores the far edge.",
        "Add padding, or change the input size.",
    )


def test_a_rewrite_can_be_written():
    (finding,) = lint("CONV(8, 5x1, padding=0, bias=false)")
    assert finding.rewrite == "CONV(8, 5x1, padding=same, bias=false)"
    assert lint(finding.rewrite) == []


def test_the_nearest_input_that_pools_evenly():
    body = " => [CONV(4) => RELU => POOL] * 3 => FC(2)"
    (finding,) = lint(f"INPUT(1, 28, 28){body}", disable=["M13.8"])
    assert finding.rewrite == "INPUT(1, 32, 32)"
    assert lint(finding.rewrite + body, disable=["M13.8"]) == []


def test_a_repeated_layer_is_reported_once():
    findings = lint("[[CONV => CONV => RELU] * 3] * 4", disable=["M13.8"])
    assert [(finding.rule, finding.at) for finding in findings] == [("M2.4", 2)]


def test_patterns_without_numbers_and_trees_lint_too():
    pattern = "INPUT => [[CONV => RELU]*N => POOL?]*M => [FC => RELU]*K => FC"
    assert [finding.rule for finding in lint(pattern)] == ["M13.8", "M13.9"]
    assert [finding.rule for finding in lint(parse(pattern))] == ["M13.8", "M13.9"]


@given(TREES)
def test_the_linter_answers_whatever_the_diagram(tree):
    text = str(tree)
    try:
        findings = lint(text)
    except DiagramError as error:
        assert error.message in (  # noqa: PT017 - both are answers
            "No layer is left.",
            "Written out, the diagram has more than 10,000 layers.",
        )
        return
    for finding in findings:
        assert text[finding.at].isupper(), "the place is that of a layer"
        assert finding.severity in ("error", "warning", "note")


def test_unknown_rules_and_broken_texts():
    with pytest.raises(
        CnnlibError, match=r"disable='M99.1' is no rule: the rules are M2\.2, M2\.4"
    ):
        lint("CONV", disable=["M99.1"])
    with pytest.raises(DiagramError, match="CNOV is not a layer"):
        lint("CNOV")
