"""What the strategies make up: rules as written, and values that their tests would meet."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from insigma_prove.generate import alphabet

Event: TypeAlias = dict[str, Any]

HOME = "insurance_claims"
AWAY = "insurance_payment"
"""The log sources of the rules, as categories and as events name them."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields that rules read, by what they hold; `cased` are those whose own case every target keeps."""

    strings: tuple[str, ...] = ("user.name", "host.name", "insurance.change.old_value", "insurance.claim.id", "user_agent.original")
    closed: tuple[str, ...] = ("insurance.claim.status", "event.action")
    arrays: tuple[str, ...] = ("user.roles", "event.type")
    longs: tuple[str, ...] = ("insurance.record_count", "source.as.number")
    doubles: tuple[str, ...] = ("insurance.claim.amount", "insurance.payment.amount")
    floats: tuple[str, ...] = ("insurance.fraud.score", "insurance.change.percent")
    addresses: tuple[str, ...] = ("source.ip",)
    dates: tuple[str, ...] = ("@timestamp",)

    cased: tuple[str, ...] = ("user.name", "host.name", "insurance.change.old_value", "user_agent.original")

    @property
    def texts(self) -> tuple[str, ...]:
        return (*self.strings, *self.closed, *self.arrays)

    @property
    def numbers(self) -> tuple[str, ...]:
        return (*self.longs, *self.doubles, *self.floats)


FIELDS = Fields()


def numbers_of(field: str) -> tuple[int | float, ...]:
    """Numbers that a number field's type tells apart; of another field, any."""
    if field in FIELDS.longs:
        return alphabet.LONGS
    return alphabet.FLOATS if field in FIELDS.floats else alphabet.DOUBLES


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a selection as written, and what would meet it.

    `key` and `value` stand in the rule; `field` is "" for keywords. Each of `hits` is a value (None for absence, a list for an
    array) that most likely satisfies the item; `same_as` names the other field of a `fieldref`.
    """

    key: str
    value: Any
    field: str
    hits: tuple[Any, ...] = ()
    same_as: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """Rule documents (the last is the one at trial), the lists of their placeholders, events, and the items that made them."""

    documents: tuple[Mapping[str, Any], ...]
    events: tuple[Event, ...]
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def event_document(detection: Mapping[str, Any], name: str = "rule", number: int = 1, source: str = HOME) -> dict[str, Any]:
    """An event rule."""
    return {**_head(name, number), "logsource": {"category": source}, "detection": dict(detection)}


def correlation_document(body: Mapping[str, Any], name: str = "rule", number: int = 99) -> dict[str, Any]:
    """A correlation."""
    return {**_head(name, number), "correlation": dict(body)}


def _head(name: str, number: int) -> dict[str, Any]:
    return {
        "title": f"Generated {name}",
        "name": name,
        "id": f"5d1a4f0e-0000-4000-8000-{number:012d}",
        "status": "test",
        "level": "high",
        "taxonomy": "insurance",
        "insurance": {"pack_id": name, "role": "alert"},
    }


_UNPRINTABLE = re.compile("[^\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|[\u2028\u2029]")


def as_yaml(documents: Sequence[Mapping[str, Any]]) -> bytes:
    """The documents as a YAML file: JSON, with everything escaped that YAML does not take as it is (YAML 1.2, 5.1)."""
    return "\n---\n".join(_UNPRINTABLE.sub(_escaped, json.dumps(document, ensure_ascii=False)) for document in documents).encode()


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def escaped(text: str) -> str:
    """A literal text as a Sigma value: wildcards and backslashes escaped."""
    return re.sub(r"([\\*?])", r"\\\1", text)
