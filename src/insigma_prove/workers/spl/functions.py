"""eval's functions of values: what each takes and gives (SR "Evaluation functions" and the pages below it).

Where a function is given null it gives null (measured: `upper(nosuchfield)` assigns nothing), unless its page says
otherwise; a multivalue is only taken by the functions that are written for it.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias
from urllib.parse import unquote

from insigma_prove.workers.serve import QueryFault
from insigma_prove.workers.spl.clock import relative_time, strftime, strptime
from insigma_prove.workers.spl.pcre import Regexes
from insigma_prove.workers.spl.readings import Readings
from insigma_prove.workers.spl.values import FieldText, Single, Value, compare, finite, lowered, multivalue, number, singles, text, uppered


@dataclass(frozen=True, slots=True)
class Runtime:
    """What functions need beside their arguments: how the manual is read, regular expressions, the time of the run."""

    readings: Readings
    regexes: Regexes
    now: float | None = None


Values: TypeAlias = Sequence[Value]


@dataclass(frozen=True, slots=True)
class Function:
    """`least` and `most` arguments (None: any number); `kind` of its result; whether it takes nulls and multivalues as they are."""

    call: Callable[[Runtime, Values], Value]
    least: int
    most: int | None
    kind: str = "any"
    nulls: bool = False
    multi: bool = False


def apply(name: str, function: Function, runtime: Runtime, values: Values) -> Value:
    """The function on values: null for null, a fault for a multivalue that it is not written for."""
    if not function.nulls and any(value is None for value in values):
        return None
    if not function.multi and any(isinstance(value, tuple) for value in values):
        raise QueryFault("unsupported", f"what {name}() does with a multivalue field is not documented")
    return function.call(runtime, values)


def _text(value: Value) -> str:
    assert value is not None
    assert not isinstance(value, tuple)
    return text(value)


def _single(value: Value) -> Single:
    assert value is not None
    assert not isinstance(value, tuple)
    return value


def _like(_: Runtime, values: Values) -> Value:
    """SR "Comparison and Conditional functions", like: `%` stands for any text, `_` for one character; case matters."""
    wild = {"%": ".*", "_": "."}
    pattern = "".join(wild.get(char, re.escape(char)) for char in _text(values[1]))
    return re.fullmatch(pattern, _text(values[0]), re.DOTALL) is not None


def _match(runtime: Runtime, values: Values) -> Value:
    """SR "Comparison and Conditional functions", match: a part of the text is enough, unless the expression has anchors."""
    return runtime.regexes.finds(_text(values[1]), _text(values[0]))


def _cidrmatch(_: Runtime, values: Values) -> Value:
    """SR "Comparison and Conditional functions", cidrmatch: IPv4 and IPv6; what is no address is in no network."""
    try:
        network = ipaddress.ip_network(_text(values[0]), strict=False)
    except ValueError:
        raise QueryFault("run", f"cidrmatch() does not take the network {_text(values[0])!r}") from None
    try:
        return ipaddress.ip_address(_text(values[1])) in network
    except ValueError:
        return False


def _in(_: Runtime, values: Values) -> Value:
    """SR "Comparison and Conditional functions", in: TRUE if one of the list equals the first; null as a comparison is."""
    if values[0] is None:
        return None
    return any(compare("=", values[0], value) is True for value in values[1:])


def _substr(_: Runtime, values: Values) -> Value:
    """SR "Text functions", substr: counts from 1, or from the end if negative. A start of 0 is taken as 1 (assumed)."""
    start, length = number(values[1]), number(values[2]) if len(values) > 2 else None
    if start is None or (len(values) > 2 and length is None):
        return None
    if length is not None and length < 0:
        raise QueryFault("unsupported", "substr() of a negative length is not documented")
    source = _text(values[0])
    first = max(int(start) - 1, 0) if start >= 0 else max(len(source) + int(start), 0)
    return source[first : None if length is None else first + int(length)]


def _round(_: Runtime, values: Values) -> Value:
    """SR "Mathematical functions", round: to whole numbers or to decimals, halves away from zero (measured)."""
    value, digits = number(values[0]), number(values[1]) if len(values) > 1 else 0.0
    if value is None or digits is None:
        return None
    if abs(value) >= 1e15:
        return value
    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-int(digits)), ROUND_HALF_UP))


def _tostring(_: Runtime, values: Values) -> Value:
    """SR "Conversion functions", tostring. Its formats are not run here."""
    if len(values) > 1:
        raise QueryFault("unsupported", "tostring() with a format is not run here")
    return _text(values[0])


def _tonumber(_: Runtime, values: Values) -> Value:
    """SR "Conversion functions", tonumber: null for text that is no number. Other bases are not run here."""
    if len(values) > 1:
        raise QueryFault("unsupported", "tonumber() with a base is not run here")
    return number(_single(values[0]))


def _replace(runtime: Runtime, values: Values) -> Value:
    return runtime.regexes.replaced(_text(values[1]), _text(values[2]), _text(values[0]))


def _trimmed(cut: Callable[[str, str], str]) -> Callable[[Runtime, Values], Value]:
    """SR "Text functions", trim: spaces and tabs, or the characters given."""
    return lambda _, values: cut(_text(values[0]), _text(values[1]) if len(values) > 1 else " \t")


def _math(compute: Callable[[float], float]) -> Callable[[Runtime, Values], Value]:
    """A function of one number: null for text that is none and where it is undefined (measured: sqrt(-1))."""

    def call(_: Runtime, values: Values) -> Value:
        value = number(values[0])
        try:
            return None if value is None else finite(float(compute(value)))
        except (ValueError, OverflowError):
            return None

    return call


def _pow(_: Runtime, values: Values) -> Value:
    base, exponent = number(values[0]), number(values[1])
    try:
        return None if base is None or exponent is None else finite(math.pow(base, exponent))
    except (ValueError, OverflowError):
        return None


def _extreme(pick: Callable[..., float], pick_text: Callable[..., str]) -> Callable[[Runtime, Values], Value]:
    """SR "Statistical eval functions", max and min: text ranks above numbers (also measured); null takes no part."""

    def call(_: Runtime, values: Values) -> Value:
        numbers = [value for value in values if isinstance(value, float) or (isinstance(value, FieldText) and number(value) is not None)]
        texts = [value for value in values if isinstance(value, str) and value not in numbers]
        chosen_number = pick(numbers, key=lambda value: number(value) or 0.0) if numbers else None
        chosen_text = pick_text(texts) if texts else None
        if pick is max:
            return chosen_text if chosen_text is not None else chosen_number
        return chosen_number if chosen_number is not None else chosen_text

    return call


def _split(_: Runtime, values: Values) -> Value:
    """SR "Multivalue eval functions", split."""
    return multivalue(_text(values[0]).split(_text(values[1])) if _text(values[1]) else _text(values[0]))


def _mvfind(runtime: Runtime, values: Values) -> Value:
    """SR "Multivalue eval functions", mvfind: the place of the first value in which the expression finds a part, else null."""
    pattern = _text(values[1])
    for place, value in enumerate(singles(values[0])):
        if runtime.regexes.finds(pattern, text(value)):
            return float(place)
    return None


def _mvindex(_: Runtime, values: Values) -> Value:
    """SR "Multivalue eval functions", mvindex: from 0, from the end if negative; null out of range."""
    held, places = singles(values[0]), [number(value) for value in values[1:]]
    if any(place is None for place in places):
        return None
    start, *rest = (int(place) + (len(held) if place < 0 else 0) for place in places if place is not None)
    end = rest[0] if rest else start
    return multivalue(_bare(value) for value in held[start : end + 1]) if 0 <= start < len(held) and start <= end else None


def _mvjoin(_: Runtime, values: Values) -> Value:
    return _text(values[1]).join(text(value) for value in singles(values[0]))


def _bare(value: Single) -> str | float:
    assert not isinstance(value, bool)
    return value


def _clock(compute: Callable[[float, str], Value], *, first: bool = True) -> Callable[[Runtime, Values], Value]:
    def call(_: Runtime, values: Values) -> Value:
        moment = number(values[0]) if first else 0.0
        return None if moment is None else compute(moment, _text(values[1]))

    return call


def _now(runtime: Runtime, _: Values) -> Value:
    if runtime.now is None:
        raise QueryFault("run", "now() is asked for and the request does not say when now is")
    return runtime.now


FUNCTIONS: Mapping[str, Function] = {
    "like": Function(_like, 2, 2, "boolean"),
    "match": Function(_match, 2, 2, "boolean"),
    "cidrmatch": Function(_cidrmatch, 2, 2, "boolean"),
    "in": Function(_in, 2, None, "boolean", nulls=True, multi=True),
    "isnull": Function(lambda _, values: values[0] is None, 1, 1, "boolean", nulls=True, multi=True),
    "isnotnull": Function(lambda _, values: values[0] is not None, 1, 1, "boolean", nulls=True, multi=True),
    "isnum": Function(lambda _, values: _is_number(values[0]), 1, 1, "boolean", nulls=True),
    "isstr": Function(lambda _, values: isinstance(values[0], str) and not _is_number(values[0]), 1, 1, "boolean", nulls=True),
    "true": Function(lambda _, __: True, 0, 0, "boolean"),
    "false": Function(lambda _, __: False, 0, 0, "boolean"),
    "null": Function(lambda _, __: None, 0, 0, "null"),
    "lower": Function(lambda runtime, values: lowered(_text(values[0]), runtime.readings.lower), 1, 1, "text"),
    "upper": Function(lambda runtime, values: uppered(_text(values[0]), runtime.readings.lower), 1, 1, "text"),
    "len": Function(lambda _, values: float(len(_text(values[0]))), 1, 1, "number"),
    "substr": Function(_substr, 2, 3, "text"),
    "replace": Function(_replace, 3, 3, "text"),
    "trim": Function(_trimmed(str.strip), 1, 2, "text"),
    "ltrim": Function(_trimmed(str.lstrip), 1, 2, "text"),
    "rtrim": Function(_trimmed(str.rstrip), 1, 2, "text"),
    "urldecode": Function(lambda _, values: unquote(_text(values[0]), errors="strict"), 1, 1, "text"),
    "tostring": Function(_tostring, 1, 2, "text"),
    "tonumber": Function(_tonumber, 1, 2, "number"),
    "round": Function(_round, 1, 2, "number"),
    "abs": Function(_math(abs), 1, 1, "number"),
    "ceiling": Function(_math(math.ceil), 1, 1, "number"),
    "ceil": Function(_math(math.ceil), 1, 1, "number"),
    "floor": Function(_math(math.floor), 1, 1, "number"),
    "exact": Function(_math(float), 1, 1, "number"),
    "exp": Function(_math(math.exp), 1, 1, "number"),
    "ln": Function(_math(math.log), 1, 1, "number"),
    "sqrt": Function(_math(math.sqrt), 1, 1, "number"),
    "pow": Function(_pow, 2, 2, "number"),
    "max": Function(_extreme(max, max), 1, None, nulls=True),
    "min": Function(_extreme(min, min), 1, None, nulls=True),
    "split": Function(_split, 2, 2),
    "mvcount": Function(lambda _, values: float(len(singles(values[0]))), 1, 1, "number", multi=True),
    "mvindex": Function(_mvindex, 2, 3, multi=True),
    "mvjoin": Function(_mvjoin, 2, 2, "text", multi=True),
    "mvfind": Function(_mvfind, 2, 2, "number", multi=True),
    "mvdedup": Function(lambda _, values: multivalue(dict.fromkeys(map(_bare, singles(values[0])))), 1, 1, multi=True),
    "mvsort": Function(lambda _, values: multivalue(sorted(map(_bare, singles(values[0])), key=text)), 1, 1, multi=True),
    "mvappend": Function(
        lambda _, values: multivalue(_bare(one) for value in values for one in singles(value)), 1, None, nulls=True, multi=True
    ),
    "now": Function(_now, 0, 0, "number"),
    "strftime": Function(_clock(strftime), 2, 2, "text"),
    "relative_time": Function(_clock(relative_time), 2, 2, "number"),
    "strptime": Function(lambda _, values: strptime(_text(values[0]), _text(values[1])), 2, 2, "number"),
}
"""The functions by name. Those that do not evaluate all their arguments are in `evaluation`."""


def _is_number(value: Value) -> bool:
    """SR "Informational functions", isnum: a number, or the value of a field that looks like one."""
    return isinstance(value, float) or (isinstance(value, FieldText) and number(value) is not None)
