"""A student's process: runs the cells of a notebook, keeps the objects, answers calls until told to end."""

import contextlib
import io
import os
import re
import socket
import sys
import traceback
import warnings
from typing import Any

import numpy as np
import wire
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from stand_ins import NotHereError

__all__ = ["serve", "warm_shell"]

MOST_OUTPUT = 400_000
"""Characters of output that one cell may leave behind."""
_MIME = ("text/plain", "text/html", "text/markdown", "text/latex", "image/png", "image/jpeg")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


# --- outputs of a cell --------------------------------------------------------------------------


class _Outputs:
    """What a cell writes and shows, in order, up to `MOST_OUTPUT` characters; nothing unless it is `wanted`."""

    def __init__(self) -> None:
        self.wanted = True
        self.reset()

    def reset(self) -> None:
        self.all: list[dict[str, Any]] = []
        self.left = MOST_OUTPUT

    def write(self, name: str, text: str) -> None:
        if self.left <= 0 or not text or not self.wanted:
            return
        piece = text[: self.left]
        self.left -= len(piece)
        if self.left <= 0:
            piece += "\n… the rest of this cell's output was left out\n"
        last = self.all[-1] if self.all else {}
        if last.get("output_type") == "stream" and last["name"] == name:
            last["text"] += piece
        else:
            self.all.append({"output_type": "stream", "name": name, "text": piece})

    def show(self, kind: str, data: dict[str, Any]) -> None:
        if not self.wanted:
            return
        kept = {mime: data[mime] for mime in _MIME if isinstance(data.get(mime), str)}
        size = sum(map(len, kept.values()))
        if size > self.left:
            kept = {"text/plain": "… too large to keep"}
            size = 20
        self.left -= size
        self.all.append({"output_type": kind, "data": kept, "metadata": {}})


OUTPUTS = _Outputs()


class _Stream(io.TextIOBase):
    def __init__(self, name: str) -> None:
        self.name = name

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        OUTPUTS.write(self.name, str(text))
        return len(text)


class _Publisher(DisplayPublisher):
    def publish(self, data: Any, metadata: Any = None, source: Any = None, **_: Any) -> None:
        OUTPUTS.show("display_data", dict(data))

    def clear_output(self, wait: bool = False) -> None:
        OUTPUTS.reset()


class _Hook(DisplayHook):
    def __call__(self, result: Any = None) -> None:
        if result is not None and not self.quiet():
            data, _ = self.compute_format_data(result) if OUTPUTS.wanted else ({}, {})
            self.update_user_ns(result)
            OUTPUTS.show("execute_result", dict(data))


class _Shell(InteractiveShell):
    displayhook_class = _Hook
    display_pub_class = _Publisher

    def showtraceback(self, *positional: Any, **keyword: Any) -> None:
        """Most of the time goes into finding the lines that a traceback shows."""
        error = sys.exc_info()[1]
        if isinstance(error, NotHereError):
            OUTPUTS.write("stdout", f"Not run while grading: {_text(error)}.\n")
        elif OUTPUTS.wanted:
            super().showtraceback(*positional, **keyword)

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        lines = [_COLOURS.sub("", str(line)) for line in stb]
        OUTPUTS.all.append(
            {
                "output_type": "error",
                "ename": etype.__name__[:80],
                "evalue": _text(evalue),
                "traceback": ["\n".join(lines)[:20_000]],
            }
        )

    def _format_exception_for_storage(self, *_: Any, **__: Any) -> dict[str, Any]:
        return {}  # IPython's history keeps each traceback, and nobody reads it here

    def enable_gui(self, gui: Any = None) -> None:
        pass


def _refuse_input(prompt: Any = "") -> str:
    raise RuntimeError(
        "input() waits for a person, and nobody is there while grading: use a value instead"
    )


def warm_shell() -> InteractiveShell:
    """The notebook's interpreter, ready before any student's code is there."""
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "NoColor"
    config.IPCompleter.use_jedi = False
    shell = _Shell.instance(config=config)
    with contextlib.suppress(ImportError):
        import matplotlib

        matplotlib.use("module://matplotlib_inline.backend_inline")
        import matplotlib.pyplot
        from matplotlib_inline.backend_inline import configure_inline_support, flush_figures  # noqa: F401

        configure_inline_support(shell, "module://matplotlib_inline.backend_inline")
    return shell


# --- calls --------------------------------------------------------------------------------------


def _text(error: BaseException) -> str:
    try:
        return str(error)[:300]
    except BaseException:
        return ""


def _line(error: BaseException) -> str:
    """The last line of the student's own cells on the way to the error."""
    frames = [
        f
        for f in traceback.extract_tb(error.__traceback__)
        if "ipykernel" in f.filename or f.filename.startswith("<ipython")
    ]
    return (
        f"line {frames[-1].lineno}: {frames[-1].line}"[:200] if frames and frames[-1].line else ""
    )


def _state(value: Any) -> tuple | None:
    """What of an argument a call may have changed."""
    return (value.shape, value.dtype, value.tobytes()) if type(value) is np.ndarray else None


