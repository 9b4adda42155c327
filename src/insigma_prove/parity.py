"""Our queries and those of the stock pySigma backends, side by side on the same events.

Each rule is compiled by both. Both queries run on the engine of their language, over events stored as our own mapping asks
for (for rules of Sigma's default taxonomy: as text, absent or present). The evaluator says what the rule means.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from insigma.assure.fixtures import with_logsources
from insigma.bind.open import is_open, open_mapping
from insigma.content.lists import default_lists
from insigma.content.model import AnyRule, Correlation, Pack, Rule, TargetMapping
from insigma.evaluate.engine import canonical_logsource
from insigma.evaluate.events import flatten, iso, time_of
from insigma.packages.base import PackContext
from insigma.release.workshops import Workshop, open_workshop
from insigma.specialise.lists import fill_lists
from insigma.targets.base import Detection, Refused
from insigma.targets.sentinel.target import SETTLING_MS
from insigma_prove.companions import with_functions
from insigma_prove.judge import events_differ
from insigma_prove.process import Client
from insigma_prove.prove import Bench, Seat
from insigma_prove.reference import Truth, truth
from insigma_prove.stands import Compiled, Stand, open_stand
from insigma_prove.stores import elastic, sentinel, splunk
from insigma_prove.synthesise import as_events, synthesise
from insigma_prove.trial import QueryRejected, holds_once, tried

Events = list[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Lane:
    """One language of one of our targets, and the stock backend that writes the same language."""

    target: str
    language: str
    stock: str


LANES = (
    Lane("elastic", "lucene", "lucene"),
    Lane("elastic", "eql", "eql"),
    Lane("elastic", "esql", "esql"),
    Lane("splunk", "spl", "splunk"),
    Lane("sentinel", "kql", "kusto"),
)


@dataclass(slots=True)
class Side:
    """How one compiler fared: rules compiled, refused (by reason), rejected by the engine's parser, and with another verdict."""

    compiled: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    unsupported: int = 0
    wrong: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Comparison:
    """Both compilers in one lane. `matched` counts the rules that match some of their events, so that finding nothing is wrong."""

    lane: Lane
    engine: str
    rules: int = 0
    matched: int = 0
    ours: Side = field(default_factory=Side)
    stock: Side = field(default_factory=Side)


def compare(
    pack: Pack, rules: Sequence[AnyRule], bench: Bench, lanes: Sequence[Lane], tell: Callable[[str, str], None]
) -> Iterator[Comparison]:
    """One comparison for each lane whose engine is there. The rules are the pack's, with fixtures, or public ones, without."""
    filled = fill_lists(rules, default_lists(pack)).rules
    for lane in lanes:
        seats = bench.seats(lane.target, lane.language)
        if not seats:
            continue
        hall = _Hall(lane, seats[0], pack)
        comparison = Comparison(lane, seats[0].names[lane.language])
        for number, rule in enumerate(filled):
            tell(lane.language, rule.header.label)
            comparison.rules += 1
            _compare(rule, _cases(rule, number, pack), hall, comparison)
        yield comparison


def _cases(rule: AnyRule, number: int, pack: Pack) -> list[Events]:
    """The events of the rule's fixture, else synthesised ones."""
    names = {rule.header.name, rule.header.id}
    fixtures = [fixture for fixture in pack.fixtures if fixture.rule in names]
    if fixtures:
        return [with_logsources(case.events, rule, pack) for fixture in fixtures for case in fixture.cases]
    if isinstance(rule, Rule):
        return [list(as_events(synthesise(rule, number), canonical_logsource(rule.logsource, pack.taxonomy)))]
    return []


def _compare(rule: AnyRule, cases: Sequence[Events], hall: _Hall, comparison: Comparison) -> None:
    """One rule in one lane, on all its cases."""
    sides = (comparison.ours, comparison.stock)
    detections = [_compiled(rule, shop, side) for shop, side in zip((hall.ours, hall.stock), sides, strict=True)]
    verdicts = [_Verdict(), _Verdict()]
    matches = [hall.judge(rule, events, detections, verdicts) for events in cases]
    comparison.matched += any(matches)
    for side, verdict in zip(sides, verdicts, strict=True):
        verdict.count(side, rule)


def _compiled(rule: AnyRule, shop: Workshop, side: Side) -> Detection | None:
    try:
        detection = shop.compile(rule)
    except Refused as refusal:
        side.refused[refusal.reason] += 1
        return None
    side.compiled += 1
    return detection


