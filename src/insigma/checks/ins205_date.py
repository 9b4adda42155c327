"""Date

## What it does

Checks that `date` and `modified` are days of the calendar, written YYYY-MM-DD.

## Why it is bad

Sigma 2 knows only the ISO form. `2026/11/21` was the form of Sigma 1, and `02/03/2026` is February or March, by the reader's
country; tools that sort rules by age or promote them by it go wrong without a word.

## Example

```yaml
# bad
date: 2026/11/21

# good
date: 2026-11-21
```

## Fix

Write the day as YYYY-MM-DD.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Any

from insigma.checks.base import Context, finding
from insigma.checks.wording import kind_of_value, shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS205"
KEYS = ("date", "modified")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_YEAR_FIRST = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?:[Tt ].*)?", re.ASCII | re.DOTALL)


def day_of(value: Any) -> datetime.date | None:
    """The day that a value written YYYY-MM-DD means, or None."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        return datetime.date.fromisoformat(value)
    except ValueError:
        return None


def check_document(document: Document, _context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each date that is there and is no day written YYYY-MM-DD."""
    for key in KEYS:
        if key not in document.data:
            continue
        value = document.data[key]
        if day_of(value) is None:
            said = shown(value) if isinstance(value, str) else kind_of_value(value)
            yield finding(CODE, document.place(key), f"'{key}' is {said}, which is not a day written YYYY-MM-DD", _hint(value))


def _hint(value: Any) -> str:
    match = _YEAR_FIRST.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        iso = f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}"
        return f"did you mean '{iso}'?" if day_of(iso) is not None else "the calendar has no such day"
    return "write the day as, for example, 2026-11-21"
