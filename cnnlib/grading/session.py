"""One submission's process from the trusted side: run its cells, take its names, call what it wrote.

Functions, classes and instances stay over there; here they are proxies. Whatever comes back is made
plain once, by :mod:`cnnlib.grading.inside.wire`, before anybody looks at it. A process that hangs, dies
or talks nonsense costs the item at hand a named verdict, and a fresh one goes on with the next.
"""

import builtins
import re
import secrets
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnlib.checks.calls import DEADLINE, TimeIsOver
from cnnlib.grading.inside import wire
from cnnlib.grading.inside.wire import plain_text
from cnnlib.grading.outputs import error_output, safe_outputs
from cnnlib.grading.sandbox import Process, Sandbox, SandboxError

__all__ = ["VERDICTS", "Event", "ProcessEndedError", "Session"]

VERDICTS = {
    "timeout": "no answer within the time limit",
    "crashed": "the Python process ended",
    "oom": "out of memory",
    "oversize": "more data than may cross",
    "protocol": "an answer that does not belong to the question",
    "invalid": "a value of a kind that does not cross",
}
"""What each verdict means."""
_NAME = re.compile(r"[A-Za-z_]\w{0,60}")


class ProcessEndedError(Exception):
    """The student's process is gone; the message says how it ended."""


@dataclass(frozen=True)
class Event:
    """Something that went wrong with a process: one of `VERDICTS`, where, and in what words."""

    verdict: str
    where: str
    text: str


