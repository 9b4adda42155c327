"""Event rules as Lucene query strings."""

from __future__ import annotations

import pytest

from insigma.bind.model import AllOf, AnyOf, Negated, OneOf, Refused
from insigma.bind.model import Test as LeafTest
from insigma.content.predicate import Boolean, Cidr, Compare, Comparison, Constant, Exists, IsNull, Number, Regex, Wildcard
from insigma.targets.elastic.lucene import lucene_query
from tests.targets.elastic_harness import ADDRESS, E_LIST, FLAG, NUMBER, RAW, A, B, clause_of, compiled, text_test

MANY, ONE = Wildcard.MANY, Wildcard.ONE


def number(value: Number | Compare) -> LeafTest:
    return LeafTest("number", NUMBER, "number", value, False)


def address(value: Cidr) -> LeafTest:
    return LeafTest("address", ADDRESS, "address", value, False)


def test_a_rule_reads_one_clause_a_line() -> None:
    query = compiled(
        """
        s: {event.action: [claim-view, claim-document-view], event.outcome: success, insurance.record_count|gte: 1000}
        f1: {insurance.context.assigned_to_actor: 'yes'}
        f2: {insurance.context.on_cat_duty: 'yes'}
        condition: s and not 1 of f*
        """.replace("        ", "")
    ).query
    assert query == "\n".join(
        (
            'insurance.logsource:"insurance_claims"',
            'AND event.action:("claim-view" OR "claim-document-view")',
            'AND event.outcome:"success"',
            "AND insurance.record_count:[1000 TO *]",
            'AND NOT (insurance.context.assigned_to_actor:"yes" OR insurance.context.on_cat_duty:"yes")',
        )
    )


def test_long_groups_are_laid_out() -> None:
    options = tuple(AllOf((text_test(f"value number {index}" * 2), text_test("x", field=B))) for index in range(3))
    assert lucene_query(AllOf((text_test("s"), AnyOf(options)))) == "\n".join(
        (
            'a:"s"',
            "AND (",
            '  (a:"value number 0value number 0" AND b:"x")',
            '  OR (a:"value number 1value number 1" AND b:"x")',
            '  OR (a:"value number 2value number 2" AND b:"x")',
            ")",
        )
    )


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (text_test("x"), 'a:"x"'),
        (text_test(), 'a:""'),
        (text_test("AND"), 'a:"AND"'),
        (text_test(">5"), 'a:">5"'),
        (text_test("a*b?"), 'a:"a*b?"'),
        (text_test("c:\\x\\"), 'a:"c:\\\\x\\\\"'),
        (text_test("a\nb"), 'a:"a\\u000ab"'),
        (text_test(MANY), "_exists_:a"),
        (text_test(MANY, "\\cmd.exe"), "a:*\\\\cmd.exe"),
        (text_test("a b", ONE, "c", MANY), "a:a\\ b?c*"),
        (text_test("<x", MANY), "a:\\<x*"),
        (text_test("a*b", MANY), "a:a\\*b*"),
        (text_test("a\nb", MANY), "a:a\\\nb*"),
        (text_test("X", MANY, cased=True), "a.cased:X*"),
        (number(Number(403)), "number:403"),
        (number(Number(-5)), 'number:"-5"'),
        (number(Compare(Comparison.GT, 5)), "number:{5 TO *]"),
        (number(Compare(Comparison.GTE, -5)), "number:[-5 TO *]"),
        (number(Compare(Comparison.LT, 2.5)), "number:[* TO 2.5}"),
        (number(Compare(Comparison.LTE, 0)), "number:[* TO 0]"),
        (LeafTest("flag", FLAG, "flag", Boolean(True), False), "flag:true"),
        (LeafTest("a", A, "a", Exists(True), False), "_exists_:a"),
        (address(Cidr("10.0.0.0/8")), 'address:"10.0.0.0/8"'),
        (address(Cidr("2001:DB8::/32")), 'address:"2001:db8::/32"'),
        (text_test("10.0.0.1", field=ADDRESS), 'address:"10.0.0.1"'),
        (LeafTest("a", A, "a", Regex("a/b", True), True), "a:/.*a\\/b.*/"),
        (LeafTest("a", A, "a", Regex(r"\\$", True), True), "a:/.*[\\\\]/"),
        (text_test("x", field=E_LIST), 'list:"x"'),
        (OneOf("number", NUMBER, "number", (403, -1), False), 'number:(403 OR "-1")'),
    ],
)
def test_leaves(test: LeafTest | OneOf, expected: str) -> None:
    assert lucene_query(test) == expected


