"""The lookup command (SR lookup) over the tables that the store holds.

A table stands for a lookup definition with `case_sensitive_match = false` and `max_matches = 1` (transforms.conf): keys match
in any case, and of several rows the first in the order of the file counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from insigma_prove.workers.serve import QueryFault
from insigma_prove.workers.spl.aggregates import write
from insigma_prove.workers.spl.arguments import Item, boolean, items, options, unescaped
from insigma_prove.workers.spl.events import Row
from insigma_prove.workers.spl.readings import Readings
from insigma_prove.workers.spl.statistics import Rows, Stage
from insigma_prove.workers.spl.values import Fields, FieldText, Value, lowered, text

Tables = Mapping[str, Sequence[Mapping[str, str]]]
_CLAUSES = frozenset({"output", "outputnew"})


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a lookup is asked: pairs of a column and a field. No `output` means every column that is no key."""

    table: str
    keys: tuple[tuple[str, str], ...]
    output: tuple[tuple[str, str], ...]
    keep_existing: bool


def lookup(argument: str, readings: Readings, tables: Tables) -> Stage:
    """The command. A table that there is not is an error of the run, whether there are events or not. Raises `QueryFault`."""
    asked = _asked(argument)

    def apply(rows: Rows) -> Rows:
        if asked.table not in tables:
            raise QueryFault("run", f"the lookup table '{asked.table}' does not exist")
        held = tables[asked.table]
        _check_columns(asked, held)
        index = _indexed(asked, held, readings)
        for row in rows:
            _look_up(asked, index, row, readings)
        return rows

    return apply


def _asked(argument: str) -> _Asked:
    found, rest = options(items(argument), frozenset({"local", "update"}))
    for name in found:
        boolean(found, name, False)
    pieces = [item for item in rest if item.kind != "comma"]
    if not pieces:
        raise QueryFault("parse", "lookup wants the name of a table")
    table, *pieces = pieces
    clauses = [place for place, item in enumerate(pieces) if item.kind == "word" and item.text.lower() in _CLAUSES]
    if len(clauses) > 1:
        raise QueryFault("parse", "lookup takes one OUTPUT or OUTPUTNEW")
    end = clauses[0] if clauses else len(pieces)
    keys, output = _pairs(pieces[:end]), _pairs(pieces[end + 1 :])
    if not keys or (clauses and not output):
        raise QueryFault("parse", "lookup wants a field to match, and a field behind OUTPUT")
    return _Asked(_name(table), keys, output, bool(clauses) and pieces[end].text.lower() == "outputnew")


def _pairs(pieces: Sequence[Item]) -> tuple[tuple[str, str], ...]:
    """`column` or `column AS field`, one after the other."""
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(pieces):
        column = field = _name(pieces[at])
        at += 1
        if at < len(pieces) and pieces[at].kind == "word" and pieces[at].text.lower() == "as":
            if at + 1 >= len(pieces):
                raise QueryFault("parse", f"lookup wants a field behind '{column} AS'")
            field = _name(pieces[at + 1])
            at += 2
        found.append((column, field))
    return tuple(found)


def _name(item: Item) -> str:
    if item.kind == "group" or (item.kind == "word" and item.text.lower() == "as"):
        raise QueryFault("parse", f"lookup wants a name, not {item.text!r}")
    return unescaped(item.text) if item.kind == "string" else item.text


def _check_columns(asked: _Asked, held: Sequence[Mapping[str, str]]) -> None:
    """Raises `QueryFault` for a column that the table does not have; what columns a table without rows has is not known here."""
    for column, _ in (*asked.keys, *asked.output):
        if held and column not in held[0]:
            raise QueryFault("run", f"the lookup table '{asked.table}' has no column '{column}'")


def _indexed(asked: _Asked, held: Sequence[Mapping[str, str]], readings: Readings) -> dict[tuple[str, ...], Mapping[str, str]]:
    index: dict[tuple[str, ...], Mapping[str, str]] = {}
    for row in held:
        index.setdefault(tuple(lowered(row[column], readings.lower) for column, _ in asked.keys), row)
    return index


def _look_up(asked: _Asked, index: Mapping[tuple[str, ...], Mapping[str, str]], row: Row, readings: Readings) -> None:
    key = _key([row.fields.get(field) for _, field in asked.keys], readings)
    found = index.get(key) if key is not None else None
    output = asked.output or _all_but_keys(asked, found)
    if asked.keep_existing:
        existing = sum(row.fields.get(field) is not None for _, field in output)
        if 0 < existing < len(output):
            raise QueryFault("unsupported", "what OUTPUTNEW does where some of its fields exist is not documented")
        if existing:
            return
    _put_out(output, found, row.fields, readings)


def _key(values: Sequence[Value], readings: Readings) -> tuple[str, ...] | None:
    """The values as keys are compared; None where one is absent, for which no row is found."""
    key = []
    for value in values:
        if isinstance(value, tuple):
            raise QueryFault("unsupported", "how lookup reads a multivalue field is not documented")
        if value is None:
            return None
        key.append(lowered(text(value), readings.lower))
    return tuple(key)


def _all_but_keys(asked: _Asked, found: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    keys = {column for column, _ in asked.keys}
    return tuple((column, column) for column in found or () if column not in keys)


def _put_out(output: Sequence[tuple[str, str]], found: Mapping[str, str] | None, fields: Fields, readings: Readings) -> None:
    """SR lookup, "Usage": the columns overwrite the fields. Of empty cells and of no row it says nothing (`readings`)."""
    for column, field in output:
        cell = found[column] if found is not None else None
        if cell or (cell == "" and readings.lookup_empty == "text"):
            write(fields, field, FieldText(cell))
        elif readings.lookup_nothing == "cleared":
            write(fields, field, None)
