"""Adapter: unknown name

## What it does

Checks that an adapter (`mappings/products/<product>.yml`) names only log sources and canonical fields that the taxonomy has.

## Why it is bad

No rule reads a field under a misspelt name, and events of an unknown log source are seen by no rule at all.

## Example

```yaml
# bad
bindings:
  - name: requests
    logsource: api_gatway
    fields:
      url.pth: request.uri

# good
bindings:
  - name: requests
    logsource: api_gateway
    fields:
      url.path: request.uri
```

## Fix

Write the name as `mappings/taxonomy/` has it.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.adapters import bindings
from insigma.checks.base import Context, finding
from insigma.checks.scope import did_you_mean
from insigma.checks.wording import shown
from insigma.diagnostics.model import Diagnostic

CODE = "INS520"


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each name that the taxonomy does not have."""
    taxonomy = context.pack.taxonomy
    for found in bindings(context):
        if found.source is None:
            hint = did_you_mean(found.binding.logsource, taxonomy.logsources, "see mappings/taxonomy/logsources.yml")
            yield finding(CODE, found.place("logsource"), f"the taxonomy has no log source {shown(found.binding.logsource)}", hint)
        for name in (*(bound.name for bound in found.binding.fields), *found.binding.unfilled):
            if name not in taxonomy.fields:
                part = "unfilled" if name in found.binding.unfilled else "fields"
                hint = did_you_mean(name, taxonomy.fields, "see mappings/taxonomy/fields.yml")
                yield finding(CODE, found.key_place(part, name), f"the taxonomy has no field {shown(name)}", hint)
