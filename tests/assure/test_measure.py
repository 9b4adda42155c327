"""Measuring log sources: each event counts where a rule is about it, and nothing is kept of the events."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
import yaml

from insigma.assure.measure import HIDDEN, Delays, Gauge, Measurement, Use, fills
from insigma.content.model import Case, Field, FieldType, LogSource, Taxonomy, TaxonomyLogSource
from insigma.content.profiles import read_tenant
from insigma.content.tenants import Tenant
from insigma.content.yaml_reader import read_bytes
from tests.assure.test_fixtures import pack_of

FLAG = "insurance.context.known"


def field(name: str, values: tuple[str, ...] | None = None, pii: str = "none") -> Field:
    return Field(name, FieldType.KEYWORD, Case.LOWER, False, None, values, pii, "", "")


FIELDS = {
    entry.name: entry
    for entry in (
        field("insurance.logsource", ("claims",)),
        field("event.action"),
        field("user"),
        field("payee"),
        field("amount"),
        field("note"),
        field("state", ("open", "shut")),
        field("kin", ("yes", "no"), "personal"),
        field(FLAG, ("yes", "no", "unknown")),
    )
}
CLAIMS = TaxonomyLogSource(
    "claims",
    LogSource("claims"),
    "",
    ("insurance.logsource", "event.action", "user"),
    ("payee", "amount", "note", "state", "kin", FLAG),
    ("view", "pay", "shut"),
)
TAXONOMY = Taxonomy("test", "1", FIELDS, {"claims": CLAIMS})
RULES = """\
title: Pay
name: pay
logsource: {category: claims}
detection:
  selection: {event.action: [pay, other], amount|gte: 10}
  filter: {insurance.context.known: 'yes'}
  without: {note: null}
  condition: selection and not filter and not without
