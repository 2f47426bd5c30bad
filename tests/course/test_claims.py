"""The claims ledger, the chapters' marks and the tests that compute the numbers, held together."""

import ast
import json
import re
from pathlib import Path

import pytest
import yaml

from cnnlib.training.experiments import EXPERIMENTS, load_records, verdict
from cnnlib.training.experiments.runner import settings_of

ROOT = Path(__file__).parents[2]
CLAIMS = {row["id"]: row for row in yaml.safe_load((ROOT / "book/claims.yml").read_text())}
VERDICTS = {"holds", "holds with a caveat", "does not hold here", "convention", "open"}


def marked_in_tests() -> dict[str, set[str]]:
    """Claim id → names of the tests that carry it."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                for mark in node.decorator_list:
                    if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.claim":
                        for argument in mark.args:
                            found.setdefault(argument.value, set()).add(f"{path.name}::{node.name}")
    return found


def marked_in_chapters() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in (ROOT / "book").rglob("*.md"):
        for ids in re.findall(r"\{claim\}`([^`]+)`", path.read_text(encoding="utf-8")):
            for identity in ids.split(","):
                found.setdefault(identity.strip(), set()).add(str(path.relative_to(ROOT / "book")))
    return found


IN_TESTS, IN_CHAPTERS = marked_in_tests(), marked_in_chapters()


def test_every_line_of_the_material_has_its_row():
    lines = dict(zip(range(1, 14), (6, 4, 7, 10, 2, 7, 2, 2, 8, 3, 10, 2, 10), strict=True))
    assert list(CLAIMS) == [f"M{s}.{i}" for s, count in lines.items() for i in range(1, count + 1)]


RECORDED = [row for row in CLAIMS.values() if row.get("record")]


def test_every_experiments_claim_has_a_record():
    assert {row["id"] for row in CLAIMS.values() if row["kind"] == "exp"} <= {
        row["id"] for row in RECORDED
    }
    asked = {claim for experiment in EXPERIMENTS.values() for claim in experiment.claims}
    assert asked - {row["id"] for row in RECORDED} == {"order"}  # a question of learners, no claim


@pytest.mark.parametrize("row", RECORDED, ids=lambda r: r["id"])
def test_a_verdict_follows_from_the_single_runs(row):
    summary = json.loads((ROOT / row["record"]).read_text(encoding="utf-8"))
    experiment = EXPERIMENTS[summary["experiment"]]
    records = load_records(experiment)
    assert all(len(runs) >= 5 for runs in records.values())
    found = verdict(experiment, row["id"], records)
    stored = next(v for v in summary["verdicts"] if v["id"] == row["id"])
    assert stored == json.loads(json.dumps(found))
    if row["id"] in WHOLE:
        assert row["verdict"] == found["verdict"]
    elif found["verdict"] != "holds":  # other parts of the claim have tests of their own
        assert row["verdict"] != "holds"


WHOLE = {"M1.4", "M7.1", "M9.5", "M9.6", "M9.7", "M10.2", "M10.3"}
"""Claims that say nothing beside what the experiment asks."""


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_records_say_with_what_they_were_made(name):
    for runs in load_records(name).values():
        for record in runs.values():
            assert len(record["about"]["commit"]) == 40  # nothing was changed and not committed
            assert record["about"]["versions"]["cnnlib"]
            assert settings_of(
                EXPERIMENTS[name], *(record["settings"][k] for k in ("arm", "seed", "size"))
            ) == json.loads(json.dumps(record["settings"]))


@pytest.mark.parametrize("row", CLAIMS.values(), ids=CLAIMS)
def test_a_claims_sources_are_in_the_bibliography(row):
    bibliography = (ROOT / "book/references.bib").read_text(encoding="utf-8")
    for key in row.get("source", ()):
        assert f"{{{key}," in bibliography


@pytest.mark.parametrize("row", CLAIMS.values(), ids=CLAIMS)
def test_a_claim_is_complete(row):
    assert row["kind"] in {"def", "num", "exp", "rule", "hist", "slip"}
    assert row["verdict"] in VERDICTS
    assert row["statement"].endswith(".")
    assert ("caveat" in row) == (row["verdict"] == "holds with a caveat")
    assert row["verdict"] in {"convention", "open"} or row.get("evidence") or row.get("record")


@pytest.mark.parametrize("row", CLAIMS.values(), ids=CLAIMS)
def test_a_claim_has_its_place_in_its_chapter(row):
    places = IN_CHAPTERS.get(row["id"], set())
    assert any(place.startswith(row["section"]) for place in places), places


@pytest.mark.parametrize("identity", sorted(i for i, r in CLAIMS.items() if r["kind"] == "num"))
def test_a_number_has_a_test_that_names_it(identity):
    assert IN_TESTS.get(identity)


def test_chapters_mark_no_claim_that_is_not_there():
    assert set(IN_CHAPTERS) <= set(CLAIMS)


@pytest.mark.parametrize("row", CLAIMS.values(), ids=CLAIMS)
def test_the_evidence_names_files_that_exist(row):
    for path in re.findall(r"(?:tests|book)/[\w/]+\.\w+", row.get("evidence", "")):
        assert (ROOT / path).is_file(), path
