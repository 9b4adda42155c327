"""Looked-up fields in KQL: golden joins, what is asked before them, what is refused, and what a hostile name cannot do."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from insigma.bind.model import Refused
from insigma.content.lookups import Found, Held, Hours, Lookup, RowTest
from insigma.content.model import TargetField, TargetMapping
from insigma.targets.sentinel.layout import tables
from insigma.targets.sentinel.target import LONGEST_QUERY
from tests.targets.sentinel import harness
from tests.targets.sentinel.harness import correlation, event_rule, selection, skeleton
from tests.targets.sentinel.lookups import AMOUNT, CONTEXT, WATCHED, compiled, mapping

NUMBER = r'toreal(extract("^[+-]?(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$", 0, '
MS = 'InsMs = datetime_diff("millisecond", TimeGenerated, datetime(1970-01-01))'
CLAIMS = """InsClaims_CL
| where ingestion_time() >= ago(10m) and ingestion_time() < ago(5m)
| where InsLogSource =~ "insurance_claims"
"""
ASSIGNMENT = f"""| extend InsKey1 = tolower(InsClaimId),
    InsKey2 = tolower(ActorUsername)
| join kind=leftouter (
    _GetWatchlist("claim_assignment")
    | project LastUpdatedTimeUTC,
        InsRow1 = tolower(tostring(column_ifexists("claim", ""))),
        InsRow2 = tolower(tostring(column_ifexists("user", ""))),
        InsCell1 = tostring(column_ifexists("valid_from", "")),
        InsCell2 = tostring(column_ifexists("valid_to", ""))
    | summarize arg_max(LastUpdatedTimeUTC, InsCell1, InsCell2) by InsRow1, InsRow2
    | project-away LastUpdatedTimeUTC)
    on $left.InsKey1 == $right.InsRow1, $left.InsKey2 == $right.InsRow2
| extend InsCell1 = {NUMBER}InsCell1)),
    InsCell2 = {NUMBER}InsCell2))
| extend ['insigma_assigned_to_actor'] = case(isempty(InsKey1) or isempty(InsKey2), "unknown", isempty(InsRow1), "no", \
not(coalesce(InsCell1 <= InsMs, true)) or not(coalesce(InsCell2 > InsMs, true)), "no", "yes")
"""
WATCHLIST = """| extend InsKey{0} = tolower(ActorUsername)
| join kind=leftouter (
    _GetWatchlist("watched")
    | project InsRow{0} = tolower(tostring(column_ifexists("value", "")))
    | summarize by InsRow{0})
    on $left.InsKey{0} == $right.InsRow{0}
