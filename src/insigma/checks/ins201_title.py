r"""Title

## What it does

Checks that a rule has a title: text, not empty, at most 256 characters, without line breaks, control characters or invisible
formatting characters.

## Why it is bad

The title is what people see in the alert queue, in the ledger and in every report. It also becomes the name of the saved search
or detection rule, where a line break could start a setting of its own and an invisible character could make two rules look like one.

## Example

```yaml
# bad
title: "Claim Payment Approved By Its Creator\n[default]"

# good
title: Suspicious Claim Payment Approved By Its Creator
```

## Fix

Write one line that says what the rule finds.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.wording import kind_of_value
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS201"
MAX_LENGTH = 256
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def check_document(document: Document, _context: Context) -> Iterator[Diagnostic]:
    """Yield what is wrong with the title."""
    title = document.data.get("title")
    place = document.place("title")
    if title is None:
        yield finding(CODE, document.key_place("title"), "the title is missing", "say in a few words what the rule finds")
    elif not isinstance(title, str):
        yield finding(CODE, place, f"the title is {kind_of_value(title)}, where text is meant", "write it as text, in quotes if need be")
    elif not title.strip():
        yield finding(CODE, place, "the title is empty", "say in a few words what the rule finds")
    else:
        yield from _text(document, title)


def _text(document: Document, title: str) -> Iterator[Diagnostic]:
    if len(title) > MAX_LENGTH:
        message = f"the title has {len(title)} characters; the limit is {MAX_LENGTH}"
        yield finding(CODE, document.place("title"), message, "move the detail into the description")
    offset = next((index for index, char in enumerate(title) if unicodedata.category(char) in _INVISIBLE), None)
    if offset is not None:
        message = f"the title holds the character U+{ord(title[offset]):04X}, which nobody can see"
        yield finding(CODE, document.column_in(("title",), offset), message, "write the title on one line, in visible characters")
