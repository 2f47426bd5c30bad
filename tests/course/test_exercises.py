"""Student notebooks: generated, up to date, without a solution, and pleasant to run blank."""

import hashlib
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from cnnlib.grading import notebooks
from cnnlib.grading.notebooks import ExerciseError, exercise_sources, main, source_notebook

ROOT = Path(__file__).parents[2]
SOURCES = exercise_sources(ROOT / "solutions")


@pytest.fixture(scope="module")
def generated():
    return notebooks.student_notebooks(ROOT / "solutions")


def _run(notebook, folder):
    client = NotebookClient(
        notebook,
        timeout=60,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )
    try:
        client.execute()
    except CellExecutionError as error:
        return error
    return None


def _points(notebook):
    return {
        cell.id: cell.metadata.nbgrader["points"]
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    }


def _place(source):
    return f"{source.parent.name}/{source.stem}"


# --- generated, and nothing else ----------------------------------------------------------------


def test_the_committed_notebooks_are_what_the_sources_give(generated):
    exercises = ROOT / "exercises"
    committed = {path.relative_to(exercises).as_posix() for path in exercises.glob("**/*.ipynb")}
    assert committed == set(generated)
    for place, text in generated.items():
        assert (exercises / place).read_text(encoding="utf-8") == text, (
            f"exercises/{place} has drifted: run `make exercises`"
        )


def test_generating_twice_gives_the_same_bytes(generated):
    again = notebooks.student_notebooks(ROOT / "solutions")
    assert {p: hashlib.sha256(t.encode()).digest() for p, t in again.items()} == {
        p: hashlib.sha256(t.encode()).digest() for p, t in generated.items()
    }


@pytest.fixture
def course(tmp_path, monkeypatch, generated):
    """A copy of solutions/ and exercises/, whose generation is the one above (it takes a second)."""
    shutil.copytree(ROOT / "solutions", tmp_path / "solutions")
    for place, text in generated.items():
        path = tmp_path / "exercises" / place
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(notebooks, "student_notebooks", lambda solutions: generated)
    return tmp_path


def test_the_check_is_content_with_what_was_generated(course, capsys):
    assert main(["--check", "--root", str(course)]) == 0
    assert "up to date" in capsys.readouterr().out


def test_a_hand_edit_is_detected_and_named(course, capsys):
    path = course / "exercises" / "ch04_output_size" / "output_size.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace("15 minutes", "16 minutes"))
    assert main(["--check", "--root", str(course)]) == 1
    out = capsys.readouterr().out
    assert "exercises/ch04_output_size/output_size.ipynb is not what its source gives" in out
    assert "Edit solutions/ch04_output_size/output_size.py and run `make exercises`" in out
    assert "16 minutes" in path.read_text(encoding="utf-8")  # a check writes nothing
    assert main(["--root", str(course)]) == 0
    assert main(["--check", "--root", str(course)]) == 0


def test_a_missing_and_a_foreign_notebook_are_detected(course, capsys):
    path = course / "exercises" / "ch04_output_size" / "output_size.ipynb"
    foreign = path.with_name("other.ipynb")
    path.rename(foreign)
    assert main(["--check", "--root", str(course)]) == 1
    out = capsys.readouterr().out
    assert "output_size.ipynb is not what its source gives" in out
    assert "other.ipynb: has no source in solutions/" in out


def test_a_wrong_folder_is_said(tmp_path, capsys):
    assert main(["--check", "--root", str(tmp_path)]) == 2
    assert "run this in the course's root folder" in capsys.readouterr().out


def test_no_text_twin_lies_beside_a_notebook():
    """nbgrader copies what lies beside a source notebook into the release, solution and all."""
    assert not list((ROOT / "exercises").glob("**/*.py"))
    assert not list((ROOT / "solutions").glob("**/*.ipynb"))


# --- what a student gets ------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES, ids=_place)
def test_the_release_holds_no_solution(source, generated):
    text = generated[f"{_place(source)}.ipynb"]
    for word in ("BEGIN SOLUTION", "END SOLUTION", "MARK SCHEME", "HIDDEN TESTS", "Rubric"):
        assert word not in text
    cells = {cell.id: cell for cell in nbformat.reads(text, 4).cells}
    for cell in source_notebook(source).cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            stub = "raise NotImplementedError()" if cell.cell_type == "code" else "Your answer here"
            assert stub in cells[cell.id].source
            inside = (
                cell.source.split("BEGIN SOLUTION")[1].split("END SOLUTION")[0].splitlines()[1:-1]
            )
            assert inside
            for line in inside:
                assert len(line.strip()) < 5 or line.strip() not in text


