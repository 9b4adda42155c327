"""Every modifier of Sigma 2.1: what a value under it means. Selections are YAML on one line, as an author writes them."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insigma.content.predicate import (
    Affix,
    And,
    Boolean,
    Cidr,
    Compare,
    Comparison,
    Exists,
    FieldRef,
    IsNull,
    Keyword,
    Match,
    Name,
    Not,
    Number,
    Or,
    Placeholder,
    Predicate,
    Regex,
    Text,
    TimePart,
    TimeUnit,
    Value,
    Wildcard,
    leaves,
    pattern,
)
from insigma.content.sigma_bridge import MODIFIERS
from insigma.content.values import affixed, encoded_texts
from tests.content.reading import predicate_of

MANY, ONE = Wildcard.MANY, Wildcard.ONE


def text(*parts: str | Wildcard, cased: bool = False) -> Text:
    return Text(parts, cased)


def contains(literal: str) -> Text:
    return text(MANY, literal, MANY)


ONE_VALUE: list[tuple[str, Value]] = [
    # strings and wildcards
    ("{f: abc}", text("abc")),
    ("{f: ''}", text()),
    ("{f: 'a*b?c'}", text("a", MANY, "b", ONE, "c")),
    ("{f: '**a'}", text(MANY, "a")),
    ("{f: '??'}", text(ONE, ONE)),
    (r"{f: 'a\*b'}", text("a*b")),
    (r"{f: 'a\?b'}", text("a?b")),
    (r"{f: 'a\\*b'}", text("a\\", MANY, "b")),
    (r"{f: 'a\\\*b'}", text("a\\*b")),
    (r"{f: 'C:\Windows\System32\'}", text("C:\\Windows\\System32\\")),
    (r"{f: '\\server\share'}", text("\\server\\share")),
    (r"{f: '\\\\server\share'}", text("\\\\server\\share")),
    ('{f: "a\\tb\\nc"}', text("a\tb\nc")),
    ("{f: '%x%'}", text("%x%")),
    # numbers, booleans, null
    ("{f: 5}", Number(5)),
    ("{f: -5}", Number(-5)),
    ("{f: 1.5}", Number(1.5)),
    ("{f: 9007199254740993}", Number(9007199254740993)),
    ("{f: -18446744073709551617}", Number(-18446744073709551617)),
    ("{f: '5'}", text("5")),
    ("{f: true}", Boolean(True)),
    ("{f: False}", Boolean(False)),
    ("{f: 'true'}", text("true")),
    ("{f: null}", IsNull()),
    ("{f: ~}", IsNull()),
    ("{f: }", IsNull()),
    # contains and its like
    ("{f|contains: abc}", contains("abc")),
    ("{f|startswith: abc}", text("abc", MANY)),
    ("{f|endswith: abc}", text(MANY, "abc")),
    ("{f|contains: '*abc'}", contains("abc")),
    ("{f|contains: 'a*c'}", text(MANY, "a", MANY, "c", MANY)),
    (r"{f|contains: '\*'}", contains("*")),
    ("{f|contains: ''}", text(MANY)),
    (r"{f|endswith: '\cmd.exe'}", text(MANY, "\\cmd.exe")),
    (r"{f|startswith: 'C:\'}", text("C:\\", MANY)),
    # cased
    ("{f|cased: aBc}", text("aBc", cased=True)),
    ("{f|contains|cased: aBc}", text(MANY, "aBc", MANY, cased=True)),
    ("{f|cased|contains: aBc}", text(MANY, "aBc", MANY, cased=True)),
    ("{f|startswith|cased: 'a*B'}", text("a", MANY, "B", MANY, cased=True)),
    # regular expressions
    (r"{f|re: 'a\*b*'}", Regex(r"a\*b*")),
    ("{f|re: ''}", Regex("")),
    ("{f|re|i: x}", Regex("x", ignore_case=True)),
    ("{f|re|ignorecase: x}", Regex("x", ignore_case=True)),
    ("{f|re|m: ^x$}", Regex("^x$", multiline=True)),
    ("{f|re|multiline: ^x$}", Regex("^x$", multiline=True)),
    ("{f|re|s: a.b}", Regex("a.b", dotall=True)),
    ("{f|re|dotall: a.b}", Regex("a.b", dotall=True)),
    ("{f|re|i|m|s: x}", Regex("x", ignore_case=True, multiline=True, dotall=True)),
    ("{f|re|contains: a|b}", Regex("a|b")),
    ("{f|re|startswith: a|b}", Regex(r"\A(?:a|b)")),
    ("{f|re|endswith: a|b}", Regex(r"(?:a|b)\z")),
    ("{f|re: '(?i)a|b'}", Regex("a|b", ignore_case=True)),
    ("{f|re|m: '(?is)a.b'}", Regex("a.b", ignore_case=True, multiline=True, dotall=True)),
    ("{f|re|startswith: '(?i)a|b'}", Regex(r"\A(?:a|b)", ignore_case=True)),
    ("{f|re: 'a(?i)b'}", Regex("a(?i)b")),
    ("{f|re: '(?-s)a.b'}", Regex("(?-s)a.b")),
    ("{f|re: '(?i:a)b'}", Regex("(?i:a)b")),
    (r"{f|re: '\d+\x{e9}\pL'}", Regex(r"\d+\x{e9}\pL")),
    # networks
    ("{f|cidr: 10.0.0.0/8}", Cidr("10.0.0.0/8")),
    ("{f|cidr: 10.1.2.3}", Cidr("10.1.2.3/32")),
    ("{f|cidr: 0.0.0.0/0}", Cidr("0.0.0.0/0")),
    ("{f|cidr: 'FE80::/10'}", Cidr("fe80::/10")),
    ("{f|cidr: '2001:db8:0:0::/64'}", Cidr("2001:db8::/64")),
    ("{f|cidr: '::1'}", Cidr("::1/128")),
    # other fields
    ("{f|fieldref: g}", FieldRef("g")),
    ("{f|fieldref|startswith: g}", FieldRef("g", Affix.STARTSWITH)),
    ("{f|fieldref|endswith: g}", FieldRef("g", Affix.ENDSWITH)),
    ("{f|fieldref|contains: g}", FieldRef("g", Affix.CONTAINS)),
    ("{f|fieldref|cased: g}", FieldRef("g", cased=True)),
    ("{f|cased|fieldref|endswith: g}", FieldRef("g", Affix.ENDSWITH, cased=True)),
    # presence
    ("{f|exists: true}", Exists(True)),
    ("{f|exists: false}", Exists(False)),
    # order
    ("{f|gt: 5}", Compare(Comparison.GT, 5)),
    ("{f|gte: 0}", Compare(Comparison.GTE, 0)),
    ("{f|lt: -1.5}", Compare(Comparison.LT, -1.5)),
    ("{f|lte: 9007199254740993}", Compare(Comparison.LTE, 9007199254740993)),
    # parts of a time
    ("{f|minute: 59}", TimePart(TimeUnit.MINUTE, 59)),
    ("{f|hour: 0}", TimePart(TimeUnit.HOUR, 0)),
    ("{f|day: 31}", TimePart(TimeUnit.DAY, 31)),
    ("{f|week: 53}", TimePart(TimeUnit.WEEK, 53)),
    ("{f|month: 12}", TimePart(TimeUnit.MONTH, 12)),
    ("{f|year: 2026}", TimePart(TimeUnit.YEAR, 2026)),
    # encodings
    ("{f|base64: abc}", text("YWJj")),
    ("{f|base64: é}", text("w6k=")),
    (r"{f|base64: 'a\*b'}", text("YSpi")),
    (r"{f|base64: 'a\b'}", text("YVxi")),
    ("{f|base64: ''}", text()),
    ("{f|base64|contains: abc}", contains("YWJj")),
    ("{f|wide: abc}", text("a\0b\0c\0")),
    ("{f|utf16le: abc}", text("a\0b\0c\0")),
    ("{f|utf16be: abc}", text("\0a\0b\0c")),
    ("{f|wide|base64: abc}", text("YQBiAGMA")),
    ("{f|utf16le|base64: é}", text("6QA=")),
    ("{f|utf16be|base64: é}", text("AOk=")),
    ("{f|utf16|base64: abc}", text("//5hAGIAYwA=")),
    ("{f|wide|contains: ab}", text(MANY, "a\0b\0", MANY)),
    ("{f|base64|cased: abc}", text("YWJj", cased=True)),
    # placeholders
    ("{f|expand: '%users%'}", Placeholder((Name("users"),))),
    ("{f|expand: 'a%users%b*'}", Placeholder(("a", Name("users"), "b", MANY))),
    ("{f|expand|contains: '%users%'}", Placeholder((MANY, Name("users"), MANY))),
    ("{f|expand|cased: '%a%%b%'}", Placeholder((Name("a"), Name("b")), cased=True)),
    ("{f|expand: plain}", text("plain")),
    ("{f|expand: '100%'}", text("100%")),
]

SEVERAL: list[tuple[str, Predicate]] = [
    ("{f: [a, 5, true]}", Or((Match("f", text("a")), Match("f", Number(5)), Match("f", Boolean(True))))),
    ("{f|all: [a, b]}", And((Match("f", text("a")), Match("f", text("b"))))),
    ("{f|contains|all: [a, b]}", And((Match("f", contains("a")), Match("f", contains("b"))))),
    ("{f|all|contains: [a, b]}", And((Match("f", contains("a")), Match("f", contains("b"))))),
    ("{f|all: a}", Match("f", text("a"))),
    ("{f|neq: a}", Not(Match("f", text("a")))),
    ("{f|neq: null}", Not(Match("f", IsNull()))),
    ("{f|neq: [a, b]}", Not(Or((Match("f", text("a")), Match("f", text("b")))))),
    ("{f|neq|all: [a, b]}", Not(And((Match("f", text("a")), Match("f", text("b")))))),
    ("{f|contains|neq: a}", Not(Match("f", contains("a")))),
    ("{f|re|neq: a}", Not(Match("f", Regex("a")))),
    ("{f|cidr|neq: 10.0.0.0/8}", Not(Match("f", Cidr("10.0.0.0/8")))),
    ("{f|wide|base64|neq: ab}", Not(Match("f", text("YQBiAA==")))),
    ("{f|re|all: [a, b]}", And((Match("f", Regex("a")), Match("f", Regex("b"))))),
    ("{f: a, g: b}", And((Match("f", text("a")), Match("g", text("b"))))),
    ("[{f: a}, {f: b, g: c}]", Or((Match("f", text("a")), And((Match("f", text("b")), Match("g", text("c"))))))),
    ("[{f: a}, word]", Or((Match("f", text("a")), Keyword(contains("word"))))),
    # keywords
    ("word", Keyword(contains("word"))),
    ("[word, 'wo*rd', 5, true]", Or((
        Keyword(contains("word")), Keyword(text(MANY, "wo", MANY, "rd", MANY)), Keyword(contains("5")), Keyword(contains("true")),
    ))),
    ("{'|all': [a, b]}", And((Keyword(contains("a")), Keyword(contains("b"))))),
    ("{'|contains': a}", Keyword(contains("a"))),
    ("{'|neq': a}", Not(Keyword(contains("a")))),
    ("{'|cased': aB}", Keyword(text(MANY, "aB", MANY, cased=True))),
    ("{'|re': 'a.b'}", Keyword(Regex("a.b"))),
    ("{'|re|startswith': 'a.b'}", Keyword(Regex(r"\A(?:a.b)"))),
    ("{'|expand': '%users%'}", Keyword(Placeholder((Name("users"),)))),
    ("1.0", Keyword(contains("1"))),
    ("9007199254740993", Keyword(contains("9007199254740993"))),
    # field names are what stands before the pipe, letter by letter
    ("{user.name: a}", Match("user.name", text("a"))),
    ("{'a b': c}", Match("a b", text("c"))),
    ("{cs-uri*: c}", Match("cs-uri*", text("c"))),
]  # fmt: skip


@pytest.mark.parametrize(("selection", "value"), ONE_VALUE)
def test_a_value_means(selection: str, value: Value) -> None:
    assert predicate_of(selection) == Match("f", value)


@pytest.mark.parametrize(("selection", "predicate"), SEVERAL)
def test_a_selection_means(selection: str, predicate: Predicate) -> None:
    assert predicate_of(selection) == predicate


def test_every_modifier_stands_in_a_table() -> None:
    selections = [selection for selection, _ in ONE_VALUE + SEVERAL] + ["{f|base64offset: abc}", "{f|windash: -a}"]
    used = {word for selection in selections for part in selection.split(":")[:1] for word in part.strip("{}'\"").split("|")[1:]}
    assert used == MODIFIERS


def test_windash_varies_every_dash_before_a_word() -> None:
    dashes = ("-", "/", "\u2013", "\u2014", "\u2015")
    found = predicate_of("{f|windash|contains: ' -a b-c /d'}")
    assert isinstance(found, Or)
    assert found.operands == tuple(Match("f", contains(f" {one}a b-c {two}d")) for one in dashes for two in dashes)
    assert predicate_of("{f|contains|windash: ' -a'}") == predicate_of("{f|windash|contains: ' -a'}")
    assert predicate_of("{f|windash: a-b}") == Match("f", text("a-b"))


def test_windash_goes_before_an_encoding() -> None:
    found = predicate_of("{f|windash|base64: -a}")
    assert {leaf.value for leaf in leaves(found) if isinstance(leaf, Match)} == {
        text(b64encode(f"{dash}a".encode()).decode()) for dash in ("-", "/", "\u2013", "\u2014", "\u2015")
    }


def test_windash_under_all_varies_each_value_by_itself() -> None:
    found = predicate_of("{f|windash|contains|all: [-a, -b]}")
    assert isinstance(found, And)
    assert [len(operand.operands) for operand in found.operands if isinstance(operand, Or)] == [5, 5]


def test_base64offset_gives_what_each_offset_shows() -> None:
    found = predicate_of("{f|base64offset|contains: foobar}")
    assert found == Or(tuple(Match("f", contains(form)) for form in ("Zm9vYmFy", "Zvb2Jhc", "mb29iYX")))


@settings(derandomize=True, deadline=None)
@given(st.text(min_size=2, max_size=12), st.binary(max_size=7), st.binary(max_size=7), st.sampled_from(["", "wide", "utf16be", "utf16"]))
def test_base64offset_finds_the_value_wherever_it_stands(value: str, before: bytes, after: bytes, encoding: str) -> None:
    written = value.replace("\\", "\\\\").replace("*", r"\*").replace("?", r"\?")
    codec = {"": "utf-8", "wide": "utf-16-le", "utf16be": "utf-16-be", "utf16": "utf-16-le"}[encoding]
    raw = (b"\xff\xfe" if encoding == "utf16" else b"") + value.encode(codec)
    whole = b64encode(before + raw + after).decode()
    forms = [form.literal for form in encoded_texts(written, (encoding, "base64offset", "contains"))]
    assert "" not in forms
    assert forms[len(before) % 3] in whole
    assert len(forms) == 3


@settings(derandomize=True, deadline=None)
@given(st.text(alphabet="a*?\\%-/é \n", max_size=12))
def test_a_pattern_written_with_escapes_is_read_back(literal: str) -> None:
    """Escaping `*`, `?` and backslashes gives any literal at all."""
    written = "".join(f"\\{char}" if char in "*?\\" else char for char in literal)
    quoted = written.replace("\\", "\\\\").replace("\n", "\\n")
    assert predicate_of(f'{{f: "{quoted}"}}') == Match("f", pattern((literal,)))


@settings(derandomize=True, deadline=None)
@given(st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_numbers_are_kept_exactly(number: float) -> None:
    written = repr(number)
    if "e" in written:
        written = f"{number:.20f}"
    value = float(written) if "." in written else int(written)
    found = predicate_of(f"{{f: {written}, g|gte: {written}}}")
    assert found == And((Match("f", Number(value)), Match("g", Compare(Comparison.GTE, value))))


def test_affixes_are_put_around_once() -> None:
    assert affixed(text(MANY, "a"), ("contains",)) == text(MANY, "a", MANY)
    assert affixed(text("a"), ("endswith", "cased")) == text(MANY, "a", cased=True)
    assert affixed(text("a"), ()) == text("a")
