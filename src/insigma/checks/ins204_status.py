"""Status

## What it does

Checks that `status` is one of Sigma's: `stable`, `test`, `experimental`, `deprecated`, `unsupported`. A missing status is
[INS221](INS221.md).

## Why it is bad

The status says how far a rule has been tried, and selections of rules ("everything but experimental") go by it. A rule with a
status of its own is in none of them, or in all.

## Example

```yaml
# bad
status: production

# good
status: stable
```

## Fix

A new rule is `experimental`; `test` after it ran quietly on a few systems; `stable` after it did so on several for a long time.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.scope import did_you_mean
from insigma.checks.wording import kind_of_value, one_of, shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS204"
STATUSES = ("stable", "test", "experimental", "deprecated", "unsupported")


def check_document(document: Document, _context: Context) -> Iterator[Diagnostic]:
    """Yield a finding if there is a status and it is none of Sigma's."""
    status = document.data.get("status")
    if status is None or status in STATUSES:
        return
    said = shown(status) if isinstance(status, str) else kind_of_value(status)
    yield finding(CODE, document.place("status"), f"{said} is not a status", did_you_mean(str(status), STATUSES, one_of(STATUSES)))
