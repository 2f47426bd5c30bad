"""nbgrader's own tables, read and written for many submissions at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nbformat.notebooknode import NotebookNode
from nbgrader.api import (
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    MissingEntry,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy import Engine, bindparam, select, update

from cnnlib.grading.gradebooks import GradebookError
from cnnlib.grading.marking import Graded, pack
from cnnlib.grading.restored import released_cells

__all__ = [
    "ReleasedNotebook",
    "Structure",
    "penalise",
    "scores_of",
    "structure_of",
    "write_scores",
]


@dataclass(frozen=True)
class ReleasedNotebook:
    """A notebook of the release: for the workers its text, for the gradebook its cells' ids and points."""

    id: str
    release: str
    grades: dict[str, str]
    comments: dict[str, str]
    most: dict[str, float]


@dataclass(frozen=True)
class Structure:
    """An assignment as the gradebook knows it."""

    id: str
    name: str
    has_duedate: bool
    notebooks: dict[str, ReleasedNotebook]


def structure_of(gradebook: Gradebook, name: str) -> Structure:
    """Ask the gradebook for an assignment.

    Raises
    ------
    GradebookError
        If it does not know it.
    """
    try:
        assignment = gradebook.find_assignment(name)
    except MissingEntry:
        raise GradebookError(
            f"assignment={name!r} is not in the gradebook {gradebook.engine.url.render_as_string()}: run "
            f"'nbgrader generate_assignment {name}' first, with the same --db if it is not the default."
        ) from None
    notebooks = {}
    for notebook in assignment.notebooks:
        graded = [*notebook.grade_cells, *notebook.task_cells]
        answered = [*notebook.solution_cells, *notebook.task_cells]
        notebooks[notebook.name] = ReleasedNotebook(
            notebook.id,
            pack(notebook.kernelspec, released_cells(notebook)),
            {cell.name: cell.id for cell in graded},
            {cell.name: cell.id for cell in answered},
            {cell.name: cell.max_score for cell in graded},
        )
    found = Structure(assignment.id, name, assignment.duedate is not None, notebooks)
    gradebook.db.rollback()  # nothing stays open while others write
    return found


def scores_of(
    engine: Engine, structure: Structure
) -> dict[tuple[str, str], dict[str, float | None]]:
    """The automatic scores in the gradebook, by student and notebook."""
    names = {book.id: name for name, book in structure.notebooks.items()}
    wanted = (
        select(
            SubmittedAssignment.student_id,
            SubmittedNotebook.notebook_id,
            BaseCell.name,
            Grade.auto_score,
        )
        .select_from(Grade)
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(BaseCell, Grade.cell_id == BaseCell.id)
        .where(SubmittedAssignment.assignment_id == structure.id)
    )
    scores: dict[tuple[str, str], dict[str, float | None]] = {}
    with engine.connect() as connection:
        for student, notebook, cell, score in connection.execute(wanted):
            scores.setdefault((student, names[notebook]), {})[cell] = score
    return scores


def write_scores(
    connection: Any,
    insert: Any,
    structure: Structure,
    results: Sequence[Graded],
    stamps: dict[str, datetime | None],
) -> None:
    """What nbgrader's Autograde and SaveAutoGrades write, for many at once."""
    if not results:
        return
    students = sorted({result.student for result in results})

    def add(model: Any, rows: list[dict[str, Any]]) -> None:
        if rows:
            connection.execute(insert(model.__table__).on_conflict_do_nothing(), rows)

    add(Student, [{"id": student} for student in students])

    mine = SubmittedAssignment.assignment_id == structure.id
    theirs = SubmittedAssignment.student_id.in_(students)
    wanted = select(SubmittedAssignment.student_id, SubmittedAssignment.id).where(mine, theirs)
    known = dict(connection.execute(wanted).tuples().all())
    new = [
        {"assignment_id": structure.id, "student_id": student, "timestamp": stamps[student]}
        for student in students
        if student not in known
    ]
    add(SubmittedAssignment, new)
    stamped = [{"who": s, "when": stamps[s]} for s in students if s in known and stamps[s]]
    if stamped:
        table = SubmittedAssignment.__table__
        connection.execute(
            update(table)
            .where(table.c.assignment_id == structure.id, table.c.student_id == bindparam("who"))
            .values(timestamp=bindparam("when")),
            stamped,
        )
    known = dict(connection.execute(wanted).tuples().all())

    # the whole structure of the assignment, as nbgrader makes it with a submission
    ids = list(known.values())
    wanted_notebooks = select(
        SubmittedNotebook.assignment_id, SubmittedNotebook.notebook_id, SubmittedNotebook.id
    ).where(SubmittedNotebook.assignment_id.in_(ids))
    books = [
        {"notebook_id": book.id, "assignment_id": one}
        for one in ids
        for book in structure.notebooks.values()
    ]
    add(SubmittedNotebook, books)
    submitted = {(one, book): number for one, book, number in connection.execute(wanted_notebooks)}
    grades, comments = [], []
    for one in ids:
        for book in structure.notebooks.values():
            number = submitted[one, book.id]
            grades += [{"cell_id": c, "notebook_id": number} for c in book.grades.values()]
            comments += [{"cell_id": c, "notebook_id": number} for c in book.comments.values()]
    add(Grade, grades)
    add(Comment, comments)

    scored, commented = [], []
    for result in results:
        book = structure.notebooks[result.notebook]
        number = submitted[known[result.student], book.id]
        scored += [
            {"in": number, "of": book.grades[name], "score": score, "waits": score is None}
            for name, score in result.marks.items()
        ]
        commented += [
            {"in": number, "of": cell, "words": "No response." if name in result.blank else None}
            for name, cell in book.comments.items()
        ]
    grade, comment = Grade.__table__, Comment.__table__
    by_hand = grade.c.manual_score.is_not(None)  # a person looks again at what was changed
    connection.execute(
        update(grade)
        .where(grade.c.notebook_id == bindparam("in"), grade.c.cell_id == bindparam("of"))
        .values(auto_score=bindparam("score"), needs_manual_grade=by_hand | bindparam("waits")),
        scored,
    )
    connection.execute(
        update(comment)
        .where(comment.c.notebook_id == bindparam("in"), comment.c.cell_id == bindparam("of"))
        .values(auto_comment=bindparam("words")),
        commented,
    )


def penalise(
    gradebook: Gradebook, coursedir: CourseDirectory, structure: Structure, students: Iterable[str]
) -> None:
    """nbgrader's own step, for those who are late or were."""
    if not structure.has_duedate:
        return
    wanted = (
        select(SubmittedAssignment)
        .where(SubmittedAssignment.assignment_id == structure.id)
        .where(SubmittedAssignment.student_id.in_(students))
        .where(SubmittedAssignment.timestamp.is_not(None))
    )
    late = [
        (one.student_id, book.name)
        for one in gradebook.db.execute(wanted).scalars().all()
        for book in one.notebooks
        if one.total_seconds_late > 0 or book.late_submission_penalty
    ]
    gradebook.db.rollback()  # the step has a connection of its own
    for student, notebook in late:
        names = {"notebook": notebook, "assignment": structure.name, "student": student}
        step = AssignLatePenalties(parent=coursedir)
        step.preprocess(NotebookNode(cells=[]), {"nbgrader": {**names, "db_url": coursedir.db_url}})
