"""What every chapter gets by itself: its buttons, and the reader's progress.

A chapter is the page ``book/chNN_topic/topic``. Below its facts stand *open the exercise* and
*download notebook*; at its end the reader ticks it off. ``{progress}`` lists all chapters with their
reading time, self-checks and exercise. What a reader has done is kept in the browser alone
(``progress.js``); the page shows the same table without it.
"""

import re
from html import escape

from course_exercises import PAGE as EXERCISE_PAGE
from course_exercises import ROOT, place_of
from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

CHAPTER = re.compile(r"book/(ch(\d\d)_(\w+))/\3$")
EXERCISES = "exercises"  # the id of a chapter's own section


def is_chapter(docname: str) -> bool:
    return bool(CHAPTER.match(docname))


def number_of(docname: str) -> int:
    return int(CHAPTER.match(docname)[2])


def has_notebook(docname: str) -> bool:
    return any(ROOT.glob(f"solutions/{CHAPTER.match(docname)[1]}/*.py"))


def exercise_uri(app, page: str, docname: str) -> str:
    """Where the graded exercise of a chapter is, seen from a page; or else the questions at its end."""
    if has_notebook(docname):
        place = place_of(CHAPTER.match(docname)[1])
        return f"{app.builder.get_relative_uri(page, EXERCISE_PAGE)}#{place}"
    address = "" if page == docname else app.builder.get_relative_uri(page, docname)
    return f"{address}#{EXERCISES}"


def add_buttons(app, doctree, docname):
    if not is_chapter(docname) or app.builder.name != "html":
        return
    folder = CHAPTER.match(docname)[1]
    notebook = f"../../notebooks/{folder}.ipynb"
    buttons = (
        '<nav class="chapter-actions" aria-label="This chapter">'
        f'<a href="{exercise_uri(app, docname, docname)}">Open the exercise</a>'
        f'<a href="{notebook}" download>Download notebook</a></nav>'
    )
    facts = next(
        (n for n in doctree.findall(nodes.container) if "chapter-facts" in n["classes"]), None
    )
    if facts is None:
        raise ExtensionError(f"{docname}: a chapter begins with its chapter-facts block.")
    facts.parent.insert(facts.parent.index(facts) + 1, nodes.raw("", buttons, format="html"))
    checks = " ".join(app.env.course_quizzes.get(docname, ()))
    doctree[-1] += nodes.raw(
        "",
        f'<section class="chapter-progress" aria-label="Your progress" data-page="{folder}" data-checks="{checks}" hidden>'
        '<label><input type="checkbox"> I have read this chapter</label> <output role="status"></output></section>',
        format="html",
    )


class progress_table(nodes.General, nodes.Element):
    """Stands for the table until every page has been read."""


class ProgressDirective(SphinxDirective):
    def run(self):
        return [progress_table()]


def fill_progress(app, doctree, docname):
    for node in list(doctree.findall(progress_table)):
        node.replace_self(nodes.raw("", _table(app, docname), format="html"))


def _table(app, docname: str) -> str:
    env, rows = app.env, []
    for page in sorted(filter(is_chapter, env.found_docs)):
        title = escape(env.titles[page].astext())
        checks = env.course_quizzes.get(page, [])
        kind = "notebook" if has_notebook(page) else "questions"
        rows.append(
            f'<tr data-page="{CHAPTER.match(page)[1]}" data-checks="{" ".join(checks)}">'
            f'<th scope="row"><a href="{app.builder.get_relative_uri(docname, page)}">{number_of(page)}. {title}</a></th>'
            f"<td>{env.course_minutes.get(page, 0)} min</td>"
            f'<td><span class="progress-checks">{len(checks)}</span></td>'
            f'<td><a href="{exercise_uri(app, docname, page)}">{kind}</a></td>'
            '<td class="progress-read" hidden></td></tr>'
        )
    return (
        '<div class="course-progress"><div class="pst-scrollable-table-container"><table class="table"><thead><tr>'
        '<th scope="col">Chapter</th><th scope="col">Reading</th><th scope="col">Self-checks</th><th scope="col">Exercise</th>'
        f'<th scope="col" class="progress-read" hidden>Read</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
        '<div class="progress-actions" hidden><output role="status"></output>'
        '<button type="button" data-do="export">Export</button>'
        '<label class="progress-import">Import <input type="file" accept="application/json"></label>'
        '<button type="button" data-do="clear">Clear</button></div></div>'
    )


def refresh(app, env):
    """Reading times and self-checks of any page show in the table."""
    return [page for page in env.found_docs if page == "book/preface"]


def forget_page(app, env, docname):
    for store in ("course_quizzes", "course_minutes"):
        getattr(env, store, {}).pop(docname, None)


def prepare(app, env, docnames):
    for store in ("course_quizzes", "course_minutes"):
        if not hasattr(env, store):
            setattr(env, store, {})


def setup(app):
    app.add_directive("progress", ProgressDirective)
    app.add_node(progress_table)
    app.add_js_file("progress.js", loading_method="defer")
    app.connect("env-before-read-docs", prepare)
    app.connect("env-purge-doc", forget_page)
    app.connect("env-updated", refresh)
    app.connect("doctree-resolved", add_buttons)
    app.connect("doctree-resolved", fill_progress)
    return {"parallel_read_safe": False}
