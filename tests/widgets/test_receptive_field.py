"""The receptive-field explorer: its arithmetic is cnnlib's, and what it measured is what theory says."""

import itertools
import json
import random

import numpy as np
import pytest

from cnnlib import shapes
from cnnlib.errors import ShapeError
from cnnlib.widgets import ReceptiveField
from cnnlib.widgets.base import _spec
from tests.widgets.common import in_javascript

PRESETS = [preset["values"] for preset in _spec("receptive_field")["presets"]]
SAID = """
import {{ facts, trace, verdict }} from "{receptive_field}";
const data = JSON.parse(readFileSync("{folder}/data.json", "utf8"));
const answer = (values) => {{
  const {{ rows, chosen }} = trace(values);
  return {{ said: [verdict(values), facts(values, data)], chosen, ...Object.fromEntries(
    Object.entries({{ sizes: "size", paths: "paths", first: "first", last: "last" }}).map(([key, of]) => [key, rows.map((row) => row[of])])) }};
}};
"""
FIELDS = 'import {{ receptiveField }} from "{shapes}";\nconst answer = receptiveField;\n'
RUNS = 'import {{ within }} from "{receptive_field}";\nconst answer = ([shares, percent]) => within(shares, percent);\n'


def drawn_stack(draw: random.Random) -> dict:
    def numbers(least, most, usual):
        return [draw.choice([usual, draw.randint(least, most)]) for _ in range(draw.randint(1, 6))]

    return {
        "size": draw.randint(1, 64),
        "depth": draw.randint(1, 6),
        "kernels": numbers(1, 7, 3),
        "strides": numbers(1, 3, 1),
        "paddings": numbers(0, 4, 1),
        "dilations": numbers(1, 4, 1),
        "neuron": draw.choice([0, 1, draw.randint(0, 30), 99]),
    }


def test_stacks_of_all_kinds_are_those_of_cnnlib(tmp_path):
    draw, explorer = random.Random(3), ReceptiveField()
    (tmp_path / "data.json").write_text(json.dumps(explorer.data()), encoding="utf-8")
    cases = PRESETS + [drawn_stack(draw) for _ in range(1500)]
    kinds = {"refused": 0, "beyond": 0, "unread": 0, "padding": 0}
    for case, found in zip(cases, in_javascript(SAID, cases, tmp_path), strict=True):
        for name, value in case.items():
            setattr(explorer, name, value)
        assert found["said"] == [explorer.summary(), [list(row) for row in explorer.facts()]], case
        assert found["sizes"] == explorer.sizes, case
        assert found["paths"] == explorer.paths, case
        assert list(zip(found["first"], found["last"], strict=True)) == explorer.spans, case
        assert found["chosen"] == explorer.chosen, case
        kinds["refused"] += "does not fit" in found["said"][0]
        kinds["beyond"] += "beyond the edge" in found["said"][0]
        kinds["unread"] += "never read" in found["said"][0]
        kinds["padding"] += "nothing but padding" in found["said"][0]
    assert min(kinds.values()) > 20, f"the cases leave a kind out: {kinds}"


def test_fields_are_those_of_cnnlib(tmp_path):
    draw = random.Random(4)
    names = ("kernel", "stride", "padding", "dilation")
    stacks = [
        [
            (draw.randint(1, 11), draw.randint(1, 4), draw.randint(0, 5), draw.randint(1, 6))
            for _ in range(draw.randint(0, 8))
        ]
        for _ in range(3000)
    ]
    cases = [[dict(zip(names, layer, strict=True)) for layer in stack] for stack in stacks]
    for stack, found in zip(stacks, in_javascript(FIELDS, cases, tmp_path), strict=True):
        assert found == shapes.receptive_field(stack)._asdict(), stack


