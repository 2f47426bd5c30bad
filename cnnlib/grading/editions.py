"""Which files of cnnlib a student's process has: the student edition, and what the exercise allows beside it."""

import ast
import re
from collections.abc import Sequence
from pathlib import Path

__all__ = ["course_files", "modules_allowed", "rooms_withheld"]

PACKAGE = Path(__file__).resolve().parents[1]
STUDENT_EDITION = ("__init__.py", "errors.py", "shapes.py", "diagram", "data")
WITHHELD = ("reference", "pytorch", "checks", "grading", "training", "widgets")


def course_files(packages: Sequence[str]) -> list[tuple[Path, str]]:
    """Each file or folder, and its place relative to the package cnnlib."""
    allowed = [room for room in WITHHELD if f"cnnlib.{room}" in packages]
    paths = [PACKAGE / name for name in (*STUDENT_EDITION, *allowed)]
    paths += map(_file_of, modules_allowed(packages))
    return [(path, path.relative_to(PACKAGE).as_posix()) for path in paths]


def rooms_withheld(packages: Sequence[str]) -> list[str]:
    """Rooms that are not there as a whole, such as ``"cnnlib.checks"``."""
    return [f"cnnlib.{room}" for room in WITHHELD if f"cnnlib.{room}" not in packages]


def modules_allowed(packages: Sequence[str]) -> list[str]:
    """Single modules of withheld rooms that are there: those that `packages` names, with what they import.

    >>> modules_allowed(("numpy", "cnnlib.reference.linear"))
    ['cnnlib.reference.arguments', 'cnnlib.reference.linear']
    """
    withheld, found = rooms_withheld(packages), set()
    wanted = [name for name in packages if re.fullmatch(r"cnnlib(\.\w+){2,}", name)]
    while wanted:
        name = wanted.pop()
        if name not in found and name.rpartition(".")[0] in withheld:
            found.add(name)
            wanted += _imported(name)
    return sorted(found)


def _imported(module: str) -> list[str]:
    """The modules of cnnlib that a module imports, read from its syntax tree."""
    names: list[str] = []
    for node in ast.walk(ast.parse(_file_of(module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in names if name.startswith("cnnlib.") and _file_of(name).is_file()]


def _file_of(module: str) -> Path:
    return PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")
