"""Schedules over arrivals: a tiny detection that is right passes, and each way in which one can be wrong is told."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from insigma.content.model import AnyRule, Correlation, Pack
from insigma.evaluate.events import flatten, iso, milliseconds, time_of
from insigma_prove.plans import Plan
from insigma_prove.reference import Truth, truth
from insigma_prove.replay import Arrival, Replay, replay, replay_differs
from insigma_prove.stands import Compiled, Stand, open_stand
from insigma_prove.trial import QueryRejected
from tests.prove.fakes import START, Answer, at, correlation, event_rule

MINUTE = 60_000
DELAY = 5 * MINUTE
T0 = int(START.timestamp() * 1000)


def arriving(late_s: float, event: dict[str, Any]) -> Arrival:
    return Arrival(event, (time_of(flatten(event)) or 0) + round(late_s * 1000))


ARRIVALS = sorted(
    [
        arriving(0, at(0, "anna")),
        arriving(299, at(60, "anna")),  # late, but in time
        arriving(1, at(130, "anna")),
        *(arriving(2, at(3600 + 60 * number, "anna")) for number in range(3)),  # a second burst
        *(arriving(0, at(200 + number, "ben")) for number in range(2)),
        arriving(1_500, at(202, "ben")),  # too late for what is promised
        *(arriving(0, at(250 + second, "cleo")) for second in (0, 1, 602)),  # just too far apart
        *(arriving(0, at(298 + number, "dora")) for number in range(5)),  # over the moment of a run
        *(arriving(300 - 10 * number, at(900 + number, "emil")) for number in range(3)),  # the other way round
        arriving(0, at(1_000, "anna", "claim-export")),
        arriving(3, at(2_000, "fred", **{"event.id": "f"})),
        arriving(80, at(2_000, "fred", **{"event.id": "f"})),  # delivered twice
        arriving(9, at(2_030, "fred")),
    ],
    key=lambda arrival: arrival.at,
)


class Tiny:
    """An engine with one detection, which asks the reference; its faults are chosen one by one.

    It tells instants no older than `recent_ms`. `late` makes it deaf to what arrives after its time's run, `second` to a
    group's second burst, `gone` to a group; `added` are rows of its own invention.
    """

    def __init__(self, compiled: Compiled, pack: Pack, rule: AnyRule | None = None, **faults: Any) -> None:
        self.compiled, self.pack, self.rule = compiled, pack, rule or compiled.rule
        self.recent_ms: int = faults.get("recent_ms", 10 * MINUTE)
        self.late: bool = faults.get("late", False)
        self.second: bool = faults.get("second", False)
        self.gone: str = faults.get("gone", "")
        self.added: Sequence[Any] = faults.get("added", ())
        self.events: list[Mapping[str, Any]] = []
        self.seen: set[str] = set()
        self.deaf: set[str] = set()
        self.last_run = 0
        self.began: dict[str, int] = {}

    def hello(self) -> Answer:
        return {}

    def open(self, store: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> None:
        raws = [event.get("_raw") or {name: value for name, value in event.items() if name != "_index"} for event in events]
        self.events = [json.loads(raw) if isinstance(raw, str) else raw for raw in raws]

    def run(self, language: str, query: str, times: Mapping[str, str]) -> Answer:
        now = milliseconds(times["now"]) or 0
        assert all(_time(event) <= now for event in self.events), "an event of the future"
        if self.late:
            new = {json.dumps(event): _time(event) for event in self.events if json.dumps(event) not in self.seen}
            self.deaf |= {text for text, time in new.items() if time < self.last_run}
            self.seen |= new.keys()
        self.last_run = now
        kept = [place for place, event in enumerate(self.events) if json.dumps(event) not in self.deaf]
        found = truth(self.rule, [self.events[place] for place in kept], self.pack.taxonomy)
        if not isinstance(self.rule, Correlation):
            return {
                "hits": [*sorted(kept[place] for place in found.positions), *(place for place in self.added if place < len(self.events))]
            }
        instants = sorted(entry for entry in found.instants if self._told(entry[0], entry[1][0], now))
        if language == "eql":
            return {"sequences": [self._sequence(time, group[0]) for time, group in instants]}
        return {"rows": [*self._rows(instants), *self.added]}

    def _told(self, time: int, user: str, now: int) -> bool:
        began = self.began.setdefault(user, time)
        return time >= now - self.recent_ms and user != self.gone and not (self.second and time > began + 10 * MINUTE)

    def _sequence(self, time: int, user: str) -> list[int]:
        own = [place for place, event in enumerate(self.events) if event["user.name"] == user and _time(event) <= time]
        return sorted(own, key=lambda place: _time(self.events[place]))[-3:]

    def _rows(self, instants: Sequence[tuple[int, tuple[str, ...]]]) -> list[Any]:
        by_user: dict[str, list[int]] = {}
        for time, group in instants:
            by_user.setdefault(group[0], []).append(time)
        if self.compiled.detection.window != "exact":
            return [{"user.name": user} for user in by_user]
        return [
            {"user.name": user, "insigma_first": own[0] / 1000, "insigma_last": own[-1] / 1000, "insigma_value": 3}
            for user, own in by_user.items()
        ]


def _time(event: Mapping[str, Any]) -> int:
    return time_of(flatten(event)) or 0


class Schedule:
    """A detection with its plan."""

    def __init__(self, pack: Pack, target: str, rule: AnyRule, language: str | None = None) -> None:
        self.pack = pack
        self.stand: Stand = open_stand(target, pack)
        self.compiled = self.stand.compile(rule, language)
        self.plan = self.stand.plan(self.compiled)

    def outcome(self, plan: Plan | None = None, rule: AnyRule | None = None, **faults: Any) -> Replay:
        return replay(self.compiled, plan or self.plan, self.stand, Tiny(self.compiled, self.pack, rule, **faults), ARRIVALS)

    def told(self, plan: Plan | None = None, rule: AnyRule | None = None, **faults: Any) -> list[str]:
        found = replay_differs(self.compiled, self.outcome(plan, rule, **faults), ARRIVALS, self.pack.taxonomy, DELAY)
        return [difference.message for difference in found]


@pytest.fixture
def splunk(pack: Pack) -> Schedule:
    return Schedule(pack, "splunk", correlation())


@pytest.fixture
def events(pack: Pack) -> Schedule:
    return Schedule(pack, "splunk", event_rule())


@pytest.fixture
def sequences(pack: Pack) -> Schedule:
    return Schedule(pack, "elastic", correlation(), "eql")


@pytest.fixture
def hopping(pack: Pack) -> Schedule:
    return Schedule(pack, "elastic", correlation(), "esql")


def named(outcome: Replay) -> set[str]:
    return {found.group[0] for found in outcome.delivered}


def test_a_detection_that_is_right_passes_on_each_plan(splunk: Schedule, sequences: Schedule, hopping: Schedule) -> None:
    assert splunk.told() == []
    assert sequences.told(recent_ms=30 * MINUTE) == []
    assert hopping.told(recent_ms=30 * MINUTE) == []
    assert {"anna", "dora", "emil"} <= named(splunk.outcome()) <= {"anna", "ben", "dora", "emil"}


def test_events_that_are_found_pass(events: Schedule, pack: Pack) -> None:
    assert events.told() == []
    assert Schedule(pack, "elastic", event_rule()).told() == []
    outcome = events.outcome()
    delivered = [found.first for found in outcome.delivered]
    assert len(delivered) == len(set(delivered)), "an event is delivered once"
    assert outcome.runs < 40


def test_a_second_delivery_is_not_stored_where_the_target_keeps_ids_apart(pack: Pack, splunk: Schedule) -> None:
    fred = [position for position, arrival in enumerate(ARRIVALS) if arrival.event.get("event.id") == "f"]
    elastic = Schedule(pack, "elastic", event_rule()).outcome()
    assert {found.first for found in elastic.delivered} & {*fred} == {fred[0]}
    assert "fred" not in named(splunk.outcome())


def test_a_detection_that_misses_late_events_is_told(splunk: Schedule, events: Schedule, sequences: Schedule, hopping: Schedule) -> None:
    assert "no run finds group ('anna',) at 2026-02-14T10:02:10.000Z" in splunk.told(late=True)
    assert any("never delivered" in message for message in events.told(late=True))
    assert any("group ('anna',) from" in message for message in sequences.told(late=True, recent_ms=30 * MINUTE))
    assert any("('anna',)" in message for message in hopping.told(late=True, recent_ms=30 * MINUTE))


def test_a_look_back_that_is_too_short_is_told(splunk: Schedule, events: Schedule) -> None:
    assert any("no run finds" in message for message in splunk.told(replace(splunk.plan, lookback_ms=6 * MINUTE)))
    assert any("never delivered" in message for message in events.told(replace(events.plan, lookback_ms=2 * MINUTE)))


def test_a_gap_between_what_runs_see_of_arrivals_is_told(events: Schedule) -> None:
    assert events.plan.arrived is not None
    older, newer = events.plan.arrived
    assert any("is never delivered" in message for message in events.told(replace(events.plan, arrived=(older - 2 * MINUTE, newer))))
    assert any("is delivered 2 times" in message for message in events.told(replace(events.plan, arrived=(older + 2 * MINUTE, newer))))
    assert any("times" in message for message in events.told(replace(events.plan, arrived=None)))


def test_alerts_that_are_repeated_are_told(splunk: Schedule, sequences: Schedule, hopping: Schedule) -> None:
    again = "with nothing new"
    assert any(again in message for message in splunk.told(recent_ms=30 * MINUTE))
    assert any(again in message for message in splunk.told(replace(splunk.plan, quiet_ms=0)))
    quiet = replace(sequences.plan, quiet_ms=0, once=False)
    assert any(again in message for message in sequences.told(quiet, recent_ms=30 * MINUTE))
    assert any(again in message for message in hopping.told(replace(hopping.plan, quiet_ms=0), recent_ms=30 * MINUTE))


def test_a_second_burst_that_is_dropped_is_told(splunk: Schedule, sequences: Schedule, hopping: Schedule) -> None:
    assert splunk.told(second=True) == [
        "no run finds group ('anna',) at 2026-02-14T11:02:00.000Z",
        "the alert of group ('anna',) from 2026-02-14T11:02:00.000Z is never delivered",
    ]
    assert len(sequences.told(second=True, recent_ms=30 * MINUTE)) == 1
    assert len(hopping.told(second=True, recent_ms=30 * MINUTE)) == 2


def test_a_second_burst_that_is_held_back_is_told(splunk: Schedule) -> None:
    """A throttle by the group alone and for too long swallows it: it is found, and nobody hears of it."""
    silent = replace(splunk.plan, fields=("user.name",), quiet_ms=24 * 60 * MINUTE)
    assert splunk.told(silent) == ["the alert of group ('anna',) from 2026-02-14T11:02:00.000Z is never delivered"]
    assert splunk.told(replace(silent, merges=True)) == []


def test_events_too_far_apart_are_told(splunk: Schedule, sequences: Schedule, hopping: Schedule) -> None:
    wide = correlation(timespan="11m")
    found = splunk.told(rule=wide)
    assert any("finds group ('cleo',)" in message and "where nothing satisfies the rule" in message for message in found)
    assert any("('cleo',)" in message for message in sequences.told(rule=wide, recent_ms=30 * MINUTE))
    assert any("('cleo',)" in message for message in hopping.told(rule=wide, recent_ms=30 * MINUTE))


def test_a_group_that_is_missing_or_made_up_is_told(splunk: Schedule, hopping: Schedule) -> None:
    assert any("no run finds group ('dora',)" in message for message in splunk.told(gone="dora"))
    made_up = {"user.name": "zoe", "insigma_first": T0 / 1000, "insigma_last": T0 / 1000}
    assert any("finds group ('zoe',)" in message for message in splunk.told(added=[made_up]))
    assert any("finds group ('zoe',)" in message for message in hopping.told(added=[{"user.name": "zoe"}], recent_ms=30 * MINUTE))


def test_an_event_that_does_not_match_is_told_when_it_is_delivered(events: Schedule) -> None:
    found = events.told(rule=event_rule({"s": {"event.action": ["claim-view", "claim-export"]}, "condition": "s"}))
    export = next(position for position, arrival in enumerate(ARRIVALS) if arrival.event["event.action"] == "claim-export")
    assert found == [f"event {export} is delivered, which the rule does not match"]


def test_what_comes_too_late_may_be_missed_or_found(splunk: Schedule, events: Schedule) -> None:
    late = next(position for position, arrival in enumerate(ARRIVALS) if arrival.at - _time(arrival.event) > DELAY)
    assert not any(found.first == late for found in events.outcome().delivered)
    assert not any("ben" in message for message in [*splunk.told(), *splunk.told(gone="ben")])


def test_an_engine_that_rejects_the_query_ends_the_replay(splunk: Schedule, pack: Pack) -> None:
    class Rejects(Tiny):
        def run(self, language: str, query: str, times: Mapping[str, str]) -> Answer:
            return {"error": {"stage": "parse", "message": "no such command"}}

    with pytest.raises(QueryRejected, match="no such command"):
        replay(splunk.compiled, splunk.plan, splunk.stand, Rejects(splunk.compiled, pack), ARRIVALS)


def test_a_run_is_given_its_own_time_range(splunk: Schedule, pack: Pack) -> None:
    class Listens(Tiny):
        ranges: set[tuple[str, str, str]] = set()  # noqa: RUF012

        def run(self, language: str, query: str, times: Mapping[str, str]) -> Answer:
            self.ranges.add((times["earliest"], times["latest"], times["now"]))
            return super().run(language, query, times)

    client = Listens(splunk.compiled, pack)
    replay(splunk.compiled, splunk.plan, splunk.stand, client, ARRIVALS)
    assert (iso(T0 - 15 * MINUTE), iso(T0 + 5 * MINUTE), iso(T0 + 5 * MINUTE)) in client.ranges


def test_a_run_after_its_time_sees_what_arrives_until_then(events: Schedule, pack: Pack) -> None:
    class Listens(Tiny):
        asked: list[tuple[str, int]] = []  # noqa: RUF012

        def run(self, language: str, query: str, times: Mapping[str, str]) -> Answer:
            self.asked.append((times["latest"], (milliseconds(times["now"]) or 0) - (milliseconds(times["latest"]) or 0)))
            return super().run(language, query, times)

    late = replace(events.plan, arrived=None, once=True, late_ms=5 * MINUTE, lookback_ms=10 * MINUTE)
    client = Listens(events.compiled, pack)
    outcome = replay(events.compiled, late, events.stand, client, ARRIVALS, 5 * MINUTE)
    assert {clock for _, clock in client.asked} == {5 * MINUTE}
    assert replay_differs(events.compiled, outcome, ARRIVALS, pack.taxonomy, DELAY) == []
    slow = next(place for place, arrival in enumerate(ARRIVALS) if arrival.at - _time(arrival.event) == 299_000)
    (found,) = [found for found in outcome.delivered if found.first == slow]
    assert found.run < ARRIVALS[slow].at <= found.run + 5 * MINUTE


def test_nothing_arrives_and_nothing_is_said(splunk: Schedule, pack: Pack) -> None:
    outcome = replay(splunk.compiled, splunk.plan, splunk.stand, Tiny(splunk.compiled, pack), [])
    assert (outcome.runs, outcome.delivered) == (0, [])
    assert replay_differs(splunk.compiled, outcome, [], pack.taxonomy, DELAY) == []
    nothing: Truth = truth(correlation(), [], pack.taxonomy)
    assert nothing.instants == frozenset()
