"""The six rules of task (a), read off a diagram's layers."""

from functools import cache
from typing import Any, NamedTuple

from cnnlib.diagram.plan import plan


class Layer(NamedTuple):
    """What the notebook's `layers` gives for each layer."""

    kind: str
    before: Any  # (height, width), or None
    behind: Any
    kernel: int
    stride: int


@cache
def layers(text: str) -> tuple[Layer, ...]:
    """The layers of a diagram in a row, with the sizes before and behind each."""
    found = []
    for step in plan(text).layers():
        before, behind = (
            (shape[1], shape[2]) if len(shape) == 3 else None
            for shape in (step.in_shape, step.out_shape)
        )
        window = step.window
        kernel, stride = (window.kernel[0], window.stride[0]) if window else (0, 0)
        found.append(Layer(step.kind, before, behind, kernel, stride))
    return tuple(found)


def kinds(text: str, kind: str) -> list[Layer]:
    return [layer for layer in layers(text) if layer.kind == kind]


def _odd(text: str) -> int:
    return sum(
        p.kernel == p.stride == 2 and any(n % 2 for n in p.before) for p in kinds(text, "POOL")
    )


def _large(text: str) -> int:
    convs = kinds(text, "CONV")
    free = max(convs[0].before) > 200
    return sum(c.kernel > 5 and not (free and i == 0) for i, c in enumerate(convs))


def _shrinking(text: str) -> int:
    return sum(c.stride == 1 and c.behind != c.before for c in kinds(text, "CONV"))


def _wide(text: str) -> int:
    return sum(p.kernel > 3 and p.before != (p.kernel, p.kernel) for p in kinds(text, "POOL"))


def undropped(text: str) -> int:
    count, bare = 0, False
    for layer in layers(text):
        if layer.kind == "FC":
            count += bare
            bare = True
        elif layer.kind == "DO":
            bare = False
    return count


def _field(text: str) -> int:
    field, jump = 1, 1
    for layer in layers(text):
        if layer.kind in ("CONV", "POOL"):
            field += (layer.kernel - 1) * jump
            jump *= layer.stride
    return field


def review(text: str) -> tuple[int, int, int, int, int, int]:
    """The reference of task (a)."""
    return (
        _odd(text),
        _large(text),
        _shrinking(text),
        _wide(text),
        undropped(text),
        _field(text),
    )
