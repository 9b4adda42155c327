"""Times: ISO moments, spans, strftime, strptime and relative_time. The time zone of the search is UTC here.

SR "Date and Time functions", "Date and time format variables", "Time modifiers".
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from insigma_prove.workers.serve import QueryFault

_UNITS = {
    "s": ("s", "sec", "secs", "second", "seconds"),
    "m": ("m", "min", "mins", "minute", "minutes"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "d": ("d", "day", "days"),
    "w": ("w", "week", "weeks"),
    "mon": ("mon", "month", "months"),
    "y": ("y", "yr", "yrs", "year", "years"),
}
_UNIT_OF = {name: unit for unit, names in _UNITS.items() for name in names}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SPAN = re.compile(r"([0-9]*)([a-z]+)", re.ASCII)
_STEP = re.compile(r"([+-])([0-9]*)([a-z]+)", re.ASCII)
_SAME_DIRECTIVES = frozenset("YmdHMSjyBbAaIp%")


def epoch(iso: str) -> float:
    """Seconds since 1970 of an ISO 8601 moment (UTC where it names no zone). Raises ValueError."""
    moment = datetime.fromisoformat(iso)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def span_seconds(span: str) -> int:
    """The length of a span such as 5m, in seconds (SR bin, "span"). Raises `QueryFault` for months, years and what is no span."""
    found = _SPAN.fullmatch(span)
    unit = _UNIT_OF.get(found[2]) if found else None
    if found is None or unit is None:
        raise QueryFault("parse", f"{span!r} is no span of time")
    if unit not in _SECONDS:
        raise QueryFault("unsupported", f"the span {span!r} has no fixed length")
    return int(found[1] or 1) * _SECONDS[unit]


def binned(moment: float, span: str) -> float:
    """The start of the span that a time falls into: spans of less than a day count from midnight UTC, days from 1970.

    (SR bin, "span" and "aligntime".) Where weeks start is not described.
    """
    seconds = span_seconds(span)
    if seconds % _SECONDS["w"] == 0 and seconds:
        raise QueryFault("unsupported", "where a span of weeks starts is not documented")
    if seconds < 86_400 and 86_400 % seconds:
        raise QueryFault("unsupported", f"where a span of {span!r}, which does not divide a day, starts is not documented")
    return float(math.floor(moment / seconds) * seconds)


def strftime(moment: float, form: str) -> str:
    """A time as text. Raises `QueryFault` for a variable that is not run here."""
    when = datetime.fromtimestamp(moment, UTC)

    def written(found: re.Match[str]) -> str:
        letter = found[0][1:]
        if letter in _SAME_DIRECTIVES:
            return when.strftime(f"%{letter}")
        fraction = f"{when.microsecond:06d}"
        known = {"s": str(math.floor(moment)), "F": when.strftime("%Y-%m-%d"), "T": when.strftime("%H:%M:%S"), "z": "+0000", "Z": "UTC"}
        known |= {"3N": fraction[:3], "6N": fraction, "N": fraction[:3], "Q": fraction[:3], "3Q": fraction[:3], "6Q": fraction}
        if letter not in known:
            raise QueryFault("unsupported", f"the time variable %{letter} is not run here")
        return known[letter]

    return re.sub(r"%[0-9]?.", written, form, flags=re.DOTALL)


def strptime(written: str, form: str) -> float | None:
    """The time that a text spells, or null where it does not fit the form."""
    if set(re.findall(r"%([0-9]?.)", form)) - {*"YmdHMSjyBbzp%FTI"}:
        raise QueryFault("unsupported", f"the time format {form!r} is not run here")
    try:
        moment = datetime.strptime(written, form.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S"))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def relative_time(moment: float, modifier: str) -> float:
    """A time moved by steps such as -1d and snapped by @d, from left to right (SR "Time modifiers")."""
    when = datetime.fromtimestamp(moment, UTC)
    rest = modifier.strip()
    while rest:
        if step := _STEP.match(rest):
            when += timedelta(seconds=int(step[1] + (step[2] or "1")) * _SECONDS[_fixed(step[3])])
            rest = rest[step.end() :]
        elif snap := re.match(r"@([a-z]+)", rest):
            when = _snapped(when, _fixed(snap[1]))
            rest = rest[snap.end() :]
        else:
            raise QueryFault("parse", f"{modifier!r} is no time modifier")
    return when.timestamp()


def _fixed(name: str) -> str:
    unit = _UNIT_OF.get(name)
    if unit is None:
        raise QueryFault("parse", f"{name!r} is no unit of time")
    if unit not in _SECONDS or unit == "w":
        raise QueryFault("unsupported", f"time modifiers in {name!r} are not run here")
    return unit


def _snapped(when: datetime, unit: str) -> datetime:
    since_midnight = timedelta(hours=when.hour, minutes=when.minute, seconds=when.second, microseconds=when.microsecond)
    return when - since_midnight % timedelta(seconds=_SECONDS[unit])
