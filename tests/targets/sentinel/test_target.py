"""The Sentinel target as a whole: scope, columns, schedules, notes, the mapping file, and every rule of the pack."""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType

import pytest

from insigma.bind.binder import bind
from insigma.bind.model import BoundRule, Refused
from insigma.content.model import Rule, TargetMapping
from insigma.content.pack import load_pack
from insigma.specialise.lists import fill_lists, placeholder_names
from insigma.targets.sentinel.layout import kusto_type, tables
from insigma.targets.sentinel.target import LONGEST_LOOKBACK_MS, LONGEST_QUERY, SentinelTarget
from tests.targets.sentinel.harness import ROOT, bound, compiled, correlation, event_rule, pack, selection


def test_an_event_rule_asks_its_table_for_its_own_log_source() -> None:
    assert compiled(selection("event.action: claim-view")).query == (
        "InsClaims_CL\n| where ingestion_time() >= ago(10m) and ingestion_time() < ago(5m)\n"
        '| where InsLogSource =~ "insurance_claims"\n| where Operation =~ "claim-view"'
    )


@pytest.mark.parametrize("table", ["x | take 1", "*", "a b", "", "lower_CL", "A-B", "T\n| take 1"])
def test_a_table_outside_its_allow_list_is_refused(table: str) -> None:
    rule = bound(selection("event.action: claim-view"))
    assert isinstance(rule, BoundRule)
    rule = replace(rule, logsource=replace(rule.logsource, settings=MappingProxyType({"table": table})))
    with pytest.raises(Refused, match="table"):
        SentinelTarget(pack()[0]).compile(rule)


def test_a_log_source_without_a_table_is_refused() -> None:
    rule = bound(selection("event.action: claim-view"))
    assert isinstance(rule, BoundRule)
    rule = replace(rule, logsource=replace(rule.logsource, settings=MappingProxyType({})))
    with pytest.raises(Refused, match="no table"):
        SentinelTarget(pack()[0]).compile(rule)


def test_an_alert_shows_the_rules_fields() -> None:
    more = "fields: ['@timestamp', user.name, user.roles, no.such.field, user.name]\n"
    detection = compiled(event_rule("  s: {event.action: claim-view}\n  condition: s", more=more))
    assert detection.query.endswith("\n| project TimeGenerated, ActorUsername, ActorRoles")
    assert detection.notes == ("fields not shown, as the mapping does not have them: no.such.field",)


def test_a_field_with_an_unsafe_name_is_refused_as_a_column() -> None:
    with pytest.raises(Refused, match="not allowed"):
        compiled(event_rule("  s: {event.action: claim-view}\n  condition: s", more="fields: [evil]\n"))


def test_an_event_rule_looks_back_one_interval_the_delay_and_the_room_that_it_leaves() -> None:
    detection = compiled(selection("event.action: claim-view"))
    assert (detection.target, detection.language, detection.window) == ("sentinel", "kql", "event")
    assert (detection.schedule.interval_ms, detection.schedule.lookback_ms) == (300_000, 900_000)


@pytest.mark.parametrize(
    ("interval", "minutes", "since", "lookback"),
    [("5m", 1, "10m", 11), ("5m", 15, "10m", 25), ("1h", 5, "65m", 70), ("5m", 2880, "65m", 2945)],
)
def test_an_event_is_judged_by_the_one_run_after_it_came_in(interval: str, minutes: int, since: str, lookback: int) -> None:
    rule = bound(selection("event.action: claim-view"))
    assert isinstance(rule, BoundRule)
    mapping = replace(pack()[0], options=MappingProxyType({"interval": interval}))
    detection = SentinelTarget(mapping).compile(replace(rule, logsource=replace(rule.logsource, delay_ms=minutes * 60_000)))
    assert f"| where ingestion_time() >= ago({since}) and ingestion_time() < ago(5m)\n" in detection.query
    assert detection.schedule.lookback_ms == lookback * 60_000


