"""The widgets in the book: a ``{widget}`` directive, one script, and no widget manager.

::

    ```{widget} output-size
    :name: alexnet
    :size: 224
    :kernel: 11
    :stride: 4
    ```

emits the custom element of ``cnnlib.widgets`` with the table that is seen without JavaScript.
Options are the widget's settings and ``name``, which keys its state in the URL fragment. A Python
widget that a page's cell displays becomes the same element.
"""

import os
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

# Before cnnlib.widgets is imported, here or in a kernel: see cnnlib/widgets/base.py.
os.environ["CNNLIB_BOOK"] = "1"

from cnnlib import widgets
from cnnlib.errors import CnnlibError
from cnnlib.widgets.bundle import page_script

STATIC = Path(__file__).parents[1] / "_static"
SCRIPT = "cnn-widgets.bundle.js"


class _Options(dict):
    """Every option is accepted here, so that the widget itself can say what is wrong with it."""

    def __missing__(self, name):
        return directives.unchanged_required

    def __bool__(self):
        return True


class WidgetDirective(SphinxDirective):
    required_arguments = 1
    option_spec = _Options()

    def run(self):
        kind = self.arguments[0]
        try:
            widget = getattr(widgets, widgets.WIDGETS[kind.replace("-", "_")])
        except KeyError:
            known = ", ".join(module.replace("_", "-") for module in widgets.WIDGETS)
            raise self.error(f"widget {kind!r} does not exist: use one of {known}.") from None
        options = dict(self.options)
        name = options.pop("name", None) or self._next_name(kind)
        try:
            html = widget.from_text(options).page_html(name)
        except CnnlibError as error:
            raise self.error(f"widget {kind}: {error}") from None
        return [nodes.raw("", html, format="html")]

    def _next_name(self, kind):
        count = self.env.temp_data.get(f"widget-{kind}", 0) + 1
        self.env.temp_data[f"widget-{kind}"] = count
        return kind if count == 1 else f"{kind}-{count}"


def add_script(app, pagename, templatename, context, doctree):
    """Load the script on the pages that show a widget, and on no other."""
    if "<cnn-" in context.get("body", ""):
        app.add_js_file(SCRIPT, loading_method="defer")


def setup(app):
    # Here and not at a later event: Sphinx looks for the static files before the builder starts.
    script = page_script(list(widgets.WIDGETS))
    target = STATIC / SCRIPT
    if not target.exists() or target.read_text(encoding="utf-8") != script:
        STATIC.mkdir(exist_ok=True)
        target.write_text(script, encoding="utf-8")
    if "anywidget" in vars(widgets):
        raise ExtensionError(
            "cnnlib.widgets was imported before course_widgets: anywidget is loaded"
        )
    app.add_directive("widget", WidgetDirective)
    app.connect("html-page-context", add_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
