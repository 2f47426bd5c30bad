"""Task (c): five broken diagrams.

Any text is right that can be built, that the linter has nothing to say about, and that kept what was not
part of the mistake. What a text lacks is put into words; these are compared.
"""

import functools
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cnnlib.checks.calls import Case
from cnnlib.checks.ch11_layer_patterns.common import (
    ARROW,
    FAMOUS,
    PATTERN,
    PIXELS,
    STAR,
    in_words,
    judge_words,
    key,
    layers,
)
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, lost
from cnnlib.diagram.lint import lint
from cnnlib.diagram.summary import summarize
from cnnlib.errors import CnnlibError

BROKEN = {
    1: "INPUT(3, 32, 32) => [CONV(16) => RELU => BN => POOL] * 2 => [FC(64) RELU => BN] * 2 => FC(10)",
    2: "INPUT(3, 64, 64) => [[CONV(16) => RELU] * 2 => POOL] * 3 => [FC(128) => RELU => DO] * 2 => SOFTMAX",
    3: "INPUT(3, 32, 32) => CONV(16) => RELU => POOL => CONV(32) => RELU => FC(64) => RELU => POOL => FC(10)",
    4: "INPUT(1, 28, 28) => [CONV(16) => RELU => POOL] * 3 => FC(10)",
    5: "INPUT(3, 32, 32) => [[CONV(16) => RELU => POOL] * 2] * 2 => FC(10)",
}
"""The texts of the notebook's cell ``c_given``; a test holds the two equal."""

RIGHT = {
    1: BROKEN[1].replace("FC(64) RELU", "FC(64) => RELU"),
    2: BROKEN[2].replace("SOFTMAX", "FC(10) => SOFTMAX"),
    3: BROKEN[3].replace("FC(64) => RELU => POOL", "POOL => FC(64) => RELU"),
    4: BROKEN[4].replace("* 3", "* 2 => CONV(16) => RELU"),
    5: BROKEN[5].replace(" => POOL] * 2] * 2", "] * 2 => POOL] * 2"),
}


@dataclass(frozen=True)
class _Meant:
    """What a repair of one diagram has to keep.

    The layers of one of the texts in `kept` have to be there, in their order or, with `any_order`, in any
    that can be built. At most `new` layers may come on top, and one of the kind `may_go` may be missing.
    """

    kept: tuple[str, ...]
    new: int = 0
    may_go: str = ""
    any_order: bool = False


MEANT = {
    1: _Meant((RIGHT[1],)),
    2: _Meant((BROKEN[2],), new=1),
    3: _Meant((RIGHT[3], BROKEN[3].replace("FC(64)", "CONV(64, 1)")), any_order=True),
    4: _Meant((BROKEN[4],), new=1, may_go="POOL"),
    5: _Meant((RIGHT[5],)),
}


def use(written: Any, number: int) -> Any:
    text = written(number)
    return in_words_of(number, text) if type(text) is str else text


@functools.lru_cache(maxsize=256)  # every misconception is asked about the same inputs
def in_words_of(number: int, text: str) -> str:
    """What is still wrong with a repair; "repaired" if nothing."""
    meant = MEANT[number]
    try:
        found = layers(text)
        summary = summarize(text)
        findings = [f for f in lint(text) if f.severity != "note"]
    except CnnlibError as error:
        return f"it cannot be built: {in_words(error)}"
    image = summarize(RIGHT[number]).input_shape
    if summary.input_shape != image:
        return f"the image is no longer {' × '.join(map(str, image))}"
    if findings:
        unchanged = "unchanged, and " if text.split() == BROKEN[number].split() else ""
        return f"{unchanged}the linter says: {findings[0].message} ({findings[0].rule})"
    if summary.output_shape != (10,):
        return "what comes out is no row of 10 class scores"
    if number == 5 and (blocks := _blocks(found)) != "2+2":
        return f"CONV layers before each POOL: {blocks}; meant was 2+2"
    mine = [key(layer) for layer in found]
    verdicts = [_kept(mine, [key(layer) for layer in layers(text)], meant) for text in meant.kept]
    return "repaired" if "" in verdicts else verdicts[0]


def _kept(mine: list[str], wanted: list[str], meant: _Meant) -> str:
    """Whether what was right is still there; "" if it is."""
    gone, new = Counter(wanted) - Counter(mine), Counter(mine) - Counter(wanted)
    may_go = gone.total() == 1 and bool(meant.may_go) and next(iter(gone)).startswith(meant.may_go)
    if new.total() > meant.new or (gone and not may_go):
        return f"more than the mistake was changed. Gone: {_listed(gone)}; new: {_listed(new)}"
    shortened = [wanted[:i] + wanted[i + 1 :] for i, name in enumerate(wanted) if name in gone]
    if meant.any_order or any(_in_order(some, mine) for some in shortened or [wanted]):
        return ""
    return "the layers stand in another order than before"


