"""Regular expressions: the translation matches whole values exactly where RE2 finds the original in them."""

from __future__ import annotations

import re

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from insigma.bind.model import Refused
from insigma.content.folding import fold
from insigma.content.predicate import Regex, Text, Wildcard
from insigma.content.regexes import re2_pattern
from insigma.targets.elastic.regexp import lucene_regexp, pattern_regexp

GOLDEN = [
    ("whoami", ".*whoami.*"),
    ("^whoami", "whoami.*"),
    ("whoami$", ".*whoami"),
    ("^whoami$", "whoami"),
    ("^$", "()"),
    ("", ".*"),
    ("a|b", ".*(a|b).*"),
    ("^a|b$", "a.*|.*b"),
    ("(^|;)rm(;|$)", "rm;.*|rm|.*;rm;.*|.*;rm"),
    ("(?:ab)+c", ".*(ab)+c.*"),
    ("(?P<x>a)b", ".*ab.*"),
    ("a.c", ".*a[^\n]c.*"),
    ("(?s)a.c", ".*a.c.*"),
    (r"\d+\.\d{2,3}?", r".*[0-9]+\.[0-9]{2,3}.*"),
    (r"\w\W", ".*[0-9A-Z_a-z][^0-9A-Z_a-z].*"),
    (r"[^\d.]", r".*[^.0-9].*"),
    (r'#@&<>~"/', r".*\#\@\&\<\>\~\"/.*"),
    (r"\Qa.b\E+", r".*a\.b+.*"),
    (r"\x41\x{1F600}", ".*A\U0001f600.*"),
    (r"[a\]\\^-]", r".*[\-\\-\^a].*"),
    ("a{3}b{2,}c{0}", ".*a{3}b{2,}c{0}.*"),
    ("(a|)b", ".*(a|())b.*"),
    ("[[:alpha:]_]", ".*[A-Z_a-z].*"),
    ("[[:^digit:]]", ".*[^0-9].*"),
    (r"[\w.-]", r".*[\-.0-9A-Z_a-z].*"),
    (r"\A\101\t\z", "A\t"),
    (r"\Q\E", ".*"),
    (r"\Qab", ".*ab.*"),
    ("a{,2}", r".*a\{,2\}.*"),
    (r"[^\x00-\x{10FFFF}]", ".*#.*"),
    ("(^a|b|c$)", "a.*|.*b.*|.*c"),
]


@pytest.mark.parametrize(("pattern", "expected"), GOLDEN)
def test_translation(pattern: str, expected: str) -> None:
    assert lucene_regexp(Regex(pattern), folded=False) == expected


def test_case_on_folded_and_on_cased_columns() -> None:
    assert lucene_regexp(Regex("WhoAmI", ignore_case=True), folded=True) == ".*whoami.*"
    assert lucene_regexp(Regex("Wk", ignore_case=True), folded=False) == ".*[Ww][Kk\u212a].*"
    assert lucene_regexp(Regex("(?i)w1"), folded=False) == ".*[Ww]1.*"
    assert lucene_regexp(Regex("[A-C]", ignore_case=True), folded=True) == ".*[a-c].*"
    assert lucene_regexp(Regex("[^A-C]", ignore_case=True), folded=True) == ".*[^a-c].*"


@pytest.mark.parametrize(
    "pattern",
    [r"\bfoo", r"foo\B", "a^b", "a$b", "(^a)*b", "(?m)^a", "(?i:a)b", r"\pL", "a(?i)b", "[\\x{100}-\\x{10FFFF}]"],
)
def test_what_cannot_be_said_is_refused(pattern: str) -> None:
    with pytest.raises(Refused, match="cannot say"):
        lucene_regexp(Regex(pattern, ignore_case="100" in pattern), folded=False)


def test_lookaround_and_backreferences_are_refused_if_they_get_here() -> None:
    for pattern in ("a(?=b)", "(?<!a)b", "(a)\\8"):
        with pytest.raises(Refused):
            lucene_regexp(Regex(pattern), folded=False)


def test_limits() -> None:
    with pytest.raises(Refused, match="max_regex_length"):
        lucene_regexp(Regex("a" * 1001), folded=False)
    with pytest.raises(Refused, match="1000 repeats"):
        lucene_regexp(Regex("a{1001}"), folded=False)
    with pytest.raises(Refused, match="states"):
        lucene_regexp(Regex("((ab){100}){100}"), folded=False)
    with pytest.raises(Refused, match="64 alternatives"):
        lucene_regexp(Regex("(^|" + "|".join("abcdefgh") + ")x(" + "|".join("abcdefgh") + "|$)"), folded=False)
    with pytest.raises(Refused, match="1002 characters"):
        pattern_regexp(Text(("*" * 500, Wildcard.ONE, "x")))


def test_a_pattern_with_literal_wildcards() -> None:
    assert pattern_regexp(Text(("a*b", Wildcard.ONE, "c", Wildcard.MANY))) == r"a\*b.c.*"


ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "A",
        "é",
        "ß",
        "Σ",
        ".",
        r"\.",
        r"\d",
        r"\w",
        r"\s",
        r"\W",
        r"\S",
        "[abc]",
        "[^ab]",
        "[A-C]",
        r"[^\s]",
        "-",
        "/",
        r"\\",
        "@",
        '"',
        "#",
    ]
)
QUANTIFIERS = st.sampled_from(["", "", "", "*", "+", "?", "+?", "{2}", "{1,2}", "{0,1}"])
PIECES = st.lists(st.tuples(ATOMS, QUANTIFIERS).map("".join), min_size=1, max_size=3).map("".join)
GROUPS = st.one_of(PIECES, st.tuples(PIECES, PIECES).map(lambda pair: f"({pair[0]}|{pair[1]})?"), PIECES.map(lambda piece: f"(?:{piece})+"))
PATTERNS = st.builds(
    lambda start, pieces, end: start + "".join(pieces) + end,
    st.sampled_from(["", "", "^", "(^|a)"]),
    st.lists(GROUPS, min_size=1, max_size=3),
    st.sampled_from(["", "", "$", "(b|$)"]),
)
VALUES = st.text('aAbBcé ÉßΣσ1_.-/\\"#@\n\t', max_size=6)


@settings(max_examples=400, deadline=None)
@given(PATTERNS, st.booleans(), st.booleans(), st.lists(VALUES, min_size=1, max_size=8))
def test_the_translation_agrees_with_re2(pattern: str, ignore_case: bool, dotall: bool, values: list[str]) -> None:
    """Lucene's syntax, as far as we write it, is also Python's if `.` takes newlines; real Lucene agrees (docs/targets/elastic.md)."""
    regex = Regex(pattern, ignore_case, dotall=dotall)
    try:
        original = re2_pattern(regex)
    except re2.error:
        return
    for folded in {ignore_case, False}:
        try:
            translated = re.compile(lucene_regexp(regex, folded), re.DOTALL)
        except Refused as refused:
            if "too complex" not in refused.reason:
                raise
            continue
        for value in values:
            stored = fold(value) if folded else value
            assert (translated.fullmatch(stored) is not None) == (original.search(stored) is not None)
