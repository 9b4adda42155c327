"""Id

## What it does

Checks that the `id` of a rule, correlation or filter is a UUID: 8-4-4-4-12 hexadecimal digits. A missing id is
[INS221](INS221.md).

## Why it is bad

The id is the rule's identity for life. Alerts, exceptions and cases refer to it long after title and file name have changed, and
targets derive their own ids from it. Something that is not a UUID sooner or later meets a twin, or a tool that refuses it.

## Example

```yaml
# bad
id: claim-rule-7

# good
id: c9650941-dfec-55f3-adb5-c5add26773aa
```

## Fix

Make one with `uuidgen` and never change it again.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

from insigma.checks.base import Context, finding
from insigma.checks.wording import kind_of_value, shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS202"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def is_uuid(value: Any) -> bool:
    """Whether the value is the text of a UUID in its usual form."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def uuid_hint(value: Any) -> str:
    """What to write instead of a value that is no UUID, or is one in another spelling."""
    try:
        return f"did you mean '{uuid.UUID(value)}'?"
    except (ValueError, AttributeError, TypeError):
        return "a UUID has 8-4-4-4-12 hexadecimal digits; 'uuidgen' makes one"


def check_document(document: Document, _context: Context) -> Iterator[Diagnostic]:
    """Yield a finding if there is an id and it is not a UUID."""
    written = document.data.get("id")
    if written is None or is_uuid(written):
        return
    said = shown(written) if isinstance(written, str) else kind_of_value(written)
    yield finding(CODE, document.place("id"), f"the id is {said}, which is not a UUID", uuid_hint(written))
