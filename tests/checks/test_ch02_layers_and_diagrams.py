"""Exercise 2: any right diagram passes, wrong ones hear why; points by hand; two mistakes at once."""

import numpy as np
import pytest

from cnnlib.checks.ch02_layers_and_diagrams import EXERCISE
from cnnlib.checks.engine import examine
from cnnlib.diagram import summarize

TASKS = EXERCISE.tasks


def _report(letter, function, seeds=("visible", "a secret")):
    return examine(EXERCISE, TASKS[letter], function, seeds=list(seeds))


def _stages(image):
    return min(image[1:]).bit_length() - 3


def _lost(report):
    return {row.part for row in report.rows if row.status != "earned"}


@pytest.mark.parametrize(
    ("letter", "name", "points"),
    [  # by hand, from the points of the parts
        ("a", "filters multiply the channels", 9),
        ("a", "the biases are forgotten", 6),
        ("a", "BN learns nothing", 9),
        ("b", "channels last", 0),
        ("b", "two POOLs for every image", 5),
        ("b", "RELU behind the scores", 7),
        ("c", "the powers overflow", 6),
        ("c", "one sum for the whole batch", 4),
        ("c", "NumPy's default type", 7),
    ],
)
def test_points_of_a_misconception(letter, name, points):
    (function,) = [m.function for m in TASKS[letter].misconceptions if m.name == name]
    assert _report(letter, function).points == points


@pytest.mark.parametrize(
    "stage",
    [
        "CONV(16) => RELU => POOL",
        "CONV(8) => BN => RELU => POOL => DO(0.25)",
        "CONV(filters=8, kernel=5x5) → ELU → POOL(2)",
        "[CONV(8) => LRELU] * 2 => POOL(mode=avg)   # twice",
        "CONV(4)\n=> RELU\n=> POOL(3, 2, padding=1, rounding=floor)",
    ],
)
def test_any_right_diagram_passes(stage):
    def small_cnn(image, classes):
        begin = "INPUT({}, {}, {})".format(*image)
        return f"{begin} => [{stage}\n] * {_stages(image)} => FC({classes}) => SOFTMAX"

    report = _report("b", small_cnn)
    assert report.points == 8, str(report)


def test_a_hidden_fc_passes_within_the_budget_and_with_its_activation():
    def small_cnn(image, classes, curve=" => RELU"):
        begin = "INPUT({}, {}, {})".format(*image)
        stages = " => CONV(4) => RELU => POOL" * _stages(image)
        return f"{begin}{stages} => FC(32){curve} => FC({classes}) => SOFTMAX"

    assert _report("b", small_cnn).points == 8
    report = _report("b", lambda image, classes: small_cnn(image, classes, curve=""))
    assert _lost(report) == {"CONV => RELU before every POOL, no activation missing"}
    assert "your diagram has FC(32) => FC(" in str(report)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("INPUT(3, 32, 32) => CONV(8) RELU => FC(10)", "The arrow before RELU is missing"),
        ("CONV(8) => FC(10)", "does not start with INPUT"),
        ("INPUT(3, 32, 32) => { CONV(3) + ID } => FC(10)", "without branches"),
        ("INPUT(3, 32, 32) => [RELU] * 20000", "more than 10,000 layers"),
        ("RELU => " * 1000, "too long"),
        ("", "The diagram is empty"),
        (["INPUT", "FC"], "expected a text, got a list"),
        (summarize, "expected a text, got a function"),
    ],
)
def test_what_is_no_diagram_earns_nothing_and_hears_why_once(text, message):
    report = _report("b", lambda image, classes: text)
    assert report.points == 0
    assert str(report).count(message) == 1, str(report)
    assert report.ideas == []


def test_short_diagrams_are_judged_too():
    for text in ("INPUT(3, 16, 16)", "INPUT(3, 16, 16) => FC(10)", "INPUT(3, 16, 16) => SOFTMAX"):
        report = _report("b", lambda image, classes, text=text: text)
        assert "a diagram that can be read, with layers that fit" not in _lost(report)
        assert "a network without CONV" in str(report)


def test_another_structure_is_as_good():
    def by_differences(scores):
        out = np.empty_like(scores)
        for row, line in zip(scores, out, strict=True):
            for k, score in enumerate(row):
                with np.errstate(over="ignore"):
                    line[k] = 1 / sum(np.exp(other - score) for other in row)
        return out

    def by_logarithms(scores):
        return np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))

    assert _report("c", by_differences).points == 8
    assert _report("c", by_logarithms).points == 8


def test_two_mistakes_at_once_are_both_named():
    def both(layer, shape, number=None, kernel=3):
        out, learned = TASKS["a"].reference(layer, shape, number, kernel)
        if layer == "BN":
            learned *= 2
        return ((out[0] // 2, *out[1:]) if layer == "POOL" else out), learned

    report = _report("a", both)
    assert {idea.name for idea in report.ideas} == {
        "the running mean and variance are learned",
        "POOL halves the depth as well",
    }
    assert report.points == 10 - 1 - 1


def test_the_reference_of_task_a_agrees_with_the_library():
    text = "INPUT(3, 8, 12) => CONV(5, 5) => BN => RELU => POOL => DO => FC(7) => BN => FC(2) => SOFTMAX"
    numbers = {"CONV(5, 5)": (5, 5), "FC(7)": (7, 3), "FC(2)": (2, 3)}
    shape = (3, 8, 12)
    for row in summarize(text).rows:
        number, kernel = numbers.get(row.text, (None, 3))
        shape, learned = TASKS["a"].reference(row.text.split("(")[0], shape, number, kernel)
        assert (shape, learned) == (row.shape, row.params)
