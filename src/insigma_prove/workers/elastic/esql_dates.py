"""Parts of dates and steps on the calendar, in UTC, which is all that ES|QL 8.18 computes in.

Source: "DATE_EXTRACT", "DATE_TRUNC", "ES|QL time spans" of the Elasticsearch 8.18 reference; java.time.temporal.ChronoField.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta

from insigma_prove.workers.serve import QueryFault

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPAN = re.compile(r"([+-]?\d+)\s*([a-z]+)", re.ASCII)
_LENGTHS = {"millisecond": 1, "second": 1000, "minute": 60_000, "hour": 3_600_000}
_SHORT_UNITS = {
    "ms": "millisecond",
    "s": "second",
    "sec": "second",
    "min": "minute",
    "h": "hour",
    "d": "day",
    "w": "week",
    "mo": "month",
    "q": "quarter",
    "y": "year",
    "yr": "year",
}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_DAYS = {"day": 1, "week": 7}


def time_span(text: str) -> tuple[int, str]:
    """A literal such as `1 hour` or `3 days`: how many of which unit. Raises `QueryFault`."""
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None:
        raise QueryFault("type", f"[{text}] is no time span")
    unit = found[2].removesuffix("s") if found[2] not in ("ms", "s") else found[2]
    unit = _SHORT_UNITS.get(unit, unit)
    if unit not in _LENGTHS and unit not in _DAYS and unit not in _MONTHS:
        raise QueryFault("type", f"Unexpected temporal unit: '{found[2]}'")
    return int(found[1]), unit


def _moment(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _since(moment: datetime) -> int:
    since = moment - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def shifted(milliseconds: int, count: int, unit: str) -> int:
    """The date moved; a day that the month lacks becomes its last (java.time.Period)."""
    if unit in _LENGTHS:
        return milliseconds + count * _LENGTHS[unit]
    if unit in _DAYS:
        return milliseconds + count * _DAYS[unit] * 86_400_000
    moment = _moment(milliseconds)
    months = moment.year * 12 + moment.month - 1 + count * _MONTHS[unit]
    year, month = divmod(months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return _since(moment.replace(year=year, month=month + 1, day=day))


def truncated(milliseconds: int, count: int, unit: str) -> int:
    """DATE_TRUNC: the beginning of the span that holds the date; weeks begin on Monday. Raises `QueryFault` for what is not modelled."""
    if unit in _LENGTHS:
        length = count * _LENGTHS[unit]
        return milliseconds // length * length
    moment = _moment(milliseconds)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if count != 1:
        raise QueryFault("unsupported", f"DATE_TRUNC to {count} {unit}s is not modelled")
    match unit:
        case "day":
            return _since(midnight)
        case "week":
            return _since(midnight - timedelta(days=midnight.weekday()))
        case "month":
            return _since(midnight.replace(day=1))
        case "quarter":
            return _since(midnight.replace(month=(midnight.month - 1) // 3 * 3 + 1, day=1))
        case _:
            return _since(midnight.replace(month=1, day=1))


def date_part(name: str, milliseconds: int) -> int:
    """A field of java.time's ChronoField. Raises `QueryFault` for one that is unknown or not modelled."""
    moment = _moment(milliseconds)
    day = milliseconds % 86_400_000
    parts = {
        "epoch_day": milliseconds // 86_400_000,
        "year": moment.year,
        "month_of_year": moment.month,
        "proleptic_month": moment.year * 12 + moment.month - 1,
        "day_of_month": moment.day,
        "day_of_week": moment.isoweekday(),
        "day_of_year": moment.timetuple().tm_yday,
        "aligned_day_of_week_in_year": (moment.timetuple().tm_yday - 1) % 7 + 1,
        "aligned_week_of_year": (moment.timetuple().tm_yday - 1) // 7 + 1,
        "aligned_day_of_week_in_month": (moment.day - 1) % 7 + 1,
        "aligned_week_of_month": (moment.day - 1) // 7 + 1,
        "hour_of_day": moment.hour,
        "minute_of_hour": moment.minute,
        "minute_of_day": day // 60_000,
        "second_of_minute": moment.second,
        "second_of_day": day // 1000,
        "milli_of_second": milliseconds % 1000,
        "milli_of_day": day,
        "instant_seconds": milliseconds // 1000,
    }
    if name.lower() not in parts:
        raise QueryFault("type", f"invalid date field [{name}], or one that is not modelled")
    return parts[name.lower()]
