"""Intervals, comparisons and verdicts, on records made up for the purpose."""

import itertools
import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from cnnlib.errors import RangeError
from cnnlib.training.experiments import EXPERIMENTS, Arm, Comparison, Experiment, compare, interval
from cnnlib.training.experiments.analysis import _quantile, table, verdict
from cnnlib.training.experiments.plots import plot_arms, plot_differences, plot_histories

# Student's t, two-sided 95 % and 99 %, from printed tables
TABLE = {1: (12.706, 63.657), 2: (4.303, 9.925), 3: (3.182, 5.841), 4: (2.776, 4.604), 9: (2.262, 3.250), 30: (2.042, 2.750)}  # fmt: skip


def test_students_t_is_the_tables():
    for df, values in TABLE.items():
        for confidence, value in zip((0.95, 0.99), values, strict=True):
            assert _quantile(confidence, df) == pytest.approx(value, abs=6e-4)


def test_the_interval_holds_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    found = [interval(rng.normal(3, 2, 5).tolist()) for _ in range(2000)]
    assert 0.93 < np.mean([low < 3 < high for _, low, high in found]) < 0.97


def test_an_interval_needs_two_values():
    with pytest.raises(RangeError, match="values has length 1: a spread needs at least two"):
        interval([1.0])
    with pytest.raises(RangeError, match=r"confidence=95 must be between 0 and 1: 0\.95 is usual"):
        interval([1.0, 2.0], 95)


def records(**arms):
    """Records with the given test accuracies, a validation accuracy of their mean and a history."""
    return {
        arm: {
            seed: {
                "result": {
                    "test_accuracy": value,
                    "validation_accuracy": value,
                    "jitter": None if value < 0.2 else value,
                    "parameters": 5,
                    "diverged": None if value > 0.2 else {"epoch": 1},
                },
                "history": [{"validation_accuracy": value}],
            }
            for seed, value in enumerate(values)
        }
        for arm, values in arms.items()
    }


STEADY = [0.80, 0.81, 0.82, 0.83, 0.84]
BETTER = [0.84, 0.86, 0.86, 0.88, 0.88]  # 4 to 5 points more, seed by seed
UNSURE = [0.83, 0.78, 0.85, 0.80, 0.84]


@pytest.mark.parametrize(
    ("ours", "theirs", "expects", "margin", "outcome"),
    [
        (BETTER, STEADY, "more", 0, "supported"),
        (BETTER, STEADY, "less", 0, "contradicted"),
        (STEADY, BETTER, "more", 0, "contradicted"),
        (UNSURE, STEADY, "more", 0, "undecided"),
        (STEADY, BETTER, "no less", 0.06, "supported"),
        (STEADY, BETTER, "no less", 0.03, "contradicted"),
        (STEADY, BETTER, "no less", 0.045, "undecided"),
        (BETTER, STEADY, "no more", 0.06, "supported"),
    ],
)
def test_what_an_interval_says(ours, theirs, expects, margin, outcome):
    c = Comparison("M1.1", "…", "test_accuracy", ("a",), ("b",), expects, margin=margin)
    found = compare(c, records(a=ours, b=theirs))
    assert found["outcome"] == outcome
    assert found["low"] < found["difference"] < found["high"]
    assert found["difference"] == pytest.approx(np.mean(ours) - np.mean(theirs))
    assert found["seeds"] == 5


def test_a_ratio_within_limits():
    for values, outcome in (
        ([2.4, 2.5, 2.6], "supported"),
        ([1.2, 1.25, 1.3], "contradicted"),
        ([1.9, 2.0, 2.1], "undecided"),
    ):
        c = Comparison("M1.1", "…", "test_accuracy", ("a",), (), "within", margin=2, upper=3)
        assert compare(c, records(a=values))["outcome"] == outcome


def test_several_arms_are_one_number_a_seed():
    found = records(a=STEADY, b=BETTER, c=UNSURE)
    for choose, ours in (
        ("mean", np.mean([STEADY, BETTER], 0)),
        ("best", BETTER),
        ("worst", STEADY),
    ):
        c = Comparison("M1.1", "…", "test_accuracy", ("a", "b"), ("c",), choose=choose)
        row = compare(c, found)
        assert row["difference"] == pytest.approx(np.mean(np.subtract(ours, UNSURE)))
        assert row["arms"] == (["b"] if choose == "best" else ["a", "b"])


def test_the_test_images_have_no_say_in_what_is_best():
    found = records(a=STEADY, b=BETTER, c=UNSURE)
    for record in found["a"].values():
        record["result"]["validation_accuracy"] = 0.99
    c = Comparison("M1.1", "…", "test_accuracy", ("a", "b"), ("c",), choose="best")
    assert compare(c, found)["arms"] == ["a"]


