"""Unknown field

## What it does

Checks that every field named in a rule with `taxonomy: insurance` is in `mappings/taxonomy/fields.yml`: in the detection, in
`fieldref` values, in the list `fields`, and in `group-by`, `condition` and `aliases` of a correlation.

## Why it is bad

A field that no adapter fills never matches. In a selection the rule is dead; in a filter nothing is filtered.

## Example

```yaml
# bad
detection:
  selection:
    insurance.claim.payee: VEN-2230
  condition: selection

# good
detection:
  selection:
    insurance.payment.payee.id: VEN-2230
  condition: selection
```

## Fix

Use the canonical name. If the taxonomy lacks the field, add it there, to the log sources that carry it, and to every target
mapping.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.scope import correlation_fields, detection_fields, did_you_mean, listed_fields, speaks_taxonomy
from insigma.checks.wording import shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS302"


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each use of a field that the taxonomy does not know."""
    if not speaks_taxonomy(document, context):
        return
    known = context.pack.taxonomy.fields
    for uses in (detection_fields(document), correlation_fields(document), listed_fields(document)):
        for use in uses:
            if use.name not in known:
                hint = did_you_mean(use.name, known, "see mappings/taxonomy/fields.yml")
                yield finding(CODE, use.place, f"taxonomy {context.pack.taxonomy.name} has no field {shown(use.name)}", hint)
