"""Events: their shape, their time, whose log source they are of, and when two are the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insigma.content.model import Correlation, LogSource, Taxonomy, TaxonomyLogSource
from insigma.evaluate.engine import Engine, canonical_logsource
from insigma.evaluate.events import flatten, iso, milliseconds, text_of, time_of, values_of
from tests.evaluate.harness import alerts_of, correlation_rule, documents, event_rule, judge, read_rules

SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=2)
EVENTS = st.dictionaries(
    st.sampled_from(["a", "b", "a.b"]),
    st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2)),
    max_size=3,
)


def leaf_values(name: str, value: Any) -> list[tuple[str, Any]]:
    """Every leaf with its dotted name, straight from the definition."""
    if isinstance(value, dict):
        return [pair for key, inner in value.items() for pair in leaf_values(f"{name}.{key}", inner)]
    if isinstance(value, list):
        return [pair for element in value for pair in leaf_values(name, element)]
    return [] if value is None else [(name, value)]


@settings(derandomize=True, deadline=None)
@given(EVENTS)
def test_a_flat_event_holds_every_leaf_under_its_dotted_name_in_order(event: dict[str, Any]) -> None:
    pairs = [pair for name, value in event.items() for pair in leaf_values(name, value)]
    flat = flatten(event)
    assert set(flat) == {name for name, _ in pairs}
    for name in flat:
        assert [*map(repr, values_of(flat, name))] == [repr(value) for other, value in pairs if other == name]


def test_deep_nesting_costs_no_recursion() -> None:
    event: dict[str, Any] = {"a": "deep"}
    array: Any = "deep"
    for _ in range(5_000):
        event, array = {"a": event}, [array]
    assert list(flatten(event).values()) == ["deep"]
    assert flatten({"a": array}) == {"a": "deep"}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1970-01-01T00:00:01Z", 1_000),
        ("1970-01-01T00:00:01", 1_000),
        ("1970-01-01 00:00:01.5+00:00", 1_500),
        ("1970-01-01T02:00:01+02:00", 1_000),
        ("1970-01-01T00:00:00.0019Z", 1),
        ("1970-01-02", 86_400_000),
        (" 1970-01-01T00:00:01Z ", 1_000),
        ("1969-12-31T23:59:59.999Z", -1),
        (1, 1_000),
        (1.25, 1_250),
        (-0.0005, -1),
        (1767225600.001, 1_767_225_600_001),
        (1767225600000, 1_767_225_600_000),
        ("1767225600", 1_767_225_600_000),
        ("1767225600123", 1_767_225_600_123),
        ("1767225600.123", 1_767_225_600_123),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ("", None),
        ("yesterday", None),
        ("12", None),
        ("2026-13-01", None),
        (True, None),
        (False, None),
        (float("inf"), None),
        (float("nan"), None),
        (1767225600_000_000, None),  # microseconds: no year that a calendar has
        ("1767225600000000000", None),
        (10**30, None),
        (10**400, None),
        (-(10**15), None),
    ],
)
def test_times_are_read_in_milliseconds(written: Any, read: int | None) -> None:
    assert milliseconds(written) == read


@settings(derandomize=True, deadline=None)
@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_a_time_that_is_shown_is_read_back(time: int) -> None:
    assert milliseconds(iso(time)) == time


@settings(derandomize=True, deadline=None)
@given(st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.datetimes().map(str))
def test_every_time_that_is_read_can_be_shown(value: Any) -> None:
    time = milliseconds(value)
    assert time is None or milliseconds(iso(time)) == time


def test_true_is_no_time_whatever_was_read_before() -> None:
    assert (milliseconds(1), milliseconds(True), milliseconds(1.0)) == (1_000, None, 1_000)
    assert (milliseconds(0), milliseconds(False)) == (0, None)


def test_of_several_times_the_first_counts() -> None:
    assert time_of(flatten({"@timestamp": [5, 3]})) == 5_000
    assert time_of(flatten({"t": 7}), "t") == 7_000
    assert time_of(flatten({})) is None


@pytest.mark.parametrize(("value", "text"), [("x", "x"), (True, "true"), (False, "false"), (5, "5"), (5.0, "5"), (0.5, "0.5")])
def test_every_scalar_has_a_text(value: Any, text: str) -> None:
    assert text_of(value) == text


# --- log sources -----------------------------------------------------------------------------------


def rule_of(logsource: dict[str, str], name: str = "r") -> str:
    return event_rule({"a": 1}, name=name, logsource=logsource)


CLAIMS = TaxonomyLogSource("insurance_claims", LogSource("insurance_claims"), "", ("a",), (), None)
TAXONOMY = Taxonomy("insurance", "1", {}, {"insurance_claims": CLAIMS})


@pytest.mark.parametrize(
    ("logsource", "name"),
    [
        ({"category": "insurance_claims"}, "insurance_claims"),
        ({"category": "insurance_claims", "product": "guidewire"}, "insurance_claims"),
        ({"category": "Other"}, "other"),
        ({"product": "windows", "service": "Security"}, "security"),
        ({"product": "Windows"}, "windows"),
    ],
)
def test_a_rule_sees_its_own_log_source_in_any_case_and_events_that_name_none(logsource: dict[str, str], name: str) -> None:
    rules = read_rules(rule_of(logsource))
    assert canonical_logsource(rules[0].logsource, TAXONOMY) == name  # type: ignore[union-attr]
    events = [{"a": 1, "insurance.logsource": source} for source in (name, name.upper(), "insurance_policy", "")]
    events += [{"a": 1}, {"a": 1, "insurance": {"logsource": name}}, {"a": 1, "insurance.logsource": None}]
    assert judge(rules, events, TAXONOMY)[0].indexes == (0, 1, 4, 5, 6)


def test_an_event_of_two_log_sources_is_seen_by_the_rules_of_both_once() -> None:
    rules = read_rules(documents(rule_of({"category": "one"}), rule_of({"category": "two"}, "s"), rule_of({"category": "three"}, "t")))
    events = [{"a": 1, "insurance.logsource": ["one", "ONE", "two"]}]
    assert [verdict.indexes for verdict in judge(rules, events)] == [(0,), (0,), ()]


def test_a_correlation_sees_the_log_source_of_each_of_its_rules() -> None:
    body = {"type": "event_count", "rules": ["r", "s"], "timespan": "1m", "condition": {"gte": 1}}
    text = documents(rule_of({"category": "one"}), rule_of({"category": "two"}, "s"), correlation_rule(body))
    events = [{"a": 1, "@timestamp": 1, "insurance.logsource": name} for name in ("one", "two", "three")]
    assert judge(read_rules(text), events)[2].indexes == (0, 1)


# --- the same event twice ----------------------------------------------------------------------------

IDENTITY = {"organization.id": "acme", "insurance.logsource": "test", "event.dataset": "core", "event.id": "7"}


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({}, 1),
        ({"other": "field"}, 1),
        ({"event.id": 7}, 1),
        ({"event.id": "8"}, 2),
        ({"event.id": None}, 2),
        ({"organization.id": "other"}, 2),
        ({"event.dataset": "payments"}, 2),
        ({"event.dataset": None}, 2),
        ({"insurance.logsource": None}, 2),
    ],
)
def test_the_same_event_id_of_one_source_counts_once(change: dict[str, Any], counts: int) -> None:
    rules = read_rules(event_rule({"a": 1}))
    events = [{"a": 1, **IDENTITY}, {"a": 1, **IDENTITY, **change}]
    assert judge(rules, events)[0].indexes == (0, 1)[:counts]


def test_events_without_an_id_all_count() -> None:
    assert judge(read_rules(event_rule({"a": 1})), [{"a": 1}] * 3)[0].indexes == (0, 1, 2)


def test_a_repeated_delivery_does_not_count_in_a_correlation() -> None:
    body = {"type": "event_count", "rules": ["r"], "timespan": "1m", "condition": {"gte": 1}}
    rules = read_rules(documents(event_rule({"a": 1}), correlation_rule(body)))
    (alert,) = alerts_of(judge(rules, [{"a": 1, "event.id": "x", "@timestamp": time} for time in (5, 5, 9)])[1])
    assert (alert["value"], alert["indexes"]) == (1, [0])


# --- order and time ------------------------------------------------------------------------------------


def count_rules(least: int = 1, span: str = "1m") -> str:
    body = {"type": "event_count", "rules": ["r"], "timespan": span, "condition": {"gte": least}}
    return documents(event_rule({"a": 1}), correlation_rule(body))


def test_events_may_come_in_any_order_and_keep_their_positions() -> None:
    rules = read_rules(count_rules(3))
    times = [50, 10, 30, 400]
    (alert,) = alerts_of(judge(rules, [{"a": 1, "@timestamp": time} for time in times])[1])
    assert alert == {"first": 10, "last": 50, "value": 3, "indexes": [0, 1, 2], "instants": [50]}


def test_an_event_without_a_time_is_judged_by_rules_and_left_out_of_correlations() -> None:
    rules = read_rules(count_rules())
    engine = Engine(rules, None)
    for time in (1, None, "soon", 1767225600_000_000_000):
        engine.feed({"a": 1, "@timestamp": time})
    engine.feed({"a": 2})
    rule, correlation = engine.verdicts()
    assert rule.indexes == (0, 1, 2, 3)
    assert correlation.indexes == (0,)
    assert engine.untimed == {1, 2, 3}


def test_a_position_that_is_skipped_matches_nothing_and_is_counted() -> None:
    engine = Engine(read_rules(event_rule({"a": None})), None)
    engine.feed({"b": 1})
    engine.skip()
    engine.feed({"b": 1})
    assert engine.verdicts()[0].indexes == (0, 2)


def test_an_event_rule_alone_needs_no_time() -> None:
    engine = Engine(read_rules(event_rule({"a": 1})), None)
    engine.feed({"a": 1})
    assert (engine.verdicts()[0].indexes, engine.untimed) == ((0,), set())


def test_another_field_may_hold_the_time() -> None:
    engine = Engine(read_rules(count_rules()), None, time_field="when")
    engine.feed({"a": 1, "when": 5, "@timestamp": 9})
    assert alerts_of(engine.verdicts()[1])[0]["first"] == 5


def test_members_of_a_correlation_need_not_be_among_the_rules_asked_for() -> None:
    _, correlation = read_rules(count_rules())
    assert isinstance(correlation, Correlation)
    (verdict,) = judge([correlation], [{"a": 1, "@timestamp": 1}])
    assert verdict.indexes == (0,)


def test_two_rules_of_one_file_without_id_and_with_one_title_stay_two() -> None:
    body = {"type": "temporal", "rules": ["r", "s"], "timespan": "1m"}
    one, two = event_rule({"a": 1}, title="same"), event_rule({"b": 1}, name="s", title="same")
    *_, correlation = read_rules(documents(one, two, correlation_rule(body)))
    verdict = judge([correlation], [{"a": 1, "@timestamp": 1}, {"b": 1, "@timestamp": 2}])[0]
    assert verdict.indexes == (0, 1)


def test_verdicts_come_in_the_order_of_the_rules() -> None:
    rules = read_rules(documents(event_rule({"a": 1}), event_rule({"b": 1}, name="s")))
    assert [verdict.rule for verdict in judge(rules[::-1], [])] == [*rules[::-1]]


def test_a_number_too_large_for_a_float_harms_nothing() -> None:
    """JSON allows 1e999; Python's reader makes an infinity of it."""
    sums = {"type": "value_sum", "rules": ["r"], "timespan": "1m", "condition": {"field": "v", "gte": 5}}
    rules = read_rules(documents(event_rule({"a": 1}), correlation_rule(sums), event_rule({"v|gt": 5}, name="s")))
    events = [{"a": 1, "v": value, "@timestamp": 1} for value in (float("inf"), float("-inf"), float("nan"), 5)]
    _, correlation, order = judge(rules, events)
    assert alerts_of(correlation)[0]["value"] == 5
    assert order.indexes == ()


def test_whole_numbers_beyond_any_float_are_summed_and_ordered() -> None:
    sums = {"type": "value_sum", "rules": ["r"], "timespan": "1m", "condition": {"field": "v", "gte": 5}}
    rules = read_rules(documents(event_rule({"a": 1}), correlation_rule(sums), event_rule({"v|gt": 5}, name="s")))
    _, correlation, order = judge(rules, [{"a": 1, "v": value, "@timestamp": 1} for value in (10**400, 0.5)])
    assert alerts_of(correlation)[0]["value"] == 10**400
    assert order.indexes == (0,)
