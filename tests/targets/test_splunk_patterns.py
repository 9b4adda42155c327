"""String patterns and regular expressions: what is found, and what may stand in a query."""

from __future__ import annotations

import re

import pytest
import re2
from hypothesis import example, given, settings
from hypothesis import strategies as st

from insigma.bind.model import Refused
from insigma.content.folding import fold
from insigma.content.predicate import Regex, Text, Wildcard, pattern
from insigma.evaluate.leaves import text_predicate
from insigma.targets.splunk import patterns, quoting
from insigma.targets.splunk.regex import translate

ALPHABET = st.sampled_from(list("abAB01 .*?\\\"'`$|[](){}^+-\n\t\x00%_/äÄßẞςΣ"))
WORDS = st.text(ALPHABET, max_size=6)
PARTS = st.lists(st.one_of(st.sampled_from(list(Wildcard)), WORDS.filter(bool)), max_size=4)


def found(expression: str, value: str) -> bool:
    r"""Whether PCRE would find the expression; Python's syntax differs in `\z` only, for what is written here."""
    return re.search(expression.replace(r"\z", r"\Z"), value) is not None


@settings(deadline=None)
@given(PARTS, WORDS, st.booleans())
@example([Wildcard.ONE], "\n", False)
@example(["a\\", Wildcard.MANY], 'a\\"| delete', True)
def test_a_pattern_finds_what_the_evaluator_matches(parts: list[str | Wildcard], value: str, cased: bool) -> None:
    text = pattern(tuple(part if cased or isinstance(part, Wildcard) else fold(part) for part in parts), cased)
    if set(text.parts) == {Wildcard.MANY}:
        return
    expression = patterns.text_regex(text, ignore_case=not cased)
    assert found(expression, value) == text_predicate(text)(value if cased else fold(value))


@settings(deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=3), WORDS)
def test_a_list_finds_its_members_in_any_case(members: list[str], value: str) -> None:
    expression = patterns.any_regex([fold(member) for member in members], ignore_case=True)
    assert found(expression, value) == (fold(value) in {fold(member) for member in members})


@settings(deadline=None)
@given(PARTS, st.booleans())
def test_no_expression_needs_an_escape_inside_quotes(parts: list[str | Wildcard], cased: bool) -> None:
    expression = patterns.text_regex(pattern(tuple(parts), cased), ignore_case=not cased)
    assert quoting.regex(expression) == f'"{expression}"'


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (Text((Wildcard.MANY, "abc", Wildcard.MANY)), "(?i)abc"),
        (Text(("abc", Wildcard.MANY)), "(?i)^abc"),
        (Text((Wildcard.MANY, "\\cmd.exe")), r"(?i)\x5ccmd\.exe\z"),
        (Text(("a", Wildcard.MANY, "b")), r"(?is)^a.*b\z"),
        (Text(("1", Wildcard.ONE)), r"(?s)^1.\z"),
        (Text(()), r"^\z"),
        (Text(("ü",)), r"^(?:ü|Ü)\z"),
    ],
)
def test_patterns_read_well(text: Text, written: str) -> None:
    assert patterns.text_regex(text, ignore_case=True) == written


def test_letters_beyond_ascii_are_spelled_in_every_case() -> None:
    assert patterns.cases("σ") == "(?:σ|Σ|ς)"
    assert patterns.cases("ß") == "(?:ß|ẞ)"
    assert patterns.cases("中") == "中"


@pytest.mark.parametrize("char", ["\ud800", "\u2028", "\x85"])
def test_what_a_query_cannot_carry_is_refused(char: str) -> None:
    with pytest.raises(Refused, match="U\\+"):
        patterns.escape(f"a{char}", ignore_case=True)


REGEXES = [
    r"foo", r"^foo$", r"foo$", r"(?m)^a$", r"a|b", r"(a|b)+c?", r"a{2,3}", r"a{2}", r"a{", r"a{,2}", r"\.exe\b", r"[a-c]x", r"[^a]b",
    r"[]a]b", r"[a\]b]c", r"[\d\s]x", r"\d+", r"\x41b", r"\x{41}b", r"\101b", r"\\", r"\\\\host",
    r"\"", r"a\"b", r"`\$\(", r"\Qa.b\E", r"\Q$*",
    r"(?P<n>a)b", r"(?i)AB", r"(?i:A)B", r"(?s).", r"(?s:a.b)", r"(?-i)ab", r"[[:alpha:]]b", r"a.b", r"\v", r"\a", r"\t|\n", r"$", r"^",
    r"\Aa", r"a\z", r"a*?b", r"[$\"`\\]", r"[-a]b", r"[a\-c]b", r"}", r"]", r"\-", r"\/", r"[\/.]",
    r"\b*foo", r"foo\B?", r"^*a", r"(?:a$+)", r"a\z{1,2}", r"\A?b",
]  # fmt: skip
VALUES = [
    "foo", "foo\n", "xfoo", "a", "a\n", "b\na\nc", "\n", "", "aa", "aaa", "a{", "a{,2}", "cmd.exe run",
    "ax", "bb", "]b", "]c", "1x", " x", "7",
    "Ab", "AB", "ab", "\\", "\\\\host", '"', 'a"b', "`$(", "a.b", "axb", "a\nb", "$*", "\x0b", "\x07", "\t", "-b", "}", "-", "/", "$", "ü",
]  # fmt: skip


@pytest.mark.parametrize("expression", REGEXES)
@pytest.mark.parametrize("flags", ["", "i", "m", "s"])
def test_re2_means_the_same_in_pcre(expression: str, flags: str) -> None:
    regex = Regex(expression, ignore_case="i" in flags, multiline="m" in flags, dotall="s" in flags)
    written = translate(regex)
    prefix = f"(?{flags})" if flags else ""
    for value in VALUES:
        assert _python(written, value) == (re2.search(prefix + expression, value) is not None), (written, value)
    assert quoting.regex(written) == f'"{written}"'


def _python(written: str, value: str) -> bool:
    """Python's `re` reads what is written as PCRE does, but for POSIX classes and groups that set flags half-way."""
    adapted = written.replace("[[:alpha:]]", "[A-Za-z]").replace("(?-i)", "").replace("(?i)(?i)", "(?i)").replace("(?s)(?s)", "(?s)")
    adapted = re.sub(r"^\(\?([ims])\)\(\?([ims])\)", r"(?\1\2)", adapted)
    if written == "(?i)(?-i)ab":
        adapted = "ab"
    return found(adapted, value)


@pytest.mark.parametrize("expression", [r"\pN", r"\p{Greek}", r"\C", r"[äö]", r"a*+", r"a{2}+", r"(?=a)", r"(?<!a)b", r"[a", "a\\"])
def test_what_has_no_safe_form_is_refused(expression: str) -> None:
    with pytest.raises(Refused, match="no safe form"):
        translate(Regex(expression))


@settings(deadline=None)
@given(st.text(ALPHABET, max_size=12))
def test_any_pattern_is_translated_safely_or_refused(expression: str) -> None:
    try:
        written = translate(Regex(expression, ignore_case=True))
    except Refused:
        return
    assert quoting.regex(written) == f'"{written}"'
