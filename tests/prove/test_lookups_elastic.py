"""Looked-up fields on Elastic: what the compiled joins find in events and tables, against `evaluate.lookups` and the evaluator."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from insigma.content.lookups import DAY_MS
from insigma.content.model import Pack
from insigma.evaluate.events import iso
from insigma.evaluate.lookups import Enricher
from insigma_prove.process import Client, EngineProcess
from insigma_prove.reference import truth
from insigma_prove.stands import Compiled, ElasticStand
from insigma_prove.trial import QueryRejected, tried
from tests.prove.conftest import GetEngine
from tests.prove.fakes import START, rules_of
from tests.targets.elastic_lookups import AMOUNT, CONTEXT, EXEMPT, LOOKUPS, WATCHED, mapping

Event = dict[str, Any]
Tables = Mapping[str, Sequence[Mapping[str, str]]]
MIDNIGHT = int(START.replace(hour=0).timestamp() * 1000)


def stand_of(pack: Pack, tables: Tables = MappingProxyType({})) -> ElasticStand:
    """A customer's Elastic with those tables."""
    stand = ElasticStand(replace(pack, mappings=MappingProxyType({**pack.mappings, "elastic": mapping()})))
    stand.lookups = tables
    return stand


def rule(name: str, number: int = 1, source: str = "insurance_claims", condition: str = "s", **selections: Any) -> dict[str, Any]:
    detection = {**{key: _canonical(selection) for key, selection in selections.items()}, "condition": condition}
    return {"name": name, "id": f"5d1a4f0e-0000-4000-8000-{number:012d}", "logsource": {"category": source}, "detection": detection}


def _canonical(selection: Any) -> Any:
    """Names of flags with their prefix; the others, and keywords, as they are."""
    if not isinstance(selection, Mapping):
        return selection
    return {name if "." in name or name.startswith("@") else CONTEXT + name: value for name, value in selection.items()}


def correlated(*bases: dict[str, Any], **said: Any) -> tuple[dict[str, Any], ...]:
    body = {"rules": [base["name"] for base in bases], "timespan": "2h", "group-by": ["user.name"], **said}
    return (*bases, {"name": "many", "id": "5d1a4f0e-0000-4000-8000-000000000099", "correlation": body})


VIEW = {"event.action": "claim-view"}
ALL, ESQL = ("lucene", "eql", "esql"), ("esql",)
RULES: Mapping[str, tuple[tuple[str, ...], tuple[dict[str, Any], ...]]] = {
    "row and validity": (ESQL, (rule("r", s=VIEW | {"assigned_to_actor": "no"}),)),
    "row and validity, or not known": (ESQL, (rule("r", s={"assigned_to_actor": ["yes", "UNKNOWN"]}),)),
    "what the row holds": (ESQL, (rule("r", s={"entitled": "no"}),)),
    "what the row holds, in any form": (ESQL, (rule("r", s={"entitled|re|i": "^[YU]", "restricted_party|neq": "no"}),)),
    "what the row holds, beyond ASCII": (ESQL, (rule("r", s={"entitled": "Geprüft"}),)),
    "two flags are compared": (ESQL, (rule("r", s={"entitled|fieldref": "insurance.context.restricted_party"}),)),
    "a row by number, text in any case and address": (ESQL, (rule("r", s={"new_device": "yes"}),)),
    "working hours": (ESQL, (rule("r", s=VIEW | {"off_hours": "yes"}),)),
    "working hours or none": (ESQL, (rule("r", s={"off_hours": "unknown"}, t={"surge": "no"}, condition="s or t"),)),
    "a list": (ALL, (rule("r", s={WATCHED: "yes"}),)),
    "not on a list": (ALL, (rule("r", s=VIEW, t={WATCHED: "yes"}, condition="s and not t"),)),
    "on no list, and known": (ALL, (rule("r", s={WATCHED: "no"}),)),
    "on a list or not known": (ALL, (rule("r", s=VIEW, t={WATCHED: ["yes", "unknown"]}, condition="s and t"),)),
    "known": (ESQL, (rule("r", s={f"{WATCHED}|re|i": "O$"}, t={WATCHED: "unknown"}, condition="t or (s and t)"),)),
    "a list that is not known here": (ESQL, (rule("r", s={EXEMPT: "yes"}),)),
    "keywords are no flags": (ESQL, (rule("r", s=["xyzzy", "cleo"], t={WATCHED: "no"}, condition="s and t"),)),
    "near a limit": (ESQL, (rule("r", s={"near_authority_limit": "yes"}),)),
    "over a limit": (ESQL, (rule("r", s={"over_authority": "yes"}),)),
    "neither near nor over a limit": (ESQL, (rule("r", s={"over_authority": "no", "near_authority_limit": "no"}),)),
    "no limit is known": (ESQL, (rule("r", s={"over_authority": "unknown"}),)),
    "ended": (ESQL, (rule("r", s={"assignment_expired": "yes"}),)),
    "not yes": (ESQL, (rule("r", s=VIEW, t={"assigned_to_actor": "yes"}, condition="s and not t"),)),
    "never absent": (ALL, (rule("r", s={"surge": None}, t={"entitled|exists": True, "user.name": "anna"}, condition="not s and t"),)),
    "alternatives": (
        ESQL,
        (rule("r", s=VIEW | {"entitled": "yes"}, t={"event.action": "claim-export", "off_hours": "yes"}, condition="s or t"),),
    ),
    "a burst with a flag": (
        ESQL,
        correlated(rule("view", s=VIEW | {"assigned_to_actor": "no"}), type="event_count", condition={"gte": 3}),
    ),
    "a burst of those on a list": (
        ("eql", "esql"),
        correlated(rule("view", s=VIEW | {WATCHED: "yes"}), type="event_count", condition={"gte": 3}),
    ),
    "grouped by a flag": (
        ESQL,
        correlated(rule("view", s=VIEW), type="event_count", condition={"gte": 4}, **{"group-by": [CONTEXT + "entitled"]}),
    ),
    "counted flags": (
        ESQL,
        correlated(rule("view", s=VIEW), type="value_count", condition={"field": CONTEXT + "entitled", "gte": 2}),
    ),
    "two rules that overlap": (
        ESQL,
        correlated(rule("view", s=VIEW | {"off_hours": "yes"}), rule("watched", 2, s={WATCHED: "yes"}), type="temporal", timespan="90m"),
    ),
    "two log sources, in order": (
        ESQL,
        correlated(
            rule("view", s=VIEW | {"entitled": "no"}),
            rule("pay", 2, "insurance_payment", s={"over_authority": ["yes", "unknown"]}),
            type="temporal_ordered",
        ),
    ),
}


