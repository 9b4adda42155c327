"""Adapter: name

## What it does

Checks that an adapter's file is called after its product, and that no two bindings of an adapter have one name.

## Why it is bad

`insigma adapt PRODUCT` finds an adapter by the name of its file. The report counts by binding: two of one name cannot be told apart, so
nobody sees which of them is half empty.

## Example

```yaml
# bad: mappings/products/gateway.yml
product: kong

# good: mappings/products/kong.yml
product: kong
```

## Fix

Rename the file or the product; give each binding a name of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.adapters import adapters
from insigma.checks.base import Context, finding
from insigma.checks.scope import dig
from insigma.checks.wording import shown
from insigma.diagnostics.model import Diagnostic

CODE = "INS527"


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for a file that is not called after its product, and for each repeated name of a binding."""
    for mapping in adapters(context):
        document = mapping.document
        stem = document.path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        if stem != mapping.product:
            message = f"the file is called {shown(stem)}, its product {shown(mapping.product)}"
            yield finding(CODE, document.place("product"), message, f"call the file {mapping.product}.yml")
        seen: set[str] = set()
        for number in range(len(document.data["bindings"])):
            name = dig(document, "bindings", number, "name")
            if isinstance(name, str) and name in seen:
                place = document.place("bindings", number, "name")
                yield finding(CODE, place, f"two bindings are called {shown(name)}", "give each a name of its own")
            seen.add(str(name))
