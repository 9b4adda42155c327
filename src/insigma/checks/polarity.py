"""Which selections a condition negates. Not a check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from insigma.checks.walk import conditions, selections
from insigma.content.condition import ConditionError, Expression, parse_condition, select
from insigma.content.yaml_reader import Document


def negated_selections(document: Document) -> frozenset[str]:
    """Selections that stand under an odd number of `not`s somewhere. A condition that cannot be parsed gives none."""
    names = [selection.name for selection in selections(document)]
    found: set[str] = set()
    for text, _ in conditions(document):
        try:
            found.update(_negated(parse_condition(text), names, under=False))
        except ConditionError:
            continue
    return frozenset(found)


def _negated(expression: Expression, names: Sequence[str], *, under: bool) -> Iterator[str]:
    if expression.operator == "name":
        yield from (expression.name,) if under else ()
    elif expression.operator == "select":
        yield from select(expression.name, names) if under else ()
    else:
        below = not under if expression.operator == "not" else under
        for operand in expression.operands:
            yield from _negated(operand, names, under=below)
