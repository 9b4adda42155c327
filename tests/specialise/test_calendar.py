"""Working hours in UTC days against the wall clock of the place."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insigma.content.lookups import CALENDAR_COLUMNS
from insigma.content.tenants import Calendar, GroupShift, Shift
from insigma.specialise.calendar import UnknownHolidays, holiday_dates, rows

ZONES = ("Europe/Berlin", "Europe/Warsaw", "America/Chicago", "America/St_Johns", "Asia/Kolkata", "Pacific/Kiritimati", "UTC")
COLUMNS = [name for name, _ in CALENDAR_COLUMNS]

shifts = st.builds(
    lambda zone, days, opens, length: Shift(zone, frozenset(days), opens, opens + length),
    st.sampled_from(ZONES),
    st.sets(st.integers(0, 6)),
    st.integers(0, 23 * 60),
    st.integers(1, 24 * 60),
)


def works(shift: Shift, moment: datetime) -> bool:
    """Whether somebody works at a moment, told by the clock on the wall. A shift belongs to the day on which it opens."""
    local = moment.astimezone(ZoneInfo(shift.timezone))
    minute = local.hour * 60 + local.minute
    for back in (0, 1):
        day = local.date() - timedelta(days=back)
        if day.weekday() in shift.weekdays and shift.opens <= minute + back * 1440 < shift.closes:
            return True
    return False


@settings(max_examples=30, deadline=None)
@given(shifts, st.lists(st.datetimes(datetime(2026, 1, 2), datetime(2026, 12, 30)), min_size=20, max_size=60))
def test_a_row_says_what_the_clock_on_the_wall_says(shift: Shift, moments: list[datetime]) -> None:
    table = {(row[0], row[1]): dict(zip(COLUMNS, row, strict=True)) for row in rows(Calendar(shift, (), (2026,)))}
    for naive in moments:
        moment = naive.replace(tzinfo=UTC)
        if _near_a_change(shift, moment):
            continue
        row = table["default", str((moment.date() - date(1970, 1, 1)).days)]
        minute = moment.hour * 60 + moment.minute
        spans = [(row["open1"], row["close1"]), (row["open2"], row["close2"])]
        within = any(start and int(start) <= minute < int(end) for start, end in spans)
        assert within == works(shift, moment), (moment, row)


def _near_a_change(shift: Shift, moment: datetime) -> bool:
    """Whether clocks change within a day: an hour that comes twice or not at all belongs to nobody."""
    zone = ZoneInfo(shift.timezone)
    offsets = {(moment + timedelta(hours=hours)).astimezone(zone).utcoffset() for hours in (-26, 0, 26)}
    return len(offsets) > 1


def test_summer_time_moves_the_working_day_in_utc() -> None:
    calendar = Calendar(Shift("Europe/Berlin", frozenset(range(5)), 7 * 60, 19 * 60, "DE-BE"), (), (2026,))
    by_day = {row[1]: row[2:4] for row in rows(calendar)}

    def spans(day: date) -> tuple[str, ...]:
        return by_day[str((day - date(1970, 1, 1)).days)]

    assert spans(date(2026, 3, 27)) == ("360", "1080")
    assert spans(date(2026, 3, 30)) == ("300", "1020")
    assert spans(date(2026, 3, 9)) == ("360", "1080")
    assert spans(date(2026, 3, 8)) == ("", ""), "a Sunday, and a holiday in Berlin"


def test_a_holiday_of_one_land_is_a_working_day_of_another() -> None:
    assert date(2027, 3, 8) in holiday_dates("DE-BE", (2027,))
    assert date(2027, 3, 8) not in holiday_dates("DE-BY", (2027,))
    with pytest.raises(UnknownHolidays):
        holiday_dates("DE-XX", (2027,))
    with pytest.raises(UnknownHolidays):
        holiday_dates("ATLANTIS", (2027,))


@pytest.mark.parametrize(
    "place", ["__class__", "__doc__", "date", "warnings", "HolidayBase", "registry", "country_holidays", "", "-", "de-BE"]
)
def test_what_the_package_has_under_other_names_is_no_country(place: str) -> None:
    with pytest.raises(UnknownHolidays):
        holiday_dates(place, (2027,))


@pytest.mark.parametrize("place", ["DE-__class__", "DE-BE-BE", "DE-BE\n", "DE-\x00", "PL-../../x"])
def test_a_subdivision_is_one_that_the_country_has(place: str) -> None:
    with pytest.raises(UnknownHolidays):
        holiday_dates(place, (2027,))


def test_each_group_has_a_row_for_every_day() -> None:
    group = GroupShift("night", "user.roles", Shift("Europe/Warsaw", frozenset(range(7)), 22 * 60, 30 * 60))
    found = rows(Calendar(Shift("Europe/Warsaw", frozenset(range(5)), 480, 1080, "PL"), (group,), (2026, 2027)))
    assert len(found) == 2 * (365 + 365)
    assert len({row[:2] for row in found}) == len(found)
    night = next(row for row in found if row[0] == "night" and row[1] == str((date(2026, 1, 15) - date(1970, 1, 1)).days))
    assert night[2:] == ("0", "300", "1260", "1440")