class Session:
    """A submission's process, started anew where it must be; a context manager.

    Parameters
    ----------
    sandbox : Sandbox
        Where it runs.
    cell_seconds, call_seconds, total_seconds : float
        Limits for one cell, for one call outside of a check (a check brings its own), and for all.
    restarts : int
        How many fresh processes one submission gets.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        cell_seconds: float = 30.0,
        call_seconds: float = 10.0,
        total_seconds: float = 300.0,
        restarts: int = 12,
    ) -> None:
        self.sandbox = sandbox
        self.cell_seconds, self.call_seconds = cell_seconds, call_seconds
        self.end = time.monotonic() + total_seconds
        self.left = restarts
        self.events: list[Event] = []
        self.generation = 0
        self._ended: Counter[str] = Counter()
        self._cells: list[str] = []
        self._process: Process | None = None
        self._kills = 0
        self.broken: SandboxError | None = None
        """That there was no process to be had: the machine's fault, and no answer of the student's."""

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.end()
            self._process = None

    # --- cells and names ------------------------------------------------------------------------

    def run(self, source: str, where: str = "a cell") -> list[dict[str, Any]]:
        """Run a cell as a notebook does; its outputs in nbformat's form.

        A cell that hangs or ends the process gives an output that says so, and is left out when a fresh
        process runs the cells before it again.
        """
        try:
            answer, _ = self._exchange({"do": "run", "source": source}, self.cell_seconds, where)
        except TimeIsOver:
            message = f"this cell did not end within {self.cell_seconds:g} s"
            return [error_output("CellTimeoutError", message)]
        except ProcessEndedError as error:
            return [error_output("DeadKernelError", str(error))]
        self._cells.append(source)
        return safe_outputs(answer.get("outputs"))

    def get(self, name: str) -> Any:
        """The value of a name in the student's notebook, a proxy if it is an object.

        Raises
        ------
        KeyError
            If there is no such name.
        """
        answer, buffers = self._exchange({"do": "name", "name": name}, self.call_seconds, name)
        if answer.get("missing"):
            raise KeyError(name)
        return self._value(answer, buffers, name, name)

    def errand(self, source: str, function: str, where: str) -> Callable[..., Any]:
        """A function of ours that runs over there, beside what the student wrote."""

        def run(*positional: Any, **keyword: Any) -> Any:
            request = {"source": source, "function": function}
            return self._use(request, where, positional, keyword)

        return run

    # --- calls ----------------------------------------------------------------------------------

    def _use(
        self, request: dict, where: str, positional: tuple = (), keyword: dict | None = None
    ) -> Any:
        if self._ended[where] >= 2:  # what has ended two processes would end the next
            raise ProcessEndedError(f"{VERDICTS['crashed']}, twice, and it is not tried again")
        keyword = keyword or {}
        arguments, sent = wire.encode([list(positional), keyword], self._sent)
        request = {"do": "use", "arguments": arguments, **request}
        answer, buffers = self._exchange(request, self._seconds(), where, sent)
        _apply(answer, [*positional, *keyword.values()])
        if "raised" in answer:
            error = _exception(answer)
            if isinstance(error, MemoryError):
                self._note("oom", where, "")
            raise error
        return self._value(answer, buffers, where)

    def _seconds(self) -> float:
        given = DEADLINE.get()
        return self.call_seconds if given is None else given - time.monotonic()

    def _sent(self, value: Any) -> wire.Remote:
        if isinstance(value, Proxy):
            return wire.Remote(value._here(), value._kind, "")
        raise TypeError(
            f"a check hands over a {type(value).__name__}, which does not cross to the student"
        )

    def _value(self, answer: dict, buffers: wire.Buffers, where: str, origin: str = "") -> Any:
        def remote(number: int, kind: str, name: str) -> Any:
            return _proxy(self, number, kind, name, origin, where)

        try:
            return wire.decode(answer.get("value"), buffers, remote)
        except wire.WireError as error:
            self._lost(error.verdict, where, str(error))
            raise ProcessEndedError(VERDICTS[error.verdict]) from None

    # --- frames, and what goes wrong with them ----------------------------------------------------

    def _exchange(
        self, request: dict, seconds: float, where: str, sent: Sequence[bytes] = ()
    ) -> tuple[dict[str, Any], wire.Buffers]:
        if seconds <= 0 or time.monotonic() >= self.end:
            self._note("timeout", where, "the time for the whole submission is over")
            raise TimeIsOver
        process = self._alive(where)
        deadline = min(time.monotonic() + seconds, self.end)
        nonce = secrets.token_hex(8)
        try:
            wire.send(process.channel, {"nonce": nonce, **request}, sent, deadline)
            answer, buffers = wire.receive(process.channel, deadline)
        except TimeoutError:
            self._lost("timeout", where, f"no answer within {seconds:.3g} s")
            raise TimeIsOver from None
        except wire.WireError as error:
            self._lost(error.verdict, where, str(error))
            raise ProcessEndedError(VERDICTS[error.verdict]) from None
        except (EOFError, OSError):
            how = self._lost("crashed", where, "")
            raise ProcessEndedError(how) from None
        except BaseException:  # the alarm of a check, or a person who stops it all
            self._lost("timeout", where, "stopped while waiting for an answer")
            raise
        if not isinstance(answer, dict) or answer.get("nonce") != nonce:
            self._lost("protocol", where, VERDICTS["protocol"])
            raise ProcessEndedError(VERDICTS["protocol"])
        if "refused" in answer:
            verdict = plain_text(answer["refused"], 20)
            verdict = verdict if verdict in VERDICTS else "protocol"
            self._note(verdict, where, plain_text(answer.get("text"), 300))
            raise ProcessEndedError(VERDICTS[verdict])
        return answer, buffers

    def _alive(self, where: str) -> Process:
        """The process; if need be a fresh one, in which the notebook's cells have run again."""
        start = time.monotonic()
        while self._process is None:
            if self.left <= 0:
                raise ProcessEndedError(
                    "too many processes of this notebook have ended: not tried again"
                )
            self.left -= 1
            self.generation += 1
            try:
                self._process = self.sandbox.start()
                self._kills = self.sandbox.caps.kills()
            except SandboxError as error:
                self.broken = error
                raise
            cells, self._cells = self._cells, []
            for index, source in enumerate(cells):
                if self._process is None:  # the cell before has ended it, though not the last time
                    self._cells += cells[index:]
                    break
                self.run(source, where)
        if (given := DEADLINE.get()) is not None:  # a call does not pay for a fresh start
            DEADLINE.set(given + time.monotonic() - start)
        return self._process

    def _note(self, verdict: str, where: str, text: str) -> None:
        self.events.append(Event(verdict, where, text or VERDICTS[verdict]))

    def _lost(self, verdict: str, where: str, text: str) -> str:
        process, self._process = self._process, None
        kills = self.sandbox.caps.kills()
        status = process.end() if process else 0
        if verdict == "crashed":
            signal = status - 128 if status > 128 else -status if status < 0 else 0
            how = f"signal {signal}" if signal else f"exit status {status}"
            text = f"{VERDICTS['crashed']} ({how})"
            if kills > self._kills:
                verdict, text = "oom", f"{VERDICTS['oom']}: {text}"
        self._ended[where] += 1
        self._note(verdict, where, text)
        return text


# --- proxies ------------------------------------------------------------------------------------


