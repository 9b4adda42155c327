"""Kibana rules, their bundle, and the templates."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest

from insigma.content.attack import load_attack
from insigma.content.folding import fold
from insigma.content.model import Header, TargetField
from insigma.content.rules import read_header
from insigma.content.yaml_reader import Document
from insigma.packages.base import PackContext, Packed
from insigma.packages.elastic.files import ElasticPackager
from insigma.packages.elastic.pipelines import event_id_pipeline
from insigma.packages.elastic.rules import KibanaContext, kibana_rule, ndjson, rule_id
from insigma.packages.elastic.template import index_template
from insigma.packages.elastic.threat import threat
from insigma.targets.base import Detection, Refused, Schedule
from tests.targets.elastic_harness import compiled, correlated, pack

DATA: dict[str, Any] = {
    "title": "Suspicious Export",
    "id": "5d1a4f0e-0000-4000-8000-000000000001",
    "name": "ins-clm-001",
    "status": "test",
    "level": "high",
    "description": "Someone takes claims along.",
    "author": "Ann, Bob",
    "license": "DRL-1.1",
    "references": ["https://example.org/a"],
    "falsepositives": ["An auditor."],
    "fields": ["@timestamp", "user.name", "Image", "nowhere"],
    "tags": ["attack.exfiltration", "attack.t1020", "attack.collection", "attack.t1213.002"],
    "insurance": {
        "pack_id": "ins-clm-001",
        "domain": "claims",
        "role": "alert",
        "response": {
            "actions": [
                {"code": "restrict_user", "mode": "auto_reversible", "max_hold": "4h", "approver": "soc_l1"},
                {"code": "notify_dpo", "mode": "auto"},
                {"code": "none", "mode": "none"},
            ],
            "sla": {"triage": "15m"},
        },
    },
}
EVENT = compiled("s: {event.action: claim-export}\ncondition: s")
COUNTED = correlated("type: event_count\nrules: [view]\ngroup-by: [user.name]\ntimespan: 30m\ncondition: {gte: 10}")
SUMMED = correlated(
    "type: value_sum\nrules: [view]\ngroup-by: [user.name]\ntimespan: 24h\ncondition: {gte: 5000, field: insurance.record_count}"
)


@lru_cache(maxsize=1)
def context() -> KibanaContext:
    return KibanaContext(PackContext("acme", "insurance", "0.1.0"), pack()[0], load_attack())


def header(**changes: Any) -> Header:
    return read_header(Document("rules/claims/suspicious_export.yml", {**DATA, **changes}, {}, {}, {}, {}))


def rule(detection: Detection = EVENT, **changes: Any) -> dict[str, Any]:
    return kibana_rule(header(**changes), detection, context())


def test_an_event_rule() -> None:
    made = rule()
    assert made["type"] == "query"
    assert made["language"] == "lucene"
    assert made["query"] == EVENT.query
    assert made["index"] == ["logs-insurance.claims-*"]
    assert (made["from"], made["to"], made["interval"]) == ("now-600s", "now", "5m")
    assert (made["severity"], made["risk_score"], made["max_signals"], made["enabled"], made["version"]) == ("high", 73, 1000, True, 1)
    assert made["author"] == ["Ann", "Bob"]
    assert made["false_positives"] == ["An auditor."]
    assert made["investigation_fields"] == {"field_names": ["@timestamp", "user.name", "process.executable"]}
    assert "alert_suppression" not in made
    assert "building_block_type" not in made
    assert "timestamp_override" not in made


def test_languages_are_the_rule_types_of_kibana() -> None:
    assert rule(COUNTED)["type"] == "eql"
    assert rule(SUMMED)["type"] == "esql"
    assert "index" in rule(COUNTED)
    assert "index" not in rule(SUMMED)


def test_a_correlation_is_suppressed_by_group_for_its_look_back() -> None:
    expected = {"group_by": ["user.name"], "duration": {"value": 40, "unit": "m"}, "missing_fields_strategy": "doNotSuppress"}
    assert rule(COUNTED)["alert_suppression"] == expected
    assert rule(SUMMED)["alert_suppression"]["duration"] == {"value": 1450, "unit": "m"}
    assert "alert_suppression" not in rule(replace(COUNTED, group_fields=()))
    assert "alert_suppression" not in rule(replace(COUNTED, group_fields=("a", "b", "c", "d")))


@pytest.mark.parametrize(
    ("level", "severity", "risk"),
    [("informational", "low", 10), ("low", "low", 21), ("medium", "medium", 47), ("critical", "critical", 99), ("odd", "medium", 47)],
)
def test_levels(level: str, severity: str, risk: int) -> None:
    made = rule(level=level)
    assert (made["severity"], made["risk_score"]) == (severity, risk)


@pytest.mark.parametrize(("role", "enabled", "block"), [("base", False, "default"), ("signal", True, "default"), ("alert", True, None)])
def test_roles(role: str, enabled: bool, block: str | None) -> None:
    made = rule(insurance={"role": role})
    assert made["enabled"] is enabled
    assert made.get("building_block_type") == block


def test_ids_are_stable_and_differ_by_rule_and_tenant() -> None:
    assert rule_id(header(), "acme") == rule_id(header(title="Another"), "acme") == "02505675-ccb3-5fe6-b521-61d03bda29b8"
    another, nameless = header(id="5d1a4f0e-0000-4000-8000-000000000002"), header(id=None)
    ids = {rule_id(header(), "acme"), rule_id(header(), "other"), rule_id(another, "acme"), rule_id(nameless, "acme")}
    assert len(ids) == 4


def test_the_guide_says_what_to_do() -> None:
    note = rule(COUNTED)["note"]
    assert note.startswith("## What it means\n\nSomeone takes claims along.\n\n## Harmless causes\n\n- An auditor.\n\n## Response\n\n")
    assert "- restrict_user (auto_reversible, at most 4h, approved by soc_l1)\n- notify_dpo (auto)\n- in time: triage within 15m" in note
    assert "## Limits of this query\n\n- an event that is indexed twice" in note
    assert "none" not in note


def test_tags_say_where_the_rule_is_from() -> None:
    assert rule()["tags"][:6] == [
        "Insigma",
        "Pack: ins-clm-001",
        "Domain: claims",
        "Role: alert",
        "Sigma: 5d1a4f0e-0000-4000-8000-000000000001",
        "Tenant: acme",
    ]
    assert rule()["tags"][6:] == DATA["tags"]


def test_techniques_stand_under_their_own_tactics() -> None:
    entries = {entry["tactic"]["name"]: entry for entry in rule()["threat"]}
    assert list(entries) == ["Collection", "Exfiltration"]
    assert [technique["id"] for technique in entries["Exfiltration"]["technique"]] == ["T1020"]
    (technique,) = entries["Collection"]["technique"]
    assert technique["id"] == "T1213"
    assert technique["reference"] == "https://attack.mitre.org/techniques/T1213/"
    assert [part["id"] for part in technique["subtechnique"]] == ["T1213.002"]
    assert technique["subtechnique"][0]["reference"] == "https://attack.mitre.org/techniques/T1213/002/"


def test_threat_at_the_edges() -> None:
    table = load_attack()
    assert threat((), table) == []
    assert threat(("attack.t9999", "cve.2026.1", "attack.nothing"), table) == []
    (only_tactic,) = threat(("attack.impact",), table)
    assert "technique" not in only_tactic
    (own,) = threat(("attack.t1020",), table)
    assert own["tactic"]["name"] == "Exfiltration"
    (misplaced, its_own) = threat(("attack.impact", "attack.t1020"), table)
    assert {entry["tactic"]["name"]: "technique" in entry for entry in (misplaced, its_own)} == {"Exfiltration": True, "Impact": False}


def test_a_rule_without_text_is_still_one() -> None:
    bare = {"title": "Bare", "logsource": {}, "detection": {}}
    made = kibana_rule(read_header(Document("bare.yml", bare, {}, {}, {}, {})), EVENT, context())
    assert made["description"] == "Bare"
    assert made["note"] == ""
    assert "investigation_fields" not in made


def test_times_that_kibana_cannot_keep_are_refused() -> None:
    with pytest.raises(Refused, match="whole seconds"):
        rule(replace(EVENT, schedule=Schedule(1_500, 600_000)))
    assert rule(replace(EVENT, schedule=Schedule(86_400_000, 600_500)))["interval"] == "24h"
    assert rule(replace(EVENT, schedule=Schedule(90_000, 600_500)))["from"] == "now-601s"


def test_hostile_texts_are_only_text() -> None:
    made = rule(title='x"\n{"a": 1}', description="!{investigate{}} </script>\u2028", tags=["a\nb"], author=["no", "string"])
    (line,) = ndjson([made]).splitlines(keepends=True)[:1]
    assert json.loads(line)["name"] == 'x"\n{"a": 1}'
    assert "!{" not in made["note"]
    assert made["author"] == []


def test_ndjson_is_one_sorted_line_a_rule() -> None:
    first, second = rule(), rule(id="5d1a4f0e-0000-4000-8000-000000000002")
    text = ndjson([first, second])
    lines = text.split("\n")
    assert len(lines) == 3
    assert lines[2] == ""
    assert [json.loads(line) for line in lines[:2]] == [first, second]
    assert list(json.loads(lines[0])) == sorted(first)
    with pytest.raises(ValueError, match="two rules"):
        ndjson([first, first])


def test_the_template_maps_every_field() -> None:
    mapping = pack()[0]
    properties = index_template(mapping)["template"]["mappings"]["properties"]
    for field in mapping.fields.values():
        node: dict[str, Any] = {"properties": properties}
        for part in field.name.split("."):
            node = node["properties"][part]
        assert node["type"] == field.type
        assert node.get("normalizer") == ("insigma_fold" if field.case == "lower" else None)
        assert list(node.get("fields", {})) == ([field.cased_name.rsplit(".", 1)[1]] if field.cased_name else [])


def test_the_normalizer_folds_as_insigma_does() -> None:
    analysis = index_template(pack()[0])["template"]["settings"]["index"]["analysis"]
    rules = dict(line.split(" => ") for line in analysis["char_filter"]["insigma_fold"]["mappings"])
    assert analysis["normalizer"]["insigma_fold"]["filter"] == ["lowercase"]
    cherokee = {*range(0x13A0, 0x13FE), *range(0xAB70, 0xABC0)}
    for point in range(0x110000):
        if 0xD800 <= point < 0xE000 or point in cherokee or point == 0x130:
            continue
        char = rules.get(chr(point), chr(point))
        lowered = char.lower() if len(char.lower()) == 1 else char
        assert lowered == fold(chr(point)), hex(point)


def test_fields_that_collide_are_errors() -> None:
    mapping = pack()[0]
    for extra in (
        TargetField("user.name.first", "keyword", "lower"),
        TargetField("user.name", "long", "any"),
        TargetField("z", "keyword", "lower", "elsewhere"),
    ):
        with pytest.raises(ValueError, match=r"two ways|and an object|no sub-field"):
            index_template(replace(mapping, fields={**mapping.fields, "extra": extra}))


def test_an_event_that_comes_twice_gets_one_id() -> None:
    (processor,) = event_id_pipeline(pack()[0])["processors"]
    assert processor["fingerprint"]["fields"] == ["organization.id", "insurance.logsource", "event.dataset", "event.id"]
    assert processor["fingerprint"]["target_field"] == "_id"


def test_the_packager_writes_files() -> None:
    packager = ElasticPackager(context())
    files = packager.rule_files(header(), COUNTED)
    assert list(files) == ["elastic/rules/suspicious_export.eql", "elastic/rules/suspicious_export.json"]
    assert files["elastic/rules/suspicious_export.eql"] == COUNTED.query + "\n"
    bundle = packager.bundle([Packed(header(), COUNTED, files)])
    assert sorted(bundle) == ["elastic/component-template.json", "elastic/ingest-pipeline.json", "elastic/insigma.ndjson"]
    assert all(text.endswith("\n") for text in (*files.values(), *bundle.values()))
    assert json.loads(bundle["elastic/insigma.ndjson"]) == json.loads(files["elastic/rules/suspicious_export.json"])
