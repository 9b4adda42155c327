"""A verdict is told by the part of the rule that decides it, with the value that the event has there."""

from __future__ import annotations

from typing import Any

import pytest

from insigma.content.predicate import (
    Affix,
    Boolean,
    Cidr,
    Compare,
    Comparison,
    Constant,
    Exists,
    FieldRef,
    IsNull,
    Number,
    Placeholder,
    Regex,
    Text,
    TimePart,
    TimeUnit,
    Value,
    Wildcard,
)
from insigma.content.predicate import Name as ListName
from insigma.evaluate.events import flatten
from insigma.evaluate.explain import describe, reasons
from tests.evaluate.harness import base_rule, event_rule

TWO = {"selection": {"action": "pay", "amount|gt": 100}, "filter": {"user|startswith": "svc"}}

CASES: list[tuple[Any, str, dict[str, Any], tuple[str, ...]]] = [
    # a match names every part it needs
    (
        TWO["selection"],
        "selection",
        {"action": "PAY", "amount": 101},
        ("selection: action is 'PAY', as 'pay'", "selection: amount is '101', as > 100"),
    ),
    # a miss names a part that fails: one is enough
    (TWO["selection"], "selection", {"action": "pay", "amount": 7}, ("selection: amount is '7', not > 100",)),
    (TWO["selection"], "selection", {"amount": 7}, ("selection: action is absent, not 'pay'",)),
    # a filter that takes a match away is what decides
    (TWO, "selection and not filter", {"action": "pay", "amount": 500, "user": "SVC1"}, ("filter: user is 'SVC1', as 'svc*'",)),
    # of an or that holds, the one that does
    ({"s": {"a": 1}, "t": {"b": 2}}, "1 of them", {"b": 2, "a": 9}, ("t: b is '2', as 2",)),
    # of an or that fails, all
    ({"s": {"a": 1}, "t": {"b": 2}}, "1 of them", {"a": 9}, ("s: a is '9', not 1", "t: b is absent, not 2")),
    # a list is told as a list
    ({"a": ["x", "yy"]}, "selection", {"a": ["p", "q"]}, ("selection: a is 'p', 'q', not 'x', 'yy'",)),
    ({"a": list(range(12))}, "selection", {"a": 99}, ("selection: a is '99', not 0, 1, 2, 3, 4, 5, 6, 7 or 4 more",)),
    ({"a|contains|all": ["x", "zz"]}, "selection", {"a": "xzz"}, ("selection: a is 'xzz', and '*x*', '*zz*'",)),
    ({"a": ["x", "yy"]}, "selection", {"a": "YY"}, ("selection: a is 'YY', as 'yy'",)),
    # keywords
    (["who"], "selection", {"a": "Whoami"}, ("selection: a value is '*who*'",)),
    (["who"], "selection", {"a": "x"}, ("selection: no value is '*who*'",)),
    # absence
    ({"a": None}, "selection", {"a": ""}, ("selection: a is '', not absent",)),
    ({"a|exists": True}, "selection", {}, ("selection: a is absent, not present",)),
    # the other field of a fieldref is what one has to know
    ({"a|fieldref": "b"}, "selection", {"a": "x", "b": ["y", "z"]}, ("selection: a is 'x', not equals b; b is 'y', 'z'",)),
    ({"a|fieldref|endswith": "b"}, "selection", {"a": "x"}, ("selection: a is 'x', not endswith b; b is absent",)),
]


@pytest.mark.parametrize(("selection", "condition", "event", "told"), CASES)
def test_the_reasons_are_the_parts_that_decide(selection: Any, condition: str, event: dict[str, Any], told: tuple[str, ...]) -> None:
    rule = base_rule(event_rule(selection, condition=condition))
    assert reasons(rule.predicate, flatten(event)) == told


def test_an_empty_list_is_told() -> None:
    assert reasons(Constant(False), {}) == ("the list is empty",)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Text(("a", Wildcard.MANY, "b", Wildcard.ONE)), "'a*b?'"),
        (Text(("A",), cased=True), "'A' in this case"),
        (Text(()), "''"),
        (Number(4300.0), "4300"),
        (Boolean(True), "true"),
        (Compare(Comparison.LTE, 0.5), "<= 0.5"),
        (Regex("a|b"), "/a|b/"),
        (Regex("a", ignore_case=True, multiline=True, dotall=True), "/a/ims"),
        (Cidr("10.0.0.0/8"), "in 10.0.0.0/8"),
        (FieldRef("b", Affix.CONTAINS), "contains b"),
        (IsNull(), "absent"),
        (Exists(True), "present"),
        (Exists(False), "absent"),
        (TimePart(TimeUnit.HOUR, 9), "hour 9"),
        (Placeholder((Wildcard.MANY, "x", ListName("admins"), Wildcard.ONE)), "*x%admins%?"),
    ],
)
def test_every_kind_of_value_has_words(value: Value, words: str) -> None:
    assert describe(value) == words
