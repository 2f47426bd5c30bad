"""Task (b): write a network under a budget.

Any text will do that meets the demands, so what is compared are words for each demand. They hold no
numbers, so that a wrong idea sounds the same whatever network somebody has written.
"""

import functools
from collections.abc import Callable
from typing import Any

from cnnlib import shapes
from cnnlib.checks.calls import Case
from cnnlib.checks.ch11_layer_patterns.common import (
    BUDGET,
    EXAMPLES,
    GRID,
    PATTERN,
    PIXELS,
    STACK,
    in_words,
    judge_words,
    layers,
)
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, lost, whole
from cnnlib.diagram.lint import lint
from cnnlib.diagram.summary import Summary, summarize
from cnnlib.errors import CnnlibError

LEAST_CONVS = 4
DEMANDS = 6


# --- what a text does, in words -------------------------------------------------------------------


def use(written: Any, budget: int, side: int, classes: int) -> Any:
    """Call the function and say of each demand how its text meets it."""
    text = written(budget, side, classes)
    if type(text) is not str:
        return (f"no text, but {'None' if text is None else type(text).__name__}",) * DEMANDS
    return in_demands(text, budget, side, classes)


@functools.lru_cache(maxsize=1024)  # every misconception is asked about the same inputs
def in_demands(text: str, budget: int, side: int, classes: int) -> tuple[str, ...]:
    try:
        kinds = [getattr(layer, "kind", "branches") for layer in layers(text)]
        summary = summarize(text)
        findings = [f for f in lint(text) if f.severity != "note"]
    except CnnlibError as error:
        return (f"it cannot be built: {in_words(error)}",) * DEMANDS
    finding = f"{findings[0].message} ({findings[0].rule})" if findings else "nothing"
    return (
        _ends(kinds, summary, side, classes),
        "enough CONV layers"
        if len(_convs(summary)) >= LEAST_CONVS
        else f"fewer than {LEAST_CONVS} CONV layers",
        _budget(summary, budget),
        "at least a third of the budget is used"
        if 3 * summary.totals.params >= budget
        else "less than a third of the budget is used",
        _view(summary, side),
        f"the linter finds {finding}",
    )


def _convs(summary: Summary) -> list:
    return [row for row in summary.rows if row.text.startswith("CONV")]


def _ends(kinds: list[str], summary: Summary, side: int, classes: int) -> str:
    if summary.input_shape != (3, side, side):
        return "the input is not 3 × side × side"
    while kinds[-1] == "SOFTMAX":
        kinds = kinds[:-1]
    if kinds[-1] != "FC":
        return f"{kinds[-1]} stands where the last FC should be"
    if summary.output_shape != (classes,):
        return "the last FC has not one neuron for each class"
    return "from the image to the class scores"


def _budget(summary: Summary, budget: int) -> str:
    weighted = [row for row in summary.rows if row.text.startswith(("CONV", "FC"))]
    biases = sum(row.shape[0] for row in weighted)
    if summary.totals.params <= budget:
        return "within the budget"
    if summary.totals.params - biases <= budget:
        return "over the budget, by no more than its biases"
    if sum(row.params for row in _convs(summary)) <= budget:
        return "over the budget, though its CONV layers alone would fit"
    return "over the budget"


def _view(summary: Summary, side: int) -> str:
    convs = _convs(summary)
    field = convs[-1].field if convs else None
    if field is not None and min(field) >= side:
        return "the last CONV sees the whole image"
    return "the last CONV sees less than the whole image"


# --- right and wrong designs ----------------------------------------------------------------------


def skeleton(side: int, *, pools: Callable[[int], bool], field_wanted: int) -> list[str]:
    """CONV, RELU and POOL until the last CONV sees enough; `pools` says at which sizes there is one."""
    parts: list[str] = []
    convs, field, jump, left = 0, 1, 1, side
    while convs < LEAST_CONVS or field < field_wanted:
        if convs and convs % 2 == 0 and pools(left):
            parts.append("POOL")
            field, jump, left = field + jump, 2 * jump, left // 2
        parts += ["CONV", "RELU"]
        convs, field = convs + 1, field + 2 * jump
    return parts


