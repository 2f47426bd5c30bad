"""A large class on the farm, one worker killed in the middle: ``python -m benchmarks.farm``, or ``make bench-farm``.

The sample class of chapter 4 is multiplied, each answer a little different from every other, into a folder
that is thrown away. The end is checked: a result for everybody, nobody's twice, and the marks that the kind of
answer has to have. It prints the rate and the processor time of a submission, everything included: workers,
boxes, scheduler, gradebook.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from pathlib import Path

import psutil
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import create_engine, text
from traitlets.config import Config

from cnnlib.grading import farm, samples
from cnnlib.grading.cluster import cores
from cnnlib.grading.notebooks import write_source_notebooks
from cnnlib.grading.settings import configure

SOLUTIONS = Path(__file__).parents[1] / "solutions"
# points of (a), (b), (c)
MARKS = {
    "ada_full_marks": (8, 7, 12),
    "ben_blank": (0, 0, 0),
    "cleo_floors_silently": (7, 7, 12),
    "dev_pads_every_axis": (8, 0, 12),
    "eva_flips_the_kernel": (8, 7, 8),
    "finn_syntax_error": (0, 7, 12),
    "gus_infinite_loop": (8, 7, 0),
}
LOOPS = 1_000
"""One in so many never ends: each costs seconds, whatever the grader does."""


def hand_in(course: Path, number: int) -> dict[str, str]:
    """Write the submissions; the kind of each student's answers."""
    released = course / "release" / samples.ASSIGNMENT / f"{samples.NOTEBOOK}.ipynb"
    template = json.loads(released.read_text(encoding="utf-8"))
    kinds = samples.sample_class(SOLUTIONS)
    usual = [kind for kind in kinds if kind != "gus_infinite_loop"]
    found = {}
    for index in range(number):
        kind = usual[index % len(usual)] if index % LOOPS else "gus_infinite_loop"
        cells = []
        for cell in template["cells"]:
            answer = kinds[kind].get(cell["id"])
            varied = f"{answer}\n# {index:05d} was here" if answer else answer
            cells.append(cell if answer is None else {**cell, "source": varied})
        student = f"s{index:05d}"
        place = course / "submitted" / student / samples.ASSIGNMENT / released.name
        place.parent.mkdir(parents=True)
        place.write_text(json.dumps({**template, "cells": cells}), encoding="utf-8")
        found[student] = kind
    return found


def ask(course: Path, question: str) -> list:
    engine = create_engine(f"sqlite:///{course / 'gradebook.db'}")
    with engine.connect() as connection:
        rows = connection.execute(text(question)).all()
    engine.dispose()
    return rows


def kill_one_worker(course: Path, after: int, told: list[str]) -> None:
    """Wait for so many results, and kill one of the worker processes."""
    while not told:
        try:
            there = ask(course, "select count(*) from cnnlib_results")[0][0]
        except Exception:  # no table yet, or it is being written to
            there = 0
        if there >= after:
            workers = [child for child in psutil.Process().children() if _is_worker(child)]
            workers[0].kill()
            told.append(f"worker {workers[0].pid} of {len(workers)} killed at {there:,} results")
        time.sleep(0.5)


def _is_worker(process: psutil.Process) -> bool:
    command = " ".join(process.cmdline()).lower()  # dask may have given it a name
    return "spawn_main" in command or "dask worker" in command


def _processor_seconds() -> float:
    times = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in times)


def main() -> int:
    """Hand in, grade, kill, count."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--number", type=int, default=10_000, help="submissions (10000)")
    parser.add_argument("--workers", type=int, default=cores(), help="processes (all cores)")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="class-") as name:
        course = Path(name)
        config = Config()
        configure(config, course)
        write_source_notebooks(SOLUTIONS, course / "source")
        api = NbGraderAPI(config=config)
        api.log_level = "ERROR"
        assert api.generate_assignment(samples.ASSIGNMENT)["success"]
        kinds = hand_in(course, options.number)
        print(f"{options.number:,} submissions handed in, {options.workers} workers", flush=True)

        told: list[str] = []
        killer = threading.Thread(
            target=kill_one_worker, args=(course, options.number // 2, told), daemon=True
        )
        killer.start()
        start, used = time.perf_counter(), _processor_seconds()
        rows = farm.grade_assignment(
            CourseDirectory(config=config),
            samples.ASSIGNMENT,
            "the seed of the simulation",
            workers=options.workers,
        )
        seconds, used = time.perf_counter() - start, _processor_seconds() - used
        if not told:
            print("no worker was killed: this run proves nothing")
            return 1
        print(told[0])
        return _judge(course, kinds, rows, seconds, used)


def _judge(course: Path, kinds: dict, rows: list, seconds: float, used: float) -> int:
    number = len(kinds)
    counts = Counter(row["student"] for row in rows)
    wrong = [
        row["student"]
        for row in rows
        if tuple(row["marks"][f"{letter}_marks"] for letter in "abc")
        != MARKS[kinds[row["student"]]]
    ]
    grades = ask(course, "select count(*), count(auto_score) from grade")[0]
    files = len(list(course.glob(f"autograded/*/{samples.ASSIGNMENT}/*.ipynb")))
    print(
        f"{seconds:,.0f} s, {number / seconds:.1f} submissions a second, "
        f"{1000 * used / number:.0f} ms of processor time each (but for the killed worker's box); load of this machine "
        f"{os.getloadavg()[0]:.1f} on {cores()} cores"
    )
    print(
        f"results {len(rows):,} of {number:,}; lost {number - len(counts):,}; "
        f"twice {len(rows) - len(counts):,}; wrong marks {len(wrong):,}; "
        f"gradebook {grades[0]:,} grades; graded notebooks {files:,}"
    )
    sound = len(rows) == len(counts) == number == files and not wrong and grades[0] == 4 * number
    print("as it should be" if sound else f"NOT as it should be: {wrong[:5]}")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
