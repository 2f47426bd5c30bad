"""Functions of the checks that run in the student's own process, and answers that are kept.

Some of what a student writes makes things that cannot cross to another process, such as PyTorch modules.
Then an *errand* goes over: a function that uses what was written there and brings numbers and arrays back.
They are the student's word, so they are raw material; what is right is judged on this side.
"""

import ast
import functools
import hashlib
import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["beside", "bundled", "identity", "remembered"]

MOST_REMEMBERED = 5000


def beside(errand: Callable[..., Any]) -> Callable[..., Any]:
    """A drive that runs `errand` in the student's own process, where that is another one than this.

    Parameters
    ----------
    errand : callable
        ``errand(written, *arguments)``, a function at the top of its module. Of the checks that module may
        import others of its kind only, since their source goes along: no reference, no case, no judge.
    """

    @functools.wraps(errand)
    def driven(written: Any, *positional: Any, **keyword: Any) -> Any:
        session = getattr(written, "remote_session", None)
        if session is None:
            return errand(written, *positional, **keyword)
        there = session.errand(bundled(errand.__module__), errand.__name__, written.remote_place)
        return there(written, *positional, **keyword)

    return driven


@functools.cache
def bundled(module: str) -> str:
    """The source of a module as a text that stands alone: the checks that it imports come before it."""
    before, own = [], []
    for statement in ast.parse(inspect.getsource(importlib.import_module(module))).body:
        from_ = statement.module or "" if isinstance(statement, ast.ImportFrom) else ""
        if from_.startswith(f"{__package__}."):
            before.append(bundled(from_))
        else:
            own.append(statement)
    return "\n".join([*before, ast.unparse(ast.Module(own, []))])


def remembered(drive: Callable[..., Any]) -> Callable[..., Any]:
    """A drive that keeps what the functions and classes of the checks themselves gave.

    A wrong answer is compared with all misconceptions on all inputs, once for each part that it lost.
    """
    known: dict[tuple, tuple[Any, Exception | None]] = {}

    @functools.wraps(drive)
    def driven(written: Any, *positional: Any, **keyword: Any) -> Any:
        if not str(getattr(written, "__module__", "")).startswith(f"{__package__}."):
            return drive(written, *positional, **keyword)
        settings = sorted(keyword.items())
        key = (written, *map(identity, positional), *((name, identity(v)) for name, v in settings))
        if key not in known:
            if len(known) >= MOST_REMEMBERED:
                known.clear()
            try:
                known[key] = (drive(written, *positional, **keyword), None)
            except Exception as error:
                known[key] = (None, error)
        out, raised = known[key]
        if raised is not None:
            raise raised.with_traceback(None)
        return out

    return driven


def identity(value: Any) -> Any:
    """What tells one argument from another: a key for a dictionary."""
    if isinstance(value, np.ndarray):
        return hashlib.sha256(value.tobytes()).digest(), value.shape, value.dtype.str
    if isinstance(value, Mapping):
        return tuple((name, identity(one)) for name, one in value.items())
    if isinstance(value, list | tuple):
        return type(value), *map(identity, value)
    return type(value), value
