"""One detection on one set of events: asked of an engine, compared with the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from insigma.bind.model import BoundCorrelation
from insigma.content.durations import duration_ms
from insigma.content.model import Correlation, CorrelationType, Taxonomy
from insigma.evaluate.events import flatten, iso, milliseconds, time_of, values_of
from insigma.targets.base import Detection
from insigma.targets.promises import has_value
from insigma_prove.companions import rollups, run_rolled_up, with_functions
from insigma_prove.judge import Difference, events_differ, groups_differ, instants_differ, key_text, sequences_differ, spans_differ
from insigma_prove.process import Client, Reply
from insigma_prove.reference import Group, Truth, alerts_in_index_order, groups_within, since_then, truth
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
    """A set of events as both sides see it: the reference verdict, the positions that the engine holds, and how it holds them.

    `events` are as the reference judges them, with the fields that are looked up.
    """

    events: Events
    truth: Truth
    held: tuple[int, ...]
    store: Mapping[str, Any]
    stored: Sequence[Mapping[str, Any]]


def holds_once(stand: Stand) -> bool:
    """Whether the target keeps a repeated delivery out of its store, as Elastic's ingest pipeline does."""
    return stand.target == "elastic"


def gather(stand: Stand, client: Client, rule_truth: Truth, events: Events, ingested: Events | None = None) -> Evidence:
    """Give the events to the engine. A repeated delivery stays out where the target stores it once.

    `ingested` are the events as they come in, where the reference judges them with fields that the target looks up.
    """
    held = tuple(position for position, first in enumerate(rule_truth.first_of) if first == position or not holds_once(stand))
    came = events if ingested is None else ingested
    store, stored = stand.store(), stand.stored([came[position] for position in held])
    client.open(store, stored)
    return Evidence(events, rule_truth, held, store, stored)


def differences(compiled: Compiled, client: Client, evidence: Evidence, taxonomy: Taxonomy) -> list[Difference]:
    """How the engine's verdict departs from what the detection's window class promises. Raises `QueryRejected`."""
    detection, rule = compiled.detection, compiled.rule
    found = answered(compiled, _told(compiled, client, evidence))
    if not isinstance(rule, Correlation):
        return events_differ((evidence.held[hit] for hit in found), evidence.truth)
    if detection.language == "eql":
        return _sequences(rule, found, evidence, taxonomy)
    if detection.window == "approximate":
        return []
    if detection.window.startswith("hopping("):
        return _hopping(rule, detection, found, evidence, taxonomy)
    return _exact(compiled, client, found, evidence)


def _told(compiled: Compiled, client: Client, evidence: Evidence) -> Reply:
    """What the detection's own query finds; a roll-up that it reads is run before."""
    detection = compiled.detection
    if rollups(detection):
        return run_rolled_up(detection, client, evidence.store, evidence.stored, iso(_end(evidence, compiled)))
    return _asked(client, compiled, detection.query, evidence)


def _asked(client: Client, compiled: Compiled, query: str, evidence: Evidence) -> Reply:
    detection = compiled.detection
    times = {**_whole_range(evidence, compiled), **detection.scope}
    return client.run(detection.language, with_functions(detection, query), times)


def answered(compiled: Compiled, reply: Reply) -> list[Any]:
    """What the detection's query found, as its kind promises: positions of events, sequences of them, or rows with their columns.

    Raises `QueryRejected` for an error, and for an answer of another kind: a query can go wrong in that way too.
    """
    if not isinstance(compiled.rule, Correlation):
        return _part(reply, "hits")
    detection = compiled.detection
    if detection.language == "eql":
        return _part(reply, "sequences")
    return _rows(reply, (*detection.group_fields, *(() if detection.window.startswith("hopping(") else _SPAN[detection.target])))


_SPAN: Mapping[str, tuple[str, str]] = {"splunk": ("insigma_first", "insigma_last"), "sentinel": ("InsFirst", "InsLast")}
"""The columns of the first and last instant in the rows of an exact detection."""


def _part(reply: Reply, kind: str) -> list[Any]:
    if "error" in reply:
        raise QueryRejected(reply["error"]["stage"], reply["error"]["message"])
    if kind not in reply:
        raise QueryRejected("run", f"it finds {' and '.join(sorted(reply)) or 'nothing'} where {kind} are expected")
    return list(reply[kind])


def _rows(reply: Reply, columns: Sequence[str]) -> list[Any]:
    rows = _part(reply, "rows")
    for column in columns:
        if any(row.get(column) is None for row in rows):
            raise QueryRejected("run", f"a row that it finds has nothing in the column {column}")
    return rows


def _whole_range(evidence: Evidence, compiled: Compiled) -> dict[str, str]:
    """A time range around all events with the whole look-back before the first: every window lies in it."""
    latest = iso(_end(evidence, compiled))
    return {"earliest": iso(min(_times(evidence)) - compiled.detection.schedule.lookback_ms - 1000), "latest": latest, "now": latest}


def _times(evidence: Evidence) -> list[int]:
    return [time for event in evidence.events if (time := time_of(flatten(event))) is not None] or [0]


def _end(evidence: Evidence, compiled: Compiled) -> int:
    """When the query is asked: just after the last event, or as soon as that is judged."""
    return max(_times(evidence)) + 1000 + compiled.settled_ms


def _exact(compiled: Compiled, client: Client, rows: Sequence[Mapping[str, Any]], evidence: Evidence) -> list[Difference]:
    found: list[Difference] = []
    bound = compiled.bound
    assert isinstance(bound, BoundCorrelation)
    if compiled.instants is not None:
        columns = [compiled.group.format(number) for number in range(1, len(bound.group_names) + 1)]
        marked = _rows(_asked(client, compiled, compiled.instants, evidence), (compiled.moment, *columns))
        found += instants_differ({(int(row[compiled.moment]), _group(row, columns)) for row in marked}, evidence.truth)
    spans = [(_group(row, compiled.detection.group_fields), span(row)) for row in rows]
    if compiled.told_ms is None:
        return found + spans_differ(spans, evidence.truth, has_value(bound))
    since = _end(evidence, compiled) - compiled.settled_ms - compiled.told_ms
    return found + spans_differ(
        [(group, (first, last, None)) for group, (first, last, _) in spans], since_then(evidence.truth, since), False
    )


def span(row: Mapping[str, Any]) -> tuple[int, int, float | None]:
    """First and last instant in ms and the value of a row of an exact detection: seconds on Splunk, ISO 8601 on Sentinel."""
    if "InsFirst" in row:
        first, last, value = milliseconds(row["InsFirst"]), milliseconds(row["InsLast"]), row.get("InsValue")
        return first or 0, last or 0, None if value is None else float(value)
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
    return time_of(flat) or 0, tuple(key_text(next(iter(values_of(flat, name)), "")) for name in names)


def _group(row: Mapping[str, Any], columns: Sequence[str]) -> Group:
    return tuple(key_text(row[column]) for column in columns)


def tried(compiled: Compiled, stand: Stand, client: Client, events: Events, taxonomy: Taxonomy) -> list[Difference]:
    """Everything for one detection and one set of events. Raises `QueryRejected` and `EngineDied`."""
    evidence = gather(stand, client, truth(compiled.rule, events, taxonomy), events)
    return differences(compiled, client, evidence, taxonomy)
