"""Input that would hurt a backtracking engine, or none at all, is only slow to read."""

from __future__ import annotations

from typing import Any

import pytest

from insigma.content.predicate import Match, Placeholder, Regex, Wildcard, pattern
from insigma.content.predicate import Name as ListName
from insigma.evaluate.closures import compile_predicate
from insigma.evaluate.explain import truth
from insigma.evaluate.leaves import UnfilledPlaceholder
from tests.evaluate.harness import codes_of, event_rule, selection_matches

LONG = "a" * 50_000

EXPLODING = [
    # Each takes Python's `re` a time that doubles with every further "a".
    (r"^(a+)+$", LONG + "!", False),
    (r"^(a|a)*$", LONG + "!", False),
    (r"^(a|aa)+$", LONG + "!", False),
    (r"(a*)*b$", LONG, False),
    (r"^(([a-z])+.)+[A-Z]([a-z])+$", LONG, False),
    (r"(x+x+)+y", "x" * 50_000, False),
    (r"^(a+)+$", LONG, True),
    (r"(.*)(.*)(.*)(.*)(.*)z", LONG, False),
]


@pytest.mark.parametrize(("expression", "value", "verdict"), EXPLODING)
def test_expressions_that_explode_elsewhere_simply_complete(expression: str, value: str, verdict: bool) -> None:
    assert selection_matches({"f|re": expression}, {"f": value}) is verdict


@pytest.mark.parametrize("expression", [r"(?=a)", r"(a)\1", r"(?<!a)b", r"a++", r"(?>a)", r"(?P=x)"])
def test_what_only_a_backtracking_engine_can_do_is_refused(expression: str) -> None:
    assert codes_of(event_rule({"f|re": expression})) == ["INS107"]


@pytest.mark.parametrize(("stars", "value", "verdict"), [(40, LONG, False), (40, LONG + "b", True), (500, LONG, False)])
def test_wildcards_never_backtrack(stars: int, value: str, verdict: bool) -> None:
    assert selection_matches({"f": "*a" * stars + "*b"}, {"f": value}) is verdict
    assert selection_matches({"f": "a*?" * stars + "b"}, {"f": value}) is verdict


def test_a_pattern_of_many_thousand_characters_is_matched() -> None:
    body = "x?" * 20_000
    assert selection_matches({"f": body}, {"f": "xy" * 20_000})
    assert not selection_matches({"f": body}, {"f": "xy" * 19_999 + "yy"})


@pytest.mark.parametrize("value", ["\x00", "a\x00b", "a\U0010ffff", "\x1b[31m", "\u202e", "a\r\nb"])
def test_odd_characters_are_characters(value: str) -> None:
    for parts in ((value,), (Wildcard.MANY, value), (Wildcard.ONE, Wildcard.MANY, value[-1])):
        predicate = Match("f", pattern(parts))
        assert truth(predicate, {"f": "zz"}) is False
        if parts[0] is not Wildcard.ONE:
            assert truth(predicate, {"f": value}) is True
    assert truth(Match("f", pattern((Wildcard.ONE, Wildcard.MANY, Wildcard.ONE, Wildcard.MANY, "q"))), {"f": value}) is False
    assert truth(Match("f", Regex("q")), {"f": value}) is False


def test_an_address_that_is_none_is_no_error() -> None:
    for value in ("1.2.3.4/8", "fe80::1%eth0", "1" * 5_000, "::ffff:1.2.3.4.5", "\x00", "１.2.3.4"):
        assert not selection_matches({"f|cidr": "10.0.0.0/8"}, {"f": value})


def test_events_without_any_value_match_only_absence() -> None:
    nothing: list[Any] = [{}, {"f": None}, {"f": []}, {"f": {}}, {"f": [[], {}, None]}]
    for event in nothing:
        assert not selection_matches({"f": "*"}, event)
        assert selection_matches({"f": None}, event)


def test_a_list_that_was_not_filled_in_is_an_error_of_its_own() -> None:
    value = Placeholder((Wildcard.MANY, ListName("admins"), "@", ListName("domains")))
    with pytest.raises(UnfilledPlaceholder) as raised:
        compile_predicate(Match("f", value), [])
    assert raised.value.names == ("admins", "domains")
    assert str(raised.value) == "admins, domains"
