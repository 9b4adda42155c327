"""A customer's working calendar as rows of UTC days: time zone, daylight saving and holidays worked out beforehand.

No SIEM language does all of that alike, so that a query only has to compare minutes. Holidays come from the `holidays`
package (public holidays by law, by country and subdivision); zones from the IANA database that `tzdata` carries.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from insigma.content.lookups import DEFAULT_CALENDAR
from insigma.content.tenants import Calendar, Shift

DAY_MINUTES = 1440
Span = tuple[int, int]

_FIRST_DAY = date(1970, 1, 1)


class UnknownHolidays(ValueError):
    """No country or subdivision of that name."""


def rows(calendar: Calendar) -> tuple[tuple[str, ...], ...]:
    """Rows in the columns of `lookups.CALENDAR_COLUMNS`, by calendar and day, for every UTC day of the calendar's years.

    Raises `UnknownHolidays`, and zoneinfo.ZoneInfoNotFoundError.
    """
    shifts = ((DEFAULT_CALENDAR, calendar.default), *((group.group, group.shift) for group in calendar.groups))
    return tuple(row for name, shift in shifts for row in _days(name, shift, calendar.years))


@lru_cache(maxsize=512)
def _days(name: str, shift: Shift, years: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
    found = []
    for year in years:
        worked = _worked(shift, year)
        for offset in range((date(year + 1, 1, 1) - date(year, 1, 1)).days):
            number = (date(year, 1, 1) - _FIRST_DAY).days + offset
            minutes = [str(minute) for span in worked.get(number, ()) for minute in span]
            found.append((name, str(number), *minutes, *[""] * (4 - len(minutes))))
    return tuple(found)


def _worked(shift: Shift, year: int) -> dict[int, list[Span]]:
    """The minutes worked in each UTC day of the year, by days since 1970; at most two spans a day."""
    off = holiday_dates(shift.holidays, (year - 1, year, year + 1)) if shift.holidays else frozenset()
    zone = ZoneInfo(shift.timezone)
    minutes: dict[int, list[Span]] = {}
    day = date(year, 1, 1) - timedelta(days=1)
    while day <= date(year + 1, 1, 1):
        if day.weekday() in shift.weekdays and day not in off:
            for number, span in _utc_spans(day, shift, zone):
                _add(minutes.setdefault(number, []), span)
        day += timedelta(days=1)
    return minutes


def _utc_spans(day: date, shift: Shift, zone: ZoneInfo) -> Iterator[tuple[int, Span]]:
    """The local day's working time as spans of UTC days."""
    start, end = _utc_minute(day, shift.opens, zone), _utc_minute(day, shift.closes, zone)
    while start < end:
        number, minute = divmod(start, DAY_MINUTES)
        until = min(end, (number + 1) * DAY_MINUTES)
        yield number, (minute, until - number * DAY_MINUTES)
        start = until


def _utc_minute(day: date, minute: int, zone: ZoneInfo) -> int:
    """Minutes since 1970 of a local minute of the day; 1440 is the next midnight."""
    local = datetime(day.year, day.month, day.day, tzinfo=zone)
    local = (local + timedelta(days=minute // DAY_MINUTES)).replace(hour=minute % DAY_MINUTES // 60, minute=minute % 60)
    return int(local.astimezone(UTC).timestamp()) // 60


def _add(spans: list[Span], span: Span) -> None:
    """Put a later span behind the others; one that begins where the last ends makes that longer."""
    if spans and spans[-1][1] >= span[0]:
        spans[-1] = (spans[-1][0], max(spans[-1][1], span[1]))
    else:
        spans.append(span)


@lru_cache(maxsize=256)
def holiday_dates(place: str, years: tuple[int, ...]) -> frozenset[date]:
    """The public holidays of a country such as PL, or of a subdivision such as DE-BE. Raises `UnknownHolidays`.

    The package calls whatever it has under the name that it is given, so only names that it lists as countries are.
    """
    country, _, subdivision = place.partition("-")
    if country not in _countries():
        raise UnknownHolidays(place)
    try:
        return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=years))
    except (NotImplementedError, KeyError) as error:
        raise UnknownHolidays(place) from error


@lru_cache(maxsize=1)
def _countries() -> frozenset[str]:
    return frozenset(holidays.list_supported_countries())
