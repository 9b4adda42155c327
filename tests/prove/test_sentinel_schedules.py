"""Sentinel judges each event and each instant once, by whichever clock it runs: shown on the real engine, as is each way to break it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from insigma.content.model import AnyRule, Pack
from insigma.evaluate.events import iso, milliseconds
from insigma.targets.base import Companion, Detection, Schedule
from insigma_prove.jobs import JOB_AT_MS, LAKE_MS, ROWS_MS, Jobs
from insigma_prove.plans import Plan
from insigma_prove.process import Client
from insigma_prove.replay import COMMIT_MS, Arrival, replay, replay_differs
from insigma_prove.stands import Compiled, Stand, open_stand
from insigma_prove.stores import sentinel
from insigma_prove.trial import QueryRejected
from tests.prove.conftest import GetEngine
from tests.prove.fakes import START, Fake, at, correlation, event_rule

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
DELAY = 5 * MINUTE
T0 = int(START.timestamp() * 1000)
Told = Callable[..., list[str]]


BURSTS = [(0, 0), (-1, 0), (1, 0), (0, 1_000), (0, COMMIT_MS), (0, DELAY), (150_000, DELAY)]
"""How far from the moment of a run a burst ends, and how late its events are found, in ms."""


def events() -> Iterator[Arrival]:
    for number, (beside, late) in enumerate(BURSTS):
        for back in (200, 100, 0):
            time = T0 + number * 10 * MINUTE + beside
            event = at((time - T0) / 1000 - back, f"user{number}")
            yield Arrival(event, time - back * 1000 + late)
    yield Arrival(at(60, "slow"), T0 + 60_000 + 9 * MINUTE)  # later than what is accepted
    yield Arrival(at(90, "late"), T0 + 90_000 + HOUR)


ARRIVALS = sorted(events(), key=lambda arrival: arrival.at)


@pytest.fixture
def told(pack: Pack, engine: GetEngine) -> Told:
    """What is wrong with the alerts of a rule's schedule, its query changed or not."""

    def differences(rule: AnyRule, *change: str, plan: Callable[[Plan], Plan] = lambda plan: plan) -> list[str]:
        stand = open_stand("sentinel", pack)
        compiled = _changed(stand.compile(rule, None), *change)
        kept = plan(stand.plan(compiled))
        return [text for clock in kept.clocks for text in _day(compiled, kept, stand, engine("kusto").client, pack, clock)]

    return differences


def _changed(compiled: Compiled, old: str = "", new: str = "") -> Compiled:
    detection = compiled.detection
    assert old in detection.query
    return replace(compiled, detection=replace(detection, query=detection.query.replace(old, new))) if old else compiled


def _day(compiled: Compiled, plan: Plan, stand: Stand, client: Client, pack: Pack, clock: int) -> list[str]:
    outcome = replay(compiled, plan, stand, client, ARRIVALS, clock)
    return [one.message for one in replay_differs(compiled, outcome, ARRIVALS, pack.taxonomy, DELAY)]


def test_each_event_is_told_once(told: Told) -> None:
    assert told(event_rule()) == []


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        (">= ago(10m) and ingestion_time() < ago(5m)", "> ago(5m)", {"never", "times"}),  # the pattern of Microsoft's page
        ("| where ingestion_time() >= ago(10m) and ingestion_time() < ago(5m)\n", "", {"times"}),
        ("< ago(5m)", "<= ago(5m)", {"times"}),
        (">= ago(10m)", "> ago(10m)", {"never"}),
    ],
)
def test_an_event_that_is_missed_or_told_again_is_found_out(old: str, new: str, wrong: set[str], told: Told) -> None:
    text = " ".join(told(event_rule(), old, new))
    assert {word for word in ("never", "times") if word in text} == wrong


def test_an_event_that_leaves_the_look_back_before_it_is_judged_is_found_out(told: Told) -> None:
    assert any("never" in text for text in told(event_rule(), plan=lambda plan: replace(plan, lookback_ms=10 * MINUTE)))


def test_each_instant_is_told_once(told: Told) -> None:
    assert told(correlation()) == []


