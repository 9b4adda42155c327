"""The first half of every correlation: the members' events as small rows, each event once.

A row has `InsMs` (event time in whole milliseconds since 1970), `InsGroup<k>` (folded group-by values), `InsRule<i>` (1 if
member i matches, else 0; where members have to be told apart), and what the correlation's type needs: `InsValue<k>` with
`InsCounts` (1 if no value is absent), or `InsNumber`.

Events of several log sources come together by `union`, each table filtered by itself. A repeated delivery counts once: the
earliest of equal tenant, log source, feed and event id; an event without an id always counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from insigma.bind.model import AnyOf, Bound, BoundCorrelation, BoundRule, Refused
from insigma.content.model import CorrelationType, TargetField, TargetLogSource, TargetMapping
from insigma.content.taxonomy import LOGSOURCE_FIELD
from insigma.targets.ranks import PERCENTILES
from insigma.targets.sentinel import quoting
from insigma.targets.sentinel.layout import is_number, is_text, table_of
from insigma.targets.sentinel.predicates import truth, where

NUMERIC_VALUES = frozenset({CorrelationType.VALUE_SUM, CorrelationType.VALUE_AVG, *PERCENTILES})
TOLD_APART = frozenset({CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED})
DECIMALS = 6
"""So many decimals of a real take part in sums: they are added as whole millionths, which no order of adding changes."""

_Writer = Callable[[TargetField], str]
_NUMERIC_TEXT = r"^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$"
_IDENTITY = (("InsTenant", "organization.id"), ("InsSource", LOGSOURCE_FIELD), ("InsFeed", "event.dataset"), ("InsEvent", "event.id"))


@dataclass(frozen=True, slots=True)
class Rows:
    """The lines that make the rows, and their columns. `scale` is 10^6 where `InsNumber` counts millionths, else 1."""

    lines: tuple[str, ...]
    groups: tuple[str, ...]
    values: tuple[str, ...]
    rules: tuple[str, ...]
    scale: int

    @property
    def key(self) -> str:
        """The group columns with a comma behind each, to stand before other columns."""
        return "".join(f"{group}, " for group in self.groups)

    @property
    def new_group(self) -> str:
        """Whether a row begins another group than the row before it, in rows sorted by group."""
        return " or ".join(f'{group} != prev({group}, 1, "")' for group in self.groups) or "false"


def rows(bound: BoundCorrelation, mapping: TargetMapping) -> Rows:
    """The rows of a correlation. Raises `Refused` where members differ in their fields and may match one event."""
    return finished(bound, tuple(selected(bound, mapping)))


def finished(bound: BoundCorrelation, lines: tuple[str, ...]) -> Rows:
    """The rows after `lines`, which give what `selected` gives: repeated deliveries out, arrays spread, absent groups out."""
    kind = bound.correlation.type
    groups = _names("InsGroup", len(bound.group_names))
    values = _names("InsValue", len(bound.values[0])) if kind is CorrelationType.VALUE_COUNT else ()
    more = [*_once(), *_spread(groups, bound.group_by), *_present(groups)]
    if kind is CorrelationType.VALUE_COUNT:
        more += [*_spread(values, bound.values), f"| extend InsCounts = iff({_all_present(values)}, 1, 0)"]
    if kind in NUMERIC_VALUES and bound.values[0][0].array:
        more.append(f"| mv-expand InsNumber to typeof({'long' if bound.values[0][0].type == 'long' else 'real'})")
    rules = _names("InsRule", len(bound.members)) if kind in TOLD_APART else ()
    scale = 10**DECIMALS if kind in NUMERIC_VALUES and any(fields[0].type != "long" for fields in bound.values) else 1
    return Rows((*lines, *more), groups, values, rules, scale)


def selected(bound: BoundCorrelation, mapping: TargetMapping, span: Sequence[str] = ()) -> list[str]:
    """The lines that take the members' events out of their tables, one row an event, in the columns of `columns`.

    `span` are conditions on `TimeGenerated`, beyond the time range that the rule sets. Raises `Refused`.
    """
    if bound.timestamp.name != "TimeGenerated" or bound.timestamp.type != "datetime":
        raise Refused("Sentinel's rules look back by TimeGenerated: '@timestamp' has to be mapped to it, as a datetime")
    sources = list({member.logsource.name: member.logsource for member in bound.members}.values())
    parts = [_source(bound, source, mapping, span) for source in sources]
    if len(parts) == 1:
        return parts[0]
    written = [operand(part) for part in parts]
    return ["union", *(f"{part}," for part in written[:-1]), written[-1]]


def operand(lines: Sequence[str]) -> str:
    """Lines of a query as an operand of a union, in parentheses and indented."""
    return "    (" + "\n    ".join("\n".join(lines).split("\n")) + ")"


def columns(bound: BoundCorrelation) -> Mapping[str, str]:
    """The columns that `selected` gives, with their types."""
    kind = bound.correlation.type
    named = {"InsMs": "long", **dict.fromkeys((name for name, _ in _IDENTITY), "string")}
    if kind in TOLD_APART:
        named |= dict.fromkeys(_names("InsRule", len(bound.members)), "long")
    named |= {f"InsGroup{place}": _text_type(field) for place, field in enumerate(bound.group_by[0], 1)}
    if kind is CorrelationType.VALUE_COUNT:
        named |= {f"InsValue{place}": _text_type(field) for place, field in enumerate(bound.values[0], 1)}
    if kind in NUMERIC_VALUES:
        field = bound.values[0][0]
        named["InsNumber"] = "dynamic" if field.array else "long" if field.type == "long" else "real"
    return named


def _text_type(field: TargetField) -> str:
    return "dynamic" if field.array else "string"


def scope(source: TargetLogSource, mapping: TargetMapping) -> list[str]:
    """The log source's table and its own events in it; all of them where the mapping is open. Raises `Refused`."""
    if mapping.open:
        return [quoting.table(table_of(source))]
    field = mapping.fields.get(LOGSOURCE_FIELD)
    if field is None:
        raise Refused(f"field '{LOGSOURCE_FIELD}' has no place in the sentinel mapping", unmapped=True)
    own = f"{quoting.column(field.name)} =~ {quoting.literal(source.name)}"
    return [quoting.table(table_of(source)), f"| where {own}"]


