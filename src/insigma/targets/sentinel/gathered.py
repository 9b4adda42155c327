"""The members' events out of their tables, as small rows: the columns are those that `rows` tells.

A correlation that looks something up takes two steps. The events that may match come out of their tables with all that is read
of them later; then, together, they are looked up, and asked what was left to ask. So each table is joined once, however many
log sources there are, and a roll-up has no lookup in it: the data lake has no functions but Kusto's own (Run KQL queries on the
Microsoft Sentinel data lake, "Query considerations and limitations").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from insigma.bind.model import AnyOf, Bound, BoundCorrelation, Refused
from insigma.content.model import CorrelationType, TargetField, TargetLogSource, TargetMapping
from insigma.content.predicate import Constant
from insigma.content.taxonomy import LOGSOURCE_FIELD
from insigma.targets.ranks import PERCENTILES
from insigma.targets.sentinel import quoting
from insigma.targets.sentinel.layout import NUMERIC_TEXT, is_number, is_text, kusto_type, table_of
from insigma.targets.sentinel.lookups import columns_of, looked_up, split
from insigma.targets.sentinel.predicates import truth, where
from insigma.targets.sentinel.watchlists import MOMENT, joined, moment, reads

NUMERIC_VALUES = frozenset({CorrelationType.VALUE_SUM, CorrelationType.VALUE_AVG, *PERCENTILES})
TOLD_APART = frozenset({CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED})
IDENTITY = (("InsTenant", "organization.id"), ("InsSource", LOGSOURCE_FIELD), ("InsFeed", "event.dataset"), ("InsEvent", "event.id"))

_Writer = Callable[[TargetField], str]


def selected(bound: BoundCorrelation, mapping: TargetMapping) -> list[str]:
    """The lines that give the members' events, one row an event. Raises `Refused`."""
    return [*gathered(bound, mapping), *judged(bound, mapping)]