def spelled(draw: random.Random, text: str) -> str:
    return draw.choice([text, text.upper(), text.title()])


USERS, CLAIMS, ROLES = ("anna", "ben", "cleo", "dörte", "a|b"), ("clm-1", "clm-2", "b|\\clm"), ("clerk", "regional", "lead")
ADDRESSES, DEVICES = ("10.0.0.1", "2001:db8::1"), ("d|1", "gerät")
_SPAN_EDGES = (9 * 3_600_000, 10 * 3_600_000 + 123, 30 * 3_600_000)


def made_events(draw: random.Random, past: bool = True) -> list[Event]:
    """Events in which every field is there, absent or empty, in any case; some come twice, some claim to be looked up already.

    `past` puts some of them before 1970.
    """
    events = [_event(draw, draw.choice(_moments(past))) for _ in range(90)]
    named = [{**event, "event.id": f"e{number}"} if number % 3 else event for number, event in enumerate(events)]
    return [*named, *draw.sample(named, 5)]


def _moments(past: bool) -> list[int]:
    """The edges of the spans in the tables, and a millisecond before and after; as many again in one morning."""
    edges = [*_SPAN_EDGES, *(minute * 60_000 + day * DAY_MS for minute in (420, 780, 1200, 1439, 0) for day in (0, 1, 2))]
    edgy = [start + edge + step for start in (*(MIDNIGHT,) * 3, *(-DAY_MS,) * past) for edge in edges for step in (-1, 0, 1)]
    return [*edgy, *(MIDNIGHT + 9 * 3_600_000 + 60_000 * minute for minute in range(len(edgy)))]


def _event(draw: random.Random, time_ms: int) -> Event:
    payment = draw.random() < 0.25
    event: Event = {
        "@timestamp": iso(time_ms),
        "insurance.logsource": "insurance_payment" if payment else "insurance_claims",
        "event.action": "payment-release" if payment else draw.choice(["claim-view", "claim-view", "claim-export"]),
        "user.name": draw.choice([None, "", *(spelled(draw, user) for user in USERS * 2)]),
        "insurance.claim.id": draw.choice([None, "", "clm-9", *(spelled(draw, claim) for claim in CLAIMS * 2)]),
        "insurance.actor.role": draw.choice([None, "none", *(spelled(draw, role) for role in ROLES)]),
        "insurance.record_count": draw.choice([None, 7, 7, -3]),
        "device.id": draw.choice([None, "", *(spelled(draw, device) for device in DEVICES)]),
        "source.ip": draw.choice([None, *ADDRESSES]),
        "user.roles": draw.choice([None, ["desk"], ["desk", "NIGHT shift"], ["night shift"]]),
        AMOUNT: draw.choice([None, "n/a", 949.99, 950, "950", 1000, "1000.0", 1000.01, 2000, -1]),
    }
    if draw.random() < 0.2:
        event |= {CONTEXT + "assigned_to_actor": "yes", CONTEXT + "entitled": "no", "insigma_entitled": "no", "insigma_off_hours": "yes"}
        event |= {"insigma_key": "anna", "insigma_day": 1, "insigma_authority.limit": 0, "insigma_watched.value": "yes"}
    return {name: value for name, value in event.items() if value is not None}


