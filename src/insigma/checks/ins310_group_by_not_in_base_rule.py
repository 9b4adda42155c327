"""Group-by not in base rule

## What it does

Checks that the log source of every base rule of a correlation carries each `group-by` field and each field of the condition,
through `aliases`. Where the base is itself a correlation, its `group-by` must hold the field: its alerts carry nothing else.

## Why it is bad

Events without the group-by field belong to no group. Those of the base rule that lacks it are never counted, so the correlation
can never see its whole pattern.

## Example

```yaml
# bad: insurance_payment events have no claim status
correlation:
  type: temporal
  rules: [ins-clm-005, ins-pay-002]
  group-by: [insurance.claim.status]
  timespan: 72h

# good
correlation:
  type: temporal
  rules: [ins-clm-005, ins-pay-002]
  group-by: [insurance.claim.id]
  timespan: 72h
```

## Fix

Group by a field that all base rules carry, or give each its own under `aliases`.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.scope import logsource_of, speaks_taxonomy, texts
from insigma.content.model import AnyRule, Correlation
from insigma.diagnostics.model import Diagnostic, Place

CODE = "INS310"


def check_rule(rule: AnyRule, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each group-by or counted field and base rule that lacks it."""
    if not isinstance(rule, Correlation) or not speaks_taxonomy(rule.header.document, context):
        return
    document = rule.header.document
    for name, place in (*texts(document, "correlation", "group-by"), *texts(document, "correlation", "condition", "field")):
        yield from _lacking(rule, name, place, context)


def _lacking(rule: Correlation, name: str, place: Place, context: Context) -> Iterator[Diagnostic]:
    for position, member in enumerate(rule.members):
        field = rule.field_of(name, position)
        carried, origin = _carried(member, context)
        if carried is not None and field not in carried:
            through = f" (alias {name})" if field != name else ""
            message = f"base rule {rule.rules[position]} has no '{field}'{through}: {origin} does not carry it"
            yield finding(CODE, place, message, "group by a field that all base rules carry, or use aliases", rule.header.label)


def _carried(member: AnyRule, context: Context) -> tuple[tuple[str, ...] | None, str]:
    """The fields that what the member emits may carry, and what decides that. None where the taxonomy cannot tell."""
    if isinstance(member, Correlation):
        return member.group_by, "its group-by"
    document = member.header.document
    source = logsource_of(document, context) if speaks_taxonomy(document, context) else None
    return (None, "") if source is None else (source.fields, source.name)
