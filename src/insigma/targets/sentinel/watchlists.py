"""Looked-up fields as columns: a left outer join with a watchlist for each table and its keys.

`_GetWatchlist()` gives the newest state of a watchlist, whatever the time range of the query (Build queries or detection rules
with watchlists in Microsoft Sentinel). Its columns are those that its items have, so an empty watchlist has none of them: each
is read by `column_ifexists()`, as Microsoft's own ASIM parsers do, and as text, which it is unless the items came as JSON.

`join` and not `lookup`: the right side of a lookup is broadcast, and "if [it] is larger than several tens of MBs, the query will
fail" (KQL reference, "lookup operator"). Of several rows with one key the newest counts, so that none multiplies an event: while a
watchlist is made anew its old and new items may be there together (Manage watchlists in Microsoft Sentinel).

An event without a row has an empty key on the right, and only such a one: an event that lacks a key is told before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from insigma.bind.model import Refused, Test
from insigma.content.folding import fold
from insigma.content.lookups import DAY_MS, DEFAULT_CALENDAR, MINUTE_MS, NO, TIME, UNKNOWN, YES, Found, Held, Hours, Lookup, RowTest
from insigma.content.model import TargetField, TargetMapping
from insigma.content.predicate import Text
from insigma.targets.sentinel import quoting
from insigma.targets.sentinel.layout import NUMERIC_TEXT, is_date, is_number, is_text
from insigma.targets.sentinel.predicates import truth

MOMENT = "InsMs"
"""The event's time in whole milliseconds since 1970."""

_CHANGED = "LastUpdatedTimeUTC"
_SIGNS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_SPANS = (("open1", "close1"), ("open2", "close2"))


@dataclass(frozen=True, slots=True)
class Joined:
    """The lines that make columns, the columns beside them that are not to be shown, and whether they read `MOMENT`."""

    lines: tuple[str, ...]
    helpers: tuple[str, ...]
    timed: bool


def moment(mapping: TargetMapping) -> str:
    """The event's time in whole milliseconds since 1970. Raises `Refused` where the mapping has none."""
    column = _stored(TIME, mapping)
    if not is_date(column) or column.array:
        raise Refused(f"'{TIME}' is stored as {column.type} by the sentinel mapping: a table is looked up by the time of events")
    return f'datetime_diff("millisecond", {quoting.column(column.name)}, datetime(1970-01-01))'


def joined(fields: Sequence[TargetField], mapping: TargetMapping) -> Joined:
    """The lines that make the columns of looked-up fields; `MOMENT` has to be there where they read it. Raises `Refused`."""
    lookups = {each.name: each.lookup for each in fields if each.lookup is not None}
    tables: dict[tuple[object, ...], dict[str, Lookup]] = {}
    for name, lookup in lookups.items():
        groups = lookup.verdict.groups if isinstance(lookup.verdict, Hours) else None
        tables.setdefault((lookup.table, lookup.keys, groups), {})[name] = lookup
    made = _Helpers()
    lines = [line for own in tables.values() for line in _join(own, mapping, made)]
    _check_names((*made.names, MOMENT), lookups, mapping)
    return Joined(tuple(lines), tuple(made.names), any(_timed(lookup) for lookup in lookups.values()))


def reads(fields: Sequence[TargetField], mapping: TargetMapping) -> tuple[TargetField, ...]:
    """The stored fields that the lookups are made of, but for the time. Raises `Refused`."""
    names = dict.fromkeys(name for each in fields if each.lookup is not None for name in each.lookup.reads)
    return tuple(_stored(name, mapping) for name in names)


def _timed(lookup: Lookup) -> bool:
    match lookup.verdict:
        case Hours():
            return True
        case Found(tests):
            return any(test.field == TIME for test in tests)
        case Held():
            return False


@dataclass(slots=True)
class _Helpers:
    """Names for columns that nobody is to see."""

    names: list[str] = field(default_factory=list)

    def new(self, kind: str) -> str:
        number = sum(name.startswith(kind) for name in self.names) + 1
        self.names.append(f"{kind}{number}")
        return self.names[-1]


