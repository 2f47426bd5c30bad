"""Proof of the sandbox's barriers: each is tried from inside before anything is graded.

:func:`prove` raises if one does not hold. ``python -m cnnlib.grading doctor`` shows them all.
"""

import os
import socket
from pathlib import Path

from cnnlib.grading.sandbox import Sandbox, SandboxError
from cnnlib.grading.session import ProcessEndedError, Session

__all__ = ["BARRIERS", "prove", "tried"]

BARRIERS = {
    "network": "the box must have a network of its own (bwrap --unshare-net), without a card",
    "files": "all of the box but its home must be read-only, and nothing of this machine's homes be in it",
    "processes": "a limit on processes holds for an ordinary user only: the grader must be able to become one; and a box "
    "counts its own processes only from Linux 5.14 on",
    "memory": "the limit on address space must hold: is RLIMIT_AS set by this machine to something else?",
    "privileges": "the process must be an ordinary user without capabilities",
    "system calls": "the filter must be loaded: install libseccomp2, and a kernel with CONFIG_SECCOMP_FILTER",
    "descriptors": "nothing may be inherited but the one channel",
    "environment": "the environment must be cleared",
}
"""Each barrier, and what to look at where it does not hold."""

_PROBE = (Path(__file__).parent / "inside" / "probe.py").read_text(encoding="utf-8")


def tried(sandbox: Sandbox) -> dict[str, str]:
    """For each barrier what got through it, "" where nothing did."""
    hidden = [
        str(Path.home()),
        str(Path(__file__).resolve()),
        os.getcwd(),
        "/etc/shadow",
        "/etc/passwd",
    ]
    hidden = [path for path in hidden if path not in ("/", "/tmp", "/usr", "/home/student")]
    with socket.create_server(("127.0.0.1", 0)) as server, Session(sandbox, restarts=1) as session:
        session.call_seconds = 60.0
        try:
            port = server.getsockname()[1]
            found = session.errand(_PROBE, "probe", "the probe")(hidden, port)
        except ProcessEndedError as error:
            raise SandboxError(f"the sandbox cannot be tried: {error}.") from None
        except Exception as error:
            raise SandboxError(
                f"the sandbox cannot be tried: {type(error).__name__}: {error}"
            ) from None
    return {name: str(found.get(name, "was not tried")) for name in BARRIERS}


def prove(sandbox: Sandbox) -> None:
    """Refuse to grade unless every barrier holds.

    Raises
    ------
    SandboxError
        Naming the barrier, what got through, and what to look at.
    """
    for name, through in tried(sandbox).items():
        if through:
            raise SandboxError(
                f"grading does not begin, as the barrier {name!r} does not hold: {through}. To mend it: "
                f"{BARRIERS[name]}."
            )
