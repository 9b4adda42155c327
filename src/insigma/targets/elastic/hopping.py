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

from insigma.bind.binder import NUMERIC
from insigma.bind.model import BoundCorrelation, Refused
from insigma.content.condition import Expression
from insigma.content.model import Bound, CorrelationType, CountOperator, TargetField, TargetMapping
from insigma.targets.elastic.esql import esql_condition
from insigma.targets.elastic.inlining import looked_up
from insigma.targets.elastic.keys import Key, group_keys, value_keys
from insigma.targets.elastic.layout import Leaf, lines
from insigma.targets.elastic.pipeline import SPAN, Plan, delivered_once, slot, span_of, stats, windows
from insigma.targets.elastic.quoting import esql_column, esql_number, number
from insigma.targets.elastic.scope import indices, scoped
from insigma.targets.elastic.selection import selection
from insigma.targets.ranks import PERCENTILES, clause, judgements, percentile_of, tallies

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
_TEMPORAL = frozenset({CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED})
_WITHOUT_VALUE = PERCENTILES | {CorrelationType.TEMPORAL_ORDERED}
_UPWARD = frozenset({CountOperator.GT, CountOperator.GTE})
_DOWNWARD = frozenset({CountOperator.LT, CountOperator.LTE})


@dataclass(frozen=True, slots=True)
class Hopping:
    """An ES|QL query, its step, the columns that identify a group, and whether more events can undo its condition."""

    query: str
    step_ms: int
    group_fields: tuple[str, ...]
    monotone: bool


