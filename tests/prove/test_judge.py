"""The judge: silent where engine and reference agree, and never silent where they do not."""

from __future__ import annotations

from typing import Any

import pytest

from insigma_prove.judge import (
    Difference,
    events_differ,
    groups_differ,
    instants_differ,
    key_text,
    sequences_differ,
    spans_differ,
)
from insigma_prove.reference import Span, Truth

ANNA, BEN, CLEO = ("anna",), ("ben",), ("cleo",)
EVENTS = Truth(frozenset({0, 3}), (0, 1, 2, 3, 3), frozenset(), {})
ALERTS = Truth(
    frozenset(),
    (0, 1),
    frozenset({(1_000, ANNA), (2_000, ANNA), (2_000, BEN)}),
    {ANNA: Span(1_000, 2_000, 5), BEN: Span(2_000, 2_000, 3.5)},
)
RIGHT = [(ANNA, (1_000, 2_000, 5.0)), (BEN, (2_000, 2_000, 3.5))]
MERGED = [(ANNA, (1_000, 2_000)), (BEN, (2_000,))]


def told(differences: list[Difference]) -> list[str]:
    return [difference.message for difference in differences]


@pytest.mark.parametrize("hits", [[0, 3], [3, 0], [0, 4], [0, 3, 4]])
def test_the_same_events_agree_and_a_repeated_delivery_stands_for_its_first(hits: list[int]) -> None:
    assert told(events_differ(hits, EVENTS)) == []


@pytest.mark.parametrize(
    ("hits", "message"),
    [
        ([0], "event 3 matches the rule, but the query does not find it"),
        ([4], "event 0 matches the rule, but the query does not find it"),
        ([0, 3, 1], "the query finds event 1, which the rule does not match"),
    ],
)
def test_an_event_too_few_or_too_many_is_told(hits: list[int], message: str) -> None:
    assert told(events_differ(hits, EVENTS)) == [message]


def test_both_kinds_of_wrong_events_are_told_together() -> None:
    assert len(events_differ([1, 2], EVENTS)) == 4
    assert len(events_differ([], EVENTS)) == 2


def test_the_same_instants_agree() -> None:
    assert instants_differ(set(ALERTS.instants), ALERTS) == []


@pytest.mark.parametrize(
    ("lost", "added", "messages"),
    [
        ({(2_000, BEN)}, set(), ["1970-01-01T00:00:02.000Z of group (ben) satisfies the rule, but not the query"]),
        (set(), {(2_001, ANNA)}, ["1970-01-01T00:00:02.001Z of group (anna) satisfies the query, but not the rule"]),
        (set(), {(2_000, CLEO)}, ["1970-01-01T00:00:02.000Z of group (cleo) satisfies the query, but not the rule"]),
        (
            {(1_000, ANNA)},
            {(1_000, BEN)},
            [
                "1970-01-01T00:00:01.000Z of group (anna) satisfies the rule, but not the query",
                "1970-01-01T00:00:01.000Z of group (ben) satisfies the query, but not the rule",
            ],
        ),
    ],
)
def test_an_instant_too_few_or_too_many_is_told(lost: set[Any], added: set[Any], messages: list[str]) -> None:
    assert told(instants_differ((set(ALERTS.instants) - lost) | added, ALERTS)) == messages


def test_the_same_spans_agree_in_any_order_with_a_slack_for_binary_sums() -> None:
    assert spans_differ(RIGHT, ALERTS, True) == []
    assert spans_differ(RIGHT[::-1], ALERTS, True) == []
    assert spans_differ([(ANNA, (1_000, 2_000, 5.0000001)), RIGHT[1]], ALERTS, True) == []
    assert spans_differ([(ANNA, (1_000, 2_000, None)), (BEN, (2_000, 2_000, None))], ALERTS, False) == []


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (RIGHT[:1], "group (ben) alerts by the rule, but not by the query"),
        ([*RIGHT, (CLEO, (1_000, 1_000, 9.0))], "group (cleo) alerts by the query, but not by the rule"),
        (
            [(ANNA, (2_000, 2_000, 5.0)), RIGHT[1]],
            "group (anna) alerts from 1970-01-01T00:00:02.000Z to 1970-01-01T00:00:02.000Z, by the rule",
        ),
        ([(ANNA, (1_000, 1_999, 5.0)), RIGHT[1]], "group (anna) alerts from 1970-01-01T00:00:01.000Z to 1970-01-01T00:00:01.999Z"),
        ([(ANNA, (1_000, 2_000, 4.0)), RIGHT[1]], "group (anna) has the value 4.0, by the rule 5"),
        ([RIGHT[0], (BEN, (2_000, 2_000, 3.499))], "group (ben) has the value 3.499, by the rule 3.5"),
        ([(ANNA, (1_000, 2_000, None)), RIGHT[1]], "group (anna) has no value, by the rule 5"),
        ([RIGHT[0], *RIGHT], "group (anna) has 2 rows"),
        ([RIGHT[0], RIGHT[1], (BEN, (2_000, 2_000, 3.5))], "group (ben) has 2 rows"),
    ],
)
def test_a_span_that_departs_is_told(found: list[Any], message: str) -> None:
    differences = told(spans_differ(found, ALERTS, True))
    assert len(differences) == 1
    assert differences[0].startswith(message)


def test_a_wrong_row_beside_the_right_one_is_told_in_either_order() -> None:
    wrong = (ANNA, (1_000, 1_500, 5.0))
    for found in ([wrong, *RIGHT], [*RIGHT, wrong]):
        assert len(spans_differ(found, ALERTS, True)) == 2


def test_groups_between_the_least_and_the_most_agree() -> None:
    least, most = frozenset({ANNA}), frozenset({ANNA, BEN})
    assert groups_differ(least, least, most) == []
    assert groups_differ(most, least, most) == []
    assert told(groups_differ(frozenset({BEN}), least, most)) == ["group (anna) alerts by the rule, but not by the query"]
    assert told(groups_differ(most | {CLEO}, least, most)) == ["group (cleo) alerts by the query, but not by the rule"]


def test_one_sequence_an_alert_is_enough() -> None:
    assert sequences_differ([(1_000, ANNA), (2_000, BEN)], ALERTS, MERGED) == []
    assert sequences_differ([(2_000, ANNA), (1_000, ANNA), (2_000, BEN)], ALERTS, MERGED) == []


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        ([(1_000, ANNA)], "no sequence ends in the alert of group (ben) at 1970-01-01T00:00:02.000Z"),
        ([(1_000, ANNA), (2_000, BEN), (1_000, BEN)], "a sequence ends at 1970-01-01T00:00:01.000Z of group (ben), which does not satisfy"),
        ([(1_000, ANNA), (2_000, BEN), (2_000, CLEO)], "a sequence ends at 1970-01-01T00:00:02.000Z of group (cleo)"),
    ],
)
def test_sequences_that_depart_are_told(ends: list[Any], message: str) -> None:
    differences = told(sequences_differ(ends, ALERTS, MERGED))
    assert len(differences) == 1
    assert differences[0].startswith(message)


@pytest.mark.parametrize(
    ("value", "text"),
    [("Anna", "anna"), ("STRAẞE", "straße"), (5, "5"), (5.0, "5"), (2.5, "2.5"), (True, "true"), ("", ""), (1e15, "1000000000000000")],
)
def test_a_groups_value_is_written_as_the_reference_writes_it(value: Any, text: str) -> None:
    assert key_text(value) == text
