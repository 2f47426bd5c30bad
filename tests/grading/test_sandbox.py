"""The box: it is replaced where it fails, says what it needs, and each of its barriers is real."""

import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

import pytest

from cnnlib.checks.calls import Case, call
from cnnlib.grading import box as box_module
from cnnlib.grading import cgroups
from cnnlib.grading.barriers import BARRIERS, prove, tried
from cnnlib.grading.sandbox import Allowance, Sandbox, SandboxError
from cnnlib.grading.session import Session
from tests.conftest import require_tool

SMALL = Allowance(memory=1 << 30)


@pytest.fixture(scope="module")
def box():
    require_tool("bwrap", "bubblewrap")
    with Sandbox(SMALL) as made:
        yield made


# --- the box itself -------------------------------------------------------------------------------


def _inner(box):
    """The box's own Python on this machine, and not a submission's."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        words = path.read_text().rpartition(")")[2].split()
        parents[int(path.parent.name)] = int(words[1])
    found = [box._box.pid]
    for number in found:
        found += [child for child, parent in parents.items() if parent == number]
    return found[-1]


def test_a_box_that_does_not_answer_is_replaced():
    require_tool("bwrap", "bubblewrap")
    with Sandbox(SMALL) as box:
        first = box._box.pid
        box._control.settimeout(0.5)
        os.kill(_inner(box), signal.SIGSTOP)
        with Session(box) as session:
            session.run("a = 1")
            assert session.get("a") == 1
            assert box._box.pid != first
            box._control.settimeout(0.5)
            os.kill(box._box.pid, signal.SIGKILL)
            start = time.monotonic()
        assert time.monotonic() - start < 2.0  # to end it needs no answer either


def test_an_interrupted_question_is_never_answered_by_the_next():
    """The answer to a question that was given up must not be taken for another's."""
    require_tool("bwrap", "bubblewrap")

    class Interrupted(BaseException):
        pass

    class Impatient:
        def readline(self):
            raise Interrupted

        def close(self):
            pass

    with Sandbox(SMALL) as box, Session(box) as session:
        session.run("a = 1")
        box._lines = Impatient()
        with pytest.raises(Interrupted):
            session._process.end()
        assert box._box is None
        session._process = None
        assert session.get("a") == 1


def test_no_process_to_be_had_is_not_the_students_fault(box, monkeypatch):
    def nothing():
        raise SandboxError("no room")

    with Session(box) as session:
        monkeypatch.setattr(box, "start", nothing)
        got = call(lambda: session.get("f"), Case({}))
        assert got.raised[0] == "SandboxError"
        assert str(session.broken) == "no room"


def test_a_user_who_may_make_no_control_group_can_grade(monkeypatch):
    require_tool("bwrap", "bubblewrap")
    monkeypatch.setattr(cgroups, "_own", lambda controller: None)
    with Sandbox(SMALL) as box, Session(box) as session:
        assert box.caps.doors == []
        session.run("import os; os._exit(3)", "the cell")
        session.run("a = 1")
        assert session.get("a") == 1
        assert [(e.verdict, e.text) for e in session.events] == [
            ("crashed", "the Python process ended (exit status 3)")
        ]


def test_without_bubblewrap_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        SandboxError,
        match="bwrap is not on the PATH, and without it a student's code would run unguarded: install the "
        "package bubblewrap, for instance with 'sudo apt-get install bubblewrap'",
    ):
        Sandbox().open()


def test_a_box_that_does_not_start_says_why(monkeypatch):
    require_tool("bwrap", "bubblewrap")
    monkeypatch.setattr(box_module, "_bubblewrap", lambda binds: ["bwrap", "--no-such-option"])
    with pytest.raises(SandboxError, match=r"does not start: .*no-such-option"):
        Sandbox(SMALL).open()


# --- every barrier, from both sides ---------------------------------------------------------------


def test_every_barrier_holds(box):
    assert tried(box) == dict.fromkeys(BARRIERS, "")
    prove(box)


