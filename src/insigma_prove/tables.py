"""Lookup tables made for events that carry their flags already, so that looking the flags up gives them again.

That is how a customer whose feeds carry no flag is proved on fixtures which do. Not every set of events has such tables:
two events with the same keys may carry different flags, an event may lack a key, and no table says `unknown` where having no
row means `no`. The rows then give back as many flags as they can.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from insigma.content.folding import fold
from insigma.content.lookups import (
    CALENDAR_COLUMNS,
    DAY_MS,
    MINUTE_MS,
    NO,
    TIME,
    UNKNOWN,
    YES,
    Found,
    Held,
    Hours,
    Lookup,
    RowTest,
)
from insigma.content.numbers import canonical_number
from insigma.evaluate.events import Flat, as_number, flatten, text_of, time_of, values_of
from insigma.evaluate.lookups import Enricher, Row, Tables, calendar_of, key_of
from insigma.specialise.lists import LIST_COLUMN

NOBODY = "insigma-nobody"
"""The key of a row that is in every table and concerns no event: tables of customers are never empty."""
_LIST = "insigma.list."
_NEAR_MS = (0, -1, 1, -3_600_000, 3_600_000)
_SPANS = 2
"""How many spans of working time a day has in a calendar."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How many flags the events carry that are looked up, and how many of them come out of the tables as they were."""

    carried: int = 0
    same: int = 0

    def __add__(self, other: Kept) -> Kept:
        return Kept(self.carried + other.carried, self.same + other.same)


def tables_for(lookups: Sequence[Lookup], events: Sequence[Mapping[str, Any]], lists: Mapping[str, Sequence[str]]) -> Tables:
    """Rows for every table that the lookups read. `lists` has the entries of lists that the profile leaves to the customer's job."""
    flats = [flatten(event) for event in events]
    by_table: dict[str, list[Lookup]] = {}
    for lookup in lookups:
        by_table.setdefault(lookup.table, []).append(lookup)
    return {name: list(_rows(own, flats, lists)) for name, own in by_table.items()}


def with_keys(lookups: Sequence[Lookup], events: Sequence[Mapping[str, Any]], read: Collection[str]) -> list[Mapping[str, Any]]:
    """The events, where those that say yes or no in a flag and lack a key get one: each its own, but a repeated event the same.

    Keys among `read`, the fields that the rule itself reads, are left as they are: their absence may be what the case is about.
    """
    numbers: dict[tuple[Any, ...], str] = {}
    found = []
    for event in events:
        flat = flatten(event)
        own = numbers.setdefault(tuple(flat.items()), f"insigma-{len(numbers)}")
        lacking = [name for lookup in lookups if _flag(flat, lookup) in (YES, NO) for _, name in lookup.keys if name not in flat]
        found.append({**event, **{name: own for name in lacking if name not in read}} if lacking else event)
    return found


def kept(lookups: Sequence[Lookup], events: Iterable[Mapping[str, Any]], enriched: Iterable[Mapping[str, Any]]) -> Kept:
    """How much of what the events carry is in the enriched events too."""
    found = Kept()
    for event, made in zip(events, enriched, strict=True):
        flat = flatten(event)
        flags = [(word, made.get(lookup.field)) for lookup in lookups if (word := _flag(flat, lookup)) is not None]
        found += Kept(len(flags), sum(word == own for word, own in flags))
    return found


def _rows(lookups: Sequence[Lookup], flats: Sequence[Flat], lists: Mapping[str, Sequence[str]]) -> Iterator[Row]:
    """The rows of one table, first the one that concerns nobody."""
    first = lookups[0]
    if first.field.startswith(_LIST):
        values = first.values if first.values is not None else tuple(lists.get(first.table, ()))
        yield from ({LIST_COLUMN: value} for value in {fold(value): value for value in (NOBODY, *values)}.values())
    elif isinstance(first.verdict, Hours):
        yield {**dict.fromkeys((name for name, _ in CALENDAR_COLUMNS), ""), "calendar": NOBODY, "day": "0"}
        yield from _calendar(first, first.verdict, flats)
    else:
        names = tuple(dict.fromkeys(name for lookup in lookups for name in lookup.columns))
        yield {**dict.fromkeys(names, ""), **{column: NOBODY for column, _ in first.keys}}
        for events in _by_key(first, flats).values():
            row = _best_row(lookups, events)
            if row is not None:
                yield row


def _flag(flat: Flat, lookup: Lookup) -> str | None:
    """What the event says of the flag itself, or None."""
    values = values_of(flat, lookup.field)
    return fold(text_of(values[0])) if len(values) == 1 else None


