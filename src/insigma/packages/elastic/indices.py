"""Where a tenant's events lie: the index templates over its data streams and indices, and a data view on them.

Sources: "Index templates" and "Create or update index template" of the Elasticsearch 8.18 reference; "Data stream naming
scheme" of the Fleet guide; "Import saved objects" of Kibana's API and the saved object `index-pattern` (data_views.ts,
elastic/kibana).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from insigma.content.model import TargetMapping
from insigma.packages.elastic.pipelines import INSURANCE_PIPELINE, patterns_of
from insigma.packages.elastic.template import place

PRIORITY = 501
"""Above 500, beyond which neither the built-in templates (100) nor those of Fleet's packages reach ("Index templates")."""
TEMPLATE_FILES = {"insigma": "index-template.json", "insigma-indices": "index-template-indices.json"}
"""The files of the index templates, by their names."""
COMPONENT = "insigma-fields"
CUSTOM_COMPONENT = "insigma-custom"
"""A component template of the customer's own, for lifecycle and the like; it may be missing."""

_DATA_STREAM = re.compile(r"(?:logs|metrics|traces|synthetics)-[^-]+-[^-]+", re.ASCII)
_OWN_FIELDS = {"error.message": {"type": "match_only_text"}, "event.ingested": {"type": "date"}}
"""What our pipeline writes, as ECS stores it, unless the mapping says otherwise."""


def index_templates(mapping: TargetMapping, tenant: str) -> Mapping[str, dict[str, Any]]:
    """The index templates by name: `insigma` over data streams, `insigma-indices` over other indices, where there are any.

    Indices of other clusters (`cluster:index`) are out of a template's reach; `remote_patterns` gives them.
    Raises `Refused` for an index pattern that is none.
    """
    local = [pattern for pattern in _all(patterns_of(mapping).values()) if ":" not in pattern]
    streams = [pattern for pattern in local if _DATA_STREAM.fullmatch(pattern)]
    others = [pattern for pattern in local if pattern not in streams]
    found: dict[str, dict[str, Any]] = {}
    if streams:
        found["insigma"] = {**_template(streams, mapping, tenant), "data_stream": {}}
    if others:
        found["insigma-indices"] = _template(others, mapping, tenant)
    return found


def remote_patterns(mapping: TargetMapping) -> tuple[str, ...]:
    """The patterns of indices that lie on other clusters."""
    return tuple(pattern for pattern in _all(patterns_of(mapping).values()) if ":" in pattern)


def data_view(mapping: TargetMapping, tenant: str) -> dict[str, Any]:
    """The data view over all index patterns of the tenant, as a saved object. Raises `Refused` for a pattern that is none."""
    attributes = {
        "name": f"Insigma ({tenant})",
        "timeFieldName": "@timestamp",
        "title": ",".join(_all(patterns_of(mapping).values())),
    }
    return {
        "attributes": attributes,
        "coreMigrationVersion": "8.8.0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:insigma:elastic:{tenant}:data-view")),
        "managed": False,
        "references": [],
        "type": "index-pattern",
        "typeMigrationVersion": "8.0.0",
    }


def _all(patterns: Iterable[tuple[str, ...]]) -> list[str]:
    """Every pattern once, sorted."""
    return sorted({pattern for some in patterns for pattern in some})


def _template(patterns: list[str], mapping: TargetMapping, tenant: str) -> dict[str, Any]:
    taken = {field.name for field in mapping.fields.values()}
    properties: dict[str, Any] = {}
    for name, stored in _OWN_FIELDS.items():
        if name not in taken:
            place(properties, name.split("."), stored)
    return {
        "_meta": {"description": "Events that the Insigma pack reads", "managed_by": "insigma", "tenant": tenant},
        "composed_of": [COMPONENT, CUSTOM_COMPONENT],
        "ignore_missing_component_templates": [CUSTOM_COMPONENT],
        "index_patterns": patterns,
        "priority": PRIORITY,
        "template": {
            "mappings": {"properties": properties},
            "settings": {"index": {"final_pipeline": INSURANCE_PIPELINE}},
        },
    }
