"""How checks show values, and what they take for a slip."""

from __future__ import annotations

from typing import Any

import pytest

from insigma.checks.spelling import misspelt
from insigma.checks.wording import kind_of_value, one_of, shown


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("claim-view", "'claim-view'"),
        ("größe 支払", "'größe 支払'"),
        ("a\nb\x1b[2J\u202e", "'a\\nb\\x1b[2J\\u202e'"),
        ("x" * 60, "'" + "x" * 60 + "'"),
        ("x" * 61, "'" + "x" * 59 + "…'"),
        (None, "'null'"),
        (True, "'true'"),
        (5, "'5'"),
        (["a"], "'['a']'"),
    ],
)
def test_shown(value: Any, said: str) -> None:
    assert shown(value) == said


@pytest.mark.parametrize(
    ("value", "kind"),
    [(None, "empty"), (False, "the boolean false"), (1.5, "the number 1.5"), ("x", "text"), ([], "a list"), ({}, "a mapping")],
)
def test_kind_of_value(value: Any, kind: str) -> None:
    assert kind_of_value(value) == kind


def test_one_of() -> None:
    assert one_of(["a", "b"]) == "one of a, b"


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("title", None),
        ("titel", "title"),
        ("tittle", "title"),
        ("tite", "title"),
        ("tidle", "title"),
        ("TITLE", "title"),
        ("ttile", "title"),
        ("tlite", None),
        ("falspositive", "falsepositives"),
        ("false-positives", "falsepositives"),
        ("title_de", None),
        ("claims", None),
        ("", None),
    ],
)
def test_misspelt(word: str, meant: str | None) -> None:
    assert misspelt(word, ("title", "falsepositives")) == meant
