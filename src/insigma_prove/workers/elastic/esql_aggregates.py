"""ES|QL's aggregate functions over the rows of one group.

Null is left out; several values in one place count each. Sources: "ES|QL aggregate functions" of the Elasticsearch 8.18
reference; elastic/elasticsearch, x-pack/plugin/esql/.../expression/function/aggregate and compute/aggregation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from insigma_prove.workers.elastic.esql_values import NUMBERS, Row, Typed, Value, order, packed, several, type_fault
from insigma_prove.workers.serve import QueryFault

EXACT_DISTINCT = 3000
"""COUNT_DISTINCT's default precision threshold: up to it a count is close to exact, and here it is exact; beyond it is refused."""


class Aggregate:
    """An aggregate of a STATS command: its name, type and computation."""

    def __init__(self, function: str, argument: Typed | None) -> None:
        """Raises `QueryFault` for a function that is not modelled, or does not take the type."""
        self._argument = argument
        self.type, self._body = _body(function, argument)

    def over(self, rows: Sequence[Row]) -> Value:
        """The value for those rows."""
        if self._argument is None:
            return len(rows)
        return self._body([value for row in rows for value in several(self._argument.run(row))])


def _body(function: str, argument: Typed | None) -> tuple[str, Callable[[list[Any]], Any]]:
    if argument is None:
        if function != "count":
            raise type_fault(f"{function.upper()} needs an argument")
        return "long", len
    match function:
        case "count":
            return "long", len
        case "count_distinct":
            return "long", _distinct
        case "min":
            return argument.type, lambda values: min(values, key=order, default=None)
        case "max":
            return argument.type, lambda values: max(values, key=order, default=None)
        case "values":
            return argument.type, lambda values: packed(tuple(dict.fromkeys(values)))
        case "sum" | "avg":
            return _summed(function, argument)
        case _:
            raise QueryFault("unsupported", f"the aggregate {function.upper()} is not modelled")


def _distinct(values: list[Any]) -> int:
    if (count := len(set(values))) > EXACT_DISTINCT:
        raise QueryFault("unsupported", f"COUNT_DISTINCT is an estimate beyond {EXACT_DISTINCT}")
    return count


def _summed(function: str, argument: Typed) -> tuple[str, Callable[[list[Any]], Any]]:
    if argument.type not in (*NUMBERS, "null"):
        raise type_fault(f"argument of [{function.upper()}] must be [numeric], found type [{argument.type}]")
    whole = argument.type != "double"
    if function == "avg":
        return "double", lambda values: float(_whole(values) if whole else compensated(values)) / len(values) if values else None
    if whole:
        return "long", lambda values: _whole(values) if values else None
    return "double", lambda values: compensated(values) if values else None


def _whole(values: list[int]) -> int:
    """Raises `QueryFault` where the sum leaves 64 bits, as Math.addExact ends the query."""
    total = 0
    for value in values:
        total += value
        if not -(2**63) <= total < 2**63:
            raise QueryFault("run", "long overflow")
    return total


def compensated(values: list[float]) -> float:
    """Kahan's summation, as CompensatedSum adds doubles."""
    total = correction = 0.0
    for value in values:
        if not math.isfinite(total):
            break
        corrected = value + correction
        updated = total + corrected
        correction = corrected - (updated - total)
        total = updated
    return total
