"""Strategies for events that nearly meet the items of a rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from insigma_prove.generate import alphabet
from insigma_prove.generate.drafts import AWAY, FIELDS, HOME, Event, Item, numbers_of
from insigma_prove.generate.draws import pick, rarely

TIMES = (
    "2026-02-14T10:00:00.000Z", "2026-02-14T10:29:30.500Z", "2026-02-14T23:59:59.999Z", "2026-03-01T00:00:00.000Z",
    "2025-12-29T00:00:00.000Z",
    "2026-01-01T01:30:00.000Z", "2028-02-29T10:00:00.000Z", "2026-03-29T02:00:00.000Z",
)  # fmt: skip
_WAYS = ("hit", "hit", "hit", "recased", "mutated", "other", "absent", "null")


@st.composite
def events_for(draw: DrawFn, items: Sequence[Item], lists: Mapping[str, tuple[str, ...]], most: int) -> tuple[Event, ...]:
    """Events whose fields come from the items' hits: as they are, in another case, one character off, absent, null."""
    hits = _hits_by_field(items, lists)
    found = [draw(_events(items, hits, position)) for position in range(draw(st.integers(1, most)))]
    if rarely(draw, 4):
        found.append(dict(pick(draw, found)))  # a repeated delivery where the event has an id
    return tuple(found)


def _hits_by_field(items: Sequence[Item], lists: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[Any, ...]]:
    """What meets the items, by field; keywords may stand in any text field."""
    found: dict[str, list[Any]] = {}
    for item in items:
        hits = item.hits or tuple(_filled(item, lists))
        for field in (item.field,) if item.field else FIELDS.strings[:2] if hits else ():
            found.setdefault(field, []).extend(hits)
        if item.same_as:
            found.setdefault(item.same_as, [])
    return {field: tuple(hits) for field, hits in found.items()}


def _filled(item: Item, lists: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The values of an item whose placeholders are filled with one entry of each list."""
    texts = [item.value] if isinstance(item.value, str) and "|expand" in item.key else []
    for name, entries in lists.items():
        texts = [text.replace(f"%{name}%", entry).replace("*", "") for text in texts for entry in (entries or ("none",))]
    return texts


@st.composite
def _events(draw: DrawFn, items: Sequence[Item], hits: Mapping[str, tuple[Any, ...]], position: int) -> Event:
    source = pick(draw, (HOME,) * 19 + (AWAY,))
    event: Event = {"@timestamp": pick(draw, TIMES), "insurance.logsource": source, "event.dataset": "core"}
    if draw(st.booleans()):
        event["event.id"] = f"e{position}"
    faithful = draw(st.booleans())  # half of the events take a hit for every field
    for field, values in hits.items():
        value = draw(_values(field, values, faithful))
        if value is not _ABSENT:
            event[field] = value
    for item in items:
        if item.same_as and item.field != item.same_as and not rarely(draw, 3):
            _relate(draw, event, item)
    return _nested(event) if rarely(draw, 8) else event


_ABSENT = object()


@st.composite
def _values(draw: DrawFn, field: str, hits: Sequence[Any], faithful: bool) -> Any:
    """A value of the field's own type, `_ABSENT`, or null."""
    way = pick(draw, _WAYS) if hits and not (faithful and not rarely(draw, 4)) else "hit"
    hit = pick(draw, hits) if hits else _any_value(draw, field)
    if way in ("absent", "null") or hit is None:
        return None if way == "null" else _ABSENT
    if way == "other":
        hit = _any_value(draw, field)
    if field in FIELDS.arrays:
        return _array(draw, hit, way)
    hit = hit[0] if isinstance(hit, list) else hit
    if field in FIELDS.numbers:
        return _number(draw, field, hit)
    if field in FIELDS.addresses:
        return hit if hit in alphabet.ADDRESSES else pick(draw, alphabet.ADDRESSES)
    return _varied(draw, hit, way)


def _any_value(draw: DrawFn, field: str) -> Any:
    pool: tuple[Any, ...] = alphabet.TEXTS
    if field in FIELDS.numbers:
        pool = numbers_of(field)
    elif field in FIELDS.addresses:
        pool = alphabet.ADDRESSES
    return pick(draw, pool)


def _varied(draw: DrawFn, value: Any, way: str) -> Any:
    """A text in another case or one character off; flags stay, and numbers in their shortest spelling, as the data has to be."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, str):
        return value
    if way == "recased":
        recase = pick(draw, (str.upper, str.lower, str.swapcase, str.title))
        return recase(value)
    if way == "mutated":
        at = draw(st.integers(0, len(value)))
        change = pick(draw, ("", "a", "B", "*", "\\", "\n", " ", "ü"))
        return value[:at] + change + value[at + pick(draw, (0, 1)) :]
    return value


def _array(draw: DrawFn, hit: Any, way: str) -> Any:
    """Mostly several values, among them the hit; also one alone, none, or with a null."""
    values = [_varied(draw, value, way) for value in (hit if isinstance(hit, list) else [hit])]
    shape = pick(draw, ("more", "more", "only", "empty", "null"))
    if shape == "more":
        others = draw(st.lists(st.sampled_from(alphabet.TEXTS), min_size=1, max_size=2))
        return [*others, *values] if draw(st.booleans()) else [*values, *others]
    if shape == "empty":
        return []
    return [None, *values] if shape == "null" else values


def _number(draw: DrawFn, field: str, hit: Any) -> Any:
    """A number that the field's type holds; sometimes as its text."""
    if not isinstance(hit, (int, float)) or isinstance(hit, bool):
        hit = 1
    if field in FIELDS.longs:
        hit = int(hit)
    elif hit not in numbers_of(field) and (field in FIELDS.floats or abs(hit) > 2**53):
        hit = pick(draw, numbers_of(field))
    as_text = isinstance(hit, int) and rarely(draw, 10)
    return str(hit) if as_text else hit


def _relate(draw: DrawFn, event: Event, item: Item) -> None:
    """Make the two sides of a field reference nearly the same."""
    value = event.get(item.same_as)
    if value is None or isinstance(value, list) or item.field in FIELDS.arrays:
        return
    if item.field in FIELDS.numbers:
        event[item.field] = _number(draw, item.field, value)
        return
    text = value if isinstance(value, str) else str(value)
    event[item.field] = pick(draw, (text, text.upper(), text + "x", "x" + text, "x" + text + "x", text[1:]))


def _nested(event: Event) -> Event:
    """The same event with objects for the dots of its names."""
    nested: Event = {}
    for name, value in event.items():
        *path, last = name.split(".")
        place = nested
        for step in path:
            place = place.setdefault(step, {})
        place[last] = value
    return nested
