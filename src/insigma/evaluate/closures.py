"""Predicates into closures: built once a rule, then run on every event's view.

AND and OR have no order in meaning, so operands run cheapest first; alternatives of one field are gathered into one test.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from insigma.content.folding import fold
from insigma.content.numbers import canonical_number
from insigma.content.predicate import (
    Affix,
    And,
    Cidr,
    Constant,
    FieldRef,
    Keyword,
    Match,
    Named,
    Not,
    Number,
    Or,
    Placeholder,
    Predicate,
    Regex,
    Text,
    TimePart,
    Wildcard,
    affix_shape,
)
from insigma.evaluate.events import ANY_VALUE
from insigma.evaluate.leaves import Needs, Test, affix_any, equals_any, leaf_test


def compile_predicate(predicate: Predicate, needs: Needs) -> Test:
    """The predicate as a function of a view; the aspects it reads are added to `needs`. Raises `UnfilledPlaceholder`."""
    match predicate:
        case Match(field, value):
            return leaf_test(field, value, needs)
        case Keyword(value):
            return leaf_test(ANY_VALUE, value, needs)
        case Named(_, operand):
            return compile_predicate(operand, needs)
        case Constant(value):
            return lambda _: value
        case Not(operand):
            inner = compile_predicate(operand, needs)
            return lambda view: not inner(view)
        case And(operands):
            return _all([compile_predicate(operand, needs) for operand in sorted(_lifted(And, operands), key=cost)])
        case Or(operands):
            return _any(_alternatives(_lifted(Or, operands), needs))


def _lifted(kind: type[And] | type[Or], operands: Iterable[Predicate]) -> Iterator[Predicate]:
    """The operands, those of an inner node of the same kind in its place."""
    for operand in operands:
        while isinstance(operand, Named):
            operand = operand.operand
        if isinstance(operand, kind):
            yield from _lifted(kind, operand.operands)
        else:
            yield operand


def _all(tests: list[Test]) -> Test:
    if len(tests) == 2:
        first, second = tests
        return lambda view: first(view) and second(view)
    if len(tests) == 3:
        first, second, third = tests
        return lambda view: first(view) and second(view) and third(view)

    def test(view: dict[str, object]) -> bool:
        for part in tests:  # noqa: SIM110 - a loop costs half of all()
            if not part(view):
                return False
        return True

    return test


def _any(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda view: first(view) or second(view)

    def test(view: dict[str, object]) -> bool:
        for part in tests:  # noqa: SIM110
            if part(view):
                return True
        return False

    return test


def _alternatives(operands: Iterable[Predicate], needs: Needs) -> list[Test]:
    """The operands of an OR as tests, plain string patterns of one field gathered by shape."""
    gathered: dict[tuple[str, bool, Affix], list[str]] = {}
    others: list[Predicate] = []
    for operand in operands:
        shape = _simple(operand)
        if shape is None:
            others.append(operand)
        else:
            field, cased, affix, literal = shape
            gathered.setdefault((field, cased, affix), []).append(literal)
    tests = [_gathered(field, cased, affix, literals, needs) for (field, cased, affix), literals in sorted(gathered.items(), key=_rank)]
    return tests + [compile_predicate(operand, needs) for operand in sorted(others, key=cost)]


def _rank(entry: tuple[tuple[str, bool, Affix], list[str]]) -> int:
    return tuple(Affix).index(entry[0][2])


def _gathered(field: str, cased: bool, affix: Affix, literals: list[str], needs: Needs) -> Test:
    if affix is Affix.EQUALS:
        return equals_any(field, cased, frozenset(literals), needs)
    return affix_any(field, cased, affix, tuple(literals), needs)


def _simple(predicate: Predicate) -> tuple[str, bool, Affix, str] | None:
    """A leaf that only compares with one literal: field, cased, how, the literal (folded unless cased)."""
    match predicate:
        case Match(field, Number(value)):
            return field, True, Affix.EQUALS, canonical_number(value)
        case Match(field, Text() as text):
            pass
        case Keyword(Text() as text):
            field = ANY_VALUE
        case _:
            return None
    shape = affix_shape(text)
    if shape is None:
        return None
    affix, literal = shape
    return field, text.cased, affix, literal if text.cased else fold(literal)


def cost(predicate: Predicate) -> int:
    """A rough price of running the predicate once, to order operands by."""
    match predicate:
        case Match(_, value):
            return _value_cost(value)
        case Keyword(value):
            return 20 * _value_cost(value)
        case Named(_, operand) | Not(operand):
            return cost(operand)
        case And(operands):
            return min(map(cost, operands)) + len(operands)
        case Or(operands):
            return sum(map(cost, operands))
        case Constant():
            return 0


def _value_cost(value: object) -> int:
    match value:
        case Text(parts):
            return 1 if Wildcard.MANY not in parts and Wildcard.ONE not in parts else 2 if len(parts) <= 3 else 8
        case Regex() | TimePart() | Placeholder():
            return 10
        case Cidr() | FieldRef():
            return 4
        case _:
            return 1
