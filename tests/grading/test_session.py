"""A submission's process: what it answers, what each mishap is called, and that every barrier is real."""

import builtins
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from cnnlib.checks.calls import Case, call
from cnnlib.grading import sandbox as sandbox_module
from cnnlib.grading.barriers import BARRIERS, prove, tried
from cnnlib.grading.outputs import safe_outputs
from cnnlib.grading.sandbox import Allowance, Sandbox, SandboxError
from cnnlib.grading.session import VERDICTS, ProcessEndedError, Session, _exception
from tests.conftest import require_tool

SMALL = Allowance(memory=1 << 30)


@pytest.fixture(scope="module")
def box():
    require_tool("bwrap", "bubblewrap")
    with Sandbox(SMALL) as made:
        yield made


@pytest.fixture
def session(box):
    with Session(box) as made:
        yield made


# --- what crosses -------------------------------------------------------------------------------


def test_functions_classes_instances_and_plain_values_cross(session):
    outputs = session.run(
        "import numpy as np\n"
        "number, text, table = 3, 'ab', {'w': np.ones((2, 2)), 1: [True, None]}\n"
        "def area(height, *, width=2): return height * width\n"
        "class Layer:\n"
        "    def __init__(self, size): self.weight = np.zeros(size)\n"
        "    def forward(self, x): return x + self.weight\n"
        "layer = Layer(2)\n"
        "print('defined'); number"
    )
    assert [o["output_type"] for o in outputs] == ["stream", "execute_result"]
    assert (session.get("number"), session.get("text")) == (3, "ab")
    table = session.get("table")
    assert np.array_equal(table["w"], np.ones((2, 2)))
    assert table[1] == [True, None]
    area, layer_class = session.get("area"), session.get("Layer")
    assert (area(3), area(3, width=5), area.remote_kind) == (6, 15, "function")
    assert layer_class.remote_kind == "class"
    made = layer_class(3)
    made.weight = np.arange(3.0)
    assert made.forward(np.ones(3)).tolist() == [1, 2, 3]
    assert session.get("layer").weight.tolist() == [0, 0]
    assert (type(made).__name__, repr(made)) == ("Layer", "<a student's Layer>")
    with pytest.raises(KeyError):
        session.get("nothing")
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        made.nothing  # noqa: B018


def test_an_exception_tells_its_names_its_text_and_the_line(session):
    session.run("class Odd(ValueError): pass\ndef f(): raise Odd('too small')")
    with pytest.raises(ValueError, match="too small") as caught:
        session.get("f")()
    assert type(caught.value).__name__ == "Odd"
    assert caught.value.remote_names == ("Odd", "ValueError", "Exception", "BaseException")
    assert caught.value.student_line == "line 2: def f(): raise Odd('too small')"


@pytest.mark.parametrize(
    "name",
    [n for n, k in vars(builtins).items() if isinstance(k, type) and issubclass(k, BaseException)],
)
def test_every_builtin_exception_can_be_made_again_and_none_ends_the_grader(name):
    error = _exception({"raised": [name], "text": "words"})
    assert str(error) == "words"
    assert not isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit)
    assert type(error).__name__ in (name, getattr(builtins, name).__name__)


def test_prints_warnings_and_changes_come_along(session):
    session.run(
        "import warnings\ndef f(x):\n    print('a word'); warnings.warn('careful'); x[0] = 9\n    return x"
    )
    got = call(session.get("f"), Case({"x": np.zeros(2)}))
    assert got.value.tolist() == [9, 0]
    assert got.changed == ("x",)
    assert got.printed == "a word\nUserWarning: careful"


# --- what goes wrong has a name, and the next item goes on ----------------------------------------

