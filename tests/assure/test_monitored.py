"""Critical systems: monitored only with a healthy feed, an enabled P1 rule and a passing test, each by itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from insigma.assure.monitored import Monitoring, Rules, is_p1, monitoring_of, percent
from insigma.content.model import LogSource, Taxonomy, TaxonomyLogSource
from insigma.content.profiles import read_tenant
from insigma.content.tenants import Tenant
from insigma.content.yaml_reader import read_bytes
from tests.assure.test_fixtures import pack_of

SOURCES = {
    name: TaxonomyLogSource(name, LogSource(name), "", ("user", "when"), ("payee", "note"), None) for name in ("claims", "payments", "idle")
}
TAXONOMY = Taxonomy("test", "1", {}, SOURCES)
RULES = pack_of("""\
title: View
name: view
level: low
logsource: {category: claims}
detection: {selection: {a: 1}, condition: selection}
insurance: {role: base}
---
title: Many Views
name: many
level: high
correlation: {type: event_count, rules: [view], group-by: [user], timespan: 1h, condition: {gte: 9}}
insurance: {role: alert}
---
title: Pay
name: pay
level: critical
logsource: {category: payments}
detection: {selection: {a: 1}, condition: selection}
insurance: {role: alert}
---
title: Pay By Payee
name: payees
level: medium
correlation: {type: value_count, rules: [pay], group-by: [payee], timespan: 1h, condition: {field: note, gte: 2}}
insurance: {role: alert}
""").rules
ALL = frozenset(rule.header.label for rule in RULES)


def tenant(**parts: Any) -> Tenant:
    found, _ = read_tenant(read_bytes(yaml.safe_dump({"tenant": {"id": "one"}, "lists": {}, **parts}).encode(), "one.yml").documents[0])
    assert found is not None
    return found


def functions(**of: list[str]) -> Mapping[str, Any]:
    """Critical functions, each with one system named after it and these log sources."""
    return {name: {"services": [f"{name}-app"], "logsources": logsources} for name, logsources in of.items()}


def monitoring(profile: Tenant, running: Collection[str] = ALL, tested: Collection[str] = ALL) -> Monitoring:
    return monitoring_of(profile, Rules(RULES, running, tested), TAXONOMY)


def missing(profile: Tenant, running: Collection[str] = ALL, tested: Collection[str] = ALL) -> tuple[str, ...]:
    (system,) = monitoring(profile, running, tested).systems
    assert system.monitored == (not system.missing)
    return system.missing


def test_a_p1_rule_alerts_with_severity_high_or_critical() -> None:
    assert [rule.header.label for rule in RULES if is_p1(rule)] == ["many", "pay"]


def test_a_system_with_all_three_is_monitored() -> None:
    assert missing(tenant(critical_functions=functions(handling=["claims"]))) == ()


@dataclass(frozen=True)
class Lack:
    """What is taken away from a monitored system, and what is then said to be missing."""

    told: tuple[str, ...]
    feeds: Mapping[str, Any] | None = None
    running: Collection[str] = ALL
    tested: Collection[str] = ALL
    logsources: tuple[str, ...] = ("claims",)


@pytest.mark.parametrize(
    "lack",
    [
        pytest.param(Lack(("claims is absent (sold)",), {"claims": {"absent": True, "because": "sold"}}), id="absent"),
        pytest.param(
            Lack(("claims: user is filled in 94.9 % of events, 95 % are needed",), {"claims": {"fill": {"user": 0.9499}}}), id="fill"
        ),
        pytest.param(Lack(("claims: when is filled in 0 % of events, 95 % are needed",), {"claims": {"lacks": ["when"]}}), id="lacks"),
        pytest.param(Lack(("no enabled P1 rule reads claims",), running=ALL - {"many"}), id="no P1 rule"),
        pytest.param(Lack(("no fixture of its P1 rules passes: many",), tested=ALL - {"many"}), id="no test"),
        pytest.param(Lack(("the profile names no log source that watches it",), logsources=()), id="no log source"),
        pytest.param(
            Lack(
                ("payments: payee is filled in 50 % of events, 95 % are needed",),
                {"payments": {"fill": {"payee": 0.5}}},
                logsources=("payments",),
            ),
            id="group-by",
        ),
        pytest.param(
            Lack(
                ("payments: note is filled in 50 % of events, 95 % are needed",),
                {"payments": {"fill": {"note": 0.5}}},
                logsources=("payments",),
            ),
            id="count-by",
        ),
        pytest.param(
            Lack(("nonsense is no log source of the taxonomy",), logsources=("claims", "nonsense")),
            id="unknown log source",
        ),
    ],
)
def test_a_system_that_lacks_one_of_them_is_not_and_says_which(lack: Lack) -> None:
    profile = tenant(critical_functions=functions(handling=list(lack.logsources)), feeds=dict(lack.feeds or {}))
    assert missing(profile, lack.running, lack.tested) == lack.told


@pytest.mark.parametrize(
    "feeds",
    [
        pytest.param({"claims": {"fill": {"user": 0.95}}}, id="95 % is enough"),
        pytest.param({"claims": {"fill": {"note": 0.1}}}, id="a field that nothing groups by"),
        pytest.param({"idle": {"absent": True}}, id="another log source"),
        pytest.param({}, id="not measured"),
    ],
)
def test_what_is_no_lack(feeds: Mapping[str, Any]) -> None:
    assert missing(tenant(critical_functions=functions(handling=["claims"]), feeds=dict(feeds))) == ()


def test_a_rule_whose_test_does_not_pass_does_not_lend_its_alerts_to_another() -> None:
    """The enabled rule and the tested rule have to be the same."""
    profile = tenant(critical_functions=functions(both=["claims", "payments"]))
    assert missing(profile, running={"many"}, tested={"pay"}) == ("no fixture of its P1 rules passes: many",)


def test_a_system_of_several_functions_is_one_and_wants_each_of_them() -> None:
    shared = {"critical_functions": {name: {"services": ["app"], "logsources": [name]} for name in ("claims", "idle")}}
    found = monitoring(tenant(**shared))
    assert [(system.name, system.functions, system.missing) for system in found.systems] == [
        ("app", ("claims", "idle"), ("idle: no enabled P1 rule reads idle",))
    ]
    assert (found.monitored, len(found.systems)) == (0, 1)


def test_the_ladder_counts_only_what_stands_on_the_rung_below() -> None:
    profile = tenant(
        critical_functions=functions(all=["claims", "payments", "idle"], none=[]),
        feeds={"payments": {"fill": {"user": 0.5}}},
    )
    every, none = monitoring(profile).functions
    assert dict(every.rungs) == {"claims": 4, "payments": 1, "idle": 2}
    assert [round(every.share(rung), 2) for rung in ("collected", "parsed", "detected", "tested")] == [1.0, 0.67, 0.33, 0.33]
    assert none.share("collected") == 0.0


def test_what_was_measured_and_found_full_is_measured() -> None:
    named = functions(all=["claims", "payments", "idle"])
    (found,) = monitoring(tenant(critical_functions=named, feeds={"claims": {"fill": {}}, "idle": {"absent": True}})).functions
    assert found.unmeasured == ("payments",)


def test_no_critical_function_is_no_system() -> None:
    found = monitoring(tenant())
    assert (found.functions, found.systems, found.monitored) == ((), (), 0)


@pytest.mark.parametrize(
    ("share", "told"), [(0.95, "95 %"), (0.9499999, "94.9 %"), (0.07, "7 %"), (1.0, "100 %"), (0.0, "0 %"), (0.29, "29 %")]
)
def test_a_share_is_cut_off_and_not_rounded(share: float, told: str) -> None:
    assert percent(share) == told
