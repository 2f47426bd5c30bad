"""What students put into the exchange, and beside a notebook: only their own files come in, and nobody stops it."""

import os
import pwd
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange.default import ExchangeCollect, ExchangeReleaseFeedback
from traitlets.config import Config

from cnnlib.grading import samples
from cnnlib.grading.collecting import CarefulCollect, date_of, drop_strange_files
from cnnlib.grading.farm import grade_assignment
from cnnlib.grading.settings import configure
from tests.conftest import require_tool
from tests.grading.courses import SEED, hand_in, new_course, place

NAME, DATE = samples.ASSIGNMENT, "2026-11-30 10:00:00.000000 UTC"
ME = pwd.getpwuid(os.getuid()).pw_name
ANOTHER = next(user for user in pwd.getpwall() if user.pw_uid != os.getuid())


@pytest.fixture(scope="module")
def gradebook(tmp_path_factory):
    """An empty one, to be copied, as nbgrader takes seconds to make it."""
    file = tmp_path_factory.mktemp("gradebook") / "gradebook.db"
    configure(Config(), file.parent)  # finds nbgrader's programs
    Gradebook(f"sqlite:///{file}").close()
    return file


@pytest.fixture
def exchange(tmp_path, gradebook):
    """An inbound folder with one honest submission, and a file that only the instructor may read."""
    inbound = tmp_path / "exchange/cnn/inbound"
    (course := tmp_path / "course").mkdir()
    (course / "grading_seed").write_text("secret seed")
    shutil.copy(gradebook, course)

    def folder(student, date=DATE):
        made = inbound / f"{student}+{NAME}+{date}+rand"
        made.mkdir(parents=True)
        (made / "output_size.ipynb").write_text(student)
        return made

    def collect(kind=CarefulCollect, **settings):
        config = Config()
        configure(config, course)
        config.Exchange.root = str(tmp_path / "exchange")
        config.ExchangeCollect.update(settings)
        step = kind(coursedir=CourseDirectory(config=config), config=config)
        step.coursedir.assignment_id = NAME
        step.start()
        return course / "submitted"

    folder("ada")
    return SimpleNamespace(
        course=course, inbound=inbound, folder=folder, collect=collect, seed=course / "grading_seed"
    )


def contents(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()
    }


ADA = {
    f"ada/{NAME}/output_size.ipynb": "ada",
    f"ada/{NAME}/timestamp.txt": DATE,
}


def test_it_is_what_nbgrader_uses():
    configure(config := Config(), Path("/course"))
    assert NbGraderAPI(config=config).exchange.collect is CarefulCollect


def test_a_submission_comes_with_its_folders_and_the_date_of_its_name(exchange):
    made = exchange.folder("ben")
    (made / "data/more").mkdir(parents=True)
    (made / "data/more/a.csv").write_text("1,2")
    (made / "timestamp.txt").write_text("2020-01-01 00:00:00 UTC")  # long before it was due
    (made / ".ipynb_checkpoints").mkdir()
    (made / ".ipynb_checkpoints/old.ipynb").write_text("old")
    ben = {"output_size.ipynb": "ben", "timestamp.txt": DATE, "data/more/a.csv": "1,2"}
    assert contents(exchange.collect()) == ADA | {f"ben/{NAME}/{n}": t for n, t in ben.items()}


def linked_file(e):
    (e.folder("eve") / "loot.html").symlink_to(e.seed)


def linked_notebook(e):
    notebook = e.folder("eve") / "output_size.ipynb"
    notebook.unlink()
    notebook.symlink_to(e.seed)


def linked_folder(e):
    (e.inbound / f"eve+{NAME}+{DATE}+rand").symlink_to(e.inbound / f"ada+{NAME}+{DATE}+rand")


@pytest.mark.parametrize("attack", [linked_file, linked_notebook, linked_folder])
def test_no_link_is_followed(exchange, attack, heard):
    attack(exchange)
    stolen = contents(exchange.collect())
    assert {n: t for n, t in stolen.items() if not n.startswith("eve")} == ADA
    assert not {"secret seed", "ada"} & {t for n, t in stolen.items() if n.startswith("eve")}
    assert "a symbolic link" in heard.text


@pytest.mark.parametrize("attack", [linked_file, linked_notebook, linked_folder])
def test_nbgrader_alone_follows_them(exchange, attack):
    attack(exchange)
    stolen = contents(exchange.collect(ExchangeCollect))
    assert {"secret seed", "ada"} & {t for n, t in stolen.items() if n.startswith("eve")}


def not_a_date(e):
    e.folder("eve", "tomorrow")


def control_characters(e):
    e.folder("\x1b[2Jeve")


def in_anothers_name(e):
    e.folder(ANOTHER.pw_name)


def a_file(e):
    (e.inbound / f"eve+{NAME}+{DATE}+rand").write_text("no folder")


@pytest.mark.parametrize(
    ("attack", "words"),
    [
        (not_a_date, "its name holds no date"),
        (control_characters, "no student has such a name"),
        (
            in_anothers_name,
            f"it belongs to the user with id {os.getuid()}, not to {ANOTHER.pw_name}",
        ),
        (a_file, "it is no folder"),
    ],
)
def test_a_false_name_is_refused_and_the_others_are_collected(exchange, attack, words, heard):
    attack(exchange)
    assert contents(exchange.collect()) == ADA
    assert f"is not collected: {words}" in heard.text
    assert "\x1b" not in heard.text


