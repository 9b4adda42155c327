"""Tenant: name

## What it does

Checks that a profile's file is called after its tenant, and that no two profiles of a pack are of one tenant.

## Why it is bad

`insigma build --tenant acme-pc-de` finds a profile by its id, and people find it by its file. Of two profiles with one id only the first
holds, in order of path: what the second says of the customer holds for nobody.

## Example

```yaml
# bad: mappings/tenants/acme.yml
tenant: {id: acme-pc-de}

# good: mappings/tenants/acme-pc-de.yml
tenant: {id: acme-pc-de}
```

## Fix

Rename the file. The id stays: it stands in rule ids, alerts and the customer's folder.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.profiles import profiles
from insigma.checks.scope import repeated, show
from insigma.checks.wording import shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic
from insigma.diagnostics.render.hostile import visible

CODE = "INS555"


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for a file that is not called after its tenant, and for each further profile of one tenant."""
    found = {id(tenant.document): tenant for tenant in profiles(context)}

    def tenant_of(document: Document) -> str:
        return found[id(document)].id

    documents = [tenant.document for tenant in found.values()]
    second = list(repeated(documents, tenant_of))
    for first, document in second:
        message = f"{shown(tenant_of(document))} has a profile here and at {show(first.place('tenant', 'id'))}"
        yield finding(CODE, document.place("tenant", "id"), message, "keep one; only the first holds")
    for document in documents:
        stem = document.path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        if stem != tenant_of(document) and not any(document is other for _, other in second):
            message = f"the file is called {shown(stem)}, its tenant {shown(tenant_of(document))}"
            yield finding(CODE, document.place("tenant", "id"), message, f"call the file {visible(tenant_of(document))}.yml")
