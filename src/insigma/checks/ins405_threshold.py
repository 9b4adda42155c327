"""Threshold

## What it does

Checks each entry of `insurance.thresholds`: `default`, `min`, `max` and `at` are there, `min <= default <= max`, `at` leads to a
number in the rule, and that number is the default. No two thresholds stand for one number. An alerting correlation with a
numeric condition and no threshold at all is a warning.

## Why it is bad

Customers tune by threshold. Without a maximum one of them will set it so high that the rule never fires; with a default that is
not the number in the rule, the pack tests one rule and ships another.

## Example

```yaml
# bad
correlation:
  condition: {gte: 60, field: insurance.claim.id}
insurance:
  thresholds:
    clm_unassigned_claims_per_hour: {default: 50, min: 20}

# good
correlation:
  condition: {gte: 60, field: insurance.claim.id}
insurance:
  thresholds:
    clm_unassigned_claims_per_hour: {default: 60, min: 20, max: 180, at: correlation.condition.gte}
```

## Fix

Give the bounds some thought: below `min` the rule floods, above `max` it is blind. `at` is `correlation.condition.<operator>`
or `detection.<selection>.<field|modifiers>`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from insigma.checks.base import Context, Kind, finding, kind_of
from insigma.checks.scope import dig, entries, find_key, insurance
from insigma.checks.wording import shown
from insigma.content.numbers import canonical_number
from insigma.content.yaml_reader import Document, Key
from insigma.diagnostics.model import Diagnostic, Severity

CODE = "INS405"

_OPERATORS = ("gte", "gt", "lte", "lt", "eq", "neq")


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each fault of a threshold, and for a correlation whose number nobody can tune."""
    if not context.in_pack or kind_of(document) is Kind.FILTER:
        return
    owners: dict[Key, str] = {}
    for name in entries(document, "insurance", "thresholds"):
        yield from _bounds(document, name)
        yield from _target(document, name, owners)
    yield from _untunable(document)


def _number(value: Any) -> int | float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _bounds(document: Document, name: str) -> Iterator[Diagnostic]:
    at = ("insurance", "thresholds", name)
    written = entries(document, *at)
    missing = [part for part in ("default", "min", "max", "at") if part not in written]
    if missing:
        yield finding(CODE, document.key_place(*at), f"threshold {name} has no {' and no '.join(missing)}", "say how far a customer may go")
    default, low, high = (_number(written.get(part)) for part in ("default", "min", "max"))
    if low is not None and high is not None and low > high:
        message = f"min {canonical_number(low)} of {name} is above max {canonical_number(high)}"
        yield finding(CODE, document.place(*at, "min"), message, "exchange them")
    elif default is not None and low is not None and default < low:
        message = f"default {canonical_number(default)} of {name} is below min {canonical_number(low)}"
        yield finding(CODE, document.place(*at, "default"), message, "lower min, or raise the number in the rule")
    elif default is not None and high is not None and default > high:
        message = f"default {canonical_number(default)} of {name} is above max {canonical_number(high)}"
        yield finding(CODE, document.place(*at, "default"), message, "raise max, or lower the number in the rule")


def _target(document: Document, name: str, owners: dict[Key, str]) -> Iterator[Diagnostic]:
    at = insurance(document, "thresholds", name, "at")
    if not isinstance(at, str):
        return
    place = document.place("insurance", "thresholds", name, "at")
    section = at.partition(".")[0]
    key = find_key({section: document.data.get(section)}, at) if section in ("correlation", "detection") else None
    number = _number(dig(document, *key)) if key is not None else None
    if key is None or number is None:
        said = "leads nowhere" if key is None else "leads to something that is not one number"
        hint = "correlation.condition.<operator>, or detection.<selection>.<field|modifiers>"
        yield finding(CODE, place, f"{shown(at)} of {name} {said}", hint)
        return
    if key in owners:
        yield finding(CODE, place, f"{name} and {owners[key]} stand for the same number", "keep one")
    owners.setdefault(key, name)
    default = _number(insurance(document, "thresholds", name, "default"))
    if default is not None and default != number:
        line = document.place(*key).line
        message = f"default {canonical_number(default)} of {name} is not {canonical_number(number)}, which stands on line {line}"
        yield finding(CODE, document.place("insurance", "thresholds", name, "default"), message, "write the number of the rule")


def _untunable(document: Document) -> Iterator[Diagnostic]:
    condition = entries(document, "correlation", "condition")
    used = [operator for operator in _OPERATORS if _number(condition.get(operator)) is not None]
    if used and insurance(document, "role") in ("alert", "signal") and not entries(document, "insurance", "thresholds"):
        place = document.key_place("correlation", "condition", used[0])
        message = f"'{used[0]}' of an alerting correlation has no threshold"
        fault = finding(CODE, place, message, f"add one under insurance.thresholds with 'at: correlation.condition.{used[0]}'")
        yield replace(fault, severity=Severity.WARNING)
