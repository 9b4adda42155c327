"""What is left of the empty string in a predicate, as a Kusto string column has one value for it and for absence.

`a: [null, '']` asks for both and is said exactly by `isempty()`; the empty string alone would match every event without the
field, and is refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.bind.model import AllOf, AnyOf, Bound, Negated, OneOf, Refused, Test
from insigma.content.predicate import Constant, Exists, IsNull, Text

NOTE = "an empty string counts as an absent field, as Sentinel stores both alike"


def without_empty(predicate: Bound) -> Bound:
    """The predicate without tests for the empty string that absence covers. Raises `Refused` for any other."""
    match predicate:
        case AllOf(operands):
            return AllOf(tuple(without_empty(operand) for operand in operands))
        case AnyOf(operands):
            absent = _absent(operands)
            return _any(tuple(_without(operand, absent) for operand in operands))
        case Negated(operand):
            return Negated(without_empty(operand))
        case Test() | OneOf() if _is_text(predicate) and _asks_for_empty(predicate):
            reason = f"Sentinel stores an empty '{predicate.canonical}' and an absent one alike: '' alone cannot be asked for"
            raise Refused(reason, ("detection",))
        case _:
            return predicate


def notes(predicate: Bound) -> Iterator[str]:
    """A note where an empty string would be judged as an absent field."""
    match predicate:
        case AllOf(operands) | AnyOf(operands):
            for operand in operands:
                yield from notes(operand)
        case Negated(operand):
            yield from notes(operand)
        case Test(value=IsNull() | Exists()) if _is_text(predicate):
            yield NOTE


def _any(operands: tuple[Bound, ...]) -> Bound:
    kept = tuple(operand for operand in operands if operand != Constant(False))
    if not kept:
        return Constant(False)
    return kept[0] if len(kept) == 1 else AnyOf(kept)


def _absent(operands: tuple[Bound, ...]) -> frozenset[str]:
    """The columns whose absence is one of the alternatives."""
    tests = [operand for operand in operands if isinstance(operand, Test) and operand.value in (IsNull(), Exists(False))]
    return frozenset(test.column for test in tests if _is_text(test))


def _without(operand: Bound, absent: frozenset[str]) -> Bound:
    if isinstance(operand, (Test, OneOf)) and operand.column in absent and _asks_for_empty(operand):
        rest = tuple(value for value in operand.values if isinstance(value, str) and value) if isinstance(operand, OneOf) else ()
        return OneOf(operand.column, operand.field, operand.canonical, rest, operand.ignore_case) if rest else Constant(False)
    return without_empty(operand)


def _asks_for_empty(test: Test | OneOf) -> bool:
    if isinstance(test, OneOf):
        return "" in test.values
    return isinstance(test.value, Text) and test.value.literal == ""


def _is_text(test: Test | OneOf) -> bool:
    """Whether the column is one that was stored as a string: one that a query makes is never empty."""
    return test.field.type == "string" and not test.field.array and test.field.lookup is None
