"""Tenant: calendar

## What it does

Checks the working calendar of a profile.

- `timezone` is a zone of the IANA database, and `holidays` a country or a subdivision whose public holidays are known.
- `hours` are hours of a day, 00:00 to 24:00.
- A group of `overrides` stands there once, is not called `default`, and its `field` is one of the taxonomy that can hold the group.
- Where the profile has `insurance.context.off_hours` looked up: `years` are given, today is in one of them, and the log sources of the
  rules that ask for the flag carry the `field` of every group. That the last of the years ends within 30 days is a warning.

## Why it is bad

Hours are worked out beforehand, for every day of the years. With a wrong zone or region honest work at ten in the morning looks like
the night; on a day outside of the years, and for events without the group's field, the flag is `unknown`, and rules that lean on it
run with less than they need.

## Example

```yaml
# bad
calendar:
  default: {timezone: Berlin, weekdays: [mon, tue, wed, thu, fri], hours: '07:00-19:00', holidays: DE-BER}
  years: [2025]

# good
calendar:
  default: {timezone: Europe/Berlin, weekdays: [mon, tue, wed, thu, fri], hours: '07:00-19:00', holidays: DE-BE}
  years: [2026, 2027]
```

## Fix

Zones are named by continent and city. Regions are ISO 3166 codes: `PL`, or `DE-BE` for Berlin. Give this year and the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from importlib.resources import files

from insigma.checks.base import Context, finding
from insigma.checks.profiles import OFF_HOURS, bases, civil, listed, looks_up, profiles
from insigma.checks.scope import did_you_mean, dig, entries
from insigma.checks.vocabulary import in_vocabulary
from insigma.checks.wording import one_of, shown
from insigma.content.lookups import DEFAULT_CALENDAR
from insigma.content.predicate import fields_of
from insigma.content.profiles import GROUP_FIELD
from insigma.content.tenants import Tenant
from insigma.content.yaml_reader import Document, Key
from insigma.diagnostics.model import Diagnostic, Severity

CODE = "INS543"
SOON_DAYS = 30
_REGION = re.compile(r"[A-Z]{2}(?:-[A-Za-z0-9]+(?:[ -][A-Za-z0-9]+)*)?", re.ASCII)
_TIME = re.compile(r"([0-9]{2}):([0-9]{2})", re.ASCII)


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each part of a calendar from which hours cannot be worked out."""
    zones: frozenset[str] | None = None
    for tenant in profiles(context):
        document = tenant.document
        for key in _shifts(document):
            zone = dig(document, *key, "timezone")
            if isinstance(zone, str) and zone:
                zones = zones or zone_names()
                yield from _zone(document, key, zone, zones)
            yield from _holidays(document, key)
            yield from _hours(document, key)
        yield from _groups(tenant, context)
        if looks_up(tenant, OFF_HOURS) and entries(document, "calendar"):
            yield from _years(document, context)


