"""The first half of every correlation: the members' events as small working rows, each event once, oldest first.

A working row has `insigma_ms` (event time in whole milliseconds, as floating-point seconds do not add up exactly at the
edge of a window), `insigma_group_<k>` (folded group-by values), `insigma_value_<k>` with `insigma_counts` (1 if none of
the values is absent) and what tells the members apart: `insigma_rule` (the position of the only member that matches) or
`insigma_rule_<i>` (the time, if member i matches).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from insigma.bind.model import BoundCorrelation, Refused
from insigma.content.model import CorrelationType, TargetField, TargetMapping
from insigma.content.predicate import Constant
from insigma.targets.ranks import PERCENTILES
from insigma.targets.splunk import quoting
from insigma.targets.splunk.dates import calendar
from insigma.targets.splunk.lookups import looked_up_by, lookup_lines, stored_first
from insigma.targets.splunk.predicates import any_of, expression, where
from insigma.targets.splunk.search import base_search, scoped

NUMERIC_VALUES = frozenset({CorrelationType.VALUE_SUM, CorrelationType.VALUE_AVG, *PERCENTILES})


_Writer = Callable[[TargetField], str]


class Telling(Enum):
    """How the rows tell the members apart: not at all, by the one that matches, or by each that matches."""

    NOT = "not"
    ONE = "one"
    EACH = "each"


@dataclass(frozen=True, slots=True)
class Working:
    """The lines that make the working rows, and the columns they have."""

    lines: tuple[str, ...]
    telling: Telling
    groups: tuple[str, ...]
    values: tuple[str, ...]

    @property
    def by(self) -> str:
        """The `by` clause over the groups, with a space in front; nothing without groups."""
        return f" by {' '.join(self.groups)}" if self.groups else ""


def working_rows(bound: BoundCorrelation, mapping: TargetMapping) -> Working:
    """The working rows of a correlation. Raises `Refused` where members differ in their fields and may match one event."""
    if bound.timestamp.name != "_time":
        raise Refused("Splunk orders events by _time: '@timestamp' has to be mapped to it")
    telling = _telling(bound)
    groups = tuple(f"insigma_group_{position}" for position in range(1, len(bound.group_names) + 1))
    values = tuple(f"insigma_value_{position}" for position in range(1, len(bound.values[0]) + 1))
    write = _number if bound.correlation.type in NUMERIC_VALUES else _folded
    lines = _selection(bound, mapping, telling)
    lines += [f"| eval {name}={_column(bound.group_by, position, _folded)}" for position, name in enumerate(groups)]
    lines += [f"| eval {name}={_column(bound.values, position, write)}" for position, name in enumerate(values)]
    lines += _present(groups)
    lines += _counting(values, write)
    counts = ("insigma_counts",) if values else ()
    lines += _once(("insigma_ms", *_telling_columns(bound, telling), *groups, *counts, *values), mapping)
    return Working(tuple(lines), telling, groups, values)


def _telling(bound: BoundCorrelation) -> Telling:
    differ = any(len(set(columns)) > 1 for columns in (bound.group_by, bound.values))
    kind = bound.correlation.type
    if differ and not bound.disjoint:
        raise Refused(
            "one event may match two of its rules, so which rule's fields it has cannot be told in Splunk", ("correlation", "rules")
        )
    if differ or (kind is CorrelationType.TEMPORAL_ORDERED and bound.disjoint):
        return Telling.ONE
    return Telling.EACH if kind in {CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED} else Telling.NOT


def _telling_columns(bound: BoundCorrelation, telling: Telling) -> list[str]:
    if telling is Telling.EACH:
        return [f"insigma_rule_{position}" for position in range(1, len(bound.members) + 1)]
    return ["insigma_rule"] if telling is Telling.ONE else []


def _selection(bound: BoundCorrelation, mapping: TargetMapping, telling: Telling) -> list[str]:
    """The base search, the filter, and the columns that tell members apart."""
    several = len({member.logsource.name for member in bound.members}) > 1
    predicates = tuple(scoped(member, mapping) if several else member.predicate for member in bound.members)
    time = "| eval insigma_ms=round(_time*1000)"
    first = [base_search(bound.members, mapping), *calendar(predicates)]
    if fields := looked_up_by(bound):
        stored, predicates = stored_first(predicates)
        first += [*([f"| where {where(stored)}"] if stored is not None else []), *lookup_lines(fields, mapping)]
    match telling:
        case Telling.NOT:
            wanted = any_of(predicates)
            asked_before = bool(fields) and wanted == Constant(True)
            return [*first, *([] if asked_before else [f"| where {where(wanted)}"]), time]
        case Telling.ONE:
            cases = ",\n    ".join(f"{expression(predicate, 3)}, {position}" for position, predicate in enumerate(predicates, 1))
            return [*first, f"| eval insigma_rule=case(\n    {cases})", "| where isnotnull(insigma_rule)", time]
        case Telling.EACH:
            names = _telling_columns(bound, telling)
            flags = zip(names, predicates, strict=True)
            times = [f"| eval {name}=if({expression(predicate, 3)}, insigma_ms, null())" for name, predicate in flags]
            return [*first, time, *times, "| where " + " OR ".join(f"isnotnull({name})" for name in names)]


def _column(of_members: Sequence[tuple[TargetField, ...]], position: int, write: _Writer) -> str:
    """The expression of a group-by or value column: one for all members, or each member's own."""
    fields = [columns[position] for columns in of_members]
    if len(set(fields)) == 1:
        return write(fields[0])
    return f"case({', '.join(f'insigma_rule={number}, {write(field)}' for number, field in enumerate(fields, 1))})"


