"""Time modifier

## What it does

Finds the modifiers `minute`, `hour`, `day`, `week`, `month` and `year` in rules with `taxonomy: insurance`.

## Why it is bad

Every SIEM backend drops them without a word and compares the whole timestamp with the number (`@timestamp < 7`). And the hour
in UTC says nothing about office hours: adjusters work in zones, shifts and through holidays.

## Example

```yaml
# bad
detection:
  selection:
    '@timestamp|hour':
      - 22
      - 23
  condition: selection

# good
detection:
  selection:
    insurance.context.off_hours: 'yes'
  condition: selection
```

## Fix

Use `insurance.context.off_hours`, which is worked out at ingest from the working calendar of the actor.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.scope import speaks_taxonomy
from insigma.checks.vocabulary import TIME_PARTS
from insigma.checks.walk import detection_entries
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS307"

_HINT = "use insurance.context.off_hours; no SIEM backend says this right"


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each entry with a time modifier."""
    if not speaks_taxonomy(document, context):
        return
    for entry in detection_entries(document):
        used = [modifier for modifier in entry.modifiers if modifier in TIME_PARTS]
        if used:
            message = f"time modifier '{used[0]}' on {entry.field or 'a keyword'}"
            yield finding(CODE, document.key_place(*entry.path), message, _HINT)
