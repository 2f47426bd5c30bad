"""No attack earns a mark, steals a word, damages a thing or stops the grader.

Every third attack is tried on one exercise, and each exercise by several; `make redteam` tries all on all.
"""

import json
import os
import time
import warnings

import pytest

from cnnlib.checks.ch04_output_size import EXERCISE
from cnnlib.checks.engine import SEED_VARIABLE, examine
from cnnlib.grading.barriers import prove
from cnnlib.grading.runner import allowance_of
from cnnlib.grading.sandbox import Allowance, Sandbox
from tests.conftest import require_tool
from tests.redteam import arena, grounds, plain

ALL = bool(os.environ.get("REDTEAM_ALL"))
QUICK = [exercise for exercise in arena.EXERCISES if exercise not in arena.SLOW]
FIRST = {attack.kind: name for name, attack in reversed(arena.ATTACKS.items())}
PAIRS = (
    [(exercise, name) for exercise in arena.EXERCISES for name in arena.ATTACKS]
    if ALL
    else [
        (QUICK[number % len(QUICK)], name)
        for number, name in enumerate(list(arena.ATTACKS)[::3])  # `make redteam` has all
    ]
    + [(exercise, name) for exercise in arena.SLOW for name in FIRST.values()]
)


@pytest.fixture(scope="module")
def boxes():
    """One warm box for each set of packages that an exercise allows; less memory than in earnest."""
    require_tool("bwrap", "bubblewrap")
    made: dict[tuple, Sandbox] = {}

    def box(nb):
        packages = allowance_of(nb).packages
        if packages not in made:
            memory = 4 << 30 if "torch" in packages else 1 << 30
            made[packages] = Sandbox(Allowance(packages=packages, memory=memory))
            prove(made[packages])
        return made[packages]

    yield box
    for one in made.values():
        one.close()


