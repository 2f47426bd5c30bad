"""The widgets' JavaScript computes what cnnlib computes: thousands of cases, run under node."""

import random
from fractions import Fraction

import pytest

from cnnlib import shapes
from cnnlib.errors import ShapeError
from cnnlib.widgets import OutputSize
from tests.widgets.common import in_javascript

SHAPES = """
import * as shapes from "{shapes}";
const attempt = (compute) => {{ try {{ return compute(); }} catch (error) {{
  if (error instanceof RangeError) return "refused"; throw error; }} }};
const answer = (c) => ({{
  ...Object.fromEntries(["strict", "floor", "ceil"].map((r) => [r, attempt(() => shapes.outputSize(c, r))])),
  exact: shapes.exactOutputSize(c),
  reach: shapes.effectiveKernel(c.kernel, c.dilation),
  coverage: attempt(() => shapes.coverage(c)),
  unseen: attempt(() => shapes.unseen(c)),
  valid: attempt(() => shapes.nearestValid(c)),
  fit: shapes.nearestFit(c),
}});
"""
SENTENCES = """
import {{ facts, verdict }} from "{output_size}";
const answer = (c) => [verdict(c), facts(c)];
"""
PARAMETERS = """
import {{ convParams }} from "{shapes}";
const answer = ({{ channels, filters, kernel, groups, bias }}) => {{
  try {{ return convParams(channels, filters, kernel, {{ groups, bias }}); }} catch {{ return "refused"; }}
}};
"""


def drawn_cases(count: int, seed: int, both_sides: bool) -> list[dict]:
    draw = random.Random(seed)
    cases = []
    for _ in range(count):
        pads = (draw.randint(0, 7), draw.randint(0, 7))
        cases.append(
            {
                "size": draw.choice([draw.randint(1, 20), draw.randint(1, 300)]),
                "kernel": draw.randint(1, 12),
                "stride": draw.choice([1, 2, draw.randint(1, 9)]),
                "padding": pads if both_sides and draw.random() < 0.3 else pads[0],
                "dilation": draw.choice([1, 1, draw.randint(2, 5)]),
            }
        )
    corners = [(1, 1, 1, 0, 1), (1, 3, 1, 1, 1), (224, 11, 4, 0, 1), (227, 11, 4, 0, 1)]
    corners += [(224, 11, 4, 2, 1), (224, 7, 2, 3, 1), (5, 3, 1, 0, 1), (4096, 512, 32, 512, 64)]
    names = ("size", "kernel", "stride", "padding", "dilation")
    return cases + [dict(zip(names, corner, strict=True)) for corner in corners]


def refusable(compute, *arguments, **settings):
    try:
        return compute(*arguments, **settings)
    except ShapeError:
        return "refused"


def listed(suggestions):
    if suggestions == "refused":
        return suggestions
    return {name: list(values) for name, values in suggestions._asdict().items()}


def in_python(case: dict) -> dict:
    place = {name: case[name] for name in ("size", "kernel", "padding", "dilation")}
    pads = case["padding"] if isinstance(case["padding"], tuple) else (case["padding"],) * 2
    span = case["size"] + sum(pads) - shapes.effective_kernel(case["kernel"], case["dilation"])
    return {
        **{
            rounding: refusable(shapes.output_size, **case, rounding=rounding)
            for rounding in ("strict", "floor", "ceil")
        },
        "exact": Fraction(span, case["stride"]) + 1,
        "reach": shapes.effective_kernel(case["kernel"], case["dilation"]),
        "coverage": refusable(shapes.coverage, **case),
        "unseen": refusable(shapes.unseen, **case),
        "valid": listed(refusable(shapes.nearest_valid, **case)),
        "fit": listed(shapes.nearest_fit(**place)),
    }


def test_shapes_are_those_of_cnnlib(tmp_path):
    cases = drawn_cases(4000, seed=4, both_sides=True)
    answers = in_javascript(SHAPES, cases, tmp_path)
    kinds = {"tiles": 0, "floored": 0, "does not fit": 0, "dilated": 0, "ceil differs": 0}
    for case, found in zip(cases, answers, strict=True):
        expected = in_python(case)
        found["exact"] = Fraction(found["exact"]["numerator"], found["exact"]["denominator"])
        assert found == expected, case
        kinds["tiles"] += expected["strict"] != "refused"
        kinds["does not fit"] += expected["floor"] == "refused"
        kinds["floored"] += expected["strict"] == "refused" != expected["floor"]
        kinds["dilated"] += case["dilation"] > 1
        kinds["ceil differs"] += expected["ceil"] != expected["floor"]
    assert min(kinds.values()) > 100, f"the cases leave a kind out: {kinds}"


@pytest.mark.claim("M4.8")
def test_sentences_and_results_are_those_of_python(tmp_path):
    calculator = OutputSize()
    draw = random.Random(5)
    cases = drawn_cases(2500, seed=6, both_sides=False)
    for case in cases:
        case |= {"in_channels": draw.choice([1, 3, 64, 4096]), "out_channels": draw.randint(1, 200)}
    answers = in_javascript(SENTENCES, cases, tmp_path)
    for case, (sentence, rows) in zip(cases, answers, strict=True):
        for name, value in case.items():
            setattr(calculator, name, value)
        assert sentence == calculator.summary(), case
        assert [tuple(row) for row in rows] == calculator.facts(), case
    alexnet = next(
        a
        for c, a in zip(cases, answers, strict=True)
        if (c["size"], c["kernel"], c["stride"], c["padding"]) == (224, 11, 4, 0)
    )
    assert alexnet[0].startswith("54.25 is not a whole number")


def test_parameters_are_those_of_cnnlib(tmp_path):
    draw = random.Random(7)
    cases = [
        {
            "channels": draw.choice([1, 3, 6, 48, 96]),
            "filters": draw.choice([1, 4, 64, 96]),
            "kernel": draw.randint(1, 11),
            "groups": draw.choice([1, 1, 2, 3]),
            "bias": draw.random() < 0.7,
        }
        for _ in range(500)
    ]
    answers = in_javascript(PARAMETERS, cases, tmp_path)
    for case, found in zip(cases, answers, strict=True):
        expected = refusable(
            shapes.conv_params,
            case["channels"],
            case["filters"],
            case["kernel"],
            groups=case["groups"],
            bias=case["bias"],
        )
        assert found == expected, case
    assert "refused" in answers


@pytest.mark.parametrize(
    "settings", [{"size": 3, "kernel": 9}, {"size": 7, "kernel": 4, "dilation": 5, "padding": 1}]
)
def test_what_would_fit_fits_and_one_step_less_does_not(settings):
    near = shapes.nearest_fit(**settings)
    for name, values, less in (
        ("size", near.sizes, -1),
        ("padding", near.paddings, -1),
        ("kernel", near.kernels, 1),
        ("dilation", near.dilations, 1),
    ):
        for value in values:
            assert shapes.output_size(**{**settings, name: value}, rounding="floor") >= 1
            with pytest.raises(ShapeError, match="does not fit"):
                shapes.output_size(**{**settings, name: value + less}, rounding="floor")
