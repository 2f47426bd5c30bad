"""Caps on all of a box together, where this machine lets us make control groups (versions 1 and 2).

A limit per process, as `setrlimit` sets it, is multiplied by many processes; a control group is not. Where
none can be made, for instance for an ordinary user, the other limits stand alone.
"""

import contextlib
import os
import re
import secrets
import time
from pathlib import Path

__all__ = ["Caps"]

_ROOT = Path("/sys/fs/cgroup")


def _own(controller: str) -> Path | None:
    """The folder of this process's group for a controller; None if it cannot be used."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            number, controllers, path = line.split(":", 2)
            if controller in controllers.split(","):  # version 1
                folder = _ROOT / controller / path.lstrip("/")
            elif number == "0" and not controllers:  # version 2, one tree for all
                folder = _ROOT / path.lstrip("/")
                able = folder / "cgroup.subtree_control"
                if not able.exists() or controller not in able.read_text().split():
                    continue
            else:
                continue
            if os.access(folder, os.W_OK):
                return folder
    return None


class Caps:
    """Groups for one box.

    Parameters
    ----------
    memory : int
        Bytes, of all processes and of the files that they hold in memory.
    processes : int
        How many there may be at once.
    """

    def __init__(self, memory: int, processes: int) -> None:
        self.folders: list[Path] = []
        self._memory: Path | None = None
        name = f"grading-{secrets.token_hex(6)}"
        for controller, files in (
            ("memory", {"memory.limit_in_bytes": memory, "memory.max": memory}),
            ("pids", {"pids.max": processes}),
        ):
            if (parent := _own(controller)) is None:
                continue
            folder = parent / name
            with contextlib.suppress(OSError):
                folder.mkdir(exist_ok=True)  # version 2 has one folder for both
                for file, value in files.items():
                    if (folder / file).exists():
                        (folder / file).write_text(str(value))
                if folder not in self.folders:
                    self.folders.append(folder)
                if controller == "memory":
                    self._memory = folder

    @property
    def doors(self) -> list[str]:
        """Files into which a process writes its number to be in the groups."""
        return [str(folder / "cgroup.procs") for folder in self.folders]

    def kills(self) -> int:
        """How often the kernel has ended a process of the group because memory was out."""
        if self._memory is None:
            return 0
        for file in ("memory.events", "memory.oom_control"):
            with contextlib.suppress(OSError):
                text = (self._memory / file).read_text()
                if found := re.search(r"^oom_kill (\d+)", text, re.MULTILINE):
                    return int(found[1])
        return 0

    def remove(self, seconds: float = 2.0) -> None:
        """Take the groups away, once the last process has left them."""
        end = time.monotonic() + seconds
        for folder in self.folders:
            while folder.exists():
                try:
                    folder.rmdir()
                except OSError:
                    if time.monotonic() > end:
                        break
                    time.sleep(0.01)
        self.folders = []
