"""Event rules as ES|QL conditions."""

from __future__ import annotations

import pytest

from insigma.bind.model import AllOf, AnyOf, Bound, Column, Negated, OneOf, Refused
from insigma.bind.model import Test as LeafTest
from insigma.content.model import TargetField
from insigma.content.predicate import (
    Affix,
    Boolean,
    Cidr,
    Compare,
    Comparison,
    Constant,
    Exists,
    IsNull,
    Number,
    Regex,
    TimePart,
    TimeUnit,
    Wildcard,
)
from insigma.targets.elastic.esql import esql_condition
from insigma.targets.elastic.layout import inline
from tests.targets.elastic_harness import ADDRESS, E_LIST, FLAG, FLOAT, NUMBER, RAW, A, B, compiled, text_test

MANY, ONE = Wildcard.MANY, Wildcard.ONE
TIME = TargetField("@timestamp", "date", "any")
TIMES = TargetField("times", "date", "any", array=True)
OTHER_NUMBER = TargetField("other", "double", "any")


def esql(predicate: Bound) -> str:
    return inline(esql_condition(predicate))


def compared(affix: Affix, ignore_case: bool = True, field: TargetField = B) -> LeafTest:
    return LeafTest("a" if ignore_case else "a.cased", A, "a", Column(field.name, field, affix), ignore_case)


def part_of(unit: str, value: int, field: TargetField = TIME) -> LeafTest:
    return LeafTest(field.name, field, field.name, TimePart(TimeUnit(unit), value), False)


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (text_test("x"), 'a == "x"'),
        (text_test(), 'a == ""'),
        (text_test("c:\\x"), 'a == """c:\\x"""'),
        (text_test("a\nb"), 'a == "a\\nb"'),
        (text_test(MANY), "a IS NOT NULL"),
        (text_test("c:\\", MANY), 'STARTS_WITH(a, """c:\\""")'),
        (text_test(MANY, "a*?"), 'ENDS_WITH(a, "a*?")'),
        (text_test(MANY, "x", MANY), 'a LIKE "*x*"'),
        (text_test(MANY, "\\x*", MANY), 'a LIKE """*\\\\x\\**"""'),
        (text_test('"\\', ONE), 'a LIKE "\\"\\\\\\\\?"'),
        (text_test("X", cased=True), 'a.cased == "X"'),
        (text_test("x", field=RAW), 'TO_LOWER(raw) == "x"'),
        (text_test("mü", field=RAW), 'raw RLIKE "[Mm][Üü]"'),
        (text_test("x", field=RAW, cased=True), 'raw == "x"'),
        (LeafTest("number", NUMBER, "number", Number(-5), False), "number == -5"),
        (LeafTest("ratio", FLOAT, "ratio", Compare(Comparison.GTE, 27.5), False), "ratio >= 27.5"),
        (LeafTest("flag", FLAG, "flag", Boolean(True), False), "flag == true"),
        (LeafTest("address", ADDRESS, "address", Cidr("10.0.0.0/8"), False), 'CIDR_MATCH(address, "10.0.0.0/8")'),
        (text_test("10.0.0.1", field=ADDRESS), 'address == TO_IP("10.0.0.1")'),
        (LeafTest("a", A, "a", IsNull(), False), "a IS NULL"),
        (LeafTest("list", E_LIST, "list", Exists(True), False), "list IS NOT NULL"),
        (LeafTest("a", A, "a", Regex("a/b", True), True), 'a RLIKE ".*a/b.*"'),
        (OneOf("a", A, "a", ("x", "y"), True), 'a IN ("x", "y")'),
        (OneOf("list", E_LIST, "list", ("x",), True), 'MV_COUNT(MV_DEDUPE(MV_APPEND(list, "x"))) == MV_COUNT(MV_DEDUPE(list))'),
        (OneOf("address", ADDRESS, "address", ("10.0.0.1", "::1"), True), 'address IN (TO_IP("10.0.0.1"), TO_IP("::1"))'),
        (text_test("x", field=E_LIST), 'MV_COUNT(MV_DEDUPE(MV_APPEND(list, "x"))) == MV_COUNT(MV_DEDUPE(list))'),
        (text_test(MANY, "x*", MANY, field=E_LIST), 'MV_CONCAT(list, "\\n") LIKE """*x\\**"""'),
        (compared(Affix.EQUALS), "a == b"),
        (compared(Affix.STARTSWITH), "STARTS_WITH(a, b)"),
        (compared(Affix.ENDSWITH), "ENDS_WITH(a, b)"),
        (compared(Affix.CONTAINS), "LOCATE(a, b) > 0"),
        (compared(Affix.EQUALS, field=RAW), "a == TO_LOWER(raw)"),
        (LeafTest("number", NUMBER, "number", Column("other", OTHER_NUMBER, Affix.EQUALS), True), "number == other"),
        (part_of("minute", 5), 'DATE_EXTRACT("minute_of_hour", @timestamp) == 5'),
        (part_of("hour", 23), 'DATE_EXTRACT("hour_of_day", @timestamp) == 23'),
        (part_of("day", 31), 'DATE_EXTRACT("day_of_month", @timestamp) == 31'),
        (part_of("week", 53), '(DATE_EXTRACT("day_of_year", DATE_TRUNC(1 week, @timestamp) + 3 days) + 6) / 7 == 53'),
        (part_of("month", 12), 'DATE_EXTRACT("month_of_year", @timestamp) == 12'),
        (part_of("year", 2026), 'DATE_EXTRACT("year", @timestamp) == 2026'),
        (Constant(False), "false"),
    ],
)
def test_leaves(test: Bound, expected: str) -> None:
    assert esql(test) == expected


