"""One call into the sandbox comes out as in a notebook, whatever comes of it; and what a box holds."""

import linecache

import numpy as np
import pytest

from cnnlib.checks.calls import Case, call, describe, is_class
from cnnlib.grading.sandbox import Allowance
from cnnlib.grading.session import Session

RESULTS = {
    "None": "None",
    "a number": "7",
    "numbers of NumPy": "np.float32(2.5), np.int8(3), np.bool_(True), np.complex64(1j)",
    "not finite": "float('nan'), float('inf'), -np.inf, complex('nan')",
    "a text": "'héllo'",
    "a text of NumPy": "np.str_('banana')",
    "a date of NumPy": "np.datetime64('2024-02-29')",
    "a tuple": "x, None, 'word', 2",
    "a tuple in a tuple": "x, (1, x)",
    "a tuple with odd things": "x, [1], {2}",
    "an array": "x[::-1, ::2].T",
    "a scalar array": "np.array(2.5)",
    "an array of nothing": "np.zeros((0, 3), np.float32)",
    "other element types": "x > 0, x.astype(np.uint8), x.astype(np.float16), x.astype('>f4'), x + 1j",
    "a masked array": "np.ma.masked_array(x, x > 0)",
    "a matrix": "np.matrix(x)",
    "an array of object": "x.astype(object)",
    "an array of text": "x.astype(str)",
    "an array of records": "np.zeros(2, 'i4, f8')",
    "a list": "x.tolist()",
    "a list of arrays": "[x, x]",
    "a dictionary": "{'out': x, 3: 1}",
    "another dictionary": "{(1, 2): x}",
    "a set": "{1, 2}",
    "a generator": "(i for i in range(3))",
    "a function": "lambda: 1",
    "a method": "x.sum",
    "a class": "dict",
    "an instance": "namedtuple('Result', 'out cache')(x, 1)",
    "a named number": "IntEnum('Size', 'small large').large",
    "bytes": "b'abc'",
    "a type with a strange name": "type('a <b>list</b>', (), {})()",
}
DEEDS = {
    "division by zero": "return 1 / 0",
    "an error of its own": "class TooSmall(ValueError): pass\nraise TooSmall('too small', x.shape)",
    "an error with a missing key": "return {}['key']",
    "no attribute": "return x.shap",
    "an error that cannot be told": "class Odd(Exception):\n    __str__ = None\nraise Odd",
    "not written": "raise NotImplementedError()",
    "exit": "exit = __import__('sys').exit\nexit(3)",
    "assertion": "assert x.size < 0, 'a negative size'",
    "an interrupt's cousin": "raise GeneratorExit('over')",
    "a deep error": "def inner(n): return inner(n - 1) if n else [][0]\nreturn inner(3)",
    "prints": "print('hello')\nprint('there', file=__import__('sys').stderr)\nreturn 1",
    "warnings": "warnings.warn('careful')\nwarnings.warn('old', DeprecationWarning)\nreturn np.log(-x)",
    "a warning of its own": "class Hm(UserWarning): pass\nwarnings.warn('hm', Hm)\nreturn 1",
    "changes its input": "x += 1\nreturn x",
    "changes another input": "by[0] = 7\nreturn x",
    "changes the shape of its input": "x.shape = (-1,)\nreturn 1",
    "changes and stops": "x[0] = 0\nraise KeyError('x')",
}
SETUP = "import warnings\nfrom collections import namedtuple\nfrom enum import IntEnum\nimport numpy as np"


def _cell(body):
    return "def f(x, *, by):\n" + "\n".join(f"    {line}" for line in body.split("\n"))


@pytest.fixture(scope="module")
def session(box_for):
    with Session(box_for(Allowance())) as one:
        assert one.run(SETUP) == []
        yield one


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("body", [*DEEDS.values(), *(f"return {r}" for r in RESULTS.values())])
def test_a_call_comes_out_the_same(session, body, request):
    here, file = {}, f"<{request.node.name}>"
    linecache.cache[file] = (0, None, _cell(body).splitlines(keepends=True), file)
    exec(SETUP, here)
    exec(compile(_cell(body), file, "exec"), here)
    assert session.run(_cell(body)) == []
    case = Case({"x": np.arange(-3.0, 3).reshape(2, 3)}, {"by": np.ones(2, np.float32)})
    one, other = call(here["f"], case), call(session.get("f"), case)
    assert repr(other) == repr(one)
    assert describe(other) == describe(one)


def test_a_class_is_used_the_same(session):
    body = """
class Layer:
    scale = 3
    def __init__(self, by=1):
        self.by, self.seen = by, []
    def __call__(self, x):
        self.seen.append(x.shape)
        return self.by * self.scale * x
    @property
    def count(self):
        return len(self.seen)
    def fails(self):
        return self.missing
"""

    def drive(written, x):
        layer = written(by=2)
        layer.scale = 5
        out = layer(x), layer(x[:1])
        facts = layer.count, layer.scale, written.scale, isinstance(layer.seen, list)
        for ask in (lambda: layer.fails(), lambda: layer.nothing, lambda: written(1, 2)):
            try:
                ask()
            except (AttributeError, TypeError) as error:
                facts += (type(error).__name__, str(error))
        return (*out, *facts, is_class(written), is_class(layer))

    here: dict = {}
    exec(body, here)
    assert session.run(body) == []
    case = Case({"x": np.ones((2, 3))})
    one = call(here["Layer"], case, drive=drive)
    assert repr(call(session.get("Layer"), case, drive=drive)) == repr(one)
    assert not one.raised
    assert one.value[-2:] == (True, False)


def test_a_loop_without_an_end_is_told_the_same(box_for):
    body = _cell("while True: pass")
    here: dict = {}
    exec(body, here)
    with Session(box_for(Allowance())) as own:
        assert own.run(body) == []
        case = Case({"x": np.ones(2)}, {"by": 1})
        there = call(own.get("f"), case, seconds=0.4)
        assert [event.verdict for event in own.events] == ["timeout"]
    assert repr(there) == repr(call(here["f"], case, seconds=0.4))
    assert there.timed_out


# --- what is in the box -----------------------------------------------------------------------------


def _words(outputs):
    return "".join(o.get("text", "") + o.get("evalue", "") for o in outputs)


def test_a_single_module_is_there_with_what_it_imports_and_its_neighbours_are_not(box_for):
    with Session(box_for(Allowance(packages=("numpy", "cnnlib.reference.conv")))) as one:
        both = "from cnnlib.reference import conv, linear\nimport cnnlib.reference.conv as again"
        assert one.run(both) == []
        run = "import numpy as np\nconv.conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 3, 3))).item()"
        assert one.run(run)[0]["data"] == {"text/plain": "9.0"}
        assert _words(
            one.run(
                "assert again is conv; import os; print(sorted(os.listdir('/course/cnnlib/reference')))"
            )
        ) == ("['arguments.py', 'conv.py', 'lowering.py']\n")
        for source in (
            "linear.linear(1)",
            "from cnnlib.reference.pool import max_pool2d as f\nf(1)",
        ):
            assert "is not there while grading" in _words(one.run(source))
            assert "Not run while grading" in _words(one.run(source))
        refused = one.run(
            "from cnnlib.checks.ch08_fully_connected import check, mark\nmark('a', 1)"
        )
        assert _words(refused) == (
            "Not run while grading: cnnlib.checks.ch08_fully_connected.mark is not there while grading.\n"
        )
