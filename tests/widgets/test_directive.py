"""The book's ``{widget}`` directive, in a book of two pages."""

import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[2]
SETTINGS = f"""
import sys
sys.path.insert(0, {str(ROOT / "book" / "_ext")!r})
extensions = ["myst_parser", "course_widgets"]
html_static_path = [{str(ROOT / "book" / "_static")!r}]
html_theme = "basic"
"""


def build(folder: Path, widget: str) -> tuple[int, str]:
    (folder / "conf.py").write_text(SETTINGS, encoding="utf-8")
    (folder / "index.md").write_text(
        f"# Page\n\n```{{toctree}}\nplain\n```\n\n{widget}\n", encoding="utf-8"
    )
    (folder / "plain.md").write_text("# Plain\n\nNo widget here.\n", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "-q",
        "-b",
        "html",
        str(folder),
        str(folder / "out"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stderr


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    first = "```{widget} output-size\n:name: alexnet\n:size: 224\n:kernel: 11\n:stride: 4\n```"
    other = "```{widget} output-size\n```"
    code, log = build(folder, f"{first}\n\n{other}\n\n{other}")
    assert code == 0, log
    return {
        name: BeautifulSoup(
            (folder / "out" / f"{name}.html").read_text(encoding="utf-8"), "html.parser"
        )
        for name in ("index", "plain")
    }


def test_the_element_carries_the_settings_and_the_static_table(pages):
    element = pages["index"].find(id="alexnet")
    assert element.name == "cnn-output-size"
    assert (element["size"], element["kernel"], element["padding"]) == ("224", "11", "0")
    assert element.caption.text.startswith("Output-size calculator. 54.25 is not a whole number")
    rows = {row.th.text: row.td.text for row in element.find_all("tr")}
    assert rows["Formula"] == "(224 − 11 + 2·0)/4 + 1 = 54.25"
    assert rows["Nearest settings that tile"] == "size 223 or 227; stride 3 or 71; kernel 8 or 12"


def test_every_widget_of_a_page_has_a_name_of_its_own(pages):
    names = [element["name"] for element in pages["index"].find_all("cnn-output-size")]
    assert names == ["alexnet", "output-size", "output-size-2"]


def test_only_pages_with_a_widget_load_the_script(pages):
    scripts = {
        name: page.select('script[src*="cnn-widgets.bundle.js"]') for name, page in pages.items()
    }
    assert len(scripts["index"]) == 1
    assert scripts["plain"] == []
    assert scripts["index"][0].get("type") != "module"  # a module does not load from file://


@pytest.mark.parametrize(
    ("widget", "message"),
    [
        ("```{widget} output-size\n:stride: 0\n```", "widget output-size: stride=0 is too small"),
        (
            "```{widget} output-size\n:size: big\n```",
            "widget output-size: size='big' is not a whole number",
        ),
        (
            "```{widget} output-size\n:strid: 2\n```",
            "strid is not a setting of OutputSize: use size, kernel",
        ),
        (
            "```{widget} output-sise\n```",
            "widget 'output-sise' does not exist: use one of convolution, ",
        ),
    ],
)
def test_a_mistake_stops_the_build_and_is_named(widget, message, tmp_path):
    code, log = build(tmp_path, widget)
    assert code != 0
    assert message in log
