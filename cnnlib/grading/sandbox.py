"""The sandbox: a bubblewrap box with a warm Python in it, and a fresh process there for each submission.

What the box shows and how it is made is in :mod:`cnnlib.grading.box`. Inside,
:mod:`cnnlib.grading.inside.warm` forks a process for each submission, with namespaces and limits of its own.
"""

import contextlib
import ctypes
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cnnlib.errors import CnnlibError
from cnnlib.grading import box
from cnnlib.grading.box import Allowance
from cnnlib.grading.cgroups import Caps
from cnnlib.grading.channel import Channel

__all__ = ["Allowance", "Process", "Sandbox", "SandboxError"]


class SandboxError(CnnlibError):
    """The sandbox cannot be set up on this machine: grading does not begin."""


class Sandbox:
    """A box with a warm Python in it; a context manager.

    Parameters
    ----------
    allowance : Allowance
        What a solution may use.
    start_seconds : float
        How long the imports inside may take.

    Raises
    ------
    SandboxError
        If the box cannot be made; the message says what is missing and how to mend it.
    """

    def __init__(self, allowance: Allowance | None = None, *, start_seconds: float = 120.0) -> None:
        self.allowance = allowance or Allowance()
        self.start_seconds = start_seconds
        self._box: subprocess.Popen | None = None

    def __enter__(self) -> "Sandbox":
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Make the box, if it is not there."""
        if self._box is not None and self._box.poll() is None:
            return
        self.close()
        _demand_tools()
        ours, theirs = socket.socketpair()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._staging = tempfile.TemporaryDirectory(prefix="grading-")
        # beside what a submission may have, the box itself needs room
        self.caps = Caps(self.allowance.memory + box.GIB, self.allowance.processes + 16)
        try:
            self._box = subprocess.Popen(
                box.command(self.allowance, theirs.fileno(), Path(self._staging.name)),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self._errors,
                stderr=self._errors,
                env={
                    "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
                    "DOORS": " ".join(self.caps.doors),
                },
                start_new_session=True,
            )
        finally:
            theirs.close()
        self._control = ours
        self._lines = ours.makefile("rb")
        ours.settimeout(self.start_seconds)
        try:
            ready = self._lines.readline()
        except TimeoutError:
            ready = b""
        if not ready:
            said = self._said()
            self.close()
            raise SandboxError(
                f"the sandbox does not start: {said or 'it was too slow'}. {_remedy(said)}"
            )
        ours.settimeout(10.0)

    def _said(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace").strip()[-600:]

    def close(self) -> None:
        """End the box and everything in it."""
        if self._box is None:
            return
        self._lines.close()
        self._control.close()
        self._box.kill()
        self._box.wait()
        self._errors.close()
        self._staging.cleanup()
        self.caps.remove()
        self._box = None

    def _ask(self, request: dict[str, Any], descriptors: Iterable[int] = ()) -> dict[str, Any]:
        try:
            line = json.dumps(request).encode() + b"\n"
            socket.send_fds(self._control, [line], list(descriptors))
            answer = self._lines.readline()
            if not answer:
                raise EOFError
            return json.loads(answer)
        except BaseException:
            self.close()  # an answer that is still to come would be taken for the next one
            raise

    def start(self) -> "Process":
        """A fresh process for one submission."""
        for attempt in (1, 2):
            self.open()
            core = ctypes.CDLL(None).sched_getcpu()
            ours, theirs = socket.socketpair()
            order = {
                "do": "start",
                "limits": self.allowance.limits,
                "home_bytes": self.allowance.home,
                "core": core,
            }
            try:
                answer = self._ask(order, [theirs.fileno()])
                if not answer["processes"][1]:
                    raise ValueError("it could not be forked")
                return Process(self, Channel(ours), answer["processes"], core)
            except (OSError, EOFError, ValueError) as error:
                ours.close()
                self.close()  # the box itself is gone: make a new one, once
                if attempt == 2:
                    raise SandboxError(f"the sandbox gives no process: {error!r}") from error
            finally:
                theirs.close()
        raise AssertionError


@dataclass
class Process:
    """One submission's process, and the channel to it."""

    sandbox: Sandbox
    channel: Channel
    processes: tuple[int, int]
    core: int
    status: int | None = field(default=None)

    def kill(self) -> None:
        """Begin to :meth:`end` it, without waiting."""
        with contextlib.suppress(OSError, EOFError, ValueError):
            self.sandbox._ask({"do": "kill", "processes": self.processes})
            self.processes = (self.processes[0], 0)

    def end(self) -> int:
        """Kill it and all that it started; how it ended, negative for a signal."""
        if self.status is None:
            self.channel.close()
            try:
                self.status = self.sandbox._ask({"do": "end", "processes": self.processes})[
                    "status"
                ]
            except (OSError, EOFError, ValueError):
                self.sandbox.close()
                self.status = -9
        return self.status


# --- refusing to grade --------------------------------------------------------------------------

_TOOLS = {"bwrap": "bubblewrap", "setpriv": "util-linux", "unshare": "util-linux"}


def _demand_tools() -> None:
    if sys.platform != "linux":
        raise SandboxError(
            f"grading needs Linux, and this is {sys.platform}: run it in a Linux machine, a container or WSL 2."
        )
    for tool in ("bwrap", "setpriv", "unshare") if os.geteuid() == 0 else ("bwrap",):
        if shutil.which(tool) is None:
            package = _TOOLS[tool]
            raise SandboxError(
                f"{tool} is not on the PATH, and without it a student's code would run unguarded: install the "
                f"package {package}, for instance with 'sudo apt-get install {package}'."
            )


def _remedy(said: str) -> str:
    if "namespace" in said or "Operation not permitted" in said or "uid map" in said:
        return (
            "This machine forbids user namespaces: allow them, for instance with 'sudo sysctl -w "
            "kernel.unprivileged_userns_clone=1' (Ubuntu: kernel.apparmor_restrict_unprivileged_userns=0)."
        )
    if "pyseccomp" in said or "libseccomp" in said:
        return "Install the library libseccomp2 and this package's extra [grading]."
    return "Run it again with 'python -m cnnlib.grading doctor' to see which barrier fails."
