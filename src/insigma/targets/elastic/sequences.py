"""Correlations that an EQL sequence says exactly: `temporal_ordered`, and `event_count` of at least a small number.

Why exact. EQL keeps the pending sequences of a stage by the time of their last event; an event takes the latest pending
sequence before it and drops the older ones, and a sequence longer than `maxspan` (compared with >, so the span is closed)
is dropped (SequenceMatcher, elastic/elasticsearch, x-pack/plugin/eql). The latest start is thus never lost: an alert of the
rule has at least one sequence, and no sequence exists without one. `with runs=n` finds every n consecutive events.
Source: "EQL syntax reference", sequences, maxspan, by and runs (1 to 100), of the Elasticsearch 8.18 reference.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from insigma.bind.model import Bound, BoundCorrelation, Refused
from insigma.content.durations import duration_text
from insigma.content.model import Bound as NumberBound
from insigma.content.model import CorrelationType, CountOperator, TargetField, TargetMapping
from insigma.targets.elastic.eql import eql_condition
from insigma.targets.elastic.inlining import inlined, inlined_notes, refuse_lookups
from insigma.targets.elastic.layout import lines
from insigma.targets.elastic.quoting import eql_field
from insigma.targets.elastic.scope import any_of, same_field, scoped

MOST_RUNS = 100
"""The largest `runs` that EQL takes."""
READABLE_RUNS = 10
"""The largest count for which a sequence is chosen unasked: Kibana writes `runs` + 1 documents for each sequence it finds,
and a group of N events gives N - runs + 1 sequences, so large counts would drown a run's alerts."""

_SIMULTANEOUS = "events of the same millisecond are taken in index order: a sequence whose steps are simultaneous may be missed"
_DELIVERED_TWICE = (
    "an event that is indexed twice counts twice, unless its _id is made of its event id (docs/targets/elastic.md, ingest pipeline)"
)
_PER_SEQUENCE = "a group alerts once for each run of events; Kibana suppresses repeats of a group within the look-back (Platinum licence)"


@dataclass(frozen=True, slots=True)
class Sequence:
    """An EQL sequence, the fields that all its events share, and where it departs from the rule."""

    query: str
    group_fields: tuple[str, ...]
    notes: tuple[str, ...]


def sequence_query(bound: BoundCorrelation, mapping: TargetMapping, most_runs: int) -> Sequence:
    """The correlation as a sequence. Raises `Refused` for what a sequence does not say exactly."""
    _check_groups(bound)
    listed = inlined_notes(member.predicate for member in bound.members)
    members = tuple(replace(member, predicate=inlined(member.predicate, mapping, "EQL")) for member in bound.members)
    bound = replace(bound, members=members)
    match bound.correlation.type:
        case CorrelationType.TEMPORAL_ORDERED:
            found = _ordered(bound, mapping)
        case CorrelationType.EVENT_COUNT:
            found = _counted(bound, mapping, most_runs)
        case other:
            raise Refused(f"an EQL sequence cannot say {other.value}", ("correlation", "type"))
    return replace(found, notes=(*found.notes, *listed))


def _check_groups(bound: BoundCorrelation) -> None:
    for fields in bound.group_by:
        refuse_lookups(fields, "EQL", ("correlation", "group-by"))
        for name, field in zip(bound.group_names, fields, strict=True):
            if field.array:
                raise Refused(
                    f"'{name}' may hold several values, on which Elastic documents EQL as unreliable", ("correlation", "group-by")
                )
            if field.type == "keyword" and field.case != "lower":
                raise Refused(
                    f"'{name}' is stored in any case by elastic: a sequence would tell its spellings apart", ("correlation", "group-by")
                )


def _ordered(bound: BoundCorrelation, mapping: TargetMapping) -> Sequence:
    if len(bound.members) < 2:
        raise Refused("a sequence needs at least two rules", ("correlation", "rules"))
    shared = _shared(bound)
    steps = [_step(scoped(member, mapping)) for member in bound.members]
    if shared is None:
        steps = [f"{step} by {_fields(fields)}" for step, fields in zip(steps, bound.group_by, strict=True)]
    notes = (_SIMULTANEOUS,) if bound.disjoint else (_SIMULTANEOUS, _DELIVERED_TWICE)
    return Sequence(_query(bound, shared, steps), _names(shared), notes)


def _counted(bound: BoundCorrelation, mapping: TargetMapping, most_runs: int) -> Sequence:
    runs = _least(bound.correlation.condition.bounds)
    shared = _shared(bound)
    if shared is None:
        raise Refused("one step of a sequence cannot join on different fields", ("correlation", "aliases"))
    if not 2 <= runs <= most_runs:
        raise Refused(f"{runs} events are not counted by a sequence (2 to {most_runs})", ("correlation", "condition"))
    step = f"{_step(any_of(bound.members, mapping))} with runs={runs}"
    return Sequence(_query(bound, shared, [step]), _names(shared), (_DELIVERED_TWICE, _PER_SEQUENCE))


def _least(bounds: tuple[NumberBound, ...]) -> int:
    """The number of events that the only bound asks for at least."""
    match bounds:
        case (NumberBound(CountOperator.GTE, wanted),):
            return math.ceil(wanted)
        case (NumberBound(CountOperator.GT, wanted),):
            return math.floor(wanted) + 1
        case _:
            raise Refused("a sequence only says 'at least so many events'", ("correlation", "condition"))


def _shared(bound: BoundCorrelation) -> tuple[TargetField, ...] | None:
    """The group-by fields where all members agree on them, else None."""
    columns = tuple(zip(*bound.group_by, strict=True))
    return bound.group_by[0] if all(same_field(column) for column in columns) else None


def _names(shared: tuple[TargetField, ...] | None) -> tuple[str, ...]:
    return tuple(field.name for field in shared or ())


def _fields(fields: tuple[TargetField, ...]) -> str:
    return ", ".join(eql_field(field.name) for field in fields)


def _step(predicate: Bound) -> str:
    first, *rest = lines(eql_condition(predicate))
    return "\n".join((f"  [any where {first}", *(f"    {line}" for line in rest))) + "]"


def _query(bound: BoundCorrelation, shared: tuple[TargetField, ...] | None, steps: list[str]) -> str:
    by = f" by {_fields(shared)}" if shared else ""
    return "\n".join((f"sequence{by} with maxspan={duration_text(bound.correlation.timespan_ms)}", *steps))
