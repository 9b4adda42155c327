"""Patterns that Lucene gives up on are refused, in every language, and quickly."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from insigma.bind.model import Refused
from insigma.content.predicate import Regex, Text, Wildcard
from insigma.packages.elastic.template import index_template
from insigma.targets.elastic.effort import MOST_EFFORT, check_pattern
from insigma.targets.elastic.regexp import lucene_regexp
from insigma.targets.elastic.utf8 import states_between
from tests.public.opened import compiled as compiled_open
from tests.public.opened import public_rules
from tests.targets.elastic_harness import compiled, pack
from tests.targets.elastic_limits import LIMITS, Limit

MANY, ONE = Wildcard.MANY, Wildcard.ONE
GIVES_UP = "too complex for Lucene|bytes before its first"


@pytest.mark.parametrize("language", [None, "lucene", "eql", "esql"])
@pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS)
def test_the_first_size_that_lucene_gives_up_on_is_refused(limit: Limit, language: str | None) -> None:
    compiled(f"s: {json.dumps(limit.selection(limit.fine))}\ncondition: s", language)
    with pytest.raises(Refused, match=GIVES_UP):
        compiled(f"s: {json.dumps(limit.selection(limit.fails))}\ncondition: s", language)


@pytest.mark.parametrize("language", ["elastic", "lucene", "eql"])
@pytest.mark.parametrize(
    "detection",
    [
        "{s: {Image|contains: 'a????????????b'}, condition: s}",
        "{s: {Image|contains: 'ä????????????b'}, condition: s}",
        "{s: {Image|cased|contains: 'a????????????b'}, condition: s}",
        "{s: {Image|re: 'q[a-z]{1,12}x'}, condition: s}",
    ],
)
def test_rules_without_declared_fields_are_held_to_it_too(detection: str, language: str) -> None:
    (rule,) = public_rules(detection)
    with pytest.raises(Refused, match=GIVES_UP):
        compiled_open(rule, language)


@pytest.mark.parametrize("keyword", ["'a????????????b'", "{'|re': 'q[a-z]{1,12}x'}"])
def test_keywords_without_declared_fields_are_held_to_it_too(keyword: str) -> None:
    (rule,) = public_rules(f"{{s: [{keyword}], condition: s}}")
    with pytest.raises(Refused, match=GIVES_UP):
        compiled_open(rule, "lucene")


@pytest.mark.parametrize(("operator", "value"), [("", "x" * 1001), ("", ["x" * 1001, "y"])])
def test_eql_compares_long_values_in_any_case_by_automata(operator: str, value: str | list[str]) -> None:
    (rule,) = public_rules(json.dumps({"s": {f"Image{operator}": value}, "condition": "s"}))
    with pytest.raises(Refused, match=GIVES_UP):
        compiled_open(rule, "eql")


def test_a_value_that_is_no_pattern_may_be_long() -> None:
    assert "x" * 8000 in compiled(f"s: {{user.name: {'x' * 8000}}}\ncondition: s", "lucene").query


@pytest.mark.parametrize(
    "text",
    [
        Text((MANY, "x" * 100_000, MANY)),
        Text((MANY, *(ONE,) * 5_000, "x", MANY)),
        Text(tuple(part for index in range(2_000) for part in (MANY, "ab"[index % 2]))),
        Text((MANY, *(part for index in range(500) for part in ("ab"[index % 2], ONE)), MANY)),
        Text((MANY, "".join(chr(0x4E00 + index) for index in range(9_000)), MANY)),
    ],
)
def test_hostile_patterns_are_refused_quickly(text: Text) -> None:
    start = time.perf_counter()
    with pytest.raises(Refused, match=GIVES_UP):
        check_pattern(text)
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize(
    "pattern",
    [
        "(((a|b)*c)*d)*[a-z]{900}",
        "([a-z]{1,30}x){30}",
        "(a|ab|abc|abcd|[a-e]){200}",
        "([a-c]|[b-d]|[c-e]|[d-f]|[e-g])*[fg][a-g]{15}",
    ],
)
def test_hostile_expressions_are_refused_quickly(pattern: str) -> None:
    start = time.perf_counter()
    with pytest.raises(Refused):
        lucene_regexp(Regex(pattern, True), folded=True)
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize("pattern", ["((a?){30}){30}b", "(a?b?c?d?e?f?g?h?){100}", "(a?){1000}", "((ab?)?c?){60}"])
def test_expressions_that_only_look_hostile_are_judged_quickly(pattern: str) -> None:
    start = time.perf_counter()
    assert lucene_regexp(Regex(pattern, True), folded=True) == f".*{pattern}.*"
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize(
    ("low", "high", "states"),
    [
        (0x00, 0x7F, 0),
        (0x41, 0x41, 0),
        (0xE9, 0xE9, 1),
        (0x80, 0x7FF, 3),
        (0x65E5, 0x65E5, 2),
        (0x65E0, 0x65E9, 2),
        (0x1F600, 0x1F600, 3),
    ],
)
def test_bytes_inside_a_range_of_characters(low: int, high: int, states: int) -> None:
    assert states_between(low, high) == states


def test_short_patterns_are_accepted_without_counting() -> None:
    start = time.perf_counter()
    for index in range(2_000):
        check_pattern(Text((MANY, f"\\appdata\\local\\{index}\\powershell.exe", MANY, "-enc", MANY)), any_case=True)
    assert time.perf_counter() - start < 5
    assert MOST_EFFORT == 100_000


def test_the_template_names_the_field_of_searches_without_one() -> None:
    # without it a query string is lenient: a clause that cannot be built matches nothing, in silence
    mapping = pack()[0]
    assert index_template(mapping)["template"]["settings"]["index"]["query"] == {"default_field": ["insurance.logsource"]}
    without = {name: field for name, field in mapping.fields.items() if name != "insurance.logsource"}
    assert "query" not in index_template(replace(mapping, fields=without))["template"]["settings"]["index"]
