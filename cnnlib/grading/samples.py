"""Sample classes: what students hand in, good and bad; a large one for the exercise of chapter 4.

A submission is the released notebook with answers put into its cells. An answer is the source text of
a cell, by ``grade_id``; a cell that is not named keeps the release's stub.
"""

import copy
import textwrap
from collections.abc import Mapping
from pathlib import Path

from nbformat.notebooknode import NotebookNode

from cnnlib.grading.notebooks import source_notebook

__all__ = ["ASSIGNMENT", "NOTEBOOK", "notebook_of", "sample_class", "submission"]

ASSIGNMENT, NOTEBOOK = "ch04_output_size", "output_size"


def _code(text: str) -> str:
    return textwrap.dedent(text).strip()


_FLOORS_SILENTLY = _code("""
    def output_size(size, kernel, *, stride=1, padding=0, rounding="strict"):
        windows = (size - kernel + 2 * padding) // stride + 1
        left_over = (size - kernel + 2 * padding) % stride
        if rounding == "ceil" and left_over and windows * stride < padding + size:
            windows += 1
        return windows
""")

_PADS_EVERY_AXIS = _code("""
    def zero_pad(x, padding):
        return np.pad(x, padding)
""")

_CONVOLUTION = """
    def conv2d(x, weight, bias=None, *, stride=1, padding=0):
        rows, columns = weight.shape[2:]
        height, width = output_shape(
            x.shape[2:], (rows, columns), stride=stride, padding=padding, rounding="floor"
        )
        x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        out = np.zeros((len(x), len(weight), height, width), dtype=x.dtype)
        for i in range(height):
            for j in range(width):
                block = x[:, None, :, i * stride : i * stride + rows, j * stride : j * stride + columns]
                out[:, :, i, j] = (block * {kernel}).sum(axis=(2, 3, 4))
        return out if bias is None else out + bias[:, None, None]
"""
_FLIPS_THE_KERNEL = _code(_CONVOLUTION.format(kernel="weight[:, :, ::-1, ::-1]"))

_SYNTAX_ERROR = _code("""
    def output_size(size, kernel, *, stride=1, padding=0, rounding="strict")
        return (size - kernel + 2 * padding) // stride + 1
""")

_NEVER_ENDS = _code("""
    def conv2d(x, weight, bias=None, *, stride=1, padding=0):
        position = 0
        while position < x.shape[3]:
            window = x[:, :, :, position]
        return window
""")


def notebook_of(solutions: Path, assignment: str) -> str:
    """The name of an assignment's one notebook."""
    (source,) = (solutions / assignment).glob("*.py")
    return source.stem


def sample_class(solutions: Path, assignment: str = ASSIGNMENT) -> dict[str, Mapping[str, str]]:
    """Seven students and their answers; for another exercise than chapter 4's the first two of them."""
    source = source_notebook(solutions / assignment / f"{notebook_of(solutions, assignment)}.py")
    full = {
        cell.id: _without_marks(cell.source)
        for cell in source.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
    good_and_blank: dict[str, Mapping[str, str]] = {"ada_full_marks": full, "ben_blank": {}}
    if assignment != ASSIGNMENT:
        return good_and_blank
    return {
        **good_and_blank,
        "cleo_floors_silently": {**full, "a_solution": _FLOORS_SILENTLY},
        "dev_pads_every_axis": {**full, "b_solution": _PADS_EVERY_AXIS},
        "eva_flips_the_kernel": {**full, "c_solution": _FLIPS_THE_KERNEL},
        "finn_syntax_error": {**full, "a_solution": _SYNTAX_ERROR},
        "gus_infinite_loop": {**full, "c_solution": _NEVER_ENDS},
    }


def _without_marks(text: str) -> str:
    lines = text.splitlines()
    return "\n".join(x for x in lines if "BEGIN SOLUTION" not in x and "END SOLUTION" not in x)


def submission(released: NotebookNode, answers: Mapping[str, str]) -> NotebookNode:
    """A copy of the released notebook with a student's answers."""
    nb = copy.deepcopy(released)
    for cell in nb.cells:
        if cell.id in answers:
            cell.source = answers[cell.id]
    return nb
