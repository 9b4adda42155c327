"""Correlations over matches: groups, windows, alerts, and chains of correlations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from insigma.content.folding import fold
from insigma.content.model import Correlation, CorrelationType, Rule
from insigma.content.numbers import canonical_number
from insigma.evaluate.events import Flat, Scalar, as_number, text_of, values_of
from insigma.evaluate.windows import Alert, Instant, Occurrence, measure_for, measured_instants, merge_alerts, ordered_instants, window_of


@dataclass(frozen=True, slots=True)
class Happening:
    """What a member gives to a correlation: an event that matched it, or an instant of an inner correlation.

    `fields` reads the values of a field; `indexes` are the events behind it.
    """

    time: int
    identity: int
    fields: Callable[[str], tuple[Scalar, ...]]
    indexes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GroupAlert:
    """An alert and the group it is about, in its first spelling."""

    group: Mapping[str, str]
    alert: Alert


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a correlation gives: alerts for people, by time then group, and its instants for chains."""

    alerts: tuple[GroupAlert, ...]
    instants: tuple[Happening, ...]


@dataclass(slots=True)
class _Group:
    shown: tuple[str, ...]
    occurrences: dict[int, Occurrence]


def correlate(correlation: Correlation, members: Sequence[Sequence[Happening]], *, chained: bool) -> Outcome:
    """Run one correlation. `members[i]` are the happenings of its i-th member, sorted by time; groups come out in order.

    Only with `chained` are the instants given out for correlations that build on this one.
    """
    groups = _grouped(correlation, members)
    alerts: list[GroupAlert] = []
    emitted: list[tuple[int, tuple[str, ...], Mapping[str, str], tuple[int, ...]]] = []
    bounds = correlation.condition.bounds
    for key in sorted(groups):
        occurrences = sorted(groups[key].occurrences.values(), key=lambda one: (one.time, one.identity))
        instants = _instants(correlation, occurrences)
        shown = dict(zip(correlation.group_by, groups[key].shown, strict=True))
        alerts += (GroupAlert(shown, alert) for alert in merge_alerts(instants, occurrences, correlation.timespan_ms, bounds))
        if chained:
            emitted += ((instant.time, key, shown, behind) for instant, behind in _behind(instants, occurrences))
    alerts.sort(key=lambda found: (found.alert.first, found.alert.last, tuple(found.group.values())))
    emitted.sort(key=lambda found: (found[0], found[1]))
    chain = tuple(_emission(number, time, shown, indexes) for number, (time, _, shown, indexes) in enumerate(emitted))
    return Outcome(tuple(alerts), chain)


def _behind(instants: Sequence[Instant], occurrences: Sequence[Occurrence]) -> Iterator[tuple[Instant, tuple[int, ...]]]:
    """Each instant with the events of its window."""
    times = [occurrence.time for occurrence in occurrences]
    for instant in instants:
        begin, end = window_of(instant, times)
        yield instant, tuple(sorted({index for occurrence in occurrences[begin:end] for index in occurrence.indexes}))


def _emission(number: int, time: int, shown: Mapping[str, str], indexes: tuple[int, ...]) -> Happening:
    return Happening(time, number, lambda field: (shown[field],) if field in shown else (), indexes)


def event_happening(time: int, index: int, flat: Flat) -> Happening:
    """An event that matched a base rule."""
    return Happening(time, index, lambda field: values_of(flat, field), (index,))


def _instants(correlation: Correlation, occurrences: list[Occurrence]) -> list[Instant]:
    if correlation.type is CorrelationType.TEMPORAL_ORDERED:
        return ordered_instants(occurrences, correlation.timespan_ms, len(correlation.rules))
    condition = correlation.condition
    measure = measure_for(correlation.type, correlation.rules, condition.expression, condition.percentile)
    return measured_instants(occurrences, correlation.timespan_ms, measure, condition.bounds)


def _grouped(correlation: Correlation, members: Sequence[Sequence[Happening]]) -> dict[tuple[str, ...], _Group]:
    """Occurrences by folded group. An event that matched several members in one group is one occurrence."""
    ordered = sorted(
        ((happening.time, happening.identity, position, happening) for position, found in enumerate(members) for happening in found),
        key=lambda entry: entry[:3],
    )
    groups: dict[tuple[str, ...], _Group] = {}
    kinds = tuple(0 if isinstance(member, Rule) else position + 1 for position, member in enumerate(correlation.members))
    for time, identity, position, happening in ordered:
        values = _values(correlation, position, happening)
        for shown in product(*(_texts(happening, correlation.field_of(name, position)) for name in correlation.group_by)):
            key = tuple(fold(text) for text in shown)
            group = groups.setdefault(key, _Group(shown, {}))
            own = identity * (len(kinds) + 1) + kinds[position]
            known = group.occurrences.get(own)
            if known is not None:
                joined = tuple(dict.fromkeys((*known.values, *values))) if known.values != values else values
                group.occurrences[own] = Occurrence(time, own, known.members | {position}, joined, known.indexes)
            else:
                group.occurrences[own] = Occurrence(time, own, frozenset({position}), values, happening.indexes)
    return groups


def _texts(happening: Happening, field: str) -> tuple[str, ...]:
    """The distinct spellings of a field's values, by folded value."""
    found: dict[str, str] = {}
    for value in happening.fields(field):
        text = text_of(value)
        found.setdefault(fold(text), text)
    return tuple(found.values())


def _values(correlation: Correlation, position: int, happening: Happening) -> tuple[tuple[str, ...], ...] | tuple[Fraction, ...]:
    """What the happening brings to the measure: distinct folded tuples to count, or exact numbers."""
    fields = tuple(correlation.field_of(name, position) for name in correlation.condition.fields)
    if not fields:
        return ()
    if correlation.type is CorrelationType.VALUE_COUNT:
        return tuple(product(*(tuple(fold(text) for text in _texts(happening, field)) for field in fields)))
    numbers = (as_number(value) for value in happening.fields(fields[0]))
    return tuple(Fraction(canonical_number(number)) for number in numbers if number is not None)
