"""Correlations as SPL: working rows, satisfying instants, and one row a group for people.

No `bin` (it would cut bursts at its edges), `transaction`, `join`, subsearch or `mvexpand` (each drops events beyond a
limit); every `sort` is `sort 0`, as it keeps 10,000 results otherwise (Search Reference, `sort`).
"""

from __future__ import annotations

from insigma.bind.model import BoundCorrelation, Refused
from insigma.content.model import TargetMapping
from insigma.targets.base import Schedule
from insigma.targets.promises import best, has_value, needs_whole_windows
from insigma.targets.splunk import quoting
from insigma.targets.splunk.windows import instants
from insigma.targets.splunk.working import Working, working_rows

RESULT_COLUMNS = ("_time", "insigma_first", "insigma_last", "insigma_truncated", "insigma_value")
CUT_SHORT = "(search cut short)"
"""Stands for the group in the one row that says that the search ran into a limit."""


def instants_query(bound: BoundCorrelation, mapping: TargetMapping) -> str:
    """The search whose rows are the satisfying instants: `insigma_ms` and `insigma_group_<k>`; with `insigma_truncated=1` a row is none.

    Raises `Refused`.
    """
    rows = working_rows(bound, mapping)
    return "\n".join((*rows.lines, *instants(bound, rows)))


def alert_query(bound: BoundCorrelation, mapping: TargetMapping, schedule: Schedule) -> str:
    """The search whose rows are the alerts of one run: one for each group that has a new satisfying instant. Raises `Refused`."""
    rows = working_rows(bound, mapping)
    return "\n".join((*rows.lines, *instants(bound, rows), *_new(bound, schedule), *_presentation(bound, rows)))


def _new(bound: BoundCorrelation, schedule: Schedule) -> list[str]:
    """Leave out instants that an earlier run has seen whole: those before the last interval and the delay of events.

    Only in a time range as long as the schedule's: whoever searches a longer one wants to see everything in it. `if()` keeps
    the rows of a search over all time, where `addinfo` has no numbers (Search Reference, `addinfo`).
    """
    new_ms = schedule.lookback_ms - bound.correlation.timespan_ms
    scheduled = f"info_max_time-info_min_time<={quoting.number(schedule.lookback_ms / 1000)}"
    seen = f"insigma_truncated=0 AND {scheduled} AND insigma_ms<1000*info_max_time-{new_ms}"
    return ["| addinfo", f"| where if({seen}, 0, 1)=1"]


def notes(bound: BoundCorrelation) -> tuple[str, ...]:
    """What the ledger says about a correlation's fidelity."""
    found = []
    if needs_whole_windows(bound):
        found.append("only instants whose whole window lies in the search's time range are judged; a late event can change a judgement")
    if any(field.case == "any" and field.type == "string" for columns in (*bound.group_by, *bound.values) for field in columns):
        found.append("group-by and distinct values are folded by lower(), which is sure for ASCII letters only")
    return tuple(found)


def _presentation(bound: BoundCorrelation, rows: Working) -> list[str]:
    """First and last satisfying instant and the best value of each group, under the rule's own names.

    Rows that were cut short come together in one row, whatever their groups.
    """
    wanted = ["min(insigma_ms) as insigma_first", "max(insigma_ms) as insigma_last", "max(insigma_truncated) as insigma_truncated"]
    if has_value(bound):
        wanted.append(f"{best(bound)}(insigma_value) as insigma_value")
    together = [f"{group}=if(insigma_truncated=1, {quoting.literal(CUT_SHORT)}, {group})" for group in rows.groups]
    lines = [f"| eval {', '.join(together)}"] if together else []
    lines.append(f"| stats {' '.join(wanted)}{rows.by}")
    if not rows.groups:
        lines.append("| where isnotnull(insigma_last)")
    lines.append("| eval insigma_first=insigma_first/1000, insigma_last=insigma_last/1000, _time=insigma_last")
    named = list(zip(rows.groups, bound.group_names, strict=True))
    if named:
        lines.append("| rename " + ", ".join(f"{group} as {quoting.column(_free(name))}" for group, name in named))
    shown = RESULT_COLUMNS if has_value(bound) else RESULT_COLUMNS[:-1]
    lines.append("| table " + " ".join((*shown, *(quoting.column(name) for name in bound.group_names))))
    return lines


def _free(name: str) -> str:
    """A group's name, unless it would overwrite a column of the result."""
    if name in RESULT_COLUMNS:
        raise Refused(f"the group-by name '{name}' is a column of the result", ("correlation", "group-by"))
    return name