def made_tables(draw: random.Random) -> dict[str, list[dict[str, str]]]:
    """Tables with a row for most keys, in any case, and with empty cells."""
    day = MIDNIGHT // DAY_MS
    return {
        "claim_assignment": [
            {
                "claim": spelled(draw, claim),
                "user": spelled(draw, user),
                "valid_from": _edge(draw),
                "valid_to": _edge(draw),
                "sealed": draw.choice(["", "Yes", "no", "GEPRÜFT"]),
            }
            for claim in CLAIMS
            for user in _most(draw, USERS)
        ],
        "entitlement": [
            {"role": spelled(draw, role), "entitled": draw.choice(["YES", "no", "", "Geprüft", "GEPRÜFT", "unknown"])}
            for role in _most(draw, ROLES)
        ],
        "authority": [{"user": spelled(draw, user), "limit": draw.choice(["1000", "1000.00", ""])} for user in _most(draw, USERS)],
        "roster": [{"user": spelled(draw, user), "valid_to": _edge(draw)} for user in _most(draw, USERS)],
        "session": [
            {"records": "7", "device": spelled(draw, device), "ip": ip} for device in _most(draw, DEVICES) for ip in _most(draw, ADDRESSES)
        ],
        "work_calendar": [
            {"calendar": spelled(draw, calendar), "day": str(number), **_hours(draw)}
            for calendar in ("default", "night", "s|\\üd")
            for number in _most(draw, [*range(-2, 2), *range(day - 1, day + 4)])
        ],
        "watched": [{"value": "ANNA"}, {"value": "dörte"}],
        "exempt": [{"value": spelled(draw, claim)} for claim in _most(draw, CLAIMS)],
    }


def _edge(draw: random.Random) -> str:
    return draw.choice(["", "", *(str(MIDNIGHT + edge) for edge in _SPAN_EDGES)])


def _most(draw: random.Random, keys: Sequence[Any]) -> list[Any]:
    return [key for key in keys if draw.random() < 0.7]


def _hours(draw: random.Random) -> dict[str, str]:
    open1, close1, open2, close2 = draw.choice(
        [("420", "780", "840", "1200"), ("", "", "", ""), ("0", "420", "1200", "1440"), ("420", "1200", "", "")]
    )
    return {"open1": open1, "close1": close1, "open2": open2, "close2": close2}


def judged(compiled: Compiled, stand: ElasticStand, client: Client, events: Sequence[Event], tables: Tables, pack: Pack) -> list[str]:
    """How the engine's verdict on the events, whose looked-up fields it does not get, departs from the reference."""
    enriched = [Enricher(LOOKUPS, tables).enrich(event) for event in events]
    return [found.message for found in tried(compiled, stand, client, enriched, pack.taxonomy)]


@pytest.mark.parametrize(("name", "language"), [(name, language) for name, (languages, _) in RULES.items() for language in languages])
def test_joins_agree_with_the_reference(name: str, language: str, pack: Pack, engine: GetEngine) -> None:
    client = engine("elastic").client
    stand = stand_of(pack)
    compiled = stand.compile(rules_of(*RULES[name][1])[-1], language)
    told: list[bool] = []
    for seed in range(3):
        draw = random.Random(f"{name} {seed}")
        events, tables = made_events(draw, past=language != "eql"), made_tables(draw)
        stand.lookups = tables
        assert judged(compiled, stand, client, events, tables, pack) == []
        enriched = [Enricher(LOOKUPS, tables).enrich(event) for event in events]
        verdict = truth(compiled.rule, enriched, pack.taxonomy)
        told.append(bool(verdict.positions or verdict.instants))
    assert any(told), "sets in which nothing ever happens show nothing"


