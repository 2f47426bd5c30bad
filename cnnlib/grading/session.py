"""One submission's process from the trusted side: run its cells, take its names, call what it wrote.

Functions, classes and instances stay over there; here they are proxies. Whatever comes back is made
plain once, by :mod:`cnnlib.grading.inside.wire`, before anybody looks at it. A process that hangs, dies
or talks nonsense costs the item at hand a named verdict, and a fresh one goes on with the next.
"""

import contextlib
import os
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cnnlib.checks.calls import DEADLINE, TimeIsOver
from cnnlib.grading.answers import exception_of, repeat_effects
from cnnlib.grading.inside import wire
from cnnlib.grading.inside.wire import plain_text
from cnnlib.grading.outputs import Room, error_output, safe_outputs
from cnnlib.grading.proxies import Proxy, proxy
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
        self._cores: set[int] = set()
        self._apart: Session | None = None
        self._due: list[str] = []
        self._room = Room()
        self._broken: SandboxError | None = None

    @property
    def broken(self) -> SandboxError | None:
        """That there was no process to be had: the machine's fault, and no answer of the student's."""
        return self._broken or (self._apart.broken if self._apart else None)

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        if self._apart is not None:
            if self._process is not None:
                self._process.kill()  # both come to their end at once
            self._apart.close()
        if self._process is not None:
            self._process.end()
            self._process = None
        if self._cores:
            os.sched_setaffinity(0, self._cores)
            self._cores = set()

    # --- cells and names ------------------------------------------------------------------------

    def run(self, source: str, where: str = "a cell") -> list[dict[str, Any]]:
        """Run a cell as a notebook does; its outputs in nbformat's form.

        A cell that hangs or ends the process gives an output that says so, and is left out when a fresh
        process runs the cells before it again.
        """
        outputs: Any
        try:
            outputs = self._told(source, where, wanted=True)
            if self._apart is not None:
                self._due.append(source)
        except TimeIsOver:
            message = f"this cell did not end within {self.cell_seconds:g} s"
            outputs = [error_output("CellTimeoutError", message)]
        except ProcessEndedError as error:
            outputs = [error_output("DeadKernelError", str(error))]
        return safe_outputs(outputs, self._room)

    def _told(self, source: str, where: str, *, wanted: bool = False) -> Any:
        """Run a cell; its outputs as they came, if they are wanted: what has run before need not be drawn."""
        request = {"do": "run", "source": source, "wanted": wanted}
        answer, _ = self._exchange(request, self.cell_seconds, where)
        self._cells.append(source)
        return answer.get("outputs")

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
            return self.use(request, where, positional, keyword)

        return run

    def apart(self) -> "Session":
        """The same notebook in a process of its own, of which nobody sees an output.

        Secret inputs go there. A function can keep what it is called with, and another cell or a call with
        visible inputs could tell it in this process.
        """
        if self._apart is None:
            other = Session(
                self.sandbox, cell_seconds=self.cell_seconds, call_seconds=self.call_seconds
            )
            other.end, other.left, other.events = self.end, self.left, self.events
            other._cells = [*self._cells]
            self._apart = other
        due, self._due = self._due, []
        for source in due:
            with contextlib.suppress(TimeIsOver, ProcessEndedError):
                self._apart._told(source, "a cell")
        return self._apart

    # --- calls ----------------------------------------------------------------------------------

    def use(
        self,
        request: dict[str, Any],
        where: str,
        positional: tuple = (),
        keyword: dict[str, Any] | None = None,
    ) -> Any:
        """Have an object called, or an attribute of it read or set: what a proxy asks for.

        Raises
        ------
        ProcessEndedError, TimeIsOver
            If there is no answer.
        BaseException
            What the student's code raised, made anew.
        """
        if self._ended.get(where, 0) >= 2:  # what has ended two processes would end the next
            raise ProcessEndedError(f"{VERDICTS['crashed']}, twice, and it is not tried again")
        keyword = keyword or {}
        arguments, sent = wire.encode([list(positional), keyword], self._sent)
        request = {"do": "use", "arguments": arguments, **request}
        answer, buffers = self._exchange(request, self._seconds(), where, sent)
        repeat_effects(answer, [*positional, *keyword.values()])
        if "raised" in answer:
            error = exception_of(answer)
            if isinstance(error, MemoryError):
                self._note("oom", where, "")
            raise error
        return self._value(answer, buffers, where)

    def number_of(self, one: Proxy) -> int:
        """The proxy's number in the process of now; what has a name is found again after a new start."""
        if one._generation != self.generation or self._process is None:
            self._alive(one._place)
        if one._generation != self.generation:
            again = self.get(one._origin) if one._origin else None
            if not isinstance(again, Proxy):
                raise ProcessEndedError("it was lost when its process ended")
            one._number, one._generation = again._number, again._generation
        return one._number

    def _seconds(self) -> float:
        given = DEADLINE.get()
        return self.call_seconds if given is None else given - time.monotonic()

    def _sent(self, value: Any) -> wire.Remote:
        if isinstance(value, Proxy):
            return wire.Remote(self.number_of(value), value._kind, "")
        raise TypeError(
            f"a check hands over a {type(value).__name__}, which does not cross to the student"
        )

    def _value(self, answer: dict, buffers: wire.Buffers, where: str, origin: str = "") -> Any:
        def remote(number: int, kind: str, name: str) -> Any:
            return proxy(self, number, kind, name, origin, where)

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
        process.channel.deadline = min(time.monotonic() + seconds, self.end)
        nonce = secrets.token_hex(8)
        try:
            wire.send(process.channel, {"nonce": nonce, **request}, sent)
            answer, buffers = wire.receive(process.channel)
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
                # A student's process and the grader take turns. On one core a call takes half the time, as no
                # other core has to be woken up; between sessions this thread goes where it likes.
                self._cores = self._cores or os.sched_getaffinity(0)
                os.sched_setaffinity(0, {self._process.core})
                self._kills = self.sandbox.caps.kills()
            except SandboxError as error:
                self._broken = error
                raise
            cells, self._cells = self._cells, []
            for index, source in enumerate(cells):
                if self._process is None:  # the cell before has ended it, though not the last time
                    self._cells += cells[index:]
                    break
                with contextlib.suppress(TimeIsOver, ProcessEndedError):
                    self._told(source, where)
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
