"""The real cycle of nbgrader 0.9.6: the sample class, and a second one that sets every trap."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from cnnlib.checks.catalogue import exercise
from cnnlib.checks.report import REPORT_TYPE
from cnnlib.grading import classroom, samples

ROOT = Path(__file__).parents[2]

# name: marks of (a) of 8, (b) of 7, (c) of 12; by hand, from the parts' points
SAMPLE_MARKS = {
    "ada_full_marks": (8, 7, 12),
    "ben_blank": (0, 0, 0),
    "cleo_floors_silently": (7, 7, 12),
    "dev_pads_every_axis": (8, 0, 12),
    "eva_flips_the_kernel": (8, 7, 8),
    "finn_syntax_error": (0, 7, 12),
    "gus_infinite_loop": (8, 7, 0),
}
NAMED = {
    "cleo_floors_silently": "strict rounds silently",
    "dev_pads_every_axis": "every axis is padded",
    "eva_flips_the_kernel": "the kernel is flipped",
}

HIDDEN = """### BEGIN HIDDEN TESTS
assert output_size(9, 3) == 7, "the words of a failed assertion"
a_name_from_the_hidden_tests = output_size(10, 3)
### END HIDDEN TESTS
"""


@pytest.fixture(scope="module")
def solutions(tmp_path_factory):
    """The course's sources, with a hidden test before the marks of task (a)."""
    folder = tmp_path_factory.mktemp("course") / "solutions"
    shutil.copytree(ROOT / "solutions", folder)
    path = folder / samples.ASSIGNMENT / f"{samples.NOTEBOOK}.py"
    text = path.read_text(encoding="utf-8")
    first = "# Marks for task (a)"
    assert text.count(first) == 1
    path.write_text(text.replace(first, HIDDEN + first), encoding="utf-8")
    return folder


# --- the sample class ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample(tmp_path_factory, solutions, in_thread):
    course = tmp_path_factory.mktemp("sample")
    students = samples.sample_class(solutions)
    lines = []
    found = in_thread(classroom.run_cycle, course, solutions, students, say=lines.append)
    return course, {result.student: result for result in found}, lines


def _marks(result):
    return tuple(result.marks[f"{letter}_marks"] for letter in "abc")


def _feedback(course, student):
    path = course / "feedback" / student / samples.ASSIGNMENT / f"{samples.NOTEBOOK}.html"
    return path.read_text(encoding="utf-8")


def _graded(course, student):
    path = course / "autograded" / student / samples.ASSIGNMENT / f"{samples.NOTEBOOK}.ipynb"
    return {
        cell.metadata.get("nbgrader", {}).get("grade_id", cell.id): cell
        for cell in nbformat.read(path, 4).cells
    }


def test_every_sample_gets_the_marks_that_it_should(sample):
    _, found, _ = sample
    assert {name: _marks(result) for name, result in found.items()} == SAMPLE_MARKS
    assert not any(result.problem for result in found.values())


def test_a_written_answer_waits_for_a_person_and_a_blank_one_does_not(sample):
    _, found, _ = sample
    assert found["ada_full_marks"].marks["d_answer"] is None
    assert found["ben_blank"].marks["d_answer"] == 0
    assert found["ada_full_marks"].most["d_answer"] == 3


