"""Correlations: golden searches for the six types, what is refused, and what no search may contain."""

from __future__ import annotations

import pytest

from insigma.bind.model import BoundCorrelation, Refused
from insigma.targets.splunk.target import SplunkTarget
from tests.targets.splunk_harness import bound, compiled, correlation, event_rule, pack, selection

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
ROWS = """index=ins_claims insurance.logsource="insurance_claims" event.action="claim-view"
| where lower('event.action')="claim-view"
| eval insigma_ms=round(_time*1000)
| eval insigma_group_1=lower('user.name')
"""
EVENT_ID = """| eval insigma_event=if(isnull('event.id') OR 'event.id'="", null(), """ + (
    """coalesce('organization.id', "")." | ".coalesce('insurance.logsource', "")." | ".coalesce('event.dataset', "")." | ".'event.id')\n"""
)
NEW = """| addinfo
| where if(insigma_truncated=0 AND info_max_time-info_min_time<=%d AND insigma_ms<1000*info_max_time-600000, 0, 1)=1
"""
SHOWN = """| eval insigma_group_1=if(insigma_truncated=1, "(search cut short)", insigma_group_1)
| stats min(insigma_ms) as insigma_first max(insigma_ms) as insigma_last max(insigma_truncated) as insigma_truncated \
max(insigma_value) as insigma_value by insigma_group_1
| eval insigma_first=insigma_first/1000, insigma_last=insigma_last/1000, _time=insigma_last
| rename insigma_group_1 as user.name
"""


def body(kind: str, rules: str, condition: str, more: str = "  group-by: [user.name]\n") -> str:
    return f"  type: {kind}\n  rules: [{rules}]\n  timespan: 1h\n{more}" + (f"  condition: {condition}\n" if condition else "")


def test_event_count() -> None:
    detection = compiled(VIEW, correlation(COUNT))
    assert detection.query == ROWS + "| where isnotnull(insigma_group_1)\n" + EVENT_ID + (
        "| table insigma_ms insigma_group_1 insigma_event\n"
        "| sort 0 insigma_ms\n"
        "| dedup insigma_event keepempty=true\n"
        '| eval insigma_edge=split("0 1", " ")\n'
        "| stats count as insigma_change by insigma_group_1 insigma_ms insigma_edge\n"
        "| eval insigma_ms=if(insigma_edge=1, insigma_ms+1800000, insigma_ms), "
        "insigma_change=if(insigma_edge=1, 0-insigma_change, insigma_change)\n"
        "| sort 0 insigma_ms insigma_edge\n"
        "| streamstats sum(insigma_change) as insigma_value by insigma_group_1\n"
        "| eval insigma_truncated=if(isnull(insigma_value), 1, 0)\n"
        "| where insigma_truncated=1 OR (insigma_edge=0 AND insigma_value>=10)\n"
    ) + NEW % 2400 + SHOWN + "| table _time insigma_first insigma_last insigma_truncated insigma_value user.name"  # fmt: skip
    assert detection.window == "exact"
    assert detection.group_fields == ("user.name",)
    assert detection.schedule.lookback_ms == (30 + 5 + 5) * 60_000


def test_value_count_keeps_events_without_a_value_as_instants() -> None:
    query = compiled(VIEW, correlation(body("value_count", "view", "{gte: 3, field: insurance.claim.id}"))).query
    assert '| eval insigma_counts=if(isnull(insigma_value_1), 0, 1), insigma_value_1=coalesce(insigma_value_1, "-")\n' in query
    assert query.split("| sort 0 insigma_ms insigma_edge\n")[1] == (
        "| streamstats sum(insigma_change) as insigma_present by insigma_group_1 insigma_counts insigma_value_1\n"
        "| eval insigma_change=case(isnull(insigma_present), null(), insigma_counts=0, 0, "
        "insigma_edge=0 AND insigma_present=insigma_change, 1, insigma_edge=1 AND insigma_present=0, -1, 1=1, 0)\n"
        "| streamstats sum(insigma_change) as insigma_value by insigma_group_1\n"
        "| eval insigma_truncated=if(isnull(insigma_present) OR isnull(insigma_value), 1, 0)\n"
        "| where insigma_truncated=1 OR insigma_edge=0\n"
        "| stats max(insigma_value) as insigma_value max(insigma_truncated) as insigma_truncated by insigma_group_1 insigma_ms\n"
        "| where insigma_truncated=1 OR insigma_value>=3\n"
        + NEW % 4200
        + SHOWN
        + "| table _time insigma_first insigma_last insigma_truncated insigma_value user.name"
    )


