"""The one writer: an append-only table of results, the gradebook's scores, the graded notebooks.

A result's key is the submission's bytes, its student and notebook, the assignment, the seed, and the turn
(how often the whole assignment was graded anew). A key is written once: a second run, or a task that ran
twice because its worker died, changes nothing. The table stands in the gradebook's own database, so a result
and its scores are written in one transaction; the graded notebook is in its place before that.
"""

import os
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory
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
    and_,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from cnnlib.grading.collecting import date_of
from cnnlib.grading.gradebooks import opened
from cnnlib.grading.intake import IntakeError, read_file
from cnnlib.grading.marking import Graded
from cnnlib.grading.scores import (
    ReleasedNotebook,
    penalise,
    scores_of,
    structure_of,
    write_scores,
)

__all__ = ["RESULTS", "Ledger", "seed_id", "write_file"]

LONGEST_LINE = 200
"""Characters of a date or of nbgrader's secret, which has 128."""
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


def seed_id(seed: str) -> str:
    """What tells a seed from another without telling it."""
    return sha256(f"seed {seed}".encode()).hexdigest()[:16]


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
        If the gradebook cannot be opened or does not know the assignment.
    """

    def __init__(
        self, coursedir: CourseDirectory, assignment: str, seed: str, *, again: bool = False
    ) -> None:
        self.coursedir, self.assignment, self.seed = coursedir, assignment, seed_id(seed)
        self.gradebook = opened(coursedir)
        self.engine = self.gradebook.engine
        try:
            self._insert = _INSERTS[self.engine.dialect.name]
            RESULTS.create(self.engine, checkfirst=True)
            self.structure = structure_of(self.gradebook, assignment)
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

    def _last_turn(self) -> int:
        mine = (RESULTS.c.assignment == self.assignment) & (RESULTS.c.seed == self.seed)
        with self.engine.connect() as connection:
            last = connection.execute(select(func.max(RESULTS.c.turn)).where(mine)).scalar()
        return last or 0

    @property
    def notebooks(self) -> dict[str, ReleasedNotebook]:
        """The release's notebooks by name."""
        return self.structure.notebooks

    def most(self) -> dict[str, float]:
        """The points that each cell is worth."""
        return {name: most for book in self.notebooks.values() for name, most in book.most.items()}

    # --- what is there ----------------------------------------------------------------------------

    def rows(self) -> list[dict[str, Any]]:
        """The results of this turn, in the order in which they came."""
        with self.engine.connect() as connection:
            found = connection.execute(select(RESULTS).where(self._mine()).order_by(RESULTS.c.id))
            return [dict(row) for row in found.mappings()]

    def _mine(self) -> Any:
        """The rows of this assignment, seed and turn."""
        return and_(
            RESULTS.c.assignment == self.structure.name,
            RESULTS.c.seed == self.seed,
            RESULTS.c.turn == self.turn,
        )

    def left(self, submissions: Iterable[Any]) -> list[Any]:
        """Those without a result, or whose graded notebook is gone; scores that are gone are mended."""
        rows = {(row["student"], row["notebook"], row["submission"]): row for row in self.rows()}
        scores = scores_of(self.engine, self.structure)
        left, to_mend = [], []
        for one in submissions:
            row = rows.get((one.student, one.notebook, one.digest))
            if row is None or not self._place(one.student, one.notebook).exists():
                left.append(one)
            elif scores.get((one.student, one.notebook)) != row["marks"]:
                to_mend.append(_graded(row))
        with self.engine.begin() as connection:
            self._score(connection, to_mend)
        return left

    # --- writing ----------------------------------------------------------------------------------

    def record(self, results: Sequence[Graded]) -> None:
        """Write results: the notebooks first, then table and gradebook in one transaction."""
        for start in range(0, len(results), _SOME):
            some = results[start : start + _SOME]
            for result in some:
                self._write_notebook(result)
            with self.engine.begin() as connection:
                self._append(connection, some)
                self._score(connection, self._stored(connection, some))
            students = {result.student for result in some}
            penalise(self.gradebook, self.coursedir, self.structure, students)

    def _score(self, connection: Any, results: Sequence[Graded]) -> None:
        stamps = {result.student: self._stamp(result.student)[1] for result in results}
        write_scores(connection, self._insert, self.structure, results, stamps)

    def _stored(self, connection: Any, results: Sequence[Graded]) -> list[Graded]:
        """What the table says of them: where a result was there already, that one counts."""
        students = {result.student for result in results}
        keys = {(result.student, result.notebook, result.digest) for result in results}
        found = connection.execute(
            select(RESULTS).where(self._mine()).where(RESULTS.c.student.in_(students))
        )
        stored = [_graded(row) for row in found.mappings()]
        return [one for one in stored if (one.student, one.notebook, one.digest) in keys]

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

    def _stamp(self, student: str) -> tuple[str, datetime | None]:
        """When it was handed in: nbgrader's file as it is, and what it says."""
        text = self._line(student, "timestamp.txt")
        date = date_of(text)
        return (text, date) if date else ("", None)

    def _line(self, student: str, name: str) -> str:
        """A short text that nbgrader puts beside a notebook; "" if there is none."""
        folder = Path(self._folder(self.coursedir.submitted_directory, student))
        try:
            text = read_file(folder / name).decode("utf-8")
        except (IntakeError, UnicodeDecodeError):
            return ""
        return text if len(text) <= LONGEST_LINE else ""

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
        lines = {
            "timestamp.txt": self._stamp(result.student)[0],
            "submission_secret.txt": self._line(result.student, "submission_secret.txt"),
        }
        for name, text in lines.items():  # both are for nbgrader's release of the feedback
            if text:
                write_file(place.parent / name, text)
            else:
                (place.parent / name).unlink(missing_ok=True)


def _graded(row: Any) -> Graded:
    fields = ("student", "notebook", "marks", "blank", "ideas", "verdicts", "words", "seconds")
    return Graded(digest=row["submission"], **{name: row[name] for name in fields})


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
