"""Build the book, warnings as errors; do nothing when nothing has changed.

python -m tools.build_book          build what has changed
python -m tools.build_book --cold   forget every earlier build and every executed cell first
python -m tools.build_book --solutions
                                    a second book, in a folder of its own, with the solutions in it
"""

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml
from filelock import FileLock

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "_build"
HTML = BUILD / "html"
# Pages depend on all of these; executed cells on the library alone, which the cell cache cannot see.
LIBRARY = ["cnnlib", "book/figures", "book/records", "constraints.txt"]
SOURCES = [
    *LIBRARY,
    "book",
    "exercises",
    "solutions",
    "_config.yml",
    "_toc.yml",
    "tools/build_book.py",
]

# The folder's own page, which leads on; without an icon of its own browsers ask for one that is not there.
FRONT_DOOR = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>CNN Building Blocks</title><link rel="icon" href="data:,">
<meta http-equiv="refresh" content="0; url=book/index.html"></head>
<body><a href="book/index.html">CNN Building Blocks</a></body>
</html>
"""


def fingerprint(places: list[str]) -> str:
    digest = hashlib.sha256()
    for place in places:
        path = ROOT / place
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        for file in files:
            generated = (
                "__pycache__" in file.parts
                or ".ipynb_checkpoints" in file.parts
                or ".bundle." in file.name
            )
            if file.is_file() and not generated:
                digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def drop_if_stale(name: str, current: str, *stale: Path) -> None:
    """Remove what an earlier build left when it was made from something else."""
    stamp = BUILD / f".{name}"
    if not stamp.exists() or stamp.read_text() != current:
        for path in stale:
            shutil.rmtree(path, ignore_errors=True)
        stamp.write_text(current)


def run_builder(name: str, *more: str) -> int:
    """Run one of Sphinx's builders over the book; its output is in _build/NAME."""
    if name == "epub":  # pages of an earlier one may point at places that have new names since
        shutil.rmtree(BUILD / name, ignore_errors=True)
    program = Path(sys.executable).with_name("jupyter-book")
    builder = ["html"] if name == "html" else ["custom", "--custom-builder", name]
    strict = ["-W", "-n", "--keep-going"]  # warnings are errors, and all of them are shown
    code = subprocess.run(
        [program, "build", ".", "--builder", *builder, *strict, *more], cwd=ROOT
    ).returncode
    if code:
        print(
            f"The book did not build (exit code {code}): the messages are above.", file=sys.stderr
        )
    return code


def build(cold: bool) -> int:
    BUILD.mkdir(exist_ok=True)
    with FileLock(BUILD / ".lock"):
        if cold:
            for path in (
                HTML,
                BUILD / ".jupyter_cache",
                BUILD / ".doctrees",
                BUILD / "jupyter_execute",
            ):
                shutil.rmtree(path, ignore_errors=True)
            (BUILD / ".built").unlink(missing_ok=True)
        sources, built = fingerprint(SOURCES), BUILD / ".built"
        if built.exists() and built.read_text() == sources and (HTML / "index.html").exists():
            print("The book is up to date: _build/html/index.html")
            return 0
        built.unlink(missing_ok=True)
        drop_if_stale(
            "library", fingerprint(LIBRARY), BUILD / ".jupyter_cache", BUILD / ".doctrees"
        )
        drop_if_stale(
            "settings",
            fingerprint(
                ["_config.yml", "_toc.yml", "book/_ext", "book/_static", "book/claims.yml"]
            ),
            BUILD / ".doctrees",
            HTML,  # with the contents a page may have gone, and nobody else removes it
        )
        print("Building the book (warnings are errors) …", flush=True)
        start = time.perf_counter()
        if code := run_builder("html"):
            return code
        (HTML / "index.html").write_text(FRONT_DOOR, encoding="utf-8")
        built.write_text(sources)
        print(f"Built in {time.perf_counter() - start:.0f} s: _build/html/index.html")
        return 0


def write_solution_pages(folder: Path) -> list[str]:
    """Write each exercise with its solution and rubric as a page; return the pages' names."""
    import nbformat

    from cnnlib.grading.notebooks import exercise_sources, source_notebook

    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for source in exercise_sources(ROOT / "solutions"):
        notebook = source_notebook(source)
        for cell in notebook.cells:
            mark = r"^.*(BEGIN|END) (SOLUTION|MARK SCHEME).*\n?"
            cell.source = re.sub(mark, "", cell.source, flags=re.MULTILINE).strip()
            cell.metadata.clear()
        nbformat.write(notebook, folder / f"{source.parent.name}.ipynb")
        names.append(source.parent.name)
    return names


def build_with_solutions() -> int:
    """The book for lecturers. It has a folder of its own, so that no solution is ever published by mistake."""
    BUILD.mkdir(exist_ok=True)
    pages, output, toc = ROOT / "book/solutions", BUILD / "solutions", BUILD / "toc_solutions.yml"
    with FileLock(BUILD / ".lock"):
        try:
            names = write_solution_pages(pages)
            contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
            part = {"caption": "Solutions", "numbered": False}
            part["chapters"] = [{"file": f"book/solutions/{name}"} for name in names]
            contents["parts"].append(part)
            toc.write_text(yaml.safe_dump(contents, sort_keys=False), encoding="utf-8")
            more = ["--toc", str(toc), "--path-output", str(output)]
            if code := run_builder("html", *more):
                return code
        finally:
            shutil.rmtree(pages, ignore_errors=True)
    print(f"With {len(names)} solutions: {output.relative_to(ROOT)}/_build/html/index.html")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--cold", action="store_true", help="forget earlier builds and executed cells"
    )
    parser.add_argument(
        "--solutions", action="store_true", help="a second book, with the solutions in it"
    )
    options = parser.parse_args()
    sys.exit(build_with_solutions() if options.solutions else build(options.cold))
