"""The Sentinel target: which query, which schedule, which window class, and what to note.

Floor: Microsoft Sentinel as it is today; its scheduled analytics rules set the time range, nothing in the query names it.
"""

from __future__ import annotations

from collections.abc import Sequence

from insigma.bind.model import (
    Bound,
    BoundAny,
    BoundCorrelation,
    BoundRule,
    Column,
    OneOf,
    Refused,
    Test,
    tests,
)
from insigma.content.durations import duration_ms, duration_text
from insigma.content.model import TargetField, TargetMapping
from insigma.content.predicate import Constant, Regex, Text
from insigma.targets.base import Companion, Detection, Schedule
from insigma.targets.sentinel import companions, correlations, empty, lookups, quoting
from insigma.targets.sentinel.gathered import scope, selected
from insigma.targets.sentinel.lookups import looked_up
from insigma.targets.sentinel.predicates import where
from insigma.targets.sentinel.rows import finished
from insigma.targets.sentinel.watchlists import MOMENT, joined, moment
from insigma.targets.shown import shown_fields

LONGEST_QUERY = 10_000
"""Characters of an analytics rule's query (Scheduled analytics rules in Microsoft Sentinel, "Rule query")."""
LONGEST_LOOKBACK_MS = 14 * 86_400_000
"""How far a scheduled rule looks back at most (same page, "Query scheduling")."""
SHORTEST_MS = 5 * 60_000
"""Shortest interval and look-back of a scheduled rule (same page)."""
SETTLING_MS = 5 * 60_000
"""What a run judges ends at least so long before its `now()`.

Sentinel runs a rule five minutes after its scheduled time (same page, "Ingestion delay") and does not say whether the rule's time
range and `now()` mean the one moment or the other: so the query is right either way. It is also the time that an event has from
its ingestion time, measured just before it is committed (Kusto, "IngestionTime policy"), to its being found.
"""
LONG_LOOKBACK_MS = 2 * 86_400_000
SLOW_INTERVAL_MS = 3_600_000
"""A rule that looks back two days or more runs once an hour at most (Azure-Sentinel, FrequencyLimitationForLongPeriodQuery)."""


