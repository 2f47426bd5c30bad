"""Task (a): a diagram without POOL.

Any text passes that parses, keeps the other layers and reaches the same sizes: the judges look at what
the returned network does, never at how it is written.
"""

import functools
import re
from collections.abc import Callable
from typing import Any

from cnnlib.checks.calls import Case
from cnnlib.checks.ch07_pool_or_conv.common import QUESTION, REWRITE, SKIP
from cnnlib.checks.ch07_pool_or_conv.texts import (
    depths,
    judge_bend,
    judge_depths,
    judge_others,
    judge_reads,
    judge_sizes,
    others,
    sizes,
    use,
)
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, lost, whole
from cnnlib.diagram import expand, summarize
from cnnlib.diagram.tree import DEFAULTS, Layer

# --- cases ------------------------------------------------------------------------------------------


def _case(text: str, right: Any = None, note: str = "") -> Case:
    return Case({"diagram": text}, expected=right, note=note)


def _plain(rng: Random) -> str:
    """One POOL of 2 × 2 between two CONVs."""
    height, width = 2 * whole(rng, 3, 9), 2 * whole(rng, 3, 9)
    first, second = whole(rng, 5, 30), whole(rng, 31, 60)
    return (
        f"INPUT({whole(rng, 1, 4)}, {height}, {width}) => CONV({first}) => RELU => POOL"
        f" => CONV({second}) => RELU => GAP => FC(10)"
    )


def _plain_cases(rng: Random) -> list[Case]:
    return [_case(_plain(rng)) for _ in range(3)]


def _size_cases(rng: Random) -> list[Case]:
    by_hand = "INPUT(3, 12, 8) => CONV(16) => RELU => POOL => CONV(32) => RELU"
    return [_case(by_hand, ((12, 8), (6, 4)), "by hand"), *_plain_cases(rng)]


def _depth_cases(rng: Random) -> list[Case]:
    by_hand = "INPUT(3, 8, 8) => CONV(16) => RELU => POOL => CONV(32) => RELU"
    at_the_front = f"INPUT({whole(rng, 5, 9)}, 12, 12) => POOL => CONV(20) => RELU"
    return [_case(by_hand, ((4, 16),), "by hand"), *_plain_cases(rng), _case(at_the_front)]


def _window_cases(rng: Random) -> list[Case]:
    rows, columns = whole(rng, 3, 12), whole(rng, 3, 12)
    return [
        _case(
            "INPUT(1, 9, 13) => CONV(8) => RELU => POOL(3, 2) => FC(10)",
            ((9, 13), (4, 6)),
            "by hand",
        ),
        _case(f"INPUT(3, {3 * rows}, {3 * columns}) => CONV(8) => RELU => POOL(3, 3)"),
        _case(
            f"INPUT(2, {3 + 2 * rows}, {3 + 2 * columns}) => CONV(6) => RELU => POOL(3) => FC(4)"
        ),
        _case(
            f"INPUT(2, {4 * rows}, {4 * columns}) => CONV(6) => RELU => POOL(4, stride=4, mode=avg)"
        ),
    ]


def _border_cases(rng: Random) -> list[Case]:
    odd = 2 * whole(rng, 4, 20) + 1
    return [
        _case(
            "INPUT(1, 7, 5) => CONV(8) => RELU => POOL(rounding=ceil) => FC(10)",
            ((7, 5), (4, 3)),
            "by hand",
        ),
        _case(f"INPUT(1, {odd}, {odd + 2}) => CONV(8) => RELU => POOL(rounding=floor) => FC(10)"),
        _case(f"INPUT(1, {odd}, 9) => CONV(8) => RELU => POOL(3, stride=2, padding=1)"),
        _case(f"INPUT(3, {odd}, 8) => CONV(4) => RELU => POOL(3, stride=1, padding=1) => FC(4)"),
    ]


def _several_cases(rng: Random) -> list[Case]:
    height, width = 4 * whole(rng, 2, 4), 4 * whole(rng, 2, 4)
    return [
        _case(
            f"INPUT(3, {height}, {width}) => CONV(8) => RELU => POOL => CONV(16) => RELU => POOL"
            " => FC(10) => SOFTMAX"
        ),
        _case(
            "INPUT(1, 16, 24) => CONV(4) => RELU => POOL => CONV(4) => RELU => POOL"
            " => CONV(8) => RELU => POOL => GAP",
            ((16, 24), (8, 12), (4, 6), (2, 3)),
            "by hand",
        ),
    ]


# --- the reference and the misconceptions -----------------------------------------------------------

_WHOLE = "CONV({depth}, {kernel}, stride={stride}, padding={padding}, rounding={rounding}) => RELU"


@functools.lru_cache(512)
def _rewritten(diagram: str, pattern: str, most: int = 99) -> str:
    """`pattern`, filled in, in the place of the first `most` POOLs."""
    summary = summarize(diagram)
    shapes = [summary.input_shape, *(row.shape for row in summary.rows)]
    layers = expand(diagram).items
    filters = [c.get("filters") for c in layers if isinstance(c, Layer) and c.kind == "CONV"]
    out, done, convs = [], 0, 0
    for layer, shape in zip(layers, shapes, strict=True):
        assert isinstance(layer, Layer)
        convs += layer.kind == "CONV"
        if layer.kind == "POOL" and done < most:
            values = {name: layer.get(name) for name in DEFAULTS["POOL"]}
            upcoming = filters[convs] if convs < len(filters) else 2 * shape[0]
            done += 1
            out.append(pattern.format(depth=shape[0], upcoming=upcoming, **values))
        else:
            out.append(str(layer))
    return " => ".join(part for part in out if part)


