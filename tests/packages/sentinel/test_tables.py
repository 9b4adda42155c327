"""Custom tables and data collection rules keep to Azure's limits, or the mapping is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from insigma.content.lookups import Found, Lookup
from insigma.content.model import TargetField, TargetLogSource, TargetMapping
from insigma.packages.sentinel.tables import collection_template, own_tables, rule_name, table_template
from insigma.targets.base import Refused
from tests.packages.sentinel.templates import check
from tests.packages.test_sentinel import header

TIME = {"@timestamp": TargetField("TimeGenerated", "datetime", "any")}


def mapping(fields: Mapping[str, TargetField] | None = None, *tables: str) -> TargetMapping:
    sources = {name: TargetLogSource(name, {"table": name}, 0) for name in tables or ("InsClaims_CL",)}
    return TargetMapping("sentinel", header().document, {**TIME, **(fields or {})}, sources, {})


def test_types_are_those_of_each_interface() -> None:
    fields = {
        "a": TargetField("Flag", "boolean", "any"),
        "b": TargetField("Many", "string", "any", array=True),
        "c": TargetField("Amount", "double", "any"),
    }
    found = own_tables(mapping(fields))
    (table,) = json.loads(table_template("InsClaims_CL", found["InsClaims_CL"], {}))["resources"]
    check(table)
    typed = {column["name"]: column["type"] for column in table["properties"]["schema"]["columns"]}
    assert typed == {"TimeGenerated": "dateTime", "Flag": "boolean", "Many": "dynamic", "Amount": "real"}
    (rule,) = json.loads(collection_template(found, "acme", {}))["resources"]
    check(rule)
    streamed = {column["name"]: column["type"] for column in rule["properties"]["streamDeclarations"]["Custom-InsClaims"]["columns"]}
    assert streamed == {**typed, "TimeGenerated": "datetime"}


def test_tables_of_microsofts_are_not_made() -> None:
    assert list(own_tables(mapping(None, "SigninLogs", "InsClaims_CL"))) == ["InsClaims_CL"]


def test_a_looked_up_field_is_no_column() -> None:
    flag = TargetField("InsCtxOnDuty", "string", "lower", lookup=Lookup("x", "t", (("user", "user.name"),), Found()))
    assert list(own_tables(mapping({"insurance.context.on_duty": flag}))["InsClaims_CL"]) == ["TimeGenerated"]


@pytest.mark.parametrize("tables", [1, 10, 11, 30])
def test_a_collection_rule_has_ten_flows_at_most(tables: int) -> None:
    found = own_tables(mapping(None, *(f"Ins{number}_CL" for number in range(tables))))
    written = json.loads(collection_template(found, "acme", {}))
    for rule in written["resources"]:
        check(rule)
    assert [len(rule["properties"]["dataFlows"]) for rule in written["resources"]] == [min(10, tables - at) for at in range(0, tables, 10)]
    assert len({rule["name"] for rule in written["resources"]}) == len(written["resources"])
    assert "resourceId('Microsoft.Insights/dataCollectionRules', 'insigma-acme-1')" in written["outputs"]["logsIngestion1"]["value"]


def test_rules_of_any_customer_have_a_name() -> None:
    assert rule_name("O'Brien & Söhne", 2) == "insigma-O-Brien-S-hne-2"
    assert len(rule_name("x" * 200, 10)) <= 64


@pytest.mark.parametrize("name", ["A", "x" * 46, "_ResourceId", "1a", "a b", "a.b", "Ünicode", "TenantId", "tenantid", "Type", "id"])
def test_a_column_that_azure_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="column of a custom table"):
        own_tables(mapping({"a": TargetField(name, "string", "any")}))


def test_more_columns_than_a_table_has_are_refused() -> None:
    fields = {str(number): TargetField(f"Column{number}", "string", "any") for number in range(499)}
    assert len(own_tables(mapping(fields))["InsClaims_CL"]) == 500
    with pytest.raises(Refused, match="501 columns"):
        own_tables(mapping({**fields, "x": TargetField("OneMore", "string", "any")}))


@pytest.mark.parametrize("name", ["1x_CL", "a-b_CL", "'x'_CL"])
def test_a_table_that_azure_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="custom table"):
        own_tables(mapping(None, name))


def test_a_table_without_a_name_is_refused() -> None:
    source = replace(mapping().logsources["InsClaims_CL"], settings={})
    with pytest.raises(Refused, match="no table"):
        own_tables(replace(mapping(), logsources={"x": source}))
