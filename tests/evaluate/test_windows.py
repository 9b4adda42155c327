"""Correlations: every type and bound against brute force, then the cases that people ask about, one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.evaluate import oracle
from tests.evaluate.harness import Event, alerts_of, codes_of, correlation_rule, documents, event_rule, judge, read_rules

SPAN = 3
BASES = ("r1", "r2", "r3")
RULES = [event_rule({name: 1}, name=name) for name in BASES]
KINDS = ["event_count", "value_count", "value_sum", "value_avg", "value_percentile", "value_median", "temporal", "temporal_ordered"]
VALUES = [1, "1", 0.1, 0.2, "0.3", 2, -1, "x", "X", "", True, 1e-7]

groups = st.sampled_from([(), ("a",), ("A",), ("b",), ("b", "a"), ("a", "A")])
made_events = st.lists(
    st.fixed_dictionaries(
        {
            "time": st.integers(0, 14),
            "members": st.sets(st.sampled_from(BASES), max_size=3),
            "group": groups,
            "values": st.lists(st.sampled_from(VALUES), max_size=2),
        }
    ),
    max_size=9,
)
bounds = st.dictionaries(st.sampled_from(sorted(oracle.OPERATORS)), st.sampled_from([0.3, 1, 2, 3, 0.1, -1, 0.15]), min_size=1, max_size=2)


def run(text: str, events: Sequence[Event]) -> list[dict[str, Any]]:
    """The alerts of the last rule of the text."""
    return alerts_of(judge(read_rules(text), events)[-1])


def as_event(made: Mapping[str, Any]) -> Event:
    return {"@timestamp": made["time"], "g": list(made["group"]), "v": made["values"], **dict.fromkeys(made["members"], 1)}


def by_brute_force(
    kind: str, made: Sequence[Mapping[str, Any]], condition: Mapping[str, Any], rules: Sequence[str], grouped: bool
) -> list[dict[str, Any]]:
    own = [{**one, "index": index, "members": one["members"] & set(rules)} for index, one in enumerate(made)]
    own = sorted((one for one in own if one["members"]), key=lambda one: one["time"])
    found = []
    for key in sorted({name.lower() for one in own for name in one["group"]}) if grouped else [None]:
        inside = [one for one in own if key is None or key in {name.lower() for name in one["group"]}]
        spelling = {} if key is None else {"g": next(name for one in inside for name in one["group"] if name.lower() == key)}
        found += [{**spelling, **alert} for alert in oracle.alerts(kind, inside, SPAN, condition, rules)]
    return [{**alert, "value": oracle.shown(alert["value"])} for alert in found]


def in_order(alerts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(alerts, key=lambda alert: (alert["first"], alert["last"], alert.get("g", "")))


@pytest.mark.parametrize("kind", KINDS)
@settings(derandomize=True, deadline=None, max_examples=150)
@given(made=made_events, condition=bounds, percentile=st.integers(0, 100), count=st.integers(1, 3), grouped=st.booleans())
def test_instants_and_alerts_are_those_of_brute_force(
    kind: str, made: list[dict[str, Any]], condition: dict[str, Any], percentile: int, count: int, grouped: bool
) -> None:
    rules = list(BASES[:count])
    if kind == "temporal_ordered":
        body: dict[str, Any] = {}
    else:
        field = {"field": "v"} if kind.startswith("value_") else {}
        body = {"condition": {**condition, **field, **({"percentile": percentile} if kind == "value_percentile" else {})}}
    group = {"group-by": ["g"]} if grouped else {}
    text = documents(*RULES, correlation_rule({"type": kind, "rules": rules, "timespan": f"{SPAN}s", **group, **body}))
    assume(not codes_of(text))
    expected = by_brute_force(kind, made, {**condition, "percentile": percentile}, rules, grouped)
    assert run(text, [as_event(one) for one in made]) == in_order(expected)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(made=made_events, written=st.sampled_from(["r1 and not r2", "r1 or r2 and r3", "(r1 or r2) and r3", "r1 and r2 and r3", "r2"]))
def test_extended_temporal_conditions_are_those_of_brute_force(made: list[dict[str, Any]], written: str) -> None:
    text = documents(*RULES, correlation_rule({"type": "temporal", "rules": list(BASES), "timespan": f"{SPAN}s", "condition": written}))
    expected = []
    for one in made:
        window = [other for other in made if one["time"] - SPAN <= other["time"] <= one["time"]]
        seen = {name: any(name in other["members"] for other in window) for name in BASES}
        if one["members"] and eval(written, {}, seen):
            expected.append(one["time"])
    found = run(text, [as_event(one) for one in made])
    assert [instant for alert in found for instant in alert["instants"]] == sorted(set(expected))


@settings(derandomize=True, deadline=None)
@given(made=made_events, data=st.data())
def test_the_order_of_delivery_changes_nothing_but_positions(made: list[dict[str, Any]], data: st.DataObject) -> None:
    body = {"type": "temporal_ordered", "rules": ["r1", "r2"], "timespan": f"{SPAN}s", "group-by": ["g"]}
    text = documents(*RULES, correlation_rule(body))
    shuffled = data.draw(st.permutations(made))
    told = ("first", "last", "value", "instants")
    one, other = (
        sorted(({**{key: alert[key] for key in told}, "g": alert["g"].lower()} for alert in run(text, list(map(as_event, way)))), key=str)
        for way in (made, shuffled)
    )
    assert one == other


# --- one by one ----------------------------------------------------------------------------------------


def counted(kind: str, condition: Mapping[str, Any], **more: Any) -> str:
    return documents(*RULES, correlation_rule({"type": kind, "rules": ["r1"], "timespan": "10s", "condition": condition, **more}))


def at(*times: float, **fields: Any) -> list[Event]:
    return [{"@timestamp": time, "r1": 1, **fields} for time in times]


def test_the_window_is_closed_at_both_ends() -> None:
    text = counted("event_count", {"gte": 2})
    assert [alert["instants"] for alert in run(text, at(0, 10))] == [[10]]
    assert run(text, at(0, 10.001)) == []


def test_a_burst_over_the_full_hour_is_one_burst() -> None:
    text = counted("event_count", {"gte": 4})
    assert run(text, at(3595, 3599, 3600, 3604))[0]["first"] == 3595


def test_equal_times_are_one_instant_with_all_their_events() -> None:
    assert run(counted("event_count", {"eq": 3}), at(5, 5, 5)) == [
        {"first": 5, "last": 5, "value": 3, "indexes": [0, 1, 2], "instants": [5]}
    ]
    assert run(counted("event_count", {"eq": 2}), at(5, 5, 5)) == []


def test_instants_one_timespan_apart_are_one_alert_and_further_ones_two() -> None:
    text = counted("event_count", {"gte": 1})
    assert [alert["instants"] for alert in run(text, at(0, 10, 20.001))] == [[0, 10], [20.001]]


def test_an_alert_has_the_value_of_its_best_window_and_all_its_events() -> None:
    one, two = run(counted("event_count", {"gte": 2}), at(0, 5, 14, 15, 16, 30, 31))
    assert (one["value"], one["first"], one["last"], one["indexes"]) == (3, 0, 16, [0, 1, 2, 3, 4])
    assert (two["value"], two["first"], two["last"], two["indexes"]) == (2, 30, 31, [5, 6])


def test_the_best_window_of_an_upper_bound_is_the_lowest() -> None:
    (alert,) = run(counted("value_avg", {"field": "v", "lt": 5}), [*at(0, v=4), *at(1, v=2)])
    assert alert["value"] == 3


@pytest.mark.parametrize(
    ("kind", "condition", "values", "value"),
    [
        ("value_sum", {"gte": 0.3}, [0.1, 0.2], 0.3),
        ("value_sum", {"eq": 0.3}, ["0.1", 0.2], 0.3),
        ("value_sum", {"gt": 0.3}, [0.1, 0.2], None),
        ("value_sum", {"gte": 1000.1}, [1000.1], 1000.1),
        ("value_sum", {"gt": 9007199254740992}, [9007199254740992, 1], 9007199254740993),
        ("value_sum", {"gte": 3}, [1, "2", "x", True, None], 3),
        ("value_sum", {"gte": 5}, [[2, 3]], 5),
        ("value_avg", {"eq": 0.2}, [0.1, 0.2, 0.3], 0.2),
        ("value_avg", {"gt": 0.2}, [0.1, 0.2, 0.3], None),
        ("value_avg", {"gte": 2}, ["x", 2], 2),
        ("value_count", {"gte": 3}, ["a", "A", "b", 1, "1", True], 4),
        ("value_count", {"gte": 1}, [None], None),
        ("value_count", {"gte": 1}, [""], 1),
        ("value_count", {"gte": 3}, [["a", "b"], ["B", "c"]], 3),
        ("value_median", {"eq": 2}, [1, 2, 3, 4], 2),
        ("value_percentile", {"percentile": 95, "gte": 0}, list(range(1, 21)), 19),
        ("value_percentile", {"percentile": 96, "gte": 20}, list(range(1, 21)), 20),
        ("value_percentile", {"percentile": 0, "eq": 1}, [1, 2, 3], 1),
        ("value_percentile", {"percentile": 100, "gte": 3}, [1, 2, 3], 3),
    ],
)
def test_the_value_of_simultaneous_events(kind: str, condition: dict[str, Any], values: list[Any], value: Any) -> None:
    found = run(counted(kind, {**condition, "field": "v"}), [{"@timestamp": 1, "r1": 1, "v": one} for one in values])
    assert [alert["value"] for alert in found] == ([] if value is None else [value])


def test_an_upper_bound_is_exact_too() -> None:
    events = [*at(1, v=0.1), *at(2, v=0.2), *at(3, v=0.1)]
    assert [alert["instants"] for alert in run(counted("value_sum", {"field": "v", "lte": 0.3, "gt": 0}), events)] == [[1, 2]]


def test_with_several_fields_an_absent_one_voids_the_tuple() -> None:
    text = counted("value_count", {"field": ["v", "w"], "gte": 2})
    assert run(text, [*at(1, v="a", w="x"), *at(2, v="a")]) == []
    assert run(text, [*at(1, v="a", w="x"), *at(2, v="A", w="Y")])[0]["value"] == 2
    assert run(text, at(1, v=["a", "b"], w="x"))[0]["value"] == 2


def test_an_event_without_a_value_can_still_be_an_instant() -> None:
    (alert,) = run(counted("value_count", {"field": "v", "gte": 1}), [*at(1, v="a"), *at(2)])
    assert alert["instants"] == [1, 2]


def test_a_group_is_shown_in_its_first_spelling_and_folded() -> None:
    text = counted("event_count", {"gte": 2}, **{"group-by": ["g", "h"]})
    events = [*at(9, g="ANNA", h=1), *at(2, g="Anna", h="1"), *at(3, g="anna", h=2), *at(4, g="anna"), *at(4, h=1)]
    assert [{key: alert[key] for key in ("g", "h", "indexes")} for alert in run(text, events)] == [
        {"g": "Anna", "h": "1", "indexes": [0, 1]}
    ]


def test_an_array_puts_the_event_into_each_elements_group_once() -> None:
    text = counted("event_count", {"gte": 2}, **{"group-by": ["g"]})
    found = run(text, [*at(1, g=["a", "b", "A"]), *at(2, g="b")])
    assert [(alert["g"], alert["value"]) for alert in found] == [("b", 2)]


def test_the_empty_string_and_booleans_are_groups() -> None:
    text = counted("event_count", {"gte": 1}, **{"group-by": ["g"]})
    assert {alert["g"] for alert in run(text, [*at(1, g=""), *at(2, g=False), *at(3, g=None), *at(4, g=[])])} == {"", "false"}


def test_an_event_that_matches_several_rules_counts_once() -> None:
    body = {"type": "event_count", "rules": ["r1", "r2"], "timespan": "10s", "condition": {"gte": 2}}
    text = documents(*RULES, correlation_rule(body))
    assert run(text, [{"@timestamp": 1, "r1": 1, "r2": 1}]) == []
    assert run(text, [{"@timestamp": 1, "r1": 1}, {"@timestamp": 2, "r2": 1}])[0]["value"] == 2


def test_one_event_may_satisfy_several_rules_of_temporal_but_not_of_temporal_ordered() -> None:
    event: Event = {"@timestamp": 1, "r1": 1, "r2": 1}
    cases: list[tuple[str, list[Event], list[list[int]]]] = [
        ("temporal", [event], [[1]]),
        ("temporal_ordered", [event], []),
        ("temporal_ordered", [event, event], [[1]]),
        ("temporal_ordered", [{"@timestamp": 1, "r2": 1}, {"@timestamp": 1, "r1": 1}], [[1]]),
        ("temporal_ordered", [{"@timestamp": 1, "r2": 1}, {"@timestamp": 2, "r1": 1}], []),
        ("temporal_ordered", [{"@timestamp": 1, "r1": 1}, {"@timestamp": 11, "r2": 1}], [[11]]),
        ("temporal_ordered", [{"@timestamp": 1, "r1": 1}, {"@timestamp": 11.001, "r2": 1}], []),
    ]
    for kind, events, instants in cases:
        text = documents(*RULES, correlation_rule({"type": kind, "rules": ["r1", "r2"], "timespan": "10s"}))
        assert [alert["instants"] for alert in run(text, events)] == instants, (kind, events)


def test_a_newer_start_replaces_one_that_has_expired() -> None:
    text = documents(*RULES, correlation_rule({"type": "temporal_ordered", "rules": ["r1", "r2", "r3"], "timespan": "10s"}))
    events = [{"@timestamp": time, name: 1} for time, name in [(0, "r1"), (4, "r2"), (8, "r1"), (11, "r3"), (12, "r2"), (13, "r3")]]
    assert [alert["instants"] for alert in run(text, events)] == [[13]]


def test_one_rule_twice_in_order_wants_two_events() -> None:
    text = documents(*RULES, correlation_rule({"type": "temporal_ordered", "rules": ["r1", "r2", "r1"], "timespan": "10s"}))
    path = [{"@timestamp": 1, "r1": 1}, {"@timestamp": 2, "r2": 1}, {"@timestamp": 3, "r1": 1}]
    assert run(text, path[:2]) == []
    assert run(text, path)[0]["instants"] == [3]


def test_aliases_name_a_field_of_each_rule() -> None:
    body = {
        "type": "temporal",
        "rules": ["r1", "r2"],
        "timespan": "10s",
        "group-by": ["who"],
        "aliases": {"who": {"r1": "user.name", "r2": "target.name"}},
    }
    text = documents(*RULES, correlation_rule(body))
    events = [{"@timestamp": 1, "r1": 1, "user.name": "Anna", "target.name": "x"}, {"@timestamp": 2, "r2": 1, "target.name": "anna"}]
    (alert,) = run(text, events)
    assert (alert["who"], alert["indexes"]) == ("Anna", [0, 1])


def test_aliases_name_the_counted_field_of_each_rule() -> None:
    body = {
        "type": "value_sum",
        "rules": ["r1", "r2"],
        "timespan": "10s",
        "condition": {"field": "amount", "gte": 30},
        "aliases": {"amount": {"r1": "paid", "r2": "reserved"}},
    }
    text = documents(*RULES, correlation_rule(body))
    events = [{"@timestamp": 1, "r1": 1, "paid": 10, "reserved": 99}, {"@timestamp": 2, "r2": 1, "reserved": 20}]
    assert run(text, events)[0]["value"] == 30


# --- chains ----------------------------------------------------------------------------------------------


def chain(outer: Mapping[str, Any], inner_condition: Mapping[str, Any] | None = None, **inner: Any) -> str:
    body = {
        "type": "event_count",
        "rules": ["r1"],
        "timespan": "10s",
        "condition": inner_condition or {"gte": 2},
        "group-by": ["g"],
        **inner,
    }
    return documents(*RULES, correlation_rule(body, name="inner"), correlation_rule(outer, name="outer"))


def test_an_inner_correlation_emits_at_each_satisfying_instant_with_its_group() -> None:
    text = chain({"type": "event_count", "rules": ["inner"], "timespan": "10s", "group-by": ["g"], "condition": {"gte": 3}})
    assert run(text, at(1, 2, 3, g="a")) == []
    (alert,) = run(text, [*at(1, 2, 3, 4, g="a"), *at(1, 2, 3, g="b")])
    assert (alert["g"], alert["first"], alert["last"], alert["value"], alert["indexes"]) == ("a", 2, 4, 3, [0, 1, 2, 3])


def test_what_an_inner_correlation_emits_carries_its_group_and_nothing_else() -> None:
    text = chain({"type": "event_count", "rules": ["inner"], "timespan": "10s", "group-by": ["h"], "condition": {"gte": 1}})
    assert run(text, at(1, 2, g="a", h="x")) == []


def test_a_chain_orders_an_inner_correlation_and_an_event() -> None:
    text = chain({"type": "temporal_ordered", "rules": ["inner", "r2"], "timespan": "10s", "group-by": ["g"]})
    burst = at(1, 2, g="a")
    assert run(text, [*burst, {"@timestamp": 1.5, "r2": 1, "g": "a"}]) == []
    (alert,) = run(text, [*burst, {"@timestamp": 9, "r2": 1, "g": "A"}])
    assert (alert["g"], alert["first"], alert["last"], alert["indexes"]) == ("a", 2, 9, [0, 1, 2])
    assert run(text, [*burst, {"@timestamp": 12.5, "r2": 1, "g": "a"}]) == []


def test_a_chain_counts_the_groups_of_an_inner_correlation() -> None:
    text = chain({"type": "value_count", "rules": ["inner"], "timespan": "10s", "condition": {"field": "g", "gte": 2}})
    assert run(text, [*at(1, 2, g="a"), *at(3, 4, g="A")]) == []
    assert run(text, [*at(1, 2, g="a"), *at(3, 4, g="b")])[0]["value"] == 2


def test_instants_of_two_inner_correlations_are_two_happenings() -> None:
    other = {"type": "event_count", "rules": ["r1"], "timespan": "5s", "condition": {"gte": 1}, "group-by": ["g"]}
    outer = {"type": "event_count", "rules": ["inner", "other"], "timespan": "10s", "group-by": ["g"], "condition": {"gte": 3}}
    inner = {"type": "event_count", "rules": ["r1"], "timespan": "10s", "condition": {"gte": 2}, "group-by": ["g"]}
    text = documents(
        *RULES, correlation_rule(inner, name="inner"), correlation_rule(other, name="other"), correlation_rule(outer, name="outer")
    )
    (alert,) = run(text, at(1, 2, g="a"))
    assert (alert["value"], alert["instants"], alert["indexes"]) == (3, [2], [0, 1])


def test_a_chain_of_three() -> None:
    middle = {"type": "event_count", "rules": ["inner"], "timespan": "10s", "group-by": ["g"], "condition": {"gte": 2}}
    outer = {"type": "temporal", "rules": ["middle", "r2"], "timespan": "1m", "group-by": ["g"]}
    inner = {"type": "event_count", "rules": ["r1"], "timespan": "10s", "condition": {"gte": 2}, "group-by": ["g"]}
    text = documents(
        *RULES, correlation_rule(outer, name="outer"), correlation_rule(middle, name="middle"), correlation_rule(inner, name="inner")
    )
    rules = read_rules(text)
    verdicts = judge(rules, [*at(1, 2, 3, g="a"), {"@timestamp": 30, "r2": 1, "g": "a"}])
    by_name = {verdict.rule.header.name: verdict for verdict in verdicts}
    (alert,) = alerts_of(by_name["outer"])
    assert (alert["first"], alert["last"], alert["indexes"]) == (3, 30, [0, 1, 2, 3])
