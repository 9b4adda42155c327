"""A day made of a fixture's cases: the same for the same seed, late within bounds, and with cases that end beside a run."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from insigma.evaluate.events import flatten, time_of
from insigma_prove.days import DAY_MS, MIDNIGHT, day
from insigma_prove.reference import first_deliveries
from insigma_prove.replay import Arrival
from tests.prove.fakes import at

MINUTE = 60_000
INTERVAL = 5 * MINUTE
DELAY = 10 * MINUTE
CASE = [at(0, "anna"), at(90.5, "anna"), at(7 * 60 + 13, "anna")]
CASES: list[list[dict[str, Any]]] = [[{**event, "case": number} for event in CASE] for number in range(40)]


def times(arrivals: list[Arrival]) -> list[int]:
    return [time_of(flatten(arrival.event)) or 0 for arrival in arrivals]


def delays(arrivals: list[Arrival]) -> list[int]:
    return [arrival.at - time for arrival, time in zip(arrivals, times(arrivals), strict=True)]


def test_the_same_seed_gives_the_same_day_and_another_another() -> None:
    first, again, other = (day(CASES, INTERVAL, DELAY, seed, late=True) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_every_case_comes_twice_as_it_is() -> None:
    arrivals = day(CASES, INTERVAL, DELAY, 1, late=True)
    assert len(arrivals) == 2 * len(CASE) * len(CASES)
    for number in range(len(CASES)):
        own = sorted(time for time, arrival in zip(times(arrivals), arrivals, strict=True) if arrival.event["case"] == number)
        gaps = Counter(later - earlier for earlier in own for later in own if later > earlier)
        assert gaps[90_500] >= 2
        assert gaps[433_000] >= 2
    assert all(set(arrival.event) == {*CASE[0], "case"} for arrival in arrivals)


def test_the_day_lies_where_it_should_and_is_in_order_of_arrival() -> None:
    arrivals = day(CASES, INTERVAL, DELAY, 1, late=True)
    assert MIDNIGHT % DAY_MS == 0
    assert all(MIDNIGHT - INTERVAL <= time <= MIDNIGHT + DAY_MS for time in times(arrivals))
    assert [arrival.at for arrival in arrivals] == sorted(arrival.at for arrival in arrivals)
    assert times(arrivals) != sorted(times(arrivals)), "nothing arrives out of order"


@pytest.mark.parametrize("seconds", [0, 433, 3_601.25])
def test_one_of_the_two_ends_at_or_beside_a_run(seconds: float) -> None:
    cases = [[at(0, "anna"), at(seconds, "anna", last=True)] for _ in range(15)]
    arrivals = day(cases, INTERVAL, DELAY, 3, late=False)
    ends = [time for time, arrival in zip(times(arrivals), arrivals, strict=True) if "last" in arrival.event]
    beside = Counter((end + 1_000) % INTERVAL - 1_000 for end in ends if (end + 1_000) % INTERVAL <= 2_000)
    assert set(beside) >= {0, -1_000, 1_000, -1, 1}, "runs are at whole intervals since 1970"
    assert all(beside[offset] >= 3 for offset in (0, -1_000, 1_000, -1, 1))


def test_without_delay_everything_arrives_at_its_time() -> None:
    assert set(delays(day(CASES, INTERVAL, DELAY, 1, late=False))) == {0}
    assert set(delays(day(CASES, INTERVAL, 0, 1, late=True))) == {0}


def test_events_arrive_mostly_soon_at_times_at_the_limit_and_seldom_beyond() -> None:
    found = delays(day(CASES * 5, INTERVAL, DELAY, 1, late=True))
    assert min(found) >= 0
    assert max(found) < 5 * DELAY
    total = len(found)
    assert 0.6 < sum(delay <= 30_000 for delay in found) / total < 0.8
    assert 0.08 < found.count(DELAY) / total < 0.18
    assert 0.02 < sum(delay > DELAY for delay in found) / total < 0.09


def test_a_short_delay_bounds_also_what_arrives_soon() -> None:
    found = delays(day(CASES, INTERVAL, 2_000, 1, late=True))
    assert sum(delay <= 2_000 for delay in found) / len(found) > 0.9
    assert max(found) < 10_000


def test_repeats_stay_repeats_within_a_case_and_nowhere_else() -> None:
    case = [at(0, "anna", **{"event.id": "a"}), at(1, "anna", **{"event.id": "a"}), at(2, "anna", **{"event.id": ""})]
    arrivals = day([case, case], INTERVAL, DELAY, 1, late=True)
    events = [arrival.event for arrival in arrivals]
    firsts = first_deliveries(events)
    assert sum(first != place for place, first in enumerate(firsts)) == 4
    assert len({event["event.id"] for event in events}) == 5


def test_cases_that_are_longer_than_a_day_or_without_times_are_no_trouble() -> None:
    long = [at(0, "anna"), at(5 * 86_400, "anna")]
    assert len(day([long], INTERVAL, DELAY, 1, late=True)) == 4
    timeless = [at(0, "anna"), {"user.name": "anna"}]
    assert day([timeless, []], INTERVAL, DELAY, 1, late=True) == []
