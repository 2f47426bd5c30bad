"""The claims ledger: a ``{claim}`` role in the chapters and a ``{claims}`` table on the ledger's page.

``book/claims.yml`` holds every claim with the course's verdict; a row's `record` is the summary of an experiment, whose
numbers are shown with it. In a chapter, ``{claim}`M4.5```
places a small mark that leads to the claim's row; the row leads back to the places that mark it.
"""

import json
from collections import Counter
from html import escape
from pathlib import Path

import yaml
from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective, SphinxRole

LEDGER = Path(__file__).parents[1] / "claims.yml"
LEDGER_PAGE = "book/claims"
VERDICTS = ("holds", "holds with a caveat", "does not hold here", "convention", "open")
KINDS = {
    "def": "definition",
    "num": "number",
    "exp": "experiment",
    "rule": "rule of thumb",
    "hist": "history",
    "slip": "slip of the source",
}


def load_claims() -> dict[str, dict]:
    claims = {row["id"]: row for row in yaml.safe_load(LEDGER.read_text(encoding="utf-8"))}
    for row in claims.values():
        for field, known in (("verdict", VERDICTS), ("kind", KINDS)):
            if row.get(field) not in known:
                raise ExtensionError(
                    f"{LEDGER.name}: {row['id']}: {field} is {row.get(field)!r}: use one of {', '.join(known)}."
                )
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
            pages = self.env.course_claim_marks.setdefault(identity, set())
            mark = nodes.inline(classes=["claim"])
            if self.env.docname not in pages:  # the row leads to the page's first mark
                mark["ids"].append(f"claim-{identity}")
            pages.add(self.env.docname)
            # The address depends on the builder, so it is filled in when a page is written.
            link = nodes.reference("", identity, claim=identity, classes=["claim-link"])
            link["reftitle"] = f"{claim['verdict']}: {claim['statement']}"
            mark += link
            found.append(mark)
        return found, []


class claim_places(nodes.General, nodes.Inline, nodes.Element):
    """Stands for the links to the places that mark a claim, until every page has been read."""


class LedgerDirective(SphinxDirective):
    """The filters, and one row for each claim."""

    def run(self):
        claims = list(self.env.course_claims.values())
        titles = ("Claim", "What it says", "Verdict")
        table = nodes.table(classes=["claims-ledger"])
        # What a claim says is what accounts for a number elsewhere: see course_numbers.
        table["accounts"] = [
            " ".join((c["statement"], c.get("caveat", ""), *self._measured(c)[0])) for c in claims
        ]
        group = nodes.tgroup(cols=len(titles))
        table += group
        group.extend(nodes.colspec(colwidth=width) for width in (14, 48, 38))
        head, body = nodes.thead(), nodes.tbody()
        group += [head, body]
        head += _row([nodes.paragraph(text=title)] for title in titles)
        for claim in claims:
            body += self._claim(claim)
        return [nodes.raw("", _filters(claims), format="html"), table]

    def _claim(self, claim):
        identity = nodes.strong(text=claim["id"], ids=[claim["id"]])
        kind = nodes.inline(text=f" {KINDS[claim['kind']]}", classes=["claim-note"])
        where = nodes.paragraph()
        where += claim_places(identity=claim["id"])
        verdict = nodes.paragraph("", "", nodes.strong(text=claim["verdict"]))
        if claim.get("caveat"):
            verdict += nodes.Text(f": {claim['caveat']}")
        statement = [nodes.paragraph(text=claim["statement"])]
        if claim.get("source"):
            cited = ", ".join(f"{{cite:t}}`{key}`" for key in claim["source"])
            statement += self._note(self.parse_text_to_nodes(f"Source: {cited}"))
        statement += self._experiment(claim)
        evidence = (
            [nodes.paragraph(text=f"Evidence: {claim['evidence']}")]
            if claim.get("evidence")
            else []
        )
        return _row(
            [
                [nodes.paragraph("", "", identity, kind), where],
                statement,
                [verdict, *self._note(evidence)],
            ],
            classes=[
                f"verdict-{VERDICTS.index(claim['verdict'])}",
                f"kind-{claim['kind']}",
                f"section-{claim['section']}",
            ],
        )

    def _measured(self, claim) -> tuple[list[str], str]:
        """The differences that its experiment measured, and the command that made the records."""
        if not claim.get("record"):
            return [], ""
        path = LEDGER.parents[1] / claim["record"]
        self.env.note_dependency(str(path))
        summary = json.loads(path.read_text(encoding="utf-8"))
        found = next(v for v in summary["verdicts"] if v["id"] == claim["id"])
        return found["numbers"], summary["command"]

    def _experiment(self, claim) -> list[nodes.Node]:
        """What was measured; a long list is folded."""
        numbers, command = self._measured(claim)
        if not numbers:
            return []
        found = nodes.bullet_list()
        found += [nodes.list_item("", nodes.paragraph(text=line)) for line in numbers]
        where = nodes.paragraph("", "", nodes.Text("Made by "), nodes.literal(text=command))
        where += [nodes.Text(", summed up in "), nodes.literal(text=claim["record"])]
        return [
            nodes.raw(
                "",
                f"<details{' open' * (len(numbers) <= 6)}><summary>What was measured</summary>",
                format="html",
            ),
            *self._note([found, where]),
            nodes.raw("", "</details>", format="html"),
        ]

    def _note(self, paragraphs):
        for paragraph in paragraphs:
            paragraph["classes"].append("claim-note")
        return paragraphs


