"""Events made from a rule: the rule really matches those that are meant to, and the same seed makes the same ones."""

from __future__ import annotations

from typing import Any

import pytest

from insigma.content.assemble import assemble
from insigma.content.lists import default_lists
from insigma.content.model import Pack, Rule
from insigma.content.predicate import And, Match, Number
from insigma.content.yaml_reader import read_bytes
from insigma.specialise.lists import fill_lists
from insigma_prove.reference import truth
from insigma_prove.synthesise import as_events, synthesise
from tests.prove.fakes import rules_of

SEEDS = 25
LEAVES: dict[str, Any] = {
    "text": {"a": "Anna"},
    "text that is empty": {"a": ""},
    "text in its own case": {"a|cased": "Anna"},
    "letters of other alphabets": {"a": "straße ΣΙΣΥΦΟΣ İzmir ŉ"},
    "wildcards": {"a": "C:\\\\*\\\\x?z"},
    "contains": {"a|contains": "ell"},
    "starts": {"a|startswith": "ab"},
    "ends": {"a|endswith": "yz"},
    "all": {"a|contains|all": ["one", "two", "three"]},
    "an end, then a part": {"a|endswith": ".exe", "a|contains": "tmp"},
    "both ends": {"a|endswith": "yz", "a|startswith": "ab"},
    "a part of a whole": {"a": "a tmp file", "a|contains": "tmp"},
    "number": {"a": 42},
    "fraction": {"a": 2.5},
    "boolean": {"a": True},
    "null": {"b": "x", "a": None},
    "order": {"a|gt": 5, "b|gte": 5, "c|lt": 5, "d|lte": 5.5},
    "expression": {"a|re": r"^wh[o0]\d{2,3}(am|is)?[^x][^0-9]\w\W\s.$"},
    "expression in any case": {"a|re|i": r"whoami\s+/all"},
    "expression of other letters": {"a|re": "[żółw]+?"},
    "networks": {"a|cidr": ["10.0.0.0/8", "2001:db8::/32"]},
    "another field": {"a|fieldref": "b"},
    "the start of another field": {"a|fieldref|startswith": "b"},
    "presence": {"a|exists": True, "b|exists": False},
    "hour and minute": {"a|hour": 23, "a|minute": [5, 7]},
    "the last day of February": {"a|day": 29, "a|month": 2},
    "week": {"a|week": 53},
    "year": {"a|year": 1999},
    "not that": {"a|neq": "x", "b": "y"},
    "keywords": ["whoami", "x y"],
    "keyword expressions": {"|re": "wh[o]am"},
    "encoded": {"a|base64offset|contains": "whoami", "b|wide|base64": "foo"},
    "dashes": {"a|windash|contains": " -f"},
    "one of several": [{"a": ["x", "y"]}, {"b|startswith": ["p", "q"]}],
}


def rule_of(detection: Any) -> Rule:
    (rule,) = rules_of({"taxonomy": "sigma", "logsource": {"category": "test"}, "detection": detection})
    assert isinstance(rule, Rule)
    return rule


def matching(rule: Rule, events: list[dict[str, Any]], pack: Pack) -> frozenset[int]:
    return truth(rule, as_events(events, "test"), pack.taxonomy).positions


@pytest.mark.parametrize("name", list(LEAVES))
def test_what_is_meant_to_match_matches(name: str, pack: Pack) -> None:
    rule = rule_of({"s": LEAVES[name], "condition": "s"})
    for seed in range(SEEDS):
        made = synthesise(rule, seed, positives=2, mutations=0)
        assert len(made) == 3, "two positives and the event without fields"
        assert matching(rule, made, pack) >= {0, 1}, made


