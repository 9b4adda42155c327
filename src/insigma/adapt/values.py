"""Conversions of single values: pure functions from what a source wrote to what the canonical field holds.

Each gives the value, or raises `Unusable` with a reason that never quotes the value: values may be personal.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from insigma.content.folding import fold
from insigma.content.model import Case, Field, FieldType
from insigma.content.numbers import number_of
from insigma.content.products import EPOCHS, ISO, HashForm
from insigma.content.raw_paths import plain_text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONG = 2**63


class Unusable(Exception):
    """The value cannot be what the field holds. The message says why, without the value."""


def text(value: Any) -> str:
    """The text of a scalar. Raises `Unusable` for lists and objects."""
    found = plain_text(value)
    if found is None:
        raise Unusable("a list or an object, where one value is meant" if isinstance(value, (list, dict)) else "no finite number")
    return found


def number(value: Any) -> int | float:
    """The finite number that a number or its text is."""
    found = number_of(value.strip()) if isinstance(value, str) else None if isinstance(value, bool) else value
    if not isinstance(found, (int, float)) or found - found != 0:
        raise Unusable("no number")
    return found


def long(value: Any) -> int:
    """The whole number of 64 bits that the value is."""
    found = number(value)
    if isinstance(found, float) and not found.is_integer():
        raise Unusable("no whole number")
    if not -_LONG <= found < _LONG:
        raise Unusable("more than 64 bits")
    return int(found)


def double(value: Any) -> int | float:
    found = number(value)
    if abs(found) >= _LONG and isinstance(found, int):
        try:
            return float(found)
        except OverflowError as error:
            raise Unusable("beyond the largest number") from error
    return found


def boolean(value: Any) -> bool:
    found = value if isinstance(value, bool) else {"true": True, "false": False}.get(text(value).lower())
    if found is None:
        raise Unusable("neither true nor false")
    return found


def address(value: Any) -> str:
    """An IP address in its canonical spelling."""
    try:
        return str(ipaddress.ip_address(text(value).strip()))
    except ValueError as error:
        raise Unusable("no IP address") from error


def moment(value: Any, form: str, zone: tzinfo | None) -> str:
    """The time in milliseconds UTC, as canonical events write it. Finer parts are cut off."""
    try:
        found = _EPOCH + timedelta(microseconds=_microseconds(value, form)) if form in EPOCHS else _written(text(value), form, zone)
        found = found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Unusable("no time of that form") from error
    return found.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _microseconds(value: Any, form: str) -> int:
    found = number(value)
    return round(found * EPOCHS[form])


def _written(value: str, form: str, zone: tzinfo | None) -> datetime:
    stripped = value.strip()
    found = datetime.fromisoformat(stripped) if form == ISO else datetime.strptime(stripped, form)
    if found.tzinfo is not None:
        return found
    if zone is None:
        raise Unusable("a time without a time zone")
    return found.replace(tzinfo=zone)


def hashed(value: Any, form: HashForm, key: bytes) -> str:
    """The keyed hash, `hmac:` and 64 hexadecimal digits. An account is hashed by its letters and digits, in upper case."""
    plain = text(value)
    if form is HashForm.ACCOUNT:
        plain = "".join(char for char in plain if char.isalnum()).upper()
        if not plain:
            raise Unusable("no account number")
    return "hmac:" + hmac.new(key, plain.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def canonical(value: Any, field: Field) -> Any:
    """The value as the field's type and case have it. Times are converted before, by `moment`."""
    convert = _TYPES.get(field.type)
    if convert is not None:
        return convert(value)
    found = text(value)
    return fold(found) if field.case is Case.LOWER else found


_TYPES: Mapping[FieldType, Callable[[Any], Any]] = {
    FieldType.LONG: long,
    FieldType.DOUBLE: double,
    FieldType.FLOAT: double,
    FieldType.BOOLEAN: boolean,
    FieldType.IP: address,
}
