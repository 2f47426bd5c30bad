"""Build the book, warnings as errors; do nothing when nothing has changed.

python -m tools.build_book          build what has changed
python -m tools.build_book --cold   forget every earlier build and every executed cell first
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

from filelock import FileLock

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "_build"
HTML = BUILD / "html"
# Pages depend on all of these; executed cells on the library alone, which the cell cache cannot see.
LIBRARY = ["cnnlib", "book/figures", "constraints.txt"]
SOURCES = [*LIBRARY, "book", "exercises", "_config.yml", "_toc.yml", "tools/build_book.py"]


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


def run_builder(name: str) -> int:
    """Run one of Sphinx's builders over the book; its output is in _build/NAME."""
    program = Path(sys.executable).with_name("jupyter-book")
    builder = ["html"] if name == "html" else ["custom", "--custom-builder", name]
    strict = ["-W", "-n", "--keep-going"]  # warnings are errors, and all of them are shown
    code = subprocess.run(
        [program, "build", ".", "--builder", *builder, *strict], cwd=ROOT
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
        )
        print("Building the book (warnings are errors) …", flush=True)
        start = time.perf_counter()
        if code := run_builder("html"):
            return code
        built.write_text(sources)
        print(f"Built in {time.perf_counter() - start:.0f} s: _build/html/index.html")
        return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--cold", action="store_true", help="forget earlier builds and executed cells"
    )
    sys.exit(build(parser.parse_args().cold))
