"""The page of all exercises: ``{exercise-list}`` reads the sources in ``solutions/`` and lists what they say.

Title, prerequisites, tasks, minutes and points stand in an exercise's source and nowhere else.
"""

import re
from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).parents[2]
PAGE = "book/exercises"
CARD = re.compile(
    r"^# ## \((\w)\) (.+)\n#\n# \*difficulty ([●○]{3}) · importance ([●○]{3}) · (\d+) minutes · (\d+) points(, read by a person)?\*$",
    re.MULTILINE,
)


class TaskCard(NamedTuple):
    letter: str
    title: str
    difficulty: str
    importance: str
    minutes: int
    points: int
    by_a_person: bool


class ExerciseCard(NamedTuple):
    folder: str
    name: str
    title: str
    needs: str
    tasks: list[TaskCard]

    @property
    def number(self) -> int:
        return int(self.folder[2:4])

    @property
    def minutes(self) -> int:
        return sum(task.minutes for task in self.tasks)

    @property
    def points(self) -> int:
        return sum(task.points for task in self.tasks)


def read_exercise(source: Path) -> ExerciseCard:
    text = source.read_text(encoding="utf-8")
    title = re.search(r"^# # Exercise \d+: (.+)$", text, re.MULTILINE)
    needs = re.search(r"\*\*You need\*\* (.+?)\.\s", " ".join(text.split("\n# ")))
    tasks = [
        TaskCard(letter, name, difficulty, importance, int(minutes), int(points), bool(person))
        for letter, name, difficulty, importance, minutes, points, person in CARD.findall(text)
    ]
    if not (title and needs and tasks):
        raise ExtensionError(
            f"{source}: a title '# Exercise N: …', '**You need** …' and the tasks' cards are wanted"
        )
    name = title[1][0].upper() + title[1][1:]
    return ExerciseCard(source.parent.name, source.stem, name, needs[1], tasks)


def exercises() -> list[ExerciseCard]:
    return [read_exercise(path) for path in sorted(ROOT.glob("solutions/ch[0-9][0-9]_*/*.py"))]


def place_of(folder: str) -> str:
    """The id of an exercise's section on the page."""
    return f"exercise-{folder[:4]}"


def _overview(cards: list[ExerciseCard]) -> str:
    rows = [
        f"| {{doc}}`{card.number} <{card.folder}/{card.folder[5:]}>` | [{card.title}](#{place_of(card.folder)}) "
        f"| {card.needs} | {card.minutes} | {card.points} |"
        for card in cards
    ]
    total = f"| | **all {len(cards)}** | | **{sum(c.minutes for c in cards)}** | **{sum(c.points for c in cards)}** |"
    head = "| chapter | exercise | you need | minutes | points |\n|---|---|---|---:|---:|"
    return "\n".join([head, *rows, total])


def _details(card: ExerciseCard) -> str:
    head = "| task | what it is about | difficulty | importance | minutes | points |\n|---|---|---|---|---:|---:|"
    rows = [
        f"| {task.letter} | {task.title}{' (read by a person)' if task.by_a_person else ''} "
        f"| {task.difficulty} | {task.importance} | {task.minutes} | {task.points} |"
        for task in card.tasks
    ]
    notebook = f"{{download}}`{card.name}.ipynb <../exercises/{card.folder}/{card.name}.ipynb>`"
    chapter = f"{{doc}}`chapter {card.number} <{card.folder}/{card.folder[5:]}>`"
    links = f"Download {notebook}, or read {chapter} first. {card.minutes} minutes, {card.points} points."
    return "\n".join([links, "", head, *rows])


class ExerciseListDirective(SphinxDirective):
    def run(self):
        cards = exercises()
        for path in ROOT.glob("solutions/ch*/*.py"):
            self.env.note_dependency(str(path))
        overview = nodes.container("", *self.parse_text_to_nodes(_overview(cards)))
        overview["accounts"] = [_overview(cards)]  # see course_numbers
        found = [overview]
        for card in cards:
            title = f"{card.number}. {card.title}"
            section = nodes.section("", nodes.title(title, title), ids=[place_of(card.folder)])
            section["names"] = [place_of(card.folder)]
            section["accounts"] = [title, _details(card)]
            section += self.parse_text_to_nodes(_details(card))
            self.state.document.note_explicit_target(section)
            found.append(section)
        return found


def let_reports_be(app, config):
    """Solution pages show a check's table; its plain data beside it is for the grader alone."""
    if (ROOT / "book/solutions").is_dir():
        config.suppress_warnings.append("mystnb.unknown_mime_type")


def setup(app):
    app.connect("config-inited", let_reports_be)
    app.add_directive("exercise-list", ExerciseListDirective)
    return {"parallel_read_safe": True}
