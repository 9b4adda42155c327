"""Missing header

## What it does

Checks that a rule or correlation has an `id`, a `status` and a `level`, and a filter an `id`.

## Why it is bad

Sigma leaves them optional, but nothing can be delivered without them: alerts need an identity that outlives the title, severity
comes from the level, and selections of content go by status.

## Example

```yaml
# bad
title: Suspicious Claim Payment Approved By Its Creator
logsource:
  category: insurance_claims

# good
title: Suspicious Claim Payment Approved By Its Creator
id: 2b6f7c1e-55d3-4b0e-9a53-0d8f0f7f7a11
status: experimental
level: high
logsource:
  category: insurance_claims
```

## Fix

Add what is missing. `uuidgen` makes an id; a new rule is `experimental`.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, Kind, finding, kind_of
from insigma.checks.ins203_level import LEVELS
from insigma.checks.wording import one_of
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS221"
_HINTS = {
    "id": "make a UUID with 'uuidgen' and never change it again",
    "status": "a new rule is 'status: experimental'",
    "level": one_of(LEVELS),
}


def check_document(document: Document, _context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each header key that is missing or empty."""
    kind = kind_of(document)
    for key, hint in _HINTS.items():
        if document.data.get(key) is None and (key == "id" or kind is not Kind.FILTER):
            yield finding(CODE, document.key_place(key), f"the {kind.value} has no '{key}'", hint)