def test_the_csv_has_the_same_marks(sample):
    course, _, _ = sample
    with open(course / "grades.csv", newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert {name: float(row["score"]) for name, row in rows.items()} == {
        name: float(sum(marks)) for name, marks in SAMPLE_MARKS.items()
    }
    assert {float(row["max_score"]) for row in rows.values()} == {30.0}


@pytest.mark.parametrize("student", NAMED)
def test_a_misconception_is_named_in_the_feedback(sample, student):
    course, found, _ = sample
    feedback = _feedback(course, student)
    assert f"Looks like: {NAMED[student]}." in feedback
    assert "chapter 4, section" in feedback
    assert "background-color:#fde2dc" in feedback  # the report keeps its colours
    assert ("<caption" in feedback) == (student == "eva_flips_the_kernel")  # its picture
    assert found[student].recognised == [NAMED[student]]


def test_the_feedback_of_a_loop_and_of_a_syntax_error_says_so(sample):
    course, found, _ = sample
    assert "no answer within the time limit. Does a loop never end?" in _feedback(
        course, "gus_infinite_loop"
    )
    assert found["gus_infinite_loop"].recognised == ["(c) did not end in time"]
    assert "SyntaxError" in _feedback(course, "finn_syntax_error")
    assert found["finn_syntax_error"].recognised[0].startswith("SyntaxError: expected ':'")


def test_hidden_tests_and_rubric_are_in_the_grading_and_nowhere_else(sample):
    course, found, _ = sample
    graded = _graded(course, "ada_full_marks")
    assert "a_name_from_the_hidden_tests" in graded["a_marks"].source  # it ran
    assert "Rubric for the grader" in graded["d_question"].source  # the grader reads it
    released = course / "release" / samples.ASSIGNMENT / f"{samples.NOTEBOOK}.ipynb"
    for text in [
        released.read_text(encoding="utf-8"),
        *(_feedback(course, student) for student in found),
    ]:
        for secret in ("a_name_from_the_hidden_tests", "HIDDEN TESTS", "Rubric", "MARK SCHEME"):
            assert secret not in text


def test_the_feedback_needs_no_other_host_and_runs_no_script(sample):
    course, found, _ = sample
    for student in found:
        html = _feedback(course, student)
        assert "<script" not in html
        assert "@import" not in html
        assert 'src="http' not in html


def test_the_grading_uses_a_secret_seed_and_keeps_it(sample):
    course, _, _ = sample
    seed = course / "grading_seed"
    assert len(seed.read_text().strip()) == 32
    if os.name == "posix":
        assert seed.stat().st_mode & 0o077 == 0
    cells = _graded(course, "ada_full_marks")
    shown = [o for o in cells["a_marks"].outputs if REPORT_TYPE in o.get("data", {})]
    assert len(shown) == 1  # a report is shown beside the marks only when a seed is set


def test_progress_and_table(sample):
    _, found, lines = sample
    assert [line.split(":")[0] for line in lines] == (
        ["generate", "release", "submit"] + ["autograde and feedback"] * 7 + ["export"]
    )
    table = classroom.table(list(found.values())).splitlines()
    assert table[0].split()[0] == "student"
    assert "(d) by hand, of 3" in table[0]
    assert len(table) == 2 + 7
    eva = next(line for line in table if line.startswith("eva"))
    assert eva.split()[1:5] == ["8", "7", "8", "23"]
    assert "to be graded by hand" in eva
    assert eva.endswith("the kernel is flipped")


def test_plain_nbgrader_commands_give_the_same_marks(sample):
    """The settings work without the class room: `nbgrader autograde` from the command line."""
    course, _, _ = sample
    config = course / "nbgrader_config.py"
    config.write_text(
        "from pathlib import Path\n"
        "from cnnlib.grading.settings import configure\n"
        f"configure(get_config(), Path({str(course)!r}))\n"
    )
    before = _graded(course, "eva_flips_the_kernel")["c_marks"].outputs[-1].data["text/plain"]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "nbgrader", "autograde", samples.ASSIGNMENT),
            *("--student", "eva_flips_the_kernel", "--force"),
        ],
        cwd=course,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    after = _graded(course, "eva_flips_the_kernel")["c_marks"].outputs[-1].data["text/plain"]
    assert (before, after) == ("8", "8")


def _validated(path):
    """What `nbgrader validate` says about a notebook."""
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "validate", path.name],
        cwd=path.parent,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return done.stdout + done.stderr


def test_validate_agrees_with_the_grading(sample):
    """What `nbgrader validate` tells a student at home is what the marks will say."""
    course, _, _ = sample
    for student, words in (
        ("ada_full_marks", "Success! Your notebook passes all the tests."),
        ("eva_flips_the_kernel", "VALIDATION FAILED ON 1 CELL(S)"),
    ):
        path = course / "homes" / student / samples.ASSIGNMENT / f"{samples.NOTEBOOK}.ipynb"
        assert words in _validated(path)


@pytest.mark.parametrize(
    "assignment", ["ch09_batch_norm"]
)  # all: test_every_exercise_in_the_sandbox.py
def test_other_exercises_go_through_the_same_cycle(assignment, tmp_path, in_thread):
    """A class that a student writes, and PyTorch: what the student sees, validate and the marks agree."""
    students = samples.sample_class(ROOT / "solutions", assignment)
    found = in_thread(
        classroom.run_cycle,
        tmp_path,
        ROOT / "solutions",
        students,
        assignment=assignment,
        say=lambda line: None,
    )
    tasks = exercise(assignment).tasks
    most = {f"{letter}_marks": task.points for letter, task in tasks.items()}
    for result, share in zip(found, (1, 0), strict=True):
        assert result.problem == ""
        marks = {name: mark for name, mark in result.marks.items() if name in most}
        assert marks == {name: share * points for name, points in most.items()}
    notebook = samples.notebook_of(ROOT / "solutions", assignment)
    for student, words in (("ada_full_marks", "Success!"), ("ben_blank", "VALIDATION FAILED")):
        path = tmp_path / "homes" / student / assignment / f"{notebook}.ipynb"
        assert words in _validated(path)


