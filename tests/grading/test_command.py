"""The command line of grading: what cannot be done is said in one sentence, and nothing is left behind."""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from sqlalchemy.exc import OperationalError
from traitlets.config import Config

from cnnlib.grading import farm
from cnnlib.grading.__main__ import main
from cnnlib.grading.settings import configure

ROOT = Path(__file__).parents[2]
NAME = "ch04_output_size"


@pytest.fixture(scope="module")
def gradebook_file(tmp_path_factory):
    """A gradebook that knows an assignment; to be copied."""
    file = tmp_path_factory.mktemp("class") / "gradebook.db"
    configure(Config(), file.parent)
    with Gradebook(f"sqlite:///{file}", "cnn") as gradebook:
        gradebook.add_assignment(NAME)
    return file


@pytest.fixture
def course(gradebook_file, tmp_path):
    """A class to which nobody has handed in."""
    shutil.copy(gradebook_file, tmp_path)
    (tmp_path / "grading_seed").write_text("0123")
    return tmp_path


@pytest.fixture
def refused(course, capsys):
    """Run a command that is refused; its words, with ``COURSE`` for the course's folder."""

    def run(command, *arguments):
        words = [argument.replace("COURSE", str(course)) for argument in arguments]
        assert main([command, NAME, "--course", str(course), *words]) == 2
        told = capsys.readouterr().err.replace(str(course), "COURSE")
        assert told.count("\n") == 1
        return told

    return run


@pytest.mark.parametrize(
    ("db", "words"),
    [
        ("nonsense", "db='nonsense' is no address of a database: write it as sqlite:////FOLDER/"),
        ("mysql://u:word@h/x", "db='mysql://u:***@h/x' is neither SQLite nor PostgreSQL"),
        ("sqlite:///COURSE/x.db", "x.db' does not exist: run 'nbgrader generate_assignment'"),
        ("sqlite:///COURSE/grading_seed", "cannot be used (file is not a database): see that"),
    ],
)
def test_a_gradebook_that_cannot_be_opened(refused, db, words):
    assert words in refused("autograde", "--db", db)


def test_a_driver_that_is_not_installed(refused, monkeypatch):
    def without(*_):
        raise ModuleNotFoundError("No module named 'psycopg'", name="psycopg")

    monkeypatch.setattr("cnnlib.grading.gradebooks.Gradebook", without)
    told = refused("autograde", "--db", "postgresql://u@h/x")
    assert "db='postgresql://u@h/x' needs the package psycopg: install it" in told


def test_a_gradebook_that_cannot_be_written(refused, monkeypatch):
    def fails(*_, **__):
        raise OperationalError("INSERT", {}, sqlite3.OperationalError("readonly database"))

    monkeypatch.setattr(farm, "grade_assignment", fails)
    told = refused("autograde")
    assert "cannot be used (readonly database): see that it is there, that you may write it" in told
    assert "What was written is kept, and the same command goes on from there." in told


def test_a_run_may_be_stopped(course, monkeypatch, capsys):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(farm, "grade_assignment", stopped)
    assert main(["autograde", NAME, "--course", str(course)]) == 130
    assert "the same command goes on from there, without --again." in capsys.readouterr().err


def test_a_wrong_folder_stays_as_it_is(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["autograde", NAME]) == 2
    assert "is no folder of a course: it holds no nbgrader_config.py" in capsys.readouterr().err
    assert main(["autograde", NAME, "--course", str(tmp_path)]) == 2
    assert "give the class's own folder with --course" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert main(["autograde", NAME, "--course", str(tmp_path / "x")]) == 2
    assert "is no folder of a course: there is no such folder." in capsys.readouterr().err


def test_a_seed_is_what_was_meant(course, refused):
    assert "seed='COURSE/x' does not exist" in refused("autograde", "--seed", "COURSE/x")
    assert not (course / "x").exists()
    assert "file='COURSE' cannot be used (Is a directory)" in refused(
        "autograde", "--seed", "COURSE"
    )
    (course / "grading_seed").write_text("\n")
    assert "seed='COURSE/grading_seed' is empty: put the old one back" in refused("autograde")


def test_workers_are_at_least_one():
    with (
        pytest.raises(farm.FarmError, match="workers=-3 is less than 1: give as many"),
        farm.connected(-3),
    ):
        pass


def test_a_report_of_nothing_leaves_the_old_table(course, refused):
    table = course / f"{NAME}.csv"
    table.write_text("old")
    told = refused("report")
    assert (
        f"assignment='{NAME}' has no results with this seed: run 'python -m cnnlib.grading" in told
    )
    assert table.read_text() == "old"


def test_a_reader_that_has_seen_enough_is_no_fault():
    lines = "from cnnlib.grading.__main__ import say\nfor _ in range(50): say('x' * 10_000)"
    reading = subprocess.Popen(
        [sys.executable, "-c", lines], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    with reading:
        assert reading.stdout.read(1) == b"x"
        reading.stdout.close()
        assert reading.stderr.read() == b""
    assert reading.returncode == 0
