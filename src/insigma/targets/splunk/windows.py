"""The second half of a correlation: from working rows to the satisfying instants, in closed windows [t - timespan, t].

Counts, sums and averages are swept: every event enters at its time and leaves one timespan later, after whatever enters
at that same moment; a running sum over entries and departures is then the value of the window that ends there. Unlike
`streamstats time_window=...` this keeps no window in memory, so `max_stream_window` (limits.conf, 10,000 events) does
not cut it short, and an event exactly one timespan old counts (the manual says of `time_window` that "calculations are
reset" after each window, and nothing of its edges).

`stats ... by` a multivalue field gives a row for each value; that is how a row becomes an entry and a departure, and how
an array of group-by values is spread, without `mvexpand` and its memory limit (limits.conf, `[mvexpand]`).

One limit is left: `streamstats` stops adding its fields to the results when it holds more than `max_mem_usage_mb`
(Search Reference, `streamstats`, "Memory and maximum results"). Rows without them are marked `insigma_truncated` and
pass every filter, so that a search cut short says so instead of staying silent.
"""

from __future__ import annotations

from collections.abc import Sequence

from insigma.bind.model import BoundCorrelation, Refused
from insigma.content.condition import Expression
from insigma.content.model import CorrelationType, CountOperator
from insigma.targets.promises import all_members, needs_whole_windows
from insigma.targets.ranks import clause, judgements, percentile_of, tallies
from insigma.targets.splunk import quoting
from insigma.targets.splunk.overlap import overlapping
from insigma.targets.splunk.working import Telling, Working

_SIGNS = {
    CountOperator.LT: "<",
    CountOperator.LTE: "<=",
    CountOperator.GT: ">",
    CountOperator.GTE: ">=",
    CountOperator.EQ: "=",
    CountOperator.NEQ: "!=",
}


def instants(bound: BoundCorrelation, rows: Working) -> list[str]:
    """The lines after the working rows; what they give is one row for each satisfying instant of a group (or several, alike)."""
    match bound.correlation.type:
        case CorrelationType.EVENT_COUNT:
            return _event_count(bound, rows)
        case CorrelationType.VALUE_COUNT:
            return _value_count(bound, rows)
        case CorrelationType.VALUE_SUM:
            return _value_sum(bound, rows)
        case CorrelationType.VALUE_AVG:
            return _value_avg(bound, rows)
        case CorrelationType.TEMPORAL:
            return _temporal(bound, rows)
        case CorrelationType.TEMPORAL_ORDERED:
            return _temporal_ordered(bound, rows)
        case CorrelationType.VALUE_PERCENTILE | CorrelationType.VALUE_MEDIAN:
            return _ranked(bound, rows)


def _event_count(bound: BoundCorrelation, rows: Working) -> list[str]:
    return [
        *_edges("count as insigma_change", rows.groups, bound.correlation.timespan_ms, ("insigma_change",)),
        f"| streamstats sum(insigma_change) as insigma_value{rows.by}",
        _truncation("insigma_value"),
        *_satisfying(bound, "insigma_edge=0"),
    ]


def _value_count(bound: BoundCorrelation, rows: Working) -> list[str]:
    """A value is in the window from its first entry to its last departure: 1 up when it comes, 1 down when it has gone."""
    keys = (*rows.groups, "insigma_counts", *rows.values)
    changes = (
        "isnull(insigma_present), null()",
        "insigma_counts=0, 0",
        "insigma_edge=0 AND insigma_present=insigma_change, 1",
        "insigma_edge=1 AND insigma_present=0, -1",
        "1=1, 0",
    )
    best_of_instant = "max(insigma_value) as insigma_value max(insigma_truncated) as insigma_truncated"
    return [
        *_edges("count as insigma_change", keys, bound.correlation.timespan_ms, ("insigma_change",)),
        f"| streamstats sum(insigma_change) as insigma_present by {' '.join(keys)}",
        f"| eval insigma_change=case({', '.join(changes)})",
        f"| streamstats sum(insigma_change) as insigma_value{rows.by}",
        _truncation("insigma_present", "insigma_value"),
        "| where insigma_truncated=1 OR insigma_edge=0",
        f"| stats {best_of_instant} by {' '.join((*rows.groups, 'insigma_ms'))}",
        *_satisfying(bound),
    ]


