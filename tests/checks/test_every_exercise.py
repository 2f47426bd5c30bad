"""What every grader has to prove, from both sides, for each task of each exercise."""

import re
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import yaml

from cnnlib.checks.catalogue import exercise, exercise_names
from cnnlib.checks.engine import _generator, examine
from cnnlib.checks.judges import judge_dtype
from cnnlib.grading.notebooks import source_notebook

ROOT = Path(__file__).parents[2]
SEEDS = [["visible"], ["visible", "a secret"], ["visible", "another secret"]]
TASKS = [
    pytest.param(name, letter, id=f"{name}-{letter}")
    for name in exercise_names()
    for letter in exercise(name).tasks
]
MISCONCEPTIONS = [
    pytest.param(name, task.letter, m, id=f"{name}-{task.letter}-{m.name}")
    for name in exercise_names()
    for task in exercise(name).tasks.values()
    for m in task.misconceptions
]


@cache
def the_source(name):
    (path,) = (ROOT / "solutions" / name).glob("*.py")
    return path, source_notebook(path)


@cache
def solutions(name):
    """What the published solution defines."""
    space = {}
    for cell in the_source(name)[1].cells:
        kind = cell.metadata.get("nbgrader", {}).get("grade_id", "").split("_")[-1]
        if cell.cell_type == "code" and kind in ("setup", "given", "solution"):
            exec(cell.source, space)
    return space


def report_on(name, letter, function, seeds=("visible", "a secret")):
    found = exercise(name)
    return examine(found, found.tasks[letter], function, seeds=list(seeds))


def the_task(name, letter):
    return exercise(name).tasks[letter]


# --- the good side ------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "letter"), TASKS)
def test_the_solution_earns_everything_in_good_time(name, letter):
    task = the_task(name, letter)
    for seeds in SEEDS:
        start = time.process_time()
        report = report_on(name, letter, solutions(name)[task.function_name], seeds)
        seconds = time.process_time() - start
        assert report.points == report.most == task.points, str(report)
        assert type(report.points) is int  # nbgrader reads the text of this number
        assert report.ideas == []
        assert seconds < 5, "a student waits for this"


@pytest.mark.parametrize(("name", "letter"), TASKS)
def test_every_part_has_cases_and_both_float_types_are_tried(name, letter):
    task = the_task(name, letter)
    assert len({part.name for part in task.parts}) == len(task.parts)
    types = set()
    for part in task.parts:
        cases = list(part.cases(np.random.default_rng(3)))
        assert cases, part.name
        for case in cases:
            values = [*case.positional.values(), *case.keyword.values()]
            types |= {v.dtype.name for v in values if isinstance(v, np.ndarray)}
    floats = {t for t in types if t.startswith("float")}
    assert floats in (set(), {"float32", "float64"}) or task.drive, floats


@pytest.mark.parametrize(("name", "letter"), TASKS)
def test_cases_worked_by_hand_agree_with_the_reference(name, letter):
    """A wrong number in the checks would punish everyone who is right."""
    task = the_task(name, letter)
    for part in task.parts:
        for case in part.cases(np.random.default_rng(1)):
            if case.expected is None:
                continue
            positional, keyword = case.arguments()
            right = (part.right or task.reference)(*positional, **keyword)
            wanted = case.expected
            if isinstance(wanted, tuple):
                assert len(right) == len(wanted)
                for a, b in zip(right, wanted, strict=True):
                    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
            elif isinstance(wanted, str):
                assert right == wanted
            else:
                np.testing.assert_allclose(right, wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("name", "letter"), TASKS)
def test_a_float64_answer_costs_only_the_part_that_says_so(name, letter):
    task = the_task(name, letter)
    if task.drive or not any(part.judge is judge_dtype for part in task.parts):
        pytest.skip("no part of this task is about the element type")
    solution = solutions(name)[task.function_name]

    def wide(*args, **settings):
        out = solution(*args, **settings)
        if isinstance(out, tuple):
            return tuple(o if o is None else np.asarray(o, np.float64) for o in out)
        return out.astype(np.float64)

    report = report_on(name, letter, wide)
    lost = {row.part for row in report.rows if row.status != "earned"}
    assert lost == {part.name for part in task.parts if part.judge is judge_dtype}
    assert "float32 went in and float64 came out" in str(report)


