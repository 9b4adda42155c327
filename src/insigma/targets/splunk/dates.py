"""Parts of an event's time in UTC, by arithmetic on `_time`.

`strftime()` writes a time in the time zone of whoever searches (Search Reference, "Date and time functions"), and so cannot
be asked. `_time` counts seconds since 1970 in UTC. `floor()` keeps the arithmetic right before 1970, where a division
that cuts off would not be, nor `%`, of which the manual does not say what it gives for negative numbers.

Day, month and week need the calendar. It is computed once for all tests, by `eval` in front of the filter: years counted
from 1 March (or, for weeks, from 1 January of year 1) have their leap day or their leap year last, so that the number of
centuries, the year and the day of the year follow from the number of the day by division alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from insigma.bind.model import AllOf, AnyOf, Bound, Negated, Refused, Test
from insigma.content.predicate import TimePart, TimeUnit

TIME = "_time"
_DAY = f"floor({TIME}/86400)"
_MARCH = 719_469
"""The day 1970-01-01, counted from 1 March of year 0 as day 1."""
_JANUARY = 719_163
"""The day 1970-01-01, counted from 1 January of year 1 as day 1."""
_LAST_YEAR = 9999


def part_test(test: Test, part: TimePart) -> str:
    """The test of one part of the event's time. Raises `Refused` for any other field than `_time`."""
    if test.column != TIME:
        raise Refused(
            f"'{test.canonical}' is text in Splunk: its reading would depend on the time zone of whoever searches", ("detection",)
        )
    match part.unit:
        case TimeUnit.MINUTE:
            return f"floor({TIME}/60)-60*floor({TIME}/3600)={part.value}"
        case TimeUnit.HOUR:
            return f"floor({TIME}/3600)-24*{_DAY}={part.value}"
        case TimeUnit.YEAR:
            return _year(part.value)
        case TimeUnit.DAY | TimeUnit.MONTH | TimeUnit.WEEK:
            return f"insigma_{part.unit.value}={part.value}"


def calendar(predicates: Iterable[Bound]) -> list[str]:
    """The commands that compute what `part_test` reads of the calendar for the predicates; none where nothing does."""
    units = {unit for predicate in predicates for unit in _units(predicate)}
    lines = []
    if units & {TimeUnit.DAY, TimeUnit.MONTH}:
        lines.append(_eval(*_year_and_day(f"{_DAY}+{_MARCH}"), *_month_and_day()))
    if TimeUnit.WEEK in units:
        thursday = f"7*floor(({_DAY}+3)/7)+{_JANUARY}"
        lines.append(_eval(*_year_and_day(thursday), "insigma_week=floor((insigma_day_of_year+6)/7)"))
    return lines


def _year(year: int) -> str:
    """The seconds of a year; outside the calendar's years nothing."""
    if not 1 <= year <= _LAST_YEAR:
        return "1=0"
    after = f" AND {TIME}<{_seconds(year + 1)}" if year < _LAST_YEAR else ""
    return f"({TIME}>={_seconds(year)}{after})"


def _seconds(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


def _year_and_day(day: str) -> tuple[str, ...]:
    """From the number of a day to the year, counted from 0, and the day of the year, counted from 1."""
    return (
        f"insigma_days={day}",
        "insigma_century=floor((100*insigma_days-25)/3652425)",
        "insigma_leap=insigma_century-floor(insigma_century/4)",
        "insigma_year=floor((100*(insigma_leap+insigma_days)-25)/36525)",
        "insigma_day_of_year=insigma_leap+insigma_days-365*insigma_year-floor(insigma_year/4)",
    )


def _month_and_day() -> tuple[str, ...]:
    """From the day of a year that begins in March: months 3 to 14, of 31, 30, 31, 30, 31 days over and over (153 in five)."""
    return (
        "insigma_month=floor((5*insigma_day_of_year+456)/153)",
        "insigma_day=insigma_day_of_year-floor((153*insigma_month-457)/5)",
        "insigma_month=if(insigma_month>12, insigma_month-12, insigma_month)",
    )


def _eval(*columns: str) -> str:
    return "| eval " + ",\n    ".join(columns)


def _units(predicate: Bound) -> set[TimeUnit]:
    match predicate:
        case AllOf(operands) | AnyOf(operands):
            return {unit for operand in operands for unit in _units(operand)}
        case Negated(operand):
            return _units(operand)
        case Test(value=TimePart(unit=unit)):
            return {unit}
        case _:
            return set()
