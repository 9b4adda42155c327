"""The typed predicate tree: what a rule's detection says, with every modifier already worked out.

A tree is built from `And`, `Or`, `Not`, `Named` and leaves. Leaves are `Match` (one field against one value),
`Keyword` (one value against every leaf value of the event) and `Constant`. Logic is two-valued: an absent field
makes a leaf false, except for `IsNull` and `Exists(False)`. See docs/semantics.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Wildcard(Enum):
    """A wildcard inside a string pattern."""

    MANY = "*"
    ONE = "?"


Part: TypeAlias = "str | Wildcard"


@dataclass(frozen=True, slots=True)
class Text:
    """A string pattern: literal pieces and wildcards. `cased` makes it case-sensitive.

    `parts` never holds two adjacent literals or two adjacent `MANY`; the empty string has no parts.
    """

    parts: tuple[Part, ...]
    cased: bool = False

    @property
    def literal(self) -> str | None:
        """The string itself where the pattern has no wildcard, else None."""
        if not self.parts:
            return ""
        if len(self.parts) == 1 and isinstance(self.parts[0], str):
            return self.parts[0]
        return None


@dataclass(frozen=True, slots=True)
class Number:
    """A number, equal to numbers and to strings that are its canonical decimal text."""

    value: int | float


@dataclass(frozen=True, slots=True)
class Boolean:
    """true or false, equal to booleans and to the strings "true"/"false" in any case."""

    value: bool


class Comparison(Enum):
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"


@dataclass(frozen=True, slots=True)
class Compare:
    """Numeric order: sees numbers and numeric strings, nothing else."""

    operator: Comparison
    value: int | float


@dataclass(frozen=True, slots=True)
class Regex:
    """An RE2 expression searched for in the value, case-sensitive unless `ignore_case`."""

    pattern: str
    ignore_case: bool = False
    multiline: bool = False
    dotall: bool = False


@dataclass(frozen=True, slots=True)
class Cidr:
    """An IPv4 or IPv6 network in CIDR notation; a value that is no address does not match."""

    network: str


class Affix(Enum):
    """How the referenced field's value relates to the field's value."""

    EQUALS = "equals"
    STARTSWITH = "startswith"
    ENDSWITH = "endswith"
    CONTAINS = "contains"


@dataclass(frozen=True, slots=True)
class FieldRef:
    """The value of another field. Ignores case unless `cased`; false if either side is absent."""

    field: str
    affix: Affix = Affix.EQUALS
    cased: bool = False


@dataclass(frozen=True, slots=True)
class IsNull:
    """True where the field is absent or null."""


@dataclass(frozen=True, slots=True)
class Exists:
    """True where the field has (or, with `wanted` false, has not) a value."""

    wanted: bool


class TimeUnit(Enum):
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class TimePart:
    """One part of the field's UTC timestamp equals `value`."""

    unit: TimeUnit
    value: int


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A string with `%name%` placeholders (modifier `expand`), to be filled from a list before use.

    `template` holds literal pieces, wildcards and placeholder names; the names stand in `names` order as `Name` parts.
    """

    template: tuple[Part | Name, ...]
    cased: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a list inside a placeholder template."""

    name: str


Value: TypeAlias = "Text | Number | Boolean | Compare | Regex | Cidr | FieldRef | IsNull | Exists | TimePart | Placeholder"


@dataclass(frozen=True, slots=True)
class Match:
    """The field has a value (any element, if it is an array) that satisfies `value`."""

    field: str
    value: Value


@dataclass(frozen=True, slots=True)
class Keyword:
    """Some leaf value of the event matches `value` (never a field name). A `Text` already has a `*` on both sides."""

    value: Text | Regex | Placeholder


@dataclass(frozen=True, slots=True)
class And:
    """All operands hold. At least two."""

    operands: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one operand holds. At least two."""

    operands: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class Not:
    operand: Predicate


@dataclass(frozen=True, slots=True)
class Named:
    """A selection of the rule, kept so that a verdict can be explained in the rule's own words."""

    name: str
    operand: Predicate


@dataclass(frozen=True, slots=True)
class Constant:
    """Always true or always false: what is left of an empty list filled into a placeholder."""

    value: bool


Predicate: TypeAlias = "And | Or | Not | Named | Match | Keyword | Constant"


def conjunction(operands: tuple[Predicate, ...]) -> Predicate:
    """`And` of the operands, or the only one. Raises ValueError for none."""
    return _join(And, operands)


def disjunction(operands: tuple[Predicate, ...]) -> Predicate:
    """`Or` of the operands, or the only one. Raises ValueError for none."""
    return _join(Or, operands)


def _join(kind: type[And] | type[Or], operands: tuple[Predicate, ...]) -> Predicate:
    if not operands:
        raise ValueError(f"{kind.__name__} of nothing")
    return operands[0] if len(operands) == 1 else kind(operands)


def pattern(parts: Iterable[Part], cased: bool = False) -> Text:
    """A `Text` of the parts in normal form: neighbouring literals joined, empty ones left out, repeated `*` told once."""
    merged: list[Part] = []
    for part in parts:
        last = merged[-1] if merged else None
        if isinstance(part, str) and isinstance(last, str):
            merged[-1] = last + part
        elif part != "" and not (part is Wildcard.MANY and last is Wildcard.MANY):
            merged.append(part)
    return Text(tuple(merged), cased)


def anywhere(text: Text) -> Text:
    """The pattern with a `*` on both sides."""
    return pattern((Wildcard.MANY, *text.parts, Wildcard.MANY), text.cased)


def spelt(parts: Iterable[Part | Name]) -> str:
    """The parts of a pattern or template as a rule writes them, without escapes."""
    return "".join(part if isinstance(part, str) else f"%{part.name}%" if isinstance(part, Name) else part.value for part in parts)


def affix_shape(pattern: Text) -> tuple[Affix, str] | None:
    """The pattern as equality, prefix, suffix or substring of one literal, where it is no more than that."""
    match pattern.parts:
        case ():
            return Affix.EQUALS, ""
        case (str() as literal,):
            return Affix.EQUALS, literal
        case (str() as literal, Wildcard.MANY):
            return Affix.STARTSWITH, literal
        case (Wildcard.MANY, str() as literal):
            return Affix.ENDSWITH, literal
        case (Wildcard.MANY, str() as literal, Wildcard.MANY):
            return Affix.CONTAINS, literal
        case _:
            return None


def children(predicate: Predicate) -> tuple[Predicate, ...]:
    """The direct operands of a node; none for a leaf."""
    match predicate:
        case And(operands) | Or(operands):
            return operands
        case Not(operand) | Named(_, operand):
            return (operand,)
        case _:
            return ()


def leaves(predicate: Predicate) -> Iterator[Match | Keyword | Constant]:
    """Every leaf, left to right."""
    if isinstance(predicate, (Match, Keyword, Constant)):
        yield predicate
    for child in children(predicate):
        yield from leaves(child)


def fields_of(predicate: Predicate) -> tuple[str, ...]:
    """The fields that the predicate reads, each once, in order of first use."""
    found: dict[str, None] = {}
    for leaf in leaves(predicate):
        if isinstance(leaf, Match):
            found[leaf.field] = None
            if isinstance(leaf.value, FieldRef):
                found[leaf.value.field] = None
    return tuple(found)
