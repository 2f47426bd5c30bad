"""The farm: a real scheduler with worker processes, killed workers, killed coordinators, poison, seeds."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from types import SimpleNamespace

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI

from cnnlib.grading import cluster, farm, samples
from cnnlib.grading.__main__ import main
from cnnlib.grading.marking import Graded, set_aside
from tests.conftest import require_tool
from tests.grading.courses import (  # fmt: skip
    COMMENTS,
    GRADES,
    ROOT,
    SEED,
    ask,
    coursedir,
    hand_in,
    new_course,
    outputs,
    place,
    rows,
)

ASSIGNMENT = samples.ASSIGNMENT
FULL = {"a_marks": 8.0, "b_marks": 7.0, "c_marks": 12.0, "d_answer": None}
CLASS = samples.sample_class(ROOT / "solutions")
WRONG_AT_TIMES = """
def zero_pad(x, padding):
    out = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    return out + (int(abs(x).sum() * 1e6) % 7 == 0)
"""


@pytest.fixture(scope="module")
def released(tmp_path_factory, in_thread):
    """A released course, to be copied."""
    require_tool("bwrap", "bubblewrap")
    course = tmp_path_factory.mktemp("released") / "course"
    in_thread(new_course, course)
    return course


@pytest.fixture
def course(released, tmp_path):
    shutil.copytree(released, tmp_path / "course")
    return tmp_path / "course"


@pytest.fixture
def grade(in_thread):
    """Grade a course on the farm, and its rows."""

    def run(course, **settings):
        from cnnlib.grading.__main__ import course_of

        where = coursedir(course_of(course, settings.pop("db", "")))
        seed = settings.pop("seed", SEED)
        return in_thread(farm.grade_assignment, where, ASSIGNMENT, seed, show=False, **settings)

    return run


def _start(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def dask_cluster(tmp_path_factory, released):
    """A scheduler and two worker processes on the loopback; `more()` starts another worker."""
    file = tmp_path_factory.mktemp("dask") / "scheduler.json"
    started = [
        _start(
            *("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"),
            *("--no-dashboard", "--scheduler-file", str(file)),
        )
    ]

    def more():
        one = ["distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny"]
        one += ["--host", "127.0.0.1", "--no-dashboard", "--memory-limit", "0"]
        started.append(_start(*one))
        return started[-1]

    try:
        end = time.monotonic() + 60
        while not (file.exists() and file.read_text().strip().endswith("}")):
            assert time.monotonic() < end, "the scheduler does not start"
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        workers = [more(), more()]
        yield SimpleNamespace(address=address, more=more, workers=workers)
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()


def _marks(found):
    return {row["student"]: row["marks"] for row in found}


# --- the same marks -----------------------------------------------------------------------------


def _with_rejects(course):
    """Four that no kernel should ever see."""
    good = hand_in(course, "zoe_link", CLASS["ada_full_marks"])
    good.rename(good.with_name("elsewhere"))
    good.symlink_to("elsewhere")
    hand_in(course, "zoe_latin", {}).write_bytes("é".encode("latin-1"))
    hand_in(course, "zoe_large", {}).write_bytes(b" " * (20 << 20) + b"{}")
    hand_in(course, "zoe_renamed", {}).rename(place(course, "zoe_renamed").with_name("mine.ipynb"))
    return {
        "zoe_large": "output_size.ipynb has 20,971,522 bytes",
        "zoe_latin": "the notebook is not UTF-8 text",
        "zoe_link": "output_size.ipynb is a symbolic link",
        "zoe_renamed": "there is no file output_size.ipynb in the submission; there is mine.ipynb",
    }


def test_the_farm_and_plain_nbgrader_give_the_same_and_refuse_the_same(
    course, dask_cluster, grade, in_thread, capsys
):
    for student, answers in CLASS.items():
        hand_in(course, student, answers)
    (place(course, "ada_full_marks").parent / "timestamp.txt").write_text("2026-01-02 03:04:05 UTC")
    rejects = _with_rejects(course)
    plain = course.with_name("plain")
    shutil.copytree(course, plain, symlinks=True)

    found = {row["student"]: row for row in grade(course, scheduler=dask_cluster.address)}
    assert set(found) == {*CLASS, *rejects}
    for student, words in rejects.items():
        assert found[student]["verdicts"] == ["rejected"]
        assert found[student]["words"].startswith(words)
        assert set(found[student]["marks"].values()) == {0}
    assert found["ada_full_marks"]["marks"] == FULL
    assert found["gus_infinite_loop"]["verdicts"] == ["timeout"]
    assert found["eva_flips_the_kernel"]["ideas"] == ["the kernel is flipped"]

    api = NbGraderAPI(config=_config(plain))
    api.log_level = "ERROR"
    for student in found:
        if student == "zoe_renamed":  # for plain nbgrader this is no submission at all
            continue
        done = in_thread(api.autograde, ASSIGNMENT, student)
        assert done["success"], done
        graded = nbformat.read(place(plain, student, "autograded"), 4)
        assert (graded.metadata.grading.verdicts == ["rejected"]) == (student in rejects)

    def known(rows):
        return [row for row in rows if row[0] != "zoe_renamed"]

    assert known(ask(course, GRADES)) == ask(plain, GRADES)
    assert known(ask(course, COMMENTS)) == ask(plain, COMMENTS)
    stamps = "select student_id, timestamp from submitted_assignment order by 1"
    assert known(ask(course, stamps)) == ask(plain, stamps)
    for student in (*CLASS, "zoe_link"):
        assert outputs(course, student) == outputs(plain, student)
    for step in (course, plain):  # and feedback goes on as usual
        api = NbGraderAPI(config=_config(step))
        api.log_level = "ERROR"
        for student in ("eva_flips_the_kernel", "zoe_latin"):
            assert in_thread(api.generate_feedback, ASSIGNMENT, student)["success"]
        pages = [place(step, s, "feedback").with_suffix(".html").read_text() for s in found if place(step, s, "feedback").parent.exists()]  # fmt: skip
        assert "Looks like: the kernel is flipped." in pages[0]
        assert "summary { display: list-item; }" in pages[0]  # a hint shows that it unfolds
        assert pages[1].index("This submission was rejected:") < pages[1].index("Run this cell")
        assert "the notebook is not UTF-8 text" in pages[1]

    capsys.readouterr()
    assert main(["report", ASSIGNMENT, "--course", str(course)]) == 0
    told = capsys.readouterr().out
    assert "11 submissions" in told
    assert "     4  rejected" in told
    assert "     1  timeout: gus_infinite_loop\n" in told
    assert "        zoe_link: output_size.ipynb is a symbolic link" in told
    assert "     1   9.1%  the kernel is flipped" in told
    table = (course / f"{ASSIGNMENT}.csv").read_text().splitlines()
    assert table[0].startswith("student,notebook,a_marks,b_marks,c_marks,d_answer,points,verdicts")
    assert len(table) == 12
    assert table[1].startswith("ada_full_marks,output_size,8.0,7.0,12.0,,27.0,,,")


def _config(course):
    from cnnlib.grading.__main__ import course_of

    return course_of(course)


# --- accidents ----------------------------------------------------------------------------------


def _many(course, number):
    kinds = [name for name in CLASS if name != "gus_infinite_loop"]
    for index in range(number):
        name = kinds[index % len(kinds)]
        hand_in(course, f"s{index:03d}_{name}", CLASS[name], note=str(index))


def _right(course, number, turns=1):
    """Every student has one result a turn, and the gradebook says what it should."""
    found = rows(course)
    assert Counter((row["student"], row["turn"]) for row in found) == Counter(
        {(row["student"], turn): 1 for row in found for turn in range(1, turns + 1)}
    )
    assert len(found) == number * turns
    grades = ask(course, GRADES)
    assert len(grades) == 4 * number
    by_kind = {}
    for student, cell, score, _, _ in grades:
        by_kind.setdefault(student[5:], set()).add((cell, score))
    for kind, marks in by_kind.items():
        assert len(marks) == 4, f"{kind} has different marks in different copies"
    assert by_kind["ada_full_marks"] == set(FULL.items())
    assert ("b_marks", 0.0) in by_kind["dev_pads_every_axis"]
    for student in {row["student"] for row in found}:
        assert len(outputs(course, student)) > 5


def _when(course, number, act):
    """Do something when so many results are written."""

    def watch():
        end = time.monotonic() + 120
        while time.monotonic() < end:
            with contextlib.suppress(Exception):
                if len(ask(course, "select id from cnnlib_results")) >= number:
                    break
            time.sleep(0.05)
        act()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def test_a_worker_killed_in_the_middle_costs_nothing(course, dask_cluster, grade, monkeypatch):
    monkeypatch.setattr(farm, "EVERY", 2)
    _many(course, 24)
    third = dask_cluster.more()
    alive = []

    def kill():
        alive.append(third.poll() is None)
        third.kill()

    watch = _when(course, 4, kill)
    found = grade(course, scheduler=dask_cluster.address)
    watch.join()
    assert alive == [True]
    assert len(found) == 24
    _right(course, 24)


def _orphans(word):
    """Processes of this machine with `word` on their command line."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
            if word.encode() in file.read():
                found.append(int(name))
    return found


