"""Business context by lookup: tables and flags of mappings/taxonomy/context.yml as `Lookup`s.

What cannot be read is left out; the file's schema tells of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from insigma.content.lookups import CALENDAR_COLUMNS, UNKNOWN, Found, Held, Hours, Lookup, RowTest, Verdict
from insigma.content.yaml_reader import Document

CALENDAR = "work_calendar"
"""The table of the working hours, which the build fills."""


@dataclass(frozen=True, slots=True)
class ContextTable:
    """A table that a customer may keep: its key columns, and all columns with their types, keys first."""

    name: str
    description: str
    owner: str
    source: str
    refresh: str
    keys: tuple[tuple[str, str], ...]
    columns: tuple[tuple[str, str], ...]

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The columns by which a row is unique."""
        return ("calendar", "day") if self.columns == CALENDAR_COLUMNS else tuple(column for column, _ in self.keys)


@dataclass(frozen=True, slots=True)
class ContextCatalogue:
    """The tables by name, and how each flag is looked up, by field."""

    tables: Mapping[str, ContextTable]
    flags: Mapping[str, Lookup]


NO_CONTEXT = ContextCatalogue(MappingProxyType({}), MappingProxyType({}))


def read_context(document: Document) -> ContextCatalogue:
    """The tables and flags that the document describes."""
    tables = {name: _table(name, entry) for name, entry in _entries(document.data, "tables")}
    flags = {
        name: Lookup(name, table.name, table.keys, _verdict(entry), refresh=table.refresh)
        for name, entry in _entries(document.data, "flags")
        if (table := tables.get(str(entry.get("table")))) is not None
    }
    return ContextCatalogue(MappingProxyType(tables), MappingProxyType(flags))


def _entries(data: Any, key: str) -> list[tuple[str, Mapping[str, Any]]]:
    value = data.get(key) if isinstance(data, dict) else None
    return [(str(name), entry) for name, entry in value.items() if isinstance(entry, dict)] if isinstance(value, dict) else []


def _table(name: str, entry: Mapping[str, Any]) -> ContextTable:
    description, owner, source, refresh = (str(entry.get(key, "")) for key in ("description", "owner", "source", "refresh"))
    keys = tuple((column, str(field)) for column, field in _pairs(entry.get("keys")))
    others = tuple((column, str(kind)) for column, kind in _pairs(entry.get("columns")))
    columns = CALENDAR_COLUMNS if entry.get("calendar") is True else (*((column, "string") for column, _ in keys), *others)
    return ContextTable(name, description, owner, source, refresh, keys, columns)


def _pairs(value: Any) -> list[tuple[str, Any]]:
    return [(str(key), entry) for key, entry in value.items()] if isinstance(value, dict) else []


def _verdict(entry: Mapping[str, Any]) -> Verdict:
    missing = str(entry.get("missing", UNKNOWN))
    if "held" in entry:
        return Held(str(entry["held"]), missing)
    if "found" in entry:
        tests = entry["found"] if isinstance(entry["found"], list) else []
        return Found(tuple(_test(test) for test in tests if isinstance(test, dict)), missing)
    return Hours()


def _test(entry: Mapping[str, Any]) -> RowTest:
    factor = entry.get("times", 1)
    number = float(factor) if isinstance(factor, (int, float)) else 1.0
    return RowTest(str(entry.get("column")), str(entry.get("is")), str(entry.get("of")), number, entry.get("if_empty") is not False)