| extend ['insigma_list_watched_user_name'] = case(isempty(InsKey{0}), "unknown", isempty(InsRow{0}), "no", "yes")
"""
ASSIGNED = selection(f"{{event.action: claim-view, {CONTEXT}assigned_to_actor: 'no'}}", "view")
PAY = event_rule(
    f"  s: {{event.action: payment-release}}\n  t: {{{WATCHED}: 'yes'}}\n  condition: s and not t", "pay", "insurance_payment", 2
)


def flag(name: str, value: str = "yes") -> str:
    return selection(f"{CONTEXT}{name}: '{value}'")


def with_lookup(lookup: Lookup, **fields: TargetField) -> TargetMapping:
    """The mapping with one flag, `surge`, looked up so, and with other fields."""
    own = mapping((lookup,))
    return replace(own, fields=MappingProxyType({**own.fields, **fields}))


def test_a_row_and_its_validity_are_asked_after_what_events_hold() -> None:
    detection = compiled(ASSIGNED)
    assert detection.query == (
        f'{CLAIMS}| where Operation =~ "claim-view"\n| extend {MS}\n{ASSIGNMENT}'
        "| where ['insigma_assigned_to_actor'] =~ \"no\"\n"
        "| project-away InsMs, InsKey1, InsKey2, InsRow1, InsRow2, InsCell1, InsCell2"
    )
    assert detection.notes == (
        "looks insurance.context.assigned_to_actor up in claim_assignment (as of its last refresh, at most 15m)",
        "keys are looked up by tolower(), which folds as the rule does except for a few letters beyond ASCII",
    )


def test_a_list_is_a_row_or_none() -> None:
    query = compiled(selection(f"{WATCHED}: 'yes'")).query
    assert query == (f"{CLAIMS}{WATCHLIST.format(1)}| where ['insigma_list_watched_user_name'] =~ \"yes\"\n| project-away InsKey1, InsRow1")


def test_what_a_row_holds_is_lowered() -> None:
    query = compiled(flag("entitled", "NO")).query
    told = 'isempty(InsKey1), "unknown", isempty(InsCell1), "unknown", tolower(InsCell1))\n| where [\'insigma_entitled\'] =~ "no"\n'
    assert f"| extend ['insigma_entitled'] = case({told}" in query
    assert "extract(" not in query


def test_working_hours_are_found_by_calendar_and_day_in_utc() -> None:
    query = compiled(flag("off_hours")).query
    before, after = query.split("| join kind=leftouter (\n")
    assert before.endswith(
        '| extend InsKey1 = case(coalesce(strcat("\\u001f", strcat_array(ActorRoles, "\\u001f"), "\\u001f") contains'
        ' "\\u001fnight shift\\u001f", false), "night", ActorUsername matches regex "(?i)^dörte$", "north",'
        ' ActorUsername =~ "ben", "night", "default"),\n'
        "    InsKey2 = tostring(InsMs / 86400000),\n"
        "    InsMinute1 = (InsMs % 86400000) / 60000\n"
    )
    assert (
        "| extend ['insigma_off_hours'] = case(isempty(InsRow1), \"unknown\","
        " coalesce(InsCell1 <= InsMinute1 and InsMinute1 < InsCell2, false)"
        ' or coalesce(InsCell3 <= InsMinute1 and InsMinute1 < InsCell4, false), "no", "yes")\n'
    ) in after


def test_numbers_are_compared_as_numbers() -> None:
    query = compiled(flag("near_authority_limit")).query
    assert (
        'case(isempty(InsKey1) or isnull(InsClaimAmount), "unknown", isempty(InsRow1), "unknown",'
        " not(coalesce(InsCell1 >= InsClaimAmount, false))"
        ' or not(coalesce(InsCell1 * 0.95 <= InsClaimAmount, false)), "no", "yes")'
    ) in query
    text = compiled(flag("surge")).query
    assert f"    InsNumber1 = {NUMBER}InsClaimCatCode))\n" in text
    assert "isnull(InsNumber1)" in text
    assert "InsCell1 <= InsNumber1" in text


def test_one_table_is_joined_once_for_all_its_flags() -> None:
    query = compiled(selection(f"{{{CONTEXT}near_authority_limit: 'yes', {CONTEXT}over_authority: 'no'}}")).query
    assert query.count("join") == query.count("_GetWatchlist") == 1
    assert query.count('column_ifexists("limit"') == 1


def test_what_has_to_hold_anyway_is_asked_before() -> None:
    rule = event_rule(
        f"  s: {{event.action: claim-view, {CONTEXT}off_hours: 'yes'}}\n"
        f"  t: {{event.action: claim-export}}\n  u: {{user.name: anna, {CONTEXT}entitled: 'no'}}\n"
        "  condition: (s or t) and not u"
    )
    query = compiled(rule).query
    before, after = query.split("| extend", 1)
    assert before == f'{CLAIMS}| where Operation =~ "claim-view"\n    or Operation =~ "claim-export"\n'
    assert 'not(ActorUsername =~ "anna"\n        and [\'insigma_entitled\'] =~ "no")' in after


def test_what_no_stored_field_says_is_not_asked_before() -> None:
    rule = event_rule(f"  s: {{event.action: claim-view}}\n  t: {{{CONTEXT}off_hours: 'yes'}}\n  condition: s or t")
    assert compiled(rule).query.startswith(f"{CLAIMS}| extend {MS}\n")


def test_alerts_show_the_flags_that_the_rule_reads() -> None:
    more = f"fields: [user.name, {CONTEXT}entitled, {CONTEXT}off_hours]\n"
    detection = compiled(event_rule(f"  s: {{{CONTEXT}entitled: 'no'}}\n  condition: s", more=more))
    assert detection.query.endswith("\n| project TimeGenerated, ActorUsername, ['insigma_entitled']")
    assert detection.notes[-1] == "fields not shown, as the rule does not look them up: insurance.context.off_hours"


def test_a_rule_that_looks_nothing_up_stays_as_it_is() -> None:
    for rules in (
        [selection("event.action: claim-view")],
        [
            selection("event.action: claim-view", "view"),
            correlation("  type: event_count\n  rules: [view]\n  timespan: 30d\n  condition: {gte: 3}\n"),
        ],
    ):
        assert compiled(*rules) == harness.compiled(*rules)


def test_a_looked_up_field_is_no_column_of_a_table() -> None:
    names = {name for columns in tables(mapping()).values() for name in columns}
    assert "ActorUsername" in names
    assert not {name for name in names if name.startswith("insigma_")}


COUNT = correlation("  type: event_count\n  rules: [view]\n  group-by: [user.name]\n  timespan: 30m\n  condition: {gte: 3}\n")
IDENTITY = "InsTenant = TenantOrg, InsSource = InsLogSource, InsFeed = EventProduct, InsEvent = EventOriginalUid"


def test_a_correlation_looks_up_rows_that_bring_what_is_read() -> None:
    query = compiled(ASSIGNED, COUNT).query
    assert query.startswith(
        'InsClaims_CL\n| where InsLogSource =~ "insurance_claims"\n| where Operation =~ "claim-view"\n'
        f"| project {MS}, {IDENTITY}, InsClaimId, ActorUsername\n{ASSIGNMENT}"
        "| where ['insigma_assigned_to_actor'] =~ \"no\"\n"
        "| project InsMs, InsTenant, InsSource, InsFeed, InsEvent, InsGroup1 = tolower(ActorUsername)\n| sort by"
    )


def test_members_are_told_apart_after_they_are_looked_up_together() -> None:
    body = "  type: temporal_ordered\n  rules: [view, pay]\n  group-by: [user.name]\n  timespan: 30m\n"
    detection = compiled(ASSIGNED, PAY, correlation(body))
    union, rest = detection.query.split("\n| extend InsKey1", 1)
    assert union.count("InsRule1 = 1, InsRule2 = 0, InsClaimId, ActorUsername") == 1
    assert union.count("InsRule1 = 0, InsRule2 = 1, InsClaimId, ActorUsername") == 1
    assert f"| extend InsKey1{rest}".startswith(
        ASSIGNMENT
        + WATCHLIST.format(3)
        + "| extend InsRule1 = iff(['insigma_assigned_to_actor'] =~ \"no\", InsRule1, 0),\n"
        + "    InsRule2 = iff(not(['insigma_list_watched_user_name'] =~ \"yes\"), InsRule2, 0)\n"
        + "| where InsRule1 == 1 or InsRule2 == 1\n"
        + "| project InsMs, InsTenant, InsSource, InsFeed, InsEvent, InsRule1, InsRule2, InsGroup1 = tolower(ActorUsername)\n"
    )
    assert len([note for note in detection.notes if note.startswith("looks ")]) == 2


def test_a_group_may_be_looked_up() -> None:
    body = f"  type: event_count\n  rules: [view]\n  group-by: [{CONTEXT}entitled]\n  timespan: 30m\n  condition: {{gte: 3}}\n"
    detection = compiled(selection("event.action: claim-view", "view"), correlation(body))
    assert "| project InsMs, InsTenant, InsSource, InsFeed, InsEvent, InsGroup1 = ['insigma_entitled']\n" in detection.query
    assert detection.group_fields == ("insigma_entitled",)


def test_a_roll_up_looks_nothing_up() -> None:
    """The data lake has no functions but Kusto's own: what its job keeps is looked up by the query."""
    view = selection(f"{{event.action: claim-view, {CONTEXT}assigned_to_actor: 'no', {CONTEXT}restricted_party: 'yes'}}", "view")
    detection = compiled(view, COUNT.replace("30m", "30d"))
    (job,) = detection.companions
    brought = "InsClaimId, ActorUsername, InsRecordCount"
    assert "_GetWatchlist" not in job.query
    assert "join" not in job.query
    assert f"{IDENTITY}, {brought}\n| extend InsRun = now(), InsCut = InsUpTo" in job.query
    assert f"| project InsMs, InsTenant, InsSource, InsFeed, InsEvent, {brought})," in detection.query
    assert detection.query.count("_GetWatchlist") == 2
    assert {name: job.columns[name] for name in brought.split(", ")} == {
        "InsClaimId": "string",
        "ActorUsername": "string",
        "InsRecordCount": "long",
    }


