"""Looked-up fields: a `lookup` of the row that belongs to an event, and an `eval` of the column that tests are bound to.

The table is a lookup definition of its name, with `case_sensitive_match = false` and `max_matches = 1` (transforms.conf), so
keys match in any case and an event never has more than one row. Commas between pairs, AS and OUTPUT are as the Search
Reference writes them (`lookup`, "Syntax"). Whether a row was found is told by a key column among what is put out. The manual
does not say what an empty cell becomes, nor what a field keeps that nothing is put out into: no test tells an empty
value from an absent one, and what an event itself has under the names of the row is taken away first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from insigma.bind.model import AllOf, AnyOf, Bound, BoundCorrelation, Column, Refused, Test, tests
from insigma.content.folding import fold
from insigma.content.lookups import DEFAULT_CALENDAR, NO, TIME, UNKNOWN, YES, Found, Held, Hours, Lookup, RowTest
from insigma.content.model import TargetField, TargetMapping
from insigma.content.predicate import Constant, Text
from insigma.targets.splunk import quoting
from insigma.targets.splunk.predicates import any_of, expression

PREFIX = "insigma_lookup_"
_SIGNS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_WORDS = frozenset({"as", "output", "outputnew"})
_OWN = re.compile(
    r"insigma_(?:(?:any|before|below|group|keyword|last|rows|rule|start|sum_below|sum_upto|upto|value)_[0-9_]+|lookup_.*"
    r"|century|change|counts|day|day_of_year|days|edge|event|first|last|leap|month|ms|position|present"
    r"|reached|row|rows|rule|start|sum|truncated|value|values|week|year)"
)
_MIDNIGHT = "floor(_time/86400)"


@dataclass(frozen=True, slots=True)
class _Row:
    """The row that the n-th `lookup` of a search finds, under names that nothing else in the search has."""

    number: int

    def column(self, name: str) -> str:
        return f"{PREFIX}{self.number}_{_checked(name)}"

    def value(self, name: str) -> str:
        """The column in an eval expression."""
        return quoting.field(self.column(name))


def looked_up(predicates: Iterable[Bound], others: Iterable[TargetField] = ()) -> tuple[TargetField, ...]:
    """The looked-up fields that the predicates test, and those among `others`, each once."""
    found: dict[TargetField, None] = {}
    for predicate in predicates:
        for test in tests(predicate):
            found[test.field] = None
            if isinstance(test, Test) and isinstance(test.value, Column):
                found[test.value.field] = None
    return tuple(field for field in (found | dict.fromkeys(others)) if field.lookup is not None)


def looked_up_by(bound: BoundCorrelation) -> tuple[TargetField, ...]:
    """The looked-up fields that a correlation reads: in its members' predicates, to group by, or as values."""
    columns = (field for fields in (*bound.group_by, *bound.values) for field in fields)
    return looked_up((member.predicate for member in bound.members), columns)


def stored_first(predicates: Sequence[Bound]) -> tuple[Bound | None, tuple[Bound, ...]]:
    """What can be asked before anything is looked up, and the predicates as they are to be asked after that.

    An event that the first leaves out matches none of the predicates. A single predicate is not asked twice for what the first
    has decided.
    """
    before = _before(any_of(predicates))
    return before, tuple(predicates) if len(predicates) > 1 else (_after(predicates[0]),)


def _before(predicate: Bound) -> Bound | None:
    """What the predicate demands of stored fields alone; None for nothing."""
    match predicate:
        case AllOf(operands):
            return _all_of([part for operand in operands if (part := _before(operand)) is not None])
        case AnyOf(operands):
            parts = [_before(operand) for operand in operands]
            demanded = [part for part in dict.fromkeys(parts) if part is not None]
            return any_of(demanded) if None not in parts else None
        case _:
            return None if looked_up((predicate,)) else predicate


def _after(predicate: Bound) -> Bound:
    """What is left to ask of a predicate after `_before`: the operands that test a looked-up field."""
    operands = predicate.operands if isinstance(predicate, AllOf) else (predicate,)
    return _all_of([operand for operand in operands if looked_up((operand,))]) or Constant(True)


def _all_of(predicates: Sequence[Bound]) -> Bound | None:
    lifted = tuple(part for predicate in predicates for part in (predicate.operands if isinstance(predicate, AllOf) else (predicate,)))
    return AllOf(lifted) if len(lifted) > 1 else lifted[0] if lifted else None


