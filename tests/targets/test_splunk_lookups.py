"""Looked-up fields: the commands that compute them, where they stand in a search, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType

import pytest

from insigma.bind.model import Refused
from insigma.content.lookups import Found, Held, Hours, Lookup, RowTest
from insigma.content.model import TargetField
from tests.targets.splunk_harness import ROOT, correlation, event_rule, pack, selection, skeleton
from tests.targets.splunk_lookups import BY_USER, CONTEXT, LOOKUPS, WATCHED, compiled, flag, mapping

HEAD = 'index=ins_claims insurance.logsource="insurance_claims"'
ASSIGNED = """| fields - insigma_lookup_*
| lookup claim_assignment claim AS insurance.claim.id, user AS user.name
    OUTPUT claim AS insigma_lookup_1_claim, valid_from AS insigma_lookup_1_valid_from, valid_to AS insigma_lookup_1_valid_to
| eval insigma_assigned_to_actor=case(
    coalesce('insurance.claim.id', "")="" OR coalesce('user.name', "")="" OR isnull(_time), "unknown",
    isnull('insigma_lookup_1_claim'), "no",
    (isnull(tonumber('insigma_lookup_1_valid_from')) OR tonumber('insigma_lookup_1_valid_from')<=round(_time*1000))
      AND (isnull(tonumber('insigma_lookup_1_valid_to')) OR tonumber('insigma_lookup_1_valid_to')>=round(_time*1000)), "yes",
    1=1, "no")
| fields - insigma_lookup_*"""
OFF_HOURS = r"""| fields - insigma_lookup_*
| eval insigma_lookup_1_day=tostring(floor(_time/86400)), insigma_lookup_1_minute=floor(_time/60)-1440*floor(_time/86400)
| eval insigma_lookup_1_calendar=case(
    isnotnull(mvfind('user.roles{}', "(?i)^night shift\z")), "night",
    lower('insurance.actor.role')="regional", "süd",
    1=1, "default")
| lookup work_calendar calendar AS insigma_lookup_1_calendar, day AS insigma_lookup_1_day
    OUTPUT open1 AS insigma_lookup_1_open1, close1 AS insigma_lookup_1_close1, open2 AS insigma_lookup_1_open2, close2 AS insigma_lookup_1_close2, day AS insigma_lookup_1_row
| eval insigma_off_hours=case(
    isnull('insigma_lookup_1_row'), "unknown",
    insigma_lookup_1_minute>=tonumber('insigma_lookup_1_open1') AND insigma_lookup_1_minute<tonumber('insigma_lookup_1_close1'), "no",
    insigma_lookup_1_minute>=tonumber('insigma_lookup_1_open2') AND insigma_lookup_1_minute<tonumber('insigma_lookup_1_close2'), "no",
    1=1, "yes")
| fields - insigma_lookup_*"""  # noqa: E501 - the query as it is
ENTITLED = """| fields - insigma_lookup_*
| lookup entitlement role AS insurance.actor.role
    OUTPUT role AS insigma_lookup_1_role, entitled AS insigma_lookup_1_entitled
| eval insigma_entitled=case(
    coalesce('insurance.actor.role', "")="", "unknown",
    len('insigma_lookup_1_entitled')>0, lower('insigma_lookup_1_entitled'),
    1=1, "unknown")
| fields - insigma_lookup_*"""
LISTED = """| fields - insigma_lookup_*
| lookup watched value AS user.name
    OUTPUT value AS insigma_lookup_1_value
| eval insigma_list_watched_user_name=case(
    coalesce('user.name', "")="", "unknown",
    isnull('insigma_lookup_1_value'), "no",
    1=1, "yes")
| fields - insigma_lookup_*"""


def query(detection: str, more: str = "") -> str:
    return compiled(mapping(), event_rule(detection, more=more)).query


def test_what_is_stored_is_asked_first() -> None:
    found = query("  s: {event.action: claim-view, insurance.context.assigned_to_actor: 'no'}\n  condition: s")
    assert (
        found
        == f"""{HEAD} event.action="claim-view"
| where lower('event.action')="claim-view"
{ASSIGNED}
| where 'insigma_assigned_to_actor'="no\""""
    )


