"""What holds for every widget: its sentence and its rows are cnnlib's in both languages, its files are sound."""

import json
import random

import pytest

from cnnlib.widgets import WIDGETS
from cnnlib.widgets.base import Setting, _spec, fixed, grouped
from cnnlib.widgets.chance import normal, uniform
from tests.widgets.common import drawn_settings, in_javascript, same_text, widget_class

CASES = 400
SAID = """
import {{ facts, verdict }} from "{%s}";
const data = JSON.parse(readFileSync("{folder}/data.json", "utf8"));
const answer = (values) => [verdict(values, data), facts(values, data)];
"""
TAKEN = ("class", "dir", "hidden", "id", "lang", "name", "slot", "style", "title")


@pytest.mark.parametrize("module", WIDGETS)
def test_sentence_and_rows_are_those_of_python(module, tmp_path):
    draw = random.Random(module)
    widget, presets = widget_class(module)(), _spec(module)["presets"]
    (tmp_path / "data.json").write_text(json.dumps(widget.data()), encoding="utf-8")
    cases = [widget.settings | preset["values"] for preset in presets]
    cases += [drawn_settings(module, draw) for _ in range(CASES)]
    answers = in_javascript(SAID % module, cases, tmp_path)
    sentences = set()
    for case, (sentence, rows) in zip(cases, answers, strict=True):
        for name, value in case.items():
            setattr(widget, name, value)
        assert same_text(sentence, widget.summary()), case
        expected = widget.facts()
        assert [row[0] for row in rows] == [row[0] for row in expected], case
        for (label, text), (_, other) in zip(expected, rows, strict=True):
            assert same_text(text, other), (label, case)
        sentences.add(sentence)
    assert len(sentences) > len(cases) / 20, "the widget says nearly always the same"


@pytest.mark.parametrize("module", WIDGETS)
def test_the_json_that_both_languages_read_is_sound(module):
    spec, kind = _spec(module), widget_class(module)
    traits = {
        name: trait for name, trait in kind.class_traits().items() if isinstance(trait, Setting)
    }
    assert [row["name"] for row in spec["settings"]] == kind._setting_names()
    assert set(traits) == set(kind._setting_names())
    assert set(traits).isdisjoint(TAKEN), "an attribute of every HTML element"
    for row in spec["settings"]:
        assert traits[row["name"]].row == row
        assert row["name"] == row["name"].lower()
        if not row.get("hidden"):
            assert row["group"]
    assert kind().settings == {row["name"]: row["default"] for row in spec["settings"]}
    for preset in spec["presets"]:
        changed = kind(**preset["values"]).settings
        assert {key: changed[key] for key in preset["values"]} == preset["values"]
    labels = [preset["label"] for preset in spec["presets"]]
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize("module", WIDGETS)
def test_settings_survive_their_text(module):
    from cnnlib.widgets.base import _encode

    rows, draw = _spec(module)["settings"], random.Random(1)
    for _ in range(20):
        settings = drawn_settings(module, draw)
        texts = {row["name"]: _encode(row, settings[row["name"]]) for row in rows}
        assert widget_class(module).from_text(texts).settings == settings


@pytest.mark.parametrize("module", WIDGETS)
def test_the_page_holds_the_table_that_stands_in_without_javascript(module):
    widget = widget_class(module)()
    page = widget.page_html("here")
    assert page.startswith(f'<cnn-{module.replace("_", "-")} id="here" name="here"')
    assert page.count("<tr>") == len(widget.facts()) >= 3
    assert page.count("<script") == page.count("</script>") == bool(widget.data())


def test_numbers_are_written_alike(tmp_path):
    draw = random.Random(3)
    numbers = [draw.uniform(-2, 2) * 10 ** draw.randint(-4, 5) for _ in range(2000)]
    numbers += [0.0, 0.5, -0.5, 2.5, 0.125, -0.125, 1e-9, -1e-9, 1234567.0, 0.045]
    program = 'import {{ fixed, grouped }} from "{elements}";\nconst answer = (v) => [fixed(v), fixed(v, 0), fixed(v, 4), grouped(Math.trunc(v))];\n'
    for number, found in zip(numbers, in_javascript(program, numbers, tmp_path), strict=True):
        expected = [fixed(number), fixed(number, 0), fixed(number, 4), grouped(int(number))]
        if int(number) == 0:  # JavaScript's truncation keeps a sign that its own text shows
            expected[3] = found[3] = "0"
        assert found == expected, number


def test_chance_is_the_same(tmp_path):
    program = 'import {{ normal, uniform }} from "{chance}";\nconst answer = (seed) => {{ const u = uniform(seed), n = normal(seed); return Array.from({{ length: 20 }}, () => [u(), n()]); }};\n'
    seeds = [0, 1, 7, 2**31, 2**32 - 1, 123456789]
    for seed, found in zip(seeds, in_javascript(program, seeds, tmp_path), strict=True):
        u, n = uniform(seed), normal(seed)
        for a, b in found:
            assert a == next(u)
            assert b == pytest.approx(next(n), abs=1.1e-6)
    numbers = [next(n) for n in [normal(5)] for _ in range(4000)]
    assert abs(sum(numbers) / 4000) < 0.05
    assert abs(sum(x * x for x in numbers) / 4000 - 1) < 0.08