def test_a_coordinator_killed_in_the_middle_is_made_good_by_the_next_run(
    course, dask_cluster, grade
):
    _many(course, 18)
    word = f"CNNLIB_TEST_MARK={course}"
    name, _, value = word.partition("=")
    command = [sys.executable, "-m", "cnnlib.grading", "autograde", ASSIGNMENT]
    with subprocess.Popen(
        [*command, "--course", str(course), "--workers", "1"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), name: value},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as coordinator:
        _when(course, 2, lambda: coordinator.send_signal(signal.SIGKILL)).join()
        assert coordinator.wait() == -signal.SIGKILL
    before = rows(course)
    assert 2 <= len(before) < 18
    end = time.monotonic() + 30
    while _orphans(word) and time.monotonic() < end:
        time.sleep(0.2)
    assert not _orphans(word), "its workers live on"

    found = grade(course, scheduler=dask_cluster.address)
    assert len(found) == 18
    assert rows(course)[: len(before)] == before  # what was there has not been touched
    _right(course, 18)
    grades, now = ask(course, GRADES), rows(course)
    grade(course, scheduler="tcp://127.0.0.1:1")  # all is there: no cluster is even asked
    assert (ask(course, GRADES), rows(course)) == (grades, now)


def test_poison_is_quarantined_and_the_others_are_graded(course, grade, monkeypatch, capsys):
    monkeypatch.setattr(cluster, "TRIES", 1)
    for student in ("ada", "ben", "raises", "zz_kills"):
        hand_in(course, student, CLASS["ada_full_marks"])

    def task(submission, release, seed, limits):  # nested: it crosses by value
        import os

        if submission.student == "zz_kills":
            os.kill(os.getpid(), 9)
        if submission.student == "raises":
            raise RuntimeError("a fault of the grader's own")
        return set_aside(submission, release, "rejected", "graded, in this test")

    found = {row["student"]: row for row in grade(course, workers=1, task=task)}
    assert found["ada"]["verdicts"] == found["ben"]["verdicts"] == ["rejected"]
    for student, words in (
        ("raises", "the grader stopped with RuntimeError: a fault of the grader's own"),
        ("zz_kills", "1 processes of the grader ended while they graded it"),
    ):
        assert found[student]["verdicts"] == ["quarantined"]
        assert found[student]["words"] == words
        assert found[student]["marks"] == dict.fromkeys(FULL)
    waiting = {(s, waits) for s, _, score, _, waits in ask(course, GRADES) if score is None}
    assert waiting == {("raises", 1), ("zz_kills", 1)}
    assert main(["report", ASSIGNMENT, "--course", str(course)]) == 1
    assert "        zz_kills: 1 processes of the grader" in capsys.readouterr().out