def test_value_count_over_several_fields_counts_whole_tuples() -> None:
    query = compiled(VIEW, correlation(body("value_count", "view", "{gte: 3, field: [insurance.claim.id, source.ip]}"))).query
    assert "insigma_counts=if(isnull(insigma_value_1) OR isnull(insigma_value_2), 0, 1)" in query
    assert "by insigma_group_1 insigma_counts insigma_value_1 insigma_value_2 insigma_ms insigma_edge" in query


def test_value_sum_judges_whole_windows_only_as_values_may_be_negative() -> None:
    detection = compiled(VIEW, correlation(body("value_sum", "view", "{gte: 5000.5, field: insurance.record_count}")))
    assert "| eval insigma_value_1=tonumber('insurance.record_count')\n" in detection.query
    assert "| stats sum(insigma_value_1) as insigma_change by insigma_group_1 insigma_ms insigma_edge\n" in detection.query
    assert (
        "| eval insigma_value=round(insigma_value, 6)\n| eval insigma_truncated=if(isnull(insigma_value), 1, 0)\n| addinfo\n"
        "| where insigma_truncated=1 OR (insigma_edge=0 AND insigma_value>=5000.5 AND insigma_ms>=1000*info_min_time+3600000)\n"
    ) in detection.query
    assert any("whole window" in note for note in detection.notes)


def test_value_avg_divides_by_the_events_that_have_a_value() -> None:
    query = compiled(VIEW, correlation(body("value_avg", "view", "{gt: 2, field: insurance.record_count}"))).query
    assert (
        "| streamstats sum(insigma_change) as insigma_sum sum(insigma_counts) as insigma_values by insigma_group_1\n"
        "| eval insigma_truncated=if(isnull(insigma_values), 1, 0)\n"
        "| eval insigma_value=if(insigma_values>0, round(insigma_sum, 6)/insigma_values, null())\n"
        "| addinfo\n"
        "| where insigma_truncated=1 OR (insigma_edge=0 AND insigma_value>2 AND insigma_ms>=1000*info_min_time+3600000)\n"
    ) in query


def test_a_percentile_is_judged_by_counting() -> None:
    condition = "{gte: 5, neq: 7.5, field: insurance.record_count, percentile: 95}"
    rule = bound(VIEW, correlation(body("value_percentile", "view", condition)))
    assert isinstance(rule, BoundCorrelation)
    query = SplunkTarget(pack()[0]).instants(rule)
    assert query.split("| dedup insigma_event keepempty=true\n")[1] == (
        "| eval insigma_below_1=if(insigma_counts=1 AND insigma_value_1<5, 1, 0), "
        "insigma_below_2=if(insigma_counts=1 AND insigma_value_1<7.5, 1, 0), "
        "insigma_upto_2=if(insigma_counts=1 AND insigma_value_1<=7.5, 1, 0)\n"
        '| eval insigma_edge=split("0 1", " ")\n'
        "| stats sum(insigma_counts) as insigma_counts sum(insigma_below_1) as insigma_below_1 sum(insigma_below_2) as insigma_below_2 "
        "sum(insigma_upto_2) as insigma_upto_2 by insigma_group_1 insigma_ms insigma_edge\n"
        "| eval insigma_ms=if(insigma_edge=1, insigma_ms+3600000, insigma_ms), "
        "insigma_counts=if(insigma_edge=1, 0-insigma_counts, insigma_counts), "
        "insigma_below_1=if(insigma_edge=1, 0-insigma_below_1, insigma_below_1), "
        "insigma_below_2=if(insigma_edge=1, 0-insigma_below_2, insigma_below_2), "
        "insigma_upto_2=if(insigma_edge=1, 0-insigma_upto_2, insigma_upto_2)\n"
        "| sort 0 insigma_ms insigma_edge\n"
        "| streamstats sum(insigma_counts) as insigma_values sum(insigma_below_1) as insigma_sum_below_1 "
        "sum(insigma_below_2) as insigma_sum_below_2 sum(insigma_upto_2) as insigma_sum_upto_2 by insigma_group_1\n"
        "| eval insigma_truncated=if(isnull(insigma_values), 1, 0)\n"
        "| addinfo\n"
        "| where insigma_truncated=1 OR (insigma_edge=0 AND insigma_values>0 AND 100 * insigma_sum_below_1 < 95 * insigma_values "
        "AND (100 * insigma_sum_below_2 >= 95 * insigma_values OR 100 * insigma_sum_upto_2 < 95 * insigma_values) "
        "AND insigma_ms>=1000*info_min_time+3600000)"
    )


