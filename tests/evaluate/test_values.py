"""Every modifier and kind of value on every kind of field: the cases stand in cases/values.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.evaluate.harness import base_rule, event_rule, judge, matches, selection_matches

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "values.yml").read_text(encoding="utf-8"))["cases"]
EXAMPLES = [
    pytest.param(case["selection"], event, verdict, id=f"{case['name']}: {'match' if verdict else 'miss'} {position}")
    for case in CASES
    for verdict in (True, False)
    for position, event in enumerate(case["match" if verdict else "miss"])
]


@pytest.mark.parametrize(("selection", "event", "verdict"), EXAMPLES)
def test_a_selection_means_what_its_case_says(selection: Any, event: dict[str, Any], verdict: bool) -> None:
    assert selection_matches(selection, event) is verdict


@pytest.mark.parametrize(("selection", "event", "verdict"), EXAMPLES)
def test_not_is_true_exactly_where_the_selection_is_not(selection: Any, event: dict[str, Any], verdict: bool) -> None:
    assert matches(event_rule({"selection": selection}, condition="not selection"), event) is not verdict


def test_rules_together_say_what_each_says_alone() -> None:
    rules = [base_rule(event_rule(case["selection"], name=f"r{number}")) for number, case in enumerate(CASES)]
    events = [event for case in CASES for event in (*case["match"], *case["miss"])]
    together = judge(rules, events)
    for rule, verdict in zip(rules, together, strict=True):
        assert verdict.indexes == judge([rule], events)[0].indexes, rule.header.title


CONDITIONS = [
    # condition, which of a, b, c hold -> whether the rule does
    ("a and b or c", {"c"}, True),
    ("a and b or c", {"a"}, False),
    ("a and (b or c)", {"a", "c"}, True),
    ("not a and b", {"b"}, True),
    ("not (a and b)", {"b"}, True),
    ("not (a or b)", {"b"}, False),
    ("not not a", {"a"}, True),
    ("1 of sel_*", {"b"}, True),
    ("1 of sel_*", {"c"}, False),
    ("all of sel_*", {"a", "b"}, True),
    ("all of sel_*", {"a"}, False),
    ("all of them", {"a", "b", "c"}, True),
    ("all of them", {"a", "b"}, False),
    ("1 of them", set(), False),
    ("not 1 of them", set(), True),
    ("any of them and not c", {"a"}, True),
    ("any of them and not c", {"a", "c"}, False),
]


@pytest.mark.parametrize(("condition", "holding", "verdict"), CONDITIONS)
def test_conditions_combine_selections(condition: str, holding: set[str], verdict: bool) -> None:
    names = {"a": "sel_a", "b": "sel_b", "c": "other"}
    written = " ".join(names.get(word, word) for word in condition.replace("(", "( ").replace(")", " )").split())
    rule = event_rule({name: {letter: "x"} for letter, name in names.items()}, condition=written)
    assert matches(rule, dict.fromkeys(holding, "x")) is verdict


def test_several_conditions_are_an_or() -> None:
    rule = event_rule({"s": {"a": 1}, "t": {"b": 1}}, condition=["s", "t"])  # type: ignore[arg-type]
    assert [matches(rule, event) for event in ({"a": 1}, {"b": 1}, {"c": 1})] == [True, True, False]