def test_the_time_of_a_rolled_up_event_is_its_own() -> None:
    """A row of a job has the time of its run in `TimeGenerated`."""
    view = event_rule(f"  s: {{'@timestamp|hour': 3}}\n  t: {{{CONTEXT}off_hours: 'yes'}}\n  condition: s or t", "view")
    detection = compiled(view, COUNT.replace("30m", "30d"))
    assert "TimeGenerated" not in detection.companions[0].columns
    assert "\n| extend TimeGenerated = unixtime_milliseconds_todatetime(InsMs)\n| extend InsKey1 = " in detection.query


def test_a_long_query_becomes_a_function_with_its_joins() -> None:
    users = ", ".join(f"user{number:05}" for number in range(1500))
    detection = compiled(selection(f"{{user.name: [{users}], {CONTEXT}assigned_to_actor: 'no'}}"))
    (saved,) = detection.companions
    assert detection.query == f"{saved.name}()"
    assert "_GetWatchlist" in saved.query
    view = selection(f"{{user.name: [{users}], {CONTEXT}assigned_to_actor: 'no'}}", "view")
    for timespan in ("30m", "30d"):
        detection = compiled(view, COUNT.replace("30m", timespan))
        assert len(detection.query) <= LONGEST_QUERY
        assert "_GetWatchlist" in detection.companions[-1].query


