"""Values of ES|QL: their types, null, several values in one place, arithmetic and order.

A value is None, one Python value, or a tuple of two or more. Most functions and operators take single values only: several
give null and a warning ("Multivalued fields", "ES|QL limitations" of the Elasticsearch 8.18 reference).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from insigma_prove.workers.elastic.mapping import FieldType
from insigma_prove.workers.elastic.values import sixteen_bytes
from insigma_prove.workers.serve import QueryFault

Value: TypeAlias = Any
Row: TypeAlias = dict[str, Value]

NUMBERS = ("integer", "long", "double")
COLUMN_TYPES = {"text": "keyword", "byte": "integer", "short": "integer", "float": "double"}
"""How field types appear as columns, where they differ ("ES|QL limitations", field types)."""
_BITS = {"integer": 31, "long": 63}


@dataclass(frozen=True, slots=True)
class Typed:
    """An expression: its type, how it is computed from a row, and what is known of it without a row."""

    type: str
    run: Callable[[Row], Value]
    constant: bool = False
    field: FieldType | None = None
    """The stored field, if the expression is one as it is."""
    lowered: Typed | None = None
    """What is lowered, if the expression is TO_LOWER of it (ReplaceStringCasingWithInsensitiveEquals)."""
    raised: Typed | None = None

    def value(self) -> Value:
        """The value of a constant."""
        return self.run({})


def constant(kind: str, value: Value) -> Typed:
    """A literal."""
    return Typed(kind, lambda _row: value, constant=True)


def type_fault(message: str) -> QueryFault:
    """The query is refused for its types."""
    return QueryFault("type", message)


def several(value: Value) -> tuple[Any, ...]:
    """The values in one place, none for null."""
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def packed(values: tuple[Any, ...]) -> Value:
    """Values as one place: null, one, or several."""
    if not values:
        return None
    return values[0] if len(values) == 1 else values


def single(value: Value) -> Value:
    """The value, null where there are several."""
    return None if isinstance(value, tuple) else value


def common_number(left: str, right: str) -> str:
    """The type that two numeric types are widened to."""
    return NUMBERS[max(NUMBERS.index(left), NUMBERS.index(right))]


def as_number(kind: str, value: Any) -> Any:
    """A number as that type holds it, None where it does not fit."""
    if kind == "double":
        return float(value) if math.isfinite(value) else None
    return value if -(2 ** _BITS[kind]) <= value < 2 ** _BITS[kind] else None


def arithmetic(kind: str, operator: str, left: Any, right: Any) -> Any:
    """Java's arithmetic on single values of one type; null on overflow, division by zero and what is not finite (a warning there)."""
    if operator in "/%" and right == 0:
        return None
    match operator:
        case "+":
            result = left + right
        case "-":
            result = left - right
        case "*":
            result = left * right
        case "/":
            result = left / right if kind == "double" else _truncated(left, right)
        case _:
            result = math.fmod(left, right) if kind == "double" else left - right * _truncated(left, right)
    return as_number(kind, result)


def _truncated(left: int, right: int) -> int:
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def order(value: Any) -> Any:
    """What values of one type are ordered by: text by its UTF-8 bytes, addresses by their sixteen bytes."""
    if isinstance(value, str):
        return value.encode("utf-8")
    return sixteen_bytes(value) if hasattr(value, "packed") else value


def reported(value: Value) -> Any:
    """The value as JSON: addresses as text, dates as milliseconds, several values as a list."""
    if isinstance(value, tuple):
        return [reported(each) for each in value]
    return str(value) if hasattr(value, "packed") else value
