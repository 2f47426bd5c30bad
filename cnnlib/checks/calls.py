"""One call of a student's function, made so that nothing which happens inside can hurt.

This is the boundary between the student's code and the checks. On this side of it there are plain
numbers and plain arrays only: a result is copied once, here, and looked at afterwards. The callable
may be the student's function itself or a proxy that runs it in another process.
"""

import contextlib
import io
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = [
    "DEADLINE",
    "SECONDS_PER_CALL",
    "Case",
    "Drive",
    "Outcome",
    "TimeIsOver",
    "apart",
    "call",
    "describe",
    "is_class",
    "plain",
]

MOST_RESULTS = 16
MOST_NUMBERS = 20_000
"""In one array of a result; a right one has a tenth of that at most. All answers to a task are kept until it is judged."""
SECONDS_PER_CALL = 4.0
"""How long one call may take. The inputs are tiny: a plain loop needs milliseconds."""


@dataclass(frozen=True)
class Case:
    """One input of a task.

    Attributes
    ----------
    positional, keyword : mapping
        The arguments by name; the first are handed over by position.
    expected : optional
        The right answer, where it was worked out by hand. ``None`` asks the reference.
    note : str
        Where the case comes from, for the message.
    steps : str
        What is done with the arguments, line by line as a student would type it. For a task with a
        `drive`, whose arguments mean nothing to the student: messages show these lines instead.
    """

    positional: Mapping[str, Any]
    keyword: Mapping[str, Any] = field(default_factory=dict)
    expected: Any = None
    note: str = ""
    steps: str = ""

    def __str__(self) -> str:
        """The settings, and shapes in place of arrays.

        >>> str(Case({"x": np.zeros((1, 3), np.float32)}, {"stride": 2}, note="by hand"))
        'x (1, 3) float32, stride=2 (by hand)'
        """
        shown = [
            f"{name} {_frame(value)}" if isinstance(value, np.ndarray) else f"{name}={value!r}"
            for name, value in {**self.positional, **self.keyword}.items()
        ]
        return ", ".join(shown) + (f" ({self.note})" if self.note else "")

    def told(self, problem: str) -> str:
        """What is wrong, and with which input.

        >>> Case({"k": 3}).told("expected 1, got 2")
        'k=3: expected 1, got 2'
        >>> print(Case({}, note="by hand", steps="net = Net()\\nnet.size").told("expected 1, got 2"))
        expected 1, got 2. These lines ran:
        net = Net()
        net.size  # by hand
        """
        if not self.steps:
            return f"{self}: {problem}"
        note = f"  # {self.note}" if self.note else ""
        return f"{problem}. These lines ran:\n{self.steps}{note}"

    def arguments(self) -> tuple[list, dict[str, Any]]:
        """Fresh copies of the arguments, so that the case outlives whatever is done to them."""
        return (
            [_copy(value) for value in self.positional.values()],
            {name: _copy(value) for name, value in self.keyword.items()},
        )


@dataclass(frozen=True)
class Outcome:
    """What one call led to: a plain value, an exception, or neither because the time was over.

    Attributes
    ----------
    value
        ``None``, a Python number or text, a NumPy scalar, a plain array (a copy of the result), or a
        tuple of such. Any other result is kept as its type's name only, in `strange`.
    raised : tuple of str
        Names of the exception's class and its ancestors, most special first; empty if none.
    text, line : str
        The exception's message, and the student's line that raised it.
    changed : tuple of str
        Names of array arguments that the call modified.
    printed : str
        What it wrote to stdout and stderr, warnings included.
    entries : tuple of Outcome
        Of a tuple with an entry that is none of these: its entries one by one, so that a list among
        arrays costs only itself.
    """

    value: Any = None
    strange: str = ""
    raised: tuple[str, ...] = ()
    text: str = ""
    line: str = ""
    timed_out: bool = False
    changed: tuple[str, ...] = ()
    printed: str = ""
    entries: "tuple[Outcome, ...]" = ()


class TimeIsOver(BaseException):
    """Not an Exception, so that a student's ``except Exception`` lets it pass."""


DEADLINE: ContextVar[float | None] = ContextVar("DEADLINE", default=None)
"""When the call of now has to end, a time of ``time.monotonic``: for proxies that wait for an answer."""


Drive = Callable[..., Any]
"""How to use what a student wrote where one call is not enough: ``drive(written, *arguments)``."""