def _source(bound: BoundCorrelation, source: TargetLogSource, mapping: TargetMapping, span: Sequence[str]) -> list[str]:
    """One table's events as rows."""
    positions = [position for position, member in enumerate(bound.members) if member.logsource.name == source.name]
    apart = bound.correlation.type in TOLD_APART or _differ(bound, positions)
    if bound.correlation.type is CorrelationType.TEMPORAL_ORDERED or _differ(bound, positions):
        _check_disjoint(bound)
    table, *own = scope(source, mapping)
    lines = [table, *([f"| where {' and '.join(span)}"] if span else ()), *own]
    if not apart or len(positions) == 1:
        lines.append(f"| where {where(_any([bound.members[position] for position in positions]))}")
    else:
        flags = [f"InsRule{position + 1} = iff({truth(bound.members[position].predicate)}, 1, 0)" for position in positions]
        lines.append("| extend " + ",\n    ".join(flags))
        lines.append("| where " + " or ".join(f"InsRule{position + 1} == 1" for position in positions))
    return [*lines, f"| project {', '.join(_projected(bound, positions, mapping))}"]


def _projected(bound: BoundCorrelation, positions: Sequence[int], mapping: TargetMapping) -> list[str]:
    kind = bound.correlation.type
    written = ['InsMs = datetime_diff("millisecond", TimeGenerated, datetime(1970-01-01))']
    written += [_identity(name, canonical, mapping) for name, canonical in _IDENTITY]
    if kind in TOLD_APART:
        written += [_flag(number, positions) for number in range(len(bound.members))]
    written += [f"InsGroup{place + 1} = {_choice(bound.group_by, place, positions, _folded)}" for place in range(len(bound.group_names))]
    if kind is CorrelationType.VALUE_COUNT:
        written += [f"InsValue{place + 1} = {_choice(bound.values, place, positions, _folded)}" for place in range(len(bound.values[0]))]
    if kind in NUMERIC_VALUES:
        _check_numbers(bound)
        written.append(f"InsNumber = {_choice(bound.values, 0, positions, _number)}")
    return written


def _identity(name: str, canonical: str, mapping: TargetMapping) -> str:
    field = mapping.fields.get(canonical)
    return f'{name} = ""' if field is None else f"{name} = {quoting.column(field.name)}"