# --- the bad side -------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "letter"), TASKS)
def test_a_task_has_at_least_four_misconceptions(name, letter):
    assert len({m.name for m in the_task(name, letter).misconceptions}) >= 4


@pytest.mark.parametrize(("name", "letter", "misconception"), MISCONCEPTIONS)
def test_a_misconception_loses_its_parts_and_no_others_and_is_named(name, letter, misconception):
    task = the_task(name, letter)
    assert misconception.loses <= {part.name for part in task.parts}
    assert misconception.loses
    for seeds in SEEDS:
        report = report_on(name, letter, misconception.function, seeds)
        lost = {row.part for row in report.rows if row.status != "earned"}
        assert lost == misconception.loses, str(report)
        assert [idea.name for idea in report.ideas] == [misconception.name], str(report)
        assert str(misconception.section) in str(report)


def _stub(*args, **settings):
    raise NotImplementedError()


def _fails(*args, **settings):
    raise ZeroDivisionError("division by zero")


HOPELESS = {
    "blank": (_stub, "not started yet"),
    "zero": (lambda *a, **s: 0, "got 0"),
    "none": (lambda *a, **s: None, "None"),
    "a word": (lambda *a, **s: "banana", "banana"),
    "an object": (lambda *a, **s: object(), "object"),
    "exception": (_fails, "your function stopped with ZeroDivisionError"),
    "signature": (lambda *, nothing: nothing, "your function stopped with TypeError"),
    "exit": (lambda *a, **s: sys.exit(1), "SystemExit"),
}


@pytest.mark.parametrize("kind", HOPELESS)
@pytest.mark.parametrize(("name", "letter"), TASKS)
def test_hopeless_answers_earn_nothing_and_hear_why(name, letter, kind):
    function, message = HOPELESS[kind]
    report = report_on(name, letter, function)
    assert report.points == 0, str(report)
    assert type(report.points) is int
    assert report.blank == (kind == "blank")
    if not the_task(name, letter).drive or kind in ("blank", "exception", "exit"):
        assert message in str(report), str(report)


def _arrays_out(name, letter):
    task = the_task(name, letter)
    case = task.parts[0].cases(np.random.default_rng(0))[0]
    positional, keyword = case.arguments()
    if task.drive:
        return False
    out = task.reference(*positional, **keyword)
    return isinstance(out[0] if isinstance(out, tuple) else out, np.ndarray)


def _bend(change):
    """The solution with every array of its result changed."""

    def bent(solution):
        def function(*args, **settings):
            out = solution(*args, **settings)
            if isinstance(out, tuple):
                return tuple(change(o) if isinstance(o, np.ndarray) else o for o in out)
            return change(out)

        return function

    return bent


BENT = {
    "shape": _bend(lambda a: a[None, None, None]),
    "list": _bend(lambda a: a.tolist()),
    "object": _bend(lambda a: a.astype(object)),
    "complex": _bend(lambda a: a.astype(complex) * 1j),
    "nan": _bend(lambda a: np.full(a.shape, np.nan)),
}


@pytest.mark.parametrize("kind", BENT)
@pytest.mark.parametrize(("name", "letter"), TASKS)
def test_wrong_arrays_earn_nothing_and_hear_why(name, letter, kind):
    if not _arrays_out(name, letter):
        pytest.skip("the result is no array")
    solution = solutions(name)[the_task(name, letter).function_name]
    report = report_on(name, letter, BENT[kind](solution))
    earned = [row.part for row in report.rows if row.status == "earned"]
    assert not [part for part in earned if "shape" not in part], str(report)
    assert "expected" in str(report)


@pytest.mark.parametrize(("name", "letter"), TASKS)
def test_an_answer_that_changes_its_input_earns_nothing(name, letter):
    if not _arrays_out(name, letter):
        pytest.skip("no array goes in")
    task = the_task(name, letter)
    solution = solutions(name)[task.function_name]

    def careless(*args, **settings):
        out = solution(*args, **settings)
        for value in [*args, *settings.values()]:
            if isinstance(value, np.ndarray):
                value.reshape(-1)[:] = 7
        return out

    report = report_on(name, letter, careless)
    assert report.points == 0, str(report)
    assert "changed its input" in str(report)


