"""Every chapter as a Jupyter notebook to download, written beside the pages.

The chapters are MyST text with roles and directives that a notebook does not know. Code cells go
through unchanged; of the rest each role and directive has its plain counterpart here. One that has
none is a warning, so that no chapter can arrive garbled.
"""

import re
from pathlib import Path

import jupytext
import nbformat
import yaml
from course_chapters import CHAPTER, is_chapter, number_of
from course_numbers import compute, written
from pybtex.database import parse_file
from sphinx.util import logging

from cnnlib import widgets

logger = logging.getLogger(__name__)
BIBLIOGRAPHY = Path(__file__).parents[1] / "references.bib"
FENCE = re.compile(
    r"^(?P<fence>:{3,}|`{3,})\{(?P<name>[\w-]+)\}[ ]*(?P<title>[^\n]*)\n(?P<body>.*?)^(?P=fence)[ ]*$",
    re.M | re.S,
)
TITLED = {"admonition", "card", "note", "tip", "warning", "important", "seealso"}


def cited(key: str, entries) -> tuple[str, str]:
    """Authors and year, as a sentence names them."""
    entry = entries[key]
    names = ["".join(person.last_names) for person in entry.persons["author"]]
    names = [name.replace("{", "").replace("}", "") for name in names]
    authors = " and ".join(names) if len(names) < 3 else f"{names[0]} et al."
    return authors, entry.fields["year"]


def plain_role(name: str, text: str, entries, minutes: int) -> str:
    if name == "value":
        expression, _, form = (part.strip() for part in text.partition("::"))
        return written(compute(expression), form)
    if name == "cite:t":
        return ", ".join("{} ({})".format(*cited(key.strip(), entries)) for key in text.split(","))
    if name == "cite:p":
        return (
            "(" + "; ".join(", ".join(cited(key.strip(), entries)) for key in text.split(",")) + ")"
        )
    if name == "reading-time":
        return f"{minutes} minutes"
    if name == "claim":
        return f"<sup>{text}</sup>"
    if name in {"doc", "term", "ref", "download"}:
        return re.sub(r"\s*<[^>]*>$", "", text)
    if name in {"given", "abbr"}:
        return text
    raise KeyError(name)


def quiz_text(body: str, serial: int) -> str:
    quiz = yaml.safe_load(body)
    lines = [f"**Self-check {serial}.** {quiz['question']}", ""]
    if "choices" in quiz:
        lines += [f"- {choice['text']}" for choice in quiz["choices"]]
        right = next(choice for choice in quiz["choices"] if choice.get("right"))
        answer = f"{right['text']} {right['why']}"
    else:
        answer = f"{written(compute(quiz['number']))}. {quiz['right']}"
    return "\n".join(
        [*lines, "", "<details><summary>Answer</summary>", "", answer, "", "</details>"]
    )


def widget_code(kind: str, body: str) -> str:
    name = widgets.WIDGETS[kind.replace("-", "_")]
    options = dict(re.findall(r"^:(\w+): *(.*)$", body, re.M))
    options.pop("name", None)
    values = getattr(widgets, name).from_text(options).settings
    settings = ", ".join(f"{option}={values[option]!r}" for option in options)
    return f"from cnnlib.widgets import {name}\n\n{name}({settings})"


class Plain:
    """Turns the text of one chapter into text and code that a notebook shows."""

    def __init__(self, docname: str, minutes: int, entries):
        self.docname, self.minutes, self.entries = docname, minutes, entries
        self.checks = 0

    def text(self, source: str) -> str:
        source = re.sub(r"^\([\w-]+\)=\n", "", source, flags=re.M)
        source = FENCE.sub(self._directive, source)
        source = re.sub(r"\{([\w:-]+)\}(`+)(.+?)\2(`\.`)?", self._role, source, flags=re.S)
        return re.sub(r"\[([^\]]+)\]\(#[\w-]+\)", r"\1", source)

    def pieces(self, source: str):
        """Text and widgets, in their order."""
        start = 0
        for match in FENCE.finditer(source):
            if match["name"] == "widget":
                yield "text", self.text(source[start : match.start()])
                yield "code", widget_code(match["title"].strip(), match["body"])
                start = match.end()
        yield "text", self.text(source[start:])

    def _role(self, match):
        try:
            return plain_role(match[1], match[3], self.entries, self.minutes)
        except KeyError:
            logger.warning(
                "%s: a notebook knows no role {%s}: say in course_notebooks what stands for it",
                self.docname,
                match[1],
            )
            return match[3]

    def _directive(self, match):
        name, title, body = match["name"], match["title"].strip(), match["body"]
        if name == "quiz":
            self.checks += 1
            return quiz_text(body, self.checks)
        body = re.sub(r"^:[\w-]+:.*\n", "", body, flags=re.M).strip()
        if name == "div":  # the chapter's facts, a list of definitions
            return re.sub(r"^(\S.*)\n: ", r"- **\1:** ", body, flags=re.M).replace("\n\n", "\n")
        if name == "dropdown":
            return f"<details><summary>{title}</summary>\n\n{self.text(body)}\n\n</details>"
        if name in TITLED:
            return f"**{title or name.capitalize()}**\n\n{self.text(body)}"
        if name in {"figure", "image", "progress"}:
            return body
        logger.warning(
            "%s: a notebook knows no directive {%s}: say in course_notebooks what stands for it",
            self.docname,
            name,
        )
        return body


def notebook(source: str, docname: str, minutes: int, entries):
    chapter = jupytext.reads(source, fmt="md:myst")
    plain, cells = Plain(docname, minutes, entries), []
    for cell in chapter.cells:
        if cell.cell_type == "code":
            made = nbformat.v4.new_code_cell(cell.source)
            if "hide-input" in cell.metadata.get("tags", ()):
                made.metadata["jupyter"] = {"source_hidden": True}
            cells.append(made)
            continue
        for kind, text in plain.pieces(cell.source):
            if text.strip():
                make = (
                    nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
                )
                cells.append(make(text.strip()))
    hint = (
        f"*Chapter {number_of(docname)} of CNN Building Blocks.* It needs `cnnlib` and the book's figures: open it in JupyterLab "
        "with `make lab`, in a clone of the course."
    )
    title, _, rest = cells[0].source.partition("\n")
    cells[0].source = f"{title}\n\n{hint}\n{rest}"
    for i, cell in enumerate(cells):
        cell["id"] = f"cell-{i}"
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=kernel)


def write_notebooks(app, exception):
    if exception is not None or app.builder.name != "html":
        return
    folder = Path(app.outdir) / "notebooks"
    folder.mkdir(exist_ok=True)
    entries = parse_file(str(BIBLIOGRAPHY)).entries
    for docname in filter(is_chapter, app.env.found_docs):
        source = Path(app.env.doc2path(docname)).read_text(encoding="utf-8")
        made = notebook(source, docname, app.env.course_minutes.get(docname, 0), entries)
        nbformat.write(made, folder / f"{CHAPTER.match(docname)[1]}.ipynb")


def setup(app):
    app.connect("build-finished", write_notebooks)
    return {"parallel_read_safe": True}
