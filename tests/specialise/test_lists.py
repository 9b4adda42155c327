"""Placeholders filled from lists: literally, completely, or not at all and told."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insigma.content.model import Correlation, Rule
from insigma.content.predicate import (
    And,
    Constant,
    Keyword,
    Match,
    Named,
    Not,
    Or,
    Placeholder,
    Predicate,
    Text,
    Wildcard,
    leaves,
)
from insigma.specialise.lists import MAX_FILLED, fill_lists, placeholder_names
from tests.content.reading import rule_text, rules_of, shown

MANY = Wildcard.MANY
LISTS = {"users": ["a", "b"], "one": ["x"], "none": [], "stars": ["*", "a?b", "%users%", "\\"]}


def filled(selection: str) -> Predicate:
    """What a selection, given as YAML on one line, means with the lists filled in."""
    found = fill_lists(rules_of(rule_text(selection)), LISTS)
    assert found.diagnostics == ()
    (rule,) = found.rules
    assert isinstance(rule, Rule)
    assert isinstance(rule.predicate, Named)
    return rule.predicate.operand


def match(*parts: str | Wildcard, cased: bool = False) -> Match:
    return Match("f", Text(parts, cased))


@pytest.mark.parametrize(
    ("selection", "predicate"),
    [
        ("{f|expand: '%one%'}", match("x")),
        ("{f|expand: '%users%'}", Or((match("a"), match("b")))),
        ("{f|expand: 'pre-%one%-*'}", match("pre-x-", MANY)),
        ("{f|expand: '%one%%one%'}", match("xx")),
        ("{f|expand: '%users%.%users%'}", Or((match("a.a"), match("a.b"), match("b.a"), match("b.b")))),
        ("{f|expand|contains: '%one%'}", match(MANY, "x", MANY)),
        ("{f|expand|cased: '%one%'}", match("x", cased=True)),
        ("{f|expand: '%none%'}", Constant(False)),
        ("{f|expand: ['%one%', plain]}", Or((match("x"), match("plain")))),
        ("{f|expand|all: ['%one%', '%users%']}", And((match("x"), Or((match("a"), match("b")))))),
        ("{f|expand|neq: '%one%'}", Not(match("x"))),
        ("{f|expand|neq: '%none%'}", Not(Constant(False))),
        ("{'|expand': '%one%'}", Keyword(Text((MANY, "x", MANY)))),
        ("{'|expand': '%none%'}", Constant(False)),
        ("{f|expand: '%stars%'}", Or((match("*"), match("a?b"), match("%users%"), match("\\")))),
        ("{f: '%users%'}", match("%users%")),
    ],
)
def test_a_placeholder_is_filled(selection: str, predicate: Predicate) -> None:
    assert filled(selection) == predicate


TEMPLATE = st.lists(st.sampled_from(["%users%", "%one%", "%stars%", "x", "*", "?"]), min_size=1, max_size=4).map("".join)


@settings(derandomize=True, deadline=None)
@given(TEMPLATE)
def test_nothing_stays_unfilled_and_no_value_stands_twice(template: str) -> None:
    found = [leaf.value for leaf in leaves(filled(f"{{f|expand: '{template}'}}")) if isinstance(leaf, Match)]
    assert not any(isinstance(value, Placeholder) for value in found)
    assert len(set(found)) == len(found)


def test_everything_but_placeholders_stays_as_it_was() -> None:
    rules = rules_of(rule_text("[{f: a, g|re: b}, word]", "not sel or sel"))
    assert fill_lists(rules, {}).rules == rules


def test_each_missing_list_is_told_once_and_the_rule_is_left_out() -> None:
    text = rule_text("{f|expand: ['%b%', '%a%', '%b%'], g|expand: '%users%'}")
    found = fill_lists(rules_of(f"{text}---\n{rule_text('{f: a}')}"), LISTS)
    assert [rule.header.document.marks[()].line for rule in found.rules] == [7]
    assert shown(found.diagnostics) == [
        "rule.yml:4:3 INS110 placeholder '%a%' has no list to fill it",
        "rule.yml:4:3 INS110 placeholder '%b%' has no list to fill it",
    ]


def test_a_value_that_stands_for_too_many_is_told() -> None:
    many = {"many": [str(number) for number in range(1_000)]}
    (rule,) = rules_of(rule_text("{f|expand: '%many%%many%'}"))
    found = fill_lists([rule], many)
    assert found.rules == ()
    assert shown(found.diagnostics) == [f"rule.yml:4:3 INS110 a value with several placeholders stands for more than {MAX_FILLED:,} values"]
    assert len(fill_lists(rules_of(rule_text("{f|expand: '%many%'}")), many).rules) == 1


BASE = "{{title: {0}, name: {0}, logsource: {{product: p}}, detection: {{s: {{f|expand: '%{1}%'}}, condition: s}}}}"
COUNT = "{{title: {0}, name: {0}, correlation: {{type: event_count, rules: [{1}], timespan: 5m, condition: {{gte: 2}}}}}}"


def test_members_are_filled_and_stay_one_object() -> None:
    texts = [COUNT.format("outer", "inner, a"), COUNT.format("inner", "a, b"), BASE.format("a", "users"), BASE.format("b", "one")]
    found = fill_lists(rules_of("\n--- ".join(texts)), LISTS)
    assert found.diagnostics == ()
    outer, inner, first, second = found.rules
    assert isinstance(outer, Correlation)
    assert isinstance(inner, Correlation)
    assert outer.members[0] is inner
    assert outer.members[1] is inner.members[0] is first
    assert inner.members[1] is second
    for rule in (first, second):
        assert isinstance(rule, Rule)
        assert list(placeholder_names(rule)) == []


def test_a_correlation_over_an_unfilled_rule_is_left_out_and_told() -> None:
    texts = [COUNT.format("outer", "inner"), COUNT.format("inner", "a, b"), BASE.format("a", "users"), BASE.format("b", "nope")]
    found = fill_lists(rules_of("\n--- ".join(texts)), LISTS)
    assert [rule.header.name for rule in found.rules] == ["a"]
    assert {(fault.code, fault.rule) for fault in found.diagnostics} == {("INS110", "b"), ("INS110", "inner"), ("INS110", "outer")}
    assert len(found.diagnostics) == 3


def test_the_lists_that_a_rule_names() -> None:
    (rule,) = rules_of(rule_text("{f|expand: '%a%-%b%', g|expand: '%a%', h: '%c%'}"))
    assert isinstance(rule, Rule)
    assert list(placeholder_names(rule)) == ["a", "b", "a"]
