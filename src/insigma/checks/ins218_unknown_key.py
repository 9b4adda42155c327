"""Unknown key

## What it does

Checks the top-level keys of a rule, correlation or filter for one that is a slip of the finger away from a key of Sigma's. Other
unknown keys are custom attributes and are left alone.

## Why it is bad

Sigma takes any unknown key for a custom attribute, so a misspelt one is kept and ignored: with `falsepositive:` the false positives
are in the file and nowhere else.

## Example

```yaml
# bad
falsepositive:
  - Portfolio handover

# good
falsepositives:
  - Portfolio handover
```

## Fix

Mend the key. If it really is an attribute of your own, give it a name that does not look like Sigma's.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.spelling import misspelt
from insigma.checks.wording import shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS218"
KEYS = (
    "title",
    "id",
    "name",
    "related",
    "taxonomy",
    "status",
    "description",
    "license",
    "author",
    "references",
    "date",
    "modified",
    "tags",
    "scope",
    "logsource",
    "detection",
    "correlation",
    "filter",
    "fields",
    "falsepositives",
    "level",
    "insurance",
)


def check_document(document: Document, _context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each top-level key that is almost one of Sigma's and not a second spelling of it."""
    for key in document.data:
        meant = misspelt(key, KEYS)
        if meant is not None:
            message = f"key {shown(key)} is a custom attribute, and looks like '{meant}'"
            yield finding(CODE, document.key_place(key), message, f"did you mean '{meant}'?")