def _row(cells, **attributes):
    row = nodes.row(**attributes)
    for cell in cells:
        entry = nodes.entry()
        entry.extend(cell)
        row += entry
    return row


def _filters(claims) -> str:
    """Controls that ledger.js makes work; without scripts they are not shown."""

    def select(name, label, choices):
        options = "".join(
            f'<option value="{value}">{escape(text)}</option>' for value, text in choices
        )
        return f'<label>{label} <select name="{name}"><option value="">all</option>{options}</select></label>'

    verdicts, kinds = (Counter(c[field] for c in claims) for field in ("verdict", "kind"))
    sections = dict.fromkeys(claim["section"] for claim in claims)
    return (
        '<form class="ledger-filters" hidden>'
        + select(
            "verdict",
            "Verdict",
            [(f"verdict-{i}", f"{v} ({verdicts[v]})") for i, v in enumerate(VERDICTS)],
        )
        + select(
            "kind",
            "Kind",
            [(f"kind-{k}", f"{t} ({kinds[k]})") for k, t in KINDS.items() if kinds[k]],
        )
        + select("section", "Chapter", [(f"section-{s}", _chapter(s)) for s in sections])
        + '<label>Words <input type="search" name="words" size="14"></label>'
        '<button type="reset">Show all</button><output role="status"></output></form>'
    )


def _chapter(section: str) -> str:
    number, _, name = section.removeprefix("ch").partition("_")
    return f"{int(number)} {name.replace('_', ' ')}"


def fill_places(app, doctree, docname):
    ledger = app.builder.get_relative_uri(docname, LEDGER_PAGE)
    for link in doctree.findall(nodes.reference):
        if "claim" in link:
            link["refuri"] = f"{ledger}#{link['claim']}"
    for node in list(doctree.findall(claim_places)):
        links = []
        pages = sorted(app.env.course_claim_marks.get(node["identity"], ()))
        for page in pages:
            uri = app.builder.get_relative_uri(docname, page)
            folder = page.split("/")[1]
            name = (
                f"chapter {int(folder[2:4])}"
                if folder[2:4].isdigit()
                else app.env.titles[page].astext()
            )
            link = nodes.reference("", name, refuri=f"{uri}#claim-{node['identity']}")
            links += [nodes.Text(", "), link] if links else [link]
        node.replace_self(links)


def prepare(app, env, docnames):
    env.course_claims = load_claims()
    if not hasattr(env, "course_claim_marks"):
        env.course_claim_marks = {}


def forget_page(app, env, docname):
    for pages in getattr(env, "course_claim_marks", {}).values():
        pages.discard(docname)


def refresh_ledger(app, env):
    """A mark that moved changes the ledger's page."""
    return [LEDGER_PAGE]


def add_script(app, pagename, templatename, context, doctree):
    if pagename == LEDGER_PAGE:
        app.add_js_file("ledger.js", loading_method="defer")


def setup(app):
    app.add_role("claim", ClaimRole())
    app.add_directive("claims", LedgerDirective)
    app.add_node(claim_places)
    app.connect("env-before-read-docs", prepare)
    app.connect("env-purge-doc", forget_page)
    app.connect("env-updated", refresh_ledger)
    app.connect("doctree-resolved", fill_places)
    app.connect("html-page-context", add_script)
    return {"version": "3", "parallel_read_safe": False}
