"""Canonical events as Splunk holds them: JSON text in the index of their log source, and the fields that extraction makes of it.

The text has the mapping's dotted names as keys, which are the canonical ones but for a customer's own; `KV_MODE = json` joins
nested names by dots, puts `{}` behind the name of an array and makes a field of every scalar, numbers and booleans as text. What
ingest has to keep to stands in docs/targets/splunk.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from insigma.content.folding import fold
from insigma.content.lookups import TIME
from insigma.content.model import TargetField, TargetMapping
from insigma.content.taxonomy import LOGSOURCE_FIELD
from insigma.evaluate.events import flatten, text_of, time_of, values_of

EXTRACTION_CUTOFF = 5_000
"""How many characters of an event automatic JSON extraction reads by default (limits.conf, `[spath] extraction_cutoff`)."""

NOWHERE = "insigma_no_index"
"""The index of an event whose log source the mapping does not have: no search of ours reads it."""

HOST, SOURCE, SOURCETYPE = "insigma", "insigma", "insigma:json"


class TooLong(Exception):
    """An event is longer than what extraction reads, so that its later fields would be missing: its position and length."""


def stored_events(
    events: Sequence[Mapping[str, Any]], mapping: TargetMapping, *, cutoff: int = EXTRACTION_CUTOFF, escaped: bool = False
) -> list[dict[str, Any]]:
    """The events, position by position, as `{_time, index, sourcetype, source, host, _raw, fields}`.

    `_time` is seconds since 1970 as decimal text, with milliseconds; an event without a time has none (an index would give it
    the time of its arrival). `escaped` writes letters beyond ASCII as JSON escapes in `_raw`; a search must not depend on it.
    Raises `TooLong` for an event of more than `cutoff` characters.
    """
    return [_stored(event, position, mapping, cutoff, escaped) for position, event in enumerate(events)]


def lookup_rows(lookups: Mapping[str, Sequence[Mapping[str, str]]]) -> dict[str, list[dict[str, str]]]:
    """The rows of lookup tables as the engine takes them; each cell is text, an empty one for none."""
    return {table: [dict(row) for row in rows] for table, rows in lookups.items()}


def _stored(event: Mapping[str, Any], position: int, mapping: TargetMapping, cutoff: int, escaped: bool) -> dict[str, Any]:
    written = dict(_ingested(name, value, mapping.fields.get(name)) for name, value in _without_nulls(event).items())
    raw = json.dumps(written, ensure_ascii=escaped, separators=(",", ":"))
    if len(raw) > cutoff:
        raise TooLong(f"event {position} has {len(raw)} characters, and JSON extraction reads {cutoff} (docs/targets/splunk.md, Limits)")
    index, sourcetype = _place(event, mapping)
    stored: dict[str, Any] = {"index": index, "sourcetype": sourcetype, "source": SOURCE, "host": HOST, "_raw": raw}
    time_ms = time_of(flatten(event))
    if time_ms is not None:
        stored["_time"] = f"{'-' if time_ms < 0 else ''}{abs(time_ms) // 1000}.{abs(time_ms) % 1000:03d}"
    fields: dict[str, list[str]] = {}
    for name, value in _leaves("", written):
        fields.setdefault(name, []).append(value)
    return {**stored, "fields": fields}


def _ingested(name: str, value: Any, field: TargetField | None) -> tuple[str, Any]:
    """The key and the value as docs/targets/splunk.md asks of ingest: always an array, where the field is declared as one.

    The key is the customer's own name of the field, without the braces that extraction puts behind that of an array. Text of a
    field that the customer stores in lower case is so.
    """
    if field is None or field.lookup is not None or name == TIME:
        return name, value
    if field.case == "lower":
        value = [_lowered(each) for each in value] if isinstance(value, list) else _lowered(value)
    return field.name.removesuffix("{}"), [value] if field.array and not isinstance(value, list) else value


def _lowered(value: Any) -> Any:
    return fold(value) if isinstance(value, str) else value


def _place(event: Mapping[str, Any], mapping: TargetMapping) -> tuple[str, str]:
    """The index and source type of the event's log source."""
    names = values_of(flatten(event), LOGSOURCE_FIELD)
    source = mapping.logsources.get(fold(text_of(names[0]))) if names else None
    settings: Mapping[str, str] = source.settings if source is not None else {}
    return settings.get("index", NOWHERE), settings.get("sourcetype", SOURCETYPE)


def _without_nulls(value: Any) -> Any:
    """The event as ingest has to write it: what is absent is left out, not null (docs/targets/splunk.md)."""
    if isinstance(value, Mapping):
        return {str(name): _without_nulls(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, (list, tuple)):
        return [_without_nulls(inner) for inner in value if inner is not None]
    return value


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """The scalars of an event under their Splunk names, in the order of the text."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(f"{name}.{key}" if name else key, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(f"{name}{{}}", inner)
    else:
        yield name, _text(value)


def _text(value: Any) -> str:
    """A scalar as it stands in the text."""
    return value if isinstance(value, str) else json.dumps(value)
