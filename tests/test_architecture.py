"""The rooms of the house and who may call whom, read from the syntax trees and from a fresh process."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "cnnlib"

# Each room may import the rooms named here (and itself); everything outside cnnlib by the second table.
MAY_IMPORT = {
    "errors": set(),
    "shapes": {"errors"},
    "diagram": {"errors", "shapes"},
    "reference": {"errors", "shapes", "diagram"},
    "pytorch": {"errors", "shapes", "diagram"},
    "data": {"errors", "shapes", "diagram", "reference", "pytorch"},
    "training": {"errors", "shapes", "diagram", "reference", "pytorch", "data"},
    "widgets": {"errors", "shapes", "diagram", "reference", "pytorch", "data"},
    "checks": {"errors", "shapes", "diagram", "reference", "pytorch", "data"},
    "grading": {"errors", "shapes", "diagram", "reference", "pytorch", "checks", "widgets", "data"},
}
NEVER = {
    "errors": "numpy torch anywidget nbgrader lark matplotlib",
    "shapes": "numpy torch anywidget nbgrader lark matplotlib",
    "diagram": "torch anywidget nbgrader",
    "reference": "torch anywidget nbgrader",
    "pytorch": "anywidget nbgrader",
    "checks": "nbgrader",
    "widgets": "nbgrader",
}


def imported_modules(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide which room is meant"
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def faults(room: str, imports: set[str]) -> set[str]:
    """Imports that `room` may not have."""
    rooms = {name.split(".")[1] for name in imports if name.startswith("cnnlib.")}
    outside = {name.split(".")[0] for name in imports}
    wrong_rooms = (rooms & set(MAY_IMPORT)) - MAY_IMPORT[room] - {room}
    return wrong_rooms | (outside & set(NEVER.get(room, "").split()))


FILES = sorted(PACKAGE.rglob("*.py"))
IN_ROOMS = [path for path in FILES if path.parent != PACKAGE or path.stem in MAY_IMPORT]


@pytest.mark.parametrize("path", IN_ROOMS, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_one_way(path):
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    assert room in MAY_IMPORT, f"{room} is a room that this test does not know: add it on purpose"
    assert not faults(room, imported_modules(path))


@pytest.mark.parametrize(
    ("room", "imports", "wrong"),
    [
        ("reference", {"torch.nn.functional"}, {"torch"}),
        ("pytorch", {"cnnlib.reference.conv"}, {"reference"}),
        ("shapes", {"numpy"}, {"numpy"}),
        ("checks", {"nbgrader.api", "cnnlib.grading"}, {"nbgrader", "grading"}),
        ("grading", {"nbgrader.api", "cnnlib.checks"}, set()),
    ],
)
def test_the_rule_sees_what_is_forbidden(room, imports, wrong):
    assert faults(room, imports) == wrong


def test_files_outside_the_rooms_are_the_package_itself():
    assert {path.name for path in FILES if path not in IN_ROOMS} == {"__init__.py"}


def modules_after(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(*sys.modules)"
    return set(subprocess.check_output([sys.executable, "-c", code], text=True).split())


def test_importing_the_package_is_light():
    heavy = {"torch", "anywidget", "ipywidgets", "nbgrader", "matplotlib"}
    assert not heavy & modules_after("import cnnlib")
    assert not heavy & modules_after("import cnnlib.widgets")
    assert not (heavy | {"numpy"}) & modules_after("import cnnlib.shapes")
    assert not (heavy | {"numpy"}) & modules_after("import cnnlib.diagram")
    assert not {"torch", "nbgrader"} & modules_after("import cnnlib.checks")