def test_the_rank_of_the_lowest_percentile_is_the_first() -> None:
    query = compiled(VIEW, correlation(body("value_percentile", "view", "{lt: 5, field: insurance.record_count, percentile: 0}"))).query
    assert "insigma_values>0 AND 100 * insigma_sum_below_1 >= 1 AND" in query


def test_temporal_lets_one_event_satisfy_several_members() -> None:
    query = compiled(VIEW, FAILED, correlation(body("temporal", "view, failed", ""))).query
    assert "| eval insigma_rule_1=if(lower('event.action')=\"claim-view\", insigma_ms, null())\n" in query
    assert "| where isnotnull(insigma_rule_1) OR isnotnull(insigma_rule_2)\n" in query
    assert (
        "| stats max(insigma_rule_1) as insigma_rule_1 max(insigma_rule_2) as insigma_rule_2 by insigma_group_1 insigma_ms\n"
        "| sort 0 insigma_ms\n"
        "| streamstats count as insigma_rows "
        "max(insigma_rule_1) as insigma_last_1 max(insigma_rule_2) as insigma_last_2 by insigma_group_1\n"
        "| eval insigma_truncated=if(isnull(insigma_rows), 1, 0)\n"
        "| where insigma_truncated=1 OR (insigma_ms-insigma_last_1<=3600000 AND insigma_ms-insigma_last_2<=3600000)\n"
    ) in query
    assert query.endswith("| table _time insigma_first insigma_last insigma_truncated user.name")


def test_temporal_with_a_count_of_members() -> None:
    query = compiled(VIEW, EXPORT, FAILED, correlation(body("temporal", "view, export, failed", "{gte: 2}"))).query
    assert (
        "| eval insigma_value=if(insigma_ms-insigma_last_1<=3600000, 1, 0)+if(insigma_ms-insigma_last_2<=3600000, 1, 0)"
        "+if(insigma_ms-insigma_last_3<=3600000, 1, 0)\n| where insigma_truncated=1 OR insigma_value>=2\n"
    ) in query


def test_extended_temporal_with_a_negation_needs_whole_windows() -> None:
    query = compiled(VIEW, FAILED, correlation(body("temporal", "view, failed", "view and not failed"))).query
    assert (
        "| addinfo\n| where insigma_truncated=1 "
        "OR ((insigma_ms-insigma_last_1<=3600000 AND if(insigma_ms-insigma_last_2<=3600000, 0, 1)=1) "
        "AND insigma_ms>=1000*info_min_time+3600000)\n"
    ) in query


def test_temporal_ordered_over_two_log_sources() -> None:
    query = compiled(VIEW, RELEASE, correlation(body("temporal_ordered", "view, release", ""))).query
    assert query.startswith(
        '(index=ins_claims insurance.logsource="insurance_claims" event.action="claim-view")\n'
        '  OR (index=ins_payment insurance.logsource="insurance_payment" event.action="payment-release")\n'
        "| eval insigma_rule=case(\n"
        "    lower('insurance.logsource')=\"insurance_claims\"\n"
        "      AND lower('event.action')=\"claim-view\", 1,\n"
        "    lower('insurance.logsource')=\"insurance_payment\"\n"
        "      AND lower('event.action')=\"payment-release\", 2)\n"
        "| where isnotnull(insigma_rule)\n"
    )
    assert (
        "| stats count by insigma_group_1 insigma_ms insigma_rule\n"
        "| sort 0 insigma_ms insigma_rule\n"
        "| streamstats count as insigma_rows_1 "
        "max(eval(if(insigma_rule=1, insigma_ms, null()))) as insigma_start_1 by insigma_group_1\n"
        "| streamstats count as insigma_rows_2 "
        "max(eval(if(insigma_rule=2, insigma_start_1, null()))) as insigma_start_2 by insigma_group_1\n"
        "| eval insigma_truncated=if(isnull(insigma_rows_1) OR isnull(insigma_rows_2), 1, 0)\n"
        "| where insigma_truncated=1 OR insigma_ms-insigma_start_2<=3600000\n"
    ) in query


