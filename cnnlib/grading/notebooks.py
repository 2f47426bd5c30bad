"""Student notebooks from the exercises' sources.

``solutions/chNN_topic/name.py`` (py:percent text with nbgrader's cell metadata) is the one place where an
exercise is written. From it come nbgrader's source notebook, which lives in a build folder only, and by
nbgrader's own ``generate_assignment`` the student notebook ``exercises/chNN_topic/name.ipynb``.

::

    python -m cnnlib.grading.notebooks           # regenerate all
    python -m cnnlib.grading.notebooks --check   # fail if a committed notebook is not what would be generated
"""

import argparse
import logging
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import jupytext
import nbformat
from nbformat.notebooknode import NotebookNode
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from cnnlib.errors import CnnlibError
from cnnlib.grading.settings import configure

__all__ = ["ExerciseError", "exercise_sources", "main", "source_notebook", "student_notebooks"]


class ExerciseError(CnnlibError):
    """An exercise source that would not make a sound student notebook."""


def exercise_sources(solutions: Path) -> list[Path]:
    """All exercise sources, in the order of their chapters."""
    return sorted(solutions.glob("ch[0-9][0-9]_*/*.py"))


def source_notebook(source: Path) -> NotebookNode:
    """nbgrader's source notebook of one exercise: solutions, marking schemes and hidden tests included.

    Text keeps no cell ids, so they are made from the ``grade_id`` or else from the cell's place: the same
    text gives the same bytes.
    """
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata = NotebookNode(kernelspec=notebook.metadata.kernelspec)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    ids = []
    for number, cell in enumerate(notebook.cells):
        ids.append(cell.metadata.get("nbgrader", {}).get("grade_id") or f"text-{number:02d}")
        cell["id"] = ids[-1]
        cell.metadata.pop("lines_to_next_cell", None)  # jupytext's own note about blank lines
        if cell.cell_type == "markdown":
            cell.source = _read_inside_details(cell.source)
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise ExerciseError(
            f"{source}: grade_id {', '.join(twice)} is used twice: give every cell its own."
        )
    return notebook


def _read_inside_details(text: str) -> str:
    """Blank lines inside ``<details>``: without them JupyterLab shows its ``*`` and backticks as they are.

    >>> _read_inside_details("<details><summary>Hint</summary>\\n*first* this\\n</details>")
    '<details><summary>Hint</summary>\\n\\n*first* this\\n\\n</details>'
    """
    text = re.sub(r"(<details><summary>.*</summary>)\n(?!\n)", r"\1\n\n", text)
    return re.sub(r"(?<!\n)\n</details>", "\n\n</details>", text)


def write_source_notebooks(solutions: Path, folder: Path) -> list[str]:
    """Write nbgrader's source notebooks into `folder`/chNN_topic; return the names of the assignments."""
    for source in exercise_sources(solutions):
        target = folder / source.parent.name / f"{source.stem}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(source_notebook(source), target)
    return sorted({source.parent.name for source in exercise_sources(solutions)})


def student_notebooks(solutions: Path) -> dict[str, str]:
    """Generate all student notebooks with nbgrader; text by path relative to ``exercises/``."""
    with tempfile.TemporaryDirectory() as name:
        course = Path(name).resolve()
        config = Config()
        configure(config, course)
        config.SaveCells.enabled = False  # no gradebook is needed for this
        for assignment in write_source_notebooks(solutions, course / "source"):
            coursedir = CourseDirectory(config=config)
            coursedir.assignment_id = assignment
            converter = GenerateAssignment(coursedir=coursedir, config=config)
            converter.no_database = True
            converter.log = logging.Logger("generate", logging.WARNING)
            converter.start()
        texts = {}
        for source in exercise_sources(solutions):
            place = f"{source.parent.name}/{source.stem}.ipynb"
            texts[place] = (course / "release" / place).read_text(encoding="utf-8")
            refuse_leaks(source_notebook(source), texts[place], place)
    return texts


_REGION = re.compile(
    r"BEGIN (SOLUTION|HIDDEN TESTS|MARK SCHEME).*?\n(.*?)\n[^\n]*END \1", re.DOTALL
)


def refuse_leaks(source: NotebookNode, released: str, place: str) -> None:
    """Raise if a line of a solution, a hidden test or a marking scheme is still in the release."""
    cells = nbformat.reads(released, as_version=4).cells
    left = "\n".join(cell.source for cell in cells)
    for word in ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS", "MARK SCHEME"):
        if word in left:
            raise ExerciseError(f"{place}: the words {word!r} are in the student notebook.")
    for cell in source.cells:
        if cell.metadata.get("nbgrader", {}).get("solution") and not _REGION.search(cell.source):
            raise ExerciseError(
                f"{place}: cell {cell.id} is an answer without a BEGIN SOLUTION … END SOLUTION region, so "
                "nbgrader would replace all of it. Mark the part that is the solution."
            )
        for region in _REGION.finditer(cell.source):
            for line in map(str.strip, region.group(2).splitlines()):
                if len(line) > 20 and line in left:
                    raise ExerciseError(f"{place}: the solution's line {line!r} is in the release.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Regenerate ``exercises/``, or with ``--check`` compare it. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m cnnlib.grading.notebooks", description=main.__doc__
    )
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="the course's root folder")
    options = parser.parse_args(arguments)
    exercises = options.root / "exercises"
    if not exercise_sources(options.root / "solutions"):
        print(f"no exercises in {options.root / 'solutions'}: run this in the course's root folder")
        return 2
    generated = student_notebooks(options.root / "solutions")
    committed = {path.relative_to(exercises).as_posix() for path in exercises.glob("ch*/*.ipynb")}
    drifted = []
    for place, text in generated.items():
        path = exercises / place
        same = path.exists() and path.read_text(encoding="utf-8") == text
        if options.check:
            drifted += [] if same else [place]
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"exercises/{place}: {'unchanged' if same else 'written'}")
    for place in sorted(committed - set(generated)):
        drifted.append(place)
        print(f"exercises/{place}: has no source in solutions/, remove it")
    for place in drifted:
        print(
            f"exercises/{place} is not what its source gives. Edit solutions/{Path(place).with_suffix('.py')} "
            "and run `make exercises`."
        )
    if options.check and not drifted:
        print(f"{len(generated)} student notebook(s) are up to date")
    return 1 if drifted else 0


if __name__ == "__main__":
    sys.exit(main())