def _value_sum(bound: BoundCorrelation, rows: Working) -> list[str]:
    """The sum is rounded to six decimals, as a running sum of fractions drifts."""
    return [
        *_edges("sum(insigma_value_1) as insigma_change", rows.groups, bound.correlation.timespan_ms, ("insigma_change",)),
        f"| streamstats sum(insigma_change) as insigma_value{rows.by}",
        "| eval insigma_value=round(insigma_value, 6)",
        _truncation("insigma_value"),
        *_satisfying(bound, "insigma_edge=0"),
    ]


def _value_avg(bound: BoundCorrelation, rows: Working) -> list[str]:
    made = "sum(insigma_value_1) as insigma_change sum(insigma_counts) as insigma_counts"
    return [
        *_edges(made, rows.groups, bound.correlation.timespan_ms, ("insigma_change", "insigma_counts")),
        f"| streamstats sum(insigma_change) as insigma_sum sum(insigma_counts) as insigma_values{rows.by}",
        _truncation("insigma_values"),
        "| eval insigma_value=if(insigma_values>0, round(insigma_sum, 6)/insigma_values, null())",
        *_satisfying(bound, "insigma_edge=0"),
    ]


def _ranked(bound: BoundCorrelation, rows: Working) -> list[str]:
    """How many values a window has, and how many of them lie below the bounds (`ranks`): `perc()` and `median()` estimate."""
    found = tallies(bound.correlation)
    names = ("insigma_counts", *(f"insigma_{tally.name}" for tally in found))
    flags = (
        f"insigma_{tally.name}=if(insigma_counts=1 AND insigma_value_1{tally.sign}{quoting.number(tally.number)}, 1, 0)" for tally in found
    )
    running = ("insigma_values", *(f"insigma_sum_{tally.name}" for tally in found))
    summed = " ".join(f"sum({name}) as {total}" for name, total in zip(names, running, strict=True))
    percentile = percentile_of(bound.correlation)
    clauses = [clause(judgement, percentile, "insigma_values", "insigma_sum_") for judgement in judgements(bound.correlation)]
    return [
        f"| eval {', '.join(flags)}",
        *_edges(" ".join(f"sum({name}) as {name}" for name in names), rows.groups, bound.correlation.timespan_ms, names),
        f"| streamstats {summed}{rows.by}",
        _truncation("insigma_values"),
        *_where(bound, ["insigma_edge=0", "insigma_values>0", *clauses]),
    ]


def _truncation(*columns: str) -> str:
    """Mark the rows to which `streamstats` did not add its columns, which are never null otherwise."""
    return f"| eval insigma_truncated=if({' OR '.join(f'isnull({column})' for column in columns)}, 1, 0)"


def _edges(made: str, keys: Sequence[str], timespan_ms: int, signed: Sequence[str]) -> list[str]:
    """One row for each moment at which something enters (edge 0) or leaves (edge 1), in order, departures last and negative."""
    flipped = [f"{name}=if(insigma_edge=1, 0-{name}, {name})" for name in signed]
    return [
        '| eval insigma_edge=split("0 1", " ")',
        f"| stats {made} by {' '.join((*keys, 'insigma_ms', 'insigma_edge'))}",
        f"| eval {', '.join((f'insigma_ms=if(insigma_edge=1, insigma_ms+{timespan_ms}, insigma_ms)', *flipped))}",
        "| sort 0 insigma_ms insigma_edge",
    ]


