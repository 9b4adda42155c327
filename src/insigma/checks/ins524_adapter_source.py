"""Adapter: source

## What it does

Checks that an adapter of a product with public documentation (`documented: true`) names the pages that its names were read on, as
http(s) addresses; and that one without (`documented: false`) says under `unverified` what it rests on.

## Why it is bad

Event names made up from memory look like real ones, match nothing, and are noticed when it is too late. A page can be read again when
the product changes.

## Example

```yaml
# bad
product: kong
documented: true

# good
product: kong
documented: true
source:
  - https://developer.konghq.com/plugins/http-log/
```

## Fix

Name the pages. Where there are none, write `documented: false` and say under `unverified` whom or what the names come from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from insigma.checks.adapters import adapters
from insigma.checks.base import Context, finding
from insigma.checks.scope import texts
from insigma.checks.wording import shown
from insigma.diagnostics.model import Diagnostic

CODE = "INS524"
_ADDRESS = re.compile(r"https?://[^\s/]+\.[^\s]+")


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for an adapter without sources, and for each source that is no address."""
    for mapping in adapters(context):
        document = mapping.document
        documented = document.data.get("documented")
        named = list(texts(document, "source"))
        if documented is True and not named:
            message, hint = f"{mapping.product} is documented, but no page is named", "add 'source' with the addresses of the pages"
            yield finding(CODE, document.place("documented"), message, hint)
        if documented is False and not any(texts(document, "unverified")):
            message, hint = f"nothing says what {mapping.product} rests on", "say under 'unverified' whom or what the names come from"
            yield finding(CODE, document.place("documented"), message, hint)
        for address, place in named:
            if not _ADDRESS.fullmatch(address):
                yield finding(CODE, place, f"{shown(address)} is no http(s) address", "name the page of the maker's documentation")