def test_a_folder_with_something_in_it_is_refused(tmp_path, solutions):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(classroom.GradingError, match="is not empty: give a new or an empty folder"):
        classroom.run_cycle(tmp_path, solutions, {}, say=lambda line: None)
    assert (tmp_path / "thesis.txt").exists()


def test_make_grade_spares_a_real_course_and_replaces_its_own(tmp_path, monkeypatch, capsys):
    shutil.copytree(ROOT / "solutions", tmp_path / "solutions")
    course = tmp_path / "classroom"
    (course / "source").mkdir(parents=True)
    (course / "gradebook.db").write_text("a real class")
    assert classroom.main(["--root", str(tmp_path)]) == 1
    assert "holds something that this command has not made" in capsys.readouterr().out
    assert classroom.main(["--root", str(tmp_path)]) == 1
    assert (course / "gradebook.db").read_text() == "a real class"

    assert classroom.main(["--root", str(tmp_path), "--exercise", "ch99_topic"]) == 2
    assert "no exercise 'ch99_topic' in" in capsys.readouterr().out

    def cycle(course, solutions, students, *, assignment, workers, say):
        course.mkdir(parents=True)
        (course / "gradebook.db").write_text("a sample class")
        return [classroom.Result("ada", {"a_marks": 8.0}, {"a_marks": 8.0})]

    monkeypatch.setattr(classroom, "run_cycle", cycle)
    arguments = ["--root", str(tmp_path), "--course", str(tmp_path / "other")]
    assert classroom.main(arguments) == 0
    assert classroom.main(arguments) == 0  # again in a row
    assert "ada" in capsys.readouterr().out


# --- the traps ----------------------------------------------------------------------------------

NOISY = """
import os, sys, warnings
def zero_pad(x, padding):
    print("a word on stderr", file=sys.stderr)
    os.write(2, b"another, past Python\\n")
    warnings.warn("careful", RuntimeWarning)
    np.log(np.zeros(1))
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
"""
LATE_NOISE = """
import threading
def _later():
    while True:
        time.sleep(0.02); print("late", file=sys.stderr, flush=True)
import sys, time
threading.Thread(target=_later, daemon=True).start()
"""
DIES = "def conv2d(x, weight, bias=None, *, stride=1, padding=0):\n    import os; os._exit(1)"
HANGS = """
import time
while True:
    try:
        time.sleep(0.05)
    except BaseException:
        pass
"""
SCRIPTS = """
from IPython.display import HTML, Javascript, Markdown, display
display(HTML("<script>alert('html')</script><img src=x onerror=alert(1)>"))
display(Javascript("alert('javascript')"))
display(Markdown("<script>alert('markdown')</script>"))
print("<script>alert('stdout')</script>")
def zero_pad(x, padding):
    raise RuntimeError("<script>alert('error')</script>")
"""
WRITTEN = "<script>alert('answer')</script> 54.25 is not whole, [click](javascript:alert(2))"


def _edit(path, change):
    notebook = nbformat.read(path, 4)
    change(notebook, {cell.id: cell for cell in notebook.cells})
    nbformat.write(notebook, path)


def _delete_all_tests(notebook, cells):
    notebook.cells = [c for c in notebook.cells if c.id.endswith(("solution", "answer"))]


def _duplicate(notebook, cells):
    """The first copy of each answer is wrong, the first copy of each test says full marks."""
    for name in ("a_solution", "a_marks", "c_marks"):
        copy = nbformat.from_dict(cells[name])
        copy = nbformat.v4.new_code_cell("8", metadata=copy.metadata)
        notebook.cells.insert(notebook.cells.index(cells[name]), copy)


def _rewrite_tests(notebook, cells):
    for name, most in (("a_marks", 8), ("b_marks", 7), ("c_marks", 12)):
        cells[name].source = str(most)
    cells["setup"].source += "\nmark = lambda *a: type('R', (), {'points': 12})"


def _retag(notebook, cells):
    """Metadata with which nbgrader's own steps skip, crash or pay in full."""
    cells["a_marks"].metadata["tags"] = ["skip-execution"]
    cells["b_marks"].metadata["nbgrader"] |= {"grade": False, "solution": True, "locked": False}
    cells["c_marks"].metadata["nbgrader"]["points"] = 1200
    cells["d_answer"].metadata["nbgrader"] = "none of your business"


