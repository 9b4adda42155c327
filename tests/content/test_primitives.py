"""Numbers, case folding, durations and the shape of predicates: small functions that everything rests on."""

from __future__ import annotations

import sys
from decimal import Decimal

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from insigma.content.durations import duration_ms
from insigma.content.folding import fold
from insigma.content.numbers import canonical_number, number_of
from insigma.content.predicate import (
    And,
    Constant,
    FieldRef,
    Keyword,
    Match,
    Named,
    Not,
    Or,
    Predicate,
    Regex,
    Text,
    Wildcard,
    anywhere,
    children,
    conjunction,
    disjunction,
    fields_of,
    leaves,
    pattern,
)
from insigma.content.regexes import re2_pattern

PROPERTY = settings(derandomize=True, deadline=None)

# Numbers


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (5, "5"),
        (-5, "-5"),
        (4300.0, "4300"),
        (-0.0, "0"),
        (1.5, "1.5"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (-1.25e-9, "-0.00000000125"),
        (1e22, "10000000000000000000000"),
        (9007199254740993, "9007199254740993"),
        (10**40, "1" + "0" * 40),
    ],
)
def test_canonical_text(number: float, text: str) -> None:
    assert canonical_number(number) == text


@PROPERTY
@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_canonical_text_is_plain_and_is_read_back(number: float) -> None:
    text = canonical_number(number)
    assert number_of(text) == number
    assert set(text) <= set("0123456789.-")
    assert not text.endswith(".")
    assert Decimal(text) == Decimal(repr(number)) or float(number).is_integer()
    assert not ("." in text and text.endswith("0"))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5),
        ("+5", 5),
        ("-05", -5),
        ("1.", 1.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1.5E-3", 0.0015),
        ("9007199254740993", 9007199254740993),
        ("", None),
        (" 5", None),
        ("5 ", None),
        ("5\n", None),
        ("0x10", None),
        ("1_000", None),
        ("1,000", None),
        ("٣", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("1e9999", None),
        (".", None),
        ("-", None),
        ("1e", None),
        ("9" * 401, None),
    ],
)
def test_number_of_text(text: str, number: float | None) -> None:
    found = number_of(text)
    assert found == number
    assert type(found) is type(number)


# Folding


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ABC-z", "abc-z"),
        ("ÄÖÜ", "äöü"),
        ("ẞ", "ß"),
        ("ß", "ß"),
        ("ς", "σ"),
        ("ΣΑΣ", "σασ"),
        ("\u212a", "k"),
        ("\u212b", "å"),
        ("İ", "İ"),
        ("ı", "ı"),
        ("I", "i"),
        ("ŉ", "ŉ"),
        ("ﬁ", "ﬁ"),
        ("ſ", "s"),
        ("\u1e9b", "\u1e61"),
        ("Ǆǅǆ", "ǆǆǆ"),
        ("ᾈ", "ᾀ"),
        ("Ⅷ", "ⅷ"),
        ("𐐀", "𐐨"),
        ("Ꭰ", "Ꭰ"),
        ("ꭰ", "Ꭰ"),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


@PROPERTY
@given(st.text())
def test_folding_keeps_the_length_and_is_done_once(text: str) -> None:
    assert len(fold(text)) == len(text)
    assert fold(fold(text)) == fold(text)
    assert fold(text) == "".join(fold(char) for char in text)


def test_folding_is_that_of_re2_for_every_letter() -> None:
    """RE2 folds by the same table (simple case folding), so `re|i` and plain strings ignore case alike."""
    differing = []
    for char in map(chr, range(sys.maxunicode + 1)):
        variants = {char.lower(), char.upper(), char.title(), char.casefold(), fold(char)} - {char}
        for variant in (variant for variant in variants if len(variant) == 1):
            if (fold(variant) == fold(char)) != bool(re2.fullmatch(f"(?i)\\x{{{ord(char):x}}}", variant)):
                differing.append((char, variant))
    assert differing == []


# Durations


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("250ms", 250), ("30s", 30_000), ("5m", 300_000), ("1h", 3_600_000), ("2d", 172_800_000), ("1w", 604_800_000), ("0s", 0)],
)
def test_a_duration(text: str, milliseconds: int) -> None:
    assert duration_ms(text) == milliseconds


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "1.5h", "5M", "5min", "5m ", "٣m", "1" * 10 + "s", 5, None, ["5m"]])
def test_what_is_no_duration(text: object) -> None:
    assert duration_ms(text) is None


# Regular expressions


@pytest.mark.parametrize(
    ("regex", "text", "found"),
    [
        (Regex("b"), "abc", True),
        (Regex("B"), "abc", False),
        (Regex("B", ignore_case=True), "abc", True),
        (Regex("^b"), "a\nb", False),
        (Regex("^b", multiline=True), "a\nb", True),
        (Regex("a.b"), "a\nb", False),
        (Regex("a.b", dotall=True), "a\nb", True),
        (Regex("^A.B$", True, True, True), "x\na\nb\ny", True),
    ],
)
def test_the_flags_of_a_regular_expression(regex: Regex, text: str, found: bool) -> None:
    assert bool(re2_pattern(regex).search(text)) is found


# Predicates

A, B, C = (Match(name, Text(("x",))) for name in "abc")


def test_joining() -> None:
    assert conjunction((A, B)) == And((A, B))
    assert disjunction((A, B)) == Or((A, B))
    assert conjunction((A,)) is A
    with pytest.raises(ValueError, match="Or of nothing"):
        disjunction(())


def test_walking() -> None:
    tree: Predicate = And((Named("s", Or((A, Not(B)))), Keyword(Text(("w",))), Constant(True), Match("b", FieldRef("d"))))
    assert [leaf for leaf in leaves(tree) if isinstance(leaf, Match)] == [A, B, Match("b", FieldRef("d"))]
    assert fields_of(tree) == ("a", "b", "d")
    assert children(tree)[0] == Named("s", Or((A, Not(B))))
    assert children(A) == ()


PARTS = st.lists(st.sampled_from([Wildcard.MANY, Wildcard.ONE, "", "a", "b"]), max_size=8)


@PROPERTY
@given(PARTS)
def test_a_pattern_is_in_normal_form_and_says_the_same(parts: list[str | Wildcard]) -> None:
    found = pattern(parts)
    assert "" not in found.parts
    for left, right in zip(found.parts, found.parts[1:], strict=False):
        assert not (isinstance(left, str) and isinstance(right, str))
        assert not (left is right is Wildcard.MANY)

    def regex(pieces: tuple[str | Wildcard, ...]) -> str:
        signs = {Wildcard.MANY: ".*", Wildcard.ONE: "."}
        return "".join(signs[piece] if isinstance(piece, Wildcard) else piece for piece in pieces)

    for text in ("", "a", "b", "ab", "aab", "abab", "ba", "aaaa"):
        assert bool(re2.fullmatch(regex(found.parts), text)) is bool(re2.fullmatch(regex(tuple(parts)), text))


def test_a_literal_is_what_has_no_wildcard() -> None:
    assert Text(()).literal == ""
    assert Text(("a",)).literal == "a"
    assert Text(("a", Wildcard.MANY)).literal is None
    assert Text((Wildcard.ONE,)).literal is None


def test_anywhere_keeps_the_case() -> None:
    assert anywhere(Text(("a",), cased=True)) == Text((Wildcard.MANY, "a", Wildcard.MANY), cased=True)
    assert anywhere(Text((Wildcard.MANY, "a"))) == Text((Wildcard.MANY, "a", Wildcard.MANY))
    assert anywhere(Text(())) == Text((Wildcard.MANY,))
