"""Task (a): the output size, with its three roundings."""

import math
from collections.abc import Callable
from typing import Any

from cnnlib import shapes
from cnnlib.checks.calls import Case
from cnnlib.checks.ch04_output_size.common import FORMULA, PADDING, STRICT
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, lost, whole
from cnnlib.checks.judges import (
    judge_number,
    judge_raises,
    judge_whole,
)


def _size(
    size: int,
    kernel: int,
    *,
    stride: int | None = None,
    padding: int | None = None,
    rounding: str | None = None,
    right: int | None = None,
    note: str = "",
) -> Case:
    """A case of task (a); what is None is left to the function's own default."""
    keyword = {"stride": stride, "padding": padding, "rounding": rounding}
    given = {name: value for name, value in keyword.items() if value is not None}
    return Case({"size": size, "kernel": kernel}, given, expected=right, note=note)


def _kernel_cases(rng: Random) -> list[Case]:
    drawn = [(whole(rng, 8, 40), whole(rng, 2, 7)) for _ in range(4)]
    return [_size(5, 3, right=3, note="worked by hand")] + [_size(w, f) for w, f in drawn]


def _padding_cases(rng: Random) -> list[Case]:
    drawn = [(whole(rng, 8, 40), whole(rng, 2, 7), whole(rng, 1, 4)) for _ in range(4)]
    return [_size(5, 3, padding=1, right=5, note="worked by hand")] + [
        _size(w, f, padding=p) for w, f, p in drawn
    ]


def _tiling(rng: Random) -> tuple[int, int, int]:
    """Size, kernel and stride whose windows tile the input; the kernel is no multiple of the stride."""
    stride = whole(rng, 2, 5)
    kernel = stride * whole(rng, 1, 2) + whole(rng, 1, stride - 1)
    return kernel + stride * whole(rng, 2, 8), kernel, stride


def _stride_cases(rng: Random) -> list[Case]:
    worked = [
        _size(5, 3, stride=2, right=2, note="worked by hand"),
        _size(227, 11, stride=4, right=55),
    ]
    drawn = [_tiling(rng) for _ in range(3)]
    return worked + [_size(w, f, stride=s) for w, f, s in drawn]


def _strict_cases(rng: Random) -> list[Case]:
    cases = [_size(6, 3, stride=2), _size(224, 11, stride=4), _size(227, 11, stride=4)]
    for _ in range(3):
        w, f, s = _tiling(rng)
        cases += [_size(w, f, stride=s), _size(w + whole(rng, 1, s - 1), f, stride=s)]
    return cases


def _must_raise(size: int, kernel: int, **settings: Any) -> str:
    try:
        shapes.output_size(size, kernel, **settings)
    except ValueError:
        return "ValueError"
    return ""


def _floor_cases(rng: Random) -> list[Case]:
    cases = [
        _size(224, 11, stride=4, rounding="floor", right=54, note="AlexNet as printed"),
        _size(224, 7, stride=2, padding=3, rounding="floor", right=112, note="ResNet"),
    ]
    for _ in range(3):  # a remainder over one half, where rounding to the nearest would go up
        w, f, _s = _tiling(rng)
        s = whole(rng, 3, 5)
        w = f + s * whole(rng, 2, 8) + s - 1
        cases.append(_size(w, f, stride=s, rounding="floor"))
    return cases


def _ceil_cases(rng: Random) -> list[Case]:
    cases = [_size(224, 11, stride=4, rounding="ceil", right=55, note="AlexNet as printed")]
    for _ in range(3):  # no wider stride than kernel: the last window starts inside the image
        w, f, s = _tiling(rng)
        cases.append(_size(w + whole(rng, 1, s - 1), f, stride=s, rounding="ceil"))
    return cases


def _ceil_guard_cases(rng: Random) -> list[Case]:
    cases = [
        _size(5, 2, stride=2, padding=1, rounding="ceil", right=3, note="worked by hand"),
        _size(4, 3, stride=2, padding=1, rounding="ceil", right=3, note="worked by hand"),
        _size(6, 1, stride=4, rounding="ceil", right=2, note="worked by hand"),
    ]
    for _ in range(3):  # the next window would start behind the last pixel
        f = whole(rng, 1, 3)
        s = f + whole(rng, 1, 3)
        w = f + s * whole(rng, 1, 5) + whole(rng, 1, s - f)
        cases.append(_size(w, f, stride=s, rounding="ceil"))
    return cases


def _whole_cases(rng: Random) -> list[Case]:
    w, f = whole(rng, 8, 40), whole(rng, 2, 7)
    return [_size(w, f, rounding=rounding) for rounding in ("strict", "floor", "ceil")]


def _count(
    span: float,
    stride: int,
    rounding: str,
    *,
    starts_inside: Callable[[int], bool] = lambda windows: True,
) -> int:
    """Windows on a way of `span` pixels: the frame into which the misconceptions of (a) put theirs."""
    exact = span / stride
    windows = math.floor(exact) + 1
    if exact == int(exact) or rounding == "floor":
        return windows
    if rounding == "strict":
        raise ValueError("the windows do not tile")
    return windows + 1 if starts_inside(windows) else windows


def _no_plus_one(size, kernel, *, stride=1, padding=0, rounding="strict"):
    return shapes.output_size(size, kernel, stride=stride, padding=padding, rounding=rounding) - 1


def _padding_once(size, kernel, *, stride=1, padding=0, rounding="strict"):
    return _count(
        size - kernel + padding,
        stride,
        rounding,
        starts_inside=lambda windows: windows * stride < size,
    )


