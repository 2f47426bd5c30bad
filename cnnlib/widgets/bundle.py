"""Join the widgets' JavaScript modules: the one build step, with no bundler.

The sources are ES modules that node and a browser's debugger read as they are. Their two homes need
one text each: anywidget takes a single ES module, and a page that is opened from a folder
(``file://``) refuses modules altogether and needs a classic script.

Only the forms of import and export that the sources use are understood; anything else is an error.
"""

import json
import re
from pathlib import Path

__all__ = ["esm", "page_script"]

HERE = Path(__file__).parent

_IMPORT = re.compile(
    r'^import (\w+|\{[^}]*\}) from "\./([\w.]+)"(?: with \{ type: "json" \})?;\n', re.M
)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) (\w+))", re.M)
_DEFAULT = re.compile(r"^export default ", re.M)


def _name(file: str) -> str:
    """The constant that holds a module; no name in the sources starts like this."""
    return "module_" + file.removesuffix(".js").replace(".", "_")


def _module(file: str, done: dict[str, str]) -> None:
    """Add `file` to `done`, after everything that it imports."""
    if file in done:
        return
    source = (HERE / file).read_text(encoding="utf-8")
    if file.endswith(".json"):
        content = json.dumps(json.loads(source), ensure_ascii=False, separators=(",", ":"))
        done[file] = f"const {_name(file)} = {{ default: {content} }};\n"
        return
    head = []
    for wanted, imported in _IMPORT.findall(source):
        _module(imported, done)
        names = (
            wanted.replace(" as ", ": ") if wanted.startswith("{") else f"{{ default: {wanted} }}"
        )
        head.append(f"const {names} = {_name(imported)};\n")
    exports = list(_EXPORT.findall(source))
    body = _EXPORT.sub("", _IMPORT.sub("", source))
    if _DEFAULT.search(body):
        body = _DEFAULT.sub("const default_ = ", body)
        exports.append("default: default_")
    if left := re.search(r"^(?:import|export)\b.*", body, re.M):
        raise SyntaxError(f"{file}: this bundler does not understand {left[0]!r}")
    # Comments and indentation are for readers of the source.
    body = re.sub(r"^ *//.*\n", "", body, flags=re.M)
    body = re.sub(r"^ +|\n(?=\n)", "", body, flags=re.M)
    done[file] = (
        f"const {_name(file)} = (() => {{\n{''.join(head)}{body}return {{ {', '.join(exports)} }};\n}})();\n"
    )


def _modules(names: list[str]) -> str:
    done: dict[str, str] = {}
    for name in names:
        _module(f"{name}.js", done)
    return "".join(done.values())


def esm(name: str) -> str:
    """One ES module that holds the widget `name` and all it imports, as anywidget wants it."""
    return f"{_modules([name])}export default {_name(name)}.default;\n"


def page_script(names: list[str]) -> str:
    """One classic script that defines the custom elements of all `names`, as a page wants it.

    Minified where tdewolff-minify is there, which the book's extra brings; without it the script is
    only longer. A notebook reads the module as it is.
    """
    define = "".join(f"{_name(name)}.default.define();\n" for name in names)
    script = f'(() => {{\n"use strict";\n{_modules(names)}{define}}})();\n'
    try:
        import minify
    except ImportError:
        return script
    return minify.string("application/javascript", script) + "\n"
