"""ES|QL's functions, of which those are modelled that detection queries use.

Each takes the typed arguments and gives a typed expression. Sources: "ES|QL functions" of the Elasticsearch 8.18 reference and
elastic/elasticsearch, x-pack/plugin/esql/.../expression/function/scalar, one class a function.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from insigma_prove.workers.elastic import esql_dates
from insigma_prove.workers.elastic.esql_values import NUMBERS, Typed, Value, as_number, order, packed, several, single, type_fault
from insigma_prove.workers.elastic.jvm import Jvm
from insigma_prove.workers.elastic.values import Malformed, address, in_network, milliseconds, network

Maker: TypeAlias = Callable[[Sequence[Typed]], Typed]


def functions(jvm: Jvm) -> Mapping[str, Maker]:
    """The functions by name, in lower case."""
    texts: dict[str, tuple[str, Callable[..., Any]]] = {
        "concat": ("keyword", lambda *parts: "".join(parts)),
        "starts_with": ("boolean", lambda text, start: text.startswith(start)),
        "ends_with": ("boolean", lambda text, end: text.endswith(end)),
        "length": ("integer", len),
        "locate": ("integer", _locate),
        "substring": ("keyword", _substring),
        "left": ("keyword", lambda text, count: text[: max(0, count)]),
        "right": ("keyword", lambda text, count: text[max(0, len(text) - max(0, count)) :]),
        "trim": ("keyword", lambda text: text.strip()),
        "replace": ("keyword", jvm.replace_all),
    }
    conversions: dict[str, tuple[str, Callable[[str, Any], Any]]] = {
        "to_string": ("keyword", lambda kind, value: _text(jvm, kind, value)),
        "to_long": ("long", _long),
        "to_integer": ("integer", _integer),
        "to_double": ("double", lambda _kind, value: as_number("double", float(value))),
        "to_boolean": ("boolean", lambda _kind, value: value.lower() == "true" if isinstance(value, str) else bool(value)),
        "to_ip": ("ip", lambda _kind, value: value if hasattr(value, "packed") else address(value)),
        "to_datetime": ("date", lambda _kind, value: milliseconds(value) if isinstance(value, str) else int(value)),
    }
    return {
        **{name: _singles(kind, body) for name, (kind, body) in texts.items()},
        **{name: _conversion(kind, body) for name, (kind, body) in conversions.items()},
        **_MULTIVALUE,
        "to_lower": _changed_case(jvm, upper=False),
        "to_upper": _changed_case(jvm, upper=True),
        "case": _case,
        "coalesce": _coalesce,
        "cidr_match": _cidr_match,
        "round": _round,
        "abs": _same_number(abs),
        "floor": _same_number(math.floor),
        "ceil": _same_number(math.ceil),
        "greatest": _extreme(max),
        "least": _extreme(min),
        "date_extract": _date_extract,
        "date_trunc": _date_trunc,
    }


def _singles(kind: str, body: Callable[..., Any]) -> Maker:
    """A function of single values: null where any argument is null or several."""

    def make(arguments: Sequence[Typed]) -> Typed:
        def run(row: dict[str, Value]) -> Value:
            values = [single(argument.run(row)) for argument in arguments]
            return None if any(value is None for value in values) else body(*values)

        return Typed(kind, run, constant=all(argument.constant for argument in arguments))

    return make


def _conversion(kind: str, body: Callable[[str, Any], Any]) -> Maker:
    """A conversion: of each of several values; what cannot be converted is null, with a warning there (AbstractConvertFunction)."""

    def make(arguments: Sequence[Typed]) -> Typed:
        source = arguments[0]

        def one(value: Any) -> Any:
            try:
                return body(source.type, value)
            except (Malformed, ValueError, OverflowError):
                return None

        def run(row: dict[str, Value]) -> Value:
            converted = [one(value) for value in several(source.run(row))]
            return packed(tuple(value for value in converted if value is not None))

        return Typed(kind, run, constant=source.constant)

    return make


def _locate(text: str, part: str, start: int = 0) -> int:
    """From 1; 0 where it is not found (Locate.process)."""
    return text.find(part, max(0, start - 1)) + 1


def _substring(text: str, start: int, length: int | None = None) -> Any:
    """From 1, 0 being 1 and negative numbers counting from the end (Substring.process)."""
    if length is not None and length < 0:
        return None
    begin = start - 1 if start > 0 else len(text) + start if start < 0 else 0
    begin = min(max(0, begin), len(text))
    return text[begin:] if length is None else text[begin : begin + length]


def _text(jvm: Jvm, kind: str, value: Any) -> str:
    if kind == "date":
        moment = esql_dates.date_part("milli_of_second", value)
        seconds = value // 1000
        clock = [esql_dates.date_part(part, value) for part in ("year", "month_of_year", "day_of_month")]
        return "{:04d}-{:02d}-{:02d}T{:02d}:{:02d}:{:02d}.{:03d}Z".format(
            *clock, seconds // 3600 % 24, seconds // 60 % 60, seconds % 60, moment
        )
    if isinstance(value, bool):
        return str(value).lower()
    return jvm.double_text(value) if isinstance(value, float) else str(value)


def _long(_kind: str, value: Any) -> Any:
    """Strings may spell a decimal; decimals are rounded half up (Math.round in EsqlDataTypeConverter.safeDoubleToLong)."""
    number = value if not isinstance(value, str) else int(value) if value.lstrip("+-").isdigit() else float(value)
    return as_number("long", _rounded(number) if isinstance(number, float) else int(number))


def _integer(kind: str, value: Any) -> Any:
    number = _long(kind, value)
    return None if number is None else as_number("integer", number)


def _rounded(value: float) -> int:
    """java.lang.Math.round."""
    whole = math.floor(value)
    return whole + (value - whole >= 0.5)


def _changed_case(jvm: Jvm, *, upper: bool) -> Maker:
    known: dict[str, str] = {}

    def changed(text: str) -> str:
        if text not in known:
            known[text] = jvm.change_case(text, upper=upper)
        return known[text]

    def make(arguments: Sequence[Typed]) -> Typed:
        source = arguments[0]
        inner = source.lowered or source.raised or source

        def run(row: dict[str, Value]) -> Value:
            return packed(tuple(map(changed, several(source.run(row)))))

        if upper:
            return Typed("keyword", run, constant=source.constant, raised=inner)
        return Typed("keyword", run, constant=source.constant, lowered=inner)

    return make


def _common(arguments: Sequence[Typed], name: str) -> str:
    """The one type of all arguments that are not null. Raises `QueryFault`."""
    kinds = {argument.type for argument in arguments} - {"null"}
    if len(kinds) > 1:
        raise type_fault(f"{name}: arguments must be of one type, found [{', '.join(sorted(kinds))}]")
    return kinds.pop() if kinds else "null"


def _case(arguments: Sequence[Typed]) -> Typed:
    """The value of the first condition that is true; several values in a condition are no truth (Case.CaseEvaluator)."""
    pairs = list(zip(arguments[0::2], arguments[1::2], strict=False))
    if len(arguments) < 2 or any(condition.type not in ("boolean", "null") for condition, _value in pairs):
        raise type_fault("CASE takes conditions and values in turn")
    otherwise = arguments[-1] if len(arguments) % 2 else None
    kind = _common([value for _condition, value in pairs] + ([otherwise] if otherwise else []), "CASE")

    def run(row: dict[str, Value]) -> Value:
        for condition, value in pairs:
            if condition.run(row) is True:
                return value.run(row)
        return otherwise.run(row) if otherwise else None

    return Typed(kind, run)


def _coalesce(arguments: Sequence[Typed]) -> Typed:
    kind = _common(arguments, "COALESCE")

    def run(row: dict[str, Value]) -> Value:
        return next((value for argument in arguments if (value := argument.run(row)) is not None), None)

    return Typed(kind, run)


def _cidr_match(arguments: Sequence[Typed]) -> Typed:
    """Whether an address is in any of the blocks, both as sixteen bytes (CIDRUtils); a block that is none is an error."""

    def contained(value: Any, *blocks: str) -> bool:
        return any(in_network(value, network(block)) for block in blocks)

    if arguments[0].type not in ("ip", "null"):
        raise type_fault(f"first argument of [CIDR_MATCH] must be [ip], found type [{arguments[0].type}]")
    for argument in arguments[1:]:
        if argument.constant:
            _checked_network(argument)
    return _singles("boolean", contained)(arguments)


def _checked_network(argument: Typed) -> None:
    try:
        network(argument.value())
    except Malformed as error:
        raise type_fault(str(error)) from error


def _round(arguments: Sequence[Typed]) -> Typed:
    """Half away from zero, by way of a product (Maths.round): 1.005 to two places is 1.0."""
    if arguments[0].type != "double":
        return arguments[0] if len(arguments) == 1 else _singles(arguments[0].type, _round_whole)(arguments)
    return _singles("double", _round_double)(arguments)


def _round_double(value: float, places: int = 0) -> Any:
    scale = math.pow(10.0, places)
    middle = value * scale
    if not math.isfinite(middle):
        return value
    return _rounded(abs(middle)) / scale * (1 if middle > 0 else -1)


def _round_whole(value: int, places: int) -> int:
    if places >= 0:
        return value
    step: int = 10**-places
    rest = abs(value) % step
    rounded = abs(value) - rest + (step if rest * 2 >= step else 0)
    return rounded if value >= 0 else -rounded


def _same_number(body: Callable[[Any], Any]) -> Maker:
    def make(arguments: Sequence[Typed]) -> Typed:
        kind = arguments[0].type
        if kind not in NUMBERS:
            raise type_fault(f"a number is wanted, found type [{kind}]")
        return _singles(kind, lambda value: as_number(kind, body(value)))(arguments)

    return make


def _extreme(choose: Callable[..., Any]) -> Maker:
    """The greatest or least of all values; several values of one argument count each (they are reduced first)."""

    def make(arguments: Sequence[Typed]) -> Typed:
        def run(row: dict[str, Value]) -> Value:
            values = [several(argument.run(row)) for argument in arguments]
            return choose((each for value in values for each in value), key=order) if all(values) else None

        return Typed(_common(arguments, "GREATEST or LEAST"), run)

    return make


def _date_extract(arguments: Sequence[Typed]) -> Typed:
    part, date = arguments
    if date.type not in ("date", "null"):
        raise type_fault(f"second argument of [DATE_EXTRACT] must be [datetime], found type [{date.type}]")
    if part.constant:
        esql_dates.date_part(part.value(), 0)
    return _singles("long", esql_dates.date_part)(arguments)


def _date_trunc(arguments: Sequence[Typed]) -> Typed:
    span, date = arguments
    if span.type != "span" or date.type not in ("date", "null"):
        raise type_fault("DATE_TRUNC takes a time span and a date")
    count, unit = span.value()
    return _singles("date", lambda value: esql_dates.truncated(value, count, unit))([date])


def _multivalue(body: Callable[[tuple[Any, ...]], Any], kind: str | None = None) -> Maker:
    """A function of all values in one place; null stays null."""

    def make(arguments: Sequence[Typed]) -> Typed:
        source = arguments[0]

        def run(row: dict[str, Value]) -> Value:
            values = several(source.run(row))
            return body(values) if values else None

        return Typed(kind or source.type, run, constant=source.constant)

    return make


def _mv_append(arguments: Sequence[Typed]) -> Typed:
    """The values of both; null where either is (MvAppend, since 8.15)."""
    kind = _common(arguments, "MV_APPEND")

    def run(row: dict[str, Value]) -> Value:
        left, right = (several(argument.run(row)) for argument in arguments)
        return (*left, *right) if left and right else None

    return Typed(kind, run)


def _mv_concat(arguments: Sequence[Typed]) -> Typed:
    source, delimiter = arguments

    def run(row: dict[str, Value]) -> Value:
        values, between = several(source.run(row)), single(delimiter.run(row))
        return between.join(values) if values and between is not None else None

    return Typed("keyword", run)


_MULTIVALUE: Mapping[str, Maker] = {
    "mv_append": _mv_append,
    "mv_concat": _mv_concat,
    "mv_count": _multivalue(len, "integer"),
    "mv_dedupe": _multivalue(lambda values: packed(tuple(dict.fromkeys(values)))),
    "mv_min": _multivalue(lambda values: min(values, key=order)),
    "mv_max": _multivalue(lambda values: max(values, key=order)),
    "mv_first": _multivalue(lambda values: values[0]),
    "mv_last": _multivalue(lambda values: values[-1]),
}
