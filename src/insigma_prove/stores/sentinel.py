"""Canonical events as Sentinel holds them: one row each in the table of its log source, in typed columns.

A field that the mapping does not have is not stored; a value that does not fit its column's type is lost at ingestion, as
the data collection rule's transformation gives null for it (docs/targets/sentinel.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from insigma.content.folding import fold
from insigma.content.model import TargetField, TargetMapping
from insigma.content.taxonomy import LOGSOURCE_FIELD
from insigma.evaluate.events import Flat, Scalar, as_number, flatten, iso, milliseconds, text_of, time_of, values_of
from insigma.targets.sentinel.layout import tables

NOWHERE = "InsUnknown_CL"


def store(mapping: TargetMapping) -> dict[str, Any]:
    """The tables with the types of their columns, and one for events of log sources that the mapping does not have."""
    declared = {name: dict(columns) for name, columns in tables(mapping).items()}
    return {"tables": {**declared, NOWHERE: dict(next(iter(declared.values())))}, "watchlists": {}}


def stored(events: Sequence[Mapping[str, Any]], mapping: TargetMapping) -> list[dict[str, Any]]:
    """Each event as a row of its table. All have come in with the last of them, which `ingested` changes."""
    last = max((time for event in events if (time := time_of(flatten(event))) is not None), default=0)
    return ingested([_row(event, mapping) for event in events], [last] * len(events))


def ingested(rows: Sequence[Mapping[str, Any]], came: Sequence[int]) -> list[dict[str, Any]]:
    """The rows with their ingestion times (ms since 1970)."""
    return [{**row, "_ingested": iso(moment)} for row, moment in zip(rows, came, strict=True)]


def _row(event: Mapping[str, Any], mapping: TargetMapping) -> dict[str, Any]:
    flat = flatten(event)
    row: dict[str, Any] = {"_table": only_table(mapping) if mapping.open else _table(flat, mapping)}
    for name, field in mapping.fields.items():
        if field.lookup is not None:
            continue
        values = [fitting for value in values_of(flat, name) if (fitting := _fitting(value, field)) is not None]
        if values:
            row[field.name] = values if field.array else values[0]
    return row


def only_table(mapping: TargetMapping) -> str:
    """The table of the first log source: the only one of an open mapping."""
    return next(iter(mapping.logsources.values())).settings["table"]


def _table(flat: Flat, mapping: TargetMapping) -> str:
    names = values_of(flat, LOGSOURCE_FIELD)
    source = mapping.logsources.get(fold(text_of(names[0]))) if names else None
    return source.settings["table"] if source is not None else NOWHERE


def _fitting(value: Scalar, field: TargetField) -> Any:
    """The value as the column's type has it, or None where it does not fit."""
    match field.type:
        case "string":
            return fold(text_of(value)) if field.case == "lower" else text_of(value)
        case "datetime" | "date":
            time_ms = milliseconds(value)
            return None if time_ms is None else iso(time_ms)
        case "boolean" | "bool":
            return value if isinstance(value, bool) else {"true": True, "false": False}.get(fold(text_of(value)))
        case kind:
            number = as_number(value)
            if number is None or (kind == "long" and number != int(number)):
                return None
            return int(number) if kind == "long" else float(number)
