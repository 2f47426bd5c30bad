"""The AlexNet detective: its readings are computed by cnnlib, and the story of the chapter holds."""

import random
import re

import pytest

from cnnlib.diagram import summarize, zoo
from cnnlib.errors import RangeError, ShapeError
from cnnlib.widgets import AlexNetDetective
from cnnlib.widgets.base import _spec
from tests.widgets.common import drawn_settings, in_javascript

CLUES = """
import {{ clues, sides }} from "{alexnet}";
const answer = (values) => [sides(values), clues(values).map(({{ label, printed, here, fits }}) => [label, printed, here, fits])];
"""


def test_sides_and_clues_are_those_of_cnnlib(tmp_path):
    draw = random.Random(12)
    cases = [drawn_settings("alexnet", draw) for _ in range(3000)]
    stopped = whole = 0
    for case, (sides, clues) in zip(cases, in_javascript(CLUES, cases, tmp_path), strict=True):
        reading = AlexNetDetective(**case)
        assert sides == reading.sides, case
        assert [tuple(clue) for clue in clues] == reading.clues, case
        stopped += None in sides
        whole += None not in sides
    assert min(stopped, whole) > 300


def against(**settings) -> list[int]:
    return [clue.printed for clue in AlexNetDetective(**settings).clues if not clue.fits]


@pytest.mark.claim("M4.8")
def test_what_speaks_against_each_reading():
    assert len(AlexNetDetective().clues) == 13
    printed = AlexNetDetective()
    assert printed.sides == [224] + [None] * 8
    assert "stops at CONV 1: 54.25 is not a whole number" in printed.summary()
    assert AlexNetDetective(rounding="floor").sides[1] == 54
    assert against(size=227) == [150_528, 2_048, 253_440]
    assert against(rounding="ceil") == against(after=3) == [253_440]
    torchvision = {"before": 2, "after": 2, "rounding": "floor", "network": "later"}
    assert against(**torchvision) == [253_440, 48, 186_624, 64_896, 650_000]
    assert AlexNetDetective(**torchvision).sides[1] == 55


def test_no_reading_explains_the_neurons_of_layer_1_and_none_fits_all():
    assert 55 * 48 * 96 == 253_440
    for network, widths in _spec("alexnet")["widths"].items():
        assert all(side * side * widths[0] != 253_440 for side in range(1, 300)), network


def test_a_reading_that_does_as_well_as_rounding_up_needs_no_rounding():
    best = [
        (before, after)
        for before in range(9)
        for after in range(9)
        if against(before=before, after=after) == [253_440]
    ]
    assert best == [(0, 3), (1, 2), (2, 1), (3, 0)]


def test_torchvisions_network_is_the_zoos():
    reading = AlexNetDetective(before=2, after=2, rounding="floor", network="later")
    summary = summarize(zoo.alexnet)
    assert reading.params == summary.totals.params == 61_100_840


def test_the_papers_network_has_sixty_million_parameters_in_two_halves_only():
    assert AlexNetDetective(size=227).params == 60_965_224
    undivided = AlexNetDetective(size=227, network="whole")
    assert undivided.params == 62_378_344
    assert set(against(size=227, network="whole")) - set(against(size=227)) == {48, 60_000_000}


def test_the_strict_rule_can_stop_at_a_later_layer():
    reading = AlexNetDetective(before=3, after=4)
    assert reading.sides[:3] == [224, 56, None]
    assert reading.summary().endswith(
        "The strict rule stops at POOL 1: 27.5 is not a whole number of windows."
    )
    assert reading.params is None


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"size": 300}, ShapeError, "size=300 is too large for this widget: use at most 256."),
        ({"before": -1}, ShapeError, "before=-1 is too small"),
        ({"rounding": "up"}, RangeError, "rounding='up' is none of its choices"),
        ({"network": "vgg"}, RangeError, "use paper, whole, later."),
    ],
)
def test_a_bad_setting_is_refused(settings, error, message):
    with pytest.raises(error, match=re.escape(message)):
        AlexNetDetective(**settings)