@pytest.mark.parametrize(
    ("written", "lines", "where"),
    [
        ("insurance.context.off_hours: ['yes', UNKNOWN]", OFF_HOURS, 'in(\'insigma_off_hours\', "yes", "unknown")'),
        ("insurance.context.entitled: Größe", ENTITLED, "match('insigma_entitled', \"(?i)^gr(?:ö|Ö)(?:ß|ẞ)e\\z\")"),
        ("insurance.context.entitled: null", ENTITLED, "isnull('insigma_entitled')"),
        (f"{WATCHED}: 'yes'", LISTED, "'insigma_list_watched_user_name'=\"yes\""),
        ("user.name|fieldref: insurance.context.entitled", ENTITLED, "lower('user.name')=lower('insigma_entitled')"),
    ],
)
def test_each_verdict(written: str, lines: str, where: str) -> None:
    found = compiled(mapping(), selection(written)).query
    assert found == f"{HEAD}\n{lines}\n| where {where}"


@pytest.mark.parametrize(
    ("detection", "before", "after"),
    [
        ("  s: {event.action: a, insurance.context.entitled: x}\n  condition: not s", None, "if(lower('event.action')=\"a\""),
        (
            "  s: {event.action: a, insurance.context.entitled: x}\n  t: {event.action: b}\n  condition: s or t",
            "lower('event.action')=\"a\"\n    OR lower('event.action')=\"b\"",
            "(lower('event.action')=\"a\"\n      AND 'insigma_entitled'=\"x\")\n    OR lower('event.action')=\"b\"",
        ),
        ("  s: {event.action: a}\n  t: {insurance.context.entitled: x}\n  condition: s or t", None, "lower('event.action')=\"a\""),
        (
            "  s: {event.action: a}\n  t: {insurance.context.entitled: x}\n  condition: s and not t",
            "lower('event.action')=\"a\"",
            "if('insigma_entitled'=\"x\", 0, 1)=1",
        ),
        (
            "  r: {user.name: u}\n  s: {event.action: a, insurance.context.entitled: x}\n"
            "  t: {event.action: a, insurance.context.entitled: z}\n  condition: r and (s or t)",
            "lower('user.name')=\"u\"\n    AND lower('event.action')=\"a\"",
            "(lower('event.action')=\"a\"",
        ),
    ],
)
def test_the_filter_before_the_join_leaves_nothing_out_that_matches(detection: str, before: str | None, after: str) -> None:
    head, rest = query(detection).split("| fields - insigma_lookup_*\n", 1)
    assert head.partition("\n")[2] == (f"| where {before}\n" if before else "")
    assert rest.rsplit("| where ", 1)[1].startswith(after)


def test_flags_of_one_table_and_keys_share_a_join() -> None:
    found = query("  s: {insurance.context.near_authority_limit: 'yes', insurance.context.over_authority: 'no'}\n  condition: s")
    assert found.count("| lookup ") == 1
    assert found.count("limit AS") == 1
    more = query("  s: {insurance.context.off_hours: 'yes', insurance.context.surge: 'no'}\n  condition: s")
    assert more.count("| lookup work_calendar ") == 2  # two ways to choose the calendar


def test_the_base_search_and_the_notes_know_that_the_column_is_not_stored() -> None:
    found = compiled(mapping(), event_rule("  s: {insurance.context.entitled: ['', 'yes']}\n  condition: s"))
    assert found.query.startswith(HEAD + "\n")
    assert found.notes == ("looks insurance.context.entitled up in entitlement (as of its last refresh, at most 1h)",)


def test_a_column_is_shown_if_the_rule_looks_it_up() -> None:
    shown = "fields: [user.name, insurance.context.entitled, insurance.context.surge, insurance.context.restricted_party]\n"
    rule = event_rule("  s: {insurance.context.entitled: 'no', insurance.context.restricted_party: 'yes'}\n  condition: s", more=shown)
    found = compiled(mapping(), rule)
    assert found.query.endswith("\n| table _time user.name insigma_entitled insigma_restricted_party")
    assert found.notes == (
        "looks insurance.context.entitled up in entitlement (as of its last refresh, at most 1h)",
        "looks insurance.context.restricted_party up in claim_assignment (as of its last refresh, at most 15m)",
        "fields not shown, as nothing in the rule looks them up: insurance.context.surge",
    )


