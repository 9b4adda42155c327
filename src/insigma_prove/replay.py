"""Schedules at work: events arrive late and out of order, runs overlap, and what is delivered is compared with the reference.

For event rules: every event that arrives within the accepted delay is delivered, once. For correlations: every satisfying
instant that the window class promises is in a run's result, nothing is delivered that the rule does not mean, every alert
of the reference is delivered, and no delivery is made of instants alone that were delivered before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from insigma.content.model import Correlation, Taxonomy
from insigma.evaluate.events import flatten, iso, time_of
from insigma_prove.companions import with_functions
from insigma_prove.jobs import Jobs
from insigma_prove.judge import Difference, key_text
from insigma_prove.plans import Plan
from insigma_prove.process import Client
from insigma_prove.reference import Group, Truth, alerts_in_index_order, first_deliveries, truth
from insigma_prove.stands import Compiled, Stand
from insigma_prove.stores import sentinel
from insigma_prove.trial import answered, holds_once, sequence_end, span, step_ms

LAST = "insigma_last"
"""The column by which a throttle tells one burst of a group from its next."""

SETTLED, SPARSE = 6, 12
"""A run that sees the same events as so many runs before it, since all of them were judged, differs from those only in what it
counts as old: then only one of so many is replayed. Where runs tell only what has just happened, it is enough that it sees no
event that those did not."""

COMMIT_MS = 60_000
"""How long an event takes at most from its ingestion time, where the target has one, to its being found."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event and when it arrives (ms since 1970)."""

    event: Mapping[str, Any]
    at: int


@dataclass(frozen=True, slots=True)
class Found:
    """One result of one run: its group, and where its satisfying instants lie.

    With `precise`, `first` and `last` are instants themselves; else some instant lies between them. For an event rule
    the group is the event's position. `evidence` are the positions of the events that a hit or a sequence consists of.
    """

    run: int
    group: Group
    first: int
    last: int
    precise: bool = True
    evidence: tuple[int, ...] = ()


@dataclass(slots=True)
class Replay:
    """What the runs of a schedule found, and what of that was delivered; `merges` if the rest joins what was delivered."""

    merges: bool = False

    found: list[Found] = field(default_factory=list)
    delivered: list[Found] = field(default_factory=list)
    runs: int = 0


def replay(compiled: Compiled, plan: Plan, stand: Stand, client: Client, arrivals: Sequence[Arrival], clock_ms: int = 0) -> Replay:
    """Run the schedule over the arrivals, from the first event until nothing is left in the look-back.

    `clock_ms` is one of the plan's clocks.
    """
    times = [time_of(flatten(arrival.event)) or 0 for arrival in arrivals]
    stored = _stored(stand, arrivals, times)
    outcome = Replay(plan.merges)
    delivery = _Delivery(plan)
    firsts = first_deliveries([arrival.event for arrival in arrivals])
    kept = [position for position, first in enumerate(firsts) if first == position or not holds_once(stand)]
    start = min(times, default=0) // plan.interval_ms * plan.interval_ms
    end = max((*times, *(arrival.at for arrival in arrivals)), default=0) + plan.lookback_ms + plan.interval_ms
    jobs = Jobs(compiled.detection, stand.store(), start)
    before: list[int] = []
    changed = start
    for number, now in enumerate(range(start, end, plan.interval_ms)):
        seen = [position for position in kept if _visible(arrivals[position], times[position], now, plan)]
        changed = now if _differs(compiled, seen, before) else changed
        before = seen
        old = now - changed > SETTLED * plan.interval_ms + compiled.settled_ms + plan.late_ms
        if not seen or (old and number % SPARSE):
            continue
        outcome.runs += 1
        jobs.run_until(now, client, lambda moment: [stored[position] for position in kept if arrivals[position].at <= moment])
        client.open(jobs.store, [*(stored[position] for position in seen), *jobs.rows(now)])
        for found in _run(compiled, client, arrivals, seen, now, plan, now + clock_ms):
            outcome.found.append(found)
            if delivery.takes(found):
                outcome.delivered.append(found)
    return outcome


