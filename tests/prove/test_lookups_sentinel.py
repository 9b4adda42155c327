"""Looked-up fields on Sentinel: what the compiled joins find in events and watchlists, against `evaluate.lookups` and the evaluator."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from insigma.content.lookups import DAY_MS, UNKNOWN, Found, Held, Lookup, RowTest
from insigma.content.model import AnyRule, Pack
from insigma.evaluate.events import iso
from insigma.evaluate.lookups import Enricher
from insigma_prove.process import Client, Reply
from insigma_prove.reference import Truth, truth
from insigma_prove.stands import Compiled, SentinelStand
from insigma_prove.trial import differences, gather
from tests.prove.conftest import GetEngine
from tests.prove.fakes import START, rules_of
from tests.targets.sentinel.lookups import AMOUNT, CONTEXT, LOOKUPS, WATCHED, mapping

Event = dict[str, Any]
Row = dict[str, str]
Tables = Mapping[str, Sequence[Row]]
T0 = int(START.replace(hour=0).timestamp() * 1000)
HOUR = 3_600_000


class Stand(SentinelStand):
    """A customer's Sentinel with its watchlists."""

    def __init__(self, pack: Pack, tables: Tables, lookups: Sequence[Lookup] = LOOKUPS) -> None:
        super().__init__(replace(pack, mappings=MappingProxyType({**pack.mappings, "sentinel": mapping(lookups)})))
        self.lookups = tables


class Once:
    """An engine that runs each query over one order of the rows only, which halves the time."""

    def __init__(self, client: Client) -> None:
        self.hello, self.open, self._run = client.hello, client.open, client.run

    def run(self, language: str, query: str, times: Mapping[str, str]) -> Reply:
        return self._run(language, query, {**times, "order": "stored"})


def reference(rule: AnyRule, events: Sequence[Event], tables: Tables, pack: Pack, lookups: Sequence[Lookup] = LOOKUPS) -> Truth:
    """The verdict on the events with their looked-up fields."""
    enricher = Enricher(lookups, tables)
    return truth(rule, [enricher.enrich(event) for event in events], pack.taxonomy)


def judged(compiled: Compiled, stand: Stand, client: Client, told: Truth, events: Sequence[Event], pack: Pack) -> list[str]:
    """How the engine's verdict on the events as they came departs from the reference."""
    evidence = gather(stand, client, told, events)
    return [found.message for found in differences(compiled, Once(client), evidence, pack.taxonomy)]


def rule(name: str = "r", number: int = 1, source: str = "insurance_claims", condition: str = "s", **selections: Any) -> dict[str, Any]:
    own = {key: {_canonical(field): value for field, value in selection.items()} for key, selection in selections.items()}
    detection = {**own, "condition": condition}
    return {"name": name, "id": f"5d1a4f0e-0000-4000-8000-{number:012d}", "logsource": {"category": source}, "detection": detection}


def _canonical(field: str) -> str:
    """The name of a flag with its prefix; any other as it is."""
    return field if "." in field or field.startswith("@") else CONTEXT + field


def correlated(*bases: dict[str, Any], **said: Any) -> tuple[dict[str, Any], ...]:
    body = {"rules": [base["name"] for base in bases], "timespan": "2h", "group-by": ["user.name"], **said}
    return (*bases, {"name": "many", "id": "5d1a4f0e-0000-4000-8000-000000000099", "correlation": body})


