"""Task (a): write the common pattern out.

The parts look at the layers before the first FC or at those from there on, so that a mistake in one half
costs nothing in the other.
"""

import re
from collections.abc import Callable
from typing import Any

from cnnlib.checks.calls import Case, Outcome, describe
from cnnlib.checks.ch11_layer_patterns.common import NOTHING, PATTERN, STAR, in_words, read
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, lost, whole
from cnnlib.diagram.expand import expand
from cnnlib.diagram.tree import Maybe, Repeat
from cnnlib.errors import CnnlibError

THE_PATTERN = "INPUT => [[CONV => RELU]*N => POOL?]*M => [FC => RELU]*K => FC"


def _case(N: int, M: int, K: int, pool: bool) -> Case:
    return Case({"N": N, "M": M, "K": K, "pool": pool})


def _conv_cases(rng: Random) -> list[Case]:
    N, M = whole(rng, 2, 5), whole(rng, 3, 9)
    return [_case(1, 1, 1, False), _case(3, 1, 1, False), _case(N, M, 1, False)]


def _pool_cases(rng: Random) -> list[Case]:
    """As many in a block as there are blocks, so that nobody can swap them."""
    few, many = whole(rng, 3, 6), whole(rng, 4, 9)
    return [_case(2, 2, 1, True), _case(few, few, 1, True), _case(many, many, 1, True)]


def _block_cases(rng: Random) -> list[Case]:
    return [
        _case(3, 2, 1, True),
        _case(1, whole(rng, 2, 20), 1, True),
        _case(2, 1, 1, True),
        _case(0, 2, 1, True),
    ]


def _fc_cases(rng: Random) -> list[Case]:
    return [_case(1, 1, K, False) for K in (1, 2, whole(rng, 3, 20))]


def _zero_cases(rng: Random) -> list[Case]:
    return [
        _case(0, 0, 0, True),
        _case(whole(rng, 1, 9), 0, 0, False),
        _case(0, whole(rng, 1, 9), 0, False),
    ]


def use(written: Any, N: int, M: int, K: int, pool: bool) -> tuple[str, str, str]:
    """Call the function; its layers before the first FC, from there on, and all of them.

    What is no network written out is put into words, three times.
    """
    text = written(N, M, K, pool)
    if type(text) is not str:
        return (f"no text, but {'None' if text is None else type(text).__name__}",) * 3
    try:
        return _portions(text)
    except CnnlibError as error:
        return (f"no diagram: {in_words(error)}",) * 3


def _portions(text: str) -> tuple[str, str, str]:
    try:
        nodes = read(text)
    except CnnlibError:  # once more with tidy arrows, so that the message does not depend on spaces
        nodes = read(" => ".join(part.strip() for part in re.split("=>|→", text)))
    if any(isinstance(node, Repeat | Maybe) for node in nodes):
        return ("not written out, a star or question mark is left",) * 3
    names = [str(node) for node in nodes]
    first = next((i for i, name in enumerate(names) if name.startswith("FC")), len(names))
    head, tail = " => ".join(names[:first]), " => ".join(names[first:]) or "nothing"
    return head, tail, " => ".join(names)


def _judge(what: str) -> Callable[[Case, str, Outcome], str]:
    """`what` names the portion, for the message."""

    def judge(case: Case, right: str, got: Outcome) -> str:
        if got.raised or got.timed_out or not isinstance(got.value, str):
            return f"expected a diagram as a text, got {describe(got)}"
        if got.value.startswith(("no text", "no diagram", "not written out")):
            return f"this is {got.value}"
        return "" if got.value == right else f"{what}expected “{right}”, got “{got.value}”"

    return judge


_judge_head = _judge("before the first FC ")
_judge_tail = _judge("from the first FC on ")
_judge_all = _judge("")


def _solution(N: int, M: int, K: int, pool: bool) -> str:
    return str(expand(THE_PATTERN, N=N, M=M, K=K, pool=pool))


def _reference(N: int, M: int, K: int, pool: bool) -> tuple[str, str, str]:
    return _portions(_solution(N, M, K, pool))


# --- wrong ideas ----------------------------------------------------------------------------------


def _text(*parts: str | list[str]) -> str:
    flat = [name for part in parts for name in ([part] if isinstance(part, str) else part)]
    return " => ".join(["INPUT", *flat, "FC"])


def _pool(pool: bool) -> list[str]:
    return ["POOL"] if pool else []


_CONV, _FC = ["CONV", "RELU"], ["FC", "RELU"]


def _one_or_more(N, M, K, pool):
    return _solution(max(N, 1), max(M, 1), max(K, 1), pool)


def _added(N, M, K, pool):
    return _text(_CONV * (N + M), _pool(pool), _FC * K)


def _pool_in_the_inner_bracket(N, M, K, pool):
    return _text((_CONV + _pool(pool)) * N * M, _FC * K)


def _pool_at_the_end(N, M, K, pool):
    return _text(_CONV * N * M, _pool(pool), _FC * K)


def _pool_between(N, M, K, pool):
    blocks = (_CONV * N + _pool(pool)) * M
    return _text(blocks[:-1] if pool and blocks else blocks, _FC * K)


def _pool_always(N, M, K, pool):
    return _solution(N, M, K, True)


