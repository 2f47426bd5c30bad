"""Steps of ours in nbgrader's pipeline, each closing a hole of the standard ones.

========================  =========================================================================
:class:`RestoreCells`     A submission gets its locked cells, its ids and its points back, whatever was
                          deleted, duplicated, edited or retagged.
:class:`ExecuteInSandbox` The student's code runs where it can reach nothing; the tests run here. A cell that
                          hangs or dies costs itself. The grading run gets its secret seed here.
:class:`HonestMarks`      A warning on stderr costs nothing; a mark is a number between 0 and the maximum;
                          a cell that never ran earns nothing.
========================  =========================================================================

:mod:`cnnlib.grading.settings` puts them in their places; :mod:`cnnlib.grading.feedback` has the one for
feedback.
"""

import ast
import copy
import os
import secrets
from pathlib import Path
from typing import Any

from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Float, Unicode

from cnnlib.checks.engine import SEED_VARIABLE
from cnnlib.grading.runner import allowance_of, run_notebook, warm_box

__all__ = ["ExecuteInSandbox", "HonestMarks", "RestoreCells"]


def _error(name: str, message: str) -> NotebookNode:
    return new_output("error", ename=name, evalue=message, traceback=[f"{name}: {message}"])


# --- before the run -----------------------------------------------------------------------------


class RestoreCells(NbGraderPreprocessor):
    """Bring a submission back to the structure of the release.

    Locked cells are taken from the gradebook, source and metadata. Answer cells keep the student's
    text and get their metadata back. Of two cells with one id the last counts. A locked or graded
    cell that is missing is put back behind its predecessor. Tags go, as one of them
    (``skip-execution``) would leave a test unrun, which nbgrader pays in full.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        names = resources["nbgrader"]
        with Gradebook(names["db_url"]) as gradebook:
            release = _released_cells(
                gradebook.find_notebook(names["notebook"], names["assignment"])
            )
        found: dict[str, NotebookNode] = {}
        for cell in reversed(nb.cells):
            grade_id = _grade_id(cell)
            cell.metadata.pop("nbgrader", None)
            cell.metadata.pop("tags", None)
            if grade_id in release and grade_id not in found:
                _restore(cell, release[grade_id])
                found[grade_id] = cell
        after = -1
        for grade_id, released in release.items():
            if grade_id in found:
                after = next(i for i, cell in enumerate(nb.cells) if cell is found[grade_id])
            elif utils.is_locked(released) or utils.is_grade(released) or utils.is_task(released):
                self.log.warning("Cell %s was missing and is back", grade_id)
                after += 1
                nb.cells.insert(after, copy.deepcopy(released))
            # an answer cell that is gone stays gone: its text may have moved to another cell
        _number_cells(nb)
        # its title, its lexer and whatever else would end in a page that an instructor opens
        nb.metadata = NotebookNode(language_info=NotebookNode(name="python"))
        return nb, resources


def _grade_id(cell: NotebookNode) -> Any:
    metadata = cell.metadata.get("nbgrader")
    return metadata.get("grade_id") if isinstance(metadata, dict) else None


def _released_cells(notebook: Any) -> dict[str, NotebookNode]:
    """The release's nbgrader cells by id, in order, rebuilt from the gradebook."""
    points = {cell.name: cell.max_score for cell in [*notebook.grade_cells, *notebook.task_cells]}
    graded = {cell.name for cell in notebook.grade_cells}
    answers = {cell.name for cell in notebook.solution_cells}
    tasks = {cell.name for cell in notebook.task_cells}
    cells = {}
    for source in notebook.source_cells:
        name = source.name
        nbgrader = {
            "cell_type": source.cell_type,
            "checksum": source.checksum,
            "grade": name in graded,
            "grade_id": name,
            "locked": bool(source.locked),
            "schema_version": 3,
            "solution": name in answers,
            "task": name in tasks,
        }
        if name in points:
            nbgrader["points"] = points[name]
        new = new_code_cell if source.cell_type == "code" else new_markdown_cell
        metadata = NotebookNode(nbgrader=NotebookNode(nbgrader), deletable=False)
        if source.locked:
            metadata["editable"] = False
        cells[name] = new(source.source, metadata=metadata)
    return cells


