"""Notables and risk for Enterprise Security: keys, field names, and that no text becomes a token, a key or a stanza."""

from __future__ import annotations

import json
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insigma.content.model import Header, TargetField, TargetMapping
from insigma.packages.base import Packed
from insigma.packages.splunk import conf
from insigma.packages.splunk.enterprise import actions, result_columns, risk_objects
from insigma.targets.base import Detection
from tests.packages.splunk.conf_reader import read_conf
from tests.packages.splunk.harness import CONTEXT, COUNT, EVENT, WITH_ES, app_of, check_stanza, header, splunk_mapping

ENTITIES = {
    "actor": "user.name",
    "claim": "insurance.claim.id",
    "device": "device.id",
    "host": "host.name",
    "target_user": "user.target.name",
}


def mapping(**names: str) -> TargetMapping:
    """The pack's mapping with fields under other names; `__` stands for a dot."""
    fields = {name.replace("__", "."): TargetField(stored, "string", "any") for name, stored in names.items()}
    loaded = splunk_mapping()
    return replace(loaded, fields=MappingProxyType({**loaded.fields, **fields}))


def about(*roles: str, **parts: Any) -> Header:
    return header(insurance={"evidence": {"entities": {role: ENTITIES[role] for role in roles}}, **parts.pop("insurance", {})}, **parts)


def settings_of(rule: Header, detection: Detection = EVENT, known: TargetMapping | None = None) -> dict[str, str]:
    """The ES settings as they stand in the app's savedsearches.conf."""
    stanzas = read_conf(app_of([Packed(rule, detection, {})], WITH_ES, known)["default/savedsearches.conf"])
    stanza = stanzas[rule.title]
    check_stanza(stanza)
    return {key: value for key, value in stanza.items() if key.startswith("action.")}


def fields_of(rule: Header, detection: Detection = EVENT, known: TargetMapping | None = None) -> list[str]:
    return [entry["risk_object_field"] for entry in risk_objects(rule, detection, known)]


def test_an_alert_makes_a_notable_and_risk() -> None:
    rule = header(
        "Export & Co",
        name="ins-clm-c03",
        description="Somebody takes\nclaims along.",
        insurance={
            "f3": ["F1005.006"],
            "response": {
                "actions": [
                    {"code": "hold_claim", "mode": "auto_reversible", "max_hold": "4h", "approver": "claims_duty_officer"},
                    {"code": "notify_siu", "mode": "auto"},
                    {"code": "none", "mode": "none"},
                ],
                "sla": {"triage": "15m", "contain": "2h"},
            },
        },
    )
    said = settings_of(rule)
    drilldown = json.loads(said.pop("action.notable.param.drilldown_searches"))
    assert said == {
        "action.correlationsearch.enabled": "1",
        "action.correlationsearch.label": "Export & Co",
        "action.correlationsearch.annotations": '{"f3": ["F1005.006"], "mitre_attack": ["T1213.002"]}',
        "action.correlationsearch.metadata": (
            '{"deprecated": "0", "detection_id": "c9650941-dfec-55f3-adb5-c5add26773aa", "detection_version": "7"}'
        ),
        "action.notable": "1",
        "action.notable.param.rule_title": "Export & Co",
        "action.notable.param.rule_description": (
            "Somebody takes claims along. Response: hold claim (auto reversible, 4h at most, by claims duty officer); notify siu (auto). "
            "Service level: triage within 15m, contain within 2h. (ins-clm-c03)"
        ),
        "action.notable.param.security_domain": "threat",
        "action.notable.param.severity": "high",
        "action.notable.param.nes_fields": "user.name",
        "action.notable.param._entities": '[{"risk_object_field": "user.name", "risk_object_type": "user", "risk_score": 0}]',
        "action.risk": "1",
        "action.risk.param._risk": '[{"risk_object_field": "user.name", "risk_object_type": "user", "risk_score": 60}]',
        "action.risk.param._risk_message": "Export & Co (ins-clm-c03)",
        "action.risk.param._risk_score": "0",
    }
    assert drilldown == [
        {
            "name": "Events behind this alert",
            "search": EVENT.query,
            "earliest_offset": "$info_min_time$",
            "latest_offset": "$info_max_time$",
        }
    ]


@pytest.mark.parametrize(
    ("level", "score"), [("informational", 5), ("low", 20), ("medium", 40), ("high", 60), ("critical", 80), ("unheard", 40)]
)
def test_levels_are_severities_and_scores(level: str, score: int) -> None:
    said = settings_of(header(level=level))
    assert said["action.notable.param.severity"] == (level if level != "unheard" else "medium")
    assert json.loads(said["action.risk.param._risk"])[0]["risk_score"] == score


@pytest.mark.parametrize(
    ("domain", "expected"),
    [("claims", "threat"), ("infrastructure_identity", "identity"), ("privileged_database", "access"), ("portal_contact_centre", "access")],
)
def test_domains_are_security_domains(domain: str, expected: str) -> None:
    assert settings_of(header(insurance={"domain": domain}))["action.notable.param.security_domain"] == expected


def test_without_enterprise_security_there_are_no_actions() -> None:
    assert "action." not in app_of([Packed(header(), EVENT, {})])["default/savedsearches.conf"]
    almost = replace(CONTEXT, settings={"enterprise_security": "no"})
    assert "action." not in app_of([Packed(header(), EVENT, {})], almost)["default/savedsearches.conf"]


