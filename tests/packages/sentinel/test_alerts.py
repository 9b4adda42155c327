"""Entities, details and grouping name columns that the query gives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from insigma.content.model import Header, TargetField, TargetMapping
from insigma.packages.sentinel.alerts import custom_details, entity_mappings, incident_configuration, result_columns
from insigma.targets.base import Companion, Detection, Schedule
from tests.packages.test_sentinel import DETECTION, header

FIELDS = {
    "user.name": TargetField("ActorUsername", "string", "any"),
    "user.target.name": TargetField("TargetUsername", "string", "any"),
    "User": TargetField("User", "string", "any"),
    "host.name": TargetField("DvcHostname", "string", "any"),
    "source.ip": TargetField("SrcIpAddr", "string", "any"),
    "device.id": TargetField("SrcDvcId", "string", "any"),
    "insurance.claim.id": TargetField("InsClaimId", "string", "any"),
    "insurance.payment.payee.account_hash": TargetField("InsPaymentPayeeAccountHash", "string", "any"),
    "user.roles": TargetField("ActorRoles", "string", "any", array=True),
    "event.action": TargetField("Operation", "string", "any"),
    "insurance.record_count": TargetField("InsRecordCount", "long", "any"),
}


def mapping() -> TargetMapping:
    return TargetMapping("sentinel", header().document, FIELDS, {}, {})


def about(role: str = "alert", measures: dict[str, Any] | None = None, **entities: str) -> Header:
    return replace(header(), insurance={"role": role, "evidence": {"entities": entities, "measures": measures or {}}})


def event(*columns: str) -> Detection:
    return Detection("sentinel", "kql", f"T\n| project {', '.join(columns)}", Schedule(300_000, 900_000), "event")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("T\n| project TimeGenerated, A, B", ("TimeGenerated", "A", "B")),
        ("T\n| project A = f(B, C), D = x[0, 1], E", ("A", "D", "E")),
        ('T\n| project A = iff(x == "a, B", 1, 2), C = "d, E", F', ("A", "C", "F")),
        ('T\n| project A = "say \\", B", C', ("A", "C")),
        ("T\n| project A, ['b c'], ['D']", ("A",)),
        ("T\n| where A", ()),
        ("T\n| project A\n| where B", ()),
    ],
)
def test_the_columns_of_a_result(query: str, expected: tuple[str, ...]) -> None:
    assert result_columns(replace(DETECTION, query=query)) == expected


def test_a_saved_function_gives_the_columns_of_its_query() -> None:
    saved = Companion("function", "InsDetection_x", "T\n| project A, B")
    assert result_columns(replace(DETECTION, query="InsDetection_x()", companions=(saved,))) == ("A", "B")


def test_entities_are_accounts_hosts_and_addresses_of_the_result() -> None:
    rule = about(actor="user.name", target_user="user.target.name", host="host.name", device="device.id", claim="insurance.claim.id")
    columns = ("TimeGenerated", "ActorUsername", "DvcHostname", "SrcIpAddr", "SrcDvcId", "InsClaimId")
    assert entity_mappings(rule, columns, mapping()) == [
        {"entityType": "Account", "fieldMappings": [{"identifier": "Name", "columnName": "ActorUsername"}]},
        {"entityType": "Host", "fieldMappings": [{"identifier": "FullName", "columnName": "DvcHostname"}]},
        {"entityType": "IP", "fieldMappings": [{"identifier": "Address", "columnName": "SrcIpAddr"}]},
    ]


def test_a_windows_account_names_its_domain() -> None:
    (mapped,) = entity_mappings(about(actor="User", target_user="User"), ("User",), mapping())
    assert mapped["fieldMappings"] == [{"identifier": "FullName", "columnName": "User"}]


@pytest.mark.parametrize("actor", ["user.roles", "nobody.knows", ["user.name"], None])
def test_what_is_no_single_stored_field_is_no_entity(actor: Any) -> None:
    assert entity_mappings(about(actor=actor), ("ActorRoles", "ActorUsername"), mapping()) == []


def test_details_are_who_when_and_how_much() -> None:
    measures = {"records": {"fn": "sum", "field": "insurance.record_count"}, "hashes": {"field": "insurance.payment.payee.account_hash"}}
    rule = about(measures=measures, actor="user.name", claim="insurance.claim.id", target_user="user.target.name")
    detection = event("ActorUsername", "InsClaimId", "Operation", "InsRecordCount", "InsPaymentPayeeAccountHash", "SrcDvcId")
    assert custom_details(rule, detection, result_columns(detection), mapping()) == {
        "Claim": "InsClaimId",
        "Operation": "Operation",
        "RecordCount": "InsRecordCount",
        "PaymentPayeeAccountH": "InsPaymentPayeeAccountHash",
    }


def test_a_correlation_tells_its_groups_and_its_window() -> None:
    query = "T\n| project TimeGenerated = x(InsLast), InsClaimId = InsGroup1, InsFirst = x(InsFirst), InsLast = x(InsLast), InsValue"
    detection = replace(DETECTION, query=query, group_fields=("InsClaimId",))
    found = custom_details(about(actor="user.name"), detection, result_columns(detection), mapping())
    assert found == {"FirstSeen": "InsFirst", "LastSeen": "InsLast", "Value": "InsValue", "ClaimId": "InsClaimId"}


def test_no_more_than_twenty_details() -> None:
    fields = {f"f{number}": TargetField(f"Column{number}", "string", "any") for number in range(30)}
    many = replace(mapping(), fields=fields)
    detection = event(*(field.name for field in fields.values()))
    measures = {name: {"field": name} for name in fields}
    assert len(custom_details(about(measures=measures), detection, result_columns(detection), many)) == 20


ACCOUNT = [{"entityType": "Account", "fieldMappings": [{"identifier": "Name", "columnName": "ActorUsername"}]}]


@pytest.mark.parametrize(
    ("groups", "lookback_ms", "expected"),
    [
        (("ActorUsername",), 900_000, {"matchingMethod": "Selected", "groupByEntities": ["Account"], "groupByCustomDetails": []}),
        (("ActorUsername", "InsClaimId"), 900_000, {"matchingMethod": "Selected", "groupByEntities": ["Account"]}),
        (("InsClaimId",), 86_400_000, {"matchingMethod": "Selected", "groupByCustomDetails": ["Claim"], "lookbackDuration": "P1D"}),
        (("InsClaimId",), 14 * 86_400_000, {"lookbackDuration": "P7D"}),
        (("who and what",), 900_000, {"enabled": False, "matchingMethod": "AllEntities"}),
        ((), 900_000, {"enabled": True, "matchingMethod": "AnyAlert", "lookbackDuration": "PT5H"}),
    ],
)
def test_alerts_of_one_group_are_one_incident(groups: tuple[str, ...], lookback_ms: int, expected: dict[str, Any]) -> None:
    detection = replace(DETECTION, group_fields=groups, schedule=Schedule(300_000, lookback_ms))
    grouping = incident_configuration(about(), detection, ACCOUNT, {"Claim": "InsClaimId"})["groupingConfiguration"]
    assert {key: grouping[key] for key in expected} == expected


def test_an_event_rule_groups_by_all_its_entities_or_not_at_all() -> None:
    assert incident_configuration(about(), event("A"), ACCOUNT, {})["groupingConfiguration"]["enabled"] is True
    assert incident_configuration(about(), event("A"), [], {})["groupingConfiguration"]["enabled"] is False


@pytest.mark.parametrize(("role", "expected"), [("alert", True), ("signal", False), ("base", False)])
def test_only_alerts_make_incidents(role: str, expected: bool) -> None:
    assert incident_configuration(about(role), event("A"), [], {})["createIncident"] is expected
