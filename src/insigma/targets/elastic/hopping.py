"""Correlations as ES|QL over hopping windows: overlapping windows exactly one timespan wide, one step apart.

An event falls into the slot of its time (one step wide); the window that begins at slot w holds the slots w to w + hops - 1,
so each slot is expanded into the `hops` windows that hold it. Counts are exact: distinct values are grouped, never
estimated with COUNT_DISTINCT, and an event id that was delivered twice is grouped into one first. Events are reduced to
slots before they are expanded, so the expansion costs rows per slot, not per event.
Source: "STATS ... BY", "MV_EXPAND" (technical preview in 8.18), "CASE" and "LIMIT" of the Elasticsearch 8.18 reference; a
multivalued grouping key counts in each of its values (elastic/elasticsearch issue 134792).
"""

from __future__ import annotations

from dataclasses import dataclass

from insigma.bind.model import BoundCorrelation, Refused
from insigma.content.condition import Expression
from insigma.content.model import Bound, CorrelationType, CountOperator, TargetField, TargetMapping
from insigma.targets.elastic.esql import esql_condition
from insigma.targets.elastic.keys import Key, group_keys, value_keys
from insigma.targets.elastic.layout import Leaf, joined, lines
from insigma.targets.elastic.quoting import esql_column, number
from insigma.targets.elastic.scope import any_of, indices, scoped

MOST_HOPS = 60
MOST_ROWS = 10_000
"""The most rows that an ES|QL query returns, and what it is cut to unasked is 1,000 ("LIMIT")."""

_SYMBOLS = {
    CountOperator.LT: "<",
    CountOperator.LTE: "<=",
    CountOperator.GT: ">",
    CountOperator.GTE: ">=",
    CountOperator.EQ: "==",
    CountOperator.NEQ: "!=",
}
_UPWARD = frozenset({CountOperator.GT, CountOperator.GTE})
_DOWNWARD = frozenset({CountOperator.LT, CountOperator.LTE})
_SPAN = ("first_seen = MIN(first_seen)", "last_seen = MAX(last_seen)")


@dataclass(frozen=True, slots=True)
class Hopping:
    """An ES|QL query, its step, the columns that identify a group, and whether more events can undo its condition."""

    query: str
    step_ms: int
    group_fields: tuple[str, ...]
    monotone: bool


@dataclass(frozen=True, slots=True)
class _Plan:
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


