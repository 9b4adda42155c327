"""Building for customers: what differs is what their profiles say, and nothing is lost or mixed up on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from insigma.content.model import AnyRule, Correlation, Rule
from insigma.content.predicate import fields_of
from insigma.release.proofs import Proofs
from insigma.release.tenants import TenantBuild, Workbench, build_tenant, package_files
from insigma.release.tree import tenant_tree
from insigma.specialise.facts import facts_of
from insigma.specialise.tenant import Specialiser
from insigma.specialise.thresholds import thresholds_of
from tests.specialise.profiles import insurance, rule, tenant

TARGETS = ("elastic", "splunk", "sentinel")
NO_PROOFS = Proofs((), (), {})


def built(folder: Path, profile: Mapping[str, Any] | None = None, name: str = "one", bench: Workbench | None = None) -> TenantBuild:
    bench = bench or Workbench()
    specialiser = Specialiser(insurance(), tenant(folder, profile, name), None, bench.memo)
    return build_tenant(specialiser, insurance(), TARGETS, bench, {})


def queries(build: TenantBuild) -> dict[tuple[str, str], str]:
    """Every query with its schedule, by rule and target."""
    return {
        (outcome.rule.header.label, outcome.target): f"{outcome.packed.detection.schedule} {outcome.packed.detection.query}"
        for outcome in build.outcomes
        if outcome.packed is not None
    }


def changed(folder: Path, profile: Mapping[str, Any]) -> set[tuple[str, str]]:
    """The rule-target pairs whose queries differ from those of a customer with nothing in the profile."""
    plain, other = queries(built(folder)), queries(built(folder, profile))
    return {key for key in plain.keys() | other.keys() if plain.get(key) != other.get(key)}


def pairs(holds: Callable[[AnyRule], bool], targets: tuple[str, ...] = TARGETS) -> set[tuple[str, str]]:
    return {(each.header.label, target) for each in insurance().rules if holds(each) for target in targets}


def bases(each: AnyRule) -> tuple[Rule, ...]:
    return (each,) if isinstance(each, Rule) else each.base_rules


def test_customers_with_nothing_in_the_profile_get_the_same_queries(tmp_path: Path) -> None:
    assert queries(built(tmp_path, name="one")) == queries(built(tmp_path, name="two"))


@pytest.mark.parametrize(
    ("profile", "concerned"),
    [
        pytest.param(
            {"thresholds": {"clm_unassigned_claims_per_hour": 45}},
            pairs(lambda each: any(t.name == "clm_unassigned_claims_per_hour" for t in thresholds_of(each))),
            id="a threshold",
        ),
        pytest.param(
            {"thresholds": {"afr_fraud_score": 90}},
            pairs(lambda each: any(t.name == "afr_fraud_score" for base in (each, *bases(each)) for t in thresholds_of(base))),
            id="a threshold of a base rule",
        ),
        pytest.param(
            {"targets": {"splunk": {"index": {"insurance_payment": "pay_x"}}}},
            pairs(lambda each: "insurance_payment" in facts_of(each, insurance()).all_logsources, ("splunk",)),
            id="an index",
        ),
        pytest.param(
            {"targets": {"sentinel": {"table": {"insurance_payment": "Payments_CL"}}}},
            pairs(lambda each: "insurance_payment" in facts_of(each, insurance()).all_logsources, ("sentinel",)),
            id="a table",
        ),
        pytest.param(
            {"schedules": {"rules": {"ins-clm-c02": "1h"}}}, {("ins-clm-c02", target) for target in TARGETS}, id="a schedule of one rule"
        ),
        pytest.param({"feeds": {"insurance_reinsurance": {"delay": "2h"}}}, None, id="a delay"),
    ],
)
def test_a_change_in_the_profile_changes_the_rules_that_it_concerns_and_no_other(
    tmp_path: Path, profile: Mapping[str, Any], concerned: set[tuple[str, str]] | None
) -> None:
    if concerned is None:
        concerned = pairs(lambda each: "insurance_reinsurance" in facts_of(each, insurance()).all_logsources)
    found = changed(tmp_path, profile)
    if "feeds" in profile:  # the delay of another log source may be the longest of a correlation
        assert found <= concerned
        assert {key for key in concerned if isinstance(rule(key[0]), Rule)} <= found
    else:
        assert found == concerned


def test_a_renamed_field_changes_the_queries_that_name_it_and_no_other(tmp_path: Path) -> None:
    profile = {"targets": {"sentinel": {"field_overrides": {"insurance.claim.id": "ClaimNumber"}}}}
    plain, other = built(tmp_path), built(tmp_path, profile)
    before, after = queries(plain), queries(other)
    for key, text in before.items():
        names_it = "InsClaimId" in text and key[1] == "sentinel"
        assert (after[key] != text) == names_it, key
        if names_it:
            assert "InsClaimId" not in after[key]


def test_an_exception_reaches_its_rules_and_the_correlations_on_them(tmp_path: Path) -> None:
    exception = {"id": "E1", "rules": ["ins-clm-001"], "where": {"user.name": "audit.medrev"}, "reason": "r", "owner": "o"}
    profile = {"exceptions": [{**exception, "approved_by": "a", "expires": "2026-12-31", "max_days": 90}]}
    expected = pairs(lambda each: any(base.header.label == "ins-clm-001" for base in bases(each)))
    assert changed(tmp_path, profile) == expected
    assert len(expected) > 3, "a correlation rests on it"
    assert all("audit.medrev" in text for key, text in queries(built(tmp_path, profile)).items() if key in expected)


def test_what_was_built_for_others_before_changes_nothing(tmp_path: Path) -> None:
    """Reuse is by what a detection depends on: built alone or after others, a customer gets the same bytes."""
    profiles: list[dict[str, Any]] = [
        {},
        {"thresholds": {"clm_unassigned_claims_per_hour": 45}, "targets": {"splunk": {"index": {"insurance_claims": "x"}}}},
        {"context": {"insurance.context.assigned_to_actor": {"mode": "lookup", "table": "claim_assignment"}}},
        {"targets": {target: {"field_overrides": {"user.name": "who"}} for target in TARGETS}},
        {"feeds": {"insurance_claims": {"lacks": ["insurance.claim.status"]}}},
        {"schedules": {"interval": "15m"}},
    ]
    bench = Workbench()
    for number, profile in enumerate([*profiles, *profiles]):
        shared = built(tmp_path, profile, f"t{number}", bench)
        alone = built(tmp_path, profile, f"t{number}")
        assert queries(shared) == queries(alone)
        assert tree_of(shared) == tree_of(alone)
    assert bench.reused > bench.compiled


def tree_of(build: TenantBuild) -> dict[str, str | bytes]:
    return tenant_tree(build, insurance(), NO_PROOFS, {}, dict.fromkeys((each.header.path for each in insurance().rules), "0" * 64))


def test_the_ledger_of_a_customer_adds_up(tmp_path: Path) -> None:
    profile = {
        "feeds": {"insurance_telematics": {"absent": True}},
        "rules": {"disabled": [{"id": "ins-clm-c01", "reason": "pilot", "owner": "soc", "review": "2027-01-31"}]},
    }
    build = built(tmp_path, profile)
    states = Counter((outcome.target, outcome.state) for outcome in build.outcomes)
    for target in TARGETS:
        assert sum(number for (name, _), number in states.items() if name == target) == len(insurance().rules)
        assert states[target, "disabled"] == 1
    lacking = {outcome.rule.header.label for outcome in build.outcomes if outcome.needs}
    assert lacking == {
        each.header.label for each in insurance().rules if "insurance_telematics" in facts_of(each, insurance()).all_logsources
    }
    assert tree_of(build)


def test_a_rule_that_is_switched_off_is_delivered_switched_off(tmp_path: Path) -> None:
    """What was loaded before goes on alerting until it is told not to."""
    profile = {"rules": {"disabled": [{"id": "ins-clm-005", "reason": "pilot", "owner": "soc", "review": "2027-01-31"}]}}
    off = [outcome.packed for outcome in built(tmp_path, profile).outcomes if outcome.state == "disabled"]
    assert len(off) == len(TARGETS)
    assert all(packed is not None and not packed.enabled for packed in off)


def test_what_is_looked_up_comes_with_its_table(tmp_path: Path) -> None:
    profile = {
        "context": {"insurance.context.assigned_to_actor": {"mode": "lookup", "table": "claim_assignment", "max_age": "15m"}},
        "calendar": {"default": {"timezone": "Europe/Berlin", "weekdays": ["mon"], "hours": "08:00-17:00"}, "years": [2026]},
    }
    files = dict(package_files(built(tmp_path, profile)))
    for target in TARGETS:
        assert any(target in path and "claim_assignment" in _text(files[path]) for path in files), target


def _text(content: str | bytes) -> str:
    return content if isinstance(content, str) else ""


def test_no_customer_s_words_reach_another(tmp_path: Path) -> None:
    bench = Workbench()
    lists = {"core_apps": {"mode": "inline", "values": ["secret-app-of-one"]}}
    one = built(tmp_path, {"lists": {**_lists(), **lists}}, "one", bench)
    two = built(tmp_path, {}, "two", bench)
    assert any("secret-app-of-one" in text for text in queries(one).values())
    assert not any("secret-app-of-one" in _text(content) for content in tree_of(two).values())


def _lists() -> dict[str, Any]:
    return {key: {"mode": "inline", "values": list(values)} for key, values in insurance().tenants["default"].lists.items()}


def test_what_a_correlation_reads_is_in_its_slice() -> None:
    """A field outside of the slice would be refused, not borrowed: every rule of the pack compiles as it does with the whole mapping."""
    each = rule("ins-clm-c03")
    assert isinstance(each, Correlation)
    read = set(facts_of(each, insurance()).all_fields)
    assert {name for base in each.base_rules for name in fields_of(base.predicate)} <= read
    assert set(each.group_by) <= read
