"""Task (b): write a diagram. Any text that stands for a network with the features asked for is right."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from cnnlib.checks.calls import Case, Outcome, describe
from cnnlib.checks.ch02_layers_and_diagrams.common import (
    CARET,
    GLANCE,
    LINE,
    SOFTMAX_AWAY,
    WRITE_OUT,
)
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, lost, whole
from cnnlib.checks.judges import judge_number, judge_text
from cnnlib.diagram import expand, parse, summarize
from cnnlib.diagram.tree import Layer
from cnnlib.errors import CnnlibError

MOST_LEARNED = 20_000
MOST_LETTERS = 2_000
_CURVES = ("RELU", "LRELU", "ELU", "ACT")
_UNREADABLE = "no diagram: "


# --- what a text stands for ---------------------------------------------------------------------


def features(text: Any) -> tuple:
    """What the parts judge.

    The problem (or ""), the INPUT, the shorter side that the first FC reads, a place where an activation
    is missing (or ""), the last two layers, and how many numbers are learned.
    """
    try:
        if not isinstance(text, str):
            raise CnnlibError(f"expected a text, got {_shown(text)}.")
        if len(text) > MOST_LETTERS:
            raise CnnlibError(
                f"a text of {len(text)} letters is too long: write a repeat, [ … ] * 3."
            )
        return _features(text)
    except CnnlibError as error:
        problem = getattr(error, "message", str(error))
        advice = getattr(error, "suggestion", "")
        see = "Run summarize on your text: a caret shows the place" if hasattr(error, "at") else ""
        words = " ".join(f"{problem} {advice} {see}".split())
        return words, *[_UNREADABLE + words] * 5


def _shown(value: Any) -> str:
    plain = value is None or type(value) in (bool, int, float)
    return repr(value) if plain else f"a {type(value).__name__}"


@lru_cache(maxsize=1024)
def _features(text: str) -> tuple:
    chain = expand(parse(text))
    layers = [item for item in chain.items if isinstance(item, Layer)]
    if len(layers) < len(chain.items):
        raise CnnlibError("one row of layers is asked for, without branches { … }.")
    summary = summarize(chain)
    shapes = [summary.input_shape] + [row.shape for row in summary.rows]
    first_fc = next((i for i, layer in enumerate(layers) if layer.kind == "FC"), len(layers))
    read = shapes[first_fc - 1]
    channels, height, width = summary.input_shape
    return (
        "",
        f"INPUT({channels}, {height}, {width})",
        min(read[1:]) if len(read) == 3 else 1,
        _missing_activation(layers),
        " => ".join(_short(layer) for layer in layers[-2:]),
        summary.totals.params,
    )


def _short(layer: Layer) -> str:
    return f"FC({layer.get('units')})" if layer.kind == "FC" else layer.kind


def _missing_activation(layers: list[Layer]) -> str:
    """The first neighbours between which an activation is missing, or a POOL without its CONV."""
    plain = [layer for layer in layers if layer.kind not in ("BN", "DO")]
    if not any(layer.kind == "CONV" for layer in plain):
        return "a network without CONV"
    last_fc = max((i for i, layer in enumerate(plain) if layer.kind == "FC"), default=-1)
    for i, (one, following) in enumerate(zip(plain, [*plain[1:], None], strict=True)):
        learns = one.kind == "CONV" or (one.kind == "FC" and i != last_fc)
        if learns and (following is None or following.kind not in _CURVES):
            return f"{_short(one)} => {_short(following) if following else 'the end'}"
        before = [layer.kind for layer in plain[max(i - 2, 0) : i]]
        if one.kind == "POOL" and (len(before) < 2 or before[0] != "CONV"):
            return f"{' => '.join(before[-1:] or ['nothing'])} => POOL"
    return ""


def use(function: Callable, image: tuple, classes: int) -> tuple:
    """Call what the student wrote and read the text that comes back."""
    return features(function(image, classes))


def small_cnn(image, classes):
    """A diagram with all that is asked for; `right` answers with its features."""
    return _text(image, classes)


def _right(image, classes):
    return features(small_cnn(image, classes))


def _stages(image: tuple, side: int = 4) -> int:
    """How often the shorter side is halved."""
    stages, shorter = 0, min(image[1:])
    while shorter > side:
        stages, shorter = stages + 1, shorter // 2
    return stages


def _text(
    image: tuple,
    classes: int,
    *,
    stage: str = "CONV(8) => RELU => POOL",
    stages: int | None = None,
    end: str = "FC({classes}) => SOFTMAX",
) -> str:
    times = _stages(image) if stages is None else stages
    begin = "INPUT({}, {}, {})".format(*image)
    return " => ".join([begin, *[stage] * times, end.format(classes=classes)])


# --- inputs and judges --------------------------------------------------------------------------


def _case(image, classes, note=""):
    return Case({"image": image, "classes": classes}, note=note)


def _image(rng: Random, halvings: int) -> tuple[int, int, int]:
    """Not square: one side is twice the other."""
    short = 4 * 2**halvings
    sides = (short, 2 * short) if rng.integers(2) else (2 * short, short)
    return (int(rng.choice([1, 3])), *sides)


def _reading_cases(rng: Random) -> list[Case]:
    return [_case((3, 32, 32), 10, "CIFAR-10")] + [
        _case(_image(rng, n), whole(rng, 2, 9)) for n in (1, 3)
    ]


def _side_cases(rng: Random) -> list[Case]:
    squares = [_case((3, 32, 32), 10, "CIFAR-10"), _case((1, 8, 8), 3), _case((3, 64, 64), 5)]
    return squares + [_case(_image(rng, n), whole(rng, 2, 9)) for n in (1, 2, 3)]


def _two_halvings(rng: Random) -> list[Case]:
    """Images whose shorter side is 16, so that two POOLs are right."""
    return [_case((3, 16, 16), 10)] + [_case(_image(rng, 2), whole(rng, 2, 9)) for _ in range(2)]


def _ending_cases(rng: Random) -> list[Case]:
    return [_case((3, 16, 16), classes) for classes in (10, whole(rng, 2, 9), whole(rng, 11, 20))]


def _budget_cases(rng: Random) -> list[Case]:
    return [_case((3, 16, 16), 10), _case((3, 32, 32), 10), _case((1, 64, 64), 20)]


def _judge_problem(case: Case, right: str, got: Outcome) -> str:
    if got.raised or got.timed_out or not isinstance(got.value, str):
        return f"expected a diagram, got {describe(got)}"
    return got.value


def _if_readable(judge: Callable[[Case, Any, Outcome], str]) -> Callable:
    """`judge`, but a text that is no diagram has been explained by the first part already."""

    def judged(case: Case, right: Any, got: Outcome) -> str:
        if isinstance(got.value, str) and got.value.startswith(_UNREADABLE):
            return "nothing to see before the text can be read"
        return judge(case, right, got)

    return judged


def _judge_missing(case: Case, right: str, got: Outcome) -> str:
    if got.raised or got.timed_out or not isinstance(got.value, str):
        return f"expected a diagram, got {describe(got)}"
    return f"your diagram has {got.value}" if got.value else ""


def _judge_budget(case: Case, right: int, got: Outcome) -> str:
    if got.raised or got.timed_out or not isinstance(got.value, int):
        return f"expected a diagram, got {describe(got)}"
    if got.value > MOST_LEARNED:
        return f"your network learns {got.value:,} numbers, and {MOST_LEARNED:,} are allowed"
    return ""


# --- misconceptions -----------------------------------------------------------------------------

_PYTORCH = "Conv2d(8) => ReLU => MaxPool2d"

_B = {
    "reads": "a diagram that can be read, with layers that fit",
    "input": "INPUT: channels, height, width",
    "side": "the shorter side that FC reads",
    "gaps": "CONV => RELU before every POOL, no activation missing",
    "end": "the last two layers",
    "budget": f"at most {MOST_LEARNED:,} learned numbers",
}

SMALL_CNN = Task(
    "b",
    "a diagram for any image",
    "small_cnn",
    _right,
    drive=use,
    parts=(
        Part(_B["reads"], 2, _reading_cases, _judge_problem, pick=0),
        Part(_B["input"], 1, _two_halvings, _if_readable(judge_text), pick=1),
        Part(_B["side"], 2, _side_cases, _if_readable(judge_number), pick=2),
        Part(_B["gaps"], 1, _two_halvings, _if_readable(_judge_missing), pick=3),
        Part(_B["end"], 1, _ending_cases, _if_readable(judge_text), pick=4),
        Part(_B["budget"], 1, _budget_cases, _if_readable(_judge_budget), pick=5),
    ),
    misconceptions=(
        Misconception(
            "channels last",
            lambda image, classes: _text((*image[1:], image[0]), classes, stages=_stages(image)),
            "`INPUT(32, 32, 3)` is an image of 32 channels, 32 high and 3 wide. The text puts the channels "
            "first.",
            LINE,
            lost(_B, *_B),
        ),
        Misconception(
            "width before height",
            lambda image, classes: _text((image[0], image[2], image[1]), classes),
            "After the channels comes the height, then the width.",
            LINE,
            lost(_B, "input"),
        ),
        Misconception(
            "two POOLs for every image",
            lambda image, classes: _text(image, classes, stages=2),
            "Each POOL halves both sides, so a larger image needs more of them. Count the halvings from the "
            "shorter side down to 4.",
            LINE,
            lost(_B, "side", "budget"),
        ),
        Misconception(
            "one POOL too many",
            lambda image, classes: _text(image, classes, stages=_stages(image) + 1),
            "Stop as soon as the shorter side is 4: from 32 it goes to 16, 8 and 4, and that is three POOLs.",
            LINE,
            lost(_B, "side"),
        ),
        Misconception(
            "the longer side decides",
            lambda image, classes: _text(
                image, classes, stages=_stages((1, max(image[1:]), max(image[1:])))
            ),
            "The shorter side reaches 4 first. Count the halvings with `min`.",
            LINE,
            lost(_B, "side"),
        ),
        Misconception(
            "the activations are left out",
            lambda image, classes: _text(image, classes, stage="CONV(8) => POOL"),
            "Nothing is implied: CONV => POOL has no activation. Write RELU behind every CONV.",
            WRITE_OUT,
            lost(_B, "gaps"),
        ),
        Misconception(
            "all POOLs at the end",
            lambda image, classes: _text(
                image,
                classes,
                stages=1,
                stage="CONV(8) => RELU" + " => POOL" * _stages(image),
            ),
            "POOL right behind POOL throws numbers away that no filter has seen in between. Put CONV => RELU "
            "before each of them.",
            GLANCE,
            lost(_B, "gaps"),
        ),
        Misconception(
            "RELU behind the scores",
            lambda image, classes: _text(image, classes, end="FC({classes}) => RELU => SOFTMAX"),
            "A RELU there makes all negative scores the same zero. The activation stands between layers, and "
            "not behind the scores.",
            SOFTMAX_AWAY,
            lost(_B, "end"),
        ),
        Misconception(
            "SOFTMAX is left out",
            lambda image, classes: _text(image, classes, end="FC({classes})"),
            "Many diagrams end in FC, whose outputs are scores. Here probabilities are asked for, so SOFTMAX "
            "must be written.",
            SOFTMAX_AWAY,
            lost(_B, "end"),
        ),
        Misconception(
            "always ten classes",
            lambda image, classes: _text(image, 10),
            "The last FC has one neuron for each class, and `classes` says how many there are.",
            LINE,
            lost(_B, "end"),
        ),
        Misconception(
            "one large FC",
            lambda image, classes: _text(
                image, classes, end="FC(256) => RELU => FC({classes}) => SOFTMAX"
            ),
            "Nearly all numbers sit in an FC that reads a volume: every neuron has a weight for each number "
            "of it. The last FC alone is enough.",
            LINE,
            lost(_B, "budget"),
        ),
        Misconception(
            "many filters",
            lambda image, classes: _text(image, classes, stage="CONV(64) => RELU => POOL"),
            "A CONV that makes 64 maps from 64 learns 36,928 numbers. Half the filters make about a quarter of that.",
            LINE,
            lost(_B, "budget"),
        ),
        Misconception(
            "another arrow",
            lambda image, classes: _text(image, classes).replace("=>", "->"),
            "The arrow between two layers is `=>`.",
            CARET,
            lost(_B, *_B),
        ),
        Misconception(
            "names of another library",
            lambda image, classes: _text(image, classes, stage=_PYTORCH),
            "The language has names of its own: CONV, RELU, POOL, FC, BN, DO, SOFTMAX.",
            GLANCE,
            lost(_B, *_B),
        ),
        Misconception(
            "a letter in place of a number",
            lambda image, classes: (
                "INPUT({}, {}, {}) => [CONV(8) => RELU => POOL] * N".format(*image)
                + f" => FC({classes}) => SOFTMAX"
            ),
            "A pattern may have a letter, a network needs a number. Put the number into the text, with an "
            "f-string for instance.",
            CARET,
            lost(_B, *_B),
        ),
    ),
)
