"""Predicates as ES|QL conditions.

ES|QL's logic is three-valued: a comparison with an absent field is null, and so is its negation. An and/or formula over
nulls is true only where it is true with every null taken as false, so one `COALESCE(..., false)` under each `NOT` makes
the whole two-valued. A field with several values compares to null as well; for equality an exact form exists.
Source: "ES|QL syntax reference", "ES|QL functions and operators", "ES|QL limitations" of the Elasticsearch 8.18 reference.
"""

from __future__ import annotations

from insigma.bind.binder import NUMERIC
from insigma.bind.model import AllOf, AnyOf, Anywhere, Bound, Column, Negated, OneOf, Refused, Test
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
    Text,
    TimePart,
    TimeUnit,
    Wildcard,
)
from insigma.targets.elastic.anycase import ignores_case, refuse_anywhere, text_regexp
from insigma.targets.elastic.effort import check_pattern
from insigma.targets.elastic.layout import Clause, Leaf, Wrapped, joined
from insigma.targets.elastic.quoting import esql_column, esql_number, esql_string
from insigma.targets.elastic.regexp import lucene_regexp
from insigma.targets.elastic.scope import address, check_depth, folded, network, usage
from insigma.targets.elastic.zeros import MINUS_ZERO, bound, is_zero

MOST_LEAVES = 200
"""Tests in one condition: ES|QL refuses expressions nested deeper than 400 (later versions 300), and a chain of AND or OR is as
deep as it is long (ExpressionBuilder.MAX_EXPRESSION_DEPTH, elastic/elasticsearch, x-pack/plugin/esql)."""

_PARTS = {
    TimeUnit.MINUTE: "minute_of_hour",
    TimeUnit.HOUR: "hour_of_day",
    TimeUnit.DAY: "day_of_month",
    TimeUnit.MONTH: "month_of_year",
    TimeUnit.YEAR: "year",
}
"""What DATE_EXTRACT calls the parts of a date: java.time's ChronoField ("DATE_EXTRACT")."""

_SYMBOLS = {Comparison.GTE: ">=", Comparison.GT: ">", Comparison.LTE: "<=", Comparison.LT: "<"}


def esql_condition(predicate: Bound) -> Clause:
    """The predicate as a condition, true exactly where the rule's is; elsewhere false or null. Raises `Refused`."""
    if (leaves := usage(predicate).leaves) > MOST_LEAVES:
        raise Refused(f"{leaves} tests are more than the {MOST_LEAVES} that are written into one ES|QL condition", ("detection",))
    check_depth(predicate)
    return _clause(predicate)


def _clause(predicate: Bound) -> Clause:
    match predicate:
        case AllOf(operands):
            return joined("AND", tuple(_clause(operand) for operand in operands))
        case AnyOf(operands):
            return joined("OR", tuple(_clause(operand) for operand in operands))
        case Negated(operand):
            return _negated(operand)
        case Constant(value):
            return Leaf(str(value).lower())
        case OneOf() as one_of:
            return _one_of(one_of)
        case Anywhere():
            raise refuse_anywhere("ES|QL")
        case Test() as test:
            return _test(test)


def _negated(operand: Bound) -> Clause:
    match operand:
        case Test(value=IsNull() | Exists(False), column=column):
            return Leaf(f"{esql_column(column)} IS NOT NULL")
        case Test(value=Exists(True), column=column):
            return Leaf(f"{esql_column(column)} IS NULL")
        case Constant(value):
            return _clause(Constant(not value))
        case _:
            return Wrapped("NOT COALESCE(", _clause(operand), ", false)")


def _one_of(one_of: OneOf) -> Clause:
    zeros = tuple(_zero(one_of) for value in one_of.values if is_zero(value, one_of))[:1]
    literals = [_literal(value, one_of) for value in one_of.values if not is_zero(value, one_of)]
    if one_of.field.array:
        return joined("OR", (*zeros, *(Leaf(_holds(one_of, literal)) for literal in literals)))
    return joined("OR", (*zeros, *((Leaf(f"{_operand(one_of)} IN ({', '.join(literals)})"),) if literals else ())))


def _zero(leaf: Test | OneOf) -> Clause:
    """Equality with zero and with minus zero."""
    if leaf.field.array:
        return joined("OR", (Leaf(_holds(leaf, "0.0")), Leaf(_holds(leaf, MINUS_ZERO))))
    return joined("AND", (Leaf(f"{_operand(leaf)} >= {MINUS_ZERO}"), Leaf(f"{_operand(leaf)} <= 0")))


def _literal(value: str | int | float, leaf: Test | OneOf) -> str:
    if not isinstance(value, str):
        return esql_number(value, leaf.field.type)
    if leaf.field.type == "ip":
        return f"TO_IP({esql_string(address(value, leaf.canonical))})"
    return esql_string(value)


def _operand(leaf: Test | OneOf) -> str:
    """The column as it is compared: folded on the fly where the rule ignores case and the column does not hold folded values."""
    column = esql_column(leaf.column)
    return column if folded(leaf) else f"TO_LOWER({column})"


def _holds(leaf: Test | OneOf, literal: str) -> str:
    """That an array holds the value: adding it makes no more distinct values than there were."""
    if not folded(leaf):
        raise _several_values(leaf)
    column = esql_column(leaf.column)
    return f"MV_COUNT(MV_DEDUPE(MV_APPEND({column}, {literal}))) == MV_COUNT(MV_DEDUPE({column}))"


