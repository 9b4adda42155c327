"""Predicates as eval expressions: what each operator becomes, and that nothing in a rule can leave its quotes."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insigma.bind.model import Refused
from tests.targets.splunk_harness import clause, compiled, condition, selection, skeleton

CLAUSES = [
    ("a: Abc", "lower('a')=\"abc\""),
    ("stored.lower: Abc", "'stored.lower'=\"abc\""),
    ("a|cased: Abc", "'a'=\"Abc\""),
    ("a|cased: '10'", "match('a', \"^10\\z\")"),
    ("a: ''", "lower('a')=\"\""),
    ("a: 4625", "lower('a')=\"4625\""),
    ("a: true", "lower('a')=\"true\""),
    ("a: [x, Z, 3]", 'in(lower(\'a\'), "x", "z", "3")'),
    ("a: ['x', 'q\"z']", "lower('a')=\"x\"\n    OR match('a', \"(?i)^q\\x22z\\z\")"),
    ("a: '*'", "isnotnull('a')"),
    ("a|contains: Abc", "match('a', \"(?i)abc\")"),
    ("a|startswith: Abc", "match('a', \"(?i)^abc\")"),
    ("a|endswith: .exe", "match('a', \"(?i)\\.exe\\z\")"),
    ("a|endswith|cased: .exe", "match('a', \"\\.exe\\z\")"),
    ("a: 'a?b*c'", "match('a', \"(?is)^a.b.*c\\z\")"),
    (r"a: 'a\*b\?'", "lower('a')=\"a*b?\""),
    ("a: Über", "match('a', \"(?i)^(?:ü|Ü)ber\\z\")"),
    ("a|cased: Über", "'a'=\"Über\""),
    ("a|re: '^foo$'", "match('a', \"^foo\\z\")"),
    ("a|re|i: 'foo.*bar'", "match('a', \"(?i)foo.*bar\")"),
    ("count: 5", "tonumber('count')=5"),
    ("count: -5.50", "tonumber('count')=-5.5"),
    ("count: [1, 2]", "tonumber('count')=1\n    OR tonumber('count')=2"),
    ("count|gte: 1000", "tonumber('count')>=1000"),
    ("count|lt: -1", "tonumber('count')<-1"),
    ("source.ip|cidr: 10.0.0.0/8", "cidrmatch(\"10.0.0.0/8\", 'source.ip')"),
    ("source.ip|cidr: '2001:db8::/32'", "cidrmatch(\"2001:db8::/32\", 'source.ip')"),
    ("a: null", "isnull('a')"),
    ("a|exists: true", "isnotnull('a')"),
    ("a|exists: false", "isnull('a')"),
    ("a|fieldref: b", "lower('a')=lower('b')"),
    ("a|fieldref|startswith: b", "substr(lower('a'), 1, len(lower('b')))=lower('b')"),
    ("a|fieldref|endswith: b", "substr(lower('a'), len(lower('a'))-len(lower('b'))+1)=lower('b')"),
    ("count|fieldref: other.count", "tonumber('count')=tonumber('other.count')"),
    ("list: Abc", "isnotnull(mvfind('list{}', \"(?i)^abc\\z\"))"),
    ("list: [a, b]", "isnotnull(mvfind('list{}', \"(?i)^(?:a|b)\\z\"))"),
    ("list|re: 'x+'", "isnotnull(mvfind('list{}', \"x+\"))"),
    ("numbers|gt: 3", "isnotnull(mvfilter(if(tonumber('numbers{}')>3, 1, 0)=1))"),
    ("numbers: 3", "isnotnull(mvfilter(if(tonumber('numbers{}')=3, 1, 0)=1))"),
    ("list: null", "isnull('list{}')"),
    ("spaced name: x", "lower('spaced name')=\"x\""),
]


@pytest.mark.parametrize(("written", "expected"), CLAUSES)
def test_each_operator(written: str, expected: str) -> None:
    assert clause(written) == expected


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("evil: x", "not allowed in an SPL field name"),
        ("count: 9007199254740993", "2\\^53"),
        ("a|fieldref|contains: b", "inside another"),
        ("list|fieldref: a", "several values"),
        ("a|fieldref: list", "several values"),
        ('a: "x\\u2028y"', "U\\+2028"),
        ("a|re: '\\pL'", "no safe form"),
    ],
)
def test_what_spl_cannot_say_is_refused(written: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        clause(written)


def test_negation_is_two_valued_whatever_null_does() -> None:
    assert condition("  s: {a: x}\n  f: {b: w}\n  condition: s and not f") == "lower('a')=\"x\"\n    AND if(lower('b')=\"w\", 0, 1)=1"


def test_negation_of_a_group_covers_the_group() -> None:
    written = condition("  s: {a: x}\n  f: {b: w}\n  g: {stored.lower: z}\n  condition: s and not (f or g)")
    assert written == "lower('a')=\"x\"\n    AND if(lower('b')=\"w\"\n      OR 'stored.lower'=\"z\", 0, 1)=1"


@pytest.mark.parametrize(("written", "expected"), [("a: null", "isnotnull('a')"), ("a|exists: true", "isnull('a')")])
def test_negated_presence_is_presence_the_other_way(written: str, expected: str) -> None:
    assert condition(f"  s: {{{written}}}\n  condition: not s") == expected


def test_double_negation_is_none() -> None:
    assert condition("  s: {a: x}\n  condition: not (not s)") == "lower('a')=\"x\""


def test_mixed_groups_carry_parentheses_under_either_precedence() -> None:
    either = condition("  s: {a: x, b: w}\n  f: {stored.lower: z}\n  condition: s or f")
    assert either == "(lower('a')=\"x\"\n      AND lower('b')=\"w\")\n    OR 'stored.lower'=\"z\""
    both = condition("  s: {a: x}\n  f: {b: w}\n  g: {stored.lower: z}\n  condition: s and (f or g)")
    assert both == "lower('a')=\"x\"\n    AND (lower('b')=\"w\"\n      OR 'stored.lower'=\"z\")"


def test_long_lists_take_a_line_a_value_in_the_rules_order() -> None:
    values = [f"value-number-{number}" for number in range(12, 0, -1)]
    written = clause(f"a: [{', '.join(values)}]")
    assert [line.strip().rstrip(",)").strip('"') for line in written.split("\n")[1:]] == values


def test_values_that_differ_in_case_alone_are_written_once_unless_cased() -> None:
    assert clause("a|cased: [Ab, aB, ab]") == 'in(\'a\', "Ab", "aB", "ab")'
    assert clause("""a: [Ab, aB, 'q"z', 'Q"Z', c]""") == clause("""a: [ab, 'q"z', c]""")


def test_thousands_of_values_are_written_in_no_time() -> None:
    values = [text for number in range(2_000) for text in (f"value{number}", f"VALUE{number}", f'quo"te{number}')]
    begun = time.perf_counter()
    written = clause(f"a: {json.dumps(values)}")
    assert time.perf_counter() - begun < 5
    assert written.count('"value') == 2_000
    assert written.count("te1999") == 1


HOSTILE = [
    'a" | delete | search "x', "' | delete | where '", "a\\", 'a\\"', "`macro`", "[search index=*]", "$token$", "a\nb", "a\tb",
    "a|b", "\x00",
    "*", "?", "a*b\\*c", "AND", "OR", "NOT", "by", "", " ", "ü\"'", "-1", "))", "#x", "```", "%name%",
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("field", ["a", "a|contains", "a|startswith", "a|endswith", "a|cased", "list", "list|contains"])
def test_no_value_leaves_its_quotes(field: str, value: str) -> None:
    written = skeleton(compiled(selection(f"{field}: {json.dumps(value)}")).query)
    assert written.count("|") == 1
    assert not set(written) & set("`$[]\\#\t\x00")


@settings(deadline=None)
@given(st.text(max_size=12), st.sampled_from(["a", "a|contains", "a|startswith", "a|endswith|cased", "list"]))
def test_any_value_stays_inside_its_quotes_or_is_refused(value: str, field: str) -> None:
    if not all(char.isprintable() or char in "\n\t" for char in value):
        return
    try:
        written = skeleton(compiled(selection(f"{field}: {json.dumps(value, ensure_ascii=False)}")).query)
    except Refused:
        return
    assert written.count("|") == 1
    assert not set(written) & set("`$[]\\#")