def _with(*arguments):
    """A change of the box: more arguments before its folders become read-only."""
    real = box_module._bubblewrap

    def change(monkeypatch, folder):
        given = [a.replace("FOLDER", str(folder)) for a in arguments]

        def command(binds):
            made = real(binds)
            at = made.index("--remount-ro")
            return [*made[:at], *given, *made[at:]]

        monkeypatch.setattr(box_module, "_bubblewrap", command)

    return change


def _as_root(monkeypatch, folder):
    real = box_module._bubblewrap
    monkeypatch.setattr(
        box_module,
        "_bubblewrap",
        lambda binds: ["0" if a == "1000" else a for a in real(binds)],
    )


def _without_limit(name):
    def change(monkeypatch, folder):
        limits = {key: value for key, value in SMALL.limits.items() if key != name}
        monkeypatch.setattr(Allowance, "limits", limits)

    return change


def _with_limit(name, value):
    def change(monkeypatch, folder):
        monkeypatch.setattr(Allowance, "limits", {**SMALL.limits, name: value})

    return change


def _inside(old, new):
    """A change of what runs in the box."""

    def change(monkeypatch, folder):
        copy = folder / "inside"
        shutil.copytree(box_module.INSIDE, copy)
        text = (copy / "warm.py").read_text(encoding="utf-8")
        assert text.count(old) == 1
        (copy / "warm.py").write_text(text.replace(old, new), encoding="utf-8")
        monkeypatch.setattr(box_module, "INSIDE", copy)

    return change


def _both(*changes):
    def change(monkeypatch, folder):
        for one in changes:
            one(monkeypatch, folder)

    return change


_FDS = "    null = os.open("
HOLES = {
    # what is taken away or put in: (the change, the barrier that must notice, what it says)
    "the machine's network": (
        _both(_with("--share-net"), _inside(" | _NEW_NETWORK", "")),
        "network",
        r"it (reached|sees)",
    ),
    "a folder to write to": (_with("--bind", "FOLDER", "/mnt"), "files", "/mnt can be written to"),
    "the machine's /etc": (_with("--ro-bind", "/etc", "/etc"), "files", "/etc/.* can be seen"),
    "root": (_as_root, "privileges", "it runs as root"),
    "no limit on processes": (_without_limit("NPROC"), "processes", "processes"),
    "no room for processes": (_with_limit("NPROC", 3), "processes", r"only \d processes can be"),
    "no limit on memory": (_without_limit("AS"), "memory", "memory has no limit"),
    "privileges kept": (
        _inside("    _drop_privileges()\n    _", "    _"),
        "privileges",
        "it holds",
    ),
    "no filter": (
        _inside('    _load(order["filter"])\n    signal', "    signal"),
        "system calls",
        "ptrace works|system calls are not filtered",
    ),
    "a descriptor": (
        _inside(_FDS, "    os.open('/usr/bin/env', os.O_RDONLY)\n" + _FDS),
        "descriptors",
        "it inherited /usr/bin/env",
    ),
    "a socket": (
        _inside(_FDS, "    shell.kept = socket.socketpair()\n" + _FDS),
        "descriptors",
        "it inherited another socket",
    ),
    "a variable": (
        _inside("    cells.serve(", "    os.environ['CANARY'] = '1'\n    cells.serve("),
        "environment",
        "the variable CANARY came along",
    ),
}


@pytest.mark.parametrize("hole", HOLES)
def test_without_a_barrier_nothing_is_graded(hole, monkeypatch):
    require_tool("bwrap", "bubblewrap")
    change, barrier, words = HOLES[hole]
    with tempfile.TemporaryDirectory(dir="/tmp") as name:  # pytest's own is closed to other users
        folder = Path(name)
        folder.chmod(0o777)
        change(monkeypatch, folder)
        with Sandbox(SMALL) as box:
            with pytest.raises(
                SandboxError,
                match=f"grading does not begin, as the barrier '{barrier}' does not hold: {words}",
            ) as caught:
                prove(box)
            assert str(caught.value).endswith(f"To mend it: {BARRIERS[barrier]}.")
