"""Repeated value

## What it does

Checks that no value stands twice in a list of values. Case is ignored, as Sigma ignores it, unless the values are `cased`, regular
expressions or encoded.

## Why it is bad

The second one matches nothing that the first does not. It costs clauses in the query, and it is often a slip for a value that is
now missing.

## Example

```yaml
# bad
detection:
  selection:
    event.action:
      - claim-view
      - claim-export
      - Claim-View
  condition: selection

# good
detection:
  selection:
    event.action:
      - claim-view
      - claim-export
      - claim-document-view
  condition: selection
```

## Fix

Delete one, or mend it if another value was meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from insigma.checks.base import Context, finding
from insigma.checks.vocabulary import ENCODINGS
from insigma.checks.walk import Entry, detection_entries
from insigma.checks.wording import shown
from insigma.content.folding import fold
from insigma.content.numbers import canonical_number
from insigma.content.yaml_reader import Document, Key
from insigma.diagnostics.model import Diagnostic

CODE = "INS214"
_CASE_COUNTS = ENCODINGS | {"cased", "re"}


def check_document(document: Document, _context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each value that an earlier one of its list repeats."""
    for entry in detection_entries(document):
        yield from _repeated(entry, document)


def _repeated(entry: Entry, document: Document) -> Iterator[Diagnostic]:
    exact = bool(_CASE_COUNTS & set(entry.modifiers))
    first: dict[str, Key] = {}
    for value, path in entry.values:
        meaning = _meaning(value, exact)
        if meaning is None:
            continue
        if meaning in first:
            line = document.place(*first[meaning]).line
            yield finding(CODE, document.place(*path), f"value {shown(value)} already stands on line {line}", "delete one, or mend it")
        else:
            first[meaning] = path


def _meaning(value: Any, exact: bool) -> str | None:
    """The text that decides whether two values are the same; None for null, which INS109 tells of."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return canonical_number(value)
    return str(value) if exact else fold(str(value))
