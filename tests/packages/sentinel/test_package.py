"""The package of the whole pack: every object within Microsoft's limits, nothing lost, the queries as they were compiled."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import yaml

from insigma.packages.base import Packed, Table
from insigma.packages.sentinel.arm import LARGEST_TEMPLATE
from insigma.packages.sentinel.durations import LONGEST_LOOKBACK_MS
from insigma.packages.sentinel.rules import rule_id
from insigma.targets.base import Companion
from tests.packages.sentinel.conftest import Package
from tests.packages.sentinel.templates import check, evaluated, is_expression, resources, texts, validator

ALERTS = "alertRules"
PackageOf = Callable[..., Package]


def guid(resource: dict[str, Any]) -> str:
    found = re.search(r"'/Microsoft\.SecurityInsights/([^']+)'", resource["name"])
    assert found is not None
    return found[1]


def milliseconds(duration: str) -> int:
    found = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", duration)
    assert found is not None, duration
    days, hours, minutes = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60_000


def test_every_object_validates(package: Package) -> None:
    found = resources(package)
    assert {resource["type"].rsplit("/", 1)[-1] for resource in found} == {"alertRules", "watchlists", "tables", "dataCollectionRules"}
    for resource in found:
        check(resource)
    for path, text in package.items():
        if path.endswith(".json") and "/jobs/" not in path:
            validator("sentinel-template").validate(json.loads(text))
        if path.endswith(".yaml"):
            validator("sentinel-rule-template").validate(yaml.safe_load(text))


def test_every_rule_is_in_a_template_and_beside_it_as_yaml(packed: tuple[Packed, ...], package: Package) -> None:
    deployed = {guid(resource): evaluated(resource["properties"]) for resource in resources(package, ALERTS)}
    assert len(deployed) == len(packed) == sum(path.endswith(".yaml") for path in package) > 100
    for entry in packed:
        rule = deployed[rule_id(entry.header, "acme")]
        shown = yaml.safe_load(package[f"sentinel/rules/{entry.header.slug}.yaml"])
        assert rule["query"] == entry.detection.query
        assert shown["query"] == f"{entry.detection.query}\n"
        assert shown["id"] == rule_id(entry.header, "acme")
        assert (shown["name"], shown["description"]) == (rule["displayName"], rule["description"])
        for key in rule.keys() & shown.keys() - {"query"}:
            assert shown[key] == rule[key], key
        assert shown["relevantTechniques"] == rule["techniques"] + rule["subTechniques"]


def test_durations_keep_to_sentinels_limits(package: Package) -> None:
    for resource in resources(package, ALERTS):
        rule = resource["properties"]
        every, back = milliseconds(rule["queryFrequency"]), milliseconds(rule["queryPeriod"])
        assert 300_000 <= every <= back <= LONGEST_LOOKBACK_MS
        assert 300_000 <= milliseconds(rule["incidentConfiguration"]["groupingConfiguration"]["lookbackDuration"]) <= 7 * 86_400_000
        assert 300_000 <= milliseconds(rule["suppressionDuration"]) <= 86_400_000


def test_only_names_and_places_are_expressions(package: Package) -> None:
    for resource in resources(package, ALERTS) + resources(package, "watchlists") + resources(package, "tables"):
        assert is_expression(resource["name"])
        assert not [text for text in texts(resource["properties"]) if is_expression(text)]


def test_guids_are_stable_and_differ_by_customer(packed: tuple[Packed, ...], package: Package, package_of: PackageOf) -> None:
    again, other = package_of(packed), package_of(packed, tenant="zenith")
    assert again == package
    ids, theirs = ([guid(resource) for resource in resources(each, ALERTS)] for each in (package, other))
    assert len({*ids, *theirs}) == 2 * len(packed)


def test_grouping_names_only_what_the_rule_has(package: Package) -> None:
    methods = set()
    for resource in resources(package, ALERTS):
        rule = resource["properties"]
        grouping = rule["incidentConfiguration"]["groupingConfiguration"]
        methods.add((grouping["enabled"], grouping["matchingMethod"]))
        assert set(grouping.get("groupByEntities", ())) <= {mapped["entityType"] for mapped in rule.get("entityMappings", ())}
        assert set(grouping.get("groupByCustomDetails", ())) <= set(rule.get("customDetails", ()))
        assert grouping["matchingMethod"] != "AllEntities" or not grouping["enabled"] or rule["entityMappings"]
    assert {(True, "AllEntities"), (True, "Selected")} <= methods


def test_correlations_name_only_columns_of_their_result(packed: tuple[Packed, ...], package: Package) -> None:
    """Of a correlation's events only the groups are left; the window's time and value come beside them."""
    deployed = {guid(resource): resource["properties"] for resource in resources(package, ALERTS)}
    named = 0
    for entry in packed:
        rule = deployed[rule_id(entry.header, "acme")]
        columns = {field["columnName"] for mapped in rule.get("entityMappings", ()) for field in mapped["fieldMappings"]}
        columns |= set(rule.get("customDetails", {}).values())
        if entry.detection.window != "event":
            assert columns <= {*entry.detection.group_fields, "InsFirst", "InsLast", "InsValue"}
            assert columns >= {"InsFirst", "InsLast"}
            named += 1
    assert named > 30


def test_rules_switched_off_are_delivered_switched_off(packed: tuple[Packed, ...], package_of: PackageOf) -> None:
    alert = next(entry for entry in packed if entry.header.insurance["role"] == "alert")
    base = next(entry for entry in packed if entry.header.insurance["role"] == "base")
    package = package_of([replace(alert, enabled=False), base])
    assert [resource["properties"]["enabled"] for resource in resources(package, ALERTS)] == [False, False]
    assert yaml.safe_load(package[f"sentinel/rules/{alert.header.slug}.yaml"])["enabled"] is False
    assert f"- {alert.header.label}: {alert.header.title}" in package["sentinel/README.md"]
    assert "1 base rules" in package["sentinel/README.md"]


def test_signals_and_base_rules_make_no_incidents(packed: tuple[Packed, ...], package: Package) -> None:
    deployed = {guid(resource): resource["properties"] for resource in resources(package, ALERTS)}
    for entry in packed:
        made = deployed[rule_id(entry.header, "acme")]["incidentConfiguration"]["createIncident"]
        assert made == (entry.header.insurance["role"] == "alert")


def test_versions_come_from_the_lock(packed: tuple[Packed, ...], package_of: PackageOf) -> None:
    header = packed[0].header
    package = package_of(packed[:1], versions={header.label: 4})
    shown = yaml.safe_load(package[f"sentinel/rules/{header.slug}.yaml"])
    assert shown["version"] == "1.0.3"
    assert f"Rule: {header.label}, version 1.0.3" in shown["description"]


def test_the_workspace_is_a_parameter_with_the_profiles_own(packed: tuple[Packed, ...], package_of: PackageOf) -> None:
    def parameter(package: Package) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(package["sentinel/mainTemplate.json"])["parameters"]["workspace"]
        return found

    assert parameter(package_of(packed[:1]))["defaultValue"] == "law-acme"
    assert "defaultValue" not in parameter(package_of(packed[:1], settings={}))
    assert parameter(package_of(packed[:1], settings={"workspace": "[uniqueString('x')]"}))["defaultValue"] == "[[uniqueString('x')]"


def test_roll_ups_are_jobs_and_their_rules_come_last(packed: tuple[Packed, ...], package: Package) -> None:
    late = [entry for entry in packed if entry.detection.companions]
    assert {entry.detection.companions[0].kind for entry in late} == {"rollup"}
    last = json.loads(package["sentinel/lake.json"])["resources"]
    assert {guid(resource) for resource in last} == {rule_id(entry.header, "acme") for entry in late}
    for entry in late:
        (companion,) = entry.detection.companions
        job = json.loads(package[f"sentinel/jobs/{entry.header.slug}.json"])
        assert (job["query"], job["destinationTable"], job["repeatEvery"]) == (companion.query, companion.name, "1d")
        assert {column["name"]: column["type"] for column in job["columns"]} == companion.columns
        assert not re.search(r"[#-]", job["name"])
        assert package[f"sentinel/jobs/{entry.header.slug}.kql"].endswith(f"\n{companion.query}\n")
        assert f"| {job['name']} | {entry.header.label} | {companion.name} |" in package["sentinel/README.md"]


def test_functions_are_saved_before_their_rules(packed: tuple[Packed, ...], package_of: PackageOf) -> None:
    event = next(entry for entry in packed if entry.detection.window == "event")
    saved = Companion("function", "InsDetection_x", event.detection.query)
    calling = replace(event, detection=replace(event.detection, query="InsDetection_x()", companions=(saved,)))
    package = package_of([calling])
    function, rule = json.loads(package["sentinel/mainTemplate.json"])["resources"][0], resources(package, ALERTS)[0]
    check(function)
    check(rule)
    assert function["properties"]["functionAlias"] == "InsDetection_x"
    assert function["properties"]["query"] == event.detection.query
    needed = "[resourceId('Microsoft.OperationalInsights/workspaces/savedSearches', parameters('workspace'), 'InsDetection_x')]"
    assert rule["dependsOn"] == [needed]
    own = resources(package_of([event]), ALERTS)[0]["properties"]
    assert rule["properties"]["customDetails"] == own["customDetails"] != {}


def test_a_rule_waits_for_the_watchlists_that_it_reads(packed: tuple[Packed, ...], package_of: PackageOf) -> None:
    event = next(entry for entry in packed if entry.detection.window == "event")
    reading = replace(event.detection, query=f'_GetWatchlist("assignments")\n{event.detection.query}')
    (rule,) = resources(package_of([replace(event, detection=reading)]), ALERTS)
    (need,) = rule["dependsOn"]
    assert need.endswith("'Microsoft.SecurityInsights', 'assignments')]")
    assert "dependsOn" not in resources(package_of([event]), ALERTS)[0]


def test_watchlists_with_rows_carry_them_and_others_are_made_empty(package: Package) -> None:
    hours, assignments = (resource["properties"] for resource in resources(package, "watchlists"))
    rows = list(csv.reader(io.StringIO(hours["rawContent"])))
    assert rows == [["calendar", "day", "open1", "close1"], ["default", "20000", "480", "1080"], ["night, shift", "20000", "", ""]]
    assert (hours["itemsSearchKey"], assignments["itemsSearchKey"]) == ("calendar", "user")
    assert "rawContent" not in assignments
    assert package["sentinel/watchlists/assignments.csv"] == "user,claim,until\r\n"
    assert "sentinel/watchlists/business_hours.csv" not in package
    readme = package["sentinel/README.md"]
    assert "| assignments | user, claim | user, claim, until | ClaimCenter | 15m | claims \\| operations |" in readme
    assert "- business_hours: 2 rows. Working time" in readme


def test_a_table_too_large_for_a_template_is_a_file(packed: tuple[Packed, ...], package_of: PackageOf) -> None:
    rows = tuple((f"user-{number:06d}",) for number in range(60_000))
    large = Table("big_list", ("value",), (("value", "string"),), rows)
    package = package_of(packed[:1], tables=(large,))
    (watchlist,) = resources(package, "watchlists")
    check(watchlist)
    assert "rawContent" not in watchlist["properties"]
    assert len(package["sentinel/watchlists/big_list.csv"].split("\r\n")) == 60_002
    assert "`watchlists/big_list.csv`" in package["sentinel/README.md"].replace("\\", "")


def test_tables_and_collection_rules_cover_every_log_source(pack: Any, package: Package) -> None:
    names = {source.settings["table"] for source in pack.mappings["sentinel"].logsources.values()}
    tables = resources(package, "workspaces/tables")
    assert {table["properties"]["schema"]["name"] for table in tables} == names
    assert {path for path in package if path.startswith("sentinel/tables/")} == {f"sentinel/tables/{name}.json" for name in names}
    rules = resources(package, "dataCollectionRules")
    assert len(rules) == 3
    flows = [flow for rule in rules for flow in rule["properties"]["dataFlows"]]
    assert sorted(flow["outputStream"] for flow in flows) == sorted(f"Custom-{name}" for name in names)
    for rule in rules:
        declared = rule["properties"]["streamDeclarations"]
        assert [flow["streams"] for flow in rule["properties"]["dataFlows"]] == [[name] for name in declared]
        assert len(declared) <= 10
    columns = {column["name"]: column["type"] for column in tables[0]["properties"]["schema"]["columns"]}
    assert columns["TimeGenerated"] == "dateTime"
    assert columns["ActorRoles"] == "dynamic"
    streamed = next(iter(rules[0]["properties"]["streamDeclarations"].values()))["columns"]
    assert {column["name"] for column in streamed} == set(columns)
    assert {column["name"]: column["type"] for column in streamed}["TimeGenerated"] == "datetime"
    outputs = json.loads(package["sentinel/dcr.json"])["outputs"]
    assert set(outputs) == {f"{what}{number}" for what in ("immutableId", "logsIngestion") for number in (1, 2, 3)}


def test_the_readme_gives_an_order(package: Package) -> None:
    readme = package["sentinel/README.md"]
    assert isinstance(readme, str)
    steps = re.findall(r"^\d+\. `([^`]+)`", readme, re.MULTILINE)
    assert steps == ["tables/*.json", "dcr.json", "mainTemplate.json", "lake.json"]
    assert readme.startswith("# Microsoft Sentinel: Acme Versicherung AG\n")


def test_templates_are_split_by_size(packed: tuple[Packed, ...], package_of: PackageOf) -> None:
    """Three times the pack is more than one deployment job holds."""
    many = [replace(entry, header=replace(entry.header, id=f"{entry.header.id}-{copy}")) for copy in range(3) for entry in packed]
    package = package_of(many)
    names = [path for path in package if re.fullmatch(r"sentinel/(mainTemplate|rules-\d+|lake(-\d+)?)\.json", path)]
    assert names == ["sentinel/mainTemplate.json", "sentinel/rules-2.json", "sentinel/lake.json"]
    assert all(len(str(package[name]).encode()) <= LARGEST_TEMPLATE for name in names)
    assert len({guid(resource) for resource in resources(package, ALERTS)}) == len(many)
    assert [json.loads(package[name])["resources"][0]["type"].rsplit("/")[-1] for name in names] == [
        "watchlists",
        "alertRules",
        "alertRules",
    ]
    assert "4. `rules-2.json`: more of the same." in package["sentinel/README.md"]


def test_everything_ends_with_a_line_break_and_stands_below_sentinel(package: Package) -> None:
    assert all(path.startswith("sentinel/") for path in package)
    assert all(isinstance(text, str) and text.endswith("\n") for text in package.values())
