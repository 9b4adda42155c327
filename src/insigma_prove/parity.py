"""Our queries and those of the stock pySigma backends, side by side on the same events.

Each rule is compiled by both. Both queries run on the engine of their language, over events stored as our own mapping asks
for (for rules of Sigma's default taxonomy: as text, absent or present). The evaluator says what the rule means.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from insigma.assure.fixtures import with_logsource
from insigma.bind.open import is_open, open_mapping
from insigma.content.lists import DEFAULT_TENANT, default_lists
from insigma.content.model import AnyRule, Correlation, Pack, Rule, TargetMapping
from insigma.evaluate.engine import canonical_logsource
from insigma.packages.base import PackContext
from insigma.release.workshops import Workshop, open_workshop
from insigma.specialise.lists import fill_lists
from insigma.targets.base import Detection, Refused
from insigma_prove.judge import events_differ
from insigma_prove.process import Client
from insigma_prove.prove import Bench
from insigma_prove.reference import Truth, truth
from insigma_prove.stores import elastic, sentinel, splunk
from insigma_prove.synthesise import as_events, synthesise

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
    """Both compilers in one lane."""

    lane: Lane
    engine: str
    rules: int = 0
    ours: Side = field(default_factory=Side)
    stock: Side = field(default_factory=Side)


def compare(
    pack: Pack, rules: Sequence[AnyRule], bench: Bench, lanes: Sequence[Lane], tell: Callable[[str, str], None]
) -> Iterator[Comparison]:
    """One comparison for each lane whose engine is there. The rules are the pack's, with fixtures, or public ones, without."""
    lists = default_lists(pack)
    filled = fill_lists(rules, lists).rules
    context = PackContext(DEFAULT_TENANT, pack.name, pack.version)
    for lane in lanes:
        seats = bench.seats(lane.target, lane.language)
        if not seats:
            continue
        language = lane.language if lane.target == "elastic" else None
        ours = open_workshop(lane.target, pack, lists, context, language)
        stock = open_workshop(f"pysigma:{lane.stock}", pack, lists, context)
        comparison = Comparison(lane, seats[0].names[lane.language])
        for number, rule in enumerate(filled):
            tell(lane.language, rule.header.label)
            comparison.rules += 1
            _compare(rule, _cases(rule, number, pack), (ours, stock), seats[0].client, comparison, pack)
        yield comparison


def _cases(rule: AnyRule, number: int, pack: Pack) -> list[Events]:
    """The events of the rule's fixture, else synthesised ones."""
    names = {rule.header.name, rule.header.id}
    fixtures = [fixture for fixture in pack.fixtures if fixture.rule in names]
    if fixtures:
        return [[with_logsource(event, rule, pack) for event in case.events] for fixture in fixtures for case in fixture.cases]
    if isinstance(rule, Rule):
        return [list(as_events(synthesise(rule, number), canonical_logsource(rule.logsource, pack.taxonomy)))]
    return []


def _compare(
    rule: AnyRule, cases: Sequence[Events], shops: tuple[Workshop, Workshop], client: Client, comparison: Comparison, pack: Pack
) -> None:
    mapping = pack.mappings[comparison.lane.target]
    mapping = open_mapping(rule, mapping) if is_open(rule) else mapping
    sides = (comparison.ours, comparison.stock)
    detections: list[Detection | None] = []
    for shop, side in zip(shops, sides, strict=True):
        try:
            detections.append(_runnable(shop.compile(rule), mapping, comparison.lane))
            side.compiled += 1
        except Refused as refusal:
            detections.append(None)
            side.refused[refusal.reason] += 1
    verdicts = [_Verdict() for _ in sides]
    for events in cases:
        expected = truth(rule, events, pack.taxonomy)
        _open(client, comparison.lane.target, mapping, events)
        for detection, verdict in zip(detections, verdicts, strict=True):
            if detection is not None and not verdict.told:
                verdict.add(client.run(comparison.lane.language, detection.query, _times(detection)), rule, expected)
    for side, verdict in zip(sides, verdicts, strict=True):
        verdict.count(side, rule)


class _Verdict:
    """What a compiler's query comes to over all cases of a rule: the first thing that is wrong with it."""

    def __init__(self) -> None:
        self.told = ""

    def add(self, reply: Mapping[str, Any], rule: AnyRule, expected: Truth) -> None:
        if "error" in reply:
            self.told = "unsupported" if reply["error"]["stage"] == "unsupported" else "rejected"
        elif isinstance(rule, Correlation):
            found = bool(reply.get("rows") or reply.get("sequences") or reply.get("hits"))
            self.told = "wrong" if found is not bool(expected.instants) else ""
        elif "hits" not in reply:
            self.told = "unsupported"
        elif events_differ(reply["hits"], expected):
            self.told = "wrong"

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


def _times(detection: Detection) -> dict[str, str]:
    ages = {"earliest": "2000-01-01T00:00:00.000Z", "latest": "2040-01-01T00:00:00.000Z", "now": "2040-01-01T00:00:00.000Z"}
    return {**ages, **detection.scope}
