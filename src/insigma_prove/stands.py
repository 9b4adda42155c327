"""How each target's detections are put before its engines: compiled in each language, with events as the target stores them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from insigma.bind.binder import bind
from insigma.bind.model import BoundAny, BoundCorrelation
from insigma.content.attack import load_attack
from insigma.content.model import AnyRule, Pack
from insigma.packages.base import PackContext
from insigma.packages.elastic.files import ElasticPackager
from insigma.packages.elastic.rules import KibanaContext
from insigma.packages.sentinel.files import SentinelPackager
from insigma.packages.splunk.files import SplunkPackager
from insigma.targets.base import Detection
from insigma.targets.elastic.target import LANGUAGES, ElasticTarget
from insigma.targets.sentinel.target import SentinelTarget, settled_ms
from insigma.targets.splunk.target import SplunkTarget
from insigma_prove.plans import Plan, elastic_plan, sentinel_plan, splunk_plan
from insigma_prove.stores import elastic, sentinel, splunk


@dataclass(frozen=True, slots=True)
class Compiled:
    """A detection at its trial.

    `instants` is the query for its satisfying instants, where the target has one: rows with the time in `moment` (ms since
    1970) and the k-th group's value in `group` with k put in. A run judges nothing of its last `settled_ms`; with `told_ms`
    it tells only the instants of so long before that.
    """

    rule: AnyRule
    bound: BoundAny
    detection: Detection
    instants: str | None = None
    moment: str = ""
    group: str = ""
    told_ms: int | None = None
    settled_ms: int = 0

    @property
    def delay_ms(self) -> int:
        """The longest accepted delay of the rule's events."""
        members = self.bound.members if isinstance(self.bound, BoundCorrelation) else (self.bound,)
        return max(member.logsource.delay_ms for member in members)


class Stand(Protocol):
    """One target. `lookups` are the rows of the tables, by table, that detections look events up in."""

    target: str
    languages: tuple[str, ...]
    lookups: Mapping[str, Sequence[Mapping[str, str]]]

    def compile(self, rule: AnyRule, language: str | None) -> Compiled:
        """The rule in one language, or in the one that the target chooses. Raises `Refused`."""
        ...

    def plan(self, compiled: Compiled) -> Plan:
        """When the packaged detection runs and how its alerts are delivered. Raises `Refused`."""
        ...

    def store(self) -> Mapping[str, Any]:
        """What the engine has to know of how events are stored."""
        ...

    def stored(self, events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The events as the target stores them, position by position."""
        ...


class ElasticStand:
    """Elastic: each of its languages by itself. `lookups` are the rows of lookup tables, by table, for detections that read any."""

    target = "elastic"
    languages: tuple[str, ...] = LANGUAGES

    def __init__(self, pack: Pack) -> None:
        self._taxonomy = pack.taxonomy
        self._mapping = pack.mappings[self.target]
        self._packager = ElasticPackager(KibanaContext(PackContext.of_default(pack), self._mapping, load_attack()))
        self._store = elastic.store(self._mapping)
        self.lookups: Mapping[str, Sequence[Mapping[str, str]]] = {}

    def compile(self, rule: AnyRule, language: str | None) -> Compiled:
        bound = bind(rule, self._mapping, self._taxonomy)
        return Compiled(rule, bound, ElasticTarget(self._mapping, language).compile(bound))

    def plan(self, compiled: Compiled) -> Plan:
        return elastic_plan(self._packager.native(compiled.rule.header, compiled.detection))

    def store(self) -> Mapping[str, Any]:
        return {**self._store, "lookups": elastic.lookup_indices(self._mapping, self.lookups)} if self.lookups else self._store

    def stored(self, events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return elastic.stored(events, self._mapping)


class SplunkStand:
    """Splunk. `lookups` are the rows of lookup tables, by table, for detections that read any."""

    target = "splunk"
    languages: tuple[str, ...] = ("spl",)

    def __init__(self, pack: Pack) -> None:
        self._taxonomy = pack.taxonomy
        self._mapping = pack.mappings[self.target]
        self._packager = SplunkPackager(PackContext.of_default(pack))
        self._target = SplunkTarget(self._mapping)
        self.lookups: Mapping[str, Sequence[Mapping[str, str]]] = {}

    def compile(self, rule: AnyRule, language: str | None) -> Compiled:  # noqa: ARG002 - Splunk has one language
        bound = bind(rule, self._mapping, self._taxonomy)
        instants = self._target.instants(bound) if isinstance(bound, BoundCorrelation) else None
        return Compiled(rule, bound, self._target.compile(bound), instants, "insigma_ms", "insigma_group_{}")

    def plan(self, compiled: Compiled) -> Plan:
        return splunk_plan(self._packager.native(compiled.rule.header, compiled.detection))

    def store(self) -> Mapping[str, Any]:
        return {"lookups": splunk.lookup_rows(self.lookups)} if self.lookups else {}

    def stored(self, events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return splunk.stored_events(events, self._mapping)


class SentinelStand:
    """Sentinel. `lookups` are the rows of watchlists, by alias, for detections that read any."""

    target = "sentinel"
    languages: tuple[str, ...] = ("kql",)

    def __init__(self, pack: Pack) -> None:
        self._taxonomy = pack.taxonomy
        self._mapping = pack.mappings[self.target]
        self._packager = SentinelPackager(PackContext.of_default(pack), load_attack())
        self._target = SentinelTarget(self._mapping)
        self._store = sentinel.store(self._mapping)
        self.lookups: Mapping[str, Sequence[Mapping[str, str]]] = {}

    def compile(self, rule: AnyRule, language: str | None) -> Compiled:  # noqa: ARG002 - Sentinel has one language
        bound = bind(rule, self._mapping, self._taxonomy)
        detection = self._target.compile(bound)
        compiled = Compiled(rule, bound, detection, None, "InsMs", "InsGroup{}", settled_ms=settled_ms(bound))
        if not isinstance(bound, BoundCorrelation):
            return compiled
        return replace(compiled, instants=self._target.instants(bound), told_ms=detection.schedule.interval_ms)

    def plan(self, compiled: Compiled) -> Plan:
        return sentinel_plan(self._packager.native(compiled.rule.header, compiled.detection))

    def store(self) -> Mapping[str, Any]:
        return {**self._store, "lookups": self.lookups} if self.lookups else self._store

    def stored(self, events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return sentinel.stored(events, self._mapping)


STANDS: Mapping[str, Callable[[Pack], Stand]] = {"elastic": ElasticStand, "splunk": SplunkStand, "sentinel": SentinelStand}


def open_stand(target: str, pack: Pack) -> Stand:
    """The stand of a target that the pack maps. Raises KeyError for a target that has none."""
    return STANDS[target](pack)
