"""Tables made for events: looking a flag up in them gives it again, wherever a table can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from insigma.content.lookups import Found, Hours, Lookup
from insigma.content.model import Pack
from insigma.evaluate.lookups import Enricher
from insigma_prove.tables import NOBODY, Kept, kept, tables_for, with_keys

Event = dict[str, Any]
CONTEXT = "insurance.context."


def flags(pack: Pack, *names: str) -> list[Lookup]:
    return [pack.context.flags[CONTEXT + name] for name in names]


def at(time: str, **fields: Any) -> Event:
    """An event; names of flags, of which no other field has the form, have their prefix put before them."""
    named = {name.replace("__", "."): value for name, value in fields.items()}
    return {"@timestamp": f"2026-02-14T{time}Z"} | {name if "." in name else CONTEXT + name: value for name, value in named.items()}


def claim(time: str, flag: str | None, claim_id: str | None = "C-1", user: str = "anna") -> Event:
    event = at(time, insurance__claim__id=claim_id, user__name=user, assigned_to_actor=flag)
    return {name: value for name, value in event.items() if value is not None}


def user(time: str, **fields: Any) -> Event:
    return at(time, user__name="anna", **fields)


def made(lookups: Sequence[Lookup], events: Sequence[Event]) -> list[tuple[str, ...]]:
    """What looking up gives for each event that has lost its flags."""
    tables = tables_for(lookups, events, {})
    bare = [{name: value for name, value in event.items() if not name.startswith(CONTEXT)} for event in events]
    enricher = Enricher(lookups, tables)
    return [tuple(enricher.enrich(event)[lookup.field] for lookup in lookups) for event in bare]  # type: ignore[misc]


GIVEN_AGAIN: Mapping[str, tuple[tuple[str, ...], list[Event]]] = {
    "a row or none": (("assigned_to_actor",), [claim("10:00:00", "yes"), claim("10:00:00", "no", "C-2")]),
    "a row from the first event on": (
        ("assigned_to_actor",),
        [claim("10:00:00", "no"), claim("10:00:00.001", "yes"), claim("11:00:00", "yes")],
    ),
    "in other letters": (("assigned_to_actor",), [claim("10:00:00", "yes"), claim("10:05:00", "yes", "c-1", "ANNA")]),
    "two ends": (
        ("on_cat_duty",),
        [
            user("09:59:59", on_cat_duty="no"),
            user("10:00:00", on_cat_duty="yes"),
            user("12:00:00", on_cat_duty="yes"),
            user("12:00:00.001", on_cat_duty="no"),
        ],
    ),
    "two flags of one row": (
        ("on_cat_duty", "assignment_expired"),
        [user("10:00:00", on_cat_duty="yes", assignment_expired="no"), user("12:00:00", on_cat_duty="no", assignment_expired="yes")],
    ),
    "nothing known": (
        ("assignment_expired",),
        [user("10:00:00", assignment_expired="unknown"), user("12:00:00", assignment_expired="UNKNOWN")],
    ),
    "a word that is held": (
        ("entitled",),
        [
            at("10:00:00", insurance__actor__role=role, insurance__data__class="health", entitled=word)
            for role, word in (("clerk", "YES"), ("lead", "no"), ("temp", "unknown"))
        ],
    ),
    "over a limit or not": (
        ("over_authority",),
        [
            user("10:00:00", insurance__claim__amount=amount, over_authority=word)
            for amount, word in ((999.5, "no"), (1000, "no"), (1001, "yes"))
        ],
    ),
    "just below a limit": (
        ("near_authority_limit",),
        [
            user("10:00:00", insurance__payment__amount=amount, near_authority_limit=word)
            for amount, word in ((900, "no"), (999, "yes"), (1000, "yes"), (1001, "no"))
        ],
    ),
    "in and out of working hours": (
        ("off_hours",),
        [
            at(time, off_hours=word)
            for time, word in (
                ("06:59:59", "yes"),
                ("07:00:00", "no"),
                ("11:59:59", "no"),
                ("12:00:00", "yes"),
                ("13:00:00", "no"),
                ("19:00:00", "yes"),
            )
        ],
    ),
    "a day of which nothing is known": (("off_hours",), [at("10:00:00", off_hours="unknown")]),
}


@pytest.mark.parametrize("name", GIVEN_AGAIN)
def test_flags_come_out_as_they_were(name: str, pack: Pack) -> None:
    names, events = GIVEN_AGAIN[name]
    lookups = flags(pack, *names)
    wanted = [tuple(event[lookup.field].lower() for lookup in lookups) for event in events]
    assert made(lookups, events) == wanted


def test_an_event_without_its_flag_is_unknown_where_a_table_can_say_so(pack: Pack) -> None:
    events = [user("10:00:00", assignment_expired="yes"), {**user("10:00:00"), "user.name": "ben"}]
    assert made(flags(pack, "assignment_expired"), events) == [("yes",), ("unknown",)]


def test_what_no_table_can_say_is_left_and_counted(pack: Pack) -> None:
    lookups = flags(pack, "assigned_to_actor")
    events = [
        claim("10:00:00", "yes"),
        claim("10:00:00", "no"),  # the same key at the same time
        claim("10:00:00", "yes"),
        claim("10:00:00", "unknown", "C-2"),  # no row means no
        claim("10:00:00", "yes", None),  # no key
        claim("10:00:00", None, "C-3"),  # says nothing
    ]
    found = made(lookups, events)
    assert found == [("yes",), ("yes",), ("yes",), ("no",), ("unknown",), ("no",)]
    enriched = [{lookups[0].field: word} for (word,) in found]
    assert kept(lookups, events, enriched) == Kept(5, 2)
    assert Kept(5, 2) + Kept(1, 1) == Kept(6, 3)


def test_a_third_span_of_a_day_is_left(pack: Pack) -> None:
    events = [at(f"{hour:02}:00:00", off_hours="yes" if hour % 2 else "no") for hour in range(6)]
    assert made(flags(pack, "off_hours"), events) == [("no",), ("yes",), ("no",), ("yes",), ("yes",), ("yes",)]


def test_each_group_has_a_calendar_of_its_own(pack: Pack) -> None:
    hours = Hours((("night", "user.roles", "Night Shift"),))
    lookup = Lookup(CONTEXT + "off_hours", "work_calendar", (), hours)
    events = [at("10:00:00", off_hours="no"), at("10:00:00", off_hours="yes", user__roles=["desk", "night shift"])]
    assert made([lookup], events) == [("no",), ("yes",)]
    assert [row["calendar"] for row in tables_for([lookup], events, {})["work_calendar"]] == [NOBODY, "default", "night"]


def test_lists_have_their_entries_and_each_once(pack: Pack) -> None:
    known = Lookup("insigma.list.apps.service.name", "apps", (("value", "service.name"),), Found(), ("Claims", "CLAIMS", "policy"))
    kept_there = Lookup("insigma.list.users.user.name", "users", (("value", "user.name"),), Found(), None)
    tables = tables_for([known, kept_there], [user("10:00:00")], {"apps": ["not these"], "users": ["anna"]})
    assert [row["value"].lower() for row in tables["apps"]] == [NOBODY, "claims", "policy"]
    assert [row["value"] for row in tables["users"]] == [NOBODY, "anna"]
    Enricher([known, kept_there], tables)


def test_every_table_has_a_row_that_concerns_nobody(pack: Pack) -> None:
    lookups = list(pack.context.flags.values())
    tables = tables_for(lookups, [], {})
    assert tables.keys() == {lookup.table for lookup in lookups}
    assert all(len(rows) == 1 and NOBODY in rows[0].values() for rows in tables.values())
    assert {column for lookup in lookups for column in lookup.columns if column not in tables[lookup.table][0]} == set()


def test_keys_are_added_where_a_flag_says_something_and_the_rule_reads_no_key(pack: Pack) -> None:
    lookups = flags(pack, "assigned_to_actor")
    lacking = claim("10:00:00", "yes", None)
    events = [
        lacking,
        claim("10:00:00", "no", None),
        dict(lacking),
        claim("10:00:00", "unknown", None),
        claim("10:00:00", "yes"),
        claim("10:00:00", None, None),
    ]
    found = with_keys(lookups, events, ["user.name"])
    first, second, repeated, *others = [event.get("insurance.claim.id") for event in found]
    assert first == repeated != second
    assert first is not None is not second
    assert others == [None, "C-1", None]
    assert [{**event, "insurance.claim.id": None} for event in found] == [{**event, "insurance.claim.id": None} for event in events]
    assert with_keys(lookups, events, ["insurance.claim.id"]) == events
