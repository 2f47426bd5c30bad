"""What a submission has to do with its release: the locked cells, and what its outputs are worth.

Pure functions on notebooks, without a database: nbgrader's pipeline and the farm both use them.
"""

import ast
import copy
import json
from typing import Any

from nbformat.notebooknode import NotebookNode, from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from nbgrader import utils

from cnnlib.checks.report import REPORT_TYPE

__all__ = ["be_honest", "clean_text", "ideas_of", "released_cells", "restore"]

# --- the release --------------------------------------------------------------------------------


def released_cells(notebook: Any) -> dict[str, NotebookNode]:
    """The release's nbgrader cells by id, in order, rebuilt from the gradebook's `notebook`."""
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
        cells[name] = new(source.source, metadata=metadata, id=name)
    return cells


def restore(nb: NotebookNode, release: dict[str, NotebookNode]) -> list[str]:
    """Bring a submission back to the structure of the release, in place; the ids that were missing.

    Locked cells get the release's source and metadata. Answer cells keep the student's text and get their
    metadata back. Of two cells with one id the last counts. They stand in the release's order again: a test that
    ran before the cell with the imports would take the student's word for the checks. A locked or graded cell
    that is missing is put back behind its predecessor. Tags go, as one of them (``skip-execution``) would leave a test unrun,
    which nbgrader pays in full.
    """
    found: dict[str, NotebookNode] = {}
    for cell in reversed(nb.cells):
        grade_id = _grade_id(cell)
        cell.metadata.pop("nbgrader", None)
        cell.metadata.pop("tags", None)
        if grade_id in release and grade_id not in found:
            _restore_cell(cell, release[grade_id])
            found[grade_id] = cell
    ours = {id(cell) for cell in found.values()}
    places = [index for index, cell in enumerate(nb.cells) if id(cell) in ours]
    for index, grade_id in zip(places, filter(found.__contains__, release), strict=True):
        nb.cells[index] = found[grade_id]
    after = 0 if "grading" in nb.metadata else -1  # a notice stays above all
    missing = []
    for grade_id, released in release.items():
        if grade_id in found:
            after = next(i for i, cell in enumerate(nb.cells) if cell is found[grade_id])
        elif utils.is_locked(released) or utils.is_grade(released) or utils.is_task(released):
            missing.append(grade_id)
            after += 1
            nb.cells.insert(after, copy.deepcopy(released))
        # an answer cell that is gone stays gone: its text may have moved to another cell
    nb.nbformat, nb.nbformat_minor = 4, 5
    for number, cell in enumerate(nb.cells):  # every cell its own id, as format 4.5 wants it
        cell["id"] = f"cell-{number}"
    # its title, its lexer and whatever else would end in a page that an instructor opens; what intake
    # has noted stays
    noted = {key: value for key, value in nb.metadata.items() if key == "grading"}
    nb.metadata = NotebookNode(language_info=NotebookNode(name="python"), **noted)
    return missing


def _grade_id(cell: NotebookNode) -> str:
    metadata = cell.metadata.get("nbgrader")
    name = metadata.get("grade_id") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""


def _restore_cell(cell: NotebookNode, released: NotebookNode) -> None:
    """Make `cell` the released one; an answer keeps its text."""
    text = cell.source
    cell.clear()
    cell.update(copy.deepcopy(released))
    if utils.is_solution(released):
        cell.source = text


# --- marks --------------------------------------------------------------------------------------


def be_honest(cell: NotebookNode) -> None:
    """Make what nbgrader reads from a test cell's outputs mean what it should, in place."""
    if cell.cell_type != "code" or not utils.is_grade(cell) or utils.is_solution(cell):
        return
    for output in cell.outputs:
        if output.output_type == "stream":
            output.name = "stdout"  # nbgrader takes stderr for a failure
    if problem := _mark_problem(cell):
        error = new_output(
            "error", ename="NoMark", evalue=problem, traceback=[f"NoMark: {problem}"]
        )
        cell.outputs.insert(0, error)  # nbgrader reads the first


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


def ideas_of(nb: NotebookNode) -> list[str]:
    """The misconceptions that the reports in a graded notebook name, each once."""
    names: dict[str, None] = {}
    for cell in nb.cells:
        for output in cell.get("outputs", []) if utils.is_locked(cell) else []:
            facts = output.get("data", {}).get(REPORT_TYPE, {})
            names |= dict.fromkeys(facts.get("misconceptions", []))
    return list(names)


def clean_text(nb: NotebookNode) -> None:
    """Mend text that no file can hold: a student can print half of a surrogate pair."""
    try:
        json.dumps(nb.cells, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        text = json.dumps(nb.cells, ensure_ascii=False).encode("utf-8", "replace")
        nb.cells = from_dict(json.loads(text))