def test_negation_is_true_on_absence() -> None:
    x, y = text_test("x"), text_test("y", field=B)
    assert esql(Negated(x)) == 'NOT COALESCE(a == "x", false)'
    assert esql(Negated(AnyOf((x, y)))) == 'NOT COALESCE(a == "x" OR b == "y", false)'
    assert esql(Negated(AllOf((Negated(x), y)))) == 'NOT COALESCE(NOT COALESCE(a == "x", false) AND b == "y", false)'
    assert esql(Negated(LeafTest("a", A, "a", IsNull(), False))) == "a IS NOT NULL"
    assert esql(Negated(LeafTest("a", A, "a", Exists(True), False))) == "a IS NULL"
    assert esql(Negated(Constant(False))) == "true"


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        (text_test("x", MANY, field=E_LIST), "'list' may hold several values"),
        (text_test(MANY, "x", ONE, "y", MANY, field=E_LIST), "'list' may hold several values"),
        (text_test(MANY, "x\ny", MANY, field=E_LIST), "'list' may hold several values"),
        (LeafTest("list", E_LIST, "list", Regex("x", True), True), "'list' may hold several values"),
        (part_of("hour", 1, TIMES), "'times' may hold several values"),
        (compared(Affix.EQUALS, field=E_LIST), "'list' may hold several values"),
        (compared(Affix.EQUALS, field=ADDRESS), "keyword and ip"),
        (LeafTest("number", NUMBER, "number", Column("other", OTHER_NUMBER, Affix.CONTAINS), True), "no beginning"),
        (AnyOf(tuple(text_test(str(index), MANY) for index in range(201))), "201 tests"),
    ],
)
def test_refusals(test: Bound, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        esql(test)


def test_a_rule_that_asks_for_a_part_of_a_date_becomes_esql() -> None:
    detection = "s: {event.action: claim-view, '@timestamp|hour': [22, 23]}\ncondition: s"
    found = compiled(detection)
    assert found.language == "esql"
    assert '(DATE_EXTRACT("hour_of_day", @timestamp) == 22 OR DATE_EXTRACT("hour_of_day", @timestamp) == 23)' in found.query
    for language, name in (("lucene", "Lucene"), ("eql", "EQL")):
        with pytest.raises(Refused, match=f"{name} has no parts of a date"):
            compiled(detection, language)


def test_a_rule_that_compares_fields_becomes_esql() -> None:
    found = compiled("s: {event.action: claim-payment-approve, user.name|fieldref: insurance.payment.created_by}\ncondition: s")
    assert found.language == "esql"
    assert found.query == "\n".join(
        (
            "FROM logs-insurance.claims-* METADATA _id, _index, _version",
            '| WHERE insurance.logsource == "insurance_claims"',
            '    AND event.action == "claim-payment-approve"',
            "    AND user.name == insurance.payment.created_by",
            "| LIMIT 10000",
        )
    )