def params(
    parts: list[str], width: int, side: int, classes: int, *, biases: bool = True, fc: bool = True
) -> int:
    """Parameters of such a network, without reading its text: a check has little time."""
    convs = parts.count("CONV")
    count = shapes.conv_params(3, width, 3, bias=biases)
    count += (convs - 1) * shapes.conv_params(width, width, 3, bias=biases)
    positions = 1 if "GAP" in parts else (side // 2 ** parts.count("POOL")) ** 2
    return count + fc * shapes.linear_params(positions * width, classes, bias=biases)


def _widest(parts: list[str], budget: int, side: int, classes: int, **counted: bool) -> int:
    width = 1
    while params(parts, width + 1, side, classes, **counted) <= budget:
        width += 1
    return width


def _text(parts: list[str], width: int, side: int, classes: int) -> str:
    named = [f"CONV({width})" if part == "CONV" else part for part in parts]
    return " => ".join([f"INPUT(3, {side}, {side})", *named, f"FC({classes})"])


def _even(left: int) -> bool:
    return left % 2 == 0


def _parts(side: int) -> list[str]:
    return [*skeleton(side, pools=_even, field_wanted=side), "GAP"]


def design(budget: int, side: int, classes: int) -> str:
    parts = _parts(side)
    return _text(parts, _widest(parts, budget, side, classes), side, classes)


def _reference(budget: int, side: int, classes: int) -> tuple[str, ...]:
    return in_demands(design(budget, side, classes), budget, side, classes)


def _without_biases(budget, side, classes):
    parts = _parts(side)
    return _text(parts, _widest(parts, budget, side, classes, biases=False), side, classes)


def _without_fc(budget, side, classes):
    parts = _parts(side)[:-1]  # no GAP, so that the FC reads every position
    return _text(parts, _widest(parts, budget, side, classes, fc=False), side, classes)


def _tiny(budget, side, classes):
    return _text(_parts(side), 2, side, classes)


def _no_relu(budget, side, classes):
    return design(budget, side, classes).replace(" => RELU", "")


def _relu_at_the_end(budget, side, classes):
    return design(budget, side, classes) + " => RELU"


def _ten_classes(budget, side, classes):
    return design(budget, side, classes).replace(f"FC({classes})", "FC(10)")


def _channels_last(budget, side, classes):
    return design(budget, side, classes).replace(f"(3, {side}, {side})", f"({side}, {side}, 3)")


def _pool_whatever_the_size(budget, side, classes):
    parts = [*skeleton(side, pools=lambda left: left > 1, field_wanted=side), "GAP"]
    return _text(parts, _widest(parts, budget, side, classes), side, classes)


def _view_forgotten(budget, side, classes):
    parts = [*skeleton(side, pools=_even, field_wanted=0), "GAP"]
    return _text(parts, _widest(parts, budget, side, classes), side, classes)


def _three_convs(budget, side, classes):
    parts = ["CONV", "RELU", "POOL", "CONV", "RELU", "POOL", "CONV", "RELU", "GAP"]
    return _text(parts, _widest(parts, budget, side, classes), side, classes)


# --- the task -------------------------------------------------------------------------------------


def _case(budget: int, side: int, classes: int) -> Case:
    return Case({"budget": budget, "side": side, "classes": classes})


def _cases(*sides: int) -> Callable[[Random], list[Case]]:
    def cases(rng: Random) -> list[Case]:
        return [_case(100 * whole(rng, 400, 1200), side, whole(rng, 2, 9)) for side in sides]

    return cases


def _tight_cases(rng: Random) -> list[Case]:
    """One parameter less than a network of the usual kind has, and some budget."""
    width, classes = whole(rng, 12, 30), whole(rng, 2, 9)
    tight = params(_parts(32), width, 32, classes) - 1
    return [_case(tight, 32, classes), *_cases(64)(rng)]


def _halving_cases(rng: Random) -> list[Case]:
    return _cases(int(rng.choice([28, 44])), 30)(rng)


_B = {
    "ends": "from the image to the class scores",
    "convs": "at least four CONV layers",
    "budget": "within the budget",
    "third": "a third of the budget is used",
    "view": "the last CONV sees the whole image",
    "lint": "the linter finds nothing",
    "halving": "sides that can be halved once or twice only",
}

DESIGN = Task(
    "b",
    "a network under a budget",
    "design",
    _reference,
    drive=use,
    parts=(
        Part(_B["ends"], 2, _cases(32), judge_words, pick=0),
        Part(_B["convs"], 1, _cases(32), judge_words, pick=1),
        Part(_B["budget"], 2, _tight_cases, judge_words, pick=2, hint=2),
        Part(_B["third"], 1, _cases(64), judge_words, pick=3, hint=2),
        Part(_B["view"], 2, _cases(64, 96), judge_words, pick=4, hint=3),
        Part(_B["lint"], 1, _cases(32), judge_words, pick=5),
        Part(_B["halving"], 1, _halving_cases, judge_words, pick=4, hint=3),
    ),
    misconceptions=(
        Misconception(
            "biases are not counted",
            _without_biases,
            "A budget of parameters counts all that is learned: each filter and each neuron has a bias on top of "
            "its weights.",
            EXAMPLES,
            lost(_B, "budget"),
        ),
        Misconception(
            "only the CONV layers are counted",
            _without_fc,
            "The FC layers count too, and the first one pays for each position of the volume before it. "
            "POOL or GAP in front of it makes it small.",
            EXAMPLES,
            lost(_B, "budget"),
        ),
        Misconception(
            "the smallest network that works",
            _tiny,
            "A budget is there to be used: more filters can learn more. Widen the layers until the next step would "
            "be too much.",
            BUDGET,
            lost(_B, "third"),
        ),
        Misconception(
            "no RELU between the CONV layers",
            _no_relu,
            "Without an activation in between, two CONV layers compute little more than one does.",
            STACK,
            lost(_B, "lint"),
        ),
        Misconception(
            "a RELU behind the last FC",
            _relu_at_the_end,
            "The last FC gives the class scores, and a score may be negative. RELU would set all of these to 0.",
            PATTERN,
            lost(_B, "ends"),
        ),
        Misconception(
            "always ten classes",
            _ten_classes,
            "The last FC has one neuron for each class, and `classes` says how many there are.",
            PATTERN,
            lost(_B, "ends"),
        ),
        Misconception(
            "channels last in the input",
            _channels_last,
            "In this course a volume is written channels first: INPUT(3, 32, 32). The other way round it has "
            "32 channels of 32 × 3 pixels.",
            PIXELS,
            frozenset(_B.values()),
        ),
        Misconception(
            "a POOL whatever the size",
            _pool_whatever_the_size,
            "A side can be halved evenly as often as it has factors of two: 28 twice, then it is 7. Go on "
            "with CONV layers alone.",
            PIXELS,
            lost(_B, "halving"),
        ),
        Misconception(
            "the view is not looked at",
            _view_forgotten,
            "The field grows by F − 1 times the jump with each CONV, and a POOL doubles the jump. Four CONV "
            "layers are not enough for a large image: add blocks until they are.",
            GRID,
            lost(_B, "view", "halving"),
        ),
        Misconception(
            "one CONV layer too few",
            _three_convs,
            "Only layers named CONV count, not the POOL layers between them or the FC behind.",
            PATTERN,
            lost(_B, "convs", "view", "halving"),
        ),
    ),
)
