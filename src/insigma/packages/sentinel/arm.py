"""Azure Resource Manager templates: escaping, and as many templates as the limits ask for.

Limits: 4 MB and 800 resources a template (ARM template best practices, "Template limits"), and 1 MB for the job that deploys
it, with what Azure adds to it (Resolve errors for job size exceeded). The job is the narrow one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LARGEST_TEMPLATE = 900_000
"""Bytes of a template of ours: a tenth of what a deployment job may have is left to Azure."""
MOST_RESOURCES = 800

_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
_WORKSPACE = "Microsoft.OperationalInsights/workspaces"


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of a template. `id` is the expression that names it to others, `needs` are the ids of those to come first."""

    id: str
    body: Mapping[str, Any]
    needs: tuple[str, ...] = ()


def literal(value: Any) -> Any:
    """The value with its text kept from being read as an expression.

    An expression begins with `[` and ends with `]`; one more bracket in front makes it text, and text that does not end so must not
    have it (Syntax and expressions in ARM templates, "Escape characters").
    """
    match value:
        case str():
            return f"[{value}" if value.startswith("[") and value.endswith("]") else value
        case Mapping():
            return {key: literal(part) for key, part in value.items()}
        case list() | tuple():
            return [literal(part) for part in value]
    return value


def in_workspace(kind: str, name: str) -> tuple[str, str]:
    """The name of a resource below the workspace of the parameter, and its id. `name` has only letters, digits, `_` and `-`."""
    return (
        f"[concat(parameters('workspace'), '/{name}')]",
        f"[resourceId('{_WORKSPACE}/{kind}', parameters('workspace'), '{name}')]",
    )


def in_sentinel(kind: str, name: str) -> tuple[str, str]:
    """The same for a resource of Sentinel's, which is an extension of the workspace."""
    provider = "Microsoft.SecurityInsights"
    return (
        f"[concat(parameters('workspace'), '/{provider}/{name}')]",
        f"[resourceId('{_WORKSPACE}/providers/{kind}', parameters('workspace'), '{provider}', '{name}')]",
    )


def workspace_parameter(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The parameter `workspace`, with the profile's own as default."""
    known = settings.get("workspace")
    told = {"description": "Name of the Log Analytics workspace on which Microsoft Sentinel runs."}
    return {"workspace": {"type": "string", "metadata": told, **({"defaultValue": literal(known)} if isinstance(known, str) else {})}}


def template(parameters: Mapping[str, Any], resources: Sequence[Mapping[str, Any]], outputs: Mapping[str, Any] | None = None) -> str:
    """A template as text, one resource a line."""
    head = {"$schema": _SCHEMA, "contentVersion": "1.0.0.0", "parameters": parameters, **({"outputs": outputs} if outputs else {})}
    lines = [f"  {json.dumps(key)}: {_json(head[key])}," for key in sorted(head)]
    return "\n".join(("{", *lines, '  "resources": [', ",\n".join(f"    {_json(body)}" for body in resources), "  ]", "}")) + "\n"


def templates(parameters: Mapping[str, Any], resources: Sequence[Resource]) -> tuple[str, ...]:
    """The resources in one template, or in several to be deployed in their order. A resource waits for those of its own template."""
    return tuple(template(parameters, [_placed(resource, part) for resource in part]) for part in _parts(parameters, resources))


def _parts(parameters: Mapping[str, Any], resources: Sequence[Resource]) -> Iterator[list[Resource]]:
    empty = size = _bytes(template(parameters, []))
    part: list[Resource] = []
    for resource in resources:
        more = _bytes(_json(_placed(resource, resources))) + len(",\n    ")
        if part and (size + more > LARGEST_TEMPLATE or len(part) == MOST_RESOURCES):
            yield part
            part, size = [], empty
        part.append(resource)
        size += more
    if part:
        yield part


def _placed(resource: Resource, part: Sequence[Resource]) -> Mapping[str, Any]:
    """The resource with what it depends on in its part."""
    if not resource.needs:
        return resource.body
    here = {other.id for other in part}
    needs = [need for need in resource.needs if need in here]
    return {**resource.body, "dependsOn": needs} if needs else resource.body


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(", ", ": "))


def _bytes(text: str) -> int:
    return len(text.encode("utf-8"))
