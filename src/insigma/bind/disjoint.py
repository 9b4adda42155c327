"""Whether no event can match two predicates: decided from equalities that each of them needs."""

from __future__ import annotations

from collections.abc import Mapping

from insigma.bind.model import AllOf, AnyOf, Bound, OneOf, Test
from insigma.content.folding import fold
from insigma.content.numbers import canonical_number
from insigma.content.predicate import Text

Needs = Mapping[str, frozenset[str]]


def needs(predicate: Bound) -> Needs:
    """For each single-valued canonical field: the folded literals of which the field must equal one, where the predicate demands that."""
    match predicate:
        case Test(canonical=name, value=Text() as text, field=field) if text.literal is not None and not field.array:
            return {name: frozenset({fold(text.literal)})}
        case OneOf(canonical=name, values=values, field=field) if not field.array:
            return {name: frozenset(fold(value) if isinstance(value, str) else canonical_number(value) for value in values)}
        case AllOf(operands):
            found: dict[str, frozenset[str]] = {}
            for operand in operands:
                for wanted, allowed in needs(operand).items():
                    found[wanted] = found[wanted] & allowed if wanted in found else allowed
            return found
        case AnyOf(operands):
            sides = [needs(operand) for operand in operands]
            shared = set.intersection(*(set(side) for side in sides))
            return {name: frozenset().union(*(side[name] for side in sides)) for name in sorted(shared)}
        case _:
            return {}


def all_disjoint(predicates: tuple[Bound, ...], logsources: tuple[str, ...]) -> bool:
    """Whether each two of the predicates, on their log sources, exclude each other."""
    needed = [needs(predicate) for predicate in predicates]
    return all(logsources[i] != logsources[j] or _exclude(needed[i], needed[j]) for i in range(len(needed)) for j in range(i))


def _exclude(left: Needs, right: Needs) -> bool:
    return any(not left[name] & right[name] for name in left.keys() & right.keys())