VIEW = {"event.action": "claim-view"}
PAY = rule("pay", 2, "insurance_payment", s={"over_authority": ["yes", "unknown"]})
MINE = rule("view", s=VIEW | {"assigned_to_actor": "no"})
RULES: Mapping[str, tuple[dict[str, Any], ...]] = {
    "a row that is valid": (rule(s=VIEW | {"assigned_to_actor": "yes"}),),
    "no row, or not valid": (rule(s=VIEW | {"assigned_to_actor": "no"}),),
    "no key": (rule(s={"assigned_to_actor": "UNKNOWN"}),),
    "a row that has ended": (rule(s={"assignment_expired": "yes"}),),
    "not yes": (rule(s=VIEW, t={"assigned_to_actor": "yes"}, condition="s and not t"),),
    "what the row holds": (rule(s={"entitled": "no"}),),
    "what the row holds, as a pattern": (rule(s={"entitled|re|i": "^[yu]", "restricted_party|neq": "no"}),),
    "what the row holds, beyond ASCII": (rule(s={"entitled": "Geprüft"}),),
    "a number as a key": (rule(s={"restricted_party": "yes"}),),
    "two flags are compared": (rule(s={"entitled|fieldref": "insurance.context.restricted_party"}),),
    "working hours": (rule(s=VIEW | {"off_hours": "yes"}),),
    "working hours, not known": (rule(s={"off_hours": "unknown"}),),
    "a list": (rule(s={WATCHED: "yes"}),),
    "not on a list": (rule(s=VIEW, t={WATCHED: "yes"}, condition="s and not t"),),
    "near a limit": (rule(s={"near_authority_limit": "yes"}),),
    "over a limit": (rule(s={"over_authority": "yes"}),),
    "neither near nor over": (rule(s={"over_authority": "no", "near_authority_limit": "no"}),),
    "no limit is known": (rule(s={"over_authority": "unknown"}),),
    "text that is a number": (rule(s={"surge": "yes"}),),
    "never absent, never empty": (
        rule(s={"surge": None}, t={"entitled|exists": True}, u={"surge": ""}, condition="not s and t and not u"),
    ),
    "alternatives": (rule(s=VIEW | {"entitled": "yes"}, t={"event.action": "claim-export", "off_hours": "yes"}, condition="s or t"),),
    "none of two": (rule(s=VIEW | {"entitled": "yes"}, t={WATCHED: "yes"}, condition="not s and not t"),),
    "the hour and working hours": (rule(s={"@timestamp|hour": [6, 7, 8, 20]}, t={"off_hours": "no"}, condition="not s or t"),),
    "a burst": correlated(MINE, type="event_count", condition={"gte": 3}),
    "a long burst": correlated(MINE, type="event_count", timespan="30d", condition={"gte": 3}),
    "grouped by a flag": correlated(rule("view", s=VIEW), type="event_count", condition={"gte": 4}, **{"group-by": [CONTEXT + "entitled"]}),
    "flags are counted": correlated(rule("view", s=VIEW), type="value_count", condition={"field": CONTEXT + "entitled", "gte": 2}),
    "sums": correlated(MINE, type="value_sum", condition={"field": AMOUNT, "gte": 1900}),
    "two rules that overlap": correlated(
        rule("view", s=VIEW | {"off_hours": "yes"}), rule("watched", 2, s={WATCHED: "yes"}), type="temporal", timespan="90m"
    ),
    "one rule or the other, counted": correlated(
        rule("view", s=VIEW | {"off_hours": "yes"}), rule("watched", 2, s={WATCHED: "yes"}), type="event_count", condition={"gte": 4}
    ),
    "two log sources, in order": correlated(MINE, PAY, type="temporal_ordered"),
    "two log sources, in order, for long": correlated(MINE, PAY, type="temporal_ordered", timespan="20d"),
    "an array of roles and an hour": correlated(
        rule("view", s={"@timestamp|hour": [6, 7, 8, 20]}, t={"off_hours": "yes"}, condition="s or t"),
        type="event_count",
        condition={"gte": 3},
        **{"group-by": ["user.roles"]},
    ),
}


def compiled_rule(name: str, stand: Stand) -> Compiled:
    return stand.compile(rules_of(*RULES[name])[-1], None)


USERS, CLAIMS, ROLES = ("anna", "ben", "cleo", "dörte"), ("clm-1", "clm-2", "clm-3"), ("clerk", "regional", "lead")
EDGES = (9 * HOUR, 10 * HOUR + 123, 30 * HOUR)
"""When something begins or ends in a table."""


