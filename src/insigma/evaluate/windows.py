"""Sliding windows: occurrences of one group into satisfying instants, and those into alerts.

The window of an instant t is closed, [t - timespan, t]; t is the time of a contributing occurrence. A `Measure` is told
of occurrences as they enter and leave the window and says whether the condition holds and with what value.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from operator import eq, ge, gt, le, lt, ne
from typing import Protocol, TypeAlias

from insigma.content.condition import Expression
from insigma.content.correlations import holds
from insigma.content.model import Bound, CorrelationType, CountOperator
from insigma.content.numbers import canonical_number

Number: TypeAlias = "int | Fraction"

_LARGEST = 10**300

_HOLDS: dict[CountOperator, Callable[[Number, Number], bool]] = {
    CountOperator.LT: lt,
    CountOperator.LTE: le,
    CountOperator.GT: gt,
    CountOperator.GTE: ge,
    CountOperator.EQ: eq,
    CountOperator.NEQ: ne,
}


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One event (or one instant of an inner correlation) in one group.

    `identity` tells events apart (one that matched several members has one identity); `members` are the positions of
    the members that it matched; `values` what it brings to count, sum or average; `indexes` the events behind it.
    """

    time: int
    identity: int
    members: frozenset[int]
    values: tuple[tuple[str, ...], ...] | tuple[Fraction, ...]
    indexes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Instant:
    """A satisfying instant: its time, the value of its window, the events of that window."""

    time: int
    value: int | float
    start: int


@dataclass(frozen=True, slots=True)
class Alert:
    """Instants no further apart than the timespan, merged: times of the first and last event, the best window's value, all events."""

    first: int
    last: int
    value: int | float
    indexes: tuple[int, ...]
    instants: tuple[int, ...]


class Measure(Protocol):
    """What a correlation type watches in the window."""

    def enter(self, occurrence: Occurrence) -> None: ...

    def leave(self, occurrence: Occurrence) -> None: ...

    def value(self) -> Number | None:
        """The value of the current window; None where it has none (an average of nothing)."""
        ...


class EventCount:
    """How many events."""

    def __init__(self) -> None:
        self._count = 0

    def enter(self, occurrence: Occurrence) -> None:  # noqa: ARG002 - the shape of all measures
        self._count += 1

    def leave(self, occurrence: Occurrence) -> None:  # noqa: ARG002
        self._count -= 1

    def value(self) -> Number:
        return self._count


class ValueCount:
    """How many distinct values."""

    def __init__(self) -> None:
        self._seen: Counter[object] = Counter()

    def enter(self, occurrence: Occurrence) -> None:
        self._seen.update(occurrence.values)

    def leave(self, occurrence: Occurrence) -> None:
        for value in occurrence.values:
            self._seen[value] -= 1
            if not self._seen[value]:
                del self._seen[value]

    def value(self) -> Number:
        return len(self._seen)


class ValueSum:
    """The exact sum of the values, in decimal as they are written; `average` divides it by their number."""

    def __init__(self, average: bool) -> None:
        self._average = average
        self._sum = Fraction(0)
        self._count = 0

    def enter(self, occurrence: Occurrence) -> None:
        for value in occurrence.values:
            if isinstance(value, Fraction):
                self._sum += value
                self._count += 1

    def leave(self, occurrence: Occurrence) -> None:
        for value in occurrence.values:
            if isinstance(value, Fraction):
                self._sum -= value
                self._count -= 1

    def value(self) -> Number | None:
        if not self._count:
            return None
        return self._sum / self._count if self._average else self._sum


class Percentile:
    """The nearest-rank percentile of the values."""

    def __init__(self, percentile: int) -> None:
        self._percentile = percentile
        self._ordered: list[Fraction] = []

    def enter(self, occurrence: Occurrence) -> None:
        for value in occurrence.values:
            if isinstance(value, Fraction):
                insort(self._ordered, value)

    def leave(self, occurrence: Occurrence) -> None:
        for value in occurrence.values:
            if isinstance(value, Fraction):
                del self._ordered[bisect_left(self._ordered, value)]

    def value(self) -> Number | None:
        if not self._ordered:
            return None
        rank = max(1, ceil(self._percentile * len(self._ordered) / 100))
        return self._ordered[rank - 1]


class Members:
    """How many of the members have occurred; with an expression, whether it holds for those."""

    def __init__(self, rules: Sequence[str], expression: Expression | None) -> None:
        self._rules = rules
        self._expression = expression
        self._seen: Counter[int] = Counter()

    def enter(self, occurrence: Occurrence) -> None:
        self._seen.update(occurrence.members)

    def leave(self, occurrence: Occurrence) -> None:
        for member in occurrence.members:
            self._seen[member] -= 1
            if not self._seen[member]:
                del self._seen[member]

    def value(self) -> Number | None:
        if self._expression is None:
            return len(self._seen)
        seen = frozenset(self._rules[member] for member in self._seen)
        return len(seen) if holds(self._expression, seen) else None


