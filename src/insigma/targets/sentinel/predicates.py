"""Bound predicates as KQL expressions for `where` and `iff()`.

Two-valued: strings are never null in Kusto, but a comparison with a null number, date or boolean is null, and so is its
`not()` (KQL reference, "Null values"); where that can be, a negation reads `not(coalesce(x, false))`.

The operators that ignore case do so "only for ASCII-text" (KQL reference, "=~"), so a string with other letters is matched
by a regular expression with the flag i, which folds code point by code point. A missing string is the empty string (KQL
reference, "Null values"): what would tell the two apart is refused, and what cannot be true of an absent value is guarded
by `isnotempty()`.

Arrays are asked as one text: their values joined by a unit separator, with one at either end (see `regex`).
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Sequence

from insigma.bind.model import AllOf, AnyOf, Anywhere, Bound, Column, Negated, OneOf, Refused, Test
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
    Text,
    TimePart,
    TimeUnit,
    Wildcard,
    affix_shape,
)
from insigma.content.regexes import re2_pattern
from insigma.targets.sentinel import quoting
from insigma.targets.sentinel.empty import without_empty
from insigma.targets.sentinel.layout import is_date, is_number, is_text
from insigma.targets.sentinel.regex import SEPARATOR, any_regex, text_regex, translate

WIDEST_CHAIN = 50
"""Alternatives under one operator: Microsoft's own parser gives up a few hundred deep (its diagnostic KS245)."""

_SIGNS = {Comparison.LT: "<", Comparison.LTE: "<=", Comparison.GT: ">", Comparison.GTE: ">="}
_PARTS = {
    TimeUnit.MINUTE: 'datetime_part("Minute", {})',
    TimeUnit.HOUR: 'datetime_part("Hour", {})',
    TimeUnit.DAY: 'datetime_part("Day", {})',
    TimeUnit.WEEK: "week_of_year({})",
    TimeUnit.MONTH: 'datetime_part("Month", {})',
    TimeUnit.YEAR: 'datetime_part("Year", {})',
}
_AFFIXES = {Affix.STARTSWITH: "startswith_cs", Affix.ENDSWITH: "endswith_cs", Affix.CONTAINS: "contains_cs"}
_IPV4 = r"^(?:(?:0|[1-9][0-9]*)\.){3}(?:0|[1-9][0-9]*)$"
_IPV6 = r"^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$"
_MAPPED = ipaddress.ip_network("::ffff:0:0/96")
_WIDTH = 100


def where(predicate: Bound) -> str:
    """The predicate as the argument of `where`, one clause a line. Raises `Refused`."""
    return _written(without_empty(predicate), 1, "")


def truth(predicate: Bound) -> str:
    """The predicate as an expression that is true or false, never null. Raises `Refused`."""
    if _looks_anywhere(predicate):
        raise Refused(
            "keywords over every column are looked for by event rules, not by one of several rules under a correlation", ("detection",)
        )
    plain = without_empty(predicate)
    written = _written(plain, 2, "")
    return f"coalesce({written}, false)" if may_be_null(plain) else written


def _looks_anywhere(predicate: Bound) -> bool:
    match predicate:
        case AllOf(operands) | AnyOf(operands):
            return any(_looks_anywhere(operand) for operand in operands)
        case Negated(operand):
            return _looks_anywhere(operand)
        case _:
            return isinstance(predicate, Anywhere)


def may_be_null(predicate: Bound) -> bool:
    """Whether the expression of the predicate can be null."""
    match predicate:
        case AllOf(operands) | AnyOf(operands):
            return any(may_be_null(operand) for operand in operands)
        case Negated() | Constant():
            return False
        case Anywhere():
            return True
        case OneOf():
            return not is_text(predicate.field)
        case Test(value=IsNull() | Exists()):
            return False
        case Test(value=Text() | Regex(), field=field):
            return field.array
        case Test(value=Column(), field=field):
            return not is_text(field)
        case Test():
            return True


def _written(predicate: Bound, depth: int, within: str) -> str:
    match predicate:
        case AllOf(operands):
            return _group("and", operands, depth, within)
        case AnyOf(operands):
            return _group("or", operands, depth, within)
        case Negated(Test(value=IsNull() | Exists()) as test):
            return _presence(test, negated=True)
        case Negated(operand):
            inner = _written(operand, depth + 1, "")
            return f"not(coalesce({inner}, false))" if may_be_null(operand) else f"not({inner})"
        case Constant(value):
            return "true" if value else "false"
        case Test():
            return _test(predicate, within)
        case OneOf():
            return _one_of(predicate, depth, within)
        case Anywhere():
            return _anywhere(predicate)


