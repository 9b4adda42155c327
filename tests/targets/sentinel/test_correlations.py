"""Correlations: golden queries for the eight types, what is refused, and what no query may contain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from insigma.bind.model import BoundCorrelation, Refused
from insigma.targets.sentinel.target import SentinelTarget
from tests.targets.sentinel.harness import bound, compiled, correlation, event_rule, pack, selection

VIEW = selection("event.action: claim-view", "view", number=1)
EXPORT = selection("event.action: claim-export", "export", number=2)
FAILED = selection("event.outcome: failure", "failed", number=3)
RELEASE = selection("event.action: payment-release", "release", "insurance_payment", number=4)
COUNT = """  type: event_count
  rules: [view]
  group-by: [user.name]
  timespan: 30m
  condition: {gte: 10}
"""
IDENTITY = "InsTenant = TenantOrg, InsSource = InsLogSource, InsFeed = EventProduct, InsEvent = EventOriginalUid"
TIME = 'InsMs = datetime_diff("millisecond", TimeGenerated, datetime(1970-01-01))'
ONCE = """| sort by InsEvent asc, InsFeed asc, InsSource asc, InsTenant asc, InsMs asc
| extend InsRepeated = InsEvent == prev(InsEvent, 1, "") and InsFeed == prev(InsFeed, 1, "") \
and InsSource == prev(InsSource, 1, "") and InsTenant == prev(InsTenant, 1, "")
| where isempty(InsEvent) or not(InsRepeated)
"""
ROWS = f"""InsClaims_CL
| where InsLogSource =~ "insurance_claims"
| where Operation =~ "claim-view"
| project {TIME}, {IDENTITY}, InsGroup1 = tolower(ActorUsername)
{ONCE}| where isnotempty(InsGroup1)
"""
EDGES = "| mv-expand InsEdge = dynamic([0, 1]) to typeof(long)\n"
RESTART = 'InsGroup1 != prev(InsGroup1, 1, "")'
ALL_TYPES = ["event_count", "value_count", "value_sum", "value_avg", "value_percentile", "value_median", "temporal", "temporal_ordered"]


def body(kind: str, rules: str, condition: str, more: str = "  group-by: [user.name]\n") -> str:
    return f"  type: {kind}\n  rules: [{rules}]\n  timespan: 1h\n{more}" + (f"  condition: {condition}\n" if condition else "")


def sweep(*rules: str) -> str:
    """The instants query after the rows."""
    found = bound(*rules)
    assert isinstance(found, BoundCorrelation)
    return SentinelTarget(pack()[0]).instants(found).split("| where isnotempty(InsGroup1)\n")[1]


def test_event_count() -> None:
    detection = compiled(VIEW, correlation(COUNT))
    assert detection.query == ROWS + (
        "| summarize InsChange = count() by InsGroup1, InsMs\n"
        + EDGES
        + "| extend InsMs = InsMs + InsEdge * 1800000, InsChange = iff(InsEdge == 0, InsChange, -InsChange)\n"
        "| sort by InsGroup1 asc, InsMs asc, InsEdge asc\n"
        f"| extend InsValue = row_cumsum(InsChange, {RESTART})\n"
        "| where InsEdge == 0 and InsValue >= 10\n"
        "| where unixtime_milliseconds_todatetime(InsMs) >= ago(10m) and unixtime_milliseconds_todatetime(InsMs) < ago(5m)\n"
        "| summarize InsFirst = min(InsMs), InsLast = max(InsMs), InsValue = max(InsValue) by InsGroup1\n"
        "| project TimeGenerated = unixtime_milliseconds_todatetime(InsLast), ActorUsername = InsGroup1, "
        "InsFirst = unixtime_milliseconds_todatetime(InsFirst), InsLast = unixtime_milliseconds_todatetime(InsLast), InsValue"
    )  # fmt: skip
    assert detection.window == "exact"
    assert detection.group_fields == ("ActorUsername",)
    assert detection.schedule.lookback_ms == (30 + 5 + 5) * 60_000
    assert detection.companions == ()


@pytest.mark.parametrize(
    ("timespan", "minutes", "since", "until", "lookback"),
    [
        ("30m", 1, "10m", "5m", 40),  # never less than what Sentinel itself takes
        ("30m", 15, "20m", "15m", 50),
        ("3d", 15, "75m", "15m", 3 * 1440 + 75),  # hourly
    ],
)
def test_an_instant_is_judged_by_one_run_when_its_events_have_come(
    timespan: str, minutes: int, since: str, until: str, lookback: int
) -> None:
    rule = bound(VIEW, correlation(COUNT.replace("30m", timespan)))
    assert isinstance(rule, BoundCorrelation)
    late = tuple(replace(each, logsource=replace(each.logsource, delay_ms=minutes * 60_000)) for each in rule.members)
    detection = SentinelTarget(pack()[0]).compile(replace(rule, members=late))
    instant = "unixtime_milliseconds_todatetime(InsMs)"
    assert f"| where {instant} >= ago({since}) and {instant} < ago({until})\n" in detection.query
    assert detection.schedule.lookback_ms == lookback * 60_000
    assert "ingestion_time" not in detection.query


def test_value_count_bridges_gaps_no_longer_than_the_timespan() -> None:
    neighbours = 'InsGroup1 == {0}(InsGroup1, 1, "") and InsCounts == {0}(InsCounts, 1, -1) and InsValue1 == {0}(InsValue1, 1, "")'
    assert sweep(VIEW, correlation(body("value_count", "view", "{gte: 3, field: insurance.claim.id}"))) == (
        "| extend InsCounts = iff(isnotempty(InsValue1), 1, 0)\n"
        "| summarize by InsGroup1, InsCounts, InsValue1, InsMs\n"
        "| sort by InsGroup1 asc, InsCounts asc, InsValue1 asc, InsMs asc\n"
        f"| extend InsStays = {neighbours.format('prev')} and InsMs - prev(InsMs, 1, 0) <= 3600000,\n"
        f"    InsGoesOn = {neighbours.format('next')} and next(InsMs, 1, 0) - InsMs <= 3600000\n"
        "| extend InsComes = iff(InsCounts == 1 and not(InsStays), 1, 0), InsGoes = iff(InsCounts == 1 and not(InsGoesOn), 1, 0)\n"
        + EDGES
        + "| summarize InsChange = sum(iff(InsEdge == 0, InsComes, -InsGoes)) by InsGroup1, InsMs = InsMs + InsEdge * 3600000, InsEdge\n"
        "| sort by InsGroup1 asc, InsMs asc, InsEdge asc\n"
        f"| extend InsValue = row_cumsum(InsChange, {RESTART})\n"
        "| where InsEdge == 0 and InsValue >= 3"
    )  # fmt: skip


def test_value_count_over_several_fields_counts_whole_tuples() -> None:
    query = compiled(VIEW, correlation(body("value_count", "view", "{gte: 3, field: [insurance.claim.id, source.ip]}"))).query
    assert "| extend InsCounts = iff(isnotempty(InsValue1) and isnotempty(InsValue2), 1, 0)\n" in query
    assert "| summarize by InsGroup1, InsCounts, InsValue1, InsValue2, InsMs\n" in query


@pytest.mark.parametrize(
    ("kind", "field", "number", "unit", "clause", "value"),
    [
        ("value_sum", "insurance.record_count", "5000", "InsNumber", "InsSum >= 5000", "InsSum"),
        ("value_sum", "insurance.record_count", "0.5", "InsNumber", "InsSum * 2 >= 1", "InsSum"),
        (
            "value_sum",
            "insurance.payment.amount",
            "0.3",
            "tolong(round(InsNumber * 1000000))",
            "InsSum >= 300000",
            "toreal(InsSum) / 1000000",
        ),
        ("value_avg", "insurance.record_count", "2.5", "InsNumber", "InsSum * 2 >= 5 * InsNumbers", "InsSum / toreal(InsNumbers)"),
    ],
)
def test_sums_are_whole_numbers_throughout(kind: str, field: str, number: str, unit: str, clause: str, value: str) -> None:
    assert sweep(VIEW, correlation(body(kind, "view", f"{{gte: {number}, field: {field}}}"))) == (
        f"| summarize InsChange = sum(coalesce({unit}, 0)), InsNumber = countif(isnotnull(InsNumber)) by InsGroup1, InsMs\n"
        + EDGES
        + "| extend InsMs = InsMs + InsEdge * 3600000, InsChange = iff(InsEdge == 0, InsChange, -InsChange), "
        "InsNumber = iff(InsEdge == 0, InsNumber, -InsNumber)\n"
        "| sort by InsGroup1 asc, InsMs asc, InsEdge asc\n"
        f"| extend InsSum = row_cumsum(InsChange, {RESTART}), InsNumbers = row_cumsum(InsNumber, {RESTART})\n"
        f"| where InsEdge == 0 and InsNumbers > 0 and {clause}\n"
        f"| extend InsValue = {value}"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "condition", "made", "clause"),
    [
        ("value_median", "gte: 20", "InsBelow1 = countif(InsNumber < 20)", "100 * InsBelow1 < 50 * InsNumber"),
        ("value_percentile", "gt: 20, percentile: 95", "InsUpto1 = countif(InsNumber <= 20)", "100 * InsUpto1 < 95 * InsNumber"),
        ("value_percentile", "lte: 20, percentile: 0", "InsUpto1 = countif(InsNumber <= 20)", "100 * InsUpto1 >= 1"),
    ],
)
def test_ranks_are_judged_by_counting(kind: str, condition: str, made: str, clause: str) -> None:
    name = made.split(" ", maxsplit=1)[0]
    assert sweep(VIEW, correlation(body(kind, "view", f"{{{condition}, field: insurance.record_count}}"))) == (
        f"| summarize {made}, InsNumber = countif(isnotnull(InsNumber)) by InsGroup1, InsMs\n"
        + EDGES
        + f"| extend InsMs = InsMs + InsEdge * 3600000, {name} = iff(InsEdge == 0, {name}, -{name}), "
        "InsNumber = iff(InsEdge == 0, InsNumber, -InsNumber)\n"
        "| sort by InsGroup1 asc, InsMs asc, InsEdge asc\n"
        f"| extend {name} = row_cumsum({name}, {RESTART}), InsNumber = row_cumsum(InsNumber, {RESTART})\n"
        f"| where InsEdge == 0 and InsNumber > 0 and {clause}"
    )  # fmt: skip


def test_temporal_lets_one_event_satisfy_several_members() -> None:
    query = compiled(VIEW, FAILED, correlation(body("temporal", "view, failed", ""))).query
    assert (
        '| extend InsRule1 = iff(Operation =~ "claim-view", 1, 0),\n    InsRule2 = iff(EventResult =~ "failure", 1, 0)\n'
        "| where InsRule1 == 1 or InsRule2 == 1\n"
    ) in query
    assert "| summarize InsRule1 = sum(InsRule1), InsRule2 = sum(InsRule2) by InsGroup1, InsMs\n" in query
    assert "| where InsEdge == 0 and InsRule1 > 0 and InsRule2 > 0\n" in query
    assert "InsValue" not in query


def test_temporal_with_a_count_of_members() -> None:
    written = sweep(VIEW, EXPORT, FAILED, correlation(body("temporal", "view, export, failed", "{gte: 2}")))
    assert written.endswith(
        "| extend InsValue = iff(InsRule1 > 0, 1, 0) + iff(InsRule2 > 0, 1, 0) + iff(InsRule3 > 0, 1, 0)\n"
        "| where InsEdge == 0 and InsValue >= 2"
    )


def test_extended_temporal_with_a_negation() -> None:
    written = sweep(VIEW, FAILED, correlation(body("temporal", "view, failed", "view and not failed")))
    assert written.endswith("| where InsEdge == 0 and (InsRule1 > 0 and not(InsRule2 > 0))")


def test_temporal_ordered_over_two_log_sources() -> None:
    query = compiled(VIEW, RELEASE, correlation(body("temporal_ordered", "view, release", ""))).query
    assert query.startswith(
        "union\n"
        "    (InsClaims_CL\n"
        '    | where InsLogSource =~ "insurance_claims"\n'
        '    | where Operation =~ "claim-view"\n'
        f"    | project {TIME}, {IDENTITY}, InsRule1 = 1, InsRule2 = 0, InsGroup1 = tolower(ActorUsername)),\n"
        "    (InsPayment_CL\n"
        '    | where InsLogSource =~ "insurance_payment"\n'
        '    | where Operation =~ "payment-release"\n'
        f"    | project {TIME}, {IDENTITY}, InsRule1 = 0, InsRule2 = 1, InsGroup1 = tolower(ActorUsername))\n" + ONCE
    )
    before = 'InsGroup1 == prev(InsGroup1, 1, "") and InsStep == prev(InsStep, 1, 0)'
    assert (
        "| summarize by InsGroup1, InsMs, InsStep = case(InsRule1 == 1, 1, InsRule2 == 1, 2, 0)\n"
        "| sort by InsGroup1 asc, InsStep asc, InsMs asc\n"
        f"| extend InsLater = iff(InsStep == 1, InsMs - iff({before}, prev(InsMs, 1, 0), 0), 0)\n"
        "| sort by InsGroup1 asc, InsMs asc, InsStep asc\n"
        f"| extend InsStart1 = row_cumsum(InsLater, {RESTART})\n"
        "| sort by InsGroup1 asc, InsStep asc, InsMs asc\n"
        f"| extend InsLater = iff(InsStep == 2, InsStart1 - iff({before}, prev(InsStart1, 1, 0), 0), 0)\n"
        "| sort by InsGroup1 asc, InsMs asc, InsStep asc\n"
        f"| extend InsStart2 = row_cumsum(InsLater, {RESTART})\n"
        "| where InsStart2 > 0 and InsMs - InsStart2 <= 3600000\n"
    ) in query


def test_members_may_name_the_group_differently_if_they_exclude_each_other() -> None:
    aliases = "  group-by: [who]\n  aliases:\n    who: {view: user.name, export: insurance.payment.approver}\n"
    detection = compiled(VIEW, EXPORT, correlation(body("event_count", "view, export", "{gte: 2}", aliases)))
    assert "InsGroup1 = case(InsRule1 == 1, tolower(ActorUsername), tolower(InsPaymentApprover))" in detection.query
    assert detection.group_fields == ("who",)
    assert "['who'] = InsGroup1" in detection.query


def test_an_array_of_groups_spreads_over_its_distinct_elements() -> None:
    query = compiled(VIEW, correlation(COUNT.replace("user.name", "user.roles"))).query
    assert (
        "InsGroup1 = iff(coalesce(array_length(ActorRoles), 0) > 0, "
        'set_union(todynamic(tolower(tostring(ActorRoles))), dynamic([])), dynamic([""]))\n'
    ) in query
    assert ONCE + "| mv-expand InsGroup1 to typeof(string)\n| where isnotempty(InsGroup1)\n" in query


def test_without_groups_there_is_one_row_or_none() -> None:
    query = compiled(VIEW, correlation(COUNT.replace("  group-by: [user.name]\n", ""))).query
    assert "| extend InsValue = row_cumsum(InsChange, false)\n" in query
    assert "| where isnotnull(InsLast)\n" in query


@pytest.mark.parametrize(
    ("condition", "clauses"),
    [("{gt: 3}", "InsValue > 3"), ("{gte: 2, lte: 5}", "InsValue >= 2 and InsValue <= 5"), ("{eq: 3}", "InsValue == 3")],
)
def test_every_operator_is_judged(condition: str, clauses: str) -> None:
    query = compiled(VIEW, correlation(COUNT.replace("{gte: 10}", condition))).query
    assert f"| where InsEdge == 0 and {clauses}\n" in query


@pytest.mark.parametrize(
    ("rules", "written", "reason"),
    [
        ((VIEW, FAILED), body("temporal_ordered", "view, failed", ""), "one event may match two"),
        (
            (VIEW, FAILED),
            body("temporal", "view, failed", "", "  group-by: [w]\n  aliases:\n    w: {view: user.name, failed: device.id}\n"),
            "one event may match two",
        ),
        ((VIEW,), body("value_sum", "view", "{gte: 2, field: user.roles}"), "cannot be added up"),
        (
            (VIEW,),
            body("event_count", "view", "{gte: 2}", "  group-by: [user.name, w]\n  aliases: {w: {view: user.name}}\n"),
            "stands twice",
        ),
    ],
)
def test_what_kql_cannot_say_is_refused(rules: tuple[str, ...], written: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        compiled(*rules, correlation(written))


@pytest.mark.parametrize("kind", ALL_TYPES)
def test_no_query_uses_what_estimates_or_stops_silently(kind: str) -> None:
    more = ", percentile: 95" if kind == "value_percentile" else ""
    measured = f"{{gte: 2, field: insurance.record_count{more}}}"
    condition = {"temporal": "", "temporal_ordered": "", "event_count": "{gte: 2}"}.get(kind, measured)
    query = compiled(VIEW, EXPORT, correlation(body(kind, "view, export", condition))).query
    for word in ("dcount", "percentile(", "make_list", "make_set", "join", "bin(", "take", "top ", "union *", "search *"):
        assert word not in query


def test_a_look_back_of_two_days_slows_the_rule_down() -> None:
    schedule = compiled(VIEW, correlation(COUNT.replace("30m", "2d"))).schedule
    assert (schedule.interval_ms, schedule.lookback_ms) == (3_600_000, 2 * 86_400_000 + 65 * 60_000)


def test_beyond_fourteen_days_a_daily_roll_up_of_events_takes_over() -> None:
    detection = compiled(VIEW, correlation(COUNT.replace("30m", "30d")))
    (daily,) = detection.companions
    assert (daily.kind, daily.name, daily.interval_ms) == ("rollup", "InsMatches_c1_KQL_CL", 86_400_000)
    assert dict(daily.columns) == {
        "InsRun": "datetime",
        "InsCut": "datetime",
        "InsMs": "long",
        "InsTenant": "string",
        "InsSource": "string",
        "InsFeed": "string",
        "InsEvent": "string",
        "InsGroup1": "string",
    }
    assert daily.query == (
        "let InsUpTo = startofday(now() - 80m);\n"
        "InsClaims_CL\n"
        "| where TimeGenerated >= InsUpTo - 30d and TimeGenerated < InsUpTo\n"
        '| where InsLogSource =~ "insurance_claims"\n'
        '| where Operation =~ "claim-view"\n'
        f"| project {TIME}, {IDENTITY}, InsGroup1 = tolower(ActorUsername)\n"
        "| extend InsRun = now(), InsCut = InsUpTo"
    )
    assert detection.query.startswith(
        "let InsNewest = toscalar(InsMatches_c1_KQL_CL | where InsRun <= ago(1h) | summarize max(InsRun));\n"
        "let InsUpTo = coalesce(toscalar(InsMatches_c1_KQL_CL | where InsRun == InsNewest | summarize max(InsCut)), "
        "datetime(1970-01-01));\n"
        "union\n"
        "    (InsMatches_c1_KQL_CL | where InsRun == InsNewest | project InsMs, InsTenant, InsSource, InsFeed, InsEvent, InsGroup1),\n"
        "    (InsClaims_CL\n"
        "    | where TimeGenerated >= InsUpTo\n"
    )
    assert detection.schedule.lookback_ms == 14 * 86_400_000
    assert any("InsMatches_c1_KQL_CL" in note for note in detection.notes)


def test_beyond_ten_thousand_characters_a_function_takes_over() -> None:
    values = ", ".join(f"value-number-{number}" for number in range(1000))
    long = event_rule(f"  s: {{a: [{values}]}}\n  condition: s", "view")
    detection = compiled(long, correlation(COUNT))
    (saved,) = detection.companions
    assert (saved.kind, saved.name) == ("function", "InsMatches_c1")
    assert detection.query.startswith("InsMatches_c1()\n| sort by InsEvent asc")
    assert "value-number-999" in saved.query
    event = compiled(long)
    assert event.query == "InsDetection_view()"
    assert "value-number-999" in event.companions[0].query


def test_a_long_label_is_cut_and_told_apart() -> None:
    names = [compiled(VIEW, correlation(COUNT.replace("30m", "30d"), f"{'x' * 40}-{end}")).companions[0].name for end in "ab"]
    assert names[0] != names[1]
    assert all(len(name) < 60 for name in names)