@pytest.fixture(scope="module", autouse=True)
def secret_seed():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SEED_VARIABLE, arena.SEED)
        yield


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return grounds.make_course(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def honest(boxes, course):
    """The marks of the honest wrong answers, by exercise."""
    known = {}

    def marks(exercise):
        if exercise not in known:
            nb = arena.attacked(exercise, None, course)
            known[exercise], _ = arena.graded(nb, boxes(nb))
        return known[exercise]

    return marks


def test_there_are_attacks_of_every_class():
    assert len(arena.ATTACKS) >= 50
    kinds = [attack.kind for attack in arena.ATTACKS.values()]
    assert all(kinds.count(kind) >= 8 for kind in kinds)
    assert set(kinds) == {"damage", "denial", "forging", "outputs", "protocol", "stealing"}


@pytest.mark.parametrize("exercise", arena.EXERCISES)
def test_the_arena_is_fair(exercise, boxes, honest):
    """The wrong answers earn nothing, and the right ones everything: else an attack would prove nothing."""
    assert set(honest(exercise).values()) == {0}
    nb = arena.solved(exercise)
    marks, run = arena.graded(nb, boxes(nb))
    assert (marks, run.verdicts) == (arena.most(nb), [])


@pytest.mark.parametrize(("exercise", "name"), PAIRS)
def test_an_attack_gains_nothing(exercise, name, boxes, honest, course):
    attack = arena.ATTACKS[name]
    nb = arena.attacked(exercise, attack, course)
    box, wrong = boxes(nb), honest(exercise)
    before, running, number = grounds.fingerprint(course), grounds.processes_of(box), box._box.pid

    start = time.monotonic()
    with arena.short_calls():
        marks, run = arena.graded(nb, box, **arena.LIMITS)
    assert time.monotonic() - start < arena.LIMITS["total_seconds"] + 4  # it may be a busy machine

    assert marks == wrong
    assert arena.leaks(nb) == []
    assert arena.runs_in_a_browser(nb) == []
    stays = attack.verdict == "oversize" and exercise in arena.NOTHING_CROSSES
    if attack.verdict and not stays:  # on a busy machine the time may be over first
        assert {attack.verdict, "timeout"} & set(run.verdicts)
    assert "BREACH" not in arena.seen_by_the_student(nb)
    assert grounds.fingerprint(course) == before
    assert (box._box.poll(), box._box.pid) == (None, number), "the box itself was lost"
    assert grounds.processes_of(box) == running, "something of it goes on"

    after = arena.solved("ch04_output_size")
    assert arena.graded(after, box)[0] == arena.most(after)


def test_the_record_of_plain_nbgrader_has_every_attack():
    """The book shows it: a new attack wants ``make redteam-plain``."""
    record = json.loads(plain.RECORD.read_text("utf-8"))
    assert {name: one["kind"] for name, one in record["attacks"].items()} == {
        attack.name: attack.kind for attack in plain.chosen()
    }
    assert set(record["left_out"]) <= set(arena.ATTACKS)
    assert record["outcomes"] == plain.OUTCOMES
    earned = [one for one in record["attacks"].values() if "marks" in one["outcomes"]]
    assert len(earned) >= 10
    assert all(
        (one["marks"] > 0) == ("marks" in one["outcomes"]) for one in record["attacks"].values()
    )


def test_nothing_about_a_secret_input_comes_back():
    """A function that is right on all that a student can see, and tells about the rest in every way."""
    task = EXERCISE.tasks["a"]
    visible = []

    def learns(*positional, **keyword):
        visible.append((positional, keyword))
        return task.reference(*positional, **keyword)

    examine(EXERCISE, task, learns, seeds=["visible"])

    def tells(*positional, **keyword):
        if (positional, keyword) in visible:
            return task.reference(*positional, **keyword)
        print(f"canary-printed {positional} {keyword}")
        warnings.warn(f"canary-warned {positional}", stacklevel=1)
        if positional[0] % 2:
            raise RuntimeError(f"canary-raised {positional}")
        return f"canary-returned {positional}"

    report = examine(EXERCISE, task, tells, seeds=["visible", arena.SEED])
    assert report.points == 0
    shown = [*report._repr_mimebundle_().values(), repr(report)]
    assert "canary" not in str(shown)
    assert "only the grading run has" in report._repr_html_()
    assert "expected" not in str(report)


_TELLS = """
import fcntl, glob, socket, threading
told = []
server = socket.socket(socket.AF_UNIX)
hears = False
files = [open(path) for path in sorted(glob.glob("/grader/*.py"))]
try:
    server.bind(chr(0) + "told"); server.listen(); hears = True
    def hear():
        while True: told.append(server.accept()[0].recv(1 << 20))
    threading.Thread(target=hear, daemon=True).start()
except OSError: pass
def hand_over():
    try:
        if not hears:
            with socket.socket(socket.AF_UNIX) as other: other.connect(chr(0) + "told"); other.send(repr(told[-9:]).encode())
    except OSError: pass
    try:
        for number, file in enumerate(files):
            fcntl.flock(file, fcntl.LOCK_SH if hash(str(told[-1])) >> number & 1 else fcntl.LOCK_UN)
    except OSError: pass
def locked(file):
    try: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB); fcntl.flock(file, fcntl.LOCK_UN)
    except BlockingIOError: return True
    except OSError: pass
    return False
def telling(function):
    def tells(*positional, **keyword):
        told.append((positional, keyword))
        hand_over()
        print("print", told[-40:])
        return function(*positional, **keyword)
    return tells
output_size = telling(output_size)
"""
_TELLS_LATER = """
print("a cell", told, [locked(file) for file in files])
def zero_pad(*_, **__):
    print("a visible call", told)
    raise RuntimeError(f"an exception {told}")
def conv2d(*_, **__):
    return len(told)
"""


def test_what_a_secret_call_has_left_behind_is_not_told_later(boxes, monkeypatch):
    """By the cells that follow, by calls with visible inputs: what is shown is the same for every seed."""
    shown = []
    for seed in ("one seed", "another seed"):
        monkeypatch.setenv(SEED_VARIABLE, seed)
        nb = arena.solved("ch04_output_size")
        for cell in nb.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source += {"a_solution": _TELLS, "b_solution": _TELLS_LATER}.get(name, "")
        marks, run = arena.graded(nb, boxes(nb))
        assert (marks["a_marks"], marks["b_marks"], run.verdicts) == (8, 0, [])
        shown.append(arena.seen_by_the_student(nb))
    assert all(words in shown[0] for words in ("a cell", "a visible call", "an exception"))
    assert shown[0] == shown[1]
