"""Duplicate title

## What it does

Finds rules and correlations of the pack that have the `title` of another; case and repeated spaces do not tell them apart.

## Why it is bad

An analyst sees the title and nothing else in the queue. Two rules with one title are taken for one, and the second alert for a
repeat of the first.

## Example

```yaml
# bad: both rules are called so
title: Suspicious Claim Export

# good: what tells them apart is in the title
title: Suspicious Claim Export Outside Office Hours
```

## Fix

Say in the title what is special about the rule.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, Kind, finding, kind_of
from insigma.checks.scope import dig, repeated, show
from insigma.checks.wording import shown
from insigma.content.folding import fold
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS503"


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding at each later rule with a title that is taken."""
    if not context.in_pack:
        return
    for first, later in repeated(context.all_documents, _title):
        message = f"title {shown(later.data['title'])} is taken by {show(first.place('title'))}"
        yield finding(CODE, later.place("title"), message, "say in the title what is special about this rule")


def _title(document: Document) -> str | None:
    title = dig(document, "title")
    if kind_of(document) is Kind.FILTER or not isinstance(title, str):
        return None
    return fold(" ".join(title.split()))