@pytest.mark.parametrize("source", SOURCES, ids=_place)
def test_points_and_structure(source, generated):
    notebook = nbformat.reads(generated[f"{_place(source)}.ipynb"], 4)
    nbformat.validate(notebook)
    points = _points(notebook)
    assert points == _points(source_notebook(source))
    assert not any(cell.get("outputs") for cell in notebook.cells)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    tasks = sum(name.endswith("_marks") for name in points)
    assert text.count("<summary>Hint 1") == tasks
    assert text.count("<summary>Hint 3") == tasks
    assert text.count("Predict first") == tasks
    assert text.count("importance") == len(points)


@pytest.mark.parametrize("source", SOURCES, ids=_place)
def test_blank_and_run_from_the_top_it_stops_at_the_first_task_kindly(
    source, generated, tmp_path, in_thread
):
    notebook = nbformat.reads(generated[f"{_place(source)}.ipynb"], 4)
    error = in_thread(_run, notebook, tmp_path)
    assert error is not None, "a blank notebook must not run through"
    assert error.ename == "NotStartedError"
    cells = {cell.id: cell for cell in notebook.cells}
    shown, stop = cells["a_check"].outputs
    assert "not started yet, 0 of" in shown.data["text/html"]
    assert "Replace the line" in shown.data["text/plain"]
    assert stop.traceback == ["The notebook stops here until task (a) is written."]
    assert cells["a_marks"].execution_count is None  # nothing behind it ran


@pytest.mark.parametrize("source", SOURCES, ids=_place)
def test_the_solution_runs_from_top_to_bottom_and_earns_all(source, tmp_path, in_thread):
    notebook = source_notebook(source)
    assert in_thread(_run, notebook, tmp_path) is None
    points = _points(notebook)
    for cell in notebook.cells:
        most = points.get(cell.id)
        if cell.cell_type == "code" and most:
            (result,) = cell.outputs
            assert result.data["text/plain"] == str(most)
        assert not any(output.get("name") == "stderr" for output in cell.get("outputs", []))


# --- sources that would not do ------------------------------------------------------------------

HEADER = """# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---
"""


def _cell(grade_id, text, kind="code", **flags):
    fields = {"grade": False, "locked": False, "solution": False, "task": False, **flags}
    pairs = ", ".join(f'"{k}": {str(v).lower()}' for k, v in fields.items())
    tag = " [markdown]" if kind == "markdown" else ""
    return (
        f'\n# %%{tag} nbgrader={{"cell_type": "{kind}", "grade_id": "{grade_id}", "schema_version": 3, '
        f"{pairs}}}\n{text}\n"
    )


def _source(folder, *cells):
    path = folder / "ch99_topic" / "name.py"
    path.parent.mkdir()
    path.write_text(HEADER + "".join(cells), encoding="utf-8")
    return path


def test_an_id_used_twice_is_refused(tmp_path):
    path = _source(tmp_path, _cell("x", "1", locked=True), _cell("x", "2", locked=True))
    with pytest.raises(ExerciseError, match="grade_id x is used twice: give every cell its own"):
        source_notebook(path)


def test_an_answer_without_a_region_is_refused(tmp_path):
    """nbgrader would replace the whole cell, with the question if it stands there."""
    _source(tmp_path, _cell("x", "# Why?", kind="markdown", grade=True, points=2, solution=True))
    with pytest.raises(ExerciseError, match=r"cell x is an answer without a BEGIN SOLUTION"):
        notebooks.student_notebooks(tmp_path)


def test_a_solution_repeated_elsewhere_is_refused(tmp_path):
    line = "answer = the_secret_formula(1, 2, 3)"
    solution = f"### BEGIN SOLUTION\n{line}\n### END SOLUTION"
    _source(tmp_path, _cell("x", solution, solution=True), f"\n# %%\n# {line}\n")
    with pytest.raises(ExerciseError, match="the solution's line 'answer = the_secret"):
        notebooks.student_notebooks(tmp_path)


def test_hidden_tests_and_marking_schemes_do_not_reach_the_student(tmp_path):
    hidden = "assert True\n### BEGIN HIDDEN TESTS\nassert hidden_from_students == 3\n### END HIDDEN TESTS"
    scheme = (
        "# Why?\n# <!-- BEGIN MARK SCHEME -->\n# one point for the idea\n# <!-- END MARK SCHEME -->"
    )
    _source(
        tmp_path,
        _cell("x", hidden, grade=True, locked=True, points=1),
        _cell("y", scheme, kind="markdown", locked=True),
    )
    (text,) = notebooks.student_notebooks(tmp_path).values()
    assert "assert True" in text
    assert "Why?" in text
    assert "hidden_from_students" not in text
    assert "one point" not in text
