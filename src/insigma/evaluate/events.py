"""Events as the evaluator sees them: flat, with every field prepared once for the tests that rules make.

An event is JSON: nested objects and flat dotted names are the same event, arrays of objects flatten, null and empty
arrays are absence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

from insigma.content.folding import fold
from insigma.content.numbers import canonical_number, number_of

Scalar: TypeAlias = "str | int | float | bool"
Flat: TypeAlias = "dict[str, Scalar | tuple[Scalar, ...]]"
View: TypeAlias = "dict[str, Any]"

ANY_VALUE = ""  # the name that no field of a rule has
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999  # years 1 to 9999


class Aspect(Enum):
    """How a test looks at a field. A view holds the field's value, so prepared, under `aspect.value + field`."""

    FOLDED = "f:"
    CASED = "c:"
    NUMBER = "n:"
    PRESENT = "p:"

    def key(self, field: str) -> str:
        return self.value + field


def flatten(event: Mapping[str, Any]) -> Flat:
    """Dotted names to scalars, or tuples where there are several values. Deep nesting costs no recursion."""
    for value in event.values():  # a loop costs half of any() here
        if isinstance(value, (dict, list)):
            return _flattened(event)
    return {name: value for name, value in event.items() if value is not None}


def _flattened(event: Mapping[str, Any]) -> Flat:
    found: dict[str, list[Scalar]] = {}
    stack: list[tuple[str, Any]] = [(name, event[name]) for name in reversed(list(event))]
    while stack:
        name, value = stack.pop()
        if isinstance(value, dict):
            stack.extend((f"{name}.{key}", value[key]) for key in reversed(value))
        elif isinstance(value, list):
            stack.extend((name, element) for element in reversed(value))
        elif value is not None:
            found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else tuple(values) for name, values in found.items()}


def text_of(value: Scalar) -> str:
    """The text that string tests see: canonical decimal for numbers, "true"/"false" for booleans."""
    if isinstance(value, str):
        return value
    return ("true" if value else "false") if isinstance(value, bool) else canonical_number(value)


def as_number(value: Scalar) -> int | float | None:
    """The number that order tests and sums see: finite numbers and numeric strings, nothing else."""
    if isinstance(value, str):
        return number_of(value)
    return None if isinstance(value, bool) or _infinite(value) else value


def _infinite(value: int | float) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def values_of(flat: Flat, field: str) -> tuple[Scalar, ...]:
    """All values of a field; none if it is absent."""
    value = flat.get(field)
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


class Preparer:
    """Turns flat events into views that hold just the aspects that the rules ask for."""

    def __init__(self, needs: Iterable[tuple[Aspect, str]]) -> None:
        plan: dict[str, set[Aspect]] = {}
        for aspect, field in needs:
            plan.setdefault(field, set()).add(aspect)
        self._everything = tuple(sorted((aspect for aspect in plan.pop(ANY_VALUE, ())), key=lambda aspect: aspect.value))
        self._plan = {
            field: tuple(sorted((aspect.value, field, _PREPARE[aspect]) for aspect in aspects)) for field, aspects in plan.items()
        }
        self._steps = {field: tuple((prefix + field, prepare) for prefix, field, prepare in steps) for field, steps in self._plan.items()}

    def view(self, flat: Flat) -> View:
        """The prepared event. Absent fields are not in it."""
        view: View = {}
        steps_of = self._steps.get
        for field, value in flat.items():
            steps = steps_of(field)
            if steps is None:
                continue
            for key, prepare in steps:
                prepared = prepare(value)
                if prepared is not None:
                    view[key] = prepared
        for aspect in self._everything:
            prepare = _PREPARE_ONE[aspect]
            view[aspect.key(ANY_VALUE)] = tuple(
                prepare(element) for value in flat.values() for element in (value if isinstance(value, tuple) else (value,))
            )
        return view


def _folded(value: Any) -> Any:
    if value.__class__ is str:
        return value.lower() if value.isascii() else fold(value)
    if value.__class__ is tuple:
        return tuple(fold(text_of(element)) for element in value)
    return text_of(value)


def _cased(value: Any) -> Any:
    if value.__class__ is str:
        return value
    return tuple(text_of(element) for element in value) if value.__class__ is tuple else text_of(value)


def _number(value: Any) -> Any:
    if value.__class__ is tuple:
        numbers = tuple(number for element in value if (number := as_number(element)) is not None)
        return numbers or None
    return as_number(value)


def _present(_: Any) -> bool:
    return True


_PREPARE = {Aspect.FOLDED: _folded, Aspect.CASED: _cased, Aspect.NUMBER: _number, Aspect.PRESENT: _present}
_PREPARE_ONE = {Aspect.FOLDED: lambda value: fold(text_of(value)), Aspect.CASED: text_of}


def time_of(flat: Flat, field: str = "@timestamp") -> int | None:
    """The event's time in milliseconds since 1970, or None. Of several values the first counts."""
    values = values_of(flat, field)
    return milliseconds(values[0]) if values else None


@lru_cache(maxsize=65_536, typed=True)
def milliseconds(value: Scalar) -> int | None:
    """ISO 8601 (UTC where no zone is given) or a Unix time: seconds below 10^11, milliseconds from there on.

    None for what is no time of the years 1 to 9999. Parts of a millisecond are cut off.
    """
    if isinstance(value, str):
        number = number_of(value)
        return _iso_milliseconds(value) if number is None or len(value) <= 8 else milliseconds(number)
    if isinstance(value, bool) or _infinite(value):
        return None
    time_ms = math.floor(Fraction(canonical_number(value)) * 1000) if abs(value) < 1e11 else math.floor(value)
    return time_ms if _FIRST_MS <= time_ms <= _LAST_MS else None


def _iso_milliseconds(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    time_ms = (moment - _EPOCH) // _MILLISECOND
    return time_ms if _FIRST_MS <= time_ms <= _LAST_MS else None


def iso(time_ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC, always with milliseconds."""
    moment = _EPOCH + time_ms * _MILLISECOND
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
