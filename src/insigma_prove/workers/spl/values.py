"""SPL's values: null, text, numbers, booleans, multivalues; how they turn into each other and compare.

Numbers are doubles (SR eval, "Numeric calculations"). The value of a field is text, but eval takes it for a number where it
looks like one; text from a literal or a function stays text (measured: min("10", "9") is "10", max(field, 9) is 10 if the
field holds 10).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Any, TypeAlias

from insigma_prove.workers.serve import QueryFault


class FieldText(str):
    """The value of a field: text that eval may take for a number."""

    __slots__ = ()


Single: TypeAlias = "str | float | bool"
Multi: TypeAlias = "tuple[str | float, ...]"
Value: TypeAlias = "Single | Multi | None"
Fields: TypeAlias = "dict[str, Value]"

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_WHOLE = 1e15
_SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {"=": eq, "==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}


def looks_numeric(text: str) -> bool:
    """Whether the text is a decimal number."""
    return _NUMBER.fullmatch(text) is not None


def number(value: Value) -> float | None:
    """The number that a value is or spells; None for anything else (SR "Conversion functions", tonumber)."""
    if isinstance(value, bool) or value is None or isinstance(value, tuple):
        return None
    if isinstance(value, str):
        return finite(float(value)) if looks_numeric(value) else None
    return value


def finite(value: float) -> float | None:
    """The number, or None where there is none: SR eval, "Numeric calculations", has no use for an infinity in a comparison."""
    return value if math.isfinite(value) else None


def text(value: Single) -> str:
    """A value as text: whole numbers without a decimal point (SR "Conversion functions", tostring)."""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _WHOLE else repr(value)
    return str(value)


def singles(value: Value) -> tuple[Single, ...]:
    """The values of a field: none if it is null."""
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def multivalue(values: Iterable[str | float]) -> Value:
    """The values as a field holds them: null for none, the value itself for one (measured: split() without its separator)."""
    found = tuple(values)
    return None if not found else found[0] if len(found) == 1 else found


def compare(sign: str, left: Value, right: Value) -> bool | None:
    """An eval comparison: null if either side is (SR where, "Usage": only what is TRUE is returned).

    Two numbers, or field values that look like numbers, compare as numbers, anything else as text in the order of UTF-8
    (SM "Predicate expressions"; SR sort, "Lexicographical order"). Raises `QueryFault` where the manual does not say how.
    """
    if left is None or right is None:
        return None
    if isinstance(left, tuple) or isinstance(right, tuple):
        raise QueryFault("unsupported", "how eval compares a multivalue field with a value is not documented")
    if isinstance(left, bool) or isinstance(right, bool):
        if isinstance(left, bool) and isinstance(right, bool) and sign in ("=", "==", "!="):
            return _SIGNS[sign](left, right)
        raise QueryFault("type", f"the operator '{sign}' received different types")
    operate = _SIGNS[sign]
    as_text = operate(text(left), text(right))
    first, second = number(left), number(right)
    if first is None or second is None or (_is_plain(left) and _is_plain(right)):
        return as_text
    as_number = operate(first, second)
    if as_text is not as_number and _is_plain(left) is not _is_plain(right):
        raise QueryFault("unsupported", f"whether eval compares {text(left)!r} and {text(right)!r} as numbers or as text is not documented")
    return as_number


def _is_plain(value: Single) -> bool:
    return isinstance(value, str) and not isinstance(value, FieldText)


def lowered(value: str, reading: str) -> str:
    """The text in lower case, letter by letter, so that its length stays."""
    if value.isascii():
        return value.lower()
    if reading == "ascii":
        return "".join(char.lower() if char.isascii() else char for char in value)
    return "".join(low if len(low := char.lower()) == 1 else char for char in value)


def uppered(value: str, reading: str) -> str:
    """The text in upper case, letter by letter."""
    if value.isascii():
        return value.upper()
    if reading == "ascii":
        return "".join(char.upper() if char.isascii() else char for char in value)
    return "".join(high if len(high := char.upper()) == 1 else char for char in value)


def reply_value(value: Value) -> Any:
    """A value for the JSON reply: whole numbers without a point, multivalues as lists."""
    if isinstance(value, tuple):
        return [reply_value(one) for one in value]
    if isinstance(value, float) and value.is_integer() and abs(value) <= 1 << 53:
        return int(value)
    return str(value) if isinstance(value, str) else value
