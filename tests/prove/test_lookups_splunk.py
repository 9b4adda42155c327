"""Looked-up fields on Splunk: what the compiled joins find in events and tables, against `evaluate.lookups` and the evaluator."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest

from insigma.content.lookups import DAY_MS
from insigma.content.model import AnyRule, Pack
from insigma.evaluate.events import flatten, iso
from insigma.evaluate.lookups import Enricher
from insigma_prove.process import Client
from insigma_prove.reference import Truth, truth
from insigma_prove.splunk_inline import inline_search
from insigma_prove.stands import Compiled, SplunkStand
from insigma_prove.trial import differences, gather
from insigma_prove.workers.serve import QueryFault
from tests.prove.conftest import GetEngine
from tests.prove.fakes import START, rules_of
from tests.targets.splunk_lookups import AMOUNT, CONTEXT, LOOKUPS, WATCHED, mapping

Event = dict[str, Any]
Tables = Mapping[str, Sequence[Mapping[str, str]]]
MIDNIGHT = START.replace(hour=0)
READINGS: tuple[Mapping[str, str], ...] = ({}, {"lookup_empty": "text", "lookup_nothing": "kept", "lower": "ascii", "pcre": "bytes"})


class Stand(SplunkStand):
    """A customer's Splunk, of which the manual is read in one way or another."""

    def __init__(self, pack: Pack, tables: Tables, readings: Mapping[str, str]) -> None:
        super().__init__(replace(pack, mappings=MappingProxyType({**pack.mappings, "splunk": mapping()})))
        self.lookups = tables
        self._readings = readings

    def store(self) -> Mapping[str, Any]:
        return {**super().store(), "readings": dict(self._readings)}


def reference(rule: AnyRule, events: Sequence[Event], tables: Tables, pack: Pack) -> Truth:
    """The verdict on the events with their looked-up fields."""
    enricher = Enricher(LOOKUPS, tables)
    return truth(rule, [enricher.enrich(event) for event in events], pack.taxonomy)


def judged(compiled: Compiled, stand: SplunkStand, client: Client, told: Truth, events: Sequence[Event], pack: Pack) -> list[str]:
    """How the engine's verdict on the events as they came departs from the reference."""
    evidence = gather(stand, client, told, events)
    return [found.message for found in differences(compiled, client, evidence, pack.taxonomy)]


def rule(name: str, number: int = 1, source: str = "insurance_claims", condition: str = "s", **selections: Any) -> dict[str, Any]:
    detection = {**{key: _canonical(selection) for key, selection in selections.items()}, "condition": condition}
    return {"name": name, "id": f"5d1a4f0e-0000-4000-8000-{number:012d}", "logsource": {"category": source}, "detection": detection}


def _canonical(selection: Mapping[str, Any]) -> dict[str, Any]:
    """Names of flags with their prefix; the others as they are."""
    return {name if "." in name or name.startswith("@") else CONTEXT + name: value for name, value in selection.items()}


def correlated(*bases: dict[str, Any], **said: Any) -> tuple[dict[str, Any], ...]:
    groups = {"group-by": said.pop("group", ["user.name"])}
    body = {"rules": [base["name"] for base in bases], "timespan": "2h", **groups, **said}
    return (*bases, {"name": "many", "id": "5d1a4f0e-0000-4000-8000-000000000099", "correlation": body})


VIEW = {"event.action": "claim-view"}
RULES: Mapping[str, tuple[dict[str, Any], ...]] = {
    "row and validity": (rule("r", s=VIEW | {"assigned_to_actor": "no"}),),
    "row and validity, or not known": (rule("r", s={"assigned_to_actor": ["yes", "UNKNOWN"]}),),
    "what the row holds": (rule("r", s={"entitled": "no"}),),
    "what the row holds, in any form": (rule("r", s={"entitled|re|i": "^[YU]", "restricted_party|neq": "no"}),),
    "what the row holds, beyond ASCII": (rule("r", s={"entitled": "Geprüft"}),),
    "two flags are compared": (rule("r", s={"entitled|fieldref": "insurance.context.restricted_party"}),),
    "working hours": (rule("r", s=VIEW | {"off_hours": "yes"}),),
    "working hours or none": (rule("r", s={"off_hours": "unknown"}, t={"surge": "no"}, condition="s or t"),),
    "a list": (rule("r", s={WATCHED: "yes"}),),
    "not on a list": (rule("r", s=VIEW, t={WATCHED: "yes"}, condition="s and not t"),),
    "near a limit": (rule("r", s={"near_authority_limit": "yes"}),),
    "over a limit": (rule("r", s={"over_authority": "yes"}),),
    "neither near nor over a limit": (rule("r", s={"over_authority": "no", "near_authority_limit": "no"}),),
    "no limit is known": (rule("r", s={"over_authority": "unknown"}),),
    "ended": (rule("r", s={"assignment_expired": "yes"}),),
    "not yes": (rule("r", s=VIEW, t={"assigned_to_actor": "yes"}, condition="s and not t"),),
    "never absent": (rule("r", s={"surge": None}, t={"entitled|exists": True}, condition="not s and t"),),
    "alternatives": (rule("r", s=VIEW | {"entitled": "yes"}, t={"event.action": "claim-export", "off_hours": "yes"}, condition="s or t"),),
    "hour and working hours": (rule("r", s={"@timestamp|hour": [6, 7, 8, 20], "off_hours": "no"}),),
    "a burst with a flag": correlated(rule("view", s=VIEW | {"assigned_to_actor": "no"}), type="event_count", condition={"gte": 3}),
    "grouped by a flag": correlated(rule("view", s=VIEW), type="event_count", group=[CONTEXT + "entitled"], condition={"gte": 4}),
    "counted flags": correlated(rule("view", s=VIEW), type="value_count", condition={"field": CONTEXT + "entitled", "gte": 2}),
    "two rules that overlap": correlated(
        rule("view", s=VIEW | {"off_hours": "yes"}), rule("watched", 2, s={WATCHED: "yes"}), type="temporal", timespan="90m"
    ),
    "two log sources, in order": correlated(
        rule("view", s=VIEW | {"entitled": "no"}),
        rule("pay", 2, "insurance_payment", s={"over_authority": ["yes", "unknown"]}),
        type="temporal_ordered",
    ),
}


