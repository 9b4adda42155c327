"""Duplicate id

## What it does

Finds rules, correlations and filters of the pack that have the `id` of another, case aside.

## Why it is bad

SIEMs, tickets and reports know a rule by its id. Of two with the same one, the later replaces the earlier without a word.

## Example

```yaml
# bad: copied together with its id
title: Bulk Policy Export
id: 308cd684-e115-59d6-a07a-731b5e258734

# good
title: Bulk Policy Export
id: 5f0b7a6e-6b2c-4a59-9f6e-3d1d1c5f7a10
```

## Fix

Give the newer rule a fresh UUID. If it is meant to replace the older one, delete that.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.scope import dig, repeated, show
from insigma.checks.wording import shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS501"


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding at each later document with an id that is taken."""
    if not context.in_pack:
        return
    for first, later in repeated(context.all_documents, _id):
        message = f"id {shown(later.data['id'])} is taken by {show(first.place('id'))}"
        yield finding(CODE, later.place("id"), message, "give this rule a fresh UUID")


def _id(document: Document) -> str | None:
    identifier = dig(document, "id")
    return identifier.strip().lower() if isinstance(identifier, str) else None
