"""Minus zero is zero to a rule, and lies below zero in Elasticsearch's index of decimals."""

from __future__ import annotations

import pytest

from insigma.bind.model import AnyOf, Negated, OneOf
from insigma.bind.model import Test as LeafTest
from insigma.content.model import TargetField
from insigma.content.predicate import Compare, Comparison, Number
from insigma.targets.elastic.eql import eql_condition
from insigma.targets.elastic.esql import esql_condition
from insigma.targets.elastic.layout import inline
from insigma.targets.elastic.lucene import lucene_query
from tests.targets.elastic_harness import FLOAT, NUMBER, text_test

DOUBLE = TargetField("d", "double", "any")
DOUBLES = TargetField("ds", "double", "any", array=True)


def asked(value: Number | Compare, field: TargetField = DOUBLE) -> LeafTest:
    return LeafTest(field.name, field, field.name, value, False)


def in_each(test: LeafTest | OneOf | Negated | AnyOf) -> tuple[str, str, str]:
    return lucene_query(test), inline(eql_condition(test)), inline(esql_condition(test))


@pytest.mark.parametrize("zero", [0, 0.0, -0.0])
@pytest.mark.parametrize(
    ("operator", "lucene", "other"),
    [
        (Comparison.GTE, "d:[-0.0 TO *]", "d >= -0.0"),
        (Comparison.LT, "d:[* TO -0.0}", "d < -0.0"),
        (Comparison.GT, "d:{0 TO *]", "d > 0"),
        (Comparison.LTE, "d:[* TO 0]", "d <= 0"),
    ],
)
def test_a_range_has_both_zeros_or_none(operator: Comparison, zero: float, lucene: str, other: str) -> None:
    assert in_each(asked(Compare(operator, zero))) == (lucene, other, other)


def test_equality_with_zero_is_the_range_of_both() -> None:
    assert in_each(asked(Number(0))) == ("d:[-0.0 TO 0]", "d >= -0.0 and d <= 0", "d >= -0.0 AND d <= 0")
    assert in_each(asked(Number(0.0), FLOAT)) == (
        "ratio:[-0.0 TO 0]",
        "ratio >= -0.0 and ratio <= 0",
        "ratio >= -0.0 AND ratio <= 0",
    )
    assert in_each(Negated(asked(Number(0)))) == (
        "*:*\nAND NOT d:[-0.0 TO 0]",
        "not (d >= -0.0 and d <= 0)",
        "NOT COALESCE(d >= -0.0 AND d <= 0, false)",
    )


def test_zero_among_alternatives_is_asked_for_by_itself() -> None:
    assert in_each(OneOf("d", DOUBLE, "d", (0, 5, -1.5), False)) == (
        'd:([-0.0 TO 0] OR 5 OR "-1.5")',
        "(d >= -0.0 and d <= 0) or d in (5, -1.5)",
        "(d >= -0.0 AND d <= 0) OR d IN (5, -1.5)",
    )
    assert in_each(OneOf("d", DOUBLE, "d", (0, -0.0), False))[1:] == ("d >= -0.0 and d <= 0", "d >= -0.0 AND d <= 0")
    assert in_each(AnyOf((text_test("x"), asked(Number(0)))))[1] == 'a == "x" or (d >= -0.0 and d <= 0)'


def test_an_array_holds_either_zero() -> None:
    holds = "MV_COUNT(MV_DEDUPE(MV_APPEND(ds, {}))) == MV_COUNT(MV_DEDUPE(ds))"
    expected = f"{holds.format('0.0')} OR {holds.format('-0.0')}"
    assert inline(esql_condition(asked(Number(0), DOUBLES))) == expected


def test_whole_numbers_have_one_zero() -> None:
    assert in_each(asked(Number(0), NUMBER)) == ("number:0", "number == 0", "number == 0")
    assert in_each(asked(Compare(Comparison.GTE, 0), NUMBER)) == ("number:[0 TO *]", "number >= 0", "number >= 0")
    assert in_each(asked(Number(5))) == ("d:5", "d == 5", "d == 5")