class SentinelTarget:
    """Compiles bound rules to KQL for the columns, tables and schedule of one mapping."""

    name = "sentinel"

    def __init__(self, mapping: TargetMapping) -> None:
        self._mapping = mapping
        self._interval_ms = _interval(mapping.options.get("interval", "5m"))

    def compile(self, rule: BoundAny) -> Detection:
        """The detection of a bound rule. Raises `Refused` for what KQL or an analytics rule cannot say exactly."""
        return self._event(rule) if isinstance(rule, BoundRule) else self._correlation(rule)

    def instants(self, rule: BoundCorrelation) -> str:
        """The correlation's query up to its satisfying instants, for proof: see `correlations.instants_query`."""
        return correlations.instants_query(rule, self._mapping)

    def _event(self, bound: BoundRule) -> Detection:
        schedule = self._schedule(bound.logsource.delay_ms + settled_ms(bound))
        table, *own = scope(bound.logsource, self._mapping)
        fields = looked_up(bound)
        asked, helpers = self._asked(bound, fields)
        lines = [table, _arrived(schedule.interval_ms, settled_ms(bound)), *own, *asked]
        known, notes = self._shown(bound, fields)
        columns = _time_first(known)
        if columns:
            lines.append(f"| project {', '.join(columns)}")
        elif helpers:
            lines.append(f"| project-away {', '.join(helpers)}")
        saved: tuple[Companion, ...] = ()
        if _length(lines) > LONGEST_QUERY:
            saved = (companions.function(bound.rule.header, "InsDetection", lines),)
            lines = [f"{saved[0].name}()"]
        return Detection(
            target=self.name,
            language="kql",
            query="\n".join(lines),
            schedule=schedule,
            window="event",
            notes=(*_notes(bound.predicate), *lookups.notes(fields), *notes, *companions.notes(saved)),
            companions=saved,
        )

    def _asked(self, bound: BoundRule, fields: Sequence[TargetField]) -> tuple[list[str], tuple[str, ...]]:
        """The lines that ask the predicate, what is stored and then what is looked up, and the columns that nobody is to see."""
        if not fields:
            return [f"| where {where(bound.predicate)}"], ()
        first, rest = lookups.split(bound.predicate)
        made = joined(fields, self._mapping)
        before = [] if first == Constant(True) else [f"| where {where(first)}"]
        if made.timed:
            before.append(f"| extend {MOMENT} = {moment(self._mapping)}")
        return [*before, *made.lines, f"| where {where(rest)}"], ((MOMENT,) if made.timed else ()) + made.helpers

    def _shown(self, bound: BoundRule, fields: Sequence[TargetField]) -> tuple[list[TargetField], tuple[str, ...]]:
        """The columns that an alert shows, and a note on those that it cannot: a looked-up field that the predicate does not read."""
        known, notes = shown_fields(bound.rule.header, self._mapping)
        kept = [field for field in known if field.lookup is None or field in fields]
        left = [field.lookup.field for field in known if field.lookup is not None and field not in fields]
        return kept, (*notes, *((f"fields not shown, as the rule does not look them up: {', '.join(left)}",) if left else ()))

    def _correlation(self, bound: BoundCorrelation) -> Detection:
        schedule = self._schedule(bound.correlation.timespan_ms + settled_ms(bound))
        query, beside = self._written(bound, schedule)
        found = dict.fromkeys(note for member in bound.members for note in _notes(member.predicate))
        return Detection(
            target=self.name,
            language="kql",
            query=query,
            schedule=Schedule(schedule.interval_ms, min(schedule.lookback_ms, LONGEST_LOOKBACK_MS)),
            window="exact",
            notes=(*found, *lookups.notes(looked_up(bound)), *correlations.notes(bound), *companions.notes(beside)),
            group_fields=correlations.group_columns(bound),
            companions=beside,
        )

    def _written(self, bound: BoundCorrelation, schedule: Schedule) -> tuple[str, tuple[Companion, ...]]:
        """The query, and what it needs beside it: a roll-up beyond 14 days, a function beyond 10,000 characters."""
        beside: list[Companion] = []
        settled = settled_ms(bound)
        judged = schedule.interval_ms + settled, settled
        if schedule.lookback_ms > LONGEST_LOOKBACK_MS:
            beside.append(companions.rollup(bound, self._mapping, judged[0]))
            lines = companions.rolled_up(bound, self._mapping, beside[0])
        else:
            lines = selected(bound, self._mapping)
        query = correlations.alert_query(bound, finished(bound, tuple(lines)), judged)
        if len(query) > LONGEST_QUERY:
            saved = companions.function(bound.correlation.header, "InsMatches", lines)
            beside.append(saved)
            query = correlations.alert_query(bound, finished(bound, (f"{saved.name}()",)), judged)
        if len(query) > LONGEST_QUERY:
            raise Refused(f"the query has {len(query)} characters, an analytics rule takes {LONGEST_QUERY}", ("correlation",))
        return query, tuple(beside)

    def _schedule(self, reach_ms: int) -> Schedule:
        """What a run looks back on: `reach_ms` and the interval, an hour at least where that comes to two days."""
        interval = self._interval_ms
        if reach_ms + interval >= LONG_LOOKBACK_MS:
            interval = max(interval, SLOW_INTERVAL_MS)
        return Schedule(interval, reach_ms + interval)


def settled_ms(bound: BoundAny) -> int:
    """How long before `now()` what a run judges ends: of an event rule arrivals, of a correlation instants.

    For an instant all events have to be there that come within the longest delay of their log sources.
    """
    if isinstance(bound, BoundRule):
        return SETTLING_MS
    return max(SETTLING_MS, *(member.logsource.delay_ms for member in bound.members))


def _arrived(interval_ms: int, settled: int) -> str:
    """Of all that lies in the look-back what came in during one interval: no other run judges it (Handle ingestion delay in
    scheduled analytics rules). Half open, so that what lies on the boundary of two runs is judged by one."""
    return f"| where ingestion_time() >= ago({duration_text(interval_ms + settled)}) and ingestion_time() < ago({duration_text(settled)})"


def _time_first(fields: list[TargetField]) -> list[str]:
    columns = dict.fromkeys(quoting.column(field.name) for field in fields)
    return ["TimeGenerated", *(column for column in columns if column != "TimeGenerated")] if columns else []


def _length(lines: list[str]) -> int:
    return len("\n".join(lines))


def _interval(written: object) -> int:
    milliseconds = duration_ms(written)
    if not milliseconds or milliseconds < SHORTEST_MS or milliseconds > LONGEST_LOOKBACK_MS or milliseconds % 60_000:
        raise Refused(f"the sentinel mapping's interval '{written}' is no duration of whole minutes from 5m to 14d")
    return milliseconds


def _notes(predicate: Bound) -> tuple[str, ...]:
    """Where the meaning of an event predicate rests on how Sentinel stores or compares."""
    found: dict[str, None] = dict.fromkeys(empty.notes(predicate))
    for test in tests(predicate):
        if test.field.array and (isinstance(test, OneOf) or isinstance(test.value, (Text, Regex))):
            found["the values of an array are told apart by U+001F: one that holds this character reads as two"] = None
        if isinstance(test, Test) and isinstance(test.value, Column) and test.ignore_case:
            found["two fields are compared by tolower(), which folds as the rule does except for a few letters beyond ASCII"] = None
    return tuple(found)
