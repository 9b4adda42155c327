"""Bound predicates as eval expressions for `where`, `if()` and `case()`.

Two-valued by construction: an eval comparison with an absent field is not true, `AND`/`OR` of such comparisons are true
only where enough of them are, and a negation is written `if(x, 0, 1)=1`, as `if()` gives its last argument unless the
first evaluates to TRUE (Search Reference, "Comparison and Conditional functions").

`where` puts AND before OR, the search command OR before AND (Search Manual, "Boolean expressions"); mixed groups carry
parentheses both ways, so that nobody has to remember which of the two is reading.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

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
    Wildcard,
)
from insigma.targets.splunk import patterns, quoting
from insigma.targets.splunk.dates import part_test
from insigma.targets.splunk.regex import translate

_SIGNS = {Comparison.LT: "<", Comparison.LTE: "<=", Comparison.GT: ">", Comparison.GTE: ">="}
_NETWORK = re.compile(r"[0-9A-Fa-f:.]+/[0-9]{1,3}", re.ASCII)
_NUMERIC = re.compile(r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?", re.ASCII)
_WIDTH = 100


def where(predicate: Bound) -> str:
    """The predicate as the argument of `where`, one clause a line."""
    return expression(predicate, 2)


def any_of(predicates: Sequence[Bound]) -> Bound:
    """Any of the predicates, without an `AnyOf` inside an `AnyOf`."""
    lifted = tuple(part for predicate in predicates for part in (predicate.operands if isinstance(predicate, AnyOf) else (predicate,)))
    return lifted[0] if len(lifted) == 1 else AnyOf(lifted)


def expression(predicate: Bound, depth: int, within: str = "") -> str:
    """The predicate as an expression whose further lines are indented `depth` steps; `within` is the operator around it."""
    match predicate:
        case AllOf(operands):
            return _joined("AND", operands, depth, within)
        case AnyOf(operands):
            return _joined("OR", operands, depth, within)
        case Negated(Test(value=IsNull() | Exists()) as test):
            return _presence(test, negated=True)
        case Negated(operand):
            return f"if({expression(operand, depth + 1)}, 0, 1)=1"
        case Constant(value):
            return "1=1" if value else "1=0"
        case Test():
            return _test(predicate)
        case OneOf():
            return _group("OR", _alternatives(predicate, depth), depth, within)
        case Anywhere():
            raise Refused("keywords are looked for by event rules, not by a rule under a correlation", ("detection",))


def _joined(operator: str, operands: Sequence[Bound], depth: int, within: str) -> str:
    inner = depth + 1 if within else depth
    return _group(operator, [expression(operand, inner, operator) for operand in operands], depth, within)


def _group(operator: str, written: Sequence[str], depth: int, within: str) -> str:
    if len(written) == 1:
        return written[0]
    inner = depth + 1 if within else depth
    joined = f"\n{'  ' * inner}{operator} ".join(written)
    return f"({joined})" if within and within != operator else joined


def _test(test: Test) -> str:
    match test.value:
        case Text() as text:
            return _text(test, text)
        case Number(value):
            return _each(test, f"tonumber({quoting.field(test.column)})={quoting.number(value)}")
        case Boolean(value):
            return _each(test, f"lower({quoting.field(test.column)})={quoting.literal(str(value).lower())}")
        case Compare(operator, value):
            return _each(test, f"tonumber({quoting.field(test.column)}){_SIGNS[operator]}{quoting.number(value)}")
        case Regex() as regex:
            return _matches(test, translate(regex))
        case Cidr(network):
            return _each(test, f"cidrmatch({quoting.literal(_checked(network))}, {quoting.field(test.column)})")
        case Column() as other:
            return _reference(test, other)
        case IsNull() | Exists():
            return _presence(test, negated=False)
        case TimePart() as part:
            return part_test(test, part)


def _presence(test: Test, *, negated: bool) -> str:
    wanted = isinstance(test.value, Exists) and test.value.wanted
    return f"{'isnotnull' if wanted is not negated else 'isnull'}({quoting.field(test.column)})"


def _text(test: Test, text: Text) -> str:
    if text.parts and set(text.parts) == {Wildcard.MANY}:
        return f"isnotnull({quoting.field(test.column)})"
    literal = text.literal
    if literal is None or test.field.array or not _comparable(literal, test.ignore_case):
        return _matches(test, patterns.text_regex(text, test.ignore_case))
    return f"{_value(test)}={quoting.literal(literal)}"


def _comparable(literal: str, ignore_case: bool) -> bool:
    """Whether `=` with the quoted literal is exact.

    Not where the literal needs escapes; not for letters beyond ASCII if case does not matter, as the manual leaves open
    what `lower()` does with them; not for the text of a number if case matters: without `lower()` around it the field's
    value may be taken for a number, and 10 would equal "10.0".
    """
    if not quoting.is_plain(literal):
        return False
    return literal.isascii() if ignore_case else not _NUMERIC.fullmatch(literal)


def _value(test: Test | OneOf) -> str:
    """The field's value as it is compared: in lower case unless the case matters or is stored lower already."""
    name = quoting.field(test.column)
    return f"lower({name})" if test.ignore_case and test.field.case != "lower" else name


