"""Unfinished

## What it does

Finds text that `insigma new` wrote for you to replace: a description, a false positive, a value of the detection, the name or the
`because` of a fixture case that begins with "write here" or "say why". A note while you write; `insigma build` does not ship it.

## Why it is bad

The analyst who is woken by the rule reads it, and it tells nothing.

## Example

```yaml
# bad
falsepositives:
  - Write here the honest process that looks the same, and how to tell it apart.

# good
falsepositives:
  - Month-end extracts of claims controlling; the ticket names them.
```

## Fix

Write your own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.scope import dig, texts
from insigma.checks.walk import detection_items
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic, Place

CODE = "INS511"
_TO_REPLACE = re.compile(r"\W*(?:write here|say why)\b", re.IGNORECASE)


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a note for each text of a rule or fixture that is still to be written."""
    if context.in_pack:
        for document in context.pack.documents:
            yield from unfinished(document)


def unfinished(document: Document) -> Iterator[Diagnostic]:
    """What is still to be written in a rule or fixture."""
    for what, text, place in _texts(document):
        if _TO_REPLACE.match(text):
            yield finding(CODE, place, f"'{what}' is still the text of 'insigma new'", "write your own")


def _texts(document: Document) -> Iterator[tuple[str, str, Place]]:
    for key in ("description", "falsepositives"):
        yield from ((key, text, place) for text, place in texts(document, key))
    for item in detection_items(document):
        if isinstance(item.value, str):
            yield item.field or item.selection, item.value, document.place(*item.value_path)
    cases = dig(document, "cases")
    for index in range(len(cases) if isinstance(cases, list) else 0):
        for key in ("name", "because"):
            yield from ((key, text, place) for text, place in texts(document, "cases", index, key))
