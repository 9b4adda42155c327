"""A customer's mapping in which fields are looked up, as specialisation makes it, and rules bound to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from insigma.bind.binder import bind
from insigma.bind.model import BoundAny
from insigma.content.assemble import assemble
from insigma.content.lookups import Found, Held, Hours, Lookup, RowTest, Verdict
from insigma.content.model import TargetField, TargetMapping
from insigma.content.yaml_reader import read_bytes
from insigma.targets.base import Detection
from insigma.targets.splunk.target import SplunkTarget
from tests.targets.splunk_harness import pack

CONTEXT = "insurance.context."
BY_USER = (("user", "user.name"),)
BY_CLAIM = (("claim", "insurance.claim.id"), ("user", "user.name"))
VALID = (RowTest("valid_from", "lte", "@timestamp"), RowTest("valid_to", "gte", "@timestamp"))
AMOUNT = "insurance.payment.amount"
NEAR = (RowTest("limit", "gte", AMOUNT, 1.0, False), RowTest("limit", "lte", AMOUNT, 0.95, False))
NIGHT = Hours((("night", "user.roles", "Night Shift"), ("süd", "insurance.actor.role", "regional")))
WATCHED = "insigma.list.watched.user.name"


def flag(name: str, table: str, keys: tuple[tuple[str, str], ...], verdict: Verdict, refresh: str = "") -> Lookup:
    return Lookup(CONTEXT + name, table, keys, verdict, refresh=refresh)


LOOKUPS = (
    flag("assigned_to_actor", "claim_assignment", BY_CLAIM, Found(VALID), "15m"),
    flag("restricted_party", "claim_assignment", BY_CLAIM, Held("sealed", "no"), "15m"),
    flag("entitled", "entitlement", (("role", "insurance.actor.role"),), Held("entitled"), "1h"),
    flag("near_authority_limit", "authority", BY_USER, Found(NEAR, "unknown")),
    flag("over_authority", "authority", BY_USER, Found((RowTest("limit", "lt", AMOUNT, 1.0, False),), "unknown")),
    flag("assignment_expired", "roster", BY_USER, Found((RowTest("valid_to", "lt", "@timestamp", 1.0, False),), "unknown"), "1d"),
    flag("off_hours", "work_calendar", (), NIGHT, "30d"),
    flag("surge", "work_calendar", (), Hours(), "30d"),
    Lookup(WATCHED, "watched", (("value", "user.name"),), Found(), ("anna",)),
)


def column_of(lookup: Lookup) -> str:
    return "insigma_" + lookup.field.removeprefix(CONTEXT).removeprefix("insigma.").replace(".", "_")


def mapping(*lookups: Lookup, column: str = "", fields: Mapping[str, TargetField] = MappingProxyType({})) -> TargetMapping:
    """The pack's mapping with the looked-up fields, all of them unless some are given, and with more fields."""
    made = {one.field: TargetField(column or column_of(one), "string", "lower", lookup=one) for one in lookups or LOOKUPS}
    own = pack()[0]
    return replace(own, fields=MappingProxyType({**own.fields, **made, **fields}))


def bound(into: TargetMapping, *rules: str) -> BoundAny:
    """The last of the rules, bound."""
    read = read_bytes("\n---\n".join(rules).encode(), "rule.yml")
    assembled = assemble(read.documents)
    assert not read.diagnostics + assembled.diagnostics
    return bind(assembled.rules[-1], into, pack()[1])


def compiled(into: TargetMapping, *rules: str) -> Detection:
    """The detection of the last of the rules."""
    return SplunkTarget(into).compile(bound(into, *rules))
