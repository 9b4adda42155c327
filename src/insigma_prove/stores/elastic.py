"""Canonical events as Elasticsearch holds them: one document each, in the index of its log source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from insigma.content.folding import fold
from insigma.content.model import TargetMapping
from insigma.content.taxonomy import LOGSOURCE_FIELD
from insigma.evaluate.events import flatten, text_of, values_of
from insigma.packages.elastic.template import index_template

NOWHERE = "unknown"


def store(mapping: TargetMapping) -> dict[str, Any]:
    """The index template as it is packaged. An open mapping has none: there every string is a keyword as it came."""
    if mapping.open:
        return {"mappings": {"properties": {"@timestamp": {"type": "date"}}}, "settings": {}, "dynamic_keyword": True}
    template = index_template(mapping)["template"]
    return {"mappings": template["mappings"], "settings": template["settings"]}


def stored(events: Sequence[Mapping[str, Any]], mapping: TargetMapping) -> list[dict[str, Any]]:
    """Each event as a document with the concrete index that its log source's first pattern stands for.

    Fields stand under their stored names. Under an open mapping every value is text, as nothing declares another type.
    """
    return [{**(_as_text(event) if mapping.open else _renamed(event, mapping)), "_index": _index(event, mapping)} for event in events]


def _renamed(event: Mapping[str, Any], mapping: TargetMapping) -> dict[str, Any]:
    return {mapping.fields[name].name if name in mapping.fields else name: value for name, value in event.items()}


def _as_text(event: Mapping[str, Any]) -> dict[str, Any]:
    flat = flatten(event)
    return {name: [text_of(value) for value in values_of(flat, name)] for name in flat}


def _index(event: Mapping[str, Any], mapping: TargetMapping) -> str:
    if mapping.open:
        return "logs-default"
    names = values_of(flatten(event), LOGSOURCE_FIELD)
    source = mapping.logsources.get(fold(text_of(names[0]))) if names else None
    pattern = source.settings.get("index", NOWHERE) if source is not None else NOWHERE
    return pattern.split(",")[0].replace("*", "default")
