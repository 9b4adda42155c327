"""Predicates as Lucene query strings, as Kibana's `query` rules run them (query_string, default options).

Absence needs no guard: Lucene's logic is two-valued, and an array matches where any element does. What it cannot say is
refused. Source: "Query string query" of the Elasticsearch 8.18 reference.
"""

from __future__ import annotations

from insigma.bind.model import AllOf, AnyOf, Anywhere, Bound, Column, Negated, OneOf, Refused, Test
from insigma.content.predicate import Boolean, Cidr, Compare, Comparison, Constant, Exists, IsNull, Number, Regex, Text, TimePart, Wildcard
from insigma.targets.elastic.anycase import anywhere_regexp, ignores_case, text_regexp
from insigma.targets.elastic.effort import check_pattern
from insigma.targets.elastic.layout import Clause, Joined, Leaf, Wrapped, joined, lines
from insigma.targets.elastic.quoting import is_control, lucene_field, lucene_literal, lucene_phrase, number
from insigma.targets.elastic.regexp import lucene_regexp
from insigma.targets.elastic.scope import address, check_depth, folded, network, usage
from insigma.targets.elastic.zeros import bound, is_zero

MOST_CLAUSES = 1024
"""The least that `indices.query.bool.max_clause_count` comes to ("Search settings" of the Elasticsearch reference)."""

_EVERYTHING = Leaf("*:*")
_NOTHING = Joined("AND", (_EVERYTHING, Wrapped("NOT ", _EVERYTHING, "")))
_BOTH_ZEROS = "[-0.0 TO 0]"
_RANGES = {
    Comparison.GTE: "[{} TO *]",
    Comparison.GT: "{{{} TO *]",
    Comparison.LTE: "[* TO {}]",
    Comparison.LT: "[* TO {}}}",
}


def lucene_query(predicate: Bound) -> str:
    """The query string, one clause a line. Raises `Refused`."""
    if (values := usage(predicate).values) > MOST_CLAUSES:
        raise Refused(f"{values} clauses are more than the {MOST_CLAUSES} that a small Elasticsearch node accepts", ("detection",))
    check_depth(predicate)
    return "\n".join(lines(_positive(clause(predicate))))


def clause(predicate: Bound) -> Clause:
    """The predicate as a clause. One that only excludes is a `Wrapped`, and needs something positive beside it."""
    match predicate:
        case AllOf(operands):
            return _all_of(tuple(clause(operand) for operand in operands))
        case AnyOf(operands):
            return joined("OR", tuple(_positive(clause(operand)) for operand in operands))
        case Negated(operand):
            return _negated(operand)
        case Constant(value):
            return _EVERYTHING if value else _NOTHING
        case OneOf() as one_of:
            return _one_of(one_of)
        case Anywhere() as keyword:
            return Leaf(_regexp(anywhere_regexp(keyword)))
        case Test() as test:
            return _test(test)


def _all_of(parts: tuple[Clause, ...]) -> Clause:
    positive = any(not isinstance(part, Wrapped) for part in parts)
    return joined("AND", parts if positive else (_EVERYTHING, *parts))


def _positive(part: Clause) -> Clause:
    """The clause, beside `*:*` where it only excludes: alone, an exclusion matches nothing in Lucene."""
    return Joined("AND", (_EVERYTHING, part)) if isinstance(part, Wrapped) else part


def _negated(operand: Bound) -> Clause:
    match operand:
        case Test(value=IsNull() | Exists(False), column=column):
            return Leaf(f"_exists_:{lucene_field(column)}")
        case Constant(value):
            return clause(Constant(not value))
        case _:
            inner = clause(operand)
            return Wrapped("NOT ", inner, "") if isinstance(inner, Leaf) else Wrapped("NOT (", _positive(inner), ")")


def _one_of(one_of: OneOf) -> Clause:
    field = lucene_field(one_of.column)
    return Leaf(f"{field}:({' OR '.join(_alternative(value, one_of) for value in one_of.values)})")


def _alternative(value: str | int | float, one_of: OneOf) -> str:
    if isinstance(value, str) and value and ignores_case(one_of):
        return _regexp(text_regexp(Text((value,))))
    return _literal(value, one_of)


def _literal(value: str | int | float, leaf: Test | OneOf) -> str:
    """A value to be equal to, always quoted where it is text: a quoted word is never an operator, a range or a wildcard."""
    if isinstance(value, str):
        return lucene_phrase(address(value, leaf.canonical) if leaf.field.type == "ip" else value)
    if is_zero(value, leaf):
        return _BOTH_ZEROS
    return f'"{number(value)}"' if value < 0 else number(value)


def _test(test: Test) -> Clause:
    field = lucene_field(test.column)
    match test.value:
        case Text() as text:
            return _text(field, text, test)
        case Number(value):
            return Leaf(f"{field}:{_literal(value, test)}")
        case Boolean(value):
            return Leaf(f"{field}:{str(value).lower()}")
        case Compare(operator, value):
            return Leaf(f"{field}:{_RANGES[operator].format(bound(operator, value, number(value), test))}")
        case Regex() as regex:
            return _regex(field, regex, test)
        case Cidr() as cidr:
            if not test.field.declared:
                raise Refused(f"Lucene knows networks of ip fields only, and nothing declares '{test.canonical}' as one", ("detection",))
            return Leaf(f"{field}:{lucene_phrase(network(cidr, test.canonical))}")
        case IsNull() | Exists(False):
            return Wrapped("NOT ", Leaf(f"_exists_:{field}"), "")
        case Exists():
            return Leaf(f"_exists_:{field}")
        case Column():
            raise Refused("Lucene cannot compare two fields", ("detection",))
        case TimePart():
            raise Refused("Lucene has no parts of a date", ("detection",))


def _text(field: str, text: Text, test: Test) -> Clause:
    if text.parts == (Wildcard.MANY,):
        return Leaf(f"_exists_:{field}")
    if ignores_case(test):
        return Leaf(f"{field}:{_regexp(text_regexp(text))}")
    if text.literal is not None:
        return Leaf(f"{field}:{_literal(text.literal, test)}")
    check_pattern(text)
    return Leaf(f"{field}:{''.join(part.value if isinstance(part, Wildcard) else lucene_literal(part) for part in text.parts)}")


def _regex(field: str, regex: Regex, test: Test) -> Clause:
    return Leaf(f"{field}:{_regexp(lucene_regexp(regex, folded(test) and test.ignore_case))}")


def _regexp(written: str) -> str:
    """A regular expression between slashes. Raises `Refused` for one that holds a control character."""
    if any(map(is_control, written)):
        raise Refused(
            "Lucene's query string has no readable way to write a newline or control character in a regular expression", ("detection",)
        )
    if written.endswith("\\\\"):
        written = written[:-2] + "[\\\\]"
    return f"/{written.replace('/', chr(92) + '/')}/"