def _rename_cell_ids(notebook, cells):
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"renamed-{number}"


def _old_format(notebook, cells):
    for cell in notebook.cells:
        del cell["id"]
    notebook.nbformat_minor = 4


TRAPS = {
    # name: (answers over the full solution or over nothing, change of the notebook, marks)
    "noise": ({"b_solution": NOISY}, None, (8, 7, 12)),
    "late_noise": (
        {"setup": None, "text-17": None, "a_solution": "+" + LATE_NOISE},
        None,
        (8, 7, 12),
    ),
    "tests_deleted": ({}, _delete_all_tests, (8, 7, 12)),
    "tests_deleted_blank": (None, _delete_all_tests, (0, 0, 0)),
    "duplicated": ({}, _duplicate, (8, 7, 12)),
    "tests_rewritten_blank": (None, _rewrite_tests, (0, 0, 0)),
    "retagged_blank": (None, _retag, (0, 0, 0)),
    "renamed": ({}, _rename_cell_ids, (8, 7, 12)),
    "old_format": ({}, _old_format, (8, 7, 12)),
    "kernel_dies": ({"c_solution": DIES}, None, (8, 7, 0)),
    "hangs_for_good": ({"b_solution": HANGS}, None, (8, 0, 12)),
    "scripts": ({"b_solution": SCRIPTS, "d_answer": WRITTEN}, None, (8, 0, 12)),
    "no_hidden": ({"a_solution": "output_size = lambda *a, **s: 6"}, None, (0, 7, 12)),
}


@pytest.fixture(scope="module")
def traps(tmp_path_factory, solutions, in_thread):
    course = tmp_path_factory.mktemp("traps")
    full = samples.sample_class(solutions)["ada_full_marks"]
    students, changes = {}, {}
    for name, (answers, change, _) in TRAPS.items():
        students[name] = {} if answers is None else dict(full)
        for cell, text in (answers or {}).items():
            if text is not None:
                students[name][cell] = full[cell] + text[1:] if text.startswith("+") else text
        changes[name] = change
    config = classroom.course_config(course)
    config.ExecuteInSandbox.cell_seconds = 10.0

    def change(student, path):
        if changes[student]:
            _edit(path, changes[student])

    found = in_thread(
        classroom.run_cycle,
        course,
        solutions,
        students,
        config=config,
        change=change,
        say=lambda line: None,
    )
    return course, {result.student: result for result in found}


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_neither_earns_nor_costs(traps, name):
    _, found = traps
    assert found[name].problem == ""
    assert _marks(found[name]) == TRAPS[name][2]


def test_a_hidden_test_that_fails_leaves_its_words_but_not_its_source(traps):
    course, _ = traps
    assert "HIDDEN" in _graded(course, "no_hidden")["a_marks"].source
    feedback = _feedback(course, "no_hidden")
    assert "AssertionError: the words of a failed assertion" in feedback
    assert "a_name_from_the_hidden_tests" not in feedback
    assert "output_size(9, 3)" not in feedback


def test_what_stopped_the_kernel_is_said_in_the_feedback(traps):
    course, _ = traps
    assert "ProcessEndedError: the Python process ended (exit status 1)" in _feedback(
        course, "kernel_dies"
    )
    graded = _graded(course, "hangs_for_good")
    assert graded["b_solution"].source.strip() == HANGS.strip()  # the text is back
    assert "this cell did not end within 10 s" in _feedback(course, "hangs_for_good")


def test_a_students_scripts_are_harmless_in_the_feedback(traps, chromium):
    course, _ = traps
    html = _feedback(course, "scripts")
    assert "<script" not in html
    assert "onerror=alert" not in html.replace("&lt;img src=x onerror=alert(1)&gt;", "")
    assert 'href="javascript' not in html
    for place in ("html", "markdown", "stdout", "error", "answer"):
        assert f"alert('{place}')" in html.replace("&#39;", "'"), (
            f"{place} was dropped, not escaped"
        )
    page = chromium.new_page()
    alerts, requests = [], []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: requests.append(request.url))
    path = course / "feedback" / "scripts" / samples.ASSIGNMENT / f"{samples.NOTEBOOK}.html"
    page.goto(path.as_uri())
    page.wait_for_timeout(300)
    page.close()
    assert alerts == []
    assert requests == [path.as_uri()]


def test_a_blank_release_earns_nothing_and_is_not_left_to_a_person(traps):
    _, found = traps
    assert found["tests_deleted_blank"].marks["d_answer"] == 0
    assert found["retagged_blank"].marks["d_answer"] == 0
