"""What the evaluator does to be fast changes nothing: gathered alternatives, operands by cost, rules chosen by guards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insigma.content.predicate import (
    Affix,
    And,
    Boolean,
    Compare,
    Comparison,
    Constant,
    Exists,
    FieldRef,
    IsNull,
    Keyword,
    Match,
    Named,
    Not,
    Number,
    Or,
    Predicate,
    Regex,
    Wildcard,
    anywhere,
    pattern,
)
from insigma.evaluate import dispatch
from insigma.evaluate.explain import truth
from tests.evaluate import naive
from tests.evaluate.harness import base_rule, event_rule, judge

FIELDS = st.sampled_from(["a", "b", "c", "d", "e"])
LETTERS = st.sampled_from(["", "x", "X", "xy", "y", "1", "true", "xX", "5.5"])
texts = st.builds(pattern, st.lists(LETTERS | st.sampled_from([Wildcard.MANY, Wildcard.ONE]), max_size=4).map(tuple), st.booleans())
leaf_values = st.one_of(
    texts,
    texts,
    st.sampled_from([0, 1, 1.5, 5.5, -1]).map(Number),
    st.booleans().map(Boolean),
    st.builds(Compare, st.sampled_from(Comparison), st.sampled_from([0, 1, 1.5])),
    st.builds(Regex, st.sampled_from(["x", "^x?$", "y|1", "X+"]), st.booleans()),
    st.builds(FieldRef, FIELDS, st.sampled_from(Affix), st.booleans()),
    st.just(IsNull()),
    st.booleans().map(Exists),
)
leaf = st.one_of(
    st.builds(Match, FIELDS, leaf_values),
    st.builds(Match, FIELDS, leaf_values),
    texts.map(anywhere).map(Keyword),
    st.builds(Constant, st.booleans()),
)
predicates = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=5).map(tuple).map(And),
        st.lists(inner, min_size=2, max_size=5).map(tuple).map(Or),
        inner.map(Not),
        inner.map(lambda one: Named("s", one)),
    ),
    max_leaves=12,
)
scalars = LETTERS | st.sampled_from([0, 1, 1.0, 1.5, -1, True, False, None])
events = st.dictionaries(FIELDS, scalars | st.lists(scalars, max_size=3), max_size=5)
BASE = base_rule(event_rule({"a": 1}))


def verdicts(rules: Sequence[Predicate], fed: Sequence[dict[str, Any]]) -> list[tuple[int, ...]]:
    return [verdict.indexes for verdict in judge([replace(BASE, predicate=rule) for rule in rules], fed)]


def by_definition(rules: Sequence[Predicate], fed: Sequence[dict[str, Any]]) -> list[tuple[int, ...]]:
    return [tuple(index for index, event in enumerate(fed) if naive.holds(rule, event)) for rule in rules]


@settings(derandomize=True, deadline=None, max_examples=400)
@given(st.lists(predicates, min_size=1, max_size=6), st.lists(events, max_size=8))
def test_many_rules_on_many_events_are_each_rule_on_each_event_by_definition(rules: list[Predicate], fed: list[dict[str, Any]]) -> None:
    assert verdicts(rules, fed) == by_definition(rules, fed)


@pytest.mark.parametrize(("memory", "longest", "fields", "most"), [(1, 1, 3, 16), (2, 0, 1, 1), (3, 512, 5, 2)])
def test_a_short_memory_changes_nothing(memory: int, longest: int, fields: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards that forget, that give up, and values too long to be remembered."""
    for name, value in (("MEMORY", memory), ("LONGEST_REMEMBERED", longest), ("MAX_FIELDS", fields), ("MAX_GUARDS", most)):
        monkeypatch.setattr(dispatch, name, value)

    @settings(derandomize=True, deadline=None, max_examples=150)
    @given(st.lists(predicates, min_size=1, max_size=5), st.lists(events, max_size=30))
    def same(rules: list[Predicate], fed: list[dict[str, Any]]) -> None:
        assert verdicts(rules, fed) == by_definition(rules, fed)

    same()


@settings(derandomize=True, deadline=None, max_examples=300)
@given(predicates, events)
def test_a_guard_is_necessary(predicate: Predicate, event: dict[str, Any]) -> None:
    if naive.holds(predicate, event):
        for fields, need in dispatch.guards(predicate).items():
            own = {name: event[name] for name in fields if name in event}
            assert naive.holds(need, own), fields


@settings(derandomize=True, deadline=None, max_examples=200)
@given(predicates, events)
def test_an_event_judged_alone_or_for_an_explanation_has_one_truth(predicate: Predicate, event: dict[str, Any]) -> None:
    flat = {name: tuple(found) if len(found) > 1 else found[0] for name in event if (found := naive.values(event, name))}
    assert truth(predicate, flat) is naive.holds(predicate, event)


def test_candidates_leave_out_what_cannot_hold_and_keep_their_order() -> None:
    rules = [Match("a", pattern((letter,))) for letter in "xyxz"]
    dispatcher = dispatch.Dispatcher(rules)
    assert [*dispatcher.candidates({"a": "x"})] == [0, 2]
    assert [*dispatcher.candidates({"a": "w"})] == []
    assert [*dispatcher.candidates({})] == []


def test_a_field_whose_values_hardly_repeat_is_given_up() -> None:
    rules = [Match("a", pattern((str(number),))) for number in range(3)]
    dispatcher = dispatch.Dispatcher(rules)
    fed = [[*dispatcher.candidates({"a": str(number)})] for number in range(dispatch.MEMORY + 2)]
    assert fed[:4] == [[0], [1], [2], []]
    assert fed[-1] == [0, 1, 2]
