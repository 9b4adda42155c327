"""All of one

## What it does

Checks for the modifier `all` over a single value.

## Why it is bad

`all` joins the values of a list with "and"; over one value it says nothing. Mostly a list was meant, and values are missing or
stand in another entry.

## Example

```yaml
# bad
detection:
  selection:
    process.command_line|contains|all: rclone
  condition: selection

# good
detection:
  selection:
    process.command_line|contains|all:
      - rclone
      - ' copy '
  condition: selection
```

## Fix

Drop `all`, or add the values that have to match besides.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.walk import detection_entries
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS216"


def check_document(document: Document, _context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each entry with `all` and exactly one value."""
    for entry in detection_entries(document):
        if "all" in entry.modifiers and len(entry.values) == 1:
            place = document.key_place(*entry.path)
            yield finding(CODE, place, "the modifier 'all' stands over a single value", "drop 'all', or give a list of values")
