"""The sandbox: a bubblewrap box with a warm Python in it, and a fresh process there for each submission.

The box has no network, sees the system and the interpreter read-only and of other packages only what
the exercise allows, and holds no file of the course but a student edition of cnnlib. It runs as an
ordinary user, also when the grader is root. Inside, :mod:`cnnlib.grading.inside.warm` forks a process
for each submission, with namespaces and limits of its own.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from cnnlib.errors import CnnlibError
from cnnlib.grading.cgroups import Caps
from cnnlib.grading.channel import Channel
from cnnlib.grading.editions import course_files, modules_allowed, rooms_withheld

__all__ = ["Allowance", "Process", "Sandbox", "SandboxError"]

INSIDE = Path(__file__).resolve().parent / "inside"
ALWAYS = ("numpy", "matplotlib", "ipython", "matplotlib-inline", "pyseccomp", "lark")
"""Distributions that every student's process has, with what they need."""
FIRST_UID = 61_000
"""Where the grader is root, sandboxes run as users of this number and above, which own nothing."""
GIB = 1 << 30


class SandboxError(CnnlibError):
    """The sandbox cannot be set up on this machine: grading does not begin."""


@dataclass(frozen=True)
class Allowance:
    """What an exercise lets a solution use, and how much of the machine.

    Attributes
    ----------
    packages : tuple of str
        ``"numpy"``, ``"torch"``, and of cnnlib beyond the student edition rooms, such as
        ``"cnnlib.reference"``, and single modules, such as ``"cnnlib.reference.conv"``, which bring what
        they import.
    memory, home, file : int
        Bytes of address space, of the home folder (held in memory), and of one file.
    processes, files, seconds : int
        Processes and threads, open files, seconds of processor time.
    """

    packages: tuple[str, ...] = ("numpy",)
    memory: int = 4 * GIB
    home: int = 64 << 20
    file: int = 32 << 20
    processes: int = 32
    files: int = 128
    seconds: int = 300

    @property
    def limits(self) -> dict[str, int]:
        return {
            "AS": self.memory,
            "NPROC": self.processes,
            "CPU": self.seconds,
            "FSIZE": self.file,
            "NOFILE": self.files,
            "CORE": 0,
            "MSGQUEUE": 0,
            "MEMLOCK": 1 << 20,
        }


# --- what the box shows -------------------------------------------------------------------------


@cache
def _package_paths(names: tuple[str, ...]) -> tuple[Path, ...]:
    """Top-level files and folders of distributions and of all that they need."""
    from packaging.requirements import Requirement

    wanted, seen, paths = list(names), set(), set()
    while wanted:
        name = wanted.pop().lower().replace("_", "-")
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # another platform's, or an extra's
        for text in distribution.requires or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                wanted.append(requirement.name)
        root = Path(str(distribution.locate_file("")))
        tops = {file.parts[0] for file in distribution.files or () if file.parts[0] != ".."}
        paths |= {root / top for top in tops if not top.endswith((".pth", "__pycache__"))}
    return tuple(sorted(path for path in paths if path.exists()))


def _binds(allowance: Allowance) -> list[tuple[Path, str]]:
    """What of this machine's files appears in the box, and where; read-only all of it."""
    wanted = [*ALWAYS, *(name for name in allowance.packages if not name.startswith("cnnlib"))]
    binds = [(path, f"/packages/{path.name}") for path in _package_paths(tuple(sorted(wanted)))]
    binds += [(INSIDE, "/grader")]
    binds += [(path, f"/course/cnnlib/{place}") for path, place in course_files(allowance.packages)]
    base = Path(sys.base_prefix)
    if not base.is_relative_to("/usr"):
        binds.append((base, "/python"))
    return binds


def _python() -> str:
    real = Path(os.path.realpath(sys.executable))
    base = Path(sys.base_prefix)
    return str(real) if base.is_relative_to("/usr") else f"/python/{real.relative_to(base)}"


def _installed() -> list[str]:
    """The folders of installed packages that the system's and the interpreter's own folders bring along."""
    base = Path(sys.base_prefix)
    places = {
        str(path)
        for root in ("/usr", "/usr/local")
        for path in Path(root).glob("lib*/python3*/*-packages")
    }
    if not base.is_relative_to("/usr"):
        found = base.glob("lib*/python3*/*-packages")
        places |= {f"/python/{path.relative_to(base)}" for path in found}
    return sorted(places)