@dataclass(slots=True)
class _Cells:
    """The columns of a row that its verdicts read, as text or as numbers, each once."""

    made: _Helpers
    texts: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)

    def text(self, column: str) -> str:
        if column not in self.texts:
            self.texts[column] = self.made.new("InsCell")
        return self.texts[column]

    def number(self, column: str) -> str:
        if column not in self.numbers:
            self.numbers[column] = self.made.new("InsCell")
        return self.numbers[column]

    @property
    def read(self) -> list[tuple[str, str]]:
        """(helper, column of the watchlist), of texts and numbers."""
        return [(name, column) for cells in (self.texts, self.numbers) for column, name in cells.items()]


def _join(lookups: Mapping[str, Lookup], mapping: TargetMapping, made: _Helpers) -> list[str]:
    """The lines for the lookups in one table by the same keys."""
    first = next(iter(lookups.values()))
    numbers = _Numbers(mapping, made)
    if isinstance(first.verdict, Hours):
        keys = {"calendar": _calendar(first.verdict, mapping), "day": f"tostring({MOMENT} / {DAY_MS})"}
    else:
        keys = {column: _key(name, mapping) for column, name in first.keys}
    left, right = [made.new("InsKey") for _ in keys], [made.new("InsRow") for _ in keys]
    cells = _Cells(made)
    verdicts = {name: _verdict(lookup, left, right, cells, numbers) for name, lookup in lookups.items()}
    before = [f"{name} = {written}" for name, written in (*zip(left, keys.values(), strict=True), *numbers.made_of)]
    after = [f"{name} = {_as_number(name)}" for name in cells.numbers.values()]
    return [
        f"| extend {_lines(before)}",
        *_table(first.table, dict(zip(right, keys, strict=True)), cells),
        "    on " + ", ".join(f"$left.{one} == $right.{other}" for one, other in zip(left, right, strict=True)),
        *([f"| extend {_lines(after)}"] if after else ()),
        f"| extend {_lines([f'{quoting.column(name)} = {written}' for name, written in verdicts.items()])}",
    ]


def _lines(written: Sequence[str]) -> str:
    return ",\n    ".join(written)


def _table(table: str, keys: Mapping[str, str], cells: _Cells) -> list[str]:
    """The watchlist with its columns under names of ours, and one row for each key."""
    read = [f"{name} = tolower({_cell(column)})" for name, column in keys.items()]
    read += [f"{name} = {_cell(column)}" for name, column in cells.read]
    unique = [f"    | summarize by {', '.join(keys)})"]
    if cells.read:
        newest = f"arg_max({', '.join((_CHANGED, *(name for name, _ in cells.read)))})"
        unique = [f"    | summarize {newest} by {', '.join(keys)}", f"    | project-away {_CHANGED})"]
        read.insert(0, _CHANGED)
    return [
        "| join kind=leftouter (",
        f"    _GetWatchlist({quoting.watchlist(table)})",
        "    | project " + ",\n        ".join(read),
        *unique,
    ]


def _cell(column: str) -> str:
    return f'tostring(column_ifexists({quoting.watchlist_column(column)}, ""))'


def _as_number(text: str) -> str:
    return f"toreal(extract({quoting.literal(NUMERIC_TEXT)}, 0, {text}))"


def _key(name: str, mapping: TargetMapping) -> str:
    """A key of an event as the text by which it is looked up."""
    stored = _single(name, mapping, "is a key of a table")
    column = quoting.column(stored.name)
    if is_text(stored):
        return column if stored.case == "lower" else f"tolower({column})"
    if stored.type not in ("long", "boolean"):
        raise Refused(f"'{name}' is a key of a table, and stored as {stored.type} by Sentinel: its text there is not the rule's")
    return f"tostring({column})" if stored.type == "long" else f"tolower(tostring({column}))"


def _calendar(hours: Hours, mapping: TargetMapping) -> str:
    """The calendar of an event: that of the first group that it belongs to."""
    cases = []
    for calendar, name, value in hours.groups:
        stored = _stored(name, mapping)
        if not is_text(stored):
            raise Refused(f"'{name}' chooses the working calendar, and is stored as {stored.type} by Sentinel: it has to be text")
        cases += [truth(Test(stored.name, stored, name, Text((fold(value),)), True)), quoting.literal(fold(calendar))]
    default = quoting.literal(DEFAULT_CALENDAR)
    return f"case({', '.join((*cases, default))})" if cases else default


