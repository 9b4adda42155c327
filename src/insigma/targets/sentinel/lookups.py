"""What a rule looks up, and what of its predicate can be asked before: the join then sees few events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from insigma.bind.model import AllOf, AnyOf, Bound, BoundAny, BoundRule, Column, Negated, OneOf, Test, tests
from insigma.content.model import TargetField
from insigma.content.predicate import Constant

FOLDING_NOTE = "keys are looked up by tolower(), which folds as the rule does except for a few letters beyond ASCII"


def looked_up(bound: BoundAny) -> tuple[TargetField, ...]:
    """The looked-up fields that the rule reads, each once, in the order in which it names them."""
    members = (bound,) if isinstance(bound, BoundRule) else bound.members
    found = [field for member in members for _, field in columns_of(member.predicate)]
    if not isinstance(bound, BoundRule):
        found += [field for own in (*bound.group_by, *bound.values) for field in own]
    return tuple({field.name: field for field in found if field.lookup is not None}.values())


def columns_of(predicate: Bound) -> Iterator[tuple[str, TargetField]]:
    """The columns that the predicate reads, with their fields, left to right."""
    for test in tests(predicate):
        yield from _columns(test)


def split(predicate: Bound) -> tuple[Bound, Bound]:
    """What can be asked of stored fields alone, and what is left to ask then: both together are the predicate.

    Of an operand that needs a lookup the first part keeps what has to hold whatever the lookup gives.
    """
    first, rest = [], []
    for operand in predicate.operands if isinstance(predicate, AllOf) else (predicate,):
        if _asks(operand):
            first.append(_whatever(operand, True))
            rest.append(operand)
        else:
            first.append(operand)
    return _all(first), _all(rest)


def notes(fields: Sequence[TargetField]) -> tuple[str, ...]:
    """What the ledger says: a line for each table."""
    tables: dict[tuple[str, str], list[str]] = {}
    for field in fields:
        if field.lookup is not None:
            tables.setdefault((field.lookup.table, field.lookup.refresh), []).append(field.lookup.field)
    told = [f"looks {' and '.join(names)} up in {table} ({_age(refresh)})" for (table, refresh), names in tables.items()]
    return (*told, FOLDING_NOTE) if told else ()


def _age(refresh: str) -> str:
    return f"as of its last refresh, at most {refresh}" if refresh else "as of its last refresh"


def _columns(test: Test | OneOf) -> tuple[tuple[str, TargetField], ...]:
    own = (test.column, test.field)
    other = test.value if isinstance(test, Test) else None
    return (own, (other.name, other.field)) if isinstance(other, Column) else (own,)


def _asks(predicate: Bound) -> bool:
    return any(field.lookup is not None for _, field in columns_of(predicate))


def _whatever(predicate: Bound, answer: bool) -> Bound:
    """The predicate with every test of a looked-up field answered, which makes it weaker (true) or stronger (false)."""
    match predicate:
        case AllOf(operands):
            return _all(_whatever(operand, answer) for operand in operands)
        case AnyOf(operands):
            return _any(_whatever(operand, answer) for operand in operands)
        case Negated(operand):
            return _not(_whatever(operand, not answer))
        case Test() | OneOf() if _asks(predicate):
            return Constant(answer)
        case _:
            return predicate


def _all(operands: Iterable[Bound]) -> Bound:
    kept: list[Bound] = []
    for operand in operands:
        if operand == Constant(False):
            return operand
        if operand != Constant(True):
            kept.extend(operand.operands if isinstance(operand, AllOf) else (operand,))
    return AllOf(tuple(kept)) if len(kept) > 1 else kept[0] if kept else Constant(True)


def _any(operands: Iterable[Bound]) -> Bound:
    kept: list[Bound] = []
    for operand in operands:
        if operand == Constant(True):
            return operand
        if operand != Constant(False):
            kept.extend(operand.operands if isinstance(operand, AnyOf) else (operand,))
    return AnyOf(tuple(kept)) if len(kept) > 1 else kept[0] if kept else Constant(False)


def _not(operand: Bound) -> Bound:
    match operand:
        case Constant(value):
            return Constant(not value)
        case Negated(inner):
            return inner
        case _:
            return Negated(operand)
