"""What the search command finds: its expression as a test on a row (SR search, "Usage").

- Field values compare without regard to case (SM "Use CASE() and TERM()"); `=` and `!=` compare text, with `*` as wildcard,
  so "1" is not "1.0"; `<` and its like compare two numbers as numbers and anything else as text (SR search, "Comparison
  expression options").
- `field!=value` wants the field; `NOT field=value` does not (SR search, "NOT or != "). Each value of a multivalue field is
  compared by itself (assumed for !=, which one differing value satisfies).
- A CIDR value finds the addresses of the network (SR search, "CIDR matching").
- Where events are read from the index, the terms of a value must stand in the raw text, too (fields.conf,
  `INDEXED_VALUE = true`); values with wildcards are left to the field.
- A bare term or phrase is looked for in the raw text, between breakers (SM "About event segmentation").
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from insigma_prove.workers.spl.events import ANY_BREAKER, MAJOR_BREAKER, METADATA, Row, tokens
from insigma_prove.workers.spl.readings import Readings
from insigma_prove.workers.spl.searching import AllOf, AnyOf, Comparison, Expression, Not, Pattern, Term
from insigma_prove.workers.spl.values import Single, lowered, number, singles, text

Test: TypeAlias = Callable[[Row], bool]
Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"


def compiled(expression: Expression, readings: Readings, *, indexed: bool) -> Test:
    """The test of a search command; `indexed` where it reads events from the index."""
    match expression:
        case Not(operand):
            # What an index lookup cannot find is not thereby excluded, so under NOT the field alone decides.
            inner = compiled(operand, readings, indexed=False)
            return lambda row: not inner(row)
        case AllOf(operands):
            every = [compiled(operand, readings, indexed=indexed) for operand in operands]
            return lambda row: all(test(row) for test in every)
        case AnyOf(operands):
            some = [compiled(operand, readings, indexed=indexed) for operand in operands]
            return lambda row: any(test(row) for test in some)
        case Term(pattern):
            return _term(pattern, readings)
        case Comparison():
            return _comparison(expression, readings, indexed)


def _comparison(comparison: Comparison, readings: Readings, indexed: bool) -> Test:
    name = comparison.field
    tests = [_value_test(comparison.sign, pattern, readings, indexed and name not in METADATA) for pattern in comparison.patterns]

    def test(row: Row) -> bool:
        values = singles(row.fields.get(name))
        return any(one(row, value) for value in values for one in tests)

    return test


def _value_test(sign: str, pattern: Pattern, readings: Readings, indexed: bool) -> Callable[[Row, Single], bool]:
    if sign not in ("=", "!="):
        return partial(_ordered, sign, pattern.literal or "")
    matches = _matcher(pattern, readings)
    if sign == "!=":
        return lambda _, value: not matches(text(value))
    wanted = frozenset(tokens(pattern.literal)) if indexed and pattern.literal is not None and _network(pattern) is None else frozenset()
    return lambda row, value: wanted <= row.terms and matches(text(value))


def _ordered(sign: str, wanted: str, _: Row, value: Single) -> bool:
    first, second = number(value), float(wanted) if number(wanted) is not None else None
    left, right = (first, second) if first is not None and second is not None else (text(value), wanted)
    if isinstance(left, str) or isinstance(right, str):
        left, right = str(left), str(right)
        return left < right if sign == "<" else left <= right if sign == "<=" else left > right if sign == ">" else left >= right
    return left < right if sign == "<" else left <= right if sign == "<=" else left > right if sign == ">" else left >= right


def _matcher(pattern: Pattern, readings: Readings) -> Callable[[str], bool]:
    """Whether a field's value is what the pattern says."""
    if pattern.anything:
        return lambda _: True
    network = _network(pattern)
    fold = (lambda value: value) if pattern.cased else partial(lowered, reading=readings.lower)
    expression = re.compile("".join(".*" if part is None else re.escape(fold(part)) for part in pattern.parts), re.DOTALL)

    def matches(value: str) -> bool:
        return expression.fullmatch(fold(value)) is not None or (network is not None and _inside(network, value))

    return matches


def _network(pattern: Pattern) -> Network | None:
    if pattern.literal is None or "/" not in pattern.literal:
        return None
    try:
        return ipaddress.ip_network(pattern.literal, strict=False)
    except ValueError:
        return None


def _inside(network: Network, value: str) -> bool:
    try:
        return ipaddress.ip_address(value) in network
    except ValueError:
        return False


def _term(pattern: Pattern, readings: Readings) -> Test:
    """A term in the raw text: between breakers of either kind, or major ones for TERM()."""
    if pattern.anything:
        return lambda _: True
    fold = (lambda value: value) if pattern.cased else partial(lowered, reading=readings.lower)
    breaker = (MAJOR_BREAKER if pattern.exact else ANY_BREAKER).pattern
    within = MAJOR_BREAKER.pattern.replace("[", "[^", 1)
    body = "".join(f"{within}*" if part is None else re.escape(fold(part)) for part in pattern.parts)
    expression = re.compile(f"(?:^|(?<={breaker})){body}(?:$|(?={breaker}))")

    def test(row: Row) -> bool:
        raw = row.fields.get("_raw")
        return isinstance(raw, str) and expression.search(fold(raw)) is not None

    return test