def _bubblewrap(binds: Sequence[tuple[str, str]]) -> list[str]:
    command = [
        *(
            "bwrap",
            "--unshare-all",
            "--unshare-user",
            "--disable-userns",
            "--die-with-parent",
            "--new-session",
        ),
        *(
            "--uid",
            "1000",
            "--gid",
            "1000",
            "--cap-add",
            "ALL",
            "--hostname",
            "grading",
            "--clearenv",
        ),
        *("--ro-bind", "/usr", "/usr", "--ro-bind-try", "/etc/alternatives", "/etc/alternatives"),
        *(
            "--ro-bind-try",
            "/etc/ld.so.cache",
            "/etc/ld.so.cache",
            "--ro-bind-try",
            "/etc/fonts",
            "/etc/fonts",
        ),
        *(
            "--proc",
            "/proc",
            "--dev",
            "/dev",
            "--tmpfs",
            "/tmp",
            "--dir",
            "/home/student",
            "--dir",
            "/dev/shm",
        ),
    ]
    for name in ("bin", "lib", "lib64", "sbin"):
        if os.path.islink(f"/{name}"):
            command += ["--symlink", os.readlink(f"/{name}"), f"/{name}"]
        elif os.path.isdir(f"/{name}"):
            command += ["--ro-bind", f"/{name}", f"/{name}"]
    for source, target in binds:
        command += ["--ro-bind", source, target]
    for place in _installed():  # what is installed beside the interpreter is not for students
        command += ["--tmpfs", place, "--remount-ro", place]
    command += ["--remount-ro", "/dev", "--remount-ro", "/"]
    settings = {
        "HOME": "/home/student",
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLCONFIGDIR": "/tmp/matplotlib",
        "IPYTHONDIR": "/tmp/ipython",
        **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")},
    }
    if library := sysconfig.get_config_var("LIBDIR"):
        inside = (
            library.replace(sys.base_prefix, "/python")
            if not sys.base_prefix.startswith("/usr")
            else library
        )
        settings["LD_LIBRARY_PATH"] = inside
    for name, value in settings.items():
        command += ["--setenv", name, value]
    return command


_AS_ROOT = """
set -e
for door in $DOORS; do echo $$ > "$door" || true; done
unset DOORS
mount -t tmpfs -o mode=755 none "$1"; cd "$1"; shift
number=$1; shift; uid=$1; shift; i=0
while [ $i -lt $number ]; do
    if [ -d "$1" ]; then mkdir $i; else : > $i; fi
    mount --bind "$1" $i; i=$((i + 1)); shift
done
cd /
exec setpriv --reuid="$uid" --regid="$uid" --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs "$@"
"""


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
        self.caps = Caps(self.allowance.memory + GIB, self.allowance.processes + 16)
        try:
            self._box = subprocess.Popen(
                self._command(theirs.fileno()),
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

    def _command(self, descriptor: int) -> list[str]:
        binds = _binds(self.allowance)
        order = {
            "absent": rooms_withheld(self.allowance.packages),
            "present": modules_allowed(self.allowance.packages),
            "imports": [
                "numpy",
                *(n for n in self.allowance.packages if not n.startswith("cnnlib")),
            ],
        }
        inside = [
            _python(),
            "-I",
            "-S",
            "-B",
            "/grader/warm.py",
            str(descriptor),
            "/packages:/course",
            json.dumps(order),
        ]
        if os.geteuid() != 0:
            return [*_bubblewrap([(str(s), t) for s, t in binds]), *inside]
        # An ordinary user may not reach what lies in root's folders: bind it where it can, unseen by others.
        stage = self._staging.name
        os.chmod(stage, 0o755)
        staged = [(f"{stage}/{index}", target) for index, (_, target) in enumerate(binds)]
        return [
            *("unshare", "--mount", "--propagation", "private", "sh", "-c", _AS_ROOT, "sh", stage),
            *(
                str(len(binds)),
                str(FIRST_UID + os.getpid() % 4000),
                *(str(source) for source, _ in binds),
            ),
            *_bubblewrap(staged),
            *inside,
        ]

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
            ours, theirs = socket.socketpair()
            order = {
                "do": "start",
                "limits": self.allowance.limits,
                "home_bytes": self.allowance.home,
            }
            try:
                answer = self._ask(order, [theirs.fileno()])
                if not answer["processes"][1]:
                    raise ValueError("it could not be forked")
                return Process(self, Channel(ours), answer["processes"])
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
    status: int | None = field(default=None)

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
