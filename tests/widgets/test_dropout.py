"""The dropout widget: its coins are cnnlib's, its formulas hold over all masks, bad values are refused."""

import itertools
import random
import re

import numpy as np
import pytest

from cnnlib.errors import RangeError, ShapeError
from cnnlib.reference.dropout import dropout_forward
from cnnlib.widgets import Dropout
from cnnlib.widgets.dropout import _ACTIVATIONS, _WEIGHTS, _Coins, _words
from tests.widgets.common import in_javascript

PROGRAM = """
import {{ masks, measure, passed }} from "{dropout}";
const answer = (values) => {{
  const all = masks(values, values.step + 1);
  return {{ ...measure(values), masks: all, passed: all.map((mask) => passed(values, mask)) }};
}};
"""


def test_javascript_computes_what_cnnlib_computes(tmp_path):
    draw = random.Random(10)
    cases = [
        {
            "p": draw.choice([0.0, draw.randint(1, 18) / 20, draw.uniform(0, 0.9)]),
            "scaling": draw.random() < 0.5,
            "seed": draw.choice([0, 999, draw.randint(1, 40)]),
            "step": draw.choice([0, 1, draw.randint(0, 12)]),
        }
        for _ in range(2000)
    ]
    run = Dropout()
    for case, found in zip(cases, in_javascript(PROGRAM, cases, tmp_path), strict=True):
        for name, value in case.items():
            setattr(run, name, value)
        assert found["masks"] == run.masks.tolist(), case
        assert found["mask"] == run.masks[-1].tolist()
        words = _words(run.seed)[: run.step + 1]
        x = np.broadcast_to(_ACTIVATIONS, words.shape)
        out, (keep, factor, *_) = dropout_forward(x, run.p, training=True, rng=_Coins(words))
        assert np.array_equal(keep, run.masks)
        assert factor == 1 / (1 - run.p)
        passed = out if run.scaling else x * keep
        numbers = [run.mean, run.evaluation, run.expected, run.deviation, run.measured or 0]
        names = ("mean", "evaluation", "expected", "deviation", "measured")
        theirs = [found[name] or 0 for name in names]
        np.testing.assert_allclose(
            [*np.ravel(found["passed"]), *found["outputs"], *theirs],
            [*passed.ravel(), *run.outputs, *numbers],
            atol=1e-9,
            err_msg=str(case),
        )
        assert (found["measured"] is None) == (run.measured is None) == (run.step == 0)


def test_a_coin_on_the_edge_falls_alike(tmp_path):
    """Where the first 16 bits of p and of the coin are equal, further bits of p decide."""
    first = {seed: int(_words(seed)[0, 0]) for seed in range(40)}
    cases = [
        {"p": (word + more) / 2**16, "scaling": True, "seed": seed, "step": 0}
        for seed, word in first.items()
        for more in (0, 0.5)
        if word < 0.8 * 2**16
    ]
    for case, found in zip(cases, in_javascript(PROGRAM, cases, tmp_path), strict=True):
        kept = first[case["seed"]] >= case["p"] * 2**16
        assert Dropout(**case).masks[0, 0] == found["mask"][0] == kept


@pytest.mark.parametrize("scaling", [True, False])
@pytest.mark.parametrize("p", [0.0, 0.05, 0.2, 0.5, 0.9])
def test_mean_and_deviation_are_those_over_all_masks(p, scaling):
    """Not by chance: each of the 4,096 masks counts with its probability."""
    masks = np.array(list(itertools.product([0, 1], repeat=_ACTIVATIONS.size)))
    kept = masks.sum(axis=1)
    chance = (1 - p) ** kept * p ** (_ACTIVATIONS.size - kept)
    outputs = masks @ (_ACTIVATIONS * _WEIGHTS[0]) / (1 - p if scaling else 1)
    run = Dropout(p=p, scaling=scaling)
    assert chance.sum() == pytest.approx(1)
    assert chance @ outputs == pytest.approx(run.expected)
    spread = chance @ (outputs - run.expected) ** 2
    assert np.sqrt(spread) == pytest.approx(run.deviation, abs=1e-9)
    assert run.expected == pytest.approx(run.evaluation * (1 if scaling else 1 - p))


@pytest.mark.claim("M10.1")
def test_masks_are_drawn_anew_and_cut_with_probability_p():
    for p in (0.2, 0.5, 0.9):
        masks = np.concatenate([Dropout(p=p, seed=seed, step=199).masks for seed in range(20)])
        assert len({mask.tobytes() for mask in masks}) > 100
        assert np.mean(~masks) == pytest.approx(p, abs=0.01)
        together = np.corrcoef(masks.T) - np.eye(_ACTIVATIONS.size)
        assert np.abs(together).max() < 0.08, "the units' coins hang together"


def test_a_larger_p_cuts_more_of_the_same_units():
    small, large = Dropout(p=0.3, step=199), Dropout(p=0.6, step=199)
    assert np.all(small.masks | ~large.masks)
    assert small.masks.sum() > large.masks.sum()


def test_a_longer_run_begins_like_a_shorter_one_and_a_seed_like_no_other():
    short, long = Dropout(step=9), Dropout(step=199)
    assert np.array_equal(long.outputs[:10], short.outputs)
    assert not np.array_equal(Dropout(seed=2, step=9).masks, short.masks)


def test_the_mean_settles_where_the_sentence_says():
    scaled = Dropout(step=199)
    assert scaled.summary().startswith("The mean of 200 outputs is")
    means = [Dropout(seed=seed, step=199).mean for seed in range(40)]
    assert np.mean(means) == pytest.approx(6, abs=4 * 3 / np.sqrt(200 * 40))
    unscaled = Dropout(scaling=False, step=199)
    assert "settles at 3.00: test time gives 2.00 times as much" in unscaled.summary()
    assert unscaled.mean == pytest.approx(scaled.mean / 2)
    assert Dropout(p=0.0).summary().startswith("Nothing is cut at p = 0")


def test_a_surprise_is_called_one_about_as_often_as_it_should_be():
    runs = [Dropout(seed=seed, step=49).summary() for seed in range(400)]
    assert 0.02 < np.mean(["This is such a case" in run for run in runs]) < 0.09


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"p": 0.95}, RangeError, "p=0.95 is outside this widget: use 0 to 0.9."),
        ({"p": -0.1}, RangeError, "p=-0.1 is outside this widget: use 0 to 0.9."),
        ({"p": "half"}, RangeError, "p='half' is not a number: use one from 0 to 0.9."),
        ({"scaling": 1}, RangeError, "scaling=1 is a switch: use True or False."),
        ({"seed": -1}, ShapeError, "seed=-1 is too small"),
        ({"step": 200}, ShapeError, "step=200 is too large for this widget: use at most 199."),
    ],
)
def test_a_bad_setting_is_refused_with_a_remedy(settings, error, message):
    run = Dropout()
    with pytest.raises(error, match=re.escape(message)):
        Dropout(**settings)
    (name, value) = next(iter(settings.items()))
    with pytest.raises(error):
        setattr(run, name, value)
    assert run.settings == Dropout().settings