def test_the_shortest_run_is_the_shortest(tmp_path):
    draw = random.Random(5)
    cases = [
        [[draw.choice([0, draw.randint(1, 40)]) for _ in range(draw.randint(1, 20))] + [1], percent]
        for percent in (50, 90)
        for _ in range(1000)
    ]
    for (shares, percent), found in zip(cases, in_javascript(RUNS, cases, tmp_path), strict=True):
        enough = [
            (b - a, a)
            for a, b in itertools.combinations(range(len(shares) + 1), 2)
            if 100 * sum(shares[a:b]) >= percent * sum(shares)
        ]
        assert (found["width"], found["from"]) == min(enough), shares


def test_paths_are_counted_and_lie_in_the_field():
    """Walk every path of small stacks, tap by tap."""
    draw = random.Random(6)
    for _ in range(60):
        stack = drawn_stack(draw) | {"depth": draw.randint(1, 3)}
        explorer = ReceptiveField(**stack)
        counts = [0] * explorer.size
        for taps in itertools.product(*(range(w.kernel) for w in explorer.layers)):
            place = explorer.chosen
            for window, tap, size in reversed(
                list(zip(explorer.layers, taps, explorer.sizes, strict=False))
            ):
                place = place * window.stride - window.padding + tap * window.dilation
                if not 0 <= place < size:
                    break
            else:
                counts[place] += 1
        assert explorer.paths[0] == counts, stack
        first, last = explorer.spans[0]
        assert last - first + 1 == explorer.field.size
        assert not any(counts[: max(0, first)])
        assert not any(counts[last + 1 :] if last >= 0 else counts)


def test_three_of_three_see_as_far_as_one_of_seven_but_most_of_it_in_the_middle():
    one, three, six = (ReceptiveField(**values) for values in PRESETS[:3])
    assert one.field.size == three.field.size == 7
    assert one.paths[0][9:16] == [1] * 7
    assert three.paths[0][9:16] == [1, 3, 6, 7, 6, 3, 1]
    assert "90 % of the paths to it begin within 5 pixels" in three.summary()
    assert "Neuron 12 sees 13 pixels. 90 % of the paths to it begin within 7" in six.summary()


def test_what_is_measured_follows_the_paths():
    """Luo et al. (2016), section 2: the expected square of the gradient is proportional to them."""
    assert len(ReceptiveField.data()["measured"]) == len(PRESETS)
    for values in PRESETS:
        explorer = ReceptiveField(**values)
        paths, shares = np.array(explorer.paths[0]), np.array(explorer.measured)
        assert abs(shares.sum() - 10_000) <= values["size"]
        assert not shares[paths == 0].any()
        assert np.abs(paths / paths.sum() - shares / shares.sum()).sum() / 2 < 0.05, values
    explorer.neuron -= 1
    assert explorer.measured is None


def test_the_measurement_is_the_same_every_time():
    from cnnlib.widgets.receptive_field import _shares

    assert list(_shares(PRESETS[1])) == ReceptiveField.data()["measured"][1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kernels": [3, 0]}, r"kernels\[1\]=0 is too small"),
        ({"kernels": []}, r"kernels=\[\] is no list of 1 to 6 whole numbers"),
        ({"strides": [4]}, r"strides\[0\]=4 is too large for this widget: use at most 3"),
        ({"dilations": [1] * 7}, "is no list of 1 to 6 whole numbers"),
        ({"depth": 7}, "depth=7 is too large for this widget: use at most 6"),
        ({"neuron": 1.5}, "neuron=1.5 is not a whole number"),
    ],
)
def test_what_makes_no_sense_is_refused(settings, message):
    with pytest.raises(ShapeError, match=message):
        ReceptiveField(**settings)


def test_a_layer_that_does_not_fit_is_explained():
    explorer = ReceptiveField(size=5, kernels=[5, 3], paddings=[0, 0])
    assert explorer.summary() == (
        "Layer 2 does not fit: its window reaches across 3, but there are only 1, padding included."
    )
    assert explorer.layers == [shapes.Window(5)]
    assert [label for label, _ in explorer.facts()][:2] == ["Input", "Layer 1: F 5, S 1, P 0, d 1"]
