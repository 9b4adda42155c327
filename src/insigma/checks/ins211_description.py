"""Description

## What it does

Checks that a rule or correlation has a description that says something: text of at least 16 characters, not a placeholder such as
`TODO`, and not the title once more. Filters need none.

## Why it is bad

The description is what the analyst reads at three in the morning. Without it everybody works out afresh what the rule is about,
or closes the alert.

## Example

```yaml
# bad
title: Claim Payment Approved By Its Creator
description: Claim payment approved by its creator

# good
title: Claim Payment Approved By Its Creator
description: |
  One person creates a claim payment and approves it too, so nobody else has looked at payee and amount.
  Look first at the payee's account and at when it was entered.
```

## Fix

Say what happens, why it matters to an insurer, and what to look at first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from insigma.checks.base import Context, Kind, finding, kind_of
from insigma.checks.wording import kind_of_value, shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS211"
MIN_LENGTH = 16
_PLACEHOLDER = re.compile(r"\W*(?:to ?do|tbd|fixme|xxx|lorem ipsum|description)\b", re.IGNORECASE)
_HINT = "say what happens, why it matters, and what to look at first"


def check_document(document: Document, _context: Context) -> Iterator[Diagnostic]:
    """Yield a finding if there is no description, or one without content."""
    if kind_of(document) is Kind.FILTER:
        return
    said = _fault(document.data.get("description"), document.data.get("title"))
    if said is not None:
        yield finding(CODE, document.place("description"), said, _HINT)


def _fault(description: Any, title: Any) -> str | None:
    if description is None:
        return "the description is missing"
    if not isinstance(description, str):
        return f"the description is {kind_of_value(description)}, where text is meant"
    words = description.strip()
    if not words:
        return "the description is empty"
    if _PLACEHOLDER.match(words) and len(words) < 2 * MIN_LENGTH:
        return f"the description is the placeholder {shown(words)}"
    if len(words) < MIN_LENGTH:
        return f"the description {shown(words)} is too short to say anything"
    if isinstance(title, str) and _letters(words) == _letters(title):
        return "the description only repeats the title"
    return None


def _letters(text: str) -> str:
    return re.sub(r"\W+", "", text).casefold()