def _alternatives(test: OneOf, depth: int) -> list[str]:
    """The expressions of which one must be true: numbers one by one, strings as one list, and what a list cannot hold."""
    name = quoting.field(test.column)
    numbers = [value for value in test.values if not isinstance(value, str)]
    if numbers:
        return [_each(test, f"tonumber({name})={quoting.number(value)}") for value in numbers]
    strings = [value for value in test.values if isinstance(value, str)]
    if test.field.array:
        return [_matches(test, patterns.any_regex(strings, test.ignore_case))]
    plain = [value for value in strings if _comparable(value, test.ignore_case)]
    written = [_list(_value(test), plain, depth)] if plain else []
    if others := [value for value in strings if not _comparable(value, test.ignore_case)]:
        written.append(_matches(test, patterns.any_regex(others, test.ignore_case)))
    return written


def _list(value: str, plain: Sequence[str], depth: int) -> str:
    quoted = [quoting.literal(text) for text in plain]
    if len(quoted) == 1:
        return f"{value}={quoted[0]}"
    line = f"in({value}, {', '.join(quoted)})"
    if len(line) <= _WIDTH:
        return line
    indent = "  " * (depth + 2)
    return f"in({value},\n{indent}" + f",\n{indent}".join(quoted) + ")"


def _matches(test: Test | OneOf, expression: str) -> str:
    """The field, or one element of it, has a part that the regular expression finds."""
    name, quoted = quoting.field(test.column), quoting.regex(expression)
    return f"isnotnull(mvfind({name}, {quoted}))" if test.field.array else f"match({name}, {quoted})"


def _each(test: Test | OneOf, single: str) -> str:
    """The expression about one value, asked of every element of a multivalue field.

    `if()` because `mvfilter` keeps an element for which its predicate is null (Search Reference, "Multivalue eval functions").
    """
    return f"isnotnull(mvfilter(if({single}, 1, 0)=1))" if test.field.array else single


def _reference(test: Test, other: Column) -> str:
    if test.field.array or other.field.array:
        raise Refused(f"'{test.canonical}' is compared with another field, and one of them may hold several values", ("detection",))
    if test.field.type == "number":
        if other.affix is not Affix.EQUALS:
            raise Refused(f"'{test.canonical}' is a number: only equality with another field can be asked", ("detection",))
        return f"tonumber({quoting.field(test.column)})=tonumber({quoting.field(other.name)})"
    function = "lower" if test.ignore_case else "tostring"
    left, right = f"{function}({quoting.field(test.column)})", f"{function}({quoting.field(other.name)})"
    match other.affix:
        case Affix.EQUALS:
            return f"{left}={right}"
        case Affix.STARTSWITH:
            return f"substr({left}, 1, len({right}))={right}"
        case Affix.ENDSWITH:
            return f"substr({left}, len({left})-len({right})+1)={right}"
        case Affix.CONTAINS:
            raise Refused("SPL has no function that looks for one field's value inside another's", ("detection",))


def _checked(network: str) -> str:
    if not _NETWORK.fullmatch(network):
        raise Refused(f"'{network}' is not a network in CIDR notation", ("detection",))
    return network
