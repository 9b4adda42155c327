"""Adapter: field not in log source

## What it does

Checks that every field a binding fills is one that the log source carries, required or optional. The log source itself is not filled:
`insurance.logsource` follows from `logsource`.

## Why it is bad

Target mappings and rules know a log source by its fields. A field that it does not carry is stored and never looked at, and whoever
reads the adapter believes that a rule may use it.

## Example

```yaml
# bad: database events carry no session
  - name: statements
    logsource: database
    fields:
      insurance.session.id: session_id

# good
  - name: statements
    logsource: database
    fields:
      user.name: user_name
```

## Fix

Leave the field out, or add it to the log source in `mappings/taxonomy/logsources.yml` if rules need it.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.adapters import bindings
from insigma.checks.base import Context, finding
from insigma.content.taxonomy import LOGSOURCE_FIELD
from insigma.diagnostics.model import Diagnostic

CODE = "INS521"


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each field that the log source does not carry."""
    for found in bindings(context):
        if found.source is None:
            continue
        for bound in found.binding.fields:
            place = found.key_place("fields", bound.name)
            if bound.name == LOGSOURCE_FIELD:
                yield finding(CODE, place, f"{LOGSOURCE_FIELD} is filled by hand", "leave it out: it follows from 'logsource'")
            elif bound.name in context.pack.taxonomy.fields and bound.name not in found.source.fields:
                hint = "leave it out, or add it to the log source in mappings/taxonomy/logsources.yml"
                yield finding(CODE, place, f"{found.source.name} events do not carry {bound.name}", hint)