def compiled_rule(name: str, stand: SplunkStand) -> Compiled:
    return stand.compile(rules_of(*RULES[name])[-1], None)


def spelled(draw: random.Random, text: str) -> str:
    return draw.choice([text, text.upper(), text.title()])


USERS, CLAIMS, ROLES = ("anna", "ben", "dörte"), ("clm-1", "clm-2"), ("clerk", "regional", "lead")


def made_events(draw: random.Random) -> list[Event]:
    """Events in which every field is there, absent or empty, in any case; some come twice, some claim to be looked up already."""
    start = int(MIDNIGHT.timestamp() * 1000)
    edges = [*_SPAN_EDGES, *(minute * 60_000 + day * DAY_MS for minute in (0, 420, 780, 840, 1200, 1439) for day in (0, 1, 2))]
    exact = [edge + step for edge in edges for step in (-1, 0, 1)]
    close = [_SPAN_EDGES[0] + 60_000 * minute for minute in range(0, 180, 7)]
    events = [_event(draw, start + draw.choice(draw.choice([exact, close, _SPAN_EDGES]))) for _ in range(80)]
    named = [{**event, "event.id": f"e{number}"} if number % 3 else event for number, event in enumerate(events)]
    return [*named, *draw.sample(named, 5)]


_SPAN_EDGES = (9 * 3_600_000, 10 * 3_600_000 + 123, 30 * 3_600_000)


def _event(draw: random.Random, time_ms: int) -> Event:
    payment = draw.random() < 0.25
    event: Event = {
        "@timestamp": iso(time_ms),
        "insurance.logsource": "insurance_payment" if payment else "insurance_claims",
        "event.action": "payment-release" if payment else draw.choice(["claim-view", "claim-view", "claim-export"]),
        "user.name": draw.choice([None, "", *(spelled(draw, user) for user in USERS * 3)]),
        "insurance.claim.id": draw.choice([None, "", "clm-9", *(spelled(draw, claim) for claim in CLAIMS * 3)]),
        "insurance.actor.role": draw.choice([None, "none", *(spelled(draw, role) for role in ROLES)]),
        "user.roles": draw.choice([None, ["desk"], ["desk", "NIGHT shift"], ["night shift"]]),
        AMOUNT: draw.choice([None, "n/a", 949.99, 950, "950", 1000, "1000.0", 1000.01, 2000, -1, True]),
    }
    if draw.random() < 0.2:
        event |= {CONTEXT + "assigned_to_actor": "yes", CONTEXT + "entitled": "no", "insigma_entitled": "no", "insigma_off_hours": "yes"}
        event |= {
            f"insigma_lookup_1_{column}": draw.choice(["clm-1", "yes", "1", "420"]) for column in ("claim", "role", "user", "row", "value")
        }
        event |= {f"insigma_lookup_1_{column}": "0" for column in ("open1", "limit", "valid_from", "entitled")}
    return {name: value for name, value in event.items() if value is not None}


