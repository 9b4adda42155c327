"""How a JSON value is stored in a field of each type: parsed, rounded, ignored or refused.

Sources: "Field data types", "ignore_malformed", "ignore_above", "coerce" of the Elasticsearch 8.18 reference; NumberFieldMapper,
KeywordFieldMapper, IpFieldMapper, BooleanFieldMapper and DateFieldMapper of elastic/elasticsearch, server/.../index/mapper.
"""

from __future__ import annotations

import ipaddress
import json
import math
import re
import struct
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"
Stored: TypeAlias = "str | int | float | bool | Address"
"""A stored value: text, whole number (dates are milliseconds since 1970), decimal, boolean or address."""

WHOLE = {"byte": 8, "short": 16, "integer": 32, "long": 64}
"""The whole-number types and their bits."""
DECIMAL = frozenset({"float", "double"})
NUMERIC = frozenset(WHOLE) | DECIMAL

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_JAVA_DOUBLE = re.compile(
    r"(?:(?P<decimal>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<hex>[+-]?0[xX][0-9a-fA-F]*\.?[0-9a-fA-F]*[pP][+-]?\d+))[fFdD]?",
    re.ASCII,
)
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2}(T(\d{2}(:\d{2}(:\d{2}([.,]\d{1,9})?)?)?(Z|[+-]\d{2}(:?\d{2})?)?)?)?)?)?", re.ASCII)
_MAPPED = int(ipaddress.IPv6Address("::ffff:0:0"))


class Malformed(Exception):
    """The value does not fit the field's type."""


def stored_value(kind: str, value: Any) -> Stored:
    """The JSON scalar as a field of type `kind` keeps it. Raises `Malformed`."""
    if kind in WHOLE:
        return whole_number(kind, value)
    if kind in DECIMAL:
        return decimal_number(kind, value)
    match kind:
        case "keyword" | "text":
            return json_text(value)
        case "ip":
            return address(value)
        case "boolean":
            return boolean(value)
        case "date":
            return milliseconds(value)
        case _:
            raise Malformed(f"type {kind} is not modelled")


def json_text(value: Any) -> str:
    """A JSON scalar as a string field keeps it: as it was spelt (XContentParser.textOrNull)."""
    return value if isinstance(value, str) else json.dumps(value)


def _number(value: Any) -> Decimal:
    """The exact value of a JSON number or of a string that spells one (`coerce` is on by default)."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise Malformed(f"{value!r} is no number")
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise Malformed(f"{value!r} is no number")
    try:
        exact = Decimal(str(value))
    except InvalidOperation as error:
        raise Malformed(f"{value!r} is no number") from error
    if not exact.is_finite() or exact.adjusted() > 400:
        raise Malformed(f"{value!r} is not finite")
    return exact


def exact_number(text: str) -> Decimal:
    """The exact value of a number in a query. Raises `Malformed`."""
    return _number(text)


def whole_number(kind: str, value: Any) -> int:
    """Decimals are cut off, as `coerce` says; what does not fit the type is malformed."""
    whole = int(_number(value))
    if not -(2 ** (WHOLE[kind] - 1)) <= whole < 2 ** (WHOLE[kind] - 1):
        raise Malformed(f"{value!r} is out of range for {kind}")
    return whole


def decimal_number(kind: str, value: Any) -> float:
    """The nearest double, or the nearest float, as a Python float. Infinity is malformed."""
    number = _java_double(value) if isinstance(value, str) else float(_number(value))
    number = single(number) if kind == "float" else number
    if not math.isfinite(number):
        raise Malformed(f"{value!r} is out of range for {kind}")
    return number


def _java_double(text: str) -> float:
    """What java.lang.Double.parseDouble reads: also with blanks around it, a type suffix, or in hexadecimal."""
    found = _JAVA_DOUBLE.fullmatch(text.strip("".join(map(chr, range(33)))))
    if found is None:
        raise Malformed(f"{text!r} is no number")
    try:
        return float.fromhex(found["hex"]) if found["hex"] else float(found["decimal"])
    except OverflowError as error:
        raise Malformed(f"{text!r} is not finite") from error


def single(value: float) -> float:
    """The nearest number that a float of 32 bits holds, which may be infinity."""
    try:
        rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return rounded


def address(value: Any) -> Address:
    """An address. IPv6 around an IPv4 address is that IPv4 address (InetAddressPoint); a zone is dropped (InetAddresses)."""
    if not isinstance(value, str):
        raise Malformed(f"{value!r} is no IP string literal")
    try:
        parsed = ipaddress.ip_address(value.partition("%")[0] if ":" in value else value)
    except ValueError as error:
        raise Malformed(f"{value!r} is no IP string literal") from error
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed


def sixteen_bytes(parsed: Address) -> int:
    """The address as Lucene keeps it: IPv4 as ::ffff:a.b.c.d."""
    return int(parsed) + (_MAPPED if parsed.version == 4 else 0)


def network(text: str) -> tuple[Address, int]:
    """A block: address and prefix length. IPv4 inside IPv6 is refused (InetAddresses.parseCidr). Raises `Malformed`."""
    base, slash, length = text.partition("/")
    parsed = address(base)
    if ":" in base and parsed.version == 4:
        raise Malformed(f"CIDR notation is not allowed with IPv6-mapped IPv4 address {base!r}")
    if not slash or not length.isascii() or not length.isdigit() or int(length) > parsed.max_prefixlen:
        raise Malformed(f"{text!r} is no CIDR block")
    return parsed, int(length)


def in_network(parsed: Address, block: tuple[Address, int]) -> bool:
    """Whether the address is in the block, both seen as sixteen bytes, as InetAddressPoint and CIDRUtils do."""
    base, prefix = block
    shift = (128 if base.version == 6 else 32) - prefix
    return sixteen_bytes(parsed) >> shift == sixteen_bytes(base) >> shift


def boolean(value: Any) -> bool:
    """True and false, their names in lower case, and the empty string for false."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false", ""):
        return bool(value == "true")
    raise Malformed(f"{value!r} is neither true nor false")


def milliseconds(value: Any) -> int:
    """Milliseconds since 1970 of strict_date_optional_time or epoch_millis, the default formats of `date`. Finer parts are cut off."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise Malformed(f"{value!r} is no date")
    if re.fullmatch(r"-?\d{5,}", value, re.ASCII):
        return int(value)
    if not _DATE.fullmatch(value):
        raise Malformed(f"{value!r} is no date")
    return _instant(value)


def _instant(text: str) -> int:
    day, _, clock = text.partition("T")
    day += "-01-01"[len(day) - 4 :] if len(day) < 10 else ""
    zone = ""
    if found := re.search(r"Z|[+-]\d{2}(:?\d{2})?$", clock):
        clock, zone = clock[: found.start()], found.group()
    clock, _, fraction = clock.replace(",", ".").partition(".")
    clock += "00:00:00"[len(clock) :]
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{zone or '+00:00'}")
    except ValueError as error:
        raise Malformed(f"{text!r} is no date") from error
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86_400_000 + since.seconds * 1000 + int((fraction + "000")[:3])