def test_a_lost_training_leaves_its_numbers_undecided():
    c = Comparison("M1.1", "…", "jitter", ("a",), ("b",), "less")
    found = records(a=[0.1, *STEADY[1:]], b=STEADY)
    assert compare(c, found)["outcome"] == "undecided"
    assert compare(c, found)["difference"] is None
    experiment = Experiment("x", "X", "?", {"a": Arm("", 1), "b": Arm("", 1)}, (c,), "")
    rows = table(experiment, found)
    assert rows[0]["jitter"] is None
    assert [row["lost"] for row in rows] == [1, 0]
    assert "as trainings were lost" in verdict(experiment, "M1.1", found)["numbers"][0]


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ("sss", "holds"),
        ("uuu", "open"),
        ("ccc", "does not hold here"),
        ("ucu", "does not hold here"),
        ("scc", "does not hold here"),
        ("scu", "holds with a caveat"),
        ("suu", "holds with a caveat"),
        ("ssc", "holds with a caveat"),
    ],
)
def test_the_rule_of_verdicts(outcomes, expected):
    found = records(a=BETTER, b=STEADY, u=UNSURE)
    pairs = {"s": ("a", "b"), "c": ("b", "a"), "u": ("u", "b")}
    comparisons = tuple(
        Comparison("M1.1", f"prediction {i}", "test_accuracy", (pairs[o][0],), (pairs[o][1],))
        for i, o in enumerate(outcomes)
    )
    experiment = Experiment("x", "X", "?", {n: Arm("", 1) for n in "abu"}, comparisons, "")
    row = verdict(experiment, "M1.1", found)
    assert row["verdict"] == expected
    assert ("caveat" in row) == (expected == "holds with a caveat")
    if "caveat" in row:
        for i, outcome in enumerate(outcomes):
            assert (f"prediction {i}" in row["caveat"]) == (outcome != "s")
    if outcomes[0] == "s":
        assert row["numbers"][0] == "prediction 0: supported, +4.40 points [+3.72, +5.08], 5 seeds"
    with pytest.raises(RangeError, match=r"claim='M2' is none of x: it bears on M1\.1"):
        verdict(experiment, "M2", found)


def test_plots_show_every_arm_and_seed(tmp_path):
    c = Comparison("M1.1", "one beats the other", "test_accuracy", ("a",), ("b",))
    experiment = Experiment("x", "X", "?", {"a": Arm("", 1), "b": Arm("", 1)}, (c,), "")
    found = records(a=BETTER, b=STEADY)
    figure = plot_arms(experiment, found)
    figure.savefig(tmp_path / "a.svg")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    assert axes.lines[0].get_xdata().tolist() == pytest.approx([100 * x for x in BETTER])
    beside = Figure().subplots(1, 2, sharey=True)
    for panel in beside:
        plot_arms(experiment, found, labels={"b": "the second", "a": "the first"}, axes=panel)
    for panel in beside:  # in the order of the labels, from the top
        low, high = panel.get_ylim()
        assert low > high
        assert panel.lines[0].get_xdata().tolist() == pytest.approx([100 * x for x in STEADY])
    figure = plot_differences(experiment, found, "M1.1")
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["one beats the other"]
    figure = plot_histories(found, {"a": "black", "b": "red"})
    assert len(figure.axes[0].lines) == 10


def test_the_experiments_are_complete():
    """Every arm builds, every comparison names arms and numbers that there are, and parameters match."""
    from cnnlib.diagram.summary import summarize

    assert set(itertools.chain(*(e.claims for e in EXPERIMENTS.values()))) == {
        "M1.4", "M9.5", "M9.6", "M9.7", "M7.1", "M13.6", "M10.2", "M10.3", "M13.4", "order",
    }  # fmt: skip
    sizes = {}
    for experiment in EXPERIMENTS.values():
        assert experiment.question.endswith("?")
        assert experiment.analysis.endswith(".")
        for name, arm in experiment.arms.items():
            sizes[experiment.name, name] = summarize(arm.diagram).totals.params
            assert "/" not in name
        for c in experiment.comparisons:
            assert set(c.arms + c.against) <= set(experiment.arms)
            assert c.expects in ("more", "less", "no less", "no more", "within")
            assert c.choose in ("mean", "best", "worst")
            assert math.isfinite(c.margin)
    for group in (
        [("fc_or_cnn", n) for n in ("fc_25k", "cnn_25k")],
        [("fc_or_cnn", n) for n in ("fc_80k", "fc_deep_80k", "cnn_80k")],
        [("pool_or_conv", n) for n in ("pool", "stride")],
        [("pool_or_conv", n) for n in ("conv", "conv_pool")],
        [("zero_padding", n) for n in ("padded_6", "bare_6")],
        [("filter_sizes", n) for n in ("three_3x3", "one_7x7_narrow")],
    ):
        numbers = [sizes[key] for key in group]
        assert max(numbers) < 1.03 * min(numbers), group
