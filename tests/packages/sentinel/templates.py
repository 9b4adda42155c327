"""Reading templates as Azure Resource Manager does: what is an expression, and what is text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema

SCHEMAS = {
    "Microsoft.OperationalInsights/workspaces/providers/alertRules": "sentinel-alert-rule",
    "Microsoft.OperationalInsights/workspaces/providers/watchlists": "sentinel-watchlist",
    "Microsoft.OperationalInsights/workspaces/savedSearches": "sentinel-saved-search",
    "Microsoft.OperationalInsights/workspaces/tables": "sentinel-table",
    "Microsoft.Insights/dataCollectionRules": "sentinel-dcr",
}


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((files("insigma.schemas") / "vendor" / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def is_expression(text: str) -> bool:
    return text.startswith("[") and not text.startswith("[[") and text.endswith("]")


def evaluated(value: Any) -> Any:
    """The value as it is deployed; an expression stays one."""
    if isinstance(value, str):
        return value[1:] if value.startswith("[[") and value.endswith("]") else value
    if isinstance(value, Mapping):
        return {key: evaluated(part) for key, part in value.items()}
    return [evaluated(part) for part in value] if isinstance(value, list) else value


def texts(value: Any) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, str):
        yield value
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for part in parts:
        yield from texts(part)


def resources(package: Mapping[str, str | bytes], suffix: str = "") -> list[dict[str, Any]]:
    """The resources of all templates of a package, in the order of the files; of one kind, if `suffix` ends its type."""
    found = [json.loads(text) for path, text in package.items() if path.endswith(".json") and "/jobs/" not in path]
    return [resource for template in found for resource in template["resources"] if resource["type"].endswith(suffix)]


def check(resource: Mapping[str, Any]) -> None:
    """Against the schema of its type, as it is deployed."""
    validator(SCHEMAS[resource["type"]]).validate(evaluated(resource))
