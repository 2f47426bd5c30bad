"""Reading and judging the diagram that task (a) returns."""

import functools
import re
from collections.abc import Callable
from typing import Any

from cnnlib.checks.calls import Case, Outcome, describe
from cnnlib.diagram import expand, summarize
from cnnlib.diagram.tree import DEFAULTS, Layer
from cnnlib.errors import CnnlibError

__all__ = [
    "depths",
    "judge_bend",
    "judge_depths",
    "judge_others",
    "judge_reads",
    "judge_sizes",
    "others",
    "sizes",
    "use",
]

_LONGEST = 4000
_BENDS = ("RELU", "LRELU", "ELU", "ACT")

# --- reading a diagram ----------------------------------------------------------------------------


@functools.lru_cache(512)
def _layers(text: str) -> tuple[Layer, ...]:
    """The layers of a diagram in one spelling: what agrees with a default is left out."""
    plain = []
    for layer in expand(text).items:
        if not isinstance(layer, Layer):
            raise CnnlibError("The layers of this network stand in one row: no { } is needed.")
        values = {name: layer.get(name) for name in DEFAULTS[layer.kind]}
        kernel: Any = values.get("kernel")
        odd = layer.kind == "CONV" and isinstance(kernel, int) and kernel % 2 == 1
        if odd and values["dilation"] == 1 and values["padding"] == (kernel - 1) // 2:
            values["padding"] = "same"
        keep = [(k, v) for k, v in values.items() if v != DEFAULTS[layer.kind][k]]
        plain.append(Layer(layer.kind, tuple(keep)))
    return tuple(plain)


def _written(text: str) -> str:
    return " => ".join(map(str, _layers(text)))


def use(without_pool: Callable, diagram: str) -> Any:
    """Call what the student wrote and put its text in one spelling, if it is a diagram."""
    text = without_pool(diagram)
    if not isinstance(text, str) or len(text) > _LONGEST:
        return text
    try:
        return _written(text)
    except CnnlibError:
        return text


def _pair(value: Any) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def _shrinks(layer: Layer) -> bool:
    return layer.kind in ("CONV", "POOL") and layer.get("stride") != 1


# --- what must be true of the new network -----------------------------------------------------------


def sizes(text: str) -> tuple[tuple[int, int], ...]:
    """Height and width on the way through the network, each change once."""
    summary = summarize(text)
    found = [summary.input_shape[1:]]
    for row in summary.rows:
        if len(row.shape) == 3 and row.shape[1:] != found[-1]:
            found.append(row.shape[1:])
    return tuple((h, w) for h, w in found)


def depths(text: str) -> tuple[tuple[int, int], ...]:
    """(by how much the strides have shrunk the area, depth there) behind every layer that shrinks."""
    depth, shrunk, found = 0, 1, []
    for layer in _layers(text):
        if layer.kind in ("INPUT", "CONV"):
            depth = layer.get("channels" if layer.kind == "INPUT" else "filters")
        if _shrinks(layer):
            height, width = _pair(layer.get("stride"))
            shrunk *= height * width
            found.append((shrunk, depth))
    return tuple(found)


def others(text: str) -> str:
    """The layers that are no POOL."""
    return " => ".join(str(layer) for layer in _layers(text) if layer.kind != "POOL")


def _arrows(sizes: tuple[tuple[int, int], ...]) -> str:
    return " → ".join(f"{h} × {w}" for h, w in sizes)


def _in_one_line(error: CnnlibError) -> str:
    """What is wrong and the remedy, without the place: the caret has no line to stand under here."""
    lines = [
        re.sub(r"^line \d+, column \d+: ", "", line.strip()) for line in str(error).splitlines()
    ]
    return " ".join(dict.fromkeys(line for line in (lines[0], lines[-1]) if line != "^"))


def _judge(
    look: Callable[[Any, tuple[Layer, ...], str], str],
) -> Callable[[Case, Any, Outcome], str]:
    """A judge of a text: it must be a diagram without POOL, and then `look` has its say."""

    def judge(case: Case, right: Any, got: Outcome) -> str:
        if got.raised or got.timed_out or not isinstance(got.value, str):
            return f"expected the text of a diagram, got {describe(got)}"
        if len(got.value) > _LONGEST:
            return f"expected a short text, got one of {len(got.value)} characters"
        try:
            layers = _layers(got.value)
            if any(layer.kind == "POOL" for layer in layers):
                return f"a POOL is left in {got.value}"
            return look(right, layers, got.value)
        except CnnlibError as error:
            return f"your diagram does not work. {_in_one_line(error)} It reads {got.value}"

    return judge


@_judge
def judge_sizes(right: Any, layers: tuple[Layer, ...], text: str) -> str:
    found = sizes(text)
    rest = iter(found)
    if found[-1] == right[-1] and all(size in rest for size in right):
        return ""
    return f"expected the sizes {_arrows(right)}, got {_arrows(found)} from {text}"


@_judge
def judge_depths(right: Any, layers: tuple[Layer, ...], text: str) -> str:
    found = dict(depths(text))
    for shrunk, depth in right:
        if shrunk not in found:
            return f"no CONV with a stride stands in POOL's place in {text}"
        if found[shrunk] != depth:
            return f"expected a depth of {depth} behind POOL's place, got {found[shrunk]} in {text}"
    return ""


@_judge
def judge_others(right: str, layers: tuple[Layer, ...], text: str) -> str:
    rest = iter([str(layer) for layer in layers])
    for layer in right.split(" => "):
        if layer not in rest:
            return f"{layer} of the given network is missing, or in another place, in {text}"
    return ""


@_judge
def judge_bend(right: Any, layers: tuple[Layer, ...], text: str) -> str:
    strided = [place for place, layer in enumerate(layers) if _shrinks(layer)]
    if not strided:
        return f"no CONV with a stride stands in POOL's place in {text}"
    for place in strided:
        after = [layer.kind for layer in layers[place + 1 :] if layer.kind not in ("BN", "DO")]
        if not after or after[0] not in _BENDS:
            return f"{layers[place]} has no RELU behind it in {text}"
    return ""


@_judge
def judge_reads(right: Any, layers: tuple[Layer, ...], text: str) -> str:
    strided = [layer for layer in layers if _shrinks(layer)]
    if not strided:
        return f"no CONV with a stride stands in POOL's place in {text}"
    for layer in strided:
        axes = [_pair(layer.get(name)) for name in ("kernel", "stride", "dilation")]
        for kernel, stride, dilation in zip(*axes, strict=True):
            if len({tap * dilation % stride for tap in range(kernel)}) < stride:
                return f"the windows of {layer} leave pixels between them that nobody reads"
    return ""
