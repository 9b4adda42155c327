"""Unused selection

## What it does

Checks that the condition uses every selection, by name or through a selector such as `1 of filter_*` or `all of them`.

## Why it is bad

A selection that the condition forgets does nothing: a filter that does not filter, or a branch that never alerts. It reads as if
the rule covered the case. A selection whose name starts with `_` is not part of `them`.

## Example

```yaml
# bad
detection:
  selection:
    event.action: claim-view
  filter_assigned:
    insurance.context.assigned_to_actor: 'yes'
  condition: selection

# good
detection:
  selection:
    event.action: claim-view
  filter_assigned:
    insurance.context.assigned_to_actor: 'yes'
  condition: selection and not filter_assigned
```

## Fix

Put the selection into the condition, or delete it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from insigma.checks.base import Context, finding
from insigma.checks.walk import conditions, selections
from insigma.checks.wording import shown
from insigma.content.condition import ConditionError, Expression, parse_condition, select
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS210"


def check_document(document: Document, _context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each selection that no condition reaches; nothing if a condition cannot be parsed."""
    found = tuple(selections(document))
    written = [text for text, _ in conditions(document)]
    try:
        trees = [parse_condition(text) for text in written]
    except ConditionError:
        return
    if not trees:
        return
    names = [selection.name for selection in found]
    used = {name for tree in trees for name in _used(tree, names)}
    for selection in found:
        if selection.name not in used:
            message = f"selection {shown(selection.name)} is not used by the condition"
            yield finding(CODE, document.key_place(*selection.path), message, "put it into the condition, or delete it")


def _used(expression: Expression, names: Sequence[str]) -> Iterator[str]:
    match expression.operator:
        case "name":
            yield expression.name
        case "select":
            yield from select(expression.name, names)
    for operand in expression.operands:
        yield from _used(operand, names)
