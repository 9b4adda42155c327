"""The proof of schedules: each detection, packaged, replayed over a day made of its rule's fixture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from insigma.assure.fixtures import reference_rules, with_logsource
from insigma.bind.model import BoundCorrelation
from insigma.content.lists import default_lists
from insigma.content.model import AnyRule, Fixture, Pack
from insigma.targets.base import Refused
from insigma.targets.splunk.windows import needs_whole_windows
from insigma_prove.days import day
from insigma_prove.plans import Plan
from insigma_prove.process import Client
from insigma_prove.prove import Bench
from insigma_prove.replay import replay, replay_differs
from insigma_prove.stands import Compiled, Stand, open_stand
from insigma_prove.trial import QueryRejected


@dataclass(frozen=True, slots=True)
class DayProof:
    """How one detection fared over a day: runs that saw events, alerts delivered, and how that departs from the reference."""

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
    cases = [[with_logsource(event, rule, pack) for event in case.events] for case in fixture.cases]
    arrivals = day(cases, plan.interval_ms, compiled.delay_ms, seed, late=not _undoable(compiled))
    try:
        outcome = replay(compiled, plan, stand, client, arrivals)
    except QueryRejected as rejected:
        return DayProof(rule, stand.target, detection.language, 0, 0, (str(rejected),))
    faults = replay_differs(compiled, outcome, arrivals, pack.taxonomy, compiled.delay_ms)
    return DayProof(
        rule, stand.target, detection.language, outcome.runs, len(outcome.delivered), tuple(difference.message for difference in faults)
    )


def _undoable(compiled: Compiled) -> bool:
    """Whether events that arrive later can undo a judgement: the ledger says so, and on such a day nothing arrives late."""
    return isinstance(compiled.bound, BoundCorrelation) and needs_whole_windows(compiled.bound)