def test_temporal_ordered_is_made_of_distinct_events_where_one_may_match_two_rules() -> None:
    rule = bound(VIEW, FAILED, correlation(body("temporal_ordered", "view, failed", "")))
    assert isinstance(rule, BoundCorrelation)
    query = SplunkTarget(pack()[0]).instants(rule)
    assert query.split("| dedup insigma_event keepempty=true\n")[1] == (
        "| stats sum(eval(if(isnotnull(insigma_rule_1), 1, 0))) as insigma_any_1 "
        "sum(eval(if(isnotnull(insigma_rule_2), 1, 0))) as insigma_any_2 "
        "sum(eval(if(isnotnull(insigma_rule_1) OR isnotnull(insigma_rule_2), 1, 0))) as insigma_any_1_2 by insigma_group_1 insigma_ms\n"
        "| sort 0 insigma_ms\n"
        "| streamstats count as insigma_row by insigma_group_1\n"
        "| eval insigma_reached=case(insigma_any_1>=1, insigma_ms)\n"
        "| streamstats current=f count as insigma_rows_1 max(insigma_reached) as insigma_before_1 by insigma_group_1\n"
        "| eval insigma_reached=case(insigma_any_1>=1 AND insigma_any_2>=1 AND insigma_any_1_2>=2, insigma_ms, "
        "insigma_any_2>=1, insigma_before_1)\n"
        "| streamstats count as insigma_rows_2 max(insigma_reached) as insigma_start by insigma_group_1\n"
        "| eval insigma_truncated=if(isnull(insigma_row) OR isnull(insigma_rows_2) OR (insigma_row>1 AND (isnull(insigma_rows_1))), 1, 0)\n"
        "| where insigma_truncated=1 OR insigma_ms-insigma_start<=3600000"
    )


def test_members_may_name_the_group_differently_if_they_exclude_each_other() -> None:
    aliases = "  group-by: [who]\n  aliases:\n    who: {view: user.name, release: insurance.payment.approver}\n"
    query = compiled(VIEW, RELEASE, correlation(body("temporal", "view, release", "", aliases))).query
    assert "| eval insigma_group_1=case(insigma_rule=1, lower('user.name'), insigma_rule=2, lower('insurance.payment.approver'))\n" in query
    assert "max(eval(if(insigma_rule=1, insigma_ms, null()))) as insigma_rule_1" in query
    assert "| rename insigma_group_1 as who\n" in query


def test_an_array_of_groups_spreads_over_its_distinct_elements() -> None:
    query = compiled(VIEW, correlation(COUNT.replace("user.name", "user.roles"))).query
    assert "| eval insigma_group_1=mvdedup(mvmap('user.roles{}', lower('user.roles{}')))\n" in query


def test_without_groups_there_is_one_row_or_none() -> None:
    query = compiled(VIEW, correlation(COUNT.replace("  group-by: [user.name]\n", ""))).query
    assert "| streamstats sum(insigma_change) as insigma_value\n" in query
    assert "| where isnotnull(insigma_last)\n" in query
    assert query.endswith("| table _time insigma_first insigma_last insigma_truncated insigma_value")


@pytest.mark.parametrize(
    ("condition", "clauses", "picked"),
    [
        ("{gt: 3}", "insigma_value>3", "max"),
        ("{gte: 2, lte: 5}", "insigma_value>=2 AND insigma_value<=5", "max"),
        ("{eq: 3}", "insigma_value=3", "max"),
        ("{gte: 1, lt: 3}", "insigma_value>=1 AND insigma_value<3", "max"),
    ],
)
def test_every_operator_is_judged(condition: str, clauses: str, picked: str) -> None:
    query = compiled(VIEW, correlation(COUNT.replace("{gte: 10}", condition))).query
    assert f"| where insigma_truncated=1 OR (insigma_edge=0 AND {clauses}" in query
    assert f"{picked}(insigma_value) as insigma_value" in query
    assert ("info_min_time+1800000" in query) == (condition != "{gt: 3}")


def test_several_members_count_an_event_once() -> None:
    query = compiled(VIEW, FAILED, correlation(COUNT.replace("[view]", "[view, failed]"))).query
    assert "| where lower('event.action')=\"claim-view\"\n    OR lower('event.outcome')=\"failure\"\n" in query
    assert query.startswith('index=ins_claims insurance.logsource="insurance_claims"\n')


