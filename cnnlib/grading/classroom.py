"""nbgrader's whole cycle on a sample class: ``python -m cnnlib.grading.classroom``, or ``make grade``.

Generate the student notebooks, release them to an exchange folder, submit for each student, collect,
autograde, write feedback, export the marks. Every step is nbgrader's own, with the settings of
:mod:`cnnlib.grading.settings`; the folders stay for a look with formgrader.
"""

import argparse
import logging
import os
import re
import shutil
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import CsvExportPlugin
from traitlets.config import Config

from cnnlib.checks.report import REPORT_TYPE
from cnnlib.errors import CnnlibError
from cnnlib.grading import samples
from cnnlib.grading.farm import grade_assignment
from cnnlib.grading.notebooks import write_source_notebooks
from cnnlib.grading.preprocessors import secret_seed_of
from cnnlib.grading.settings import configure

__all__ = ["GradingError", "Result", "course_config", "main", "results", "run_cycle"]

Say = Callable[[str], None]


class GradingError(CnnlibError):
    """A step of nbgrader that did not go through."""


@dataclass
class Result:
    """What one student has: points by cell (``None``: waits for a person), and what was recognised."""

    student: str
    marks: dict[str, float | None] = field(default_factory=dict)
    most: dict[str, float] = field(default_factory=dict)
    recognised: list[str] = field(default_factory=list)
    problem: str = ""

    @property
    def automatic(self) -> float:
        return sum(points for points in self.marks.values() if points is not None)


def course_config(course: Path) -> Config:
    """The course's settings, with an exchange folder inside `course`."""
    config = Config()
    configure(config, course)
    config.Exchange.root = str(course / "exchange")
    config.Exchange.cache = str(course / "cache")
    config.ExchangeCollect.check_owner = False  # all samples are handed in by one account
    return config


def run_cycle(
    course: Path,
    solutions: Path,
    students: Mapping[str, Mapping[str, str]],
    *,
    assignment: str = samples.ASSIGNMENT,
    config: Config | None = None,
    change: Callable[[str, Path], None] | None = None,
    workers: int = 0,
    say: Say = print,
) -> list[Result]:
    """Run the cycle for one exercise in the empty folder `course`.

    Parameters
    ----------
    course : Path
        Working folder; made if need be, and refused if it holds anything.
    solutions : Path
        The exercises' sources.
    students : mapping
        Answers by cell, by student.
    assignment : str
        The exercise, such as ``"ch04_output_size"``.
    config : Config, optional
        Other settings than :func:`course_config`'s.
    change : callable, optional
        Called with each student's name and notebook before it is handed in.
    workers : int
        Grade on the farm with so many processes, in place of ``nbgrader autograde``.
    say : callable
        Takes one line of progress.

    Raises
    ------
    GradingError
        If `course` is not empty or a step fails for the whole class. What fails for one student is in
        that student's result.
    """
    course = course.resolve()
    if course.exists() and any(course.iterdir()):
        raise GradingError(f"course={str(course)!r} is not empty: give a new or an empty folder.")
    course.mkdir(parents=True, exist_ok=True)
    config = config or course_config(course)
    with warnings.catch_warnings():
        # nbgrader's own use of its database, and of its libraries: nothing that a user could change
        warnings.simplefilter("ignore")
        return _run_steps(course, solutions, students, assignment, config, change, workers, say)


def _run_steps(
    course: Path,
    solutions: Path,
    students: Mapping[str, Mapping[str, str]],
    assignment: str,
    config: Config,
    change: Callable[[str, Path], None] | None,
    workers: int,
    say: Say,
) -> list[Result]:
    notebook = samples.notebook_of(solutions, assignment)
    say("generate: student notebook and gradebook")
    write_source_notebooks(solutions, course / "source")
    api = NbGraderAPI(config=config)
    api.log_level = "ERROR"
    _step("generate_assignment", api.generate_assignment(assignment))
    say("release: to the exchange folder")
    _step("release_assignment", api.release_assignment(assignment))

    released = course / "exchange" / api.course_id / "outbound" / assignment / f"{notebook}.ipynb"
    for student, answers in students.items():
        home = course / "homes" / student
        own = home / assignment / f"{notebook}.ipynb"
        own.parent.mkdir(parents=True)
        nbformat.write(samples.submission(nbformat.read(released, 4), answers), own)
        if change:
            change(student, own)
        _submit(config, assignment, student, home)
    say(f"submit: {len(students)} students")
    _step("collect", api.collect(assignment))

    if workers:
        say(f"farm: autograde with {workers} processes")
        seed = secret_seed_of(course / "grading_seed")
        grade_assignment(api.coursedir, assignment, seed, workers=workers, show=False)

    problems = {}
    what = "feedback" if workers else "autograde and feedback"
    for number, student in enumerate(students, 1):
        start = time.perf_counter()
        done = {"success": True} if workers else api.autograde(assignment, student)
        if done["success"]:
            done = api.generate_feedback(assignment, student)
        if not done["success"]:
            problems[student] = _reason(done)
        seconds = time.perf_counter() - start
        say(f"{what}: {number} of {len(students)}, {student}, {seconds:.1f} s")

    grades = course / "grades.csv"
    with Gradebook(api.coursedir.db_url, api.course_id) as gradebook:
        exporter = CsvExportPlugin(config=config)
        exporter.to = str(grades)
        exporter.export(gradebook)
    say("export: grades.csv")
    return results(course, config, students, problems, assignment)


