"""The customer's own tables and how events get into them: custom tables, and data collection rules for the Logs Ingestion API.

All tables have all columns of the mapping: queries over several log sources put tables together, and each names any column.

Limits: 500 columns a table, names of 2 to 45 letters, digits and underscores that are none of Azure's own (Azure Monitor service
limits; Add or delete tables and columns in Azure Monitor Logs); ten data flows and ten streams a data collection rule (Azure
Monitor service limits, "Data collection rules").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from insigma.checks.target_limits import AZURE_COLUMNS
from insigma.content.model import TargetMapping
from insigma.packages.sentinel.arm import in_workspace, template, workspace_parameter
from insigma.targets.base import Refused
from insigma.targets.sentinel.layout import tables

TABLES_API_VERSION = "2025-07-01"
RULES_API_VERSION = "2023-03-11"
MOST_FLOWS = 10
MOST_COLUMNS = 500

_RULES = "Microsoft.Insights/dataCollectionRules"
_TABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]*_CL", re.ASCII)
_COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9_]{1,44}", re.ASCII)
_TABLE_TYPES = {"bool": "boolean", "datetime": "dateTime"}
_STREAM_TYPES = {"bool": "boolean"}
_DESTINATION = "workspace"


def own_tables(mapping: TargetMapping) -> Mapping[str, Mapping[str, str]]:
    """The tables that are the customer's to make (their names end in _CL), each with its columns and their Kusto types.

    Raises `Refused` for names and numbers that Azure does not take.
    """
    found = {name: {"TimeGenerated": "datetime", **columns} for name, columns in tables(mapping).items() if name.endswith("_CL")}
    for name, columns in found.items():
        _check(name, columns)
    return found


def _check(table: str, columns: Mapping[str, str]) -> None:
    if not _TABLE.fullmatch(table):
        raise Refused(f"'{table}' cannot be a custom table: letters, digits and underscores, a letter first")
    if len(columns) > MOST_COLUMNS:
        raise Refused(f"the table '{table}' has {len(columns)} columns, Azure Monitor takes {MOST_COLUMNS}")
    for name in columns:
        if not _COLUMN.fullmatch(name):
            raise Refused(f"'{name}' cannot be a column of a custom table: 2 to 45 letters, digits and underscores, a letter first")
        if name.casefold() in AZURE_COLUMNS:
            raise Refused(f"'{name}' cannot be a column of a custom table: the name is one of Azure's own")


def table_template(name: str, columns: Mapping[str, str], settings: Mapping[str, Any]) -> str:
    """A template that makes one custom table on the Analytics plan, the one that analytics rules read."""
    schema = {"name": name, "columns": [{"name": column, "type": _TABLE_TYPES.get(kind, kind)} for column, kind in columns.items()]}
    body = {
        "type": "Microsoft.OperationalInsights/workspaces/tables",
        "apiVersion": TABLES_API_VERSION,
        "name": in_workspace("tables", name)[0],
        "properties": {"plan": "Analytics", "schema": schema},
    }
    return template(workspace_parameter(settings), [body])


def collection_template(found: Mapping[str, Mapping[str, str]], tenant: str, settings: Mapping[str, Any]) -> str:
    """A template with a data collection rule for every ten tables. Its outputs are what a sender has to know."""
    location = {"type": "string", "defaultValue": "[resourceGroup().location]", "metadata": {"description": "Region of the workspace."}}
    groups = list(_by_ten(list(found.items())))
    names = [rule_name(tenant, number) for number in range(1, len(groups) + 1)]
    bodies = [_rule(name, group) for name, group in zip(names, groups, strict=True)]
    outputs = {f"{what}{number}": _output(name, what) for number, name in enumerate(names, 1) for what in ("immutableId", "logsIngestion")}
    return template({**workspace_parameter(settings), "location": location}, bodies, outputs)


def rule_name(tenant: str, number: int) -> str:
    """The name of a data collection rule: letters, digits and hyphens, 64 at most."""
    return f"insigma-{re.sub(r'[^A-Za-z0-9-]+', '-', tenant)[:50]}-{number}"


def stream(table: str) -> str:
    """The stream to which a sender posts the events of a table."""
    return f"Custom-{table.removesuffix('_CL')}"


def _by_ten(entries: Sequence[tuple[str, Mapping[str, str]]]) -> Iterator[Sequence[tuple[str, Mapping[str, str]]]]:
    return (entries[start : start + MOST_FLOWS] for start in range(0, len(entries), MOST_FLOWS))


def _rule(name: str, group: Sequence[tuple[str, Mapping[str, str]]]) -> dict[str, Any]:
    declared = {
        stream(table): {"columns": [{"name": column, "type": _STREAM_TYPES.get(kind, kind)} for column, kind in columns.items()]}
        for table, columns in group
    }
    flows = [
        {"streams": [stream(table)], "destinations": [_DESTINATION], "transformKql": "source", "outputStream": f"Custom-{table}"}
        for table, _ in group
    ]
    workspace = "[resourceId('Microsoft.OperationalInsights/workspaces', parameters('workspace'))]"
    return {
        "type": _RULES,
        "apiVersion": RULES_API_VERSION,
        "name": name,
        "location": "[parameters('location')]",
        "kind": "Direct",
        "properties": {
            "streamDeclarations": declared,
            "destinations": {"logAnalytics": [{"workspaceResourceId": workspace, "name": _DESTINATION}]},
            "dataFlows": flows,
        },
    }


def _output(name: str, what: str) -> dict[str, str]:
    path = "immutableId" if what == "immutableId" else "endpoints.logsIngestion"
    return {"type": "string", "value": f"[reference(resourceId('{_RULES}', '{name}'), '{RULES_API_VERSION}').{path}]"}
