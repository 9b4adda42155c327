"""Correlations as EQL sequences and as ES|QL over hopping windows."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from insigma.bind.model import Refused
from insigma.targets.elastic.hopping import hopping_query
from insigma.targets.elastic.target import ElasticTarget
from tests.targets.elastic_harness import bound_correlation, correlated, pack

COUNT = "type: event_count\nrules: [view]\ngroup-by: [user.name]\ntimespan: 30m\ncondition: {%s}"
ORDERED = "type: temporal_ordered\nrules: [%s]\ngroup-by: [%s]\ntimespan: 72h"
VALUES = "type: %s\nrules: [view]\ngroup-by: [user.name]\ntimespan: 1h\ncondition: {%s}"


def test_an_ordered_chain_is_a_sequence() -> None:
    found = correlated(ORDERED % ("view, export, pay", "insurance.claim.id"))
    assert (found.language, found.window, found.group_fields) == ("eql", "exact", ("insurance.claim.id",))
    assert found.query == "\n".join(
        (
            "sequence by insurance.claim.id with maxspan=3d",
            '  [any where insurance.logsource == "insurance_claims"',
            '    and event.action == "claim-view"]',
            '  [any where insurance.logsource == "insurance_claims"',
            '    and event.action == "claim-export"',
            '    and not (insurance.context.on_cat_duty == "yes")]',
            '  [any where insurance.logsource == "insurance_payment"',
            '    and event.action == "payment-release"]',
        )
    )
    assert [note.split(":")[0] for note in found.notes] == ["events of the same millisecond are taken in index order"]
    assert found.scope == {"index": "logs-insurance.claims-*,logs-insurance.payment-*"}


def test_steps_that_one_event_may_match_are_distinct_documents() -> None:
    found = correlated(ORDERED % ("view, success", "user.name"))
    assert any("indexed twice" in note for note in found.notes)


def test_aliases_join_on_another_field_in_each_step() -> None:
    found = correlated(ORDERED % ("view, pay", "who") + "\naliases: {who: {view: user.target.name, pay: user.name}}")
    assert found.query.startswith("sequence with maxspan=3d\n")
    assert re.findall(r"\] by (\S+)", found.query) == ["user.target.name", "user.name"]
    assert found.group_fields == ()


@pytest.mark.parametrize(("bound", "runs"), [("gte: 10", 10), ("gt: 4", 5), ("gte: 3.5", 4), ("gt: 3.5", 4), ("gte: 2", 2)])
def test_small_counts_are_runs_of_a_sequence(bound: str, runs: int) -> None:
    found = correlated(COUNT % bound)
    assert found.query == "\n".join(
        (
            "sequence by user.name with maxspan=30m",
            '  [any where insurance.logsource == "insurance_claims"',
            f'    and event.action == "claim-view"] with runs={runs}',
        )
    )


@pytest.mark.parametrize("bound", ["gte: 11", "gte: 1"])
def test_other_counts_are_hopping(bound: str) -> None:
    assert correlated(COUNT % bound).window == "hopping(150s)"


@pytest.mark.parametrize("bound", ["gte: 3, lt: 5", "eq: 3"])
def test_a_condition_that_further_events_undo_is_approximate_and_has_to_be_accepted(bound: str) -> None:
    assert correlated(COUNT % bound).window == "approximate"
    mapping = replace(pack()[0], options={"interval": "5m"})
    with pytest.raises(Refused, match="approximate: true"):
        ElasticTarget(mapping).compile(bound_correlation(COUNT % bound))


def test_a_language_that_is_asked_for_is_tried_alone() -> None:
    assert "runs=100" in correlated(COUNT % "gte: 100", "eql").query
    assert correlated(COUNT % "gte: 3", "esql").window == "hopping(150s)"
    with pytest.raises(Refused, match=r"101 events are not counted by a sequence \(2 to 100\)"):
        correlated(COUNT % "gte: 101", "eql")
    with pytest.raises(Refused, match="no correlations"):
        correlated(COUNT % "gte: 3", "lucene")


def test_several_members_are_one_step() -> None:
    found = correlated("type: event_count\nrules: [view, pay]\ntimespan: 1h\ncondition: {gte: 3}")
    assert found.query == "\n".join(
        (
            "sequence with maxspan=1h",
            '  [any where (insurance.logsource == "insurance_claims" and event.action == "claim-view")',
            '    or (insurance.logsource == "insurance_payment" and event.action == "payment-release")] with runs=3',
        )
    )


def test_value_count_in_full() -> None:
    found = correlated(VALUES % ("value_count", "gte: 60, field: insurance.claim.id"))
    assert (found.language, found.window, found.group_fields) == ("esql", "hopping(5m)", ("user.name",))
    assert found.query == "\n".join(
        (
            "FROM logs-insurance.claims-* METADATA _id, _index",
            '| WHERE insurance.logsource == "insurance_claims"',
            '    AND event.action == "claim-view"',
            "    AND user.name IS NOT NULL",
            "    AND insurance.claim.id IS NOT NULL",
            "| EVAL slot = TO_LONG(@timestamp) / 300000",
            "| STATS first_seen = MIN(@timestamp), last_seen = MAX(@timestamp) BY user.name, insurance.claim.id, slot",
            "| EVAL hop = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]",
            "| MV_EXPAND hop",
            "| EVAL window = slot - hop",
            "| STATS first_seen = MIN(first_seen), last_seen = MAX(last_seen) BY user.name, insurance.claim.id, window",
            "| STATS value = COUNT(*), first_seen = MIN(first_seen), last_seen = MAX(last_seen) BY user.name, window",
            "| WHERE value >= 60",
            "| STATS value = MAX(value), first_seen = MIN(first_seen), last_seen = MAX(last_seen) BY user.name",
            "| SORT value DESC, user.name",
            "| LIMIT 10000",
        )
    )
    assert found.notes == ("windows of 1h begin every 5m: a burst that takes longer than 55m may be missed",)


def test_counts_and_sums_take_an_event_once() -> None:
    for body in (COUNT % "gte: 60", VALUES % ("value_sum", "gte: 5000, field: insurance.record_count")):
        query = correlated(body).query
        assert '| EVAL delivery = CASE(event.id IS NULL OR event.id == "", CONCAT(_index, "/", _id))' in query
        assert "BY user.name, organization.id, insurance.logsource, event.dataset, event.id.cased, delivery" in query
        assert "COUNT_DISTINCT" not in query


def test_an_average_divides_exact_sums() -> None:
    query = correlated(VALUES % ("value_avg", "gt: 250000, field: http.response.bytes")).query
    assert "| EVAL value = TO_DOUBLE(value) / counted\n| WHERE value > 250000\n" in query
    assert "AND http.response.bytes IS NOT NULL" in query


def test_a_percentile_is_judged_by_counting() -> None:
    found = correlated(VALUES % ("value_percentile", "gte: 5000, field: insurance.record_count, percentile: 95"))
    assert (found.language, found.window) == ("esql", "approximate")
    assert found.query.endswith(
        "\n".join(
            (
                "| EVAL slot = TO_LONG(moment) / 300000",
                "| EVAL below_1 = CASE(amount < 5000, 1, 0)",
                "| STATS counted = COUNT(*), below_1 = SUM(below_1), first_seen = MIN(moment), last_seen = MAX(moment) BY user.name, slot",
                "| EVAL hop = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]",
                "| MV_EXPAND hop",
                "| EVAL window = slot - hop",
                "| STATS counted = SUM(counted), below_1 = SUM(below_1), first_seen = MIN(first_seen), last_seen = MAX(last_seen) "
                "BY user.name, window",
                "| WHERE 100 * below_1 < 95 * counted",
                "| STATS first_seen = MIN(first_seen), last_seen = MAX(last_seen) BY user.name",
                "| SORT last_seen DESC, user.name",
                "| LIMIT 10000",
            )
        )
    )
    assert any("undone" in note for note in found.notes)


def test_a_median_of_a_float_field_is_compared_as_a_float() -> None:
    found = correlated("type: value_median\nrules: [view]\ntimespan: 1h\ncondition: {gt: 0.1, lte: 5, field: ratio}")
    assert "| EVAL upto_1 = CASE(amount <= 0.10000000149011612, 1, 0), upto_2 = CASE(amount <= 5, 1, 0)\n" in found.query
    assert "| WHERE 100 * upto_1 < 50 * counted AND 100 * upto_2 >= 50 * counted\n" in found.query
    assert found.query.endswith("| WHERE last_seen IS NOT NULL\n| SORT last_seen DESC\n| LIMIT 10000")
    assert any("float" in note for note in found.notes)


@pytest.mark.parametrize("group", ["user.roles", "raw"])
def test_two_rules_in_order_are_hopping_where_a_sequence_cannot_join(group: str) -> None:
    found = correlated(ORDERED % ("view, pay", group))
    assert (found.language, found.window) == ("esql", "hopping(6h)")
    assert (
        "| STATS start = MIN(CASE(hit_1 == 1, @timestamp)), end = MAX(CASE(hit_2 == 1, @timestamp)), "
        f"first_seen = MIN(@timestamp), last_seen = MAX(@timestamp) BY {group}, slot\n"
    ) in found.query
    assert (
        f"| STATS start = MIN(start), end = MAX(end), first_seen = MIN(first_seen), last_seen = MAX(last_seen) BY {group}, window\n"
        f"| WHERE start <= end\n| STATS first_seen = MIN(first_seen), last_seen = MAX(last_seen) BY {group}\n"
    ) in found.query
    assert not any("undone" in note for note in found.notes)
    with pytest.raises(Refused):
        correlated(ORDERED % ("view, pay", group), "eql")


def test_temporal_flags_each_rule_and_an_event_may_carry_several() -> None:
    found = correlated("type: temporal\nrules: [view, success]\ngroup-by: [user.name]\ntimespan: 14d")
    assert found.window == "hopping(28h)"
    assert (
        '| EVAL hit_1 = CASE(insurance.logsource == "insurance_claims"\n    AND event.action == "claim-view", 1, 0)\n'
        '| EVAL hit_2 = CASE(insurance.logsource == "insurance_claims"\n    AND event.outcome == "success", 1, 0)\n'
    ) in found.query
    assert "| EVAL value = hit_1 + hit_2\n| WHERE value >= 2\n" in found.query


def test_an_extended_condition_reads_the_flags() -> None:
    found = correlated(
        "type: temporal\nrules: [view, export, pay]\ngroup-by: [user.name]\ntimespan: 1h\ncondition: view and (export or not pay)"
    )
    assert "| WHERE hit_1 == 1 AND (hit_2 == 1 OR NOT (hit_3 == 1))\n" in found.query
    assert any("undone" in note for note in found.notes)


def test_an_alias_is_made_of_the_field_of_each_member() -> None:
    body = "type: temporal\nrules: [view, pay]\ngroup-by: [who]\ntimespan: 1h\naliases: {who: {view: user.target.name, pay: user.name}}"
    found = correlated(body)
    assert "| EVAL who = CASE(hit_1 == 1, user.target.name, hit_2 == 1, user.name)\n| WHERE who IS NOT NULL\n" in found.query
    assert found.group_fields == ("who",)
    with pytest.raises(Refused, match="not clear for an event that matches two"):
        correlated(body.replace("pay", "success"))


def test_an_array_puts_an_event_into_each_elements_group() -> None:
    query = correlated(
        "type: value_count\nrules: [view]\ngroup-by: [user.roles]\ntimespan: 1h\ncondition: {gte: 5, field: user.name}"
    ).query
    assert "| MV_EXPAND user.roles\n" in query


def test_a_count_without_group_does_not_alert_on_nothing() -> None:
    query = correlated("type: event_count\nrules: [view]\ntimespan: 1h\ncondition: {gte: 50}").query
    assert query.endswith(
        "| STATS value = MAX(value), first_seen = MIN(first_seen), last_seen = MAX(last_seen)\n"
        "| WHERE value IS NOT NULL\n| SORT value DESC\n| LIMIT 10000"
    )


@pytest.mark.parametrize(("bound", "best"), [("gte: 3", "MAX"), ("gte: 3, lt: 5", "MAX"), ("neq: 0", "MAX")])
def test_the_best_window_is_the_value(bound: str, best: str) -> None:
    found = correlated(COUNT % bound, "esql")
    assert f"| STATS value = {best}(value)" in found.query
    assert any("undone" in note for note in found.notes) == (bound != "gte: 3")


def test_the_best_window_of_an_upper_bound_is_the_lowest() -> None:
    found = correlated(VALUES % ("value_avg", "lt: 5, field: insurance.record_count"))
    assert "| WHERE value < 5\n| STATS value = MIN(value)" in found.query
    assert any("undone" in note for note in found.notes)


@pytest.mark.parametrize("timespan", ["7s", "90s", "1m", "5m", "1h", "24h", "7d", "30d", "2w"])
@pytest.mark.parametrize("hops", [2, 12, 25])
def test_windows_are_exactly_one_timespan_wide(timespan: str, hops: int) -> None:
    bound = bound_correlation(f"type: event_count\nrules: [view]\ngroup-by: [user.name]\ntimespan: {timespan}\ncondition: {{gte: 50}}")
    found = hopping_query(bound, pack()[0], hops)
    count = len(re.findall(r"\d+", re.search(r"hop = \[(.*)\]", found.query)[1]))  # type: ignore[index]
    assert count >= hops
    assert count * found.step_ms == bound.correlation.timespan_ms


def test_a_timespan_that_has_no_step_is_refused() -> None:
    with pytest.raises(Refused, match="no step"):
        hopping_query(bound_correlation(COUNT.replace("30m", "61s") % "gte: 50"), pack()[0], 59)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (ORDERED % ("view, export, pay", "user.roles"), "several values.*two rules in order, not more"),
        (ORDERED % ("view, export, pay", "raw"), "spellings"),
        (ORDERED % ("view, success", "user.roles"), "one event may match both rules"),
        (ORDERED % ("view", "user.name"), "at least two rules"),
        (VALUES % ("value_sum", "gte: 5, field: numbers"), "several values"),
        (VALUES % ("value_median", "gte: 5, field: numbers"), "several values"),
        (VALUES % ("value_sum", "gte: 5, field: user.name"), "stored as keyword by elastic: it is no number"),
        (VALUES % ("value_percentile", "gte: 5, field: source.ip, percentile: 9"), "stored as ip by elastic: it is no number"),
        (ORDERED.replace("_ordered", "") % ("view, pay", "who") + "\naliases: {who: {view: source.ip, pay: user.name}}", "different types"),
    ],
)
def test_refusals(body: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        correlated(body)


def test_a_group_that_is_stored_in_any_case_is_folded() -> None:
    found = correlated(COUNT.replace("user.name", "raw") % "gte: 5")
    assert "\n| EVAL raw = TO_LOWER(raw)\n| WHERE raw IS NOT NULL\n" in found.query


def test_an_alias_needs_two_steps_in_a_sequence() -> None:
    body = "type: event_count\nrules: [view, pay]\ngroup-by: [who]\ntimespan: 1h\ncondition: {gte: 3}"
    found = correlated(body + "\naliases: {who: {view: user.target.name, pay: user.name}}")
    assert found.language == "esql"


def test_names_of_the_querys_own_columns_are_kept_free() -> None:
    body = "type: temporal\nrules: [view, pay]\ngroup-by: [%s]\ntimespan: 1h\naliases: {%s: {view: user.target.name, pay: user.name}}"
    for name in ("value", "slot", "hit_1", "below_1", "upto_1", "start", "end"):
        with pytest.raises(Refused, match="needs for itself"):
            correlated(body % (name, name))