class _Hall:
    """One lane at work: both compilers, the engine, and how the target stores events."""

    def __init__(self, lane: Lane, seat: Seat, pack: Pack) -> None:
        context = PackContext.of_default(pack)
        lists = default_lists(pack)
        self._lane = lane
        self._client = seat.client
        self._pack = pack
        self._stand = open_stand(lane.target, pack)
        self.ours = open_workshop(lane.target, pack, lists, context, lane.language if lane.target == "elastic" else None)
        self.stock = open_workshop(f"pysigma:{lane.stock}", pack, lists, context)

    def judge(self, rule: AnyRule, events: Events, detections: Sequence[Detection | None], verdicts: Sequence[_Verdict]) -> bool:
        """Add what both queries make of the events to their verdicts; whether the rule matches any of them.

        Ours is held to all that its window class promises.
        """
        if is_open(rule) and self._lane.target == "sentinel":  # it stores an empty string as an absent one, as every query there notes
            events = [{name: value for name, value in event.items() if value != ""} for event in events]
        expected = truth(rule, events, self._pack.taxonomy)
        held = [place for place, first in enumerate(expected.first_of) if first == place or not holds_once(self._stand)]
        mapping = self._pack.mappings[self._lane.target]
        mapping = open_mapping(rule, mapping) if is_open(rule) else mapping
        opened = [events[place] for place in held]
        (ours, stock), (own, other) = detections, verdicts
        _open(self._client, self._lane.target, mapping, opened)
        if stock is not None and not other.told:
            other.add(self._run(_runnable(stock, mapping, self._lane), events), rule, expected, held)
        if ours is not None and not own.told and is_open(rule):
            own.add(self._run(ours, events), rule, expected, held)
        elif ours is not None and not own.told:
            own.add_trial(self._stand.compile(rule, self._lane.language), self._stand, self._client, events, self._pack)
        return bool(expected.positions or expected.instants)

    def _run(self, detection: Detection, events: Events) -> Mapping[str, Any]:
        last = max((time for event in events if (time := time_of(flatten(event))) is not None), default=0)
        now = iso(last + 1000 + (SETTLING_MS if detection.target == "sentinel" else 0))
        times = {"earliest": "2000-01-01T00:00:00.000Z", "latest": now, "now": now}
        return self._client.run(self._lane.language, with_functions(detection, detection.query), {**times, **detection.scope})


class _Verdict:
    """What a compiler's query comes to over all cases of a rule: the first thing that is wrong with it."""

    def __init__(self) -> None:
        self.told = ""

    def add(self, reply: Mapping[str, Any], rule: AnyRule, expected: Truth, held: Sequence[int]) -> None:
        """A bare reply: the same events, or for a correlation whether it alerts at all (stock queries name no instants)."""
        if "error" in reply:
            self.told = "unsupported" if reply["error"]["stage"] == "unsupported" else "rejected"
        elif isinstance(rule, Correlation):
            found = bool(reply.get("rows") or reply.get("sequences") or reply.get("hits"))
            self.told = "wrong" if found is not bool(expected.instants) else ""
        elif "hits" not in reply:
            self.told = "unsupported"
        elif events_differ([held[hit] for hit in reply["hits"]], expected):
            self.told = "wrong"

    def add_trial(self, compiled: Compiled, stand: Stand, client: Client, events: Events, pack: Pack) -> None:
        """A trial by everything that the window class promises."""
        try:
            self.told = "wrong" if tried(compiled, stand, client, events, pack.taxonomy) else ""
        except QueryRejected as rejected:
            self.told = "unsupported" if rejected.stage == "unsupported" else "rejected"

    def count(self, side: Side, rule: AnyRule) -> None:
        if self.told:
            setattr(side, self.told, getattr(side, self.told) + 1)
            side.examples.append(f"{self.told}: {rule.header.label}")


def _open(client: Client, target: str, mapping: TargetMapping, events: Events) -> None:
    match target:
        case "elastic":
            client.open(elastic.store(mapping), elastic.stored(events, mapping))
        case "splunk":
            client.open({}, splunk.stored_events(events, mapping))
        case _:
            client.open(sentinel.store(mapping), sentinel.stored(events, mapping))


def _runnable(detection: Detection, mapping: TargetMapping, lane: Lane) -> Detection:
    """The detection with what a stock query leaves to its user put in: on Sentinel the table."""
    if detection.target != f"pysigma:{lane.stock}" or lane.target != "sentinel":
        return detection
    return replace(detection, query=f"{sentinel.only_table(mapping)}\n| where {detection.query}")
