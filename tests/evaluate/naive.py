"""Predicates by definition: a second reading that shares no code with the closures, for made-up predicates and flat events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from insigma.content.predicate import (
    Affix,
    And,
    Boolean,
    Compare,
    Comparison,
    Constant,
    Exists,
    FieldRef,
    IsNull,
    Keyword,
    Match,
    Named,
    Not,
    Number,
    Or,
    Predicate,
    Regex,
    Text,
    Wildcard,
)


def holds(predicate: Predicate, event: Mapping[str, Any]) -> bool:
    """Whether the predicate holds for an event of plain values and lists of them."""
    match predicate:
        case And(operands):
            return all(holds(operand, event) for operand in operands)
        case Or(operands):
            return any(holds(operand, event) for operand in operands)
        case Not(operand):
            return not holds(operand, event)
        case Named(_, operand):
            return holds(operand, event)
        case Constant(value):
            return value
        case Keyword(value):
            return any(satisfies(one, value, event) for field in event for one in values(event, field))
        case Match(field, IsNull()):
            return not values(event, field)
        case Match(field, Exists(wanted)):
            return bool(values(event, field)) is wanted
        case Match(field, value):
            return any(satisfies(one, value, event) for one in values(event, field))


def values(event: Mapping[str, Any], field: str) -> list[Any]:
    found = event.get(field)
    return [one for one in (found if isinstance(found, list) else [found]) if one is not None]


def text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value == int(value) else str(value)


def satisfies(value: Any, wanted: Any, event: Mapping[str, Any]) -> bool:
    match wanted:
        case Text(parts, cased):
            expression = "".join(re.escape(part) if isinstance(part, str) else ".*" if part is Wildcard.MANY else "." for part in parts)
            return re.fullmatch(expression, text(value), re.DOTALL | (0 if cased else re.IGNORECASE)) is not None
        case Regex(pattern, ignore_case):
            return re.search(pattern, text(value), re.IGNORECASE if ignore_case else 0) is not None
        case Number(number):
            return text(value) == text(number)
        case Boolean(truth):
            return text(value).lower() == text(truth)
        case Compare(operator, number):
            if isinstance(value, bool) or not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text(value)):
                return False
            amount = float(text(value))
            return {
                Comparison.LT: amount < number,
                Comparison.LTE: amount <= number,
                Comparison.GT: amount > number,
                Comparison.GTE: amount >= number,
            }[operator]
        case FieldRef(field, affix, cased):
            left = text(value) if cased else text(value).lower()
            rights = [text(one) if cased else text(one).lower() for one in values(event, field)]
            return any(related(left, right, affix) for right in rights)
        case _:
            raise AssertionError(wanted)


def related(left: str, right: str, affix: Affix) -> bool:
    return {
        Affix.EQUALS: left == right,
        Affix.STARTSWITH: left.startswith(right),
        Affix.ENDSWITH: left.endswith(right),
        Affix.CONTAINS: right in left,
    }[affix]
