"""Sentinel's files: analytics rules as YAML that reads back as written, and what stands beside a rule."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from insigma.content.attack import load_attack
from insigma.content.model import Header
from insigma.content.yaml_reader import Document, read_bytes
from insigma.packages.base import PackContext
from insigma.packages.sentinel.durations import duration
from insigma.packages.sentinel.files import SentinelPackager
from insigma.targets.base import Companion, Detection, Refused, Schedule

CONTEXT = PackContext(tenant="default", pack="insurance", version="1.0.0")
DETECTION = Detection("sentinel", "kql", 'InsClaims_CL\n| where A =~ "x"', Schedule(300_000, 4_200_000), "exact", group_fields=("A",))


def header(**more: Any) -> Header:
    data = {"title": "Mass Access", "description": "Too many.\nReally.", **more}
    document = read_bytes(yaml.safe_dump(data).encode(), "rules/claims/mass_access.yml").documents[0]
    assert isinstance(document, Document)
    tags = ("attack.exfiltration", "attack.t1567.002", "attack.stealth", "f3.x")
    written = Header(document, str(data["title"]), "5d1a4f0e-0000-4000-8000-000000000001", "ins-x", "high", "test", tags, "insurance", {})
    return replace(written, insurance={"role": "alert"})


def packager() -> SentinelPackager:
    return SentinelPackager(CONTEXT, load_attack())


def test_a_rule_in_microsofts_words() -> None:
    assert yaml.safe_load(packager().native(header(), DETECTION)) == {
        "id": "dd44fe8d-8798-54d5-a868-79e958d5de5d",
        "name": "Mass Access",
        "kind": "Scheduled",
        "description": "Too many.\nReally.",
        "enabled": True,
        "severity": "High",
        "requiredDataConnectors": [],
        "queryFrequency": "PT5M",
        "queryPeriod": "PT1H10M",
        "triggerOperator": "GreaterThan",
        "triggerThreshold": 0,
        "tactics": ["Exfiltration", "DefenseEvasion"],
        "relevantTechniques": ["T1567", "T1567.002"],
        "eventGroupingSettings": {"aggregationKind": "AlertPerResult"},
        "query": 'InsClaims_CL\n| where A =~ "x"\n',
        "incidentConfiguration": {
            "createIncident": True,
            "groupingConfiguration": {
                "enabled": False,
                "reopenClosedIncident": False,
                "lookbackDuration": "PT5H",
                "matchingMethod": "AllEntities",
            },
        },
        "suppressionEnabled": False,
        "suppressionDuration": "PT5H",
        "version": "1.0.0",
    }


def test_the_query_is_a_block_that_people_can_read() -> None:
    assert 'query: |\n  InsClaims_CL\n  | where A =~ "x"\n' in packager().native(header(), DETECTION)


def test_ids_differ_by_rule_and_tenant_and_stay_the_same() -> None:
    other = SentinelPackager(replace(CONTEXT, tenant="acme"), load_attack())
    ids = [yaml.safe_load(each.native(header(), DETECTION))["id"] for each in (packager(), packager(), other)]
    assert ids[0] == ids[1] != ids[2]


def test_a_base_rule_is_switched_off() -> None:
    base = replace(header(), insurance={"role": "base"})
    assert yaml.safe_load(packager().native(base, DETECTION))["enabled"] is False


@pytest.mark.parametrize(
    "text",
    [
        "a: b\n- c",
        "x\n\ny: |\n  z",
        "trailing \nspace",
        "\ttab\n",
        "'\"\n",
        "# no comment\nx",
        "\u2028\n",
        "\x85\nx",
        "yes",
        "*alias",
        "&a\n*a",
    ],
)
def test_hostile_text_reads_back_as_written(text: str) -> None:
    detection = replace(DETECTION, query=f"T | where A == {text}")
    read = yaml.safe_load(packager().native(header(title=text, description=text), detection))
    assert (read["name"], read["description"], read["query"]) == (text, text, f"T | where A == {text}\n")


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [(300_000, "PT5M"), (3_600_000, "PT1H"), (5_400_000, "PT1H30M"), (86_400_000, "P1D"), (1_209_600_000, "P14D"), (300_001, "PT6M")],
)
def test_durations(milliseconds: int, expected: str) -> None:
    assert duration(milliseconds) == expected


@pytest.mark.parametrize("milliseconds", [0, 240_000, 1_209_600_001])
def test_a_schedule_outside_sentinels_limits_is_refused(milliseconds: int) -> None:
    with pytest.raises(Refused, match="14 days"):
        duration(milliseconds)


def test_companions_are_files_of_their_own() -> None:
    rollup = Companion("rollup", "InsMatches_x_KQL_CL", "T\n| where A", 86_400_000, {"InsMs": "long", "InsGroup1": "string"})
    saved = Companion("function", "InsMatches_x", "T")
    files = packager().rule_files(header(), replace(DETECTION, companions=(rollup, saved)))
    assert files["sentinel/rules/mass_access.rollup.kql"] == (
        "// Schedule as a KQL job of the data lake, every 1d, into the table InsMatches_x_KQL_CL.\n"
        "// Columns: InsMs:long, InsGroup1:string\nT\n| where A\n"
    )
    assert files["sentinel/rules/mass_access.function.kql"].endswith("InsMatches_x, without parameters.\nT\n")
    assert {Path(path).suffix for path in files} == {".kql", ".yaml"}
    assert packager().bundle([]) == {}