def without_pool(diagram: str) -> str:
    """The reference: a CONV with POOL's own window, and a RELU."""
    return _rewritten(diagram, _WHOLE)


def _by(pattern: str, most: int = 99) -> Callable[[str], str]:
    return lambda diagram: _rewritten(diagram, pattern, most)


def _stride_in_the_conv_before(diagram):
    strided = r"CONV(\1, stride=2, rounding=floor) => RELU"
    marked = _rewritten(diagram, "HERE({depth})")
    moved = re.sub(r"CONV\((\d+)\) => RELU => HERE\(\d+\)", strided, marked)
    return re.sub(r"HERE\((\d+)\)", strided, moved)


_P = {
    "size": "the size behind a POOL of 2 × 2",
    "window": "POOL with another kernel and stride",
    "border": "POOL with padding or rounding",
    "depth": "the depth is kept",
    "others": "the other layers are kept",
    "bend": "a RELU behind the new CONV",
    "reads": "every pixel is read",
    "several": "every POOL of a network",
}

WITHOUT_POOL = Task(
    "a",
    "a network without POOL",
    "without_pool",
    without_pool,
    drive=use,
    parts=(
        Part(_P["size"], 2, _size_cases, judge_sizes, right=sizes, hint=2),
        Part(_P["window"], 1, _window_cases, judge_sizes, right=sizes, hint=2),
        Part(_P["border"], 1, _border_cases, judge_sizes, right=sizes, hint=3),
        Part(_P["depth"], 2, _depth_cases, judge_depths, right=depths, hint=2),
        Part(_P["others"], 1, _plain_cases, judge_others, right=others, hint=1),
        Part(_P["bend"], 1, _plain_cases, judge_bend, hint=3),
        Part(_P["reads"], 1, _plain_cases, judge_reads, hint=2),
        Part(_P["several"], 1, _several_cases, judge_sizes, right=sizes, hint=1),
    ),
    misconceptions=(
        Misconception(
            "POOL is left out and nothing takes its place",
            _by(""),
            "POOL does two things: it looks at windows, and it makes the volume smaller. Whoever takes it "
            "away needs a layer with a stride in its place.",
            QUESTION,
            lost(_P, "size", "window", "border", "depth", "bend", "reads", "several"),
        ),
        Misconception(
            "the stride goes into the CONV before",
            _stride_in_the_conv_before,
            "That is the other way, stride instead of both. Here the CONV before stays as it is, and a new "
            "CONV with a stride stands where POOL was.",
            QUESTION,
            lost(_P, "others", "window", "border"),
        ),
        Misconception(
            "the new CONV has no stride",
            _by("CONV({depth}) => RELU"),
            "A CONV takes one step at a time unless it is told otherwise, and keeps the size. POOL jumps.",
            REWRITE,
            lost(_P, "size", "window", "border", "depth", "bend", "reads", "several"),
        ),
        Misconception(
            "strict windows that do not tile",
            _by("CONV({depth}, stride=2) => RELU"),
            "A window of 3 at stride 2, padded by 1, does not tile an even side, and the language refuses to "
            "guess. Either let it round, or take a window that fits.",
            QUESTION,
            lost(_P, "size", "window", "border", "several"),
        ),
        Misconception(
            "POOL's padding is not taken over",
            _by("CONV({depth}, {kernel}, stride={stride}, rounding={rounding}) => RELU"),
            "The defaults differ: POOL pads by 0, while CONV pads so that the size is kept at stride 1. "
            "Write the padding of the new CONV out.",
            REWRITE,
            lost(_P, "size", "window", "border", "several"),
        ),
        Misconception(
            "every POOL is taken for 2 × 2 with stride 2",
            _by("CONV({depth}, stride=2, rounding=floor) => RELU"),
            "Kernel, stride, padding and rounding of *this* POOL decide the size behind it, and the same "
            "numbers give a CONV the same size.",
            REWRITE,
            lost(_P, "window", "border"),
        ),
        Misconception(
            "POOL's rounding is not taken over",
            _by("CONV({depth}, {kernel}, stride={stride}, padding={padding}) => RELU"),
            "Where the windows do not tile, POOL was told to round. A CONV in its place must be told, too.",
            REWRITE,
            lost(_P, "border"),
        ),
        Misconception(
            "always 64 filters",
            _by(_WHOLE.replace("{depth}", "64")),
            "64 was the depth of the book's first network. POOL keeps the depth of the volume that it gets, "
            "so the number of filters is that depth.",
            REWRITE,
            lost(_P, "depth"),
        ),
        Misconception(
            "the new CONV has the depth of the next stage",
            _by(_WHOLE.replace("{depth}", "{upcoming}")),
            "POOL works slice by slice and keeps the depth. The next CONV changes it, not the layer in "
            "POOL's place.",
            REWRITE,
            lost(_P, "depth"),
        ),
        Misconception(
            "no RELU behind the new CONV",
            _by(_WHOLE.removesuffix(" => RELU")),
            "Two CONV layers with nothing between them collapse into one. The diagram runs and all sizes "
            "fit, but the new layer adds nothing that one larger CONV could not do.",
            REWRITE,
            lost(_P, "bend"),
        ),
        Misconception(
            "a kernel of 1",
            _by("CONV({depth}, 1, stride=2, rounding=floor) => RELU"),
            "At stride 2 a kernel of 1 reads one pixel of four, and the others are lost without a trace. "
            "A kernel must be no smaller than its stride.",
            SKIP,
            lost(_P, "reads", "window", "border"),
        ),
        Misconception(
            "only the first POOL is replaced",
            _by(_WHOLE, 1),
            "A network may pool several times, and every POOL has to go.",
            REWRITE,
            lost(_P, "several"),
        ),
    ),
)
