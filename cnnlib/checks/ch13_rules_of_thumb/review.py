"""Task (a): six rules of thumb, held against a diagram."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from cnnlib.checks.book import Section
from cnnlib.checks.calls import Case
from cnnlib.checks.ch13_rules_of_thumb.rules import kinds, layers, review, undropped
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, lost, whole
from cnnlib.checks.judges import judge_number

_PAGE = "book/ch13_rules_of_thumb/rules_of_thumb"
HALVING = Section(13, _PAGE, "ch13-halving", "A size that can be halved")
FILTERS = Section(13, _PAGE, "ch13-filters", "Small filters, stacked")
PADDING = Section(13, _PAGE, "ch13-padding", "Padding, and who reads the corner")
POOLING = Section(13, _PAGE, "ch13-pooling", "Pooling windows")
DROPOUT = Section(13, _PAGE, "ch13-dropout", "Dropout")
REVIEWED = Section(13, _PAGE, "ch13-review", "A review, finding by finding")


# --- cases: each part has what only its own rule looks at ------------------------------------------


def _diagram(text: str, right: tuple[int, ...] | None = None, note: str = "") -> Case:
    return Case({"text": text}, expected=right, note=note)


def _odd_cases(rng: Random) -> list[Case]:
    even, odd = 2 * whole(rng, 6, 12), 2 * whole(rng, 6, 12) + 1
    pool = "POOL(2, 2, rounding=floor)"
    body = f"CONV(8) => RELU => {pool} => CONV(8) => RELU"
    twice = 4 * whole(rng, 3, 8) + 2
    return [
        _diagram(f"INPUT(3, 20, 20) => {body} => {pool} => {pool} => GAP => FC(10)"),
        _diagram(f"INPUT(3, {even}, {odd}) => {body} => GAP => FC(10)"),
        _diagram(f"INPUT(3, {odd}, {even}) => {body} => GAP => FC(10)"),
        _diagram(f"INPUT(3, {twice}, {twice}) => {body} => {pool} => GAP => FC(10)"),
        _diagram(f"INPUT(3, 22, 22) => {body} => {pool} => {pool} => GAP => FC(10)"),
        _diagram(f"INPUT(3, {odd}, {odd}) => CONV(8) => RELU => POOL(3, 2) => GAP => FC(10)"),
        _diagram(f"INPUT(3, {odd}, {odd}) => CONV(8) => RELU => POOL(2, 1) => GAP => FC(10)"),
    ]


def _large_cases(rng: Random) -> list[Case]:
    small, large = 2 * whole(rng, 16, 50), 2 * whole(rng, 101, 120)
    kernel = int(rng.choice([7, 9, 11]))
    rest = "RELU => GAP => FC(10)"
    return [
        _diagram(f"INPUT(3, {small}, {small}) => CONV(8, {kernel}) => {rest}"),
        _diagram(f"INPUT(3, {large}, {large}) => CONV(8, {kernel}) => {rest}"),
        _diagram(f"INPUT(3, {large}, {large}) => [CONV(8, {kernel}) => RELU] * 3 => GAP => FC(10)"),
        _diagram(f"INPUT(3, {large}, {large}) => CONV(8, 5) => RELU => CONV(8, 7) => {rest}"),
        _diagram(f"INPUT(3, {small}, {small}) => [CONV(8, 5) => RELU] * 2 => GAP => FC(10)"),
        _diagram(f"INPUT(3, 200, 200) => CONV(8, 7) => {rest}", note="not over 200"),
        _diagram(f"INPUT(3, 201, 201) => CONV(8, 7) => {rest}", note="over 200"),
        _diagram(f"INPUT(3, 180, 240) => CONV(8, 7) => {rest}", note="one side is over 200"),
        _diagram("INPUT(3, 32, 32) => [CONV(8, 6, padding=0) => RELU] * 2 => GAP => FC(10)"),
    ]


def _shrinking_cases(rng: Random) -> list[Case]:
    size, other = 2 * whole(rng, 8, 16), 2 * whole(rng, 8, 16) + 1
    n = whole(rng, 2, 4)
    strided = "CONV(8, 3, stride=2, padding=1, rounding=floor)"
    return [
        _diagram(
            f"INPUT(3, {size}, {other}) => [CONV(8, padding=0) => RELU] * {n} => GAP => FC(10)"
        ),
        _diagram(f"INPUT(3, {size}, {size}) => [CONV(8) => RELU] * {n} => GAP => FC(10)"),
        _diagram(
            f"INPUT(3, {size}, {size}) => {strided} => RELU => CONV(8, padding=0) => RELU => GAP => FC(10)"
        ),
        _diagram(f"INPUT(3, {size}, {size}) => CONV(8, 5, padding=1) => RELU => GAP => FC(10)"),
        _diagram(
            f"INPUT(3, {size}, {size}) => CONV(8, 1, padding=0) => RELU => GAP => FC(10)",
            note="1 × 1 needs no padding",
        ),
    ]


def _wide_cases(rng: Random) -> list[Case]:
    window = whole(rng, 4, 9)
    size = 2 * window * whole(rng, 2, 6)
    head = f"INPUT(3, {size}, {size}) => CONV(8) => RELU"
    return [
        _diagram(f"{head} => POOL({window}, {window}) => FC(10)"),
        _diagram(f"{head} => POOL({size}, {size}) => FC(10)", note="the window is the whole map"),
        _diagram(
            f"{head} => POOL({window}, {window}) => CONV(8) => RELU "
            f"=> POOL({size // window}, {size // window}, mode=avg) => FC(10)"
        ),
        _diagram("INPUT(3, 16, 16) => CONV(8) => RELU => POOL(4, 4) => FC(10)"),
        _diagram(f"{head} => POOL(3, 2, rounding=floor) => FC(10)"),
        _diagram("INPUT(3, 18, 18) => [CONV(8) => RELU => POOL(4, 2)] * 2 => FC(10)"),
    ]


def _dropout_cases(rng: Random) -> list[Case]:
    size = 4 * whole(rng, 2, 30)
    head = f"INPUT(1, {size}, {size}) => CONV(4) => RELU => POOL"
    return [
        _diagram(f"{head} => [FC(16) => RELU] * 2 => FC(10)"),
        _diagram(f"{head} => [FC(16) => RELU => DO(0.5)] * 2 => FC(10)"),
        _diagram(f"{head} => FC(16) => RELU => DO(0.5) => FC(16) => RELU => FC(10)"),
        _diagram(f"{head} => DO(0.25) => FC(16) => FC(10)"),
        _diagram(f"{head} => FC(16) => RELU => BN => FC(10) => DO(0.5) => SOFTMAX"),
        _diagram(f"{head} => GAP => FC(10)", note="a single FC"),
    ]


def _field_cases(rng: Random) -> list[Case]:
    n, size = whole(rng, 2, 4), 16 * whole(rng, 4, 6)
    return [
        _diagram(
            "INPUT(3, 32, 32) => CONV(8) => RELU => CONV(8) => RELU => GAP => FC(10)",
            (0, 0, 0, 0, 0, 5),
            "3, then 2 more",
        ),
        _diagram(
            "INPUT(3, 32, 32) => CONV(8) => RELU => POOL => CONV(8) => RELU => GAP => FC(10)",
            (0, 0, 0, 0, 0, 8),
            "3, then 1 more, then 2 · 2 more",
        ),
        _diagram(
            f"INPUT(3, {size}, {size}) => [CONV(8) => RELU => POOL] * {n} => CONV(8) => RELU => GAP => FC(10)"
        ),
        _diagram(
            f"INPUT(3, {size}, {size}) => CONV(8, 5, stride=2, padding=2, rounding=floor) => RELU "
            "=> POOL(3, 2, rounding=floor) => CONV(8, 5) => RELU => GAP => FC(10)"
        ),
    ]


# --- misconceptions ---------------------------------------------------------------------------------


def _instead(index: int, rule: Callable[[str], int]) -> Callable:
    """The reference with another rule at one place."""

    def function(text):
        found = list(review(text))
        found[index] = rule(text)
        return tuple(found)

    return function


def _odd_input(text):
    first = layers(text)[0].before
    return sum(p.kernel == p.stride == 2 and any(n % 2 for n in first) for p in kinds(text, "POOL"))


def _odd_height(text):
    return sum(p.kernel == p.stride == 2 and p.before[0] % 2 == 1 for p in kinds(text, "POOL"))


def _large_first_always(text):
    return sum(c.kernel > 5 for c in kinds(text, "CONV")[1:])


def _large_input_always(text):
    convs = kinds(text, "CONV")
    return 0 if max(convs[0].before) > 200 else sum(c.kernel > 5 for c in convs)


def _strided_too(text):
    return sum(c.behind != c.before for c in kinds(text, "CONV"))


def _whole_map_too(text):
    return sum(p.kernel > 3 for p in kinds(text, "POOL"))


def _neighbours_only(text):
    row = layers(text)
    return sum(a.kind == b.kind == "FC" for a, b in pairwise(row))


def _any_dropout(text):
    return 0 if kinds(text, "DO") else undropped(text)


def _no_jump(text):
    return 1 + sum(x.kernel - 1 for x in layers(text) if x.kernel)


def _jump_too_early(text):
    field, jump = 1, 1
    for layer in layers(text):
        if layer.kernel:
            jump *= layer.stride
            field += (layer.kernel - 1) * jump
    return field


_A = {
    "odd": "POOL of 2 × 2 at odd sizes",
    "large": "large filters",
    "shrinking": "CONV that shrinks at stride 1",
    "wide": "wide pooling windows",
    "dropout": "FC behind FC without dropout",
    "field": "the receptive field",
}


def _as_tuple(found: Any) -> Any:
    """Six numbers in a list are six numbers as well."""
    return tuple(found) if isinstance(found, list | np.ndarray) else found


REVIEW = Task(
    "a",
    "a review",
    "review",
    review,
    parts=(
        Part(_A["odd"], 1, _odd_cases, judge_number, pick=0),
        Part(_A["large"], 1, _large_cases, judge_number, pick=1),
        Part(_A["shrinking"], 1, _shrinking_cases, judge_number, pick=2),
        Part(_A["wide"], 1, _wide_cases, judge_number, pick=3),
        Part(_A["dropout"], 1, _dropout_cases, judge_number, pick=4, hint=2),
        Part(_A["field"], 2, _field_cases, judge_number, pick=5, hint=3),
    ),
    drive=lambda written, text: _as_tuple(written(text)),
    misconceptions=(
        Misconception(
            "only the image's size is asked",
            _instead(0, _odd_input),
            "An even image can be odd further down: 20 halves to 10 and 5. The rule is about the map that "
            "this POOL meets, `layer.before`.",
            HALVING,
            lost(_A, "odd"),
        ),
        Misconception(
            "only the height is asked",
            _instead(0, _odd_height),
            "A window slides along both axes. An odd width loses a column as an odd height loses a row.",
            HALVING,
            lost(_A, "odd"),
        ),
        Misconception(
            "the first CONV may always be large",
            _instead(1, _large_first_always),
            "A large filter in the first CONV is for large images, over 200 pixels. On 32 pixels a "
            "7 × 7 window is a fifth of the whole width.",
            FILTERS,
            lost(_A, "large"),
        ),
        Misconception(
            "on a large image every filter may be large",
            _instead(1, _large_input_always),
            "The exception has two halves: the image is large and the CONV is the first. Behind it "
            "the maps have many channels, and there a large filter is dear.",
            FILTERS,
            lost(_A, "large"),
        ),
        Misconception(
            "a strided CONV is counted as well",
            _instead(2, _strided_too),
            "A CONV at stride 2 is there to shrink. The rule is for the CONV that loses its border by the "
            "way, at stride 1.",
            PADDING,
            lost(_A, "shrinking"),
        ),
        Misconception(
            "a window over the whole map is counted",
            _instead(3, _whole_map_too),
            "A window that covers the whole map is global pooling, and it is welcome at the end of a network.",
            POOLING,
            lost(_A, "wide"),
        ),
        Misconception(
            "only neighbours are compared",
            _instead(4, _neighbours_only),
            "Between two FC stand activations and perhaps BN. Look through them to the FC before.",
            DROPOUT,
            lost(_A, "dropout"),
        ),
        Misconception(
            "one DO excuses all",
            _instead(4, _any_dropout),
            "Each pair of FC needs a DO of its own between them. One behind the last FC or before the "
            "first helps no pair.",
            DROPOUT,
            lost(_A, "dropout"),
        ),
        Misconception(
            "the jump is forgotten",
            _instead(5, _no_jump),
            "Behind a stride of 2, neighbouring positions lie 2 pixels of the image apart. A window of F "
            "there reaches (F − 1) times that jump.",
            REVIEWED,
            lost(_A, "field"),
        ),
        Misconception(
            "the layer's own stride widens its own window",
            _instead(5, _jump_too_early),
            "A layer's window lies on the map before it, so the jump of that map counts. Its own "
            "stride tells for the layers behind.",
            REVIEWED,
            lost(_A, "field"),
        ),
    ),
)
