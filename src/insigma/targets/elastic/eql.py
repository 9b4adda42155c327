"""Predicates as EQL conditions.

Elasticsearch turns an EQL condition into Query DSL, where `not` is `must_not`: logic is two-valued and an absent field
leaves a negated test true, as the rule means it (EQL's ExpressionTranslators, elastic/elasticsearch, x-pack/plugin/ql). Fields
are written plainly, not as optional (`?field`): the component template maps them all, an unmapped one is an error that is
seen, while an optional one would fold `not ?field == "x"` to null and lose the event in silence. Fields that nothing declares
are optional, as an index may lack them; below a `not` each test of one is joined to `?field != null`, which folds to false.
Source: "EQL syntax reference" of the Elasticsearch 8.18 reference.
"""

from __future__ import annotations

from insigma.bind.model import AllOf, AnyOf, Anywhere, Bound, Column, Negated, OneOf, Refused, Test
from insigma.content.predicate import Boolean, Cidr, Compare, Comparison, Constant, Exists, IsNull, Number, Regex, Text, TimePart, Wildcard
from insigma.targets.elastic.anycase import eql_one_of, eql_text, ignores_case, refuse_anywhere
from insigma.targets.elastic.effort import check_pattern
from insigma.targets.elastic.layout import Clause, Joined, Leaf, Wrapped, joined
from insigma.targets.elastic.quoting import eql_field, eql_string, is_control, number
from insigma.targets.elastic.regexp import lucene_regexp, pattern_regexp
from insigma.targets.elastic.scope import address, check_depth, folded, network, usage
from insigma.targets.elastic.zeros import MINUS_ZERO, bound, is_zero

MOST_LEAVES = 300
"""Tests in one condition: EQL parses by recursion, and long chains end in "EQL statement is too large"."""

_SYMBOLS = {Comparison.GTE: ">=", Comparison.GT: ">", Comparison.LTE: "<=", Comparison.LT: "<"}


def eql_condition(predicate: Bound) -> Clause:
    """The predicate as a condition. Raises `Refused`."""
    if (leaves := usage(predicate).leaves) > MOST_LEAVES:
        raise Refused(f"{leaves} tests are more than the {MOST_LEAVES} that are written into one EQL condition", ("detection",))
    check_depth(predicate)
    return _clause(predicate)


def _clause(predicate: Bound, *, below_not: bool = False) -> Clause:
    match predicate:
        case AllOf(operands):
            return joined("and", tuple(_clause(operand, below_not=below_not) for operand in operands))
        case AnyOf(operands):
            return joined("or", tuple(_clause(operand, below_not=below_not) for operand in operands))
        case Negated(operand):
            return _negated(operand)
        case Constant(value):
            return Leaf(str(value).lower())
        case OneOf() as one_of:
            _check(one_of)
            return _guarded(_one_of(one_of), one_of, below_not)
        case Test() as test:
            _check(test)
            return _guarded(_single(test), test, below_not)
        case Anywhere():
            raise refuse_anywhere("EQL")


def _one_of(one_of: OneOf) -> Clause:
    field = _field(one_of)
    if ignores_case(one_of):
        return joined("or", tuple(map(Leaf, eql_one_of(field, tuple(map(str, one_of.values))))))
    zeros = (_both_zeros(field),) if any(is_zero(value, one_of) for value in one_of.values) else ()
    others = [_literal(value, one_of) for value in one_of.values if not is_zero(value, one_of)]
    return joined("or", (*zeros, Leaf(f"{field} in ({', '.join(others)})"))) if others else joined("or", zeros)


def _both_zeros(field: str) -> Clause:
    return Joined("and", (Leaf(f"{field} >= {MINUS_ZERO}"), Leaf(f"{field} <= 0")))


def _single(test: Test) -> Clause:
    if isinstance(test.value, Number) and is_zero(test.value.value, test):
        return _both_zeros(_field(test))
    return Leaf(_test(test))


def _guarded(clause: Clause, leaf: Test | OneOf, below_not: bool) -> Clause:
    """The clause, false rather than null below a `not` where the index does not map the field."""
    if not below_not or leaf.field.declared or (isinstance(leaf, Test) and isinstance(leaf.value, (IsNull, Exists))):
        return clause
    return Joined("and", (Leaf(f"{_field(leaf)} != null"), clause))


def _field(leaf: Test | OneOf) -> str:
    return eql_field(leaf.column) if leaf.field.declared else f"?{eql_field(leaf.column)}"


def _negated(operand: Bound) -> Clause:
    match operand:
        case Test(value=IsNull() | Exists(False)) as test:
            return Leaf(f"{_field(test)} != null")
        case Test(value=Exists(True)) as test:
            return Leaf(f"{_field(test)} == null")
        case Constant(value):
            return _clause(Constant(not value))
        case _:
            return Wrapped("not (", _clause(operand, below_not=True), ")")


def _check(leaf: Test | OneOf) -> None:
    if isinstance(leaf, Test) and isinstance(leaf.value, (IsNull, Exists)):
        return
    if leaf.field.array:
        raise Refused(f"'{leaf.canonical}' may hold several values, on which Elastic documents EQL as unreliable", ("detection",))


def _literal(value: str | int | float, leaf: Test | OneOf) -> str:
    if isinstance(value, str):
        return eql_string(address(value, leaf.canonical) if leaf.field.type == "ip" else value)
    return str(value).lower() if isinstance(value, bool) else number(value)


def _test(test: Test) -> str:
    field = _field(test)
    match test.value:
        case Text() as text if ignores_case(test):
            return eql_text(field, text)
        case Text() as text:
            return _text(field, text, test)
        case Number(value) | Boolean(value):
            return f"{field} == {_literal(value, test)}"
        case Compare(operator, value):
            return f"{field} {_SYMBOLS[operator]} {bound(operator, value, number(value), test)}"
        case Regex() as regex:
            return f"{field} regex {eql_string(lucene_regexp(regex, folded(test) and test.ignore_case))}"
        case Cidr() as cidr:
            if not test.field.declared:
                raise Refused(f"EQL knows networks of ip fields only, and nothing declares '{test.canonical}' as one", ("detection",))
            return f"cidrMatch({field}, {eql_string(network(cidr, test.canonical))})"
        case IsNull() | Exists(False):
            return f"{field} == null"
        case Exists():
            return f"{field} != null"
        case Column():
            raise Refused("EQL cannot compare two fields", ("detection",))
        case TimePart():
            raise Refused("EQL has no parts of a date", ("detection",))


def _text(field: str, text: Text, test: Test) -> str:
    """`==` for a literal, in which nothing is a wildcard; `like` for a pattern, `regex` where the pattern has a literal * or ?."""
    if text.parts == (Wildcard.MANY,):
        return f"{field} != null"
    if text.literal is not None:
        return f"{field} == {_literal(text.literal, test)}"
    literals = "".join(part for part in text.parts if isinstance(part, str))
    if any(char in "*?" or is_control(char) for char in literals):
        return f"{field} regex {eql_string(pattern_regexp(text))}"
    check_pattern(text)
    return f"{field} like {eql_string(''.join(part.value if isinstance(part, Wildcard) else part for part in text.parts))}"
