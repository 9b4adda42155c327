"""Adapter: value not in vocabulary

## What it does

Checks every value that an adapter writes itself (constants, words of a value map, `otherwise`, defaults) against the field: one of its
words where the vocabulary is closed, a number where the field is numeric, an address where it is one. Codes that are kept as they are
(`unmapped: keep`) need an open field.

## Why it is bad

Rules compare with the words of the taxonomy. An event that says `claim_view` where they say `claim-view` is seen by none of them, and
nothing says so.

## Example

```yaml
# bad
event.action: {from: eventType, values: {user.session.start: log-in}}

# good
event.action: {from: eventType, values: {user.session.start: login}}
```

## Fix

Write one of the words. If the product knows something that the vocabulary cannot say, leave the code unmapped: it is counted.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from insigma.checks.adapters import bindings, carried
from insigma.checks.base import Context, finding
from insigma.checks.scope import did_you_mean
from insigma.checks.vocabulary import in_vocabulary, words_of
from insigma.checks.wording import shown
from insigma.content.model import Field, FieldType
from insigma.content.numbers import number_of
from insigma.content.products import FieldBinding, Unmapped
from insigma.content.raw_paths import plain_text
from insigma.diagnostics.model import Diagnostic

CODE = "INS522"


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each value that the field cannot hold."""
    for found in bindings(context):
        for bound in carried(found, context.pack.taxonomy):
            field = context.pack.taxonomy.fields[bound.name]
            words = words_of(field, found.source)
            for key, value in _written(bound):
                fault = _fault(value, field, words)
                if fault is not None:
                    yield finding(CODE, found.place("fields", bound.name, *key), *fault)
            if words is not None and bound.unmapped is Unmapped.KEEP:
                message = f"{bound.name} has closed values, and codes are kept as they are"
                yield finding(CODE, found.place("fields", bound.name, "unmapped"), message, "write 'unmapped: absent', or leave it out")


def _written(bound: FieldBinding) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The values that the adapter writes itself, each with where it stands below the field."""
    if bound.constant is not None:
        yield ("constant",), bound.constant
    if bound.default is not None:
        yield ("default",), bound.default
    if bound.hash is not None:
        return
    if bound.otherwise is not None:
        yield ("otherwise",), bound.otherwise
    yield from ((("values", code), word) for code, word in (bound.values or {}).items() if word is not None)


def _fault(value: Any, field: Field, words: tuple[str, ...] | None) -> tuple[str, str] | None:
    text = plain_text(value) or ""
    if words is not None:
        hint = did_you_mean(text, words, "one of " + ", ".join(words[:12]))
        return None if in_vocabulary(text, words) else (f"{shown(text)} is not among the values of {field.name}", hint)
    if field.type.numeric:
        fits = number_of(text) is not None and not isinstance(value, bool)
        return None if fits else (f"{shown(text)} is no number, which {field.name} is", "write a number")
    if field.type is FieldType.BOOLEAN:
        return None if text in ("true", "false") else (f"{shown(text)} is neither true nor false", "write true or false")
    if field.type is FieldType.IP and not _is_address(text):
        return f"{shown(text)} is no IP address, which {field.name} is", "leave it out"
    if field.type is FieldType.DATE:
        return f"{field.name} is written by the adapter", "the time of an event comes from the source"
    return None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
