"""Duplicate name

## What it does

Finds rules, correlations and filters of the pack that have the `name` of another, case aside.

## Why it is bad

Correlations, filters and fixtures refer to rules by name. Of two with the same one, which is meant is chance.

## Example

```yaml
# bad: the name of another rule
title: Bulk Policy Export
name: ins-clm-001

# good
title: Bulk Policy Export
name: ins-pol-004
```

## Fix

Give the newer rule the next free number of its domain, in `name` and in `insurance.pack_id`.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.scope import dig, repeated, show
from insigma.checks.wording import shown
from insigma.content.folding import fold
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS502"


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding at each later document with a name that is taken."""
    if not context.in_pack:
        return
    for first, later in repeated(context.all_documents, _name):
        message = f"name {shown(later.data['name'])} is taken by {show(first.place('name'))}"
        yield finding(CODE, later.place("name"), message, "use the next free number of the domain")


def _name(document: Document) -> str | None:
    name = dig(document, "name")
    return fold(name.strip()) if isinstance(name, str) else None