class _Objects:
    """What the grader knows by number. Kept alive here, as it may be used again."""

    def __init__(self) -> None:
        self.all: list[Any] = []

    def keep(self, value: Any) -> wire.Remote:
        self.all.append(value)
        own = type(value)  # an object may lie about its __class__
        kind = "class" if issubclass(own, type) else "function" if callable(value) else "instance"
        return wire.Remote(len(self.all) - 1, kind, str(own.__name__)[:80])

    def find(self, number: int, kind: str, name: str) -> Any:
        return self.all[number]


class _Server:
    def __init__(self, shell: InteractiveShell) -> None:
        self.shell, self.objects = shell, _Objects()
        self.modules: dict[str, dict[str, Any]] = {}

    def answer(self, message: dict[str, Any], buffers: list[bytes]) -> tuple[dict, list[bytes]]:
        return getattr(self, f"do_{message['do']}")(message, buffers)

    def do_run(self, message: dict[str, Any], buffers: list[bytes]) -> tuple[dict, list[bytes]]:
        OUTPUTS.reset()
        OUTPUTS.wanted = bool(message["wanted"])
        formatter: Any = self.shell.display_formatter
        formatter.active_types = formatter.format_types if OUTPUTS.wanted else []
        self.shell.run_cell(message["source"], store_history=True)
        with contextlib.suppress(Exception):
            sys.modules["matplotlib_inline.backend_inline"].flush_figures()
        return {"outputs": OUTPUTS.all}, []

    def do_name(self, message: dict[str, Any], buffers: list[bytes]) -> tuple[dict, list[bytes]]:
        name = message["name"]
        if name not in self.shell.user_ns:
            return {"missing": True}, []
        return self._value(self.shell.user_ns[name])

    def do_use(self, message: dict[str, Any], buffers: list[bytes]) -> tuple[dict, list[bytes]]:
        """Call an object, or get or set an attribute of it."""
        positional, keyword = wire.decode(message["arguments"], buffers, self.objects.find)
        target = (
            self.objects.all[message["number"]] if "number" in message else self._errand(message)
        )
        written = io.StringIO()
        handed = [*positional, *keyword.values()]
        before = [_state(value) for value in handed]
        result, raised = None, dict[str, Any]()
        with warnings.catch_warnings(record=True, action="always") as caught:
            streams = sys.stdout, sys.stderr
            sys.stdout = sys.stderr = written
            try:
                if "attribute" not in message:
                    result = target(*positional, **keyword)
                elif message.get("set"):
                    setattr(target, message["attribute"], positional[0])
                    result = None
                else:
                    result = getattr(target, message["attribute"])
            except BaseException as error:
                raised = {
                    "raised": [kind.__name__ for kind in type(error).__mro__[:-1]][:20],
                    "text": _text(error),
                    "line": _line(error),
                }
            finally:
                sys.stdout, sys.stderr = streams
        answer, sent = (raised, []) if raised else self._value(result)
        after = [_state(value) for value in handed]
        if after != before:
            pairs = enumerate(zip(before, after, strict=True))
            answer["changed"] = [index for index, (old, new) in pairs if old != new]
        if printed := written.getvalue():
            answer["printed"] = printed[:4000]
        if caught:
            notes = [[w.category.__name__, str(w.message)[:300]] for w in caught[:50]]
            answer["warned"] = notes
        return answer, sent

    def _errand(self, message: dict[str, Any]) -> Any:
        """A function of the grader's own, from its source."""
        source = message["source"]
        if source not in self.modules:
            names: dict[str, Any] = {"__name__": "errand"}
            exec(compile(source, "<errand>", "exec"), names)
            self.modules[source] = names
        return self.modules[source][message["function"]]

    def _value(self, value: Any) -> tuple[dict, list[bytes]]:
        tree, buffers = wire.encode(value, self.objects.keep)
        return {"value": tree}, buffers


def serve(channel: socket.socket, shell: InteractiveShell) -> None:
    """Answer requests until the channel closes."""
    import builtins

    builtins.input = _refuse_input
    sys.stdout, sys.stderr = _Stream("stdout"), _Stream("stderr")
    os.chdir(os.environ["HOME"])
    server = _Server(shell)
    while True:
        try:
            message, buffers = wire.receive(channel)
        except EOFError:
            os._exit(0)
        nonce = message.get("nonce")
        try:
            answer, sent = server.answer(message, buffers)
        except wire.WireError as error:
            answer, sent = {"refused": error.verdict, "text": _text(error)}, []
        except MemoryError:
            answer, sent = {"refused": "oom", "text": "out of memory"}, []
        except BaseException as error:
            answer, sent = (
                {"refused": "crashed", "text": f"{type(error).__name__}: {_text(error)}"},
                [],
            )
        if os.getpid() != 1:  # a copy that the student's code made and forgot
            os._exit(0)
        try:
            wire.send(channel, {"nonce": nonce, **answer}, sent)
        except wire.OversizeError as error:
            wire.send(channel, {"nonce": nonce, "refused": "oversize", "text": _text(error)})
