"""``{reading-time}`` prints how many minutes a chapter takes, counted from the chapter itself.

Prose at 200 words a minute, as slow as technical text is read; half a minute for each figure, code
cell, formula block and widget; one minute for each self-check.
"""

from docutils import nodes
from sphinx.util.docutils import SphinxRole


class reading_time(nodes.General, nodes.Inline, nodes.TextElement):
    pass


class ReadingTimeRole(SphinxRole):
    def run(self):
        return [reading_time()], []


def minutes(doctree) -> int:
    words = sum(len(p.astext().split()) for p in doctree.findall(nodes.paragraph))
    words += sum(len(t.astext().split()) for t in doctree.findall(nodes.list_item))
    looks = sum(1 for _ in doctree.findall(lambda n: isinstance(n, nodes.math_block | nodes.literal_block)))
    checks = sum(1 for n in doctree.findall(nodes.raw) if '<form class="quiz"' in n.astext())
    return max(1, round(words / 200 + looks / 2 + checks))


def fill(app, doctree):
    for node in list(doctree.findall(reading_time)):
        node.replace_self(nodes.Text(f"{minutes(doctree)} minutes"))


def setup(app):
    app.add_node(reading_time)
    app.add_role("reading-time", ReadingTimeRole())
    app.connect("doctree-read", fill)
    return {"parallel_read_safe": True}