def hopping_query(bound: BoundCorrelation, mapping: TargetMapping, hops: int) -> Hopping:
    """The correlation over hopping windows. Raises `Refused`."""
    correlation = bound.correlation
    step_ms = _step(correlation.timespan_ms, hops)
    plan = _Plan(bound, mapping, group_keys(bound), value_keys(bound), step_ms, correlation.timespan_ms // step_ms)
    match correlation.type:
        case CorrelationType.EVENT_COUNT:
            body = _event_count(plan)
        case CorrelationType.VALUE_COUNT:
            body = _value_count(plan)
        case CorrelationType.VALUE_SUM | CorrelationType.VALUE_AVG:
            body = _measured(plan, average=correlation.type is CorrelationType.VALUE_AVG)
        case CorrelationType.TEMPORAL:
            body = _temporal(plan)
        case other:
            raise Refused(f"{other.value} is not compiled to hopping windows", ("correlation", "type"))
    query = "\n| ".join((*_events(plan), *body, *_verdict(plan)))
    return Hopping(query, step_ms, tuple(key.name for key in plan.groups), _monotone(bound))


def _step(timespan_ms: int, hops: int) -> int:
    """The longest step that divides the timespan into at least `hops` whole milliseconds."""
    for count in range(hops, MOST_HOPS + 1):
        if timespan_ms % count == 0:
            return timespan_ms // count
    raise Refused(f"the timespan has no step between a {MOST_HOPS}th and a {hops}th of it", ("correlation", "timespan"))


def _monotone(bound: BoundCorrelation) -> bool:
    condition = bound.correlation.condition
    negates = condition.expression is not None and _negates(condition.expression)
    upward = all(bound.operator in _UPWARD for bound in condition.bounds)
    return upward and not negates and bound.correlation.type is not CorrelationType.VALUE_AVG


def _negates(expression: Expression) -> bool:
    return expression.operator == "not" or any(_negates(operand) for operand in expression.operands)


def _events(plan: _Plan) -> list[str]:
    """The commands up to one row an event, with its group and value."""
    keys = tuple({key.column: key for key in (*plan.groups, *plan.values)}.values())
    return [
        f"FROM {','.join(indices(plan.bound.members))} METADATA _id, _index",
        _selection(plan, keys),
        *_hits(plan, keys),
        *_made(tuple(key for key in keys if key.source is not None)),
        *(f"MV_EXPAND {key.column}" for key in keys if key.array),
    ]


def _selection(plan: _Plan, keys: tuple[Key, ...]) -> str:
    """The events of any member that have all stored keys."""
    present = tuple(Leaf(f"{key.column} IS NOT NULL") for key in keys if key.source is None)
    condition = joined("AND", (esql_condition(any_of(plan.bound.members, plan.mapping)), *present))
    return "WHERE " + "\n    ".join(lines(condition))


def _hits(plan: _Plan, keys: tuple[Key, ...]) -> list[str]:
    """Which members an event matches, where that matters."""
    if plan.bound.correlation.type is not CorrelationType.TEMPORAL and not any(key.per_member for key in keys):
        return []
    return [_hit(plan, index) for index in range(len(plan.bound.members))]


def _made(keys: tuple[Key, ...]) -> list[str]:
    """The keys that are made of other columns."""
    if not keys:
        return []
    columns = ", ".join(f"{key.column} = {key.source}" for key in keys)
    return [f"EVAL {columns}", "WHERE " + " AND ".join(f"{key.column} IS NOT NULL" for key in keys)]


def _hit(plan: _Plan, index: int) -> str:
    condition = lines(esql_condition(scoped(plan.bound.members[index], plan.mapping)))
    return f"EVAL {plan.hits[index]} = CASE(" + "\n    ".join(condition) + ", 1, 0)"


def _slot(plan: _Plan, time: str) -> str:
    return f"EVAL slot = TO_LONG({time}) / {plan.step_ms}"


def _windows(plan: _Plan) -> list[str]:
    """Each slot in every window that holds it."""
    return [f"EVAL hop = [{', '.join(map(str, range(plan.hops)))}]", "MV_EXPAND hop", "EVAL window = slot - hop"]


def _stats(measures: tuple[str, ...], by: tuple[str, ...]) -> str:
    columns = f" BY {', '.join(dict.fromkeys(by))}" if by else ""
    return f"STATS {', '.join(measures)}{columns}"


def _span_of(column: str) -> tuple[str, str]:
    return f"first_seen = MIN({column})", f"last_seen = MAX({column})"


def _delivered_once(plan: _Plan, measures: tuple[str, ...]) -> list[str]:
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
    return [f"EVAL delivery = {delivery}", _stats((moment, *measures), key), _slot(plan, "moment")]


def _event_count(plan: _Plan) -> list[str]:
    return [
        *_delivered_once(plan, ()),
        _stats(("value = COUNT(*)", *_span_of("moment")), (*plan.group, "slot")),
        *_windows(plan),
        _stats(("value = SUM(value)", *_SPAN), (*plan.group, "window")),
    ]


def _value_count(plan: _Plan) -> list[str]:
    counted = tuple(key.column for key in plan.values)
    time = esql_column(plan.bound.timestamp.name)
    return [
        _slot(plan, time),
        _stats(_span_of(time), (*plan.group, *counted, "slot")),
        *_windows(plan),
        _stats(_SPAN, (*plan.group, *counted, "window")),
        _stats(("value = COUNT(*)", *_SPAN), (*plan.group, "window")),
    ]


def _measured(plan: _Plan, *, average: bool) -> list[str]:
    measured = plan.values[0]
    if measured.array:
        raise Refused(f"'{measured.name}' may hold several values: its sum is not defined", ("correlation", "condition"))
    counts = ("counted = COUNT(*)",) if average else ()
    sums = ("counted = SUM(counted)",) if average else ()
    commands = [
        *_delivered_once(plan, (f"amount = MAX({measured.column})",)),
        _stats(("value = SUM(amount)", *counts, *_span_of("moment")), (*plan.group, "slot")),
        *_windows(plan),
        _stats(("value = SUM(value)", *sums, *_SPAN), (*plan.group, "window")),
    ]
    return commands + _judged(whole=all(fields[0].type == "long" for fields in plan.bound.values), average=average)


def _judged(*, whole: bool, average: bool) -> list[str]:
    """The value to compare: decimals are rounded to six places, as 0.1 + 0.2 is more than 0.3 in double precision."""
    total = "value" if whole else "ROUND(value, 6)"
    if average:
        return [f"EVAL value = {'TO_DOUBLE(value)' if whole else total} / counted"]
    return [] if whole else [f"EVAL value = {total}"]


def _temporal(plan: _Plan) -> list[str]:
    seen = tuple(f"{hit} = MAX({hit})" for hit in plan.hits)
    time = esql_column(plan.bound.timestamp.name)
    return [
        _slot(plan, time),
        _stats((*seen, *_span_of(time)), (*plan.group, "slot")),
        *_windows(plan),
        _stats((*seen, *_SPAN), (*plan.group, "window")),
        f"EVAL value = {' + '.join(plan.hits)}",
    ]


def _verdict(plan: _Plan) -> list[str]:
    """The windows that satisfy the condition, and one row for each group of them."""
    condition = plan.bound.correlation.condition
    downward = bool(condition.bounds) and all(bound.operator in _DOWNWARD for bound in condition.bounds)
    best = "MIN" if downward else "MAX"
    commands = [f"WHERE {_condition(plan)}", _stats((f"value = {best}(value)", *_SPAN), plan.group)]
    if not plan.group:  # STATS without BY gives a row of nulls where there was none
        commands.append("WHERE value IS NOT NULL")
    return [*commands, f"SORT {', '.join(('value DESC', *plan.group))}", f"LIMIT {MOST_ROWS}"]


def _condition(plan: _Plan) -> str:
    condition = plan.bound.correlation.condition
    if condition.expression is not None:
        return _seen(condition.expression, plan)
    return " AND ".join(_bound(bound) for bound in condition.bounds)


def _bound(bound: Bound) -> str:
    return f"value {_SYMBOLS[bound.operator]} {number(bound.number)}"


def _seen(expression: Expression, plan: _Plan) -> str:
    """An extended condition over the rules seen in a window."""
    if expression.operator == "name":
        return f"{plan.hits[plan.bound.correlation.rules.index(expression.name)]} == 1"
    if expression.operator == "not":
        return f"NOT ({_seen(expression.operands[0], plan)})"
    operands = [_seen(operand, plan) for operand in expression.operands]
    return f" {expression.operator.upper()} ".join(
        f"({text})" if operand.operator in {"and", "or"} else text for operand, text in zip(expression.operands, operands, strict=True)
    )