def _misplaced_parenthesis(size, kernel, *, stride=1, padding=0, rounding="strict"):
    return _count(size - kernel / stride + 2 * padding, 1, rounding)


def _silent_floor(size, kernel, *, stride=1, padding=0, rounding="strict"):
    rounding = "floor" if rounding == "strict" else rounding
    return shapes.output_size(size, kernel, stride=stride, padding=padding, rounding=rounding)


def _nearest(size, kernel, *, stride=1, padding=0, rounding="strict"):
    if rounding == "floor":
        return round((size - kernel + 2 * padding) / stride + 1)
    return shapes.output_size(size, kernel, stride=stride, padding=padding, rounding=rounding)


def _ceil_is_floor(size, kernel, *, stride=1, padding=0, rounding="strict"):
    rounding = "floor" if rounding == "ceil" else rounding
    return shapes.output_size(size, kernel, stride=stride, padding=padding, rounding=rounding)


def _ceil_unguarded(size, kernel, *, stride=1, padding=0, rounding="strict"):
    return _count(size - kernel + 2 * padding, stride, rounding)


def _ceil_without_padding_before(size, kernel, *, stride=1, padding=0, rounding="strict"):
    return _count(
        size - kernel + 2 * padding,
        stride,
        rounding,
        starts_inside=lambda windows: windows * stride < size,
    )


def _ceil_up_to_the_end(size, kernel, *, stride=1, padding=0, rounding="strict"):
    return _count(
        size - kernel + 2 * padding,
        stride,
        rounding,
        starts_inside=lambda windows: windows * stride <= padding + size,
    )


def _float_size(size, kernel, *, stride=1, padding=0, rounding="strict"):
    return float(
        shapes.output_size(size, kernel, stride=stride, padding=padding, rounding=rounding)
    )


_A = {
    "kernel": "the kernel (stride 1, no padding)",
    "padding": "padding on both sides",
    "stride": "a stride that fits",
    "strict": "strict: refuse what does not fit",
    "floor": "floor",
    "ceil": "ceil",
    "guard": "ceil: no window that starts behind the image",
    "int": "the result is an int",
}


OUTPUT_SIZE = Task(
    "a",
    "output size",
    "output_size",
    shapes.output_size,
    parts=(
        Part(_A["kernel"], 1, _kernel_cases, judge_number, hint=1),
        Part(_A["padding"], 1, _padding_cases, judge_number, hint=1),
        Part(_A["stride"], 1, _stride_cases, judge_number, hint=2),
        Part(_A["strict"], 1, _strict_cases, judge_raises, right=_must_raise, hint=2),
        Part(_A["floor"], 1, _floor_cases, judge_number, hint=2),
        Part(_A["ceil"], 1, _ceil_cases, judge_number, hint=2),
        Part(_A["guard"], 1, _ceil_guard_cases, judge_number, hint=3),
        Part(_A["int"], 1, _whole_cases, judge_whole),
    ),
    misconceptions=(
        Misconception(
            "the + 1 is missing",
            _no_plus_one,
            "(W − F + 2P)/S counts the steps between windows. There is one window more than steps, "
            "as there is one fence post more than gaps.",
            FORMULA,
            lost(_A, "kernel", "padding", "stride", "floor", "ceil", "guard", "int"),
        ),
        Misconception(
            "padding counted once",
            _padding_once,
            "P zeros are added on each side of the axis, so the axis grows by 2P.",
            PADDING,
            lost(_A, "padding", "floor", "guard"),
        ),
        Misconception(
            "only the kernel is divided by the stride",
            _misplaced_parenthesis,
            "The whole way that the window can travel, W − F + 2P, is cut into steps of S. "
            "A parenthesis in the wrong place divides F alone.",
            FORMULA,
            lost(_A, "stride", "strict", "floor", "ceil", "guard"),
        ),
        Misconception(
            "strict rounds silently",
            _silent_floor,
            'With `rounding="strict"` a remainder is an error that the caller must hear about. '
            "Floor is what PyTorch does without a word.",
            STRICT,
            lost(_A, "strict"),
        ),
        Misconception(
            "rounding to the nearest",
            _nearest,
            "Floor always goes down: a window that does not fit completely does not count, even if "
            "more than half of it would fit.",
            STRICT,
            lost(_A, "floor"),
        ),
        Misconception(
            "ceil treated as floor",
            _ceil_is_floor,
            "Ceil keeps the last window although it sticks out over the far edge.",
            STRICT,
            lost(_A, "ceil", "guard"),
        ),
        Misconception(
            "ceil without a look at where the window starts",
            _ceil_unguarded,
            "Rounding up may add a window that lies completely in the padding after the image. "
            "The extra window counts only if it starts before P + W, in padded coordinates.",
            STRICT,
            lost(_A, "guard"),
        ),
        Misconception(
            "the padding before the image is forgotten in ceil",
            _ceil_without_padding_before,
            "Window number n starts at n · S in padded coordinates, where the image ends at P + W, "
            "not at W.",
            STRICT,
            lost(_A, "guard"),
        ),
        Misconception(
            "a window that starts at the end counts",
            _ceil_up_to_the_end,
            "Counted from 0, the image covers P to P + W − 1. A window that starts at P + W lies behind the last pixel: "
            "the comparison is < and not ≤.",
            STRICT,
            lost(_A, "guard"),
        ),
        Misconception(
            "a size that is a float",
            _float_size,
            "A size counts positions, so it is an int. The operator `/` gives a float even when the "
            "division comes out even; `//` does not.",
            FORMULA,
            lost(_A, "int"),
        ),
    ),
)