@pytest.mark.parametrize("interval", ["soon", "", "0m", "4m", "330s", "15d", 5, None])
def test_an_interval_that_sentinel_does_not_keep_is_refused(interval: object) -> None:
    mapping, _ = pack()
    with pytest.raises(Refused, match="interval"):
        SentinelTarget(replace(mapping, options=MappingProxyType({"interval": interval})))


@pytest.mark.parametrize(
    ("written", "note"),
    [
        ("a: null", "empty string"),
        ("a|exists: true", "empty string"),
        ("a|fieldref: b", "tolower"),
        ("list: x", "U\\+001F"),
        ("list: [x, z]", "U\\+001F"),
        ("a: Über", None),
        ("a: 'x?'", None),
        ("count: null", None),
        ("list: null", None),
    ],
)
def test_notes_say_what_rests_on_sentinel(written: str, note: str | None) -> None:
    notes = compiled(selection(written)).notes
    assert not notes if note is None else re.search(note, notes[0])


def test_a_mapping_without_the_log_source_field_is_refused() -> None:
    mapping, _ = pack()
    fields = {name: field for name, field in mapping.fields.items() if name != "insurance.logsource"}
    with pytest.raises(Refused, match=r"insurance\.logsource"):
        SentinelTarget(replace(mapping, fields=MappingProxyType(fields))).compile(bound(selection("event.action: claim-view")))


def test_a_correlation_needs_the_time_that_rules_look_back_by() -> None:
    body = "  type: event_count\n  rules: [r1]\n  timespan: 1h\n  condition: {gte: 2}\n"
    rule = bound(selection("event.action: claim-view"), correlation(body))
    assert not isinstance(rule, BoundRule)
    with pytest.raises(Refused, match="TimeGenerated"):
        SentinelTarget(pack()[0]).compile(replace(rule, timestamp=replace(rule.timestamp, name="EventTime")))


def test_the_mapping_holds_every_field_and_log_source_of_the_taxonomy() -> None:
    loaded = load_pack(ROOT).pack
    mapping: TargetMapping = loaded.mappings["sentinel"]
    assert set(mapping.fields) == set(loaded.taxonomy.fields)
    assert set(mapping.logsources) == set(loaded.taxonomy.logsources)
    types = {"keyword": "string", "ip": "string", "long": "long", "double": "real", "float": "real", "date": "datetime", "boolean": "bool"}
    for name, field in loaded.taxonomy.fields.items():
        stored = mapping.fields[name]
        assert stored.array == field.array
        assert kusto_type(stored) == ("dynamic" if field.array else types[field.type.value])


def test_tables_and_columns_keep_to_log_analytics_names() -> None:
    declared = tables(load_pack(ROOT).pack.mappings["sentinel"])
    columns = next(iter(declared.values()))
    assert all(re.fullmatch(r"[A-Z][A-Za-z0-9_]{0,44}_CL", name) for name in declared)
    assert all(re.fullmatch(r"[A-Z][A-Za-z0-9_]{0,44}", name) for name in columns)
    assert len({name.casefold() for name in columns}) == len(columns)
    assert not {"TenantId", "Type", "SourceSystem"} & set(columns)


def test_every_rule_of_the_pack_is_compiled_within_sentinels_limits() -> None:
    loaded = load_pack(ROOT).pack
    mapping = loaded.mappings["sentinel"]
    names = {name for rule in loaded.rules if isinstance(rule, Rule) for name in placeholder_names(rule)}
    filled = fill_lists(loaded.rules, dict.fromkeys(names, ("svc-one", "svc-two")))
    assert len(filled.rules) == len(loaded.rules)
    target = SentinelTarget(mapping)
    for rule in filled.rules:
        detection = target.compile(bind(rule, mapping, loaded.taxonomy))
        assert len(detection.query) <= LONGEST_QUERY
        assert detection.schedule.interval_ms <= detection.schedule.lookback_ms <= LONGEST_LOOKBACK_MS
        assert detection.query.replace("\n", "").isprintable()
