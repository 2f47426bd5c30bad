"""A submission's process: what it answers, what each mishap is called, and that every barrier is real."""

import builtins
import os
import time

import numpy as np
import pytest

from cnnlib.checks.calls import Case, call
from cnnlib.grading.answers import exception_of
from cnnlib.grading.sandbox import Allowance, Sandbox
from cnnlib.grading.session import VERDICTS, ProcessEndedError, Session
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


def test_the_grader_and_a_students_process_share_a_core_while_they_talk(box):
    before = os.sched_getaffinity(0)
    with Session(box) as session:
        session.run("import os\ndef cores(): return sorted(os.sched_getaffinity(0))")
        assert session.get("cores")() == sorted(os.sched_getaffinity(0))
        assert len(os.sched_getaffinity(0)) == 1
        session.run("os._exit(1)")
        assert session.get("cores")() == sorted(os.sched_getaffinity(0))
    assert os.sched_getaffinity(0) == before


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
    error = exception_of({"raised": [name], "text": "words"})
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


def test_the_process_for_secret_inputs_has_run_each_cell_once_and_shares_nothing(session):
    session.run("log = ['first']\ndef ends(): import os; os._exit(0)")
    apart = session.apart()
    session.run("log.append('second')")
    with pytest.raises(ProcessEndedError):
        session.get("ends")()
    assert session.get("log") == ["first", "second"]
    assert session.apart().get("log") == ["first", "second"]
    apart.run("log.append('third')")
    assert session.get("log") == ["first", "second"]
    with pytest.raises(ProcessEndedError):
        session.get("ends").remote_apart()
    assert len(session.events) == 2
