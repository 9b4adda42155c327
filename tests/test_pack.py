"""The insurance pack as a whole: what every rule of it has to have, whatever the checks ask of any pack."""

from __future__ import annotations

from collections import Counter

import pytest

from insigma.assure.coverage import Tables, alerts, coverage_of, dug
from insigma.assure.fixtures import reference_rules, run_fixture
from insigma.assure.mutation import fixtures_of
from insigma.content.attack import load_attack
from insigma.content.domains import DOMAIN_CODES
from insigma.content.f3 import load_f3
from insigma.content.lists import default_lists
from insigma.content.model import AnyRule, Correlation, Pack, Rule
from insigma.content.pack import load_pack
from insigma.content.use_cases import load_use_cases
from insigma.specialise.lists import placeholder_names
from insigma.specialise.thresholds import timespan_bounds
from tests.cli.harness import ROOT


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(ROOT).pack


def alerting(pack: Pack) -> list[AnyRule]:
    return [rule for rule in pack.rules if alerts(rule)]


def test_there_are_130_rules_in_15_domains(pack: Pack) -> None:
    counts = Counter(str(dug(rule, "domain")) for rule in pack.rules)
    assert counts.total() == 130
    assert set(counts) == set(DOMAIN_CODES)


def test_every_use_case_that_rules_serve_has_a_tested_one(pack: Pack) -> None:
    reference = reference_rules(pack, default_lists(pack))
    results = [result for fixture in pack.fixtures for result in run_fixture(fixture, reference, pack)]
    tested = {result.rule for result in results} - {result.rule for result in results if result.diagnostics}
    tables = Tables(pack.taxonomy, load_attack(), load_f3(), load_use_cases())
    coverage = coverage_of(pack.rules, tested, tables)
    assert coverage.untested == ()
    section = next(section for section in coverage.sections if section.key == "use-cases")
    assert [item.id for item in section.gaps] == []
    assert [item.id for item in section.items if item.wanted and not item.alerting] == [], "only base rules and signals serve these"


def test_every_rule_names_its_use_cases(pack: Pack) -> None:
    assert [rule.header.label for rule in pack.rules if not dug(rule, "use_cases")] == []


def test_every_alerting_rule_has_five_cases(pack: Pack) -> None:
    short = {rule.header.label: sum(len(fixture.cases) for fixture in fixtures_of(rule, pack)) for rule in alerting(pack)}
    assert {label: count for label, count in short.items() if count < 5} == {}


def test_every_case_that_stays_quiet_says_why(pack: Pack) -> None:
    silent = [
        (fixture.rule, case.name) for fixture in pack.fixtures for case in fixture.cases if case.expect == "none" and not case.because
    ]
    assert silent == []


def test_every_alerting_rule_says_what_to_do_and_what_the_law_may_want(pack: Pack) -> None:
    for rule in alerting(pack):
        label = rule.header.label
        assert dug(rule, "response", "sla", "triage"), label
        assert [action for action in dug(rule, "response", "actions") if action["code"] != "none"], label
        assert dug(rule, "evidence", "entities"), label
        assert dug(rule, "evidence", "measures"), label
        assert dug(rule, "regulatory", "awareness") in ("candidate", "probable", "confirmed"), label
        assert dug(rule, "regulatory", "dora", "its", "f2_7_discovery"), label
        assert dug(rule, "regulatory", "clocks"), label


def test_every_alerting_correlation_says_how_far_its_timespan_may_be_changed(pack: Pack) -> None:
    bounds = {rule.header.label: timespan_bounds(rule) for rule in alerting(pack) if isinstance(rule, Correlation)}
    assert len(bounds) == 36
    assert [label for label, found in bounds.items() if found is None] == []


@pytest.mark.parametrize("domain", ["billing_payments", "antifraud_fusion"])
def test_thresholds_on_payments_and_fusion_stay_in_a_surge(pack: Pack, domain: str) -> None:
    relaxed = [
        (rule.header.label, name)
        for rule in pack.rules
        if dug(rule, "domain") == domain
        for name, threshold in (dug(rule, "thresholds") or {}).items()
        if threshold.get("surge_relaxable")
    ]
    assert relaxed == []


def test_every_list_is_used_described_and_owned(pack: Pack) -> None:
    used = {name for rule in pack.rules if isinstance(rule, Rule) for name in placeholder_names(rule)}
    lists = pack.tenants["default"].document.data["lists"]
    assert set(lists) == used
    assert len(lists) >= 19
    assert [name for name, entry in lists.items() if not (entry.get("owner") and entry.get("description") and entry.get("values"))] == []


def test_descriptions_are_written_for_each_rule(pack: Pack) -> None:
    """No sentence of a description stands in another rule."""
    sentences = Counter(
        sentence.strip()
        for rule in pack.rules
        for sentence in set(" ".join(str(rule.header.document.data["description"]).split()).split(". "))
        if len(sentence) > 40
    )
    assert [sentence for sentence, count in sentences.items() if count > 1] == []


def test_functions_are_those_of_the_customers_map(pack: Pack) -> None:
    functions = {dug(rule, "regulatory", "dora", "function") for rule in pack.rules}
    assert functions <= {"claims_handling", "payments", "policy_admin", "distribution", "underwriting", "reinsurance"}
