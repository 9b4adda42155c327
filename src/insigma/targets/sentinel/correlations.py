"""Correlations as KQL: rows, satisfying instants, and one row a group for people."""

from __future__ import annotations

from insigma.bind.model import BoundCorrelation, Refused
from insigma.content.durations import duration_text
from insigma.content.model import CorrelationType, TargetMapping
from insigma.targets.promises import best, has_value, needs_whole_windows
from insigma.targets.sentinel import quoting
from insigma.targets.sentinel.layout import is_text
from insigma.targets.sentinel.rows import DECIMALS, Rows, rows
from insigma.targets.sentinel.windows import instants

RESULT_COLUMNS = ("TimeGenerated", "InsFirst", "InsLast", "InsValue")
_SUMS = frozenset({CorrelationType.VALUE_SUM, CorrelationType.VALUE_AVG})


def instants_query(bound: BoundCorrelation, mapping: TargetMapping) -> str:
    """The query whose rows are the satisfying instants: `InsMs`, milliseconds since 1970, and `InsGroup<k>`.

    It judges every instant, so the events in its time range have to be all there are. Raises `Refused`.
    """
    made = rows(bound, mapping)
    return "\n".join((*made.lines, *instants(bound, made)))


def alert_query(bound: BoundCorrelation, made: Rows, judged_ms: tuple[int, int]) -> str:
    """The query whose rows are the alerts of one run: one for each group that has a satisfying instant from `judged_ms[0]` to
    before `judged_ms[1]` ago.

    Earlier instants were judged by the runs before, later ones will be when their events are there; for these the whole window
    lies in the query's time range. Raises `Refused`.
    """
    instant, (since, until) = "unixtime_milliseconds_todatetime(InsMs)", judged_ms
    judged = f"| where {instant} >= ago({duration_text(since)}) and {instant} < ago({duration_text(until)})"
    return "\n".join((*made.lines, *instants(bound, made), judged, *_presentation(bound, made)))


def group_columns(bound: BoundCorrelation) -> tuple[str, ...]:
    """The names of the groups in the result: those of the columns they come from, or of the rule's alias. Raises `Refused`."""
    named = []
    for place, name in enumerate(bound.group_names):
        fields = {own[place].name for own in bound.group_by}
        named.append(fields.pop() if len(fields) == 1 else name)
    if len({name.casefold() for name in (*named, *RESULT_COLUMNS)}) < len(named) + len(RESULT_COLUMNS):
        raise Refused("a group-by name stands twice, or is a column of the result", ("correlation", "group-by"))
    return tuple(named)


def notes(bound: BoundCorrelation) -> tuple[str, ...]:
    """What the ledger says about a correlation's fidelity."""
    found = []
    if needs_whole_windows(bound):
        found.append("an event that comes later than its log source's delay can change a judgement that was made without it")
    if any(field.case == "any" and is_text(field) for columns in (*bound.group_by, *bound.values) for field in columns):
        found.append(
            "group-by and distinct values are folded by tolower(), which folds as the rule does except for a few letters beyond ASCII"
        )
    if bound.correlation.type in _SUMS and any(field.type != "long" for columns in bound.values for field in columns):
        found.append(f"numbers take part in sums with {DECIMALS} decimals")
    return tuple(found)


def _presentation(bound: BoundCorrelation, made: Rows) -> list[str]:
    """First and last satisfying instant and the best value of each group, under the columns' own names."""
    wanted = ["InsFirst = min(InsMs)", "InsLast = max(InsMs)"]
    if has_value(bound):
        wanted.append(f"InsValue = {best(bound)}(InsValue)")
    by = f" by {', '.join(made.groups)}" if made.groups else ""
    lines = [f"| summarize {', '.join(wanted)}{by}"]
    if not made.groups:
        lines.append("| where isnotnull(InsLast)")
    shown = ["TimeGenerated = unixtime_milliseconds_todatetime(InsLast)"]
    shown += [f"{quoting.column(name)} = {group}" for name, group in zip(group_columns(bound), made.groups, strict=True)]
    shown += [f"{name} = unixtime_milliseconds_todatetime({name})" for name in ("InsFirst", "InsLast")]
    return [*lines, f"| project {', '.join((*shown, *(('InsValue',) if has_value(bound) else ())))}"]
