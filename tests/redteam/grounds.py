"""What lies around the sandbox while it is attacked, and whether it is still as it was."""

import hashlib
import os
from pathlib import Path

from cnnlib.grading.sandbox import Sandbox
from tests.redteam.arena import ROOT, SEED

MARK = "redteam-was-here"


def make_course(folder: Path) -> Path:
    """A course folder with a gradebook, a seed and the work of others."""
    files = {
        "gradebook.db": "canary-gradebook",
        "grading_seed": SEED,
        "submitted/other/ch04_output_size/output_size.ipynb": "canary-submission",
        "autograded/other/ch04_output_size/output_size.ipynb": "canary-autograded",
        "feedback/other/ch04_output_size/output_size.html": "canary-feedback",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        (folder / name).chmod(0o666)  # no mode of a file may be what protects it
    return folder


def fingerprint(course: Path) -> dict[str, str]:
    """Every file of the course folder, and every source in the repository by size and time."""
    found = {}
    for path in sorted(course.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        found[str(path)] = f"{path.lstat().st_mode:o} {hashlib.sha256(content).hexdigest()}"
    for room in ("cnnlib", "solutions", "exercises", "tests"):
        for path in sorted((ROOT / room).rglob("*")):
            if "__pycache__" not in path.parts:
                facts = path.lstat()
                found[str(path)] = f"{facts.st_mode:o} {facts.st_size} {facts.st_mtime_ns}"
    places = ("/tmp", "/dev/shm", "/", os.getcwd(), str(Path.home()), "/var/tmp")
    found |= {f"{place}: left behind": str(os.path.lexists(f"{place}/{MARK}")) for place in places}
    return found


def processes_of(box: Sandbox) -> list[int]:
    """The box's processes on this machine."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
    found = [box._box.pid]
    for number in found:
        found += [child for child, parent in parents.items() if parent == number]
    return sorted(found)
