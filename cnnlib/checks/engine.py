"""The check engine: call, judge, name the idea behind a wrong answer, and count the points.

The code is open to everybody. What a student cannot know beforehand are the inputs of the grading
run: they come from a secret seed, which the instructor's machine sets in ``CNNLIB_GRADING_SEED`` or
in a file named by ``CNNLIB_GRADING_SEED_FILE``. Without one, the same check runs on its visible inputs.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cnnlib.checks.book import Section
from cnnlib.checks.calls import (
    SECONDS_PER_CALL,
    Case,
    Drive,
    Outcome,
    apart,
    call,
    describe,
    is_class,
)
from cnnlib.checks.errands import identity
from cnnlib.checks.judges import (
    close,
    judge_array,
    judge_dtype,
    judge_raises,
    judge_whole,
    pick,
    same_outcome,
)
from cnnlib.checks.report import Idea, Picture, Report, Row

__all__ = [
    "SEED_FILE_VARIABLE",
    "SEED_VARIABLE",
    "SHOWN",
    "Exercise",
    "Misconception",
    "NotStartedError",
    "Part",
    "Task",
    "examine",
    "secret_seed",
]

SEED_VARIABLE = "CNNLIB_GRADING_SEED"
SEED_FILE_VARIABLE = "CNNLIB_GRADING_SEED_FILE"
MOST_DRAWN = 300
"""Parts whose inputs and right answers are kept, for each choice of seeds by itself."""
_VISIBLE = "visible"
_NOT_WRITTEN = "not written yet"
_SECRET = "right on the visible inputs, and wrong on one that only the grading run has"
_COUNT = " in place of "  # how judges.pick says that the number of results is wrong

Judge = Callable[[Case, Any, Outcome], str]


@dataclass(frozen=True)
class Part:
    """A named part of a task that is worth points by itself; it is earned if all its cases hold.

    `cases` draws the inputs from a generator; `right` answers them (by default, the task's reference).
    A function that returns several results is judged on the one at index `pick`. `hint` is the number of
    the hint that helps where no misconception is recognised. `axes` says what the first two axes of a
    result with four count.
    """

    name: str
    points: int
    cases: Callable[[np.random.Generator], Sequence[Case]]
    judge: Judge
    right: Callable[..., Any] | None = None
    pick: int | None = None
    hint: int = 0
    axes: tuple[str, str] = ("image", "channel")


@dataclass(frozen=True)
class Misconception:
    """A small wrong implementation with a name: `loses` are the parts that it must not earn."""

    name: str
    function: Callable
    explanation: str
    section: Section
    loses: frozenset[str]


@dataclass(frozen=True)
class Task:
    """One function, or with `drive` one class, that a student writes.

    `drive(written, *arguments)` uses it where one call is not enough; the reference answers the
    arguments alone. `seconds` is what one call may take.
    """

    letter: str
    title: str
    function_name: str
    reference: Callable
    parts: tuple[Part, ...]
    misconceptions: tuple[Misconception, ...] = ()
    drive: Drive | None = None
    seconds: float = SECONDS_PER_CALL

    def call(self, function: Callable, case: Case) -> Outcome:
        return call(function, case, drive=self.drive, seconds=self.seconds)

    @property
    def points(self) -> int:
        return sum(part.points for part in self.parts)


class NotStartedError(Exception):
    """Stops "Run all" at a task that is still blank, with one calm line in place of a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@dataclass(frozen=True)
class Exercise:
    """All tasks of one notebook, and the two calls that stand in its cells.

    `allows` names what a solution may use: ``"numpy"``, ``"torch"``, rooms of cnnlib such as
    ``"cnnlib.reference"``, single modules such as ``"cnnlib.reference.conv"``. In grading nothing else is there.
    """

    name: str
    tasks: dict[str, Task] = field(default_factory=dict)
    allows: tuple[str, ...] = ("numpy",)
    _drawn: dict[tuple, list[tuple[str, Case, Any]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def drawn(self, task: Task, part: Part, seeds: Sequence[str]) -> list[tuple[str, Case, Any]]:
        """A part's inputs by these seeds, and the right answers: drawn once for all submissions of a class.

        An input that several seeds give, such as one that a part always has, is there once, by the first.
        """
        key = (*seeds, task.letter, task.title, task.reference, part)
        if key not in self._drawn:
            if len(self._drawn) >= MOST_DRAWN:
                self._drawn.clear()
            found, known = [], set[Any]()
            for seed in seeds:
                names = (self.name, task.letter, task.title, part.name)
                cases = [
                    (case, identity([case.positional, case.keyword]))
                    for case in part.cases(_generator(seed, *names))
                ]
                new = [case for case, one in cases if one not in known]
                found += [(seed, case, _right(task, part, case)) for case in new]
                known |= {one for _, one in cases}
            self._drawn[key] = found
        return self._drawn[key]

    def check(self, letter: str, function: Callable) -> Report:
        """The visible check: a report with all messages. Stops "Run all" if the task is blank."""
        report = examine(self, self.tasks[letter], function, seeds=[_VISIBLE])
        if report.blank and not os.environ.get("NBGRADER_EXECUTION"):
            _show(report)
            raise NotStartedError(f"The notebook stops here until task ({letter}) is written.")
        return report

    def mark(self, letter: str, function: Callable) -> Report:
        """The same check for the marks: with the secret inputs too where the grader has set a seed."""
        seed = secret_seed()
        seeds = [_VISIBLE] if seed is None else [_VISIBLE, seed]
        report = examine(self, self.tasks[letter], function, seeds=seeds)
        if report.graded:
            _show(report)
        return report


def secret_seed() -> str | None:
    """The grading run's seed, or ``None`` where no instructor has set one."""
    if seed := os.environ.get(SEED_VARIABLE):
        return seed
    file = os.environ.get(SEED_FILE_VARIABLE)
    return Path(file).read_text(encoding="utf-8").strip() if file else None


SHOWN: ContextVar[list[Report] | None] = ContextVar("SHOWN", default=None)
"""Where reports go in place of the screen, for a grader that is no notebook."""


def _show(report: Report) -> None:
    if (shown := SHOWN.get()) is not None:
        shown.append(report)
        return
    try:
        from IPython.display import display
    except ImportError:  # a plain interpreter
        print(report)
    else:
        display(report)


def _generator(seed: str, *names: str) -> np.random.Generator:
    digest = hashlib.sha256("\0".join([seed, *names]).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "little"))


# --- examining one task -------------------------------------------------------------------------


@dataclass(frozen=True)
class _Seen:
    """One case with the right answer, the student's, and the verdict."""

    case: Case
    right: Any
    got: Outcome
    problem: str
    part: Part
    count: int
    secret: bool

    def by(self, task: Task, misconception: Misconception) -> Outcome:
        """What the misconception makes of the same input."""
        outcome = task.call(misconception.function, self.case)
        return outcome if self.part.pick is None else pick(outcome, self.part.pick, self.count)

    def same(self, task: Task, misconception: Misconception, types: bool) -> bool:
        """Did the student do on this input what the misconception does?"""
        other = self.by(task, misconception)
        if self.part.pick is not None and _is_none(self.got) and _is_none(other):
            return True  # both put None in this place of their results
        return same_outcome(self.case, self.got, other, types=types)


def _is_none(outcome: Outcome) -> bool:
    return outcome.value is None and not (outcome.strange or outcome.raised or outcome.timed_out)


def examine(exercise: Exercise, task: Task, function: Callable, *, seeds: Sequence[str]) -> Report:
    """Examine `function` on the inputs of all `seeds` and report.

    `function` is any callable: the student's own, or a proxy to it. It is never trusted, see
    :mod:`cnnlib.checks.calls`.
    """
    graded = list(seeds) != [_VISIBLE]
    frame = (exercise.name, task.letter, task.title)
    if not callable(function):
        kind = type(function).__name__
        wanted = "class" if task.function_name[:1].isupper() else "function"
        message = f"{task.function_name} is a {kind}, not a {wanted}: run the cell that defines it"
        rows = tuple(
            Row(p.name, p.points, "wrong", message if i == 0 else "")
            for i, p in enumerate(task.parts)
        )
        return Report(*frame, rows=rows, graded=graded)

    seen: dict[str, list[_Seen]] = {}
    stopped = ""
    places: dict[str, Any] = {_VISIBLE: function}
    for part in task.parts:
        seen[part.name] = []
        for seed, case, right in exercise.drawn(task, part, seeds):
            if stopped:
                break
            if seed not in places:
                places[seed] = apart(function)
            got = task.call(places[seed], case)
            count = 1
            if part.pick is not None:
                count = len(right)
                right, got = right[part.pick], pick(got, part.pick, count)
            problem = _problem(part, case, right, got, is_class(function))
            seen[part.name].append(_Seen(case, right, got, problem, part, count, seed != _VISIBLE))
            if got.timed_out:
                stopped = "time"
            elif got.raised and got.raised[0] == "NotImplementedError":
                stopped = "blank"
            if got.raised and problem:
                break  # the other inputs would only raise again

    everything = [one for part in seen.values() for one in part]
    blank = stopped == "blank" and len(everything) == 1
    rows = _one_picture(_rows(task, seen))
    # what it wrote about a secret input stays where that is
    printed = next((o.got.printed for o in everything if o.got.printed and not o.secret), "")
    return Report(
        *frame,
        rows=rows,
        blank=blank,
        graded=graded,
        timed_out=stopped == "time",
        printed=_first_lines(printed),
    )


def _right(task: Task, part: Part, case: Case) -> Any:
    if case.expected is not None:
        return case.expected
    positional, keyword = case.arguments()
    return (part.right or task.reference)(*positional, **keyword)


def _problem(part: Part, case: Case, right: Any, got: Outcome, a_class: bool = False) -> str:
    """What is wrong with one answer, in words for the student; "" if nothing. The case is told later."""
    yours, kind = ("your class", "method") if a_class else ("your function", "function")
    if got.timed_out:
        return "no answer within the time limit. Does a loop never end?"
    if got.raised and got.raised[0] == "NotImplementedError":
        return _NOT_WRITTEN
    if got.changed:
        names = " and ".join(got.changed)
        what = "an array that it was given" if case.steps else f"its input {names}"
        advice = "Work on a copy: whoever called you still needs the original"
        return f"{yours} changed {what}. {advice}"
    problem = part.judge(case, right, got)
    if not problem:
        return ""
    if got.raised and part.judge is not judge_raises:
        problem = f"{yours} stopped with {describe(got)}"
    if part.pick is not None and _COUNT in got.strange:
        problem = f"got {got.strange}"
    if got.value is None and not (got.raised or got.strange) and part.pick is None:
        problem += f". A {kind} without a return statement gives None"
    elif got.strange == "a list":
        problem += ". Return a NumPy array, not a list"
    if got.line:
        problem += f" ({got.line})"
    return problem


def _rows(task: Task, seen: dict[str, list[_Seen]]) -> tuple[Row, ...]:
    """A row for each part. What stopped several parts alike is told once, in the first of them."""
    failing = {
        name: next((one for one in mine if one.problem), None) for name, mine in seen.items()
    }
    stops = {name: _stop(one) for name, one in failing.items()}
    sharing = {stop: [p for p in task.parts if stops[p.name] == stop] for stop in stops.values()}
    told: dict[str, str] = {}
    rows = []
    for part in task.parts:
        one, stop = failing[part.name], stops[part.name]
        if one is None:
            tried = bool(seen[part.name])
            message = "" if tried else "an earlier part stopped the check"
            rows.append(Row(part.name, part.points, "earned" if tried else "skipped", message))
            continue
        idea = _idea(task, part, one, seen)
        message = one.problem
        # one stop in parts with different hints is about none of their ideas
        hints = {p.hint for p in sharing[stop] if p.hint} if stop else {part.hint}
        if part.hint and idea is None and len(hints) == 1 and _about_the_idea(one.got):
            message += f". Hint {part.hint} under the task is about this"
        if one.secret:
            message = _SECRET
        elif message != _NOT_WRITTEN:
            message = one.case.told(message)
        if stop and told.setdefault(stop, part.name) != part.name:
            message = f"the same as in “{told[stop]}”"
        picture = None if one.secret else _picture(part, one)
        rows.append(Row(part.name, part.points, "wrong", message, idea, picture))
    return tuple(rows)


def _stop(one: _Seen | None) -> str:
    """What was wrong with a whole call, whatever its input was; "" if only the values were wrong."""
    if one is None or one.got.timed_out:
        return ""
    got = one.got
    if got.raised or got.changed:
        return one.problem if got.changed or one.part.judge is not judge_raises else ""
    if one.part.pick is None:
        return "None" if _is_none(got) else got.strange
    return "results" if _COUNT in got.strange else ""


def _about_the_idea(got: Outcome) -> bool:
    """No hint on the mathematics helps against a list, a changed input or a loop without an end."""
    if got.timed_out or got.changed or "NotImplementedError" in got.raised:
        return False
    return bool(got.raised) or got.value is not None


def _idea(task: Task, part: Part, failing: _Seen, seen: dict[str, list[_Seen]]) -> Idea | None:
    """The misconception that answers every input of the part just as the student did.

    If several do, the one that explains most of the student's answers to the whole task. Too many
    mistakes share an exception, so where the student's function raised one the misconception must
    agree on the whole task.
    """
    if failing.got.timed_out or failing.got.changed:
        return None
    types = part.judge in (judge_dtype, judge_whole)
    everything = [one for answers in seen.values() for one in answers]
    to_explain = everything if failing.got.raised else seen[part.name]

    fitting = [
        m
        for m in task.misconceptions
        if part.name in m.loses and all(one.same(task, m, types) for one in to_explain)
    ]
    if not fitting:
        return None
    best = fitting[0]
    if len(fitting) > 1:
        best = max(fitting, key=lambda m: sum(one.same(task, m, False) for one in everything))
    return Idea(best.name, best.explanation, best.section)


def _picture(part: Part, failing: _Seen) -> Picture | None:
    """The first plane that differs, where both answers are small volumes of the same shape."""
    right, got = failing.right, failing.got.value
    if not isinstance(right, np.ndarray) or not isinstance(got, np.ndarray):
        return None
    if judge_array(failing.case, right, failing.got) == "" or got.dtype.kind == "c":
        return None
    if got.shape != right.shape or right.ndim not in (1, 2, 4):
        return None
    volume = right.ndim == 4
    if not volume:  # a vector is one row, a matrix one plane
        right, got = (a.reshape(1, 1, -1, a.shape[-1]) for a in (right, got))
    different = ~close(got, right, 1e-4)
    if not different.any():
        return None
    one, two = part.axes
    image, channel = (int(i) for i in np.argwhere(different)[0][:2])
    return Picture.of(
        right[image, channel].astype(np.float64),
        got[image, channel].astype(np.float64),
        different[image, channel],
        f"Part “{part.name}”"
        + (f": {one} {image}, {two} {channel} of the result" if volume else ": the result"),
    )


def _one_picture(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Keep the first picture: a wall of numbers explains nothing."""
    kept: list[Row] = []
    for row in rows:
        again = row.picture is not None and any(earlier.picture for earlier in kept)
        kept.append(Row(row.part, row.points, row.status, row.message, row.idea) if again else row)
    return tuple(kept)


def _first_lines(text: str, most: int = 8) -> str:
    lines = text.splitlines()
    return "\n".join(lines[:most] + (["…"] if len(lines) > most else []))