def _restore(cell: NotebookNode, released: NotebookNode) -> None:
    """Make `cell` the released one; an answer keeps its text."""
    text = cell.source
    cell.clear()
    cell.update(copy.deepcopy(released))
    if utils.is_solution(released):
        cell.source = text


def _number_cells(nb: NotebookNode) -> None:
    """Every cell its own id, as notebooks from 4.5 on want it."""
    nb.nbformat, nb.nbformat_minor = 4, max(nb.nbformat_minor, 5)
    for number, cell in enumerate(nb.cells):
        cell["id"] = f"cell-{number}"


# --- the run ------------------------------------------------------------------------------------


class ExecuteInSandbox(NbGraderPreprocessor):
    """Run the student's cells in the sandbox and the test cells here; see :mod:`cnnlib.grading.runner`.

    Boxes stay warm from one submission to the next. Before the first is used, each of its barriers is
    tried; if one does not hold, nothing is graded.
    """

    cell_seconds = Float(30.0, help="How long one cell may take").tag(config=True)
    total_seconds = Float(300.0, help="How long one notebook may take").tag(config=True)
    seed_file = Unicode(
        "", help="File with the secret seed of the checks' inputs; made at first use"
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        box = warm_box(allowance_of(nb))
        with utils.setenv(**self._seed()):
            run = run_notebook(
                nb, box, cell_seconds=self.cell_seconds, total_seconds=self.total_seconds
            )
        for event in run.events:
            self.log.warning("%s: %s (%s)", event.where, event.verdict, event.text)
        nb.metadata["grading"] = {"verdicts": run.verdicts, "seconds": round(run.seconds, 3)}
        return nb, resources

    def _seed(self) -> dict[str, str]:
        if os.environ.get(SEED_VARIABLE) or not self.seed_file:
            return {}
        return {SEED_VARIABLE: secret_seed_of(Path(self.seed_file))}


def secret_seed_of(path: Path) -> str:
    """The seed in a file, which is made, for its owner alone, where it is not there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(16) + "\n", encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()


# --- after the run, before the marks ------------------------------------------------------------


class HonestMarks(NbGraderPreprocessor):
    """Make what nbgrader reads from a test cell's outputs mean what it should."""

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> tuple:
        if cell.cell_type == "code" and utils.is_grade(cell) and not utils.is_solution(cell):
            for output in cell.outputs:
                if output.output_type == "stream":
                    output.name = "stdout"  # nbgrader takes stderr for a failure
            problem = _mark_problem(cell)
            if problem:
                cell.outputs.insert(0, _error("NoMark", problem))  # nbgrader reads the first
        return cell, resources


def _mark_problem(cell: NotebookNode) -> str:
    outputs = cell.outputs
    if any(output.output_type == "error" for output in outputs):
        return ""  # nbgrader gives 0 already
    if not cell.get("execution_count"):
        return "this cell was not run"
    results = [output for output in outputs if output.output_type == "execute_result"]
    if not results:
        return (
            "this cell gave no number of points" if _ends_in_points(cell.source) else ""
        )  # a cell of assertions that all hold earns everything
    most = float(cell.metadata.nbgrader["points"])
    try:
        (result,) = results
        points = float(result.data["text/plain"])
    except (ValueError, KeyError, TypeError):
        return "this cell's result is not one number of points"
    return "" if 0 <= points <= most else f"this cell's result is not between 0 and {most:g}"


def _ends_in_points(source: str) -> bool:
    try:
        statements = ast.parse(source).body
    except SyntaxError:  # a magic, for instance
        return False
    last = statements[-1] if statements else None
    return (
        isinstance(last, ast.Expr)
        and isinstance(last.value, ast.Attribute)
        and last.value.attr == "points"
    )
