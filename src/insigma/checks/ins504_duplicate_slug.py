"""Duplicate slug

## What it does

Finds rules of the pack whose files have one name, in whatever folders, and files that hold more than one rule. Case is ignored.

## Why it is bad

What is built from a rule takes the name of its file: `dist/<target>/rules/<slug>.*`. Two rules with one name would overwrite
each other there, and on some systems names that differ only in case are one.

## Example

```yaml
# bad: rules/broker/bulk_export.yml, while there is rules/claims/bulk_export.yml
title: Bulk Export By Broker

# good: rules/broker/bulk_export_by_broker.yml
title: Bulk Export By Broker
```

## Fix

Name the file after its title. Give every rule a file of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, Kind, finding, kind_of
from insigma.checks.scope import repeated
from insigma.content.folding import fold
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS504"


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding at each later rule whose file name is taken."""
    if not context.in_pack:
        return
    for first, later in repeated(context.all_documents, _slug):
        place = later.place()
        if first.path == later.path:
            message = f"the file holds another rule already, on line {first.place().line}"
            yield finding(CODE, place, message, "give every rule a file of its own")
        else:
            hint = "name the file after its title; folders do not tell them apart"
            yield finding(CODE, place, f"the file name is taken by {first.path}", hint)


def _slug(document: Document) -> str | None:
    if kind_of(document) is Kind.FILTER:
        return None
    return fold(document.path.rsplit("/", 1)[-1].rsplit(".", 1)[0])
