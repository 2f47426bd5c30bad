"""The gradebook in a real PostgreSQL: set CNNLIB_POSTGRES to a database in which this may make schemas.

As an ordinary user, for instance:

    initdb -D ~/pg -U cnn -A trust
    pg_ctl -D ~/pg -o "-p 5433 -k /tmp -c listen_addresses=127.0.0.1" -w start
    pip install "psycopg[binary]"
    export CNNLIB_POSTGRES=postgresql+psycopg://cnn@127.0.0.1:5433/postgres
"""

import os
import uuid

import pytest
from nbgrader.api import Gradebook
from sqlalchemy import create_engine, text

from cnnlib.grading import farm, samples
from cnnlib.grading.__main__ import course_of, main
from tests.conftest import ROOT, require_tool
from tests.grading.courses import GRADES, SEED, ask, coursedir, hand_in, new_course, rows

URL = os.environ.get("CNNLIB_POSTGRES", "")
pytestmark = pytest.mark.skipif(
    not URL, reason=f"no PostgreSQL: {' '.join(__doc__.split(chr(10), 2)[2].split())}"
)


@pytest.fixture
def database():
    """A schema of its own, gone afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    engine = create_engine(URL)
    with engine.begin() as connection:
        connection.execute(text(f"create schema {name}"))
    yield f"{URL}?options=-csearch_path%3D{name}"
    with engine.begin() as connection:
        connection.execute(text(f"drop schema {name} cascade"))
    engine.dispose()


def test_the_farm_writes_to_postgresql_as_to_sqlite(tmp_path, database, in_thread, capsys):
    require_tool("bwrap", "bubblewrap")
    course = tmp_path / "course"
    in_thread(new_course, course, database)
    in_thread(new_course, tmp_path / "other")
    kinds = samples.sample_class(ROOT / "solutions")
    kinds.pop("gus_infinite_loop")
    for student, answers in kinds.items():
        hand_in(course, student, answers)
        hand_in(tmp_path / "other", student, answers)
    for folder, db in ((course, database), (tmp_path / "other", "")):
        where = coursedir(course_of(folder, db))
        in_thread(farm.grade_assignment, where, samples.ASSIGNMENT, SEED, workers=1, show=False)
    with_types = [(*row[:4], int(row[4])) for row in ask(course, GRADES, database)]
    assert with_types == ask(tmp_path / "other", GRADES)
    before = rows(course, database)
    assert [row["student"] for row in sorted(before, key=lambda r: r["student"])] == sorted(kinds)
    assert not (course / "gradebook.db").exists()

    # a person marks an answer, somebody loses a submission, and the next run mends and touches nothing else
    with Gradebook(database, "cnn") as gradebook:
        names = ("d_answer", samples.NOTEBOOK, samples.ASSIGNMENT, "ada_full_marks")
        grade = gradebook.find_grade(*names)
        grade.manual_score, grade.needs_manual_grade = 3, False
        gradebook.db.commit()
        gradebook.remove_submission(samples.ASSIGNMENT, "ben_blank")
    capsys.readouterr()
    command = ["autograde", samples.ASSIGNMENT, "--course", str(course), "--db", database]
    assert in_thread(main, [*command, "--workers", "1"]) == 0
    assert "6 submissions" in capsys.readouterr().out
    assert rows(course, database) == before
    found = {(student, cell): rest for student, cell, *rest in ask(course, GRADES, database)}
    assert found["ada_full_marks", "d_answer"] == [None, 3.0, False]
    assert found["ben_blank", "a_marks"] == [0.0, None, False]