FAULTS = [
    ("what the row holds", 'insigma_key IS NULL, "unknown"', 'insigma_key IS NULL, "no"'),  # an event without its key
    ("what the row holds", 'CASE(insurance.actor.role != "", insurance', 'CASE(true, "x", insurance'),
    ("row and validity", "valid_from <= TO_LONG", "valid_from < TO_LONG"),  # the first moment of a span
    ("row and validity", "valid_to >= TO_LONG", "valid_to > TO_LONG"),  # the last one
    ("row and validity", "insigma_claim_assignment.valid_to IS NULL OR", "false OR"),  # an open end
    ("row and validity", 'REPLACE(insurance.claim.id, """([\\\\|])""", """\\\\$1""")', "insurance.claim.id"),
    ("no limit is known", 'insigma_authority.user IS NULL, "unknown"', 'insigma_authority.user IS NULL, "no"'),  # no row
    ("no limit is known", f"COALESCE(MV_COUNT({AMOUNT}), 0) != 1", "false"),  # nothing to compare
    ("near a limit", "* 0.95", "* 0.9"),
    ("over a limit", f"limit < {AMOUNT}", f"limit <= {AMOUNT}"),
    ("working hours", "FLOOR(TO_LONG(@timestamp) / 86400000.0)", "TO_LONG(@timestamp) / 86400000"),  # before 1970
    ("working hours", "/ 60000", "/ 60001"),
    ("working hours", "CONCAT(CASE(", 'CONCAT(CASE(true, "default", '),  # the group's calendar
    ("working hours or none", "insigma_minute < insigma_work_calendar.close1", "insigma_minute <= insigma_work_calendar.close1"),
    ("not on a list", 'insigma_watched.value IS NULL, "no"', 'insigma_watched.value IS NULL, "yes"'),
    ("two log sources, in order", "LOOKUP JOIN insigma-authority ON insigma_key", "LOOKUP JOIN insigma-roster ON insigma_key"),
]


@pytest.mark.parametrize(("name", "old", "new"), FAULTS)
def test_a_wrong_join_is_found(name: str, old: str, new: str, pack: Pack, engine: GetEngine) -> None:
    client = engine("elastic").client
    stand = stand_of(pack)
    compiled = stand.compile(rules_of(*RULES[name][1])[-1], "esql")
    assert old in compiled.detection.query
    broken = replace(compiled, detection=replace(compiled.detection, query=compiled.detection.query.replace(old, new)))
    for seed in range(16):
        draw = random.Random(f"fault {seed}")
        events, tables = made_events(draw), made_tables(draw)
        stand.lookups = tables
        try:
            if judged(broken, stand, client, events, tables, pack):
                return
        except QueryRejected:
            return
    pytest.fail("nobody notices")


@pytest.mark.parametrize("language", ["lucene", "eql"])
def test_a_wrong_list_is_found(language: str, pack: Pack, engine: GetEngine) -> None:
    client = engine("elastic").client
    stand = stand_of(pack)
    draw = random.Random("fault")
    events, tables = made_events(draw), made_tables(draw)
    stand.lookups = tables
    for name, old in (("a list", "dörte"), ("on no list, and known", "anna"), ("not on a list", "anna")):
        compiled = stand.compile(rules_of(*RULES[name][1])[-1], language)
        assert judged(compiled, stand, client, events, tables, pack) == []
        broken = replace(compiled, detection=replace(compiled.detection, query=compiled.detection.query.replace(old, "else")))
        assert judged(broken, stand, client, events, tables, pack) != []


def at(**more: Any) -> Event:
    return {"@timestamp": iso(MIDNIGHT), "insurance.logsource": "insurance_claims", "event.action": "claim-view", **more}


def by_claim(claim: str, user: str) -> Event:
    return at(**{"insurance.claim.id": claim, "user.name": user})


VALIDITY = {"valid_from": "0", "valid_to": "", "sealed": ""}


def answered(pack: Pack, client: Client, name: str, events: Sequence[Event], tables: Tables) -> dict[str, Any]:
    """The engine's reply to the compiled rule."""
    stand = stand_of(pack, tables)
    client.open(stand.store(), stand.stored(events))
    return dict(client.run("esql", stand.compile(rules_of(*RULES[name][1])[-1], "esql").detection.query, {}))


def test_a_key_may_hold_anything(pack: Pack, engine: GetEngine) -> None:
    awkward = ['a"b', "a'b", "a | delete", "$1", "`m`", "\\", "\\\\", "|", "[x]", "ä", "*", "1e3", "<&>", '"""', "a\nb", "\u2028"]
    rows = [{"claim": text, "user": "anna", **VALIDITY} for text in awkward[::2]]
    reply = answered(
        pack, engine("elastic").client, "row and validity", [by_claim(text, "anna") for text in awkward], {"claim_assignment": rows}
    )
    assert reply == {"hits": list(range(1, len(awkward), 2))}


