"""Parts of a date in Splunk: the emitted arithmetic, computed here, agrees with the calendar."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import floor
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from insigma.bind.model import BoundRule, Negated, Refused
from insigma.bind.model import Test as Leaf
from insigma.content.model import TargetField
from insigma.content.predicate import TimePart, TimeUnit
from insigma.targets.splunk.dates import calendar, part_test
from tests.targets.splunk_harness import bound, compiled, correlation, event_rule, selection

TIME = TargetField("_time", "date", "any")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PARTS: dict[str, Callable[[datetime], int]] = {
    "minute": lambda moment: moment.minute,
    "hour": lambda moment: moment.hour,
    "day": lambda moment: moment.day,
    "week": lambda moment: moment.isocalendar().week,
    "month": lambda moment: moment.month,
    "year": lambda moment: moment.year,
}


def leaf(unit: str, value: int, field: TargetField = TIME) -> Leaf:
    return Leaf(field.name, field, "@timestamp", TimePart(TimeUnit(unit), value), False)


def python(expression: str) -> str:
    """The expression in Python's spelling: `=` compares, and `if` is a function."""
    return re.sub(r"(?<![<>])=", "==", expression).replace("if(", "choose(").replace(" AND ", " and ")


def holds(test: Leaf, time: float) -> bool:
    """The verdict of the emitted commands on an event of that time."""
    known: dict[str, Any] = {"_time": time, "floor": floor, "choose": lambda truth, yes, no: yes if truth else no}
    for command in calendar((test,)):
        for column in command.removeprefix("| eval ").split(",\n    "):
            name, expression = column.split("=", 1)
            known[name] = eval(python(expression), {}, known)
    assert isinstance(test.value, TimePart)
    return bool(eval(python(part_test(test, test.value)), {}, known))


MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_000), timezones=st.just(UTC))


@pytest.mark.parametrize("unit", PARTS)
@given(moment=MOMENTS, near=st.integers(-1, 1))
@example(moment=datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC), near=0)
@example(moment=datetime(2024, 2, 29, tzinfo=UTC), near=0)
@example(moment=datetime(1900, 2, 28, 23, 59, tzinfo=UTC), near=0)
@example(moment=datetime(2026, 12, 31, tzinfo=UTC), near=0)
@example(moment=datetime(2027, 1, 3, 23, 59, 59, 999_000, tzinfo=UTC), near=0)
@example(moment=datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC), near=0)
@example(moment=datetime(1, 1, 1, tzinfo=UTC), near=0)
def test_the_arithmetic_is_the_calendar(unit: str, moment: datetime, near: int) -> None:
    time = (moment - EPOCH) // timedelta(milliseconds=1) / 1000
    part = PARTS[unit](moment)
    assert holds(leaf(unit, part + near), time) is (near == 0)


def test_what_needs_no_calendar_stands_in_the_filter() -> None:
    rule = bound(selection("'@timestamp|hour': [22, 23]"))
    assert isinstance(rule, BoundRule)
    assert calendar((rule.predicate,)) == []
    query = compiled(selection("'@timestamp|hour': [22, 23]")).query
    assert query.split("\n")[1:] == [
        "| where floor(_time/3600)-24*floor(_time/86400)=22",
        "    OR floor(_time/3600)-24*floor(_time/86400)=23",
    ]


def test_a_year_is_a_range_of_seconds() -> None:
    assert part_test(leaf("year", 2026), TimePart(TimeUnit.YEAR, 2026)) == "(_time>=1767225600 AND _time<1798761600)"
    assert part_test(leaf("year", 9999), TimePart(TimeUnit.YEAR, 9999)) == "(_time>=253370764800)"
    assert part_test(leaf("year", 0), TimePart(TimeUnit.YEAR, 0)) == "1=0"


def test_the_calendar_is_computed_once_before_the_filter() -> None:
    query = compiled(
        event_rule(
            "  s: {'@timestamp|month': [1, 2]}\n  f: {'@timestamp|day': 1}\n  g: {'@timestamp|week': 9}\n  condition: s and not f and not g"
        )
    ).query
    assert query.count("| eval insigma_days=") == 2
    assert query.endswith(
        "| where (insigma_month=1\n      OR insigma_month=2)\n    AND if(insigma_day=1, 0, 1)=1\n    AND if(insigma_week=9, 0, 1)=1"
    )
    assert calendar((Negated(leaf("day", 1)), leaf("day", 2))) == calendar((leaf("month", 1),))


@pytest.mark.parametrize("kind", ["event_count", "temporal", "temporal_ordered"])
def test_members_of_correlations_have_the_calendar_too(kind: str) -> None:
    night = selection("'@timestamp|day': 1", "night", number=1)
    other = selection("'@timestamp|day': 2", "other", "insurance_payment", number=2)
    more = "  condition: {gte: 2}\n" if kind == "event_count" else ""
    query = compiled(night, other, correlation(f"  type: {kind}\n  rules: [night, other]\n  timespan: 1h\n{more}")).query
    assert query.index("insigma_day=") < query.index("insigma_day=1")


def test_a_date_that_is_text_is_refused() -> None:
    text = TargetField("policy.start", "date", "any")
    with pytest.raises(Refused, match="time zone of whoever searches"):
        part_test(leaf("hour", 1, text), TimePart(TimeUnit.HOUR, 1))
