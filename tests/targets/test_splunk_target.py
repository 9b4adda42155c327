"""The Splunk target as a whole: base searches, columns, schedules, notes, and the mapping file."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from insigma.bind.binder import bind
from insigma.bind.model import BoundRule, Refused
from insigma.content.model import Rule, TargetMapping
from insigma.content.pack import load_pack
from insigma.specialise.lists import fill_lists, placeholder_names
from insigma.targets.splunk.target import SplunkTarget
from tests.targets.splunk_harness import ROOT, bound, compiled, event_rule, pack, selection


def base(detection: str) -> str:
    return (
        compiled(event_rule(detection)).query.split("\n")[0].removeprefix('index=ins_claims insurance.logsource="insurance_claims"').strip()
    )


@pytest.mark.parametrize(
    ("detection", "expected"),
    [
        ("  s: {event.action: [claim-view, Claim-Export]}\n  condition: s", 'event.action IN ("claim-view", "claim-export")'),
        ("  s: {event.action: claim-view, event.outcome: success}\n  condition: s", 'event.action="claim-view" event.outcome="success"'),
        ("  s: {a: x}\n  t: {a: z}\n  condition: s or t", 'a IN ("x", "z")'),
        ("  s: {a: x}\n  t: {b: z}\n  condition: s or t", ""),
        ("  s: {a: x}\n  t: {b: z}\n  condition: s and not t", 'a="x"'),
        ("  s: {a: 'x*'}\n  condition: s", ""),
        (r"  s: {a: 'x\*'}" + "\n  condition: s", ""),
        ("  s: {a: 'x/z'}\n  condition: s", ""),
        ("  s: {a: ['x', 'x/z']}\n  condition: s", ""),
        ("  s: {a: ü}\n  condition: s", ""),
        ("  s: {a: ''}\n  condition: s", ""),
        ("  s: {a: two words}\n  condition: s", 'a="two words"'),
        ("  s: {count: 5}\n  condition: s", ""),
        ("  s: {list: x}\n  condition: s", ""),
        ("  s: {spaced name: x}\n  condition: s", ""),
        ("  s: {a|cased: Abc}\n  condition: s", 'a="abc"'),
        ("  s: {a|re: abc}\n  condition: s", ""),
        ("  s: {a: null}\n  condition: s", ""),
    ],
)
def test_the_base_search_narrows_only_by_what_the_rule_needs(detection: str, expected: str) -> None:
    assert base(detection) == expected


def test_a_source_type_is_searched_too() -> None:
    mapping, _ = pack()
    rule = bound(selection("event.action: claim-view"))
    assert isinstance(rule, BoundRule)
    settings = MappingProxyType({"index": "ins_claims", "sourcetype": "insigma:claims"})
    rule = replace(rule, logsource=replace(rule.logsource, settings=settings))
    assert SplunkTarget(mapping).compile(rule).query.startswith('index=ins_claims sourcetype="insigma:claims" insurance.logsource=')


@pytest.mark.parametrize("index", ["x | delete", "*", "a b", "", "a]", "x\n[y]"])
def test_an_index_outside_its_allow_list_is_refused(index: str) -> None:
    rule = bound(selection("event.action: claim-view"))
    assert isinstance(rule, BoundRule)
    rule = replace(rule, logsource=replace(rule.logsource, settings=MappingProxyType({"index": index})))
    with pytest.raises(Refused, match="index"):
        SplunkTarget(pack()[0]).compile(rule)


def test_an_alert_shows_the_rules_fields() -> None:
    more = "fields: ['@timestamp', user.name, user.roles, no.such.field, user.name]\n"
    detection = compiled(event_rule("  s: {event.action: claim-view}\n  condition: s", more=more))
    assert detection.query.endswith('\n| table _time user.name "user.roles{}"')
    assert detection.notes == ("fields not shown, as the mapping does not have them: no.such.field",)


def test_a_field_with_an_unsafe_name_is_refused_as_a_column() -> None:
    with pytest.raises(Refused, match="not allowed"):
        compiled(event_rule("  s: {event.action: claim-view}\n  condition: s", more="fields: [evil]\n"))


def test_an_event_rule_looks_back_one_interval_and_the_delay() -> None:
    detection = compiled(selection("event.action: claim-view"))
    assert (detection.target, detection.language, detection.window) == ("splunk", "spl", "event")
    assert (detection.schedule.interval_ms, detection.schedule.lookback_ms) == (300_000, 600_000)


@pytest.mark.parametrize("interval", ["soon", "", "0m", "-5m", 5, None])
def test_an_interval_that_is_no_duration_is_refused(interval: object) -> None:
    mapping, _ = pack()
    with pytest.raises(Refused, match="interval"):
        SplunkTarget(replace(mapping, options=MappingProxyType({"interval": interval})))


@pytest.mark.parametrize(
    ("written", "note"),
    [
        ("a: 'x?'", "one character"),
        ("a: ''", "empty string"),
        ("a: ['', x]", "empty string"),
        ("a|fieldref: b", "ASCII letters only"),
        ("a: x", None),
        ("a: Über", None),
    ],
)
def test_notes_say_what_rests_on_splunk(written: str, note: str | None) -> None:
    notes = compiled(selection(written)).notes
    assert (note is None and not notes) or (note is not None and note in notes[0])


@pytest.mark.parametrize("missing", ["insurance.logsource"])
def test_a_mapping_without_the_log_source_field_is_refused(missing: str) -> None:
    mapping, _ = pack()
    fields = {name: field for name, field in mapping.fields.items() if name != missing}
    with pytest.raises(Refused, match=missing):
        SplunkTarget(replace(mapping, fields=MappingProxyType(fields))).compile(bound(selection("event.action: claim-view")))


def test_the_mapping_holds_every_field_and_log_source_of_the_taxonomy() -> None:
    loaded = load_pack(ROOT).pack
    mapping: TargetMapping = loaded.mappings["splunk"]
    assert set(mapping.fields) == set(loaded.taxonomy.fields)
    assert set(mapping.logsources) == set(loaded.taxonomy.logsources)
    for name, field in loaded.taxonomy.fields.items():
        stored = mapping.fields[name]
        assert stored.array == field.array
        assert stored.type == ("date" if name == "@timestamp" else "number" if field.type.numeric else "string")
        assert stored.name == ("_time" if name == "@timestamp" else f"{name}{{}}" if field.array else name)


def test_every_rule_of_the_pack_is_compiled() -> None:
    loaded = load_pack(ROOT).pack
    mapping = loaded.mappings["splunk"]
    names = {name for rule in loaded.rules if isinstance(rule, Rule) for name in placeholder_names(rule)}
    filled = fill_lists(loaded.rules, dict.fromkeys(names, ("svc-one", "svc-two")))
    assert len(filled.rules) == len(loaded.rules)
    target = SplunkTarget(mapping)
    for rule in filled.rules:
        query = target.compile(bind(rule, mapping, loaded.taxonomy)).query
        assert query.startswith(("index=", "(index="))
        assert all(line.isprintable() for line in query.split("\n"))
