"""How one answer is compared with the right one. A judge returns "" or the words for what is wrong."""

from dataclasses import replace
from typing import Any

import numpy as np

from cnnlib.checks.calls import Case, Outcome, describe

__all__ = [
    "close",
    "judge_array",
    "judge_dtype",
    "judge_number",
    "judge_raises",
    "judge_real",
    "judge_shape",
    "judge_text",
    "judge_whole",
    "pick",
    "same_outcome",
    "tolerance",
]


def tolerance(dtype: np.dtype) -> float:
    """Allowed error, relative to the largest right value, for inputs of `dtype`.

    Generous enough for any order of summation over the small inputs of a check; a wrong idea is off
    by far more.
    """
    return 1e-4 if dtype == np.float32 else 1e-9


def close(got: np.ndarray, right: np.ndarray, relative: float) -> np.ndarray:
    """Element by element: is `got` within `relative` of the largest finite right value?

    An infinity equals itself only, and so does NaN: two answers with the same mistake may share them.
    """
    scale = max(float(np.max(np.abs(right), initial=0.0, where=np.isfinite(right))), 1.0)
    with np.errstate(all="ignore"):
        near = np.abs(got.astype(np.float64) - right) <= relative * scale
    return near | (got == right) | (np.isnan(got) & np.isnan(right))


def _input_dtype(case: Case) -> np.dtype:
    arrays = [
        v for v in [*case.positional.values(), *case.keyword.values()] if isinstance(v, np.ndarray)
    ]
    return arrays[0].dtype if arrays else np.dtype(np.float64)


def pick(got: Outcome, index: int, count: int) -> Outcome:
    """The outcome for one of several results that a task returns as a tuple."""
    if got.raised or got.timed_out:
        return got
    if isinstance(got.value, tuple) and len(got.value) == count:
        return replace(got, value=got.value[index])
    if len(got.entries) == count:
        entry = got.entries[index]
        return replace(got, value=entry.value, strange=entry.strange, entries=())
    what = f"{describe(got)} in place of {count} results"
    if got.value is None and not got.strange:
        what += ": a function without a return statement gives None"
    return replace(got, value=None, strange=what, entries=())


# --- whole numbers ------------------------------------------------------------------------------


def judge_number(case: Case, right: Any, got: Outcome) -> str:
    """The value of a number; its type is another judge's matter, so 55.0 passes for 55."""
    if got.raised or got.timed_out or isinstance(got.value, bool | np.bool_):
        return f"expected {right}, got {describe(got)}"
    if not isinstance(got.value, int | float | np.integer | np.floating):
        return f"expected the number {right}, got {describe(got)}"
    return "" if got.value == right else f"expected {right}, got {describe(got)}"


def judge_whole(case: Case, right: Any, got: Outcome) -> str:
    """The value, and that it is an int."""
    if problem := judge_number(case, right, got):
        return problem
    if isinstance(got.value, float | np.floating):
        return (
            f"the value is right, but {describe(got)} is a float: np.zeros({describe(got)}) would "
            "refuse it as a size. Return an int"
        )
    return ""


def judge_raises(case: Case, right: Any, got: Outcome) -> str:
    """`right` is the name of the exception that must be raised, or "" where none may be."""
    if got.timed_out:
        return "no answer in time"
    if not right:
        return "" if not got.raised else f"these windows tile, but it raised {describe(got)}"
    if right in got.raised:
        return ""
    what = f"raised {describe(got)}" if got.raised else f"returned {describe(got)}"
    return f"expected a {right}, but it {what}"


def judge_real(case: Case, right: Any, got: Outcome) -> str:
    """A number that need not be whole, to the tolerance of its inputs."""
    kinds = int | float | np.integer | np.floating
    if got.raised or got.timed_out or isinstance(got.value, bool | np.bool_):
        return f"expected {right:.6g}, got {describe(got)}"
    value = got.value
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(()).item()
    if not isinstance(value, kinds):
        return f"expected the number {right:.6g}, got {describe(got)}"
    allowed = tolerance(_input_dtype(case)) * max(abs(float(right)), 1.0)
    if abs(float(value) - float(right)) <= allowed:
        return ""
    wanted, found = _apart(float(right), float(value), 6)
    return f"expected {wanted}, got {found}"


def _apart(right: float, got: float, digits: int) -> tuple[str, str]:
    """Two numbers in words, with as many digits as it takes to tell them apart."""
    for count in range(digits, 18):
        wanted, found = f"{right:.{count}g}", f"{got:.{count}g}"
        if wanted != found:
            break
    return wanted, found


def judge_text(case: Case, right: str, got: Outcome) -> str:
    """A word or a line, blanks and capitals aside."""
    if got.raised or got.timed_out or not isinstance(got.value, str):
        return f"expected the text {right!r}, got {describe(got)}"
    plain = " ".join(got.value.split()).casefold()
    return (
        ""
        if plain == " ".join(right.split()).casefold()
        else f"expected {right!r}, got {got.value!r}"
    )


# --- arrays -------------------------------------------------------------------------------------


def judge_shape(case: Case, right: np.ndarray, got: Outcome) -> str:
    """That an array came back, of the right shape."""
    if got.raised or got.timed_out or not isinstance(got.value, np.ndarray):
        return f"expected an array of shape {right.shape}, got {describe(got)}"
    if got.value.dtype.kind == "c":
        return f"expected real numbers, got {describe(got)}"
    if got.value.shape != right.shape:
        return f"expected shape {right.shape}, got {got.value.shape}"
    return ""


def judge_array(case: Case, right: np.ndarray, got: Outcome) -> str:
    """Shape and values, whatever the float type."""
    if problem := judge_shape(case, right, got):
        return problem
    good = close(got.value, right, tolerance(_input_dtype(case)))
    if good.all():
        return ""
    wrong = int(good.size - good.sum())
    first = tuple(int(i) for i in np.argwhere(~good)[0])
    wanted, found = _apart(float(right[first]), float(got.value[first]), 4)
    where = f"the first at {list(first)}: expected {wanted}, got {found}"
    return f"{wrong} of {good.size} values differ, {where}"


def judge_dtype(case: Case, right: np.ndarray, got: Outcome) -> str:
    """Right values in the input's own float type."""
    if problem := judge_array(case, right, got):
        return problem
    wanted = _input_dtype(case)
    if got.value.dtype != wanted:
        return (
            f"the values are right, but {wanted} went in and {got.value.dtype} came out. "
            "The contract keeps the type: a network in float32 would double its memory otherwise"
        )
    return ""


# --- one answer against another -----------------------------------------------------------------


def same_outcome(case: Case, one: Outcome, other: Outcome, *, types: bool = False) -> bool:
    """Did two functions do the same on this input? With `types`, down to the element type."""
    if one.raised or other.raised:
        return bool(one.raised) and one.raised == other.raised
    a, b = one.value, other.value
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        if a.shape != b.shape or (types and a.dtype != b.dtype):
            return False
        if a.dtype.kind == "c" or b.dtype.kind == "c":
            return False
        return bool(close(a, b.astype(np.float64), tolerance(_input_dtype(case))).all())
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(
            (x is None and y is None)
            or same_outcome(case, Outcome(value=x), Outcome(value=y), types=types)
            for x, y in zip(a, b, strict=True)
        )
    if isinstance(a, str) and isinstance(b, str):
        return a == b
    numbers = int | float | np.integer | np.floating
    if not isinstance(a, numbers) or not isinstance(b, numbers):
        return False
    if types and isinstance(a, float | np.floating) != isinstance(b, float | np.floating):
        return False
    return bool(a == b)
