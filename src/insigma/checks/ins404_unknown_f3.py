"""Unknown F3 technique

## What it does

Checks `insurance.f3` against the techniques of MITRE's Fight Fraud Framework v1.1 and our own supplement `INSF-01` to
`INSF-10`.

## Why it is bad

Coverage reports count rules by technique. An id that names nothing is coverage on paper only.

## Example

```yaml
# bad
insurance:
  f3: [F1929]

# good
insurance:
  f3: [F1029]
```

## Fix

Use an id of F3 v1.1. What F3 does not have, such as a staged claim, is in the list INSF.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.scope import texts
from insigma.checks.wording import shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS404"


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each F3 id that the table lacks."""
    if not context.in_pack:
        return
    for identifier, place in texts(document, "insurance", "f3"):
        if identifier not in context.f3:
            parent = identifier.partition(".")[0]
            known = f"{parent} is '{context.f3[parent]}', without this sub-technique" if parent in context.f3 else ""
            hint = known or "see src/insigma/data/f3_v1.1_techniques.tsv"
            yield finding(CODE, place, f"F3 v1.1 has no technique {shown(identifier)}", hint)