def lookup_lines(fields: Sequence[TargetField], mapping: TargetMapping) -> list[str]:
    """The commands that give each event its looked-up fields; none for no fields.

    Raises `Refused` for names outside the allow-list and for stored fields that cannot be looked up.
    """
    together: dict[tuple[object, ...], list[TargetField]] = {}
    for field in fields:
        _check_column(field, fields, mapping)
        together.setdefault(_table_and_keys(_lookup_of(field)), []).append(field)
    if not together:
        return []
    lines = [f"| fields - {PREFIX}*"]
    for number, columns in enumerate(together.values(), 1):
        lines += _join(columns, _Row(number), mapping)
    return [*lines, f"| fields - {PREFIX}*"]


def notes(fields: Sequence[TargetField]) -> tuple[str, ...]:
    """One line a table: what is looked up in it, and how old it may be."""
    tables: dict[tuple[str, str], list[str]] = {}
    for field in fields:
        lookup = _lookup_of(field)
        tables.setdefault((lookup.table, lookup.refresh), []).append(lookup.field)
    return tuple(
        f"looks {' and '.join(names)} up in {table} (as of its last refresh{f', at most {refresh}' if refresh else ''})"
        for (table, refresh), names in tables.items()
    )


def _lookup_of(field: TargetField) -> Lookup:
    assert field.lookup is not None
    return field.lookup


def _table_and_keys(lookup: Lookup) -> tuple[object, ...]:
    return lookup.table, lookup.keys, lookup.verdict.groups if isinstance(lookup.verdict, Hours) else None


def _join(fields: Sequence[TargetField], row: _Row, mapping: TargetMapping) -> list[str]:
    first = _lookup_of(fields[0])
    if isinstance(first.verdict, Hours):
        return _hours(fields, first.table, first.verdict, row, mapping)
    keys = [(column, _key(name, mapping)) for column, name in first.keys]
    read = dict.fromkeys([keys[0][0], *(column for field in fields for column in _columns(_lookup_of(field)))])
    verdicts = [f"| eval {field.name}={_case(_cases(_lookup_of(field), keys, row, mapping))}" for field in fields]
    return [_lookup(first.table, [(column, quoting.column(stored.name)) for column, stored in keys], read, row), *verdicts]


def _lookup(table: str, keys: Sequence[tuple[str, str]], read: Iterable[str], row: _Row) -> str:
    matched = ", ".join(f"{_checked(column)} AS {field}" for column, field in keys)
    written = ", ".join(f"{_checked(column)} AS {row.column(column)}" for column in read)
    return f"| lookup {_checked(table)} {matched}\n    OUTPUT {written}"


def _columns(lookup: Lookup) -> tuple[str, ...]:
    """The columns that the verdict reads, without the keys."""
    match lookup.verdict:
        case Found(tests=row_tests):
            return tuple(test.column for test in row_tests)
        case Held(column):
            return (column,)
        case Hours():
            return ("open1", "close1", "open2", "close2")


def _case(cases: Sequence[tuple[str, str]]) -> str:
    return "case(\n    " + ",\n    ".join(f"{condition}, {value}" for condition, value in cases) + ")"


def _cases(lookup: Lookup, keys: Sequence[tuple[str, TargetField]], row: _Row, mapping: TargetMapping) -> list[tuple[str, str]]:
    """The conditions and values of a field that is looked up by keys, in the order in which they decide."""
    keyless = [f'coalesce({quoting.field(field.name)}, "")=""' for _, field in keys]
    match lookup.verdict:
        case Held(column, missing):
            value = row.value(column)
            return [(" OR ".join(keyless), _word(UNKNOWN)), (f"len({value})>0", f"lower({value})"), ("1=1", _word(missing))]
        case Found(row_tests, missing):
            numbers = {test.field: _number(test.field, mapping) for test in row_tests}
            unknown = " OR ".join([*keyless, *(f"isnull({'_time' if name == TIME else number})" for name, number in numbers.items())])
            cases = [(unknown, _word(UNKNOWN)), (f"isnull({row.value(keys[0][0])})", _word(missing))]
            if not row_tests:
                return [*cases, ("1=1", _word(YES))]
            holds = "\n      AND ".join(_holds(test, row, numbers[test.field]) for test in row_tests)
            return [*cases, (holds, _word(YES)), ("1=1", _word(NO))]
        case Hours():
            raise AssertionError("working hours have no keys of the event")


