"""The page for instructors: what it names is there, and its commands do what it says."""

import ast
import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbgrader.apps import NbGraderApp
from traitlets.config import Config

from cnnlib.grading import samples
from cnnlib.grading.settings import configure

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "book" / "instructors.md").read_text(encoding="utf-8")
CONSOLE = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
CHAPTERS = {
    int(path.parent.name[2:4]): path
    for path in (ROOT / "book").glob("ch*/*.md")
    if path.stem != "exercise"
}


def _numbers(text):
    """Chapter numbers in words like "chapters 3 to 10" and "chapter 8"."""
    found = set()
    for first, last in re.findall(r"\bchapters? (\d+)(?: to (\d+))?", text):
        found |= set(range(int(first), int(last or first) + 1))
    return found


def _literal(name):
    return ast.literal_eval(re.search(rf"^{name} = (\{{.*?\}})\n", PAGE, re.DOTALL | re.M)[1])


def test_every_make_target_is_in_the_makefile():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"(?:`|^)make ([a-z]+)", PAGE, re.M))
    assert {"book", "grade", "exercises", "clean"} <= named <= targets
    assert re.search(r"made_by_make_grade.*rm -rf classroom", (ROOT / "Makefile").read_text())


def test_every_path_in_the_clone_is_there():
    spans = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", PAGE)
    ours = ("book/", "cnnlib/", "exercises/", "solutions/", "tests/")
    paths = [s for s in spans if s.startswith(ours)]
    paths += [s for s in spans if s in ("_toc.yml", "LICENSE", "nbgrader_config.py")]
    paths += [s for s in spans if s.endswith((".cff", ".md"))]
    assert len(paths) >= 8
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_nbgrader_command_is_one():
    named = set(re.findall(r"nbgrader ([a-z_]+)", "\n".join(CONSOLE)))
    assert {"autograde", "generate_feedback", "export"} <= named <= set(NbGraderApp.subcommands)


def test_a_hanging_cell_is_stopped_when_the_page_says(tmp_path):
    config = Config()
    configure(config, tmp_path)
    assert f"stopped after {{given}}`{config.ExecuteInSandbox.cell_seconds:g}` seconds" in PAGE


def test_the_needs_are_those_of_the_chapters():
    needs, in_one_section = _literal("NEEDS"), _literal("IN_ONE_SECTION")
    assert set(needs) == set(CHAPTERS)
    for number, path in CHAPTERS.items():
        told = re.search(r"^You need\n: (.*)$", path.read_text(encoding="utf-8"), re.M)[1]
        # chapter 1 only gives the idea of a volume
        assert _numbers(told) == set(needs[number]) | set(in_one_section.get(number, [])), path


def test_no_session_comes_before_what_it_needs():
    needs = _literal("NEEDS")
    tables = [re.findall(r"^\| \d+ \|(.*?)\|", part, re.M) for part in PAGE.split("**In one week.")]
    short = re.search(r"path to a network is ([\d, ]+),\s*\{doc\}`(\d+)", PAGE)
    plans = [[int(n) for row in rows for n in re.findall(r"\b\d+\b", row)] for rows in tables]
    assert plans[0] == plans[1] == list(range(1, 14))
    for plan in [*plans, [int(n) for n in [*short[1].split(", "), short[2]]]]:
        for place, number in enumerate(plan):
            assert set(needs[number]) <= set(plan[:place]), number


@pytest.mark.book
def test_the_minutes_of_the_sessions_are_about_right(book_html):
    minutes = {}
    for number, path in CHAPTERS.items():
        name = path.relative_to(ROOT).with_suffix(".html")
        facts = BeautifulSoup((book_html / name).read_text(encoding="utf-8"), "html.parser")
        facts = facts.select_one(".chapter-facts").get_text()
        minutes[number] = int(re.search(r"(\d+) minutes", facts)[1])
    rows = re.findall(r"^\| \d \|(.*?)\| \{given\}`(\d+)` \|", PAGE, re.M)
    assert len(rows) == 7 + 5
    for chapters, told in rows:
        real = sum(minutes[int(n)] for n in re.findall(r"\b\d+\b", chapters))
        assert abs(int(told) - real) <= 8, (chapters, told, real)


def _run(block, home, folder):
    programs = Path(sys.executable).parent
    environment = os.environ | {
        "HOME": str(home),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    block = block.replace(". .venv/bin/activate\n", "")
    done = subprocess.run(
        ["bash", "-ec", block], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(os.name != "posix" or not shutil.which("bash"), reason="commands of a shell")
def test_the_commands_lead_from_an_empty_folder_to_the_marks(tmp_path):
    """The page's own blocks, run in order by a lecturer with a new home folder."""
    setup, source, first, grade, last = [
        next(block for block in CONSOLE if word in block)
        for word in ("mkdir", "write_source", "generate_assignment", "autograde", "export")
    ]
    own = tmp_path / "my-class"
    _run(setup, tmp_path, ROOT)
    _run(source, tmp_path, ROOT)
    (own / "students.csv").write_text("id,first_name,last_name,email\neva,Eva,E,eva@example.org\n")
    _run(first, tmp_path, ROOT)
    notebook = Path(samples.ASSIGNMENT) / f"{samples.NOTEBOOK}.ipynb"
    released = own / "classroom" / "release" / notebook
    assert released.read_bytes() == (ROOT / "exercises" / notebook).read_bytes()
    handed_in = own / "classroom" / "submitted" / "eva" / notebook
    handed_in.parent.mkdir(parents=True)
    answers = samples.sample_class(ROOT / "solutions")["eva_flips_the_kernel"]
    nbformat.write(samples.submission(nbformat.read(released, 4), answers), handed_in)
    _run(grade, tmp_path, own)
    _run(last, tmp_path, own)
    page = own / "classroom" / "feedback" / "eva" / notebook.with_suffix(".html")
    assert "Looks like: the kernel is flipped." in page.read_text(encoding="utf-8")
    with open(own / "marks.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["first_name"], float(row["score"]), float(row["max_score"])) == ("Eva", 23, 30)
    for kept in ("gradebook.db", "grading_seed", "submitted"):
        assert (own / "classroom" / kept).exists()