@pytest.mark.parametrize(
    ("selections", "condition"),
    [
        ({"x": {"a": "1x"}, "y": {"b": "2x"}, "f": {"c": "3x"}}, "(x or y) and not f"),
        ({"x": {"a": "1x"}, "f": {"a": "1x", "b|contains": "z"}}, "x and not f"),
        ({"x": {"a": "1x"}, "n": {"b": None}}, "x and not n"),
        ({"x": {"a": "1x"}, "n": {"b|exists": False}}, "not n and x"),
        ({"x": {"a|contains": "p"}, "f": {"b": "q"}, "g": {"c": "r"}}, "x and not 1 of g* and not all of f*"),
        ({"x": ["whoami"], "y": {"a": "1x"}}, "x and y"),
    ],
)
def test_conditions_are_solved(selections: dict[str, Any], condition: str, pack: Pack) -> None:
    rule = rule_of({**selections, "condition": condition})
    for seed in range(SEEDS):
        made = synthesise(rule, seed, positives=1, mutations=0)
        assert 0 in matching(rule, made, pack), made


def test_every_event_rule_of_the_pack_is_solved(pack: Pack) -> None:
    rules = fill_lists(pack.rules, default_lists(pack)).rules
    for rule in rules:
        if isinstance(rule, Rule):
            made = synthesise(rule, 1, positives=10, mutations=0)
            found = truth(rule, [{**event, "insurance.logsource": rule.logsource.category} for event in made], pack.taxonomy)
            assert len(found.positions) >= 5, rule.header.label


def test_the_same_seed_makes_the_same_events() -> None:
    rule = rule_of({"s": {"a|contains|all": ["one", "two"], "b|re": "[a-z]+x", "c": ["p", "q", "r"]}, "condition": "s"})
    assert synthesise(rule, 3) == synthesise(rule, 3)
    assert synthesise(rule, 3) != synthesise(rule, 4)


def test_changed_events_differ_from_those_that_match(pack: Pack) -> None:
    rule = rule_of({"s": {"a": "anna", "b|startswith": "x"}, "condition": "s"})
    made = synthesise(rule, 1, positives=3, mutations=60)
    assert len(made) == 64
    assert made[-1] == {}
    found = matching(rule, made, pack)
    assert {0, 1, 2} <= found
    assert len(found) < 40, "most changes are near misses"
    assert sum(made[position] not in made[:3] for position in range(3, 63)) > 45
    assert any(event.get("a", "") is None for event in made), "a field becomes null"
    assert any("a" not in event for event in made[:-1]), "a field goes"


@pytest.mark.parametrize(
    "selection",
    [
        {"a|day": 31, "a|month": 2},
        {"a|re": r"\bfoo\b|(?:x{0})$"},
        {"a|neq": None, "b": None, "b|contains": "x"},
    ],
)
def test_what_cannot_be_solved_is_left_out(selection: Any, pack: Pack) -> None:
    rule = rule_of({"s": selection, "condition": "s"})
    made = synthesise(rule, 1, positives=3, mutations=3)
    assert made[-1] == {}


def test_a_rule_that_matches_nothing_gives_the_empty_event_alone() -> None:
    read = read_bytes(
        b"title: t\nid: 5d1a4f0e-0000-4000-8000-000000000001\nlogsource: {category: c}\n"
        b"detection: {s: {a|expand: '%nobody%'}, condition: s}\n",
        "r.yml",
    )
    (rule,) = fill_lists(assemble(read.documents).rules, {"nobody": ()}).rules
    assert isinstance(rule, Rule)
    assert synthesise(rule, 1) == [{}]


def test_a_number_may_be_told_as_text(pack: Pack) -> None:
    rule = rule_of({"s": {"a": 5, "b": 6}, "condition": "s"})
    assert isinstance(rule.predicate, And) or rule.predicate != Match("a", Number(5))
    kinds = {type(synthesise(rule, seed, 1, 0)[0]["a"]) for seed in range(20)}
    assert kinds == {int, str}


def test_events_carry_a_time_and_their_log_source() -> None:
    first, second = as_events([{"a": 1}, {"@timestamp": "2020-01-15T10:00:00Z"}], "insurance_claims")
    assert first == {"@timestamp": "2026-02-14T10:00:00.000Z", "insurance.logsource": "insurance_claims", "a": 1}
    assert second["@timestamp"] == "2020-01-15T10:00:00Z"
