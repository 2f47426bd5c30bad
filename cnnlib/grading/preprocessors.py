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

import os
import secrets
from pathlib import Path
from typing import Any

from nbformat.notebooknode import NotebookNode
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Float, Unicode

from cnnlib.checks.engine import SEED_VARIABLE
from cnnlib.errors import CnnlibError
from cnnlib.grading import restored
from cnnlib.grading.intake import rejection_of
from cnnlib.grading.runner import allowance_of, run_notebook, warm_box

__all__ = ["ExecuteInSandbox", "HonestMarks", "RestoreCells"]


# --- before the run -----------------------------------------------------------------------------


class RestoreCells(NbGraderPreprocessor):
    """Bring a submission back to the structure of the release; see :func:`cnnlib.grading.restored.restore`."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        names = resources["nbgrader"]
        with Gradebook(names["db_url"]) as gradebook:
            release = restored.released_cells(
                gradebook.find_notebook(names["notebook"], names["assignment"])
            )
        missing = restored.restore(nb, release)
        for grade_id in [] if rejection_of(nb) else missing:
            self.log.warning("Cell %s was missing and is back", grade_id)
        return nb, resources


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
        if rejection_of(nb):
            return nb, resources
        box = warm_box(allowance_of(nb))
        with utils.setenv(**self._seed()):
            run = run_notebook(
                nb, box, cell_seconds=self.cell_seconds, total_seconds=self.total_seconds
            )
        for event in run.events:
            self.log.warning("%s: %s (%s)", event.where, event.verdict, event.text)
        restored.clean_text(nb)
        nb.metadata["grading"] = {"verdicts": run.verdicts, "seconds": round(run.seconds, 3)}
        return nb, resources

    def _seed(self) -> dict[str, str]:
        if os.environ.get(SEED_VARIABLE) or not self.seed_file:
            return {}
        return {SEED_VARIABLE: secret_seed_of(Path(self.seed_file))}


def secret_seed_of(path: Path) -> str:
    """The seed in a file, which is made, for its owner alone, where it is not there.

    Raises
    ------
    CnnlibError
        If it is empty: without a seed only the visible inputs would count.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(16) + "\n", encoding="utf-8")
    if not (seed := path.read_text(encoding="utf-8", errors="replace").strip()):
        raise CnnlibError(
            f"seed={str(path)!r} is empty: put the old one back from your backup, or delete the file for a new one."
        )
    return seed


# --- after the run, before the marks ------------------------------------------------------------


class HonestMarks(NbGraderPreprocessor):
    """Make what nbgrader reads from a test cell's outputs mean what it should."""

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> tuple:
        restored.be_honest(cell)
        return cell, resources