def test_what_does_not_run_has_no_actions() -> None:
    assert settings_of(header(insurance={"role": "base"})) == {}
    off = app_of([Packed(header(), EVENT, {}, enabled=False)], WITH_ES)["default/savedsearches.conf"]
    assert "action." not in off
    assert "disabled = 1\nenableSched = 0\n" in off


def test_a_signal_adds_risk_and_makes_no_notable() -> None:
    said = settings_of(header(insurance={"role": "signal"}))
    assert said["action.risk"] == "1"
    assert not any(key.startswith("action.notable") for key in said)


def test_risk_is_for_the_fields_as_they_are_stored() -> None:
    shown = replace(EVENT, query="index=x\n| table _time acct cid device.id")
    known = mapping(user__name="acct", insurance__claim__id="cid")
    objects = risk_objects(about("actor", "claim", "device", "host"), shown, known)
    assert [(entry["risk_object_field"], entry["risk_object_type"]) for entry in objects] == [
        ("acct", "user"),
        ("cid", "other"),
        ("device.id", "system"),
    ]


def test_an_entity_that_the_search_does_not_show_has_no_risk() -> None:
    hidden = replace(EVENT, query="index=x\n| table _time source.ip")
    said = settings_of(about("actor", "host"), hidden)
    assert not any(key.startswith("action.risk") for key in said)
    assert "action.notable.param._entities" not in said
    assert said["action.notable"] == "1"


def test_a_search_without_a_table_shows_every_field() -> None:
    assert fields_of(about("actor", "host"), replace(EVENT, query='index=x user.name="| table a"\n| where x=1')) == [
        "user.name",
        "host.name",
    ]


def test_two_roles_of_one_field_count_once() -> None:
    rule = header(insurance={"evidence": {"entities": {"actor": "user.name", "target_user": "user.name"}}})
    assert fields_of(rule) == ["user.name"]


def test_a_correlation_shows_its_groups_under_their_own_names() -> None:
    """The result of a correlation has the canonical name, or the alias that brings the members' fields together."""
    rule = about("actor", "target_user", "claim", "device", correlation={"aliases": {"actor": {"a": "user.target.name", "b": "user.name"}}})
    known = mapping(insurance__claim__id="cid", user__name="acct")
    assert fields_of(rule, COUNT, known) == ["actor", "insurance.claim.id"]


@pytest.mark.parametrize("name", ["user.roles{}", "a,b", "a b", "a=b", 'a"', "a\nb", "a$b$", ""])
def test_a_column_that_cannot_name_one_entity_has_no_risk(name: str) -> None:
    assert fields_of(about("actor"), replace(EVENT, query="index=x"), mapping(user__name=name)) == []


def test_the_drilldown_of_a_correlation_is_the_events_that_it_counts() -> None:
    said = settings_of(about("actor"), COUNT)
    search = json.loads(said["action.notable.param.drilldown_searches"])[0]["search"]
    assert search == "index=ins_claims\n| where lower('x')=\"y\"\n    AND isnotnull(z)\n| eval insigma_ms=_time"


def test_a_search_with_a_dollar_sign_is_no_drilldown() -> None:
    assert "action.notable.param.drilldown_searches" not in settings_of(header(), replace(EVENT, query='index=x y="$z$"'))


def test_the_backslashes_of_a_search_survive_the_drilldown() -> None:
    query = "index=x\n| where match('f', \"^\\x22a\\z\")\n| table _time f"
    said = settings_of(header(), replace(EVENT, query=query))
    assert json.loads(said["action.notable.param.drilldown_searches"])[0]["search"] == query


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ('a\n| table _time user.name "odd name" x{}', ("_time", "user.name", "odd name", "x{}")),
        ("a\n| where x=1", None),
        ("a | table b", None),
        ("| table a", ("a",)),
    ],
)
def test_the_columns_of_a_result(query: str, columns: tuple[str, ...] | None) -> None:
    assert result_columns(query) == columns


HOSTILE = st.text(st.sampled_from(list("ab \n\r\t\\[]=#\x00\x0b\x85\u2028\"'`$|%<>]é李{}")), max_size=24)


@settings(deadline=None, max_examples=60)
@given(HOSTILE, HOSTILE, HOSTILE)
def test_no_text_of_a_rule_is_a_token_a_key_or_a_stanza(description: str, name: str, code: str) -> None:
    response = {"actions": [{"code": code, "mode": name}], "sla": {"triage": code}}
    rule = header(name=name or "x", description=description, insurance={"response": response, "f3": [code], "use_cases": [name]})
    stanzas = read_conf(app_of([Packed(rule, EVENT, {})], WITH_ES)["default/savedsearches.conf"])
    assert list(stanzas) == ["A Title"]
    assert set(stanzas["A Title"]) == set(
        read_conf(app_of([Packed(header(), EVENT, {})], WITH_ES)["default/savedsearches.conf"])["A Title"]
    )
    check_stanza(stanzas["A Title"])
    told = stanzas["A Title"]["action.notable.param.rule_description"]
    assert told.startswith(conf.line(description).replace("$", "＄"))
    assert conf.line(name or "x").replace("$", "＄") in told
    assert json.loads(stanzas["A Title"]["action.correlationsearch.annotations"])["f3"] == [code]


def test_metadata_needs_the_rule_to_have_an_id() -> None:
    assert "action.correlationsearch.metadata" not in actions(replace(header(), id=None), EVENT, CONTEXT, None)
