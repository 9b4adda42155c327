"""Rules of the default taxonomy: what they become on each target, and what they rest on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from insigma.bind.binder import bind
from insigma.bind.model import BoundCorrelation, Refused
from insigma.bind.open import is_open, open_mapping, open_notes, source_name
from insigma.content.model import LogSource
from tests.content.reading import rules_of
from tests.public.opened import TARGETS, compiled, program_pack, public_rules, query

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "cases.yml").read_text(encoding="utf-8"))
EACH = [
    pytest.param(json.dumps(case["detection"]), target, wanted, id=f"{number}-{target}")
    for number, case in enumerate(CASES)
    for target, wanted in case.items()
    if target != "detection"
]


JUDGED_ONCE = "| where ingestion_time() >= ago(10m) and ingestion_time() < ago(5m) "
"""How Sentinel's event rules see to it that no event alerts twice."""


@pytest.mark.parametrize(("detection", "target", "wanted"), EACH)
def test_a_detection_becomes_its_query(detection: str, target: str, wanted: str) -> None:
    if not wanted.startswith("refused: "):
        assert query(detection, target).replace(JUDGED_ONCE, "") == wanted
        return
    with pytest.raises(Refused) as refusal:
        query(detection, target)
    assert wanted.removeprefix("refused: ") in refusal.value.reason


def test_only_the_default_taxonomy_is_open() -> None:
    (public,) = public_rules("{s: {a: x}, condition: s}")
    (ours,) = rules_of("title: t\ntaxonomy: insurance\nlogsource: {category: c}\ndetection: {s: {a: x}, condition: s}\n")
    assert (is_open(public), is_open(ours)) == (True, False)


def test_a_mapping_holds_what_the_rule_reads_and_nothing_else() -> None:
    (rule,) = public_rules("{s: {User: x, 'b|fieldref': c}, condition: s}")
    mapping = open_mapping(rule, program_pack().mappings["splunk"])
    assert set(mapping.fields) == {"User", "b", "c", "@timestamp"}
    assert not mapping.fields["User"].declared
    assert mapping.fields["@timestamp"].name == "_time"
    assert set(mapping.logsources) == {"windows_process_creation"}


def test_no_log_source_is_asked_for_and_a_note_says_so() -> None:
    (rule,) = public_rules("{s: {a: x}, condition: s}", "{product: windows, service: security}")
    mapping = open_mapping(rule, program_pack().mappings["elastic"])
    assert open_notes(rule, mapping, scoped=False)[1] == (
        "no log source is asked for: the rule means product windows, service security, the query searches logs-*"
    )
    assert len(open_notes(rule, mapping, scoped=True)) == 1
    for target in TARGETS:
        assert "logsource" not in compiled(rule, target).query


def test_a_place_that_is_given_takes_the_place_of_the_default() -> None:
    (rule,) = public_rules("{s: {a: x}, condition: s}")
    mapping = open_mapping(rule, program_pack().mappings["elastic"], {"index": "winlogbeat-*"})
    assert [dict(source.settings) for source in mapping.logsources.values()] == [{"index": "winlogbeat-*"}]


@pytest.mark.parametrize(
    ("logsource", "name"),
    [
        (LogSource("process_creation", "windows"), "windows_process_creation"),
        (LogSource(service="gcp.audit", product="gcp"), "gcp_gcp_audit"),
        (LogSource("Web Server"), "web_server"),
        (LogSource("a', 'b"), "a_b"),
    ],
)
def test_a_log_source_becomes_one_harmless_word(logsource: LogSource, name: str) -> None:
    assert source_name(logsource) == name


CORRELATION = """
title: one
name: one
logsource: {category: process_creation, product: windows}
detection: {s: {Image: a.exe}, condition: s}
---
title: two
name: two
logsource: {category: network_connection, product: windows}
detection: {s: {Image: a.exe}, condition: s}
---
title: t
correlation: {type: %s, rules: [one, two], group-by: [User], timespan: 5m%s}
"""


@pytest.mark.parametrize("target", ["elastic", "splunk", "sentinel"])
def test_a_correlation_of_public_rules_compiles(target: str) -> None:
    rule = rules_of(CORRELATION % ("event_count", ", condition: {gte: 5}"))[-1]
    found = compiled(rule, target).query
    assert "User" in found
    assert "insurance" not in found


def test_rules_of_two_log_sources_may_match_one_event() -> None:
    """Nothing tells the events of open log sources apart, so nothing may rest on their being different ones."""
    rule = rules_of(CORRELATION % ("temporal_ordered", ""))[-1]
    pack = program_pack()
    bound = bind(rule, open_mapping(rule, pack.mappings["splunk"]), pack.taxonomy)
    assert isinstance(bound, BoundCorrelation)
    assert not bound.disjoint