def _temporal(bound: BoundCorrelation, rows: Working) -> list[str]:
    """The latest time of each member so far; a member is in the window if that is no further back than the timespan."""
    positions = range(1, len(bound.members) + 1)
    times = "eval(if(insigma_rule={i}, insigma_ms, null()))" if rows.telling is Telling.ONE else "insigma_rule_{i}"
    seen = [f"max({times.format(i=i)}) as insigma_rule_{i}" for i in positions]
    return [
        f"| stats {' '.join(seen)} by {' '.join((*rows.groups, 'insigma_ms'))}",
        "| sort 0 insigma_ms",
        f"| streamstats count as insigma_rows {' '.join(f'max(insigma_rule_{i}) as insigma_last_{i}' for i in positions)}{rows.by}",
        _truncation("insigma_rows"),
        *_temporal_condition(bound),
    ]


def _temporal_condition(bound: BoundCorrelation) -> list[str]:
    correlation = bound.correlation
    present = [f"insigma_ms-insigma_last_{i}<={correlation.timespan_ms}" for i in range(1, len(bound.members) + 1)]
    if correlation.condition.expression is not None:
        seen = dict(zip(reversed(correlation.rules), reversed(present), strict=True))
        return _where(bound, [_extended(correlation.condition.expression, seen)])
    if all_members(bound):
        return _where(bound, present)
    summed = "+".join(f"if({clause}, 1, 0)" for clause in present)
    return [f"| eval insigma_value={summed}", *_satisfying(bound)]


def _temporal_ordered(bound: BoundCorrelation, rows: Working) -> list[str]:
    """For each step the latest start of a sequence that has come that far; a sequence within the timespan satisfies."""
    if rows.telling is Telling.EACH:
        return [*overlapping(bound, rows), *_where(bound, [f"insigma_ms-insigma_start<={bound.correlation.timespan_ms}"])]
    lines = [
        f"| stats count by {' '.join((*rows.groups, 'insigma_ms', 'insigma_rule'))}",
        "| sort 0 insigma_ms insigma_rule",
    ]
    start = "insigma_ms"
    for step in range(1, len(bound.members) + 1):
        reached = f"insigma_start_{step}"
        latest = f"max(eval(if(insigma_rule={step}, {start}, null()))) as {reached}"
        lines.append(f"| streamstats count as insigma_rows_{step} {latest}{rows.by}")
        start = reached
    lines.append(_truncation(*(f"insigma_rows_{step}" for step in range(1, len(bound.members) + 1))))
    return [*lines, *_where(bound, [f"insigma_ms-{start}<={bound.correlation.timespan_ms}"])]


def _satisfying(bound: BoundCorrelation, *clauses: str) -> list[str]:
    """The rows whose `insigma_value` satisfies the bounds. Raises `Refused` where nothing at all would satisfy them."""
    bounds = bound.correlation.condition.bounds
    if not bounds or (bound.correlation.type is not CorrelationType.VALUE_AVG and all(each.holds(0) for each in bounds)):
        raise Refused("the condition holds where nothing happened: absence needs a clock", ("correlation", "condition"))
    return _where(bound, [*clauses, *(f"insigma_value{_SIGNS[each.operator]}{quoting.number(each.number)}" for each in bounds)])


def _where(bound: BoundCorrelation, clauses: Sequence[str]) -> list[str]:
    """The filter over instants; where half a window misleads, only instants whose window lies wholly in the search's range."""
    if not needs_whole_windows(bound):
        return [_passing(clauses)]
    return ["| addinfo", _passing((*clauses, f"insigma_ms>=1000*info_min_time+{bound.correlation.timespan_ms}"))]


def _passing(clauses: Sequence[str]) -> str:
    joined = " AND ".join(clauses)
    return f"| where insigma_truncated=1 OR {f'({joined})' if len(clauses) > 1 else joined}"


def _extended(expression: Expression, seen: dict[str, str]) -> str:
    """An extended condition; `if()` makes a member that was never seen plainly absent under `not`."""
    if expression.operator == "name":
        return seen[expression.name]
    parts = [_extended(operand, seen) for operand in expression.operands]
    if expression.operator == "not":
        return f"if({parts[0]}, 0, 1)=1"
    return "(" + f" {expression.operator.upper()} ".join(parts) + ")"
