"""The gradebook's database: opened with care, and its faults in words."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from cnnlib.errors import CnnlibError

__all__ = ["GradebookError", "faults_in_words", "opened"]

KINDS = ("sqlite", "postgresql")


class GradebookError(CnnlibError):
    """The gradebook cannot be used for this."""


def opened(coursedir: CourseDirectory) -> Gradebook:
    """The gradebook of a course, which is there already: nothing is made in a wrong place.

    Raises
    ------
    GradebookError
        If the address is none, if its database is of an unknown kind, or if there is none.
    """
    try:
        url = make_url(coursedir.db_url)
    except ArgumentError:
        raise GradebookError(
            f"db={coursedir.db_url!r} is no address of a database: write it as sqlite:////FOLDER/gradebook.db "
            "or postgresql://USER@HOST/NAME."
        ) from None
    if url.get_backend_name() not in KINDS:
        raise GradebookError(
            f"db={url.render_as_string()!r} is neither SQLite nor PostgreSQL: give one of these."
        )
    file = url.database or ""
    on_disk = url.get_backend_name() == "sqlite" and not file.startswith("file:")
    if on_disk and not Path(file).is_file():
        raise GradebookError(
            f"db={url.render_as_string()!r} does not exist: run 'nbgrader generate_assignment' first, or give "
            "the class's own folder with --course."
        )
    try:
        with faults_in_words(coursedir):
            return Gradebook(coursedir.db_url, coursedir.course_id)
    except ModuleNotFoundError as error:
        raise GradebookError(
            f"db={url.render_as_string()!r} needs the package {error.name}: install it in this environment."
        ) from None


@contextlib.contextmanager
def faults_in_words(coursedir: CourseDirectory) -> Iterator[None]:
    """What a database says of itself becomes a :class:`GradebookError`: it is away, locked, full, read-only."""
    try:
        yield
    except SQLAlchemyError as error:
        db = make_url(coursedir.db_url).render_as_string()
        said = str(getattr(error, "orig", None) or error).strip().split("\n")[0][:200]
        raise GradebookError(
            f"db={db!r} cannot be used ({said}): see that it is there, that you may write it and that no other "
            "program holds it. What was written is kept, and the same command goes on from there."
        ) from None
