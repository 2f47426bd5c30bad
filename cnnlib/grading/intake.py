"""Read what a student handed in, as nobody knows what it is.

A file that is no sound notebook is refused in words, and a notice takes its place: the submission earns
nothing, its feedback says why, and the rest of the class is graded. Of a sound notebook only the cells'
kinds, texts and nbgrader's metadata come through.
"""

import errno
import json
import os
import stat
from itertools import islice
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook

from cnnlib.errors import CnnlibError
from cnnlib.grading.inside.wire import plain_text

__all__ = ["CarefulExporter", "IntakeError", "notebook_of", "notice", "read_file", "rejection_of"]

LARGEST = 20 << 20
"""Bytes of one notebook file. Outputs count too: a few pictures are a megabyte."""
MOST_CELLS = 2_000
MOST_TEXT = 500_000
"""Characters of all cells. Markdown that is meant to takes seconds to render for every twenty thousand."""
MOST_FACTS = 20


class IntakeError(CnnlibError):
    """A submission that is refused; the message is for the student."""

    verdict = "rejected"

    def __init__(self, words: str) -> None:
        super().__init__(
            plain_text(words, 1000)
        )  # of names and values of the student's, for a terminal


def read_file(path: Path) -> bytes:
    """The bytes of a submitted file.

    Parameters
    ----------
    path : Path
        Where the notebook should be. The file, its folder and the student's folder must not be links:
        they could lead to somebody else's work or to the instructor's files.

    Raises
    ------
    IntakeError
        If there is no such file, or if it is a link, no regular file, or too large.
    """
    for place, what in ((path.parent.parent, "student"), (path.parent, "assignment")):
        if place.is_symlink():
            raise IntakeError(
                f"the {what}'s folder {place.name} is a symbolic link: hand in the folder itself."
            )
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        others = sorted(other.name for other in path.parent.glob("*.ipynb"))[:3]
        found = f"; there is {', '.join(others)}" if others else ""
        raise IntakeError(
            f"there is no file {path.name} in the submission{found}: keep the name that the notebook "
            "was handed out with."
        ) from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise IntakeError(
                f"{path.name} is a symbolic link: hand in the notebook file itself."
            ) from None
        raise IntakeError(
            f"{path.name} cannot be read ({error.strerror}): hand in the notebook file again."
        ) from None
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        os.close(descriptor)
        raise IntakeError(f"{path.name} is not a regular file: hand in the notebook file.")
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        size = max(facts.st_size, len(data))
        raise IntakeError(
            f"{path.name} has {size:,} bytes, and a notebook may have {LARGEST:,}: clear the outputs "
            "(Edit, Clear Outputs of All Cells), save, and hand it in again."
        )
    return data


def notebook_of(data: bytes) -> NotebookNode:
    """The notebook in a file's bytes, without outputs, and with ids of ours.

    Raises
    ------
    IntakeError
        If it is not UTF-8, no JSON, no notebook of format 4, or has more cells than a person writes.
    """
    try:
        tree = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise IntakeError(
            f"the notebook is not UTF-8 text (byte {error.start}): save it in Jupyter again."
        ) from None
    except RecursionError:
        raise IntakeError("the notebook is nested too deep: save it in Jupyter again.") from None
    except ValueError as error:
        raise IntakeError(
            f"the notebook is not JSON ({str(error)[:100]}): open it in Jupyter and save it again."
        ) from None
    version = tree.get("nbformat") if isinstance(tree, dict) else None
    if type(version) is not int or version != 4:
        told = f"nbformat={str(version)[:20]}" if isinstance(tree, dict) else "no notebook at all"
        raise IntakeError(
            f"the file is no notebook of format 4 ({told}): open it in Jupyter and save it again."
        )
    cells = tree.get("cells")
    if not isinstance(cells, list):
        raise IntakeError("the notebook has no list of cells: save it in Jupyter again.")
    if len(cells) > MOST_CELLS:
        raise IntakeError(
            f"the notebook has {len(cells):,} cells, and it may have {MOST_CELLS:,}: delete the "
            "superfluous ones."
        )
    made = [_cell(cell, number) for number, cell in enumerate(cells)]
    size = sum(len(cell.source) for cell in made)
    if size > MOST_TEXT:
        raise IntakeError(
            f"the notebook's cells hold {size:,} characters, and they may hold {MOST_TEXT:,}: delete what is no "
            "part of an answer."
        )
    metadata = _dict(tree.get("metadata"))
    kept = {"kernelspec": spec} if (spec := _facts(metadata.get("kernelspec"))) else {}
    noted = _dict(metadata.get("grading"))
    if noted.get("verdicts") == [IntakeError.verdict]:
        kept["grading"] = _noted(str(noted.get("words", "")))
    return NotebookNode(
        nbformat=4,
        nbformat_minor=5,
        metadata=NotebookNode(kept),
        cells=made,
    )


