"""Event predicates as KQL: a golden expression for each operator, two-valued negation, and what is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insigma.bind.model import Refused
from tests.targets.sentinel.harness import clause, compiled, condition, selection, skeleton

LIST = 'strcat("\\u001f", strcat_array(List, "\\u001f"), "\\u001f")'
PRESENT = "coalesce(array_length(List), 0) > 0"
ADDRESS = r'A matches regex "^(?:(?:0|[1-9][0-9]*)\\.){3}(?:0|[1-9][0-9]*)$"'
CLAUSES = [
    ("a: Abc", 'A =~ "abc"'),
    ("a|cased: Abc", 'A == "Abc"'),
    ("stored.lower: Abc", 'Low =~ "abc"'),
    ("a: 4625", 'A =~ "4625"'),
    ("a: true", 'A =~ "true"'),
    ("a: [x, Z, 3]", 'A in~ ("x", "z", "3")'),
    ("a|cased: [x, Z]", 'A in ("x", "Z")'),
    ("a: '*'", "isnotempty(A)"),
    ("a|contains: Abc", 'A contains "abc"'),
    ("a|startswith: Abc", 'A startswith "abc"'),
    ("a|endswith: .exe", 'A endswith ".exe"'),
    ("a|contains|cased: Abc", 'A contains_cs "Abc"'),
    ("a|startswith|cased: Abc", 'A startswith_cs "Abc"'),
    ("a|endswith|cased: .exe", 'A endswith_cs ".exe"'),
    ("a: 'a?b*c'", 'A matches regex "(?is)^a.b.*c$"'),
    ("a|cased: 'a?b'", 'A matches regex "(?s)^a.b$"'),
    (r"a: 'a\*b\?'", 'A =~ "a*b?"'),
    ("a: Über", 'A matches regex "(?i)^über$"'),
    ("a: [x, Über]", 'A =~ "x"\n    or A matches regex "(?i)^über$"'),
    ("a|cased: Über", 'A == "Über"'),
    ("a|contains: straße", 'A matches regex "(?i)straße"'),
    ("a: 'C:\\Temp\\\"x\"'", 'A =~ "c:\\\\temp\\\\\\"x\\""'),
    ("a|re: '^foo$'", 'A matches regex "^foo$"'),
    ("a|re|i: 'foo.*bar'", 'A matches regex "(?i)foo.*bar"'),
    ("a|re: 'x*'", 'isnotempty(A) and A matches regex "x*"'),
    ("count: 5", "Count == 5"),
    ("count: -5", "Count == -5"),
    ("count: 5.5", "false"),
    ("count: [1, 2]", "Count in (1, 2)"),
    ("count|gte: 1000", "Count >= 1000"),
    ("count|gt: 5.5", "Count >= 6"),
    ("count|lt: 5.5", "Count <= 5"),
    ("count|lt: -1.5", "Count <= -2"),
    ("count: 9007199254740993", "Count == 9007199254740993"),
    ("score: 5.50", "Score == 5.5"),
    ("score|lt: -1", "Score < -1"),
    ("flag: true", "Flag == true"),
    ("when|hour: 23", 'datetime_part("Hour", When) == 23'),
    ("when|week: 1", "week_of_year(When) == 1"),
    ("a|cidr: 10.0.0.0/8", f'{ADDRESS} and ipv4_is_in_range(A, "10.0.0.0/8")'),
    ("a|cidr: '2001:DB8::/32'", 'A matches regex "^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$" and ipv6_is_in_range(A, "2001:db8::/32")'),
    ("a: null", "isempty(A)"),
    ("count: null", "isnull(Count)"),
    ("a|exists: true", "isnotempty(A)"),
    ("count|exists: false", "isnull(Count)"),
    ("a|fieldref: b", "isnotempty(B) and tolower(A) == tolower(B)"),
    ("a|fieldref|cased: b", "isnotempty(B) and A == B"),
    ("a|fieldref|startswith: b", "isnotempty(A) and isnotempty(B) and tolower(A) startswith_cs tolower(B)"),
    ("a|fieldref|contains: b", "isnotempty(A) and isnotempty(B) and tolower(A) contains_cs tolower(B)"),
    ("count|fieldref: other.count", "Count == OtherCount"),
    ("list: Abc", f'{LIST} contains "\\u001fabc\\u001f"'),
    ("list|cased: Abc", f'{LIST} contains_cs "\\u001fAbc\\u001f"'),
    ("list|contains: b", f'{LIST} contains "b"'),
    ("list|startswith: b", f'{LIST} contains "\\u001fb"'),
    ("list|endswith: b", f'{LIST} contains "b\\u001f"'),
    ("list: 'a?b*c'", f'{LIST} matches regex "(?i)\\\\x1fa[^\\\\x1f]b[^\\\\x1f]*c\\\\x1f"'),
    ("list: [a, b]", f'{LIST} matches regex "(?i)\\\\x1f(?:a|b)\\\\x1f"'),
    ("list: ''", f'{PRESENT} and {LIST} contains "\\u001f\\u001f"'),
    ("list|re: '^a.[^b]$'", f'{LIST} matches regex "\\\\x1fa[^\\\\n\\\\x1f][^b\\\\x1f]\\\\x1f"'),
    ("list: null", "coalesce(array_length(List), 0) == 0"),
    ("list: '*'", PRESENT),
    ("spaced name: x", "['spaced name'] =~ \"x\""),
    ("word: x", "['where'] =~ \"x\""),
]


@pytest.mark.parametrize(("written", "expected"), CLAUSES)
def test_each_operator(written: str, expected: str) -> None:
    assert clause(written) == expected


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("evil: x", "not allowed in a KQL identifier"),
        ("score: 9007199254740993", "2\\^53"),
        ("count: 9223372036854775808", "64 bits"),
        ("a: ''", "alike"),
        ("a: ['', x]", "alike"),
        ("list|fieldref: a", "several values"),
        ("a|fieldref: list", "several values"),
        ("count|fieldref|startswith: other.count", "only like"),
        ("numbers: 3", "array of other things"),
        ("numbers|gt: 3", "array of other things"),
        ("list|cidr: 10.0.0.0/8", "several values"),
        ("a|cidr: '::ffff:10.0.0.0/104'", "IPv4 addresses written as IPv6"),
        ("a|cidr: '::/0'", "IPv4 addresses written as IPv6"),
        ('list: "x\\x1fy"', "U\\+001F"),
        ("a|re: 'x\\By'", "same sense"),
        ("list|re: 'a^b'", "anchor inside"),
        ("list|re|m: '^a'", "anchors of lines"),
    ],
)
def test_what_kql_cannot_say_is_refused(written: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        clause(written)


def test_negation_of_strings_needs_no_guard() -> None:
    assert condition("  s: {a: x}\n  f: {b: w}\n  condition: s and not f") == 'A =~ "x"\n    and not(B =~ "w")'


@pytest.mark.parametrize("leaf", ["count: 5", "count|gt: 5", "flag: true", "when|hour: 3", "a|cidr: 10.0.0.0/8", "list: x"])
def test_negation_of_what_may_be_null_is_guarded(leaf: str) -> None:
    assert condition(f"  s: {{{leaf}}}\n  condition: not s") == f"not(coalesce({clause(leaf)}, false))"


def test_a_guard_around_a_group_covers_the_group() -> None:
    written = condition("  s: {a: x}\n  f: {b: w}\n  g: {count|gt: 3}\n  condition: s and not (f or g)")
    assert written == 'A =~ "x"\n    and not(coalesce(B =~ "w"\n        or Count > 3, false))'


@pytest.mark.parametrize(
    ("written", "expected"),
    [("a: null", "isnotempty(A)"), ("a|exists: true", "isempty(A)"), ("count: null", "isnotnull(Count)"), ("list: null", PRESENT)],
)
def test_negated_presence_is_presence_the_other_way(written: str, expected: str) -> None:
    assert condition(f"  s: {{{written}}}\n  condition: not s") == expected


def test_filters_for_null_and_for_empty_meet_in_one_test() -> None:
    written = condition("  s: {b: w}\n  filter_null: {a: null}\n  filter_empty: {a: ''}\n  condition: s and not 1 of filter_*")
    assert written == 'B =~ "w"\n    and isnotempty(A)'


def test_null_or_empty_or_more_keeps_what_is_more() -> None:
    assert condition("  s: {a: null}\n  t: {a: ['', x]}\n  condition: s or t") == 'isempty(A)\n    or A =~ "x"'


def test_mixed_groups_carry_parentheses() -> None:
    either = condition("  s: {a: x, b: w}\n  f: {stored.lower: z}\n  condition: s or f")
    assert either == '(A =~ "x"\n        and B =~ "w")\n    or Low =~ "z"'
    guarded = condition("  s: {a|re: 'x*'}\n  f: {b: w}\n  condition: s or f")
    assert guarded == '(isnotempty(A) and A matches regex "x*")\n    or B =~ "w"'


def test_a_long_chain_is_cut_into_groups() -> None:
    written = clause(f"a|contains: [{', '.join(f'x{number}' for number in range(1000))}]")
    assert written.count("(") == written.count(")") == 20
    deepest = max(len(part.split(" or ")) for part in written.replace("\n", " ").split("("))
    assert deepest <= 52


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"\d+\w\s\D\W\S", r"[0-9]+[0-9A-Z_a-z][\x09-\x0a\x0c-\x0d ][^0-9][^0-9A-Z_a-z][^\x09-\x0a\x0c-\x0d ]"),
        (r"\bfoo\b", r"(?-u:\b)foo(?-u:\b)"),
        (r"a{2}b{,3}{x}", r"a{2}b\{,3\}\{x\}"),
        (r"[a&&b][[x][~~-]", r"[a\&\&b][\[x][\~\~\-]"),
        (r"(?P<n>a)(b)(?i:c)(?<m>d)", "(?:a)(?:b)(?i:c)(?:d)"),
        (r"\Qa.b\E+\x41\101\z\A", r"a\.b+AA\z\A"),
        (r"[^[:alpha:]\d\-\]]", r"[^A-Za-z0-9\-\]]"),
        (r"\pL\p{Greek}\p{^Greek}\PN", r"\p{L}\p{Greek}\P{Greek}\P{N}"),
        (r"\<\>\/\-", "<>/-"),
        (r"[\D]x", r"[\x00-/:-\x{10FFFF}]x"),
    ],
)
def test_an_expression_is_written_in_what_both_engines_read_alike(pattern: str, expected: str) -> None:
    assert clause(f"a|re: {json.dumps(pattern)}") == f"A matches regex {json.dumps(expected)}"


HOSTILE = [
    'a" | take 1 //', "'] | take 1", "a\\", 'a\\"', "a\nb", "a\tb", "a\rb", "\x00", "\x85", "\u2028", "\u202e", "\U000e0041",
    "search *", "union *", "UNION  *", "*", "?", "a*b\\*c", "and", "or", "//", "let x = 1;", " ", "ü\"'", "-1", "))", "%name%",
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("field", ["a", "a|contains", "a|startswith", "a|endswith", "a|cased", "list", "list|contains"])
def test_no_value_leaves_its_quotes(field: str, value: str) -> None:
    quoted = json.dumps(value) if ord(max(value)) <= 0xFFFF else f'"\\U{ord(value):08x}"'
    query = compiled(selection(f"{field}: {quoted}")).query
    written = skeleton(query)
    assert written.count("|") == 3
    assert not set(written) & set("\\/;'\t\x00")
    assert query.replace("\n", "").isprintable()
    assert "search *" not in query.lower()
    assert "union *" not in query.lower()


@settings(deadline=None)
@given(st.text(max_size=12), st.sampled_from(["a", "a|contains", "a|startswith", "a|endswith|cased", "list"]))
def test_any_value_stays_inside_its_quotes_or_is_refused(value: str, field: str) -> None:
    if not all(char.isprintable() or char in "\n\t" for char in value):
        return
    try:
        written = skeleton(compiled(selection(f"{field}: {json.dumps(value, ensure_ascii=False)}")).query)
    except Refused:
        return
    assert written.count("|") == 3
    assert not set(written) & set("\\/;'")
