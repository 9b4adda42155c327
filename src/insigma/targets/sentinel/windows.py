"""The second half of a correlation: from rows to the satisfying instants, in closed windows [t - timespan, t].

Everything is swept: what happens at a time enters there (edge 0) and leaves one timespan later (edge 1), after whatever
enters at that moment; `row_cumsum()` over entries and departures, begun anew for each group, is then the value of the window
that ends there. There is no join, no `make_list` or `make_set` (which stop silently at 1,048,576 elements), no `dcount` or
`percentile` (which estimate), no `bin` (which cuts bursts at its edges): each step is a `summarize` or a `sort`, and where
one of those runs out of memory the query fails aloud.

`temporal_ordered` keeps, for each step, the latest start of a sequence that has come that far. That start never goes back,
so it is the running sum of its own increases at the step's events; a second order of the rows tells each of these events
its predecessor.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from insigma.bind.model import BoundCorrelation, Refused
from insigma.content.condition import Expression
from insigma.content.model import Bound, CorrelationType, CountOperator
from insigma.content.numbers import canonical_number
from insigma.targets.promises import all_members
from insigma.targets.ranks import Judgement, judgements, percentile_of, tallies
from insigma.targets.sentinel import quoting
from insigma.targets.sentinel.rows import Rows

_SIGNS = {
    CountOperator.LT: "<",
    CountOperator.LTE: "<=",
    CountOperator.GT: ">",
    CountOperator.GTE: ">=",
    CountOperator.EQ: "==",
    CountOperator.NEQ: "!=",
}
_EDGES = "| mv-expand InsEdge = dynamic([0, 1]) to typeof(long)"


def instants(bound: BoundCorrelation, rows: Rows) -> list[str]:
    """The lines after the rows; what they give is one row for each satisfying instant of a group (or several, alike)."""
    match bound.correlation.type:
        case CorrelationType.EVENT_COUNT:
            return _event_count(bound, rows)
        case CorrelationType.VALUE_COUNT:
            return _value_count(bound, rows)
        case CorrelationType.VALUE_SUM | CorrelationType.VALUE_AVG:
            return _sums(bound, rows)
        case CorrelationType.VALUE_PERCENTILE | CorrelationType.VALUE_MEDIAN:
            return _ranks(bound, rows)
        case CorrelationType.TEMPORAL:
            return _temporal(bound, rows)
        case CorrelationType.TEMPORAL_ORDERED:
            return _temporal_ordered(bound, rows)


def _event_count(bound: BoundCorrelation, rows: Rows) -> list[str]:
    return [
        f"| summarize InsChange = count() by {rows.key}InsMs",
        *_swept(bound, rows, ("InsChange",), ("InsValue",)),
        *_satisfying(bound, ["InsEdge == 0"]),
    ]


def _value_count(bound: BoundCorrelation, rows: Rows) -> list[str]:
    """A value is in the window from where it comes to one timespan after where it was last seen, as long as no gap is longer."""
    keys = (*rows.groups, "InsCounts", *rows.values)
    timespan = bound.correlation.timespan_ms
    before = " and ".join(f"{name} == prev({name}, 1, {_other(name)})" for name in keys)
    after = " and ".join(f"{name} == next({name}, 1, {_other(name)})" for name in keys)
    return [
        f"| summarize by {', '.join((*keys, 'InsMs'))}",
        f"| sort by {', '.join(f'{key} asc' for key in (*keys, 'InsMs'))}",
        f"| extend InsStays = {before} and InsMs - prev(InsMs, 1, 0) <= {timespan},",
        f"    InsGoesOn = {after} and next(InsMs, 1, 0) - InsMs <= {timespan}",
        "| extend InsComes = iff(InsCounts == 1 and not(InsStays), 1, 0), InsGoes = iff(InsCounts == 1 and not(InsGoesOn), 1, 0)",
        _EDGES,
        f"| summarize InsChange = sum(iff(InsEdge == 0, InsComes, -InsGoes)) by {rows.key}InsMs = InsMs + InsEdge * {timespan}, InsEdge",
        _sorted(rows, "InsMs", "InsEdge"),
        f"| extend InsValue = row_cumsum(InsChange, {rows.new_group})",
        *_satisfying(bound, ["InsEdge == 0"]),
    ]


def _other(name: str) -> str:
    """A value that the column never has."""
    return "-1" if name == "InsCounts" else '""'


def _sums(bound: BoundCorrelation, rows: Rows) -> list[str]:
    """Sum and number of the values, in whole units or millionths; a window without a number satisfies nothing."""
    average = bound.correlation.type is CorrelationType.VALUE_AVG
    unit = "InsNumber" if rows.scale == 1 else f"tolong(round(InsNumber * {rows.scale}))"
    shown = "InsSum" if rows.scale == 1 else f"toreal(InsSum) / {rows.scale}"
    counted = "InsNumbers" if average else ""
    clauses = [_sum_clause(each, rows.scale, counted) for each in bound.correlation.condition.bounds]
    return [
        f"| summarize InsChange = sum(coalesce({unit}, 0)), InsNumber = countif(isnotnull(InsNumber)) by {rows.key}InsMs",
        *_swept(bound, rows, ("InsChange", "InsNumber"), ("InsSum", "InsNumbers")),
        f"| where {' and '.join(('InsEdge == 0', 'InsNumbers > 0', *clauses))}",
        f"| extend InsValue = {f'{shown} / toreal(InsNumbers)' if average else shown}",
    ]


def _sum_clause(each: Bound, scale: int, counted: str) -> str:
    """A bound on the sum, or (with the column that counts the numbers) on the average, in whole numbers throughout.

    sum / scale <op> p / q is sum * q <op> p * scale for positive q; for the average p is taken as often as there are numbers.
    """
    limit = Fraction(canonical_number(each.number)) * scale
    left = "InsSum" if limit.denominator == 1 else f"InsSum * {quoting.long(limit.denominator)}"
    right = quoting.long(limit.numerator) + (f" * {counted}" if counted else "")
    return f"{left} {_SIGNS[each.operator]} {right}"


def _ranks(bound: BoundCorrelation, rows: Rows) -> list[str]:
    """Percentile and median by nearest rank, judged by counting the values below, and up to, the bound (see `ranks`)."""
    counted = tallies(bound.correlation)
    names = {tally.name: f"Ins{''.join(part.capitalize() for part in tally.name.split('_'))}" for tally in counted}
    made = [f"{names[tally.name]} = countif(InsNumber {tally.sign} {quoting.real(tally.number)})" for tally in counted]
    changes = (*names.values(), "InsNumber")
    clauses = [_rank_clause(each, percentile_of(bound.correlation), names) for each in judgements(bound.correlation)]
    return [
        f"| summarize {', '.join((*made, 'InsNumber = countif(isnotnull(InsNumber))'))} by {rows.key}InsMs",
        *_swept(bound, rows, changes, changes),
        f"| where {' and '.join(('InsEdge == 0', 'InsNumber > 0', *clauses))}",
    ]


def _rank_clause(judgement: Judgement, percentile: int, names: dict[str, str]) -> str:
    rank = f"{percentile} * InsNumber" if percentile else "1"
    tests = [f"100 * {names[test.tally.name]} {'>=' if test.reached else '<'} {rank}" for test in judgement.tests]
    return f"({' or '.join(tests)})" if judgement.alternatives else " and ".join(tests)


def _temporal(bound: BoundCorrelation, rows: Rows) -> list[str]:
    """How often each member is in the window."""
    correlation = bound.correlation
    lines = [
        f"| summarize {', '.join(f'{rule} = sum({rule})' for rule in rows.rules)} by {rows.key}InsMs",
        *_swept(bound, rows, rows.rules, rows.rules),
    ]
    if correlation.condition.expression is not None:
        seen = {name: f"{rule} > 0" for name, rule in zip(reversed(correlation.rules), reversed(rows.rules), strict=True)}
        return [*lines, f"| where InsEdge == 0 and {_extended(correlation.condition.expression, seen)}"]
    if all_members(bound):
        return [*lines, f"| where {' and '.join(('InsEdge == 0', *(f'{rule} > 0' for rule in rows.rules)))}"]
    summed = " + ".join(f"iff({rule} > 0, 1, 0)" for rule in rows.rules)
    return [*lines, f"| extend InsValue = {summed}", *_satisfying(bound, ["InsEdge == 0"])]


def _temporal_ordered(bound: BoundCorrelation, rows: Rows) -> list[str]:
    """For each step the latest start of a sequence that has come that far; a sequence within the timespan satisfies."""
    cases = ", ".join(f"{rule} == 1, {number}" for number, rule in enumerate(rows.rules, 1))
    lines = [f"| summarize by {rows.key}InsMs, InsStep = case({cases}, 0)"]
    start = "InsMs"
    for step in range(1, len(rows.rules) + 1):
        reached = f"InsStart{step}"
        before = " and ".join((*(f'{group} == prev({group}, 1, "")' for group in rows.groups), "InsStep == prev(InsStep, 1, 0)"))
        lines += [
            f"| sort by {rows.key.replace(',', ' asc,')}InsStep asc, InsMs asc",
            f"| extend InsLater = iff(InsStep == {step}, {start} - iff({before}, prev({start}, 1, 0), 0), 0)",
            _sorted(rows, "InsMs", "InsStep"),
            f"| extend {reached} = row_cumsum(InsLater, {rows.new_group})",
        ]
        start = reached
    return [*lines, f"| where {start} > 0 and InsMs - {start} <= {bound.correlation.timespan_ms}"]


def _swept(bound: BoundCorrelation, rows: Rows, changes: Sequence[str], sums: Sequence[str]) -> list[str]:
    """The running sums of changes that are undone one timespan later."""
    signed = ", ".join(f"{change} = iff(InsEdge == 0, {change}, -{change})" for change in changes)
    restart = rows.new_group
    return [
        _EDGES,
        f"| extend InsMs = InsMs + InsEdge * {bound.correlation.timespan_ms}, {signed}",
        _sorted(rows, "InsMs", "InsEdge"),
        "| extend " + ", ".join(f"{total} = row_cumsum({change}, {restart})" for change, total in zip(changes, sums, strict=True)),
    ]


def _sorted(rows: Rows, *last: str) -> str:
    return "| sort by " + ", ".join(f"{name} asc" for name in (*rows.groups, *last))


def _satisfying(bound: BoundCorrelation, clauses: Sequence[str]) -> list[str]:
    """The rows whose `InsValue` satisfies the bounds. Raises `Refused` where nothing at all would satisfy them."""
    bounds = bound.correlation.condition.bounds
    if not bounds or all(each.holds(0) for each in bounds):
        raise Refused("the condition holds where nothing happened: absence needs a clock", ("correlation", "condition"))
    judged = [f"InsValue {_SIGNS[each.operator]} {quoting.real(each.number)}" for each in bounds]
    return [f"| where {' and '.join((*clauses, *judged))}"]


def _extended(expression: Expression, seen: dict[str, str]) -> str:
    if expression.operator == "name":
        return seen[expression.name]
    parts = [_extended(operand, seen) for operand in expression.operands]
    if expression.operator == "not":
        return f"not({parts[0]})"
    return "(" + f" {expression.operator} ".join(parts) + ")"
