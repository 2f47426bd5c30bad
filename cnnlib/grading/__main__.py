"""Grading from the command line: ``python -m cnnlib.grading autograde | report | doctor``."""

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config, PyFileConfigLoader

from cnnlib.errors import CnnlibError
from cnnlib.grading.barriers import BARRIERS, tried
from cnnlib.grading.gradebooks import faults_in_words, opened
from cnnlib.grading.marks import report, write_csv
from cnnlib.grading.preprocessors import ExecuteInSandbox, secret_seed_of
from cnnlib.grading.sandbox import Sandbox, SandboxError
from cnnlib.grading.settings import configure

__all__ = ["course_of", "main"]


def course_of(folder: Path | None, db: str = "") -> Config:
    """The settings of a course: of its ``nbgrader_config.py``, or the standard ones for that folder.

    Parameters
    ----------
    folder : Path, optional
        The course; without one, the ``nbgrader_config.py`` of the folder at hand says where it is.
    db : str
        Another gradebook.

    Raises
    ------
    CnnlibError
        If there is neither.
    """
    place = (folder or Path.cwd()).resolve()
    if (place / "nbgrader_config.py").exists():
        config = PyFileConfigLoader("nbgrader_config.py", path=str(place)).load_config()
    elif folder and place.is_dir():
        config = Config()
        configure(config, place)
    else:
        why = "it holds no nbgrader_config.py" if place.is_dir() else "there is no such folder"
        raise CnnlibError(
            f"course={str(place)!r} is no folder of a course: {why}. Give one with --course."
        )
    if db:
        config.CourseDirectory.db_url = db
    return config


def main(arguments: Sequence[str] | None = None) -> int:
    """Grade on many processes, tell what came of it, or try this machine's barriers."""
    parser = argparse.ArgumentParser(prog="python -m cnnlib.grading", description=main.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, words in (
        ("autograde", "grade what has no result yet"),
        ("report", "marks, verdicts, misconceptions and time of what has been graded"),
    ):
        command = commands.add_parser(name, help=words, description=words)
        command.add_argument("assignment", help="its name, such as ch04_output_size")
        command.add_argument("--course", type=Path, help="the course's folder")
        command.add_argument("--db", default="", help="the gradebook's URL (SQLite or PostgreSQL)")
        command.add_argument("--seed", type=Path, help="file with the secret seed (grading_seed)")
        command.add_argument(
            "--csv", type=Path, help="where the table goes (COURSE/ASSIGNMENT.csv)"
        )
        if name == "autograde":
            command.add_argument("--workers", type=int, default=0, help="processes (all cores)")
            command.add_argument("--scheduler", default="", help="a dask cluster's address")
            command.add_argument("--again", action="store_true", help="grade all anew")
    doctor = commands.add_parser("doctor", help="try each barrier of the sandbox")
    doctor.set_defaults(assignment="")
    options = parser.parse_args(arguments)
    try:
        with warnings.catch_warnings():
            # nbgrader's own use of its database: nothing that a user could change
            warnings.simplefilter("ignore")
            return _doctor() if options.command == "doctor" else _grade(options)
    except CnnlibError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        if error.filename is None:
            raise
        print(
            f"file={str(error.filename)!r} cannot be used ({error.strerror}): see that you may read and write it, "
            "or name another with --course, --seed or --csv.",
            file=sys.stderr,
        )
    except KeyboardInterrupt:
        print(
            "stopped. Results that were written are kept: the same command goes on from there, without --again.",
            file=sys.stderr,
        )
        return 130
    return 2


def _grade(options: argparse.Namespace) -> int:
    config = course_of(options.course, options.db)
    coursedir = CourseDirectory(config=config)
    opened(coursedir).close()  # before a seed is made in a wrong folder
    with faults_in_words(coursedir):
        return _graded(options, config, coursedir)


def _graded(options: argparse.Namespace, config: Config, coursedir: CourseDirectory) -> int:
    from cnnlib.grading import farm
    from cnnlib.grading.cluster import cores
    from cnnlib.grading.results import Ledger

    settings = ExecuteInSandbox(config=config)
    place = options.seed or Path(settings.seed_file or Path(coursedir.root) / "grading_seed")
    if not place.exists() and (options.seed or options.command == "report"):
        raise CnnlibError(
            f"seed={str(place)!r} does not exist: nothing was graded with it. Without --seed, the first "
            "'autograde' makes the class's own."
        )
    seed = secret_seed_of(place)
    if options.command == "autograde":
        rows = farm.grade_assignment(
            coursedir,
            options.assignment,
            seed,
            workers=options.workers or cores(),
            scheduler=options.scheduler,
            again=options.again,
            limits={
                "cell_seconds": settings.cell_seconds,
                "total_seconds": settings.total_seconds,
            },
        )
    with Ledger(coursedir, options.assignment, seed) as ledger:
        rows = farm.current(coursedir, ledger)
        most = ledger.most()
    if not rows:
        raise CnnlibError(
            f"assignment={options.assignment!r} has no results with this seed: run 'python -m cnnlib.grading "
            f"autograde {options.assignment}' first. Marks of 'nbgrader autograde' stand in the gradebook only."
        )
    table = options.csv or Path(coursedir.root) / f"{options.assignment}.csv"
    write_csv(rows, table)
    say(f"{report(rows, most)}\n\ntable: {table}")
    return 1 if any("quarantined" in row["verdicts"] for row in rows) else 0


def _doctor() -> int:
    """Show each barrier and, where one does not hold, what to do."""
    try:
        with Sandbox() as box:
            found: dict[str, Any] = tried(box)
    except SandboxError as error:
        say(f"✗ {error}")
        return 1
    for name, through in found.items():
        say(f"✗ {name}: {through}. To mend it: {BARRIERS[name]}" if through else f"✓ {name}")
    if any(found.values()):
        say("Nothing is graded on this machine until every barrier holds.")
        return 1
    return 0


def say(text: str) -> None:
    """Print; that a reader such as ``head`` has seen enough is no fault."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
