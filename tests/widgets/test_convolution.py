"""The convolution stepper: its JavaScript has the results of cnnlib.reference.conv2d, and of nothing else."""

import json
import random
import re

import numpy as np
import pytest

from cnnlib.data import photograph
from cnnlib.errors import RangeError, ShapeError
from cnnlib.reference.conv import conv2d
from cnnlib.reference.conventions import flip_kernel
from cnnlib.widgets import Convolution
from tests.widgets.common import drawn_settings, in_javascript

LAYER = """
import {{ layer }} from "{convolution}";
const data = JSON.parse(readFileSync("{folder}/data.json", "utf8"));
const answer = (values) => {{
  const l = layer(values, data);
  const taps = l.fits ? Array.from({{ length: l.channels }}, (_, c) => l.taps(l.step, c).map((tap) => tap.product)) : null;
  return {{ fits: l.fits, map: l.map(), products: taps, step: l.step }};
}};
"""
SETTLED = """
import {{ layer, settled }} from "{convolution}";
const data = JSON.parse(readFileSync("{folder}/data.json", "utf8"));
const answer = ([values, change]) => {{
  const next = {{ ...values, ...settled(values, change, data) }};
  return {{ next, before: layer(values, data).map(), after: layer(next, data).map() }};
}};
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data.json").write_text(json.dumps(Convolution.data()), encoding="utf-8")
    return tmp_path


def put(stepper: Convolution, settings: dict) -> None:
    for name, value in settings.items():
        setattr(stepper, name, value)


def drawn_case(draw: random.Random) -> dict:
    """Settings whose lists have any length, that of the layer as often as not."""
    case = drawn_settings("convolution", draw)
    pixels = case["channels"] * case["size"] ** 2
    weights = case["filters"] * case["channels"] * case["kernel"] ** 2
    if draw.random() < 0.2:
        pixels, weights = draw.randint(1, 243), draw.randint(1, 225)
    case["pixels"] = [draw.randint(0, 255) for _ in range(pixels)]
    case["weights"] = [draw.randint(-9, 9) for _ in range(weights)]
    case["image"] = "photograph" if draw.random() < 0.1 else "numbers"
    return case


def test_maps_and_products_are_those_of_conv2d(folder):
    draw = random.Random(31)
    cases = [drawn_case(draw) for _ in range(1500)]
    kinds = {"does not fit": 0, "flip matters": 0, "dilated": 0, "several channels": 0}
    stepper = Convolution()
    for case, found in zip(cases, in_javascript(LAYER, cases, folder), strict=True):
        put(stepper, case)
        assert found["fits"] == stepper.fits, case
        if not stepper.fits:
            kinds["does not fit"] += 1
            assert found["map"] == []
            continue
        x, weight = stepper.input[None].astype(float), stepper.kernels.astype(float)
        place = {name: case[name] for name in ("stride", "padding", "dilation")}
        maps = conv2d(x, flip_kernel(weight) if case["flip"] else weight, **place)[0]
        shown = maps[min(case["shown"], case["filters"]) - 1].ravel()
        assert found["map"] == shown.tolist(), case
        products = [[value + 0 for value in channel] for channel in found["products"]]
        assert products == stepper.products.reshape(case["channels"], -1).tolist(), case
        assert np.sum(products) == shown[found["step"]]
        kinds["flip matters"] += bool((conv2d(x, weight, **place)[0] != maps).any())
        kinds["dilated"] += case["dilation"] > 1
        kinds["several channels"] += case["channels"] > 1
    assert min(kinds.values()) > 100, f"the cases leave a kind out: {kinds}"


@pytest.mark.claim("M4.3")
def test_the_worked_example():
    assert Convolution().output.tolist() == [[[692, -315, -6], [-680, -194, 305], [153, -59, -86]]]
    assert Convolution(stride=2).output.tolist() == [[[692, -6], [153, -86]]]
    padded = Convolution(padding=1).output
    assert padded.shape == (1, 5, 5)
    assert (padded[:, 1:4, 1:4] == Convolution().output).all()


def test_numbers_stay_in_their_places_when_the_shape_changes(folder):
    draw = random.Random(32)
    cases = []
    while len(cases) < 600:
        case = drawn_case(draw) | {"image": "numbers"}
        cases.append((case, {"size": draw.randint(3, 9)}))
        cases.append((case, {"channels": draw.randint(1, 3), "kernel": draw.randint(1, 5)}))
    old, new = Convolution(), Convolution()
    for (case, change), found in zip(cases, in_javascript(SETTLED, cases, folder), strict=True):
        put(old, case)
        put(new, found["next"])
        assert new.settings | change == new.settings
        side = min(old.size, new.size)
        c = min(old.channels, new.channels)
        assert (old.input[:c, :side, :side] == new.input[:c, :side, :side]).all()
        shift = new.kernel // 2 - old.kernel // 2
        pad = ((0, 0), (0, 0), (5, 5), (5, 5))  # so that the two may be laid on each other anywhere
        big, small = (a.kernels[:, :c] for a in (new, old))
        wide = np.pad(small, pad)[:, :, 5 - shift :, 5 - shift :]
        assert (big == wide[:, :, : new.kernel, : new.kernel]).all(), case


def test_a_kernel_with_a_ring_of_zeros_gives_the_same_map(folder):
    cases = [
        (Convolution(flip=flip, padding=padding).settings, {"kernel": 5, "padding": padding + 1})
        for flip in (False, True)
        for padding in (0, 1)
    ]
    for found in in_javascript(SETTLED, cases, folder):
        assert found["before"] == found["after"]


def test_another_shape_begins_anew_and_a_photograph_is_shown_whole(folder):
    now = Convolution(step=4).settings
    changes = [{"stride": 2}, {"flip": True}, {"image": "photograph"}, {"step": 7}, {"shown": 1}]
    steps = [
        found["next"]["step"]
        for found in in_javascript(SETTLED, [(now, change) for change in changes], folder)
    ]
    assert steps == [0, 4, 22**2 - 1, 7, 4]


def test_a_flipped_edge_filter_changes_its_sign():
    upright = {"pixels": [20, 20, 20, 200, 200], "weights": [-1, 0, 1] * 3}
    plain, flipped = Convolution(**upright), Convolution(**upright, flip=True)
    assert plain.output[0, 0].tolist() == [0, 540, 540]
    assert (plain.output == -flipped.output).all()


def test_a_filter_reaches_through_all_channels():
    example = next(values for values in _presets() if values["channels"] == 3)
    stepper = Convolution(**example | {"shown": 2, "step": 3, "padding": 1})
    assert stepper.output.shape == (2, 4, 4)
    assert stepper.products.shape == (3, 3, 3)
    assert stepper.products.sum() == stepper.output[1, 0, 3]
    assert "row 1, column 4 of map 2" in stepper.summary()


def test_the_photograph_is_the_courses_own():
    small = np.reshape(Convolution.data()["photograph"], (24, 24))
    assert small.min() >= 0
    assert small.max() <= 255
    means = photograph()[4:124, 4:124].reshape(24, 5, 24, 5).mean(axis=(1, 3))
    assert np.abs(small / 255 - means).max() <= 0.5 / 255
    assert (Convolution(image="photograph", channels=2).input == small).all()


def test_a_window_that_does_not_fit_can_be_shown_but_has_no_output():
    stepper = Convolution(size=3, kernel=3, dilation=3)
    assert not stepper.fits
    assert (
        stepper.summary()
        == "The window reaches across 7 pixels, but the padded input has only 3: it does not fit."
    )
    with pytest.raises(ShapeError, match="does not fit into size=3"):
        _ = stepper.output


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"size": 2}, ShapeError, "size=2 is too small: it must be a whole number of at least 3."),
        ({"kernel": 6}, ShapeError, "kernel=6 is too large for this widget: use at most 5."),
        (
            {"image": "photo"},
            RangeError,
            "image='photo' is none of its choices: use numbers, photograph.",
        ),
        ({"flip": 1}, RangeError, "flip=1 is a switch: use True or False."),
        ({"pixels": [0, 256]}, ShapeError, "pixels[1]=256 is too large for this widget"),
        ({"weights": [-10]}, ShapeError, "weights[0]=-10 is too small"),
        ({"weights": []}, ShapeError, "weights=[] is no list of 1 to 225 whole numbers."),
    ],
)
def test_a_bad_setting_is_refused_with_a_remedy(settings, error, message):
    stepper = Convolution()
    with pytest.raises(error, match=re.escape(message)):
        Convolution(**settings)
    for name, value in settings.items():
        with pytest.raises(error):
            setattr(stepper, name, value)
    assert stepper.settings == Convolution().settings


def _presets() -> list[dict]:
    from cnnlib.widgets.base import _spec

    return [preset["values"] for preset in _spec("convolution")["presets"]]