@dataclass(slots=True)
class _Numbers:
    """The fields of an event that rows are compared with, as numbers; what is none is null."""

    mapping: TargetMapping
    made: _Helpers
    names: dict[str, str] = field(default_factory=dict)
    made_of: list[tuple[str, str]] = field(default_factory=list)

    def of(self, name: str) -> str:
        """The column of a canonical field. Raises `Refused` for one that holds no numbers."""
        if name == TIME:
            return MOMENT
        if name not in self.names:
            stored = _single(name, self.mapping, "is compared with a number of a table")
            column = quoting.column(stored.name)
            if not is_number(stored):
                if not is_text(stored):
                    raise Refused(f"'{name}' is compared with a number of a table, and stored as {stored.type} by Sentinel")
                self.made_of.append((self.made.new("InsNumber"), _as_number(column)))
                column = self.made_of[-1][0]
            self.names[name] = column
        return self.names[name]

    def minute(self) -> str:
        """The minute of the event's day."""
        self.made_of.append((self.made.new("InsMinute"), f"({MOMENT} % {DAY_MS}) / {MINUTE_MS}"))
        return self.made_of[-1][0]


def _verdict(lookup: Lookup, left: Sequence[str], right: Sequence[str], cells: _Cells, numbers: _Numbers) -> str:
    """The expression of a looked-up field, never null."""
    no_row, unknown = f"isempty({right[0]})", quoting.literal(UNKNOWN)
    no_key = [f"isempty({key})" for key in left]
    match lookup.verdict:
        case Held(column, missing):
            cell = cells.text(column)
            return _case(((no_key, unknown), ([f"isempty({cell})"], quoting.literal(missing))), f"tolower({cell})")
        case Hours():
            minute = numbers.minute()
            within = [f"coalesce({cells.number(start)} <= {minute} and {minute} < {cells.number(end)}, false)" for start, end in _SPANS]
            return _case((([no_row], unknown), (within, quoting.literal(NO))), quoting.literal(YES))
        case Found(tests, missing):
            compared = dict.fromkeys(numbers.of(test.field) for test in tests)
            absent = [*no_key, *(f"isnull({column})" for column in compared if column != MOMENT)]
            fails = [_fails(test, cells.number(test.column), numbers.of(test.field)) for test in tests]
            told = [(absent, unknown), ([no_row], quoting.literal(missing))]
            return _case([*told, (fails, quoting.literal(NO))] if fails else told, quoting.literal(YES))


def _fails(test: RowTest, cell: str, number: str) -> str:
    limit = cell if test.factor == 1 else f"{cell} * {quoting.real(test.factor)}"
    return f"not(coalesce({limit} {_SIGNS[test.operator]} {number}, {str(test.if_empty).lower()}))"


def _case(told: Sequence[tuple[Sequence[str], str]], otherwise: str) -> str:
    """Each answer where any of its conditions holds, the first that does."""
    return "case(" + "".join(f"{' or '.join(conditions)}, {answer}, " for conditions, answer in told) + f"{otherwise})"


def _single(name: str, mapping: TargetMapping, how: str) -> TargetField:
    stored = _stored(name, mapping)
    if stored.array:
        raise Refused(f"'{name}' {how}, and may hold several values in Sentinel: it has to be one")
    return stored


def _stored(name: str, mapping: TargetMapping) -> TargetField:
    stored = mapping.fields.get(name)
    if stored is None:
        raise Refused(f"field '{name}' has no place in the sentinel mapping", unmapped=True)
    if stored.lookup is not None:
        raise Refused(f"'{name}' is looked up itself: a table is looked up by what events hold")
    return stored


def _check_names(helpers: Sequence[str], lookups: Mapping[str, Lookup], mapping: TargetMapping) -> None:
    stored = {each.name.casefold() for each in mapping.fields.values() if each.lookup is None}
    taken = [name for name in (*helpers, *lookups) if name.casefold() in stored]
    if taken:
        raise Refused(f"the sentinel mapping has a column '{taken[0]}', which looking up makes by itself")
