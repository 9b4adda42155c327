"""Values, keywords, expressions and list entries: whatever they hold, the query keeps its shape, or there is none."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigma_prove.generate.drafts import escaped
from insigma_prove.generate.regexes import regexes
from tests.injection.lexers import Shape
from tests.injection.rules import ASKED, ATTACKS, SETTINGS, Made, detected, hostile, made, shape

HARMLESS = ("word", "two words", "wörd", "wo-rd", "w.o,rd", "#word", "word\ttab", "ẅörd", "42", "it's")
"""One of each kind that an emitter may treat in a way of its own: plain, blank, beyond ASCII, marks, control, number, quote."""

SELECTIONS: dict[str, Callable[[str], Any]] = {
    "equality": lambda text: {"user.name": escaped(text)},
    "one of several": lambda text: {"user.name": [escaped(text), "word"]},
    "contains": lambda text: {"user.name|contains": escaped(text)},
    "startswith": lambda text: {"user.name|startswith": escaped(text)},
    "endswith": lambda text: {"user.name|endswith": escaped(text)},
    "all": lambda text: {"user.name|contains|all": [escaped(text), "otherword"]},
    "cased": lambda text: {"user.name|cased": escaped(text)},
    "neq": lambda text: {"user.name|neq": escaped(text)},
    "wildcards": lambda text: {"user.name": f"begin{escaped(text)}*{escaped(text)}?end"},
    "array": lambda text: {"user.roles": escaped(text)},
    "windash": lambda text: {"user.name|windash|contains": escaped(" -f" + text.replace("-", "").replace("/", ""))},
    "base64": lambda text: {"user.name|base64offset|contains": escaped(text)},
    "keyword": lambda text: [f"KEY{escaped(text)}"],
    "keywords": lambda text: {"|all": [f"KEY{escaped(text)}", "OTHERWORD"]},
    "list entry": lambda text: {"user.name|expand": "%hostile%"},
    "part of a list entry": lambda text: {"user.name|expand|contains": "x%hostile%y"},
    "number as text": lambda text: {"insurance.record_count": escaped(text)},
    "address": lambda text: {"source.ip": escaped(text)},
}


def _made(place: str, target: str, language: str, text: str) -> Made | None:
    return made(target, language, detected(SELECTIONS[place](text)), lists={"hostile": (text,)})


@cache
def _harmless(place: str, target: str, language: str) -> frozenset[Shape]:
    found = (_made(place, target, language, text) for text in HARMLESS)
    return frozenset(shape(one.detection) for one in found if one is not None and one.detection is not None)


@pytest.mark.parametrize(("target", "language"), ASKED)
@pytest.mark.parametrize("place", SELECTIONS)
def test_a_value_changes_nothing_but_literals(place: str, target: str, language: str) -> None:
    shapes = _harmless(place, target, language)

    @SETTINGS
    @given(hostile())
    def same(text: str) -> None:
        found = _made(place, target, language, text)
        if found is not None and found.detection is not None:
            assert shape(found.detection) in shapes, found.detection.query

    same()


@pytest.mark.parametrize(("target", "language"), ASKED)
@pytest.mark.parametrize("place", ["equality", "contains", "list entry"])
def test_attacks_are_compiled_and_not_just_refused(place: str, target: str, language: str) -> None:
    found = [_made(place, target, language, text) for text in ATTACKS]
    compiled = sum(one is not None and one.detection is not None for one in found)
    assert compiled >= len(ATTACKS) * 0.85


@pytest.mark.parametrize(("target", "language"), ASKED)
@pytest.mark.parametrize("modifiers", ["re", "re|i", "re|i|s"])
def test_an_expression_stays_in_its_literal(modifiers: str, target: str, language: str) -> None:
    shapes = {
        shape(one.detection)
        for text in ("wo.d", "^word", "word$", "^word$", "a|b", "wörd", ".*", "^$", "(?:)", "x*")
        if (one := made(target, language, detected({f"user.name|{modifiers}": text}))) is not None and one.detection is not None
    }
    attacks = st.sampled_from(
        ('"', '\\"', "'", "`", "\\`", "/", "\\/", " OR ", "\\|", "[|]", '[^"]', '["`]', "\n", "#", "\\\\", "//", "/\\*", "$x$")
    )
    pieces = st.lists(st.one_of(attacks, regexes().map(lambda made: made[0])), min_size=1, max_size=4).map("".join)

    @SETTINGS
    @given(pieces)
    def same(text: str) -> None:
        found = made(target, language, detected({f"user.name|{modifiers}": text}))
        if found is not None and found.detection is not None:
            assert shape(found.detection) in shapes, found.detection.query

    assert shapes
    same()


@pytest.mark.parametrize(("target", "language"), ASKED)
def test_s3_a_keyword_expression_is_no_command(target: str, language: str) -> None:
    """The stock Splunk backend writes it outside of quotes: `x | delete`."""
    harmless = made(target, language, detected({"|re": "KEY . WORD"}))
    for text in ("KEY | delete", 'KEY" | delete "', "KEY` | delete `"):
        found = made(target, language, detected({"|re": text}))
        assert found is not None
        assert harmless is not None
        assert (found.detection is None) == (harmless.detection is None)
        if found.detection is not None and harmless.detection is not None:
            assert shape(found.detection) == shape(harmless.detection)
