"""Works by the same authors from the same year get a letter, as in He et al. [2016a] and [2016b].

The author-year citations of sphinxcontrib-bibtex print the field ``year`` as it stands in the
bibliography file, and have no such letters of their own. So they are put into that field once the
file has been read: citations and bibliography both print it, and the file keeps plain years.
Letters follow the order of titles.
"""

from collections import defaultdict
from string import ascii_lowercase


def shown_authors(entry) -> str:
    """The authors as a citation shows them: up to two last names, else the first and "et al."."""
    people = entry.persons.get("author") or entry.persons.get("editor") or ()
    names = [" ".join([*person.prelast_names, *person.last_names]) for person in people]
    return " and ".join(names) if len(names) < 3 else f"{names[0]} et al."


def add_letters(entries) -> None:
    """Set ``year`` of the entries that a citation could not tell apart. A second call changes nothing."""
    alike = defaultdict(list)
    for entry in entries.values():
        if year := entry.fields.get("year", "").rstrip(ascii_lowercase):
            entry.fields["year"] = year
            alike[shown_authors(entry), year].append(entry)
    for (_, year), works in alike.items():
        if len(works) > 1:
            works.sort(key=lambda entry: entry.fields.get("title", "").lower())
            for letter, entry in zip(ascii_lowercase, works, strict=False):
                entry.fields["year"] = year + letter


def on_builder_inited(app) -> None:
    add_letters(app.env.get_domain("cite").bibdata.data.entries)


def setup(app):
    app.setup_extension("sphinxcontrib.bibtex")
    app.connect("builder-inited", on_builder_inited)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
