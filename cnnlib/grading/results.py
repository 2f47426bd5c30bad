"""The one writer: an append-only table of results, the gradebook's scores, the graded notebooks.

A result's key is the submission's bytes, its student and notebook, the assignment, the seed, and the turn
(how often the whole assignment was graded anew). A key is written once: a second run, or a task that ran
twice because its worker died, changes nothing. The table stands in the gradebook's own database, so a result
and its scores are written in one transaction; the graded notebook is in its place before that.
"""

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
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
from nbgrader.utils import parse_utc
from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from cnnlib.errors import CnnlibError
from cnnlib.grading.marking import Graded, pack, released_cells

__all__ = ["RESULTS", "GradebookError", "Ledger", "seed_id"]

RESULTS = Table(
    "cnnlib_results",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("assignment", String(128), nullable=False),
    Column("notebook", String(128), nullable=False),
    Column("student", String(128), nullable=False),
    Column("submission", String(64), nullable=False),
    Column("seed", String(16), nullable=False),
    Column("turn", Integer, nullable=False),
    Column("marks", JSON, nullable=False),
    Column("blank", JSON, nullable=False),
    Column("ideas", JSON, nullable=False),
    Column("verdicts", JSON, nullable=False),
    Column("words", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("at", DateTime, nullable=False),
    UniqueConstraint("assignment", "notebook", "student", "submission", "seed", "turn"),
)
"""Rows are added and never changed. The notebooks lie in ``autograded/``."""
_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_SOME = 400
"""Names in one query: SQLite takes a thousand."""


class GradebookError(CnnlibError):
    """The gradebook cannot be used for this."""


def seed_id(seed: str) -> str:
    """What tells a seed from another without telling it."""
    return sha256(f"seed {seed}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class _Notebook:
    id: str
    release: str
    grades: dict[str, str]
    comments: dict[str, str]
    most: dict[str, float]


class Ledger:
    """Results and gradebook of one assignment; a context manager.

    Parameters
    ----------
    coursedir : CourseDirectory
        nbgrader's: where the gradebook and the folders are.
    assignment : str
        Its name.
    seed : str
        The seed of this run.
    again : bool
        Begin a new turn, in place of going on with the last one.

    Raises
    ------
    GradebookError
        If the gradebook does not know the assignment, or its database is of an unknown kind.
    """

    def __init__(
        self, coursedir: CourseDirectory, assignment: str, seed: str, *, again: bool = False
    ) -> None:
        self.coursedir, self.assignment, self.seed = coursedir, assignment, seed_id(seed)
        self.gradebook = Gradebook(coursedir.db_url, coursedir.course_id)
        self.engine = self.gradebook.engine
        try:
            if self.engine.dialect.name not in _INSERTS:
                raise GradebookError(
                    f"db={self.engine.url.render_as_string()!r} is neither SQLite nor PostgreSQL: give one of these."
                )
            self._insert = _INSERTS[self.engine.dialect.name]
            RESULTS.create(self.engine, checkfirst=True)
            self.id, self.notebooks = self._released()
            self.turn = self._last_turn() + again or 1
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.gradebook.close()

    def _released(self) -> tuple[str, dict[str, _Notebook]]:
        try:
            assignment = self.gradebook.find_assignment(self.assignment)
        except MissingEntry:
            raise GradebookError(
                f"assignment={self.assignment!r} is not in the gradebook "
                f"{self.engine.url.render_as_string()}: run 'nbgrader generate_assignment "
                f"{self.assignment}' first, with the same --db if it is not the default."
            ) from None
        self.has_duedate = assignment.duedate is not None
        notebooks = {}
        for notebook in assignment.notebooks:
            graded = [*notebook.grade_cells, *notebook.task_cells]
            answered = [*notebook.solution_cells, *notebook.task_cells]
            notebooks[notebook.name] = _Notebook(
                notebook.id,
                pack(notebook.kernelspec, released_cells(notebook)),
                {cell.name: cell.id for cell in graded},
                {cell.name: cell.id for cell in answered},
                {cell.name: cell.max_score for cell in graded},
            )
        found = assignment.id, notebooks
        self.gradebook.db.rollback()  # nothing stays open while others write
        return found

    def _last_turn(self) -> int:
        mine = (RESULTS.c.assignment == self.assignment) & (RESULTS.c.seed == self.seed)
        with self.engine.connect() as connection:
            last = connection.execute(select(func.max(RESULTS.c.turn)).where(mine)).scalar()
        return last or 0

    def most(self) -> dict[str, float]:
        """The points that each cell is worth."""
        return {name: most for book in self.notebooks.values() for name, most in book.most.items()}

    # --- what is there ----------------------------------------------------------------------------

    def rows(self) -> list[dict[str, Any]]:
        """The results of this turn, in the order in which they came."""
        wanted = (
            (RESULTS.c.assignment == self.assignment)
            & (RESULTS.c.seed == self.seed)
            & (RESULTS.c.turn == self.turn)
        )
        with self.engine.connect() as connection:
            found = connection.execute(select(RESULTS).where(wanted).order_by(RESULTS.c.id))
            return [dict(row) for row in found.mappings()]

    def left(self, submissions: Iterable[Any]) -> list[Any]:
        """Those without a result, or whose scores or graded notebook are no longer there."""
        rows = {(row["student"], row["notebook"], row["submission"]): row for row in self.rows()}
        scores = self._scores()
        left = []
        for one in submissions:
            row = rows.get((one.student, one.notebook, one.digest))
            there = row is not None and scores.get((one.student, one.notebook)) == row["marks"]
            if not there or not self._place(one.student, one.notebook).exists():
                left.append(one)
        return left

    def _scores(self) -> dict[tuple[str, str], dict[str, float | None]]:
        names = {book.id: name for name, book in self.notebooks.items()}
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
            .where(SubmittedAssignment.assignment_id == self.id)
        )
        scores: dict[tuple[str, str], dict[str, float | None]] = {}
        with self.engine.connect() as connection:
            for student, notebook, cell, score in connection.execute(wanted):
                scores.setdefault((student, names[notebook]), {})[cell] = score
        return scores

    # --- writing ----------------------------------------------------------------------------------

    def record(self, results: Sequence[Graded]) -> None:
        """Write results: the notebooks first, then table and gradebook in one transaction."""
        for start in range(0, len(results), _SOME):
            some = results[start : start + _SOME]
            for result in some:
                self._write_notebook(result)
            with self.engine.begin() as connection:
                self._append(connection, some)
                self._score(connection, some)
            self._penalise(some)

    def _append(self, connection: Any, results: Sequence[Graded]) -> None:
        now = datetime.now(UTC).replace(tzinfo=None)
        rows = [
            {
                "assignment": self.assignment,
                "notebook": result.notebook,
                "student": result.student,
                "submission": result.digest,
                "seed": self.seed,
                "turn": self.turn,
                "marks": result.marks,
                "blank": result.blank,
                "ideas": result.ideas,
                "verdicts": result.verdicts,
                "words": result.words,
                "seconds": result.seconds,
                "at": now,
            }
            for result in results
        ]
        connection.execute(self._insert(RESULTS).on_conflict_do_nothing(), rows)

    def _score(self, connection: Any, results: Sequence[Graded]) -> None:
        """What nbgrader's Autograde and SaveAutoGrades write, for many at once."""
        students = sorted({result.student for result in results})
        stamps = {student: self._stamp(student)[1] for student in students}
        self._add(connection, Student, [{"id": student} for student in students])

        mine = SubmittedAssignment.assignment_id == self.id
        theirs = SubmittedAssignment.student_id.in_(students)
        wanted = select(SubmittedAssignment.student_id, SubmittedAssignment.id).where(mine, theirs)
        known = dict(connection.execute(wanted).tuples().all())
        new = [
            {"assignment_id": self.id, "student_id": student, "timestamp": stamps[student]}
            for student in students
            if student not in known
        ]
        self._add(connection, SubmittedAssignment, new)
        stamped = [{"who": s, "when": stamps[s]} for s in students if s in known and stamps[s]]
        if stamped:
            table = SubmittedAssignment.__table__
            connection.execute(
                update(table)
                .where(table.c.assignment_id == self.id, table.c.student_id == bindparam("who"))
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
            for book in self.notebooks.values()
        ]
        self._add(connection, SubmittedNotebook, books)
        submitted = {
            (one, book): number for one, book, number in connection.execute(wanted_notebooks)
        }
        grades, comments = [], []
        for one in ids:
            for book in self.notebooks.values():
                number = submitted[one, book.id]
                grades += [{"cell_id": c, "notebook_id": number} for c in book.grades.values()]
                comments += [{"cell_id": c, "notebook_id": number} for c in book.comments.values()]
        self._add(connection, Grade, grades)
        self._add(connection, Comment, comments)

        scored, commented = [], []
        for result in results:
            book = self.notebooks[result.notebook]
            number = submitted[known[result.student], book.id]
            scored += [
                {"in": number, "of": book.grades[name], "score": score, "waits": score is None}
                for name, score in result.marks.items()
            ]
            commented += [
                {
                    "in": number,
                    "of": cell,
                    "words": "No response." if name in result.blank else None,
                }
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

    def _add(self, connection: Any, model: Any, rows: list[dict[str, Any]]) -> None:
        if rows:
            connection.execute(self._insert(model.__table__).on_conflict_do_nothing(), rows)

    def _stamp(self, student: str) -> tuple[str, datetime | None]:
        """When it was handed in: nbgrader's file as it is, and what it says."""
        place = Path(self._folder(self.coursedir.submitted_directory, student)) / "timestamp.txt"
        try:
            if place.is_symlink() or place.stat().st_size > 100:
                return "", None
            text = place.read_text(encoding="utf-8")
            return text, parse_utc(text.strip())
        except (OSError, ValueError, OverflowError):
            return "", None

    def _penalise(self, results: Sequence[Graded]) -> None:
        """nbgrader's own step, for those who are late or were."""
        if not self.has_duedate:
            return
        students = {result.student for result in results}
        wanted = (
            select(SubmittedAssignment)
            .where(SubmittedAssignment.assignment_id == self.id)
            .where(SubmittedAssignment.student_id.in_(students))
            .where(SubmittedAssignment.timestamp.is_not(None))
        )
        for one in self.gradebook.db.execute(wanted).scalars():
            was = any(book.late_submission_penalty for book in one.notebooks)
            if one.total_seconds_late <= 0 and not was:
                continue
            for book in one.notebooks:
                names = {
                    "notebook": book.name,
                    "assignment": self.assignment,
                    "student": one.student_id,
                    "db_url": self.coursedir.db_url,
                }
                step = AssignLatePenalties(parent=self.coursedir)
                step.preprocess(NotebookNode(cells=[]), {"nbgrader": names})
        self.gradebook.db.rollback()

    # --- files ------------------------------------------------------------------------------------

    def _folder(self, step: str, student: str) -> str:
        return self.coursedir.format_path(step, student, self.assignment)

    def _place(self, student: str, notebook: str) -> Path:
        folder = self._folder(self.coursedir.autograded_directory, student)
        return Path(folder) / f"{notebook}.ipynb"

    def _write_notebook(self, result: Graded) -> None:
        place = self._place(result.student, result.notebook)
        place.parent.mkdir(parents=True, exist_ok=True)
        write_file(place, result.text)
        stamp = place.parent / "timestamp.txt"
        if text := self._stamp(result.student)[0]:
            write_file(stamp, text)
        else:
            stamp.unlink(missing_ok=True)


def write_file(place: Path, text: str) -> None:
    """Write a file whole or not at all, read-only as nbgrader leaves them."""
    descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=".writing-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        os.chmod(name, 0o444)
        os.replace(name, place)
    except BaseException:
        os.unlink(name)
        raise
