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
    """Every change: a part gone, a `not` gone, added or reaching further or less far, `and` for `or`, `1 of` for `all of`."""
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


_Changed = tuple[Expression, str, bool]
"""The changed expression, the change in words, and whether a part is gone."""


def _changes(expression: Expression, names: tuple[str, ...]) -> Iterator[_Changed]:
    if expression.operator in _OTHER:
        yield from _of_join(expression)
    yield from _of_negation(expression)
    if expression.operator == "select" and len(select(expression.name, names)) > 1:
        changed = replace(expression, quantifier=_OTHER[expression.quantifier])
        yield changed, f"'{written(changed)}' for '{written(expression)}'", False
    for index, operand in enumerate(expression.operands):
        for changed, what, dropped in _changes(operand, names):
            if expression.operator == "not" and changed.operator == "not":
                continue  # a double negation is the 'not' gone
            yield _with(expression, index, (changed,)), what, dropped


def _of_join(expression: Expression) -> Iterator[_Changed]:
    """`and` and `or`: an operand gone, the other operator, and a `not` that takes in what follows it."""
    operands = expression.operands
    for index, operand in enumerate(operands):
        left = _with(expression, index, ())
        yield left.operands[0] if len(left.operands) == 1 else left, f"condition without '{written(operand)}'", True
        if operand.operator == "not" and index + 1 < len(operands):
            reached = replace(expression, operands=(operand.operands[0], *operands[index + 1 :]))
            wider = Expression("not", (reached,))
            changed = replace(expression, operands=(*operands[:index], wider)) if index else wider
            yield changed, f"'{written(wider)}' for '{written(operand)}'", False
    other = _OTHER[expression.operator]
    yield replace(expression, operator=other), f"'{other}' for '{expression.operator}' in '{written(expression)}'", False


def _of_negation(expression: Expression) -> Iterator[_Changed]:
    """A `not` gone, or only before the first of what it was for; before anything else, one added."""
    if expression.operator != "not":
        yield Expression("not", (expression,)), f"'not' before '{written(expression)}'", False
        return
    (operand,) = expression.operands
    yield operand, f"'{written(operand)}' without its 'not'", False
    if operand.operator in _OTHER and operand.operands[0].operator != "not":
        narrower = _with(operand, 0, (Expression("not", (operand.operands[0],)),))
        yield narrower, f"'{written(narrower)}' for '{written(expression)}'", False


def _with(expression: Expression, index: int, instead: tuple[Expression, ...]) -> Expression:
    return replace(expression, operands=(*expression.operands[:index], *instead, *expression.operands[index + 1 :]))