def _anywhere(keyword: Anywhere) -> str:
    """A keyword over all columns: `*` on the left of a string operator ("where operator", KQL reference)."""
    match keyword.value:
        case Text(cased=cased) as text:
            shape = affix_shape(text)
            if shape is not None and shape[0] is Affix.CONTAINS and (cased or shape[1].isascii()):
                return f"* {'contains_cs' if cased else 'contains'} {quoting.literal(shape[1])}"
            return f"* matches regex {quoting.literal(text_regex(text, not cased))}"
        case Regex() as regex:
            return f"* matches regex {quoting.literal(translate(regex))}"


def _group(operator: str, operands: Sequence[Bound], depth: int, within: str) -> str:
    inner = depth + 1 if within else depth
    return _chain(operator, [_written(operand, inner, operator) for operand in operands], inner, within)


def _chain(operator: str, written: Sequence[str], depth: int, within: str) -> str:
    """The expressions under one operator, in parentheses where another operator is around them; long chains in chunks."""
    if len(written) > WIDEST_CHAIN:
        size = max(-(-len(written) // WIDEST_CHAIN), WIDEST_CHAIN)
        chunks = [written[start : start + size] for start in range(0, len(written), size)]
        written = [_chain(operator, chunk, depth + 1, "chunk") for chunk in chunks]
    joined = f"\n{'    ' * depth}{operator} ".join(written)
    return f"({joined})" if within and len(written) > 1 else joined


def _test(test: Test, within: str) -> str:
    name = quoting.column(test.column)
    match test.value:
        case Text() as text:
            return _text(test, text, within)
        case Regex() as regex:
            return _regex(test, regex, within)
        case IsNull() | Exists():
            return _presence(test, negated=False)
        case Column() as other:
            return _reference(test, other, within)
        case Cidr(network):
            return _network(test, network, within)
    _no_array(test)
    match test.value:
        case Number(value):
            return f"{name} == {_number(test.field, value)}" if _can_be(test.field, value) else "false"
        case Boolean(value):
            return f"{name} == {str(value).lower()}"
        case Compare(operator, value):
            return _compare(test, operator, value)
        case TimePart(unit, value):
            return f"{_PARTS[unit].format(name)} == {value}"
    raise AssertionError(f"no form for {test.value}")


def _no_array(test: Test | OneOf) -> None:
    if test.field.array:
        raise Refused(f"'{test.canonical}' is an array of other things than text, which is not compiled for Sentinel", ("detection",))


def _number(field: TargetField, value: int | float) -> str:
    return quoting.long(int(value)) if field.type == "long" else quoting.real(value)


def _can_be(field: TargetField, value: int | float) -> bool:
    """Whether the column can hold the number at all: a long holds no fractions."""
    return field.type != "long" or value == int(value)


def _compare(test: Test, operator: Comparison, value: int | float) -> str:
    """The order test; a fraction against whole numbers becomes the whole number next to it, so that none turns into a double."""
    if not _can_be(test.field, value):
        below = operator in (Comparison.LT, Comparison.LTE)
        operator, value = (Comparison.LTE, math.floor(value)) if below else (Comparison.GTE, math.ceil(value))
    return f"{quoting.column(test.column)} {_SIGNS[operator]} {_number(test.field, value)}"


def _presence(test: Test, *, negated: bool) -> str:
    wanted = (isinstance(test.value, Exists) and test.value.wanted) is not negated
    name = quoting.column(test.column)
    if test.field.array:
        return f"coalesce(array_length({name}), 0) {'>' if wanted else '=='} 0"
    if is_text(test.field):
        return f"isnotempty({name})" if wanted else f"isempty({name})"
    return f"isnotnull({name})" if wanted else f"isnull({name})"


def _present(test: Test | OneOf) -> str:
    return _presence(Test(test.column, test.field, test.canonical, Exists(True), False), negated=False)


def _text(test: Test, text: Text, within: str) -> str:
    name = quoting.column(test.column)
    if text.parts and set(text.parts) == {Wildcard.MANY}:
        return _present(test)
    _no_separator(test, [part for part in text.parts if isinstance(part, str)])
    shape = affix_shape(text)
    if shape is None or (test.ignore_case and not shape[1].isascii()):
        return _matches(test, text_regex(text, test.ignore_case, array=test.field.array))
    affix, literal = shape
    if test.field.array:
        before = SEPARATOR if affix in (Affix.EQUALS, Affix.STARTSWITH) else ""
        after = SEPARATOR if affix in (Affix.EQUALS, Affix.ENDSWITH) else ""
        found = f"{joined_values(name)} {'contains' if test.ignore_case else 'contains_cs'} {quoting.literal(before + literal + after)}"
        return found if literal else _both(_present(test), found, within)
    if affix is Affix.EQUALS:
        return f"{name} {'=~' if test.ignore_case else '=='} {quoting.literal(literal)}"
    return f"{name} {affix.value if test.ignore_case else _AFFIXES[affix]} {quoting.literal(literal)}"


def _no_separator(test: Test | OneOf, texts: Sequence[str]) -> None:
    if test.field.array and any(SEPARATOR in text for text in texts):
        raise Refused(f"'{test.canonical}' is compared with a text that holds U+001F, which separates the values of arrays", ("detection",))


def joined_values(name: str) -> str:
    """The values of an array as one text, each between separators."""
    separator = quoting.literal(SEPARATOR)
    return f"strcat({separator}, strcat_array({name}, {separator}), {separator})"


def _matches(test: Test | OneOf, expression: str) -> str:
    name = quoting.column(test.column)
    return f"{joined_values(name) if test.field.array else name} matches regex {quoting.literal(expression)}"


def _regex(test: Test, regex: Regex, within: str) -> str:
    written = _matches(test, translate(regex, array=test.field.array))
    if re2_pattern(regex).search("") is None:
        return written
    return _both(_present(test), written, within)


def _both(left: str, right: str, within: str) -> str:
    return f"({left} and {right})" if within == "or" else f"{left} and {right}"


def _one_of(test: OneOf, depth: int, within: str) -> str:
    name = quoting.column(test.column)
    numbers = [value for value in test.values if not isinstance(value, str)]
    if numbers:
        _no_array(test)
        return _list(f"{name} in", [_number(test.field, value) for value in numbers if _can_be(test.field, value)], depth)
    strings = [value for value in test.values if isinstance(value, str)]
    if not is_text(test.field):
        raise Refused(f"'{test.canonical}' is stored as {test.field.type} by Sentinel: it is not one of these strings", ("detection",))
    if test.field.array:
        _no_separator(test, strings)
        found = _matches(test, any_regex(strings, test.ignore_case, array=True))
        return _both(_present(test), found, within) if "" in strings else found
    plain = [value for value in strings if value.isascii() or not test.ignore_case]
    others = [value for value in strings if not (value.isascii() or not test.ignore_case)]
    written = []
    if len(plain) == 1:
        written.append(f"{name} {'=~' if test.ignore_case else '=='} {quoting.literal(plain[0])}")
    elif plain:
        written.append(_list(f"{name} {'in~' if test.ignore_case else 'in'}", [quoting.literal(value) for value in plain], depth))
    if others:
        written.append(_matches(test, any_regex(others, test.ignore_case)))
    return _chain("or", written, depth, "" if within == "or" else within)


def _list(start: str, quoted: Sequence[str], depth: int) -> str:
    if not quoted:
        return "false"
    line = f"{start} ({', '.join(quoted)})"
    if len(line) <= _WIDTH:
        return line
    indent = "    " * (depth + 1)
    return f"{start} (\n{indent}" + f",\n{indent}".join(quoted) + ")"


def _network(test: Test, network: str, within: str) -> str:
    """The network test. What Kusto would take for an address and is none is kept out by a regular expression.

    `ipv4_is_in_range` also takes a prefix behind the address, `ipv6_is_in_range` an IPv4 address (KQL reference).
    """
    if test.field.array:
        raise Refused(f"'{test.canonical}' may hold several values: a network is asked of one address", ("detection",))
    parsed = ipaddress.ip_network(network)
    name = quoting.column(test.column)
    if isinstance(parsed, ipaddress.IPv6Network) and isinstance(_MAPPED, ipaddress.IPv6Network) and parsed.overlaps(_MAPPED):
        raise Refused(f"the network {network} holds IPv4 addresses written as IPv6, which Kusto takes for IPv4", ("detection",))
    function, spelling = ("ipv4_is_in_range", _IPV4) if parsed.version == 4 else ("ipv6_is_in_range", _IPV6)
    shaped = f"{name} matches regex {quoting.literal(spelling)}"
    return _both(shaped, f"{function}({name}, {quoting.literal(str(parsed))})", within)


def _reference(test: Test, other: Column, within: str) -> str:
    if test.field.array or other.field.array:
        raise Refused(f"'{test.canonical}' is compared with another field, and one of them may hold several values", ("detection",))
    left, right = quoting.column(test.column), quoting.column(other.name)
    if not is_text(test.field) or not is_text(other.field):
        alike = (is_number(test.field) and is_number(other.field)) or (is_date(test.field) and is_date(other.field))
        if other.affix is not Affix.EQUALS or not alike:
            raise Refused(
                f"'{test.canonical}' is stored as {test.field.type}, the other field as {other.field.type}: only like can be compared",
                ("detection",),
            )
        return f"{left} == {right}"
    present = f"isnotempty({right})"
    if other.affix is not Affix.EQUALS:
        present = f"isnotempty({left}) and {present}"
    if test.ignore_case:
        left, right = f"tolower({left})", f"tolower({right})"
    return _both(present, f"{left} {'==' if other.affix is Affix.EQUALS else _AFFIXES[other.affix]} {right}", within)