def spelled(draw: random.Random, text: str) -> str:
    return draw.choice([text, text.upper(), text.title()])


def made_events(draw: random.Random) -> list[Event]:
    """Events in which every field is there, absent or empty, in any case; some come twice."""
    moments = [edge for day in (0, DAY_MS) for edge in (*EDGES, *(minute * 60_000 for minute in (0, 420, 780, 840, 1200, 1439)))]
    events = [_event(draw, T0 + draw.choice(moments) + draw.choice([-1, 0, 1]), number) for number in range(60)]
    return [*events, *draw.sample(events, 5)]


def _event(draw: random.Random, time_ms: int, number: int) -> Event:
    payment = draw.random() < 0.25
    event: Event = {
        "@timestamp": iso(time_ms),
        "event.id": None if number % 3 == 0 else f"e{number}",
        "insurance.logsource": "insurance_payment" if payment else "insurance_claims",
        "event.action": "payment-release" if payment else draw.choice(["claim-view", "claim-view", "claim-export"]),
        "user.name": draw.choice([None, "", *(spelled(draw, user) for user in USERS * 2)]),
        "insurance.claim.id": draw.choice([None, "", "clm-9", *(spelled(draw, claim) for claim in CLAIMS * 2)]),
        "insurance.actor.role": draw.choice([None, "none", *(spelled(draw, role) for role in ROLES)]),
        "insurance.record_count": draw.choice([None, 7, 1_000_000, -1, 0]),
        "insurance.claim.cat_code": draw.choice([None, "", "999", "1000", "1e3", "1e3x", "CAT", " 1000", "NaN", "+1000.50"]),
        "user.roles": draw.choice([None, ["desk"], ["desk", "NIGHT shift"], ["night shift"]]),
        AMOUNT: draw.choice([None, "n/a", 949.99, 950, "950", 1000, "1000.0", 1000.01, 2000, -1, True]),
        f"{CONTEXT}entitled": draw.choice([None, "no", "yes"]),  # what an event claims of itself does not count
    }
    return {name: value for name, value in event.items() if value is not None}


def made_tables(draw: random.Random) -> dict[str, list[Row]]:
    """Tables with a row for most keys, in any case, and with empty cells; some say nothing at all."""
    day = T0 // DAY_MS
    own = {
        "claim_assignment": [
            {"claim": spelled(draw, claim), "user": spelled(draw, user), "valid_from": _time(draw), "valid_to": _time(draw)}
            for claim in CLAIMS
            for user in _most(draw, USERS)
        ],
        "entitlement": [
            {"role": spelled(draw, role), "entitled": draw.choice(["YES", "no", "", "Geprüft", "unknown"])} for role in _most(draw, ROLES)
        ],
        "party": [
            {"records": count, "restricted": draw.choice(["YES", "yes", "no", ""])}
            for count in _most(draw, ("7", "1000000", "-1", "", "0"))
        ],
        "claim_authority": [
            {"user": spelled(draw, user), "limit": draw.choice(["1000", "1000.00", "", "none", "1e3", " 1000", "NaN"])}
            for user in (*_most(draw, USERS), "")
        ],
        "work_calendar": [
            {"calendar": spelled(draw, calendar), "day": str(day + number), **_hours(draw)}
            for calendar in ("default", "night", "north")
            for number in _most(draw, range(-1, 4))
        ],
        "watched": [{"value": spelled(draw, user)} for user in _most(draw, USERS)],
    }
    return {table: [] if draw.random() < 0.05 else rows for table, rows in own.items()}


def _time(draw: random.Random) -> str:
    return draw.choice(["", *(str(T0 + edge) for edge in EDGES)])


def _most(draw: random.Random, keys: Sequence[Any]) -> list[Any]:
    return [key for key in keys if draw.random() < 0.7]


def _hours(draw: random.Random) -> Row:
    spans = draw.choice([("420", "780", "840", "1200"), ("", "", "", ""), ("0", "420", "1200", "1440"), ("420", "1200", "", "")])
    return dict(zip(("open1", "close1", "open2", "close2"), spans, strict=True))


