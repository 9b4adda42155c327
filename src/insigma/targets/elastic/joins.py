"""Looked-up fields in ES|QL: a `LOOKUP JOIN` with the table, and an `EVAL` of the column that tests are bound to.

A left join: an event without a row keeps its place with nulls, so the table's first key column tells whether there is a row.
`insigma_key` is null where a key of the event is absent, empty or several, and null joins with nothing. All time is counted
from `TO_LONG(@timestamp)`, milliseconds since 1970 in UTC: a session's time zone changes nothing.
Source: "LOOKUP JOIN", "CASE", "REPLACE" (a regular expression of Java) of the Elasticsearch 8.18 reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from insigma.bind.binder import NUMERIC
from insigma.bind.model import Refused, Test
from insigma.content.folding import fold
from insigma.content.lookups import DAY_MS, DEFAULT_CALENDAR, MINUTE_MS, NO, TIME, UNKNOWN, YES, Found, Held, Hours, Lookup, RowTest
from insigma.content.model import TargetField, TargetMapping
from insigma.content.predicate import Text
from insigma.targets.elastic.esql import esql_condition
from insigma.targets.elastic.layout import WIDTH, Clause, Leaf, inline, joined, lines
from insigma.targets.elastic.lookups import KEY, as_stored, escaped, lookup_column, lookup_index
from insigma.targets.elastic.quoting import esql_column, esql_string, number

DAY, MINUTE = "insigma_day", "insigma_minute"
_WHERE = ("detection",)
_COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_SYMBOLS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_WRITTEN = frozenset({"long", "boolean", "ip"})
"""The types, besides `keyword`, whose values TO_STRING writes as events do."""
_CALENDAR_KEYS = (("calendar", ""), ("day", ""))


@dataclass(frozen=True, slots=True)
class _Source:
    """A table and what of the event chooses its row."""

    table: str
    keys: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, str, str], ...] | None

    @property
    def row(self) -> str:
        """That there is a row: its first key, which no row is without."""
        return esql_column(lookup_column(self.table, self.keys[0][0]))


def join_commands(fields: Sequence[TargetField], mapping: TargetMapping) -> list[str]:
    """The commands that give each event these looked-up columns; each table is joined once for the same keys.

    Raises `Refused` for names outside the allow-list, and for stored fields by which nothing can be looked up.
    """
    _check_names(fields, mapping)
    commands: list[str] = []
    for source, made in _by_source(fields).items():
        commands += [_key(source, mapping), f"LOOKUP JOIN {lookup_index(source.table)} ON {KEY}"]
        commands += [_made(field, source, mapping) for field in made]
    return commands


def drop_command(fields: Sequence[TargetField]) -> str:
    """The command that takes away what only the joins needed, and what else a lookup index brings."""
    sources = _by_source(fields)
    clock = (DAY, MINUTE) if any(source.groups is not None for source in sources) else ()
    brought = dict.fromkeys(f"{lookup_column(source.table, 'x').removesuffix('x')}*" for source in sources)
    return f"DROP {', '.join((KEY, *clock, *brought))}"


def lookup_notes(fields: Sequence[TargetField], mapping: TargetMapping) -> list[str]:
    """One line a table: what is looked up in it, and how old it may be; and one on keys that ES|QL lower-cases itself."""
    tables: dict[tuple[str, str], list[str]] = {}
    kept: dict[str, None] = {}
    for field in fields:
        lookup = _lookup(field)
        tables.setdefault((lookup.table, lookup.refresh), []).append(lookup.field)
        kept.update({name: None for _, name in lookup.keys if _lowered(_stored(name, mapping))})
    notes = [
        f"looks {' and '.join(names)} up in {table} (as of its last refresh{f', at most {refresh}' if refresh else ''})"
        for (table, refresh), names in tables.items()
    ]
    if kept:
        notes.append(
            f"{' and '.join(kept)} {'is' if len(kept) == 1 else 'are'} stored in any case and lower-cased for the look-up: letters that "
            "only folding brings together (long s, final sigma, Kelvin sign, dotted capital I, ...) may not be found"
        )
    return notes


def _by_source(fields: Iterable[TargetField]) -> dict[_Source, list[TargetField]]:
    found: dict[_Source, list[TargetField]] = {}
    for field in fields:
        lookup = _lookup(field)
        hours = isinstance(lookup.verdict, Hours)
        keys = _CALENDAR_KEYS if hours else lookup.keys
        groups = lookup.verdict.groups if isinstance(lookup.verdict, Hours) else None
        found.setdefault(_Source(lookup.table, keys, groups), []).append(field)
    return found


def _lookup(field: TargetField) -> Lookup:
    assert field.lookup is not None
    return field.lookup


def _check_names(fields: Sequence[TargetField], mapping: TargetMapping) -> None:
    """Raises `Refused` for columns that would overwrite something else that the query reads, or each other."""
    names = [field.name for field in fields]
    for field in fields:
        if not _COLUMN.fullmatch(field.name) or field.name in (KEY, DAY, MINUTE) or names.count(field.name) > 1:
            raise Refused(f"'{field.name}' cannot be the column of a looked-up field in Elasticsearch", _WHERE)
    own = {KEY, DAY, MINUTE, *names}
    brought = tuple(lookup_column(_lookup(field).table, "x").removesuffix("x") for field in fields)
    for stored in mapping.fields.values():
        if stored.lookup is None and (stored.name in own or stored.name.startswith(brought)):
            raise Refused(f"'{stored.name}' is the name of a column that the ES|QL query makes for a look-up", _WHERE)


def _key(source: _Source, mapping: TargetMapping) -> str:
    """The command that makes `insigma_key` of the event, as `lookups.lookup_key` makes it of the row."""
    if source.groups is not None:
        return _calendar_key(source.groups, mapping)
    fields = [_key_field(name, mapping) for _, name in source.keys]
    present = " AND ".join(map(_present, fields))
    parts = [*(_escaped(_text(field)) for field in fields[:-1]), _text(fields[-1])]
    key = ', "|", '.join(parts)
    return f"EVAL {KEY} = {_case([(present, f'CONCAT({key})' if len(parts) > 1 else key)], None, '    ')}"


def _present(field: TargetField) -> str:
    """That the event has exactly one value, and not an empty text: the comparison of several is null."""
    column = esql_column(field.name)
    return f'{column} != ""' if field.type == "keyword" else f"MV_COUNT({column}) == 1"


def _text(field: TargetField) -> str:
    column = esql_column(field.name)
    if _lowered(field):
        return f"TO_LOWER({column})"
    return column if field.type == "keyword" else f"TO_STRING({column})"


def _lowered(field: TargetField) -> bool:
    """Whether ES|QL has to lower-case the field."""
    return field.type == "keyword" and field.case != "lower"


def _escaped(text: str) -> str:
    return rf'REPLACE({text}, """([\\|])""", """\\$1""")'


def _calendar_key(groups: Sequence[tuple[str, str, str]], mapping: TargetMapping) -> str:
    time = _time(mapping)
    calendar = _literal(DEFAULT_CALENDAR)
    if groups:
        pairs = [(_member(name, value, mapping), _literal(calendar)) for calendar, name, value in groups]
        calendar = _case(pairs, calendar, "      ")
    return (
        f"EVAL {DAY} = TO_LONG(FLOOR({time} / {DAY_MS}.0)),\n"
        f"    {MINUTE} = ({time} - {DAY} * {DAY_MS}) / {MINUTE_MS},\n"
        f'    {KEY} = CONCAT({calendar}, "|", TO_STRING({DAY}))'
    )


def _literal(calendar: str) -> str:
    return esql_string(escaped(as_stored(calendar)))


def _member(name: str, value: str, mapping: TargetMapping) -> str:
    """That the field, or one element of it, is the value in any case."""
    field = _stored(name, mapping)
    if field.type != "keyword":
        raise Refused(f"'{name}' is stored as {field.type} by elastic, and chooses a working calendar by its text", _WHERE)
    text = fold(value)
    return inline(esql_condition(Test(field.name, field, name, Text((text,) if text else ()), True)))


def _made(field: TargetField, source: _Source, mapping: TargetMapping) -> str:
    """The command that makes the column of a looked-up field. It is never null."""
    lookup = _lookup(field)
    match lookup.verdict:
        case Found() as found:
            pairs, otherwise = _found(found, source, mapping)
        case Held(column, missing):
            value = esql_column(lookup_column(source.table, column))
            pairs, otherwise = [(f"{KEY} IS NULL", _word(UNKNOWN)), (f'{value} != ""', value)], _word(missing)
        case _:
            pairs, otherwise = _hours(source)
    return f"EVAL {esql_column(field.name)} = {_case(pairs, otherwise, '    ')}"


def _found(found: Found, source: _Source, mapping: TargetMapping) -> tuple[list[tuple[str, str]], str]:
    numbers = {test.field: _number(test.field, mapping) for test in found.tests}
    unknown = " OR ".join((f"{KEY} IS NULL", *(absent for _, absent in numbers.values())))
    pairs = [(unknown, _word(UNKNOWN)), (f"{source.row} IS NULL", _word(found.missing))]
    if not found.tests:
        return pairs, _word(YES)
    holds = joined("AND", tuple(_holds(test, source, numbers[test.field][0]) for test in found.tests))
    return [*pairs, ("\n      ".join(lines(holds)), _word(YES))], _word(NO)


def _holds(test: RowTest, source: _Source, value: str) -> Clause:
    column = esql_column(lookup_column(source.table, test.column))
    limit = column if test.factor == 1 else f"{column} * {number(test.factor)}"
    compared = Leaf(f"{limit} {_SYMBOLS[test.operator]} {value}")
    return joined("OR", (Leaf(f"{column} IS NULL"), compared)) if test.if_empty else compared


def _hours(source: _Source) -> tuple[list[tuple[str, str]], str]:
    column = {name: esql_column(lookup_column(source.table, name)) for name in ("open1", "close1", "open2", "close2")}
    spans = [f"{column[f'open{span}']} <= {MINUTE} AND {MINUTE} < {column[f'close{span}']}" for span in (1, 2)]
    return [(f"{source.row} IS NULL", _word(UNKNOWN)), *((span, _word(NO)) for span in spans)], _word(YES)


def _word(text: str) -> str:
    return esql_string(fold(text))


def _case(pairs: Sequence[tuple[str, str]], otherwise: str | None, indent: str) -> str:
    """A CASE, one condition a line where it is long; null where nothing holds and there is no `otherwise`."""
    parts = [*(f"{condition}, {value}" for condition, value in pairs), *((otherwise,) if otherwise else ())]
    short = f"CASE({', '.join(parts)})"
    return short if len(short) <= WIDTH else f"CASE(\n{indent}" + f",\n{indent}".join(parts) + ")"


def _stored(name: str, mapping: TargetMapping) -> TargetField:
    field = mapping.fields.get(name)
    if field is None:
        raise Refused(f"field '{name}' has no place in the {mapping.target} mapping", _WHERE, unmapped=True)
    if field.lookup is not None:
        raise Refused(f"'{name}' is itself looked up, and nothing can be looked up by it", _WHERE)
    return field


def _key_field(name: str, mapping: TargetMapping) -> TargetField:
    field = _stored(name, mapping)
    if field.array:
        raise Refused(f"a table is looked up by '{name}', which may hold several values", _WHERE)
    if field.type != "keyword" and field.type not in _WRITTEN:
        raise Refused(f"a table is looked up by '{name}', which is stored as {field.type} by elastic: keys are compared as text", _WHERE)
    return field


def _number(name: str, mapping: TargetMapping) -> tuple[str, str]:
    """The number of the event that a row is compared with, and that the event has not exactly one."""
    if name == TIME:
        return _time(mapping), f"{esql_column(_stored(TIME, mapping).name)} IS NULL"
    field = _stored(name, mapping)
    if field.array:
        raise Refused(f"a row is compared with '{name}', which may hold several values", _WHERE)
    if field.type not in NUMERIC or field.type == "float":  # 0.7 as a float is another number than as a double
        raise Refused(f"a row is compared with '{name}', which is stored as {field.type} by elastic", _WHERE)
    column = esql_column(field.name)
    return column, f"COALESCE(MV_COUNT({column}), 0) != 1"


def _time(mapping: TargetMapping) -> str:
    field = _stored(TIME, mapping)
    if field.type != "date":
        raise Refused(f"'{TIME}' is stored as {field.type} by elastic: a look-up by time needs milliseconds (date)", _WHERE)
    return f"TO_LONG({esql_column(field.name)})"
