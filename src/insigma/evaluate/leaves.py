"""One leaf of a predicate as a function of a view.

Every function here gives a closure `View -> bool`. Values of a field with several values stand in a tuple in the view;
any element satisfies.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from operator import ge, gt, le, lt
from typing import Any, TypeAlias

from insigma.content.folding import fold
from insigma.content.numbers import canonical_number
from insigma.content.predicate import (
    Affix,
    Boolean,
    Cidr,
    Compare,
    Comparison,
    Exists,
    FieldRef,
    IsNull,
    Number,
    Regex,
    Text,
    TimePart,
    TimeUnit,
    Value,
    Wildcard,
    affix_shape,
)
from insigma.content.regexes import re2_pattern
from insigma.evaluate.events import Aspect, View, milliseconds

Test: TypeAlias = Callable[[View], bool]
Needs: TypeAlias = "list[tuple[Aspect, str]]"

_OPERATORS = {Comparison.LT: lt, Comparison.LTE: le, Comparison.GT: gt, Comparison.GTE: ge}


class UnfilledPlaceholder(Exception):
    """A placeholder reached the evaluator: its list was not filled in."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(", ".join(names))
        self.names = names


def leaf_test(field: str, value: Value, needs: Needs) -> Test:
    """The test of one field against one value; what it reads is added to `needs`. Raises `UnfilledPlaceholder`."""
    match value:
        case Text():
            return _on_text(field, value.cased, text_predicate(value), needs)
        case Number():
            return _on_text(field, True, canonical_number(value.value).__eq__, needs)
        case Boolean():
            return _on_text(field, False, str(value.value).lower().__eq__, needs)
        case Compare():
            return _on_number(field, value, needs)
        case Regex():
            return _on_text(field, True, regex_predicate(value), needs)
        case Cidr():
            return _on_text(field, True, _cidr_predicate(value), needs)
        case FieldRef():
            return _on_fields(field, value, needs)
        case IsNull():
            return _on_presence(field, False, needs)
        case Exists():
            return _on_presence(field, value.wanted, needs)
        case TimePart():
            return _on_text(field, True, _time_predicate(value), needs)
        case _:
            raise UnfilledPlaceholder(
                tuple(part.name for part in value.template if hasattr(part, "name") and not isinstance(part, Wildcard))
            )


def _on_text(field: str, cased: bool, predicate: Callable[[str], bool], needs: Needs) -> Test:
    aspect = Aspect.CASED if cased else Aspect.FOLDED
    needs.append((aspect, field))
    key = aspect.key(field)

    def test(view: View) -> bool:
        value = view.get(key)
        if value.__class__ is str:
            return predicate(value)
        return value is not None and any(map(predicate, value))

    return test


def equals_any(field: str, cased: bool, literals: frozenset[str], needs: Needs) -> Test:
    """The field equals one of the (folded, unless `cased`) literals."""
    aspect = Aspect.CASED if cased else Aspect.FOLDED
    needs.append((aspect, field))
    key = aspect.key(field)

    def test(view: View) -> bool:
        value = view.get(key)
        if value.__class__ is str:
            return value in literals
        return value is not None and not literals.isdisjoint(value)

    return test


def affix_any(field: str, cased: bool, affix: Affix, literals: tuple[str, ...], needs: Needs) -> Test:
    """The field starts with, ends with or contains one of the literals.

    What `_on_text` would say of `affix_predicate`, with the comparison inside: most tests are of this kind, and a call
    costs as much as the comparison.
    """
    predicate = affix_predicate(affix, literals)
    if affix is Affix.STARTSWITH:
        return _on_text(field, cased, predicate, needs)
    aspect = Aspect.CASED if cased else Aspect.FOLDED
    needs.append((aspect, field))
    key = aspect.key(field)

    def ends(view: View) -> bool:
        value = view.get(key)
        if value.__class__ is str:
            return value.endswith(literals)
        return value is not None and any(map(predicate, value))

    def contains(view: View) -> bool:
        value = view.get(key)
        if value.__class__ is str:
            for literal in literals:  # noqa: SIM110 - a loop costs half of any() here
                if literal in value:
                    return True
            return False
        return value is not None and any(map(predicate, value))

    return ends if affix is Affix.ENDSWITH else contains


