"""Whether a written value can mean a word."""

from __future__ import annotations

import time

import pytest

from insigma.checks.vocabulary import in_vocabulary, means_a_word
from insigma.checks.walk import Item

WORDS = ("claim-view", "claim-export", "a*b", "a\\b")


def means(value: object, *modifiers: str) -> bool:
    return means_a_word(Item("s", (), "f", modifiers, value, ()), WORDS)


@pytest.mark.parametrize(
    ("value", "modifiers"),
    [
        ("claim-view", ()),
        ("CLAIM-View", ()),
        ("claim-*", ()),
        ("*", ()),
        ("**", ()),
        ("claim?view", ()),
        ("*-*", ()),
        (r"a\*b", ()),
        (r"a\\b", ()),
        (r"a\b", ()),
        ("view", ("endswith",)),
        ("claim", ("startswith",)),
        ("m-v", ("contains",)),
        ("", ("contains",)),
        ("claim-view", ("cased",)),
        ("^claim", ("re",)),
        ("EXPORT$", ("re", "i")),
        ("EXPORT$", ("re", "ignorecase", "dotall", "m")),
        ("(?=x)", ("re",)),
        (None, ()),
        (True, ()),
        ("%list%", ("expand",)),
        ("x", ("fieldref",)),
        ("x", ("base64",)),
        (5, ("gte",)),
    ],
)
def test_it_can(value: object, modifiers: tuple[str, ...]) -> None:
    assert means(value, *modifiers)


@pytest.mark.parametrize(
    ("value", "modifiers"),
    [
        ("claim", ()),
        ("claim-views", ()),
        ("?", ()),
        ("", ()),
        (r"claim-\*", ()),
        (r"claim\?view", ()),
        ("Claim-View", ("cased",)),
        ("claim", ("endswith",)),
        ("view", ("startswith",)),
        ("xy", ("contains",)),
        ("^view", ("re",)),
        ("EXPORT", ("re",)),
        (5, ()),
        (5.5, ("contains",)),
    ],
)
def test_it_cannot(value: object, modifiers: tuple[str, ...]) -> None:
    assert not means(value, *modifiers)


def test_hostile_patterns_take_no_time() -> None:
    start = time.perf_counter()
    assert not means("*a" * 20_000)
    assert not means("x" * 1_000_000)
    assert means("*" * 1_000_000)
    assert not means("*i*" * 500 + "zzz")
    assert not means("*?" * 30)
    assert time.perf_counter() - start < 2


def test_values_of_events_ignore_case() -> None:
    assert in_vocabulary("CLAIM-VIEW", WORDS)
    assert not in_vocabulary("claim", WORDS)