INSTANT = "unixtime_milliseconds_todatetime(InsMs)"


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        (f" and {INSTANT} < ago(5m)", "", "nothing new"),
        (f"{INSTANT} < ago(5m)", f"{INSTANT} <= ago(5m)", "nothing new"),
        (f"{INSTANT} >= ago(10m)", f"{INSTANT} > ago(10m)", "no run finds"),
        (f"{INSTANT} >= ago(10m) and {INSTANT} < ago(5m)", f"{INSTANT} >= ago(5m)", "no run finds"),
    ],
)
def test_an_instant_that_is_missed_or_told_again_is_found_out(old: str, new: str, wrong: str, told: Told) -> None:
    assert any(wrong in text for text in told(correlation(), old, new))


def test_a_look_back_without_the_whole_window_is_found_out(told: Told) -> None:
    assert any("no run finds" in text for text in told(correlation(), plan=lambda plan: replace(plan, lookback_ms=12 * MINUTE)))


def test_events_come_in_before_they_are_found_and_never_before_their_time(pack: Pack) -> None:
    stand, client = open_stand("sentinel", pack), Fake(lambda query: {"hits": []})
    compiled = stand.compile(event_rule(), None)
    replay(compiled, stand.plan(compiled), stand, client, ARRIVALS)
    came = {event["TimeGenerated"]: milliseconds(event["_ingested"]) for opened in client.opened for event in opened}
    assert came == {iso(_time(one)): max(_time(one), one.at - COMMIT_MS) for one in ARRIVALS if one.at - _time(one) <= 10 * MINUTE}


def _time(arrival: Arrival) -> int:
    return milliseconds(arrival.event["@timestamp"]) or 0


def test_without_a_word_on_it_all_events_come_in_with_the_last(pack: Pack) -> None:
    rows = sentinel.stored([at(5, "anna"), {"event.action": "claim-view"}, at(0, "ben")], pack.mappings["sentinel"])
    assert {row["_ingested"] for row in rows} == {iso(T0 + 5_000)}


DETECTION = Detection(
    "sentinel", "kql", "Q", Schedule(HOUR, 14 * DAY), "exact", companions=(Companion("rollup", "Daily", "J", DAY, {"InsMs": "long"}),)
)
MIDNIGHT = T0 // DAY * DAY


def test_jobs_run_daily_over_what_had_arrived_and_their_rows_come_later() -> None:
    client, asked = Fake(lambda query: {"rows": [{"InsMs": 7, "InsOther": 1}]}), []

    def arrived(moment: int) -> Sequence[Mapping[str, Any]]:
        asked.append(moment)
        return [{"_table": "T"}]

    jobs = Jobs(DETECTION, {"tables": {"T": {"A": "string"}}}, MIDNIGHT + HOUR)
    first = MIDNIGHT + JOB_AT_MS
    jobs.run_until(first - 1, client, arrived)
    assert (asked, jobs.rows(first + DAY)) == ([], [])
    jobs.run_until(first + DAY, client, arrived)
    assert asked == [first - LAKE_MS, first + DAY - LAKE_MS]
    assert [times["now"] for times in client.times] == [iso(first), iso(first + DAY)]
    assert jobs.store["tables"] == {"T": {"A": "string"}, "Daily": {"TimeGenerated": "datetime", "InsMs": "long"}}
    assert jobs.rows(first + ROWS_MS - 1) == []
    assert jobs.rows(first + ROWS_MS) == [{"_table": "Daily", "TimeGenerated": iso(first), "InsMs": 7}]
    assert len(jobs.rows(first + DAY + ROWS_MS)) == 2


def test_a_job_that_the_engine_rejects_ends_the_replay() -> None:
    client = Fake(lambda query: {"error": {"stage": "type", "message": "no such column"}})
    with pytest.raises(QueryRejected, match="no such column"):
        Jobs(DETECTION, {"tables": {}}, MIDNIGHT).run_until(MIDNIGHT + DAY, client, lambda moment: [])


def test_a_detection_without_roll_ups_has_no_jobs() -> None:
    client = Fake(lambda query: {})
    jobs = Jobs(replace(DETECTION, companions=()), {"tables": {"T": {}}}, MIDNIGHT)
    jobs.run_until(MIDNIGHT + 9 * DAY, client, lambda moment: [])
    assert (client.times, client.opened, jobs.rows(MIDNIGHT + 9 * DAY), jobs.store) == ([], [], [], {"tables": {"T": {}}})
