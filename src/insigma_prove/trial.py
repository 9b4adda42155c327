"""One detection on one set of events: asked of an engine, compared with the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from insigma.bind.model import BoundCorrelation
from insigma.content.durations import duration_ms
from insigma.content.model import Correlation, CorrelationType, Taxonomy
from insigma.evaluate.events import flatten, iso, time_of, values_of
from insigma.targets.base import Detection
from insigma_prove.judge import Difference, events_differ, groups_differ, instants_differ, key_text, sequences_differ, spans_differ
from insigma_prove.process import Client, Reply
from insigma_prove.reference import Group, Truth, alerts_in_index_order, groups_within, truth
from insigma_prove.stands import Compiled, Stand

Events = Sequence[Mapping[str, Any]]


class QueryRejected(Exception):
    """The engine does not take a query: the stage ("parse", "type", "run", "unsupported") and what it says."""

    def __init__(self, stage: str, message: str) -> None:
        super().__init__(f"{stage}: {message}")
        self.stage = stage
        self.message = message


@dataclass(frozen=True, slots=True)
class Evidence:
    """A set of events as both sides see it: the reference verdict, and the positions that the engine holds."""

    events: Events
    truth: Truth
    held: tuple[int, ...]


def gather(stand: Stand, client: Client, rule_truth: Truth, events: Events) -> Evidence:
    """Give the events to the engine. A repeated delivery stays out where the target stores it once (Elastic's pipeline)."""
    held = tuple(position for position, first in enumerate(rule_truth.first_of) if stand.target != "elastic" or first == position)
    client.open(stand.store(), stand.stored([events[position] for position in held]))
    return Evidence(events, rule_truth, held)


def differences(compiled: Compiled, client: Client, evidence: Evidence, taxonomy: Taxonomy) -> list[Difference]:
    """How the engine's verdict departs from what the detection's window class promises. Raises `QueryRejected`."""
    detection, rule = compiled.detection, compiled.rule
    if not isinstance(rule, Correlation):
        hits = _asked(client, detection, detection.query, evidence)["hits"]
        return events_differ((evidence.held[hit] for hit in hits), evidence.truth)
    if detection.language == "eql":
        return _sequences(rule, _asked(client, detection, detection.query, evidence)["sequences"], evidence, taxonomy)
    rows = _asked(client, detection, detection.query, evidence)["rows"]
    if detection.window == "approximate":
        return []
    if detection.window.startswith("hopping("):
        return _hopping(rule, detection, rows, evidence, taxonomy)
    return _exact(compiled, client, rows, evidence)


def _asked(client: Client, detection: Detection, query: str, evidence: Evidence) -> Reply:
    reply = client.run(detection.language, query, {**_whole_range(evidence, detection), **detection.scope})
    if "error" in reply:
        raise QueryRejected(reply["error"]["stage"], reply["error"]["message"])
    return reply


def _whole_range(evidence: Evidence, detection: Detection) -> dict[str, str]:
    """A time range around all events with the whole look-back before the first: every window lies in it."""
    times = [time for event in evidence.events if (time := time_of(flatten(event))) is not None] or [0]
    latest = max(times) + 1000
    return {"earliest": iso(min(times) - detection.schedule.lookback_ms - 1000), "latest": iso(latest), "now": iso(latest)}


def _exact(compiled: Compiled, client: Client, rows: Sequence[Mapping[str, Any]], evidence: Evidence) -> list[Difference]:
    found: list[Difference] = []
    bound = compiled.bound
    assert isinstance(bound, BoundCorrelation)
    if compiled.instants is not None:
        marked = _asked(client, compiled.detection, compiled.instants, evidence)["rows"]
        columns = [f"insigma_group_{number}" for number in range(1, len(bound.group_names) + 1)]
        found += instants_differ({(int(row["insigma_ms"]), _group(row, columns)) for row in marked}, evidence.truth)
    names = compiled.detection.group_fields
    return found + spans_differ({_group(row, names): span(row) for row in rows}, evidence.truth)


def span(row: Mapping[str, Any]) -> tuple[int, int, float | None]:
    """First and last instant in ms and the value of a row of an exact detection (its times are in seconds)."""
    value = row.get("insigma_value")
    return round(float(row["insigma_first"]) * 1000), round(float(row["insigma_last"]) * 1000), None if value is None else float(value)


def _hopping(
    rule: Correlation, detection: Detection, rows: Sequence[Mapping[str, Any]], evidence: Evidence, taxonomy: Taxonomy
) -> list[Difference]:
    found = frozenset(_group(row, detection.group_fields) for row in rows)
    least = groups_within(rule, evidence.events, taxonomy, rule.timespan_ms - step_ms(detection))
    return groups_differ(found, least, frozenset(evidence.truth.spans))


def step_ms(detection: Detection) -> int:
    """How far apart the windows of a hopping detection begin."""
    return duration_ms(detection.window.removeprefix("hopping(").removesuffix(")")) or 0


def _sequences(rule: Correlation, sequences: Sequence[Sequence[int]], evidence: Evidence, taxonomy: Taxonomy) -> list[Difference]:
    """Where each sequence ends, against the satisfying instants."""
    ends = {sequence_end(rule, evidence.events[evidence.held[sequence[-1]]]) for sequence in sequences}
    return sequences_differ(
        ends, evidence.truth, alerts_in_index_order(rule, [evidence.events[place] for place in evidence.held], taxonomy)
    )


def sequence_end(rule: Correlation, last: Mapping[str, Any]) -> tuple[int, Group]:
    """When a sequence that ends with this event ends, and its group."""
    step = len(rule.rules) - 1 if rule.type is CorrelationType.TEMPORAL_ORDERED else 0
    flat = flatten(last)
    names = [rule.field_of(name, step) for name in rule.group_by]
    return time_of(flat) or 0, tuple(key_text(values_of(flat, name)[0]) for name in names)


def _group(row: Mapping[str, Any], columns: Sequence[str]) -> Group:
    return tuple(key_text(row[column]) for column in columns)


def tried(compiled: Compiled, stand: Stand, client: Client, events: Events, taxonomy: Taxonomy) -> list[Difference]:
    """Everything for one detection and one set of events. Raises `QueryRejected` and `EngineDied`."""
    evidence = gather(stand, client, truth(compiled.rule, events, taxonomy), events)
    return differences(compiled, client, evidence, taxonomy)