def _cell(cell: Any, number: int) -> NotebookNode:
    kind = _dict(cell).get("cell_type")
    if kind not in ("code", "markdown", "raw"):
        raise IntakeError(
            f"cell {number + 1} is neither code nor text: open the notebook in Jupyter, and save it again."
        )
    source = cell.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise IntakeError(
            f"the text of cell {number + 1} is no text: open the notebook in Jupyter, and save it again."
        )
    given = _dict(cell.get("metadata"))
    names = ("deletable", "editable")
    metadata = {name: given[name] for name in names if isinstance(given.get(name), bool)}
    kind = (
        "markdown" if kind == "raw" else kind
    )  # a page would clean raw text, however long that takes
    if isinstance(given.get("nbgrader"), dict):
        metadata["nbgrader"] = _facts(given["nbgrader"])
    made = NotebookNode(
        cell_type=kind,
        id=f"cell-{number}",
        metadata=NotebookNode(metadata),
        source=source.encode("utf-8", "replace").decode(),  # half of a surrogate pair is no text
    )
    if kind == "code":
        made.update(execution_count=None, outputs=[])
    return made


def _dict(value: Any) -> dict:
    return value if isinstance(value, dict) else {}


def _facts(value: Any) -> NotebookNode:
    """The first plain values in a dictionary: of nested ones a small file could hold millions."""
    pairs = islice(_dict(value).items(), MOST_FACTS)
    return NotebookNode({key: one for key, one in pairs if isinstance(one, str | int | float)})


# --- what takes the place of a refused submission -----------------------------------------------


def notice(words: str, verdict: str = IntakeError.verdict) -> NotebookNode:
    """A notebook that says why there is nothing of the student's in it."""
    grading = _noted(words, verdict)
    cell = new_markdown_cell(f"**This submission was {verdict}:** {grading.words}", id="cell-0")
    return new_notebook(cells=[cell], metadata={"grading": grading})


def _noted(words: str, verdict: str = IntakeError.verdict) -> NotebookNode:
    shown = words.encode("utf-8", "replace").decode()[:1000]
    return NotebookNode(verdicts=[verdict], words=shown, seconds=0.0)


def rejection_of(nb: NotebookNode) -> str:
    """Why a notice was put in the place of `nb`; "" if none was."""
    grading = nb.metadata.get("grading", {})
    return str(grading.get("words", "")) if grading.get("verdicts") == ["rejected"] else ""


class CarefulExporter(NotebookExporter):
    """nbgrader's way to read a submission, with this module's care in place of nbformat's trust."""

    def from_filename(  # type: ignore[override]
        self, filename: str, resources: dict[str, Any] | None = None, **_: Any
    ) -> tuple[str, dict[str, Any]]:
        """Read, or put a notice in its place, and convert."""
        path = Path(filename)
        resources = resources or {}
        resources.setdefault("metadata", {}).update(name=path.stem, path=str(path.parent))
        try:
            nb = notebook_of(read_file(path))
            if getattr(self.parent, "_sanitizing", True):  # else it is our own copy
                nb.metadata.pop("grading", None)
        except IntakeError as error:
            student = resources.get("nbgrader", {}).get("student", path.parent.parent.name)
            self.log.warning("%s: rejected: %s", student, error)
            nb = notice(str(error))
        return self.from_notebook_node(nb, resources)