@pytest.mark.parametrize("name", RULES)
def test_joins_agree_with_the_reference(name: str, pack: Pack, engine: GetEngine) -> None:
    client = engine("kusto").client
    told: list[bool] = []
    for seed in range(3):
        draw = random.Random(f"{name} {seed}")
        events, tables = made_events(draw), made_tables(draw)
        stand = Stand(pack, tables)
        compiled = compiled_rule(name, stand)
        verdict = reference(compiled.rule, events, tables, pack)
        assert judged(compiled, stand, client, verdict, events, pack) == []
        told.append(bool(verdict.positions or verdict.instants))
    assert any(told), "sets in which nothing ever happens show nothing"


FAULTS = [
    ("what the row holds", 'isempty(InsKey1), "unknown"', 'isempty(InsKey1), "no"'),
    ("a row that is valid", "InsCell1 <= InsMs", "InsCell1 < InsMs"),
    ("a row that is valid", "InsCell2 > InsMs", "InsCell2 >= InsMs"),
    ("a row that is valid", "InsCell2 > InsMs, true", "InsCell2 > InsMs, false"),
    ("a row that is valid", ", $left.InsKey2 == $right.InsRow2", ""),
    ("a row that has ended", "InsCell1 < InsMs, false", "InsCell1 < InsMs, true"),
    ("no limit is known", 'isempty(InsRow1), "unknown"', 'isempty(InsRow1), "no"'),
    ("no limit is known", " or isnull(InsClaimAmount)", ""),
    ("no key", "isempty(InsKey1) or isempty(InsKey2)", "isempty(InsKey1)"),
    ("near a limit", "* 0.95", "* 0.9"),
    ("over a limit", "InsCell1 < InsClaimAmount", "InsCell1 <= InsClaimAmount"),
    ("text that is a number", 'toreal(extract("^', 'toreal(extract("'),
    ("flags are counted", "tolower(InsCell1)", "InsCell1"),
    ("a list", "InsRow1 = tolower(", "InsRow1 = ("),
    ("a list", "InsKey1 = tolower(", "InsKey1 = ("),
    ("working hours", "InsMs % 86400000", "(InsMs + 60000) % 86400000"),
    ("working hours", "InsMinute1 < InsCell2", "InsMinute1 <= InsCell2"),
    ("working hours", '"night", ActorUsername matches', '"default", ActorUsername matches'),
    ("working hours, not known", 'isempty(InsRow1), "unknown"', 'isempty(InsRow1), "no"'),
    ("not on a list", 'isempty(InsRow1), "no"', 'isempty(InsRow1), "yes"'),
    ("grouped by a flag", "InsGroup1 = ['insigma_entitled']", 'InsGroup1 = "no"'),
    ("two log sources, in order", "InsRule2 = iff(", "InsRule2 = iff(true or "),
    ("one rule or the other, counted", "InsRule2 = iff(", "InsRule2 = iff(true or "),
]


@pytest.mark.parametrize(("name", "old", "new"), FAULTS)
def test_a_wrong_join_is_found(name: str, old: str, new: str, pack: Pack, engine: GetEngine) -> None:
    client = engine("kusto").client
    for seed in range(24):
        draw = random.Random(f"fault {seed}")
        events, tables = made_events(draw), made_tables(draw)
        stand = Stand(pack, tables)
        compiled = compiled_rule(name, stand)
        assert old in compiled.detection.query
        instants = compiled.instants and compiled.instants.replace(old, new)
        broken = replace(
            compiled, instants=instants, detection=replace(compiled.detection, query=compiled.detection.query.replace(old, new))
        )
        if judged(broken, stand, client, reference(compiled.rule, events, tables, pack), events, pack):
            return
    pytest.fail("no set of events shows the difference")