def _holds(test: RowTest, row: _Row, number: str) -> str:
    held = f"tonumber({row.value(test.column)})"
    limit = held if test.factor == 1 else f"{quoting.number(test.factor)}*{held}"
    compared = f"{limit}{_SIGNS[test.operator]}{number}"
    return f"(isnull({held}) OR {compared})" if test.if_empty else compared


def _hours(fields: Sequence[TargetField], table: str, hours: Hours, row: _Row, mapping: TargetMapping) -> list[str]:
    """The calendar by the event's groups, the UTC day and the minute of it, and whether somebody works then."""
    _require_time(mapping)
    calendar, day, minute = row.column("calendar"), row.column("day"), row.column("minute")
    spans = [f"{minute}>=tonumber({row.value(f'open{number}')}) AND {minute}<tonumber({row.value(f'close{number}')})" for number in (1, 2)]
    cases = [(f"isnull({row.value('row')})", _word(UNKNOWN)), *((span, _word(NO)) for span in spans), ("1=1", _word(YES))]
    minutes = f"floor(_time/60)-1440*{_MIDNIGHT}"
    found = _lookup(table, [("calendar", calendar), ("day", day)], _columns(_lookup_of(fields[0])), row)
    return [
        f"| eval {day}=tostring({_MIDNIGHT}), {minute}={minutes}",
        f"| eval {calendar}={_calendar(hours, mapping)}",
        f"{found}, day AS {row.column('row')}",
        *(f"| eval {field.name}={_case(cases)}" for field in fields),
    ]


def _calendar(hours: Hours, mapping: TargetMapping) -> str:
    if not hours.groups:
        return _word(DEFAULT_CALENDAR)
    chosen = [(_member(name, value, mapping), _word(calendar)) for calendar, name, value in hours.groups]
    return _case([*chosen, ("1=1", _word(DEFAULT_CALENDAR))])


def _member(name: str, value: str, mapping: TargetMapping) -> str:
    """That the field, or one element of it, is the value in any case."""
    field = _stored(name, mapping)
    if field.type != "string":
        raise Refused(f"'{name}' is stored as {field.type} in Splunk, and chooses a working calendar by its text")
    return expression(Test(field.name, field, name, Text((fold(value),)), ignore_case=True), 3)


def _stored(name: str, mapping: TargetMapping) -> TargetField:
    field = mapping.fields.get(name)
    if field is None:
        raise Refused(f"field '{name}' has no place in the {mapping.target} mapping", unmapped=True)
    if field.lookup is not None:
        raise Refused(f"'{name}' is itself looked up, and nothing can be looked up by it")
    return field


def _key(name: str, mapping: TargetMapping) -> TargetField:
    field = _stored(name, mapping)
    if field.array:
        raise Refused(f"a table is looked up by '{name}', which may hold several values")
    if field.type != "string":
        raise Refused(f"a table is looked up by '{name}', which is stored as {field.type} in Splunk: keys are compared as text")
    return field


def _number(name: str, mapping: TargetMapping) -> str:
    """The expression of the number that a row is compared with; null where the event has none."""
    if name == TIME:
        _require_time(mapping)
        return "round(_time*1000)"
    field = _stored(name, mapping)
    if field.array:
        raise Refused(f"a row is compared with '{name}', which may hold several values")
    return f"tonumber({quoting.field(field.name)})"


def _require_time(mapping: TargetMapping) -> None:
    if _stored(TIME, mapping).name != "_time":
        raise Refused("the time of an event is compared with a table: '@timestamp' has to be mapped to _time")


def _checked(name: str) -> str:
    """A table or one of its columns. Raises `Refused` for anything but letters, digits and `_`, and for words of the command."""
    if not _NAME.fullmatch(name) or name.lower() in _WORDS:
        raise Refused(f"'{name}' cannot be the name of a lookup table or of one of its columns in Splunk")
    return name


def _check_column(field: TargetField, fields: Sequence[TargetField], mapping: TargetMapping) -> None:
    """Raises `Refused` for a column that would overwrite something else that the search reads."""
    name = field.name
    if not _NAME.fullmatch(name) or _OWN.fullmatch(name):
        raise Refused(f"'{name}' cannot be the name of a looked-up field in Splunk")
    if any(other.name == name and other != field for other in (*fields, *mapping.fields.values())):
        raise Refused(f"the looked-up field '{name}' would take the place of another field of that name")


def _word(text: str) -> str:
    if not quoting.is_plain(text):
        raise Refused(f"{text!r} cannot be written into an SPL search as the value of a looked-up field")
    return quoting.literal(text)
