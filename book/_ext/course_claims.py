"""The claims ledger: a ``{claim}`` role in the chapters and a ``{claims}`` table on the ledger's page.

``book/claims.yml`` holds every claim with the course's verdict. In a chapter, ``{claim}`M4.5```
places a small mark that leads to the claim's row; the row leads back to the chapters that mark it.
"""

from pathlib import Path

import yaml
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxRole

LEDGER = Path(__file__).parents[1] / "claims.yml"
LEDGER_PAGE = "book/claims"
VERDICTS = ("holds", "holds with a caveat", "does not hold here", "convention", "open")


def load_claims() -> dict[str, dict]:
    claims = {row["id"]: row for row in yaml.safe_load(LEDGER.read_text(encoding="utf-8"))}
    for row in claims.values():
        if row["verdict"] not in VERDICTS:
            raise ExtensionError(f"{LEDGER}: {row['id']}: unknown verdict {row['verdict']!r}")
    return claims


class ClaimRole(SphinxRole):
    """``{claim}`M4.5``` or ``{claim}`M4.5, M4.6```."""

    def run(self):
        found = []
        for identity in (part.strip() for part in self.text.split(",")):
            claim = self.env.course_claims.get(identity)
            if claim is None:
                problem = f"claim {identity!r} is not in {LEDGER.name}"
                return [
                    self.inliner.problematic(
                        self.rawtext,
                        self.rawtext,
                        self.inliner.reporter.error(problem, line=self.lineno),
                    )
                ], []
            self.env.course_claim_marks.setdefault(identity, set()).add(self.env.docname)
            mark = nodes.inline(classes=["claim"])
            target = self.env.app.builder.get_relative_uri(self.env.docname, LEDGER_PAGE)
            link = nodes.reference(
                "", identity, refuri=f"{target}#{identity}", classes=["claim-link"]
            )
            link["reftitle"] = f"{claim['verdict']}: {claim['statement']}"
            mark += link
            found.append(mark)
        return found, []


class ledger_table(nodes.General, nodes.Element):
    """Stands for the table until every page has been read."""


class LedgerDirective(Directive):
    def run(self):
        return [ledger_table()]


def _paragraph(*children):
    paragraph = nodes.paragraph()
    paragraph.extend(children)
    return paragraph


def _row(app, docname, claim, places):
    identity = nodes.inline(ids=[claim["id"]])
    identity += nodes.strong(text=claim["id"])
    where = nodes.inline()
    for page in sorted(places):
        title = app.env.titles[page].astext()
        uri = app.builder.get_relative_uri(docname, page)
        where += nodes.reference("", title, refuri=uri)
    cells = [
        _paragraph(identity),
        _paragraph(nodes.Text(claim["statement"])),
        _paragraph(
            nodes.Text(claim["verdict"] + (f": {claim['caveat']}" if claim.get("caveat") else ""))
        ),
        _paragraph(nodes.Text(claim["evidence"]) if claim.get("evidence") else nodes.Text("—")),
        _paragraph(where),
    ]
    row = nodes.row()
    for cell in cells:
        entry = nodes.entry()
        entry += cell
        row += entry
    return row


def fill_ledger(app, doctree, docname):
    for node in list(doctree.findall(ledger_table)):
        titles = ("Claim", "What it says", "Verdict", "Evidence", "Chapter")
        table = nodes.table(classes=["claims-ledger"])
        group = nodes.tgroup(cols=len(titles))
        table += group
        group.extend(nodes.colspec(colwidth=width) for width in (8, 40, 22, 20, 10))
        head, body = nodes.thead(), nodes.tbody()
        group += [head, body]
        heading = nodes.row()
        for title in titles:
            entry = nodes.entry()
            entry += nodes.paragraph(text=title)
            heading += entry
        head += heading
        for claim in app.env.course_claims.values():
            body += _row(app, docname, claim, app.env.course_claim_marks.get(claim["id"], ()))
        node.replace_self(table)


def prepare(app, env, docnames):
    env.course_claims = load_claims()
    if not hasattr(env, "course_claim_marks"):
        env.course_claim_marks = {}


def forget_page(app, env, docname):
    for pages in getattr(env, "course_claim_marks", {}).values():
        pages.discard(docname)


def setup(app):
    app.add_role("claim", ClaimRole())
    app.add_directive("claims", LedgerDirective)
    app.add_node(ledger_table)
    app.connect("env-before-read-docs", prepare)
    app.connect("env-purge-doc", forget_page)
    app.connect("doctree-resolved", fill_ledger)
    return {"version": "1", "parallel_read_safe": False}
