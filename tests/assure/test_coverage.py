"""Coverage from the rules' own metadata: only what is tested counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from insigma.assure.coverage import Coverage, Item, Tables, coverage_of
from insigma.assure.navigator import layer
from insigma.content.attack import load_attack
from insigma.content.f3 import load_f3
from insigma.content.model import LogSource, Taxonomy, TaxonomyLogSource
from insigma.content.use_cases import load_use_cases
from tests.assure.test_fixtures import pack_of

SOURCES = {name: TaxonomyLogSource(name, LogSource(name), f"Events of {name}.", (), (), None) for name in ("claims", "payments", "idle")}
TABLES = Tables(Taxonomy("test", "1", {}, SOURCES), load_attack(), load_f3(), load_use_cases())

RULES = """\
title: View
name: view
logsource: {category: claims}
detection: {selection: {a: 1}, condition: selection}
tags: [attack.collection, attack.t1213]
insurance: {role: base, use_cases: [B9], f3: [F1033]}
---
title: Pay
name: pay
logsource: {category: payments}
detection: {selection: {a: 1}, condition: selection}
tags: [attack.collection, attack.impact, attack.t1657, attack.t1213]
insurance: {role: alert, use_cases: [B9, B10], f3: [INSF-01], regulatory: {dora: {criteria: [economic_impact]}}}
---
title: Both
name: both
correlation: {type: temporal, rules: [view, pay], group-by: [user], timespan: 1h}
tags: [attack.impact, attack.t1657]
insurance: {role: alert, use_cases: [B10]}
"""


def covered(*tested: str) -> Coverage:
    return coverage_of(pack_of(RULES).rules, tested, TABLES)


def items(coverage: Coverage, key: str) -> Mapping[str, Item]:
    return {item.id: item for section in coverage.sections if section.key == key for item in section.items}


def rules_of(item: Item) -> tuple[Any, Any]:
    return item.alerting, item.supporting


def test_use_cases_tell_who_alerts_and_who_supports() -> None:
    found = items(covered("view", "pay", "both"), "use-cases")
    assert rules_of(found["B9"]) == (("pay",), ("view",))
    assert rules_of(found["B10"]) == (("both", "pay"), ())
    assert rules_of(found["A5"]) == ((), ())
    assert found["A5"].wanted
    assert not found["B26"].wanted


def test_a_rule_without_a_passing_fixture_covers_nothing() -> None:
    coverage = covered("view")
    assert rules_of(items(coverage, "use-cases")["B9"]) == ((), ("view",))
    assert coverage.untested == ("pay", "both")
    assert items(coverage, "dora")["economic_impact"].alerting == ()


def test_a_correlation_covers_the_log_sources_under_it() -> None:
    found = items(covered("both"), "log-sources")
    assert {name: item.alerting for name, item in found.items()} == {"claims": ("both",), "payments": ("both",), "idle": ()}


def test_gaps_are_what_rules_should_cover_and_do_not() -> None:
    section = next(section for section in covered("view", "pay", "both").sections if section.key == "log-sources")
    assert [item.id for item in section.gaps] == ["idle"]


def test_techniques_and_f3_have_their_names() -> None:
    coverage = covered("view", "pay", "both")
    assert items(coverage, "attack")["T1657"].name == "Financial Theft"
    f3 = items(coverage, "f3")
    assert (f3["INSF-01"].alerting, f3["INSF-10"].covered) == (("pay",), False)


def test_a_layer_counts_alerting_rules_by_technique_and_tagged_tactic() -> None:
    made = layer(covered("view", "pay", "both"), TABLES.attack, "test")
    cells = {(entry["techniqueID"], entry["tactic"]): (entry["score"], entry["comment"]) for entry in made["techniques"]}
    assert cells == {("T1213", "collection"): (1, "pay"), ("T1657", "impact"): (2, "pay, both")}
    assert made["gradient"]["maxValue"] == 2
    assert made["versions"] == {"attack": "19", "layer": "4.5"}
