"""What a correlation's rows can tell, whatever the target: a value, which one is best, and whether half a window misleads."""

from __future__ import annotations

from insigma.bind.model import BoundCorrelation
from insigma.content.condition import Expression
from insigma.content.model import Bound, CorrelationType, CountOperator

_RISING = frozenset({CountOperator.GT, CountOperator.GTE})
_COUNTS = frozenset({CorrelationType.EVENT_COUNT, CorrelationType.VALUE_COUNT, CorrelationType.TEMPORAL})
_VALUED = frozenset({CorrelationType.EVENT_COUNT, CorrelationType.VALUE_COUNT, CorrelationType.VALUE_SUM, CorrelationType.VALUE_AVG})


def has_value(bound: BoundCorrelation) -> bool:
    """Whether the rows of the instants carry a value: a percentile is judged by counting, and is not known."""
    kind = bound.correlation.type
    return not all_members(bound) if kind is CorrelationType.TEMPORAL else kind in _VALUED


def best(bound: BoundCorrelation) -> str:
    """The function that picks the value of the best window: the highest, or the lowest where only low values satisfy."""
    operators = {condition.operator for condition in bound.correlation.condition.bounds}
    return "min" if operators <= {CountOperator.LT, CountOperator.LTE} else "max"


def needs_whole_windows(bound: BoundCorrelation) -> bool:
    """Whether a window of which the search sees only the later part could satisfy where the whole one does not."""
    kind, condition = bound.correlation.type, bound.correlation.condition
    if kind is CorrelationType.TEMPORAL_ORDERED:
        return False
    if condition.expression is not None:
        return negates(condition.expression)
    return kind not in _COUNTS or any(each.operator not in _RISING for each in condition.bounds)


def all_members(bound: BoundCorrelation) -> bool:
    """Whether a temporal correlation asks for all its members: every extended condition has no count of its own."""
    condition = bound.correlation.condition
    return condition.expression is not None or condition.bounds in ((), (Bound(CountOperator.GTE, len(bound.members)),))


def negates(expression: Expression) -> bool:
    """Whether the expression has a `not` in it."""
    return expression.operator == "not" or any(negates(operand) for operand in expression.operands)
