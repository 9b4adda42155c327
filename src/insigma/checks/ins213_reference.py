"""Reference

## What it does

Checks that `references` is a list and that its entries are addresses with `http://` or `https://` and a host. Outside a pack,
prose such as `Internal Research` is left alone; what looks like an address of another kind is still told.

## Why it is bad

References become links in the alert. A link that opens nothing wastes the analyst's time; one with another scheme (`file:`,
`javascript:`) is a trap in a console that makes it clickable.

## Example

```yaml
# bad
references:
  - attack.mitre.org/techniques/T1213/
  - javascript:alert(1)

# good
references:
  - https://attack.mitre.org/techniques/T1213/
```

## Fix

Write the full address. What is not public belongs into the description.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from insigma.checks.base import Context, finding
from insigma.checks.wording import kind_of_value, shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS213"
_ADDRESS = re.compile(r"https?://(?:\[[0-9A-Fa-f:.]+\]|[^\s/?#\[\]@:<>\"\\]+)(?::[0-9]{1,5})?(?:[/?#][^\s<>\"]*)?", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?!\s)\S+")
_BARE_HOST = re.compile(r"(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}(?:[/?#:]\S*)?")


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each reference that is no address, or (outside a pack) is a doubtful one."""
    references = document.data.get("references")
    if references is None:
        return
    if not isinstance(references, list):
        message = f"'references' is {kind_of_value(references)}, where a list is meant"
        yield finding(CODE, document.place("references"), message, "write one address a line after '- '")
        return
    for index, reference in enumerate(references):
        said = _fault(reference, context.in_pack)
        if said is not None:
            yield finding(CODE, document.place("references", index), *said)


def _fault(reference: Any, strict: bool) -> tuple[str, str] | None:
    """What is wrong with a reference, and what to do; None if nothing is."""
    if not isinstance(reference, str):
        return f"a reference is {kind_of_value(reference)}, where text is meant", "write an address with https://"
    if _ADDRESS.fullmatch(reference):
        return None
    if _BARE_HOST.fullmatch(reference):
        return f"reference {shown(reference)} has no scheme", f"did you mean 'https://{reference}'?"
    if strict or (_SCHEME.fullmatch(reference) and not reference.lower().startswith(("http://", "https://"))):
        return (
            f"reference {shown(reference)} is not an http(s) address",
            "write the full address; other sources belong into the description",
        )
    return None
