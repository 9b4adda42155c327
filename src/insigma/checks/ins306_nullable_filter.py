"""Nullable filter

## What it does

Checks fields that a rule reads in the negative: in selections under `not`, in selections called `filter_*`, and with the
modifier `neq`. Such a field must be required in the rule's log source or have a `null_default`. Filters that ask about absence
itself (`null`, `exists`) may read any field.

## Why it is bad

Where the field is absent the filter does not hold, so the event passes it: the honest case that the filter was written for
alerts whenever the feed leaves the field out. Nobody sees from the rule which of the two was meant.

## Example

```yaml
# bad: event.reason is optional
detection:
  selection:
    event.action: claim-export
  filter_main_scheduled:
    event.reason: scheduled
  condition: selection and not 1 of filter_main_*

# good: the context field is unknown, never absent
detection:
  selection:
    event.action: claim-export
  filter_main_ticket:
    insurance.context.ticket_valid: 'yes'
  condition: selection and not 1 of filter_main_*
```

## Fix

Filter on a required field or on one with a null default. If absence shall let the event through, say so with a branch of its
own (`field: null`).
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.polarity import negated_selections
from insigma.checks.scope import logsource_of, speaks_taxonomy
from insigma.checks.walk import Entry, detection_entries
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS306"


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each field that is read in the negative and may be absent."""
    source = logsource_of(document, context) if speaks_taxonomy(document, context) else None
    if source is None:
        return
    negated = negated_selections(document)
    for entry in detection_entries(document):
        if entry.field is None or entry.field not in source.fields or entry.field not in context.pack.taxonomy.fields:
            continue
        if _read_in_the_negative(entry, negated) and context.pack.taxonomy.nullable(entry.field, source.name):
            message = f"'{entry.selection}' reads {entry.field} in the negative, which {source.name} events may lack"
            hint = "filter on a required field or one with a null default, or say with 'null' what absence means"
            yield finding(CODE, document.key_place(*entry.path), message, hint)


def _read_in_the_negative(entry: Entry, negated: frozenset[str]) -> bool:
    asks_absence = "exists" in entry.modifiers or all(value is None for value, _ in entry.values)
    if asks_absence:
        return False
    is_filter = entry.selection in negated or entry.selection.startswith("filter")
    return is_filter != ("neq" in entry.modifiers)