# --- seeds and second runs ----------------------------------------------------------------------


def test_the_stored_seed_gives_the_same_bit_for_bit(course, dask_cluster, grade):
    hand_in(course, "ada", {**CLASS["ada_full_marks"], "b_solution": WRONG_AT_TIMES})
    hand_in(course, "eva", CLASS["eva_flips_the_kernel"])
    grade(course, scheduler=dask_cluster.address)
    first = {student: outputs(course, student) for student in ("ada", "eva")}
    grade(course, scheduler=dask_cluster.address, again=True)
    assert {student: outputs(course, student) for student in first} == first
    grade(course, scheduler=dask_cluster.address, seed="another")
    assert outputs(course, "ada") != first["ada"]  # it meets other inputs

    ada = [row for row in rows(course) if row["student"] == "ada"]
    assert [row["turn"] for row in ada] == [1, 2, 1]
    one, two, other = ({k: row[k] for k in ("marks", "ideas", "submission", "seed")} for row in ada)
    assert json.dumps(one) == json.dumps(two)
    assert other["seed"] != one["seed"]
    assert SEED not in json.dumps(rows(course))


def test_a_second_run_goes_on_mends_and_grades_what_is_new(course, dask_cluster, grade):
    for student in ("ada", "ben", "cleo"):
        hand_in(course, student, CLASS["ada_full_marks"])

    def run(**more):
        found = grade(course, scheduler=dask_cluster.address, task=_count, **more)
        return {row["student"]: row["marks"]["a_marks"] for row in found}, len(rows(course))

    assert run() == ({"ada": 0, "ben": 0, "cleo": 0}, 3)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "cnn") as gradebook:
        by_hand = gradebook.find_grade("d_answer", samples.NOTEBOOK, ASSIGNMENT, "ada")
        by_hand.manual_score, by_hand.needs_manual_grade = 3, False
        gradebook.remove_submission(ASSIGNMENT, "ben")
    os.unlink(place(course, "cleo", "autograded"))
    assert run() == ({"ada": 0, "ben": 0, "cleo": 0}, 3)
    grades = {(student, cell): rest for student, cell, *rest in ask(course, GRADES)}
    assert grades["ada", "d_answer"] == [0, 3, 0]  # a person's mark stays
    assert grades["ben", "a_marks"] == [0, None, 0]  # its scores are back
    assert place(course, "cleo", "autograded").exists()

    hand_in(course, "ben", CLASS["ada_full_marks"], note="a second try")
    assert run() == ({"ada": 0, "ben": 0, "cleo": 0}, 4)
    assert run(again=True)[1] == 7
    assert run()[1] == 7  # goes on with the second turn, in which all is done