def _submit(config: Config, assignment: str, student: str, home: Path) -> None:
    api = NbGraderAPI(config=config, coursedir=CourseDirectory(config=config))
    api.coursedir.assignment_id = assignment
    api.coursedir.student_id = student
    submit = api.exchange.Submit(
        coursedir=api.coursedir, authenticator=api.authenticator, config=config
    )
    # a log of its own: the level of a shared one would stay
    submit.log = logging.Logger("submit", logging.ERROR)
    submit.assignment_dir = str(home)
    submit.start()


def _step(name: str, done: dict[str, Any]) -> None:
    if not done["success"]:
        raise GradingError(
            f"nbgrader's step {name} failed:\n{done.get('log') or done.get('error')}"
        )


def _reason(done: dict[str, Any]) -> str:
    """The error behind a failed step, out of nbgrader's log."""
    lines = done.get("log", "").splitlines()
    errors = [line for line in lines if re.match(r"[A-Za-z_][\w.]*(Error|Exception)\b", line)]
    return errors[-1] if errors else "nbgrader gave no reason"


def results(
    course: Path,
    config: Config,
    students: Sequence[str] | Mapping,
    problems: Mapping[str, str],
    assignment: str = samples.ASSIGNMENT,
) -> list[Result]:
    """Read the marks from the gradebook and the recognised ideas from the graded notebooks."""
    found = []
    with Gradebook(config.CourseDirectory.db_url, config.CourseDirectory.course_id) as gradebook:
        for student in students:
            result = Result(student, problem=problems.get(student, ""))
            submission = gradebook.find_submission(assignment, student)
            for notebook in submission.notebooks:
                for grade in sorted(notebook.grades, key=lambda grade: grade.name):
                    waits = grade.needs_manual_grade
                    result.marks[grade.name] = None if waits else grade.score
                    result.most[grade.name] = grade.max_score
            for graded in (course / "autograded" / student / assignment).glob("*.ipynb"):
                result.recognised = _recognised(graded)
            found.append(result)
    return found


def _recognised(graded: Path) -> list[str]:
    """Misconceptions by name, time-outs, and errors in the student's own cells."""
    names = []
    for cell in nbformat.read(graded, 4).cells:
        nbgrader = cell.metadata.get("nbgrader", {})
        for output in cell.get("outputs", []):
            facts = output.get("data", {}).get(REPORT_TYPE, {})
            names += facts.get("misconceptions", [])
            if facts.get("timed_out"):
                names.append(f"({facts['task']}) did not end in time")
            if output.output_type == "error" and not nbgrader.get("locked"):
                names.append(f"{output.ename}: {output.evalue}")
    return list(dict.fromkeys(names))


# --- the table ----------------------------------------------------------------------------------


def table(found: Sequence[Result]) -> str:
    """Students, marks by task and what was recognised; written answers stand apart."""
    cells = list(found[0].most)
    by_hand = [name for name in cells if name.endswith("_answer")]
    automatic = [name for name in cells if name not in by_hand]
    most = found[0].most
    head = ["student"]
    head += [f"({name[0]}) of {most[name]:g}" for name in automatic]
    head += [f"marks of {sum(most[name] for name in automatic):g}"]
    head += [f"({name[0]}) by hand, of {most[name]:g}" for name in by_hand]
    head += ["recognised"]
    rows = [head]
    for result in found:
        points = [result.marks[name] for name in automatic]
        row = [result.student, *("–" if p is None else f"{p:g}" for p in points)]
        row.append(f"{sum(p for p in points if p is not None):g}")
        for name in by_hand:
            mark = result.marks[name]
            row.append("to be graded by hand" if mark is None else f"{mark:g} (blank)")
        row.append("; ".join([*result.recognised, result.problem]).rstrip("; "))
        rows.append(row)
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def main(arguments: Sequence[str] | None = None) -> int:
    """Grade the sample class and print a table of the marks."""
    parser = argparse.ArgumentParser(
        prog="python -m cnnlib.grading.classroom", description=main.__doc__
    )
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="the course's root folder")
    parser.add_argument("--course", type=Path, help="working folder (classroom/)")
    parser.add_argument(
        "--exercise", default=samples.ASSIGNMENT, help=f"another than {samples.ASSIGNMENT}"
    )
    parser.add_argument(
        "--workers", type=int, default=0, help="grade on the farm, so many processes"
    )
    options = parser.parse_args(arguments)
    solutions = options.root / "solutions"
    if not solutions.is_dir():
        print(f"no folder {solutions}: run this in the course's root folder")
        return 2
    known = sorted(path.name for path in solutions.glob("ch*"))
    if options.exercise not in known:
        print(f"no exercise {options.exercise!r} in {solutions}: choose from {', '.join(known)}")
        return 2
    course = options.course or options.root / "classroom"
    marker = course / "made_by_make_grade"
    if marker.exists():
        shutil.rmtree(course)  # an earlier run of this command, and nothing else
    elif course.exists() and any(course.iterdir()):
        print(f"{course} holds something that this command has not made: move it or give --course.")
        return 1
    start = time.perf_counter()
    students = samples.sample_class(solutions, options.exercise)
    try:
        found = run_cycle(
            course,
            solutions,
            students,
            assignment=options.exercise,
            workers=options.workers,
            say=lambda line: print(f"· {line}", flush=True),
        )
    except CnnlibError as error:
        print(error)
        return 1
    finally:
        course.mkdir(parents=True, exist_ok=True)
        marker.touch()
    print(f"\n{table(found)}\n")
    print(f"feedback  {course / 'feedback'}{os.sep}<student>{os.sep}{options.exercise}")
    print(f"marks     {course / 'grades.csv'}")
    print(f"{len(found)} students in {time.perf_counter() - start:.0f} s")
    return 1 if any(result.problem for result in found) else 0


if __name__ == "__main__":
    sys.exit(main())
