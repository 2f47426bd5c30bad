"""What a sandbox is made of: its allowance, the files that it shows, and the command that makes it.

The box has no network, sees the system and the interpreter read-only and of other packages only what
the exercise allows, and holds no file of the course but a student edition of cnnlib. It runs as an
ordinary user, also when the grader is root.
"""

import json
import os
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from cnnlib.grading.editions import course_files, modules_allowed, rooms_withheld

__all__ = ["Allowance", "command"]

INSIDE = Path(__file__).resolve().parent / "inside"
ALWAYS = ("numpy", "matplotlib", "ipython", "matplotlib-inline", "pyseccomp", "lark")
"""Distributions that every student's process has, with what they need."""
FIRST_UID = 61_000
"""Where the grader is root, sandboxes run as users of this number and above, which own nothing."""
GIB = 1 << 30


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
    fonts = [p for p in ("/usr/share/fonts", "/usr/local/share/fonts") if os.path.isdir(p)]
    # What is installed beside the interpreter is not for students; and matplotlib, which has fonts of its own,
    # would read through this machine's whenever a box starts.
    for place in (*_installed(), *fonts):
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


# --- the command that makes it --------------------------------------------------------------------

_AS_ROOT = """
set -e
for door in $DOORS; do echo $$ > "$door" || true; done
unset DOORS
stage=$1; uid=$2; number=$3; shift 3; i=0
while [ $i -lt $number ]; do
    mount --bind "$1" "$stage/$i"; i=$((i + 1)); shift
done
exec setpriv --reuid="$uid" --regid="$uid" --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs "$@"
"""


def command(allowance: Allowance, descriptor: int, stage: Path) -> list[str]:
    """What makes the box and starts the Python in it.

    Parameters
    ----------
    allowance : Allowance
        What a solution may use.
    descriptor : int
        The box's end of the channel to the grader, inherited.
    stage : Path
        An empty folder of ours, on which the box's files are mounted where the grader is root.
    """
    binds = _binds(allowance)
    order = {
        "absent": rooms_withheld(allowance.packages),
        "present": modules_allowed(allowance.packages),
        "imports": ["numpy", "cnnlib.shapes", *(n for n in allowance.packages if n.count(".") < 2)],
    }
    inside = [
        *(_python(), "-I", "-S", "-B", "/grader/warm.py"),
        *(str(descriptor), "/packages:/course", json.dumps(order)),
    ]
    if os.geteuid() != 0:
        return [*_bubblewrap([(str(s), t) for s, t in binds]), *inside]
    # An ordinary user may not reach what lies in root's folders: bind it where it can, unseen by others.
    stage.chmod(0o755)
    staged = []
    for index, (source, target) in enumerate(binds):
        place = stage / str(index)
        place.mkdir() if source.is_dir() else place.touch()
        staged.append((str(place), target))
    uid = FIRST_UID + os.getpid() % 4000
    return [
        *("unshare", "--mount", "--propagation", "private", "sh", "-c", _AS_ROOT, "sh"),
        *(str(stage), str(uid), str(len(binds)), *(str(source) for source, _ in binds)),
        *_bubblewrap(staged),
        *inside,
    ]
