"""How Elasticsearch has to store events: the field mappings that the queries rely on.

Source: "Normalizers", "Mapping character filter", "ignore_above", "ignore_malformed", "Index modules"
(`index.query.default_field`) and "Create or update component template" of the Elasticsearch 8.18 reference.
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


def index_template(mapping: TargetMapping) -> dict[str, Any]:
    """The component template `insigma-fields`: the normalizer and every stored field. Raises ValueError for fields that collide."""
    properties: dict[str, Any] = {}
    stored = {field for field in mapping.fields.values() if field.lookup is None}
    for field in sorted(stored, key=lambda each: each.name):
        place(properties, field.name.split("."), _stored(field))
    settings: dict[str, Any] = {"analysis": folding_analysis()}
    logsource = mapping.fields.get(LOGSOURCE_FIELD)
    if logsource is not None:  # at `*` a query string is lenient: a clause that cannot be built matches nothing, in silence
        settings["query"] = {"default_field": [logsource.name]}
    return {
        "_meta": {"description": "Canonical fields of the Insigma pack", "managed_by": "insigma"},
        "template": {"settings": {"index": settings}, "mappings": {"properties": properties}},
    }


def folding_analysis() -> dict[str, Any]:
    """The normalizer `insigma_fold`, which folds as the pack does, but for U+0130 and Cherokee (docs/targets/elastic.md)."""
    return {
        "char_filter": {NORMALIZER: {"type": "mapping", "mappings": _foldings()}},
        "normalizer": {NORMALIZER: {"type": "custom", "char_filter": [NORMALIZER], "filter": ["lowercase"]}},
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


def place(properties: dict[str, Any], path: list[str], stored: dict[str, Any]) -> None:
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
    place(inner["properties"], rest, stored)