def _flag(number: int, positions: Sequence[int]) -> str:
    if number not in positions:
        return f"InsRule{number + 1} = 0"
    return f"InsRule{number + 1} = 1" if len(positions) == 1 else f"InsRule{number + 1}"


def _choice(fields: Sequence[tuple[TargetField, ...]], place: int, positions: Sequence[int], write: _Writer) -> str:
    """The expression of a group-by or value column: one for all members of the table, or each member's own."""
    own = [(position, fields[position][place]) for position in positions]
    if len({field for _, field in own}) == 1:
        return write(own[0][1])
    cases = ", ".join(f"InsRule{position + 1} == 1, {write(field)}" for position, field in own[:-1])
    return f"case({cases}, {write(own[-1][1])})"


def _folded(field: TargetField) -> str:
    """The value as groups and distinct values are compared: folded text, or an array of it without repetitions."""
    name = quoting.column(field.name)
    if field.array:
        return f'iff({_filled(name)}, set_union(todynamic(tolower(tostring({name}))), dynamic([])), dynamic([""]))'
    if not is_text(field):
        return f"tostring({name})"
    return name if field.case == "lower" else f"tolower({name})"


def _number(field: TargetField) -> str:
    name = quoting.column(field.name)
    if is_text(field):
        return f"iff({name} matches regex {quoting.literal(_NUMERIC_TEXT)}, toreal({name}), real(null))"
    return f"iff({_filled(name)}, {name}, dynamic([null]))" if field.array else name


def _filled(name: str) -> str:
    """Whether the array holds anything: `mv-expand` drops the row of an empty one."""
    return f"coalesce(array_length({name}), 0) > 0"


def _check_numbers(bound: BoundCorrelation) -> None:
    fields = [fields[0] for fields in bound.values]
    types = {(field.type, field.array) for field in fields}
    wrong = [field for field in fields if not (is_number(field) or (is_text(field) and not field.array))]
    if wrong or len(types) > 1:
        raise Refused(f"'{fields[0].name}' cannot be added up: it is no number, or not of one type", ("correlation", "condition", "field"))


def _differ(bound: BoundCorrelation, positions: Sequence[int]) -> bool:
    return any(len({fields[position] for position in positions}) > 1 for fields in (bound.group_by, bound.values))


def _check_disjoint(bound: BoundCorrelation) -> None:
    if not bound.disjoint:
        reason = "one event may match two of its rules, so which rule's fields or place in the order it has cannot be told in Sentinel"
        raise Refused(reason, ("correlation", "rules"))


def _any(members: Sequence[BoundRule]) -> Bound:
    """Any of the predicates, without an `AnyOf` inside an `AnyOf`."""
    predicates = [member.predicate for member in members]
    lifted = tuple(part for each in predicates for part in (each.operands if isinstance(each, AnyOf) else (each,)))
    return lifted[0] if len(lifted) == 1 else AnyOf(lifted)


def _once() -> list[str]:
    """Of a repeated delivery the earliest row."""
    order = ", ".join(f"{name} asc" for name, _ in reversed(_IDENTITY))
    same = " and ".join(f'{name} == prev({name}, 1, "")' for name, _ in reversed(_IDENTITY))
    return [f"| sort by {order}, InsMs asc", f"| extend InsRepeated = {same}", "| where isempty(InsEvent) or not(InsRepeated)"]


def _spread(names: Sequence[str], fields: Sequence[tuple[TargetField, ...]]) -> list[str]:
    """A row for each element of an array."""
    lines = []
    for place, name in enumerate(names):
        arrays = {own[place].array for own in fields}
        if len(arrays) > 1:
            raise Refused(f"'{fields[0][place].name}' holds one value for one of the rules and several for another", ("correlation",))
        if arrays == {True}:
            lines.append(f"| mv-expand {name} to typeof(string)")
    return lines


def _present(groups: Sequence[str]) -> list[str]:
    """An event without a group-by value belongs to no group."""
    return [f"| where {_all_present(groups)}"] if groups else []


def _all_present(names: Sequence[str]) -> str:
    return " and ".join(f"isnotempty({name})" for name in names)


def _names(prefix: str, count: int) -> tuple[str, ...]:
    return tuple(f"{prefix}{number}" for number in range(1, count + 1))