def zone_names() -> frozenset[str]:
    """The zones of the IANA database, from the package that carries it: those of the machine may be others."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


def _shifts(document: Document) -> Iterator[Key]:
    if isinstance(dig(document, "calendar", "default"), dict):
        yield ("calendar", "default")
    yield from (key for key, _ in listed(document, "calendar", "overrides"))


def _zone(document: Document, key: Key, zone: str, zones: frozenset[str]) -> Iterator[Diagnostic]:
    if zone not in zones:
        cities = [name for name in sorted(zones) if name.rpartition("/")[2].casefold() == zone.rpartition("/")[2].strip().casefold()]
        hint = f"did you mean '{cities[0]}'?" if cities else did_you_mean(zone, sorted(zones), "write an IANA name, such as Europe/Berlin")
        yield finding(CODE, document.place(*key, "timezone"), f"there is no time zone {shown(zone)}", hint)


def _holidays(document: Document, key: Key) -> Iterator[Diagnostic]:
    region = dig(document, *key, "holidays")
    if isinstance(region, str) and region and not _is_known(region):
        upper = region.strip().upper()
        hint = f"did you mean '{upper}'?" if _is_known(upper) else "write an ISO 3166 country, or country and subdivision: PL, DE-BE"
        yield finding(CODE, document.place(*key, "holidays"), f"no public holidays are known of {shown(region)}", hint)


def _is_known(region: str) -> bool:
    """Whether the public holidays of the country, or of its subdivision, are known.

    The package that knows them looks a country up among all of its names, and is slow to import: it is asked for codes only.
    """
    if not _REGION.fullmatch(region):
        return False
    from insigma.specialise.calendar import UnknownHolidays, holiday_dates

    try:
        holiday_dates(region, (2026,))
    except UnknownHolidays:
        return False
    return True


def _hours(document: Document, key: Key) -> Iterator[Diagnostic]:
    written = dig(document, *key, "hours")
    times = _TIME.findall(written) if isinstance(written, str) else []
    for index, (hour, minute) in enumerate(times[:2]):
        if int(hour) * 60 + int(minute) > (24 * 60 if index else 24 * 60 - 1):
            message = f"no working day {'ends' if index else 'begins'} at {hour}:{minute}"
            yield finding(CODE, document.place(*key, "hours"), message, "a day begins at 00:00 and ends at 24:00")


def _groups(tenant: Tenant, context: Context) -> Iterator[Diagnostic]:
    document, seen = tenant.document, dict[str, int]()
    blind = _without(context) if looks_up(tenant, OFF_HOURS) else {}
    for key, entry in listed(document, "calendar", "overrides"):
        group, field = entry.get("group"), entry.get("field", GROUP_FIELD)
        place = document.place(*key, "group")
        if isinstance(group, str) and group.casefold() == DEFAULT_CALENDAR:
            yield finding(CODE, place, f"{shown(group)} is the calendar of everybody without a group", "name the group otherwise")
        elif isinstance(group, str) and group.casefold() in seen:
            message = f"group {shown(group)} has hours here and on line {seen[group.casefold()]}"
            yield finding(CODE, place, message, "keep one; the first would hold")
        elif isinstance(group, str):
            seen[group.casefold()] = place.line
        if not isinstance(field, str):
            continue
        known = context.pack.taxonomy.fields.get(field)
        if known is None:
            hint = did_you_mean(field, context.pack.taxonomy.fields, "see mappings/taxonomy/fields.yml")
            yield finding(CODE, document.place(*key, "field"), f"the taxonomy has no field {shown(field)}", hint)
        elif isinstance(group, str) and known.values is not None and not in_vocabulary(group, known.values):
            hint = did_you_mean(group, known.values, one_of(known.values))
            yield finding(CODE, place, f"{field} is never {shown(group)}: the group has no members", hint)
        for source, label in blind.items():
            if known is not None and field not in context.pack.taxonomy.logsources[source].fields:
                message = f"{source}, which {label} reads, does not carry {field}: {OFF_HOURS} is unknown there"
                yield finding(CODE, document.place(*key, "field"), message, "tell the group by a field that it carries")


def _without(context: Context) -> dict[str, str]:
    """The log sources of the rules that ask for the flag, each with one of those rules."""
    found: dict[str, str] = {}
    for rule in context.rules:
        for base in bases(rule):
            source = context.pack.taxonomy.find(base.logsource)
            if source is not None and OFF_HOURS in fields_of(base.predicate):
                found.setdefault(source.name, base.header.label)
    return found


def _years(document: Document, context: Context) -> Iterator[Diagnostic]:
    written = dig(document, "calendar", "years")
    years = sorted(year for year in written if type(year) is int) if isinstance(written, list) else []
    today = civil(context.day)
    if not years:
        place = document.key_place("calendar")
        message = f"{OFF_HOURS} is looked up, but the calendar has no years"
        yield finding(CODE, place, message, "give this year and the next: years: [2026, 2027]")
    elif today is not None and today.year not in years:
        message = f"{today.isoformat()} is in none of the years: {OFF_HOURS} is unknown"
        yield finding(CODE, document.place("calendar", "years"), message, f"add {today.year}")
    elif today is not None and (date(today.year, 12, 31) - today).days < SOON_DAYS and today.year + 1 not in years:
        message = f"{today.year + 1} is not among the years: {OFF_HOURS} will be unknown from January on"
        fault = finding(CODE, document.place("calendar", "years"), message, f"add {today.year + 1}")
        yield replace(fault, severity=Severity.WARNING)