def affix_predicate(affix: Affix, literals: tuple[str, ...]) -> Callable[[str], bool]:
    if affix is Affix.STARTSWITH:
        return lambda text: text.startswith(literals)
    if affix is Affix.ENDSWITH:
        return lambda text: text.endswith(literals)
    if len(literals) == 1:
        only = literals[0]
        return lambda text: only in text

    def contains(text: str) -> bool:
        for literal in literals:  # noqa: SIM110 - a loop costs half of any() here
            if literal in text:
                return True
        return False

    return contains


def _on_number(field: str, value: Compare, needs: Needs) -> Test:
    needs.append((Aspect.NUMBER, field))
    key = Aspect.NUMBER.key(field)
    operator, bound = _OPERATORS[value.operator], value.value

    def test(view: View) -> bool:
        number = view.get(key)
        if number is None:
            return False
        if number.__class__ is tuple:
            return any(operator(element, bound) for element in number)
        return bool(operator(number, bound))

    return test


def _on_presence(field: str, wanted: bool, needs: Needs) -> Test:
    needs.append((Aspect.PRESENT, field))
    key = Aspect.PRESENT.key(field)
    return (lambda view: key in view) if wanted else (lambda view: key not in view)


def _on_fields(field: str, value: FieldRef, needs: Needs) -> Test:
    aspect = Aspect.CASED if value.cased else Aspect.FOLDED
    needs.extend(((aspect, field), (aspect, value.field)))
    left_key, right_key = aspect.key(field), aspect.key(value.field)
    relation = _RELATIONS[value.affix]

    def test(view: View) -> bool:
        left, right = view.get(left_key), view.get(right_key)
        if left is None or right is None:
            return False
        lefts = (left,) if left.__class__ is str else left
        rights = (right,) if right.__class__ is str else right
        return any(relation(one, other) for one in lefts for other in rights)

    return test


_RELATIONS: dict[Affix, Callable[[str, str], bool]] = {
    Affix.EQUALS: str.__eq__,
    Affix.STARTSWITH: str.startswith,
    Affix.ENDSWITH: str.endswith,
    Affix.CONTAINS: str.__contains__,
}


def text_predicate(pattern: Text) -> Callable[[str], bool]:
    """Whether a text (folded already, unless the pattern is cased) is what the pattern says."""
    parts = tuple(part if pattern.cased or isinstance(part, Wildcard) else fold(part) for part in pattern.parts)
    shape = affix_shape(Text(parts, pattern.cased))
    if shape is not None:
        affix, literal = shape
        return literal.__eq__ if affix is Affix.EQUALS else affix_predicate(affix, (literal,))
    if parts == (Wildcard.MANY,):
        return lambda _: True
    return _wildcard_predicate(parts)


def _wildcard_predicate(parts: tuple[Any, ...]) -> Callable[[str], bool]:
    """RE2 does the matching, in linear time; the longest literal is looked for first."""
    pieces = [_escape(part) if isinstance(part, str) else (".*" if part is Wildcard.MANY else ".") for part in parts]
    search = re2_pattern(Regex(r"\A" + "".join(pieces) + r"\z", dotall=True)).search
    longest = max((part for part in parts if isinstance(part, str)), key=len, default="")
    return lambda text: longest in text and search(text) is not None


def _escape(literal: str) -> str:
    return "".join(char if char.isalnum() or ord(char) > 127 else f"\\x{{{ord(char):x}}}" for char in literal)


def regex_predicate(regex: Regex) -> Callable[[str], bool]:
    search = re2_pattern(regex).search
    return lambda text: search(text) is not None


@lru_cache(maxsize=65_536)
def _address(text: str) -> Any:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _cidr_predicate(cidr: Cidr) -> Callable[[str], bool]:
    network = ipaddress.ip_network(cidr.network)

    def inside(text: str) -> bool:
        address = _address(text)
        return address is not None and address.version == network.version and address in network

    return inside


_TIME_PARTS: dict[TimeUnit, Callable[[datetime], int]] = {
    TimeUnit.MINUTE: lambda moment: moment.minute,
    TimeUnit.HOUR: lambda moment: moment.hour,
    TimeUnit.DAY: lambda moment: moment.day,
    TimeUnit.WEEK: lambda moment: moment.isocalendar().week,
    TimeUnit.MONTH: lambda moment: moment.month,
    TimeUnit.YEAR: lambda moment: moment.year,
}


def _time_predicate(part: TimePart) -> Callable[[str], bool]:
    read = _TIME_PARTS[part.unit]

    def is_part(text: str) -> bool:
        time_ms = milliseconds(text)
        return time_ms is not None and read(datetime.fromtimestamp(time_ms // 1000, UTC)) == part.value

    return is_part