def gathered(bound: BoundCorrelation, mapping: TargetMapping, span: Sequence[str] = ()) -> list[str]:
    """The lines that take the members' events out of their tables, one row an event, in the columns of `columns`.

    They are all that match, or all that may, before `judged` has looked them up.

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


def judged(bound: BoundCorrelation, mapping: TargetMapping) -> list[str]:
    """The lines after `gathered` that look events up and keep those that match. None where nothing is looked up. Raises `Refused`."""
    fields = looked_up(bound)
    if not fields:
        return []
    lines = [*joined(fields, mapping).lines, *_asked([split(member.predicate)[1] for member in bound.members])]
    time = bound.timestamp.name
    if time in _read_later(bound, mapping):
        lines.insert(0, f"| extend {time} = unixtime_milliseconds_todatetime({MOMENT})")
    head = [MOMENT, *(name for name, _ in IDENTITY)]
    return [*lines, f"| project {', '.join(_projected(bound, range(len(bound.members)), head))}"]


def columns(bound: BoundCorrelation, mapping: TargetMapping) -> Mapping[str, str]:
    """The columns that `gathered` gives, with their types."""
    kind = bound.correlation.type
    named = {MOMENT: "long", **dict.fromkeys((name for name, _ in IDENTITY), "string")}
    if looked_up(bound):
        flags = dict.fromkeys(names_of("InsRule", len(bound.members) if len(bound.members) > 1 else 0), "long")
        return named | flags | {name: kusto_type(field) for name, field in _carried(bound, mapping).items()}
    if kind in TOLD_APART:
        named |= dict.fromkeys(names_of("InsRule", len(bound.members)), "long")
    named |= {f"InsGroup{place}": _text_type(field) for place, field in enumerate(bound.group_by[0], 1)}
    if kind is CorrelationType.VALUE_COUNT:
        named |= {f"InsValue{place}": _text_type(field) for place, field in enumerate(bound.values[0], 1)}
    if kind in NUMERIC_VALUES:
        field = bound.values[0][0]
        named["InsNumber"] = "dynamic" if field.array else "long" if field.type == "long" else "real"
    return named


def names_of(prefix: str, count: int) -> tuple[str, ...]:
    return tuple(f"{prefix}{number}" for number in range(1, count + 1))


def _asked(rests: Sequence[Bound]) -> list[str]:
    """The lines that ask each member what is left of it, of rows that may match it."""
    left = {number: rest for number, rest in enumerate(rests, 1) if rest != Constant(True)}
    if not left:
        return []
    if len(rests) == 1:
        return [f"| where {where(rests[0])}"]
    flags = [f"InsRule{number} = iff({truth(rest)}, InsRule{number}, 0)" for number, rest in left.items()]
    return ["| extend " + ",\n    ".join(flags), "| where " + " or ".join(f"{name} == 1" for name in names_of("InsRule", len(rests)))]


def _read_later(bound: BoundCorrelation, mapping: TargetMapping) -> dict[str, TargetField]:
    """The stored columns that `judged` reads."""
    read = [pair for member in bound.members for pair in columns_of(split(member.predicate)[1])]
    read += [(field.name, field) for field in reads(looked_up(bound), mapping)]
    read += [(field.name, field) for own in (*bound.group_by, *bound.values) for field in own]
    return {name: field for name, field in read if field.lookup is None}


def _carried(bound: BoundCorrelation, mapping: TargetMapping) -> dict[str, TargetField]:
    """The stored columns that rows bring along to be looked up. Raises `Refused` where one has a name that the rows need.

    The time is in every row, and a table that a roll-up fills has a `TimeGenerated` of its own.
    """
    read = {name: field for name, field in _read_later(bound, mapping).items() if name != bound.timestamp.name}
    own = {MOMENT, *(name for name, _ in IDENTITY), *names_of("InsRule", len(bound.members))}
    if taken := own & read.keys():
        raise Refused(f"the sentinel mapping has a column '{min(taken)}', which a correlation makes by itself")
    return read


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
    later = bool(looked_up(bound))
    apart = bound.correlation.type in TOLD_APART or _differ(bound, positions) or (later and len(bound.members) > 1)
    if bound.correlation.type is CorrelationType.TEMPORAL_ORDERED or _differ(bound, positions):
        _check_disjoint(bound)
    predicates = {position: bound.members[position].predicate for position in positions}
    if later:
        predicates = {position: split(predicate)[0] for position, predicate in predicates.items()}
    table, *own = scope(source, mapping)
    lines = [table, *([f"| where {' and '.join(span)}"] if span else ()), *own]
    if not apart or len(positions) == 1:
        lines.append(f"| where {where(_any(list(predicates.values())))}")
    else:
        flags = [f"InsRule{position + 1} = iff({truth(predicate)}, 1, 0)" for position, predicate in predicates.items()]
        lines.append("| extend " + ",\n    ".join(flags))
        lines.append("| where " + " or ".join(f"InsRule{position + 1} == 1" for position in positions))
    head = [f"{MOMENT} = {moment(mapping)}", *(_identity(name, canonical, mapping) for name, canonical in IDENTITY)]
    projected = _brought(bound, positions, mapping, head) if later else _projected(bound, positions, head)
    return [*lines, f"| project {', '.join(projected)}"]


def _brought(bound: BoundCorrelation, positions: Sequence[int], mapping: TargetMapping, head: Sequence[str]) -> list[str]:
    """The columns of a row that is still to be looked up."""
    flags = [_flag(number, positions) for number in range(len(bound.members))] if len(bound.members) > 1 else []
    return [*head, *flags, *(quoting.column(name) for name in _carried(bound, mapping))]


def _projected(bound: BoundCorrelation, positions: Sequence[int], head: Sequence[str]) -> list[str]:
    kind = bound.correlation.type
    written = [*head]
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
        return f"iff({name} matches regex {quoting.literal(NUMERIC_TEXT)}, toreal({name}), real(null))"
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


def _any(predicates: Sequence[Bound]) -> Bound:
    """Any of the predicates, without an `AnyOf` inside an `AnyOf`."""
    lifted = tuple(part for each in predicates for part in (each.operands if isinstance(each, AnyOf) else (each,)))
    return lifted[0] if len(lifted) == 1 else AnyOf(lifted)
