"""Product in log source

## What it does

Finds `product` and `service` in the log source of rules with `taxonomy: insurance`. `process_creation` may name an operating
system, as SigmaHQ does.

## Why it is bad

A canonical event has no vendor: Guidewire, Duck Creek and SAP all become `insurance_claims` in their adapters. A rule that names
a product serves one customer, and the next one gets a copy of it.

## Example

```yaml
# bad
logsource:
  category: insurance_claims
  product: guidewire

# good
logsource:
  category: insurance_claims
```

## Fix

Delete the key. If the rule needs something that only one product logs, put it into that product's adapter and give it a
canonical name.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.scope import dig, logsource_of, speaks_taxonomy
from insigma.checks.wording import shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS309"

_SYSTEM_CATEGORY = "process_creation"
_SYSTEMS = frozenset({"windows", "linux", "macos"})


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each vendor part of the log source."""
    source = logsource_of(document, context) if speaks_taxonomy(document, context) else None
    if source is None:
        return
    for part in ("product", "service"):
        value = dig(document, "logsource", part)
        allowed = part == "product" and source.logsource.category == _SYSTEM_CATEGORY and str(value) in _SYSTEMS
        if value is not None and value != getattr(source.logsource, part) and not allowed:
            message = f"the log source names the {part} {shown(value)}, but {source.name} events come from any vendor"
            yield finding(CODE, document.key_place("logsource", part), message, f"delete '{part}'")
