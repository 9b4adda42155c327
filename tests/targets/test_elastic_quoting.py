"""Literals and identifiers: what comes back out of the query is what went in, and nothing else gets in."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigma.bind.model import Refused
from insigma.targets.elastic import quoting

NASTY = [
    "",
    'a"b',
    '"',
    "\\",
    "a\\",
    'a\\"',
    "a\nb",
    "a\r\tb",
    "\x00\x07\x1b\x7f",
    "* ?",
    "AND",
    "| LIMIT 1",
    '" OR *:*',
    '"""',
    "a:b/c",
    "żółć ẞ 😀",
    "\u2028\u3000",
    "${x}",
]
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12) | st.sampled_from(NASTY)
ESCAPED = {"f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def read_phrase(literal: str) -> str:
    """What Lucene's classic parser makes of a quoted phrase (QueryParserBase.discardEscapeChar)."""
    assert literal[0] == literal[-1] == '"'
    assert re.fullmatch(r'(?:[^"\\]|\\.)*', literal[1:-1], re.DOTALL)
    return re.sub(r"\\(?:u([0-9a-f]{4})|(.))", lambda m: chr(int(m[1], 16)) if m[1] else m[2], literal[1:-1], flags=re.DOTALL)


def read_term(term: str) -> str:
    """What WildcardQuery makes of an escaped piece: a backslash takes the next character as it is."""
    assert not re.search(r'(?<!\\)(?:\\\\)*[*? \t\n"():/\[\]{}^~!<>]', re.sub(r"\\.", "", term, flags=re.DOTALL))
    return re.sub(r"\\(.)", r"\1", term, flags=re.DOTALL)


def read_eql(literal: str) -> str:
    assert re.fullmatch(r'"(?:[^"\\\r\n]|\\[fnrt"\\]|\\u\{[0-9a-f]{2,8}\})*"', literal)
    return re.sub(r"\\(?:u\{([0-9a-f]+)\}|(.))", lambda m: chr(int(m[1], 16)) if m[1] else ESCAPED.get(m[2], m[2]), literal[1:-1])


def read_esql(literal: str) -> str:
    if literal.startswith('"""'):
        raw = literal[3:-3]
        assert '"' not in raw
        assert not set(raw) & set("\r\n")
        return raw
    assert re.fullmatch(r'"(?:[^"\\\r\n]|\\[nrt"\\])*"', literal)
    return re.sub(r"\\(.)", lambda m: ESCAPED.get(m[1], m[1]), literal[1:-1])


@given(TEXT)
def test_every_literal_comes_back(text: str) -> None:
    assert read_phrase(quoting.lucene_phrase(text)) == text
    assert read_term(quoting.lucene_literal(text)) == text
    assert read_eql(quoting.eql_string(text)) == text
    assert read_esql(quoting.esql_string(text)) == text


@given(TEXT)
def test_a_query_of_one_line_stays_one(text: str) -> None:
    for literal in (quoting.lucene_phrase(text), quoting.eql_string(text), quoting.esql_string(text)):
        assert not set(literal) & set("\r\n")


def test_escapes_read_well() -> None:
    assert quoting.lucene_phrase('C:\\Temp "x"\n') == '"C:\\\\Temp \\"x\\"\\u000a"'
    assert quoting.lucene_literal("a b:c/d") == "a\\ b\\:c\\/d"
    assert quoting.eql_string("a\tb\x01") == '"a\\tb\\u{01}"'
    assert quoting.esql_string("C:\\Temp") == '"""C:\\Temp"""'
    assert quoting.esql_string('C:\\"x"') == '"C:\\\\\\"x\\""'


@pytest.mark.parametrize(
    "name", ["", "a b", "a|b", 'a"b', "a`b", "a\nb", "a..b", ".a", "a.", "-a", "a'b", "żółć", "a*", "a) OR (b", "@timestamp desc"]
)
def test_field_names_outside_the_allow_list_are_refused(name: str) -> None:
    for quote in (quoting.lucene_field, quoting.eql_field, quoting.esql_column):
        with pytest.raises(Refused, match="field name"):
            quote(name)


def test_words_of_the_languages_are_quoted_or_refused() -> None:
    assert quoting.eql_field("process.any") == "`process.any`"
    assert quoting.eql_field("cs-method") == "`cs-method`"
    assert quoting.eql_field("@timestamp") == "@timestamp"
    assert quoting.esql_column("alert.first") == "`alert.first`"
    assert quoting.esql_column("cs-method") == "`cs-method`"
    assert quoting.esql_column("event.action") == "event.action"
    with pytest.raises(Refused):
        quoting.lucene_field("OR")


@pytest.mark.parametrize("pattern", ["", "a b", "a|b", 'a"', "-a", "Logs-*", "a,,b", "a\nb", "a/b", "*"])
def test_index_patterns_outside_the_allow_list_are_refused(pattern: str) -> None:
    with pytest.raises(Refused, match="index pattern"):
        quoting.index_patterns(pattern)


def test_index_patterns() -> None:
    assert quoting.index_patterns("logs-insurance.claims-*, eu:logs-x-*") == ("logs-insurance.claims-*", "eu:logs-x-*")


def test_numbers() -> None:
    assert quoting.number(5000.0) == "5000"
    assert quoting.number(-2.5) == "-2.5"
    assert quoting.number(1e-7) == "0.0000001"
    assert quoting.number(2**63 - 1) == "9223372036854775807"
    with pytest.raises(Refused, match="64 bits"):
        quoting.number(2**63)


def test_a_float_field_is_compared_with_the_float_that_it_can_hold() -> None:
    assert quoting.esql_number(27.5, "float") == "27.5"
    assert quoting.esql_number(0.1, "float").startswith("0.10000000149")
    assert quoting.esql_number(0.1, "double") == "0.1"


def test_half_a_surrogate_pair_is_no_text() -> None:
    for quote in (quoting.lucene_phrase, quoting.lucene_literal, quoting.eql_string, quoting.esql_string):
        with pytest.raises(Refused, match="surrogate"):
            quote("a\ud800")