@pytest.mark.parametrize(
    ("rules", "written", "reason"),
    [
        (
            (VIEW, FAILED),
            body("temporal_ordered", "view, failed, view, failed, view", ""),
            "may match two of its rules, and they are more than 4",
        ),
        (
            (VIEW, FAILED),
            body("temporal", "view, failed", "", "  group-by: [w]\n  aliases:\n    w: {view: a, failed: b}\n"),
            "may match two",
        ),
        ((VIEW,), body("value_median", "view", "{gte: 3, field: numbers}"), "several values"),
        ((VIEW,), body("value_sum", "view", "{gte: 3, field: numbers}"), "several values"),
        ((VIEW,), COUNT.replace("[user.name]", "[evil]"), "not allowed"),
    ],
)
def test_what_cannot_be_exact_is_refused(rules: tuple[str, ...], written: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        compiled(*rules, correlation(written))


ALL = [
    ((VIEW,), COUNT),
    ((VIEW,), body("value_count", "view", "{gte: 3, field: insurance.claim.id}")),
    ((VIEW,), body("value_sum", "view", "{gte: 3, field: insurance.record_count}")),
    ((VIEW,), body("value_avg", "view", "{gte: 3, field: insurance.record_count}")),
    ((VIEW,), body("value_percentile", "view", "{gte: 3, neq: 7, field: insurance.record_count, percentile: 90}")),
    ((VIEW,), body("value_median", "view", "{lt: 3, field: insurance.record_count}")),
    ((VIEW, FAILED), body("temporal", "view, failed", "")),
    ((VIEW, EXPORT), body("temporal_ordered", "view, export", "")),
    ((VIEW, FAILED), body("temporal_ordered", "view, failed, view", "")),
]


@pytest.mark.parametrize(("rules", "written"), ALL)
def test_no_command_that_cuts_or_forgets(rules: tuple[str, ...], written: str) -> None:
    query = compiled(*rules, correlation(written)).query
    commands = [line.split()[1] for line in query.split("\n") if line.startswith("| ")]
    assert not set(commands) & {"bin", "bucket", "transaction", "join", "append", "mvexpand", "head", "map", "delete", "eventstats"}
    assert all(line.startswith("| sort 0 ") for line in query.split("\n") if line.startswith("| sort"))
    assert "time_window" not in query
    assert "[" not in query


@pytest.mark.parametrize(("rules", "written"), ALL)
def test_a_search_cut_short_says_so(rules: tuple[str, ...], written: str) -> None:
    """Whatever `streamstats` could leave out is marked, and the mark passes every filter after it."""
    lines = compiled(*rules, correlation(written)).query.split("\n")
    running = [line for line in lines if line.startswith("| streamstats")]
    marking = next(index for index, line in enumerate(lines) if line.startswith("| eval insigma_truncated="))
    for line in running:
        assert lines.index(line) < marking
        assert any(f"isnull({word})" in lines[marking] for word in line.split(" by ")[0].split())
    passing = ("| where insigma_truncated=1 OR ", "| where if(insigma_truncated=0 AND ")
    assert all(line.startswith(passing) for line in lines[marking:] if line.startswith("| where"))


@pytest.mark.parametrize(("rules", "written"), ALL)
def test_the_instants_are_the_search_without_its_presentation(rules: tuple[str, ...], written: str) -> None:
    rule = bound(*rules, correlation(written))
    assert isinstance(rule, BoundCorrelation)
    target = SplunkTarget(pack()[0])
    instants = target.instants(rule)
    new = NEW % (target.compile(rule).schedule.lookback_ms // 1000)
    assert target.compile(rule).query.startswith(f"{instants}\n{new}| eval insigma_group_1=if(insigma_truncated=1, ")
    assert instants.split("\n")[-1].startswith("| where ")


def test_a_rule_with_alternatives_stays_one_group_among_several_members() -> None:
    either = event_rule("  s: {event.action: claim-view}\n  t: {event.outcome: failure}\n  condition: s or t", "either", number=5)
    query = compiled(either, EXPORT, correlation(COUNT.replace("[view]", "[either, export]"))).query
    assert (
        "| where lower('event.action')=\"claim-view\"\n    OR lower('event.outcome')=\"failure\"\n"
        "    OR lower('event.action')=\"claim-export\"\n"
    ) in query