def at(seconds: float, **more: Any) -> Event:
    """A claim view of anna's so long after ten o'clock, with other fields as said."""
    event = {
        "@timestamp": iso(T0 + 10 * HOUR + round(seconds * 1000)),
        "insurance.logsource": "insurance_claims",
        "event.action": "claim-view",
    }
    return {**event, "user.name": "anna", "insurance.claim.id": "clm-1", **{name.replace("__", "."): value for name, value in more.items()}}


SEEN = Lookup(f"{CONTEXT}assigned_to_actor", "seen", (("user", "user.name"),), Found((RowTest("since", "lte", "@timestamp"),)))
HELD = Lookup(f"{CONTEXT}entitled", "seen", (("user", "user.name"),), Held("kind", missing=UNKNOWN))


def ran(
    pack: Pack, client: Client, rows: Sequence[Row], events: Sequence[Event], *lookups: Lookup, **selection: Any
) -> list[dict[str, Any]]:
    """The rows that an event rule's query finds."""
    stand = Stand(pack, {"seen": rows}, lookups)
    compiled = stand.compile(rules_of(rule(s=selection))[-1], None)
    client.open(stand.store(), stand.stored(events))
    end = iso(T0 + 11 * HOUR + compiled.settled_ms)
    times = {"earliest": iso(T0), "latest": end, "now": iso(T0 + 10 * HOUR + 60_000 + compiled.settled_ms), "answer": "rows"}
    reply = client.run("kql", compiled.detection.query, times)
    assert "error" not in reply, reply
    return list(reply["rows"])


def test_of_two_rows_with_one_key_the_newest_counts_and_no_event_is_multiplied(pack: Pack, engine: GetEngine) -> None:
    old = {"user": "ANNA", "kind": "old", "LastUpdatedTimeUTC": "2026-01-01T00:00:00Z"}
    new = {"user": "anna", "kind": "new", "LastUpdatedTimeUTC": "2026-01-02T00:00:00Z"}
    for rows in ([old, new], [new, old]):
        for kind, found in (("new", 2), ("old", 0)):
            assert len(ran(pack, engine("kusto").client, rows, [at(0), at(1)], HELD, entitled=kind)) == found


def test_a_watchlist_without_items_or_without_a_column_gives_no_row(pack: Pack, engine: GetEngine) -> None:
    client = engine("kusto").client
    assert len(ran(pack, client, [], [at(0)], SEEN, HELD, assigned_to_actor="no", entitled="unknown")) == 1
    assert len(ran(pack, client, [{"user": "Anna"}], [at(0)], SEEN, HELD, assigned_to_actor="yes", entitled="unknown")) == 1


def test_nobody_sees_the_helping_columns(pack: Pack, engine: GetEngine) -> None:
    (row,) = ran(pack, engine("kusto").client, [{"user": "anna", "since": ""}], [at(0)], SEEN, assigned_to_actor="yes")
    stored = [field for field in mapping((SEEN,)).fields.values() if field.lookup is None]
    assert row.keys() == {field.name for field in stored} | {"insigma_assigned_to_actor"}
    assert row["insigma_assigned_to_actor"] == "yes"


Change = Callable[[Event], Event]


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        (lambda event: event, "yes"),
        (lambda event: {**event, "user.name": "ANNA"}, "yes"),
        (lambda event: {**event, "user.name": "ben"}, "no"),
        (lambda event: {**event, "user.name": ""}, "unknown"),
        (lambda event: {name: value for name, value in event.items() if name != "user.name"}, "unknown"),
        (lambda event: {**event, "@timestamp": iso(T0 + 10 * HOUR - 1)}, "no"),
    ],
)
def test_by_hand(change: Change, answer: str, pack: Pack, engine: GetEngine) -> None:
    rows = [{"user": "Anna", "since": str(T0 + 10 * HOUR)}, {"user": "", "since": ""}]
    for asked in ("yes", "no", "unknown"):
        found = ran(pack, engine("kusto").client, rows, [change(at(0))], SEEN, assigned_to_actor=asked)
        assert bool(found) is (asked == answer)
