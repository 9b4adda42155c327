"""Fixture gaps

## What it does

Checks that a fixture has the kinds of case that its rule needs.

A rule of role `alert` or `signal` needs at least 5 cases, among them

- `match`: it alerts;
- `lookalike`: the honest twin that `falsepositives` names;
- `absent`, if the rule reads a field that events may lack, or a context field;
- `boundary`, for numbers and windows: at least one case on each side, so one that alerts and one that does not.

A base rule needs a `match` and a `miss`.

## Why it is bad

Each kind is a way in which rules break. Without its case a dropped filter, a threshold off by one or a NOT over an absent field
goes out unseen.

## Example

```yaml
# bad: one happy case
cases:
  - {name: a large export, kind: match, expect: match, events: [...]}

# good
cases:
  - {name: a large export, kind: match, expect: match, events: [...]}
  - {name: the same with an approved ticket, kind: lookalike, expect: none, because: ..., events: [...]}
  - {name: the ticket table gave nothing, kind: absent, expect: match, because: ..., events: [...]}
  - {name: exactly a thousand records, kind: boundary, expect: match, because: ..., events: [...]}
  - {name: one record fewer, kind: boundary, expect: none, because: ..., events: [...]}
```

## Fix

Add the case that is named. Only what can happen in the rule's log source is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from insigma.checks.base import Context, finding
from insigma.checks.scope import (
    CONTEXT_PREFIX,
    base_rules,
    correlation_fields,
    detection_fields,
    dig,
    insurance,
    logsource_of,
    rule_of_fixture,
)
from insigma.checks.vocabulary import COMPARISONS
from insigma.checks.walk import detection_entries
from insigma.content.model import AnyRule, Correlation, Fixture
from insigma.diagnostics.model import Diagnostic

CODE = "INS506"

_MINIMUM = 5


@dataclass(frozen=True, slots=True)
class _Need:
    """A kind of case that the rule needs, and why."""

    kind: str
    why: str


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each kind of case that a fixture lacks."""
    if not context.in_pack:
        return
    for fixture in context.pack.fixtures:
        rule = rule_of_fixture(fixture, context)
        if rule is not None:
            yield from _gaps(fixture, rule, context)


def _gaps(fixture: Fixture, rule: AnyRule, context: Context) -> Iterator[Diagnostic]:
    document = fixture.document
    place = document.key_place("cases")
    written = dig(document, "cases")
    cases = [case for case in written if isinstance(case, dict)] if isinstance(written, list) else []
    base = insurance(rule.header.document, "role") == "base"
    for need in _base_needs() if base else _needs(rule, context):
        if not any(case.get("kind") == need.kind for case in cases):
            yield finding(CODE, place, f"no case of kind '{need.kind}'", need.why, rule.header.label)
        elif need.kind == "boundary":
            yield from (finding(CODE, place, message, need.why, rule.header.label) for message in _sides(cases))
    if not base and len(cases) < _MINIMUM:
        message = f"{len(cases)} cases; a rule that alerts needs at least {_MINIMUM}"
        yield finding(CODE, place, message, "one near miss for each part of the condition", rule.header.label)


def _base_needs() -> Iterator[_Need]:
    yield _Need("match", "show what the correlations are to count")
    yield _Need("miss", "show an event that differs in one field and must not count")


def _needs(rule: AnyRule, context: Context) -> Iterator[_Need]:
    yield _Need("match", "show the events that must alert")
    yield _Need("lookalike", "show the honest twin that falsepositives names")
    absent = _may_lack(rule, context)
    if absent:
        yield _Need("absent", f"the rule reads {absent}, which events may lack")
    number = _number_of(rule)
    if number:
        yield _Need("boundary", f"show both sides of {number}")


def _may_lack(rule: AnyRule, context: Context) -> str | None:
    """The first field that the rule reads and an event may lack, or whose context may be unknown."""
    taxonomy = context.pack.taxonomy
    for base in base_rules(rule):
        document = base.header.document
        source = logsource_of(document, context)
        uses = [use.name for use in detection_fields(document)]
        if isinstance(rule, Correlation):
            uses += [use.name for use in correlation_fields(rule.header.document)]
        for name in uses:
            known = source is not None and name in source.fields and name in taxonomy.fields
            if name.startswith(CONTEXT_PREFIX) or (known and source is not None and taxonomy.nullable(name, source.name)):
                return name
    return None


def _number_of(rule: AnyRule) -> str | None:
    if isinstance(rule, Correlation):
        return "the window, and of the number if there is one"
    for entry in detection_entries(rule.header.document):
        if COMPARISONS & set(entry.modifiers):
            return f"{entry.field} {' '.join(entry.modifiers)} {entry.value}"
    return None


def _sides(cases: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What is missing among the boundary cases. A case that expects single events shows both sides."""
    expectations = [case.get("expect") for case in cases if case.get("kind") == "boundary"]
    if any(isinstance(expected, dict) and "events" in expected for expected in expectations):
        return
    if all(expected == "none" for expected in expectations):
        yield "no boundary case alerts"
    if "none" not in expectations:
        yield "every boundary case alerts"