_OPEN = {
    "ch02_layers_and_diagrams-b": {"at most 20,000 learned numbers"},
    "ch09_batch_norm-b": {"a new layer"},
    "ch11_layer_patterns-c": {f"diagram {number}" for number in range(1, 6)},
    "ch13_rules_of_thumb-c": {"16 images with labels drawn by lot", "32 clothes, all right"},
    "ch13_rules_of_thumb-d": {"310 of 500 clothes right"},
}
"""Parts whose inputs are the same for everybody, and told to be so."""


@pytest.mark.parametrize(("name", "letter"), TASKS)
def test_a_table_of_the_visible_inputs_earns_no_part_but_by_luck(name, letter):
    task = the_task(name, letter)
    drawn = {
        part.name: [
            {_told(case) for case in part.cases(_generator(seed, name, letter, part.name))}
            for seed in ("visible", *map(str, range(20)))
        ]
        for part in task.parts
    }
    visible = set().union(*(seeds[0] for seeds in drawn.values()))
    for part in task.parts:
        lucky = sum(cases <= visible for cases in drawn[part.name][1:])
        # what is judged there is the type, so its values are plain
        if part.judge is not judge_dtype and part.name not in _OPEN.get(f"{name}-{letter}", ()):
            assert lucky <= 3, f"{part.name}: {lucky} of 20 seeds give inputs that everybody knows"


def _told(case):
    given = {**case.positional, **case.keyword}.items()
    return repr([(k, v.tobytes() if isinstance(v, np.ndarray) else v) for k, v in given])


# --- what stands in the notebook and in the book --------------------------------------------------


@pytest.mark.parametrize("name", exercise_names())
def test_the_notebook_states_the_points_and_minutes(name):
    _, notebook = the_source(name)
    tasks = exercise(name).tasks
    points = {
        cell.id: cell.metadata.nbgrader["points"]
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    }
    by_code = {f"{task.letter}_marks": task.points for task in tasks.values()}
    assert by_code.items() <= points.items()
    written = set(points) - set(by_code)
    assert len(written) == 1, "one short written answer a notebook"
    text = "\n".join(cell.source for cell in notebook.cells)
    assert "Rubric for the grader" in text
    cards = re.findall(
        r"\*difficulty [●○]{3} · importance [●○]{3} · (\d+) minutes · (\d+) points", text
    )
    assert sorted(int(p) for _, p in cards) == sorted(points.values())
    assert 30 <= sum(int(m) for m, _ in cards) <= 90
    for cell in notebook.cells:
        letter, _, kind = cell.id.partition("_")
        if kind == "check":
            assert cell.source.endswith(f'check("{letter}", {tasks[letter].function_name})')
        if kind == "marks":
            assert cell.source.endswith(f'mark("{letter}", {tasks[letter].function_name}).points')


@pytest.mark.parametrize("name", exercise_names())
def test_every_link_leads_to_a_section_of_the_book(name):
    for task in exercise(name).tasks.values():
        for misconception in task.misconceptions:
            section = misconception.section
            text = (ROOT / f"{section.page}.md").read_text(encoding="utf-8")
            pattern = rf"^\({re.escape(section.anchor)}\)=\n#+ {re.escape(section.title)}$"
            assert re.search(pattern, text, re.MULTILINE), f"{section.anchor}: {section.title}"


def test_every_exercise_has_a_source_of_its_name():
    folders = {p.parent.name for p in (ROOT / "solutions").glob("ch*/*.py")}
    assert folders == set(exercise_names())


def test_the_explained_survivors_are_still_lines_of_a_solution():
    """`make mutants` compares by these words; a solution that changed needs its survivors looked at anew."""
    rows = yaml.safe_load((ROOT / "tests/checks/survivors.yml").read_text(encoding="utf-8"))
    for row in rows:
        cells = {cell.id: cell.source for cell in the_source(row["exercise"])[1].cells}
        assert row["was"] in cells[f"{row['task']}_solution"], row
        assert row["why"].endswith(".")
