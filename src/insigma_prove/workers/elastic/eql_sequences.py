"""EQL sequences, found as Elasticsearch's SequenceMatcher finds them.

Each stage's events come in order of time, and at equal times in index order (the implicit tiebreaker `_shard_doc`). An event of
a later stage takes, in its key's group of the stage before, the latest sequence whose last event is before it; that one and all
older ones leave the group, even if the sequence is then dropped for being longer than `maxspan` (compared with >) or for an
`until` event in between. One page is assumed to hold every stage's events (`fetch_size`, 1,000), and no `size` cuts the result.
Sources: elastic/elasticsearch, x-pack/plugin/eql/.../execution: sequence/SequenceMatcher, sequence/OrdinalGroup,
search/Ordinal, assembler/TumblingWindow, assembler/Criterion; "EQL search", tiebreaker field.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from insigma_prove.workers.elastic.eql_events import EventQueries
from insigma_prove.workers.elastic.eql_parser import OptionalField, field_name
from insigma_prove.workers.elastic.index import Store
from insigma_prove.workers.elastic.mapping import Fields
from insigma_prove.workers.elastic.values import DECIMAL
from insigma_prove.workers.serve import QueryFault

TIMESTAMP = "@timestamp"
Key: TypeAlias = tuple[tuple[str, Any] | None, ...]
Ordinal: TypeAlias = tuple[int, int]
"""Milliseconds, and the position in the index."""


@dataclass(slots=True)
class _Match:
    """A sequence in the making: the ordinals and positions of its events so far."""

    ordinals: list[Ordinal]
    positions: list[int]


@dataclass(slots=True)
class _Groups:
    """The sequences in flight, by stage and key, in the order of their last events."""

    waiting: dict[tuple[int, Key], list[_Match]] = field(default_factory=dict)

    def add(self, stage: int, key: Key, match: _Match) -> None:
        self.waiting.setdefault((stage, key), []).append(match)

    def latest_before(self, stage: int, key: Key, ordinal: Ordinal) -> _Match | None:
        """The latest sequence before the ordinal; it and all older ones are removed (OrdinalGroup.trimBefore)."""
        group = self.waiting.get((stage, key), [])
        before = 0
        while before < len(group) and group[before].ordinals[-1] < ordinal:
            before += 1
        if not before:
            return None
        found = group[before - 1]
        del group[:before]
        return found


def sequences(store: Store, tree: Any, visible: frozenset[int]) -> list[list[int]]:
    """The positions of each sequence's events, stage by stage, in order of the last event. Raises `QueryFault`."""
    check_sequence(store.fields, tree)
    queries = EventQueries(store.jvm, store.fields)
    span = tree.max_span.as_milliseconds() if tree.max_span is not None else None
    stages = [_events(store, queries, each, visible) for each in tree.queries]
    until = _events(store, queries, tree.close, visible) if tree.close is not None else []
    done: list[_Match] = []
    groups = _Groups()
    for stage, events in enumerate(stages):
        for ordinal, key in events:
            if stage == 0:
                match = _Match([ordinal], [ordinal[1]])
            else:
                found = groups.latest_before(stage - 1, key, ordinal)
                if found is None or _dropped(found, key, ordinal, span, until):
                    continue
                match = _Match([*found.ordinals, ordinal], [*found.positions, ordinal[1]])
            if stage == len(stages) - 1:
                done.append(match)
            else:
                groups.add(stage, key, match)
    return [match.positions for match in sorted(done, key=lambda match: match.ordinals[-1])]


def _dropped(match: _Match, key: Key, ordinal: Ordinal, span: int | None, until: Sequence[tuple[Ordinal, Key]]) -> bool:
    if span is not None and ordinal[0] - match.ordinals[0][0] > span:
        return True
    markers = [marker for marker, marked in until if marked == key and marker < ordinal]
    return bool(markers) and max(markers) >= match.ordinals[-1]


def _events(store: Store, queries: EventQueries, stage: Any, visible: frozenset[int]) -> list[tuple[Ordinal, Key]]:
    """The events of a stage with their keys, in order. Only optional keys may be absent (Optimizer.AddMandatoryJoinKeyFilter)."""
    present = [field_name(each) for each in stage.join_values if not isinstance(each, OptionalField)]
    hits = store.search(queries.event_query(stage.query, present))
    found = [(_ordinal(store, hit), _key(store, stage.join_values, hit)) for hit in hits if hit in visible]
    return sorted(found, key=lambda event: event[0])


def _ordinal(store: Store, position: int) -> Ordinal:
    moments = store.rows[position].get(TIMESTAMP, ())
    if len(moments) != 1 or not isinstance(moments[0], int):
        raise QueryFault("run", f"Expected timestamp as a Long, but event {position} has {len(moments)} values of it")
    return moments[0], position


def _key(store: Store, join: Sequence[Any], position: int) -> Key:
    """The values of the join fields. Keys of different kinds of numbers differ, as Java's do."""
    key: list[tuple[str, Any] | None] = []
    for each in join:
        name = field_name(each)
        values = store.rows[position].get(name, ())
        if len(values) > 1:
            raise QueryFault("run", f"Arrays (returned by [{name}]) are not supported")
        kind = _kind(store.fields, name)
        key.append((kind, str(values[0]) if kind == "text" else values[0]) if values else None)
    return tuple(key)


def _kind(fields: Fields, name: str) -> str:
    found = fields.find(name)
    if found is None or found.type in ("keyword", "ip", "text"):
        return "text"
    return "double" if found.type in DECIMAL else found.type


def check_sequence(fields: Fields, tree: Any) -> None:
    """What the parser and the verifier refuse. Raises `QueryFault`."""
    if fields.find(TIMESTAMP) is None:
        raise QueryFault("type", f"Unknown column [{TIMESTAMP}]")
    if any((each.data or {}).get("is_negated") for each in tree.queries):
        raise QueryFault("unsupported", "missing events in sequences are not modelled")
    if len(tree.queries) < 2:
        raise QueryFault("parse", f"A sequence requires a minimum of 2 queries, found [{len(tree.queries)}]")
    first = tree.queries[0].join_values
    for each in (*tree.queries[1:], *((tree.close,) if tree.close is not None else ())):
        for one, other in zip(first, each.join_values, strict=True):
            kinds = [_kind(fields, field_name(key)) for key in (one, other)]
            numbers = {"double", "byte", "short", "integer", "long"}
            if kinds[0] != kinds[1] and not set(kinds) <= numbers:
                raise QueryFault("type", f"Sequence key [{field_name(other)}] type is incompatible with key [{field_name(one)}]")