def made_tables(draw: random.Random) -> dict[str, list[dict[str, str]]]:
    """Tables with a row for most keys, in any case, and with empty cells."""
    start = int(MIDNIGHT.timestamp() * 1000)
    day = start // DAY_MS

    def time() -> str:
        return draw.choice(["", *(str(start + edge) for edge in _SPAN_EDGES)])

    def most(keys: Sequence[Any]) -> list[Any]:
        return [key for key in keys if draw.random() < 0.7]

    return {
        "claim_assignment": [
            {
                "claim": spelled(draw, claim),
                "user": spelled(draw, user),
                "valid_from": time(),
                "valid_to": time(),
                "sealed": draw.choice(["", "Yes", "no", "GEPRÜFT"]),
                "relation": "owner",
            }
            for claim in CLAIMS
            for user in most(USERS)
        ],
        "entitlement": [
            {"role": spelled(draw, role), "entitled": draw.choice(["YES", "no", "", "Geprüft", "unknown"])} for role in most(ROLES)
        ],
        "authority": [{"user": spelled(draw, user), "limit": draw.choice(["1000", "1000.00", "", "none", "2e3"])} for user in most(USERS)],
        "roster": [{"user": spelled(draw, user), "valid_to": time()} for user in most(USERS)],
        "work_calendar": [
            {"calendar": spelled(draw, calendar), "day": str(day + number), **_hours(draw)}
            for calendar in ("default", "night", "süd")
            for number in most(range(-1, 4))
        ],
        "watched": [{"value": spelled(draw, user)} for user in most(USERS)],
    }


def _hours(draw: random.Random) -> dict[str, str]:
    open1, close1, open2, close2 = draw.choice(
        [("420", "780", "840", "1200"), ("", "", "", ""), ("0", "420", "1200", "1440"), ("420", "1200", "", "")]
    )
    return {"open1": open1, "close1": close1, "open2": open2, "close2": close2}


