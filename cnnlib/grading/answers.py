"""What a call over there did beside its result, repeated here; and what it raised, made anew.

An answer is the student's word: what is not as it should be in it is left out.
"""

import builtins
import re
import warnings
from typing import Any

import numpy as np

from cnnlib.grading.inside.wire import plain_text

__all__ = ["exception_of", "repeat_effects"]

_NAME = re.compile(r"[A-Za-z_]\w{0,60}")


def repeat_effects(answer: dict[str, Any], handed: list[Any]) -> None:
    """Repeat here what a call did beside its result: prints, warnings, arrays that it changed."""
    printed, warned, changed = (answer.get(key) for key in ("printed", "warned", "changed"))
    if printed:
        print(plain_text(printed, 4000), end="")
    for note in warned[:50] if isinstance(warned, list) else []:
        if isinstance(note, list) and len(note) == 2:
            name = plain_text(note[0], 60)
            kind = getattr(builtins, name, None)
            if not isinstance(kind, type) or not issubclass(kind, Warning):
                kind = type(name if _NAME.fullmatch(name) else "UserWarning", (UserWarning,), {})
            warnings.warn(plain_text(note[1], 300), kind, stacklevel=2)
    for index in changed[: len(handed)] if isinstance(changed, list) else []:
        if type(index) is int and 0 <= index < len(handed):
            array = handed[index]
            if isinstance(array, np.ndarray) and array.flags.writeable and array.flags.c_contiguous:
                array.reshape(-1).view(np.uint8)[...] ^= 255  # how it was changed does not matter


def exception_of(answer: dict[str, Any]) -> BaseException:
    """An exception that tells the names of its class and its ancestors, and nothing else."""
    given = answer["raised"] if isinstance(answer["raised"], list) else []
    names = [n for n in given[:20] if isinstance(n, str) and _NAME.fullmatch(n)]
    text, line = plain_text(answer.get("text"), 300), plain_text(answer.get("line"), 200)
    base: type[BaseException] = Exception
    own: list[str] = []
    for name in names:
        kind = getattr(builtins, name, None)
        if isinstance(kind, type) and issubclass(kind, BaseException):
            # a person's Ctrl-C and the end of this program are not for a student to say
            ends = (KeyboardInterrupt, SystemExit, GeneratorExit)
            base = BaseException if issubclass(kind, ends) else kind
            base = Exception if issubclass(kind, BaseExceptionGroup) else base  # it wants members
            own += [name] if base is not kind else []
            break
        own.append(name)
    if base is Exception and own[-1:] == ["Exception"]:
        own.pop()
    own = own or [base.__name__]
    kind = base
    for name in reversed(own):
        kind = type(
            name, (kind,), {"__init__": lambda self, *_: None, "__str__": lambda self: text}
        )
    error = kind()
    error.remote_names = tuple(names)
    error.student_line = line
    return error
