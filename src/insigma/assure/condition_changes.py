"""A condition with one thing changed, written out again.

Input: the tree of a condition and the names of the selections. Output: each change with its text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from insigma.content.condition import Expression, select

_OTHER = {"and": "or", "or": "and"}


@dataclass(frozen=True, slots=True)
class ConditionChange:
    """The changed condition; `dropped` says that a part is gone, and not only otherwise."""

    text: str
    what: str
    dropped: bool


def condition_changes(expression: Expression, names: tuple[str, ...]) -> Iterator[ConditionChange]:
    """Every change: a part gone, a `not` gone or added, `and` for `or`, `1 of` for `all of`."""
    for changed, what, dropped in _changes(expression, names):
        yield ConditionChange(written(changed), what, dropped)


def selections_named(expression: Expression, names: tuple[str, ...]) -> tuple[str, ...]:
    """The selections that a selector such as `1 of filter_*` means among others: each can be gone without the selector going."""
    found: dict[str, None] = {}
    for node in _nodes(expression):
        meant = select(node.name, names) if node.operator == "select" else ()
        found.update(dict.fromkeys(meant if len(meant) > 1 else ()))
    by_name = {node.name for node in _nodes(expression) if node.operator == "name"}
    return tuple(name for name in found if name not in by_name)


def written(expression: Expression) -> str:
    """The condition as text; what is nested stands in parentheses."""
    match expression.operator:
        case "name":
            return expression.name
        case "select":
            return f"{'1' if expression.quantifier == 'or' else 'all'} of {expression.name}"
        case "not":
            return f"not {_inner(expression.operands[0])}"
        case operator:
            return f" {operator} ".join(_inner(operand) for operand in expression.operands)


def _inner(expression: Expression) -> str:
    text = written(expression)
    return f"({text})" if expression.operator in _OTHER else text


def _nodes(expression: Expression) -> Iterator[Expression]:
    yield expression
    for operand in expression.operands:
        yield from _nodes(operand)


def _changes(expression: Expression, names: tuple[str, ...]) -> Iterator[tuple[Expression, str, bool]]:
    operands = expression.operands
    if expression.operator in _OTHER:
        for index, operand in enumerate(operands):
            left = (*operands[:index], *operands[index + 1 :])
            yield left[0] if len(left) == 1 else replace(expression, operands=left), f"condition without '{written(operand)}'", True
        other = _OTHER[expression.operator]
        yield replace(expression, operator=other), f"'{other}' for '{expression.operator}' in '{written(expression)}'", False
    if expression.operator == "not":
        yield operands[0], f"'{written(operands[0])}' without its 'not'", False
    else:
        yield Expression("not", (expression,)), f"'not' before '{written(expression)}'", False
    if expression.operator == "select" and len(select(expression.name, names)) > 1:
        other = _OTHER[expression.quantifier]
        changed = replace(expression, quantifier=other)
        yield changed, f"'{written(changed)}' for '{written(expression)}'", False
    for index, operand in enumerate(operands):
        for changed, what, dropped in _changes(operand, names):
            if expression.operator == "not" and changed.operator == "not":
                continue  # a double negation is the 'not' gone
            yield replace(expression, operands=(*operands[:index], changed, *operands[index + 1 :])), what, dropped
