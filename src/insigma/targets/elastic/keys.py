"""The columns that an ES|QL correlation groups by and counts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from insigma.bind.model import BoundCorrelation, Refused
from insigma.content.model import TargetField
from insigma.targets.elastic.quoting import esql_column
from insigma.targets.elastic.scope import same_field

WORKING = frozenset(
    {"amount", "counted", "delivery", "end", "first_seen", "hop", "last_seen", "moment", "slot", "start", "value", "window"}
)
"""The names of the query's own columns."""


@dataclass(frozen=True, slots=True)
class Key:
    """A column: its `name` in the result, quoted as `column`.

    `source` is the expression it is made of, None for a stored field as it is; `per_member` says that the expression
    depends on which member the event matches.
    """

    name: str
    column: str
    source: str | None
    per_member: bool
    array: bool


def group_keys(bound: BoundCorrelation) -> tuple[Key, ...]:
    """The group-by columns. Raises `Refused`."""
    return tuple(
        _key(bound, name, tuple(fields[position] for fields in bound.group_by), ("correlation", "group-by"))
        for position, name in enumerate(bound.group_names)
    )


def value_keys(bound: BoundCorrelation) -> tuple[Key, ...]:
    """The columns that are counted, summed or averaged. Raises `Refused`.

    An array that is also grouped by is copied: a row of one group has only that group's element left, but counts all of them.
    """
    grouped = {key.column for key in group_keys(bound) if key.array}
    found = []
    for position, name in enumerate(bound.correlation.condition.fields):
        key = _key(bound, name, tuple(fields[position] for fields in bound.values), ("correlation", "condition"))
        copied = replace(key, column=f"copy_{position + 1}", source=key.source or key.column)
        found.append(copied if key.column in grouped else key)
    return tuple(found)


def _key(bound: BoundCorrelation, name: str, fields: tuple[TargetField, ...], where: tuple[str, ...]) -> Key:
    first = fields[0]
    if len({(field.type, field.array) for field in fields}) > 1:
        raise Refused(f"'{name}' stands for fields that elastic stores in different types", where)
    per_member = not same_field(fields)
    column = name if per_member else first.name
    if column in WORKING or column.startswith(("below_", "copy_", "hit_", "upto_")):
        raise Refused(f"'{column}' is the name of a column that the ES|QL query needs for itself", where)
    if not per_member:
        return Key(column, esql_column(column), _folded(first), False, first.array)
    if not bound.disjoint:
        raise Refused(f"alias '{name}' is not clear for an event that matches two of the rules, and their conditions allow one", where)
    cases = ", ".join(f"hit_{index} == 1, {_folded(field) or esql_column(field.name)}" for index, field in enumerate(fields, 1))
    return Key(column, esql_column(column), f"CASE({cases})", True, first.array)


def _folded(field: TargetField) -> str | None:
    """The expression that folds the column where elastic stores it in any case."""
    if field.type != "keyword" or field.case == "lower":
        return None
    return f"TO_LOWER({esql_column(field.name)})"
