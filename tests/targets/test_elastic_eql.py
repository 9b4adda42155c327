"""Event rules as EQL conditions."""

from __future__ import annotations

import pytest

from insigma.bind.model import AllOf, AnyOf, Bound, Column, Negated, OneOf, Refused
from insigma.bind.model import Test as LeafTest
from insigma.content.predicate import Affix, Boolean, Cidr, Compare, Comparison, Constant, Exists, IsNull, Number, Regex, Wildcard
from insigma.targets.elastic.eql import eql_condition
from insigma.targets.elastic.layout import inline
from tests.targets.elastic_harness import ADDRESS, E_LIST, FLAG, NUMBER, RAW, A, B, compiled, text_test

MANY, ONE = Wildcard.MANY, Wildcard.ONE


def eql(predicate: Bound) -> str:
    return inline(eql_condition(predicate))


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (text_test("x"), 'a == "x"'),
        (text_test(), 'a == ""'),
        (text_test("a*b?"), 'a == "a*b?"'),
        (text_test('c:\\"x\\'), 'a == "c:\\\\\\"x\\\\"'),
        (text_test("a\nb\x01"), 'a == "a\\nb\\u{01}"'),
        (text_test(MANY), "a != null"),
        (text_test(MANY, "\\cmd.exe"), 'a like "*\\\\cmd.exe"'),
        (text_test("x", ONE, "%_"), 'a like "x?%_"'),
        (text_test(MANY, "a*b", MANY), 'a regex ".*a\\\\*b.*"'),
        (text_test("a?", ONE), 'a regex "a\\\\?."'),
        (text_test("\x01", MANY), 'a regex "\\u{01}.*"'),
        (text_test("X", cased=True), 'a.cased == "X"'),
        (LeafTest("number", NUMBER, "number", Number(403), False), "number == 403"),
        (LeafTest("number", NUMBER, "number", Number(-5), False), "number == -5"),
        (LeafTest("number", NUMBER, "number", Compare(Comparison.LTE, 2.5), False), "number <= 2.5"),
        (LeafTest("flag", FLAG, "flag", Boolean(False), False), "flag == false"),
        (LeafTest("address", ADDRESS, "address", Cidr("10.1.0.0/16"), False), 'cidrMatch(address, "10.1.0.0/16")'),
        (text_test("2001:DB8::1", field=ADDRESS), 'address == "2001:db8::1"'),
        (LeafTest("a", A, "a", IsNull(), False), "a == null"),
        (LeafTest("a", A, "a", Exists(True), False), "a != null"),
        (LeafTest("list", E_LIST, "list", Exists(False), False), "list == null"),
        (LeafTest("a", A, "a", Regex("^a.b"), True), 'a regex "a[^\\n]b.*"'),
        (OneOf("a", A, "a", ("x", 'y"'), True), 'a in ("x", "y\\"")'),
        (OneOf("number", NUMBER, "number", (403, -1), False), "number in (403, -1)"),
        (Constant(True), "true"),
        (Negated(Constant(True)), "false"),
    ],
)
def test_leaves(test: Bound, expected: str) -> None:
    assert eql(test) == expected


def test_groups() -> None:
    x, y, z = text_test("x"), text_test("y", field=B), text_test("z")
    assert eql(AllOf((x, AnyOf((y, z))))) == 'a == "x" and (b == "y" or a == "z")'
    assert eql(AnyOf((AllOf((x, y)), z))) == '(a == "x" and b == "y") or a == "z"'
    assert eql(Negated(x)) == 'not (a == "x")'
    assert eql(Negated(AnyOf((x, y)))) == 'not (a == "x" or b == "y")'
    assert eql(Negated(LeafTest("a", A, "a", IsNull(), False))) == "a != null"
    assert eql(Negated(LeafTest("a", A, "a", Exists(True), False))) == "a == null"


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (text_test("x", field=RAW), 'raw : "x"'),
        (text_test("5", field=RAW), 'raw == "5"'),
        (text_test("", field=RAW), 'raw == ""'),
        (text_test("x", MANY, field=RAW), 'raw like~ "x*"'),
        (text_test("x*", field=RAW), 'raw regex "[Xx]\\\\*"'),
        (text_test("ä", field=RAW), 'raw regex "[Ää]"'),
        (text_test("X", field=RAW, cased=True), 'raw == "X"'),
        (OneOf("raw", RAW, "raw", ("x", "y"), True), 'raw in~ ("x", "y")'),
        (OneOf("raw", RAW, "raw", ("1", "2"), True), 'raw in ("1", "2")'),
        (OneOf("raw", RAW, "raw", ("x", "y*"), True), 'raw in~ ("x") or raw regex "[Yy]\\\\*"'),
        (OneOf("raw", RAW, "raw", ("ä*", ""), True), 'raw in~ ("") or raw regex "[Ää]\\\\*"'),
    ],
)
def test_a_column_that_keeps_case_is_compared_without_it(test: Bound, expected: str) -> None:
    assert eql(test) == expected


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        (text_test("x", field=E_LIST), "several values"),
        (OneOf("list", E_LIST, "list", ("x", "y"), True), "several values"),
        (LeafTest("a", A, "a", Column("b", B, Affix.EQUALS), True), "two fields"),
        (text_test("x", field=ADDRESS), "no address"),
        (AnyOf(tuple(text_test(str(index), MANY) for index in range(301))), "301 tests"),
    ],
)
def test_refusals(test: Bound, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        eql(test)


def test_a_rule_that_lucene_cannot_write_readably_becomes_eql() -> None:
    found = compiled("s: {CommandLine|re|i: 'a.b', event.outcome: success}\nf: {user.name: x}\ncondition: s and not f")
    assert found.language == "eql"
    assert found.query == "\n".join(
        (
            'any where insurance.logsource == "insurance_claims"',
            '  and process.command_line regex ".*a[^\\n]b.*"',
            '  and event.outcome == "success"',
            '  and not (user.name == "x")',
        )
    )
