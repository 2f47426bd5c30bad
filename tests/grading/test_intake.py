"""What is refused at the door, in what words, and that the rest of the class is graded."""

import json
import os

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from cnnlib.grading import intake
from cnnlib.grading.feedback import safe_markdown
from cnnlib.grading.intake import IntakeError, notebook_of, notice, read_file
from cnnlib.grading.restored import restore


def _bytes(**changes):
    return json.dumps({**new_notebook(cells=[new_code_cell("f = 1")]), **changes}).encode()


NO_NOTEBOOKS = {
    "latin-1": ("ä = 1".encode("latin-1"), "is not UTF-8 text (byte 0): save it in Jupyter again"),
    "utf-16": (_bytes().decode().encode("utf-16"), "is not UTF-8 text"),
    "empty": (b"", "is not JSON (Expecting value: line 1 column 1 (char 0)): open it in Jupyter"),
    "python": (b"f = 1", "is not JSON"),
    "half": (_bytes()[:-20], "is not JSON"),
    "deep": (b"[" * 200_000, "is nested too deep"),
    "digits": (b'{"nbformat": ' + b"9" * 5000 + b"}", "is not JSON"),
    "list": (b"[]", "is no notebook of format 4 (no notebook at all)"),
    "format 3": (_bytes(nbformat=3), "is no notebook of format 4 (nbformat=3)"),
    "format true": (_bytes(nbformat=True), "is no notebook of format 4 (nbformat=True)"),
    "format text": (_bytes(nbformat="4"), "is no notebook of format 4 (nbformat=4)"),
    "no cells": (_bytes(cells=None), "has no list of cells"),
    "many": (
        _bytes(cells=[{}] * 2001),
        "has 2,001 cells, and it may have 2,000: delete the superfluous",
    ),
    "strange cell": (_bytes(cells=[7]), "cell 1 is neither code nor text"),
    "strange kind": (_bytes(cells=[{"cell_type": "heading", "source": ""}]), "cell 1 is neither"),
    "strange text": (
        _bytes(cells=[{"cell_type": "code", "source": [1]}]),
        "the text of cell 1 is no text",
    ),
    "long": (
        _bytes(cells=[new_code_cell("x" * 1000)] * 501),
        "cells hold 501,000 characters, and they may hold 500,000",
    ),
}


@pytest.mark.parametrize("name", NO_NOTEBOOKS)
def test_what_is_no_notebook_is_refused_in_words(name):
    data, words = NO_NOTEBOOKS[name]
    with pytest.raises(IntakeError) as caught:
        notebook_of(data)
    assert words in str(caught.value)
    assert caught.value.verdict == "rejected"


def test_of_a_notebook_only_kinds_texts_and_nbgraders_metadata_come_through():
    hostile = {
        "cell_type": "code",
        "id": "x" * 10_000,
        "source": ["a = 1\n", "b = '\ud800'"],
        "metadata": {"tags": ["skip-execution"], "nbgrader": {"grade_id": "x", "points": [8]}},
        "outputs": "none of your business",
        "execution_count": "many",
    }
    data = _bytes(
        nbformat_minor=10**30, metadata={"language": 7, "kernelspec": "x"}, cells=[hostile]
    )
    nb = notebook_of(b"\xef\xbb\xbf" + data)
    nbformat.validate(nb)
    assert nb.metadata == {}
    (cell,) = nb.cells
    assert cell.source == "a = 1\nb = '?'"
    assert cell.metadata == {"nbgrader": {"grade_id": "x"}}
    assert (cell.outputs, cell.execution_count, nb.nbformat_minor) == ([], None, 5)


def test_why_a_submission_is_refused_is_nothing_that_a_terminal_obeys(tmp_path):
    hostile = "\x1b]0;x\x07\u202e"
    path = tmp_path / "ada" / "ch04" / "a.ipynb"
    path.parent.mkdir(parents=True)
    (path.parent / f"{hostile}.ipynb").touch()
    with pytest.raises(IntakeError) as by_name:
        read_file(path)
    with pytest.raises(IntakeError) as by_value:
        notebook_of(_bytes(nbformat=hostile))
    for caught in (by_name, by_value):
        assert not set(hostile) & set("\x1b\x07\u202e") & set(str(caught.value))


def test_a_raw_cell_comes_in_as_markdown_of_which_a_page_renders_so_much():
    raw = {"cell_type": "raw", "source": "<a><b>" * 40_000, "metadata": {}}
    (cell,) = notebook_of(_bytes(cells=[raw])).cells
    assert (cell.cell_type, "outputs" in cell) == ("markdown", False)
    assert safe_markdown(cell.source).startswith("<pre>&lt;a&gt;")