def _by_key(lookup: Lookup, flats: Sequence[Flat]) -> dict[tuple[str, ...], list[Flat]]:
    """The events by key; those that lack one have no row."""
    found: dict[tuple[str, ...], list[Flat]] = {}
    for flat in flats:
        key = key_of(lookup, flat)
        if key is not None:
            found.setdefault(key, []).append(flat)
    return found


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What so many events of one key read, and the flags that are to be made of it; one that is not carried is None."""

    flat: Flat
    flags: Mapping[str, str | None]
    times: int


def _best_row(lookups: Sequence[Lookup], events: Sequence[Flat]) -> Row | None:
    """The row, or None for no row, that gives the events of one key the most of their flags; of several the first."""
    wanted = [_Wanted(flat, {lookup.field: _flag(flat, lookup) for lookup in lookups}, times) for flat, times in _distinct(lookups, events)]
    best: Row | None = None
    most, bound = (-1, -1), _bound(lookups, wanted)
    for row in (None, *_candidates(lookups, wanted)):
        score = _score(lookups, row, wanted)
        if score > most:
            best, most = row, score
        if most >= bound:
            break
    return best


def _distinct(lookups: Sequence[Lookup], events: Sequence[Flat]) -> list[tuple[Flat, int]]:
    """Events that differ in what the lookups read or make, each with just that and how often it is there."""
    timed = any(test.field == TIME for lookup in lookups if isinstance(lookup.verdict, Found) for test in lookup.verdict.tests)
    names = [*(name for lookup in lookups for name in (*lookup.reads, lookup.field)), *((TIME,) if timed else ())]
    counts = Counter(tuple((name, flat[name]) for name in names if name in flat) for flat in events)
    return [(dict(items), times) for items, times in counts.items()]


def _score(lookups: Sequence[Lookup], row: Row | None, wanted: Sequence[_Wanted]) -> tuple[int, int]:
    """How many flags that are carried come out, and how many at all, where one that is not carried is unknown."""
    enricher = Enricher(lookups, dict.fromkeys((lookup.table for lookup in lookups), [] if row is None else [row]))
    carried = every = 0
    for each in wanted:
        made = enricher.enrich(each.flat)
        for name, flag in each.flags.items():
            if made[name] == (flag or UNKNOWN):
                carried += each.times if flag is not None else 0
                every += each.times
    return carried, every


def _bound(lookups: Sequence[Lookup], wanted: Sequence[_Wanted]) -> tuple[int, int]:
    """The score that no row exceeds: whoever says `no` of what has no row cannot say `unknown` of it."""
    carried = every = 0
    for each in wanted:
        for lookup in lookups:
            flag = each.flags[lookup.field]
            if flag not in (None, UNKNOWN) or not isinstance(lookup.verdict, Found) or lookup.verdict.missing == UNKNOWN:
                carried += each.times if flag is not None else 0
                every += each.times
    return carried, every


def _candidates(lookups: Sequence[Lookup], wanted: Sequence[_Wanted]) -> Iterator[Row]:
    """Rows under the key of the events, with every choice of what their other columns may hold."""
    first = lookups[0]
    flat = wanted[0].flat
    keys = {column: text_of(values_of(flat, field)[0]) for column, field in first.keys}
    cells: dict[str, dict[str, None]] = {}
    for lookup in lookups:
        for column, cell in _cells(lookup, wanted):
            cells.setdefault(column, {})[cell] = None
    yield from ({**keys, **dict(zip(cells, chosen, strict=True))} for chosen in product(*cells.values()))


def _cells(lookup: Lookup, wanted: Sequence[_Wanted]) -> Iterator[tuple[str, str]]:
    """What the columns that the lookup reads may hold."""
    match lookup.verdict:
        case Held(column):
            yield from ((column, each.flags[lookup.field] or "") for each in wanted)
            yield column, ""
        case Found(tests):
            for test in tests:
                yield from ((test.column, cell) for cell in _limits(test, lookup, wanted))
                yield test.column, ""


def _limits(test: RowTest, lookup: Lookup, wanted: Sequence[_Wanted]) -> Iterator[str]:
    """Limits on both sides of the least and the greatest number of those that want the same."""
    numbers: dict[str | None, list[int | float]] = {}
    for each in wanted:
        number = _number(test, each.flat)
        if number is not None:
            numbers.setdefault(each.flags[lookup.field], []).append(number)
    for own in numbers.values():
        for number in dict.fromkeys((min(own), max(own))):
            if test.field == TIME:
                yield from (str(int(number) + step) for step in _NEAR_MS)
            else:
                yield from (canonical_number(limit) for limit in (number, number - 1, number + 1, 2 * number))


def _number(test: RowTest, flat: Flat) -> int | float | None:
    if test.field == TIME:
        return time_of(flat)
    values = values_of(flat, test.field)
    return as_number(values[0]) if len(values) == 1 else None


def _calendar(lookup: Lookup, hours: Hours, flats: Sequence[Flat]) -> Iterator[Row]:
    """Days on which the minutes of the events are working time or not, as they say; one of which nothing is known has no row."""
    days: dict[tuple[str, int], dict[int, str]] = {}
    for flat in flats:
        moment, flag = time_of(flat), _flag(flat, lookup)
        if moment is not None and flag in (YES, NO):
            minutes = days.setdefault((calendar_of(hours.groups, flat), moment // DAY_MS), {})
            minutes.setdefault(moment % DAY_MS // MINUTE_MS, flag)
    for (calendar, day), minutes in days.items():
        bounds = [str(bound) for span in _worked(minutes) for bound in span]
        bounds += [""] * (2 * _SPANS - len(bounds))
        yield dict(zip((name for name, _ in CALENDAR_COLUMNS), (calendar, str(day), *bounds), strict=True))


def _worked(minutes: Mapping[int, str]) -> list[tuple[int, int]]:
    """Spans with the minutes that are working time and without those that are not; of more than two, the first."""
    spans: list[tuple[int, int]] = []
    working = False
    for minute, off in sorted(minutes.items()):
        if off == NO and working:
            spans[-1] = (spans[-1][0], minute + 1)
        elif off == NO:
            spans.append((minute, minute + 1))
        working = off == NO
    return spans[:_SPANS]
