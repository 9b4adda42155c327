"""Rules, events and engines of the tests' own: a client that answers as it is told to, and answers that are right."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from insigma.content.assemble import assemble
from insigma.content.model import AnyRule, Correlation
from insigma.content.yaml_reader import read_bytes
from insigma.evaluate.events import flatten, iso, time_of, values_of
from insigma_prove.reference import Truth
from insigma_prove.stands import Compiled
from insigma_prove.trial import Evidence

START = datetime(2026, 2, 14, 10, tzinfo=UTC)
Answer = dict[str, Any]


@dataclass
class Fake:
    """A client that answers a query by a function of it, and keeps what it was given."""

    answer: Callable[[str], Answer]
    said: Answer = field(default_factory=lambda: {"engine": "Fake", "version": "1", "languages": {"spl": "executed"}})
    opened: list[Sequence[Mapping[str, Any]]] = field(default_factory=list)
    times: list[dict[str, str]] = field(default_factory=list)

    def hello(self) -> Answer:
        return self.said

    def open(self, store: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> None:
        self.opened.append(events)

    def run(self, language: str, query: str, times: Mapping[str, str]) -> Answer:
        self.times.append(dict(times))
        return self.answer(query)


def rules_of(*documents: Mapping[str, Any]) -> tuple[AnyRule, ...]:
    """The rules of some documents, of which only what matters is given."""
    head = {"status": "test", "level": "high", "taxonomy": "insurance"}
    own = {"insurance": {"pack_id": "ins-clm-001", "domain": "claims", "role": "alert"}}
    texts = [
        json.dumps(
            {"title": f"rule {number}", "id": f"5d1a4f0e-0000-4000-8000-{number:012d}", **head, **own, **document}, ensure_ascii=False
        )
        for number, document in enumerate(documents)
    ]
    read = read_bytes("\n---\n".join(texts).encode(), "rules/rule.yml")
    assembled = assemble(read.documents)
    assert not read.diagnostics + assembled.diagnostics
    return assembled.rules


def event_rule(detection: Mapping[str, Any] | None = None) -> AnyRule:
    shown = detection or {"s": {"event.action": "claim-view"}, "condition": "s"}
    (rule,) = rules_of({"name": "view", "logsource": {"category": "insurance_claims"}, "detection": shown})
    return rule


def correlation(**changes: Any) -> Correlation:
    """Three views of one user in ten minutes, or what the changes say."""
    source = {"category": "insurance_claims"}
    base = [
        {"name": name, "logsource": source, "detection": {"s": {"event.action": action}, "condition": "s"}}
        for name, action in (("view", "claim-view"), ("export", "claim-export"))
    ]
    said = {"type": "event_count", "rules": ["view"], "timespan": "10m", "group-by": ["user.name"], "condition": {"gte": 3}, **changes}
    rules = rules_of(*base, {"name": "many", "correlation": {key: value for key, value in said.items() if value is not None}})
    return next(rule for rule in rules if isinstance(rule, Correlation))


def at(seconds: float, user: str | None, action: str = "claim-view", **more: Any) -> dict[str, Any]:
    """An event so many seconds after the start."""
    time = (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event = {"@timestamp": time, "insurance.logsource": "insurance_claims", "event.action": action, **more}
    return event if user is None else {**event, "user.name": user}


BURSTS = [
    at(0, "anna"),
    at(60, "anna"),
    at(60, "ben"),
    at(120, "anna", **{"event.id": "a"}),
    at(180, "anna", **{"event.id": "b"}),
    at(180, "anna", **{"event.id": "b"}),
    at(200, None),
    at(240, "ben"),
    at(300, "Cleo"),
    at(310, "CLEO"),
    at(320, "cleo"),
    at(330, "cleo", "claim-export"),
    *(at(7200 + 30 * number, "anna") for number in range(3)),
    *(at(10_000 + 299 * number, "dora") for number in range(3)),
]
"""Two bursts of anna, with a repeated delivery; two views of ben; cleo in three spellings; dora just within ten minutes."""


def right(compiled: Compiled, truth: Truth, evidence_events: Sequence[Mapping[str, Any]], held: Sequence[int]) -> Callable[[str], Answer]:
    """What an engine without fault answers to the detection's queries."""
    rule, detection = compiled.rule, compiled.detection

    def answer(query: str) -> Answer:
        if not isinstance(rule, Correlation):
            return {"hits": [place for place, position in enumerate(held) if position in truth.positions]}
        if detection.language == "eql":
            return {"sequences": sorted(_sequences(evidence_events, held, truth))}
        if query == compiled.instants:
            names = [compiled.group.format(number + 1) for number in range(len(rule.group_by))]
            return {
                "rows": [{compiled.moment: str(time), **dict(zip(names, group, strict=True))} for time, group in sorted(truth.instants)]
            }
        groups = [(dict(zip(detection.group_fields, group, strict=True)), span) for group, span in sorted(truth.spans.items())]
        if detection.window.startswith("hopping("):
            return {"rows": [{**named, "value": span.value} for named, span in groups]}
        if detection.target == "sentinel":
            return {"rows": [{**named, "InsFirst": iso(span.first), "InsLast": iso(span.last)} for named, span in groups]}
        return {
            "rows": [
                {**named, "insigma_first": span.first / 1000, "insigma_last": span.last / 1000, "insigma_value": span.value}
                for named, span in groups
            ]
        }

    return answer


def _sequences(events: Sequence[Mapping[str, Any]], held: Sequence[int], truth: Truth) -> list[list[int]]:
    """One sequence for each instant: three events of the group, the last one at that time."""
    found = []
    for time, group in truth.instants:
        own = [place for place, position in enumerate(held) if _user(events[position]) == group[0] and _time(events[position]) <= time]
        found.append(own[-3:])
    return found


def _user(event: Mapping[str, Any]) -> str:
    return str(event.get("user.name", "")).lower()


def _time(event: Mapping[str, Any]) -> int:
    time = time_of(flatten(event))
    assert time is not None
    return time


def position_of(evidence: Evidence, user: str, number: int) -> int:
    """The place, among what the engine holds, of a user's event."""
    own = [place for place, position in enumerate(evidence.held) if values_of(flatten(evidence.events[position]), "user.name") == (user,)]
    return own[number]