def _present(groups: Sequence[str]) -> list[str]:
    """An event without a group-by value belongs to no group."""
    return [f"| where {' AND '.join(f'isnotnull({name})' for name in groups)}"] if groups else []


def _counting(values: Sequence[str], write: _Writer) -> list[str]:
    """Mark the rows that bring a value. The others stay: their time may be a satisfying instant, and `by` would drop nulls."""
    if not values:
        return []
    absent = " OR ".join(f"isnull({name})" for name in values)
    filler = "0" if write is _number else '"-"'
    filled = ", ".join(f"{name}=coalesce({name}, {filler})" for name in values)
    return [f"| eval insigma_counts=if({absent}, 0, 1), {filled}"]


def _folded(field: TargetField) -> str:
    """The value as groups and distinct values are compared: folded; a multivalue field as each of its folded values once."""
    name = quoting.field(field.name)
    single = f"tonumber({name})" if field.type == "number" else name if field.case == "lower" else f"lower({name})"
    return f"mvdedup(mvmap({name}, {single}))" if field.array else single


def _number(field: TargetField) -> str:
    if field.array:
        raise Refused(
            f"'{field.name}' may hold several values, and a row of the search measures one", ("correlation", "condition", "field")
        )
    return f"tonumber({quoting.field(field.name)})"


def _once(columns: Sequence[str], mapping: TargetMapping) -> list[str]:
    """Keep the columns, and of a repeated delivery the earliest row: tenant, log source, feed and event id the same.

    A row without event id, or with an empty one, is kept (Search Reference, `dedup`, keepempty); without a mapping of
    ids nothing is a repetition.
    """
    event = mapping.fields.get("event.id")
    if event is None:
        return [f"| table {' '.join(columns)}"]
    known = [mapping.fields[name] for name in ("organization.id", "insurance.logsource", "event.dataset") if name in mapping.fields]
    name = quoting.field(event.name)
    parts = '." | ".'.join([*(f'coalesce({quoting.field(field.name)}, "")' for field in known), name])
    return [
        f'| eval insigma_event=if(isnull({name}) OR {name}="", null(), {parts})',
        f"| table {' '.join(columns)} insigma_event",
        "| sort 0 insigma_ms",
        "| dedup insigma_event keepempty=true",
    ]
