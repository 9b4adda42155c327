"""What the evaluator says of events, in the terms in which engines are compared with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from insigma.content.folding import fold
from insigma.content.model import AnyRule, Correlation, Rule, Taxonomy
from insigma.evaluate.engine import Engine, Verdict, identity_of
from insigma.evaluate.events import flatten, iso, time_of

TIMESTAMP = "@timestamp"

Group: TypeAlias = tuple[str, ...]
"""A group's folded values, in the order of the rule's group-by."""


@dataclass(frozen=True, slots=True)
class Span:
    """All alerts of a group taken together: first and last satisfying instant (ms) and the best value."""

    first: int
    last: int
    value: int | float


@dataclass(frozen=True, slots=True)
class Truth:
    """The reference verdict on some events.

    `positions` are those of matching events; `first_of[i]` is the position at which event i was first delivered (i itself
    but for repeats). `instants` are the satisfying instants, (ms, group); `spans` the alerts by group.
    """

    positions: frozenset[int]
    first_of: tuple[int, ...]
    instants: frozenset[tuple[int, Group]]
    spans: Mapping[Group, Span]


def truth(rule: AnyRule, events: Sequence[Mapping[str, Any]], taxonomy: Taxonomy) -> Truth:
    """The reference verdict of one rule."""
    verdict = _verdict(rule, events, taxonomy)
    positions = frozenset(verdict.indexes) if isinstance(rule, Rule) else frozenset()
    instants, spans = _alerts(verdict, rule.group_by) if isinstance(rule, Correlation) else (frozenset(), {})
    return Truth(positions, first_deliveries(events), instants, spans)


def since_then(reference: Truth, since_ms: int) -> Truth:
    """The instants of that time and later, and the spans of those; the values of the spans are those of all."""
    instants = frozenset(entry for entry in reference.instants if entry[0] >= since_ms)
    spans = {}
    for group in {group for _, group in instants}:
        moments = [moment for moment, own in instants if own == group]
        spans[group] = Span(min(moments), max(moments), reference.spans[group].value)
    return replace(reference, instants=instants, spans=spans)


def groups_within(rule: Correlation, events: Sequence[Mapping[str, Any]], taxonomy: Taxonomy, timespan_ms: int) -> frozenset[Group]:
    """The groups that would alert if the timespan were `timespan_ms`: what shorter windows are sure to find."""
    verdict = _verdict(replace(rule, timespan_ms=timespan_ms), events, taxonomy)
    return frozenset(_group(found.group, rule.group_by) for found in verdict.alerts)


def alerts_in_index_order(
    rule: Correlation, events: Sequence[Mapping[str, Any]], taxonomy: Taxonomy
) -> list[tuple[Group, tuple[int, ...]]]:
    """The alerts (group, instants) if simultaneous events had happened one after the other, in the order in which they are given.

    That is how Elasticsearch takes them in sequences without a tiebreaker field (EQL syntax reference, "Event tiebreakers").
    Time is stretched to make room between the milliseconds.
    """
    unit = 2 * len(events) + 2
    times = [time_of(flatten(event)) for event in events]
    start = min((time for time in times if time is not None), default=0)
    stretched = [
        {**_without_time(event), TIMESTAMP: iso((time - start) * unit + place)} if time is not None else event
        for place, (event, time) in enumerate(zip(events, times, strict=True))
    ]
    verdict = _verdict(replace(rule, timespan_ms=rule.timespan_ms * unit + len(events)), stretched, taxonomy)
    return [
        (_group(found.group, rule.group_by), tuple(instant // unit + start for instant in found.alert.instants)) for found in verdict.alerts
    ]


def _without_time(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != TIMESTAMP}


def _verdict(rule: AnyRule, events: Sequence[Mapping[str, Any]], taxonomy: Taxonomy) -> Verdict:
    engine = Engine((rule,), taxonomy)
    for event in events:
        engine.feed(event)
    return engine.verdicts()[0]


def _alerts(verdict: Verdict, names: Sequence[str]) -> tuple[frozenset[tuple[int, Group]], dict[Group, Span]]:
    instants: set[tuple[int, Group]] = set()
    spans: dict[Group, Span] = {}
    for found in verdict.alerts:
        group, alert = _group(found.group, names), found.alert
        instants |= {(time, group) for time in alert.instants}
        known = spans.get(group)
        own = Span(alert.instants[0], alert.instants[-1], alert.value)
        spans[group] = own if known is None else Span(min(known.first, own.first), max(known.last, own.last), max(known.value, own.value))
    return frozenset(instants), spans


def _group(shown: Mapping[str, str], names: Sequence[str]) -> Group:
    return tuple(fold(shown[name]) for name in names)


def first_deliveries(events: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    """For each event the position at which it was first delivered. An event without an id is never a repeat."""
    seen: dict[tuple[str, ...], int] = {}
    found = []
    for position, event in enumerate(events):
        key = identity_of(flatten(event))
        found.append(position if key is None else seen.setdefault(key, position))
    return tuple(found)