MISHAPS = {
    "timeout": "while True: pass",
    "crashed": "import os; os._exit(3)",
    "oom": "return np.zeros(1 << 40, np.uint8)",
    "oversize": "return np.broadcast_to(0.0, 40_000_000)",
    "protocol": (
        "import sys\n    frame = sys._getframe()\n"
        "    while frame.f_code.co_name != 'serve': frame = frame.f_back\n"
        "    frame.f_locals['channel'].sendall(bytes(64))"
    ),
    "invalid": "import wire; wire.encode = lambda *_: ({'a': ['O', [1], 0]}, [bytes(8)])",
}


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_mishap_costs_its_item_and_the_next_goes_on(session, verdict):
    session.run("import numpy as np\ndef good(): return 1")
    session.run(f"def bad():\n    {MISHAPS[verdict]}")
    start = time.monotonic()
    got = call(session.get("bad"), Case({}), seconds=2.0)
    assert time.monotonic() - start < 3.0
    if verdict == "timeout":
        assert got.timed_out
    elif verdict == "oom":
        assert got.raised[0] in ("MemoryError", "_ArrayMemoryError")
    else:
        assert got.raised[0] == "ProcessEndedError"
        assert got.text.startswith(VERDICTS[verdict])
    assert [(event.verdict, event.where) for event in session.events] == [(verdict, "bad")]
    assert session.get("good")() == 1


def test_a_cell_that_hangs_or_dies_says_so_and_is_left_out(box):
    with Session(box, cell_seconds=1.0) as session:
        session.run("a = 1")
        start = time.monotonic()
        (output,) = session.run("while True:\n    try: pass\n    except BaseException: pass")
        assert time.monotonic() - start < 2.0
        assert (output["ename"], output["evalue"]) == (
            "CellTimeoutError",
            "this cell did not end within 1 s",
        )
        (output,) = session.run("import os; os.kill(os.getpid(), 9); os.abort()")
        assert output["ename"] == "DeadKernelError"
        assert output["evalue"].startswith("the Python process ended (signal")
        assert session.get("a") == 1
        assert session.generation == 3


def test_a_cell_that_dies_when_it_is_run_again_is_left_out_too(box):
    with Session(box) as session:
        session.run("a = 1")
        session.run(f"import os, time\nif time.time() > {time.time() + 1.5}: os._exit(3)\nb = 2")
        session.run("c = 3\ndef bad(): import os; os._exit(4)")
        time.sleep(1.6)
        with pytest.raises(ProcessEndedError, match="exit status 4"):
            session.get("bad")()
        assert (session.get("a"), session.get("c")) == (1, 3)
        with pytest.raises(KeyError):
            session.get("b")
        assert [event.verdict for event in session.events] == ["crashed", "crashed"]


def test_what_has_ended_two_processes_is_not_tried_again(session):
    session.run("def bad(): import os; os._exit(1)")
    bad = session.get("bad")
    for words in ("exit status 1", "exit status 1", "twice, and it is not tried again"):
        with pytest.raises(ProcessEndedError, match=words):
            bad()


def test_one_submission_gets_so_many_processes_and_so_much_time(box):
    with Session(box, restarts=1) as session:
        session.run("import os; os._exit(1)")
        (output,) = session.run("a = 1")
        assert output["evalue"].startswith("too many processes of this notebook have ended")
    with Session(box, total_seconds=0.5) as session:
        session.run("import time; time.sleep(5)")
        (output,) = session.run("a = 1")
        assert output["ename"] == "CellTimeoutError"
        assert session.events[-1].text == "the time for the whole submission is over"


def test_a_call_does_not_pay_for_a_fresh_start(session):
    session.run("import time; time.sleep(1.2)")
    session.run("import os\ndef bad(): os._exit(1)\ndef good(): return 1")
    bad, good = session.get("bad"), session.get("good")
    assert call(bad, Case({}), seconds=0.8).raised[0] == "ProcessEndedError"
    assert call(good, Case({}), seconds=0.8).value == 1


def test_two_submissions_share_nothing(box):
    with Session(box) as session:
        session.run("open('note', 'w').write('x'); open('/tmp/note', 'w').write('x')")
        session.run("open('/dev/shm/note', 'w').write('x'); import numpy; numpy.note = 1")
    with Session(box) as session:
        session.run(
            "import os, numpy\nseen = os.listdir(), os.listdir('/dev/shm'), 'note' in os.listdir('/tmp')\n"
            "patched = hasattr(numpy, 'note')"
        )
        assert session.get("seen") == ([], [], False)
        assert session.get("patched") is False


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
    monkeypatch.setattr(sandbox_module, "_bubblewrap", lambda binds: ["bwrap", "--no-such-option"])
    with pytest.raises(SandboxError, match=r"does not start: .*no-such-option"):
        Sandbox(SMALL).open()


# --- every barrier, from both sides ---------------------------------------------------------------


