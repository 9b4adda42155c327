"""The proof of schedules: each detection, packaged, replayed over a day made of its rule's fixture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from insigma.assure.fixtures import reference_rules, with_logsources
from insigma.bind.model import BoundCorrelation
from insigma.content.lists import default_lists
from insigma.content.model import AnyRule, Fixture, Pack
from insigma.evaluate.events import flatten, time_of
from insigma.targets.base import Refused
from insigma.targets.promises import needs_whole_windows
from insigma_prove.days import day
from insigma_prove.plans import Plan
from insigma_prove.process import Client
from insigma_prove.prove import Bench
from insigma_prove.replay import Arrival, Replay, replay, replay_differs
from insigma_prove.stands import Compiled, Stand, open_stand
from insigma_prove.trial import QueryRejected

_Case: TypeAlias = Sequence[Mapping[str, Any]]
"""The events of one case of a fixture."""


@dataclass(frozen=True, slots=True)
class DayProof:
    """How one detection fared over a day: runs that saw events, alerts delivered, and how that departs from the reference.

    A day that was replayed by several clocks counts as often.
    """

    rule: AnyRule
    target: str
    language: str
    runs: int
    alerts: int
    faults: tuple[str, ...]


def prove_schedules(
    pack: Pack, targets: Sequence[str], bench: Bench, concerns: Callable[[AnyRule], bool], tell: Callable[[str, str], None], seed: int
) -> Iterator[DayProof]:
    """One proof for each rule and target, in the language that the target chooses. Same seed, same day."""
    reference = reference_rules(pack, default_lists(pack))
    for target in targets:
        stand = open_stand(target, pack)
        for fixture in pack.fixtures:
            rule = reference.rules.get(fixture.rule)
            if rule is None or not concerns(rule):
                continue
            tell(target, f"{rule.header.label} over a day")
            try:
                compiled = stand.compile(rule, None)
                plan = stand.plan(compiled)
            except Refused:
                continue
            seats = bench.seats(target, compiled.detection.language)
            if seats:
                yield _of_day(compiled, plan, stand, seats[0].client, fixture, pack, seed)


def _of_day(compiled: Compiled, plan: Plan, stand: Stand, client: Client, fixture: Fixture, pack: Pack, seed: int) -> DayProof:
    rule, detection = compiled.rule, compiled.detection
    cases = [with_logsources(case.events, rule, pack) for case in fixture.cases]
    outcomes: list[Replay] = []
    faults: list[str] = []
    for clock_ms, own in _dealt(compiled, cases, plan.clocks):
        arrivals = _arrivals(compiled, own, plan.interval_ms, seed)
        try:
            outcomes.append(replay(compiled, plan, stand, client, arrivals, clock_ms))
        except QueryRejected as rejected:
            return DayProof(rule, stand.target, detection.language, 0, 0, (str(rejected),))
        differences = replay_differs(compiled, outcomes[-1], arrivals, pack.taxonomy, compiled.delay_ms)
        faults += (difference.message for difference in differences)
    runs, alerts = sum(outcome.runs for outcome in outcomes), sum(len(outcome.delivered) for outcome in outcomes)
    return DayProof(rule, stand.target, detection.language, runs, alerts, tuple(dict.fromkeys(faults)))


def _dealt(compiled: Compiled, cases: Sequence[_Case], clocks: Sequence[int]) -> Iterator[tuple[int, Sequence[_Case]]]:
    """The cases by each clock: all of them for an event rule, while those of a correlation, whose runs take long, are dealt out."""
    for number, clock_ms in enumerate(clocks):
        yield clock_ms, cases[number :: len(clocks)] if isinstance(compiled.bound, BoundCorrelation) else cases


def _arrivals(compiled: Compiled, cases: Sequence[_Case], interval_ms: int, seed: int) -> list[Arrival]:
    """The day. Where later events can undo a judgement, as the ledger says, none come later than what a run leaves to the next."""
    undoable = isinstance(compiled.bound, BoundCorrelation) and needs_whole_windows(compiled.bound)
    arrivals = day(cases, interval_ms, compiled.delay_ms, seed, late=not undoable or compiled.settled_ms > 0)
    if not undoable:
        return arrivals
    bounded = [replace(one, at=min(one.at, (time_of(flatten(one.event)) or 0) + compiled.delay_ms)) for one in arrivals]
    return sorted(bounded, key=lambda arrival: arrival.at)