def _contained(test: Test) -> str:
    """That a value of an array contains a literal: looked for in all values, joined by a line end, over which it cannot reach.

    Raises `Refused` for every other pattern.
    """
    match test.value:
        case Text(parts=(Wildcard.MANY, str() as part, Wildcard.MANY)) as text if folded(test) and "\n" not in part:
            check_pattern(text)
            return f'MV_CONCAT({esql_column(test.column)}, "\\n") LIKE {esql_string(f"*{_like(part)}*")}'
        case _:
            raise _several_values(test)


def _several_values(leaf: Test | OneOf) -> Refused:
    return Refused(f"'{leaf.canonical}' may hold several values: ES|QL compares those to null", ("detection",))


def _test(test: Test) -> Clause:
    column = esql_column(test.column)
    match test.value:
        case IsNull() | Exists(False):
            return Leaf(f"{column} IS NULL")
        case Exists() | Text(parts=(Wildcard.MANY,)):
            return Leaf(f"{column} IS NOT NULL")
        case Text(literal=str() as literal) as text if not literal.isascii() and ignores_case(test):
            return _in_any_case(test, text)
        case Text(literal=str() as literal):
            return _equal(test, _literal(literal, test))
        case Number(value) if is_zero(value, test):
            return _zero(test)
        case Number(value):
            return _equal(test, _literal(value, test))
        case Boolean(value):
            return _equal(test, str(value).lower())
        case _:
            return Leaf(_contained(test) if test.field.array else _single(test, _operand(test)))


def _in_any_case(test: Test, text: Text) -> Clause:
    """Equality that ignores the case of letters beyond ASCII, spelt out in an expression.

    `TO_LOWER(column) == "..."` does not: Elasticsearch makes it an equality that ignores the case of ASCII letters only
    (ReplaceStringCasingWithInsensitiveEquals, elastic/elasticsearch, x-pack/plugin/esql).
    """
    if test.field.array:
        raise _several_values(test)
    return Leaf(f"{esql_column(test.column)} RLIKE {esql_string(text_regexp(text))}")


def _equal(test: Test, literal: str) -> Clause:
    return Leaf(_holds(test, literal) if test.field.array else f"{_operand(test)} == {literal}")


def _single(test: Test, operand: str) -> str:
    """A test that is not an equality with a literal, on a field of one value."""
    match test.value:
        case Text() as text:
            return _pattern(operand, text)
        case Compare(operator, value):
            return f"{operand} {_SYMBOLS[operator]} {bound(operator, value, esql_number(value, test.field.type), test)}"
        case Regex() as regex:
            return f"{operand} RLIKE {esql_string(lucene_regexp(regex, test.ignore_case))}"
        case Cidr() as cidr:
            if test.field.type != "ip":
                operand = f"TO_IP({esql_column(test.column)})"
            return f"CIDR_MATCH({operand}, {esql_string(network(cidr, test.canonical))})"
        case Column() as other:
            return _compared(test, operand, other)
        case TimePart() as part:
            return _time_part(operand, part)
        case _:
            raise AssertionError(f"{type(test.value).__name__} is told apart by the caller")


def _time_part(operand: str, part: TimePart) -> str:
    """A part of a date. ES|QL computes in UTC only ("ES|QL limitations", timezone support).

    A week of ISO 8601 belongs to the year of its Thursday, and ChronoField has no such week; DATE_TRUNC goes back to Monday.
    """
    if part.unit is TimeUnit.WEEK:
        return f'(DATE_EXTRACT("day_of_year", DATE_TRUNC(1 week, {operand}) + 3 days) + 6) / 7 == {part.value}'
    return f'DATE_EXTRACT("{_PARTS[part.unit]}", {operand}) == {part.value}'


def _pattern(operand: str, text: Text) -> str:
    check_pattern(text)  # STARTS_WITH and ENDS_WITH too: from 8.19 on the index is asked for them by wildcards
    match text.parts:
        case (str() as start, Wildcard.MANY):
            return f"STARTS_WITH({operand}, {esql_string(start)})"
        case (Wildcard.MANY, str() as end):
            return f"ENDS_WITH({operand}, {esql_string(end)})"
        case parts:
            return f"{operand} LIKE {esql_string(''.join(part.value if isinstance(part, Wildcard) else _like(part) for part in parts))}"


def _like(literal: str) -> str:
    """The literal inside a LIKE pattern, whose own escape is the backslash ("LIKE", ES|QL operators)."""
    return "".join("\\" + char if char in "\\*?" else char for char in literal)


def _compared(test: Test, operand: str, other: Column) -> str:
    """One column against another. Both are folded alike; null where either is absent."""
    _check_compared(test, other)
    right = esql_column(other.name)
    if test.ignore_case and other.field.case != "lower" and other.field.type == "keyword":
        right = f"TO_LOWER({right})"
    match other.affix:
        case Affix.EQUALS:
            return f"{operand} == {right}"
        case Affix.STARTSWITH:
            return f"STARTS_WITH({operand}, {right})"
        case Affix.ENDSWITH:
            return f"ENDS_WITH({operand}, {right})"
        case Affix.CONTAINS:
            return f"LOCATE({operand}, {right}) > 0"


def _check_compared(test: Test, other: Column) -> None:
    """Raises `Refused` for columns that ES|QL does not compare, or not as the rule means it."""
    stored = {test.field.type, other.field.type}
    if other.field.array:
        raise Refused(f"'{other.name}' may hold several values: ES|QL compares those to null", ("detection",))
    if len(stored) > 1 and ("float" in stored or not stored <= NUMERIC):  # 0.7 as a float is another number than as a double
        raise Refused(
            f"'{test.canonical}' and '{other.name}' are stored as {test.field.type} and {other.field.type} by elastic", ("detection",)
        )
    if other.affix is not Affix.EQUALS and stored != {"keyword"}:
        raise Refused(f"'{test.canonical}' is stored as {test.field.type} by elastic: it has no beginning or end", ("detection",))