@pytest.mark.parametrize("place", ["cell", "notebook"])
def test_nested_metadata_cost_neither_memory_nor_the_stack(place):
    deep = "1"
    for _ in range(800):
        deep = f'{{"a": {deep}}}'
    nested = f'{{"name": "python3", "deep": {deep}, "wide": [{"{}, " * 100_000}0]}}'
    hostile = {"cell_type": "code", "source": "", "metadata": {"nbgrader": "HERE"}}
    whole = {"metadata": {"kernelspec": "HERE"}} if place == "notebook" else {"cells": [hostile]}
    nb = notebook_of(_bytes(**whole).replace(b'"HERE"', nested.encode()))
    kept = nb.metadata.kernelspec if place == "notebook" else nb.cells[0].metadata.nbgrader
    assert kept == {"name": "python3"}


def test_only_the_grader_itself_notes_that_a_submission_is_refused(tmp_path):
    forged = {"grading": {"verdicts": ["rejected"], "words": "by whom?"}}
    path = tmp_path / "ada" / "ch04" / "a.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(_bytes(metadata=forged))
    text, _ = intake.CarefulExporter().from_filename(str(path))
    assert intake.rejection_of(nbformat.reads(text, 4)) == ""
    path.write_bytes(b"no notebook")
    text, _ = intake.CarefulExporter().from_filename(str(path))
    assert "JSON" in intake.rejection_of(nbformat.reads(text, 4))


def _folder(tmp_path):
    folder = tmp_path / "submitted" / "ada" / "ch04"
    folder.mkdir(parents=True)
    return folder


def test_a_file_is_read(tmp_path):
    (_folder(tmp_path) / "a.ipynb").write_bytes(b"text")
    assert read_file(tmp_path / "submitted" / "ada" / "ch04" / "a.ipynb") == b"text"


def _link(path):
    (path.parent / "secret").write_text("x")
    path.symlink_to("secret")


def _large(path):
    with open(path, "wb") as file:
        file.truncate(intake.LARGEST + 1)


FILES = {
    "link": (_link, "a.ipynb is a symbolic link: hand in the notebook file itself."),
    "dangling": (lambda path: path.symlink_to("nowhere"), "a.ipynb is a symbolic link"),
    "pipe": (os.mkfifo, "a.ipynb is not a regular file: hand in the notebook file."),
    "folder": (os.mkdir, "a.ipynb is not a regular file"),
    "large": (
        _large,
        "a.ipynb has 20,971,521 bytes, and a notebook may have 20,971,520: clear the outputs",
    ),
    "none": (lambda path: None, "there is no file a.ipynb in the submission: keep the name"),
    "renamed": (
        lambda path: path.with_name("my copy.ipynb").touch(),
        "there is no file a.ipynb in the submission; there is my copy.ipynb: keep the name",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_what_is_no_plain_file_is_refused_without_waiting(name, tmp_path):
    make, words = FILES[name]
    path = _folder(tmp_path) / "a.ipynb"
    make(path)
    with pytest.raises(IntakeError) as caught:
        read_file(path)
    assert words in str(caught.value)
    assert str(tmp_path) not in str(caught.value)  # a student reads it


@pytest.mark.parametrize("depth", [0, 1])
def test_a_linked_folder_is_refused(depth, tmp_path):
    folder = _folder(tmp_path)
    (folder / "a.ipynb").write_bytes(b"ada's")
    other = tmp_path / "submitted" / "eve"
    if depth:
        other.symlink_to(folder.parent)
    else:
        other.mkdir()
        (other / "ch04").symlink_to(folder)
    with pytest.raises(
        IntakeError, match=r"folder (eve|ch04) is a symbolic link: hand in the folder"
    ):
        read_file(other / "ch04" / "a.ipynb")


def test_the_notice_is_a_sound_notebook_whatever_the_words():
    nb = notice("half a pair: \ud800")
    nbformat.validate(nb)
    assert intake.rejection_of(nb) == "half a pair: ?"
    assert intake.rejection_of(new_notebook()) == ""


def test_the_notice_stands_above_the_cells_that_are_put_back():
    marks = new_code_cell("1", metadata={"nbgrader": {"grade": True, "locked": True}})
    nb = notice("why")
    assert restore(nb, {"a_marks": marks, "b_marks": marks}) == ["a_marks", "b_marks"]
    assert [cell.cell_type for cell in nb.cells] == ["markdown", "code", "code"]
