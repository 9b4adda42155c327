"""What the evaluator says, in the terms of the comparison: positions, first deliveries, instants, spans."""

from __future__ import annotations

from typing import Any

import pytest

from insigma.content.model import Pack
from insigma_prove.reference import Span, alerts_in_index_order, first_deliveries, groups_within, since_then, truth
from tests.prove.fakes import BURSTS, START, at, correlation, event_rule

T0 = int(START.timestamp() * 1000)


def ms(*seconds: float) -> list[int]:
    return [T0 + round(second * 1000) for second in seconds]


def test_an_event_rule_gives_positions_and_no_alerts(pack: Pack) -> None:
    found = truth(event_rule(), [at(0, "anna"), at(1, "anna", "claim-export"), at(2, "ben")], pack.taxonomy)
    assert found.positions == {0, 2}
    assert not found.instants
    assert not found.spans


def test_a_correlation_gives_instants_and_spans_by_folded_group(pack: Pack) -> None:
    found = truth(correlation(), BURSTS, pack.taxonomy)
    assert found.positions == frozenset()
    assert {(time, group[0]) for time, group in found.instants} == {
        *((time, "anna") for time in ms(120, 180, 7260)),
        *((time, "cleo") for time in ms(320)),
        *((time, "dora") for time in ms(10_598)),
    }
    first, last = ms(120, 7260)
    assert found.spans[("anna",)] == Span(first, last, 4)
    assert set(found.spans) == {("anna",), ("cleo",), ("dora",)}


def test_the_best_value_of_a_group_is_that_of_its_best_alert_whichever_comes_first(pack: Pack) -> None:
    weak, strong = [at(second, "anna") for second in range(3)], [at(9_000 + second, "anna") for second in range(5)]
    assert truth(correlation(), [*weak, *strong], pack.taxonomy).spans[("anna",)].value == 5
    early = [at(second, "anna") for second in range(5)]
    late = [at(9_000 + second, "anna") for second in range(3)]
    assert truth(correlation(), [*early, *late], pack.taxonomy).spans[("anna",)].value == 5


@pytest.mark.parametrize(
    ("events", "firsts"),
    [
        ([{"event.id": "a"}, {"event.id": "a"}, {"event.id": "b"}, {"event.id": "a"}], (0, 0, 2, 0)),
        ([{"event.id": "a"}, {"event": {"id": "a"}}], (0, 0)),
        ([{"event.id": "a", "event.dataset": "x"}, {"event.id": "a", "event.dataset": "y"}], (0, 1)),
        ([{"event.id": "a", "organization.id": "x"}, {"event.id": "a"}], (0, 1)),
        ([{}, {}, {"event.id": ""}, {"event.id": ""}], (0, 1, 2, 3)),
        ([{"event.id": 7}, {"event.id": "7"}], (0, 0)),
        ([], ()),
    ],
)
def test_repeats_point_to_their_first_delivery(events: list[dict[str, Any]], firsts: tuple[int, ...]) -> None:
    assert first_deliveries(events) == firsts


def test_the_first_deliveries_are_those_that_the_evaluator_counts(pack: Pack) -> None:
    found = truth(event_rule(), BURSTS, pack.taxonomy)
    assert {found.first_of[position] for position in found.positions} == set(found.positions)
    assert 5 not in found.positions
    assert found.first_of[5] == 4


def test_a_shorter_timespan_finds_only_the_denser_groups(pack: Pack) -> None:
    rule = correlation()
    assert groups_within(rule, BURSTS, pack.taxonomy, 600_000) == {("anna",), ("cleo",), ("dora",)}
    assert groups_within(rule, BURSTS, pack.taxonomy, 590_000) == {("anna",), ("cleo",)}
    assert groups_within(rule, BURSTS, pack.taxonomy, 20_000) == {("cleo",)}


def test_simultaneous_events_are_taken_in_the_order_in_which_they_are_given(pack: Pack) -> None:
    rule = correlation(type="temporal_ordered", rules=["view", "export"], condition=None)
    one, other = at(5, "anna"), at(5, "anna", "claim-export")
    assert truth(rule, [other, one], pack.taxonomy).spans.keys() == {("anna",)}
    assert alerts_in_index_order(rule, [other, one], pack.taxonomy) == []
    assert alerts_in_index_order(rule, [one, other], pack.taxonomy) == [(("anna",), tuple(ms(5)))]


def test_the_order_keeps_windows_as_they_are(pack: Pack) -> None:
    rule = correlation()
    found = {(group, instant) for group, instants in alerts_in_index_order(rule, BURSTS, pack.taxonomy) for instant in instants}
    assert {(instant, group) for group, instant in found} == truth(rule, BURSTS, pack.taxonomy).instants
    apart = [at(0, "anna"), at(1, "anna"), at(600.001, "anna")]
    assert alerts_in_index_order(rule, apart, pack.taxonomy) == []
    assert alerts_in_index_order(rule, [*apart[:2], at(600, "anna")], pack.taxonomy) != []
    assert alerts_in_index_order(rule, [{"user.name": "anna"}, *apart[:2]], pack.taxonomy) == []


def test_what_came_since_a_moment_is_a_part_of_the_whole(pack: Pack) -> None:
    whole = truth(correlation(), BURSTS, pack.taxonomy)
    since = ms(320)[0]
    part = since_then(whole, since)
    assert part.instants == {entry for entry in whole.instants if entry[0] >= since}
    first, last = ms(7260, 7260)
    assert (part.spans[("anna",)].first, part.spans[("anna",)].last) == (first, last)
    assert since_then(whole, ms(20_000)[0]).spans == {}
