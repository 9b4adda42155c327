"""Minus zero, which Elasticsearch keeps apart from zero and sorts below it, in the index of `double` and `float` fields.

To a rule both are 0. So a range that includes zero begins at -0.0, one that excludes zero ends before -0.0, and equality with zero
is the range of both. ES|QL compares as Java does (-0.0 == 0.0) where it computes, and asks the index where it can: these
ranges hold in either way.

Source: "Numeric field types" of the Elasticsearch 8.18 reference; elastic/elasticsearch issues 104866 and 154811.
"""

from __future__ import annotations

from insigma.bind.model import OneOf, Test
from insigma.content.predicate import Comparison

MINUS_ZERO = "-0.0"

_TWO_ZEROS = frozenset({"double", "float"})


def is_zero(value: str | int | float, leaf: Test | OneOf) -> bool:
    """Whether the value is a zero of which the column may hold two."""
    return leaf.field.type in _TWO_ZEROS and not isinstance(value, str) and value == 0


def bound(operator: Comparison, value: int | float, written: str, leaf: Test | OneOf) -> str:
    """The bound of a comparison: `written`, unless minus zero must fall on the other side of it."""
    return MINUS_ZERO if operator in {Comparison.GTE, Comparison.LT} and is_zero(value, leaf) else written