SURGE = Lookup(f"{CONTEXT}surge", "t", (("user", "user.name"),), Found())


@pytest.mark.parametrize(
    ("lookup", "reason"),
    [
        (replace(SURGE, keys=(("role", "user.roles"),)), "'user.roles' is a key of a table, and may hold several values"),
        (replace(SURGE, keys=(("amount", AMOUNT),)), "'insurance.claim.amount' is a key of a table, and stored as real"),
        (replace(SURGE, keys=(("at", "@timestamp"),)), "'@timestamp' is a key of a table, and stored as datetime"),
        (replace(SURGE, keys=(("user", "no.such.field"),)), "field 'no.such.field' has no place in the sentinel mapping"),
        (replace(SURGE, keys=(("user", f"{CONTEXT}surge"),)), "is looked up itself"),
        (replace(SURGE, verdict=Found((RowTest("n", "lt", "no.such.field"),))), "field 'no.such.field' has no place"),
        (replace(SURGE, verdict=Found((RowTest("n", "lt", "user.roles"),))), "'user.roles' is compared with a number of a table, and may"),
        (
            replace(SURGE, verdict=Found((RowTest("n", "lt", "flag"),))),
            "'flag' is compared with a number of a table, and stored as boolean",
        ),
        (replace(SURGE, keys=(), verdict=Hours((("night", AMOUNT, "5"),))), "chooses the working calendar, and is stored as real"),
        (replace(SURGE, keys=(), verdict=Hours((("night", "no.such.field", "5"),))), "has no place"),
        (replace(SURGE, table='t")'), "not allowed in a watchlist's alias"),
        (replace(SURGE, table="T"), "not allowed in a watchlist's alias"),
        (replace(SURGE, table="t" * 64), "not allowed in a watchlist's alias"),
        (replace(SURGE, keys=(('u", "")) | take 1 //', "user.name"),)), "not allowed in a KQL identifier"),
        (replace(SURGE, verdict=Held("a\nb")), "not allowed in a KQL identifier"),
    ],
)
def test_what_cannot_be_looked_up_is_refused(lookup: Lookup, reason: str) -> None:
    where = with_lookup(lookup)
    with pytest.raises(Refused) as refused:
        compiled(flag("surge"), where=where)
    assert reason in refused.value.reason
    assert refused.value.unmapped is ("has no place" in reason)
    rolled = selection(f"{CONTEXT}surge: 'yes'", "view"), COUNT
    with pytest.raises(Refused):
        compiled(*rolled, where=where)


@pytest.mark.parametrize("name", ["InsKey1", "insrow1", "INSMS", "Insigma_Surge"])
def test_a_column_of_the_mapping_is_never_written_over(name: str) -> None:
    where = with_lookup(SURGE, other=TargetField(name, "string", "any"))
    with pytest.raises(Refused, match="which looking up makes by itself"):
        compiled(flag("surge"), where=where)


def test_a_row_of_a_correlation_keeps_its_own_columns() -> None:
    where = with_lookup(SURGE, **{"user.name": TargetField("InsTenant", "string", "any")})
    with pytest.raises(Refused, match="column 'InsTenant', which a correlation makes by itself"):
        compiled(selection(f"{CONTEXT}surge: 'yes'", "view"), COUNT, where=where)


HOSTILE = ['" | take 1 //', "a\\", "a\nb", "\u2028", "$token$", "]]>", "'] | count", "union *"]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_value_stays_in_its_literal(text: str) -> None:
    letter = "a" if text.isascii() else "ł"
    for verdict, plain in (
        (_hours(text), _hours(letter)),
        (Held("x", missing=text), Held("x", missing=letter)),
        (Found(missing=text), Found(missing=letter)),
    ):
        written, harmless = (compiled(flag("surge"), where=with_lookup(replace(SURGE, verdict=each))).query for each in (verdict, plain))
        assert skeleton(written) == skeleton(harmless)


def _hours(text: str) -> Hours:
    return Hours(((text, "user.name", text), (text, "user.roles", text)))
