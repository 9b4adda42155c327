"""Modified before date

## What it does

Checks that `modified` is not earlier than `date`.

## Why it is bad

A rule cannot be changed before it exists: one of the two days is wrong, and reviews and promotions by age go by both.

## Example

```yaml
# bad
date: 2026-11-21
modified: 2025-11-28

# good
date: 2026-11-21
modified: 2026-11-28
```

## Fix

Mend the wrong one; mostly it is the year of `modified`, or `date` was updated where `modified` was meant.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.ins205_date import day_of
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS206"


def check_document(document: Document, _context: Context) -> Iterator[Diagnostic]:
    """Yield a finding if both days can be read and `modified` is the earlier one."""
    created, modified = day_of(document.data.get("date")), day_of(document.data.get("modified"))
    if created is not None and modified is not None and modified < created:
        message = f"modified on {modified}, before the rule was written on {created}"
        yield finding(CODE, document.place("modified"), message, "mend the wrong day")
