"""Looking fields up: an event and the tables that a customer has, as the event with its looked-up fields.

This is what a compiled join has to agree with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from insigma.content.folding import fold
from insigma.content.lookups import DAY_MS, DEFAULT_CALENDAR, MINUTE_MS, NO, TIME, UNKNOWN, YES, Found, Held, Hours, Lookup, RowTest
from insigma.evaluate.events import Flat, as_number, flatten, text_of, time_of, values_of

Row = Mapping[str, str]
Tables = Mapping[str, Sequence[Row]]
"""Rows by table; every value as text, an empty one for none."""


class Enricher:
    """Adds looked-up fields to events. What the event itself holds in such a field is replaced."""

    def __init__(self, lookups: Sequence[Lookup], tables: Tables) -> None:
        """Raises KeyError for a table that is not given, and ValueError for two rows with one key."""
        self._lookups = tuple((lookup, _indexed(lookup, tables[lookup.table])) for lookup in lookups)

    def enrich(self, event: Mapping[str, Any]) -> Flat:
        """The event, flat, with every looked-up field."""
        flat = flatten(event)
        made = {lookup.field: _made(lookup, rows, flat) for lookup, rows in self._lookups}
        return {**flat, **made}


_Index = Mapping[tuple[str, ...], Row]


def _indexed(lookup: Lookup, rows: Sequence[Row]) -> _Index:
    columns = ("calendar", "day") if isinstance(lookup.verdict, Hours) else tuple(column for column, _ in lookup.keys)
    index: dict[tuple[str, ...], Row] = {}
    for row in rows:
        key = tuple(fold(row[column]) for column in columns)
        if key in index:
            raise ValueError(f"table {lookup.table} has two rows for {', '.join(key)}")
        index[key] = row
    return index


def _made(lookup: Lookup, rows: _Index, flat: Flat) -> str:
    match lookup.verdict:
        case Hours(groups):
            return _off_hours(groups, rows, flat)
        case Found() as found:
            return _found(found, _row(lookup, rows, flat), flat)
        case Held(column, missing):
            row = _row(lookup, rows, flat)
            if row is _KEYLESS:
                return UNKNOWN
            return (fold(row[column]) if row is not None else "") or missing


_KEYLESS: Row = {}
"""In place of a row, for an event that lacks a key."""


def _row(lookup: Lookup, rows: _Index, flat: Flat) -> Row | None:
    key = key_of(lookup, flat)
    return _KEYLESS if key is None else rows.get(key)


def key_of(lookup: Lookup, flat: Flat) -> tuple[str, ...] | None:
    """The folded keys of an event, or None where it lacks one; a key with several values is as good as none."""
    key = []
    for _, name in lookup.keys:
        values = values_of(flat, name)
        if len(values) != 1 or text_of(values[0]) == "":
            return None
        key.append(fold(text_of(values[0])))
    return tuple(key)


def _found(found: Found, row: Row | None, flat: Flat) -> str:
    numbers = {test.field: _number(test.field, flat) for test in found.tests}
    if row is _KEYLESS or None in numbers.values():
        return UNKNOWN
    if row is None:
        return found.missing
    return YES if all(_holds(test, row, numbers[test.field] or 0) for test in found.tests) else NO


def _number(name: str, flat: Flat) -> int | float | None:
    if name == TIME:
        return time_of(flat)
    values = values_of(flat, name)
    return as_number(values[0]) if len(values) == 1 else None


def _holds(test: RowTest, row: Row, number: int | float) -> bool:
    limit = as_number(row[test.column])
    if limit is None:
        return test.if_empty
    limit *= test.factor
    match test.operator:
        case "lt":
            return limit < number
        case "lte":
            return limit <= number
        case "gt":
            return limit > number
        case _:
            return limit >= number


def _off_hours(groups: Sequence[tuple[str, str, str]], rows: _Index, flat: Flat) -> str:
    moment = time_of(flat)
    if moment is None:
        return UNKNOWN
    row = rows.get((fold(calendar_of(groups, flat)), str(moment // DAY_MS)))
    if row is None:
        return UNKNOWN
    minute = moment % DAY_MS // MINUTE_MS
    spans = ((as_number(row["open1"]), as_number(row["close1"])), (as_number(row["open2"]), as_number(row["close2"])))
    within = any(start is not None and end is not None and start <= minute < end for start, end in spans)
    return NO if within else YES


def calendar_of(groups: Sequence[tuple[str, str, str]], flat: Flat) -> str:
    """The name of an event's calendar: that of the first group which it belongs to."""
    for name, field, value in groups:
        if fold(value) in {fold(text_of(each)) for each in values_of(flat, field)}:
            return name
    return DEFAULT_CALENDAR
