"""The commands that every correlation over hopping windows shares: one row an event, a slot, or a window."""

from __future__ import annotations

from dataclasses import dataclass

from insigma.bind.model import BoundCorrelation
from insigma.content.model import TargetField, TargetMapping
from insigma.targets.elastic.keys import Key
from insigma.targets.elastic.quoting import esql_column

SPAN = ("first_seen = MIN(first_seen)", "last_seen = MAX(last_seen)")


@dataclass(frozen=True, slots=True)
class Plan:
    """What the commands of one correlation are written from."""

    bound: BoundCorrelation
    mapping: TargetMapping
    groups: tuple[Key, ...]
    values: tuple[Key, ...]
    step_ms: int
    hops: int

    @property
    def group(self) -> tuple[str, ...]:
        return tuple(key.column for key in self.groups)

    @property
    def hits(self) -> tuple[str, ...]:
        return tuple(f"hit_{index}" for index in range(1, len(self.bound.members) + 1))


def slot(plan: Plan, time: str) -> str:
    return f"EVAL slot = TO_LONG({time}) / {plan.step_ms}"


def windows(plan: Plan) -> list[str]:
    """Each slot in every window that holds it."""
    return [f"EVAL hop = [{', '.join(map(str, range(plan.hops)))}]", "MV_EXPAND hop", "EVAL window = slot - hop"]


def stats(measures: tuple[str, ...], by: tuple[str, ...]) -> str:
    columns = f" BY {', '.join(dict.fromkeys(by))}" if by else ""
    return f"STATS {', '.join(measures)}{columns}"


def span_of(column: str) -> tuple[str, str]:
    return f"first_seen = MIN({column})", f"last_seen = MAX({column})"


def delivered_once(plan: Plan, measures: tuple[str, ...]) -> list[str]:
    """One row an event: those of one event id, in its log source, dataset and organization, are one; without id each is one."""
    event_id = plan.mapping.fields.get("event.id")
    document = 'CONCAT(_index, "/", _id)'
    identity: tuple[TargetField, ...] = plan.bound.event_key if event_id else ()
    delivery = document
    if event_id is not None:
        column = esql_column(event_id.name)
        delivery = f'CASE({column} IS NULL OR {column} == "", {document})'
    key = (*plan.group, *(esql_column(field.cased_name or field.name) for field in identity), "delivery")
    moment = f"moment = MIN({esql_column(plan.bound.timestamp.name)})"
    return [f"EVAL delivery = {delivery}", stats((moment, *measures), key), slot(plan, "moment")]