def measure_for(kind: CorrelationType, rules: Sequence[str], expression: Expression | None, percentile: int | None) -> Measure:
    """The measure of a correlation type (temporal_ordered has none: see `ordered_instants`)."""
    match kind:
        case CorrelationType.EVENT_COUNT:
            return EventCount()
        case CorrelationType.VALUE_COUNT:
            return ValueCount()
        case CorrelationType.VALUE_SUM | CorrelationType.VALUE_AVG:
            return ValueSum(average=kind is CorrelationType.VALUE_AVG)
        case CorrelationType.VALUE_PERCENTILE:
            return Percentile(50 if percentile is None else percentile)
        case CorrelationType.VALUE_MEDIAN:
            return Percentile(50)
        case _:
            return Members(rules, expression)


def measured_instants(occurrences: Sequence[Occurrence], timespan: int, measure: Measure, bounds: tuple[Bound, ...]) -> list[Instant]:
    """The satisfying instants of time-sorted occurrences."""
    instants: list[Instant] = []
    limits = [(_HOLDS[bound.operator], Fraction(canonical_number(bound.number))) for bound in bounds]
    oldest = newest = 0
    while newest < len(occurrences):
        time = occurrences[newest].time
        while newest < len(occurrences) and occurrences[newest].time == time:
            measure.enter(occurrences[newest])
            newest += 1
        while occurrences[oldest].time < time - timespan:
            measure.leave(occurrences[oldest])
            oldest += 1
        value = measure.value()
        if value is not None and all(holds(value, limit) for holds, limit in limits):
            instants.append(Instant(time, _plain(value), time - timespan))
    return instants


def _plain(value: Number) -> int | float:
    """A whole number as it is, a fraction as the nearest float there is."""
    if value.denominator == 1:
        return value.numerator
    return float(value) if -_LARGEST < value < _LARGEST else round(value)


def ordered_instants(occurrences: Sequence[Occurrence], timespan: int, steps: int) -> list[Instant]:
    """The instants at which all steps have happened in order, by distinct events, within the timespan; equal times satisfy.

    For each number of steps done, the latest possible start of such a chain is kept: a later start is never worse.
    """
    start: list[int | None] = [None] * (steps + 1)
    instants: list[Instant] = []
    position = 0
    while position < len(occurrences):
        time = occurrences[position].time
        batch: list[Occurrence] = []
        while position < len(occurrences) and occurrences[position].time == time:
            batch.append(occurrences[position])
            position += 1
        start = _advanced(start, batch, time, steps)
        complete = start[steps]
        if complete is not None and complete >= time - timespan:
            instants.append(Instant(time, steps, time - timespan))
    return instants


def _advanced(start: list[int | None], batch: list[Occurrence], time: int, steps: int) -> list[int | None]:
    """The latest starts after simultaneous occurrences: a chain may advance by several steps through distinct ones."""
    after = list(start)
    for done in range(steps):
        begun = time if done == 0 else start[done]
        if begun is None:
            continue
        for reached in range(done + 1, steps + 1):
            if not _distinct(batch, range(done, reached)):
                break
            known = after[reached]
            after[reached] = begun if known is None else max(known, begun)
    return after


def _distinct(batch: list[Occurrence], wanted: Iterable[int]) -> bool:
    """Whether each wanted step can be given an occurrence of its own (bipartite matching by augmenting paths)."""
    holder: dict[int, int] = {}

    def place(step: int, tried: set[int]) -> bool:
        for index, occurrence in enumerate(batch):
            if step in occurrence.members and index not in tried:
                tried.add(index)
                if index not in holder or place(holder[index], tried):
                    holder[index] = step
                    return True
        return False

    return all(place(step, set()) for step in wanted)


def merge_alerts(instants: Sequence[Instant], occurrences: Sequence[Occurrence], timespan: int, bounds: tuple[Bound, ...]) -> list[Alert]:
    """Alerts from the instants of one group: a new one begins where the instant before is further away than the timespan."""
    runs: list[list[Instant]] = []
    for instant in instants:
        if runs and instant.time - runs[-1][-1].time <= timespan:
            runs[-1].append(instant)
        else:
            runs.append([instant])
    best = min if bounds and all(bound.operator in (CountOperator.LT, CountOperator.LTE) for bound in bounds) else max
    times = [occurrence.time for occurrence in occurrences]
    return [_alert(run, occurrences, times, best(instant.value for instant in run)) for run in runs]


def window_of(instant: Instant, times: Sequence[int]) -> tuple[int, int]:
    """From which occurrence on, and before which, the instant's window reaches, given the occurrences' times."""
    return bisect_left(times, instant.start), bisect_right(times, instant.time)


def _alert(run: list[Instant], occurrences: Sequence[Occurrence], times: list[int], value: int | float) -> Alert:
    inside: list[Occurrence] = []
    covered = 0
    for instant in run:
        begin, end = window_of(instant, times)
        begin = max(covered, begin)
        inside.extend(occurrences[begin:end])
        covered = max(covered, end)
    indexes = tuple(sorted({index for occurrence in inside for index in occurrence.indexes}))
    return Alert(inside[0].time, inside[-1].time, value, indexes, tuple(instant.time for instant in run))
