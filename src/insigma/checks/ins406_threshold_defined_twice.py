"""Threshold defined twice

## What it does

Finds names of thresholds that two rules of the pack define.

## Why it is bad

A customer's profile sets a threshold by name. If two rules define it, each with its own default and bounds, a number that is
sound for one blinds the other.

## Example

```yaml
# bad: two rules define it
insurance:
  thresholds:
    clm_export_records_per_day: {default: 5000, min: 500, max: 20000, at: correlation.condition.gte}

# good: each rule has a name of its own
insurance:
  thresholds:
    clm_search_records_per_day: {default: 5000, min: 500, max: 20000, at: correlation.condition.gte}
```

## Fix

Rename one of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.scope import entries, show
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS406"


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding at each later definition of a threshold."""
    if not context.in_pack:
        return
    first: dict[str, Document] = {}
    for document in context.documents:
        for name in entries(document, "insurance", "thresholds"):
            key = ("insurance", "thresholds", name)
            if name in first:
                message = f"threshold {name} is defined already at {show(first[name].key_place(*key))}"
                yield finding(CODE, document.key_place(*key), message, "give it a name of its own")
            first.setdefault(name, document)