def _differs(compiled: Compiled, seen: Sequence[int], before: Sequence[int]) -> bool:
    return seen != before if compiled.told_ms is None else not {*seen} <= {*before}


def _stored(stand: Stand, arrivals: Sequence[Arrival], times: Sequence[int]) -> list[dict[str, Any]]:
    """The events as the target stores them, with when they came in where it keeps that."""
    stored = stand.stored([arrival.event for arrival in arrivals])
    if stand.target != "sentinel":
        return stored
    return sentinel.ingested(stored, [max(time, arrival.at - COMMIT_MS) for arrival, time in zip(arrivals, times, strict=True)])


def _visible(arrival: Arrival, time: int, now: int, plan: Plan) -> bool:
    if arrival.at > now + plan.late_ms or not now - plan.lookback_ms <= time <= now:
        return False
    return plan.arrived is None or now - plan.arrived[0] <= arrival.at < now - plan.arrived[1]


def _run(
    compiled: Compiled, client: Client, arrivals: Sequence[Arrival], seen: Sequence[int], now: int, plan: Plan, clock: int
) -> list[Found]:
    detection = compiled.detection
    times = {"earliest": iso(now - plan.lookback_ms), "latest": iso(now), "now": iso(clock)}
    query = with_functions(detection, detection.query)
    found = answered(compiled, client.run(detection.language, query, {**times, **detection.scope, "order": "stored"}))
    if not isinstance(compiled.rule, Correlation):
        return [Found(now, (str(seen[hit]),), seen[hit], seen[hit], evidence=(seen[hit],)) for hit in found]
    if detection.language == "eql":
        return [_sequence(compiled, [seen[position] for position in sequence], arrivals, now) for sequence in found]
    return [_row(row, detection.group_fields, now, plan) for row in found]


def _sequence(compiled: Compiled, positions: Sequence[int], arrivals: Sequence[Arrival], now: int) -> Found:
    assert isinstance(compiled.rule, Correlation)
    moment, group = sequence_end(compiled.rule, arrivals[positions[-1]].event)
    return Found(now, group, moment, moment, evidence=tuple(positions))


def _row(row: Mapping[str, Any], columns: Sequence[str], now: int, plan: Plan) -> Found:
    group = tuple(key_text(row[column]) for column in columns)
    if not row.keys() & {"insigma_first", "InsFirst"}:
        return Found(now, group, now - plan.lookback_ms, now, precise=False)
    first, last, _ = span(row)
    return Found(now, group, first, last)