def _in_order(some: list[str], among: list[str]) -> bool:
    """Do they all occur, one after the other, with others between perhaps?"""
    rest = iter(among)
    return all(name in rest for name in some)


def _blocks(found: Iterable) -> str:
    counts, here = [], 0
    for layer in found:
        kind = getattr(layer, "kind", "")
        here += kind == "CONV"
        if kind == "POOL":
            counts.append(here)
            here = 0
    return "+".join(map(str, counts)) + (f" and {here} behind the last" if here else "")


def _listed(some: Counter) -> str:
    names = [f"{count} × {name.split('(')[0]}" for name, count in sorted(some.items())]
    return ", ".join(names) or "nothing"


def _reference(number: int) -> str:
    return in_words_of(number, RIGHT[number])


def _wrong(number: int, before: str, after: str) -> Callable[[int], str]:
    """A function that repairs all but one, where it changes the broken text in its own way."""
    changed = BROKEN[number].replace(before, after)

    def repair(which: int) -> str:
        return changed if which == number else RIGHT[which]

    return repair


_C = {number: f"diagram {number}" for number in BROKEN}
_NAMES = {str(number): name for number, name in _C.items()}
_SECTIONS = {"1": ARROW, "2": FAMOUS, "3": STAR, "4": PIXELS, "5": PATTERN}


def _cases(number: int) -> Callable[[Random], list[Case]]:
    def cases(rng: Random) -> list[Case]:
        return [Case({"number": number})]

    return cases


def _idea(name: str, number: int, before: str, after: str, explanation: str) -> Misconception:
    function = _wrong(number, before, after)
    section = _SECTIONS[str(number)]
    return Misconception(name, function, explanation, section, lost(_NAMES, str(number)))


REPAIR = Task(
    "c",
    "five broken diagrams",
    "repair",
    _reference,
    drive=use,
    parts=tuple(Part(name, 2, _cases(number), judge_words) for number, name in _C.items()),
    misconceptions=(
        _idea(
            "the RELU goes with the error",
            1,
            "FC(64) RELU =>",
            "FC(64) =>",
            "The text parses then, but two FC layers without an activation between them compute little more than one "
            "does. What was missing is an arrow.",
        ),
        _idea(
            "the FC goes with the error",
            1,
            "FC(64) RELU",
            "RELU",
            "The text parses then, but the hidden layers are gone. What was missing is an arrow.",
        ),
        _idea(
            "SOFTMAX is taken out",
            2,
            " => SOFTMAX",
            "",
            "SOFTMAX is right where it stands. It needs class scores, one for each class, and the 128 numbers of a "
            "hidden layer are none.",
        ),
        _idea(
            "the FC behind SOFTMAX",
            2,
            "SOFTMAX",
            "SOFTMAX => FC(10)",
            "First the scores, then the softmax that makes probabilities of them: the FC stands before SOFTMAX.",
        ),
        _idea(
            "the last FC as one more hidden layer",
            2,
            "SOFTMAX",
            "FC(10) => RELU => DO => SOFTMAX",
            "Behind the last FC there is neither RELU nor DO: a score may be negative, and none of them may be "
            "dropped.",
        ),
        _idea(
            "the POOL is taken out",
            3,
            " => FC(64) => RELU => POOL",
            " => FC(64) => RELU",
            "It runs, but the FC reads four times as many positions and has four times as many weights. The POOL was "
            "right, its place was not.",
        ),
        _idea(
            "the hidden FC is taken out",
            3,
            " => FC(64) => RELU => POOL",
            " => POOL",
            "It runs, but a hidden layer is gone. Where would it have rows and columns behind it no longer matter?",
        ),
        _idea(
            "rounded down",
            4,
            "POOL",
            "POOL(rounding=floor)",
            "It runs, and the third POOL drops a row and a column of 7 without a word. 28 has two factors of "
            "two, so there is room for two POOL layers of 2 × 2.",
        ),
        _idea(
            "the third block is taken out",
            4,
            "* 3",
            "* 2",
            "The POOL of the third block does not fit, but its CONV does: padded CONV layers keep the size.",
        ),
        _idea(
            "another image",
            4,
            "28, 28",
            "32, 32",
            "The images are what they are. The network has to fit them.",
        ),
        _idea(
            "the linter is silent, so all is well",
            5,
            "BROKEN",
            "BROKEN",
            "It breaks no rule, yet it has a POOL behind each CONV. A program can tell what breaks a rule; "
            "what you meant it cannot know.",
        ),
        _idea(
            "one POOL for all blocks",
            5,
            " => POOL] * 2] * 2",
            "] * 2] * 2 => POOL",
            "The POOL stands outside both brackets now. It belongs inside the outer and outside the inner one.",
        ),
    ),
)
