"""A customer's Elastic mapping in which fields are looked up, as specialisation makes it, and rules bound to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from insigma.bind.binder import bind
from insigma.content.assemble import assemble
from insigma.content.lookups import Found, Held, Hours, Lookup, RowTest, Verdict
from insigma.content.model import TargetField, TargetMapping
from insigma.content.yaml_reader import read_bytes
from insigma.targets.base import Detection
from insigma.targets.elastic.target import ElasticTarget
from tests.targets.elastic_harness import event_rule, pack

CONTEXT = "insurance.context."
BY_USER = (("user", "user.name"),)
BY_CLAIM = (("claim", "insurance.claim.id"), ("user", "user.name"))
BY_SESSION = (("records", "insurance.record_count"), ("device", "device.id"), ("ip", "source.ip"))
VALID = (RowTest("valid_from", "lte", "@timestamp", if_empty=False), RowTest("valid_to", "gte", "@timestamp"))
AMOUNT = "insurance.payment.amount"
NEAR = (RowTest("limit", "gte", AMOUNT, 1.0, False), RowTest("limit", "lte", AMOUNT, 0.95, False))
NIGHT = Hours((("night", "user.roles", "Night Shift"), ("s|\\üd", "insurance.actor.role", "regional")))
WATCHED, EXEMPT = "insigma.list.watched.user.name", "insigma.list.exempt.insurance.claim.id"


def flag(name: str, table: str, keys: tuple[tuple[str, str], ...], verdict: Verdict, refresh: str = "") -> Lookup:
    return Lookup(CONTEXT + name, table, keys, verdict, refresh=refresh)


LOOKUPS = (
    flag("assigned_to_actor", "claim_assignment", BY_CLAIM, Found(VALID), "15m"),
    flag("restricted_party", "claim_assignment", BY_CLAIM, Held("sealed", "no"), "15m"),
    flag("entitled", "entitlement", (("role", "insurance.actor.role"),), Held("entitled"), "1h"),
    flag("near_authority_limit", "authority", BY_USER, Found(NEAR, "unknown")),
    flag("over_authority", "authority", BY_USER, Found((RowTest("limit", "lt", AMOUNT, if_empty=False),), "unknown")),
    flag("assignment_expired", "roster", BY_USER, Found((RowTest("valid_to", "lt", "@timestamp", if_empty=False),), "unknown"), "1d"),
    flag("new_device", "session", BY_SESSION, Found()),
    flag("off_hours", "work_calendar", (), NIGHT, "30d"),
    flag("surge", "work_calendar", (), Hours(), "30d"),
    Lookup(WATCHED, "watched", (("value", "user.name"),), Found(), ("Anna", "DÖRTE", "anna", ""), "24h"),
    Lookup(EXEMPT, "exempt", (("value", "insurance.claim.id"),), Found(), None),
)


def column_of(lookup: Lookup) -> str:
    return "insigma_" + lookup.field.removeprefix(CONTEXT).removeprefix("insigma.").replace(".", "_")


def mapping(*lookups: Lookup, fields: Mapping[str, TargetField] = MappingProxyType({})) -> TargetMapping:
    """The pack's mapping with the looked-up fields, all of them unless some are given; devices are stored in any case."""
    made = {one.field: TargetField(column_of(one), "keyword", "lower", lookup=one) for one in lookups or LOOKUPS}
    own = pack()[0]
    device = TargetField("device.id", "keyword", "any")
    return replace(own, fields=MappingProxyType({**own.fields, "device.id": device, **made, **fields}))


def compiled(into: TargetMapping, *rules: str, language: str | None = None) -> Detection:
    """The detection of the last of the rules."""
    read = read_bytes("\n---\n".join(rules).encode(), "rule.yml")
    assembled = assemble(read.documents)
    assert not read.diagnostics + assembled.diagnostics
    name = read.documents[-1].data["name"]
    rule = next(rule for rule in assembled.rules if rule.header.name == name)
    return ElasticTarget(into, language).compile(bind(rule, into, pack()[1]))


def asked(test: str, *lookups: Lookup, language: str | None = None, fields: Mapping[str, TargetField] = MappingProxyType({})) -> Detection:
    """The detection of a rule on claim views with one more test."""
    detection = f"s: {{event.action: claim-view}}\nt: {{{test}}}\ncondition: s and t"
    return compiled(mapping(*lookups, fields=fields), event_rule(detection), language=language)
