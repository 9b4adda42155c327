"""Rules as they stand in a target's own fields: what emitters read.

A bound predicate is built of `AllOf`, `AnyOf`, `Negated` and the leaves `Test`, `OneOf`, `Anywhere` and `Constant`. Binding has
already decided case, types and which stored field is meant; an emitter only writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from insigma.content.model import Correlation, Rule, TargetField, TargetLogSource
from insigma.content.predicate import Affix, Boolean, Cidr, Compare, Constant, Exists, IsNull, Number, Regex, Text, TimePart


class Refused(Exception):
    """A rule that a target cannot say faithfully: why, and where in the rule (a path of keys into its document).

    `unmapped` says that the target's mapping lacks a field or log source: mapping it would help.
    """

    def __init__(self, reason: str, where: tuple[str | int, ...] = (), *, unmapped: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.where = where
        self.unmapped = unmapped


@dataclass(frozen=True, slots=True)
class Column:
    """Another stored field to compare with (modifier `fieldref`)."""

    name: str
    field: TargetField
    affix: Affix


BoundValue: TypeAlias = "Text | Number | Boolean | Compare | Regex | Cidr | Column | IsNull | Exists | TimePart"


@dataclass(frozen=True, slots=True)
class Test:
    """One stored field against one value.

    A `TimePart` asks for one part of a date in UTC (`week` is that of ISO 8601), and only of a field stored as a date.
    `column` is the field to read (the cased one where case matters). With `ignore_case`, a `Text` is already folded;
    where `field.case` is "lower" the stored value is folded too, so plain comparison is right, else the operator must
    ignore case by itself.
    """

    column: str
    field: TargetField
    canonical: str
    value: BoundValue
    ignore_case: bool


@dataclass(frozen=True, slots=True)
class OneOf:
    """One stored field equal to any of several literals (strings, folded where `ignore_case`, or numbers)."""

    column: str
    field: TargetField
    canonical: str
    values: tuple[str, ...] | tuple[int | float, ...]
    ignore_case: bool


@dataclass(frozen=True, slots=True)
class Anywhere:
    """Some value of the event, whatever its field: a keyword, where no list of fields is declared.

    `value` ignores case as it says itself and is not folded; a `Text` has a `*` on both sides. Never below a `Negated`.
    """

    value: Text | Regex


@dataclass(frozen=True, slots=True)
class AllOf:
    """All operands hold. At least two; never an `AllOf` among them."""

    operands: tuple[Bound, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one operand holds. At least two; never an `AnyOf` among them."""

    operands: tuple[Bound, ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """The operand does not hold. Two-valued: where the target's logic gives null for the operand, this is true."""

    operand: Bound


Bound: TypeAlias = "AllOf | AnyOf | Negated | Constant | Test | OneOf | Anywhere"


def tests(predicate: Bound) -> Iterator[Test | OneOf]:
    """The tests of the predicate, left to right."""
    match predicate:
        case Test() | OneOf():
            yield predicate
        case AllOf(operands) | AnyOf(operands):
            for operand in operands:
                yield from tests(operand)
        case Negated(operand):
            yield from tests(operand)


@dataclass(frozen=True, slots=True)
class BoundRule:
    """An event rule in a target's fields."""

    rule: Rule
    predicate: Bound
    logsource: TargetLogSource


@dataclass(frozen=True, slots=True)
class BoundCorrelation:
    """A correlation over event rules in a target's fields.

    `group_by[i][k]` is the stored field of the k-th group-by key in events of `members[i]`; `group_names[k]` the key as
    the rule writes it. `values[i]` are the stored fields that are counted, summed or averaged (empty otherwise).
    `disjoint` says that no event can match two members. `timestamp` and `event_key` are the stored time and the stored
    fields that identify an event (for counting a repeated delivery once).
    """

    correlation: Correlation
    members: tuple[BoundRule, ...]
    group_names: tuple[str, ...]
    group_by: tuple[tuple[TargetField, ...], ...]
    values: tuple[tuple[TargetField, ...], ...]
    disjoint: bool
    timestamp: TargetField
    event_key: tuple[TargetField, ...]


BoundAny: TypeAlias = "BoundRule | BoundCorrelation"
