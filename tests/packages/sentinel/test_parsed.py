"""Every KQL text of a package is bound by Microsoft's own language service, with the tables that the package makes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from insigma.packages.base import Packed
from insigma.targets.base import Companion
from insigma_prove.process import EngineProcess
from insigma_prove.prove import Bench
from tests.engines import seat
from tests.packages.sentinel.conftest import ASSIGNMENTS, HOURS, Package
from tests.packages.sentinel.templates import evaluated, resources

KUSTO = {"dateTime": "datetime", "boolean": "bool"}
Check = Callable[[str, Mapping[str, Any]], None]


@pytest.fixture(scope="module")
def parsed(bench: Bench) -> Check:
    """Fails for a query that Microsoft's parser and binder do not take."""
    client = seat(bench, "sentinel", "kql").client
    assert isinstance(client, EngineProcess)

    def check(query: str, store: Mapping[str, Any]) -> None:
        named = {name: columns for name, columns in store["tables"].items() if name in query}
        reply = client.check("kql", query, {**store, "tables": named})
        assert "error" not in reply, f"{reply}\n{query}"

    return check


def store_of(package: Package) -> dict[str, Any]:
    """The tables that the package makes, those that its jobs write, and its watchlists."""
    tables = {}
    for resource in resources(package, "workspaces/tables"):
        schema = resource["properties"]["schema"]
        tables[schema["name"]] = {column["name"]: KUSTO.get(column["type"], column["type"]) for column in schema["columns"]}
    for job in jobs(package):
        tables[job["destinationTable"]] = {"TimeGenerated": "datetime", **{column["name"]: column["type"] for column in job["columns"]}}
    watchlists = {table.name: [dict.fromkeys((name for name, _ in table.columns), "x")] for table in (HOURS, ASSIGNMENTS)}
    return {"tables": tables, "watchlists": watchlists}


def jobs(package: Package) -> list[dict[str, Any]]:
    return [json.loads(text) for path, text in package.items() if path.startswith("sentinel/jobs/") and path.endswith(".json")]


def functions(package: Package) -> str:
    """The saved functions, in the form in which a query may bring its own."""
    found = [resource["properties"] for resource in resources(package, "savedSearches")]
    return "".join(f"let {saved['functionAlias']} = () {{\n{saved['query']}\n}};\n" for saved in found)


def rule_texts(package: Package) -> list[tuple[str, list[str]]]:
    """Each rule's query with the columns that its alerts name."""
    found = []
    for resource in resources(package, "alertRules"):
        rule = evaluated(resource["properties"])
        columns = [field["columnName"] for mapped in rule.get("entityMappings", ()) for field in mapped["fieldMappings"]]
        found.append((rule["query"], [*columns, *rule.get("customDetails", {}).values()]))
    return found


def test_every_text_with_the_columns_that_alerts_name(package: Package, parsed: Check) -> None:
    store = store_of(package)
    assert len(rule_texts(package)) > 100
    for query, columns in rule_texts(package):
        parsed(with_columns(query, columns), store)
    texts = [str(text) for path, text in package.items() if path.endswith(".kql")]
    assert len(texts) == len(jobs(package)) > 5
    for job, text in zip(jobs(package), texts, strict=True):
        assert text.endswith(f"\n{job['query']}\n")
        parsed(text, store)


def with_columns(query: str, columns: list[str]) -> str:
    """The query, which then fails where a column is not in its result."""
    return f"{query}\n| project {', '.join(dict.fromkeys(columns))}" if columns else query


def test_functions_and_watchlists(packed: tuple[Packed, ...], package_of: Callable[..., Package], parsed: Check) -> None:
    event = next(entry for entry in packed if entry.detection.window == "event")
    saved = Companion("function", "InsDetection_x", event.detection.query)
    calling = replace(event, detection=replace(event.detection, query="InsDetection_x()", companions=(saved,)))
    looking = replace(
        event.detection,
        query='InsClaims_CL\n| where ActorUsername in (_GetWatchlist("assignments") | project user)\n| project TimeGenerated',
    )
    package = package_of([calling, replace(packed[-1], detection=looking)])
    assert functions(package)
    for query, columns in rule_texts(package):
        parsed(with_columns(f"{functions(package)}{query}", ["TimeGenerated", *columns]), store_of(package))


def test_a_broken_text_would_be_found(package: Package, parsed: Check) -> None:
    store = store_of(package)
    query, _ = rule_texts(package)[0]
    for broken in (query.replace("| where", "| wheer", 1), query.replace("InsLogSource", "InsNoSuchColumn"), f"{query} |"):
        with pytest.raises(AssertionError, match="error"):
            parsed(broken, store)
