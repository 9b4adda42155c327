"""Fixtures, target mappings and tenant profiles: what is read of them, and what is told."""

from __future__ import annotations

from typing import Any

import pytest

from insigma.checks.schema_faults import faults as schema_faults
from insigma.content.fixtures import MAX_EVENTS, read_fixture
from insigma.content.mappings import read_mapping
from insigma.content.model import Fixture, TargetField
from insigma.content.profiles import read_tenant
from insigma.diagnostics.model import Diagnostic
from tests.content.reading import document


def told(faults: tuple[Diagnostic, ...]) -> list[str]:
    return [f"{fault.place.line}:{fault.place.column} {fault.code} {fault.message}" for fault in faults]


def events_of(events: str, defaults: str = "{}") -> list[dict[str, Any]]:
    fixture, faults = read_fixture(document(f"rule: r\ndefaults: {defaults}\ncases: [{{name: c, events: {events}}}]\n"))
    assert told(faults) == []
    assert fixture is not None
    return [dict(event) for event in fixture.cases[0].events]


def faults_of(case: str) -> list[str]:
    fixture, faults = read_fixture(document(f"rule: r\ncases:\n- {case}\n"))
    assert fixture is not None
    return told(faults)


def test_the_parts_of_a_case() -> None:
    text = (
        "rule: ins-x\ncases:\n- {name: first, kind: match, expect: {alerts: []}, because: why, events: [{f: 1}, {repeat: 2, f: 2}]}\n"
        "- {name: second, events: []}\n"
    )
    fixture, faults = read_fixture(document(text))
    assert isinstance(fixture, Fixture)
    assert faults == ()
    assert fixture.rule == "ins-x"
    first, second = fixture.cases
    assert (first.name, first.kind, first.expect, first.because, first.steps) == ("first", "match", {"alerts": []}, "why", (0, 1, 1))
    assert (second.name, second.kind, second.expect, second.because, second.events) == ("second", "", None, "", ())


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ("[{f: 1}]", [{"f": 1, "d": "x"}]),
        ("[{d: z}]", [{"d": "z"}]),
        ("[{d: null}]", [{}]),
        ('[{at: "2026-02-14T10:40:00Z"}]', [{"d": "x", "@timestamp": "2026-02-14T10:40:00.000Z"}]),
        ('[{at: "2026-02-14T10:40:00.1234Z"}]', [{"d": "x", "@timestamp": "2026-02-14T10:40:00.123Z"}]),
        ('[{at: "2026-02-14T10:40:00+02:00"}]', [{"d": "x", "@timestamp": "2026-02-14T08:40:00.000Z"}]),
        ('[{at: "2026-02-14T10:40:00"}]', [{"d": "x", "@timestamp": "2026-02-14T10:40:00.000Z"}]),
        ('[{at: "0999-02-14T10:40:00Z"}]', [{"d": "x", "@timestamp": "0999-02-14T10:40:00.000Z"}]),
        (
            "[{repeat: 2, f: 'C-{n}', g: ['{n}', {h: '{n}'}], i: 7}]",
            [{"d": "x", "f": f"C-{n}", "g": [f"{n}", {"h": "{n}"}], "i": 7} for n in (1, 2)],
        ),
        ("[{repeat: 2, every: 1h, f: 1}]", [{"d": "x", "f": 1}, {"d": "x", "f": 1}]),
    ],
)
def test_events_are_written_out(events: str, expected: list[dict[str, Any]]) -> None:
    assert events_of(events, "{d: x}") == expected


def test_repeated_events_keep_their_pace_over_midnight() -> None:
    events = events_of('[{at: "2026-12-31T23:59:59.500Z", every: 250ms, repeat: 3}]')
    assert [event["@timestamp"] for event in events] == ["2026-12-31T23:59:59.500Z", "2026-12-31T23:59:59.750Z", "2027-01-01T00:00:00.000Z"]


@pytest.mark.parametrize(
    ("case", "fault"),
    [
        ("just text", "3:3 INS509 the case is not a mapping"),
        ("{name: c}", "3:3 INS509 the case has no list of events"),
        ("{name: c, events: {f: 1}}", "3:3 INS509 the case has no list of events"),
        ("{name: c, events: [5]}", "3:22 INS509 the event is not a mapping"),
        ("{name: c, events: [{repeat: 0}]}", "3:31 INS509 '0' is no count"),
        ("{name: c, events: [{repeat: true}]}", "3:31 INS509 'True' is no count"),
        ("{name: c, events: [{repeat: '5'}]}", "3:31 INS509 '5' is no count"),
        ("{name: c, events: [{every: 5}]}", "3:30 INS509 '5' is no duration"),
        ("{name: c, events: [{every: null}]}", "3:30 INS509 'None' is no duration"),
        ("{name: c, events: [{at: noon}]}", "3:27 INS509 'noon' is no time"),
        ("{name: c, events: [{at: 5}]}", "3:27 INS509 '5' is no time"),
        ('{name: c, events: [{at: "2026-02-30T00:00:00Z"}]}', "3:27 INS509 '2026-02-30T00:00:00Z' is no time"),
        ('{name: c, events: [{at: "0001-01-01T00:00:00+05:00"}]}', "3:27 INS509 '0001-01-01T00:00:00+05:00' is no time"),
        ('{name: c, events: [{at: "9999-12-31T23:00:00Z", every: 1h, repeat: 2}]}', "3:58 INS509 the repeats leave the calendar"),
        ('{name: c, events: [{at: "2026-01-01T00:00:00Z", every: 999999999w, repeat: 2}]}', "3:58 INS509 the repeats leave the calendar"),
        ("{name: c, events: [{repeat: 99999999999}]}", "3:22 INS509 more than 100,000 events in one fixture"),
    ],
)
def test_a_faulty_case_is_told_at_its_place(case: str, fault: str) -> None:
    assert faults_of(case) == [fault]


