"""Fixture event

## What it does

Checks the events of a fixture against the taxonomy: each field is carried by the event's log source, has the type that the
taxonomy says and, where the vocabulary is closed, one of its words (in any case). Lists stand only where the field is an array.
The time of an event is its `at`, never a field. Where a correlation spans several log sources every event says in
`insurance.logsource` which is its own.

## Why it is bad

A fixture proves the rule only for events that can happen. One with a field that no adapter fills, or with a number in quotes,
proves something about nothing.

## Example

```yaml
# bad
events:
  - {at: "2026-02-28T10:00:00Z", event.action: claim-exports, insurance.record_count: "2000"}

# good
events:
  - {at: "2026-02-28T10:00:00Z", event.action: claim-export, insurance.record_count: 2000}
```

## Fix

Write the event as the adapter would. A null takes a default away.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from insigma.checks.base import Context, finding
from insigma.checks.scope import did_you_mean, dig, entries, logsources_of, rule_of_fixture, speaks_taxonomy
from insigma.checks.vocabulary import in_vocabulary, words_of
from insigma.checks.wording import kind_of_value, shown
from insigma.content.model import Field, FieldType, TaxonomyLogSource
from insigma.content.taxonomy import LOGSOURCE_FIELD
from insigma.content.yaml_reader import Document, Key
from insigma.diagnostics.model import Diagnostic

CODE = "INS510"

_CONTROLS = frozenset({"at", "every", "repeat"})
_COUNTER = "{n}"
TIME_FIELD = "@timestamp"

Fault = tuple[str, str]
"""A message and a hint."""


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each part of a fixture's events that the taxonomy does not allow, once."""
    if not context.in_pack:
        return
    for fixture in context.pack.fixtures:
        rule = rule_of_fixture(fixture, context)
        if rule is not None and speaks_taxonomy(rule.header.document, context):
            sources = logsources_of(rule.header.document, context)
            yield from dict.fromkeys(_events(fixture.document, sources, context))


def _events(document: Document, sources: tuple[TaxonomyLogSource, ...], context: Context) -> Iterator[Diagnostic]:
    cases = dig(document, "cases")
    for case in range(len(cases) if isinstance(cases, list) else 0):
        events = dig(document, "cases", case, "events")
        for event in range(len(events) if isinstance(events, list) else 0):
            key: Key = ("cases", case, "events", event)
            yield from _event(document, key, sources, context)


def _event(document: Document, key: Key, sources: tuple[TaxonomyLogSource, ...], context: Context) -> Iterator[Diagnostic]:
    values = _merged(document, key)
    stated = values.get(LOGSOURCE_FIELD)
    if stated is not None:
        source = context.pack.taxonomy.logsources.get(str(stated[0]).lower())
    else:
        source = sources[0] if len(sources) == 1 else None
        if len(sources) > 1:
            said = " and ".join(found.name for found in sources)
            yield finding(CODE, document.place(*key), f"the event does not say whether it is of {said}", f"add {LOGSOURCE_FIELD}")
    for name, (value, at) in values.items():
        field = context.pack.taxonomy.fields.get(name)
        if name == TIME_FIELD:
            yield finding(CODE, document.key_place(*at), f"{name} is written as a field", "the time of an event is its 'at'")
        elif field is None:
            hint = did_you_mean(name, context.pack.taxonomy.fields, "see mappings/taxonomy/fields.yml")
            yield finding(CODE, document.key_place(*at), f"the taxonomy has no field {shown(name)}", hint)
        elif source is not None and name not in source.fields:
            hint = "leave it out, or set it to null where it is a default"
            yield finding(CODE, document.key_place(*at), f"{source.name} events do not carry {name}", hint)
        else:
            for below, fault in _value_faults(field, value, source):
                yield finding(CODE, document.place(*at, *below), *fault)


def _merged(document: Document, key: Key) -> Mapping[str, tuple[Any, Key]]:
    """The fields of an event, defaults included, each with where it is written."""
    written: dict[str, tuple[Any, Key]] = {name: (value, ("defaults", name)) for name, value in entries(document, "defaults").items()}
    written |= {name: (value, (*key, name)) for name, value in entries(document, *key).items() if name not in _CONTROLS}
    return {name: found for name, found in written.items() if found[0] is not None}


def _value_faults(field: Field, value: Any, source: TaxonomyLogSource | None) -> Iterator[tuple[Key, Fault]]:
    """What is wrong with a value, each with the path below it: the index of an array's element, or nothing."""
    if isinstance(value, list) and not field.array:
        yield (), (f"{field.name} is a list, but an event has one value of it", "write one value")
        return
    singles: list[tuple[Key, Any]] = [((index,), one) for index, one in enumerate(value)] if isinstance(value, list) else [((), value)]
    for below, single in singles:
        fault = _number_fault(field, single) if field.type.numeric else _text_fault(field, single, source)
        if fault is not None:
            yield below, fault


def _number_fault(field: Field, value: Any) -> Fault | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f"{field.name} is {kind_of_value(value)}, but its type is {field.type.value}", "write a number, without quotes"
    if field.type is FieldType.LONG and isinstance(value, float):
        return f"{field.name} is {value}, but its type is long", "write a whole number"
    return None


def _text_fault(field: Field, value: Any, source: TaxonomyLogSource | None) -> Fault | None:
    if field.type is FieldType.BOOLEAN:
        fault = (f"{field.name} is {kind_of_value(value)}, but its type is boolean", "write true or false")
        return None if isinstance(value, bool) else fault
    if not isinstance(value, str):
        return f"{field.name} is {kind_of_value(value)}, but its type is {field.type.value}", "write it in quotes"
    if _COUNTER in value:
        return None
    if field.type is FieldType.IP and not _is_address(value):
        return f"{field.name} is {shown(value)}, which is no IP address", "write an address, such as 203.0.113.24"
    words = words_of(field, source)
    if words is not None and not in_vocabulary(value, words):
        hint = did_you_mean(value, words, "one of " + ", ".join(words[:12]))
        return f"{shown(value)} is not among the values of {field.name}", hint
    return None


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True
