"""A course folder with submissions that were not sent through the exchange, for tests of the farm."""

import json
from pathlib import Path

import nbformat
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import create_engine, text
from traitlets.config import Config

from cnnlib.grading import samples
from cnnlib.grading.notebooks import source_notebook
from cnnlib.grading.settings import configure

ROOT = Path(__file__).parents[2]
SEED = "0123456789abcdef0123456789abcdef"


def new_course(course: Path, db: str = "") -> Config:
    """Released, with a seed of its own; nobody has handed in."""
    source = course / "source" / samples.ASSIGNMENT / f"{samples.NOTEBOOK}.ipynb"
    source.parent.mkdir(parents=True)
    text_of = ROOT / "solutions" / samples.ASSIGNMENT / f"{samples.NOTEBOOK}.py"
    nbformat.write(source_notebook(text_of), source)
    (course / "grading_seed").write_text(SEED)
    config = Config()
    configure(config, course)
    if db:
        config.CourseDirectory.db_url = db
    api = NbGraderAPI(config=config)
    api.log_level = "ERROR"
    done = api.generate_assignment(samples.ASSIGNMENT)
    assert done["success"], done
    return config


def coursedir(config: Config) -> CourseDirectory:
    return CourseDirectory(config=config)


def place(course: Path, student: str, step: str = "submitted") -> Path:
    return course / step / student / samples.ASSIGNMENT / f"{samples.NOTEBOOK}.ipynb"


def hand_in(course: Path, student: str, answers: dict[str, str], note: str = "") -> Path:
    released = course / "release" / samples.ASSIGNMENT / f"{samples.NOTEBOOK}.ipynb"
    notebook = samples.submission(nbformat.read(released, 4), answers)
    notebook.metadata["note"] = note or student
    path = place(course, student)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def ask(course: Path, question: str, db: str = "") -> list[tuple]:
    """Rows of the gradebook, past nbgrader and past the farm."""
    engine = create_engine(db or f"sqlite:///{course / 'gradebook.db'}")
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(question))]
    engine.dispose()
    return rows


GRADES = """
    select submitted_assignment.student_id, base_cell.name, grade.auto_score, grade.manual_score,
        grade.needs_manual_grade
    from grade join base_cell on grade.cell_id = base_cell.id
    join submitted_notebook on grade.notebook_id = submitted_notebook.id
    join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id
    order by 1, 2
"""
COMMENTS = GRADES.replace("grade.auto_score, grade.manual_score,\n        grade.needs_manual_grade", "comment.auto_comment").replace("grade join", "comment join").replace("grade.cell_id", "comment.cell_id").replace("grade.notebook_id", "comment.notebook_id")  # fmt: skip


def rows(course: Path, db: str = "") -> list[dict]:
    """The table of results."""
    names = "id, student, submission, seed, turn, marks, ideas, verdicts, words"
    found = ask(course, f"select {names} from cnnlib_results order by id", db)
    made = [dict(zip(names.split(", "), row, strict=True)) for row in found]
    for row in made:
        for name in ("marks", "ideas", "verdicts"):
            row[name] = json.loads(row[name]) if isinstance(row[name], str) else row[name]
    return made


def outputs(course: Path, student: str) -> list:
    """All outputs of a graded notebook, in order."""
    nb = nbformat.read(place(course, student, "autograded"), 4)
    return [output for cell in nb.cells for output in cell.get("outputs", [])]