def test_all_faulty_cases_are_told_and_the_others_are_read() -> None:
    text = "rule: r\ncases:\n- 5\n- {name: good, events: []}\n- {name: bad, events: [{at: x}]}\n"
    fixture, faults = read_fixture(document(text))
    assert fixture is not None
    assert [case.name for case in fixture.cases] == ["good"]
    assert [fault.place.line for fault in faults] == [3, 5]


def test_the_limit_of_events_is_that_of_the_whole_fixture() -> None:
    half = f"{{name: c, events: [{{repeat: {MAX_EVENTS // 2}}}]}}"
    fixture, faults = read_fixture(document(f"rule: r\ncases: [{half}, {half}]\n"))
    assert fixture is not None
    assert faults == ()
    fixture, faults = read_fixture(document(f"rule: r\ncases: [{half}, {half}, {{name: c, events: [{{f: 1}}]}}]\n"))
    assert [fault.code for fault in faults] == ["INS509"]


@pytest.mark.parametrize(
    ("text", "fault"), [("cases: []", "1:1 INS509 the fixture has no 'rule'"), ("rule: r", "1:1 INS509 the fixture has no 'cases'")]
)
def test_what_is_no_fixture(text: str, fault: str) -> None:
    fixture, faults = read_fixture(document(text))
    assert fixture is None
    assert told(faults) == [fault]


def test_defaults_that_are_no_mapping_are_told() -> None:
    _, faults = read_fixture(document("rule: r\ndefaults: [a]\ncases: [{name: c, events: []}]\n"))
    assert [fault.code for fault in faults] == ["INS509"]


# Mappings


def test_a_mapping_is_read() -> None:
    mapping, faults = read_mapping(
        document(
            """\
target: elastic
options: {interval: 5m}
fields:
  user.name: {name: u, type: keyword, case: lower, cased: u.cased}
  roles: {name: r, type: keyword, array: true}
logsources:
  x: {index: i, sourcetype: 5, delay: 15m}
  w: {}
"""
        )
    )
    assert faults == ()
    assert (mapping.target, mapping.options) == ("elastic", {"interval": "5m"})
    assert mapping.fields == {
        "user.name": TargetField("u", "keyword", "lower", "u.cased"),
        "roles": TargetField("r", "keyword", "any", None, array=True),
    }
    assert {name: (dict(found.settings), found.delay_ms) for name, found in mapping.logsources.items()} == {
        "x": ({"index": "i", "sourcetype": "5"}, 900_000),
        "w": ({}, 300_000),
    }


def test_every_faulty_entry_of_a_mapping_is_told_and_the_others_are_read() -> None:
    mapping, faults = read_mapping(
        document(
            """\
target: [a]
options: 5
fields:
  a: text
  b: {type: keyword}
  c: {name: c}
  d: {name: d, type: keyword, case: upper}
  e: {name: e, type: keyword, array: 'yes'}
  f: {name: f, type: keyword, tpye: x}
  g: {name: g, type: keyword}
logsources:
  x: text
  w: {delay: soon}
  v: {index: i}
"""
        )
    )
    assert [fault.place.line for fault in faults] == [4, 5, 6, 7, 8, 9, 12, 13]
    assert {fault.code for fault in faults} == {"INS509"}
    assert (mapping.target, list(mapping.fields), list(mapping.logsources), mapping.options) == ("", ["g"], ["v"], {})


def test_a_mapping_with_nothing_in_it() -> None:
    mapping, faults = read_mapping(document("fields: [a]\nlogsources: 5\n"))
    assert (faults, mapping.fields, mapping.logsources) == ((), {}, {})


# Tenants


def test_a_tenant_is_read() -> None:
    tenant, faults = read_tenant(
        document(
            "tenant: {id: acme}\nlists: {l: {mode: inline, values: [a, b]}, m: {values: []}}\n"
            "rules: {disabled: [{id: ins-x, reason: not ours}, {id: ins-w}]}\n"
        )
    )
    assert faults == ()
    assert tenant is not None
    assert (tenant.id, tenant.lists, tenant.disabled) == ("acme", {"l": ("a", "b"), "m": ()}, {"ins-x": "not ours", "ins-w": ""})


@pytest.mark.parametrize("text", ["lists: {}", "tenant: acme", "tenant: {id: 5}"])
def test_what_is_no_tenant(text: str) -> None:
    tenant, faults = read_tenant(document(text))
    assert tenant is None
    assert [fault.code for fault in faults] == ["INS509"]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("lists: {l: {values: [a, 5]}, m: [a], k: {mode: lookup}}", ["2:12", "2:25", "2:33"]),
        ("rules: {disabled: null}", ["2:19"]),
        ("rules: {disabled: ins-x}", ["2:19"]),
        ("rules: [ins-x]", ["2:8"]),
        ("rules: {disabled: [ins-x]}", ["2:20"]),
    ],
)
def test_faulty_parts_of_a_tenant_are_left_out_and_its_schema_tells_of_them(text: str, places: list[str]) -> None:
    read = document(f"tenant: {{id: acme}}\n{text}\n")
    tenant, faults = read_tenant(read)
    assert tenant is not None
    assert faults == ()
    assert (tenant.lists, tenant.disabled) == ({}, {})
    found = [read.key_place(*fault.path) if fault.at_key else read.place(*fault.path) for fault in schema_faults("tenant", read.data)]
    assert {f"{place.line}:{place.column}" for place in found} >= set(places)