def ascii_only(value: Any) -> Any:
    """The events or tables without letters whose case not every reading of the manual knows."""
    if isinstance(value, str):
        return value.encode("ascii", "ignore").decode()
    if isinstance(value, Mapping):
        return {name: ascii_only(inner) for name, inner in value.items()}
    return [ascii_only(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", RULES)
def test_joins_agree_with_the_reference(name: str, pack: Pack, engine: GetEngine) -> None:
    client = engine("spl").client
    told: list[bool] = []
    for seed in range(8):
        draw = random.Random(f"{name} {seed}")
        events, tables = made_events(draw), made_tables(draw)
        readings = READINGS[seed % 2]
        if readings:
            events, tables = ascii_only(events), ascii_only(tables)
            tables["work_calendar"] = [{**row, "calendar": row["calendar"].lower().replace("sd", "süd")} for row in tables["work_calendar"]]
        stand = Stand(pack, tables, readings)
        compiled = compiled_rule(name, stand)
        verdict = reference(compiled.rule, events, tables, pack)
        assert judged(compiled, stand, client, verdict, events, pack) == []
        told.append(bool(verdict.positions or verdict.instants))
    assert any(told), "sets in which nothing ever happens show nothing"


FAULTS = [
    ("what the row holds", '="", "unknown"', '="", "no"'),  # an event without its key
    ("row and validity", "<=round(", "<round("),  # the first moment of a span
    ("row and validity", ">=round(", ">round("),  # the last one
    ("row and validity", "isnull(tonumber('insigma_lookup_1_valid_to')) OR", "1=0 OR"),  # an open end
    ("no limit is known", "isnull('insigma_lookup_1_user'), \"unknown\"", '1=0, "unknown"'),  # no row
    ("no limit is known", " OR isnull(tonumber('insurance.payment.amount'))", ""),  # nothing to compare
    ("near a limit", "0.95*", "0.9*"),
    ("over a limit", "<tonumber('insurance", "<=tonumber('insurance"),
    ("what the row holds", "lower('insigma_lookup_1_entitled')", "upper('insigma_lookup_1_entitled')"),
    ("working hours", "1440*floor", "1439*floor"),
    ("working hours", "(?i)", ""),  # the group's case
    ("working hours", "insigma_lookup_1_calendar=case(", 'insigma_lookup_1_calendar=case(1=1, "default", '),
    ("working hours", "| fields - insigma_lookup_*\n| eval", "| eval"),  # what an event claims of itself
    ("working hours", "<tonumber('insigma_lookup_1_close1')", "<=tonumber('insigma_lookup_1_close1')"),
    ("not on a list", "'insigma_lookup_1_value'), \"no\"", "'insigma_lookup_1_value'), \"yes\""),
    ("grouped by a flag", "insigma_group_1='insigma_entitled'", "insigma_group_1='insurance.context.entitled'"),
    ("two log sources, in order", "OUTPUT user AS insigma_lookup_2_user, limit AS", "OUTPUT user AS insigma_lookup_2_user, user AS"),
    (
        "a burst with a flag",
        "| lookup claim_assignment claim AS insurance.claim.id, user AS user.name",
        "| lookup claim_assignment user AS user.name",
    ),
]


@pytest.mark.parametrize(("name", "old", "new"), FAULTS)
def test_a_wrong_join_is_found(name: str, old: str, new: str, pack: Pack, engine: GetEngine) -> None:
    client = engine("spl").client
    for seed in range(24):
        draw = random.Random(f"fault {seed}")
        events, tables = ascii_only(made_events(draw)), ascii_only(made_tables(draw))
        stand = Stand(pack, tables, READINGS[1])
        compiled = compiled_rule(name, stand)
        assert old in compiled.detection.query
        broken = replace(
            compiled,
            detection=replace(compiled.detection, query=compiled.detection.query.replace(old, new)),
            instants=compiled.instants and compiled.instants.replace(old, new),
        )
        if judged(broken, stand, client, reference(compiled.rule, events, tables, pack), events, pack):
            return
    pytest.fail("nobody notices")


NOON = MIDNIGHT + timedelta(hours=12)
VALIDITY = {"valid_from": "", "valid_to": "", "sealed": "", "relation": ""}


def at(**more: Any) -> Event:
    time = NOON.isoformat().replace("+00:00", "Z")
    return {"@timestamp": time, "insurance.logsource": "insurance_claims", "event.action": "claim-view", **more}


def by_claim(claim: str, user: str) -> Event:
    return at(**{"insurance.claim.id": claim, "user.name": user})


def answered(pack: Pack, client: Client, name: str, events: Sequence[Event], tables: Tables) -> list[int]:
    """The positions that the compiled rule finds."""
    stand = Stand(pack, tables, {})
    client.open(stand.store(), stand.stored(events))
    reply = client.run("spl", compiled_rule(name, stand).detection.query, {})
    assert "error" not in reply, reply
    return list(reply["hits"])


def test_two_rows_of_one_key_do_not_multiply_events(pack: Pack, engine: GetEngine) -> None:
    """The contract rules it out; where it happens all the same the first row counts, and an event stays one."""
    row = {"claim": "A", "user": "anna", **VALIDITY}
    tables = {"claim_assignment": [row, {**row, "valid_to": "1"}]}
    client = engine("spl").client
    stand = Stand(pack, tables, {})
    client.open(stand.store(), stand.stored([by_claim("a", "ANNA")] * 2))
    query = compiled_rule("row and validity, or not known", stand).detection.query
    assert client.run("spl", query + "\n| stats count", {}) == {"rows": [{"count": 2}]}


def test_a_key_may_hold_anything(pack: Pack, engine: GetEngine) -> None:
    awkward = ['a"b', "a'b", "a | delete", "$x$", "`m`", "\\", "[x]", "ä", "*", "1e3", "<&>", "yes"]
    events = [by_claim(text, "anna") for text in awkward]
    tables = {"claim_assignment": [{"claim": text, "user": "anna", **VALIDITY} for text in awkward[::2]]}
    found = answered(pack, engine("spl").client, "row and validity", events, tables)
    assert found == list(range(1, len(awkward), 2))


def test_a_table_that_there_is_not_is_an_error(pack: Pack, engine: GetEngine) -> None:
    client = engine("spl").client
    stand = Stand(pack, {"other": []}, {})
    client.open(stand.store(), stand.stored([]))
    reply = client.run("spl", compiled_rule("row and validity", stand).detection.query, {})
    assert reply == {"error": {"stage": "run", "message": "the lookup table 'claim_assignment' does not exist"}}


def test_a_real_splunk_is_not_asked_about_tables_of_its_own(pack: Pack) -> None:
    query = compiled_rule("row and validity", Stand(pack, {}, {})).detection.query
    with pytest.raises(QueryFault, match="rows cannot come with the search"):
        inline_search(query, [], None, None)


def test_an_empty_table_finds_no_rows(pack: Pack, engine: GetEngine) -> None:
    assert answered(pack, engine("spl").client, "row and validity", [by_claim("a", "anna"), at()], {"claim_assignment": []}) == [0]


def test_a_stand_without_tables_says_nothing_of_them(pack: Pack) -> None:
    assert SplunkStand(pack).store() == {}


def test_what_an_event_claims_of_itself_counts_for_nothing(pack: Pack, engine: GetEngine) -> None:
    event = by_claim("a", "anna") | {
        CONTEXT + "assigned_to_actor": "yes",
        "insigma_assigned_to_actor": "yes",
        "insigma_lookup_1_claim": "a",
    }
    assert flatten(event)["insigma_lookup_1_claim"] == "a"
    tables = {"claim_assignment": [{"claim": "b", "user": "anna", **VALIDITY}]}
    for readings in READINGS:
        stand = Stand(pack, tables, readings)
        verdict = reference(compiled_rule("row and validity", stand).rule, [event], {**made_tables(random.Random(1)), **tables}, pack)
        assert verdict.positions == {0}
        assert judged(compiled_rule("row and validity", stand), stand, engine("spl").client, verdict, [event], pack) == []