class Proxy:
    """An object of the student's, over there. Its attributes are asked for one by one."""

    __slots__ = ("_generation", "_kind", "_number", "_origin", "_place", "_session")
    _generation: int
    _kind: str
    _number: int
    _origin: str  # the name it has in the notebook, if it has one
    _place: str  # where it was got from, such as "ReLU.forward"
    _session: Session

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__} has no attribute {name}")
        request = {"number": self._here(), "attribute": name}
        return self._session._use(request, f"{self._place}.{name}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
            return
        request = {"number": self._here(), "attribute": name, "set": True}
        self._session._use(request, f"{self._place}.{name}", (value,))

    def __repr__(self) -> str:
        return f"<a student's {type(self).__name__}>"

    def _here(self) -> int:
        """Its number in the process of now; what has a name is found again after a new start."""
        if self._generation != self._session.generation or self._session._process is None:
            self._session._alive(self._place)
        if self._generation != self._session.generation:
            if not self._origin:
                raise ProcessEndedError("it was lost when its process ended")
            again = self._session.get(self._origin)
            if not isinstance(again, Proxy):
                raise ProcessEndedError("it was lost when its process ended")
            self._number, self._generation = again._number, again._generation
        return self._number


class CallableProxy(Proxy):
    """A function, a class or a method of the student's."""

    __slots__ = ()

    def __call__(self, *positional: Any, **keyword: Any) -> Any:
        return self._session._use({"number": self._here()}, self._place, positional, keyword)

    @property
    def remote_kind(self) -> str:
        """``"class"`` or ``"function"``."""
        return self._kind

    @property
    def remote_session(self) -> Session:
        """Where it lives."""
        return self._session

    @property
    def remote_place(self) -> str:
        """What it is called where a process ends in it."""
        return self._place


def _proxy(session: Session, number: int, kind: str, name: str, origin: str, place: str) -> Any:
    # The name of its type is all that a check tells a student about it.
    known = "".join(sign for sign in name if sign.isprintable()) or "object"
    base = CallableProxy if kind in ("class", "function") else Proxy
    made: Any = object.__new__(type(known, (base,), {"__slots__": ()}))
    made._session, made._number, made._kind = session, number, kind
    made._origin, made._place = origin, place[:200]
    made._generation = session.generation
    return made


# --- answers ------------------------------------------------------------------------------------


def _apply(answer: dict[str, Any], handed: list[Any]) -> None:
    """Repeat here what a call did beside its result: prints, warnings, arrays that it changed."""
    printed, warned, changed = (answer.get(key) for key in ("printed", "warned", "changed"))
    if printed:
        print(plain_text(printed, 4000), end="")
    for note in warned[:50] if isinstance(warned, list) else []:
        if isinstance(note, list) and len(note) == 2:
            name = plain_text(note[0], 60)
            kind = getattr(builtins, name, None)
            if not isinstance(kind, type) or not issubclass(kind, Warning):
                kind = type(name if _NAME.fullmatch(name) else "UserWarning", (UserWarning,), {})
            warnings.warn(plain_text(note[1], 300), kind, stacklevel=2)
    for index in changed[: len(handed)] if isinstance(changed, list) else []:
        if type(index) is int and 0 <= index < len(handed):
            array = handed[index]
            if isinstance(array, np.ndarray) and array.flags.writeable and array.flags.c_contiguous:
                array.reshape(-1).view(np.uint8)[...] ^= 255  # how it was changed does not matter


def _exception(answer: dict[str, Any]) -> BaseException:
    """An exception that tells the names of its class and its ancestors, and nothing else."""
    given = answer["raised"] if isinstance(answer["raised"], list) else []
    names = [n for n in given[:20] if isinstance(n, str) and _NAME.fullmatch(n)]
    text, line = plain_text(answer.get("text"), 300), plain_text(answer.get("line"), 200)
    base: type[BaseException] = Exception
    own: list[str] = []
    for name in names:
        kind = getattr(builtins, name, None)
        if isinstance(kind, type) and issubclass(kind, BaseException):
            # a person's Ctrl-C and the end of this program are not for a student to say
            ends = (KeyboardInterrupt, SystemExit, GeneratorExit)
            base = BaseException if issubclass(kind, ends) else kind
            base = Exception if issubclass(kind, BaseExceptionGroup) else base  # it wants members
            own += [name] if base is not kind else []
            break
        own.append(name)
    if base is Exception and own[-1:] == ["Exception"]:
        own.pop()
    own = own or [base.__name__]
    kind = base
    for name in reversed(own):
        kind = type(
            name, (kind,), {"__init__": lambda self, *_: None, "__str__": lambda self: text}
        )
    error = kind()
    error.remote_names = tuple(names)
    error.student_line = line
    return error
