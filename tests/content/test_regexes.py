"""What a regular expression may be: RE2's, not too long, too large or too deep, and refused in no time where it is."""

from __future__ import annotations

import time

import pytest

from insigma.content.predicate import Regex
from insigma.content.regexes import DEEPEST, LONGEST, depth
from insigma.content.values import ValueFault, regex_value


def nested(groups: int, opening: str = "(") -> str:
    return opening * groups + "a" + ")" * groups


@pytest.mark.parametrize(
    ("pattern", "groups"),
    [
        ("a", 0),
        ("(a)(b)", 1),
        ("((a)(b(c)))", 3),
        ("(?:(?i:a))", 2),
        ("(?P<name>(a))", 2),
        (r"\(\((a)", 1),
        (r"\\(a)", 1),
        ("[(](a)", 1),
        ("[](](a)", 1),
        ("[^](](a)", 1),
        (r"[\](](a)", 1),
        ("[[:alpha:](](a)", 1),
        ("[[:^alpha:](](a)", 1),
        (r"\Q((\E(a)", 1),
        (r"(\Q((", 1),
        (r"(\Q)\E(a))", 2),
        ("(\n(a\n))", 2),
    ],
)
def test_groups_inside_each_other_are_counted_and_nothing_else(pattern: str, groups: int) -> None:
    assert depth(pattern) == groups


@pytest.mark.parametrize("opening", ["(", "(?:", "(?i:", "(?P<n>("])
def test_as_many_groups_as_a_compiler_takes_apart(opening: str) -> None:
    each = 2 if opening.endswith("n>(") else 1
    names = [opening.replace("<n>", f"<n{number}>") for number in range(DEEPEST // each)]
    most = "".join(names) + "a" + ")" * DEEPEST
    assert regex_value(most, ()) == Regex(most)
    with pytest.raises(ValueFault) as refused:
        regex_value(f"({most})", ())
    assert (refused.value.code, refused.value.message) == ("INS107", "more than 50 groups stand inside each other")
    assert refused.value.hint == "write several expressions"


@pytest.mark.parametrize("pattern", [".{1000}" * 50, r"\pL{1000}", "[^a]{1,500}" * 30, nested(4_000)])
def test_an_expression_beyond_the_memory_is_refused(pattern: str) -> None:
    with pytest.raises(ValueFault, match=r"pattern too large|more than 50 groups") as refused:
        regex_value(pattern, ())
    assert refused.value.code == "INS107"
    assert refused.value.hint == "write several expressions"


def test_many_words_are_not_too_large() -> None:
    words = "|".join(f"word{number}" for number in range(1_000))
    assert regex_value(words, ("i",)).ignore_case


def test_an_expression_of_a_book_s_length_is_refused() -> None:
    assert regex_value("a" * LONGEST, ()).pattern == "a" * LONGEST
    with pytest.raises(ValueFault, match="the expression has more than 10,000 characters") as refused:
        regex_value("a" * (LONGEST + 1), ())
    assert refused.value.hint == "write several expressions"


@pytest.mark.parametrize("piece", ["[:", "[", "[[:", "(", r"\Q", "[^]", "(?:", "[a"])
@pytest.mark.parametrize("end", ["", "]", ")"])
def test_whether_an_expression_is_refused_is_told_at_once(piece: str, end: str) -> None:
    for written in (piece * (1_000 // len(piece)) + end, "[" + piece * (LONGEST // len(piece) - 1) + end):
        begun = time.perf_counter()
        told = ""
        try:
            regex_value(written, ())
        except ValueFault as refused:
            told = refused.message
        assert len(told) < 300, "RE2 quotes the whole expression"
        assert time.perf_counter() - begun < 2
