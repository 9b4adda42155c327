"""Tenant profiles from their documents. What cannot be read is left out; the profile's schema and checks tell of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from insigma.content.durations import duration_ms
from insigma.content.profile_limits import beyond_limits
from insigma.content.tenants import (
    Calendar,
    ContextSource,
    CriticalFunction,
    Delivery,
    Exemption,
    Feed,
    GroupShift,
    LevelChange,
    Shift,
    Surge,
    Tenant,
    TenantList,
)
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

FOLDER = "mappings/tenants"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
GROUP_FIELD = "user.roles"
"""The field by which a user belongs to a group of the calendar, unless the profile names another."""

_HOURS = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_LARGEST = 10**15
_Made = TypeVar("_Made")


def read_tenant(document: Document) -> tuple[Tenant | None, tuple[Diagnostic, ...]]:
    """A tenant's profile, or None with the fault where it does not say whose it is, or is too large to be one."""
    if (excess := beyond_limits(document)) is not None:
        return None, (excess,)
    head = _mapping(document.data, "tenant")
    name = head.get("id")
    if not isinstance(name, str):
        fault = Diagnostic(document.place("tenant"), "INS509", "the profile has no tenant id", "write 'tenant: {id: ...}'")
        return None, (fault,)
    data = document.data
    lists = _made(data, "lists", _list)
    rules, schedules = _mapping(data, "rules"), _mapping(data, "schedules")
    disabled = [entry for entry in _entries(rules.get("disabled")) if "id" in entry]
    profile = Tenant(
        id=name,
        document=document,
        lists=MappingProxyType({key: entry.values for key, entry in lists.items() if entry.values is not None}),
        disabled=MappingProxyType({str(entry["id"]): _text(entry.get("reason")) for entry in disabled}),
        all_lists=lists,
        legal_entity=_text(head.get("legal_entity")),
        thresholds=MappingProxyType({key: value for key, value in _mapping(data, "thresholds").items() if _is_number(value)}),
        timespans=_durations(data.get("timespans")),
        levels=tuple(
            LevelChange(_text(entry.get("id")), _text(entry.get("level")), _text(entry.get("reason")))
            for entry in _entries(rules.get("severity_overrides"))
        ),
        never_relax=_texts(data.get("never_relax")),
        surges=tuple(surge for entry in _entries(data.get("surge")) if (surge := _surge(entry)) is not None),
        context=_made(data, "context", _context),
        calendar=_calendar(data.get("calendar")),
        exemptions=tuple(found for entry in _entries(data.get("exceptions")) if (found := _exemption(entry)) is not None),
        feeds=_made(data, "feeds", _feed),
        interval=_text(schedules.get("interval")),
        intervals=MappingProxyType({str(key): str(value) for key, value in _mapping(schedules, "rules").items()}),
        targets=MappingProxyType({key: value for key, value in _mapping(data, "targets").items() if isinstance(value, dict)}),
        regulators=MappingProxyType(
            {key: value.get("applies") is True for key, value in _mapping(data, "regulators").items() if isinstance(value, dict)}
        ),
        critical=_made(
            data,
            "critical_functions",
            lambda name, entry: CriticalFunction(name, _texts(entry.get("services")), _texts(entry.get("logsources"))),
        ),
    )
    return profile, ()


def _mapping(data: Any, key: str) -> Mapping[str, Any]:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, dict) else {}


def _entries(value: Any) -> Iterator[Mapping[str, Any]]:
    """The mappings of a list."""
    yield from (entry for entry in value if isinstance(entry, dict)) if isinstance(value, list) else ()


def _made(data: Any, key: str, make: Callable[[str, Mapping[str, Any]], _Made | None]) -> Mapping[str, _Made]:
    """What `make` gives for each mapping below a key."""
    found = {str(name): make(str(name), entry) for name, entry in _mapping(data, key).items() if isinstance(entry, dict)}
    return MappingProxyType({name: made for name, made in found.items() if made is not None})


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(entry for entry in value if isinstance(entry, str)) if isinstance(value, list) else ()