def _loops_swapped(N, M, K, pool):
    return _text((_CONV * M + _pool(pool)) * N, _FC * K)


def _relu_once_a_block(N, M, K, pool):
    block = ["CONV"] * N + ["RELU"] * (N > 0) + _pool(pool)
    return _text(block * M, _FC * K)


def _no_relu_behind_fc(N, M, K, pool):
    return _text((_CONV * N + _pool(pool)) * M, ["FC"] * K)


def _last_fc_counted(N, M, K, pool):
    return _text((_CONV * N + _pool(pool)) * M, _FC * max(K - 1, 0))


def _no_last_fc(N, M, K, pool):
    return _solution(N, M, K, pool).removesuffix(" => FC")


def _relu_behind_the_last(N, M, K, pool):
    return _solution(N, M, K, pool) + " => RELU"


def _empty_arrow(N, M, K, pool):
    blocks = " => ".join((_CONV * N + _pool(pool)) * M)
    return f"INPUT => {blocks} => {' => '.join(_FC * K)} => FC"


_A = {
    "convs": "CONV and RELU: N times M",
    "pool": "POOL: one for each block",
    "blocks": "N in a block, M blocks",
    "fc": "FC and RELU: K times, and the last FC",
    "zero": "zero times",
}

WRITE_OUT = Task(
    "a",
    "writing a pattern out",
    "write_out",
    _reference,
    drive=use,
    parts=(
        Part(_A["convs"], 2, _conv_cases, _judge_head, pick=0, hint=1),
        Part(_A["pool"], 2, _pool_cases, _judge_head, pick=0, hint=2),
        Part(_A["blocks"], 1, _block_cases, _judge_head, pick=0, hint=1),
        Part(_A["fc"], 1, _fc_cases, _judge_tail, pick=1, hint=1),
        Part(_A["zero"], 2, _zero_cases, _judge_all, pick=2, hint=3),
    ),
    misconceptions=(
        Misconception(
            "the star as one or more",
            _one_or_more,
            "The star means *zero or more*: with 0 the part is not there at all. Three zeros leave "
            "`INPUT => FC`.",
            STAR,
            lost(_A, "blocks", "zero"),
        ),
        Misconception(
            "N and M are added",
            _added,
            "The brackets are nested, as two loops are: each of the M blocks has N CONV layers of its own, which "
            "makes N · M.",
            PATTERN,
            frozenset({_A["convs"], _A["pool"], _A["blocks"], _A["zero"]}),
        ),
        Misconception(
            "N and M are swapped",
            _loops_swapped,
            "N stands at the inner bracket, around CONV and RELU; M stands at the outer one, around the "
            "whole block with its POOL.",
            PATTERN,
            lost(_A, "blocks"),
        ),
        Misconception(
            "a POOL behind each CONV",
            _pool_in_the_inner_bracket,
            "The POOL stands behind the inner bracket: the N CONV layers come first, then one POOL.",
            PATTERN,
            lost(_A, "pool", "blocks"),
        ),
        Misconception(
            "one POOL for all blocks",
            _pool_at_the_end,
            "The POOL stands inside the outer bracket, so each of the M blocks ends with one.",
            PATTERN,
            lost(_A, "pool", "blocks", "zero"),
        ),
        Misconception(
            "a POOL between the blocks only",
            _pool_between,
            "The last block ends with a POOL as well: it is part of the block, not a comma between two.",
            PATTERN,
            lost(_A, "pool", "blocks"),
        ),
        Misconception(
            "the POOL is always there",
            _pool_always,
            "The question mark leaves it open: with `pool=False` there is no POOL in any block.",
            PATTERN,
            lost(_A, "convs", "zero"),
        ),
        Misconception(
            "one RELU for a whole block",
            _relu_once_a_block,
            "CONV and RELU stand in the inner bracket together: each CONV has its RELU.",
            PATTERN,
            lost(_A, "convs", "pool", "blocks"),
        ),
        Misconception(
            "hidden FC layers without RELU",
            _no_relu_behind_fc,
            "The K-fold bracket holds FC and RELU. Only the last FC, outside the bracket, has none.",
            PATTERN,
            lost(_A, "fc"),
        ),
        Misconception(
            "K counts the last FC as well",
            _last_fc_counted,
            "K counts the hidden FC layers, those with a RELU. The last FC is outside the bracket and "
            "comes on top.",
            PATTERN,
            lost(_A, "fc"),
        ),
        Misconception(
            "the last FC is missing",
            _no_last_fc,
            "It stands outside all brackets and gives the class scores, so it is there whatever N, M and K are.",
            NOTHING,
            lost(_A, "fc", "zero"),
        ),
        Misconception(
            "a RELU behind the last FC",
            _relu_behind_the_last,
            "The last FC gives the class scores, and a score may be negative. RELU would set all of these to "
            "0.",
            PATTERN,
            lost(_A, "fc", "zero"),
        ),
        Misconception(
            "an arrow to nothing",
            _empty_arrow,
            "Where a part is repeated zero times, its arrow goes with it. Collect the names of the layers in a "
            "list, and join them at the end.",
            NOTHING,
            lost(_A, "zero"),
        ),
    ),
)
