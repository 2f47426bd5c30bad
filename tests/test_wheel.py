"""The wheel carries what the package needs: built, installed into an empty environment, used there."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", out, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_it_holds_every_file_of_the_package(wheel):
    listed = subprocess.check_output(["git", "ls-files", "cnnlib"], cwd=ROOT, text=True).split()
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert set(listed) <= inside
    assert {"cnnlib/widgets/output_size.js", "cnnlib/py.typed"} <= inside
    licences = [name for name in inside if name.endswith("licenses/LICENSE")]
    assert licences


def test_it_works_in_an_empty_environment(wheel, tmp_path):
    """Installed with its two dependencies, away from the source tree: arithmetic, layers, a widget's script."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    python = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = [python, "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", wheel]
    subprocess.run(install, check=True, capture_output=True)
    code = """
import cnnlib, numpy as np
from cnnlib import diagram, shapes
from cnnlib.reference.conv import conv2d
from cnnlib.widgets.bundle import page_script
assert "env" in cnnlib.__file__, cnnlib.__file__
assert conv2d(np.ones((1, 1, 5, 5)), np.ones((1, 1, 3, 3))).shape[-1] == shapes.output_size(5, 3)
assert diagram.summarize("INPUT(3, 8, 8) => FC(2)").totals.params == 386
assert "customElements" in page_script(["output_size"])
"""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    subprocess.run([python, "-c", code], check=True, cwd=tmp_path, env=environment)
