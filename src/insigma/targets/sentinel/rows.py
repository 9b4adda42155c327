"""The first half of every correlation: the members' events as small rows, each event once.

A row has `InsMs` (event time in whole milliseconds since 1970), `InsGroup<k>` (folded group-by values), `InsRule<i>` (1 if
member i matches, else 0; where members have to be told apart), and what the correlation's type needs: `InsValue<k>` with
`InsCounts` (1 if no value is absent), or `InsNumber`.

Events of several log sources come together by `union`, each table filtered by itself (see `gathered`). A repeated delivery
counts once: the earliest of equal tenant, log source, feed and event id; an event without an id always counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from insigma.bind.model import BoundCorrelation, Refused
from insigma.content.model import CorrelationType, TargetField, TargetMapping
from insigma.targets.sentinel.gathered import IDENTITY, NUMERIC_VALUES, TOLD_APART, names_of, selected

DECIMALS = 6
"""So many decimals of a real take part in sums: they are added as whole millionths, which no order of adding changes."""


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
    groups = names_of("InsGroup", len(bound.group_names))
    values = names_of("InsValue", len(bound.values[0])) if kind is CorrelationType.VALUE_COUNT else ()
    more = [*_once(), *_spread(groups, bound.group_by), *_present(groups)]
    if kind is CorrelationType.VALUE_COUNT:
        more += [*_spread(values, bound.values), f"| extend InsCounts = iff({_all_present(values)}, 1, 0)"]
    if kind in NUMERIC_VALUES and bound.values[0][0].array:
        more.append(f"| mv-expand InsNumber to typeof({'long' if bound.values[0][0].type == 'long' else 'real'})")
    rules = names_of("InsRule", len(bound.members)) if kind in TOLD_APART else ()
    scale = 10**DECIMALS if kind in NUMERIC_VALUES and any(fields[0].type != "long" for fields in bound.values) else 1
    return Rows((*lines, *more), groups, values, rules, scale)


def _once() -> list[str]:
    """Of a repeated delivery the earliest row."""
    order = ", ".join(f"{name} asc" for name, _ in reversed(IDENTITY))
    same = " and ".join(f'{name} == prev({name}, 1, "")' for name, _ in reversed(IDENTITY))
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
