"""``{reading-time}`` prints how many minutes a chapter takes, counted from the chapter itself.

Prose at 220 words a minute, slow as technical text is read; a quarter of a minute for each formula
and each code cell or figure; one minute for each self-check, two for each widget.
"""

from docutils import nodes
from sphinx.util.docutils import SphinxRole


class reading_time(nodes.General, nodes.Inline, nodes.TextElement):
    pass


class ReadingTimeRole(SphinxRole):
    def run(self):
        return [reading_time()], []


def minutes(doctree) -> int:
    def count(condition):
        return sum(1 for _ in doctree.findall(condition))

    words = sum(len(paragraph.astext().split()) for paragraph in doctree.findall(nodes.paragraph))
    cells = count(lambda n: isinstance(n, nodes.container) and n.get("nb_element") == "cell_code")
    formulas = count(nodes.math_block)
    checks = count(lambda n: isinstance(n, nodes.raw) and '<form class="quiz"' in n.astext())
    widgets = count(lambda n: isinstance(n, nodes.raw) and n.astext().startswith("<cnn-"))
    return max(1, round(words / 220 + (cells + formulas) / 4 + checks + 2 * widgets))


def fill(app, doctree):
    for node in list(doctree.findall(reading_time)):
        app.env.course_minutes[app.env.docname] = minutes(doctree)
        node.replace_self(nodes.Text(f"{minutes(doctree)} minutes"))


def setup(app):
    app.add_node(reading_time)
    app.add_role("reading-time", ReadingTimeRole())
    app.connect("doctree-read", fill)
    return {"parallel_read_safe": True}