def test_what_only_excludes_stands_beside_everything() -> None:
    absent = LeafTest("a", A, "a", IsNull(), False)
    assert lucene_query(Negated(text_test("x"))) == '*:*\nAND NOT a:"x"'
    assert lucene_query(absent) == "*:*\nAND NOT _exists_:a"
    assert lucene_query(AnyOf((text_test("x"), absent))) == 'a:"x"\nOR (*:* AND NOT _exists_:a)'
    assert lucene_query(AllOf((Negated(text_test("x")), absent))) == '*:*\nAND NOT a:"x"\nAND NOT _exists_:a'
    assert lucene_query(AllOf((text_test("y"), absent))) == 'a:"y"\nAND NOT _exists_:a'


def test_double_negation_is_positive() -> None:
    assert lucene_query(Negated(LeafTest("a", A, "a", IsNull(), False))) == "_exists_:a"
    assert lucene_query(Negated(LeafTest("a", A, "a", Exists(False), False))) == "_exists_:a"
    assert lucene_query(Negated(AllOf((Negated(text_test("x")), text_test("y"))))) == '*:*\nAND NOT (NOT a:"x" AND a:"y")'
    assert lucene_query(Negated(AnyOf((Negated(text_test("x")), text_test("y"))))) == '*:*\nAND NOT ((*:* AND NOT a:"x") OR a:"y")'


def test_constants() -> None:
    assert lucene_query(Constant(True)) == "*:*"
    assert lucene_query(AllOf((text_test("x"), Constant(False)))) == 'a:"x"\nAND *:*\nAND NOT *:*'
    assert lucene_query(AnyOf((text_test("x"), Constant(False)))) == 'a:"x"\nOR (*:* AND NOT *:*)'


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (text_test("x", field=RAW), "raw:/[Xx]/"),
        (text_test("5", field=RAW), 'raw:"5"'),
        (text_test("5/", MANY, field=RAW), r"raw:5\/*"),
        (text_test("k/", MANY, field=RAW), r"raw:/[Kk\u212a]\/.*/".replace(r"\u212a", "\u212a")),
        (text_test("X", field=RAW, cased=True), 'raw:"X"'),
        (OneOf("raw", RAW, "raw", ("x", "1", ""), True), 'raw:(/[Xx]/ OR /1/ OR "")'),
    ],
)
def test_a_column_that_keeps_case_is_compared_without_it(test: LeafTest | OneOf, expected: str) -> None:
    assert lucene_query(test) == expected


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        (LeafTest("a", A, "a", Regex("a.b"), False), "newline"),
        (text_test("nowhere", field=ADDRESS), "no address"),
        (address(Cidr("::/0")), "IPv4"),
        (number(Number(2**64)), "64 bits"),
    ],
)
def test_refusals(test: LeafTest | OneOf, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        lucene_query(test)


def test_size_limits() -> None:
    with pytest.raises(Refused, match="1024"):
        lucene_query(OneOf("a", A, "a", tuple(f"v{index}" for index in range(1025)), True))
    deep: LeafTest | AllOf | AnyOf = text_test("x")
    for level in range(31):
        deep = AllOf((deep, text_test("y"))) if level % 2 else AnyOf((deep, text_test("y")))
    with pytest.raises(Refused, match="nested 32 deep"):
        lucene_query(deep)


def test_hostile_values_stay_values() -> None:
    query = compiled("s: {user.name: 'x\" OR a:b OR \"', event.reason|contains: ') OR (b:c OR \"'}\ncondition: s").query
    assert clause_of(query) == r'user.name:"x\" or a:b or \"" AND event.reason:*\)\ or\ \(b\:c\ or\ \"*'