def test_one_note_a_table() -> None:
    found = compiled(
        mapping(),
        event_rule("  s: {insurance.context.near_authority_limit: 'yes', insurance.context.over_authority: 'no'}\n  condition: s"),
    )
    assert found.notes == (
        "looks insurance.context.near_authority_limit and insurance.context.over_authority up in authority (as of its last refresh)",
    )


VIEW = selection("event.action: claim-view", "view")
COUNT = "  type: event_count\n  rules: [view]\n  group-by: [{group}]\n  timespan: 1h\n  condition: {{gte: 3}}\n"


def test_a_correlation_looks_up_what_it_groups_by() -> None:
    found = compiled(mapping(), VIEW, correlation(COUNT.format(group="insurance.context.entitled")))
    assert found.query.startswith(
        f'{HEAD} event.action="claim-view"\n| where lower(\'event.action\')="claim-view"\n{ENTITLED}\n'
        "| eval insigma_ms=round(_time*1000)\n| eval insigma_group_1='insigma_entitled'\n"
    )
    assert found.notes == ("looks insurance.context.entitled up in entitlement (as of its last refresh, at most 1h)",)


def test_members_are_filtered_together_before_the_join() -> None:
    other = event_rule("  s: {event.action: claim-export, insurance.context.entitled: 'no'}\n  condition: s", "other", number=2)
    body = "  type: event_count\n  rules: [view, other]\n  timespan: 1h\n  condition: {gte: 3}\n"
    found = compiled(mapping(), VIEW, other, correlation(body)).query
    assert found.startswith(
        f'{HEAD} event.action IN ("claim-view", "claim-export")\n'
        "| where lower('event.action')=\"claim-view\"\n    OR lower('event.action')=\"claim-export\"\n"
        f"{ENTITLED}\n"
        "| where lower('event.action')=\"claim-view\"\n"
        "    OR (lower('event.action')=\"claim-export\"\n      AND 'insigma_entitled'=\"no\")\n"
    )


def test_nothing_changes_where_nothing_is_looked_up() -> None:
    rule = event_rule("  s: {event.action: claim-view, user.name: x}\n  condition: s")
    assert compiled(mapping(), rule) == compiled(pack()[0], rule)
    many = correlation(COUNT.format(group="user.name"))
    assert compiled(mapping(), VIEW, many) == compiled(pack()[0], VIEW, many)


STORED = {
    "keys": TargetField("keys{}", "string", "any", array=True),
    "made": TargetField("insigma_made", "string", "lower", lookup=LOOKUPS[2]),
    "amounts": TargetField("amounts{}", "number", "any", array=True),
}