---
title: Payees
name: payees
correlation: {type: value_count, rules: [pay], group-by: [payee], timespan: 1h, condition: {field: user, gte: 2}}
---
title: Any
name: any
logsource: {category: claims}
detection: {selection: {state: open}, condition: selection}
"""


def tenant(**parts: Any) -> Tenant:
    found, _ = read_tenant(read_bytes(yaml.safe_dump({"tenant": {"id": "one"}, "lists": {}, **parts}).encode(), "one.yml").documents[0])
    assert found is not None
    return found


def measured(events: Iterable[Mapping[str, Any]], profile: Tenant | None = None) -> Measurement:
    measurement = Measurement(pack_of(RULES).rules, profile or tenant(), TAXONOMY)
    for event in events:
        measurement.add(event)
    return measurement


def claim(action: str = "view", **other: Any) -> dict[str, Any]:
    return {"insurance.logsource": "claims", "event.action": action, "user": "ann", **other}


def gauges(measurement: Measurement) -> dict[tuple[str, str], tuple[int, int, tuple[str, ...]]]:
    return {(gauge.use.name, gauge.field): (gauge.filled, gauge.events, gauge.rules) for gauge in measurement.tallies["claims"].gauges}


def test_a_field_of_some_events_is_measured_among_those_that_the_rule_is_about() -> None:
    events = [*[claim() for _ in range(90)], *[claim("pay", payee="p", amount=1) for _ in range(9)], claim("PAY")]
    found = gauges(measured(events))
    assert found["GROUPED", "payee"] == (9, 10, ("payees",))
    assert found["READ", "amount"] == (9, 10, ("pay", "payees"))
    assert found["REQUIRED", "user"] == (100, 100, ("payees",))
    assert found["READ", "state"] == (0, 100, ("any",))


def test_a_field_that_is_only_asked_whether_it_is_there_need_not_be() -> None:
    assert ("READ", "note") not in gauges(measured([]))


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({}, (1, 4, ("pay", "payees"))),
        ({FLAG: {"mode": "ingest"}}, (1, 4, ("pay", "payees"))),
        ({FLAG: {"mode": "lookup", "table": "x"}}, None),
        ({FLAG: {"mode": "absent"}}, None),
    ],
)
def test_a_flag_counts_as_known_if_it_comes_and_says_something(context: dict[str, Any], expected: Any) -> None:
    events = [claim("pay", **{FLAG: word}) for word in ("yes", "unknown", "UNKNOWN")]
    assert gauges(measured([*events, claim("pay")], tenant(context=context))).get(("FLAG", FLAG)) == expected


def test_values_outside_of_the_closed_vocabulary_are_counted_and_personal_ones_not_shown() -> None:
    tally = measured([claim("VIEW", state="Open"), claim("peek", state="ajar", kin="her sister"), claim(state=["shut", "ajar"])]).tallies[
        "claims"
    ]
    assert {name: codes.sorted() for name, codes in tally.outside.items()} == {
        "event.action": {"peek": 1},
        "state": {"ajar": 2},
        "kin": {HIDDEN: 1},
    }


def test_nested_and_flat_events_are_the_same() -> None:
    nested = {"insurance": {"logsource": "claims", "context": {"known": "yes"}}, "event": {"action": "pay"}, "user": "ann"}
    flat = {"insurance.logsource": "claims", FLAG: "yes", "event.action": "pay", "user": "ann"}
    assert gauges(measured([nested])) == gauges(measured([flat]))


def test_events_without_a_known_log_source_are_counted_apart() -> None:
    found = measured([{"user": "ann"}, {"insurance.logsource": "clams"}, claim()])
    assert (found.events, found.unnamed, found.unknown.sorted()) == (3, 1, {"clams": 1})
    assert [tally.source.name for tally in found.seen] == ["claims"]
    assert not found.passes


@pytest.mark.parametrize(
    ("events", "passes"),
    [
        ([claim() for _ in range(20)], True),
        ([claim(user=None if number == 0 else "ann") for number in range(20)], True),
        ([claim(user=None if number < 2 else "ann") for number in range(20)], False),
        ([claim(user=None), claim()], True),
        ([claim(state="ajar")], False),
        ([], False),
    ],
    ids=["full", "95 %", "90 %", "too few to tell", "not a word", "nothing"],
)
def test_what_passes(events: list[dict[str, Any]], passes: bool) -> None:
    assert measured(events).passes is passes


def test_of_several_rules_a_profile_gets_the_lowest_share_and_never_more_than_was_measured() -> None:
    tally = measured([*[claim("pay", payee="p", amount=1) for _ in range(20)], *[claim("pay", amount=1) for _ in range(10)]]).tallies[
        "claims"
    ]
    assert fills(tally) == {"payee": 0.6666}
    tally.gauges[0].field, tally.gauges[0].events, tally.gauges[0].filled = "payee", 100, 10
    assert fills(tally) == {"payee": 0.1}


def test_a_share_of_few_events_is_not_written() -> None:
    assert fills(measured([claim("pay") for _ in range(19)]).tallies["claims"]) == {}
    assert fills(measured([claim("pay") for _ in range(20)]).tallies["claims"]) == {"payee": 0.0}


def test_delays_are_from_the_event_to_its_ingest() -> None:
    at = {"@timestamp": "2026-01-01T00:00:00Z"}
    events = [claim(**at, **{"event.ingested": f"2026-01-01T00:{minute:02d}:00Z"}) for minute in range(1, 11)]
    delays = measured([*events, claim(**at), claim(**{"event.ingested": "2026-01-01T00:00:00Z"})]).tallies["claims"].delays
    assert (delays.events, delays.longest_ms, delays.early) == (10, 600_000, 0)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9, 0.99, 1.0])
def test_a_quantile_is_never_too_low_and_at_most_a_twentieth_too_high(share: float) -> None:
    delays = Delays()
    sizes = sorted((number * 7919) % 100_003 * 10 for number in range(1, 2_001))
    for size in sizes:
        delays.add(size)
    exact = sizes[max(0, -(-int(share * 10_000) * len(sizes) // 10_000) - 1)]
    assert exact <= delays.within_ms(share) <= exact * 1.05 + 50


def test_an_event_that_is_ingested_before_it_happens_is_told_and_not_late() -> None:
    delays = Delays()
    delays.add(-60_000)
    assert (delays.early, delays.events, delays.within_ms(1.0), delays.longest_ms) == (1, 1, 0, 0)


def test_a_gauge_without_events_lacks_nothing() -> None:
    assert not Gauge(Use.REQUIRED, "user", None, ()).low


def test_memory_does_not_grow_with_the_events() -> None:
    """Every value is another: nothing of ten thousand more events is kept."""
    measurement = measured(
        claim(f"a{number}", state=f"s{number}", **{"@timestamp": number, "event.ingested": number * 3}) for number in range(5_000)
    )
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(5_000, 15_000):
            measurement.add(claim(f"a{number}", state=f"s{number}"))
        assert tracemalloc.get_traced_memory()[0] - before < 200_000
    finally:
        tracemalloc.stop()
    assert measurement.tallies["claims"].outside["state"].total == 15_000