def _count(submission, release, seed, limits):
    return set_aside(submission, release, "rejected", "graded, in this test")


def test_only_what_is_left_of_a_turn_is_graded(course, dask_cluster, grade):
    """``--again``, killed, is finished by a run without it."""
    for student in ("ada", "ben"):
        hand_in(course, student, CLASS["ada_full_marks"])
    grade(course, scheduler=dask_cluster.address, task=_count)
    grade(course, scheduler=dask_cluster.address, task=_count, again=True)
    engine_rows = ask(course, "select max(id) from cnnlib_results")
    from sqlalchemy import create_engine, text

    engine = create_engine(f"sqlite:///{course / 'gradebook.db'}")
    with engine.begin() as connection:
        connection.execute(text(f"delete from cnnlib_results where id = {engine_rows[0][0]}"))
    engine.dispose()
    grade(course, scheduler=dask_cluster.address, task=_count)
    assert sorted((row["student"], row["turn"]) for row in rows(course)) == [
        ("ada", 1),
        ("ada", 2),
        ("ben", 1),
        ("ben", 2),
    ]


# --- words --------------------------------------------------------------------------------------


def test_what_cannot_be_graded_is_said_with_a_remedy(course, grade, capsys):
    with pytest.raises(
        farm.FarmError, match=r"nobody has handed in 'ch04_output_size': .* Run 'nbgrader collect'"
    ):
        grade(course)
    hand_in(course, "ada", {})
    with pytest.raises(
        farm.FarmError, match=r"scheduler='tcp://127.0.0.1:1' does not answer .* 'dask scheduler'"
    ):
        grade(course, scheduler="tcp://127.0.0.1:1")
    assert main(["autograde", "ch99", "--course", str(course)]) == 2
    assert "assignment='ch99' is not in the gradebook sqlite:///" in capsys.readouterr().err
    with (
        farm._the_only_one(course),
        pytest.raises(farm.FarmError, match="another run is grading in"),
    ):
        grade(course)
    assert main(["report", ASSIGNMENT, "--course", str(course), "--seed", str(course / "x")]) == 2
    assert "nothing was graded with it" in capsys.readouterr().err


def test_doctor_shows_each_barrier(monkeypatch, capsys):
    from cnnlib.grading import __main__ as program

    require_tool("bwrap", "bubblewrap")
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"✓ {name}" for name in program.BARRIERS]
    monkeypatch.setattr(
        program, "tried", lambda box: {**dict.fromkeys(program.BARRIERS, ""), "memory": "no limit"}
    )
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert f"✗ memory: no limit. To mend it: {program.BARRIERS['memory']}" in lines
    assert lines[-1] == "Nothing is graded on this machine until every barrier holds."


def test_a_result_is_plain_and_small():
    assert Graded("ada", "nb", "0" * 64, {"a": 1.0}).verdicts == []