@pytest.mark.parametrize(
    ("lookup", "reason"),
    [
        (flag("entitled", "t", (("k", "keys"),), Found()), "looked up by 'keys', which may hold several values"),
        (flag("entitled", "t", (("k", "insurance.record_count"),), Found()), "is stored as number in Splunk: keys are compared as text"),
        (flag("entitled", "t", (("k", "@timestamp"),), Found()), "is stored as date in Splunk"),
        (flag("entitled", "t", (("k", "no.such"),), Found()), "field 'no.such' has no place in the splunk mapping"),
        (flag("entitled", "t", (("k", "made"),), Found()), "'made' is itself looked up"),
        (flag("entitled", "t", BY_USER, Found((RowTest("a", "lt", "amounts"),))), "compared with 'amounts', which may hold several values"),
        (flag("entitled", "t", BY_USER, Found((RowTest("a", "lt", "no.such"),))), "field 'no.such' has no place"),
        (flag("entitled", "t", (), Hours((("night", "insurance.record_count", "1"),))), "chooses a working calendar by its text"),
        (flag("entitled", "t", (), Hours((('n"', "user.name", "x"),))), "cannot be written into an SPL search"),
        (flag("entitled", "t", (), Hours((("$x$", "user.name", "x"),))), "cannot be written into an SPL search"),
        (flag("entitled", "t", BY_USER, Held("c", 'x" OR 1=1 | delete')), "cannot be written into an SPL search"),
        (flag("entitled", "t", BY_USER, Found((), "a`b`")), "cannot be written into an SPL search"),
        (flag("entitled", "t | delete", BY_USER, Found()), "cannot be the name of a lookup table"),
        (flag("entitled", "output", BY_USER, Found()), "cannot be the name of a lookup table"),
        (flag("entitled", "", BY_USER, Found()), "cannot be the name of a lookup table"),
        (flag("entitled", "t", (("AS", "user.name"),), Found()), "cannot be the name of a lookup table"),
        (flag("entitled", "t", (("a b", "user.name"),), Found()), "cannot be the name of a lookup table"),
        (flag("entitled", "t", BY_USER, Held("c'")), "cannot be the name of a lookup table"),
        (flag("entitled", "t", BY_USER, Found((RowTest("c]", "lt", "@timestamp"),))), "cannot be the name of a lookup table"),
    ],
)
def test_what_cannot_be_looked_up_is_refused(lookup: Lookup, reason: str) -> None:
    with pytest.raises(Refused, match=re.escape(reason)):
        compiled(mapping(lookup, fields=STORED), selection("insurance.context.entitled: 'yes'"))


@pytest.mark.parametrize(
    "column", ["", "a b", "insurance.context.entitled", "_time", "x' | delete '", "ü", "insigma_ms", "insigma_lookup_1_user"]
)
def test_a_column_that_would_take_another_place_is_refused(column: str) -> None:
    entitled = replace(mapping().fields[CONTEXT + "entitled"], name=column)
    with pytest.raises(Refused, match="looked-up field"):
        compiled(mapping(fields={CONTEXT + "entitled": entitled}), selection("insurance.context.entitled: 'yes'"))


@pytest.mark.parametrize("other", ["user.name", CONTEXT + "surge"])
def test_two_fields_of_one_name_are_refused(other: str) -> None:
    into = mapping(fields={other: replace(mapping().fields[other], name="insigma_entitled")})
    with pytest.raises(Refused, match="would take the place of another field"):
        compiled(into, selection("insurance.context.entitled: 'yes'"))


def test_the_time_has_to_be_the_events_own() -> None:
    for name in ("assigned_to_actor", "off_hours"):
        with pytest.raises(Refused, match="has to be mapped to _time"):
            compiled(mapping(fields={"@timestamp": TargetField("when", "date", "any")}), selection(f"insurance.context.{name}: 'yes'"))


def test_no_query_of_the_pack_uses_a_name_that_a_column_may_have() -> None:
    used = {
        name
        for path in sorted((ROOT / "dist" / "splunk" / "rules").iterdir())
        for name in re.findall(r"insigma_\w+", path.read_text("utf-8"))
    }
    assert len(used) > 20
    for name in sorted(used):
        with pytest.raises(Refused, match="cannot be the name of a looked-up field"):
            compiled(mapping(flag("entitled", "t", BY_USER, Found()), column=name), selection("insurance.context.entitled: 'yes'"))


@pytest.mark.parametrize("value", ['a"b', "a'b", "]]>", "$token$", "\\", "`m`", "a\nb", "Ünï", "*", "| delete"])
def test_awkward_values_stay_within_their_quotes(value: str) -> None:
    """A group's value is a literal as a rule's is; what it brings adds no command."""
    hours = flag("off_hours", "work_calendar", (), Hours((("night", "user.roles", value), ("late", "user.name", value))))
    plain = flag("off_hours", "work_calendar", (), Hours((("night", "user.roles", "x"), ("late", "user.name", "x"))))
    rule = selection("insurance.context.off_hours: 'yes'")
    commands = [re.findall(r"\| (\w+)", skeleton(compiled(mapping(one), rule).query)) for one in (hours, plain)]
    assert commands[0] == commands[1]


def test_the_mapping_of_a_customer_is_not_the_packs() -> None:
    assert isinstance(mapping().fields, MappingProxyType)
    assert not any(field.lookup for field in pack()[0].fields.values())
