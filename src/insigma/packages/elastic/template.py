"""How Elasticsearch has to store events: the field mappings that the queries rely on, and an `_id` made of the event's own id.

Source: "Normalizers", "Mapping character filter", "ignore_above", "ignore_malformed", "Index modules"
(`index.query.default_field`), "Fingerprint processor" and "Create or update component template" of the Elasticsearch 8.18
reference.
"""

from __future__ import annotations

from typing import Any

from insigma.content.model import TargetField, TargetMapping
from insigma.content.taxonomy import LOGSOURCE_FIELD
from insigma.targets.elastic.codepoints import OTHER_FORMS

NORMALIZER = "insigma_fold"
LONGEST = 8191
"""`ignore_above`, in characters: at four bytes each, the most that fits into Lucene's longest term of 32,766 bytes."""

_NUMERIC = frozenset({"long", "double", "float"})
_IDENTITY = ("organization.id", "insurance.logsource", "event.dataset", "event.id")


def index_template(mapping: TargetMapping) -> dict[str, Any]:
    """The component template `insigma-fields`: the normalizer and every field. Raises ValueError for fields that collide."""
    properties: dict[str, Any] = {}
    for field in sorted(set(mapping.fields.values()), key=lambda each: each.name):
        _place(properties, field.name.split("."), _stored(field))
    settings: dict[str, Any] = {
        "analysis": {
            "char_filter": {NORMALIZER: {"type": "mapping", "mappings": _foldings()}},
            "normalizer": {NORMALIZER: {"type": "custom", "char_filter": [NORMALIZER], "filter": ["lowercase"]}},
        }
    }
    logsource = mapping.fields.get(LOGSOURCE_FIELD)
    if logsource is not None:  # at `*` a query string is lenient: a clause that cannot be built matches nothing, in silence
        settings["query"] = {"default_field": [logsource.name]}
    return {
        "_meta": {"description": "Canonical fields of the Insigma pack", "managed_by": "insigma"},
        "template": {"settings": {"index": settings}, "mappings": {"properties": properties}},
    }


def event_id_pipeline(mapping: TargetMapping) -> dict[str, Any]:
    """The ingest pipeline `insigma-event-id`: an event that comes twice gets the same `_id`, so that it is stored once."""
    fields = [mapping.fields[name].name for name in _IDENTITY if name in mapping.fields]
    processor = {
        "fields": fields,
        "if": "ctx.event?.id != null && ctx.event.id != ''",
        "ignore_missing": True,
        "method": "SHA-256",
        "target_field": "_id",
    }
    return {
        "description": "Stores an event that comes twice once: its document id is made of organization, log source, dataset and event id",
        "processors": [{"fingerprint": processor}],
    }


def _foldings() -> list[str]:
    """The letters that the `lowercase` filter leaves apart though they differ only in case, each with what it becomes."""
    pairs = [(form, folded) for folded, forms in OTHER_FORMS.items() for form in forms if form.lower() != folded]
    return [f"{form} => {folded}" for form, folded in sorted(pairs)]


def _stored(field: TargetField) -> dict[str, Any]:
    if field.type in _NUMERIC or field.type == "ip":
        return {"type": field.type, "ignore_malformed": True}
    if field.type != "keyword":
        return {"type": field.type}
    stored: dict[str, Any] = {"type": "keyword", "ignore_above": LONGEST}
    if field.case == "lower":
        stored["normalizer"] = NORMALIZER
    if field.cased_name is not None:
        prefix = f"{field.name}."
        if not field.cased_name.startswith(prefix) or "." in field.cased_name.removeprefix(prefix):
            raise ValueError(f"'{field.cased_name}' is no sub-field of '{field.name}'")
        stored["fields"] = {field.cased_name.removeprefix(prefix): {"type": "keyword", "ignore_above": LONGEST}}
    return stored


def _place(properties: dict[str, Any], path: list[str], stored: dict[str, Any]) -> None:
    """Put the field into the tree of objects. Raises ValueError where a field would be an object too, or is stored in two ways."""
    name, *rest = path
    if not rest:
        if properties.get(name, stored) != stored:
            raise ValueError(f"'{name}' is stored in two ways")
        properties[name] = stored
        return
    inner = properties.setdefault(name, {"properties": {}})
    if "type" in inner:
        raise ValueError(f"'{name}' is a field and an object")
    _place(inner["properties"], rest, stored)