def hopping_query(bound: BoundCorrelation, mapping: TargetMapping, hops: int) -> Hopping:
    """The correlation over hopping windows. Raises `Refused`."""
    correlation = bound.correlation
    step_ms = _step(correlation.timespan_ms, hops)
    plan = Plan(bound, mapping, group_keys(bound), value_keys(bound), step_ms, correlation.timespan_ms // step_ms)
    match correlation.type:
        case CorrelationType.EVENT_COUNT:
            body = _event_count(plan)
        case CorrelationType.VALUE_COUNT:
            body = _value_count(plan)
        case CorrelationType.VALUE_SUM | CorrelationType.VALUE_AVG:
            body = _measured(plan, average=correlation.type is CorrelationType.VALUE_AVG)
        case CorrelationType.VALUE_PERCENTILE | CorrelationType.VALUE_MEDIAN:
            body = _ranked(plan)
        case CorrelationType.TEMPORAL:
            body = _temporal(plan)
        case CorrelationType.TEMPORAL_ORDERED:
            body = _ordered(plan)
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
    return upward and not negates and bound.correlation.type not in {CorrelationType.VALUE_AVG, *PERCENTILES}


def _negates(expression: Expression) -> bool:
    return expression.operator == "not" or any(_negates(operand) for operand in expression.operands)


def _events(plan: Plan) -> list[str]:
    """The commands up to one row an event, with its group and value."""
    keys = tuple({key.column: key for key in (*plan.groups, *plan.values)}.values())
    return [
        f"FROM {','.join(indices(plan.bound.members))} METADATA _id, _index",
        *_selection(plan, keys),
        *_hits(plan, keys),
        *_made(tuple(key for key in keys if key.source is not None)),
        *(f"MV_EXPAND {key.column}" for key in keys if key.array),
    ]


def _selection(plan: Plan, keys: tuple[Key, ...]) -> list[str]:
    """The events of any member that have all stored keys."""
    fields = correlation_lookups(plan.bound)
    made = {esql_column(field.name) for field in fields}
    present = tuple(Leaf(f"{key.column} IS NOT NULL") for key in keys if key.source is None and key.column not in made)
    return selection(plan.bound.members, fields, plan.mapping, present)


def correlation_lookups(bound: BoundCorrelation) -> tuple[TargetField, ...]:
    """The looked-up fields that the members test, and those that the correlation groups by or counts."""
    columns = tuple(field for fields in (*bound.group_by, *bound.values) for field in fields)
    return looked_up((member.predicate for member in bound.members), columns)


def _hits(plan: Plan, keys: tuple[Key, ...]) -> list[str]:
    """Which members an event matches, where that matters."""
    if plan.bound.correlation.type not in _TEMPORAL and not any(key.per_member for key in keys):
        return []
    return [_hit(plan, index) for index in range(len(plan.bound.members))]


def _made(keys: tuple[Key, ...]) -> list[str]:
    """The keys that are made of other columns."""
    if not keys:
        return []
    columns = ", ".join(f"{key.column} = {key.source}" for key in keys)
    return [f"EVAL {columns}", "WHERE " + " AND ".join(f"{key.column} IS NOT NULL" for key in keys)]


def _hit(plan: Plan, index: int) -> str:
    condition = lines(esql_condition(scoped(plan.bound.members[index], plan.mapping)))
    return f"EVAL {plan.hits[index]} = CASE(" + "\n    ".join(condition) + ", 1, 0)"


def _event_count(plan: Plan) -> list[str]:
    return [
        *delivered_once(plan, ()),
        stats(("value = COUNT(*)", *span_of("moment")), (*plan.group, "slot")),
        *windows(plan),
        stats(("value = SUM(value)", *SPAN), (*plan.group, "window")),
    ]


def _value_count(plan: Plan) -> list[str]:
    counted = tuple(key.column for key in plan.values)
    time = esql_column(plan.bound.timestamp.name)
    return [
        slot(plan, time),
        stats(span_of(time), (*plan.group, *counted, "slot")),
        *windows(plan),
        stats(SPAN, (*plan.group, *counted, "window")),
        stats(("value = COUNT(*)", *SPAN), (*plan.group, "window")),
    ]


def _number(plan: Plan) -> Key:
    """The measured column. Raises `Refused` for one that is no number, or may be several."""
    measured, stored = plan.values[0], plan.bound.values[0][0].type
    where = ("correlation", "condition", "field")
    if measured.array:
        raise Refused(f"'{measured.name}' may hold several values: ES|QL has no row for each of them", where)
    if stored not in NUMERIC:
        raise Refused(f"'{measured.name}' is stored as {stored} by elastic: it is no number to compute with", where)
    return measured


def _measured(plan: Plan, *, average: bool) -> list[str]:
    measured = _number(plan)
    counts = ("counted = COUNT(*)",) if average else ()
    sums = ("counted = SUM(counted)",) if average else ()
    commands = [
        *delivered_once(plan, (f"amount = MAX({measured.column})",)),
        stats(("value = SUM(amount)", *counts, *span_of("moment")), (*plan.group, "slot")),
        *windows(plan),
        stats(("value = SUM(value)", *sums, *SPAN), (*plan.group, "window")),
    ]
    return commands + _judged(whole=all(fields[0].type == "long" for fields in plan.bound.values), average=average)


def _judged(*, whole: bool, average: bool) -> list[str]:
    """The value to compare: decimals are rounded to six places, as 0.1 + 0.2 is more than 0.3 in double precision."""
    total = "value" if whole else "ROUND(value, 6)"
    if average:
        return [f"EVAL value = {'TO_DOUBLE(value)' if whole else total} / counted"]
    return [] if whole else [f"EVAL value = {total}"]


def _ranked(plan: Plan) -> list[str]:
    """How many values a window has, and how many of them lie below the bounds (`ranks`)."""
    measured, stored = _number(plan), plan.bound.values[0][0].type
    found = tallies(plan.bound.correlation)
    flags = ", ".join(f"{tally.name} = CASE(amount {tally.sign} {esql_number(tally.number, stored)}, 1, 0)" for tally in found)
    sums = tuple(f"{tally.name} = SUM({tally.name})" for tally in found)
    return [
        *delivered_once(plan, (f"amount = MAX({measured.column})",)),
        f"EVAL {flags}",
        stats(("counted = COUNT(*)", *sums, *span_of("moment")), (*plan.group, "slot")),
        *windows(plan),
        stats(("counted = SUM(counted)", *sums, *SPAN), (*plan.group, "window")),
    ]


def _temporal(plan: Plan) -> list[str]:
    seen = tuple(f"{hit} = MAX({hit})" for hit in plan.hits)
    time = esql_column(plan.bound.timestamp.name)
    return [
        slot(plan, time),
        stats((*seen, *span_of(time)), (*plan.group, "slot")),
        *windows(plan),
        stats((*seen, *SPAN), (*plan.group, "window")),
        f"EVAL value = {' + '.join(plan.hits)}",
    ]


def _ordered(plan: Plan) -> list[str]:
    """The first event of the first rule and the last one of the second: they are in order exactly if any two of them are.

    Raises `Refused` for more steps, of which no such summary can be kept, and where one event could be both.
    """
    if len(plan.bound.members) != 2:
        raise Refused("hopping windows put two rules in order, not more", ("correlation", "rules"))
    if not plan.bound.disjoint:
        raise Refused("one event may match both rules, and hopping windows could not tell that it is only one", ("correlation", "rules"))
    time = esql_column(plan.bound.timestamp.name)
    return [
        slot(plan, time),
        stats((f"start = MIN(CASE(hit_1 == 1, {time}))", f"end = MAX(CASE(hit_2 == 1, {time}))", *span_of(time)), (*plan.group, "slot")),
        *windows(plan),
        stats(("start = MIN(start)", "end = MAX(end)", *SPAN), (*plan.group, "window")),
    ]


def _verdict(plan: Plan) -> list[str]:
    """The windows that satisfy the condition, and one row for each group of them."""
    condition = plan.bound.correlation.condition
    downward = bool(condition.bounds) and all(bound.operator in _DOWNWARD for bound in condition.bounds)
    best = "MIN" if downward else "MAX"
    without = plan.bound.correlation.type in _WITHOUT_VALUE
    shown = () if without else (f"value = {best}(value)",)
    first = "last_seen" if without else "value"
    commands = [f"WHERE {_condition(plan)}", stats((*shown, *SPAN), plan.group)]
    if not plan.group:  # STATS without BY gives a row of nulls where there was none
        commands.append(f"WHERE {first} IS NOT NULL")
    return [*commands, f"SORT {', '.join((f'{first} DESC', *plan.group))}", f"LIMIT {MOST_ROWS}"]


def _condition(plan: Plan) -> str:
    correlation = plan.bound.correlation
    condition = correlation.condition
    if condition.expression is not None:
        return _seen(condition.expression, plan)
    if correlation.type is CorrelationType.TEMPORAL_ORDERED:
        return "start <= end"
    if correlation.type in PERCENTILES:  # judged by counting: the percentile itself is never known
        return " AND ".join(clause(judgement, percentile_of(correlation), "counted") for judgement in judgements(correlation))
    return " AND ".join(_bound(bound) for bound in condition.bounds)


def _bound(bound: Bound) -> str:
    return f"value {_SYMBOLS[bound.operator]} {number(bound.number)}"


def _seen(expression: Expression, plan: Plan) -> str:
    """An extended condition over the rules seen in a window."""
    if expression.operator == "name":
        return f"{plan.hits[plan.bound.correlation.rules.index(expression.name)]} == 1"
    if expression.operator == "not":
        return f"NOT ({_seen(expression.operands[0], plan)})"
    operands = [_seen(operand, plan) for operand in expression.operands]
    return f" {expression.operator.upper()} ".join(
        f"({text})" if operand.operator in {"and", "or"} else text for operand, text in zip(expression.operands, operands, strict=True)
    )