def call(
    function: Callable,
    case: Case,
    *,
    drive: Drive | None = None,
    seconds: float = SECONDS_PER_CALL,
) -> Outcome:
    """Call `function` on copies of the case's arguments and report what happened.

    With `drive`, that is called with `function` (a class, say) in front of the arguments. Everything is
    caught except ``KeyboardInterrupt``: that one is a person who wants to stop.
    """
    positional, keyword = case.arguments()
    written = io.StringIO()
    facts: dict[str, Any] = {}
    with (
        contextlib.redirect_stdout(written),
        contextlib.redirect_stderr(written),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        try:
            # a proxy keeps the time itself, and an alarm would tear its conversation apart
            alarm = contextlib.nullcontext() if _is_proxy(function) else _alarm(seconds)
            with alarm, _deadline(seconds):
                result = (
                    drive(function, *positional, **keyword)
                    if drive
                    else function(*positional, **keyword)
                )
            facts = _plain(result)
        except KeyboardInterrupt:
            raise
        except TimeIsOver:
            facts = {"timed_out": True}
        except BaseException as error:  # whatever a student's code raises, exit() included
            facts = {
                "raised": getattr(error, "remote_names", None)
                or tuple(kind.__name__ for kind in type(error).__mro__[:-1]),
                "text": _text(error),
                "line": getattr(error, "student_line", None) or _line(error, function),
            }
    # a pair of checks, by position and by name, against the untouched originals
    handed = [*zip(case.positional.items(), positional, strict=True)]
    handed += [((name, case.keyword[name]), value) for name, value in keyword.items()]
    changed = tuple(name for (name, own), value in handed if not _untouched(own, value))
    notes = [f"{w.category.__name__}: {w.message}" for w in caught]
    printed = "\n".join(filter(None, [written.getvalue().rstrip(), *dict.fromkeys(notes)]))
    return Outcome(**facts, changed=changed, printed=printed)


def plain(result: Any) -> Outcome:
    """What a drive got, made plain as the result of a whole call is; `describe` then tells it alike everywhere.

    >>> describe(plain([1, 2]))
    'a list'
    """
    return Outcome(**_plain(result))


def _plain(result: Any) -> dict[str, Any]:
    kind = type(result)  # not isinstance: an object can lie about its __class__
    if result is None or kind in (bool, int, float, complex, str):
        return {"value": result}
    if kind is tuple and len(result) <= MOST_RESULTS:
        entries = [_plain(entry) for entry in result]
        odd = next((entry["strange"] for entry in entries if "strange" in entry), "")
        if odd:
            kept = tuple(Outcome(**entry) for entry in entries)
            return {"strange": f"a tuple that holds {odd}", "entries": kept}
        return {"value": tuple(entry["value"] for entry in entries)}
    if issubclass(kind, np.ndarray):
        result = np.asarray(result)  # a subclass may lie about its size, too
        if result.size > MOST_NUMBERS:
            return {"strange": f"an array of shape {result.shape}, {result.dtype}"}
        array = np.array(result, copy=True, subok=False)
        if array.dtype.kind not in "biufc":
            return {"strange": f"an array of {array.dtype}"}
        return {"value": array.astype(array.dtype.newbyteorder("="), copy=False)}
    if kind is np.str_:
        return {"value": str(result)}
    if issubclass(kind, np.generic) and result.dtype.kind in "biufc":
        return {"value": np.array(result)[()]}
    name = kind.__name__
    return {"strange": f"an {name}" if name.startswith("array of ") else f"a {name}"}


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def _untouched(own: Any, handed: Any) -> bool:
    if not isinstance(own, np.ndarray):
        return True
    same_frame = own.shape == handed.shape and own.dtype == handed.dtype
    return same_frame and own.tobytes() == handed.tobytes()


def _text(error: BaseException) -> str:
    try:
        return str(error)[:300]
    except BaseException:
        return ""


def _line(error: BaseException, function: Callable) -> str:
    """The last line of the student's own cell on the way to the error."""
    written = vars(function).values() if isinstance(function, type) else [function]
    files = {code.co_filename for w in written if (code := getattr(w, "__code__", None))}
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename in files]
    return f"line {frames[-1].lineno}: {frames[-1].line}" if frames and frames[-1].line else ""


def apart(written: Any) -> Any:
    """What stands for `written` where nobody hears what it says; a student's own function as it is."""
    return written.remote_apart if _is_proxy(written) else written


def is_class(written: Any) -> bool:
    """Is it a class, here or in the student's process?"""
    return isinstance(written, type) or getattr(written, "remote_kind", "") == "class"


def _is_proxy(written: Any) -> bool:
    return hasattr(type(written), "remote_session")


@contextlib.contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    token = DEADLINE.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        DEADLINE.reset(token)


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise in the running code when the time is over, and again and again if it swallows that.

    Needs signals and the main thread. Where there are none (Windows, a worker thread) the call is
    not limited here; a notebook's stop button and the grader's limit per cell remain.
    """
    if not hasattr(signal, "setitimer") or (
        threading.current_thread() is not threading.main_thread()
    ):
        yield
        return

    armed = True

    def ring(signum: int, frame: Any) -> None:
        if armed:
            raise TimeIsOver

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.2)
    try:
        try:
            yield
        finally:
            armed = False
    finally:  # reached even if the alarm rings inside the line above
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def describe(outcome: Outcome) -> str:
    """Say in a few words what came back.

    >>> describe(Outcome(value=np.zeros((2, 3))))
    'an array of shape (2, 3), float64'
    >>> describe(Outcome(value=None))
    'None'
    """
    if outcome.timed_out:
        return "nothing in time"
    if outcome.raised:
        return f"{outcome.raised[0]}" + (f": {outcome.text}" if outcome.text else "")
    value = outcome.value
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}, {value.dtype}"
    plain = value.item() if isinstance(value, np.generic) else value
    return outcome.strange or repr(plain)[:80]


def _frame(array: np.ndarray) -> str:
    return f"{array.shape}" + (" float32" if array.dtype == np.float32 else "")
