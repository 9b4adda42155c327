"""A customer's looked-up fields, and the pack's Sentinel mapping with their columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType

from insigma.bind.binder import bind
from insigma.bind.model import BoundAny
from insigma.content.assemble import assemble
from insigma.content.lookups import TIME, UNKNOWN, Found, Held, Hours, Lookup, RowTest
from insigma.content.model import TargetField, TargetMapping
from insigma.content.yaml_reader import read_bytes
from insigma.targets.base import Detection
from insigma.targets.sentinel.target import SentinelTarget
from tests.targets.sentinel.harness import pack

CONTEXT = "insurance.context."
AMOUNT = "insurance.claim.amount"
WATCHED = "insigma.list.watched.user.name"
USER = (("user", "user.name"),)
TICKET = (("claim", "insurance.claim.id"), ("user", "user.name"))
NEAR = (RowTest("limit", "gte", AMOUNT, if_empty=False), RowTest("limit", "lte", AMOUNT, 0.95, if_empty=False))

LOOKUPS = (
    Lookup(
        f"{CONTEXT}assigned_to_actor",
        "claim_assignment",
        TICKET,
        Found((RowTest("valid_from", "lte", TIME), RowTest("valid_to", "gt", TIME))),
        refresh="15m",
    ),
    Lookup(
        f"{CONTEXT}assignment_expired", "claim_assignment", TICKET, Found((RowTest("valid_to", "lt", TIME, if_empty=False),)), refresh="15m"
    ),
    Lookup(f"{CONTEXT}entitled", "entitlement", (("role", "insurance.actor.role"),), Held("entitled")),
    Lookup(f"{CONTEXT}restricted_party", "party", (("records", "insurance.record_count"),), Held("restricted", missing="no"), refresh="1d"),
    Lookup(
        f"{CONTEXT}off_hours",
        "work_calendar",
        (),
        Hours((("night", "user.roles", "Night shift"), ("north", "user.name", "dörte"), ("night", "user.name", "ben"))),
    ),
    Lookup(f"{CONTEXT}near_authority_limit", "claim_authority", USER, Found(NEAR, missing=UNKNOWN), refresh="1h"),
    Lookup(f"{CONTEXT}over_authority", "claim_authority", USER, Found((RowTest("limit", "lt", AMOUNT),), missing=UNKNOWN), refresh="1h"),
    Lookup(f"{CONTEXT}surge", "claim_authority", USER, Found((RowTest("limit", "lte", "insurance.claim.cat_code"),)), refresh="1h"),
    Lookup(WATCHED, "watched", (("value", "user.name"),), Found(), values=("anna",)),
)


def column(lookup: Lookup) -> TargetField:
    name = lookup.field.removeprefix(CONTEXT).removeprefix("insigma.").replace(".", "_")
    return TargetField(f"insigma_{name}", "string", "lower", lookup=lookup)


def mapping(lookups: Iterable[Lookup] = LOOKUPS) -> TargetMapping:
    """The pack's mapping, with looked-up fields."""
    own = pack()[0]
    return replace(own, fields=MappingProxyType({**own.fields, **{lookup.field: column(lookup) for lookup in lookups}}))


def bound(*rules: str, where: TargetMapping | None = None) -> BoundAny:
    """The last of the rules, bound."""
    read = read_bytes("\n---\n".join(rules).encode(), "rule.yml")
    assembled = assemble(read.documents)
    assert not read.diagnostics + assembled.diagnostics
    return bind(assembled.rules[-1], where or mapping(), pack()[1])


def compiled(*rules: str, where: TargetMapping | None = None) -> Detection:
    """The detection of the last of the rules."""
    return SentinelTarget(where or mapping()).compile(bound(*rules, where=where))