def _is_number(value: Any) -> bool:
    """Whether it is a number that can be computed with: YAML's whole numbers have as many digits as they like."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _durations(value: Any) -> Mapping[str, int]:
    written = value if isinstance(value, dict) else {}
    return MappingProxyType({str(key): found for key, entry in written.items() if (found := duration_ms(entry))})


def _list(name: str, entry: Mapping[str, Any]) -> TenantList | None:
    values = entry.get("values")
    known = _texts(values) if isinstance(values, list) and len(_texts(values)) == len(values) else None
    lookup = entry.get("mode") == "lookup"
    if known is None and not lookup:
        return None
    return TenantList(name, lookup, known, _text(entry.get("source")), _text(entry.get("owner")), _text(entry.get("refresh")))


def _context(name: str, entry: Mapping[str, Any]) -> ContextSource | None:
    mode = next((mode for mode in Delivery if mode.value == entry.get("mode")), None)
    return None if mode is None else ContextSource(name, mode, _text(entry.get("table")), _text(entry.get("max_age")))


def _surge(entry: Mapping[str, Any]) -> Surge | None:
    texts = [_text(entry.get(key)) for key in ("id", "type", "from", "to")]
    multipliers = {key: float(value) for key, value in _mapping(entry, "multipliers").items() if _is_number(value)}
    return Surge(texts[0], texts[1], texts[2], texts[3], _texts(entry.get("lobs")), MappingProxyType(multipliers)) if all(texts) else None


def _exemption(entry: Mapping[str, Any]) -> Exemption | None:
    where, days = entry.get("where"), entry.get("max_days")
    if not isinstance(where, dict) or not where:
        return None
    said = {key: _text(entry.get(key)) for key in ("id", "reason", "owner", "approved_by", "expires", "granted")}
    limit = days if isinstance(days, int) and not isinstance(days, bool) else None
    return Exemption(rules=_texts(entry.get("rules")), where=where, max_days=limit, **said) if said["id"] else None


def _feed(name: str, entry: Mapping[str, Any]) -> Feed:
    fill = {key: float(value) for key, value in _mapping(entry, "fill").items() if _is_number(value)}
    return Feed(
        logsource=name,
        absent=entry.get("absent") is True,
        because=_text(entry.get("because")),
        lacks=_texts(entry.get("lacks")),
        fill=MappingProxyType(fill),
        delay_ms=duration_ms(entry.get("delay")),
        products=_texts(entry.get("products")),
    )


def _calendar(value: Any) -> Calendar | None:
    if not isinstance(value, dict):
        return None
    default = _shift(value.get("default"), None)
    if default is None:
        return None
    groups = tuple(
        GroupShift(_text(entry.get("group")), _text(entry.get("field")) or GROUP_FIELD, shift)
        for entry in _entries(value.get("overrides"))
        if _text(entry.get("group")) and (shift := _shift(entry, default)) is not None
    )
    written = value.get("years")
    years = tuple(sorted(year for year in written if type(year) is int)) if isinstance(written, list) else ()
    return Calendar(default, groups, years)


def _shift(entry: Any, default: Shift | None) -> Shift | None:
    """The shift; what an override does not say is as in the default."""
    if not isinstance(entry, dict):
        return None
    zone = _text(entry.get("timezone")) or (default.timezone if default else "")
    hours = _HOURS.fullmatch(_text(entry.get("hours")))
    days = _texts(entry.get("weekdays"))
    if not zone or (default is None and hours is None):
        return None
    known = frozenset(WEEKDAYS.index(day) for day in days if day in WEEKDAYS)
    opens, closes = (int(hours[1]) * 60 + int(hours[2]), int(hours[3]) * 60 + int(hours[4])) if hours else (0, 0)
    if hours and closes <= opens:  # a night shift ends on the next day
        closes += 24 * 60
    return Shift(
        timezone=zone,
        weekdays=known if days else default.weekdays if default else frozenset(range(5)),
        opens=opens if hours or default is None else default.opens,
        closes=closes if hours or default is None else default.closes,
        holidays=_text(entry.get("holidays")) if "holidays" in entry else (default.holidays if default else ""),
    )
