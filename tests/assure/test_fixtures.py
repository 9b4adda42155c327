"""Fixtures say what is wrong, where, and why: the cases stand in cases.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from insigma.assure.fixtures import CODE, CaseResult, reference_rules, run_fixture
from insigma.content.assemble import assemble
from insigma.content.fixtures import read_fixture
from insigma.content.lists import default_lists
from insigma.content.model import LogSource, Pack, Taxonomy, TaxonomyLogSource
from insigma.content.pack import load_pack
from insigma.content.yaml_reader import read_bytes
from insigma.diagnostics.model import Severity

DATA = yaml.safe_load((Path(__file__).parent / "cases.yml").read_text(encoding="utf-8"))
SOURCES = {name: TaxonomyLogSource(name, LogSource(name), "", (), (), None) for name in ("test", "elsewhere")}
TAXONOMY = Taxonomy("test", "1", {}, SOURCES)


def pack_of(rules: str) -> Pack:
    documents = read_bytes(rules.encode(), "rules/r.yml").documents
    assembled = assemble(documents)
    assert not assembled.diagnostics, assembled.diagnostics
    return Pack("", "", "", TAXONOMY, assembled.rules, (), (), {}, {}, documents, documents)


def run(fixture: str, rules: str = DATA["rules"], lists: dict[str, tuple[str, ...]] | None = None) -> list[CaseResult]:
    pack = pack_of(rules)
    read = read_bytes(fixture.encode(), "tests/fixtures/f.yml")
    assert not read.diagnostics, read.diagnostics
    found, faults = read_fixture(read.documents[0])
    assert found is not None
    assert not faults, faults
    return list(run_fixture(found, reference_rules(pack, lists or {}), pack))


@pytest.mark.parametrize("case", DATA["cases"], ids=[case["name"] for case in DATA["cases"]])
def test_a_case_tells_what_differs_where_and_why(case: dict[str, Any]) -> None:
    found = [one for result in run(case["fixture"]) for one in result.diagnostics]
    wanted = case.get("found", [])
    assert [(one.place.line, one.message, one.code) for one in found] == [
        (want["line"], want["message"], want.get("code", CODE)) for want in wanted
    ]
    for one, want in zip(found, wanted, strict=True):
        assert want["hint"] in one.hint
        assert one.place.path == "tests/fixtures/f.yml"
        assert one.severity is Severity.ERROR


def test_every_case_gives_a_result_that_names_its_rule() -> None:
    text = "rule: export\ncases:\n- {name: a, expect: none, events: []}\n- {name: b, expect: match, events: []}\n"
    assert [(result.rule, result.case.name, result.diagnostics) for result in run(text)] == [("export", "a", ()), ("export", "b", ())]


ID = "5d1a4f0e-0000-4000-8000-000000000001"
LISTED = """
title: Listed
id: {id}
name: listed
logsource: {{category: test}}
detection: {{selection: {{user|expand: '%admins%'}}, condition: selection}}
"""


@pytest.mark.parametrize("name", ["listed", ID])
def test_a_fixture_may_use_the_id_or_the_name_and_lists_are_filled_in(name: str) -> None:
    text = f"rule: {name}\ncases:\n- {{name: a, expect: match, events: [{{user: ROOT}}]}}\n"
    assert [result.diagnostics for result in run(text, LISTED.format(id=ID), {"admins": ("root",)})] == [()]


def test_a_rule_whose_list_is_missing_is_told_and_its_fixture_fails() -> None:
    rules = LISTED.format(id=ID)
    assert [found.code for found in reference_rules(pack_of(rules), {}).diagnostics] == ["INS110"]
    (result,) = run("rule: listed\ncases:\n- {name: a, expect: none, events: []}\n", rules)
    assert [found.code for found in result.diagnostics] == ["INS111"]


def test_the_fixtures_of_the_pack_pass(root: Path) -> None:
    pack = load_pack(root).pack
    reference = reference_rules(pack, default_lists(pack))
    assert reference.diagnostics == ()
    results = [result for fixture in pack.fixtures for result in run_fixture(fixture, reference, pack)]
    assert [(result.rule, result.case.name, result.diagnostics) for result in results if result.diagnostics] == []
    assert {result.rule for result in results} == {rule.header.label for rule in pack.rules}


def test_every_fixture_of_the_pack_has_a_case_that_must_match_and_one_that_must_not(root: Path) -> None:
    for fixture in load_pack(root).pack.fixtures:
        assert {case.expect == "none" for case in fixture.cases} == {True, False}, fixture.document.path
