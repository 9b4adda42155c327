"""Canonical events as Elasticsearch holds them: one document each, in the index of its log source; tables as lookup indices."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from insigma.content.folding import fold
from insigma.content.lookups import CALENDAR_COLUMNS, TIME, Found, Hours, Lookup
from insigma.content.model import TargetMapping
from insigma.content.taxonomy import LOGSOURCE_FIELD
from insigma.evaluate.events import flatten, text_of, values_of
from insigma.packages.base import Table
from insigma.packages.elastic.lookups import bulk_rows, index_name, lookup_index
from insigma.packages.elastic.template import index_template

Tables = Mapping[str, Sequence[Mapping[str, str]]]
"""Rows by table; every value as text, an empty one for none."""

NOWHERE = "unknown"


def store(mapping: TargetMapping) -> dict[str, Any]:
    """The index template as it is packaged. An open mapping has none: there every string is a keyword as it came."""
    if mapping.open:
        return {"mappings": {"properties": {"@timestamp": {"type": "date"}}}, "settings": {}, "dynamic_keyword": True}
    template = index_template(mapping)["template"]
    return {"mappings": template["mappings"], "settings": template["settings"]}


def lookup_indices(mapping: TargetMapping, tables: Tables) -> dict[str, Any]:
    """The lookup indices by name, as they are packaged, with a document for each row.

    A table is known by the lookups of the mapping; one that none of them reads has no place. Raises `Refused` for rows that
    the package would refuse.
    """
    lookups = [field.lookup for field in mapping.fields.values() if field.lookup is not None]
    found = {}
    for name, rows in tables.items():
        if reading := [lookup for lookup in lookups if lookup.table == name]:
            table = _table(name, reading, rows)
            found[index_name(table)] = {**lookup_index(table), "documents": _documents(bulk_rows(table))}
    return found


def _table(name: str, lookups: Sequence[Lookup], rows: Sequence[Mapping[str, str]]) -> Table:
    """The table with the types that its lookups take its columns for."""
    kinds: dict[str, str] = {}
    for lookup in lookups:
        match lookup.verdict:
            case Hours():
                kinds |= dict(CALENDAR_COLUMNS)
            case Found(tests):
                kinds |= {test.column: "time" if test.field == TIME else "number" for test in tests}
    keys = ("calendar", "day") if isinstance(lookups[0].verdict, Hours) else tuple(column for column, _ in lookups[0].keys)
    names = tuple(dict.fromkeys((*keys, *(column for lookup in lookups for column in lookup.columns))))
    columns = tuple((column, kinds.get(column, "string")) for column in names)
    return Table(name, keys, columns, tuple(tuple(row[column] for column in names) for row in rows))


def _documents(bulk: str) -> list[dict[str, Any]]:
    """What the body of a bulk request indexes: every second line."""
    return [json.loads(line) for line in bulk.split("\n")[1::2]]


def stored(events: Sequence[Mapping[str, Any]], mapping: TargetMapping) -> list[dict[str, Any]]:
    """Each event as a document with the concrete index that its log source's first pattern stands for.

    Fields stand under their stored names; what is looked up is not stored. Under an open mapping every value is text, as nothing
    declares another type.
    """
    return [{**(_as_text(event) if mapping.open else _renamed(event, mapping)), "_index": _index(event, mapping)} for event in events]


def _renamed(event: Mapping[str, Any], mapping: TargetMapping) -> dict[str, Any]:
    places = mapping.fields
    return {
        places[name].name if name in places else name: value
        for name, value in event.items()
        if name not in places or places[name].lookup is None
    }


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
