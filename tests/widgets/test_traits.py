"""OutputSize in Python: checked traits, readable results, light imports, its home in the book."""

import json
import os
import re
import subprocess
import sys
from fractions import Fraction

import pytest

from cnnlib import shapes
from cnnlib.errors import CnnlibError, ShapeError
from cnnlib.widgets import OutputSize
from cnnlib.widgets.base import Setting


@pytest.mark.claim("M4.8")
def test_alexnet_as_printed():
    calculator = OutputSize(size=224, kernel=11, stride=4, in_channels=3, out_channels=96)
    assert calculator.exact == Fraction(217, 4)
    assert not calculator.tiles
    assert calculator.output_size == 54
    assert calculator.unseen == 1
    assert calculator.coverage[-1] == 0
    assert calculator.nearest.sizes == (223, 227)
    assert calculator.params == 34_944
    calculator.size = 227
    assert calculator.tiles
    assert calculator.output_shape == (96, 55, 55)


@pytest.mark.claim("M4.7")
def test_resnet_loses_zeros_only():
    calculator = OutputSize(size=224, kernel=7, stride=2, padding=3)
    assert (calculator.exact, calculator.output_size, calculator.unseen) == (
        Fraction(225, 2),
        112,
        0,
    )
    assert "leaves out nothing but zeros of the padding" in calculator.summary()


def test_a_window_that_does_not_fit_can_be_shown_but_has_no_size():
    calculator = OutputSize(size=3, kernel=7)
    assert not calculator.fits
    assert (
        calculator.summary()
        == "The window reaches across 7 pixels, but the padded input has only 3: it does not fit."
    )
    assert dict(calculator.facts())["Nearest settings that fit"] == "size 7; padding 2; kernel 3"
    with pytest.raises(ShapeError, match="does not fit into size=3"):
        _ = calculator.output_size


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (
            {"stride": 0},
            ShapeError,
            "stride=0 is too small: it must be a whole number of at least 1.",
        ),
        ({"padding": -1}, ShapeError, "padding=-1 is too small"),
        ({"size": 4097}, ShapeError, "size=4097 is too large for this widget: use at most 4096."),
        (
            {"kernel": 3.0},
            ShapeError,
            "kernel=3.0 is not a whole number: it must be an int of at least 1. Write 3.",
        ),
        ({"kernel": "3"}, ShapeError, "kernel='3' is not a whole number"),
        ({"size": True}, ShapeError, "size=True is not a whole number"),
        (
            {"strid": 2},
            CnnlibError,
            "strid is not a setting of OutputSize: use size, kernel, stride, padding, dilation, in_channels, out_channels.",
        ),
    ],
)
def test_a_bad_setting_is_refused_with_a_remedy(settings, error, message):
    with pytest.raises(error, match=re.escape(message)):
        OutputSize(**settings)


def test_a_refused_value_changes_nothing_from_either_side():
    calculator = OutputSize(stride=2)
    with pytest.raises(ShapeError, match="stride=0"):
        calculator.stride = 0
    with pytest.raises(ShapeError, match="stride=-3"):
        calculator.set_state({"stride": -3})  # as a browser's message would
    assert calculator.stride == 2
    calculator.set_state({"stride": 4})
    assert calculator.stride == 4


def test_two_calculators_do_not_share_settings():
    one, other = OutputSize(size=9), OutputSize()
    one.kernel = 5
    assert (other.size, other.kernel) == (5, 3)
    assert one._initial["kernel"] == 3  # what Reset returns to


def test_observers_hear_of_changes():
    calculator, heard = OutputSize(), []
    calculator.observe(lambda change: heard.append((change.old, change.new)), "size")
    calculator.size = 7
    assert heard == [(5, 7)]


def test_the_json_that_both_languages_read_is_sound():
    from cnnlib.widgets.base import _spec

    spec = _spec("output_size")
    traits = {
        name: trait
        for name, trait in OutputSize.class_traits().items()
        if isinstance(trait, Setting)
    }
    assert [row["name"] for row in spec["settings"]] == OutputSize._setting_names()
    assert set(traits) == set(OutputSize._setting_names())
    for row in spec["settings"]:
        assert traits[row["name"]].default_value == row["default"]
    for preset in spec["presets"]:
        assert OutputSize(**preset["values"]).settings == preset["values"], preset["label"]


def test_page_html_holds_the_table_and_escapes_the_name():
    page = OutputSize(size=224, kernel=11, stride=4).page_html('a"b')
    assert page.startswith('<cnn-output-size id="a&quot;b" name="a&quot;b" size="224" kernel="11"')
    assert '<th scope="row">Floored, as PyTorch does</th><td>54</td>' in page


def python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_loads_no_widget_library():
    loaded = "import sys, cnnlib, cnnlib.widgets; print([m for m in ('anywidget', 'ipywidgets', 'traitlets') if m in sys.modules])"
    assert python(loaded) == "[]\n"


def test_an_unknown_widget_is_named():
    import cnnlib.widgets

    with pytest.raises(
        AttributeError, match=r"cnnlib\.widgets has no 'Outputsize': it has Convolution, "
    ):
        _ = cnnlib.widgets.Outputsize


def test_while_the_book_is_built_the_widget_is_plain_html():
    code = (
        "import sys, json\nfrom cnnlib.widgets import OutputSize\nw = OutputSize(size=227, kernel=11, stride=4)\nw.padding = 2\n"
        "from IPython.core.formatters import DisplayFormatter\nbundle, _ = DisplayFormatter().format(w)\n"
        "print(json.dumps([bundle, w.output_size, [m for m in ('anywidget', 'ipywidgets') if m in sys.modules]]))"
    )
    bundle, size, loaded = json.loads(python(code, CNNLIB_BOOK="1"))
    assert bundle["text/html"].startswith('<cnn-output-size size="227"')
    assert 'padding="2"' in bundle["text/html"]
    assert set(bundle) == {"text/html", "text/plain"}
    assert size == shapes.output_size(227, 11, stride=4, padding=2, rounding="floor")
    assert loaded == []


def test_in_a_notebook_it_is_a_widget_view():
    data = OutputSize()._repr_mimebundle_()[0]
    assert "application/vnd.jupyter.widget-view+json" in data