def test_every_barrier_holds(box):
    assert tried(box) == dict.fromkeys(BARRIERS, "")
    prove(box)


def _with(*arguments):
    """A change of the box: more arguments before its folders become read-only."""
    real = sandbox_module._bubblewrap

    def change(monkeypatch, folder):
        given = [a.replace("FOLDER", str(folder)) for a in arguments]

        def command(binds):
            made = real(binds)
            at = made.index("--remount-ro")
            return [*made[:at], *given, *made[at:]]

        monkeypatch.setattr(sandbox_module, "_bubblewrap", command)

    return change


def _as_root(monkeypatch, folder):
    real = sandbox_module._bubblewrap
    monkeypatch.setattr(
        sandbox_module,
        "_bubblewrap",
        lambda binds: ["0" if a == "1000" else a for a in real(binds)],
    )


def _without_limit(name):
    def change(monkeypatch, folder):
        limits = {key: value for key, value in SMALL.limits.items() if key != name}
        monkeypatch.setattr(Allowance, "limits", limits)

    return change


def _inside(old, new):
    """A change of what runs in the box."""

    def change(monkeypatch, folder):
        copy = folder / "inside"
        shutil.copytree(sandbox_module.INSIDE, copy)
        text = (copy / "warm.py").read_text(encoding="utf-8")
        assert text.count(old) == 1
        (copy / "warm.py").write_text(text.replace(old, new), encoding="utf-8")
        monkeypatch.setattr(sandbox_module, "INSIDE", copy)

    return change


_FDS = "    null = os.open("
HOLES = {
    # what is taken away or put in: (the change, the barrier that must notice, what it says)
    "the machine's network": (_with("--share-net"), "network", r"it (reached|sees)"),
    "a folder to write to": (_with("--bind", "FOLDER", "/mnt"), "files", "/mnt can be written to"),
    "the machine's /etc": (_with("--ro-bind", "/etc", "/etc"), "files", "/etc/.* can be seen"),
    "root": (_as_root, "privileges", "it runs as root"),
    "no limit on processes": (_without_limit("NPROC"), "processes", "processes"),
    "no limit on memory": (_without_limit("AS"), "memory", "memory has no limit"),
    "privileges kept": (
        _inside("    _drop_privileges()\n    _", "    _"),
        "privileges",
        "it holds",
    ),
    "no filter": (
        _inside("    _filter()\n    signal", "    signal"),
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


# --- outputs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", [None, 8, "abc", {}, [None, 8, [], "stream", {"output_type": []}]]
)
def test_what_is_no_output_is_left_out(given):
    assert safe_outputs(given) == []


def test_outputs_are_texts_of_known_kinds_without_scripts():
    bad = "<script>alert(1)</script>"
    data = {
        **{
            "text/html": f"<b onclick=x>{bad}</b>",
            "text/plain": "x\ud800",
            "image/png": f'">{bad}',
        },
        **{"text/latex": bad, "application/javascript": bad, "image/jpeg": "YWJj\n"},
    }
    (output,) = safe_outputs(
        [{"output_type": "display_data", "data": data, "metadata": {"a": bad}}]
    )
    assert output == {
        "output_type": "display_data",
        "data": {
            "text/plain": "x\ufffd",
            "image/jpeg": "YWJj\n",
            "text/html": "<b>&lt;script&gt;alert(1)&lt;/script&gt;</b>",
        },
        "metadata": {},
    }


def test_a_page_that_would_take_minutes_to_clean_is_cut():
    page = "<a><b>" * 9_000 + "</a>" * 9_000
    start = time.monotonic()
    (output,) = safe_outputs([{"output_type": "display_data", "data": {"text/html": page}}])
    assert time.monotonic() - start < 1.0
    assert list(output["data"]) == ["text/plain"]
    assert output["data"]["text/plain"].endswith("… the rest of this page was left out")


def test_an_error_output_keeps_texts_only():
    (output,) = safe_outputs(
        [
            {
                "output_type": "error",
                "ename": ["x"],
                "evalue": "v\x1b[2J",
                "traceback": ["a", [["b"]]],
            }
        ]
    )
    assert output == {
        "output_type": "error",
        "ename": "",
        "evalue": "v\ufffd[2J",
        "traceback": ["a", ""],
    }