def test_a_later_forgery_does_not_hide_a_students_own(exchange):
    exchange.folder(ANOTHER.pw_name, "2026-11-30 11:00:00 UTC")
    own = exchange.folder(ANOTHER.pw_name)
    if os.getuid():
        pytest.skip("only root can give a file to another user")
    for path in (own, own / "output_size.ipynb"):
        os.chown(path, ANOTHER.pw_uid, -1)
    kept = contents(exchange.collect())[f"{ANOTHER.pw_name}/{NAME}/timestamp.txt"]
    assert kept == DATE


def test_where_all_students_share_a_user_the_owner_may_be_left_aside(exchange):
    in_anothers_name(exchange)
    assert len(contents(exchange.collect(check_owner=False))) == 4


def test_a_hard_link_to_another_users_file_stays_out(exchange, heard):
    if os.getuid():
        pytest.skip("only root can give a file to another user")
    (file := exchange.folder("eve") / "loot.txt").write_text("another's")
    os.chown(file, ANOTHER.pw_uid, -1)
    assert f"eve/{NAME}/loot.txt" not in contents(exchange.collect())
    assert "a file of another user" in heard.text


def test_pipes_depth_numbers_and_sizes_are_limited(exchange, heard, monkeypatch):
    made = exchange.folder("eve")
    os.mkfifo(made / "pipe")
    (made / ("d/" * 30)).mkdir(parents=True)
    (made / ("d/" * 30) / "deep").write_text("deep")
    with (made / "hole").open("wb") as hole:
        hole.truncate(1 << 40)
    for number in range(20):
        (made / f"{number}.txt").write_text("x")
    monkeypatch.setattr("cnnlib.grading.collecting.MOST_FILES", 15)
    kept = contents(exchange.collect())
    assert ADA.items() <= kept.items()
    assert len(kept) <= len(ADA) + 16
    for words in ("no regular file", "larger than", "more than 15 files"):
        assert words in heard.text
    assert not any("d/" * 9 in name for name in kept)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "9" * 90, "2026-13-01 00:00:00 UTC", "1 " * 90, "\0"]
)
def test_what_is_no_date_is_none(text):
    assert date_of(text) is None


# --- beside the notebook ------------------------------------------------------------------------


def test_strange_files_go_and_a_linked_notebook_stays_for_its_verdict(tmp_path, caplog):
    notebook = tmp_path / "a.ipynb"
    notebook.symlink_to("elsewhere")
    (tmp_path / "loot.txt").symlink_to("/etc/passwd")
    (tmp_path / "inner").mkdir()
    os.mkfifo(tmp_path / "inner/pipe")
    (tmp_path / "own.txt").write_text("own")
    (tmp_path / "timestamp.txt").write_text("soon")
    tmp_path.chmod(0o555)
    drop_strange_files(notebooks=[str(notebook)], assignment="a", student="*")
    left = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*"))
    assert left == ["a.ipynb", "inner", "own.txt", "timestamp.unreadable"]
    assert "loot.txt was a link to '/etc/passwd', and is removed" in caplog.text
    assert "timestamp.txt holds no date, and is not read" in caplog.text


def test_nothing_is_graded_where_a_link_cannot_be_removed(tmp_path, monkeypatch):
    """nbgrader only notes an exception of a hook, and would go on."""
    (tmp_path / "loot.txt").symlink_to("/etc/passwd")

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(
        SystemExit, match=r"is a link to '/etc/passwd' and cannot be removed \(Perm"
    ):
        drop_strange_files(notebooks=[str(tmp_path / "a.ipynb")])


@pytest.fixture
def graded(tmp_path, in_thread):
    """A class in which one submission has strange files beside it, graded by nbgrader or by the farm."""
    require_tool("bwrap", "bubblewrap")

    def by(way):
        course = tmp_path / way
        config = in_thread(new_course, course)
        for student in ("ada", "eve"):
            folder = hand_in(course, student, {}).parent
            (folder / "timestamp.txt").write_text(DATE)
            (folder / "submission_secret.txt").write_text(student * 3)
        (folder / "loot.html").symlink_to(course / "grading_seed")
        (folder / "page.html").write_text("<script>alert(1)</script>")
        os.mkfifo(folder / "pipe")
        (folder / "timestamp.txt").unlink()
        os.mkfifo(folder / "timestamp.txt")
        if way == "farm":
            in_thread(grade_assignment, CourseDirectory(config=config), NAME, SEED, show=False)
        else:
            for student in ("eve", "ada"):
                done = in_thread(NbGraderAPI(config=config).autograde, NAME, student)
                assert done["success"], done["log"]
        return course, config

    return by


@pytest.mark.parametrize("way", ["nbgrader", "farm"])
def test_nothing_of_the_instructors_reaches_the_feedback_and_it_can_be_released(
    graded, way, in_thread
):
    course, config = graded(way)
    (course / "exchange").mkdir()
    (course / "exchange").chmod(0o777)
    config.Exchange.root = str(course / "exchange")
    done = in_thread(NbGraderAPI(config=config).generate_feedback, NAME)
    assert done["success"], done["log"]
    for step in ("autograded", "feedback"):
        texts = contents(course / step)
        seed = (course / "grading_seed").read_text().strip()
        assert not [name for name, text in texts.items() if seed in text]
        assert {n.split("/")[0] for n in texts} == {"ada", "eve"}
    assert {p.name for p in (course / "feedback").rglob("*.html")} == {
        f"{place(course, 'x').stem}.html"
    }

    coursedir = CourseDirectory(config=config)
    coursedir.assignment_id, coursedir.student_id = NAME, "ada"
    in_thread(ExchangeReleaseFeedback(coursedir=coursedir, config=config).start)
    released = [*(course / "exchange/cnn/feedback").glob("*.html")]
    assert len(released) == 1
