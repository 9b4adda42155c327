"""Filter that restricts

## What it does

Checks that a Sigma filter takes events away from its rules, or says that it means to keep only some: a condition that is
no negation needs `restricts: true`.

## Why it is bad

A filter's condition is ANDed to the rules it names. An exception written `condition: selection` therefore does the
opposite of what its author wants: the rule now fires for nobody but those who were to be excused, and is silent about
everybody else. The specification's own example reads so.

## Example

```yaml
# bad: from now on only the auditor sets the rule off
filter:
  rules: [ins-clm-003]
  selection:
    user.name: audit.medrev
  condition: selection

# good
filter:
  rules: [ins-clm-003]
  selection:
    user.name: audit.medrev
  condition: not selection
```

## Fix

Write `condition: not selection`. If the rule is to be narrowed to the selection, say so with `restricts: true` beside `filter`.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, Kind, finding, kind_of
from insigma.content.condition import ConditionError, Expression, parse_condition
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS222"


def check_document(document: Document, _context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for a filter that restricts without a word, and for a word without a restriction."""
    if kind_of(document) is not Kind.FILTER:
        return
    body = document.data.get("filter")
    condition = body.get("condition") if isinstance(body, dict) else None
    if not isinstance(condition, str):
        return  # INS101 and INS104 speak of it
    try:
        suppresses = _suppresses(parse_condition(condition))
    except ConditionError:
        return
    declared = document.data.get("restricts") is True
    if not suppresses and not declared:
        hint = "an exception reads 'condition: not selection'; where only these events are to be kept, add 'restricts: true'"
        yield finding(CODE, document.place("filter", "condition"), "the filter keeps only the events that it selects", hint)
    if suppresses and declared:
        place = document.key_place("restricts")
        yield finding(CODE, place, "the filter says that it restricts, but takes events away", "remove 'restricts'")


def _suppresses(expression: Expression) -> bool:
    """Whether the condition only takes away: a negation, or several that all have to hold."""
    if expression.operator == "and":
        return all(_suppresses(operand) for operand in expression.operands)
    return expression.operator == "not"
