"""Each engine's own parser takes every query that holds an attack, and finds just the events that hold it too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from insigma.content.model import Pack
from insigma_prove.generate.drafts import escaped
from insigma_prove.prove import Bench
from insigma_prove.stands import STANDS, open_stand
from insigma_prove.trial import tried
from tests.injection.rules import ATTACKS, detected, made, read
from tests.prove.conftest import GetEngine, bench, engine, pack

__all__ = ["bench", "engine", "pack"]

ENGINE_OF = {"elastic": "elastic", "splunk": "spl", "sentinel": "kusto"}
SELECTIONS: Mapping[str, Callable[[tuple[str, ...]], Any]] = {
    "equality": lambda texts: {"user.name": [escaped(text) for text in texts]},
    "contains": lambda texts: {"user.name|contains": [escaped(text) for text in texts]},
    "cased": lambda texts: {"user.name|startswith|cased": [escaped(text) for text in texts]},
    "array": lambda texts: {"user.roles": [escaped(text) for text in texts]},
    "keywords": lambda texts: [f"KEY{escaped(text)}" for text in texts[:2]],
    "expression": lambda texts: {"user.name|re": ["".join(f"\\x{{{ord(char):x}}}" for char in text) for text in texts]},
}


@pytest.mark.parametrize("target", STANDS)
@pytest.mark.parametrize("place", SELECTIONS)
def test_attacks_are_text_to_the_engine(place: str, target: str, pack: Pack, bench: Bench, engine: GetEngine) -> None:
    """Attacks that a language refuses are left out of its list; most are not."""
    engine(ENGINE_OF[target])
    stand = open_stand(target, pack)
    events = list(_events(place))
    judged = 0
    for language in stand.languages:
        texts = tuple(text for text in ATTACKS if _taken(target, language, place, text))
        rule = read([detected(SELECTIONS[place](texts))], {}) if texts else None
        if rule is None:
            continue
        compiled = stand.compile(rule, language)
        for seat in bench.seats(target, compiled.detection.language)[:1]:
            assert [one.message for one in tried(compiled, stand, seat.client, events, pack.taxonomy)] == [], compiled.detection.query
            judged += 1
    assert judged


def _taken(target: str, language: str, place: str, text: str) -> bool:
    found = made(target, language, detected(SELECTIONS[place]((text,))))
    return found is not None and found.detection is not None


def _events(place: str) -> Iterator[dict[str, Any]]:
    """Each attack as an event's value: as it is, one letter longer, and with its quotes and blanks gone."""
    for text in ATTACKS:
        for value in (text, f"{text}x", f"KEY{text}", text.replace('"', "").replace(" ", "")):
            if value:  # a product may hold an empty text for none
                held: Any = [value, "word"] if place == "array" else value
                yield {
                    "@timestamp": "2026-02-14T10:00:00Z",
                    "insurance.logsource": "insurance_claims",
                    "user.roles" if place == "array" else "user.name": held,
                }
