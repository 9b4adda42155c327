"""How well a customer's log sources are filled, measured on canonical events as they stream by.

Input: rules, the customer's context deliveries, events. Output: a `Tally` for each log source: how many events; how often each
field is filled that every event must have, or that rules group by, count by or read; values outside of the closed vocabulary; how
often context flags are known; how late events are ingested. Memory does not grow with the number of events.

A field that only some events can have (the payee's account, of payments) is measured among the events that the rule is about: those whose
`event.action` the rule could match. Otherwise every such field would seem to be missing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from insigma.adapt.summary import Codes
from insigma.content.folding import fold
from insigma.content.lookups import UNKNOWN
from insigma.content.model import AnyRule, Correlation, Field, Rule, Taxonomy, TaxonomyLogSource
from insigma.content.predicate import Exists, IsNull, Match, Placeholder, leaves
from insigma.content.taxonomy import ACTION_FIELD, LOGSOURCE_FIELD
from insigma.content.tenants import Delivery, Tenant
from insigma.evaluate.closures import compile_predicate
from insigma.evaluate.dispatch import guards
from insigma.evaluate.events import Flat, Preparer, flatten, text_of, time_of, values_of
from insigma.evaluate.leaves import Needs
from insigma.specialise.facts import CONTEXT_PREFIX
from insigma.specialise.needs import LEAST_FILL

INGESTED = "event.ingested"
"""When the store took the event in (ECS)."""
LEAST_EVENTS = 20
"""A share of fewer events says too little to be written to a profile."""
HIDDEN = "(not shown)"
"""Stands for a value of a field that may be personal."""


class Use(Enum):
    """Why a field has to be filled."""

    REQUIRED = "always"
    GROUPED = "to group or count"
    FLAG = "flag"
    READ = "to match"


@dataclass(slots=True)
class Gauge:
    """How often a field is filled, among the events with one of `actions` (all events where None). `rules` are those that need it.

    A flag that is `unknown` counts as not filled.
    """

    use: Use
    field: str
    actions: frozenset[str] | None
    rules: tuple[str, ...]
    events: int = 0
    filled: int = 0

    @property
    def share(self) -> float:
        """From 0 to 1; 1 where there were no events."""
        return self.filled / self.events if self.events else 1.0

    @property
    def low(self) -> bool:
        return self.share < LEAST_FILL

    @property
    def telling(self) -> bool:
        """Whether there were enough events to go by."""
        return self.events >= LEAST_EVENTS


class Delays:
    """How late events are ingested. Kept are counts by size, each 5 % wide, so that quantiles are at most so much too high."""

    _STEP = math.log(1.05)

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self.events = 0
        self.early = 0
        self.longest_ms = 0

    def add(self, delay_ms: int) -> None:
        """Count one event. One that is ingested before it happens (a clock is wrong) counts as `early`, and as not late."""
        self.events += 1
        self.early += delay_ms < 0
        delay_ms = max(delay_ms, 0)
        self.longest_ms = max(self.longest_ms, delay_ms)
        self._buckets[math.ceil(math.log(delay_ms / 1000 + 1) / self._STEP)] += 1

    def within_ms(self, share: float) -> int:
        """The delay within which this share of the events came, in milliseconds."""
        wanted = math.ceil(share * self.events)
        for bucket in sorted(self._buckets):
            wanted -= self._buckets[bucket]
            if wanted <= 0:
                return min(self.longest_ms, math.ceil((math.exp(bucket * self._STEP) - 1) * 1000))
        return self.longest_ms


@dataclass(slots=True)
class Tally:
    """What was counted of one log source. `outside` are values that the closed vocabulary lacks, by field."""

    source: TaxonomyLogSource
    gauges: tuple[Gauge, ...]
    words: Mapping[str, frozenset[str]]
    hidden: frozenset[str]
    events: int = 0
    outside: dict[str, Codes] = field(default_factory=dict)
    delays: Delays = field(default_factory=Delays)
    _by_action: dict[str, tuple[Gauge, ...]] = field(default_factory=dict)
    _always: tuple[Gauge, ...] = ()

    def __post_init__(self) -> None:
        self._always = tuple(gauge for gauge in self.gauges if gauge.actions is None)
        for action in self.source.actions or ():
            self._by_action[action] = tuple(gauge for gauge in self.gauges if gauge.actions is not None and action in gauge.actions)

    def add(self, flat: Flat) -> None:
        """Count one event of the log source."""
        self.events += 1
        for gauge in self._always:
            _read(gauge, flat)
        for action in dict.fromkeys(fold(text_of(value)) for value in values_of(flat, ACTION_FIELD)):
            for gauge in self._by_action.get(action, ()):
                _read(gauge, flat)
        for name in flat:
            words = self.words.get(name)
            if words is not None:
                self._judge(name, words, flat)
        happened, ingested = time_of(flat), time_of(flat, INGESTED)
        if happened is not None and ingested is not None:
            self.delays.add(ingested - happened)

    def _judge(self, name: str, words: frozenset[str], flat: Flat) -> None:
        for value in values_of(flat, name):
            if fold(text_of(value)) not in words:
                self.outside.setdefault(name, Codes()).add(HIDDEN if name in self.hidden else text_of(value))

    def low(self, *uses: Use) -> list[Gauge]:
        """The gauges of these uses that show too little, the worst first."""
        found = (gauge for gauge in self.gauges if gauge.use in uses and gauge.low)
        return sorted(found, key=lambda gauge: (gauge.share, gauge.field, sorted(gauge.actions or ())))


def _read(gauge: Gauge, flat: Flat) -> None:
    gauge.events += 1
    value = flat.get(gauge.field)
    if value is not None:
        gauge.filled += gauge.use is not Use.FLAG or any(fold(text_of(word)) != UNKNOWN for word in values_of(flat, gauge.field))


class Measurement:
    """Counts events by their log sources. `unnamed` are events that name none, `unknown` the names that the taxonomy lacks."""

    def __init__(self, rules: Sequence[AnyRule], tenant: Tenant, taxonomy: Taxonomy) -> None:
        needed = _gauges(rules, tenant, taxonomy)
        self.tallies = {name: _tally(source, needed.get(name, ()), taxonomy) for name, source in sorted(taxonomy.logsources.items())}
        self.events = 0
        self.unnamed = 0
        self.unknown = Codes()

    def add(self, event: Mapping[str, Any]) -> None:
        """Count one event, nested or flat."""
        flat = flatten(event)
        self.events += 1
        named = values_of(flat, LOGSOURCE_FIELD)
        if not named:
            self.unnamed += 1
            return
        tally = self.tallies.get(fold(text_of(named[0])))
        if tally is None:
            self.unknown.add(text_of(named[0]))
        else:
            tally.add(flat)

    @property
    def seen(self) -> tuple[Tally, ...]:
        """The log sources that had events, by name."""
        return tuple(tally for tally in self.tallies.values() if tally.events)

    @property
    def passes(self) -> bool:
        """Whether there were events, everything that must be filled is, no value is unknown, and every event names a log source."""
        loose = any(tally.outside or any(gauge.telling for gauge in tally.low(Use.REQUIRED, Use.GROUPED)) for tally in self.seen)
        return self.events > 0 and not (loose or self.unnamed or self.unknown.total)


def fills(tally: Tally) -> dict[str, float]:
    """For each field that is filled too rarely its share, as a profile has it: for several rules the lowest, cut off at four places.

    The lowest, as a rule that misses events in silence is worse than one that is told to wait for its field.
    """
    found: dict[str, float] = {}
    for gauge in tally.low(Use.REQUIRED, Use.GROUPED):
        if gauge.telling:
            found.setdefault(gauge.field, math.floor(gauge.share * 10_000) / 10_000)
    return dict(sorted(found.items()))


def _tally(source: TaxonomyLogSource, needed: Iterable[Gauge], taxonomy: Taxonomy) -> Tally:
    known = {name: taxonomy.fields[name] for name in source.fields if name in taxonomy.fields}
    words = {name: frozenset(map(fold, closed)) for name, entry in known.items() if (closed := _closed(entry, source))}
    hidden = frozenset(name for name, entry in known.items() if entry.pii != "none")
    return Tally(source, tuple(needed), words, hidden)


def _closed(entry: Field, source: TaxonomyLogSource) -> tuple[str, ...]:
    return (source.actions if entry.name == ACTION_FIELD else entry.values) or ()


_Key = tuple[Use, str, "frozenset[str] | None"]


def _gauges(rules: Sequence[AnyRule], tenant: Tenant, taxonomy: Taxonomy) -> dict[str, list[Gauge]]:
    """The gauges of each log source. A field that every event must have is measured once, over all events."""
    found: dict[str, dict[_Key, dict[str, None]]] = {}
    for name, declared in taxonomy.logsources.items():
        required = (each for each in declared.required if each != LOGSOURCE_FIELD)
        found[name] = {(Use.REQUIRED, each, None): {} for each in required}
    for rule in sorted(rules, key=lambda rule: rule.header.label):
        for base, use, needed in _needed(rule):
            source = taxonomy.find(base.logsource)
            if source is None or needed == LOGSOURCE_FIELD or needed not in taxonomy.fields:
                continue
            key: _Key = (use, needed, _actions(base, source))
            if use is not Use.FLAG and needed in source.required:
                key = (Use.REQUIRED, needed, None)
            elif use is Use.FLAG and not _ingested(needed, tenant):
                continue
            elif use is Use.READ and (Use.GROUPED, needed, key[2]) in found[source.name]:
                key = (Use.GROUPED, needed, key[2])
            found[source.name].setdefault(key, {})[rule.header.label] = None
    return {name: [Gauge(*key, tuple(labels)) for key, labels in gauges.items()] for name, gauges in found.items()}


def _ingested(flag: str, tenant: Tenant) -> bool:
    source = tenant.context.get(flag)
    return source is None or source.delivery is Delivery.INGEST


def _needed(rule: AnyRule) -> Iterator[tuple[Rule, Use, str]]:
    """What the rule needs of the events of each event rule under it: first what it groups by, then what is read."""
    if isinstance(rule, Correlation):
        for position, member in enumerate(rule.members):
            for base in (member,) if isinstance(member, Rule) else member.base_rules:
                yield from ((base, Use.GROUPED, rule.field_of(name, position)) for name in (*rule.group_by, *rule.condition.fields))
        for member in rule.members:
            yield from _needed(member)
        return
    for name in dict.fromkeys(leaf.field for leaf in leaves(rule.predicate) if isinstance(leaf, Match) and not _absence(leaf)):
        yield rule, Use.FLAG if name.startswith(CONTEXT_PREFIX) else Use.READ, name


def _absence(leaf: Match) -> bool:
    """Whether the leaf asks whether the field is there at all."""
    return isinstance(leaf.value, (IsNull, Exists))


def _actions(base: Rule, source: TaxonomyLogSource) -> frozenset[str] | None:
    """The actions of events that the rule could match; None where it does not go by them."""
    need = guards(base.predicate).get((ACTION_FIELD,))
    if (
        need is None
        or source.actions is None
        or any(isinstance(leaf, Match) and isinstance(leaf.value, Placeholder) for leaf in leaves(need))
    ):
        return None
    needs: Needs = []
    test = compile_predicate(need, needs)
    preparer = Preparer(needs)
    return frozenset(fold(action) for action in source.actions if test(preparer.view({ACTION_FIELD: action})))