def test_the_parts_of_a_key_do_not_run_together(pack: Pack, engine: GetEngine) -> None:
    events = [by_claim("a|b", "c"), by_claim("a", "b|c"), by_claim("a\\", "b|c"), by_claim("a\\|b", "c")]
    for number, event in enumerate(events):
        rows = [{"claim": event["insurance.claim.id"], "user": event["user.name"], **VALIDITY}]
        reply = answered(pack, engine("elastic").client, "row and validity", events, {"claim_assignment": rows})
        assert reply == {"hits": [other for other in range(4) if other != number]}


def test_case_is_that_of_the_normalizer(pack: Pack, engine: GetEngine) -> None:
    """Letters that only folding brings together meet too, in stored fields as in rows."""
    events = [by_claim("Σίγμας", "ſam"), by_claim("ΣΊΓΜΑΣ", "SAM"), by_claim("σίγμασ", "sam")]
    rows = [{"claim": "ΣΊΓΜΑΣ", "user": "Sam", **VALIDITY}]
    assert answered(pack, engine("elastic").client, "row and validity", events, {"claim_assignment": rows}) == {"hits": []}


def test_two_rows_of_one_key_do_not_count_an_event_twice(pack: Pack, engine: GetEngine) -> None:
    """The contract rules it out, and so does the document's id; where it happens all the same an event stays one."""
    client = engine("elastic").client
    stand = stand_of(pack, {"claim_assignment": [{"claim": "a", "user": "anna", **VALIDITY, "valid_from": str(MIDNIGHT + 1)}]})
    store = {**stand.store()}
    index = store["lookups"]["insigma-claim_assignment"]
    index["documents"] *= 2
    client.open(store, stand.stored([by_claim("a", "ANNA")] * 2))
    many = stand.compile(rules_of(*RULES["a burst with a flag"][1])[-1], "esql").detection.query
    assert client.run("esql", many, {}) == {"rows": []}
    assert client.run("esql", many.replace("value >= 3", "value >= 2"), {})["rows"][0]["value"] == 2


def test_a_table_that_there_is_not_is_an_error(pack: Pack, engine: GetEngine) -> None:
    reply = answered(pack, engine("elastic").client, "row and validity", [], {"exempt": []})
    assert reply["error"]["stage"] == "type"


def test_an_empty_table_finds_no_rows(pack: Pack, engine: GetEngine) -> None:
    client = engine("elastic").client
    assert answered(pack, client, "row and validity", [by_claim("a", "anna"), at()], {"claim_assignment": []}) == {"hits": [0]}


def test_queries_of_the_store_are_checked_without_events(pack: Pack, engine: GetEngine) -> None:
    client = engine("elastic").client
    assert isinstance(client, EngineProcess)
    stand = stand_of(pack, {"claim_assignment": []})
    query = stand.compile(rules_of(*RULES["row and validity"][1])[-1], "esql").detection.query
    assert client.check("esql", query, stand.store()) == {"ok": True}
    assert "error" in client.check("esql", query, stand_of(pack).store())


def test_what_is_looked_up_is_not_stored(pack: Pack) -> None:
    stand = stand_of(pack)
    assert "lookups" not in stand.store()
    assert stand_of(pack, {"read by nothing": []}).store()["lookups"] == {}
    properties = stand.store()["mappings"]["properties"]
    assert not [name for name in properties if name.startswith("insigma_")]
    (document,) = stand.stored([at(**{CONTEXT + "entitled": "yes", WATCHED: "yes"})])
    assert set(document) == {"@timestamp", "insurance.logsource", "event.action", "_index"}


def test_working_hours_see_no_time_zone(pack: Pack, engine: GetEngine) -> None:
    """Five minutes before and after a UTC midnight, written in another zone."""
    day = MIDNIGHT // DAY_MS
    hours = {"open1": "0", "close1": "5", "open2": "", "close2": ""}
    tables = {"work_calendar": [{"calendar": "default", "day": str(day), **hours}]}
    times = ["2026-02-14T00:55:00+01:00", "2026-02-14T01:00:00+01:00", "2026-02-14T01:04:59.999+01:00", "2026-02-14T01:05:00+01:00"]
    events = [at() | {"@timestamp": time} for time in times]
    assert answered(pack, engine("elastic").client, "working hours", events, tables) == {"hits": [3]}
