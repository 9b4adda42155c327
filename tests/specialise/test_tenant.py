"""Rules as they hold for a customer."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from insigma.content.model import Correlation, Rule
from insigma.content.predicate import Compare, Match, fields_of, leaves
from insigma.specialise.tenant import ACTIVE, DISABLED, LACKING, Special, Specialiser
from insigma.specialise.thresholds import covers, retuned, thresholds_of
from tests.specialise.profiles import insurance, rule, tenant

CAT = {"id": "CAT-1", "type": "cat", "from": "2026-07-14", "to": "2026-09-30", "lobs": ["property"]}


def special(folder: Path, label: str, profile: dict[str, object], day: str | None = None) -> Special:
    return Specialiser(insurance(), tenant(folder, profile), day).special(rule(label))


def bound(found: Special) -> float:
    assert isinstance(found.rule, Correlation)
    return found.rule.condition.bounds[0].number


@pytest.mark.parametrize("each", [each for each in insurance().rules if thresholds_of(each)], ids=lambda each: each.header.label)
def test_every_threshold_of_the_pack_can_be_set(each: Rule | Correlation) -> None:
    for threshold in thresholds_of(each):
        changed = retuned(each, {threshold.name: threshold.least}, None)
        assert (changed != each) == (threshold.least != threshold.default)
        assert threshold.least in _numbers(changed)


def _numbers(found: Rule | Correlation) -> list[float]:
    if isinstance(found, Correlation):
        return [each.number for each in found.condition.bounds]
    return [leaf.value.value for leaf in leaves(found.predicate) if isinstance(leaf, Match) and isinstance(leaf.value, Compare)]


def test_a_threshold_is_the_profile_s(tmp_path: Path) -> None:
    found = special(tmp_path, "ins-clm-c01", {"thresholds": {"clm_unassigned_claims_per_hour": 45}})
    assert bound(found) == 45
    assert found.notes == ("clm_unassigned_claims_per_hour is 45 (profile)",)


def test_a_surge_holds_on_its_days_and_never_by_the_clock(tmp_path: Path) -> None:
    profile = {"surge": [{**CAT, "multipliers": {"clm_unassigned_claims_per_hour": 2.0}}]}
    assert bound(special(tmp_path, "ins-clm-c01", profile)) == 60
    assert bound(special(tmp_path, "ins-clm-c01", profile, "2026-07-13")) == 60
    assert bound(special(tmp_path, "ins-clm-c01", profile, "2026-07-14")) == 120
    assert bound(special(tmp_path, "ins-clm-c01", profile, "2026-09-30")) == 120
    assert bound(special(tmp_path, "ins-clm-c01", profile, "2026-10-01")) == 60


def test_a_surge_never_passes_the_rule_s_maximum(tmp_path: Path) -> None:
    profile = {"surge": [{**CAT, "multipliers": {"clm_unassigned_claims_per_hour": 50.0}}]}
    assert bound(special(tmp_path, "ins-clm-c01", profile, "2026-08-01")) == 180


@pytest.mark.parametrize(
    ("factor", "most"), [("1.0e+15", 180), ("1.0e+308", 60), ("9" * 390, 60), (".inf", 60), (".nan", 60), ("1.0e-300", 20)]
)
def test_a_factor_beyond_all_reason_ends_at_the_rule_s_bounds(tmp_path: Path, factor: str, most: int) -> None:
    """One that cannot be computed with is none; the check of surges tells of it."""
    number = yaml.safe_load(factor)
    profile = {"surge": [{**CAT, "multipliers": {"clm_unassigned_claims_per_hour": number}}]}
    assert bound(special(tmp_path, "ins-clm-c01", profile, "2026-08-01")) == most


@pytest.mark.parametrize(
    ("entry", "label", "meant"),
    [
        ("ins-clm-001", "ins-clm-001", True),
        ("ins-clm-001", "ins-clm-0010", False),
        ("ins-clm-*", "ins-clm-001", True),
        ("*", "ins-clm-001", True),
        ("ins-???-001", "ins-clm-001", False),
        ("ins-[a-z]*", "ins-clm-001", False),
        ("ins-[a-z]*", "ins-[a-z]-1", True),
        ("ins-*-001", "ins-clm-001", False),
        ("INS-CLM-*", "ins-clm-001", False),
    ],
)
def test_only_an_asterisk_at_the_end_means_more_than_itself(entry: str, label: str, meant: bool) -> None:
    assert covers(entry, label) is meant


def test_what_may_never_be_relaxed_is_not(tmp_path: Path) -> None:
    multipliers = {"clm_unassigned_claims_per_hour": 2.0, "clm_export_records_per_day": 2.0}
    profile = {"surge": [{**CAT, "multipliers": multipliers}]}
    assert bound(special(tmp_path, "ins-clm-c02", profile, "2026-08-01")) == 5000, "the rule itself does not allow it"
    kept = {**profile, "never_relax": ["ins-clm-*"]}
    assert bound(special(tmp_path, "ins-clm-c01", kept, "2026-08-01")) == 60, "the profile does not allow it"
    motor = {"surge": [{**CAT, "lobs": ["travel"], "multipliers": multipliers}]}
    assert bound(special(tmp_path, "ins-brk-c01", motor, "2026-08-01")) == 3000


def test_an_exception_of_a_correlation_stays_in_it_and_one_of_a_base_rule_flows_into_it(tmp_path: Path) -> None:
    def exception(label: str) -> dict[str, object]:
        return {
            "exceptions": [
                {"id": "E1", "rules": [label], "where": {"user.id": "audit"}, "reason": "r", "owner": "o", "approved_by": "a"}
                | {"expires": "2026-12-31", "max_days": 90}
            ]
        }

    for label in ("ins-clm-c01", "ins-clm-001"):
        found = special(tmp_path, "ins-clm-c01", exception(label)).rule
        assert isinstance(found, Correlation)
        assert all("user.id" in fields_of(base.predicate) for base in found.base_rules)
        assert all(base.filtered_by == ("E1",) for base in found.base_rules)
    own = special(tmp_path, "ins-clm-001", exception("ins-clm-c01")).rule
    assert isinstance(own, Rule)
    assert "user.id" not in fields_of(own.predicate)


def test_absent_context_does_what_the_rule_says(tmp_path: Path) -> None:
    def absent(name: str) -> dict[str, object]:
        return {"context": {f"insurance.context.{name}": {"mode": "absent"}}}

    downgraded = special(tmp_path, "ins-clm-c01", absent("assigned_to_actor"))
    said = rule("ins-clm-c01").header.insurance["context"]["if_unknown"]
    assert said == "downgrade"
    assert (rule("ins-clm-c01").header.level, downgraded.rule.header.level) == ("high", "medium")
    assert downgraded.state == ACTIVE
    assert "runs without insurance.context.assigned_to_actor (if_unknown: downgrade)" in downgraded.notes
    assert isinstance(downgraded.rule, Correlation)
    assert all("insurance.context.assigned_to_actor" not in fields_of(base.predicate) for base in downgraded.rule.base_rules)


def test_a_rule_that_asks_for_absent_context_cannot_run_and_says_what_it_takes(tmp_path: Path) -> None:
    flag = "insurance.context.restricted_party"
    asking = next(each for each in insurance().rules if isinstance(each, Rule) and f"field='{flag}'" in str(each.predicate))
    found = special(tmp_path, asking.header.label, {"context": {flag: {"mode": "absent"}}})
    assert (found.state, found.needs) == (LACKING, (f"deliver {flag}",))


def test_a_missing_log_source_or_group_field_is_told_with_what_it_takes(tmp_path: Path) -> None:
    absent = special(tmp_path, "ins-clm-c01", {"feeds": {"insurance_claims": {"absent": True, "because": "not connected"}}})
    assert (absent.state, absent.needs) == (LACKING, ("deliver log source insurance_claims (absent: not connected)",))
    rare = special(tmp_path, "ins-clm-c01", {"feeds": {"insurance_claims": {"fill": {"user.name": 0.71}}}})
    assert rare.state == LACKING
    assert rare.needs == ("fill user.name in insurance_claims: 71 % of events have it, 95 % are needed to group or count by it",)
    enough = special(tmp_path, "ins-clm-c01", {"feeds": {"insurance_claims": {"fill": {"user.name": 0.95}}}})
    assert enough.state == ACTIVE


def test_a_disabled_rule_keeps_its_reason_and_a_severity_is_the_profile_s(tmp_path: Path) -> None:
    rules = {
        "disabled": [{"id": "ins-clm-c01", "reason": "until roles are clean", "owner": "soc", "review": "2027-01-31"}],
        "severity_overrides": [{"id": "ins-clm-005", "level": "critical", "reason": "fraud wave"}],
    }
    off = special(tmp_path, "ins-clm-c01", {"rules": rules})
    assert (off.state, off.reason) == (DISABLED, "until roles are clean")
    assert special(tmp_path, "ins-clm-005", {"rules": rules}).rule.header.level == "critical"


def test_clocks_are_those_of_regimes_that_apply(tmp_path: Path) -> None:
    regimes = {"dora": {"applies": True}, "gdpr": {"applies": False}, "nydfs": {"applies": False}}
    clocks = special(tmp_path, "ins-clm-c01", {"regulators": regimes}).rule.header.insurance["regulatory"]["clocks"]
    assert clocks == ["dora"]
    assert len(rule("ins-clm-c01").header.insurance["regulatory"]["clocks"]) > 1


def test_a_list_by_lookup_is_a_field_that_is_looked_up(tmp_path: Path) -> None:
    using = next(each for each in insurance().rules if isinstance(each, Rule) and "privileged_actuaries" in str(each.predicate))
    lists = {"privileged_actuaries": {"mode": "lookup", "source": "iam", "owner": "o", "refresh": "1h"}}
    found = special(tmp_path, using.header.label, {"lists": lists})
    assert [lookup.table for lookup in found.lookups] == ["privileged_actuaries"]
    assert isinstance(found.rule, Rule)
    assert found.lookups[0].field in fields_of(found.rule.predicate)


def test_a_list_that_is_not_given_keeps_the_rule_from_running(tmp_path: Path) -> None:
    using = next(each for each in insurance().rules if isinstance(each, Rule) and "privileged_actuaries" in str(each.predicate))
    found = special(tmp_path, using.header.label, {"lists": {}})
    assert found.state == LACKING
    assert "give list 'privileged_actuaries'" in found.needs


def test_two_customers_with_the_same_changes_share_one_rule(tmp_path: Path) -> None:
    first = Specialiser(insurance(), tenant(tmp_path, {"thresholds": {"clm_unassigned_claims_per_hour": 45}}, "one"))
    other = tenant(tmp_path, {"thresholds": {"clm_unassigned_claims_per_hour": 45}}, "two")
    third = tenant(tmp_path, {"thresholds": {"clm_unassigned_claims_per_hour": 46}}, "three")
    memo = first._memo
    label = rule("ins-clm-c01")
    assert first.special(label).key == Specialiser(insurance(), other, None, memo).special(label).key
    assert first.special(label).key != Specialiser(insurance(), third, None, memo).special(label).key


def test_names_stay_where_they_were(tmp_path: Path) -> None:
    """Selections keep their names, so that verdicts are explained in the rule's words."""
    found = special(tmp_path, "ins-clm-004", {"thresholds": {"clm_postapproval_change_percent": 7}}).rule
    assert isinstance(found, Rule)
    assert "Named(name='change_amount'" in repr(found.predicate)


def test_a_rule_that_nothing_can_match_is_told_and_not_delivered(tmp_path: Path) -> None:
    """An empty list that a rule looks for leaves a query that never fires: the worst of all."""
    using = next(each for each in insurance().rules if isinstance(each, Rule) and "sector_feeds" in str(each.predicate))
    lists = {
        **{key: {"mode": "inline", "values": list(values)} for key, values in insurance().tenants["default"].lists.items()},
        "sector_feeds": {"mode": "inline", "values": []},
    }
    found = special(tmp_path, using.header.label, {"lists": lists})
    assert (found.state, found.needs) == (LACKING, ("let something match: with its lists and exceptions nothing can",))