class _Delivery:
    """Which of the results become an alert of their own."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._met: set[tuple[int, ...]] = set()
        self._since: dict[tuple[str, ...], int] = {}

    def takes(self, found: Found) -> bool:
        if self._plan.once and found.evidence:
            if found.evidence in self._met:
                return False
            self._met.add(found.evidence)
        key = (*found.group, str(found.last)) if LAST in self._plan.fields else found.group
        since = self._since.get(key)
        if self._plan.quiet_ms and since is not None and found.run < since + self._plan.quiet_ms:
            return False
        self._since[key] = found.run
        return True


def replay_differs(compiled: Compiled, outcome: Replay, arrivals: Sequence[Arrival], taxonomy: Taxonomy, delay_ms: int) -> list[Difference]:
    """How the schedule's alerts depart from the reference. `delay_ms` is the accepted delay of the rule's events."""
    events = [arrival.event for arrival in arrivals]
    expected = truth(compiled.rule, events, taxonomy)
    punctual = [arrival.at - (time_of(flatten(arrival.event)) or 0) <= delay_ms for arrival in arrivals]
    if not isinstance(compiled.rule, Correlation):
        return _events(outcome, expected, punctual)
    timely = [event for event, good in zip(events, punctual, strict=True) if good]
    sure = compiled.rule
    if compiled.detection.window.startswith("hopping("):
        sure = replace(sure, timespan_ms=sure.timespan_ms - step_ms(compiled.detection))
    promised, each = truth(sure, timely, taxonomy), True
    if compiled.detection.language == "eql":  # not every instant ends a sequence, but every alert has one
        alerts = alerts_in_index_order(compiled.rule, timely, taxonomy)
        promised = replace(promised, instants=frozenset((moment, group) for group, instants in alerts for moment in instants))
        each = False
    return _instants(compiled.rule, outcome, expected, truth(compiled.rule, timely, taxonomy), promised, each)


def _events(outcome: Replay, expected: Truth, punctual: Sequence[bool]) -> list[Difference]:
    delivered = [found.first for found in outcome.delivered]
    differences = [
        Difference(f"event {position} is never delivered")
        for position in sorted(expected.positions)
        if punctual[position] and position not in delivered
    ]
    differences += [
        Difference(f"event {position} is delivered, which the rule does not match")
        for position in sorted({*delivered})
        if expected.first_of[position] not in expected.positions  # a repeated delivery is an alert more, for what receives them to drop
    ]
    return differences + [
        Difference(f"event {one} is delivered {delivered.count(one)} times") for one in sorted({*delivered}) if delivered.count(one) > 1
    ]


def _instants(rule: Correlation, outcome: Replay, expected: Truth, timely: Truth, promised: Truth, each: bool) -> list[Difference]:
    """`timely` is the reference on the punctual events alone, `promised` what of it the window class is sure to find.

    With `each`, every promised instant has to be found, else one of each alert.
    """
    known: dict[Group, list[int]] = {}
    for moment, group in sorted(expected.instants | timely.instants):
        known.setdefault(group, []).append(moment)
    differences = []
    for found in outcome.found:
        moments = known.get(found.group, [])
        good = {found.first, found.last} <= set(moments) if found.precise else _inside(moments, found)
        if not good:
            told = f"from {iso(found.first)} to {iso(found.last)}"
            differences.append(
                Difference(f"the run at {iso(found.run)} finds group {found.group} {told}, where nothing satisfies the rule")
            )
    for moment, group in sorted(promised.instants & expected.instants if each else ()):
        if not any(found.group == group and found.first <= moment <= found.last for found in outcome.found):
            differences.append(Difference(f"no run finds group {group} at {iso(moment)}"))
    return differences + _deliveries(rule, outcome, known, promised)


def _inside(moments: Sequence[int], found: Found) -> set[int]:
    return {moment for moment in moments if found.first <= moment <= found.last}


def _deliveries(rule: Correlation, outcome: Replay, known: Mapping[Group, Sequence[int]], promised: Truth) -> list[Difference]:
    differences = []
    covered: dict[Group, set[int]] = {}
    for found in outcome.delivered:
        inside, before = _inside(known.get(found.group, ()), found), covered.setdefault(found.group, set())
        if inside <= before:
            differences.append(Difference(f"the run at {iso(found.run)} delivers group {found.group} again, with nothing new"))
        before |= inside
    told = outcome.found if outcome.merges else outcome.delivered
    for group, instants in _merged(rule, promised):
        if not any(found.group == group and _joins(found, instants, rule.timespan_ms) for found in told):
            differences.append(Difference(f"the alert of group {group} from {iso(instants[0])} is never delivered"))
    return differences


def _joins(found: Found, instants: Sequence[int], timespan_ms: int) -> bool:
    """Whether what was found belongs to the alert of these instants: alerts no further apart than the timespan are one."""
    return found.first - timespan_ms <= instants[-1] and found.last + timespan_ms >= instants[0]


def _merged(rule: Correlation, reference: Truth) -> list[tuple[Group, list[int]]]:
    """The reference's alerts: instants of a group no further apart than the timespan."""
    alerts: list[tuple[Group, list[int]]] = []
    for moment, group in sorted(reference.instants, key=lambda entry: (entry[1], entry[0])):
        if alerts and alerts[-1][0] == group and moment - alerts[-1][1][-1] <= rule.timespan_ms:
            alerts[-1][1].append(moment)
        else:
            alerts.append((group, [moment]))
    return alerts
