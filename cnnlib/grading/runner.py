"""Run one submission: the student's cells in the sandbox, the test cells here.

The notebook has the release's locked cells again (:class:`~cnnlib.grading.preprocessors.RestoreCells`). A cell
that is graded by itself is a *test cell*: its source is the instructor's, and it runs in this process, where
the student's names are proxies. Every other cell is the student's, or feeds the student's, and runs over there.
"""

import ast
import atexit
import builtins
import contextlib
import importlib
import io
import re
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from nbformat.notebooknode import NotebookNode
from nbgrader import utils

from cnnlib.checks.engine import SHOWN, Exercise
from cnnlib.grading.barriers import prove
from cnnlib.grading.sandbox import Allowance, Sandbox
from cnnlib.grading.session import Event, Session

__all__ = ["Run", "allowance_of", "exercise_of", "run_notebook", "warm_box"]

_CHECKS = re.compile(r"^from (cnnlib\.checks\.\w+) import ", re.MULTILINE)


@dataclass
class Run:
    """How one notebook went."""

    events: list[Event] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def verdicts(self) -> list[str]:
        return list(dict.fromkeys(event.verdict for event in self.events))


def is_test(cell: NotebookNode) -> bool:
    """Is it a cell of the instructor's that gives points by itself?"""
    return cell.cell_type == "code" and utils.is_grade(cell) and not utils.is_solution(cell)


def exercise_of(nb: NotebookNode) -> Exercise | None:
    """The exercise whose checks the notebook's locked cells import, if it is one of the course's."""
    for cell in nb.cells:
        locked = cell.cell_type == "code" and utils.is_locked(cell)
        if locked and (found := _CHECKS.search(cell.source)):
            return getattr(importlib.import_module(found[1]), "EXERCISE", None)
    return None


def allowance_of(nb: NotebookNode) -> Allowance:
    """What the notebook's exercise allows; NumPy alone for one that says nothing."""
    exercise = exercise_of(nb)
    return Allowance() if exercise is None else Allowance(packages=exercise.allows)


_BOXES: dict[Allowance, Sandbox] = {}


def warm_box(allowance: Allowance) -> Sandbox:
    """This process's box for an allowance; its barriers are tried when it is made.

    Raises
    ------
    SandboxError
        If there can be none, or if a barrier does not hold.
    """
    if allowance not in _BOXES:
        box = Sandbox(allowance)
        try:
            prove(box)
        except BaseException:
            box.close()
            raise
        _BOXES[allowance] = box
        atexit.register(box.close)
    return _BOXES[allowance]


def run_notebook(
    nb: NotebookNode,
    sandbox: Sandbox,
    *,
    say: Callable[[int], None] = lambda index: None,
    **limits: float,
) -> Run:
    """Execute the code cells of `nb` in place, in order.

    Parameters
    ----------
    nb : NotebookNode
        A submission with the release's locked cells; its code cells get outputs and counts.
    sandbox : Sandbox
        Where the student's cells run.
    say : callable
        Hears the index of each cell before it runs.
    **limits
        Of :class:`~cnnlib.grading.session.Session`.

    Raises
    ------
    SandboxError
        If the machine gave no process on the way; no mark then.
    """
    run, start = Run(), time.perf_counter()
    names: dict[str, Any] = {"__name__": "__main__"}
    count = 0
    with Session(sandbox, **limits) as session:  # type: ignore[arg-type]
        for index, cell in enumerate(nb.cells):
            if cell.cell_type != "code":
                continue
            cell.outputs, cell.execution_count = [], None
            if not cell.source.strip():
                continue
            say(index)
            count += 1
            cell.execution_count = count
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", f"cell {index}")
            if is_test(cell):
                cell.outputs = _run_here(cell.source, names, session)
            else:
                cell.outputs = [NotebookNode(o) for o in session.run(cell.source, grade_id)]
                if utils.is_locked(cell):
                    _imports(cell.source, names)
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output["execution_count"] = count
        if session.broken:
            raise session.broken
        run.events = session.events
    run.seconds = time.perf_counter() - start
    return run


# --- test cells ---------------------------------------------------------------------------------


def _imports(source: str, names: dict[str, Any]) -> None:
    """Import here too what a locked cell imports: the checks that the test cells use."""
    with contextlib.suppress(SyntaxError):
        for statement in ast.parse(source).body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                with contextlib.suppress(ImportError):
                    exec(compile(ast.Module([statement], []), "<imports>", "exec"), names)


def _run_here(source: str, names: dict[str, Any], session: Session) -> list[NotebookNode]:
    """Run a test cell in this process."""
    outputs: list[NotebookNode] = []
    shown: list[Any] = []
    token = SHOWN.set(shown)
    try:
        with _captured(outputs):
            tree = ast.parse(source)
            _fetch(tree, names, session)
            result, last = None, tree.body[-1] if tree.body else None
            if isinstance(last, ast.Expr):
                tree.body.pop()
            exec(compile(tree, "<test>", "exec"), names)
            if isinstance(last, ast.Expr):
                result = eval(compile(ast.Expression(last.value), "<test>", "eval"), names)
        outputs += [_display("display_data", report) for report in shown]
        if result is not None:
            outputs.append(_display("execute_result", result))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        outputs += [_display("display_data", report) for report in shown]
        text = str(error)[:2000]
        lines = traceback.format_exception_only(error)
        outputs.append(
            NotebookNode(
                output_type="error", ename=type(error).__name__, evalue=text, traceback=lines
            )
        )
    finally:
        SHOWN.reset(token)
    return outputs


def _fetch(tree: ast.AST, names: dict[str, Any], session: Session) -> None:
    """Take the names that the cell uses from the student's notebook, unless they are ours."""
    ids = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    made = {node.id for node in ids if not isinstance(node.ctx, ast.Load)}
    theirs = names.setdefault("__theirs__", set())
    for name in sorted({node.id for node in ids} - made):
        if hasattr(builtins, name) or (name in names and name not in theirs):
            continue
        names.pop(name, None)  # the notebook may have changed it since
        with contextlib.suppress(KeyError):
            names[name] = session.get(name)
            theirs.add(name)


@contextlib.contextmanager
def _captured(outputs: list[NotebookNode]) -> Iterator[None]:
    written = io.StringIO()
    try:
        with contextlib.redirect_stdout(written), contextlib.redirect_stderr(written):
            yield
    finally:
        if written.getvalue():
            outputs.append(
                NotebookNode(output_type="stream", name="stdout", text=written.getvalue())
            )


def _display(kind: str, value: Any) -> NotebookNode:
    data, metadata = _formatter().format(value)
    return NotebookNode(output_type=kind, data=NotebookNode(data), metadata=NotebookNode(metadata))


@cache
def _formatter() -> Any:
    """IPython's, made once: that takes longer than all that it does for a submission."""
    from IPython.core.formatters import DisplayFormatter

    return DisplayFormatter()
